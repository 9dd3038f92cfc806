/* echo - sends the body back with its content type. */
'use strict';

exports.fetch = function (request) {
    return request.arrayBuffer().then(function (body) {
        var type = request.headers.get('content-type') || 'application/octet-stream';
        return new Response(body, { headers: { 'content-type': type } });
    });
};
