/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.h - for tests of who has the thread when: lambdas that a rig serves, and clients
 * whose requests lie in the ring until the test enters, so that entries can be counted
 * until an answer is there. What cannot be set up ends the test program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/native/rig.h"

/** A client that has asked, and what it got so far. */
struct asker {
    struct rig_client *client;
    const char *field; /* of its requests, with its line's end, or NULL */
    char text[4096];
    size_t size;
};

/** A new rig that serves these, each with little memory: bringing in its heap is then no
 * work of several quanta. `names` ends with NULL. */
struct rig *asker_serve(const char *const names[], const char *const codes[]);
/** Another version of one of those. One at a time: the text of its domain is static. */
struct rig_lambda asker_version(const char *name, uint64_t version, const char *code);
/** The next version, of which no ClientHello knows: its top level runs with a request. */
void asker_renew(struct rig *rig, const char *name, const char *code);

/** A client of NAME.example, which has not yet settled. */
struct asker asker_connect(struct rig *rig, const char *name);
/** Puts a request in the ring; enters nothing. */
void asker_post(struct rig *rig, struct asker *asker);
/** Connects `count` of them, and puts a request of each in the ring. */
void asker_post_all(struct rig *rig, const char *name, struct asker *askers, int count);

/** Whether a whole answer is there, without entering. */
bool asker_has_answer(struct asker *asker);
/** Whether that has this body. */
bool asker_says(const struct asker *asker, const char *body);
/** How many entries it takes until this one is answered; 0: more than 1000. */
unsigned asker_entries(struct rig *rig, struct asker *asker);
