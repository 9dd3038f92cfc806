#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What `make bench` measures with and judges by: the floor answers as the peers do, the client
# makes the handshakes it counts, and a run's figures hold or fall short as the goals say. How
# fast anything is, is not asserted here.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
floor=''

floor_start() {
    free_port || return 1
    "$bin/bench/floor" "$port" "$work/c.pem" "$work/c.key" 2>"$work/floor.log" &
    floor=$!
    shook wait 1 10
}

shook() { # KIND COUNT SECONDS [CONNECTIONS]
    timeout 60 "$bin/bench/handshake" "$1" "$port" floor.test "$2" "$3" "${4:-1}"
}

# counted KIND COUNT [CONNECTIONS]: what of it succeeded, failed, and was resumed
counted() { shook "$1" "$2" 20 "${3:-1}" | awk '{ print $2, $4, $6 }'; }

echoed() { # SIZE: comes back as it was sent
    head -c "$1" /dev/urandom >"$work/body"
    curl -sS --max-time 10 --cacert "$work/c.pem" --resolve "floor.test:$port:127.0.0.1" \
        --data-binary "@$work/body" -o "$work/answer" "https://floor.test:$port/" &&
        cmp "$work/body" "$work/answer"
}

# Two requests in one record: two answers.
pipelined() {
    printf 'POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\ndef' \
        >"$work/two"
    # Keeps the connection: silent afterwards is as it should be.
    timeout 20 "$bin/test/tools/rawtls" -q 500 "$port" floor.test "$work/c.pem" \
        "$work/two" >"$work/answers"
    tr -d '\r' <"$work/answers" | grep -cE '^(abc|def)'
}

# figures [CHANGE]: a run that meets all goals, changed by a line of Python.
figures() {
    python3 - "$work/results.json" "${1:-pass}" <<'PY'
import json, sys

def us(**by_subject):
    return {name.replace("_", " "): [{"cpu_us": v}] for name, v in by_subject.items()}

handshake = us(bun=300, njs=500, quickjs=190)
lean = ("quickjs", "duktape", "mujs")
cases = {
    "echo 100 B": us(floor=10, bun=15, quickjs=11, duktape=12, quickjs_reuse=9, duktape_reuse=9),
    "echo 10 KB": us(bun=20, quickjs=15),
    "one connection": {n: [{"p50": 100, "p99": 200}] for n in ("floor", "quickjs")}
                      | {"quickjs asleep": [{"p50": 130, "p99": 200}]},
    "full handshake": handshake,
    "resumed handshake": handshake,
    "first request": {n: [{"load_cpu_us": 300, "later_us": 900}] for n in (*lean, "v8")},
    "process start": {n: [{"ms": 14, "worker_ms": 12, "cpu_ms": 12}] for n in lean},
    "measuring the image": {n: [{"ms": 5}] for n in lean},
    "lambdas echo": {n: [{"lambdas": k, "pss_kib": 1000 + k * size} for k in (1, 100)]
                     for n, size in (("quickjs", 30), ("duktape", 40), ("v8", 900))},
    "lambdas cube3d": {"v8": [{"lambdas": k, "pss_kib": k * 2500} for k in (1, 100)]},
    "lambdas echo, at rest": {"v8": [{"lambdas": k, "pss_kib": k * 800} for k in (1, 100)]},
    "lambdas cube3d, at rest": {"v8": [{"lambdas": k, "pss_kib": k * 1500} for k in (1, 100)]},
    "memory idle": {"quickjs @0": [{"rss_kib": 11000}]},
    "memory after load": {"quickjs @0": [{"rss_kib": 19000}]},
    "alone": {n: [{"p99": 1000}] for n in lean},
    "beside a spinner": {n: [{"p99": 2500}] for n in lean},
    "threads": us(**{"1_thread": 20, "2_threads": 22, "2_threads_@32": 21, "njs": 30,
                     "njs_x_2": 27}),
}
for case in ("base64", "cube3d"):
    cases[case] = us(node26=1000, bun=1000, v8=2000, v8_reuse=800, quickjs=102, quickjs_bare=100,
                     quickjs_bare_stock=100, duktape=102, duktape_bare=100,
                     duktape_bare_stock=250)
lines = [{"engine": "duktape", "part": "sum", "left": 100000},
         {"engine": "duktape", "part": "ours", "left": 9000}]
exec(sys.argv[2])
with open(sys.argv[1], "w", encoding="utf-8") as f:
    json.dump({"figures": cases, "lines": lines}, f)
PY
}

# judged [CHANGE]: exit status of bench/goals, and the numbers of the lines that fall short
judged() {
    figures "${1:-}" || return 1
    bench/goals "$work/results.json" >"$work/lines"
    echo "$?" "$(grep ': falls short$' "$work/lines" | cut -d . -f 1 | paste -sd' ')"
}

need "a certificate" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$work/c.key" -out "$work/c.pem" -days 2 -subj /CN=floor.test -addext \
    subjectAltName=DNS:floor.test
need "the floor starts and answers" floor_start
ok "a body of 100 bytes comes back" echoed 100
ok "a body of 10 KB comes back" echoed 10240
ok "a body of 60 KB comes back" echoed 60000
is "two requests in one record get two answers" 2 pipelined
is "full handshakes are full" "30 0 0" counted full 30
is "resumed handshakes are resumed" "30 0 30" counted resumed 30
is "several at a time are as many" "100 0 0" counted full 100 16
is "and as many resumed" "100 0 100" counted resumed 100 16
kill "$floor" && wait "$floor" 2>/dev/null
ok "nobody there: waiting ends in time" [ "$(shook wait 1 0.5 | awk '{ print $2 }')" = 0 ]

is "figures that meet all goals hold" "0 " judged
is "eighteen lines are judged" 18 grep -c ': holds$' "$work/lines"
ok "the fourth says who sleeps, and what sleeping takes" \
    grep -q '^4[.].*the floor sleeps; with --poll-us 0 p50 130 us = 1[.]30 x floor: holds' "$work/lines"
ok "the last says what the machine takes" \
    grep -q '^18[.].*a thread: 1[.]05; nginx, 2 processes against 1: 0[.]90: holds' "$work/lines"
is "one that is slower falls short" "1 1 2" judged \
    'cases["echo 100 B"]["quickjs"][0]["cpu_us"] = 11.4; cases["echo 100 B"]["duktape"][0]["cpu_us"] = 12.8'
is "the median counts" "0 " judged \
    'cases["echo 10 KB"]["quickjs"] = [{"cpu_us": v} for v in (15, 99, 16)]'
is "what was not measured does not hold" "1 18" judged 'del cases["threads"]'
is "nor does a table of lines that is not there" "1 16" judged 'lines.clear()'
is "too little less memory falls short" "1 14" judged \
    'cases["lambdas echo"]["v8"][1]["pss_kib"] = 31000'
finish
