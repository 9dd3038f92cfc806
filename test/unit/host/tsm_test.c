/* SPDX-License-Identifier: Apache-2.0 */
/* configfs-tsm, played by a thread behind named pipes: what is written to inblob is seen,
 * and outblob and auxblob say what the case wants. */
#include "host/tsm.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/limits.h"
#include "host/native.h"
#include "host/sandbox.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "test/test.h"

enum { SNP_SIZE = 1184, DER_SIZE = 1500, TABLE_MAX = 8192 };

/* --- the kernel's side ---------------------------------------------------------------
 */

struct kernel {
    char path[64];
    const char *provider;
    const uint8_t *out;
    size_t out_size;
    const uint8_t *aux; /* NULL: no such attribute */
    size_t aux_size;
    unsigned writes; /* by others, meanwhile */
    uint8_t in[TF_TSM_DATA_SIZE + 1];
    ssize_t in_size;
    pthread_t thread;
};

static int open_in(const struct kernel *k, const char *name, int flags)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", k->path, name);
    return open(path, flags | O_CREAT | O_CLOEXEC, 0600);
}

static void put(const struct kernel *k, const char *name, const void *data, size_t size)
{
    int fd = open_in(k, name, O_WRONLY | O_TRUNC);
    CHECK(write(fd, data, size) == (ssize_t)size);
    CHECK(close(fd) == 0);
}

static void put_generation(const struct kernel *k, unsigned generation)
{
    char text[16];
    int size = snprintf(text, sizeof(text), "%u\n", generation);
    put(k, "generation", text, (size_t)size);
}

static void *play(void *user)
{
    struct kernel *k = user;

    int fd = open_in(k, "inblob", O_RDONLY);
    k->in_size = read(fd, k->in, sizeof(k->in));
    (void)close(fd);
    put_generation(k, 8 + k->writes);
    put(k, "outblob", k->out, k->out_size);
    if (k->aux != NULL) {
        put(k, "auxblob", k->aux, k->aux_size);
    }
    return NULL;
}

static void make_pipe(const struct kernel *k, const char *name)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", k->path, name);
    CHECK(mkfifo(path, 0600) == 0);
}

static void kernel_start(struct kernel *k)
{
    memcpy(k->path, "/tmp/tfaas-tsm.XXXXXX", 22);
    CHECK(mkdtemp(k->path) != NULL);
    make_pipe(k, "inblob");
    make_pipe(k, "outblob");
    if (k->aux != NULL) {
        make_pipe(k, "auxblob");
    }
    char provider[64];
    int size = snprintf(provider, sizeof(provider), "%s\n", k->provider);
    put(k, "provider", provider, (size_t)size);
    put_generation(k, 7);
    CHECK(pthread_create(&k->thread, NULL, play, k) == 0);
}

static void kernel_end(struct kernel *k)
{
    static const char *const names[] = {"inblob", "outblob", "auxblob", "provider",
                                        "generation"};
    CHECK(pthread_join(k->thread, NULL) == 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/%s", k->path, names[i]);
        (void)unlink(path);
    }
    CHECK(rmdir(k->path) == 0);
}

/* --- what it says --------------------------------------------------------------------
 */

static uint8_t data[TF_TSM_DATA_SIZE];
static uint8_t blob[TF_TSM_BLOB_MAX + 1];
static char evidence[TF_EVIDENCE_MAX];

/* A quote of version 4 or 5 over `data`, then the rest of a buffer. */
static size_t make_quote(unsigned version)
{
    size_t body = version == 5 ? 54 : 48;

    memset(blob, 0, sizeof(blob));
    tf_store_u16(blob, (uint16_t)version);
    tf_store_u16(blob + 2, 2);
    tf_store_u32(blob + 4, 0x81);
    if (version == 5) {
        tf_store_u16(blob + 48, 2);
        tf_store_u32(blob + 50, 584);
    }
    memcpy(blob + body + 520, data, sizeof(data));
    tf_store_u32(blob + body + 584, 4000);
    memset(blob + body + 588, 0x51, 4000);
    return body + 588 + 4000;
}

static void make_report(void)
{
    memset(blob, 0x33, SNP_SIZE);
    memcpy(blob + 0x50, data, sizeof(data));
}

