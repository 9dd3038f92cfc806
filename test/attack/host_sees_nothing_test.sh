#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The operator looks for what a client sends, what a lambda answers, and a secret that came
# with the grant, with all that root can read: the memory of the worker outside of the enclave
# and of the daemon, every byte that both read and write on sockets and files from before the
# grant to after a restart, every file of the store, the logs. Each marker is 32 random bytes;
# it must be nowhere, not raw, not in hex, not in base64, not half of it, while the lambda
# works with it, writes it to its console for the publisher, and the simulated enclave, which
# root can read here, has it. (The TLS private key: key_on_host_test.sh.)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
# shellcheck source=test/tools/host_view.sh
. test/tools/host_view.sh
if [ "$(id -u)" != 0 ] || ! command -v strace >/dev/null; then
    echo "SKIP  host_sees_nothing: needs root and strace"
    exit 0
fi
mine=$(mktemp -d) # what only the publisher and the client have
trap 'trace_stop; rm -rf "$mine"; leave' EXIT
trace_calls=write,writev,pwrite64,sendto,sendmsg,sendmmsg,read,readv,pread64,recvfrom,recvmsg

marker() { head -c 32 /dev/urandom | od -An -tx1 -v | tr -d ' \n'; }
bytes() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }

# The answer has a marker of its own: the request's, with each bit turned.
answer_of() {
    local i
    for ((i = 0; i < 64; i += 2)); do printf '%02x' $((0x${1:i:2} ^ 0xff)); done
}

give() {
    grant "$name" --secret-file "TOKEN=$mine/token"
}

post() { ask "$name" / --data-binary @"$mine/body" -H 'content-type: application/octet-stream'; }
answer() { post | od -An -tx1 -v | tr -d ' \n'; }
length() { ask "$name" /length; }
# logs: what the lambda wrote, with the publisher
logs() {
    cli logs "$name" --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim \
        >"$mine/logs" && grep -q "log  *$token" "$mine/logs" &&
        grep -q "warn  *$body" "$mine/logs" && grep -q "error  *$reply" "$mine/logs"
}

# look WHEN: nowhere on the host, but in the enclave
look() {
    local what files
    worker=$(worker_pid)
    mapfile -t files < <(find "$work" -type f ! -name 'trace.*' ! -name log)
    for what in token body reply; do
        local value=${!what}
        nowhere "the worker's memory outside of the enclave ($what, $1)" \
            memory "$value" "$worker" "$size"
        nowhere "the daemon's memory ($what, $1)" memory "$value" "$daemon"
        nowhere "any of ${#files[@]} files ($what, $1)" file "$value" "${files[@]}"
    done
    somewhere "the simulated enclave (token)" memory "$token" "$worker"
}

story() {
    name=seen-$engine
    size=$(elrange)
    token=$(marker) body=$(marker)
    reply=$(answer_of "$body")
    printf %s "$token" >"$mine/token"
    bytes "$body" >"$mine/body"
    lambda "$name" <<'JS'
function hex(bytes) {
    return Array.prototype.map.call(bytes, function (b) {
        return (256 + b).toString(16).slice(1);
    }).join('');
}
exports.fetch = function (request, env) {
    console.log(env.TOKEN);
    if (/length$/.test(request.url)) { return new Response(String(env.TOKEN.length)); }
    return request.arrayBuffer().then(function (buffer) {
        var bytes = new Uint8Array(buffer);
        console.warn(hex(bytes));
        for (var i = 0; i < bytes.length; i++) { bytes[i] ^= 0xff; }
        console.error(hex(bytes));
        return new Response(bytes);
    });
};
JS
    ok "$engine: deploy" deploy_it
    worker=$(worker_pid)
    ok "$engine: trace the worker and the daemon" trace_start "$worker" "$daemon"
    ok "$engine: grant with a secret" give
    is "$engine: the lambda has the secret" 64 length
    is "$engine: the lambda has the body" "$reply" answer
    is "$engine: again" "$reply" answer
    ok "$engine: the publisher has what the lambda wrote" logs
    trace_stop
    ok "$engine: the trace has what they wrote" has_written TFSEAL1
    for what in token body reply; do
        nowhere "what they read and wrote ($what)" trace "${!what}" "$work"/trace.*
    done
    look "after requests"
    rm -f "$work"/trace.*
    host_stop
    ok "$engine: the host starts again" host_start
    ok "$engine: the lambda answers" until_ok 100 ask "$name" /length -f
    is "$engine: it has its secret" 64 length
    is "$engine: it has the body" "$reply" answer
    ok "$engine: the publisher has what it wrote since" logs
    look "after a restart"
    ok "$engine: rm" tf rm "$name"
}

deploy_it() { bundle "$name" && deploy "$name" "$engine"; }

keyscan=$(tool keyscan)
need "the scanner is there" test -x "$keyscan"
need "the platform starts" host_start
need "a publisher" publisher_new
for engine in "${engines[@]}"; do
    story
done
finish
