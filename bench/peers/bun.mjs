// SPDX-License-Identifier: Apache-2.0
import { load, options } from './lambda.mjs';

Bun.serve({
    hostname: '127.0.0.1',
    port: options.port,
    tls: { cert: options.cert, key: options.key },
    fetch: load(Response).fetch,
});
