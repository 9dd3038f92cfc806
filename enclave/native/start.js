/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.js - what node runs when it is a worker: hands over to the addon, which never comes
 * back. Options of node's own would change what runs without changing what is measured.
 */
'use strict';

if (process.execArgv.length !== 0 || process.env.NODE_OPTIONS !== undefined) {
    process.stderr.write('tfaas: node takes no options here\n');
    process.exit(2);
}
process.dlopen(module, require('path').join(__dirname, 'tfaas.node'));
module.exports.run(process.argv.slice(2));
