/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seed of jansson's tables is set once, whatever the host does with threads: it may
 * stop one between looking at the seed and storing it, and let another parse meanwhile.
 */
#include "deps/jansson/hashtable_seed.c"

#include <stdbool.h>

#include "test/test.h"

static bool is_overtaken; /* another thread sets the seed while this one draws its own */
static uint32_t set_by_other;

int tf_seed(unsigned char *out, unsigned int size)
{
    for (unsigned i = 0; i < size; i++) {
        out[i] = is_overtaken ? 0x11 : 0x22;
    }
    if (is_overtaken) {
        is_overtaken = false;
        json_object_seed(0);
        set_by_other = hashtable_seed;
    }
    return 0;
}

static void a_thread_that_was_stopped_does_not_change_it(void)
{
    hashtable_seed = 0;
    is_overtaken = true;
    json_object_seed(0);
    CHECK(set_by_other == 0x22222222);
    CHECK(hashtable_seed == set_by_other);
    json_object_seed(7);
    CHECK(hashtable_seed == set_by_other);
}

static void it_is_never_zero(void)
{
    hashtable_seed = 0;
    json_object_seed(0);
    CHECK(hashtable_seed == 0x22222222);
    hashtable_seed = 0;
    json_object_seed(7);
    CHECK(hashtable_seed == 7);
}

int main(void)
{
    RUN(a_thread_that_was_stopped_does_not_change_it);
    RUN(it_is_never_zero);
    return test_end();
}
