/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile manifest: what is accepted keeps the promises of manifest.h. */
#include <string.h>

#include "lib/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim(bool is_true)
{
    if (!is_true) {
        __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_manifest m;
    if (tf_manifest_parse((const char *)data, size, &m)) {
        return 0;
    }
    bool has_entry = false;
    for (size_t i = 0; i < m.file_count; i++) {
        has_entry = has_entry || strcmp(m.files[i].path, m.entry) == 0;
        claim(tf_path_is_valid(m.files[i].path, strlen(m.files[i].path)));
    }
    for (size_t i = 0; i < m.domain_count; i++) {
        claim(tf_dns_is_valid(m.domains[i], strlen(m.domains[i])));
    }
    for (size_t i = 0; i < m.env_count; i++) {
        claim(strlen(m.env[i].name) > 0 && strlen(m.env[i].value) <= size);
    }
    claim(has_entry && m.domain_count > 0 && tf_name_is_valid(m.name, strlen(m.name)));
    claim(m.steps <= TF_STEPS_MAX && m.memory <= TF_MEMORY_MAX && m.body <= TF_BODY_MAX);
    tf_manifest_wipe(&m);
    return 0;
}
