/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.js - start of the prelude: the platform's globals, and the glue between an engine file
 * and a lambda, in ES5 for all engines.
 *
 * Each file of the prelude is a function of the global object, the functions that C provides
 * (`native`, listed in js/native.h), and `own`, on which these files pass things on. The
 * engine file calls this one; it calls the others: some at once, some when a global of theirs
 * is touched, or before the snapshot if the lambda's files mention one, since every byte of
 * the heap is copied for every request. The state of our objects hangs on one symbol, so that
 * scripts see the web's properties only.
 */
(function (global, native, own) {
    'use strict';

    /* An engine without symbols gives a name that scripts cannot make or see. */
    var S = own.key || Symbol('tfaas');
    var ITERATOR = own.key ? undefined : Symbol.iterator;

    function define(object, name, value) {
        Object.defineProperty(object, name,
            { value: value, writable: true, configurable: true, enumerable: false });
    }

    function getter(object, name, get) {
        Object.defineProperty(object, name,
            { get: get, configurable: true, enumerable: false });
    }

    function methods(object, table) {
        var names = Object.keys(table);
        for (var i = 0; i < names.length; i++) {
            define(object, names[i], table[names[i]]);
        }
    }

    /* An iterator over an array: with Symbol.iterator where the engine has it. */
    function iterate(array, map) {
        var at = 0;
        var it = {
            next: function () {
                if (at >= array.length) {
                    return { value: undefined, done: true };
                }
                return { value: map(array[at++]), done: false };
            }
        };
        if (ITERATOR) {
            define(it, ITERATOR, function () {
                return it;
            });
        }
        return it;
    }

    /* keys, values, entries, forEach over what `get` lists as pairs. */
    function iterable(prototype, get) {
        methods(prototype, {
            keys: function () {
                return iterate(get(this), function (pair) {
                    return pair[0];
                });
            },
            values: function () {
                return iterate(get(this), function (pair) {
                    return pair[1];
                });
            },
            entries: function () {
                return iterate(get(this), function (pair) {
                    return [pair[0], pair[1]];
                });
            },
            forEach: function (action, self) {
                var all = get(this);
                for (var i = 0; i < all.length; i++) {
                    action.call(self, all[i][1], all[i][0], this);
                }
            }
        });
        if (ITERATOR) {
            define(prototype, ITERATOR, prototype.entries);
        }
    }

    /* No code from strings: `eval` and each constructor that compiles become functions that
     * throw (libraries mention them). The originals stay reachable from nowhere. */
    function refuseCode() {
        throw new EvalError('code generation from strings is not allowed');
    }

    function disarm(prototype) {
        function Function() {
            refuseCode();
        }
        Function.prototype = prototype;
        Object.defineProperty(prototype, 'constructor',
            { value: Function, writable: false, configurable: false, enumerable: false });
        return Function;
    }

    define(global, 'eval', refuseCode);
    define(global, 'Function', disarm(Function.prototype));
    own.compilers.forEach(disarm);
    ['Duktape', 'Buffer', 'CBOR', 'SharedArrayBuffer', 'Atomics'].forEach(function (name) {
        delete global[name];
    });

    var loaded = {};
    var lazy = [];
    var mentions = native.mentions; /* made here, not at each load */

    /* Runs another file of the prelude, once; what it defines may ask for it again. */
    function need(file) {
        if (loaded[file] === true) {
            return;
        }
        loaded[file] = true;
        try {
            native.prelude(file)(global, native, own);
        } catch (e) {
            loaded[file] = false;
            throw e;
        }
    }

    /* Accessors of what `file` defines when it is touched: a property, or several if the
     * engine tells accessors the name of theirs. */
    function late(object, file, name) {
        return {
            get: function (told) {
                need(file);
                return object[name || told];
            },
            set: function (value, told) {
                define(object, name || told, value);
            },
            configurable: true,
            enumerable: false
        };
    }

    /* Globals (or, with a prefix, properties) that `file` defines when they are touched, or
     * when the program mentions one of `words`: their names, if others are not given. */
    function provide(object, prefix, names, file, words) {
        var all = native.tells ? late(object, file) : null;
        names.forEach(function (name) {
            if (native.provide) {
                native.provide(object, name, file);
            } else {
                Object.defineProperty(object, name, all || late(object, file, name));
            }
        });
        (words || names).forEach(function (word) {
            lazy.push(prefix ? prefix + word : word, file);
        });
    }

    /* Before the program runs: what its files mention belongs into the snapshot. */
    own.prepare = function () {
        for (var i = 0; i < lazy.length; i += 2) {
            if (mentions(lazy[i])) {
                need(lazy[i + 1]);
            }
        }
    };

    own.S = S;
    own.need = need;
    own.provide = provide;
    own.define = define;
    own.getter = getter;
    own.methods = methods;
    own.iterable = iterable;

    define(global, 'self', global);
    define(global, 'globalThis', global);
    define(global, 'navigator', { userAgent: 'tfaas' });
    provide(global, '', ['URL', 'URLSearchParams'], 'url');
    provide(global, '', ['TextEncoder', 'TextDecoder', 'btoa', 'atob'], 'text');
    provide(global, '', ['console', 'performance', 'crypto', 'queueMicrotask',
        'structuredClone'], 'web');
    if (native.provide) {
        need('builtin');
    } else {
        define(Math, 'random', native.random);
    }
    if (own.key) {
        need('bytes');
    }
    own.absolute = function (url) {
        need('url');
        return new own.URL(url).href;
    };
    /* Marks the answer as no response before it throws: the caller tells that from an
     * exception of the lambda's own. */
    own.refuse = function (text) {
        native.refuse();
        throw new TypeError(text);
    };
    if (typeof global.Promise !== 'function') {
        need('promise');
    }
    /* On `own`, since some files run late, when a lambda may have put a polyfill in the
     * place of a global, which builds on what these files make. */
    own.Promise = global.Promise;
    if (!own.enqueue) {
        var settled = own.Promise.resolve();
        var then = settled.then;
        own.enqueue = function (job) {
            then.call(settled, job);
        };
    }
    if (typeof global.Promise.all !== 'function') {
        provide(global.Promise, 'Promise.', ['all', 'allSettled', 'any', 'race'], 'combine');
        provide(global.Promise.prototype, '', ['finally'], 'finally');
    }
    if (native.http) {
        native.http(own);
    } else {
        need('http');
    }
    own.Headers = global.Headers;
    own.Response = global.Response;
    need('lambda');
    if (native.wanted() !== '') {
        need(native.wanted());
    }
})
