/* SPDX-License-Identifier: Apache-2.0 */
/* http.js - Headers, Request and Response: WHATWG Fetch, without streams. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var define = own.define;
    var getter = own.getter;
    var methods = own.methods;
    var iterable = own.iterable;
    var Promise = own.Promise;

    var INCOMING = {}; /* stands for the body of the request that is being answered */

    /* The number of that request; what an earlier one left is not readable. */
    own.turn = 0;

    /* --- Headers: a flat list of lower-case names and values --------------------------- */

    function headerName(name) {
        var lower = native.lower(name);
        if (lower === null) {
            throw new TypeError('bad header name: ' + JSON.stringify(name));
        }
        return lower;
    }

    function headerValue(value) {
        value = String(value);
        if (native.plain(value)) {
            return value;
        }
        value = value.replace(/^[\t\n\r ]+/, '').replace(/[\t\n\r ]+$/, '');
        if (/[^ -~\x80-\xff]/.test(value)) {
            throw new TypeError('bad header value: ' + JSON.stringify(value));
        }
        return value;
    }

    function Headers(init) {
        this[S] = [];
        if (init !== undefined && init !== null) {
            fill(this, init);
        }
    }

    function fill(headers, init) {
        var names;
        if (init instanceof Headers) {
            headers[S] = list(init).slice();
        } else if (Array.isArray(init)) {
            init.forEach(function (pair) {
                if (!pair || pair.length !== 2) {
                    throw new TypeError('a header is a pair of name and value');
                }
                headers.append(pair[0], pair[1]);
            });
        } else if (typeof init === 'object') {
            names = Object.keys(init);
            for (var i = 0; i < names.length; i++) {
                headers[S].push(headerName(names[i]), headerValue(init[names[i]]));
            }
        } else {
            throw new TypeError('bad headers');
        }
    }

    /* The headers of the request are fetched from the engine file when first touched: until
     * then the state is the number of their request. */
    function list(headers) {
        var s = headers[S];
        if (typeof s === 'number') {
            s = s === own.turn ? native.headers() : [];
            headers[S] = s;
        }
        return s;
    }

    function remove(flat, name) {
        var out = [];
        for (var i = 0; i < flat.length; i += 2) {
            if (flat[i] !== name) {
                out.push(flat[i], flat[i + 1]);
            }
        }
        return out;
    }

    /* Sorted pairs, equal names joined, as iteration shows them (Fetch 5.1). */
    function pairs(headers) {
        var flat = list(headers);
        var names = [];
        var out = [];
        for (var i = 0; i < flat.length; i += 2) {
            if (names.indexOf(flat[i]) < 0) {
                names.push(flat[i]);
            }
        }
        names.sort().forEach(function (name) {
            if (name !== 'set-cookie') {
                out.push([name, headers.get(name)]);
                return;
            }
            headers.getSetCookie().forEach(function (value) {
                out.push([name, value]);
            });
        });
        return out;
    }

    methods(Headers.prototype, {
        get: function (name) {
            name = headerName(name);
            if (this[S] === own.turn) {
                return native.header(name);
            }
            var flat = list(this);
            var value = null;
            for (var i = 0; i < flat.length; i += 2) {
                if (flat[i] === name) {
                    value = value === null ? flat[i + 1] : value + ', ' + flat[i + 1];
                }
            }
            return value;
        },
        has: function (name) {
            return this.get(name) !== null;
        },
        set: function (name, value) {
            name = headerName(name);
            value = headerValue(value);
            this[S] = remove(list(this), name);
            this[S].push(name, value);
        },
        append: function (name, value) {
            list(this).push(headerName(name), headerValue(value));
        },
        'delete': function (name) {
            this[S] = remove(list(this), headerName(name));
        },
        getSetCookie: function () {
            var flat = list(this);
            var out = [];
            for (var i = 0; i < flat.length; i += 2) {
                if (flat[i] === 'set-cookie') {
                    out.push(flat[i + 1]);
                }
            }
            return out;
        }
    });
    iterable(Headers.prototype, pairs);

    /* --- bodies ------------------------------------------------------------------------ */

    /* What `request.body` gives: no stream yet, but `new Response(request.body)` works. */
    function Body(owner) {
        this[S] = owner;
    }

    /* Takes the body of a Request or Response: a string, a buffer, a view, or null. */
    function take(owner) {
        var s = owner[S];
        var body = s.body;
        if (s.used) {
            throw new TypeError('the body has been used');
        }
        s.used = body !== null;
        if (body === INCOMING && s.turn !== own.turn) {
            throw new TypeError('the body belongs to an earlier request');
        }
        return body;
    }

    function setBody(s, body) {
        if (body === undefined || body === null) {
            return;
        }
        if (typeof body === 'string') {
            s.body = body;
            defaultType(s, 'text/plain;charset=UTF-8');
        } else if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
            s.body = body;
        } else if (body instanceof Body) {
            s.body = take(body[S]);
            if (s.body === INCOMING) {
                s.body = native.buffer();
            }
        } else if (own.URLSearchParams && body instanceof own.URLSearchParams) {
            s.body = String(body);
            defaultType(s, 'application/x-www-form-urlencoded;charset=UTF-8');
        } else {
            s.body = String(body);
            defaultType(s, 'text/plain;charset=UTF-8');
        }
    }

    function defaultType(s, type) {
        var list = headersOf(s)[S];
        if (list.indexOf('content-type') < 0) {
            list.push('content-type', type);
        }
    }

    /* Without a byte order mark (Fetch: "UTF-8 decode"). */
    function asText(body) {
        var text = body === INCOMING ? native.text(false)
            : body === null || typeof body === 'string' ? body || '' : decode(body);
        return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }

    function decode(body) {
        if (body instanceof ArrayBuffer) {
            return native.decode(body, 0, body.byteLength, false);
        }
        return native.decode(body.buffer, body.byteOffset, body.byteLength, false);
    }

    function asBuffer(body) {
        if (body === INCOMING) {
            return native.buffer();
        }
        if (body === null || typeof body === 'string') {
            return native.encode(body || '');
        }
        if (body instanceof ArrayBuffer) {
            return body.slice(0);
        }
        return body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
    }

    function asBytes(body) {
        return new Uint8Array(asBuffer(body));
    }

    function asJson(body) {
        return JSON.parse(asText(body));
    }

    function consumer(convert) {
        return function () {
            try {
                return Promise.resolve(convert(take(this)));
            } catch (e) {
                return Promise.reject(e);
            }
        };
    }

    /* Those of an incoming request, or of a Response that native code made, are made when
     * they are asked for: with the number or the list that is there as `turn`. */
    function headersOf(s) {
        if (s.headers === null) {
            s.headers = Object.create(Headers.prototype);
            s.headers[S] = s.turn;
        }
        return s.headers;
    }

    function bodyMethods(prototype) {
        methods(prototype, {
            text: consumer(asText),
            json: consumer(asJson),
            arrayBuffer: consumer(asBuffer),
            bytes: consumer(asBytes)
        });
        getter(prototype, 'bodyUsed', function () {
            return this[S].used;
        });
        getter(prototype, 'body', function () {
            return this[S].body === null ? null : new Body(this);
        });
        getter(prototype, 'headers', function () {
            return headersOf(this[S]);
        });
    }

    /* --- Request ----------------------------------------------------------------------- */

    function Request(input, init) {
        var from = input instanceof Request ? input[S] : null;
        var s = { method: 'GET', url: '', headers: null, body: null, used: false,
            turn: own.turn };
        init = init || {};
        s.url = from ? from.url : own.absolute(input);
        s.method = init.method === undefined ? (from ? from.method : 'GET')
                                             : String(init.method);
        if (native.lower(s.method) === null) {
            throw new TypeError('bad method');
        }
        if (/^(get|head|post|put|delete|options)$/i.test(s.method)) {
            s.method = s.method.toUpperCase();
        }
        s.headers = new Headers(init.headers || (from ? headersOf(from) : undefined));
        if (init.body !== undefined && init.body !== null) {
            if (s.method === 'GET' || s.method === 'HEAD') {
                throw new TypeError(s.method + ' has no body');
            }
            setBody(s, init.body);
        } else if (from) {
            s.body = take(input);
        }
        this[S] = s;
    }

    function Incoming(method, url) {
        this[S] = { method: method, url: url, headers: null, body: INCOMING, used: false,
            turn: own.turn };
    }
    Incoming.prototype = Request.prototype;

    bodyMethods(Request.prototype);
    getter(Request.prototype, 'method', function () {
        return this[S].method;
    });
    getter(Request.prototype, 'url', function () {
        return this[S].url;
    });
    define(Request.prototype, 'clone', function () {
        var s = this[S];
        var copy;
        if (s.used) {
            throw new TypeError('the body has been used');
        }
        copy = new Incoming(s.method, s.url);
        copy[S].headers = new Headers(headersOf(s));
        copy[S].body = s.body;
        copy[S].turn = s.turn;
        return copy;
    });

    /* --- Response ---------------------------------------------------------------------- */

    function isNullBody(status) {
        return status === 204 || status === 205 || status === 304;
    }

    function Response(body, init) {
        var s = { response: true, status: 200, text: '', headers: null, body: null,
            used: false };
        if (init === undefined || init === null) {
            s.headers = new Headers();
        } else {
            if (init.status !== undefined) {
                s.status = Number(init.status);
            }
            if (init.statusText !== undefined) {
                s.text = String(init.statusText);
            }
            s.headers = new Headers(init.headers);
        }
        if (!(s.status >= 200 && s.status <= 599) || s.status !== Math.floor(s.status)) {
            throw new RangeError('status is not 200 to 599');
        }
        setBody(s, body);
        if (s.body !== null && isNullBody(s.status)) {
            throw new TypeError('status ' + s.status + ' has no body');
        }
        this[S] = s;
    }

    bodyMethods(Response.prototype);
    getter(Response.prototype, 'status', function () {
        return this[S].status;
    });
    getter(Response.prototype, 'statusText', function () {
        return this[S].text;
    });
    getter(Response.prototype, 'ok', function () {
        return this[S].status >= 200 && this[S].status <= 299;
    });
    getter(Response.prototype, 'type', function () {
        return this[S].status === 0 ? 'error' : 'default';
    });
    define(Response.prototype, 'clone', function () {
        var s = this[S];
        var copy;
        if (s.used) {
            throw new TypeError('the body has been used');
        }
        copy = new Response(null, { status: s.status, statusText: s.text, headers: headersOf(s) });
        copy[S].body = s.body;
        return copy;
    });
    /* An engine file may have the way that most requests take in C, where objects begin as
     * copies of these, with places that the file knows. */
    function blank(prototype) {
        var object = Object.create(prototype);
        object[S] = undefined;
        return object;
    }
    if (native.hot) {
        Response = native.hot({ symbol: S, own: own, incoming: INCOMING,
            blankRequest: blank(Request.prototype), blankHeaders: blank(Headers.prototype),
            blankResponse: blank(Response.prototype),
            requestState: { method: '', url: '', headers: null, body: INCOMING, used: false,
                turn: 0 },
            responseState: { status: 200, text: '', headers: null, body: null,
                used: false, turn: null, response: true },
            request: Request.prototype, headers: Headers.prototype,
            response: Response.prototype, Headers: Headers, headerValue: headerValue,
            setBody: setBody });
    }
    methods(Response, {
        json: function (data, init) {
            var text = JSON.stringify(data);
            var response;
            if (text === undefined) {
                throw new TypeError('this value has no JSON');
            }
            response = new Response(null, init);
            response[S].body = text;
            defaultType(response[S], 'application/json');
            return response;
        },
        redirect: function (url, status) {
            status = status === undefined ? 302 : status;
            if ([301, 302, 303, 307, 308].indexOf(status) < 0) {
                throw new RangeError('no redirect status');
            }
            return new Response(null,
                { status: status, headers: { location: own.absolute(url) } });
        },
        error: function () {
            var response = new Response();
            response[S].status = 0;
            return response;
        }
    });

    /* The request that the engine file has at hand. */
    own.incoming = function (method, url) {
        own.turn++;
        return new Incoming(method, url);
    };
    /* A body as the engine file takes it: a view becomes a buffer. */
    function exact(body) {
        if (body === null || typeof body === 'string' || body instanceof ArrayBuffer) {
            return body;
        }
        return body.byteLength === body.buffer.byteLength ? body.buffer : asBuffer(body);
    }
    /* The answer is this Response. */
    own.respond = function (response) {
        var s = response !== null && typeof response === 'object' ? response[S] : undefined;
        if (s === undefined || s.response !== true || s.status === 0) {
            own.refuse('the handler returned no Response');
        }
        if (s.used) {
            own.refuse('the body of the Response has been used');
        }
        native.respond(s.status, exact(s.body), headersOf(s)[S]);
    };
    /* The answer is made of these: of JSON, unless the headers say otherwise. */
    own.answer = function (status, body, headers) {
        if (body !== null && !isNullBody(status)) {
            defaultType({ headers: headers }, 'application/json');
        }
        native.respond(status, body, headers[S]);
    };
    methods(global, { Headers: Headers, Request: Request, Response: Response });
})
