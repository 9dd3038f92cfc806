/* SPDX-License-Identifier: Apache-2.0 */
/* url.js - URLSearchParams and URL: WHATWG URL for http and https, without IDNA. */
(function (global, native, own) {
    'use strict';

    var S = own.S;
    var define = own.define;
    var getter = own.getter;
    var methods = own.methods;
    var iterable = own.iterable;

    own.need('query');
    var parseQuery = own.parseQuery;
    var unescapeText = own.unescapeText;
    var LONE = /[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g;
    var HOST = /^(\[[^\]]*\]|[^:@\/\\?#]+)(?::([0-9]*))?(?:[\/\\?#]|$)/; /* as a setter takes it */
    var PORTS = { 'http:': '80', 'https:': '443' };

    function replaceLone(text) {
        return text.length === 1 ? '\ufffd' : text;
    }

    function formEncode(text) {
        text = encodeURIComponent(text.replace(LONE, replaceLone));
        return text.replace(/[!'()~]|%20/g, function (c) {
            return c === '%20' ? '+' : '%' + c.charCodeAt(0).toString(16).toUpperCase();
        });
    }

    function URLSearchParams(init) {
        var self = this;
        this[S] = { list: [], url: null };
        if (init === undefined || init === null) {
            return;
        }
        if (init instanceof URLSearchParams) {
            this[S].list = init[S].list.map(function (pair) {
                return pair.slice();
            });
        } else if (Array.isArray(init)) {
            init.forEach(function (pair) {
                if (!pair || pair.length !== 2) {
                    throw new TypeError('a parameter is a pair');
                }
                self[S].list.push([String(pair[0]), String(pair[1])]);
            });
        } else if (typeof init === 'object') {
            Object.keys(init).forEach(function (name) {
                self[S].list.push([name, String(init[name])]);
            });
        } else {
            this[S].list = parseQuery(String(init).replace(/^\?/, ''));
        }
    }

    function changed(params) {
        var url = params[S].url;
        if (url !== null) {
            var query = String(params);
            url.query = query === '' ? '' : '?' + query;
        }
    }

    methods(URLSearchParams.prototype, {
        get: function (name) {
            var all = this.getAll(name);
            return all.length > 0 ? all[0] : null;
        },
        getAll: function (name) {
            name = String(name);
            return this[S].list.filter(function (pair) {
                return pair[0] === name;
            }).map(function (pair) {
                return pair[1];
            });
        },
        has: function (name) {
            return this.getAll(name).length > 0;
        },
        append: function (name, value) {
            this[S].list.push([String(name), String(value)]);
            changed(this);
        },
        set: function (name, value) {
            var found = false;
            name = String(name);
            value = String(value);
            this[S].list = this[S].list.filter(function (pair) {
                if (pair[0] !== name) {
                    return true;
                }
                pair[1] = value;
                var keep = !found;
                found = true;
                return keep;
            });
            if (!found) {
                this[S].list.push([name, value]);
            }
            changed(this);
        },
        'delete': function (name) {
            name = String(name);
            this[S].list = this[S].list.filter(function (pair) {
                return pair[0] !== name;
            });
            changed(this);
        },
        sort: function () {
            this[S].list.sort(function (a, b) {
                return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
            });
            changed(this);
        },
        toString: function () {
            return this[S].list.map(function (pair) {
                return formEncode(pair[0]) + '=' + formEncode(pair[1]);
            }).join('&');
        }
    });
    getter(URLSearchParams.prototype, 'size', function () {
        return this[S].list.length;
    });
    iterable(URLSearchParams.prototype, function (params) {
        return params[S].list;
    });

    function escapeWith(text, unsafe) {
        return text.replace(LONE, replaceLone).replace(unsafe, function (c) {
            return c === "'" ? '%27' : encodeURIComponent(c);
        });
    }

    function escapePath(text) {
        return escapeWith(text, /[\ud800-\udbff][\udc00-\udfff]|[^!$-;=@-\]_a-z|~]/g);
    }

    function escapeLogin(text) {
        return escapeWith(text, /[\ud800-\udbff][\udc00-\udfff]|[^!$-.0-9A-Z_a-z~]/g);
    }

    function escapeQuery(text) {
        return escapeWith(text, /[\ud800-\udbff][\udc00-\udfff]|[^!$-&(-;=?-~]/g);
    }

    function escapeHash(text) {
        return escapeWith(text, /[\ud800-\udbff][\udc00-\udfff]|[^!#-;=?-_a-~]/g);
    }

    /* WHATWG URL 4.4, path state: "." and ".." parts, also percent-encoded. */
    function normalPath(path) {
        var parts = path.replace(/\\/g, '/').split('/');
        var out = [];
        parts.forEach(function (part, i) {
            var plain = part.replace(/%2e/gi, '.');
            var isLast = i === parts.length - 1;
            if (plain === '..') {
                if (out.length > 1) {
                    out.pop();
                }
            } else if (plain !== '.') {
                out.push(escapePath(part));
                return;
            }
            if (isLast) {
                out.push('');
            }
        });
        return out.join('/');
    }

    function badUrl(text) {
        return new TypeError('bad URL: ' + JSON.stringify(text));
    }

    function parseHost(text, whole) {
        var host = text;
        if (host.indexOf('%') >= 0) {
            host = unescapeText(host);
        }
        if (/^\[[0-9A-Fa-f:.]+\]$/.test(host)) {
            return host.toLowerCase();
        }
        if (!/^[!-~]+$/.test(host) || /[#\/:<>?@\[\\\]\^|% ]/.test(host)) {
            throw badUrl(whole);
        }
        return host.toLowerCase();
    }

    function parsePort(text, scheme, whole) {
        if (text === undefined || text === '') {
            return '';
        }
        if (!/^[0-9]+$/.test(text) || Number(text) > 65535) {
            throw badUrl(whole);
        }
        text = String(Number(text));
        return text === PORTS[scheme] ? '' : text;
    }

    function parseAbsolute(text) {
        var m = /^([A-Za-z][A-Za-z0-9+.\-]*:)(?:[\/\\]*)([^\/\\?#]*)([^?#]*)(\?[^#]*)?(#[^]*)?$/
            .exec(text);
        var user;
        var host;
        var u;
        if (!m || !PORTS[m[1].toLowerCase()] || m[2] === '') {
            throw badUrl(text);
        }
        u = { scheme: m[1].toLowerCase(), user: '', password: '', host: '', port: '', path: '',
            query: '', hash: '' };
        user = /^([^]*)@([^@]*)$/.exec(m[2]);
        if (user) {
            var at = user[1].indexOf(':');
            u.user = escapeLogin(at < 0 ? user[1] : user[1].slice(0, at));
            u.password = at < 0 ? '' : escapeLogin(user[1].slice(at + 1));
        }
        host = /^(\[[^\]]*\]|[^:]*)(?::([^]*))?$/.exec(user ? user[2] : m[2]);
        if (!host || host[1] === '') {
            throw badUrl(text);
        }
        u.host = parseHost(host[1], text);
        u.port = parsePort(host[2], u.scheme, text);
        u.path = normalPath(m[3] === '' ? '/' : m[3]);
        u.query = m[4] && m[4] !== '?' ? escapeQuery(m[4]) : '';
        u.hash = m[5] && m[5] !== '#' ? '#' + escapeHash(m[5].slice(1)) : '';
        return u;
    }

    function parseRelative(text, base) {
        var m = /^([^?#]*)(\?[^#]*)?(#[^]*)?$/.exec(text);
        var u = { scheme: base.scheme, user: base.user, password: base.password,
            host: base.host, port: base.port, path: base.path, query: '', hash: '' };
        if (/^[\/\\]{2}/.test(m[1])) {
            return parseAbsolute(base.scheme + text);
        }
        if (m[1] === '') {
            u.query = base.query;
        } else if (/^[\/\\]/.test(m[1])) {
            u.path = normalPath(m[1]);
        } else {
            u.path = normalPath(base.path.replace(/[^\/]*$/, '') + m[1]);
        }
        if (m[2] !== undefined) {
            u.query = m[2] === '?' ? '' : escapeQuery(m[2]);
        }
        u.hash = m[3] && m[3] !== '#' ? '#' + escapeHash(m[3].slice(1)) : '';
        return u;
    }

    /* With the scheme of its base and no two slashes behind it, a URL is relative. */
    function parseUrl(text, base) {
        var from = base === undefined ? null : base instanceof URL ? base[S] : parseUrl(base);
        var scheme;
        text = String(text).replace(/^[\x00-\x20]+/, '').replace(/[\x00-\x20]+$/, '')
            .replace(/[\t\n\r]/g, '');
        scheme = /^[A-Za-z][A-Za-z0-9+.\-]*:(?![\/\\]{2})/.exec(text);
        if (from && scheme && scheme[0].toLowerCase() === from.scheme) {
            return parseRelative(text.slice(scheme[0].length), from);
        }
        if (/^[A-Za-z][A-Za-z0-9+.\-]*:/.test(text)) {
            return parseAbsolute(text);
        }
        if (!from) {
            throw badUrl(text);
        }
        return parseRelative(text, from);
    }

    function URL(url, base) {
        if (!(this instanceof URL)) {
            throw new TypeError('URL needs new');
        }
        this[S] = parseUrl(url, base);
        this[S].params = null;
    }

    function hostOf(u) {
        return u.port === '' ? u.host : u.host + ':' + u.port;
    }

    function hrefOf(u) {
        var login = u.user + (u.password === '' ? '' : ':' + u.password);
        return u.scheme + '//' + (login === '' ? '' : login + '@') + hostOf(u) + u.path +
            u.query + u.hash;
    }

    function adopt(url, u) {
        var params = url[S].params;
        u.params = params;
        url[S] = u;
        if (params !== null) {
            params[S].url = u;
            params[S].list = parseQuery(u.query.slice(1));
        }
    }

    function tryAbsolute(text) {
        try {
            return parseAbsolute(text);
        } catch (e) {
            if (!(e instanceof TypeError)) {
                throw e;
            }
            return null;
        }
    }

    /* A property that, when set, is put into the URL's text and parsed again. What makes no
     * URL of it is ignored, but by href. `from` is what it is made by, or a field's name. */
    function part(name, from, edit) {
        Object.defineProperty(URL.prototype, name, {
            get: function () {
                return typeof from === 'string' ? this[S][from] : from(this[S]);
            },
            set: edit && function (value) {
                var u = this[S];
                var copy = { scheme: u.scheme, user: u.user, password: u.password,
                    host: u.host, port: u.port, path: u.path, query: u.query, hash: u.hash };
                edit(copy, String(value));
                u = tryAbsolute(hrefOf(copy));
                if (u !== null) {
                    adopt(this, u);
                }
            },
            configurable: true,
            enumerable: true
        });
    }

    part('href', hrefOf, function (u, value) {
        var from = parseUrl(value);
        Object.keys(from).forEach(function (key) {
            u[key] = from[key];
        });
    });
    part('origin', function (u) {
        return u.scheme + '//' + hostOf(u);
    });
    part('protocol', 'scheme', function (u, value) {
        u.scheme = value.replace(/:[^]*/, '') + ':';
    });
    part('username', 'user', function (u, value) {
        u.user = escapeLogin(value);
    });
    part('password', 'password', function (u, value) {
        u.password = escapeLogin(value);
    });
    part('host', hostOf, function (u, value) {
        var m = HOST.exec(value);
        u.host = m ? m[1] : u.host;
        u.port = m && m[2] ? m[2] : u.port;
    });
    part('hostname', 'host', function (u, value) {
        var m = HOST.exec(value);
        u.host = m && m[2] === undefined ? m[1] : u.host;
    });
    part('port', 'port', function (u, value) {
        u.port = /^[0-9]/.test(value) ? parseInt(value, 10) : value === '' ? '' : u.port;
    });
    part('pathname', 'path', function (u, value) {
        u.path = value.replace(/^[\/\\]?/, '/').replace(/\?/g, '%3F').replace(/#/g, '%23');
    });
    part('search', 'query', function (u, value) {
        u.query = value.replace(/^\??/, '?').replace(/#/g, '%23');
    });
    part('hash', 'hash', function (u, value) {
        u.hash = value.replace(/^#?/, '#');
    });
    getter(URL.prototype, 'searchParams', function () {
        var u = this[S];
        if (u.params === null) {
            u.params = new URLSearchParams(u.query);
            u.params[S].url = u;
        }
        return u.params;
    });
    methods(URL.prototype, {
        toString: function () {
            return hrefOf(this[S]);
        },
        toJSON: function () {
            return hrefOf(this[S]);
        }
    });
    define(URL, 'canParse', function (url, base) {
        try {
            return new URL(url, base) instanceof URL;
        } catch (e) {
            return false;
        }
    });

    own.URL = URL;
    own.URLSearchParams = URLSearchParams;
    methods(global, { URL: URL, URLSearchParams: URLSearchParams });
})