static void make_der(uint8_t *out, uint8_t fill)
{
    const uint8_t head[] = {0x30, 0x82, (DER_SIZE - 4) >> 8, (DER_SIZE - 4) & 0xff};

    memset(out, fill, DER_SIZE);
    memcpy(out, head, sizeof(head));
}

static const uint8_t vcek[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
static const uint8_t vlek[16] = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                                 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1};
static const uint8_t ask[16] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
static const uint8_t ark[16] = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                                0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae};
static const uint8_t other[16] = {1, 2, 3};

/* A table of these GUIDs, each with a certificate. @return its size. */
static size_t make_table(uint8_t *out, const uint8_t *const *guids, size_t count)
{
    size_t head = 24 * (count + 1);

    memset(out, 0, TABLE_MAX);
    for (size_t i = 0; i < count; i++) {
        memcpy(out + 24 * i, guids[i], 16);
        tf_store_u32(out + 24 * i + 16, (uint32_t)(head + i * DER_SIZE));
        tf_store_u32(out + 24 * i + 20, DER_SIZE);
        make_der(out + head + i * DER_SIZE, (uint8_t)(0x40 + i));
    }
    return head + count * DER_SIZE;
}

static tf_err get(struct kernel *k, size_t *size)
{
    kernel_start(k);
    tf_err err = tf_tsm_evidence(k->path, data, evidence, sizeof(evidence), size);
    kernel_end(k);
    return err;
}

/* --- cases ---------------------------------------------------------------------------
 */

static void expect_blob(size_t size, const char *type, const char *key, size_t blob_size)
{
    json_t *document = NULL;
    struct tf_json_fields f;
    static uint8_t got[TF_TSM_BLOB_MAX];

    CHECK(tf_json_parse(evidence, size, &document) == TF_OK);
    tf_json_fields_init(&f, document);
    const char *text = tf_json_string(&f, "type", 1, 64);
    CHECK(text != NULL && strcmp(text, type) == 0);
    CHECK(tf_json_base64(&f, key, got, sizeof(got)) == blob_size);
    CHECK(memcmp(got, blob, blob_size) == 0);
    json_decref(document);
}

static void a_tdx_quote_is_cut_and_wrapped(void)
{
    for (unsigned version = 4; version <= 5; version++) {
        size_t size = 0;
        size_t quote_size = make_quote(version);
        struct kernel k = {.provider = "tdx_guest", .out = blob, .out_size = 8192};
        CHECK(get(&k, &size) == TF_OK);
        CHECK(k.in_size == TF_TSM_DATA_SIZE && memcmp(k.in, data, sizeof(data)) == 0);
        expect_blob(size, "tfaas-dcap-quote.v1", "quote", quote_size);
    }
}

/* In a process of its own, which is then locked in; it hands what it got back. */
static tf_err get_from_inside(const struct kernel *k, int to, size_t *size)
{
    int fd = -1;
    tf_err err = tf_native_evidence_open(k->path, &fd);

    if (err == TF_OK) {
        err = tf_sandbox_enter(TF_SANDBOX_NATIVE);
    }
    if (err == TF_OK) {
        err = tf_native_evidence_ask(fd, data, evidence, size);
    }
    if (err == TF_OK && write(to, evidence, *size) != (ssize_t)*size) {
        err = TF_EIO;
    }
    return err;
}

static void a_worker_that_may_open_no_file_gets_it_too(void)
{
    size_t quote_size = make_quote(4);
    struct kernel k = {.provider = "tdx_guest", .out = blob, .out_size = 8192};
    size_t size = 0;
    int ends[2];
    int status = 0;

    kernel_start(&k);
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(get_from_inside(&k, ends[1], &size) == TF_OK ? 0 : 1);
    }
    (void)close(ends[1]);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
          WEXITSTATUS(status) == 0);
    ssize_t got = read(ends[0], evidence, sizeof(evidence));
    (void)close(ends[0]);
    kernel_end(&k);
    CHECK(k.in_size == TF_TSM_DATA_SIZE && memcmp(k.in, data, sizeof(data)) == 0);
    if (CHECK(got > 0)) {
        expect_blob((size_t)got, "tfaas-dcap-quote.v1", "quote", quote_size);
    }
}

