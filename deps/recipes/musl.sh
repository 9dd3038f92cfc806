# shellcheck shell=sh disable=SC2034
# musl: only in the flavours against load value injection; else Debian's libc.a is linked.
# Upstream's own build, because what the image uses of it is chosen by the linker.
if [ "$TF_LVI" = off ]; then
    echo "Debian's libc.a is this flavour's" >&2
    exit 1
fi
TF_LIB=c
# A branch through memory, which no fence can make safe, goes through a register.
sed -i 's/^\tjmp \*56(%rdi).*/\tmov 56(%rdi),%rdx\n\tjmp *%rdx/' src/setjmp/x86_64/longjmp.s
./configure --disable-shared --prefix=/nowhere CC="$TF_CC" \
    CFLAGS="-O2 -g1 -fPIE -fcf-protection=full -fstack-protector-strong \
-ffile-prefix-map=$TF_SRC=. $TF_LVI_FLAGS"
make -j2 lib/libc.a
mkdir -p "$TF_OUT/lib"
cp lib/libc.a "$TF_OUT/lib/libc.a"
