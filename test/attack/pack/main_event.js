// SPDX-License-Identifier: Apache-2.0
// As main.js, for handlers in AWS Lambda's style.
var looks = 0;

exports.handler = function (event, context, done) {
    var name = event.rawPath.slice(1);
    if (name !== '') { return require('./' + name).handler(event, context, done); }
    for (var k in {}) { return 'Object.prototype.' + k; }
    return ++looks === 1 && JSON.stringify({ a: [1] }) === '{"a":[1]}' ? 'fine' : 'not fresh';
};
