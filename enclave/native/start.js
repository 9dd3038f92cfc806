/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.js - what node runs when it is a worker: hands over to the addon, which never comes
 * back. Other options of node's than these would change what runs without changing what is
 * measured. The one: memory of a lambda that ended goes back to the system, and into no pool
 * where its secrets would lie until another lambda took the page.
 */
'use strict';

const OPTIONS = '--no-memory-pool-share-memory-on-teardown';

if (process.execArgv.join(' ') !== OPTIONS || process.env.NODE_OPTIONS !== undefined) {
    process.stderr.write('tfaas: node takes these options here: ' + OPTIONS + '\n');
    process.exit(2);
}
process.dlopen(module, require('path').join(__dirname, 'tfaas.node'));
module.exports.run(process.argv.slice(2));
