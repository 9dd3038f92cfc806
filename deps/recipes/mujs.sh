# shellcheck shell=sh disable=SC2034
# mujs: the smallest engine, as the one unit that upstream's one.c makes of it.
TF_LIB=mujs
TF_FLAVOURS="enclave native asan counted"
# -fwrapv: indexes of array-likes near 2^31 wrap around, and are checked afterwards.
TF_FLAGS="-std=gnu11 -fwrapv -w"
# Left out because upstream relies on them: arrays of length 1 at the end of structs,
# pointer arithmetic on NULL, double to int
# conversions of what is out of range, calls through differently typed pointers.
TF_UBSAN="alignment,bool,enum,integer-divide-by-zero,return,shift-exponent,unreachable,vla-bound"
tf_unit one.c
tf_archives
tf_headers . mujs.h
