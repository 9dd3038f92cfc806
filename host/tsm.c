/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/evidence.h"
#include "host/number.h"
#include "lib/bytes.h"

enum {
    WORD_MAX = 64, /* provider, generation */
    QUOTE_HEADER = 48,
    TEE_TDX = 0x81,
    TDX_BODY_10 = 584, /* TD report of version 4, and type 2 of version 5 */
    TDX_BODY_MAX = 2048,
    TDX_DATA = 520, /* REPORTDATA in it */
    SNP_DATA = 0x50 /* REPORT_DATA in a report */
};

struct blob {
    uint8_t bytes[TF_TSM_BLOB_MAX];
    size_t size;
};

/* --- attributes ----------------------------------------------------------------------
 */

static tf_err error_of(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return TF_ENOTFOUND;
    case EBUSY:       /* the provider is */
    case EWOULDBLOCK: /* somebody wrote since (tsm_report_read) */
        return TF_AGAIN;
    case EFBIG:
        return TF_ELIMIT;
    default:
        return TF_EIO;
    }
}

static tf_err write_attribute(int entry, const char *name, const uint8_t *data,
                              size_t size)
{
    int fd = openat(entry, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_of(errno);
    }
    ssize_t written = write(fd, data, size); /* a binary attribute takes all at once */
    int cause = errno;
    /* It reaches the provider when it is closed (configfs_release_bin_file). */
    int closed = close(fd);
    if (written < 0) {
        return error_of(cause);
    }
    return written == (ssize_t)size && closed == 0 ? TF_OK : TF_EIO;
}

static tf_err read_attribute(int entry, const char *name, struct blob *out)
{
    int fd = openat(entry, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_of(errno);
    }
    tf_err err = TF_OK;
    ssize_t got = 1;
    out->size = 0;
    while (got != 0 && err == TF_OK && out->size < sizeof(out->bytes)) {
        got = read(fd, out->bytes + out->size, sizeof(out->bytes) - out->size);
        if (got > 0) {
            out->size += (size_t)got;
        } else if (got < 0 && errno != EINTR) {
            err = error_of(errno);
        }
    }
    (void)close(fd);
    if (err == TF_OK && got != 0) {
        return TF_ELIMIT;
    }
    return err;
}

/* A line of text. */
static tf_err read_word(int entry, const char *name, char out[static WORD_MAX])
{
    struct blob blob = {.size = 0};

    tf_err err = read_attribute(entry, name, &blob);
    if (err != TF_OK) {
        return err;
    }
    size_t size = blob.size;
    if (size > 0 && blob.bytes[size - 1] == '\n') {
        size--;
    }
    if (size >= WORD_MAX || memchr(blob.bytes, '\0', size) != NULL) {
        return TF_EQUOTE_FORMAT;
    }
    memcpy(out, blob.bytes, size);
    out[size] = '\0';
    return TF_OK;
}

static tf_err read_generation(int entry, uint64_t *out)
{
    char word[WORD_MAX];

    tf_err err = read_word(entry, "generation", word);
    if (err == TF_OK && !tf_number_parse(word, 0, UINT64_MAX - 1, out)) {
        return TF_EQUOTE_FORMAT;
    }
    return err;
}

/* --- what a provider gives -----------------------------------------------------------
 */

/* The size of a quote's body, which follows the header; 0 if it is of no known kind. */
static size_t read_body_size(struct tf_reader *r)
{
    uint16_t version = tf_read_u16(r);
    (void)tf_read_u16(r); /* key type: the verifier's business */
    uint32_t tee = tf_read_u32(r);
    (void)tf_read_bytes(r, QUOTE_HEADER - 8);
    size_t size = TDX_BODY_10;
    if (version == 5) {
        (void)tf_read_u16(r); /* body type */
        size = tf_read_u32(r);
    }
    bool is_known = (version == 4 || version == 5) && tee == TEE_TDX &&
                    size >= TDX_BODY_10 && size <= TDX_BODY_MAX;
    return is_known ? size : 0;
}

