/* SPDX-License-Identifier: Apache-2.0 */
/* lambda.js - finds the handler, calls it, takes what it returns. */
(function (global, native, own) {
    'use strict';

    var Promise = own.Promise;
    var variables = native.env; /* made here, not at each load */
    var serve = native.serve;

    var handler = null; /* function (method, url): starts to answer */

    /* Makes a function that hands what the handler returned to `finish`, now or when its
     * promise settles. */
    function deliverer(finish) {
        function settled(value) {
            try {
                finish(value);
            } catch (e) {
                native.fail(e);
            }
        }
        return function (result) {
            if (result !== null && typeof result === 'object' &&
                typeof result.then === 'function') {
                Promise.resolve(result).then(settled, native.fail);
            } else {
                finish(result);
            }
        };
    }

    function environment() {
        var env = {};
        var flat = variables();
        for (var i = 0; i < flat.length; i += 2) {
            env[flat[i]] = flat[i + 1];
        }
        return env;
    }

    function nothing() {
    }

    function fetchHandler(target, fetch) {
        var env = environment();
        var deliver = deliverer(own.respond);
        var context = {
            waitUntil: function (promise) {
                Promise.resolve(promise).then(nothing, nothing);
            },
            passThroughOnException: nothing
        };
        if (serve) {
            serve(target, fetch, env, context);
            return null;
        }
        return function (method, url) {
            deliver(fetch.call(target, own.incoming(method, url), env, context));
        };
    }

    /* A module's namespace or CommonJS exports, then their default export. */
    function bind(exports) {
        var places = [exports, exports && exports['default']];
        for (var i = 0; i < places.length; i++) {
            var place = places[i];
            if (place === null || (typeof place !== 'object' && typeof place !== 'function')) {
                continue;
            }
            if (typeof place.fetch === 'function') {
                handler = fetchHandler(place, place.fetch);
                return;
            }
            if (typeof place.handler === 'function') {
                own.need('event');
                handler = own.eventHandler(place, place.handler);
                return;
            }
        }
        throw new TypeError('no handler: export default { fetch }, exports.fetch or ' +
            'exports.handler');
    }

    own.need('commonjs'); /* most lambdas': part of the base, it costs no load */
    own.load = function (entry) {
        bind(own.run(entry));
    };
    own.bind = bind;
    own.deliverer = deliverer;
    own.call = function (method, url) {
        handler(method, url);
    };
})
