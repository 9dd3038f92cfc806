// SPDX-License-Identifier: Apache-2.0
// Answers that are none, exceptions that are no errors, and what would break out of HTTP.

//# answer-nothing response
exports.fetch = function () {};

//# answer-null response
exports.fetch = function () { return null; };

//# answer-number response
exports.fetch = function () { return 7; };

//# answer-text response
exports.fetch = function () { return 'x'; };

//# answer-promise-of-nothing response
exports.fetch = function () { return Promise.resolve(); };

//# answer-symbol response mujs:-
exports.fetch = function () { return Symbol('x'); };

//# answer-like-a-response response
exports.fetch = function () { return { status: 200, headers: new Headers(), body: 'x', ok: true }; };

//# answer-of-prototype response
exports.fetch = function () { return Object.create(Response.prototype); };

//# answer-error response
exports.fetch = function () { return Response.error(); };

//# answer-used response
exports.fetch = function () { var r = new Response('x'); return r.text().then(function () { return r; }); };

//# answer-the-request response
exports.fetch = function (request) { return request; };

//# answer-itself exception
exports.fetch = function () { var no, p = new Promise(function (yes) { no = yes; }); no(p); return p; };

//# answer-never pending
exports.fetch = function () { return new Promise(function () {}); };

//# answer-thenable-never pending
exports.fetch = function () { return { then: function () {} }; };

//# answer-callback-never pending
exports.handler = function (event, context, done) {};

//# answer-twice exception
exports.handler = function (event, context, done) { done(null, 'contained'); done(null, 'again'); done(new Error('x')); };

//# answer-then-throws contained
exports.fetch = function () { return { then: function (yes) { yes(new Response('contained')); throw 1; } }; };

//# answer-rejected exception
exports.fetch = function () { return Promise.reject(new Error('x')); };

//# answer-rejected-with-nothing exception
exports.fetch = function () { return Promise.reject(); };

//# answer-rejected-with-response exception
exports.fetch = function () { return Promise.reject(new Response('x')); };

//# throw-null exception
exports.fetch = function () { throw null; };

//# throw-undefined exception
exports.fetch = function () { throw undefined; };

//# throw-number exception
exports.fetch = function () { throw -0; };

//# throw-text exception
exports.fetch = function () { throw '\r\nHTTP/1.1 200 OK\r\n\r\n'; };

//# throw-response exception
exports.fetch = function () { throw new Response('x'); };

//# throw-function exception
exports.fetch = function () { throw function () {}; };

//# throw-object-that-throws exception
exports.fetch = function () { throw { toString: function () { throw this; }, valueOf: function () { throw this; } }; };

//# throw-object-without-prototype exception
exports.fetch = function () { throw Object.create(null); };

//# throw-error-that-throws exception
exports.fetch = function () {
    var e = new Error('x');
    ['message', 'name', 'stack', 'toString', 'fileName', 'lineNumber'].forEach(function (name) {
        Object.defineProperty(e, name, { get: function () { throw e; } });
    });
    throw e;
};

//# throw-recursive-error exception/stack
exports.fetch = function () { var e = new Error('x'); Object.defineProperty(e, 'message', { get: function () { throw new Error(e.message); } }); throw e; };

//# throw-from-then-getter exception
exports.fetch = function () { return { get then() { throw null; } }; };

//# throw-from-status-getter exception
exports.fetch = function () { return new Response('', { get status() { throw null; } }); };

//# throw-from-event-getter response
exports.handler = function () { return { statusCode: 200, get body() { throw null; } }; };

//# throw-from-finally exception
exports.fetch = function () { try { throw 1; } finally { throw { message: null }; } };

//# throw-frozen exception
exports.fetch = function () { throw Object.freeze(new TypeError('x')); };

//# throw-revoked-proxy exception mujs:-
exports.fetch = function () { var r = Proxy.revocable({}, {}); r.revoke(); throw r.proxy; };

