#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# libtfaas-verify as others get it: installed into a folder, found with pkg-config, compiled
# against with nothing of this tree in the include path, and it judges.
# shellcheck source=test/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

command -v pkg-config >/dev/null || {
    echo "SKIP  libtfaas-verify installed: no pkg-config here"
    echo "1 passed, 0 failed"
    exit 0
}
need "make install-verify" make -s install-verify O="$bin" DESTDIR="$work/root" PREFIX=/usr
cat >"$work/judge.c" <<'C'
#include <lib/err_text.h>
#include <verify/dcap.h>
#include <verify/ratls.h>
#include <verify/snp.h>
#include <verify/verify.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    static const struct tf_collateral none;
    struct tf_dcap_input in = {.quote = (const uint8_t *)"no quote", .quote_size = 8,
                               .collateral = &none};
    struct tf_appraisal a;
    tf_err err = tf_dcap_verify(&in, &a);
    struct tf_policy policy;
    struct tf_verdict verdict;
    struct tf_verify_input answer = {.evidence = "{}", .evidence_size = 2,
                                     .claims = "{}", .claims_size = 2,
                                     .policy = &policy, .lambda = "hello"};
    printf("%s: %s %s\n", tf_err_name(err), tf_err_text(err), tf_err_hint(err));
    memset(&policy, 0, sizeof(policy));
    if (tf_verify(&answer, &verdict) != TF_EEVIDENCE_FORMAT) {
        return 2;
    }
    return strcmp(tf_err_name(err), "quote-format") != 0;
}
C
export PKG_CONFIG_PATH=$work/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root
build() {
    # shellcheck disable=SC2046
    cc -std=c11 -Wall -Wextra -Werror -o "$work/judge" "$work/judge.c" \
        $(pkg-config --cflags --libs libtfaas-verify)
}
need "a program builds with pkg-config alone" build
ok "and it judges" "$work/judge"
ok "the manual page is there, or scdoc is not" \
    sh -c "! command -v scdoc || test -s '$work/root/usr/share/man/man3/libtfaas-verify.3'"
finish
