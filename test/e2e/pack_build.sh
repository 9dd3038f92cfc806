#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `tfaas pack` with a build step: TypeScript and today's JavaScript with a package, bundled for
# QuickJS and lowered for Duktape and MuJS, answer alike; the bundle says nothing of how it was
# made and is the same wherever the project lies; what is missing or wrong has its own code.
modules=$("$(dirname "$0")/../../deps/modules" 2>/dev/null)
export TFAAS_ENGINES="quickjs duktape mujs"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
bin=$(cd "$bin" && pwd) || exit 1
if [ -z "$modules" ] || ! command -v node >/dev/null; then
    echo "SKIP no packages of deps/lock.npm, or no node"
    passed=1 finish
    exit
fi

# project DIR: with esbuild, SWC and a package of its own in node_modules.
project() {
    mkdir -p "$1/src" "$1/node_modules/.bin" "$1/node_modules/greeting"
    ln -s "$modules/node_modules/.bin/esbuild" "$1/node_modules/.bin/esbuild"
    ln -s "$modules/node_modules/@swc" "$1/node_modules/@swc"
    echo '{"name": "greeting", "version": "1.0.0", "main": "main.js", "module": "main.mjs"}' \
        >"$1/node_modules/greeting/package.json"
    echo "export const greet = (name = 'world') => \`hello \${name}\`;" \
        >"$1/node_modules/greeting/main.mjs"
    cat >"$1/src/main.ts" <<'TS'
import { greet } from 'greeting';

interface Shape { area(): number }

class Square implements Shape {
    #side: number;
    static count = 0;
    constructor(side: number) { this.#side = side; Square.count++; }
    area() { return this.#side ** 2; }
    get [`na${'me'}`]() { return 'square'; }
}

class Big extends Square {
    constructor(...sides: number[]) { super(Math.max(...sides)); }
    area() { return super.area() + 1; }
}

function* numbers(to: number) {
    for (let i = 0; i < to; i++) { if (i === 2) continue; yield i; }
}

const later = <T>(value: T) => new Promise<T>((done) => queueMicrotask(() => done(value)));

async function work({ a = 1, ...rest }: Record<string, number>) {
    const out: unknown[] = [greet(), greet('you'), a, rest];
    for (const n of [1, 2, 3]) { out.push(await later(n * 2)); }
    const it = numbers(4);
    for (let next = it.next(); !next.done; next = it.next()) { out.push(next.value); }
    try { await Promise.reject(new TypeError('caught')); } catch (error) { out.push(`${error}`); } finally { out.push('finally'); }
    const [first, [second] = [7], ...others] = [1, undefined, 3, 4];
    out.push(first, second, others, rest?.b ?? 'none', rest.none?.toString() ?? 'none');
    outer: for (const x of [1, 2]) { for (const y of [1, 2]) { if (y > x) continue outer; out.push(x * y); } }
    const closures = []; for (let i = 0; i < 3; i++) { closures.push(() => i); }
    return [...out, closures.map((f) => f()), [new Big(1, 3), new Square(2)].map((s) => [s.area(), s['name']]), Square.count];
}

export default {
    async fetch(request: Request) {
        return Response.json(await work({ b: 2, c: (await request.text()).length }));
    }
};
TS
    printf '{"name": "built", "version": 1, "type": "module", "entry": "src/main.ts", "domains": ["built.test"],
        "build": {}}\n' >"$1/tfaas.json"
}

manifest_of() { tar -xOf "$1" tfaas.dsse | jq -r .payload | base64 -d; }

wanted='["hello world","hello you",1,{"b":2,"c":4},2,4,6,0,1,3,"TypeError: caught","finally",1,7,[3,4],2,"none",1,2,4,[0,1,2],[[10,"square"],[4,"square"]],2]'

answers() { # NAME TARGET ENGINE
    tf pack "$work/p" --target "$2" --name "$1" --domain "$1.test" --out "$work/$1.tfb" &&
        tf sign "$work/$1.tfb" --key "$work/publisher.pem" && deploy "$1" "$3" && grant "$1" ||
        return 1
    [ "$(ask "$1" / --data 'body')" = "$wanted" ] && return 0
    ask "$1" / --data 'body'
    return 1
}

# refused NAME STATUS CODE TEXT ARG...: pack ends so, and says CODE and TEXT.
refused() {
    local title=$1 status=$2 code=$3 text=$4
    shift 4
    cli pack "$@" --out "$work/no.tfb" >"$log" 2>&1 </dev/null
    [ $? = "$status" ] && grep -q "tfaas: $code: " "$log" && grep -qF -e "$text" "$log"
    count $? "$title"
}

same_bytes() {
    tf pack "$work/p" --target es5 --out "$work/1.tfb" && project "$work/else/where" &&
        (cd "$work/else" && tf pack where --target es5 --out "$work/2.tfb") &&
        cmp "$work/1.tfb" "$work/2.tfb"
}

smaller() {
    tf pack "$work/p" --bundle --out "$work/1.tfb" &&
        tf pack "$work/p" --minify --out "$work/2.tfb" &&
        [ "$(wc -c <"$work/2.tfb")" -lt "$(wc -c <"$work/1.tfb")" ]
}

warned() {
    echo 'exports.fetch = () => new Response(String(1n));' >"$work/big/src/main.ts"
    cli pack "$work/big" --target es5 --out "$work/1.tfb" 2>&1 | grep -q 'Big integer'
}

need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
project "$work/p"
mkdir "$work/tmp" && export TMPDIR=$work/tmp
ok "bundled for QuickJS it answers" answers modern es2023 quickjs
ok "lowered to ES5 it answers on Duktape" answers es5-duktape es5 duktape
ok "lowered to ES5 it answers on MuJS" answers es5-mujs es5 mujs
is "the manifest speaks of the output alone" main.js/commonjs/1 \
    jq -r '"\(.entry)/\(.type)/\(.files | length)"' <(manifest_of "$work/es5-mujs.tfb")
is "and has no other fields than any" domains,entry,files,name,type,version \
    jq -r 'keys | join(",")' <(manifest_of "$work/es5-mujs.tfb")
ok "the same project gives the same bytes, wherever it lies" same_bytes
ok "--minify makes it smaller" smaller
project "$work/big"
ok "esbuild's warning of BigInt is shown" warned
is "nothing is left in TMPDIR" 0 sh -c "ls -A '$work/tmp' | wc -l"

project "$work/bad"
echo 'export default { fetch( }' >"$work/bad/src/main.ts"
refused "a syntax error is shown as esbuild tells it" 1 build-failed 'src/main.ts:1:24' "$work/bad"
echo "import 'not-there';" >"$work/bad/src/main.ts"
refused "a package that is not there, too" 1 build-failed 'Could not resolve "not-there"' "$work/bad"
refused "a target that nobody knows" 1 build-failed 'Invalid target' "$work/p" --target es1
rm "$work/bad/node_modules/@swc"
echo "exports.fetch = 1;" >"$work/bad/src/main.ts"
refused "without SWC" 2 tool-missing 'npm install --save-dev esbuild @swc/core' "$work/bad" --target es5
rm "$work/bad/node_modules/.bin/esbuild"
refused "without esbuild" 2 tool-missing 'npm install --save-dev esbuild @swc/core' "$work/bad"
jq '.build = {"minfy": true}' "$work/p/tfaas.json" >"$work/bad/tfaas.json"
refused "a field of build that nobody knows" 1 manifest-field minfy "$work/bad"
jq '.files = ["src/main.ts"]' "$work/p/tfaas.json" >"$work/bad/tfaas.json"
refused "files beside build" 1 manifest-field 'no files' "$work/bad"
jq '.entry = "../p/src/main.ts"' "$work/p/tfaas.json" >"$work/bad/tfaas.json"
refused "an entry outside of the project" 1 bundle-path '../p' "$work/bad"
finish
