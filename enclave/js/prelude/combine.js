/* SPDX-License-Identifier: Apache-2.0 */
/* combine.js - Promise.all and its like, for engines that have no promises, over arrays. */
(function (global, native, own) {
    'use strict';

    var Promise = own.Promise;

    /* Collects from each; `done` when none is left. */
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

    function putValue(value, i, put) {
        put(i, value);
    }

    function pass(value, i, put, settle) {
        settle(value);
    }

    own.methods(Promise, {
        race: function (list) {
            return new Promise(function (yes, no) {
                Array.prototype.forEach.call(list, function (item) {
                    Promise.resolve(item).then(yes, no);
                });
            });
        },
        all: function (list) {
            return collect(list, { yes: putValue, no: pass, done: finish });
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
                yes: pass,
                no: putValue,
                done: function (out, yes, no) {
                    var error = new Error('all promises were rejected');
                    error.name = 'AggregateError';
                    error.errors = out;
                    no(error);
                }
            });
        }
    });
})
