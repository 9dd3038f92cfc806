#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The pack of hostile lambdas, test/attack/pack/*.js, on every engine that is built. Each begins
# with a line `//# NAME CODE [ENGINE:CODE]...` and is what may lie in a publisher's file:
# it must end within its budget, with one of the codes named (with slashes between them; lib/err.c),
# which stands in the host's log under the id that the client gets with a plain 500, 503 or 504.
# `contained`: it answers this word. `any`: an answer, or one of the codes. `-`: the engine's
# language cannot say it. `ends`: V8's native code does not listen, so its process ends and
# comes back (SECURITY.md), which takes ten seconds: of these every tenth, if all are asked for. Receipts say what it used. After each one its own lambda is asked
# whether it notices anything (test/attack/pack/main.js), and a neighbour on the same thread.
#
#   TFAAS_PACK  "all": each one; a regular expression: those with such a name (a hundred, of
#               all kinds)
all=quickjs\ duktape\ mujs
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || all+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$all}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
pack=test/attack/pack
steps=3000000 memory=8388608
# One call of native code is counted as a whole, by the bytes of memory that it works on.
slack=$((memory / 4))

# --- the pack ------------------------------------------------------------------------------

# split: $work/all/NAME.js, and $work/table with "NAME FAMILY CODE [ENGINE:CODE]..."
split() {
    mkdir -p "$work/all" && awk -v out="$work/all/" -v table="$work/table" '
        FNR == 1 { family = FILENAME; gsub(/.*\/|\.js$/, "", family); file = "" }
        $1 == "//#" {
            if (file != "") { close(file) }
            file = out $2 ".js"
            name = $2
            $1 = ""; $2 = family
            print name $0 > table
            next
        }
        file != "" { print > file }' "$pack"/[!m]*.js "$pack"/memories.js || return 1
    generate && families
}

