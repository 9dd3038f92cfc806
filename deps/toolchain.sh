# shellcheck shell=sh disable=SC2153
# SPDX-License-Identifier: Apache-2.0
#
# toolchain.sh - what every recipe builds with; sourced by deps/build, then by the recipe.
#
# A recipe calls `tf_unit` once for every file, then `tf_archives`. Each file is compiled
# in these flavours:
#   enclave  freestanding code against musl's headers, for the image        lib/libNAME.a
#   native   the same configuration against glibc, for unit tests           lib/native/
#   asan     the same with AddressSanitizer and UBSan, for tests and fuzz   lib/asan/
#   traced   native without SSE4.2's string instructions, which valgrind lacks lib/traced/
#   counted  native with a call at each basic block, for test/unit/turns lib/counted/
#
# The recipe sets: TF_LIB (archive name), TF_FLAGS (flags for every flavour, no blanks
# inside one flag), TF_FLAVOURS (subset of the above), TF_UBSAN (checks that upstream's
# code passes). deps/build sets: TF_SRC (unpacked, patched source, the current directory),
# TF_DEPS (this directory), TF_OUT (what gets installed), TF_OBJ (objects, thrown away).

TF_CC=${TF_CC:-gcc}
TF_MUSL=/usr/include/x86_64-linux-musl
TF_GCCINC=$($TF_CC -print-file-name=include)

# Every flavour. -ffile-prefix-map and the relative paths it leaves make the object
# independent of where it was built; NDEBUG because an assertion's text is a path and its
# failure path is stdio. -g1 is enough for a profiler and does not reach the image.
# x86-64-v2 as for our own trusted code (SSE4.2 and POPCNT; every SGX processor has them).
TF_COMMON="-O2 -g1 -march=x86-64-v2 -fPIE -DNDEBUG -ffunction-sections -fdata-sections \
-fvisibility=hidden"

# Enclave: musl's headers instead of glibc's (_FORTIFY_SOURCE and glibc's inline functions
# would call symbols that musl does not have). No PLT: nothing is ever bound lazily. Stack
# clash protection because the stacks inside the enclave are small and adjacent to other
# pages. No unwind tables: nobody unwinds, and they would be measured bytes. memcpy and its
# like stay builtins (no -ffreestanding): musl supplies the real functions.
TF_ENCLAVE="-nostdinc -isystem $TF_MUSL -isystem $TF_GCCINC -U_FORTIFY_SOURCE -fno-plt \
-fstack-protector-strong -fcf-protection=full -fstack-clash-protection \
-fno-asynchronous-unwind-tables -fno-unwind-tables"

# A hardened image (make LVI=cf) is hardened in all its parts.
TF_LVI=${LVI:-off}
TF_LVI_FLAGS=$("$TF_DEPS/lvi" "$TF_LVI")
TF_ENCLAVE="$TF_ENCLAVE $TF_LVI_FLAGS"

TF_NATIVE="-fstack-protector-strong"
TF_ASAN="-O1 -g -fno-omit-frame-pointer -fsanitize=address"

# Tests are not made of hardened builds.
is_wanted() { # FLAVOUR
    [ "$TF_LVI" = off ] || [ "$1" = enclave ] || [ "$1" = native ]
}

# tf_unit FILE [FLAG...]: queues FILE (relative to the source) in every flavour, and the
# count of its lines for `make tcb`.
tf_unit() {
    tf_file=$1
    shift
    tf_name=$(printf '%s' "${tf_file%.*}" | tr '/' '_').o
    for tf_flavour in $TF_FLAVOURS; do
        is_wanted "$tf_flavour" || continue
        case $tf_flavour in
        enclave) tf_set="$TF_ENCLAVE" ;;
        native) tf_set="$TF_NATIVE" ;;
        traced) tf_set="$TF_NATIVE -mno-sse4.2" ;;
        counted) tf_set="-O1 -fno-omit-frame-pointer -fsanitize-coverage=trace-pc" ;;
        asan)
            tf_set=$TF_ASAN
            [ -z "$TF_UBSAN" ] ||
                tf_set="$tf_set -fsanitize=$TF_UBSAN -fno-sanitize-recover=all"
            ;;
        esac
        tf_line="$TF_CC $TF_COMMON $TF_FLAGS $tf_set $* -ffile-prefix-map=$TF_SRC=."
        mkdir -p "$TF_OBJ/$tf_flavour"
        printf '%s\n' "$tf_line -c $tf_file -o $TF_OBJ/$tf_flavour/$tf_name" \
            >>"$TF_OBJ/queue"
        if [ "$tf_flavour" = enclave ]; then
            printf '%s\t%s\t%s\n' "$tf_name" "$tf_file" "$tf_line -E $tf_file" \
                >>"$TF_OBJ/units"
        fi
    done
}

# tf_archives: compiles the queue, two at a time, and makes one archive per flavour. The
# members are sorted and `D` zeroes their dates and owners.
tf_archives() {
    # The longest compilations come first when the recipe names them first.
    xargs -d '\n' -n 1 -P 2 sh -c <"$TF_OBJ/queue"
    for tf_flavour in $TF_FLAVOURS; do
        is_wanted "$tf_flavour" || continue
        case $tf_flavour in
        enclave) tf_lib=$TF_OUT/lib ;;
        *) tf_lib=$TF_OUT/lib/$tf_flavour ;;
        esac
        mkdir -p "$tf_lib"
        (cd "$TF_OBJ/$tf_flavour" && LC_ALL=C && export LC_ALL &&
            ar rcsD "$tf_lib/lib$TF_LIB.a" ./*.o)
    done
    tf_count
}

# tf_count: writes OUT/tcb.tsv, the lines behind each object of the enclave flavour.
tf_count() {
    "$TF_DEPS/lines" <"$TF_OBJ/units" >"$TF_OUT/tcb.tsv"
}

# tf_headers DIR FILE...: installs headers into OUT/include/DIR.
tf_headers() {
    tf_dir=$TF_OUT/include/$1
    shift
    mkdir -p "$tf_dir"
    cp "$@" "$tf_dir/"
}
