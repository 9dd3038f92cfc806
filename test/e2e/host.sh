#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test/e2e/host.sh - what the host does around the enclaves: a worker that dies comes back with
# its grants, a stopped tfaasd likewise, a refused deployment changes nothing, names belong to
# one lambda, what is removed no longer answers.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine=${engines[0]}

worker_pid() {
    admin GET /v1/workers | grep -o "\"engine\":\"$1\"[^}]*" | grep -o '"pid":[0-9]*' | cut -d: -f2
}

metric() { # NAME: its first value
    admin GET /metrics | sed -n "s/^$1[{ ][^ ]* *//p" | head -n 1
}

post() { # FILE ENGINE: the status of a deployment past the command line
    curl -sS --max-time 60 --unix-socket "$TFAAS_HOST" -o "$work/answer" -w '%{http_code}' \
        --data-binary "@$1" -H 'Content-Type:' \
        "http://localhost/v1/lambdas?engine=$2&domain=$domain"
}

says() { grep -q "\"error\":\"$1\"" "$work/answer"; }

hello() { # NAME TEXT
    lambda "$1" <<JS
exports.fetch = function () { return new Response("$2"); };
JS
}

asking() { # seconds that workers have asked for work, once a client has come back 300 times
    ask first '/?[1-300]' -o /dev/null && metric tfaas_poll_seconds_total
}
has_asked() { asking | awk '$1 > 0 { has = 1 } END { exit !has }'; }

need "tfaasd starts" host_start --poll-us 1000
need "a publisher is set up" publisher_new
domain=$(sha256sum "$work/domain.json" | cut -d' ' -f1)
hello first one
need "a lambda is published" publish first "$engine"
is "it answers" one ask first /
is "the admin socket is the operator's" 600 stat -c %a "$TFAAS_HOST"

ok "a client that comes back at once finds the worker awake" until_ok 50 has_asked

# --- deaths -------------------------------------------------------------------------------
before=$(metric tfaas_enclave_entries_total)
kill -KILL "$(worker_pid "$engine")"
ok "after its death the worker answers again" until_ok 50 ask first /
is "with the sealed grant" one ask first /
is "the start was counted" 2 metric tfaas_worker_starts_total
ok "counters did not go back" test "$(metric tfaas_enclave_entries_total)" -gt "$before"
host_stop
ok "tfaasd removed its socket" test ! -e "$TFAAS_HOST"
need "tfaasd starts again" host_start --poll-us 0
is "and answers with what was stored" one ask first /
is "with --poll-us 0 a worker sleeps at once" 0.000000 asking

# --- a disk that fails --------------------------------------------------------------------
cp -r "$work/host/lambdas/first" "$work/kept"
truncate -s 700 "$work/host/lambdas/first/bundle.tfb"
kill -KILL "$(worker_pid "$engine")"
ok "a bundle that got shorter is told from one that is bad" until_ok 50 \
    grep -q 'event=store-file-cut file=bundle read=700 of=[0-9]* errno=0' "$work/tfaasd.log"
cp "$work/kept/"* "$work/host/lambdas/first/"
host_stop
need "tfaasd starts with what was there before" host_start
is "and answers" one ask first /

# --- refusals -----------------------------------------------------------------------------
head -c 2000 "$work/first.tfb" >"$work/short.tfb"
is "a damaged bundle is refused" 422 post "$work/short.tfb" "$engine"
ok "in the enclave's words" says bundle-tar
is "an empty one too" 422 post /dev/null "$engine"
is "and the lambda answers" one ask first /
is "an unknown engine is not there" 404 post "$work/first.tfb" nonesuch
head -c 11000000 /dev/zero >"$work/large"
is "a body over the limit is refused" 413 post "$work/large" "$engine"
hello second two
sed -i 's/second.test/first.test/' "$work/second/tfaas.json"
ok "a bundle with another's name" bundle second
is "is refused" 409 post "$work/second.tfb" "$engine"
ok "as a conflict" says conflict
is "and the lambda answers" one ask first /

# --- names --------------------------------------------------------------------------------
is "an unknown name gets an alert" 35 sh -c "curl -sS --max-time 5 -k \
    --resolve nobody.test:$port:127.0.0.1 https://nobody.test:$port/ >/dev/null 2>&1; echo \$?"
is "so does plain HTTP" 15030300020270 sh -c "printf 'GET / HTTP/1.1\r\n\r\n' |
    timeout 5 curl -sS --max-time 3 telnet://127.0.0.1:$port | od -An -tx1 | tr -d ' \n'"
is "removing it" 200 curl -sS --max-time 30 --unix-socket "$TFAAS_HOST" -X DELETE \
    -o /dev/null -w '%{http_code}' http://localhost/v1/lambdas/first
ok "frees its name" sh -c "! curl -sS --max-time 5 --cacert '$work/ca.pem' \
    --resolve first.test:$port:127.0.0.1 https://first.test:$port/"
ok "removes its files" test ! -e "$work/host/lambdas/first"
is "and its name is for others" 200 post "$work/second.tfb" "$engine"

