#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The engines side by side: every example answers identically on each engine that its manifest
# allows; the table of features in doc/engines.md is what the engines say of themselves; MuJS,
# which the other stories leave out, ends hostile lambdas as the others do.
export TFAAS_ENGINES="quickjs duktape mujs"
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || TFAAS_ENGINES="$TFAAS_ENGINES v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# path_of EXAMPLE: what to ask; a body is sent with it.
path_of() {
    case $1 in
    hello) echo '/a%20b?name=J%C3%B6rg+%F0%9F%98%80' ;;
    base64) echo '/?n=1' ;;
    cube3d) echo '/?n=50' ;;
    *) echo '/?name=you' ;;
    esac
}

# allowed EXAMPLE ENGINE
allowed() {
    jq -e --arg e "$2" '.engines == null or (.engines | index($e))' \
        "examples/$1/tfaas.json" >/dev/null
}

# answer NAME PATH: status, headers that are the lambda's, body.
answer() {
    ask "$1" "$2" -D "$work/head" -o "$work/body" -H 'content-type: text/x-test' \
        --data-binary $'two w\xc3\xb6rds \xf0\x9f\x98\x80 \x01\xff' || return 1
    head -n 1 "$work/head"
    grep -i '^content-type:' "$work/head"
    base64 <"$work/body"
}

# same EXAMPLE: on the engines named in $on, the first of which is the measure.
same() {
    local e first='' got path
    path=$(path_of "$1")
    for e in $on; do
        got=$(answer "$1-$e" "$path") || return 1
        [ -n "$first" ] || first=$got
        [ "$got" = "$first" ] || {
            printf '%s answers\n%s\nand the first of %s\n%s\n' "$e" "$got" "$on" "$first"
            return 1
        }
    done
    grep -q ' 200' <<<"$first"
}

# on_engine EXAMPLE ENGINE: publishes it under a name of its own.
on_engine() {
    tf pack "examples/$1" --name "$1-$2" --domain "$1-$2.test" --out "$work/$1-$2.tfb" &&
        tf sign "$work/$1-$2.tfb" --key "$work/publisher.pem" && deploy "$1-$2" "$2" &&
        grant "$1-$2"
}

# --- features -----------------------------------------------------------------------------

# Name, and an expression that is true where it is there. Its own file, so that syntax counts.
features=(
    "arrow functions, classes, template strings|(() => new (class { get x() { return \`y\`; } })().x)() === 'y'"
    "let, const, destructuring, spread, for..of|(function () { let n = 0; const [a, ...b] = [1, 2]; for (const x of [a, ...b]) { n += x; } return n === 3; })()"
    "async functions, generators|typeof (async function () {}) === 'function' && [...(function* () { yield 1; })()].length === 1"
    "BigInt, ?., ??|2n ** 64n > 1n && (null?.x ?? true)"
    "Symbol, Proxy, Reflect|typeof Symbol() === 'symbol' && typeof Proxy === 'function' && typeof Reflect.ownKeys === 'function'"
    "Map, Set, WeakMap|new Map([[1, 2]]).get(1) === 2 && new Set([1]).has(1) && typeof WeakMap === 'function'"
    "String: includes, startsWith, repeat, padStart|'ab'.includes('b') && 'ab'.startsWith('a') && 'x'.repeat(2) === 'xx' && 'x'.padStart(2).length === 2"
    "Array: find, fill, includes, from, flat|[1].find(Number) === 1 && [0].fill(1)[0] === 1 && [1].includes(1) && Array.from('a').length === 1 && [[1]].flat().length === 1"
    "Object: assign, entries, values|Object.assign({}, { a: 1 }).a === 1 && Object.entries({ a: 1 }).length === 1 && Object.values({ a: 1 })[0] === 1"
    "RegExp: lookbehind, named groups, flags s, u, y|/(?<=a)(?<x>b)/su.exec('ab').groups.x === 'b' && /a/y.sticky"
    "regular expressions over long texts|/^(?:x|y)*\$/.test(new Array(5001).join('xy'))"
    "more than 15 captures|/(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)(a)/.exec('aaaaaaaaaaaaaaaa')[16] === 'a'"
    "typed arrays, ArrayBuffer|new Uint8Array([1, 258])[1] === 2 && new Float64Array(2).buffer.byteLength === 16"
    "DataView|new DataView(new ArrayBuffer(8)).getInt16(0) === 0"
    "Intl|typeof Intl === 'object'"
    "Promise, then, all, any|typeof Promise.resolve().then === 'function' && typeof Promise.any === 'function'"
    "properties keep the order of creation|JSON.stringify({ b: 1, a: 2, 1: 0 }) === '{\"1\":0,\"b\":1,\"a\":2}'"
    "getters, setters, freeze, defineProperty|Object.isFrozen(Object.freeze({ get x() { return 1; } })) && Object.defineProperty({}, 'x', { value: 1 }).x === 1"
    "strict mode|(function () { 'use strict'; return this === undefined; })()"
    "Request, Response, Headers, URL|new URL(new Request('https://a.b/c').url).pathname === '/c' && new Response('').headers instanceof Headers"
    "TextEncoder, atob, crypto.randomUUID, structuredClone|new TextEncoder().encode('a')[0] === 97 && atob('YQ==') === 'a' && crypto.randomUUID().length === 36 && structuredClone([1])[0] === 1"
    "fetch, timers|typeof fetch === 'function' && typeof setTimeout === 'function'"
    "eval, Function(text)|Function('return true')()"
)

