// SPDX-License-Identifier: Apache-2.0
// Work of native code whose length a script controls: one call that takes hours, or short ones
// without end. Strings and arrays are small; what is long is the count.

//# native-sort-holes steps/memory
exports.fetch = function () { for (;;) { var a = []; a.length = 1 << 22; a.sort(); } };

//# native-sort-array-like steps/exception/memory v8:ends
exports.fetch = function () { return Array.prototype.sort.call({ length: 9007199254740991, 0: 2, 5: 1 }); };

//# native-index-of steps v8:ends duktape:exception
exports.fetch = function () { return [].indexOf.call({ length: 9007199254740991 }, 1); };

//# native-last-index-of steps v8:ends duktape:exception
exports.fetch = function () { for (;;) { [].lastIndexOf.call({ length: 4294967295 }, 1); } };

//# native-splice steps/exception/memory v8:ends
exports.fetch = function () { for (;;) { try { [].splice.call({ length: 4294967290 }, 0, 4294967000); } catch (e) {} } };

//# native-splice-shift steps/exception v8:ends
exports.fetch = function () { for (;;) { [].splice.call({ length: 9007199254740989 }, 0, 1); } };

//# native-slice steps/exception/memory v8:ends
exports.fetch = function () { for (;;) { try { [].slice.call({ length: 9007199254740991 }, 1, 1 << 30); } catch (e) {} } };

//# native-join steps/memory/exception v8:ends
exports.fetch = function () { return [].join.call({ length: 4294967295 }, ''); };

//# native-reverse steps/exception v8:ends
exports.fetch = function () { return [].reverse.call({ length: 9007199254740991 }); };

//# native-unshift steps/exception v8:ends
exports.fetch = function () { for (;;) { try { [].unshift.call({ length: 9007199254740980 }, 1); } catch (e) {} } };

//# native-shift steps/exception v8:ends
exports.fetch = function () { return [].shift.call({ length: 9007199254740991 }); };

//# native-concat steps/memory/exception
exports.fetch = function () { for (;;) { var a = []; a.length = 1 << 26; [].concat(a, a); } };

//# native-for-each steps v8:ends
exports.fetch = function () { [].forEach.call({ length: 9007199254740991 }, isNaN); for (;;) {} };

//# native-map steps/memory/exception v8:ends
exports.fetch = function () { return [].map.call({ length: 4294967295 }, isNaN); };

//# native-reduce steps v8:ends
exports.fetch = function () { [].reduce.call({ length: 9007199254740991 }, isNaN, 0); for (;;) {} };

//# native-reduce-right steps v8:ends
exports.fetch = function () { [].reduceRight.call({ length: 4294967295 }, isNaN, 0); for (;;) {} };

//# native-every steps v8:ends
exports.fetch = function () { [].every.call({ length: 9007199254740991 }, isNaN); for (;;) {} };

//# native-length-of-sparse steps/memory
exports.fetch = function () { var a = []; for (;;) { a[4294967294] = 1; a.length = 0; } };

//# native-apply-array-like steps/memory/exception/stack
exports.fetch = function () { return Math.max.apply(null, { length: 1 << 28 }); };

//# native-apply-array steps/memory/stack
exports.fetch = function () {
    var a = [];
    for (var i = 0; i < 50000; i++) { a.push(i); }
    for (;;) { try { Math.max.apply(null, a); } catch (e) {} }
};

//# native-new-array-apply steps/memory/stack v8:steps/memory/stack/ends
exports.fetch = function () { for (;;) { try { Array.apply(null, { length: 60000 }); } catch (e) {} } };

//# native-from-char-code steps/memory/stack
exports.fetch = function () {
    var a = new Array(30000);
    for (;;) { try { String.fromCharCode.apply(null, a); } catch (e) {} }
};

//# native-split steps/memory
exports.fetch = function () { var t = new Array(50000).join('x,'); for (;;) { t.split(','); } };

//# native-split-nothing steps/memory
exports.fetch = function () { var t = new Array(300000).join('x'); for (;;) { t.split('xy'); } };

//# native-replace steps
exports.fetch = function () { var t = new Array(300000).join('x'); for (;;) { t.replace('xy', 'z'); } };

//# native-string-index-of steps
exports.fetch = function () {
    var t = new Array(30000).join('x'), u = new Array(10000).join('x') + 'y';
    for (;;) { t.indexOf(u); }
};

