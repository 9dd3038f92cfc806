// SPDX-License-Identifier: Apache-2.0
// Ways out: code from strings, other modules, what the platform keeps for itself, and what an
// engine offers beyond the language. Each answers `contained` if there was none.

//# escape-eval contained
exports.fetch = function () {
    var all = (function () { return this; })() || self, n = 0;
    ['eval', 'Function', 'setTimeout', 'setInterval', 'execScript', 'importScripts'].forEach(function (name) {
        try { if (all[name]('1 + 1') === 2 || all[name]('return 2')() === 2) { n++; } } catch (e) {}
        try { if ((0, all[name])('this') === all) { n++; } } catch (e) {}
    });
    return new Response(n ? 'out' : 'contained');
};

//# escape-constructor-constructor contained
exports.fetch = function () {
    var n = 0, all = [function () {}, isNaN, [].push, {}.toString, Response, Headers, Promise, exports.fetch, (function () {}).bind(null),
        Object.getOwnPropertyDescriptor(Request.prototype, 'url').get, console.log, require, URL, JSON.parse, crypto.randomUUID];
    all.forEach(function (f) {
        [f.constructor, f.constructor.constructor, Object.getPrototypeOf(f).constructor].forEach(function (make) {
            try { if (make('return 7')() === 7) { n++; } } catch (e) {}
            try { if (new make('return 7')() === 7) { n++; } } catch (e) {}
            try { if (make.apply(null, ['return 7'])() === 7) { n++; } } catch (e) {}
            try { if (make.bind(null, 'return 7')()() === 7) { n++; } } catch (e) {}
        });
    });
    return new Response(n ? 'out' : 'contained');
};

//# escape-generator-function contained duktape:- mujs:-
exports.fetch = function () {
    let n = 0;
    for (const f of [function* () {}, async function () {}, async function* () {}, async () => {}, () => {}, class {}]) {
        for (const make of [f.constructor, Object.getPrototypeOf(f).constructor, Object.getPrototypeOf(f.constructor)]) {
            try { make('n = 1'); new make('n = 1')(); n++; } catch (e) {}
            try { Reflect.construct(make, ['return 7'], Array); n++; } catch (e) {}
            try { Reflect.construct(Array, ['return 7'], make).constructor('return 7')(); n++; } catch (e) {}
        }
    }
    return new Response(n ? 'out ' + n : 'contained');
};

//# escape-caller contained
exports.fetch = function () {
    var n = 0;
    function f() {
        var callers = [];
        try { callers.push(f.caller); } catch (e) {}
        try { callers.push(arguments.callee.caller); } catch (e) {}
        callers.forEach(function (c) { if (c && c !== exports.fetch && c !== g) { n++; } });
    }
    function g() { f(); return 'x'; }
    [1].forEach(f);
    new Response({ toString: g });
    new Headers({ a: { toString: f } });
    return new Response(n ? 'out' : 'contained');
};

//# escape-globals contained
exports.fetch = function () {
    var names = ['process', 'Deno', 'Bun', 'Duktape', 'Buffer', 'CBOR', 'std', 'os', 'global', 'v8', 'd8', 'print', 'load', 'read', 'readline',
        'quit', 'gc', 'write', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'Worker', 'fetch', 'XMLHttpRequest',
        'setTimeout', 'setImmediate', 'bjson', 'scriptArgs', 'native', 'own', 'compactjs', 'jscheck', 'internalBinding', 'uneval', 'Packages'];
    return new Response(names.filter(function (name) { return typeof self[name] !== 'undefined'; }).join() || 'contained');
};

//# escape-require contained
exports.fetch = function () {
    var names = ['fs', 'os', 'node:fs', 'child_process', '/etc/passwd', './/etc/passwd', '../../../../etc/passwd', './../main', './main.js/..',
        './\0main.js', './main.js\0', 'file:///etc/passwd', './tfaas.dsse', './%2e%2e/main', './__proto__', './constructor', './hasOwnProperty', ''];
    var found = names.filter(function (name) { try { return typeof require(name) !== 'object' || !require(name).fetch; } catch (e) { return false; } });
    return new Response(found.join() || 'contained');
};

//# escape-require-objects contained/steps
exports.fetch = function () {
    var n = 0;
    try { require({ toString: function () { return ['.', '/nothing'][n++ & 1]; } }); n = 100; } catch (e) {}
    String.prototype.split = function () { return ['..', '..', 'etc', 'passwd']; };
    Array.prototype.join = function () { return '/etc/passwd'; };
    RegExp.prototype.test = function () { return true; };
    try { require('./x'); n = 100; } catch (e) {}
    return new Response(n >= 100 ? 'out' : 'contained');
};

//# escape-module-of-script contained
exports.fetch = function () {
    var m = module, n = 0;
    ['constructor', 'parent', 'children', 'paths', 'require', 'load', '_load', '_compile'].forEach(function (k) {
        if (k !== 'constructor' && m[k]) { n++; }
    });
    if (require.cache || require.main || require.resolve) { n++; }
    return new Response(n ? 'out' : 'contained');
};

