/* SPDX-License-Identifier: Apache-2.0 */
/* node v8.js ADDON: runs a test that was built as an addon. */
'use strict';

process.dlopen(module, require('path').resolve(process.argv[2]));
module.exports.run([]);
