#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A man in the middle relays attestations. Two genuine instances live in two network
# namespaces; between the relying party and the first sits a relay that ends TLS itself. It
# passes genuine, fresh evidence on; repeats evidence of an earlier session; shows one
# instance's claims with the other's evidence. Each time the verdict is bad with a reason of
# its own, nothing is granted, and the direct way is good. Evidence is a DCAP quote of an AESM
# under a test root (test/dcap).
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
if [ "$(id -u)" != 0 ] || ! ip netns add "tfprobe$$" 2>/dev/null; then
    echo "SKIP  relay: needs root and network namespaces"
    exit 0
fi
ip netns delete "tfprobe$$"
engines=(quickjs)
name=shop
declare -A daemons=() relays=()
trap 'clean; leave' EXIT

clean() {
    local one
    relay_stop
    for one in "${!daemons[@]}"; do
        kill -TERM "${daemons[$one]}" 2>/dev/null
        wait "${daemons[$one]}" 2>/dev/null
        ip netns delete "tf$one$$" 2>/dev/null
    done
    daemons=()
}

# instance ONE NET: a platform in a namespace of its own, at 10.NET.2
instance() {
    local ns=tf$1$$ net=$2
    ip netns add "$ns" && ip link add "tfv$1$$" type veth peer name eth0 netns "$ns" &&
        ip addr add "$net.1/24" dev "tfv$1$$" && ip link set "tfv$1$$" up &&
        ip -n "$ns" addr add "$net.2/24" dev eth0 && ip -n "$ns" link set eth0 up &&
        ip -n "$ns" link set lo up || return 1
    mkdir -m 700 "$work/$1" && cp -r "$work/host/sim" "$work/$1/sim" || return 1
    ip netns exec "$ns" "$bin/tfaasd" --state "$work/$1" --listen "$net.2:8443" \
        --insecure-sim-aesm "$world_aesm" \
        --image "quickjs=$bin/quickjs.img,$work/quickjs.sig" >>"$work/tfaasd.log" 2>&1 \
        </dev/null &
    daemons[$1]=$!
    until_ok 100 "$bin/tfaas" info --host "$work/$1/admin.sock" &&
        tf deploy "$work/$name.tfb" --domain "$work/domain.json" --engine quickjs \
            --host "$work/$1/admin.sock"
}

# relay_start MODE [OTHER]: in front of the instance one, on a free loopback port
relay_start() {
    relay_stop
    free_port || return 1
    exec {keep}<> <(:)
    "$relay" "$1" "127.0.0.1:$port" 10.77.1.2:8443 ${2:+"$2"} <&"$keep" \
        >"$work/relay.log" 2>&1 &
    relays[one]=$!
    until_ok 50 grep -q ready "$work/relay.log"
}

relay_stop() {
    [ -n "${relays[one]:-}" ] || return 0
    kill -TERM "${relays[one]}" 2>/dev/null
    wait "${relays[one]}" 2>/dev/null
    relays=()
}

verdict() { # ADDRESS
    world_attest "$work/dcap.json" "$name" --json --connect "$1" | verdict_of
}

give() { # ADDRESS
    world_grant "$work/dcap.json" "$name" --connect "$1"
}

granted() {
    timeout 20 "$bin/tfaas" ls --json --host "$work/$1/admin.sock" | jq -r '.lambdas[0].granted'
}

seen() { grep -c "POST $1" "$work/relay.log"; }

# Both on one simulated machine: what differs between the instances is the instance alone.
prepare() {
    tf image key "$work/operator.pem" && tf image sign "$bin/quickjs.img" --prodid 1 --svn 1 \
        --key "$work/operator.pem" --out "$work/quickjs.sig" && tf key new "$work/publisher.pem" &&
        tf domain new --name e2e --publisher "$work/publisher.pem.pub" --out "$work/domain.json" &&
        tf ca new --name "e2e CA" --out "$work/ca" &&
        lambda "$name" <<<'exports.fetch = function () { return new Response("here\n"); };' &&
        bundle "$name"
}

policy() {
    TFAAS_HOST=$work/one/admin.sock tf policy new --image "$work/quickjs.sig" \
        --domain "$work/domain.json" --sim-root host --out "$work/policy.json" &&
        world_policy "$work/dcap.json"
}

relay=$(tool relay)
need "the relay is there" test -x "$relay"
need "keys, bundle" prepare
need "a world with DCAP" world_start
need "an instance in a namespace" instance one 10.77.1
need "another in another" instance two 10.77.2
need "a policy" policy
is "the direct way is good" "good " verdict 10.77.1.2:8443
is "to the other too" "good " verdict 10.77.2.2:8443

ok "a relay that passes everything on" relay_start pass
is "relayed evidence is refused" "bad evidence-relayed evidence-key" verdict "127.0.0.1:$port"
fails "and nothing is granted over it" evidence-relayed give "127.0.0.1:$port"
is "no request for a key was sent to it" 0 seen /v1/csr
is "the relay did see the attestations" 2 seen /v1/attest

ok "a relay that repeats what it saw" relay_start replay
is "its first answer is relayed" "bad evidence-relayed evidence-key" verdict "127.0.0.1:$port"
is "then replayed" "bad evidence-replayed evidence-relayed evidence-key" \
    verdict "127.0.0.1:$port"
fails "and nothing is granted" evidence-replayed give "127.0.0.1:$port"

ok "a relay that mixes two instances" relay_start mix 10.77.2.2:8443
is "the claims of one, the evidence of another" \
    "bad evidence-binding evidence-relayed evidence-key" verdict "127.0.0.1:$port"
fails "and nothing is granted" evidence-binding give "127.0.0.1:$port"
is "no request for a key was sent to it" 0 seen /v1/csr

is "the first instance has no grant" false granted one
is "nor the second" false granted two
ok "the direct way is granted" give 10.77.1.2:8443
is "the first has it" true granted one
is "the second has not" false granted two
clean
finish
