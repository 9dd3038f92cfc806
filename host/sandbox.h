/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - a worker's process after its start: memory, the sockets it has or is
 * passed, the clock. Whoever takes it over, through the network or by a script that
 * breaks out of its engine, opens no file, no new connection and no program, and signals
 * nobody else. Which calls that leaves, and why, is one table for all kinds of workers
 * (host/sandbox.c).
 */
#pragma once

#include "lib/err.h"

/** Whose calls. */
enum tf_sandbox {
    TF_SANDBOX_LEAN,  /* tfaas-worker: another call than those ends it, and is logged */
    TF_SANDBOX_NATIVE /* an engine's runtime, which asks for much and does without it: it
                         fails with EPERM; what only an attacker would try ends it */
};

enum { TF_SANDBOX_EXIT = 73 }; /* the process's status after such a call */

/**
 * Gives up what the threads that are started from now on would inherit: capabilities,
 * new privileges; and for the process core files.
 * @return TF_OK, TF_EPLATFORM.
 */
TF_MUST_USE tf_err tf_sandbox_lower(void);

/**
 * Takes from all threads of the process, for good, every system call that a running
 * worker does not need: no file, socket, process or program comes new.
 * @return TF_OK, TF_EPLATFORM.
 */
TF_MUST_USE tf_err tf_sandbox_enter(enum tf_sandbox kind);

/** SIGSYS outside of an enclave: logs the call and ends the process. For who has a
 * handler of its own, installed after tf_sandbox_lower. */
_Noreturn void tf_sandbox_refuse(int number);
