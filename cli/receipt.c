/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.c - the verb `receipt`: check what enclaves signed about invocations, offline.
 */
#include "cli/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/bytes.h"
#include "lib/json.h"

enum { FILE_MAX = 1 << 30, ATTESTATION_MAX = 64 << 10 };

/* Whose receipts they have to be. */
struct signer {
    char keyid[2 * TF_SHA256_SIZE + 1];
    char instance[33]; /* "": any that has this key */
};

/* What makes a receipt the only one of its kind. */
struct seen {
    char lambda[TF_NAME_MAX + 1];
    char instance[33];
    uint64_t serial;
};

struct pile {
    struct seen *seen; /* owned; of receipts, not of statements */
    size_t count;
    size_t cap;
    struct tf_receipt sum; /* of receipts: the amounts, `ok` and `failed` */
};

/* --- showing ------------------------------------------------------------------------ */

static void show_amounts(const struct tf_receipt *r)
{
    (void)printf("%" PRIu64 " steps, heap up to %" PRIu64 " bytes, %" PRIu64
                 " bytes in, %" PRIu64 " out\n",
                 r->steps, r->peak, r->bytes_in, r->bytes_out);
}

void tf_receipt_print(const struct tf_receipt *r, bool is_json)
{
    if (is_json) {
        (void)puts(r->payload);
        return;
    }
    if (r->is_usage) {
        (void)printf("usage of %s on instance %s: %" PRIu64 " answered, %" PRIu64
                     " failed, %" PRIu64 " receipts, ",
                     r->lambda, r->instance, r->ok, r->failed, r->receipts);
    } else {
        (void)printf("receipt %" PRIu64 " of %s version %" PRIu64
                     " on instance %s: %s with %" PRIu64 ", ",
                     r->serial, r->lambda, r->version, r->instance,
                     r->is_ok ? "answered" : "failed", r->status);
    }
    show_amounts(r);
}

/* --- adding up ---------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    int order = strcmp(a->instance, b->instance);

    order = order != 0 ? order : strcmp(a->lambda, b->lambda);
    return order != 0 ? order : (a->serial > b->serial) - (a->serial < b->serial);
}

static tf_err add(struct pile *pile, const struct tf_receipt *r)
{
    struct tf_receipt *sum = &pile->sum;

    if (pile->count == pile->cap) {
        size_t cap = 2 * pile->cap + 64;
        struct seen *grown = realloc(pile->seen, cap * sizeof(*grown));
        if (grown == NULL) {
            return TF_ENOMEM;
        }
        pile->seen = grown;
        pile->cap = cap;
    }
    struct seen *one = &pile->seen[pile->count++];
    memcpy(one->lambda, r->lambda, sizeof(one->lambda));
    memcpy(one->instance, r->instance, sizeof(one->instance));
    one->serial = r->serial;
    sum->ok += r->is_ok;
    sum->failed += !r->is_ok;
    sum->steps += r->steps;
    sum->peak = r->peak > sum->peak ? r->peak : sum->peak;
    sum->bytes_in += r->bytes_in;
    sum->bytes_out += r->bytes_out;
    return TF_OK;
}

/* A receipt that is there twice would be paid twice. */
static tf_err check_once(struct pile *pile)
{
    if (pile->count != 0) {
        qsort(pile->seen, pile->count, sizeof(pile->seen[0]), compare);
    }
    for (size_t i = 1; i < pile->count; i++) {
        if (compare(&pile->seen[i - 1], &pile->seen[i]) == 0) {
            (void)tf_report(TF_ERECEIPT_TWICE, "serial %" PRIu64 " of %s",
                            pile->seen[i].serial, pile->seen[i].lambda);
            return TF_ERECEIPT_TWICE;
        }
    }
    return TF_OK;
}

/* --- checking ----------------------------------------------------------------------- */

static tf_err check_line(const char *line, size_t size, size_t number,
                         const struct signer *by, bool is_json, struct pile *pile)
{
    struct tf_receipt receipt;
    tf_err err = tf_receipt_open(line, size, by->keyid, &receipt);

    if (err == TF_OK && by->instance[0] != '\0' &&
        strcmp(by->instance, receipt.instance) != 0) {
        err = TF_ERECEIPT_KEY;
    }
    if (err != TF_OK) {
        (void)tf_report(err, "line %zu", number);
        return err;
    }
    tf_receipt_print(&receipt, is_json);
    return receipt.is_usage ? TF_OK : add(pile, &receipt);
}