//# native-string-last-index-of steps
exports.fetch = function () {
    var t = new Array(30000).join('x'), u = 'y' + new Array(10000).join('x');
    for (;;) { t.lastIndexOf(u); }
};

//# native-compare steps
exports.fetch = function () { var t = new Array(200000).join('x'), u = t + 'u', v = t + 'v', n = 0; for (;;) { n += u < v; } };

//# native-locale-compare steps
exports.fetch = function () { var t = new Array(200000).join('x'), n = 0; for (;;) { n += (t + n).localeCompare(t + 'v'); } };

//# native-case steps/memory
exports.fetch = function () { var t = new Array(100000).join('x\u00e9'); for (;;) { t.toUpperCase(); } };

//# native-trim steps/memory
exports.fetch = function () { var t = new Array(200000).join(' ') + 'x'; for (;;) { t.trim(); } };

//# native-substring-of-astral steps/memory
exports.fetch = function () { var t = new Array(90000).join('\u20ac'), i = 0, n = 0; for (;;) { n += t.charCodeAt(i++ * 7919 % 80000); } };

//# native-json-parse steps/memory
exports.fetch = function () { var t = '[' + new Array(20000).join('1,') + '1]'; for (;;) { JSON.parse(t); } };

//# native-json-parse-blanks steps/memory
exports.fetch = function () { var t = new Array(200000).join(' ') + '1'; for (;;) { JSON.parse(t); } };

//# native-json-parse-keys steps/memory v8:steps/memory/ends
exports.fetch = function () {
    var t = [], i;
    for (i = 0; i < 3000; i++) { t.push('"k' + i + '":' + i); }
    t = '{' + t.join() + '}';
    for (;;) { JSON.parse(t); }
};

//# native-json-stringify steps/memory
exports.fetch = function () { var a = []; for (var i = 0; i < 9000; i++) { a.push(i, 'x'); } for (;;) { JSON.stringify(a); } };

//# native-json-stringify-array-like steps/memory mujs:exception
exports.fetch = function () { var a = []; a.length = 4294967295; return JSON.stringify(a); };

//# native-json-stringify-indent steps/memory
exports.fetch = function () {
    var o = {};
    for (var i = 0; i < 200; i++) { o = { a: o }; }
    for (;;) { JSON.stringify(o, null, '          '); }
};

//# native-uri steps/memory v8:steps/memory/ends
exports.fetch = function () { var t = new Array(30000).join('x%\u20ac'); for (;;) { decodeURIComponent(encodeURIComponent(t)); } };

//# native-escape steps/memory/exception
exports.fetch = function () { var t = new Array(100000).join('\u20acx'); for (;;) { unescape(escape(t)); } };

//# native-number-of-text steps/memory
exports.fetch = function () { var t = new Array(200000).join('1'), n = 0; for (;;) { n += +t + parseFloat(t) + parseInt(t, 7); } };

//# native-number-to-text steps
exports.fetch = function () {
    for (var i = 0, n = 0;; i++) { n += (1e300 / 7 + i).toString(3).length + (5e-324).toFixed(20).length + (i + 0.1).toPrecision(21).length; }
};

//# native-keys steps/memory v8:steps/memory/ends
exports.fetch = function () { var o = {}; for (var i = 0; i < 9000; i++) { o['k' + i] = i; } for (;;) { Object.keys(o); } };

//# native-for-in steps/memory v8:steps/memory/ends
exports.fetch = function () { var o = {}; for (var i = 0; i < 9000; i++) { o['k' + i] = i; } for (;;) { for (var k in o) { break; } } };

//# native-freeze steps/memory v8:steps/memory/ends
exports.fetch = function () { var o = {}; for (var i = 0; i < 9000; i++) { o['k' + i] = i; } for (;;) { Object.freeze(o); Object.isFrozen(o); } };

//# native-keys-that-collide steps/memory
exports.fetch = function () { var o = {}; for (var i = 1;; i++) { o[i * 65536 % 300000007] = 1; delete o[(i - 2000) * 65536 % 300000007]; } };

//# native-deep-prototypes steps/memory
exports.fetch = function () {
    var o = {}, n = 0;
    for (var i = 0; i < 9000; i++) { o = Object.create(o); }
    for (;;) { n += 'missing' in o; n += o instanceof Response; }
};