# generate: what `//@ nested OPEN [CLOSE]` stands for
generate() {
    local file words
    while read -r file; do
        read -ra words < <(sed -n 's|^//@ ||p' "$file")
        perl -e 'my ($kind, $open, $close) = @ARGV; $close //= ""; my $n = 100000;
            if ($kind eq "large") { print "var a;\n"; print "a = function () { return [$_]; };\n" for 1 .. 60000; }
            elsif ($kind eq "regexp") { print "var a = /", "(" x $n, ")" x $n, "/;\n"; }
            else { print "var a = ", $open x $n, $close x $n, ";\n"; }
            print "exports.fetch = function () { return new Response(\"contained\"); };\n"' \
            -- "${words[@]}" >"$file.new" && mv "$file.new" "$file" || return 1
    done < <(grep -l '^//@' "$work"/all/*.js)
}

# families: column 2 of the table becomes the lambda that the attack belongs to
families() {
    local name family codes
    while read -r name family codes; do
        ! grep -q '^exports.handler' "$work/all/$name.js" || family=events
        [[ $name != load-* ]] || family=$name
        chosen "$name" && echo "$name $family $codes"
    done <"$work/table" >"$work/table.new"
    mv "$work/table.new" "$work/table"
}

turn=0
chosen() { # NAME
    case ${TFAAS_PACK:-} in
    all) ;;
    '') [ $((turn++ % 4)) = 0 ] ;;
    *) [[ $1 =~ $TFAAS_PACK ]] ;;
    esac
}

# expected ENGINE CODE [ENGINE:CODE]...: what it must end with
expected() {
    local e=$1 code=$2 word
    for word in "${@:3}"; do
        [ "${word%%:*}" != "$e" ] || code=${word#*:}
    done
    echo "$code"
}

# --- an engine's lambdas -------------------------------------------------------------------

# publish_family FAMILY ENGINE
publish_family() {
    local name=$1-$2 kind
    case $1 in
    load-*) lambda "$name" <<<'exports.fetch = function () { return new Response("harmless"); };' ;;
    *)
        kind=main
        [ "$1" != events ] || kind=main_event
        lambda "$name" "$limits" <"$pack/$kind.js"
        awk -v f="$1" '$2 == f { print $1 }' "$work/table" | while read -r kind; do
            cp "$work/all/$kind.js" "$work/$name/"
        done
        ;;
    esac
    publish "$name" "$2"
}

# What does not load is deployed nowhere, but a store that lies may hold it. In two steps:
# refuse_loads ENGINE, then, while tfaasd is stopped, store_loads ENGINE.
refuse_loads() {
    local name family codes wanted
    while read -r name family codes; do
        # shellcheck disable=SC2086
        wanted=$(expected "$1" $codes)
        case $family:$wanted in
        load-*:any | load-*:- | load-*:ends) continue ;;
        load-*) ok "$1: $name is not deployed" is_refused "$name" "$1" "$wanted" ;;
        esac
    done <"$work/table"
}

# is_refused NAME ENGINE CODES: what was deployed is of the same version
is_refused() {
    lambda "$1-$2-2" "$limits" <"$work/all/$1.js"
    sed -i "s/\"$1-$2-2\"/\"$1-$2\"/; s/-2.test/.test/" "$work/$1-$2-2/tfaas.json"
    tf pack "$work/$1-$2-2" --version 2 --out "$work/$1-$2-2.tfb" &&
        tf sign "$work/$1-$2-2.tfb" --key "$work/publisher.pem" && ! deploy "$1-$2-2" "$2" &&
        grep -E "^tfaas: (${3//\//|}): it does not load" "$work/tfaas.log"
}

store_loads() {
    local name family codes
    while read -r name family codes; do
        [[ $family != load-* ]] || stored "$name-$1" "$limits" <"$work/all/$name.js" || return 1
    done <"$work/table"
}

# transfer URL OUT [ENGINE]: of curl's configuration; V8's process may be on its way back
transfer() {
    printf 'next\nurl = "https://%s"\nresolve = "%s:127.0.0.1"\noutput = "%s.body"\n' \
        "$1" "${1%%/*}" "$2"
    printf 'dump-header = "%s.head"\nrate = "200/s"\n' "$2"
    printf 'cacert = "%s"\nmax-time = 120\nheader = "tfaas-receipt: 1"\nsilent\n' "$work/ca.pem"
    ! is_native "${3:-}" || printf 'retry = 9\nretry-all-errors\n'
}

# is_wanted_end: for every tenth of these, if all are asked for.
ends=0
is_wanted_end() {
    ends=$((ends + 1))
    [ "${TFAAS_PACK:-}" = all ] && [ $((ends % 10)) = 1 ]
}

# attack_all ENGINE: each attack, then its lambda's other path (but loads have none), then the
# neighbour, one after another.
attack_all() {
    local e=$1 name family codes at
    mkdir -p "$work/got.$e"
    while read -r name family codes; do
        # shellcheck disable=SC2086
        case $(expected "$e" $codes) in
        -) continue ;;
        ends) is_wanted_end || continue ;;
        esac
        at=$work/got.$e/$name
        transfer "$family-$e.test:$port/$name" "$at"
        [[ $name == load-* ]] || transfer "$family-$e.test:$port/" "$at.again" "$e"
        transfer "neighbour-$e.test:$port/" "$at.beside" "$e"
    done <"$work/table" | sed 1d >"$work/curl.$e"
    curl -K "$work/curl.$e"
}

# --- what came of it -----------------------------------------------------------------------

# read_log: code[ID], of what the hosts' log says of invocations that failed
declare -A code
read_log() {
    local id name
    while read -r name id; do code[$id]=$name; done < <(sed -nE \
        's/.* event=lambda-failed .* error=([a-z-]+) id=([0-9a-f]{16})$/\1 \2/p' "$work/tfaasd.log")
}

# outcome NAME AT: "contained", "answer", the code in the log, or what is wrong
outcome() {
    local http status rest body=''
    [ -s "$2.head" ] || { echo ends && return; }
    [ ! -e "$2.body" ] || read -r body <"$2.body"
    read -r http status rest <"$2.head"
    if [ "$status" = 200 ]; then
        [ "$body" = contained ] && echo contained || echo answer
    elif [[ ! $body =~ ^error\ ([0-9a-f]{16})$ ]]; then
        echo "$http $status: $body $rest"
    elif [ "$status" != "$(status_for "${code[${BASH_REMATCH[1]}]:-}" "$1")" ]; then
        echo "${code[${BASH_REMATCH[1]}]:-not in the log} with $status"
    else
        echo "${code[${BASH_REMATCH[1]}]}"
    fi
}

status_for() { # CODE NAME
    case $2:$1 in load-*:exception) ;; load-*) echo 503 && return ;; esac
    case $1 in steps | memory | stack) echo 503 ;; pending) echo 504 ;; *) echo 500 ;; esac
}

# ends_right NAME ENGINE CODES
ends_right() {
    local at=$work/got.$2/$1 got
    got=$(outcome "$1" "$at")
    echo "$got, not $3"
    ! grep -siE '^(set-cookie|[b-dxyz]):' "$at.head" || return 1
    case /$3/ in
    */"$got"/*) ;;
    */any/*) [[ $got =~ ^(contained|answer|steps|memory|stack|exception|response|pending|lambda-source)$ ]] ;;
    *) false ;;
    esac
}

# said AT TEXT: a 200 with that body
said() { [ "$(head -c 100 "$1.body" 2>&1)" = "$2" ] && head -n 1 "$1.head" | grep -q ' 200'; }

# within ENGINE: what receipts say of each attack; on V8 about what a process may have
within() {
    local most_steps=$((steps + slack)) most=$memory
    ! is_native "$1" || most_steps=$((1 << 30)) most=$((1 << 30))
    grep -H '^tfaas-receipt: ' "$work/got.$1"/*.head >"$work/receipts.$1" || return 1
    tr -d '\r' <"$work/receipts.$1" | sed -E 's|.*/(.*)\.head:tfaas-receipt: ([^.]*).*|\1 \2|' |
        jq -R -r 'split(" ") | (.[1] | @base64d | fromjson) as $r | "\(.[0]) \($r.steps) \($r.peak)"' >"$work/used.$1" &&
        awk -v steps="$most_steps" -v memory="$most" \
            '$2 > steps || $3 > memory { print; bad = 1 } END { exit bad || NR == 0 }' "$work/used.$1"
}

judge() { # ENGINE
    local e=$1 name family codes wanted at ran=0 lacking=0
    ends=0
    while read -r name family codes; do
        # shellcheck disable=SC2086
        wanted=$(expected "$e" $codes)
        at=$work/got.$e/$name
        [ "$wanted" != - ] || { lacking=$((lacking + 1)) && continue; }
        [ "$wanted" != ends ] || is_wanted_end || continue
        ran=$((ran + 1))
        ok "$e: $name ends with $wanted" ends_right "$name" "$e" "$wanted"
        [[ $name == load-* ]] || ok "$e: $name leaves nothing to the next request" said "$at.again" fine
        ok "$e: the neighbour answers after $name" said "$at.beside" neighbour
    done <"$work/table"
    ok "$e: each used at most what it may" within "$e"
    echo "$e: $ran hostile lambdas; $lacking more that its language cannot say"
}

# --- the story -----------------------------------------------------------------------------

limits="{\"steps\": $steps, \"memory\": $memory}"
need "the pack is there" split
need "the platform starts, with one thread" host_start --threads 1
need "a publisher" publisher_new
mapfile -t names < <(awk '{ print $2 }' "$work/table" | sort -u)
publish_all() {
    local name
    for name in "${names[@]}"; do publish_family "$name" "$1" || return 1; done
}
for e in "${engines[@]}"; do
    lambda "neighbour-$e" <<<'exports.fetch = function () { return new Response("neighbour"); };'
    need "$e: a neighbour is deployed" publish "neighbour-$e" "$e"
    need "$e: ${#names[@]} bundles of the pack are deployed" publish_all "$e"
    refuse_loads "$e"
done
host_stop
for e in "${engines[@]}"; do need "$e: its store is another's" store_loads "$e"; done
need "the platform starts with what it has stored" host_start --threads 1
lean_starts() { admin GET /v1/workers | jq '[.workers[] | select(.engine != "v8").starts] | add'; }
started=$(lean_starts)
pids=()
for e in "${engines[@]}"; do
    attack_all "$e" >"$work/curl.log.$e" 2>&1 &
    pids+=($!)
done
wait "${pids[@]}"
read_log
for e in "${engines[@]}"; do
    judge "$e"
done
is "no enclave was restarted" "$started" lean_starts
finish
