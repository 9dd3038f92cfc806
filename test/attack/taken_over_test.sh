#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Somebody has taken a worker over, through the network or from inside the enclave, and has
# its threads make the system calls he would like to: test/tools/takeover.c. He opens no
# file of the store, reaches no other process and runs no program: the call fails, or ends
# the worker with a line that names it, and a new one comes.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=test/tools/tool.sh
. test/tools/tool.sh
trap leave EXIT
engines=("${engines[0]}")
bystander=''

worker_pid() { worker_of domain pid; }
is_there() { [ "$(worker_of domain state)" = serving ] && kill -0 "$(worker_pid)"; }

# How often a process has it open.
holds() { find "/proc/$1/fd" -lname /etc/passwd | wc -l; }

# threads_try CALL ARG...: each thread of the worker is refused with EPERM, and goes on.
threads_try() {
    local task
    for task in "/proc/$(worker_pid)/task/"*; do
        [ "$("$takeover" "${task##*/}" "$@")" = "returned -1" ] || return 1
    done
}

# ends_it NUMBER ARG...: the worker makes that call, ends, and the log says of what.
ends_it() {
    local pid
    until_ok 150 is_there && pid=$(worker_pid) &&
        [ "$("$takeover" "$pid" "$@")" = "exit 73" ] &&
        grep -q "event=system-call-refused number=$1 pid=$pid$" "$work/tfaasd.log"
}

need "the tool is there" tool takeover
takeover=$(tool takeover)
sleep 300 &
bystander=$!
end_bystander() { kill "$bystander"; wait "$bystander" 2>/dev/null; }
trap 'end_bystander; leave' EXIT
is "a process without a sandbox opens what it is told to" "returned 3" \
    "$takeover" "$bystander" 257 -100 @/etc/passwd 0

# What whoever started tfaasd left open.
exec {left}</etc/passwd
need "tfaasd starts" host_start
exec {left}<&-
need "a publisher is set up" publisher_new
lambda held <<'JS'
exports.fetch = function () { return new Response("held"); };
JS
need "a lambda is published" publish held "${engines[0]}"
is "it answers" held ask held /
secret=$(find "$work/host/sim" -type f | head -n 1)
need "a file that the worker must not have" test -s "$secret"

is "it has but its links and what it made or was passed" "0 of 1" eval \
    'echo "$(holds "$(worker_pid)") of $(holds "$daemon")"'
ok "no thread opens it (openat)" threads_try 257 -100 "@$secret" 0
ok "none kills tfaasd (tgkill)" threads_try 234 "$daemon" "$daemon" 9
ok "none ends what tfaasd lends it for all, nor connects by it (shutdown)" \
    threads_try 48 0 2
ok "none makes code (mmap)" threads_try 9 0 4096 7 34 -1 0
ok "none hides what is refused (rt_sigaction of SIGSYS)" threads_try 13 31 0 0 8
is "and it still answers" held ask held /

ok "open ends it" ends_it 2 "@$secret" 0
ok "so does kill, of tfaasd" ends_it 62 "$daemon" 9
ok "ptrace, of tfaasd" ends_it 101 16 "$daemon"
ok "process_vm_readv, of tfaasd" ends_it 310 "$daemon" 0 0 0 0 0
ok "execve" ends_it 59 @/bin/sh 0 0
ok "socket" ends_it 41 1 1 0
ok "another one comes, with its grant" until_ok 150 ask held /
ok "tfaasd was not touched" kill -0 "$daemon"
ok "nor was anybody else" kill -0 "$bystander"
finish
