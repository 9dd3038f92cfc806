// SPDX-License-Identifier: Apache-2.0
// What the platform itself uses is replaced. The answer may be anything that is clean; the next
// request must not notice.

//# pollute-object-prototype any
exports.fetch = function () {
    ['status', 'headers', 'body', 'then', 'length', 'used', 'response', 'get', 'set', 'value', 'default', 'fetch', 'message', 'stack', '0'].forEach(function (name) {
        Object.defineProperty(Object.prototype, name, { value: 'polluted', writable: true, configurable: true, enumerable: true });
    });
    return new Response('contained');
};

//# pollute-object-prototype-throwing any
exports.fetch = function () {
    ['status', 'headers', 'body', 'then', 'used', 'response', 'get', 'set', 'value', 'writable', 'toJSON', 'message', 'stack', 'name'].forEach(function (name) {
        try { Object.defineProperty(Object.prototype, name, { configurable: true, get: function () { throw new Error('no'); }, set: function () { throw new Error('no'); } }); } catch (e) {}
    });
    return new Response('contained');
};

//# pollute-array-prototype any
exports.fetch = function () {
    Object.getOwnPropertyNames(Array.prototype).forEach(function (name) {
        if (typeof Array.prototype[name] === 'function' && name !== 'constructor') { Array.prototype[name] = function () { throw new Error(name); }; }
    });
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-array-indices any
exports.fetch = function () {
    for (var i = 0; i < 10; i++) { Object.defineProperty(Array.prototype, i, { configurable: true, get: function () { return 'x\r\ny: z'; }, set: function () {} }); }
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-string-prototype any
exports.fetch = function () {
    Object.getOwnPropertyNames(String.prototype).forEach(function (name) {
        if (typeof String.prototype[name] === 'function' && name !== 'constructor') { String.prototype[name] = function () { return 'x\r\ny: z'; }; }
    });
    return new Response('contained', { headers: { a: 'b\u20ac' } });
};

//# pollute-function-prototype any
exports.fetch = function () {
    Function.prototype.call = function () { return 'polluted'; };
    Function.prototype.apply = function () { return 'polluted'; };
    Function.prototype.bind = null;
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-regexp-prototype any
exports.fetch = function () {
    RegExp.prototype.test = function () { return false; };
    RegExp.prototype.exec = function () { return null; };
    return new Response('contained', { headers: { a: 'b\r\nc: d' } });
};

//# pollute-json any
exports.handler = function () {
    JSON.stringify = function () { return { toString: function () { throw 1; } }; };
    JSON.parse = null;
    return { statusCode: 200, body: { a: 1 } };
};

//# pollute-object any
exports.fetch = function () {
    Object.getOwnPropertyNames(Object).forEach(function (name) {
        if (name !== 'prototype') { try { Object[name] = function () { throw new Error(name); }; } catch (e) {} }
    });
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-promise any
exports.fetch = function () {
    var p = Promise.resolve(new Response('contained'));
    Promise.prototype.then = function (yes) { yes({}); yes(new Response('twice')); };
    Promise.resolve = function () { return this; };
    self.Promise = null;
    return p;
};

//# pollute-response any
exports.fetch = function () {
    var r = new Response('contained');
    Response.prototype = null;
    Object.getOwnPropertyNames(Headers.prototype).forEach(function (name) { Headers.prototype[name] = null; });
    self.Response = self.Headers = self.Request = function () { throw 1; };
    return r;
};

//# pollute-all-globals any
exports.fetch = function () {
    var r = new Response('contained');
    Object.getOwnPropertyNames(self).forEach(function (name) { try { delete self[name]; } catch (e) {} try { self[name] = null; } catch (e) {} });
    return r;
};

//# pollute-all-globals-with-loops any
exports.fetch = function () {
    var r = new Response('contained');
    Object.getOwnPropertyNames(self).forEach(function (name) { try { self[name] = function () { for (;;) {} }; } catch (e) {} });
    return r;
};

//# pollute-errors any
exports.fetch = function () {
    self.Error = self.TypeError = self.RangeError = function () { for (;;) {} };
    Error.prototype = null;
    null.x;
};

//# pollute-error-prototype any
exports.fetch = function () {
    ['message', 'name', 'toString', 'stack'].forEach(function (name) {
        try { Object.defineProperty(Error.prototype, name, { configurable: true, get: function () { throw new TypeError('x'); } }); } catch (e) {}
        try { Object.defineProperty(TypeError.prototype, name, { configurable: true, get: function () { throw new TypeError('x'); } }); } catch (e) {}
    });
    null.x;
};

//# pollute-buffers any
exports.fetch = function () {
    ArrayBuffer.prototype.slice = function () { return {}; };
    ArrayBuffer.isView = function () { return true; };
    self.Uint8Array = self.ArrayBuffer = function () { return { byteLength: 1e9 }; };
    return new Response({ byteLength: 1 << 30, byteOffset: 0, buffer: {} });
};

//# pollute-number-prototype any
exports.fetch = function () {
    Number.prototype.toString = Number.prototype.valueOf = function () { for (;;) {} };
    Boolean.prototype.valueOf = null;
    return new Response('contained', { status: new Number(200) });
};

//# pollute-freeze any
exports.fetch = function () {
    [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype, Headers.prototype, Response.prototype, Object, Array, self].forEach(function (o) { try { Object.freeze(o); } catch (e) {} });
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-prototype-chains any
exports.fetch = function () {
    [Array.prototype, Function.prototype, Error.prototype, Response.prototype, Headers.prototype].forEach(function (o) {
        try { Object.setPrototypeOf(o, null); } catch (e) {}
    });
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-global-prototype any mujs:-
exports.fetch = function () {
    try { Object.setPrototypeOf(Object.prototype, new Proxy({}, { get: function () { return 'polluted'; }, has: function () { return true; } })); } catch (e) {}
    try { Object.setPrototypeOf(Array.prototype, new Proxy([], { get: function () { throw 1; } })); } catch (e) {}
    return new Response('contained', { headers: { a: 'b' } });
};

//# pollute-symbols any duktape:- mujs:-
exports.fetch = function () {
    Array.prototype[Symbol.iterator] = function () { throw 1; };
    RegExp.prototype[Symbol.replace] = RegExp.prototype[Symbol.match] = RegExp.prototype[Symbol.split] = () => 'polluted';
    Object.defineProperty(Object.prototype, Symbol.toPrimitive, { configurable: true, get() { throw 1; } });
    Object.defineProperty(Function.prototype, Symbol.hasInstance, { value: () => true });
    Object.defineProperty(Promise, Symbol.species, { get() { throw 1; } });
    return new Response('contained', { headers: { a: ' b\t' } });
};

//# pollute-exports any
exports.fetch = function () {
    var main = require('./main.js');
    main.fetch = main.handler = main['default'] = function () { return new Response('polluted'); };
    return new Response('contained');
};

//# pollute-request any
exports.fetch = function (request) {
    Object.getOwnPropertyNames(Request.prototype).forEach(function (name) { try { Object.defineProperty(Request.prototype, name, { value: 'polluted' }); } catch (e) {} });
    return new Response('contained');
};

//# pollute-this any
exports.fetch = function () { this.fetch = this.handler = null; self.leaked = 'polluted'; return new Response('contained'); };

//# pollute-regexp-statics any
exports.fetch = function (request) { /(https:..)(.*)/.exec(request.url); /x/g.lastIndex = 9; return new Response('contained'); };

//# pollute-math-and-dates any
exports.fetch = function () {
    Math.random = function () { return 7; }; Math.floor = null;
    Date.now = function () { return 'polluted'; }; self.Date = null;
    return new Response('contained');
};
