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
export XDG_CACHE_HOME=$work/cache # of collateral; never the caller's
passed=0 failed=0 daemon='' port='' world='' world_aesm='' world_pcs='' world_port='' world_pid='' world_machines=()

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
    world_stop
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

differs() { [ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]; }

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local i
    for ((i = 0; i < 100; i++)); do
        port=$((20000 + RANDOM % 10000))
        is_free "$port" && return 0
    done
    return 1
}

# V8's is no image but a runtime's folder.
is_native() { [ "$1" = v8 ]; }

# trusted ENGINE: what names it to `tfaas policy new`.
trusted() { if is_native "$1"; then echo --native "$bin/$1"; else echo --image "$work/$1.sig"; fi; }

# host_start [ARG...]: signs the images (once), starts tfaasd, waits until it answers.
# TFAAS_HOST and TFAAS_CONNECT lead the command line to it. `under` may hold a command that
# runs it, such as `env NAME=VALUE`.
under=()
host_start() {
    local e images=()
    [ -f "$work/operator.pem" ] || tf image key "$work/operator.pem" || return 1
    for e in "${engines[@]}"; do
        is_native "$e" && images+=(--native "$e=$bin/$e") && continue
        [ -f "$work/$e.sig" ] || tf image sign "$bin/$e.img" --key "$work/operator.pem" \
            --out "$work/$e.sig" --prodid 1 --svn 1 || return 1
        images+=(--image "$e=$bin/$e.img,$work/$e.sig")
    done
    [ -n "$port" ] || free_port || return 1
    "${under[@]}" "$bin/tfaasd" --state "$work/host" --listen "127.0.0.1:$port" "${images[@]}" "$@" \
        >>"$work/tfaasd.log" 2>&1 </dev/null &
    daemon=$!
    export TFAAS_HOST=$work/host/admin.sock TFAAS_CONNECT=127.0.0.1:$port
    until_ok 600 host_is_up
    cli info && return 0
    echo "tfaasd does not answer; its log:"
    tail -n 5 "$work/tfaasd.log"
    return 1
}

# host_is_up: or will never be
host_is_up() { is_gone "$daemon" || "$bin/tfaas" info; }

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
    world_stop
    if [ -n "${TFAAS_KEEP:-}" ]; then
        note "kept: $work"
    else
        rm -rf "$work"
    fi
}
trap leave EXIT
trap 'exit 1' INT TERM

# --- a world with DCAP ------------------------------------------------------------------
# test/dcap/fake_dcap.c: an AESM for the platform above and a PCS, under a root of their own.

# world_start [FIELDS]: starts it in $world with FIELDS of world.json; AESM listens at
# $world_aesm, the PCS at $world_pcs. Before host_start, or after: who comes first makes
# the simulated machine.
world_start() {
    world=$work/world
    world_aesm=$world/aesm.sock
    mkdir -p "$world" "$work/host" && chmod 700 "$work/host" && world_says "${1:-}" || return 1
    if [ -z "$world_port" ]; then
        local kept=$port
        free_port || return 1
        world_port=$port port=$kept
    fi
    world_pcs=http://127.0.0.1:$world_port
    [ -p "$world/life" ] || mkfifo "$world/life" || return 1
    : >"$world/log"
    exec 7<>"$world/life" # its standard input ends with this script
    "$bin/test/dcap/fake_dcap" "$world" --sim "$work/host/sim" --port "$world_port" \
        >"$world/log" 2>&1 <"$world/life" 7>&- &
    world_pid=$!
    until_ok 50 grep -q '^ready$' "$world/log"
}

# world_machine NAME SIM_DIR FIELDS: one more machine in that world, with FIELDS of its own:
# '"ppid": HEX'. Its AESM listens at $world/NAME.sock, until world_stop.
world_machine() {
    printf '{%s}\n' "$3" >"$world/$1.json" && : >"$world/$1.log" || return 1
    "$bin/test/dcap/fake_dcap" "$world" --sim "$2" --socket "$world/$1.sock" \
        --config "$world/$1.json" >"$world/$1.log" 2>&1 <"$world/life" 7>&- &
    world_machines+=($!)
    until_ok 50 grep -q '^ready$' "$world/$1.log"
}

