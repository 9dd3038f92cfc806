#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Probes of the language, of JSON and of the web's functions, on each engine: one request runs
# all. test/probes/table.txt holds NAME, EXPRESSION and what its text must be (tabs between),
# by standard; test/probes/json.js texts of JSON, for JSON.parse and request.json(). What an engine
# fails is what doc/engines.md says of it: the table of numbers, and below it a row for each probe.
#
#   TFAAS_TABLE=1  prints these tables as they would have to be
export TFAAS_ENGINES="quickjs duktape mujs"
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || TFAAS_ENGINES="$TFAAS_ENGINES v8"
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
table=test/probes/table.txt
count=$(grep -c -v '^# ' $table)

# The probes are a file each, so that syntax counts; the rest is one lambda.
project() {
    mkdir -p "$work/probes" && cp test/probes/main.js test/probes/json.js "$work/probes/" &&
        echo "module.exports = $count;" >"$work/probes/count.js" &&
        grep -v '^# ' $table | awk -F '\t' -v to="$work/probes/p" '{
            f = to (NR - 1) ".js"
            print "module.exports = function () { return (" $2 "); };" >f
            close(f) }' &&
        printf '{"name": "probes", "version": 1, "entry": "main.js",
            "limits": {"steps": 2000000000, "memory": 33554432}}\n' >"$work/probes/tfaas.json"
}

# answer ENGINE: $work/ENGINE.json, and $work/ENGINE.got: STANDARD, NAME, yes or what came
answer() {
    tf pack "$work/probes" --name "probes-$1" --domain "probes-$1.test" --out "$work/p.tfb" &&
        tf sign "$work/p.tfb" --key "$work/publisher.pem" &&
        tf deploy "$work/p.tfb" --domain "$work/domain.json" --engine "$1" && grant "probes-$1" &&
        ask "probes-$1" / >"$work/$1.json" && judge "$1" && return 0
    head -c 500 "$work/$1.json"
    return 1
}

judge() {
    jq -r '.values[] | gsub("\\s"; " ")' "$work/$1.json" >"$work/$1.values" &&
        [ "$(wc -l <"$work/$1.values")" = "$count" ] && awk -F '\t' -v values="$work/$1.values" '
        /^# / { standard = substr($0, 3); next }
        { getline got <values
          gsub(/[\t\r\n\f\v]/, " ", $3)
          print standard "\t" $1 "\t" (got == $3 ? "yes" : "no: " got) }' $table >"$work/$1.got" &&
        jq -r '(.json, .body) as $r | "\($r.count) \($r.wrong | length)"' "$work/$1.json" |
        awk -v e="$1" 'BEGIN { n[1] = "JSON.parse"; n[2] = "request.json()" }
            { for (i = 1; i <= $1; i++) print "JSON\t" n[NR] "\t" (i <= $2 ? "no" : "yes") }' >>"$work/$1.got"
}

# numbers: a row for each standard, "N of M" for each engine
numbers() {
    local e files=()
    for e in quickjs duktape mujs v8; do
        [ -f "$work/$e.got" ] || continue
        files+=("$work/$e.got")
    done
    awk -F '\t' 'FNR == 1 { file++ }
        { if (!($1 in seen)) { seen[$1] = ++n; name[n] = $1 } all[file, $1]++ }
        $3 == "yes" { good[file, $1]++ }
        END { for (i = 1; i <= n; i++) {
            row = "| " name[i] " |"
            for (f = 1; f <= file; f++) row = row " " good[f, name[i]] + 0 " of " all[f, name[i]] " |"
            print row } }' "${files[@]}"
}

# failures: a row for each probe of ES5.1, JSON and Web that an engine fails, and of later
# standards that QuickJS or V8 does: what it fails on
failures() {
    local e
    for e in quickjs duktape mujs v8; do
        [ -f "$work/$e.got" ] || continue
        awk -F '\t' -v e="$e" '$3 != "yes" && (e == "quickjs" || e == "v8" || $1 !~ /^ES20/) && !seen[$2]++ {
            text = $2; gsub(/[|]/, "\\|", text); print text "\t" e }' "$work/$e.got"
    done | awk -F '\t' '{ if (!($1 in on)) { order[++n] = $1 } on[$1] = on[$1] (on[$1] == "" ? "" : ", ") $2 }
        END { for (i = 1; i <= n; i++) print "| `" order[i] "` | " on[order[i]] " |" }' | sort
}

# written TABLE: each of its rows is in doc/engines.md
written() {
    local line
    while IFS= read -r line; do
        grep -qF -e "$line" doc/engines.md || { echo "doc/engines.md lacks: $line" && return 1; }
    done < <("$1")
}

# exactly: as many rows of failures as doc/engines.md has, so that what is mended goes
exactly() {
    [ "$(sed -n '/^| probe | fails on |/,/^$/p' doc/engines.md | tail -n +3 | grep -c .)" = "$(failures | wc -l)" ]
}

need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
need "$count probes are a lambda" project
for e in "${engines[@]}"; do
    need "$e answers all of them" answer "$e"
done
if [ -n "${TFAAS_TABLE:-}" ]; then
    numbers
    failures
    grep -hv $'\tyes$' "$work"/*.got
    jq -c '.json, .body' "$work"/*.json
fi
if [ -f "$work/v8.got" ]; then
    ok "doc/engines.md has these numbers" written numbers
    ok "doc/engines.md says what fails" written failures
    ok "and nothing that does not" exactly
else
    echo "SKIP the tables of doc/engines.md, which have V8: make v8"
fi
finish