static void an_snp_report_comes_with_its_certificates(void)
{
    static const uint8_t *const guids[] = {ark, other, vlek, ask};
    static uint8_t table[TABLE_MAX];
    size_t size = 0;
    make_report();
    struct kernel k = {.provider = "sev_guest",
                       .out = blob,
                       .out_size = SNP_SIZE,
                       .aux = table,
                       .aux_size = make_table(table, guids, 4)};
    CHECK(get(&k, &size) == TF_OK);
    expect_blob(size, "tfaas-sev-snp-report.v1", "report", SNP_SIZE);
    /* In the order VLEK, CA, root, whatever the table's. */
    const char *at = evidence;
    static const uint8_t fills[] = {0x42, 0x43, 0x40};
    for (size_t i = 0; i < sizeof(fills); i++) {
        uint8_t der[48];
        char line[65];
        make_der(table, fills[i]);
        memcpy(der, table, sizeof(der));
        tf_base64_write(der, sizeof(der), line);
        at = memmem(at, size - (size_t)(at - evidence), line, 64);
        CHECK(at != NULL);
    }
}

static void without_certificates_there_is_a_report(void)
{
    static const uint8_t *const guids[] = {vcek};
    static uint8_t table[TABLE_MAX];
    static const char none[] = "\"certificates\":\"\"";
    for (int i = 0; i < 3; i++) {
        size_t size = 0;
        make_report();
        struct kernel k = {.provider = "sev_guest",
                           .out = blob,
                           .out_size = SNP_SIZE,
                           .aux = i == 0 ? NULL : table,
                           .aux_size = i == 1 ? 0 : make_table(table, guids, 1)};
        CHECK(get(&k, &size) == TF_OK);
        CHECK(memmem(evidence, size, none, sizeof(none) - 1) != NULL);
    }
}

static void another_writer_is_noticed(void)
{
    size_t size = 77;
    (void)make_quote(4);
    struct kernel k = {
        .provider = "tdx_guest", .out = blob, .out_size = 8192, .writes = 1};
    CHECK(get(&k, &size) == TF_AGAIN && size == 77);
}

static void what_is_over_other_bytes_is_refused(void)
{
    size_t size = 77;
    (void)make_quote(4);
    blob[48 + 520 + 63] ^= 1;
    struct kernel k = {.provider = "tdx_guest", .out = blob, .out_size = 8192};
    CHECK(get(&k, &size) == TF_EQUOTE_FORMAT);
    make_report();
    blob[0x50] ^= 1;
    k.provider = "sev_guest";
    k.out_size = SNP_SIZE;
    CHECK(get(&k, &size) == TF_EQUOTE_FORMAT);
    make_report();
    k.out_size = SNP_SIZE - 1;
    CHECK(get(&k, &size) == TF_EQUOTE_FORMAT && size == 77);
}

static void unknown_quotes_are_refused(void)
{
    size_t size = 77;
    struct kernel k = {.provider = "tdx_guest", .out = blob, .out_size = 8192};
    for (unsigned version = 2; version < 8; version++) {
        (void)make_quote(4);
        tf_store_u16(blob, (uint16_t)version);
        if (version != 4 && version != 5) {
            CHECK(get(&k, &size) == TF_EQUOTE_KIND);
        }
    }
    (void)make_quote(4);
    blob[4] = 0; /* of SGX */
    CHECK(get(&k, &size) == TF_EQUOTE_KIND);
    k.out_size = 637; /* cut off */
    (void)make_quote(4);
    CHECK(get(&k, &size) == TF_EQUOTE_FORMAT);
    k.out_size = 0;
    CHECK(get(&k, &size) == TF_EQUOTE_FORMAT);
    k.out_size = sizeof(blob); /* more than any */
    CHECK(get(&k, &size) == TF_ELIMIT && size == 77);
}

