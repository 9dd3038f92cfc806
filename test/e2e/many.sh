#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Many lambdas in one enclave, each with its own grant and name, and less memory than they
# all need: visitors by Zipf's law, after a restart that leaves nothing at hand, see no error.
#
#   TFAAS_MANY          lambdas on each engine (30); the whole story: 1000
#   TFAAS_MANY_SECONDS  of visitors on each engine (3); the whole story: 120
#   TFAAS_MANY_MIB      what a worker should keep of lambdas (1 for 30, 32 for 1000; for 30 on
#                       V8 alone 8: an isolate counts as 1 MiB, and each thread has one)
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

many=${TFAAS_MANY:-30} seconds=${TFAAS_MANY_SECONDS:-3}
least=1
[ "${engines[*]}" != v8 ] || least=8
mib=${TFAAS_MANY_MIB:-$((many > 250 ? 32 : least))}
[ "$many" -ge 1000 ] && [ "$seconds" -ge 120 ] ||
    echo "shortened: $many lambdas and $seconds s an engine; whole: TFAAS_MANY=1000 TFAAS_MANY_SECONDS=120"
zipf=$bin/test/tools/zipf
[ -x "$zipf" ] || {
    zipf=$work/zipf
    cc -std=c11 -D_GNU_SOURCE -O1 -I. -o "$zipf" test/tools/zipf.c -lssl -lcrypto -lm -lpthread || exit 1
}

# So that a lambda's heap is a thing to save, and a few of them are more than is kept.
padding="var table = []; while (table.length < 4000) { table.push(table.length / 3); }"

grant_one() {
    cli grant "$1" --policy "$work/policy.json" --key "$work/publisher.pem" \
        --ca-key "$work/ca.key" --ca-cert "$work/ca.pem" --allow-sim
}

# make_one NAME ENGINE: from nothing to a lambda that is granted. Two granters at once may
# find that the other's statement is a second younger, and was first: then once more.
make_one() {
    lambda "$1" '{"steps": 1000000}' <<<"$padding exports.fetch = function () { return new Response('$1'); };"
    cli pack "$work/$1" --out "$work/$1.tfb" && cli sign "$work/$1.tfb" --key "$work/publisher.pem" &&
        cli deploy "$work/$1.tfb" --domain "$work/domain.json" --engine "$2" &&
        { grant_one "$1" || grant_one "$1"; }
}

# make_all ENGINE: two at once
make_all() {
    local i pids=() share
    for share in 0 1; do
        for ((i = share; i < many; i += 2)); do
            make_one "$1-$i" "$1" || exit 1
        done >"$work/make-$share.log" 2>&1 &
        pids+=($!)
    done
    wait "${pids[0]}" && wait "${pids[1]}" && return 0
    tail -n 5 "$work"/make-*.log
    return 1
}

serving() { admin GET /v1/workers | jq -e '[.workers[] | select(.state == "serving")] | length > 0' >/dev/null; }
all_granted() { [ "$(admin GET /v1/lambdas | jq '[.lambdas[] | select(.granted)] | length')" = "$1" ]; }

# metric NAME ENGINE: the sum of a metric's lines
metric() {
    awk -v name="$1{" -v engine="engine=\"$2\"" \
        'index($0, name) == 1 && index($0, engine) { sum += $NF } END { printf "%d\n", sum }' "$work/metrics"
}

# load_percentile ENGINE SHARE: the upper bound, in ms, of the bucket with that share of loads
load_percentile() {
    sed -n "s/^tfaas_load_seconds_bucket{engine=\"$1\".*le=\"\([^\"]*\)\"} \(.*\)/\1 \2/p" "$work/metrics" |
        awk -v share="$2" '{ le[NR] = $1; n[NR] = $2 }
            END { for (i = 1; i <= NR; i++) if (n[i] >= share * n[NR]) { print (le[i] == "+Inf" ? "more" : le[i] * 1000); exit } }'
}

# has_figures ENGINE: whether its worker has answered in time, once, when asked for them
has_figures() { admin GET /metrics >"$work/metrics" && [ "$(metric tfaas_kept_bytes "$1")" -gt 0 ]; }

rss_of() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }

# tell ENGINE: the figures of one engine
tell() {
    local report=$work/$1.json kept pid
    until_ok 100 has_figures "$1"
    kept=$(metric tfaas_kept_bytes "$1") pid=$(admin GET /v1/workers | jq --arg e "$1" '.workers[] | select(.engine == $e) | .pid')
    jq -r --arg e "$1" '"\($e): \(.visits) visits, \(.requests) requests, \(.errors) errors, \(.lambdas) lambdas; ClientHello to first byte: cold p50 \(.first.p50_us) us, p99 \(.first.p99_us) us (\(.first.count)); other p50 \(.other.p50_us) us, p99 \(.other.p99_us) us"' "$report"
    echo "$1: $(metric tfaas_load_seconds_count "$1") loads, p50 at most $(load_percentile "$1" 0.5) ms, p99 at most $(load_percentile "$1" 0.99) ms; $(metric tfaas_evictions_total "$1") given up; kept $((kept >> 10)) KiB of $((mib << 10)); worker RSS at most $(rss_of "$pid") KiB"
    ok "$1: what is kept stays below the budget" [ "$kept" -gt 0 -a "$kept" -le $((mib << 20)) ]
    ok "$1: lambdas were loaded on demand" [ "$(metric tfaas_load_seconds_count "$1")" -gt 0 ]
    ok "$1: lambdas were given up for others" [ "$(metric tfaas_evictions_total "$1")" -gt 0 ]
}

need "a platform" host_start --memory "$mib" --threads 2
need "a publisher" publisher_new
total=0
for e in "${engines[@]}"; do
    began=$SECONDS
    need "$many lambdas on $e" make_all "$e"
    echo "$e: $many made, deployed and granted in $((SECONDS - began)) s"
    total=$((total + many))
    for ((i = 0; i < many; i++)); do echo "$e-$i"; done >"$work/$e.names"
done
ok "all are granted" all_granted "$total"
host_stop
began=$(date +%s%N)
need "a restart" host_start --memory "$mib" --threads 2
ok "it serves again" until_ok 600 serving
ok "all are granted without anybody" until_ok 600 all_granted "$total"
echo "granted again $((($(date +%s%N) - began) / 1000000)) ms after the start"
before=$(all_starts)
for e in "${engines[@]}"; do
    "$zipf" -t "$seconds" "$port" "$work/ca.pem" "$work/$e.names" >"$work/$e.json" 2>"$work/zipf.log"
    ok "$e: every visitor was answered" jq -e '.errors == 0 and .visits > 0' "$work/$e.json"
    tell "$e"
done
is "no worker was started again" "$before" all_starts
finish
