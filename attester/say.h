/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.h - what the attester tells its operator: one logfmt line per event on stderr.
 * This is for people and monitors; what counts is the transparency log.
 */
#pragma once

/**
 * Writes `ts=... event=EVENT FIELDS` as one write.
 *
 * @param event   stable id, such as "granted".
 * @param fields  printf format of "key=value" pairs. Values are names, numbers, hex and
 *                codes that were checked before.
 */
void tf_say(const char *event, const char *fields, ...)
    __attribute__((format(printf, 2, 3)));
