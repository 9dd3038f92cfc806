/* SPDX-License-Identifier: Apache-2.0 */
/* web.js - text encoding, base64, console, crypto and other small globals. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var define = own.define;
    var getter = own.getter;
    var methods = own.methods;
    var Promise = global.Promise;

    function TextEncoder() {
        if (!(this instanceof TextEncoder)) {
            throw new TypeError('TextEncoder needs new');
        }
    }
    getter(TextEncoder.prototype, 'encoding', function () {
        return 'utf-8';
    });
    define(TextEncoder.prototype, 'encode', function (text) {
        return new Uint8Array(native.encode(text === undefined ? '' : String(text)));
    });

    function TextDecoder(label, options) {
        if (label !== undefined && !/^\s*utf-?8\s*$/i.test(label)) {
            throw new RangeError('only utf-8 is known');
        }
        this[S] = { fatal: !!(options && options.fatal), bom: !!(options && options.ignoreBOM) };
    }
    getter(TextDecoder.prototype, 'encoding', function () {
        return 'utf-8';
    });
    getter(TextDecoder.prototype, 'fatal', function () {
        return this[S].fatal;
    });
    define(TextDecoder.prototype, 'decode', function (input) {
        var view = input === undefined ? new Uint8Array(0) : input;
        var text = view instanceof ArrayBuffer
            ? native.decode(view, 0, view.byteLength, this[S].fatal)
            : native.decode(view.buffer, view.byteOffset, view.byteLength, this[S].fatal);
        if (text === null) {
            throw new TypeError('bad UTF-8');
        }
        return !this[S].bom && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    });

    function badCharacter() {
        var error = new Error('bad character');
        error.name = 'InvalidCharacterError';
        return error;
    }

    function btoa(text) {
        var out = native.btoa(String(text));
        if (out === null) {
            throw badCharacter();
        }
        return out;
    }

    /* HTML 8.3: white space goes, padding may lack. The second parameter is our own: true
     * for an ArrayBuffer. */
    function decode64(text, isBuffer) {
        var out;
        text = String(text).replace(/[\t\n\f\r ]+/g, '');
        if (text.length % 4 === 0) {
            text = text.replace(/={1,2}$/, '');
        }
        out = native.atob(text, isBuffer);
        if (out === null) {
            throw badCharacter();
        }
        return out;
    }

    function atob(text) {
        return decode64(text, false);
    }

    function show(value) {
        if (typeof value === 'string') {
            return value;
        }
        if (value instanceof Error) {
            return String(value.stack || value);
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

    function print() {
        native.print(Array.prototype.map.call(arguments, show).join(' '));
    }

    var console = {};
    ['log', 'info', 'warn', 'error', 'debug', 'trace'].forEach(function (name) {
        define(console, name, print);
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
                throw new TypeError('getRandomValues needs an integer array');
            }
            if (view.byteLength > 65536) {
                throw new RangeError('at most 65536 bytes');
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
        Promise.resolve().then(function () {
            action();
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
                throw new TypeError('a ' + typeof v + ' cannot be cloned');
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

    own.decode64 = decode64;
    methods(global, { TextEncoder: TextEncoder, TextDecoder: TextDecoder, btoa: btoa,
        atob: atob, console: console, performance: performance, crypto: crypto,
        queueMicrotask: queueMicrotask, structuredClone: structuredClone,
        navigator: { userAgent: 'tfaas' }, self: global });
    define(Math, 'random', native.random);
})