/* Cuts a quote to its size; what follows is the buffer's rest. */
static tf_err cut_quote(const struct blob *blob, const uint8_t *data, size_t *out)
{
    struct tf_reader r;

    tf_reader_init(&r, blob->bytes, blob->size);
    size_t body_size = read_body_size(&r);
    if (r.bad || body_size == 0) {
        return r.bad ? TF_EQUOTE_FORMAT : TF_EQUOTE_KIND;
    }
    const uint8_t *body = tf_read_bytes(&r, body_size);
    uint32_t signature_size = tf_read_u32(&r);
    (void)tf_read_bytes(&r, signature_size);
    if (r.bad || signature_size == 0 ||
        memcmp(body + TDX_DATA, data, TF_TSM_DATA_SIZE) != 0) {
        return TF_EQUOTE_FORMAT;
    }
    *out = r.at;
    return TF_OK;
}

/* What was read between the two looks at `generation`. */
struct answer {
    char provider[WORD_MAX];
    struct blob out;
    struct blob aux;
};

static bool is_provider(const struct answer *a, const char *name)
{
    return strcmp(a->provider, name) == 0;
}

static tf_err write_evidence(const struct answer *a, const uint8_t *data, char *out,
                             size_t cap, size_t *size)
{
    char pem[TF_TSM_PEM_MAX];
    size_t quote_size = 0;

    if (is_provider(a, "tdx_guest")) {
        tf_err err = cut_quote(&a->out, data, &quote_size);
        return err == TF_OK
                   ? tf_evidence_write_quote(a->out.bytes, quote_size, out, cap, size)
                   : err;
    }
    if (a->out.size != TF_SNP_REPORT_SIZE ||
        memcmp(a->out.bytes + SNP_DATA, data, TF_TSM_DATA_SIZE) != 0) {
        return TF_EQUOTE_FORMAT;
    }
    tf_err err = tf_tsm_certificates(a->aux.bytes, a->aux.size, pem);
    return err == TF_OK ? tf_evidence_write_snp(a->out.bytes, pem, out, cap, size) : err;
}

/* --- one question --------------------------------------------------------------------
 */

/* Only SEV-SNP has an auxblob; a kernel without it, or a host without certificates,
 * leaves them to who verifies. */
static tf_err read_answer(int entry, struct answer *a)
{
    tf_err err = read_attribute(entry, "outblob", &a->out);
    if (err != TF_OK || !is_provider(a, "sev_guest")) {
        return err;
    }
    err = read_attribute(entry, "auxblob", &a->aux);
    if (err == TF_ENOTFOUND) {
        a->aux.size = 0;
        return TF_OK;
    }
    return err;
}

static tf_err ask(int entry, const uint8_t *data, struct answer *a)
{
    uint64_t before = 0;
    uint64_t after = 0;

    tf_err err = read_word(entry, "provider", a->provider);
    if (err == TF_OK && !is_provider(a, "tdx_guest") && !is_provider(a, "sev_guest")) {
        return TF_EQUOTE_KIND;
    }
    if (err == TF_OK) {
        err = read_generation(entry, &before);
    }
    if (err == TF_OK) {
        err = write_attribute(entry, "inblob", data, TF_TSM_DATA_SIZE);
    }
    if (err == TF_OK) {
        err = read_answer(entry, a);
    }
    if (err == TF_OK) {
        err = read_generation(entry, &after);
    }
    /* Each write counts, and ours was one. */
    return err == TF_OK && after != before + 1 ? TF_AGAIN : err;
}

tf_err tf_tsm_evidence(const char *path, const uint8_t data[static TF_TSM_DATA_SIZE],
                       char *out, size_t cap, size_t *size)
{
    struct answer answer = {.provider = ""};
    bool is_ours = mkdir(path, S_IRWXU) == 0;

    if (!is_ours && errno != EEXIST) {
        return error_of(errno);
    }
    int entry = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tf_err err = entry >= 0 ? ask(entry, data, &answer) : error_of(errno);
    if (entry >= 0) {
        (void)close(entry);
    }
    if (is_ours) {
        (void)rmdir(path);
    }
    return err == TF_OK ? write_evidence(&answer, data, out, cap, size) : err;
}
