/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello.h - ClientHellos for tests: as small as a parser of server names takes them,
 * whole or in parts. No TLS library would answer one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "host/sni.h"

struct hello {
    uint8_t bytes[TF_SNI_PEEK_MAX + 4096];
    size_t size;
};

static inline void add(struct hello *h, const void *data, size_t size)
{
    memcpy(h->bytes + h->size, data, size);
    h->size += size;
}

static inline void add_number(struct hello *h, size_t value, size_t width)
{
    for (size_t i = width; i > 0; i--) {
        h->bytes[h->size] = (uint8_t)(value >> (8 * (i - 1)));
        h->size++;
    }
}

static inline void add_server_name(struct hello *h, const char *name)
{
    size_t size = strlen(name);
    add_number(h, 0, 2);
    add_number(h, size + 5, 2);
    add_number(h, size + 3, 2);
    add_number(h, 0, 1);
    add_number(h, size, 2);
    add(h, name, size);
}

/* A ClientHello around the extensions, without record headers. */
static inline struct hello around(const struct hello *extensions)
{
    static const uint8_t suites[] = {0, 2, 0x13, 0x01, 1, 0};
    struct hello h = {.size = 0};
    add_number(&h, 1, 1);
    add_number(&h, 2 + 32 + 1 + sizeof(suites) + 2 + extensions->size, 3);
    add_number(&h, 0x0303, 2);
    h.size += 32;
    add_number(&h, 0, 1);
    add(&h, suites, sizeof(suites));
    add_number(&h, extensions->size, 2);
    add(&h, extensions->bytes, extensions->size);
    return h;
}

/* Records of at most `fragment` bytes. */
static inline struct hello in_records(const struct hello *message, size_t fragment)
{
    struct hello h = {.size = 0};
    for (size_t at = 0; at < message->size; at += fragment) {
        size_t size = message->size - at < fragment ? message->size - at : fragment;
        add_number(&h, 22, 1);
        add_number(&h, 0x0301, 2);
        add_number(&h, size, 2);
        add(&h, message->bytes + at, size);
    }
    return h;
}

static inline struct hello hello_for(const char *name)
{
    struct hello extensions = {.size = 0};
    add_number(&extensions, 43, 2); /* supported_versions */
    add_number(&extensions, 3, 2);
    add(&extensions, "\2\3\4", 3);
    add_server_name(&extensions, name);
    struct hello message = around(&extensions);
    return message;
}