//# native-fill-typed steps/memory
exports.fetch = function () {
    var a = new Uint8Array(1 << 20), b = new Uint8Array(1 << 20);
    for (;;) { a.set(b); b.set(a.subarray(1)); }
};

//# native-typed-from-array-like steps/memory/exception
exports.fetch = function () { for (;;) { try { new Uint8Array({ length: 1 << 30 }); } catch (e) {} } };

//# native-typed-of-typed steps/memory
exports.fetch = function () { var a = new Uint8Array(1 << 18); for (;;) { new Float64Array(a); } };

//# native-buffer-slice steps/memory
exports.fetch = function () { var a = new ArrayBuffer(1 << 20); for (;;) { a.slice(1); } };

//# native-encode steps/memory
exports.fetch = function () { var t = new Array(100000).join('\u20acx'), e = new TextEncoder(), d = new TextDecoder(); for (;;) { d.decode(e.encode(t)); } };

//# native-base64 steps/memory
exports.fetch = function () { var t = new Array(100000).join('x'); for (;;) { atob(btoa(t)); } };

//# native-random steps/memory
exports.fetch = function () { var a = new Uint8Array(65536); for (;;) { crypto.getRandomValues(a); crypto.randomUUID(); } };

//# native-url steps/memory
exports.fetch = function () { var t = 'https://a.test/' + new Array(5000).join('../a/') + '?' + new Array(2000).join('a=b&'); for (;;) { new URL(t).searchParams.get('c'); } };

//# native-header-names steps/memory/exception
exports.fetch = function () { var h = new Headers(), t = new Array(100000).join('x'); for (;;) { h.set(t, t); h.get(t); } };

//# native-headers-pairs steps/memory
exports.fetch = function () { var h = new Headers(); for (var i = 0; i < 1000; i++) { h.append('k' + i, 'v'); } for (;;) { h.forEach(isNaN); } };

//# native-structured-clone steps/memory
exports.fetch = function () { var a = []; for (var i = 0; i < 3000; i++) { a.push([i]); } for (;;) { structuredClone(a); } };

//# native-log-flood steps/memory
exports.fetch = function () { var t = new Array(100000).join('x'); for (;;) { console.log(t, t, { a: t }); } };

//# native-dates steps/memory
exports.fetch = function () { for (;;) { new Date('2020-02-30T10:00:00Z').toString() + new Date(8.64e15).toISOString() + Date.parse(new Array(9999).join('1')); } };

//# native-math steps
exports.fetch = function () { var x = 1; for (;;) { x = Math.pow(Math.sin(x) * 1e300, 0.3) % 7 + Math.exp(1); } };

//# native-bound-arguments steps/memory/stack/exception
exports.fetch = function () { var f = isNaN; for (;;) { f = f.bind.apply(f, new Array(1000)); try { f(); } catch (e) {} } };

//# native-fill steps/exception/memory v8:ends duktape:- mujs:-
exports.fetch = function () { return Array.prototype.fill.call({ set length(n) {}, get length() { return 9007199254740991; } }, 1, 9007199254740990 - 1e12); };

//# native-copy-within steps/exception v8:ends duktape:- mujs:-
exports.fetch = function () { return Array.prototype.copyWithin.call({ length: 9007199254740991 }, 0, 1); };

//# native-includes steps v8:ends duktape:- mujs:-
exports.fetch = function () { return Array.prototype.includes.call({ length: 9007199254740991 }, 1); };

//# native-flat steps/memory v8:ends duktape:- mujs:-
exports.fetch = function () { const a = []; a.length = 4294967295; a.flat(); for (;;) {} };

//# native-array-from steps/memory/exception duktape:- mujs:-
exports.fetch = function () { return Array.from({ length: 9007199254740991 }); };

//# native-with steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Array(20000).fill(1); for (;;) { a.with(1, 2); a.toSorted(); a.toReversed(); a.toSpliced(1, 1); } };

//# native-find-last steps duktape:- mujs:-
exports.fetch = function () { Array.prototype.findLast.call({ length: 9007199254740991 }, () => false); };

//# native-typed-sort steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Float64Array(1 << 16); for (let i = 0; i < 1 << 16; i++) { a[i] = i * 7919 % 65537; } for (;;) { a.slice().sort(); a.sort((x, y) => y - x); } };

