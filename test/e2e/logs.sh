#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a lambda writes to its console reaches its publisher, beside why its requests failed,
# and nobody else: on each engine, at the top level and in requests; nothing that it writes
# commands the publisher's terminal or looks like another line; a lambda that writes without
# end keeps its last lines and its failures, and takes none of its neighbour's.
some="quickjs duktape mujs"
[ ! -e "${TFAAS_BIN:-build}/v8/tfaas.node" ] || some+=" v8"
export TFAAS_ENGINES=${TFAAS_ENGINES:-$some}
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# logs NAME [ARG...]: as its publisher; what came is in $work/tfaas.log
logs() {
    local name=$1
    shift
    tf logs "$name" --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim "$@"
}

# field FIELD NAME: of all lines, in order
field() { cli logs "$2" --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim \
    --json | jq -r ".$1 // \"-\"" | paste -s -d ' '; }

told() { logs "$1" && grep -F -e "$2" "$work/tfaas.log"; }
told_times() { logs "$1" >/dev/null && grep -cF -e "$2" "$work/tfaas.log"; }
# Nothing but printable ASCII, the euro sign and U+FFFD, and each line has its time or is indented.
is_plain() {
    ! LC_ALL=C sed 's/\xe2\x82\xac\|\xef\xbf\xbd//g' "$work/tfaas.log" | LC_ALL=C grep '[^ -~]' &&
        ! grep -vE '^(TIME|    |20[0-9-]{8}T[0-9:]{8}Z )' "$work/tfaas.log"
}
fails_with() { [ "$(status_of "$1" "$2")" = "$3" ]; }
# The error's id that the client got is the publisher's.
has_id() {
    ask "$1" /throw >"$work/said"
    logs "$1" && sed -n 's/^error //p' "$work/said" | grep -F -f - "$work/tfaas.log" |
        grep '  exception  .*thrown'
}

# follow NAME: a line that is written later is shown without asking again
follow() {
    local pid is_shown=1
    cli logs "$1" --policy "$work/policy.json" --key "$work/publisher.pem" --allow-sim \
        --follow >"$work/followed" 2>&1 &
    pid=$!
    until_ok 100 grep -q 'loaded' "$work/followed" && ask "$1" /later >/dev/null &&
        until_ok 100 grep -q 'log .* at /later' "$work/followed" && is_shown=0
    kill "$pid"
    wait "$pid"
    cat "$work/followed"
    return $is_shown
}

story() {
    local name=says-$engine flood=flood-$engine
    lambda "$name" <<'JS'
console.info('loaded', { a: [1] });
exports.fetch = function (request) {
    var path = request.url.replace(/^https:..[^\/]*/, '');
    if (path === '/levels') {
        ['log', 'info', 'warn', 'error', 'debug', 'trace'].forEach(function (level) {
            console[level](level, 'it is');
        });
    } else if (path === '/odd') {
        console.log('\u001b[2J\u0007 \u009b1m \u20ac \u202e \u200b \ud800 \u0000\r',
            'end\n2020-01-01T00:00:00Z  faked');
    } else if (path === '/throw') {
        console.warn('before it');
        throw new Error('thrown');
    }
    console.log('at', path);
    return new Response('');
};
JS
    need "$engine: a lambda that writes" publish "$name" "$engine"
    ok "$engine: which answers" ask "$name" /levels
    ok "$engine: each level is told" eval \
        "field level $name | grep -E '^(info )+log info warn error debug trace log( info)*$'"
    ok "$engine: as one run" eval "field run $name | grep -E ' ([0-9]+)( \\1){6}( |$)'"
    ok "$engine: with what was said" told "$name" 'info           loaded {"a":[1]}'
    ok "$engine: and the failure by its id" has_id "$name"
    ok "$engine: after what its run wrote" eval \
        "field 'level // .error' $name | grep 'warn exception'"
    ok "$engine: control characters" ask "$name" /odd
    ok "$engine: are shown, not obeyed" told "$name" \
        '\u{1b}[2J\u{7} \u{9b}1m € \u{202e} \u{200b} '
    ok "$engine: none is left, and no line looks like another" is_plain
    ok "$engine: what comes later is followed" follow "$name"
    fails "$engine: others are told nothing" dsse-signer tf logs "$name" \
        --policy "$work/policy.json" --key "$work/other.pem" --allow-sim
    lambda "$flood" '{"steps": 30000000}' <<'JS'
exports.fetch = function (request) {
    for (var i = 0; /flood$/.test(request.url); i++) {
        console.error('number ' + i + new Array(900).join('-'));
    }
    throw new Error('not at once');
};
JS
    need "$engine: a lambda that writes without end" publish "$flood" "$engine"
    ok "$engine: fails first" fails_with "$flood" / 500
    ok "$engine: and then floods" fails_with "$flood" /flood 503
    ok "$engine: its first failure is there" told "$flood" 'not at once'
    ok "$engine: and the second" told "$flood" '  steps  '
    ok "$engine: in words" told "$flood" '  the lambda reached its step limit. Make it faster'
    ok "$engine: what did not fit is counted" grep -E '^\([0-9]{2,} gone\)$' "$work/tfaas.log"
    ok "$engine: and what did is no more than it may have" eval \
        "(( \$(told_times $flood number) >= 30 && \$(told_times $flood number) <= 34 ))"
    ok "$engine: the neighbour's lines are there" told "$name" ' loaded {'
    ok "$engine: another version" release "$name" 2 "$engine"
    ok "$engine: has no old lines" eval "logs $name && ! grep exception $work/tfaas.log"
}

need "the platform starts" host_start --threads 1
need "a publisher" publisher_new
need "and somebody else" tf key new "$work/other.pem"
for engine in "${engines[@]}"; do
    story
done
ok "the host learned nothing of it" eval "! grep -E 'it is|thrown|number' $work/tfaasd.log"
finish