# world_says FIELDS: what it is like from now on; '"status": "OutOfDate"'. See world.h.
world_says() {
    printf '{%s}\n' "$1" >"$world/world.json.new" && mv "$world/world.json.new" \
        "$world/world.json"
}

# world_stop [SIGNAL]
world_stop() {
    local pid
    for pid in $world_pid "${world_machines[@]}"; do
        kill -"${1:-TERM}" "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    world_pid='' world_machines=()
}

# world_collateral FILE FMSPC: what the PCS says, as in doc/formats.md ("Collateral").
world_collateral() {
    local at=$world_pcs/sgx/certification/v4 get=(curl -sS --fail --max-time 10)
    "${get[@]}" -D "$work/tcb.head" -o "$work/tcb.body" "$at/tcb?fmspc=$2" &&
        "${get[@]}" -D "$work/qe.head" -o "$work/qe.body" "$at/qe/identity" &&
        "${get[@]}" -D "$work/crl.head" -o "$work/crl.body" \
            "$at/pckcrl?ca=platform&encoding=der" &&
        "${get[@]}" -o "$work/root.crl" "$at/rootcacrl" || return 1
    jq -n --arg root "$(cat "$work/root.crl")" \
        --arg crl "$(od -An -v -tx1 "$work/crl.body" | tr -d ' \n')" \
        --arg crl_chain "$(chain_of "$work/crl.head" SGX-PCK-CRL-Issuer-Chain)" \
        --arg tcb_chain "$(chain_of "$work/tcb.head" TCB-Info-Issuer-Chain)" \
        --arg qe_chain "$(chain_of "$work/qe.head" SGX-Enclave-Identity-Issuer-Chain)" \
        --arg tcb "$(signed_part "$work/tcb.body" tcbInfo)" \
        --arg tcb_signature "$(jq -r .signature "$work/tcb.body")" \
        --arg qe "$(signed_part "$work/qe.body" enclaveIdentity)" \
        --arg qe_signature "$(jq -r .signature "$work/qe.body")" \
        '{pck_crl_issuer_chain: ($crl_chain + "\n"), root_ca_crl: $root, pck_crl: $crl,
          tcb_info_issuer_chain: ($tcb_chain + "\n"), tcb_info: $tcb,
          tcb_info_signature: $tcb_signature,
          qe_identity_issuer_chain: ($qe_chain + "\n"), qe_identity: $qe,
          qe_identity_signature: $qe_signature}' >"$1"
}

# world_policy FILE [JQ]: what policy_new says of enclaves, domain and publishers, under this
# world's root and no simulator; changed by a jq filter.
world_policy() {
    jq --arg root "$(cat "$world/root.sha256")" \
        "{measurements, domain, publishers, insecure_allow_roots: [\$root]} | ${2:-.}" \
        "$work/policy.json" >"$1"
}

# world_attest POLICY NAME [ARG...], world_grant POLICY NAME [ARG...]: with what this world's
# PCS says now.
world_attest() {
    local policy=$1 name=$2
    shift 2
    rm -rf "$XDG_CACHE_HOME"
    cli attest "$name" --policy "$policy" --collateral-service "$world_pcs" "$@"
}

world_grant() {
    rm -rf "$XDG_CACHE_HOME"
    grant_by "$@" --collateral-service "$world_pcs"
}

chain_of() { # HEAD NAME: a header's URL-encoded PEM
    local text
    text=$(sed -n "s/^$2: //p" "$1" | tr -d '\r')
    printf '%b' "${text//%/\\x}"
}

signed_part() { # BODY KEY: the value, byte by byte
    sed -e "s/^{\"$2\"://" -e 's/,"signature":"[0-9a-f]*"}$//' "$1"
}

admin() { # METHOD PATH: the host's own API
    curl -sS --max-time 10 --unix-socket "$TFAAS_HOST" -X "$1" "http://localhost$2"
}

worker_of() { # DOMAIN FIELD: of /v1/workers; the domain's descriptor is DOMAIN.json
    admin GET /v1/workers |
        jq -r --arg d "$(sha256sum "$work/$1.json" | cut -d' ' -f1)" --arg f "$2" \
            '.workers[] | select(.domain == $d) | .[$f]'
}

# all_starts: how often the workers were started
all_starts() { admin GET /v1/workers | jq '[.workers[].starts] | add'; }

# --- the publisher ------------------------------------------------------------------------