//# native-typed-fill steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Uint8Array(1 << 21); for (let i = 0;; i++) { a.fill(i & 1); } };

//# native-typed-index-of steps/memory v8:steps/memory/ends duktape:- mujs:-
exports.fetch = function () { const a = new Uint8Array(1 << 21); for (let n = 0;;) { n += a.indexOf(1) + a.lastIndexOf(1) + a.includes(1); } };

//# native-typed-copy-within steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Uint8Array(1 << 21); for (;;) { a.copyWithin(0, 1); a.reverse(); } };

//# native-typed-join steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Uint8Array(1 << 17); for (;;) { a.join(''); } };

//# native-repeat steps/memory duktape:- mujs:-
exports.fetch = function () { for (let n = 0;;) { n += 'xy'.repeat(500000).charCodeAt(n & 7); } };

//# native-repeat-empty steps/memory duktape:- mujs:-
exports.fetch = function () { for (;;) { ''.repeat(2 ** 31 - 1); } };

//# native-pad steps/memory duktape:- mujs:-
exports.fetch = function () { for (let n = 0;;) { n += 'x'.padStart(500000, 'ab').charCodeAt(n & 7); 'x'.padEnd(500000); } };

//# native-replace-all steps/memory duktape:- mujs:-
exports.fetch = function () { const t = 'x'.repeat(100000); for (;;) { t.replaceAll('x', 'y'); } };

//# native-normalize steps/memory v8:ends duktape:- mujs:-
exports.fetch = function () { const t = 'a' + '\u0301\u0316'.repeat(20000); for (;;) { t.normalize('NFD'); t.normalize('NFKC'); } };

//# native-raw steps/memory v8:ends duktape:- mujs:-
exports.fetch = function () { return String.raw({ raw: { length: 9007199254740991 } }); };

//# native-big-power steps/memory/exception duktape:- mujs:-
exports.fetch = function () { return 3n ** 100000000n; };

//# native-big-product steps/memory/exception duktape:- mujs:-
exports.fetch = function () { let n = 3n; for (;;) { n = n * n; } };

//# native-big-to-text steps/memory duktape:- mujs:-
exports.fetch = function () { const n = 7n ** 30000n; for (;;) { String(n).length; } };

//# native-big-of-text steps/memory duktape:- mujs:-
exports.fetch = function () { const t = '7'.repeat(50000); for (;;) { BigInt(t); } };

//# native-big-division steps/memory duktape:- mujs:-
exports.fetch = function () { const n = 7n ** 30000n, m = 3n ** 20000n; let x = 0n; for (;;) { x = n / m % (m + x); } };

//# native-big-shift steps/memory/exception duktape:- mujs:-
exports.fetch = function () { for (;;) { (1n << 1000000n) >> 999999n; } };

//# native-set-like steps/memory quickjs:- duktape:- mujs:-
exports.fetch = function () { return new Set([1]).isSupersetOf({ size: 1, has: () => true, keys() { return { next() { return { value: 1 }; } }; } }); };

//# native-map-collisions steps/memory duktape:- mujs:-
exports.fetch = function () { const m = new Map(); for (let i = 0;; i++) { m.set(i * 2 ** 32, 1); if (m.size > 5000) { m.clear(); } } };

//# native-group-by steps/memory duktape:- mujs:-
exports.fetch = function () { const a = new Array(20000).fill(1); for (;;) { Object.groupBy(a, (x, i) => i & 7); Object.fromEntries(a.map((x, i) => [i, x])); } };

//# native-own-keys-of-proxy steps/memory/exception mujs:-
exports.fetch = function () {
    var keys = [];
    for (var i = 0; i < 5000; i++) { keys.push('k' + i); }
    for (;;) { Object.keys(new Proxy({}, { ownKeys: function () { return keys; } })); }
};

//# native-proxy-chain steps/memory/stack/exception mujs:-
exports.fetch = function () { var p = {}; for (var i = 0; i < 300; i++) { p = new Proxy(p, {}); } for (;;) { p.x; 'x' in p; } };

//# native-intl steps/memory quickjs:- duktape:- mujs:-
exports.fetch = function () { for (;;) { new Intl.DateTimeFormat('de', { dateStyle: 'full' }).format(); [...new Intl.Segmenter('en').segment('a b '.repeat(1000))]; } };
