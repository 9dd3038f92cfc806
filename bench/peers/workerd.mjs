// SPDX-License-Identifier: Apache-2.0
// bench/suite/peers.py puts a lambda of examples/ in here: as a CommonJS module beside this one it
// would run four times as slow in workerd.
var exports = {};

/* LAMBDA */

export default { fetch: (request) => exports.fetch(request) };
