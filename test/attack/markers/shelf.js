// SPDX-License-Identifier: Apache-2.0
// A module's state.
exports.list = [];
exports.last = '';
