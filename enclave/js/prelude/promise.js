/* SPDX-License-Identifier: Apache-2.0 */
/* promise.js - promises where the engine file has none: ECMA-262 27.2 without species. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var PENDING = 0;
    var FULFILLED = 1;
    var REJECTED = 2;
    var jobs = [];

    own.drain = function () {
        while (jobs.length > 0) {
            var batch = jobs;
            jobs = [];
            for (var i = 0; i < batch.length; i++) {
                batch[i]();
            }
        }
    };

    function Promise(executor) {
        if (!(this instanceof Promise) || typeof executor !== 'function') {
            throw new TypeError('Promise needs new and a function');
        }
        this[S] = { state: PENDING, value: undefined, waiting: [] };
        run(this, executor);
    }

    function make(state, value) {
        var promise = Object.create(Promise.prototype);
        promise[S] = { state: state, value: value, waiting: [] };
        return promise;
    }

    function settle(promise, state, value) {
        var s = promise[S];
        s.state = state;
        s.value = value;
        if (s.waiting.length > 0) {
            jobs = jobs.concat(s.waiting);
        }
        s.waiting = null;
    }

    function isObject(value) {
        return value !== null && (typeof value === 'object' || typeof value === 'function');
    }

    function resolve(promise, value) {
        var then;
        if (!isObject(value)) {
            settle(promise, FULFILLED, value);
            return;
        }
        if (value === promise) {
            settle(promise, REJECTED, new TypeError('a promise resolved with itself'));
            return;
        }
        try {
            then = value.then;
        } catch (e) {
            settle(promise, REJECTED, e);
            return;
        }
        if (typeof then !== 'function') {
            settle(promise, FULFILLED, value);
            return;
        }
        jobs.push(function () {
            run(promise, function (yes, no) {
                then.call(value, yes, no);
            });
        });
    }

    /* Calls `executor` with two functions, of which only the first call counts. */
    function run(promise, executor) {
        var done = false;
        function no(reason) {
            if (!done) {
                done = true;
                settle(promise, REJECTED, reason);
            }
        }
        try {
            executor(function (value) {
                if (!done) {
                    done = true;
                    resolve(promise, value);
                }
            }, no);
        } catch (e) {
            no(e);
        }
    }

    function then(yes, no) {
        var s = this[S];
        var next = make(PENDING);
        function react() {
            var handler = s.state === FULFILLED ? yes : no;
            var value;
            if (typeof handler !== 'function') {
                settle(next, s.state, s.value);
                return;
            }
            try {
                value = handler(s.value);
            } catch (e) {
                settle(next, REJECTED, e);
                return;
            }
            resolve(next, value);
        }
        if (s.state === PENDING) {
            s.waiting.push(react);
        } else {
            jobs.push(react);
        }
        return next;
    }

    own.methods(Promise.prototype, {
        then: then,
        'catch': function (no) {
            return this.then(undefined, no);
        }
    });
    own.methods(Promise, {
        resolve: function (value) {
            var promise;
            if (value instanceof Promise) {
                return value;
            }
            promise = make(PENDING);
            resolve(promise, value);
            return promise;
        },
        reject: function (reason) {
            return make(REJECTED, reason);
        }
    });
    own.enqueue = function (job) {
        jobs.push(job);
    };
    own.define(global, 'Promise', Promise);
})
