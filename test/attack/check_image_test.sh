#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Plants each forbidden thing into a small image and shows that tools/check-image names
# it; and that it passes a clean one.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# build SOURCE [FLAG...]: $work/image from $work/SOURCE.
build() {
    source=$1
    shift
    rm -f "$work/image"
    gcc -nostdlib -static-pie -fPIE -ffreestanding -O1 -Wl,-z,norelro \
        -Wl,-z,separate-code -Wl,-z,noexecstack "$@" -o "$work/image" "$work/$source"
}

verdict() { # NAME GOOD?
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        cat "$work/log"
    fi
}

# The image must be refused with a line that has PATTERN.
refused() { # NAME PATTERN
    tools/check-image "$work/image" >"$work/log" 2>&1
    status=$?
    [ "$status" = 1 ] && grep -q -e "$2" "$work/log"
    verdict "$1" $?
}

# A C file with `BODY` in its only function, and pointers so that there are relocations.
source_with() { # BODY [FILE-SCOPE]
    cat >"$work/planted.c" <<END
${2:-}
static int a[4];
int *p = &a[1];
int *const q[2] = {&a[2], &a[3]};
void _start(void);
void _start(void)
{
    *p = *q[*p & 1];
    $1
}
END
}

plant() { # NAME PATTERN BODY
    source_with "__asm__ volatile(\"$3\");"
    build planted.c
    refused "$1" "$2"
}

source_with "__asm__ volatile(\"enclu\\n.byte 0x0f,0x1f,0x00\");"
build planted.c
tools/check-image "$work/image" >"$work/log" 2>&1 &&
    grep -q 'executable bytes, 0 forbidden instructions, 3 relocations, LVI off$' "$work/log"
verdict "a clean image passes" $?

for i in syscall sysenter cpuid rdtsc rdtscp rdpmc hlt iretq int3 "in %dx,%al" "outsb" \
    "xsetbv" "lretq" "rep insb" "int \$0x80" "sgdt (%rax)"; do
    plant "$i" "forbidden instruction $(echo "${i#rep }" | cut -d ' ' -f 1) at 0x" \
        "$(echo "$i" | sed 's/\$/$/')"
done
for i in "vpxorq %zmm0,%zmm0,%zmm0" "vpxorq %ymm1,%ymm1,%ymm17" "kmovw %k1,%k2" "vpord %xmm1,%xmm1,%xmm1" \
    "bndmov %bnd0,%bnd1" "tilezero %tmm1"; do
    plant "$i" "instruction beyond XFRM 7: ${i%% *} at 0x" "$i"
done
plant "far jump" "forbidden instruction.*ljmp" "ljmp *(%rax)"
plant "far call" "forbidden instruction.*lcall" "lcall *(%rax)"
plant "load of a segment register" "to a segment register" "mov %eax,%gs"
plant "bytes that are no instruction" "(bad)" ".byte 0x06,0x06"
plant "bare enclu" "enclu at .* not followed by 0f 1f 00" "enclu; nop; nop; nop"
plant "syscall outside any function" "forbidden instruction syscall .* in .odd" \
    ".pushsection .odd,\\\"ax\\\",@progbits; .long 0; syscall; .popsection"

plant "new MXCSR without a fence" "no lfence after the ldmxcsr" "ldmxcsr (%rsp); nop; ret"
plant "new state without a fence" "no lfence after the xrstor64" "xrstor64 (%rsp); jmp 1f; 1: lfence"
source_with "__asm__ volatile(\"xrstor64 (%rsp); mov %rax,%rcx; lfence; jmp 1f; 1:\");"
build planted.c
tools/check-image "$work/image" >"$work/log" 2>&1
verdict "a fence after the new state" $?

# The flavours of deps/lvi: what an image says of itself, in the last word of its layout,
# must be so.
flavoured() { # NUMBER FLAVOUR: an image that says NUMBER, compiled as FLAVOUR
    source_with "((void (*)(void))q[0])();" "__attribute__((section(\".tfaas.layout\"), used))
const unsigned layout[16] = {[15] = $1};"
    # shellcheck disable=SC2046 # flags
    build planted.c $(deps/lvi "$2")
}
for flavour in "0 off" "1 cf" "2 full"; do
    # shellcheck disable=SC2086 # two words
    flavoured $flavour
    tools/check-image "$work/image" >"$work/log" 2>&1 && grep -q "LVI ${flavour#* }\$" "$work/log"
    verdict "flavour ${flavour#* }" $?
done
flavoured 1 off
refused "a return without a fence" "no lfence before .*: ret"
refused "a branch without a fence" "branch through memory\|no lfence before .*: \(jmp\|call\)"
flavoured 2 cf
refused "a load without a fence" "no lfence after a load"

plant "section that is writable and executable" "writable and executable" \
    ".pushsection .both,\\\"awx\\\",@progbits; .long 0; .popsection"
source_with ""
build planted.c -Wl,-N
refused "writable and executable by the linker" "writable and executable"

build planted.c -Wl,-z,noseparate-code
refused "page 0 executable" "page 0 is executable"

build planted.c -Wl,-z,execstack
refused "executable stack" "executable stack"

source_with "" 'static int one(void) { return 1; }
static int (*choose(void))(void) { return one; }
int f(void) __attribute__((ifunc("choose"))); int (*r)(void) = f;'
build planted.c
refused "IRELATIVE relocation" "relocation R_X86_64_IRELATIVE at 0x"
refused "IFUNC symbol" "IFUNC symbol f"

source_with "" '__asm__(".pushsection .table,\"a\",@progbits\n.quad p\n.popsection");'
build planted.c -Wl,-z,notext
refused "relocation into a read-only segment" "RELATIVE at 0x.* into a read-only segment"
refused "text relocations" "TEXTREL"

source_with "" 'static volatile int b;
__attribute__((constructor)) static void early(void) { b = 5; }'
build planted.c
refused "constructor" "INIT_ARRAY"

source_with "*p += t;" '_Thread_local volatile int t = 3;'
build planted.c
refused "thread-local storage" "PT_TLS"

source_with ""
rm -f "$work/image"
gcc -nostdlib -pie -fPIE -Wl,-z,norelro -o "$work/image" "$work/planted.c"
refused "dynamic loader" "PT_INTERP"

# Code that no section claims: the section table is moved past it.
source_with "__asm__ volatile(\"nop\");"
build planted.c
offset=$(readelf -lW "$work/image" | awk '$1 == "LOAD" && /R E/ { print $2, $5 }')
at=$((${offset% *} + ${offset#* }))
cp "$work/image" "$work/whole"
size_at=$(readelf -lW "$work/image" | awk '/^Program Headers:/ { on = 1; next }
    on && $2 ~ /^0x/ { if ($1 == "LOAD" && /R E/) print n; n++ }')
grown=$((${offset#* } + 2))
octal() { # little-endian 16 bits as printf escapes
    printf '\\%03o\\%03o' $(($1 % 256)) $(($1 / 256))
}
for field in 32 40; do # p_filesz, p_memsz
    # shellcheck disable=SC2059
    printf "$(octal $grown)" |
        dd of="$work/image" bs=1 seek=$((64 + 56 * size_at + field)) conv=notrunc \
            2>/dev/null
done
printf '\017\005' | dd of="$work/image" bs=1 seek=$at conv=notrunc 2>/dev/null
refused "code outside any section" "executable bytes outside any section"

echo "int x;" >"$work/image"
tools/check-image "$work/image" >"$work/log" 2>&1
[ $? = 1 ]
verdict "a file that is no ELF" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
