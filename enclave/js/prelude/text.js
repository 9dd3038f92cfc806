/* SPDX-License-Identifier: Apache-2.0 */
/* text.js - TextEncoder, TextDecoder, btoa, atob. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var define = own.define;
    var getter = own.getter;

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

    own.decode64 = decode64;
    own.methods(global, { TextEncoder: TextEncoder, TextDecoder: TextDecoder, btoa: btoa,
        atob: atob });
})
