// SPDX-License-Identifier: Apache-2.0
// Recursion without end, and data nested so deep that whoever walks it recurses. Where a
// script catches its RangeError the call goes on.

//# recursion-direct stack
exports.fetch = function () { return (function f() { return f() + 1; })(); };

//# recursion-mutual stack
exports.fetch = function () { function f() { return g() + 1; } function g() { return f() + 1; } return f(); };

//# recursion-tail stack/steps
exports.fetch = function () { function f() { return f(); } return f(); };

//# recursion-many-arguments stack/memory/steps
exports.fetch = function () { function f() { return f.apply(null, new Array(200)) + 1; } return f(); };

//# recursion-large-frame stack
exports.fetch = function () {
    function f(n) { var a = n, b = n + a, c = a + b, d = b + c, e = c + d, g = d + e; return f(n + 1) + a + b + c + d + e + g; }
    return f(0);
};

//# recursion-caught steps/stack
exports.fetch = function () { function f() { try { f(); } catch (e) { f(); } } for (;;) { try { f(); } catch (e) {} } };

//# recursion-finally steps/stack
exports.fetch = function () { function f() { try { return f(); } finally { f(); } } return f(); };

//# recursion-to-json stack/memory
exports.handler = function () { function f() { return { toJSON: function () { return JSON.stringify(f()); } }; } return f(); };

//# recursion-to-string stack
exports.fetch = function () { var o = { toString: function () { return '' + o; } }; return new Response(o); };

//# recursion-value-of stack
exports.fetch = function () { var o = { valueOf: function () { return 1 + o; } }; return 1 + o; };

//# recursion-getter stack
exports.fetch = function () { var o = { get x() { return this.x + 1; } }; return o.x; };

//# recursion-setter stack
exports.fetch = function () { var o = { set x(v) { this.x = v; } }; o.x = 1; };

//# recursion-of-array-to-string stack v8:response
exports.fetch = function () { var a = [{ toString: function () { return a.join() + String(a); } }]; return a.join(); };

//# recursion-sort stack
exports.fetch = function () { function f() { return [2, 1].sort(f).length; } return f(); };

//# recursion-for-each stack
exports.fetch = function () { (function f() { [1].forEach(f); })(); };

//# recursion-map-reduce stack
exports.fetch = function () { (function f() { return [1, 2].reduce(function () { return [1].map(f)[0]; }); })(); };

//# recursion-replace stack
exports.fetch = function () { (function f() { return 'x'.replace(/x/, f) + 1; })(); };

//# recursion-reviver stack
exports.fetch = function () { (function f() { return JSON.parse('1', f); })(); };

//# recursion-replacer stack
exports.fetch = function () { (function f() { return JSON.stringify(1, f); })(); };

//# recursion-apply stack duktape:steps
exports.fetch = function () { function f() { return f.apply(this, [1]); } return f(); };

//# recursion-call-of-call stack/exception duktape:steps
exports.fetch = function () { function f() { return Function.prototype.call.call(f, this); } return f(); };

//# recursion-constructor stack
exports.fetch = function () { function F() { this.x = new F(); } return new F(); };

//# recursion-bound-chain stack/memory/contained/steps
exports.fetch = function () {
    var f = function () { return 1; };
    for (var i = 0; i < 30000; i++) { f = f.bind(null); }
    f();
    return new Response('contained');
};

//# recursion-define-property stack
exports.fetch = function () { (function f() { Object.defineProperty({}, 'x', { get value() { f(); return 1; } }); })(); };

//# recursion-json-parse-deep stack/memory/exception v8:response
exports.fetch = function () { return JSON.parse(new Array(100000).join('[') + new Array(100000).join(']')); };

//# recursion-json-parse-deep-objects stack/memory/exception v8:response
exports.fetch = function () { return JSON.parse(new Array(50000).join('{"a":') + '1' + new Array(50000).join('}')); };

//# recursion-json-stringify-deep stack/memory/exception/steps v8:response
exports.fetch = function () { var o = {}; for (var i = 0; i < 50000; i++) { o = { a: o }; } return JSON.stringify(o); };

//# recursion-json-of-response stack/memory/exception/steps v8:answer
exports.fetch = function () { var o = []; for (var i = 0; i < 50000; i++) { o = [o]; } return Response.json(o); };

//# recursion-event-body stack/memory/exception/response/steps v8:answer
exports.handler = function () { var o = []; for (var i = 0; i < 50000; i++) { o = [o]; } return { statusCode: 200, body: o }; };

