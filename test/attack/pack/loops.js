// SPDX-License-Identifier: Apache-2.0
// Loops without end, in every place where a lambda's code or what it calls may run.

//# loop-for steps
exports.fetch = function () { for (;;) {} };

//# loop-while-catch steps
exports.fetch = function () { for (;;) { try { while (true) { null.x; } } catch (e) {} } };

//# loop-finally steps
exports.fetch = function () {
    try { throw 1; } finally { for (;;) { try { for (;;) {} } finally { continue; } } }
};

//# loop-label-continue steps
exports.fetch = function () {
    outer: for (;;) { for (var i = 0; i < 3; i++) { if (i === 1) { continue outer; } } }
};

//# loop-label-finally-continue steps mujs:stack
exports.fetch = function () {
    again: do { try { return new Response('x'); } finally { continue again; } } while (true);
};

//# loop-switch steps
exports.fetch = function () { var i = 0; for (;;) { switch (i++ & 3) { case 1: continue; default: } } };

//# loop-straight-code steps
exports.fetch = function () {
    for (;;) {
        var a = 1; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a;
        a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a; a += a;
    }
};

//# loop-status-getter steps
exports.fetch = function () { return new Response('', { get status() { for (;;) {} } }); };

//# loop-header-getter steps
exports.fetch = function () { return new Response('', { headers: { get a() { for (;;) {} } } }); };

//# loop-body-to-string steps
exports.fetch = function () { return new Response({ toString: function () { for (;;) {} } }); };

//# loop-event-status steps
exports.handler = function () { return { get statusCode() { for (;;) {} } }; };

//# loop-event-body steps
exports.handler = function () { return { statusCode: 200, get body() { for (;;) {} } }; };

//# loop-event-header steps
exports.handler = function () {
    return { statusCode: 200, headers: { a: { toString: function () { for (;;) {} } } } };
};

//# loop-to-json steps
exports.handler = function () { return { a: [{ toJSON: function () { for (;;) {} } }] }; };

//# loop-promise-job steps
exports.fetch = function () { return Promise.resolve().then(function () { for (;;) {} }); };

//# loop-promise-chain steps/memory
exports.fetch = function () {
    function again() { return Promise.resolve().then(again); }
    return again();
};

//# loop-promise-self-feeding steps
exports.fetch = function () {
    function again() { Promise.resolve().then(again); }
    again();
    return new Promise(again);
};

//# loop-microtasks steps
exports.fetch = function () {
    function again() { queueMicrotask(again); }
    again();
    return new Response('x');
};

//# loop-wait-until steps
exports.fetch = function (request, env, ctx) {
    ctx.waitUntil({ then: function () { for (;;) {} } });
    return new Response('x');
};

//# loop-then-getter steps
exports.fetch = function () { return { get then() { for (;;) {} } }; };

//# loop-then steps
exports.fetch = function () { return { then: function () { for (;;) {} } }; };

//# loop-thenable-of-thenables steps/memory
exports.fetch = function () {
    function make() { return { then: function (yes) { yes(make()); } }; }
    return make();
};

//# loop-promise-finally steps
exports.fetch = function () {
    return Promise.reject(new Error('x'))['finally'](function () { for (;;) {} });
};

//# loop-thrown-to-string steps
exports.fetch = function () { throw { toString: function () { for (;;) {} } }; };

//# loop-thrown-message steps
exports.fetch = function () {
    var e = new Error('x');
    Object.defineProperty(e, 'message', { get: function () { for (;;) {} } });
    throw e;
};

//# loop-thrown-stack steps
exports.fetch = function () {
    var e = new Error('x');
    Object.defineProperty(e, 'stack', { get: function () { for (;;) {} } });
    Object.defineProperty(e, 'name', { get: function () { for (;;) {} } });
    throw e;
};

//# loop-rejected-message steps
exports.fetch = function () {
    var e = new Error('x');
    Object.defineProperty(e, 'message', { get: function () { for (;;) {} } });
    return Promise.reject(e);
};