static void nothing_is_left_behind(void)
{
    char path[64] = "/tmp/tfaas-tsm.XXXXXX";
    char entry[96];
    size_t size = 0;
    CHECK(mkdtemp(path) != NULL);
    (void)snprintf(entry, sizeof(entry), "%s/tfaas", path);
    /* A folder that is no configfs: made, found empty, removed. */
    CHECK(tf_tsm_evidence(entry, data, evidence, sizeof(evidence), &size) ==
          TF_ENOTFOUND);
    CHECK(access(entry, F_OK) != 0);
    CHECK(rmdir(path) == 0);
    CHECK(tf_tsm_evidence(entry, data, evidence, sizeof(evidence), &size) ==
          TF_ENOTFOUND); /* no configfs-tsm at all */
}

static void another_provider_is_refused(void)
{
    struct kernel k = {.provider = "arm_cca_guest"};
    size_t size = 0;
    memcpy(k.path, "/tmp/tfaas-tsm.XXXXXX", 22);
    CHECK(mkdtemp(k.path) != NULL);
    put(&k, "provider", "arm_cca_guest\n", 14);
    CHECK(tf_tsm_evidence(k.path, data, evidence, sizeof(evidence), &size) ==
          TF_EQUOTE_KIND);
    put(&k, "provider", "tdx_guest\n", 10);
    put(&k, "generation", "many\n", 5);
    CHECK(tf_tsm_evidence(k.path, data, evidence, sizeof(evidence), &size) ==
          TF_EQUOTE_FORMAT);
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/provider", k.path);
    CHECK(unlink(path) == 0);
    (void)snprintf(path, sizeof(path), "%s/generation", k.path);
    CHECK(unlink(path) == 0);
    CHECK(rmdir(k.path) == 0); /* it was there before: not ours to remove */
}

/* @return what a table gives, which lies at the end of its memory. */
static tf_err parse(const uint8_t *table, size_t size, char *pem)
{
    uint8_t *copy = malloc(size + 1);
    memcpy(copy + 1, table, size);
    tf_err err = tf_tsm_certificates(copy + 1, size, pem);
    free(copy);
    return err;
}

static void every_prefix_of_a_table_is_refused(void)
{
    static const uint8_t *const guids[] = {vcek, ask, ark};
    static uint8_t table[TABLE_MAX];
    static char pem[TF_TSM_PEM_MAX];
    size_t size = make_table(table, guids, 3);
    CHECK(parse(table, size, pem) == TF_OK && strlen(pem) > 6000);
    pem[0] = 'x';
    for (size_t part = 1; part < size; part++) {
        CHECK(parse(table, part, pem) == TF_EQUOTE_FORMAT);
    }
    CHECK(pem[0] == 'x');
}

static void tables_that_lie_are_refused(void)
{
    static const uint8_t *const guids[] = {vcek, ask, ark};
    static const uint8_t *const twice[] = {vcek, vlek, ask, ark};
    static uint8_t table[TABLE_MAX];
    static char pem[TF_TSM_PEM_MAX];
    size_t size = make_table(table, twice, 4);
    CHECK(parse(table, size, pem) == TF_EQUOTE_FORMAT);
    static const struct {
        size_t at;
        uint32_t value;
    } lies[] = {{16, 0},
                {16, 95},
                {16, UINT32_MAX},
                {20, UINT32_MAX},
                {20, DER_SIZE + 1},
                {20, DER_SIZE - 1},
                {20, 0},
                {96, 0},
                {96, 0xdc058130}};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        size = make_table(table, guids, 3);
        tf_store_u32(table + lies[i].at, lies[i].value);
        CHECK(parse(table, size, pem) == TF_EQUOTE_FORMAT);
    }
    memset(table, 1, sizeof(table)); /* a head without an end */
    CHECK(parse(table, sizeof(table), pem) == TF_EQUOTE_FORMAT);
}

int main(void)
{
    (void)alarm(120);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i + 1);
    }
    RUN(a_tdx_quote_is_cut_and_wrapped);
    RUN(a_worker_that_may_open_no_file_gets_it_too);
    RUN(an_snp_report_comes_with_its_certificates);
    RUN(without_certificates_there_is_a_report);
    RUN(another_writer_is_noticed);
    RUN(what_is_over_other_bytes_is_refused);
    RUN(unknown_quotes_are_refused);
    RUN(nothing_is_left_behind);
    RUN(another_provider_is_refused);
    RUN(every_prefix_of_a_table_is_refused);
    RUN(tables_that_lie_are_refused);
    return test_end();
}
