# shellcheck shell=sh disable=SC2034
# jansson: JSON, the strict parser. Configured by hand: none of its HAVE_* is set, so
# reading from file descriptors is compiled out, and what uses FILE is dropped by the linker.
TF_LIB=jansson
TF_FLAVOURS="enclave native asan"
# Its own seed code reads /dev/urandom, the clock and the pid; ours asks tf_seed().
cp "$TF_DEPS/jansson/hashtable_seed.c" src/hashtable_seed.c
# No locale: the decimal point is always '.'. Atomic reference counts stay on. Depth 128
# instead of 2048: parsing recurses, and the enclave's stacks are small; no document of
# ours is deeper than 8.
sed -e 's/@json_inline@/inline/' -e 's/@json_have_long_long@/1/' \
    -e 's/@json_have_localeconv@/0/' -e 's/@json_have_atomic_builtins@/1/' \
    -e 's/@json_have_sync_builtins@/0/' -e 's/\(MAX_DEPTH\) 2048/\1 128/' \
    src/jansson_config.h.in >src/jansson_config.h
if grep -q '@json_\|2048' src/jansson_config.h; then
    echo "jansson_config.h.in is not the one this recipe knows" >&2
    exit 1
fi
# What configure would write; what it would say is in the flags.
: >src/jansson_private_config.h
TF_FLAGS="-std=gnu11 -Isrc -DHAVE_STDINT_H=1 -DHAVE_SNPRINTF=1"
TF_UBSAN="undefined"
for f in dump error hashtable hashtable_seed load memory pack_unpack strbuffer strconv \
    utf value version; do
    tf_unit src/$f.c
done
tf_archives
tf_headers . src/jansson.h src/jansson_config.h
