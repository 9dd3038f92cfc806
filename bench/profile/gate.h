/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h - one byte each way between bench/profile/drive.c and worker.c. The first byte
 * of the driver closes the gate; from then on the worker says that it is about to wait
 * for events, and does so when it is told how to go on.
 */
#pragma once

enum {
    PROFILE_CLOSE = 'c',     /* to the worker: ask from now on */
    PROFILE_WAITS = 'w',     /* from the worker */
    PROFILE_GO = 'g',        /* to the worker */
    PROFILE_START = 's',     /* to the worker: count from here, */
    PROFILE_STOP = 'e',      /* and up to here, then end */
    PROFILE_NOW = 1790000000 /* seconds since 1970, all the time */
};
