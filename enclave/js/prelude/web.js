/* SPDX-License-Identifier: Apache-2.0 */
/* web.js - console, crypto and other small globals. */
(function (global, native, own) {
    'use strict';

    var define = own.define;
    var methods = own.methods;

    /* Stands for a DOMException, which tells by its name what it is. */
    function failure(name, message) {
        var error = new Error(message);
        define(error, 'name', name);
        return error;
    }

    function show(value) {
        if (typeof value === 'string') {
            return value;
        }
        if (value instanceof Error) {
            var what = String(value);
            var stack = String(value.stack || what);
            return stack.indexOf(what) === 0 ? stack : what + '\n' + stack;
        }
        if (value !== null && typeof value === 'object') {
            try {
                return JSON.stringify(value);
            } catch (e) {
                return Object.prototype.toString.call(value);
            }
        }
        return String(value);
    }

    var console = {};
    ['log', 'info', 'warn', 'error', 'debug', 'trace'].forEach(function (name) {
        define(console, name, function () {
            native.print(name + ' ' + Array.prototype.map.call(arguments, show).join(' '));
        });
    });

    var performance = {};
    define(performance, 'timeOrigin', native.now());
    define(performance, 'now', function () {
        return native.now() - performance.timeOrigin;
    });

    var crypto = {};
    methods(crypto, {
        getRandomValues: function (view) {
            if (!ArrayBuffer.isView(view) || /Float|DataView/.test(
                Object.prototype.toString.call(view))) {
                throw failure('TypeMismatchError', 'getRandomValues needs an integer array');
            }
            if (view.byteLength > 65536) {
                throw failure('QuotaExceededError', 'at most 65536 bytes');
            }
            native.fill(view.buffer, view.byteOffset, view.byteLength);
            return view;
        },
        randomUUID: function () {
            var bytes = crypto.getRandomValues(new Uint8Array(16));
            bytes[6] = bytes[6] & 15 | 64;
            bytes[8] = bytes[8] & 63 | 128;
            return Array.prototype.map.call(bytes, function (b) {
                return (b + 256).toString(16).slice(1);
            }).join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
        }
    });

    function queueMicrotask(action) {
        if (typeof action !== 'function') {
            throw new TypeError('queueMicrotask needs a function');
        }
        own.enqueue(function () {
            try {
                action();
            } catch (e) {
                /* Nobody hears of it, as of a rejection that is not handled. */
            }
        });
    }

    function copyKeys(from, to, clone) {
        Object.keys(from).forEach(function (key) {
            to[key] = clone(from[key]);
        });
        return to;
    }

    /* HTML 2.7 for plain objects, arrays, Date, Map, Set, buffers and views; no transfer. */
    function structuredClone(value) {
        var from = [];
        var to = [];
        function remember(source, copy) {
            from.push(source);
            to.push(copy);
            return copy;
        }
        function clone(v) {
            var at;
            var copy;
            if (typeof v === 'function' || typeof v === 'symbol') {
                throw failure('DataCloneError', 'a ' + typeof v + ' cannot be cloned');
            }
            if (v === null || typeof v !== 'object') {
                return v;
            }
            at = from.indexOf(v);
            if (at >= 0) {
                return to[at];
            }
            if (v instanceof Date) {
                return remember(v, new Date(v.getTime()));
            }
            if (v instanceof ArrayBuffer) {
                return remember(v, v.slice(0));
            }
            if (ArrayBuffer.isView(v)) {
                return remember(v, new v.constructor(clone(v.buffer), v.byteOffset,
                    v.length === undefined ? v.byteLength : v.length));
            }
            if (global.Map && v instanceof Map) {
                copy = remember(v, new Map());
                v.forEach(function (item, key) {
                    copy.set(clone(key), clone(item));
                });
                return copy;
            }
            if (global.Set && v instanceof Set) {
                copy = remember(v, new Set());
                v.forEach(function (item) {
                    copy.add(clone(item));
                });
                return copy;
            }
            return copyKeys(v, remember(v, Array.isArray(v) ? new Array(v.length) : {}), clone);
        }
        return clone(value);
    }

    methods(global, { console: console, performance: performance, crypto: crypto,
        queueMicrotask: queueMicrotask, structuredClone: structuredClone });
})
