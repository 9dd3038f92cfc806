/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile descriptor, or group of them. In one that parses each key is there once and
 * of a member that is there, and who is not alone said that it shares.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tf_descriptor domain;

static void require(bool claim)
{
    if (!claim) {
        __builtin_trap();
    }
}

static void check_keys(const struct tf_publisher *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        require(keys[i].member < domain.member_count);
        require(tf_descriptor_find(&domain, keys[i].keyid, true) == &keys[i]);
        require(tf_descriptor_member(&domain, keys[i].keyid) == keys[i].member);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (tf_descriptor_parse((const char *)data, size, &domain)) {
        return 0;
    }
    require(domain.member_count >= 1 && domain.member_count <= TF_MEMBERS_MAX);
    require(domain.publisher_count >= domain.member_count &&
            domain.publisher_count <= TF_GROUP_PUBLISHERS_MAX &&
            domain.attester_count <= TF_GROUP_ATTESTERS_MAX);
    for (size_t i = 0; domain.member_count > 1 && i < domain.member_count; i++) {
        require(domain.members[i].is_shared);
    }
    check_keys(domain.publishers, domain.publisher_count);
    check_keys(domain.attesters, domain.attester_count);
    return 0;
}
