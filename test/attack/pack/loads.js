// SPDX-License-Identifier: Apache-2.0
// Top levels and sources that never come to an end, or to no good one. Each is a lambda of its
// own.

//# load-loop steps
for (;;) {}

//# load-loop-caught steps
for (;;) { try { for (;;) {} } catch (e) {} }

//# load-recursion stack
(function f() { return f() + 1; })();

//# load-memory memory/steps
for (var a = [];;) { a.push({ i: a.length }); }

//# load-buffer memory/lambda-source
exports.x = new Uint8Array(100 << 20); exports.fetch = function () { return new Response('x'); };

//# load-throws-null lambda-source
throw null;

//# load-throws-loop steps
throw { toString: function () { for (;;) {} } };

//# load-handler-getter steps
Object.defineProperty(exports, 'fetch', { get: function () { for (;;) {} } });

//# load-no-handler lambda-source
exports.fetch = 7;

//# load-syntax lambda-source
exports.fetch = function ( {

//# load-promise-jobs steps/memory
function again() { Promise.resolve().then(again); } again(); again(); exports.fetch = function () { return new Response('x'); };

//# load-polluted any
Object.getOwnPropertyNames(Array.prototype).forEach(function (name) { try { Array.prototype[name] = null; } catch (e) {} });
Object.defineProperty(Object.prototype, 'status', { get: function () { throw 1; } });
exports.fetch = function () { return new Response('contained'); };

//# load-unmade-prelude any
Object.keys = Object.defineProperty = Array.prototype.forEach = null; Function.prototype.call = null;
exports.handler = function () { return new URL('https://a.test/').href + atob('YQ=='); };
