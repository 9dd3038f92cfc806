#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The hardware backend's sequence of calls, from a dry run. The toy image's trace is
# compared with test/attack/sgx_trace.expected, in which what changes with the image's code
# (MRENCLAVE, the sizes of its segments) is left out; --update rewrites that file. Every
# image: the order of the kernel's selftest (CREATE, ADD_PAGES..., INIT, mmap by segment),
# one MRENCLAVE for dry run, simulator strict and fast, offline measurement and a second
# implementation in Perl (test/attack/measure.pl), and a file that nothing changed.
#
#   TFAAS_BIN  where the programs and images are (build)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
bin=${TFAAS_BIN:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/tfaas-trace.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
expected=test/attack/sgx_trace.expected
passed=0 failed=0

count() { # STATUS NAME
    if [ "$1" = 0 ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "FAIL  $2"
    fi
}

same() { # NAME WANTED GOT
    [ "$2" = "$3" ] || echo "      wanted $2, got $3"
    [ "$2" = "$3" ]
    count $? "$1"
}

dry() { # IMAGE SIG
    "$bin/tfaas-worker" --backend sgx --dry-run --image "$1" --sigstruct "$2"
}

# The segments end two holes and a stack before the first TCS. What lies before is the
# code's business: without sizes, equal lines once. What comes after counts from there.
normal() {
    perl -e '
        my @lines = <STDIN>;
        my ($tcs) = map { /offset=([0-9a-f]+) length=1000 secinfo=100/ ? hex($1) : () } @lines;
        my ($end, $last) = ($tcs - 0x40000, "");
        for (@lines) {
            s/mrenclave=[0-9a-f]{64}/mrenclave=MRENCLAVE/;
            s/(offset=|mmap BASE\+)([0-9a-f]+) (length|size)=[0-9a-f]+/hex($2) < $end ? "$1SEGMENT" : $&/e;
            s/(offset=|mmap BASE\+)([0-9a-f]+)/$1 . sprintf("END+%x", hex($2) - $end)/e;
            print unless $_ eq $last;
            $last = $_;
        }'
}

# Names the call of each line, repeated ones once; then it must read like the selftest's.
order() {
    sed -E 's/^ioctl [0-9a-f]+ ([A-Z_]+).*/\1/; s/^(open|close|vdso).*/\1/;
            s/^mmap BASE.*/mmap/; s/^mmap reserve.*/reserve/; s/^munmap reserve.*/trim/' | uniq | tr '\n' ' '
}

sim_mrenclave() { # IMAGE SIG [--strict]
    "$bin/test/hw/hwtest" --image "$1" --sigstruct "$2" --sim-dir "$work/sim" "${@:3}" load
}

image() { # IMAGE
    local name sig mrenclave before
    name=$(basename "$1" .img)
    sig=$work/$name.sig
    before=$(sha256sum <"$1")
    "$bin/tfaas" image sign "$1" --key "$work/key.pem" --out "$sig" --svn 1 >/dev/null
    mrenclave=$("$bin/tfaas" image measure "$1" | sed -n 's/^mrenclave *//p')
    dry "$1" "$sig" >"$work/trace"
    count $? "$name: the dry run goes through"
    same "$name: order of the calls" \
        "vdso open reserve trim ENCLAVE_CREATE ENCLAVE_ADD_PAGES ENCLAVE_INIT mmap trim close " \
        "$(order <"$work/trace")"
    same "$name: MRENCLAVE in the dry run" "$mrenclave" \
        "$(sed -n 's/.*ENCLAVE_INIT mrenclave=\([0-9a-f]*\) code=0/\1/p' "$work/trace")"
    same "$name: MRENCLAVE in strict mode" "$mrenclave" "$(sim_mrenclave "$1" "$sig" --strict)"
    same "$name: MRENCLAVE in fast mode" "$mrenclave" "$(sim_mrenclave "$1" "$sig")"
    same "$name: MRENCLAVE in Perl" "$mrenclave" "$(perl test/attack/measure.pl "$1")"
    same "$name: the file is as before" "$before" "$(sha256sum <"$1")"
}

"$bin/tfaas" image key "$work/key.pem" || exit 1
for i in "$bin"/*.img; do
    image "$i"
done
"$bin/tfaas" image sign "$bin/toy.img" --key "$work/key.pem" --out "$work/toy.sig" >/dev/null
dry "$bin/toy.img" "$work/toy.sig" | normal >"$work/toy.trace"
if [ "${1:-}" = --update ]; then cp "$work/toy.trace" "$expected"; fi
diff "$expected" "$work/toy.trace"
count $? "the toy image's trace is the one checked in (or see --update)"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
