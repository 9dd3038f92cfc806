// SPDX-License-Identifier: Apache-2.0
// What bun, deno and node share: their arguments (LAMBDA PORT CERTIFICATE KEY), and a lambda of
// examples/ as it is. CommonJS in a file named .js is not for each of them.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [path, port, certificate, key] = process.argv.slice(2);

export const options = {
    port: Number(port),
    cert: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
};

// Response: what the lambda finds under that name.
export function load(Response) {
    const lambda = {};
    new Function('exports', 'Response', readFileSync(path, 'utf8'))(lambda, Response);
    return lambda;
}

export const isEcho = path.includes('/echo/');
