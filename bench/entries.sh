#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench/entries.sh [SECONDS]: how many EENTERs one request takes, with one connection and with
# 64 (wrk, keep-alive, `echo` of 100 bytes), from tfaas_enclave_entries_total; a line each:
#   CONNECTIONS requests entries entries-per-request
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../test/e2e/lib.sh"
seconds=${1:-3}
engine=${engines[0]}
engines=("$engine")

entries() { admin GET /metrics | awk '/^tfaas_enclave_entries_total/ { n += $NF } END { print n + 0 }'; }

# wrk takes the TLS name from the URL: a private hosts file in a mount namespace.
load() { # CONNECTIONS
    unshare -m sh -c "mount --bind '$work/hosts' /etc/hosts && exec wrk -t1 -c$1 -d${seconds}s \
        -s bench/echo.lua https://echo.test:$port/"
}

row() { # CONNECTIONS
    local before after requests
    before=$(entries)
    requests=$(load "$1" | awk '/requests in/ { print $1 }')
    after=$(entries)
    awk -v c="$1" -v r="$requests" -v e=$((after - before)) \
        'BEGIN { printf "%-12d %10d %10d %8.3f\n", c, r, e, e / r }'
}

{
    host_start --threads 1 && publisher_new && mkdir "$work/echo" &&
        cp -r examples/echo/. "$work/echo/" &&
        sed -i 's/"name": *"[^"]*"/"name": "echo"/; s/"domains": *\[[^]]*\]/"domains": ["echo.test"]/' \
            "$work/echo/tfaas.json" && publish echo "$engine"
    cat /etc/hosts >"$work/hosts"
    echo "127.0.0.1 echo.test" >>"$work/hosts"
} >"$log" 2>&1 || { cat "$log" "$work/tfaasd.log"; exit 1; }
until_ok 50 ask echo / || exit 1
printf '%-12s %10s %10s %8s\n' connections requests EENTERs each
row 1
row 64