//# throw-proxy exception mujs:-
exports.fetch = function () { throw new Proxy(new Error('x'), { get: function () { throw null; }, getPrototypeOf: function () { throw null; } }); };

//# throw-symbol exception mujs:-
exports.fetch = function () { throw Symbol('x'); };

//# answer-revoked-proxy exception/response mujs:-
exports.fetch = function () { var r = Proxy.revocable({}, {}); r.revoke(); return r.proxy; };

//# answer-proxy-of-response contained/exception/response mujs:-
exports.fetch = function () { return new Proxy(new Response('contained'), {}); };

//# throw-big-integer exception duktape:- mujs:-
exports.fetch = function () { throw 2n ** 64n; };

//# throw-aggregate exception duktape:- mujs:-
exports.fetch = function () { return Promise.any([Promise.reject(1)]); };

//# throw-cause-cycle exception duktape:- mujs:-
exports.fetch = function () { const e = new Error('x'); e.cause = e; throw e; };

//# status-99 exception
exports.fetch = function () { return new Response('', { status: 99 }); };

//# status-600 exception
exports.fetch = function () { return new Response('', { status: 600 }); };

//# status-101 exception
exports.fetch = function () { return new Response('', { status: 101 }); };

//# status-text exception
exports.fetch = function () { return new Response('', { status: '200\r\nx: y' }); };

//# status-infinite response
exports.handler = function () { return { statusCode: Infinity }; };

//# status-negative response
exports.handler = function () { return { statusCode: -200 }; };

//# status-fraction response
exports.handler = function () { return { statusCode: 200.5 }; };

//# status-object response
exports.handler = function () { return { statusCode: { a: 1 } }; };

//# status-without-body exception
exports.fetch = function () { return new Response('x', { status: 204 }); };

//# headers-a-million response/steps/memory/exception
exports.fetch = function () { var r = new Response('x'); for (var i = 0; i < 1000000; i++) { r.headers.append('a', 'b'); } return r; };

//# headers-of-event-a-million response/steps/memory
exports.handler = function () { var h = {}; for (var i = 0; i < 1000000; i++) { h['a' + i] = 'b'; } return { statusCode: 200, headers: h }; };

//# headers-101 response
exports.fetch = function () { var r = new Response('x'); for (var i = 0; i < 101; i++) { r.headers.append('a', 'b'); } return r; };

//# headers-cookies-a-thousand response
exports.handler = function () { return { statusCode: 200, cookies: new Array(1001).join('a').split('') }; };

//# header-huge-value response/memory/steps
exports.fetch = function () { return new Response('x', { headers: { a: new Array(2000000).join('b') } }); };

//# header-huge-name response/memory/steps
exports.fetch = function () { var h = {}; h[new Array(500000).join('b')] = 'a'; return new Response('x', { headers: h }); };

//# header-value-crlf exception
exports.fetch = function () { return new Response('x', { headers: { a: 'b\r\nset-cookie: c=d' } }); };

//# header-value-lf exception
exports.fetch = function () { return new Response('x', { headers: { a: 'b\nset-cookie: c=d' } }); };

//# header-value-nul exception
exports.fetch = function () { return new Response('x', { headers: { a: 'b\0c' } }); };

//# header-value-looks-like-crlf exception
exports.fetch = function () { return new Response('x', { headers: { a: 'b\u010d\u010aset-cookie: c=d' } }); };

//# header-name-crlf exception
exports.fetch = function () { return new Response('x', { headers: { 'a\r\nb': 'c' } }); };

//# header-name-colon exception
exports.fetch = function () { return new Response('x', { headers: { 'a:b': 'c' } }); };

//# header-name-empty exception
exports.fetch = function () { return new Response('x', { headers: { '': 'c' } }); };

//# header-event-crlf response
exports.handler = function () { return { statusCode: 200, headers: { a: 'b\r\nc: d' } }; };

//# header-event-many-crlf response
exports.handler = function () { return { statusCode: 200, multiValueHeaders: { a: ['b', 'c\r\nd: e'] } }; };

