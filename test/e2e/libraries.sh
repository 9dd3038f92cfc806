#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Libraries of npm, bundled with `tfaas pack`, give in a lambda what they give in node: on
# QuickJS and V8 as they are, on Duktape and MuJS with `--target es5` and the polyfills of
# test/libraries/es5.js, where doc/engines.md says so. A case is test/libraries/NAME.js.
#
#   TFAAS_LIBRARIES  their names, or "all" (some)
modules=$("$(dirname "$0")/../../deps/modules" 2>/dev/null)
all="quickjs duktape mujs"
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || all+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$all}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
node=$bin/v8/node
names=${TFAAS_LIBRARIES:-mustache qs}
if [ "$names" = all ]; then
    names=$(cd test/libraries && printf '%s\n' *.js | sed 's/\.js$//' | grep -vxE 'es5|main')
else
    echo "some libraries only; all: TFAAS_LIBRARIES=all test/e2e/libraries.sh"
fi
if [ -z "$modules" ] || [ ! -x "$node" ]; then
    echo "SKIP no packages of deps/lock.npm (npm), or no V8 runtime (make v8)"
    passed=1 finish
    exit
fi

is_es5() { [ "$1" = duktape ] || [ "$1" = mujs ]; }

# project NAME: its folder, whose packages are those of deps/lock.npm.
project() {
    local to=$work/$1
    mkdir -p "$to" && ln -s "$modules/node_modules" "$to/node_modules" &&
        cp "test/libraries/$1.js" "$to/case.js" && cp test/libraries/es5.js "$to/" || return 1
    cp test/libraries/main.js "$to/main.js" && printf "require('./es5.js');\nmodule.exports = require('./main.js');\n" >"$to/main-es5.js"
    printf '{"name": "%s", "version": 1, "entry": "main.js", "build": {},
        "limits": {"steps": 2000000000, "memory": 50331648}}\n' "${1//./-}" >"$to/tfaas.json"
    (cd "$to" && "$OLDPWD/$node" "$OLDPWD/test/libraries/prepare.mjs" "$1") &&
        tf pack "$to" --domain x.test --out "$to/plain.tfb" &&
        tar -xOf "$to/plain.tfb" main.js >"$to/plain.js" &&
        TZ=UTC "$node" test/libraries/answer.cjs "$to/plain.js" >"$to/wanted"
}

# written NAME ENGINE: what doc/engines.md has there, "yes" or the cause.
written() {
    awk -F ' *[|] *' -v n="$1" -v e="$2" '
        $2 == "library" { for (i = 3; i < NF; i++) { column[$i] = i } }
        $2 == n && column[e] { print $column[e]; exit }' doc/engines.md
}

# as_written NAME ENGINE
as_written() {
    local said
    said=$(written "$1" "$2")
    [ -n "$said" ] || { echo "doc/engines.md lacks $1" && return 1; }
    if [ "$said" = yes ]; then
        answers "$1" "$2"
    elif answers "$1" "$2"; then
        echo "it does, but doc/engines.md says: $said"
        return 1
    fi
}

# answers NAME ENGINE: in $work/NAME/ENGINE
answers() {
    local to=$work/$1 at=${1//./-}-$2
    local args=("$to" --name "$at" --domain "$at.test" --out "$to/$2.tfb")
    if is_es5 "$2"; then
        jq '.entry = "main-es5.js" | .build.target = "es5"' "$to/tfaas.json" >"$to/es5.json" &&
            mkdir -p "$to/es5" && cp -a "$to"/*.js "$to/node_modules" "$to/es5/" &&
            mv "$to/es5.json" "$to/es5/tfaas.json" && args[0]=$to/es5
    fi
    tf pack "${args[@]}" && tf sign "$to/$2.tfb" --key "$work/publisher.pem" &&
        tf deploy "$to/$2.tfb" --domain "$work/domain.json" --engine "$2" && grant "$at" &&
        ask "$at" / >"$to/$2" && cmp "$to/wanted" "$to/$2" && return 0
    head -c 400 "$to/$2"
    tail -n 1 "$work/tfaasd.log"
    return 1
}

need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
for name in $names; do
    ok "$name is bundled and answers in node" project "$name"
    for e in "${engines[@]}"; do
        said=$(written "$name" "$e")
        ok "$name on $e: $said" as_written "$name" "$e"
    done
done
finish
