#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/v8_deaths.sh - V8 processes die again and again, each in the next of three ways: V8
# gives up (an array that it cannot make), the machine has no memory for what V8 tries beyond
# its heap's limit, SIGKILL. Each comes back and serves from its sealed grant, while a lean
# neighbour and another domain's V8 lose no request. Skipped where `make v8` has not been run.
#   TF_DEATHS  deaths in all (6; the figure in doc/ is of 100)
if [ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ]; then
    echo "SKIP  V8's deaths: no runtime in ${TFAAS_BIN:-build}/v8: make v8 (needs npm once)"
    echo "1 passed, 0 failed"
    exit 0
fi
export TFAAS_ENGINES="quickjs v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
deaths=${TF_DEATHS:-6}
doomed=2
[ "$deaths" -lt 60 ] || doomed=8

# domain_new NAME: a trust domain of its own, hence a process of its own, and its policy.
domain_new() {
    tf domain new --name "$1" --publisher "$work/publisher.pem.pub" --out "$work/$1.json" &&
        tf policy new --native "$bin/v8" --domain "$work/$1.json" --sim-root host \
            --out "$work/$1.policy"
}
serve_alone() { # NAME: the lambda in a domain of its own
    domain_new "$1" && bundle "$1" &&
        tf deploy "$work/$1.tfb" --domain "$work/$1.json" --engine v8 &&
        grant_by "$work/$1.policy" "$1" --allow-sim
}
doom() {
    lambda "dead$1" '{"steps": 500000000}' <<'JS'
exports.fetch = function (request) {
    const path = new URL(request.url).pathname;
    if (path === "/fatal") { return new Response("x".repeat(1 << 28).split("").length); }
    if (path === "/limit") { const a = []; for (;;) { a.push(new Array(1000).fill(a.length)); } }
    if (path === "/beyond") { return new Response("\u1234".repeat((1 << 29) - 30).charCodeAt(1)); }
    return new Response("alive");
};
JS
    serve_alone "dead$1"
}
doom_all() { local i; for ((i = 0; i < doomed; i++)); do doom "$i" || return 1; done; }

answers() { [ "$(ask "$1" /)" = alive ]; }
has_died() { differs "$(worker_of "$1" pid)" "$2"; }
die() { # NAME WAY: waits until it serves, ends it, waits until its process is another
    local pid
    until_ok 150 answers "$1" || return 1
    pid=$(worker_of "$1" pid)
    [ "$2" != beyond ] || prlimit --pid "$pid" --data=$((900 << 20)) || return 1
    if [ "$2" = kill ]; then kill -KILL "$pid"; else ask "$1" "/$2" >>"$work/deadly" 2>&1; fi
    until_ok 150 has_died "$1" "$pid"
}

# said TEXT: whether the log has it; if not, shows what the deaths left there.
said() { grep -q "$1" "$work/tfaasd.log" || { grep -v ' event=grant' "$work/tfaasd.log" | tail -20; return 1; }; }

need "tfaasd starts" host_start
need "a publisher is set up" publisher_new
lambda lean <<'JS'
exports.fetch = function () { return new Response("lean"); };
JS
lambda other <<'JS'
exports.fetch = function () { return new Response("other"); };
JS
need "a neighbour is published on QuickJS" publish lean quickjs
need "and one on V8, in a domain of its own" serve_alone other
need "$doomed more V8 processes serve" doom_all
load_start lean
load_start other

pid=$(worker_of dead0 pid)
is "the heap's limit ends a request" 5 bash -c "printf '%.1s' $(status_of dead0 /limit)"
is "but not the process" "$pid" worker_of dead0 pid
ways=(fatal beyond kill)
killed=0
while [ "$killed" -lt "$deaths" ]; do
    die "dead$((killed % doomed))" "${ways[$((killed / doomed % 3))]}" || break
    killed=$((killed + 1))
done
is "processes died" "$deaths" echo "$killed"
ok "V8 gave up" said 'event=worker-end engine=v8 .*signal=5'
# By V8's allocator or by C++'s, whichever is the first to ask.
ok "it ran out of memory" said 'out of memory\|std::bad_alloc'
ok "it was killed" said 'event=worker-end engine=v8 .*signal=9'
for ((i = 0; i < doomed; i++)); do
    ok "dead$i serves again, from its sealed grant" until_ok 150 answers "dead$i"
done
load_end
is "the lean neighbour never restarted" 1 worker_of domain starts
is "nor did the other domain's V8" 1 worker_of other starts
for name in lean other; do
    is "requests to $name lost on its connection" 0 lost "$work/$name.codes"
    is "requests to $name lost on new connections" 0 lost "$work/$name.new.codes"
    ok "there were many" test "$(wc -l <"$work/$name.codes")" -gt 50
done
note "$deaths deaths; neighbours answered $(cat "$work"/{lean,other}.codes | wc -l) + $(cat "$work"/{lean,other}.new.codes | wc -l) requests"
finish