cli() { timeout 60 "$bin/tfaas" "$@"; }

# tf ARG...: the command line; what it says is shown when it fails.
tf() {
    local rc=0
    cli "$@" >"$work/tfaas.log" 2>&1 || rc=$?
    [ "$rc" != 0 ] || return 0
    cat "$work/tfaas.log"
    [ "$rc" != 124 ] || echo "it was ended after 60 s: tfaas $*"
    return 1
}

# publisher_new: a signing key, a trust domain, a CA, and a policy for the images.
publisher_new() {
    tf key new "$work/publisher.pem" &&
        tf domain new --name e2e --publisher "$work/publisher.pem.pub" \
            --out "$work/domain.json" &&
        tf ca new --name "e2e CA" --out "$work/ca" && publisher_policy
}

# publisher_policy: which images serve the trust domain, as it is now.
publisher_policy() {
    local e images=()
    for e in "${engines[@]}"; do
        # shellcheck disable=SC2207
        images+=($(trusted "$e"))
    done
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

# release NAME VERSION ENGINE [KEY]: the same project as another version
release() {
    tf pack "$work/$1" --version "$2" --out "$work/$1.tfb" &&
        tf sign "$work/$1.tfb" --key "$work/${4:-publisher}.pem" && deploy "$1" "$3"
}

# stored NAME [LIMITS]: while tfaasd is stopped, has its store hold the source on stdin in the
# place of NAME's bundle. Nobody has tried it: a host that lies, or another engine by now.
stored() { lambda "$@" && bundle "$1" && cp "$work/$1.tfb" "$work/host/lambdas/$1/bundle.tfb"; }

# start_beside_untried GOOD BAD SOURCE LIMITS: a publisher and a platform with one thread; on each
# engine GOOD-ENGINE answers "hello", and BAD-ENGINE has a source that nobody could deploy.
start_beside_untried() {
    local name
    need "the platform starts, with one thread" host_start --threads 1
    need "a publisher" publisher_new
    for engine in "${engines[@]}"; do
        for name in "$1" "$2"; do
            lambda "$name-$engine" <<<'exports.fetch = function () { return new Response("hello"); };'
            need "$engine: $name answers" publish "$name-$engine" "$engine"
        done
    done
    host_stop
    for engine in "${engines[@]}"; do
        stored "$2-$engine" "$4" <<<"$3"
    done
    need "the platform starts with what it has stored" host_start --threads 1
}

# grant_by POLICY NAME [ARG...]: with the publisher's keys; options go before these.
grant_by() {
    local policy=$1 name=$2
    shift 2
    tf grant "$name" --policy "$policy" --key "$work/publisher.pem" \
        --ca-key "$work/ca.key" --ca-cert "$work/ca.pem" "$@"
}

grant() { # NAME [ARG...]
    grant_by "$work/policy.json" "$@" --allow-sim
}

# verdict_of: of `tfaas attest --json` on stdin: good or bad, and why
verdict_of() { jq -r '"\(.verdict) \(.reasons | join(" "))"'; }

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

# end_jobs PID...: ends functions that run in the background. Such a job is a shell around its
# curl, which would go on without it.
end_jobs() {
    local pid
    for pid in "$@"; do
        # shellcheck disable=SC2046 # a list of numbers
        kill $(pgrep -P "$pid") "$pid" 2>/dev/null
    done
    wait "$@" 2>/dev/null
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

# load_start NAME: two clients, until load_end: one on a connection that stays, one that comes
# anew each time. What they were answered is in NAME.codes and NAME.new.codes.
clients=()
load_start() {
    stdbuf -oL curl -sS --cacert "$work/ca.pem" --resolve "$1.test:$port:127.0.0.1" --rate 100/s \
        -o /dev/null -w '%{http_code}\n' "https://$1.test:$port/?[1-100000]" \
        >"$work/$1.codes" 2>"$work/$1.err" &
    clients+=($!)
    while :; do status_of "$1" / || true; echo; sleep 0.05; done >"$work/$1.new.codes" 2>"$work/$1.new.err" &
    clients+=($!)
}
load_end() {
    kill "${clients[@]}" 2>/dev/null
    wait "${clients[@]}" 2>/dev/null
    clients=()
}
# lost FILE: how many of those were no 200; the last line may have been cut short
lost() { grep -cvE '^(200)?$' "$1"; }
