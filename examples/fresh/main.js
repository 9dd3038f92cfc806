/* fresh - counts requests in a global, in a prototype and in a closure. Every request gets
 * the heap as it was after this file had run, so each answer is 1. */
'use strict';

var count = 0;

exports.fetch = function () {
    count++;
    Array.prototype.count = (Array.prototype.count || 0) + 1;
    globalThis.requests = (globalThis.requests || 0) + 1;
    return new Response(Math.max(count, [].count, globalThis.requests) + '\n');
};
