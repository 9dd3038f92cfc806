# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# test/e2e/lib.sh - sourced by the stories in this folder: a platform of their own on a free
# loopback port, with its state, keys and lambdas in a temporary folder, and checks that are
# counted. Only processes started here are ended. Every wait is bounded.
#
#   TFAAS_BIN      where the programs and images are (build)
#   TFAAS_ENGINES  engines to tell the story on ("quickjs duktape")
#   TFAAS_KEEP=1   leaves the temporary folder behind and says where it is
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
bin=${TFAAS_BIN:-build}
read -r -a engines <<<"${TFAAS_ENGINES:-quickjs duktape}"
work=$(mktemp -d "${TMPDIR:-/tmp}/tfaas-e2e.XXXXXX") || exit 1
log=$work/log
passed=0 failed=0 daemon='' port=''

note() { printf '%s\n' "$*" >&2; }

# --- checks -------------------------------------------------------------------------------

count() { # STATUS NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
        printf 'ok    %s\n' "$2"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n' "$2"
        head -c 2000 "$log" | sed 's/^/      | /'
    fi
}

# ok NAME CMD...: CMD succeeds.
ok() {
    local title=$1
    shift
    "$@" >"$log" 2>&1 </dev/null
    count $? "$title"
}

# need NAME CMD...: as ok, but without it the rest of the story makes no sense.
need() {
    local before=$failed
    ok "$@"
    [ "$failed" = "$before" ] || {
        finish
        exit 1
    }
}

# fails NAME CODE CMD...: CMD fails and says CODE (see lib/err.c).
fails() {
    local title=$1 code=$2
    shift 2
    if "$@" >"$log" 2>&1 </dev/null; then
        echo "did not fail" >>"$log"
        count 1 "$title"
        return
    fi
    grep -qwF -e "$code" "$log"
    count $? "$title"
}

# is NAME WANTED CMD...: CMD prints WANTED.
is() {
    local title=$1 wanted=$2 got
    shift 2
    got=$("$@" 2>"$log" </dev/null)
    [ "$got" = "$wanted" ] || {
        printf 'wanted: %s\n   got: %s\n' "$wanted" "$got" >>"$log"
        false
    }
    count $? "$title"
}

# finish: ends what was started and closes with the sum; the script's last command.
finish() {
    host_stop
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}

# --- the platform -------------------------------------------------------------------------

# until_ok TENTHS CMD...: tries CMD until it succeeds.
until_ok() {
    local i tenths=$1
    shift
    for ((i = 0; i < tenths; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local i
    for ((i = 0; i < 100; i++)); do
        port=$((20000 + RANDOM % 10000))
        is_free "$port" && return 0
    done
    return 1
}

# host_start [ARG...]: signs the images (once), starts tfaasd, waits until it answers.
# TFAAS_HOST and TFAAS_CONNECT lead the command line to it.
host_start() {
    local e images=()
    [ -f "$work/operator.pem" ] || tf image key "$work/operator.pem" || return 1
    for e in "${engines[@]}"; do
        [ -f "$work/$e.sig" ] || tf image sign "$bin/$e.img" --key "$work/operator.pem" \
            --out "$work/$e.sig" --prodid 1 --svn 1 || return 1
        images+=(--image "$e=$bin/$e.img,$work/$e.sig")
    done
    [ -n "$port" ] || free_port || return 1
    "$bin/tfaasd" --state "$work/host" --listen "127.0.0.1:$port" "${images[@]}" "$@" \
        >>"$work/tfaasd.log" 2>&1 </dev/null &
    daemon=$!
    export TFAAS_HOST=$work/host/admin.sock TFAAS_CONNECT=127.0.0.1:$port
    until_ok 100 "$bin/tfaas" info
}

# host_stop: asks tfaasd to stop; one that does not within 5 s is killed.
host_stop() {
    [ -n "$daemon" ] || return 0
    kill -TERM "$daemon" 2>/dev/null
    until_ok 50 is_gone "$daemon" || kill -KILL "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
    daemon=''
}

is_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

leave() {
    host_stop
    if [ -n "${TFAAS_KEEP:-}" ]; then
        note "kept: $work"
    else
        rm -rf "$work"
    fi
}
trap leave EXIT
trap 'exit 1' INT TERM

admin() { # METHOD PATH: the host's own API
    curl -sS --max-time 10 --unix-socket "$TFAAS_HOST" -X "$1" "http://localhost$2"
}

# --- the publisher ------------------------------------------------------------------------

# tf ARG...: the command line; what it says is shown when it fails.
tf() {
    timeout 60 "$bin/tfaas" "$@" >"$work/tfaas.log" 2>&1 && return 0
    cat "$work/tfaas.log"
    return 1
}

# publisher_new: a signing key, a trust domain, a CA, and a policy for the images.
publisher_new() {
    local e images=()
    for e in "${engines[@]}"; do
        images+=(--image "$work/$e.sig")
    done
    tf key new "$work/publisher.pem" &&
        tf domain new --name e2e --publisher "$work/publisher.pem.pub" \
            --out "$work/domain.json" &&
        tf ca new --name "e2e CA" --out "$work/ca" &&
        tf policy new "${images[@]}" --domain "$work/domain.json" --sim-root host \
            --out "$work/policy.json"
}

# lambda NAME [LIMITS]: makes a project out of the source on stdin; its domain is NAME.test.
lambda() {
    mkdir -p "$work/$1"
    cat >"$work/$1/main.js"
    printf '{"name": "%s", "version": 1, "entry": "main.js", "domains": ["%s.test"],
        "limits": %s}\n' "$1" "$1" "${2:-{\}}" >"$work/$1/tfaas.json"
}

bundle() { # NAME: packs and signs
    tf pack "$work/$1" --out "$work/$1.tfb" && tf sign "$work/$1.tfb" --key "$work/publisher.pem"
}

deploy() { # NAME ENGINE
    tf deploy "$work/$1.tfb" --domain "$work/domain.json" --engine "$2"
}

grant() { # NAME
    tf grant "$1" --policy "$work/policy.json" --key "$work/publisher.pem" \
        --ca-key "$work/ca.key" --ca-cert "$work/ca.pem" --allow-sim
}

# publish NAME ENGINE: from the project to a lambda that answers.
publish() {
    bundle "$1" && deploy "$1" "$2" && grant "$1" && return 0
    tail -n 5 "$work/tfaasd.log"
    return 1
}

# --- the client ---------------------------------------------------------------------------

# ask NAME PATH [CURL ARG...]
ask() {
    local name=$1 path=$2
    shift 2
    curl -sS --max-time 30 --cacert "$work/ca.pem" --resolve "$name.test:$port:127.0.0.1" "$@" \
        "https://$name.test:$port$path"
}

# status_of NAME PATH [CURL ARG...]: only the status code.
status_of() { ask "$@" -o /dev/null -w '%{http_code}'; }

# raw_send NAME FILE [RAWTLS ARG...]: bytes as they are; see test/tools/rawtls.c.
raw_send() {
    local name=$1 file=$2 tool=$bin/test/tools/rawtls
    shift 2
    if [ ! -x "$tool" ]; then
        tool=$work/rawtls
        [ -x "$tool" ] || cc -std=c11 -D_GNU_SOURCE -O1 -I. -o "$tool" test/tools/rawtls.c \
            -lssl -lcrypto || return 1
    fi
    timeout 60 "$tool" "$@" "$port" "$name.test" "$work/ca.pem" "$file"
}
