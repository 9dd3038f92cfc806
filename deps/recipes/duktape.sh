# shellcheck shell=sh disable=SC2034
# duktape: the lean engine, from upstream's single-file distribution in src/.
TF_LIB=duktape
TF_FLAVOURS="enclave native asan counted"

# Upstream's configure.py needs Python 2, so our options are put into the ready-made
# duk_config.h, at the place where configure.py would put overrides.
sed -i 's|^/\* __OVERRIDE_DEFINES__ \*/$|#include "duk_overrides.h"|' src/duk_config.h
cp "$TF_DEPS/duktape/duk_overrides.h" src/

# The step hook is asked every 4 Ki opcodes instead of every 256 Ki: a quarter of a quantum.
sed -i 's/\(DUK_HTHREAD_INTCTR_DEFAULT\) (256L \* 1024L)/\1 (4L * 1024L)/' src/duktape.c
# Of the built-in functions, those of objects that are deleted before a lambda runs
# (enclave/js/prelude/base.js) or replaced by the prelude's throw.
sed -i -E 's/^\tduk_bi_(nodejs_buffer_[a-z_]*|buffer_compare_shared|pointer_[a-z_]*|performance_now|text(en|de)coder_[a-z_]*),$/\tduk_bi_type_error_thrower,/' \
    src/duktape.c
# What is never called, or compiles to nothing, need not be read.
awk -v numbers=kept -f "$TF_DEPS/unused.awk" "$TF_DEPS/duktape/unused" src/duktape.c >called
awk -f "$TF_DEPS/duktape/trim.awk" called >src/duktape.c

if ! grep -q '^#include "duk_overrides.h"' src/duk_config.h ||
    ! grep -q 'INTCTR_DEFAULT (4L \* 1024L)' src/duktape.c; then
    echo "src/ is not the one this recipe knows" >&2
    exit 1
fi

TF_FLAGS="-std=c99 -Isrc -w"
# Left out because upstream relies on them: pointer arithmetic on NULL with offset 0,
# float to integer casts whose range it checks afterwards, shifts into the sign bit.
TF_UBSAN="alignment,bool,bounds,enum,integer-divide-by-zero,null,object-size,return,signed-integer-overflow,unreachable,vla-bound"
# No marks for CET, which no enclave of ours uses (SECS.CET_ATTRIBUTES is zero).
# At lines of the cache, so that the interpreter's speed does not depend on what lies before it:
# 32 bytes more there cost base64 up to 8 %.
tf_unit src/duktape.c -fcf-protection=none -falign-functions=64
tf_archives
tf_headers . src/duktape.h src/duk_config.h src/duk_overrides.h
