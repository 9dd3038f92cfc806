#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The operator looks for a granted lambda's private key on his machine, with all that root
# can read: the worker's memory outside of the enclave, the daemon's memory, what both
# wrote to sockets and files during the grant and the first requests, every file of the
# store and the logs. It must be nowhere: not raw, not in hex, not in base64, not half of
# it. In the simulator root can read the enclave too, which tells what to look for: the
# private key of the certificate that clients see. (On hardware those pages are
# encrypted.)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
# shellcheck source=test/tools/host_view.sh
. test/tools/host_view.sh
trap 'trace_stop; leave' EXIT

certificate() {
    timeout 20 openssl s_client -connect "127.0.0.1:$port" -servername "$name.test" \
        </dev/null 2>/dev/null | openssl x509
}

on_the_host() {
    local files
    nowhere "the worker's memory outside of the enclave" \
        memory "$scalar" "$worker" "$size"
    nowhere "the daemon's memory" memory "$scalar" "$daemon"
    mapfile -t files < <(find "$work" -type f ! -name 'trace.*' ! -name log)
    nowhere "any of ${#files[@]} files of the host" file "$scalar" "${files[@]}"
}

# Forms in which a key might lie about, so that "nowhere" means something.
scanner_works() {
    local der forms=$work/forms
    mkdir "$forms"
    printf %s "$scalar" | tr a-f A-F >"$forms/hex"
    der=$(printf '30770201010420%s' "$scalar" | sed 's/../\\x&/g')
    # shellcheck disable=SC2059
    printf "$der" >"$forms/der"
    # shellcheck disable=SC2059
    printf "\\x00$der" | base64 >"$forms/base64"
    tail -c 17 "$forms/der" >"$forms/half"
    printf 'sendto(5, "%s", 39, 0, NULL, 0) = 39\n' "$der" >"$work/trace-of-key"
    for form in hex der base64 half; do
        somewhere "a file ($form)" file "$scalar" "$forms/$form"
    done
    somewhere "a trace" trace "$scalar" "$work/trace-of-key"
    somewhere "a process" memory "$scalar" $$
    somewhere "the enclave" memory "$scalar" "$worker"
    rm -r "$forms" "$work/trace-of-key"
}

scan() {
    certificate >"$work/seen.pem"
    scalar=$("$keyscan" find "$worker" "$size" "$work/seen.pem" 2>"$log")
    ok "$engine: the simulated enclave has the key of the certificate" test -n "$scalar"
    [ -n "$scalar" ] || return
    on_the_host
}

story() {
    name=key-$engine
    size=$(elrange)
    lambda "$name" <<<'exports.fetch = function () { return new Response("here\n"); };'
    ok "$engine: deploy" publish_without_grant
    worker=$(worker_pid)
    ok "$engine: trace the worker and the daemon" trace_start "$worker" "$daemon"
    ok "$engine: grant" grant "$name"
    is "$engine: a request" here ask "$name" /
    ok "$engine: list" tf ls
    trace_stop
    ok "$engine: the trace has what they wrote" has_written TFSEAL1
    scan
    nowhere "what the worker and the daemon wrote" trace "$scalar" "$work"/trace.*
    scanner_works
    rm -f "$work"/trace.*
    host_stop
    ok "$engine: the host starts again" host_start
    ok "$engine: and the lambda answers" until_ok 100 ask "$name" / -f
    worker=$(worker_pid)
    scan
    ok "$engine: rm" tf rm "$name"
}

publish_without_grant() { bundle "$name" && deploy "$name" "$engine"; }

if [ "$(id -u)" != 0 ] || ! command -v strace >/dev/null; then
    echo "SKIP  key_on_host: needs root and strace"
    exit 0
fi
keyscan=$(tool keyscan)
ok "the scanner is there" test -x "$keyscan"
ok "the platform starts" host_start
ok "a publisher" publisher_new
for engine in "${engines[@]}"; do
    story
done
finish
