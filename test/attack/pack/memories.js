// SPDX-License-Identifier: Apache-2.0
// Memory in every shape.

//# memory-string-doubling memory/exception/steps
exports.fetch = function () { var s = 'x'; for (;;) { s += s; s.charCodeAt(s.length - 1); } };

//# memory-rope memory/steps
exports.fetch = function () { var s = 'x', i; for (i = 0; i < 28; i++) { s = s + s + 'y'; } var a = []; for (;;) { a.push(s + a.length); s.charCodeAt(5); } };

//# memory-strings memory/steps
exports.fetch = function () { for (var a = [], i = 0;; i++) { a.push('text number ' + i + new Array(100).join('x')); } };

//# memory-arrays memory/steps
exports.fetch = function () { for (var a = [];;) { a.push([1, 2, 3]); } };

//# memory-array-of-length memory/steps
exports.fetch = function () { for (var a = [];;) { a.push(new Array(10000).join('ab').split('')); } };

//# memory-nested-arrays memory/steps
exports.fetch = function () { for (var a = [];;) { a = [a, a]; } };

//# memory-sparse memory/steps/exception
exports.fetch = function () { for (var a = [], i = 1;; i++) { a[i * 70001 % 4294967295] = { i: i }; } };

//# memory-buffers memory/steps/exception
exports.fetch = function () { for (var a = [];;) { a.push(new Uint8Array(65536)); a[a.length - 1][1] = 1; } };

//# memory-one-buffer memory/exception/steps
exports.fetch = function () { return new Response(new Uint8Array(100 << 20)); };

//# memory-buffer-2gib memory/exception/steps
exports.fetch = function () { return new Float64Array((1 << 28) - 1); };

//# memory-views memory/steps
exports.fetch = function () { var b = new ArrayBuffer(8); for (var a = [];;) { a.push(new Uint8Array(b, 1, 2)); } };

//# memory-properties memory/steps
exports.fetch = function () { for (var o = {}, i = 0;; i++) { o['p' + i] = i; } };

//# memory-objects memory/steps
exports.fetch = function () { for (var o = null;;) { o = { before: o, a: 1, b: 2 }; } };

//# memory-getters memory/steps
exports.fetch = function () { for (var a = [];;) { a.push({ get x() { return 1; }, set x(v) {} }); } };

//# memory-closures memory/steps
exports.fetch = function () { for (var f = null;;) { f = (function (g) { return function () { return g; }; })(f); } };

//# memory-bound memory/steps
exports.fetch = function () { for (var f = isNaN;;) { f = f.bind(null, 1, 2, 3); } };

//# memory-arguments memory/steps
exports.fetch = function () { for (var a = [];;) { a.push((function () { return arguments; })(1, 2, 3, 4)); } };

//# memory-errors memory/steps
exports.fetch = function () { for (var a = [], i = 0;; i++) { a.push(new Error('e' + i)); } };

//# memory-dates memory/steps
exports.fetch = function () { for (var a = [], i = 0;; i++) { a.push(new Date(i)); } };

//# memory-regexps memory/steps
exports.fetch = function () { for (var a = [], i = 0;; i++) { a.push(new RegExp('a' + i + '(b|c)*')); } };

//# memory-promises memory/steps
exports.fetch = function () { for (var a = [];;) { a.push(new Promise(function () {}).then(isNaN)); } };

//# memory-jobs memory/steps
exports.fetch = function () { for (;;) { Promise.resolve().then(function () {}); } };

//# memory-microtasks memory/steps
exports.fetch = function () { for (;;) { queueMicrotask(function () {}); } };

//# memory-in-a-job memory/steps
exports.fetch = function () { return Promise.resolve().then(function () { for (var a = [];;) { a.push([]); } }); };

//# memory-caught memory/steps duktape:memory/steps/contained
exports.fetch = function () {
    var a = [];
    for (var i = 0; i < 1000; i++) { try { for (;;) { a.push({ i: a.length }); } } catch (e) { a = []; } }
    return new Response('contained');
};

//# memory-join-blow-up memory/steps/exception v8:response/memory/steps
exports.fetch = function () { var t = new Array(1000).join('x'), a = new Array(100000); return a.join(t); };

//# memory-replace-blow-up memory/steps/exception
exports.fetch = function () { var t = new Array(3000).join('x'); return t.replace(/x/g, t).replace(/x/g, t); };

//# memory-replace-context memory/steps/exception
exports.fetch = function () { return new Array(30000).join('x').replace(/x/g, "$`$'"); };

//# memory-split memory/steps
exports.fetch = function () { var t = new Array(400000).join('x,'), a = []; for (;;) { a.push(t.split(',')); } };

