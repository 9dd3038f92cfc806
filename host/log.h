/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one logfmt line per event on stderr, for tfaasd and tfaas-worker. Events have
 * stable ids. Nothing of a request is ever logged: no bodies, no header fields, no paths.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Bounds lines that strangers can cause: a hundred a second each; how many were dropped
 * is said with the next one. Zeroed at the start. */
struct tf_log_limit {
    uint64_t since; /* milliseconds */
    unsigned count;
};

/** Whether one more line may be written at `now_ms` of any steady clock. */
bool tf_log_may(struct tf_log_limit *limit, uint64_t now_ms);

/**
 * Writes `ts=... event=EVENT FIELDS` as one write.
 *
 * @param event   stable id, such as "worker-start".
 * @param fields  printf format of "key=value" pairs; values are made of safe characters
 * by the caller (names, numbers, hex); what could end a line or command a terminal comes
 * out as ?. "" for none.
 */
void tf_log(const char *event, const char *fields, ...)
    __attribute__((format(printf, 2, 3)));
