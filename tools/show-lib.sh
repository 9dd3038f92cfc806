# show-lib.sh - sourced by the show-* scripts: one line for each line of an issue's "Must show".
# shellcheck shell=bash
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
rc=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

line() { # number status figure: `holds` if status is 0; else the end of $log/NUMBER too
    local word=holds
    [ "$2" = 0 ] || { word="falls short"; rc=1; }
    printf '%s. %s: %s\n' "$1" "$3" "$word"
    [ "$2" = 0 ] || tail -n 25 "$log/$1" | sed 's/^/     | /'
}
sum() { # number: the last `N passed, N failed`
    grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$1" | tail -n 1
}
