/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlog.h - the transparency log of an attester (doc/formats.md, Transparency log): every
 * grant that it made, one signed JSON text a line, each line bound to the one before. Who
 * holds a log and its key's id can tell that no line was changed, added, dropped from the
 * middle or moved, and that no serial was used twice. A log whose last lines were dropped
 * is a good older log: only a hash noted before (tf_tlog_has_head) shows that.
 *
 * For anybody who checks logs, and for the attester, which writes them. No files, no
 * clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"
#include "lib/crypto.h"
#include "lib/err.h"

struct tf_json_writer;
struct json_t; /* jansson's */

enum {
    TF_TLOG_LINE_MAX = 8 << 10, /* bytes of a line, without its newline */
    TF_TLOG_MACHINE_MAX = 255,
    TF_TLOG_REASON_MAX = 47,
    TF_TLOG_KEYID_SIZE = 2 * TF_SHA256_SIZE
};

typedef enum tf_tlog_kind {
    TF_TLOG_START,   /* the attester began, with this key and policy */
    TF_TLOG_INTENT,  /* a grant is about to be sent */
    TF_TLOG_GRANTED, /* the instance has taken it */
    TF_TLOG_VOID,    /* the instance has not taken it */
    TF_TLOG_UPDATE,  /* another version of the lambda serves under the grant */
    TF_TLOG_REFUSED, /* a bad verdict: nothing was granted */
    TF_TLOG_STOPPED, /* the grant's lease is no longer renewed */
    TF_TLOG_POLICY,  /* another policy holds from here on */
    TF_TLOG_KIND_COUNT
} tf_tlog_kind;

/** What happened. Which fields count depends on the kind (doc/formats.md); others are
 *  zero. Texts end with NUL. */
struct tf_tlog_event {
    tf_tlog_kind kind;
    uint64_t serial;
    uint64_t version;
    uint64_t not_after; /* seconds since 1970 */
    uint64_t cut;       /* bytes of a torn line that were removed at the start */
    bool is_simulated;
    char lambda[TF_NAME_MAX + 1];
    char digest[2 * TF_SHA256_SIZE + 1];
    char names[TF_DOMAINS_MAX][TF_DNS_MAX + 1];
    size_t name_count;
    char instance[32 + 1];
    char machine[TF_TLOG_MACHINE_MAX + 1];    /* ADDR:PORT */
    char platform[2 * 64 + 1];                /* hex; "" if simulated or not known */
    char measurement[2 * 48 + 1];             /* hex; "" if not known */
    char certificate[2 * TF_SHA256_SIZE + 1]; /* SHA-256 of the leaf's DER */
    char policy[2 * TF_SHA256_SIZE + 1];      /* SHA-256 of the policy file */
    char reason[TF_TLOG_REASON_MAX + 1];      /* name of a code in lib/err.h */
    uint8_t key[TF_SPKI_MAX];                 /* SubjectPublicKeyInfo of who signs */
    size_t key_size;
};

/** A line that was checked. */
struct tf_tlog_line {
    uint64_t seq;
    uint64_t time; /* seconds since 1970, by the attester's clock */
    struct tf_tlog_event event;
};

/** A serial, and what became of it. */
struct tf_tlog_serial {
    uint64_t serial;
    bool is_granted;
    bool is_void;
};

/** A walk along a log. Owned: end with tf_tlog_wipe. */
struct tf_tlog {
    char keyid[TF_TLOG_KEYID_SIZE + 1]; /* "" until the first line, if none is wanted */
    uint8_t spki[TF_SPKI_MAX];
    size_t spki_size;
    uint64_t seq;                 /* of the last line; 0: none yet */
    uint8_t head[TF_SHA256_SIZE]; /* hash of the last line; zeros: none yet */
    uint8_t wanted_head[TF_SHA256_SIZE];
    bool wants_head;
    bool has_seen_head;
    struct tf_tlog_serial *serials; /* in growing order */
    size_t serial_count;
    size_t serial_cap;
};

/** Starts. @param keyid  whose log it has to be, hex; NULL: that of its first line. */
void tf_tlog_init(struct tf_tlog *log, const char *keyid);
void tf_tlog_wipe(struct tf_tlog *log);

/** Notes a hash from earlier that the log must contain. Call before the first line. */
void tf_tlog_want_head(struct tf_tlog *log, const uint8_t head[static TF_SHA256_SIZE]);

/** Whether no hash is wanted, or a line had it. */
bool tf_tlog_has_head(const struct tf_tlog *log);

/**
 * Checks the next line and moves on; on failure the walk is where it was.
 *
 * @param line  untrusted, without its newline.
 * @return TF_OK; TF_ELOG_FORMAT; TF_ELOG_CHAIN (sequence number or hash do not follow);
 *         TF_ELOG_SIGNATURE (not by the log's key); TF_ELOG_SERIAL (used twice, or an
 *         outcome without an intent); TF_ENOMEM.
 */
TF_MUST_USE tf_err tf_tlog_feed(struct tf_tlog *log, const char *line, size_t size,
                                struct tf_tlog_line *out);

/**
 * Takes the next line out of a whole log in memory and feeds it.
 *
 * @param at  where the walk is in `text`: 0 at first, moved behind the line.
 * @return as tf_tlog_feed; TF_AGAIN at the end; TF_ELOG_FORMAT if what is left has no
 *         newline (`at` then is where it begins).
 */
TF_MUST_USE tf_err tf_tlog_next(struct tf_tlog *log, const char *text, size_t size,
                                size_t *at, struct tf_tlog_line *out);

/** What became of a serial; NULL if the log has no intent with it. */
const struct tf_tlog_serial *tf_tlog_find(const struct tf_tlog *log, uint64_t serial);

/** Bytes of the label that a line's signature covers before the line. */
enum {
    TF_TLOG_LABEL_SIZE = 18,
    TF_TLOG_BUFFER_SIZE = TF_TLOG_LABEL_SIZE + TF_TLOG_LINE_MAX
};

/**
 * Writes what has to be signed for the line after the walk's last: the label and the line
 * without its signature.
 *
 * @param out   TF_TLOG_BUFFER_SIZE bytes.
 * @param size  bytes to be signed.
 * @return TF_OK or TF_ELIMIT.
 */
TF_MUST_USE tf_err tf_tlog_line_begin(const struct tf_tlog *log, uint64_t time,
                                      const struct tf_tlog_event *event, char *out,
                                      size_t *size);

/**
 * Completes the line with its signature; it begins TF_TLOG_LABEL_SIZE into `out`.
 * @param size  as tf_tlog_line_begin left it; becomes that of the line, no newline.
 * @return TF_OK or TF_ELIMIT.
 */
TF_MUST_USE tf_err tf_tlog_line_end(char *out, size_t *size, const uint8_t *signature,
                                    size_t signature_size);

/** The log's name of a kind, such as "granted". Never NULL. */
const char *tf_tlog_kind_name(tf_tlog_kind kind);

/** Writes an event as an object under `key`. */
void tf_tlog_event_write(struct tf_json_writer *w, const char *key,
                         const struct tf_tlog_event *event);

/** Reads an untrusted event. @return TF_OK or TF_ELOG_FORMAT. */
TF_MUST_USE tf_err tf_tlog_event_read(const struct json_t *object,
                                      struct tf_tlog_event *out);
