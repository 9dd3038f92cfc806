/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile revocation list, as the JSON and as an envelope around it. What parses is
 * written and parsed to the same again; what it names is found revoked, and a newer list
 * is accepted after it unless it revokes its own signer.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/revocations.h"
#include "test/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tf_revocations list;
static struct tf_revocations again;

static void check_round_trip(void)
{
    static char text[2 * TF_REVOCATIONS_MAX];
    size_t size = 0;

    if (tf_revocations_write(&list, text, sizeof(text), &size) ||
        (size <= TF_REVOCATIONS_MAX && (tf_revocations_parse(text, size, &again) ||
                                        memcmp(&list, &again, sizeof(list)) != 0))) {
        __builtin_trap();
    }
}

static void check_look_up(const struct tf_descriptor *domain)
{
    const struct tf_revocation_set set = {.lists = {&list}};
    const uint8_t zeros[TF_SHA256_SIZE] = {0};

    for (uint64_t i = 0; i < list.digest_count; i++) {
        const struct tf_revocable what = {"x", UINT64_MAX, list.digests[i], "", 0};
        if (!tf_revocations_have_bundle(&set, &what)) {
            __builtin_trap();
        }
    }
    for (uint64_t i = 0; i < list.version_count; i++) {
        const struct tf_revocable what = {list.versions[i].name,
                                          list.versions[i].below - 1, zeros, ""};
        if (!tf_revocations_have_bundle(&set, &what)) {
            __builtin_trap();
        }
    }
    bool is_revoked = tf_revocations_have_signer(&set, domain->publishers[0].keyid);
    again = list;
    again.serial++;
    tf_err err = tf_revocations_check(&set, domain, 0, &again);
    if (err != (is_revoked ? TF_EREVOKED : TF_OK)) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[TF_REVOCATIONS_SCRATCH];
    struct tf_descriptor domain;
    size_t signer = 0;

    if (tf_descriptor_parse(FIXTURE_DOMAIN, strlen(FIXTURE_DOMAIN), &domain)) {
        __builtin_trap();
    }
    const char *text = (const char *)data;
    if (tf_revocations_open(text, size, &domain, scratch, &list, &signer) == TF_OK) {
        check_round_trip();
        check_look_up(&domain);
    }
    if (tf_revocations_parse(text, size, &list) == TF_OK) {
        check_round_trip();
        check_look_up(&domain);
    }
    return 0;
}
