// SPDX-License-Identifier: Apache-2.0
// Keeps what each request brings in every place that it can think of, and answers with its own
// marker and whatever it finds there of earlier ones.
var shelf = require('./shelf');
var kept = [];
var pattern = /([0-9a-f]{64})/g;
var pending = [];
var later = new Promise(function (yes) { pending.push(yes); });
var hold = (function () {
    var own = [];
    return function (text) { if (text) { own.push(text); } return own.join(); };
})();

function attempt(action) {
    try { return String(action()); } catch (e) { return String(e) + String(e && e.stack); }
}

/* Every place: what it does with a marker, and what it gives back. */
var places = [
    [function (m) { kept.push(m); }, function () { return kept.join(); }],
    [function (m) { leaked = m; }, function () { return leaked; }],
    [hold, hold],
    [function (m) { shelf.list.push(m); require('./shelf').last = m; }, function () { return shelf.list.join() + require('./shelf').last; }],
    [function (m) { Object.prototype.mark = m; }, function () { return ({}).mark; }],
    [function (m) { Array.prototype[0] = m; Array.prototype.mark = m; }, function () { return [].mark + [, 1][0]; }],
    [function (m) { String.prototype.mark = Function.prototype.mark = Headers.prototype.mark = m; }, function () { return ''.mark + isNaN.mark + new Headers().mark; }],
    [function (m) { exports.mark = m; module.mark = m; require.mark = m; }, function () { return exports.mark + module.mark + require.mark; }],
    [function (m) { Math.mark = JSON.mark = Date.mark = m; console.mark = crypto.mark = m; }, function () { return Math.mark + JSON.mark + Date.mark + console.mark + crypto.mark; }],
    [function (m) { pattern.mark = m; pattern.exec(m); }, function () { return pattern.mark + pattern.lastIndex; }],
    [function (m) { /([0-9a-f]+)/.exec(m); }, function () { return RegExp.$1 + RegExp.lastMatch + RegExp['$&'] + RegExp.input + RegExp.leftContext; }],
    [function (m) { later.mark = m; Promise.mark = m; pending.push(m); Promise.resolve(m).then(function (x) { kept.push(x); }); }, function () { return later.mark + Promise.mark + pending.join(); }],
    [function (m) { queueMicrotask(function () { kept.push(m); }); }, function () { return kept.length; }],
    [function (m) { console.log(m); console.error(new Error(m)); performance.mark = m; }, function () { return performance.mark; }],
    [function (m) { var e = new Error(m); Error.mark = e.stack + e; try { null[m]; } catch (x) { shelf.error = x; } }, function () { return Error.mark + shelf.error + (shelf.error && shelf.error.stack) + new Error('').stack; }],
    [function (m) { Symbol['for'](m); Symbol.mark = m; }, function () { return Symbol.mark; }],
    [function (m) { var a = new Uint8Array(4096); for (var i = 0; i < 64; i++) { a[i + 900] = m.charCodeAt(i); } shelf.bytes = a; }, function () { return text_of(shelf.bytes); }],
    [function (m) { for (var i = 0, a = []; i < 200; i++) { a.push(m + i); } shelf.junk = a.length; }, function () { return scan(); }]
];

function text_of(bytes) {
    var text = '';
    for (var i = 0; bytes && i < bytes.length; i++) { if (bytes[i] !== 0) { text += String.fromCharCode(bytes[i]); } }
    return text;
}

/* Memory that nobody wrote to yet. */
function scan() {
    var out = '', sizes = [16, 100, 1000, 5000, 20000], i;
    for (i = 0; i < sizes.length; i++) { out += text_of(new Uint8Array(sizes[i])) + new Array(10).join() + [, , ][0]; }
    return out;
}

function found(mine) {
    var all = places.map(function (place) { return attempt(place[1]); }).join(' ');
    var names = Object.getOwnPropertyNames(self).map(function (name) { return attempt(function () { return typeof self[name] === 'string' ? self[name] : ''; }); });
    return ((all + names.join(' ')).match(/[0-9a-f]{64}/g) || []).filter(function (m) { return m !== mine; });
}

exports.fetch = function (request, env, ctx) {
    return request.text().then(function (body) {
        var others = found(body);
        [request, env, ctx].forEach(function (o) { others.push(attempt(function () { return o.mark; })); });
        [body, request.headers.get('x-marker'), String(request.url)].forEach(function (m) {
            places.forEach(function (place) { attempt(function () { place[0](m); }); });
            [request, env, ctx].forEach(function (o) { attempt(function () { o.mark = m; }); });
        });
        ctx.waitUntil(Promise.resolve().then(function () { kept.push(body); }));
        return new Response(body + '\n' + others.join('\n') + '\n');
    });
};
