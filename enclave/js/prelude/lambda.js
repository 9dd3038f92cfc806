/* SPDX-License-Identifier: Apache-2.0 */
/* lambda.js - last of the prelude: CommonJS, and calling the handler. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var Promise = global.Promise;
    var Headers = global.Headers;
    var Response = global.Response;

    /* --- CommonJS ---------------------------------------------------------------------- */

    var loaded = {};

    function resolve(folder, name) {
        var parts = folder === '' ? [] : folder.split('/');
        var path;
        if (!/^\.{1,2}\//.test(name)) {
            throw new Error('cannot find module ' + JSON.stringify(name) +
                ': only relative paths name one');
        }
        name.split('/').forEach(function (step) {
            if (step === '..') {
                parts.pop();
            } else if (step !== '.' && step !== '') {
                parts.push(step);
            }
        });
        path = parts.join('/');
        var tries = [path, path + '.js', path + '.json', path + '/index.js'];
        for (var i = 0; i < tries.length; i++) {
            if (native.has(tries[i])) {
                return tries[i];
            }
        }
        throw new Error('cannot find module ' + JSON.stringify(name));
    }

    function run(path) {
        var folder = path.replace(/\/?[^\/]*$/, '');
        var module = { exports: {}, id: path, loaded: false };
        if (Object.prototype.hasOwnProperty.call(loaded, path)) {
            return loaded[path].exports;
        }
        loaded[path] = module;
        try {
            if (/\.json$/.test(path)) {
                module.exports = JSON.parse(native.source(path));
            } else {
                native.compile(path).call(module.exports, module.exports, function (name) {
                    return run(resolve(folder, String(name)));
                }, module, path, folder);
            }
        } catch (e) {
            delete loaded[path];
            throw e;
        }
        module.loaded = true;
        return module.exports;
    }

    /* --- the handler ------------------------------------------------------------------- */

    var handler = null; /* function (method, url): starts to answer */

    /* Marks the answer as no response before it throws: the caller tells that from an
     * exception of the lambda's own. */
    function refuse(text) {
        native.refuse();
        throw new TypeError(text);
    }

    function respond(response) {
        var s = response !== null && typeof response === 'object' ? response[S] : undefined;
        if (s === undefined || s.response !== true || s.status === 0) {
            refuse('the handler returned no Response');
        }
        if (s.used) {
            refuse('the body of the Response has been used');
        }
        native.respond(s.status, s.body, s.headers[S]);
    }

    /* Hands what the handler returned to `finish`, now or when its promise settles. */
    function deliver(result, finish) {
        if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
            Promise.resolve(result).then(finish).then(undefined, native.fail);
        } else {
            finish(result);
        }
    }

    function environment() {
        var env = {};
        var flat = native.env();
        for (var i = 0; i < flat.length; i += 2) {
            env[flat[i]] = flat[i + 1];
        }
        return env;
    }

    function nothing() {
    }

    function fetchHandler(target, fetch) {
        var env = environment();
        var context = {
            waitUntil: function (promise) {
                Promise.resolve(promise).then(nothing, nothing);
            },
            passThroughOnException: nothing
        };
        return function (method, url) {
            var result = fetch.call(target, own.incoming(method, url), env, context);
            if (result instanceof Response) {
                respond(result);
            } else {
                deliver(result, respond);
            }
        };
    }

    /* The event of AWS API Gateway's HTTP API, payload format version 2.0. */
    function eventOf(method, url) {
        var m = /^[a-z]+:\/\/([^\/?#]*)([^?#]*)\??([^#]*)/.exec(url);
        var flat = native.headers();
        var text = native.text(true);
        var now = native.now();
        var event = { version: '2.0', routeKey: '$default', rawPath: m[2] || '/',
            rawQueryString: m[3], headers: {}, isBase64Encoded: text === null,
            requestContext: { domainName: m[1], http: { method: method, path: m[2] || '/',
                protocol: 'HTTP/1.1', sourceIp: '', userAgent: '' }, requestId: '',
            routeKey: '$default', stage: '$default', timeEpoch: now } };
        for (var i = 0; i < flat.length; i += 2) {
            if (flat[i] === 'cookie') {
                event.cookies = (event.cookies || []).concat(flat[i + 1].split(/; */));
            }
            event.headers[flat[i]] = event.headers[flat[i]] === undefined ? flat[i + 1]
                : event.headers[flat[i]] + ',' + flat[i + 1];
        }
        event.requestContext.http.userAgent = event.headers['user-agent'] || '';
        if (m[3] !== '') {
            event.queryStringParameters = {};
            own.parseQuery(m[3]).forEach(function (pair) {
                var all = event.queryStringParameters;
                all[pair[0]] = all[pair[0]] === undefined ? pair[1]
                    : all[pair[0]] + ',' + pair[1];
            });
        }
        if (text !== '') {
            event.body = text === null ? native.body64() : text;
        }
        return event;
    }

    function respondHeaders(result) {
        var headers = new Headers(result.headers);
        var many = result.multiValueHeaders;
        if (many) {
            Object.keys(many).forEach(function (name) {
                many[name].forEach(function (value) {
                    headers.append(name, value);
                });
            });
        }
        if (result.cookies) {
            result.cookies.forEach(function (value) {
                headers.append('set-cookie', value);
            });
        }
        return headers;
    }

    function respondBody(body, isBase64) {
        if (body === undefined || body === null) {
            return null;
        }
        if (typeof body !== 'string') {
            return typeof body === 'object' ? JSON.stringify(body) : String(body);
        }
        return isBase64 ? own.decode64(body, true) : body;
    }

    function respondEvent(result) {
        var s = { headers: null, body: null };
        var status = 200;
        if (result instanceof Response) {
            respond(result);
            return;
        }
        if (result !== null && typeof result === 'object' && result.statusCode !== undefined) {
            status = Number(result.statusCode);
            try {
                s.headers = respondHeaders(result);
                s.body = respondBody(result.body, result.isBase64Encoded === true);
            } catch (e) {
                native.refuse();
                throw e;
            }
        } else {
            s.headers = new Headers();
            s.body = typeof result === 'string' ? result : JSON.stringify(result);
            if (s.body === undefined) {
                refuse('the handler returned nothing');
            }
        }
        if (s.body !== null && !own.isNullBody(status)) {
            own.defaultType(s, 'application/json');
        }
        native.respond(status, s.body, s.headers[S]);
    }

    function eventHandler(target, handle) {
        var name = native.name();
        return function (method, url) {
            var result;
            function done(error, value) {
                if (error !== undefined && error !== null) {
                    native.fail(error);
                } else {
                    Promise.resolve(value).then(respondEvent).then(undefined, native.fail);
                }
            }
            result = handle.call(target, eventOf(method, url), {
                functionName: name, functionVersion: '$LATEST', awsRequestId: '',
                callbackWaitsForEmptyEventLoop: true, done: done,
                succeed: function (value) {
                    done(null, value);
                },
                fail: function (error) {
                    done(error || new Error('failed'));
                }
            }, done);
            if (result !== undefined || handle.length < 3) {
                deliver(result, respondEvent);
            }
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
                handler = eventHandler(place, place.handler);
                return;
            }
        }
        throw new TypeError('no handler: export default { fetch }, exports.fetch or ' +
            'exports.handler');
    }

    own.load = function (entry) {
        bind(run(entry));
    };
    own.bind = bind;
    own.call = function (method, url) {
        handler(method, url);
    };
})