//# escape-patched-call contained
exports.fetch = function (request) {
    // What the platform hands to functions that a script replaced must be harmless.
    var seen = [];
    function spy(object, name) {
        var old = object[name];
        object[name] = function () { seen[seen.length] = this; for (var i = 0; i < arguments.length; i++) { seen[seen.length] = arguments[i]; } return old.apply(this, arguments); };
    }
    spy(Array.prototype, 'push'); spy(Array.prototype, 'indexOf'); spy(Object, 'keys'); spy(Promise, 'resolve'); spy(String.prototype, 'replace');
    new Headers({ a: 'b' }).get('a');
    request.headers.get('host');
    new URL(request.url).searchParams.get('x');
    new Response('x').text();
    var bad = seen.filter(function (x) { return x && (typeof x.prelude === 'function' || typeof x.respond === 'function'); });
    return new Response(bad.length ? 'out' : 'contained');
};

//# escape-prototype-setter contained mujs:exception
exports.fetch = function (request) {
    var seen = [];
    ['native', 'own', 'compile', 'prelude', 'respond', 'response', 'turn', 'status'].forEach(function (name) {
        Object.defineProperty(Object.prototype, name, { configurable: true, set: function (v) { seen.push(this, v); },
            get: function () { seen.push(this); } });
    });
    new Response('x', { headers: { a: 'b' } });
    request.text();
    var bad = seen.filter(function (x) { return x && (typeof Object.getOwnPropertyDescriptor(x, 'compile') === 'object' && x !== Object.prototype); });
    return { then: function (yes) {
        ['native', 'own', 'compile', 'prelude', 'respond', 'response', 'turn', 'status'].forEach(function (name) { delete Object.prototype[name]; });
        yes(new Response(bad.length ? 'out' : 'contained'));
    } };
};

//# escape-state-of-objects contained/exception mujs:-
exports.fetch = function (request) {
    // The platform's symbol is within reach: state swapped between kinds of objects.
    var s = Object.getOwnPropertySymbols(request)[0], n = 0;
    [null, 1, 'x', {}, [], request, new Headers(), { body: {}, turn: 0 }, { body: null, used: true }].forEach(function (x) {
        try { request[s] = x; n += String(request.url).length; } catch (e) {}
        try { request[s] = x; request.text(); request.arrayBuffer(); request.clone(); request.headers.get('a'); } catch (e) {}
        var h = new Headers();
        try { h[s] = x; h.get('a'); h.append('a', 'b'); h.forEach(isNaN); } catch (e) {}
        var u = new URL('https://a.test/');
        try { u[s] = x; u.href = 'https://b.test/'; String(u.searchParams); } catch (e) {}
    });
    return new Response('contained');
};

//# escape-wrong-receivers contained v8:contained/steps
exports.fetch = function (request) {
    var things = [null, undefined, 1, 'x', {}, [], isNaN, request, new Headers(), new Response(''), new ArrayBuffer(8), new Uint8Array(8), new URL('https://a.test/')];
    [Request, Response, Headers, URL, URLSearchParams, TextEncoder, TextDecoder, ArrayBuffer, Uint8Array, Promise, Array, String, Number, Boolean, Date, RegExp, Error, Function].forEach(function (type) {
        Object.getOwnPropertyNames(type.prototype).forEach(function (name) {
            var d = Object.getOwnPropertyDescriptor(type.prototype, name);
            things.forEach(function (x) {
                if (name === 'constructor' || (x === things[8] && name === 'then')) { return; }
                try { (d.get || d.value).call(x, x, x); } catch (e) {}
                try { d.set.call(x, x); } catch (e) {}
            });
        });
    });
    return new Response('contained');
};

//# escape-wrong-arguments contained/steps/memory
exports.fetch = function (request) {
    var things = [undefined, null, -1, 1e99, NaN, '', '\ud800', {}, [], { length: -1 }, { length: 1e9, toString: null, valueOf: null }, new ArrayBuffer(0), new Uint8Array(3)];
    [atob, btoa, structuredClone, queueMicrotask, crypto.getRandomValues, crypto.randomUUID, console.log, performance.now, Response.json, Response.redirect,
        URL.canParse, Math.random, ArrayBuffer.isView].forEach(function (f) {
        things.forEach(function (x) { things.forEach(function (y) {
            try { f(x, y); } catch (e) {}
            try { f.call(x, y, x); } catch (e) {}
            try { new f(x, y); } catch (e) {}
        }); });
    });
    [Request, Response, Headers, URL, URLSearchParams, TextEncoder, TextDecoder, ArrayBuffer, Uint8Array, Float64Array].forEach(function (F) {
        things.forEach(function (x) { things.forEach(function (y) { try { new F(x, y); } catch (e) {} try { F(x, y); } catch (e) {} }); });
    });
    return new Response('contained');
};