//# memory-json-indent memory/steps/exception/stack
exports.fetch = function () { var o = {}; for (var i = 0; i < 500; i++) { o = { a: o, b: o.a ? 1 : 0 }; } var a = []; for (;;) { a.push(JSON.stringify(o, null, 10)); } };

//# memory-json-shared memory/steps
exports.fetch = function () { var o = []; for (var i = 0; i < 40; i++) { o = [o, o]; } return JSON.stringify(o); };

//# memory-json-parse memory/steps/exception
exports.fetch = function () { return JSON.parse('[' + new Array(300000).join('[{}],') + '1]'); };

//# memory-clone-shared memory/steps
exports.fetch = function () { var a = []; for (var i = 0; i < 100; i++) { a.push(structuredClone(a)); } return a.length; };

//# memory-headers memory/steps/exception
exports.fetch = function () { var h = new Headers(); for (var i = 0;; i++) { h.append('x' + i, 'value'); } };

//# memory-responses memory/steps
exports.fetch = function () { for (var a = [];;) { a.push(new Response('x')); } };

//# memory-requests memory/steps
exports.fetch = function (request) { for (var a = [];;) { a.push(request.clone()); } };

//# memory-query memory/steps
exports.fetch = function () { var q = new URLSearchParams(); for (;;) { q.append('a', new Array(100).join('b')); } };

//# memory-concat-doubling memory/steps/exception
exports.fetch = function () { var a = [1]; for (;;) { a = a.concat(a); } };

//# memory-apply-push memory/steps/exception/stack
exports.fetch = function () { var a = [1]; for (;;) { Array.prototype.push.apply(a, a); } };

//# memory-upper-case memory/steps/exception v8:ends
exports.fetch = function () { var s = '\u0390'; for (;;) { s = (s + s).toUpperCase(); } };

//# memory-uri memory/steps/exception
exports.fetch = function () { var s = '\u20ac'; for (;;) { s = encodeURIComponent(s); } };

//# memory-log memory/steps
exports.fetch = function () { var s = 'x'; for (;;) { s += s; console.log(s); } };

//# memory-thrown-message memory/steps/exception
exports.fetch = function () { var s = new Array(1 << 20).join('x'); throw new Error(s + s); };

//# memory-symbols memory/steps mujs:-
exports.fetch = function () { for (var a = [], i = 0;; i++) { a.push(Symbol('s' + i)); Symbol['for']('r' + i); } };

//# memory-proxies memory/steps/exception mujs:-
exports.fetch = function () { for (var p = {};;) { p = new Proxy(p, {}); } };

//# memory-maps memory/steps duktape:- mujs:-
exports.fetch = function () { const m = new Map(); for (let i = 0;; i++) { m.set(i, { i }); } };

//# memory-sets memory/steps duktape:- mujs:-
exports.fetch = function () { const s = new Set(); for (let i = 0;; i++) { s.add('k' + i); } };

//# memory-weak-maps memory/steps duktape:- mujs:-
exports.fetch = function () { const m = new WeakMap(), a = []; for (;;) { const k = {}; a.push(k); m.set(k, a); } };

//# memory-weak-refs memory/steps duktape:- mujs:-
exports.fetch = function () { const a = []; for (;;) { a.push(new WeakRef({ a: 1 })); } };

//# memory-generators memory/steps duktape:- mujs:-
exports.fetch = function () { const a = []; function* g() { yield a; } for (;;) { const i = g(); i.next(); a.push(i); } };

//# memory-async memory/steps duktape:- mujs:-
exports.fetch = async function () { const a = []; async function f() { await new Promise(() => {}); } for (;;) { a.push(f()); } };

//# memory-big-integers memory/steps/exception duktape:- mujs:-
exports.fetch = function () { const a = []; for (let i = 1n;; i <<= 64n) { a.push(i); } };

//# memory-repeat memory/steps/exception duktape:- mujs:-
exports.fetch = function () { const a = []; for (;;) { const s = 'xy'.repeat(1 << 20) + a.length; s.charCodeAt(9); a.push(s); } };

//# memory-pad memory/steps/exception duktape:- mujs:-
exports.fetch = function () { return 'x'.padStart(2 ** 29, 'ab').split('a').length; };

//# memory-classes memory/steps duktape:- mujs:-
exports.fetch = function () { for (const a = [];;) { a.push(class { #x = 1; static y = 2; get z() { return this.#x; } }); } };

//# memory-spread memory/steps/exception/stack duktape:- mujs:-
exports.fetch = function () { let a = [1]; for (;;) { a = [...a, ...a]; } };

//# memory-template-strings memory/steps/exception duktape:- mujs:-
exports.fetch = function () { let s = 'x'; for (;;) { s = `${s}${s}`; s.charCodeAt(3); } };
