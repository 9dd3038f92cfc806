/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rounds.h - when which machine is visited: each every third of a lease, each by a thread
 * of its own for the time of the visit, so that one which does not answer delays no
 * other. A name is resolved again each time, and every address behind it is a machine.
 * Between visits looks: a ClientHello shows whether what was leased there still serves,
 * and where it does not, as after a restart, the next visit is at once.
 */
#pragma once

#include <signal.h>

#include "attester/visit.h"

/**
 * Visits until one of the signals comes, which all threads must have blocked. Visits that
 * then still run are left to the end of the process: a visit may be cut short anywhere.
 */
void tf_rounds_run(const struct tf_attester *attester, const sigset_t *stop);
