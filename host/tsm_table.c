/* SPDX-License-Identifier: Apache-2.0 */
/* tsm_table.c - the certificates that a hypervisor hands to an SEV-SNP guest. */
#include <stdbool.h>
#include <string.h>

#include "host/tsm.h"
#include "lib/bytes.h"

enum {
    GUID_SIZE = 16,
    ENTRIES_MAX = 64,
    PEM_LINE = 64, /* characters, of 48 bytes */
    LINE_BYTES = 48,
    DER_SEQUENCE = 0x30,
    DER_TWO_BYTES = 0x82 /* of length: every certificate of AMD's */
};

enum which { VEK, CA, ROOT, WHICH_COUNT };

struct piece {
    const uint8_t *data; /* NULL: not in the table */
    size_t size;
};

/* The bytes in the order in which a GUID is written down. */
static const struct {
    uint8_t guid[GUID_SIZE];
    enum which which;
} known[] = {{{0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
               0x3b, 0xe8, 0xac, 0xcd},
              VEK}, /* VCEK */
             {{0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0,
               0x45, 0xa0, 0xb8, 0xa1},
              VEK}, /* VLEK */
             {{0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
               0xf3, 0x27, 0xc7, 0x82},
              CA}, /* ASK or ASVK */
             {{0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
               0x01, 0x4c, 0xd0, 0xae},
              ROOT}};

static bool is_zero(const uint8_t guid[static GUID_SIZE])
{
    static const uint8_t zeros[GUID_SIZE];

    return memcmp(guid, zeros, GUID_SIZE) == 0;
}

static bool is_one_sequence(const struct piece *p)
{
    return p->size > 4 && p->data[0] == DER_SEQUENCE && p->data[1] == DER_TWO_BYTES &&
           (size_t)(p->data[2] << 8 | p->data[3]) + 4 == p->size;
}

/* @return false if there is one already, or it is no certificate. */
static bool take(struct piece pieces[static WHICH_COUNT], const uint8_t *guid,
                 struct piece piece)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (memcmp(guid, known[i].guid, GUID_SIZE) == 0) {
            struct piece *at = &pieces[known[i].which];
            bool is_good = at->data == NULL && is_one_sequence(&piece);
            *at = piece;
            return is_good;
        }
    }
    return true;
}

struct entry {
    const uint8_t *guid;
    uint32_t offset;
    uint32_t size;
};

/* Reads the head up to its zeros. @return how many entries, or ENTRIES_MAX for one that
 * has no end. */
static size_t read_head(struct tf_reader *r, struct entry out[static ENTRIES_MAX])
{
    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        out[i].guid = tf_read_bytes(r, GUID_SIZE);
        out[i].offset = tf_read_u32(r);
        out[i].size = tf_read_u32(r);
        if (r->bad) {
            return ENTRIES_MAX;
        }
        if (is_zero(out[i].guid)) {
            return i;
        }
    }
    return ENTRIES_MAX;
}

static tf_err read_table(const uint8_t *bytes, size_t size,
                         struct piece pieces[static WHICH_COUNT])
{
    struct entry entries[ENTRIES_MAX];
    struct tf_reader r;

    tf_reader_init(&r, bytes, size);
    size_t count = read_head(&r, entries);
    if (count == ENTRIES_MAX) {
        return TF_EQUOTE_FORMAT;
    }
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        if (e->offset < r.at || e->offset > size || e->size > size - e->offset) {
            return TF_EQUOTE_FORMAT;
        }
        struct tf_reader data;
        tf_reader_init(&data, bytes, size);
        (void)tf_read_bytes(&data, e->offset);
        struct piece piece = {tf_read_bytes(&data, e->size), e->size};
        if (piece.data == NULL || !take(pieces, e->guid, piece)) {
            return TF_EQUOTE_FORMAT;
        }
    }
    return TF_OK;
}

/* --- PEM (RFC 7468) ------------------------------------------------------------------
 */

struct text {
    char bytes[TF_TSM_PEM_MAX];
    size_t size;
};

static tf_err put(struct text *t, const char *what)
{
    size_t size = strlen(what);

    if (size >= sizeof(t->bytes) - t->size) {
        return TF_ELIMIT;
    }
    memcpy(t->bytes + t->size, what, size + 1);
    t->size += size;
    return TF_OK;
}

static tf_err put_pem(struct text *t, const struct piece *p)
{
    char line[PEM_LINE + 1];

    tf_err err = put(t, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < p->size && err == TF_OK; at += LINE_BYTES) {
        size_t left = p->size - at;
        tf_base64_write(p->data + at, left < LINE_BYTES ? left : LINE_BYTES, line);
        err = put(t, line);
        if (err == TF_OK) {
            err = put(t, "\n");
        }
    }
    return err == TF_OK ? put(t, "-----END CERTIFICATE-----\n") : err;
}

tf_err tf_tsm_certificates(const uint8_t *bytes, size_t size,
                           char pem[static TF_TSM_PEM_MAX])
{
    struct piece pieces[WHICH_COUNT] = {{NULL, 0}};
    struct text text = {.bytes = "", .size = 0};

    tf_err err = size == 0 ? TF_OK : read_table(bytes, size, pieces);
    bool is_whole =
        pieces[VEK].data != NULL && pieces[CA].data != NULL && pieces[ROOT].data != NULL;
    for (size_t i = 0; i < WHICH_COUNT && is_whole && err == TF_OK; i++) {
        err = put_pem(&text, &pieces[i]);
    }
    if (err == TF_OK) {
        memcpy(pem, text.bytes, text.size + 1);
    }
    return err;
}
