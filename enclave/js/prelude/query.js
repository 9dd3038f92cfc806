/* SPDX-License-Identifier: Apache-2.0 */
/* query.js - application/x-www-form-urlencoded, for url.js and event.js: WHATWG URL 5.1. */
(function (global, native, own) {
    'use strict';

    var Uint8Array = global.Uint8Array;

    /* Percent-decoding that keeps what is no escape and replaces what is no UTF-8. */
    function unescapeText(text) {
        return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, function (run) {
            var bytes = new Uint8Array(run.length / 3);
            for (var i = 0; i < bytes.length; i++) {
                bytes[i] = parseInt(run.slice(i * 3 + 1, i * 3 + 3), 16);
            }
            return native.decode(bytes.buffer, 0, bytes.length, false);
        });
    }

    function formDecode(text) {
        text = text.replace(/\+/g, ' ');
        return text.indexOf('%') < 0 ? text : unescapeText(text);
    }

    function parseQuery(text) {
        var out = [];
        text.split('&').forEach(function (part) {
            var at = part.indexOf('=');
            if (part === '') {
                return;
            }
            out.push(at < 0 ? [formDecode(part), '']
                            : [formDecode(part.slice(0, at)), formDecode(part.slice(at + 1))]);
        });
        return out;
    }

    own.parseQuery = parseQuery;
    own.unescapeText = unescapeText;
})
