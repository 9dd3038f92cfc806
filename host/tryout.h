/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tryout.h - whether an heir (roll.h) loads what it is to take over. It knows its lambdas
 * by their envelopes; once it serves it is brought each bundle as if that were deployed,
 * so that its enclave runs the code once. What was found stays until the next roll.
 */
#pragma once

#include <stdbool.h>

#include "host/daemon.h"
#include "lib/json.h"

struct tf_worker;

/** Goes on with the heir's next lambda unless one is under way. Call now and then. */
void tf_tryout_continue(struct tf_worker *heir);

/** Whether the heir has tried all that it has. */
bool tf_tryout_is_over(const struct tf_worker *heir);

/** Why the first of those that do not load does not: a code's name. NULL: all load. */
const char *tf_tryout_why(const struct tf_daemon *daemon);

/** Writes "failing": name, version, code and words of each that does not load. */
void tf_tryout_write(const struct tf_daemon *daemon, struct tf_json_writer *w);

/** The bytes that that may take. */
size_t tf_tryout_size(const struct tf_daemon *daemon);

/** Forgets what was found. */
void tf_tryout_wipe(struct tf_daemon *daemon);
