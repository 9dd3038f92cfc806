/* SPDX-License-Identifier: Apache-2.0 */
/* event.js - handlers in AWS Lambda's style, `exports.handler`. */
(function (global, native, own) {
    'use strict';

    var Promise = own.Promise;
    var Headers = own.Headers;
    var Response = own.Response;
    var respond = own.respond;
    var hasOwn = Object.prototype.hasOwnProperty;

    own.need('query');

    /* Adds to an object of strings, where equal names are joined by a comma. */
    function join(object, name, value) {
        object[name] = hasOwn.call(object, name) ? object[name] + ',' + value : value;
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
            join(event.headers, flat[i], flat[i + 1]);
        }
        event.requestContext.http.userAgent = event.headers['user-agent'] || '';
        if (m[3] !== '') {
            event.queryStringParameters = {};
            own.parseQuery(m[3]).forEach(function (pair) {
                join(event.queryStringParameters, pair[0], pair[1]);
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
        if (isBase64) {
            own.need('text');
            return own.decode64(body, true);
        }
        return body;
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
                own.refuse('the handler returned nothing');
            }
        }
        own.answer(status, s.body, s.headers);
    }

    function eventHandler(target, handle) {
        var name = native.name();
        var deliver = own.deliverer(respondEvent);
        return function (method, url) {
            var result;
            function done(error, value) {
                if (error !== undefined && error !== null) {
                    native.fail(error);
                } else {
                    deliver(Promise.resolve(value));
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
                deliver(result);
            }
        };
    }

    own.eventHandler = eventHandler;
})
