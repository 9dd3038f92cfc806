/* hello - greets ?name= and shows what the request was. */
'use strict';

var greet = require('./greet');

exports.fetch = function (request, env) {
    var url = new URL(request.url);
    var lines = [
        greet(env.GREETING, url.searchParams.get('name')),
        'method: ' + request.method,
        'path: ' + url.pathname,
        'query: ' + url.search
    ];
    return new Response(lines.join('\n') + '\n');
};
