# shellcheck shell=sh disable=SC2034
# quickjs: the engine only; quickjs-libc (files, sockets, workers) stays out.
TF_LIB=quickjs
TF_FLAVOURS="enclave native asan counted"
# -fwrapv as upstream builds it: the interpreter relies on signed wrap-around. The version
# string is fixed here, not taken from the tree.
TF_FLAGS="-std=gnu11 -fwrapv -D_GNU_SOURCE -DCONFIG_VERSION=\\\"2025-04-26\\\" -w"
# Left out because upstream relies on them: unaligned access to bytecode, shifts and
# pointer arithmetic on NULL with offset 0, calls through differently typed pointers.
TF_UBSAN="bool,bounds,enum,integer-divide-by-zero,return,unreachable,vla-bound"
# No marks for CET, which no enclave of ours uses (SECS.CET_ATTRIBUTES is zero): one before
# the code of each bytecode costs the interpreter 2 %.
# At lines of the cache, so that the interpreter's speed does not depend on what lies before it
# (5 % of cube3d).
for f in quickjs libregexp libunicode cutils dtoa; do
    tf_unit $f.c -fcf-protection=none -falign-functions=64
done
tf_archives
tf_headers . quickjs.h