//# header-event-cookie-crlf response
exports.handler = function () { return { statusCode: 200, cookies: ['a=b\r\nc: d'] }; };

//# header-redirect-crlf exception/contained
exports.fetch = function () { return Response.redirect('https://a.test/\r\nset-cookie: c=d').status ? new Response('contained') : null; };

//# header-type-crlf exception/contained
exports.fetch = function () { var r = new Response('contained'); r.headers.set('content-type', 'a/b\r\nc: d'); return r; };

//# header-changed-after-check response/exception/contained
exports.fetch = function () {
    var n = 0, r = new Response('contained');
    r.headers.set('a', { toString: function () { return n++ ? 'b\r\nc: d' : 'b'; } });
    return r;
};

//# header-framing contained/response/exception
exports.fetch = function () {
    return new Response('contained', { headers: { 'content-length': '1', 'transfer-encoding': 'chunked', connection: 'close', 'keep-alive': 'x', upgrade: 'h2c', trailer: 'a' } });
};

//# header-list-tampered response/exception/answer mujs:-
exports.fetch = function () {
    var r = new Response('x');
    Object.getOwnPropertySymbols(r.headers).forEach(function (s) { r.headers[s] = ['a', 'b\r\nc: d']; });
    return r;
};

//# header-list-with-getters response/exception/contained mujs:-
exports.fetch = function () {
    var r = new Response('contained'), n = 0, a = ['a', 'b'];
    Object.defineProperty(a, 1, { get: function () { return n++ ? new Array(5000).join('longer than before') : 'b'; } });
    Object.getOwnPropertySymbols(r.headers).forEach(function (s) { r.headers[s] = a; });
    return r;
};

//# header-list-huge response/exception/steps/memory/answer mujs:-
exports.fetch = function () {
    var r = new Response('x');
    Object.getOwnPropertySymbols(r.headers).forEach(function (s) { r.headers[s] = { length: 4294967294, indexOf: function () { return 1; } }; });
    return r;
};

//# status-tampered response/exception/answer mujs:-
exports.fetch = function () { var r = new Response('x'); Object.getOwnPropertySymbols(r).forEach(function (s) { r[s].status = 4294967496; }); return r; };

//# body-tampered response/exception/answer mujs:-
exports.fetch = function () {
    var r = new Response('x');
    Object.getOwnPropertySymbols(r).forEach(function (s) { r[s].body = { byteLength: 1e9, byteOffset: 0, buffer: new ArrayBuffer(8) }; });
    return r;
};

//# body-huge limit/memory/steps
exports.fetch = function () { var s = 'x'; while (s.length <= 1 << 20) { s += s; } return new Response(s); };

//# body-huge-buffer limit/memory
exports.fetch = function () { return new Response(new Uint8Array((1 << 20) + 1)); };

//# body-huge-in-utf8 limit/memory/steps
exports.fetch = function () { return new Response(new Array(400001).join('\u20ac')); };

//# body-huge-event limit/memory/steps
exports.handler = function () { return { statusCode: 200, body: new Array((1 << 20) + 2).join('x') }; };

//# body-bad-base64 response
exports.handler = function () { return { statusCode: 200, body: '\u20ac*', isBase64Encoded: true }; };

//# body-lone-surrogates contained
exports.fetch = function () { return new Response('\ud800\udc00\ud800').text().then(function () { return new Response('contained'); }); };

//# body-detached contained/exception/response duktape:- mujs:-
exports.fetch = function () {
    const b = new ArrayBuffer(9), r = new Response(b);
    if (b.transfer) { b.transfer(0); } else { structuredClone(b, { transfer: [b] }); }
    return r.text().then(() => new Response('contained'));
};

//# body-length-changes contained/exception/response mujs:-
exports.fetch = function () {
    var a = new Uint8Array(8), r = new Response(a);
    Object.defineProperty(a, 'byteLength', { value: 1 << 30 });
    Object.defineProperty(a, 'byteOffset', { value: 1 << 30 });
    return r.arrayBuffer().then(function () { return new Response('contained'); });
};
