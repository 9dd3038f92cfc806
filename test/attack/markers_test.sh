#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Two publishers have ten lambdas each, in an enclave each and in one that they share. Requests to
# all of them at a time bring 32 random bytes each, of which the first 16 are this run's. The
# lambdas (test/attack/markers/) keep them wherever they can, and answer with all that they find:
# it must be the request's own. When the lambdas have been removed, replaced and revoked, no
# half of a marker is left in the worker, enclave included, nor in the daemon or a file.
#
#   TFAAS_MARKERS  requests over all engines (1,000; the long form has 10,000)
some="quickjs duktape mujs"
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || some+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$some}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
# shellcheck source=test/tools/host_view.sh
. test/tools/host_view.sh
total=${TFAAS_MARKERS:-1000}
each=$((total / (${#engines[@]} + 1))) # the first engine has two rounds
half=$(head -c 16 /dev/urandom | od -An -tx1 -v | tr -d ' \n')
serial=0

party() { # NAME: a key, a CA, a domain of its own and one that shares
    tf key new "$work/$1.pem" && tf ca new --name "$1" --out "$work/$1.ca" &&
        tf domain new --name "$1" --publisher "$work/$1.pem.pub" --out "$work/$1.apart.json" &&
        tf domain new --name "$1" --publisher "$work/$1.pem.pub" --shared \
            --out "$work/$1.together.json"
}
policies() { # NAME
    local images=() e
    for e in "${engines[@]}"; do
        # shellcheck disable=SC2207
        images+=($(trusted "$e"))
    done
    tf policy new "${images[@]}" --domain "$work/$1.apart.json" --sim-root host \
        --out "$work/$1.apart.policy" &&
        tf policy new "${images[@]}" --domain "$work/$1.together.json" --sim-root host \
            --sharing --out "$work/$1.together.policy"
}
domain_of() { # PARTY ROUND
    if [ "$2" = apart ]; then echo "$work/$1.apart.json"; else echo "$work/group.json"; fi
}

# hand_in PARTY NAME ROUND ENGINE [VERSION]
hand_in() {
    tf pack "$work/$2" --version "${5:-1}" --out "$work/$2.tfb" &&
        tf sign "$work/$2.tfb" --key "$work/$1.pem" &&
        tf deploy "$work/$2.tfb" --domain "$(domain_of "$1" "$3")" --engine "$4"
}
give() { # PARTY NAME ROUND
    tf grant "$2" --policy "$work/$1.$3.policy" --key "$work/$1.pem" \
        --ca-key "$work/$1.ca.key" --ca-cert "$work/$1.ca.pem" --allow-sim
}
publish_all() { # ROUND ENGINE
    local who name
    for who in alice bob; do
        for name in "${who}"{0..9}"-$2-$1"; do
            lambda "$name" <test/attack/markers/main.js &&
                cp test/attack/markers/shelf.js "$work/$name/" && hand_in "$who" "$name" "$1" "$2" &&
                give "$who" "$name" "$1" || return 1
        done
    done
}

# ask_all ENGINE ROUND: requests in random order, eight at a time; what came is in $work/answers
ask_all() {
    rm -rf "$work/answers" && mkdir "$work/answers"
    perl -e 'my ($count, $half, $at, $port, $work) = @ARGV; open my $random, "<", "/dev/urandom" or die;
        for my $i (1 .. $count) {
            read $random, my $bytes, 16;
            my $marker = $half . unpack "H*", $bytes;
            my $who = ("alice", "bob")[rand 2];
            my $host = $who . int(rand 10) . "-$at.test";
            print "next\n" if $i > 1;
            print qq(url = "https://$host:$port/$marker"\nresolve = "$host:$port:127.0.0.1"\n),
                qq(cacert = "$work/$who.ca.pem"\nmax-time = 60\ndata = "$marker"\n),
                qq(header = "x-marker: $marker"\noutput = "$work/answers/$marker"\nsilent\n);
        }' "$each" "$half" "$1-$2" "$port" "$work" >"$work/curl.markers"
    curl -Z --parallel-max 8 -K "$work/curl.markers"
}
answered() { [ "$(find "$work/answers" -type f -size +0 | wc -l)" = "$each" ]; }

# only_own: each answer begins with its request's marker and has no other
only_own() {
    perl -e 'my $bad = 0;
        for my $path (glob "$ARGV[0]/*") {
            my ($mine) = $path =~ m{([0-9a-f]{64})$} or die;
            open my $f, "<", $path or die;
            local $/;
            my $text = <$f>;
            my @seen = $text =~ /([0-9a-f]{64})/g;
            next if @seen == 1 && $seen[0] eq $mine;
            print "$mine: @seen\n";
            $bad++;
        }
        exit $bad != 0' "$work/answers"
}

# unload ENGINE ROUND: alice removes hers; bob replaces five of his and revokes five
unload() {
    local i below=() to=(--domain "$work/group.json")
    [ "$2" != apart ] || to=(--domain "$work/bob.apart.json")
    for i in 0 1 2 3 4 5 6 7 8 9; do
        tf rm "alice$i-$1-$2" || return 1
        [ "$i" -lt 5 ] || { below+=(--below "bob$i-$1-$2=9") && continue; }
        echo 'exports.fetch = function () { return new Response("new"); };' \
            >"$work/bob$i-$1-$2/main.js"
        hand_in bob "bob$i-$1-$2" "$2" "$1" 2 || return 1
    done
    serial=$((serial + 1))
    tf revoke --serial "$serial" "${below[@]}" --key "$work/bob.pem" "${to[@]}"
}
pids_of() { admin GET /v1/workers | jq -r --arg e "$1" '.workers[] | select(.engine == $e and .pid != 0) | .pid'; }

# gone ENGINE ROUND: from everything that has them
gone() {
    local pid files
    for pid in $(pids_of "$1"); do
        nowhere "the worker's memory, enclave included, after unloading ($2)" memory "$half$half" "$pid"
    done
    nowhere "the daemon's memory ($2)" memory "$half$half" "$daemon"
    mapfile -t files < <(find "$work/host" "$work/tfaasd.log" -type f)
    nowhere "any of ${#files[@]} files ($2)" file "$half$half" "${files[@]}"
}
is_there() {
    local pid
    for pid in $(pids_of "$1"); do "$keyscan" memory "$half$half" "$pid" || return 0; done
    return 1
}

# round ENGINE apart|together
round() {
    engine=$1
    need "$1, $2: two publishers, ten lambdas each" publish_all "$2" "$1"
    ok "$1, $2: $each requests" ask_all "$1" "$2"
    ok "$1, $2: all are answered" answered
    ok "$1, $2: none sees another's marker" only_own
    if [ "$(id -u)" = 0 ]; then
        ok "$1, $2: the scanner finds markers in an enclave" is_there "$1"
    fi
    ok "$1, $2: the lambdas are removed, replaced and revoked" unload "$1" "$2"
    [ "$(id -u)" != 0 ] || gone "$1" "$2"
}

# A heap that is kept shows that the lambda would find what is there.
kept() {
    local first second
    first=$(printf '1%.0s' {1..64}) second=$(printf '2%.0s' {1..64})
    ask kept /x -d "$first" && ask kept /y -d "$second" >"$work/kept.body" &&
        grep -q "$first" "$work/kept.body"
}

keyscan=$(tool keyscan)
need "the scanner is there" test -x "$keyscan"
[ "$(id -u)" = 0 ] || echo "SKIP  scans of memory: need root"
need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
lambda kept <test/attack/markers/main.js
cp test/attack/markers/shelf.js "$work/kept/"
jq '.reuse = true' "$work/kept/tfaas.json" >"$work/kept/new" && mv "$work/kept/new" "$work/kept/tfaas.json"
need "a lambda that keeps its heap is published" publish kept "${engines[0]}"
ok "it finds an earlier marker" kept
ok "it is removed" tf rm kept
for who in alice bob; do
    need "$who: key, CA, domains" party "$who"
done
need "a group of both" tf domain group --member "$work/alice.together.json" \
    --member "$work/bob.together.json" --out "$work/group.json"
for who in alice bob; do need "$who: policies" policies "$who"; done
round "${engines[0]}" apart
for e in "${engines[@]}"; do
    round "$e" together
done
finish
