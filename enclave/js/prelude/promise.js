/* SPDX-License-Identifier: Apache-2.0 */
/* promise.js - promises where the engine has none: ECMA-262 27.2 without species. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var define = own.define;
    var methods = own.methods;

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

    function definePromise() {
        function Promise(executor) {
            if (!(this instanceof Promise) || typeof executor !== 'function') {
                throw new TypeError('Promise needs new and a function');
            }
            this[S] = { state: 0, value: undefined, waiting: [] };
            run(this, executor);
        }

        function settle(promise, state, value) {
            var s = promise[S];
            var waiting = s.waiting;
            s.state = state;
            s.value = value;
            s.waiting = null;
            waiting.forEach(function (reaction) {
                jobs.push(reaction);
            });
        }

        function resolve(promise, value) {
            var then;
            if (value === promise) {
                return settle(promise, 2, new TypeError('a promise resolved with itself'));
            }
            if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
                return settle(promise, 1, value);
            }
            try {
                then = value.then;
            } catch (e) {
                return settle(promise, 2, e);
            }
            if (typeof then !== 'function') {
                return settle(promise, 1, value);
            }
            jobs.push(function () {
                run(promise, function (yes, no) {
                    then.call(value, yes, no);
                });
            });
        }

        /* Calls `executor` with functions of which only the first call counts. */
        function run(promise, executor) {
            var done = false;
            function once(action) {
                return function (value) {
                    if (!done) {
                        done = true;
                        action(value);
                    }
                };
            }
            var no = once(function (reason) {
                settle(promise, 2, reason);
            });
            try {
                executor(once(function (value) {
                    resolve(promise, value);
                }), no);
            } catch (e) {
                no(e);
            }
        }

        function react(promise, next, yes, no) {
            return function () {
                var s = promise[S];
                var handler = s.state === 1 ? yes : no;
                if (typeof handler !== 'function') {
                    return s.state === 1 ? resolve(next, s.value) : settle(next, 2, s.value);
                }
                run(next, function (ok) {
                    ok(handler(s.value));
                });
            };
        }

        function nothing() {
        }

        methods(Promise.prototype, {
            then: function (yes, no) {
                var next = new Promise(nothing);
                var s = this[S];
                var reaction = react(this, next, yes, no);
                if (s.state === 0) {
                    s.waiting.push(reaction);
                } else {
                    jobs.push(reaction);
                }
                return next;
            },
            'catch': function (no) {
                return this.then(undefined, no);
            },
            'finally': function (action) {
                if (typeof action !== 'function') {
                    return this.then(action, action);
                }
                return this.then(function (value) {
                    return Promise.resolve(action()).then(function () {
                        return value;
                    });
                }, function (reason) {
                    return Promise.resolve(action()).then(function () {
                        throw reason;
                    });
                });
            }
        });

        /* all, allSettled and any: collect from each, finish when none is left. */
        function collect(list, each) {
            return new Promise(function (yes, no) {
                var left = list.length;
                var out = new Array(left);
                function put(i, value) {
                    out[i] = value;
                    left--;
                    if (left === 0) {
                        each.done(out, yes, no);
                    }
                }
                if (left === 0) {
                    each.done(out, yes, no);
                }
                Array.prototype.forEach.call(list, function (item, i) {
                    Promise.resolve(item).then(function (value) {
                        each.yes(value, i, put, yes);
                    }, function (reason) {
                        each.no(reason, i, put, no);
                    });
                });
            });
        }

        function finish(out, yes) {
            yes(out);
        }

        methods(Promise, {
            resolve: function (value) {
                if (value instanceof Promise) {
                    return value;
                }
                return new Promise(function (yes) {
                    yes(value);
                });
            },
            reject: function (reason) {
                return new Promise(function (yes, no) {
                    no(reason);
                });
            },
            race: function (list) {
                return new Promise(function (yes, no) {
                    Array.prototype.forEach.call(list, function (item) {
                        Promise.resolve(item).then(yes, no);
                    });
                });
            },
            all: function (list) {
                return collect(list, {
                    yes: function (value, i, put) {
                        put(i, value);
                    },
                    no: function (reason, i, put, no) {
                        no(reason);
                    },
                    done: finish
                });
            },
            allSettled: function (list) {
                return collect(list, {
                    yes: function (value, i, put) {
                        put(i, { status: 'fulfilled', value: value });
                    },
                    no: function (reason, i, put) {
                        put(i, { status: 'rejected', reason: reason });
                    },
                    done: finish
                });
            },
            any: function (list) {
                return collect(list, {
                    yes: function (value, i, put, yes) {
                        yes(value);
                    },
                    no: function (reason, i, put) {
                        put(i, reason);
                    },
                    done: function (out, yes, no) {
                        var error = new Error('all promises were rejected');
                        error.name = 'AggregateError';
                        error.errors = out;
                        no(error);
                    }
                });
            }
        });
        define(global, 'Promise', Promise);
    }

    if (typeof global.Promise !== 'function') {
        definePromise();
    }
})
