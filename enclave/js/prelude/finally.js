/* SPDX-License-Identifier: Apache-2.0 */
/* finally.js - Promise.prototype.finally, for engines that have no promises. */
(function (global, native, own) {
    'use strict';

    var Promise = own.Promise;

    own.methods(Promise.prototype, {
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
})