/* One receipt or statement a line, as the header field's value is. */
static tf_err check_lines(const char *text, size_t size, const struct signer *by,
                          bool is_json, struct pile *pile)
{
    size_t number = 0;
    size_t at = 0;

    while (at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t line = end == NULL ? size - at : (size_t)(end - (text + at));
        bool has_return = line != 0 && text[at + line - 1] == '\r';
        tf_err err =
            check_line(text + at, line - has_return, ++number, by, is_json, pile);
        if (err != TF_OK) {
            return err;
        }
        at += line + (end != NULL);
    }
    if (number == 0) {
        (void)tf_report(TF_ERECEIPT_FORMAT, "the file is empty");
        return TF_ERECEIPT_FORMAT;
    }
    return TF_OK;
}

static int run(const char *path, const struct signer *by, bool is_json)
{
    struct pile pile = {0};
    uint8_t *text = NULL;
    size_t size = 0;

    tf_err err = tf_file_read(path, FILE_MAX, &text, &size);
    if (err == TF_OK) {
        err = check_lines((const char *)text, size, by, is_json, &pile);
    }
    if (err == TF_OK) {
        err = check_once(&pile);
    }
    if (err == TF_OK && pile.count > 1 && !is_json) {
        (void)printf("all good: %zu receipts, %" PRIu64 " answered, %" PRIu64 " failed, ",
                     pile.count, pile.sum.ok, pile.sum.failed);
        show_amounts(&pile.sum);
    }
    free(pile.seen);
    free(text);
    return tf_exit(err);
}

/* --- whose -------------------------------------------------------------------------- */

static bool is_hex(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

/* What `attest --json` printed when its verdict was good. */
static tf_err read_attestation(const char *path, struct signer *out)
{
    uint8_t *text = NULL;
    size_t size = 0;
    json_t *document = NULL;
    tf_err err = tf_file_read(path, ATTESTATION_MAX, &text, &size);

    if (err != TF_OK) {
        return err;
    }
    err = tf_json_parse((const char *)text, size, &document);
    free(text);
    const char *verdict = json_string_value(json_object_get(document, "verdict"));
    const char *keyid = json_string_value(json_object_get(document, "receipts"));
    const char *instance = json_string_value(json_object_get(document, "instance"));
    if (err != TF_OK || verdict == NULL || keyid == NULL || instance == NULL ||
        !is_hex(keyid, sizeof(out->keyid) - 1) ||
        !is_hex(instance, sizeof(out->instance) - 1)) {
        err = TF_EUSAGE;
        (void)tf_report(err, "%s is not what `tfaas attest --json` prints", path);
    } else if (strcmp(verdict, "good") != 0) {
        err = TF_ERECEIPT_KEY;
        (void)tf_report(err, "the verdict of %s is not good", path);
    } else {
        memcpy(out->keyid, keyid, sizeof(out->keyid));
        memcpy(out->instance, instance, sizeof(out->instance));
    }
    json_decref(document);
    return err;
}

int tf_cmd_receipt(int argc, char **argv)
{
    const char *operands[2];
    const char *attestation = NULL;
    const char *keyid = NULL;
    bool is_json = false;
    const struct tf_option options[] = {TF_TEXT("attestation", &attestation),
                                        TF_TEXT("keyid", &keyid),
                                        TF_FLAG("json", &is_json),
                                        {0}};
    struct signer by = {0};

    if (!tf_options(argc, argv, options, operands, 2)) {
        return TF_EXIT_USAGE;
    }
    if (strcmp(operands[0], "verify") != 0) {
        return tf_report(TF_EUSAGE, "receipt verify FILE");
    }
    if ((attestation == NULL) == (keyid == NULL)) {
        return tf_report(TF_EUSAGE, "whose is it? either --attestation FILE or --keyid");
    }
    if (attestation != NULL) {
        tf_err err = read_attestation(attestation, &by);
        if (err != TF_OK) {
            return tf_exit(err);
        }
    } else if (is_hex(keyid, sizeof(by.keyid) - 1)) {
        memcpy(by.keyid, keyid, sizeof(by.keyid));
    } else {
        return tf_report(TF_EUSAGE, "--keyid is 64 hex digits (tfaas attest --json)");
    }
    return run(operands[1], &by, is_json);
}
