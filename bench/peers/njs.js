/* SPDX-License-Identifier: Apache-2.0 */
/* njs: echo as one writes it for nginx. bench/suite/peers.py puts a lambda of examples/ between
 * `exports` and the rest; it answers in compute(). */
var exports = {};

function Response(body, init) {
    this.body = body;
    this.status = init ? init.status : 200;
}

/* LAMBDA */

function echo(r) {
    r.headersOut['content-type'] = r.headersIn['content-type'];
    r.return(200, r.requestBuffer);
}

function compute(r) {
    var response = exports.fetch({ url: '?' + r.variables.args });
    r.return(response.status, response.body);
}

export default { echo: echo, compute: compute };