# --- many operations ----------------------------------------------------------------------
# A worker that stands still: what is asked for meanwhile waits, as long as somebody waits for it.
remove_second() { # CURL ARG...
    curl -sS --unix-socket "$TFAAS_HOST" -X DELETE -o /dev/null -w '%{http_code}' "$@" \
        http://localhost/v1/lambdas/second
}
hello fourth four
need "another bundle is made" bundle fourth
still=$(worker_pid "$engine")
kill -STOP "$still"
tf deploy "$work/fourth.tfb" --domain "$work/domain.json" --engine "$engine" >/dev/null 2>&1 &
asking=$!
sleep 0.5
for _ in {1..31}; do remove_second --max-time 0.1 >/dev/null 2>&1; done
is "more than 32 operations are not taken" 503 remove_second --max-time 5
kill -CONT "$still"
ok "the first is done" wait "$asking"
ok "and stored" test -e "$work/host/lambdas/fourth"
ok "those whose clients left were not begun" test -e "$work/host/lambdas/second"
is "and one that waits is" 200 remove_second --max-time 30

# --- the end ------------------------------------------------------------------------------
# A worker that hangs owes tfaasd the answer to a deployment when that is told to stop.
hello third three
need "another bundle is made" bundle third
hung=$(worker_pid "$engine")
kill -STOP "$hung"
tf deploy "$work/third.tfb" --domain "$work/domain.json" --engine "$engine" >/dev/null 2>&1 &
asking=$!
sleep 0.5
kill -TERM "$daemon"
until_ok 100 is_gone "$daemon" || kill -KILL "$daemon"
wait "$daemon"
is "told to stop with a deployment under way, tfaasd ends in order" 0 echo $?
wait "$asking"
daemon=''
ok "and its worker with it" is_gone "$hung"
ok "what was not accepted is not stored" test ! -e "$work/host/lambdas/third"

# --- what is built apart ------------------------------------------------------------------
# An image of another version, which is a word of its layout (abi/layout.h), and a runtime that
# knows none of the options it is started with, as those that came before them.
other_image() {
    local at
    at=$(grep -abo 'LTF1' "$bin/$engine.img" | head -n 1 | cut -d: -f1)
    cp "$bin/$engine.img" "$work/other.img" &&
        printf '\0\0\0\0' | dd of="$work/other.img" bs=1 seek=$((at + 68)) conv=notrunc status=none &&
        tf image sign "$work/other.img" --key "$work/operator.pem" --out "$work/other.sig" \
            --prodid 1 --svn 1
}
other_runtime() {
    mkdir "$work/runtime" && printf '#!/bin/sh\necho "usage: $0"; exit 2\n' | tee "$work/runtime/node" "$work/runtime/start.js" \
            "$work/runtime/tfaas.node" >/dev/null && chmod +x "$work/runtime/node"
}
need "an image of another version is made" other_image
need "and a runtime" other_runtime
need "tfaasd starts with them" host_start --image "old=$work/other.img,$work/other.sig" \
    --native "older=$work/runtime"
fails "a lambda for that image is refused, as of another version" version deploy third old
fails "and what to do is said" "Build all from the same sources" deploy third old
fails "so is one for that runtime" version deploy third older
host_stop

# --- what is not there ---------------------------------------------------------------------
# starts STATE ARG...: tfaasd with this engine, which is expected not to start.
starts() {
    local state=$1
    shift
    timeout 20 "$bin/tfaasd" --state "$state" --listen "127.0.0.1:$port" \
        --image "$engine=$bin/$engine.img,$work/$engine.sig" "$@"
}
fails "a name to listen on is refused, and the error says so" "names are not resolved" \
    starts "$work/other" --listen "localhost:$port"
fails "a number that is none names its option" "--threads cannot be \`none\`" \
    starts "$work/other" --threads none
fails "what is missing is named" "--state is missing" "$bin/tfaasd" --listen "127.0.0.1:$port"
fails "no worker to run is an error at the start" "$work/no-worker: No such file" \
    starts "$work/other" --worker "$work/no-worker"
fails "so is an image that is not there" "$work/no-image: No such file" \
    starts "$work/other" --image "other=$work/no-image,$work/$engine.sig"
need "tfaasd starts again" host_start
fails "a port in use is named" "another program listens there" starts "$work/other"
host_stop

# A disk of 1 MiB, full: mounted where only this shell and what it starts see it.
full_disk() {
    # shellcheck disable=SC2016
    unshare --map-root-user --mount bash -uc '
        mount -t tmpfs -o size=1m,mode=700 none "$2" || exit 77
        "$1/tfaasd" --state "$2" --listen "127.0.0.1:$3" --image "$4=$1/$4.img,$5/$4.sig" \
            >"$5/full.log" 2>&1 &
        daemon=$!
        export TFAAS_HOST=$2/admin.sock
        deploy() { "$1/tfaas" deploy "$5/third.tfb" --domain "$5/domain.json" --engine "$4"; }
        for _ in {1..100}; do "$1/tfaas" info >/dev/null 2>&1 && break; sleep 0.1; done
        head -c 2M /dev/zero >"$2/filler" 2>/dev/null
        deploy "$@" 2>"$5/full.error" && exit 1
        "$1/tfaas" key new "$2/key.pem" 2>>"$5/full.error" && exit 1
        rm "$2/filler"
        deploy "$@"
        status=$?
        kill "$daemon"
        wait "$daemon"
        exit $status' - "$bin" "$work/disk" "$port" "$engine" "$work"
}
mkdir "$work/disk"
if unshare --map-root-user --mount true 2>/dev/null; then
    ok "with room again, a full disk takes the bundle" full_disk
    is "before, the deployment said so, and a key that was to be written there" 2 \
        grep -c '^tfaas: disk-full: ' "$work/full.error"
    ok "and the log what failed" grep -q 'event=store-failed file=.* error=disk-full' \
        "$work/full.log"
else
    note "no full disk: no user namespaces here"
fi
finish