//# escape-native-buffers contained
exports.fetch = function () {
    var a = new Uint8Array(16), n = 0, out = [-1, 16, 17, 1e9, 4294967295, 2147483648, -2147483649, 0.5, NaN];
    out.forEach(function (i) {
        a[i] = 1;
        try { if (a.subarray(i, i + 5).length > 16) { n++; } } catch (e) {}
        try { if (new Uint8Array(a.buffer, i, 4).length !== 4) { n++; } if (i > 12 || i < 0) { n++; } } catch (e) {}
        try { a.set([1, 2], i); if (i < 0 || i > 14) { n++; } } catch (e) {}
        try { if (a.buffer.slice(i, i + 100).byteLength > 16) { n++; } } catch (e) {}
    });
    return new Response(n ? 'out ' + n : 'contained');
};

//# escape-uninitialised contained/steps
exports.fetch = function () {
    for (var k = 0, n = 0; k < 20; k++) {
        var a = new Uint8Array(10000 + k), b = new Float64Array(500);
        for (var i = 0; i < a.length; i++) { n += a[i]; }
        for (i = 0; i < b.length; i++) { n += b[i] !== 0; }
        for (i = 0; i < a.length; i++) { a[i] = 255; }
        a = new Uint8Array(new ArrayBuffer(3000)); n += a[2999]; a[2999] = 7;
    }
    return new Response(n ? 'out' : 'contained');
};

//# escape-callbacks-change-arrays contained
exports.fetch = function () {
    var a = [3, 1, 2, 5, 4];
    a.sort(function (x, y) { a.length = 0; for (var i = 0; i < 500; i++) { a.push({}); } a.length = 1; return x - y; });
    a = [1, 2, 3]; a.splice(0, { valueOf: function () { a.length = 0; return 3; } }, 7, 8, 9);
    a = [1, 2, 3]; a.forEach(function () { a.shift(); a.push([], []); if (a.length > 50) { a.length = 0; } });
    a = [1, 2, 3, 4]; a.reduceRight(function () { a.length = 0; });
    a = [1, 2, 3]; a.concat({ get length() { a.length = 0; return 3; } });
    a = [1, 2, 3]; Object.defineProperty(a, 1, { get: function () { a.length = 0; return 1; } }); a.slice(); a = [1, 2];
    a.indexOf(2, { valueOf: function () { a.length = 0; return 0; } });
    JSON.parse('[1,[2,3],{"a":4}]', function (k, v) { if (this instanceof Array) { this.length = 0; } else { delete this.a; } return v; });
    var o = { a: 1, b: 2, c: 3 }; JSON.stringify(o, function (k, v) { delete o.b; o.d = {}; return v; });
    var u = new Uint8Array(8); u.set({ length: 4, get 0() { u = new Uint8Array(1); return 1; } });
    'aaa'.replace(/a/g, function () { RegExp.prototype.lastIndex = 100; return ''; });
    return new Response('contained');
};

//# escape-import contained/exception duktape:- mujs:-
exports.fetch = async function () {
    let n = 0;
    for (const name of ['fs', 'node:fs', 'std', 'os', 'file:///etc/passwd', '/etc/passwd', '../../x', 'data:text/javascript,export default 1', 'https://a.test/', './main.js\0']) {
        try { await import(name); n++; } catch (e) {}
    }
    return new Response(n ? 'out' : 'contained');
};

//# escape-call-sites contained duktape:- mujs:-
exports.fetch = function () {
    let n = 0, sites = [];
    Error.prepareStackTrace = (e, s) => { sites = s; return ''; };
    String(new Error('x').stack);
    for (const s of Array.isArray(sites) ? sites : []) {
        for (const name of ['getThis', 'getFunction', 'getEvalOrigin', 'getTypeName']) {
            try { const x = s[name](); if (x && x !== exports && (x.compile || x.respond || x.native)) { n++; } } catch (e) {}
        }
    }
    return new Response(n ? 'out' : 'contained');
};

//# escape-detach contained/exception duktape:- mujs:-
exports.fetch = function () {
    const b = new ArrayBuffer(64), a = new Uint8Array(b), d = new DataView(b);
    a.sort(() => { try { b.transfer && b.transfer(); } catch (e) {} return 1; });
    a.set([{ valueOf() { try { b.transfer && b.transfer(0); } catch (e) {} return 1; } }, 2, 3]);
    try { a.fill({ valueOf() { try { b.transfer(0); } catch (e) {} return 7; } }); } catch (e) {}
    try { d.setFloat64({ valueOf() { try { b.transfer(0); } catch (e) {} return 56; } }, 1); } catch (e) {}
    try { a.slice({ valueOf() { try { b.transfer(0); } catch (e) {} return 0; } }); } catch (e) {}
    return new Response('contained');
};

//# escape-weak-and-revoked contained duktape:- mujs:-
exports.fetch = function () {
    const r = Proxy.revocable(function () {}, {}), m = new WeakMap();
    r.revoke();
    for (const f of [() => r.proxy(), () => new r.proxy(), () => r.proxy.x, () => Object.keys(r.proxy), () => JSON.stringify(r.proxy), () => Array.isArray(r.proxy),
        () => structuredClone(r.proxy), () => m.set(r.proxy, 1), () => new Response(r.proxy), () => new Headers(r.proxy), () => r.proxy instanceof Response]) {
        try { f(); } catch (e) {}
    }
    return new Response('contained');
};
