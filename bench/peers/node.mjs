// SPDX-License-Identifier: Apache-2.0
// node has no server for fetch's Request and Response: echo is what one writes for node, and
// the others get the least Response that does.
import { createServer } from 'node:https';
import { isEcho, load, options } from './lambda.mjs';

class Answer {
    constructor(body, init) {
        this.body = body;
        this.status = init?.status ?? 200;
    }
}

function echo(request, response) {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
        const body = Buffer.concat(parts);
        response.writeHead(200, {
            'content-type': request.headers['content-type'] ?? 'application/octet-stream',
            'content-length': body.length,
        });
        response.end(body);
    });
}

const lambda = load(Answer);

function compute(request, response) {
    const { status, body } = lambda.fetch(request);
    response.writeHead(status, { 'content-length': body.length });
    response.end(body);
}

createServer({ cert: options.cert, key: options.key, minVersion: 'TLSv1.3' },
    isEcho ? echo : compute).listen(options.port, '127.0.0.1');
