#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/crash.sh - instances die again and again (SIGKILL, and SIGSEGV as of a fault) while
# a neighbour serves: none of its requests is lost, connections of the dead instance are
# closed, it comes back with its grant, and the loop is bounded and visible.
#   TF_DEATHS  deaths in all (20; the figure in doc/ is of 100)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine=${engines[0]}
engines=("$engine")
deaths=${TF_DEATHS:-20}
doomed=4
[ "$deaths" -lt 60 ] || doomed=10

serves() { [ "$(worker_of "$1" state)" = serving ]; }
waits() { [ "$(worker_of "$1" state)" = backoff ]; }
starts() { worker_of "$1" starts; }

# doom N: an instance of its own, by a trust domain of its own.
doom() {
    lambda "dead$1" '{"steps": 2000000000}' <<'JS'
exports.fetch = function (request) {
    if (new URL(request.url).pathname === "/long") { for (;;) {} }
    return new Response("alive");
};
JS
    tf domain new --name "dead$1" --publisher "$work/publisher.pem.pub" \
        --out "$work/dead$1.json" && bundle "dead$1" &&
        tf deploy "$work/dead$1.tfb" --domain "$work/dead$1.json" --engine "$engine"
}

kill_one() { # DOMAIN SIGNAL
    until_ok 150 serves "$1" || return 1
    kill "-$2" "$(worker_of "$1" pid)"
}

need "tfaasd starts" host_start
need "a publisher is set up" publisher_new
lambda kept <<'JS'
exports.fetch = function () { return new Response("kept"); };
JS
need "the neighbour is published" publish kept "$engine"
doom_all() { local i; for ((i = 0; i < doomed; i++)); do doom "$i" || return 1; done; }
need "$doomed more instances start" doom_all
# shellcheck disable=SC2046
need "one of them has a grant" tf policy new $(trusted "$engine") \
    --domain "$work/dead0.json" --sim-root host --out "$work/dead0.policy"
need "and serves" grant_by "$work/dead0.policy" dead0 --allow-sim
is "it answers" alive ask dead0 /
load_start kept

# A request that is under way when the instance dies ends at once.
(ask dead0 /long; echo $? >"$work/long") >/dev/null 2>&1 &
long=$!
sleep 0.3
need "an instance is killed with a request inside" kill_one dead0 SEGV
wait "$long"
is "its connection is closed" 1 grep -cE '^(35|52|55|56)$' "$work/long"
ok "it comes back with its grant" until_ok 100 ask dead0 /

killed=1
round=0
while [ "$killed" -lt "$deaths" ]; do
    for ((i = 0; i < doomed && killed < deaths; i++)); do
        signal=KILL
        [ $((round % 2)) = 0 ] || signal=SEGV
        kill_one "dead$i" "$signal" || break 2
        killed=$((killed + 1))
    done
    round=$((round + 1))
done
is "instances died" "$deaths" echo "$killed"
last=dead$(((deaths - 2) % doomed))
ok "the last one waits before it starts again" until_ok 20 waits "$last"
ok "and starts" until_ok 150 serves "$last"
load_end
total=$(admin GET /metrics | awk '/^tfaas_worker_starts_total/ { n += $NF } END { print n }')
ok "every start was counted" test "$total" -ge $((deaths + doomed))
ok "/v1/workers shows them" test "$(starts dead1)" -gt $(((deaths - 1) / doomed))
is "the neighbour never restarted" 1 starts domain
is "requests lost on its connection" 0 lost "$work/kept.codes"
is "requests lost on new connections" 0 lost "$work/kept.new.codes"
ok "there were many" test "$(wc -l <"$work/kept.codes")" -gt 50
note "$deaths deaths; the neighbour answered $(wc -l <"$work/kept.codes") + $(wc -l <"$work/kept.new.codes") requests"
finish