//# loop-value-of steps
exports.fetch = function () { return new Response(String(1 + { valueOf: function () { for (;;) {} } })); };

//# loop-setter steps
exports.fetch = function () { var o = { set x(v) { for (;;) {} } }; o.x = 1; };

//# loop-sort-comparator steps
exports.fetch = function () { return [2, 1].sort(function () { for (;;) {} }); };

//# loop-sort-inconsistent steps
exports.fetch = function () {
    var a = [], i, s = 1;
    for (i = 0; i < 500; i++) { a.push(i); }
    for (;;) { a.sort(function () { s = s * 16807 % 2147483647; return s % 3 - 1; }); }
};

//# loop-replace-callback steps
exports.fetch = function () { return 'abc'.replace(/b/, function () { for (;;) {} }); };

//# loop-json-reviver steps
exports.fetch = function () { return JSON.parse('[1,[2]]', function () { for (;;) {} }); };

//# loop-json-reviver-growing steps/memory
exports.fetch = function () {
    return JSON.parse('[1]', function (k, v) { if (typeof v === 'number') { this.x = [v]; return [v, [v]]; } for (;;) {} });
};

//# loop-json-replacer steps
exports.fetch = function () { return JSON.stringify({ a: 1 }, function () { for (;;) {} }); };

//# loop-json-replacer-nesting steps/memory/stack/exception
exports.fetch = function () { return JSON.stringify({}, function () { return { a: {} }; }); };

//# loop-for-each-growing steps/memory
exports.fetch = function () { var a = [1]; for (var i = 0; i < a.length; i++) { a.push(i); } };

//# loop-length-value-of steps
exports.fetch = function () { return [].slice.call({ length: { valueOf: function () { for (;;) {} } } }); };

//# loop-regexp-empty-matches steps
exports.fetch = function () { var r = /x*/g; while (r.exec('aaa') !== undefined) { r.lastIndex = 0; } };

//# loop-last-index-value-of steps
exports.fetch = function () {
    var r = /x/g;
    r.lastIndex = { valueOf: function () { for (;;) {} } };
    return r.exec('x');
};

//# loop-console-argument steps
exports.fetch = function () {
    console.log({ toString: function () { for (;;) {} }, get a() { for (;;) {} }, toJSON: function () { for (;;) {} } });
    for (;;) { console.log('x'); }
};

//# loop-structured-clone-getter steps
exports.fetch = function () { return structuredClone({ get a() { for (;;) {} } }); };

//# loop-json-of-body steps
exports.fetch = function () {
    return Response.json({ toJSON: function () { for (;;) {} } });
};

//# loop-getter-on-object-prototype steps
exports.fetch = function () {
    ['status', 'headers', 'statusText', 'body', 'value', 'get'].forEach(function (name) {
        Object.defineProperty(Object.prototype, name, { configurable: true,
            get: function () { for (;;) {} } });
    });
    return new Response('x', {});
};

//# loop-date steps
exports.fetch = function () { for (;;) { new Date(2020, 1, 1).toISOString(); Date.parse('2020-01-01'); } };

//# loop-clock steps
exports.fetch = function () { var end = Date.now() + 1000; while (Date.now() < end) {} };

//# loop-with-getter steps
exports.fetch = function () { with ({ get x() { for (;;) {} } }) { return x; } };

//# loop-exported-this steps/memory
exports.fetch = function () { for (;;) { this.fetch = this.fetch.bind(this); } };

//# loop-to-primitive steps duktape:steps mujs:-
exports.fetch = function () { var o = {}; o[Symbol.toPrimitive] = function () { for (;;) {} }; return '' + o; };

//# loop-proxy-get steps mujs:-
exports.fetch = function () { return new Proxy({}, { get: function () { for (;;) {} } }); };

//# loop-proxy-has steps mujs:-
exports.fetch = function () { return 'x' in new Proxy({}, { has: function () { for (;;) {} } }); };