# The probe: a file a feature, and a main.js that tries each.
probe_project() {
    local i
    lambda probe <<<"exports.fetch = function () {
        var out = '';
        for (var i = 0; i < ${#features[@]}; i++) {
            try { out += require('./f' + i) === true ? 'yes\\n' : 'no\\n'; } catch (e) { out += 'no\\n'; }
        }
        return new Response(out);
    };"
    for i in "${!features[@]}"; do
        printf 'module.exports = %s;\n' "${features[$i]#*|}" >"$work/probe/f$i.js"
    done
}

# probe_on ENGINE: its answers, a line a feature, in $work/probe.ENGINE.
probe_on() {
    tf pack "$work/probe" --name "probe-$1" --domain "probe-$1.test" --out "$work/probe-$1.tfb" &&
        tf sign "$work/probe-$1.tfb" --key "$work/publisher.pem" && deploy "probe-$1" "$1" &&
        grant "probe-$1" && ask "probe-$1" / >"$work/probe.$1" &&
        [ "$(wc -l <"$work/probe.$1")" = "${#features[@]}" ]
}

# as_written ENGINE COLUMN: doc/engines.md says the same. $work/table has what it should say.
as_written() {
    local i line
    for i in "${!features[@]}"; do
        line=$(grep -F "| ${features[$i]%%|*} |" doc/engines.md) || {
            echo "doc/engines.md lacks: ${features[$i]%%|*}"
            return 1
        }
        [ "$(awk -F ' *[|] *' -v c="$2" '{ print $c }' <<<"$line")" = \
            "$(sed -n "$((i + 1))p" "$work/probe.$1")" ] || {
            echo "$1: $(sed -n "$((i + 1))p" "$work/probe.$1"), but: $line"
            return 1
        }
    done
}

# --- the story ----------------------------------------------------------------------------

need "the platform starts with every engine" host_start --threads 1
need "a publisher" publisher_new
for example in examples/*/tfaas.json; do
    example=$(basename "$(dirname "$example")")
    on=''
    for e in "${engines[@]}"; do
        allowed "$example" "$e" || continue
        ok "$example on $e" on_engine "$example" "$e"
        on="$on $e"
    done
    ok "$example answers alike on$on" same "$example"
done
probe_project
column=3
for e in quickjs duktape mujs v8; do
    if [ "$e" != v8 ] || [[ " ${engines[*]} " == *" v8 "* ]]; then
        ok "$e says what it has" probe_on "$e"
        [ -z "${TFAAS_TABLE:-}" ] || paste -sd ' ' "$work/probe.$e" >&2
        ok "doc/engines.md says the same of $e" as_written "$e" "$column"
    fi
    column=$((column + 1))
done

limits='{"steps": 20000000, "memory": 8388608}'
lambda hostile "$limits" <<'JS'
exports.fetch = function (request) {
    var path = new URL(request.url).pathname;
    var a = [];
    if (path === '/loop') { for (;;) { try { for (;;) {} } catch (e) {} } }
    if (path === '/native') { for (;;) { a.indexOf.call({ length: 1 << 27 }, 1); } }
    if (path === '/regexp') { /^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'); }
    if (path === '/deep') { return (function f() { return f() + 1; })(); }
    if (path === '/eat') { for (;;) { a.push([1, 2, 3]); } }
    if (path === '/garbage') { for (var i = 0; i < 2000; i++) { new Uint8Array(1 << 16); } }
    if (path === '/never') { return new Promise(function () {}); }
    return new Response('ok');
};
JS
need "mujs: a hostile lambda is deployed" publish hostile mujs
for row in loop:503 native:503 regexp:503 deep:503 eat:503 garbage:200 never:504; do
    is "mujs: ${row%:*} ends with ${row#*:}" "${row#*:}" status_of hostile "/${row%:*}"
    is "mujs: it answers after it" ok ask hostile /
done
finish
