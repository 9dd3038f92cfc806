#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/direct.sh - the worker that most connections are for accepts them itself
# (host/lend.h). Nobody else notices: not another engine's lambda, not who asks for a name that
# is not there, not when the worker hangs, dies, is drained, or tfaasd dies under it.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
[ "${#engines[@]}" -ge 2 ] || engines=(quickjs duktape)

metric() { admin GET /metrics | sed -n "s/^$1[{ ]\(.* \)*//p" | head -n 1; } # NAME: its first value
worker_pid() { admin GET /v1/workers | jq --arg e "$1" '.workers[] | select(.engine == $e) | .pid'; }
hello() { # NAME TEXT
    lambda "$1" <<JS
exports.fetch = function () { return new Response("$2"); };
JS
}
# visit NAME COUNT: so many connections; how many answers came
visit() { ask "$1" "/?[1-$2]" -H 'Connection: close' | grep -o . | wc -l; }
# lent: the next connections come directly
lent() {
    local before
    before=$(metric tfaas_connections_direct_total)
    [ "$(visit first 100)" = 100 ] && [ "$(metric tfaas_connections_direct_total)" -gt "$before" ]
}
alert() { # NAME: curl's verdict about one that is not served
    curl -sS --max-time 5 -k -o /dev/null --resolve "$1.test:$port:127.0.0.1" \
        "https://$1.test:$port/" 2>/dev/null
    echo $?
}

need "tfaasd starts" host_start --threads 2
need "a publisher is set up" publisher_new
hello first 1
hello second 2
hello third 3
need "a lambda is published" publish first "${engines[0]}"
need "and one on another engine" publish second "${engines[1]}"

# --- as if nothing were different -----------------------------------------------------------
total=$(metric tfaas_connections_total)
need "its worker begins to accept" lent
is "every connection was counted once" $((total + 100)) metric tfaas_connections_total
is "the other engine's lambda answers" 20 visit second 20
is "an unknown name gets an alert" 35 alert nobody
is "so does plain HTTP" 15030300020270 sh -c "printf 'GET / HTTP/1.1\r\n\r\n' |
    timeout 5 curl -sS --max-time 3 telnet://127.0.0.1:$port | od -An -tx1 | tr -d ' \n'"
refused=$(metric tfaas_connections_refused_total)
ok "both were counted" test "$refused" -ge 2
need "a lambda comes to the same worker" publish third "${engines[0]}"
is "it answers" 3 ask third /
is "a management connection gets through" 0 sh -c "'$bin/tfaas' attest third --policy '$work/policy.json' \
    --allow-sim >/dev/null 2>&1; echo \$?"
is "the lambda is removed" 200 curl -sS --max-time 30 --unix-socket "$TFAAS_HOST" -X DELETE \
    -o /dev/null -w '%{http_code}' http://localhost/v1/lambdas/third
is "its name is not known any more" 35 alert third
need "it comes back on the other engine" publish third "${engines[1]}"
is "and answers from there" 3 ask third /

# --- a worker that hangs, or dies -----------------------------------------------------------
need "the worker accepts" lent
holder=$(worker_pid "${engines[0]}")
kill -STOP "$holder"
is "while it hangs, others are answered" 5 visit second 5
kill -CONT "$holder"
is "and then its own" 5 visit first 5
need "the worker accepts" lent
(visit first 300 >"$work/visits") &
visits=$!
sleep 0.1
kill -KILL "$holder"
is "while it is dead, others are answered" 5 visit second 5
is "who comes waits for the next one" 1 ask first /
wait "$visits"
ok "which accepts in its turn" lent

# --- tfaasd dies ----------------------------------------------------------------------------
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
need "another tfaasd gets the address" host_start --threads 2
is "and serves" 1 ask first /
is "both" 2 ask second /

# --- the enclave is rolled ------------------------------------------------------------------
need "its worker accepts" lent
old=$(worker_pid "${engines[0]}")
load_start first
need "the enclave is rolled" tf roll --engine "${engines[0]}"
moved() {
    grant first >/dev/null 2>&1
    differs "$(worker_pid "${engines[0]}")" "$old"
}
ok "another takes over" until_ok 100 moved
kill "${clients[0]}" # its connection stays, and with it the old one
ok "and is drained" until_ok 100 is_gone "$old"
ok "the new one accepts" lent
load_end
is "requests lost on new connections" 0 lost "$work/first.new.codes"
finish
