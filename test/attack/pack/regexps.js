// SPDX-License-Identifier: Apache-2.0
// Regular expressions that take for ever to match or to compile.

//# regexp-nested-plus steps
exports.fetch = function () { return /^(a+)+$/.test(new Array(40).join('a') + '!'); };

//# regexp-alternatives steps
exports.fetch = function () { return /^(a|a|aa)+$/.test(new Array(60).join('a') + '!'); };

//# regexp-optional steps
exports.fetch = function () {
    return new RegExp('^' + new Array(40).join('a?') + new Array(40).join('a') + '$').test(new Array(39).join('a'));
};

//# regexp-polynomial steps
exports.fetch = function () { return /.*.*.*.*.*x$/.test(new Array(5000).join('y')); };

//# regexp-mail steps
exports.fetch = function () {
    return /^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@)$/.test(new Array(50).join('a') + '!');
};

//# regexp-back-reference steps
exports.fetch = function () { for (;;) { /^(x+)\1+y$/.test(new Array(3000).join('x')); } };

//# regexp-look-ahead steps
exports.fetch = function () { return /^(?=(a+)+$)b/.test(new Array(40).join('a') + '!'); };

//# regexp-negative-look-ahead steps
exports.fetch = function () { return /^(?!(a+)+$)b/.test(new Array(40).join('a') + '!'); };

//# regexp-look-behind steps duktape:- mujs:-
exports.fetch = function () { return new RegExp('(?<=^(?:a|aa)+)b').test('x' + 'a'.repeat(60) + 'b'); };

//# regexp-ignore-case steps
exports.fetch = function () { return /^(?:a|A|b|B|ab)+$/i.test(new Array(40).join('aB') + '!'); };

//# regexp-replace steps
exports.fetch = function () { return (new Array(40).join('a') + '!').replace(/^(a+)+$/g, 'x'); };

//# regexp-split steps
exports.fetch = function () { return (new Array(40).join('a') + '!').split(/(?:a+)+$/); };

//# regexp-match-all-starts steps
exports.fetch = function () { for (;;) { new Array(20000).join(' ').match(/\s+$x/g); } };

//# regexp-search steps
exports.fetch = function () { return (new Array(40).join('ab') + '!').search(/(?:(?:ab)+)+$/); };

//# regexp-lazy steps
exports.fetch = function () { return /^(.+?)+?$y/.test(new Array(40).join('a')); };

//# regexp-counted steps/memory/stack/exception
exports.fetch = function () { return /^(?:(?:a{1,50}){1,50}){1,50}b/.test(new Array(100).join('a')); };

//# regexp-compile-counted steps/memory/stack/exception
exports.fetch = function () {
    var p = 'a', i;
    for (i = 0; i < 12; i++) { p = '(?:' + p + '){9}'; }
    for (;;) { new RegExp(p + Math.random()).test('aaaa'); }
};

//# regexp-compile-long steps/memory
exports.fetch = function () { for (var i = 0;; i++) { try { new RegExp(new Array(50000).join('a|') + i); } catch (e) {} } };

//# regexp-compile-nested steps/memory/stack/exception
exports.fetch = function () { return new RegExp(new Array(100000).join('(') + new Array(100000).join(')')).test('x'); };

//# regexp-compile-nested-look-aheads steps/memory/stack/exception
exports.fetch = function () { return new RegExp(new Array(50000).join('(?=') + new Array(50000).join(')')).test('x'); };

//# regexp-compile-classes steps/memory
exports.fetch = function () {
    for (var i = 0;; i++) { try { new RegExp(new Array(300).join('[^\\u0000-\\ud7ff]') + i, 'i').test('x'); } catch (e) {} }
};

//# regexp-compile-open-class exception
exports.fetch = function () { return new RegExp('[' + new Array(100000).join('a-z')); };

//# regexp-many-captures steps/memory/stack/exception
exports.fetch = function () { for (;;) { new RegExp(new Array(400).join('(x)?') + 'y').exec(new Array(2000).join('x')); } };

//# regexp-match-recursion steps/memory/stack/exception
exports.fetch = function () { for (;;) { /^(?:(?:x|y)|z)*$/.test(new Array(200000).join('xy')); } };

//# regexp-unicode steps duktape:- mujs:-
exports.fetch = function () { return new RegExp('^(\\p{L}+)+$', 'u').test('\u00e9'.repeat(40) + '!'); };

//# regexp-named steps duktape:- mujs:-
exports.fetch = function () { return new RegExp('^(?<a>a+)+\\k<a>$').test('a'.repeat(40) + '!'); };

//# regexp-sticky steps duktape:- mujs:-
exports.fetch = function () { const r = new RegExp('(?:a|aa)+$', 'y'); return r.test('a'.repeat(60) + '!'); };

//# regexp-unicode-properties-compile steps/memory duktape:- mujs:-
exports.fetch = function () {
    for (let i = 0;; i++) { new RegExp('[\\p{L}\\p{N}^\\P{Lu}]'.repeat(50) + i, 'iu').test('\u1e9e'); }
};

//# regexp-exec-overridden steps/memory duktape:- mujs:-
exports.fetch = function () { const r = /a/g; r.exec = () => ({ length: 2 ** 53, index: 0, 0: '' }); return 'aaa'.replace(r, () => ''); };

//# regexp-replace-template steps/memory
exports.fetch = function () {
    var s = 'x';
    for (;;) { s = s.replace(/x/g, '$&$&'); }
};