//# recursion-clone-deep stack/memory/exception
exports.fetch = function () { var o = []; for (var i = 0; i < 50000; i++) { o = [o]; } return structuredClone(o); };

//# recursion-join-deep stack/memory/exception
exports.fetch = function () { var o = []; for (var i = 0; i < 50000; i++) { o = [o]; } return new Response(o); };

//# recursion-free-deep contained/memory
exports.fetch = function () { var o = null; for (var i = 0; i < 30000; i++) { o = { o: o }; } o = null; return new Response('contained'); };

//# recursion-free-closures contained/memory
exports.fetch = function () {
    var f = null;
    for (var i = 0; i < 15000; i++) { f = (function (g) { return function () { return g; }; })(f); }
    f = null;
    return new Response('contained');
};

//# recursion-prototypes contained/memory/steps/exception
exports.fetch = function () { var o = {}; for (var i = 0; i < 20000; i++) { o = Object.create(o); } o.x; 'x' in o; o = null; return new Response('contained'); };

//# recursion-regexp-deep-match stack/steps/memory/exception/contained
exports.fetch = function () { /(?:(a)|b)*c/.test(new Array(100000).join('ab')); return new Response('contained'); };

//# recursion-promises contained/memory/steps
exports.fetch = function () {
    var p = Promise.resolve(new Response('contained'));
    for (var i = 0; i < 10000; i++) { p = p.then(function (x) { return x; }); }
    return p;
};

//# recursion-promise-of-promises contained/memory/steps/stack
exports.fetch = function () {
    function f(n) { return n === 0 ? new Response('contained') : Promise.resolve(n - 1).then(f); }
    return f(5000);
};

//# recursion-then stack duktape:steps
exports.fetch = function () { return { then: function f(yes) { return f(yes); } }; };

//# recursion-require contained
exports.fetch = function () { try { for (var i = 0; i < 100; i++) { require('./main.js'); } } catch (e) {} return new Response('contained'); };

//# recursion-getter-of-prototype stack mujs:exception
exports.fetch = function () { Object.defineProperty(Object.prototype, 'status', { configurable: true, get: function () { return this.status; } }); return new Response('', {}); };

//# recursion-to-primitive stack mujs:-
exports.fetch = function () { var o = {}; o[Symbol.toPrimitive] = function () { return '' + o; }; return '' + o; };

//# recursion-proxy stack mujs:-
exports.fetch = function () { var p = new Proxy({}, { get: function (t, k, r) { return r[k]; } }); return p.x; };

//# recursion-proxy-prototype stack/exception duktape:response mujs:-
exports.fetch = function () { var o = {}, p = new Proxy(o, {}); Object.setPrototypeOf(o, p); return p.x; };

//# recursion-proxy-chain stack/memory/contained/steps/exception mujs:-
exports.fetch = function () { var p = {}; for (var i = 0; i < 20000; i++) { p = new Proxy(p, {}); } p.x; return new Response('contained'); };

//# recursion-flat stack/memory/steps/exception duktape:- mujs:-
exports.fetch = function () { const a = []; a.push(a); return a.flat(Infinity); };

//# recursion-generator stack duktape:- mujs:-
exports.fetch = function () { function* g() { yield* g(); } for (const x of g()) {} };

//# recursion-async stack/memory/pending duktape:- mujs:-
exports.fetch = async function f() { return await f(); };

//# recursion-class stack duktape:- mujs:-
exports.fetch = function () { class A { x = new A(); } return new A(); };

//# recursion-iterator stack duktape:- mujs:-
exports.fetch = function () { const o = { [Symbol.iterator]() { return [...o]; } }; return [...o]; };

//# recursion-construct stack duktape:- mujs:-
exports.fetch = function () { function F() { return Reflect.construct(F, []); } return new F(); };

//# recursion-template stack duktape:- mujs:-
exports.fetch = function () { const o = { toString() { return `${o}`; } }; return `${o}`; };

//# recursion-tagged stack duktape:- mujs:-
exports.fetch = function () { function f() { return f`x`; } return f`x` + 1; };

//# recursion-default stack duktape:- mujs:-
exports.fetch = function () { function f(a = f()) { return a; } return f(); };

//# recursion-prepare-stack-trace stack/contained duktape:- mujs:-
exports.fetch = function () { Error.prepareStackTrace = () => new Error('x').stack; new Error('y').stack; return new Response('contained'); };
