/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashtable_seed.c - replaces jansson's file of the same name.
 *
 * The seed keeps an attacker from choosing object keys that collide. Upstream's takes it
 * from /dev/urandom, the clock and the pid, none of which an enclave may use; this takes
 * it from tf_seed(). The first thread to store one wins: the host may hold another before
 * its store for as long as it likes, and a seed that changed would make tables in use lose
 * their keys.
 */
#include <stddef.h>
#include <stdint.h>

#include "jansson.h"

int tf_seed(unsigned char *out, unsigned int size);

/* Read by jansson's hashtable.c and value.c under this name; 0 means not yet set. */
extern volatile uint32_t hashtable_seed;
volatile uint32_t hashtable_seed = 0;

void json_object_seed(size_t seed)
{
    uint32_t value = (uint32_t)seed;
    uint32_t unset = 0;

    if (hashtable_seed != 0) {
        return;
    }
    if (value == 0 && tf_seed((unsigned char *)&value, sizeof(value)) != 0) {
        value = 0; /* tf_seed() itself stops an enclave without entropy */
    }
    value = value != 0 ? value : 1;
    (void)__atomic_compare_exchange_n(&hashtable_seed, &unset, value, 0, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
}