//# loop-proxy-own-keys steps mujs:-
exports.fetch = function () {
    return new Response('', { headers: new Proxy({}, { ownKeys: function () { for (;;) {} } }) });
};

//# loop-proxy-descriptor steps duktape:- mujs:-
exports.fetch = function () {
    return Object.assign({}, new Proxy({}, { ownKeys: function () { return ['a']; },
        getOwnPropertyDescriptor: function () { for (;;) {} } }));
};

//# loop-proxy-apply steps mujs:-
exports.fetch = function () { return new Proxy(function () {}, { apply: function () { for (;;) {} } })(); };

//# loop-proxy-prototype steps duktape:- mujs:-
exports.fetch = function () {
    return new Proxy({}, { getPrototypeOf: function () { for (;;) {} } }) instanceof Response;
};

//# loop-has-instance steps duktape:- mujs:-
exports.fetch = function () { return ({}) instanceof { [Symbol.hasInstance]() { for (;;) {} } }; };

//# loop-generator steps duktape:- mujs:-
exports.fetch = function () { function* g() { for (;;) { yield 1; } } for (const x of g()) {} };

//# loop-generator-body steps duktape:- mujs:-
exports.fetch = function () { function* g() { for (;;) {} } g().next(); };

//# loop-generator-return steps duktape:- mujs:-
exports.fetch = function () { function* g() { try { yield 1; } finally { for (;;) {} } } for (const x of g()) { break; } };

//# loop-iterator-next steps duktape:- mujs:-
exports.fetch = function () { for (const x of { [Symbol.iterator]() { return { next() { for (;;) {} } }; } }) {} };

//# loop-iterator-without-end steps duktape:- mujs:-
exports.fetch = function () { for (const x of { [Symbol.iterator]() { return { next() { return {}; } }; } }) {} };

//# loop-iterator-return steps duktape:- mujs:-
exports.fetch = function () {
    const it = { [Symbol.iterator]() { return { next() { return {}; }, return() { for (;;) {} } }; } };
    const [a] = it;
};

//# loop-destructuring-default steps duktape:- mujs:-
exports.fetch = function () { const { a = (() => { for (;;) {} })() } = {}; };

//# loop-async-function steps duktape:- mujs:-
exports.fetch = async function () { for (;;) { await null; } };

//# loop-async-generator steps duktape:- mujs:-
exports.fetch = async function () { async function* g() { for (;;) { yield 1; } } for await (const x of g()) {} };

//# loop-tagged-template steps duktape:- mujs:-
exports.fetch = function () { return ((s) => { for (;;) {} })`x${1}`; };

//# loop-static-block steps duktape:- mujs:-
exports.fetch = function () { class A { static { for (;;) {} } } return A; };

//# loop-class-field steps duktape:- mujs:-
exports.fetch = function () { class A { x = (() => { for (;;) {} })(); } return new A(); };

//# loop-species steps duktape:- mujs:-
exports.fetch = function () { const a = [1]; a.constructor = { get [Symbol.species]() { for (;;) {} } }; return a.map(isNaN); };

//# loop-prepare-stack-trace response v8:steps duktape:- mujs:-
exports.fetch = function () { Error.prepareStackTrace = function () { for (;;) {} }; return String(new Error('x').stack); };

//# loop-set-growing steps/memory duktape:- mujs:-
exports.fetch = function () { const s = new Set([1]); for (const x of s) { s.delete(x); s.add(x); } };

//# loop-map-for-each-growing steps/memory duktape:- mujs:-
exports.fetch = function () { const m = new Map([[1, 1]]); m.forEach((v, k) => { m.delete(k); m.set(k + 1, 1); }); };

//# loop-headers-iterable steps/exception/memory/answer duktape:- mujs:-
exports.fetch = function () {
    const pairs = []; pairs.forEach = () => { for (;;) {} };
    return new Response('', { headers: pairs });
};

//# loop-thenable-import steps duktape:- mujs:-
exports.fetch = async function () { return await { then() { for (;;) {} } }; };
