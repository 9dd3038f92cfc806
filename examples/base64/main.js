/* base64 - encodes and decodes a generated text in pure JavaScript, ?n= times (2), and
 * checks the result each time. Does what the classic base64 benchmarks do. */
'use strict';

var ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
var VALUES = {};

for (var i = 0; i < ALPHABET.length; i++) {
    VALUES[ALPHABET.charAt(i)] = i;
}

function encode(text) {
    var out = [];
    var size = text.length;
    for (var at = 0; at < size; at += 3) {
        var a = text.charCodeAt(at);
        var b = at + 1 < size ? text.charCodeAt(at + 1) : 0;
        var c = at + 2 < size ? text.charCodeAt(at + 2) : 0;
        out.push(ALPHABET.charAt(a >> 2), ALPHABET.charAt((a & 3) << 4 | b >> 4),
            at + 1 < size ? ALPHABET.charAt((b & 15) << 2 | c >> 6) : '=',
            at + 2 < size ? ALPHABET.charAt(c & 63) : '=');
    }
    return out.join('');
}

function decode(text) {
    var out = [];
    var bits = 0;
    var count = 0;
    for (var at = 0; at < text.length; at++) {
        var value = VALUES[text.charAt(at)];
        if (value === undefined) {
            continue;
        }
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push(String.fromCharCode(bits >> count & 255));
            bits &= (1 << count) - 1;
        }
    }
    return out.join('');
}

/* 4 KB of letters from a small linear congruential generator: the same every time. */
function generate() {
    var seed = 42;
    var out = [];
    for (var at = 0; at < 4096; at++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        out.push(String.fromCharCode(97 + seed % 26));
    }
    return out.join('');
}

exports.fetch = function (request) {
    var match = /[?&]n=([0-9]+)/.exec(request.url);
    var rounds = match ? Number(match[1]) : 2;
    var plain = generate();
    var expected = btoa(plain);
    for (var round = 0; round < rounds; round++) {
        var text = encode(plain);
        if (text !== expected || decode(text) !== plain) {
            return new Response('base64: wrong result in round ' + round + '\n',
                { status: 500 });
        }
    }
    return new Response('base64: ok, ' + rounds + ' rounds of ' + plain.length + ' bytes\n');
};
