/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyscan.c - looks for a P-256 private key where it must not be. As root.
 *
 *   keyscan find PID ELRANGE CERT      searches the enclave of process PID for the
 * private key of a PEM certificate and prints its scalar in hex keyscan memory SCALAR PID
 * [ELRANGE]  searches a process, all of it or without its enclave keyscan file SCALAR
 * FILE...        searches files keyscan trace SCALAR FILE...       searches what `strace
 * -xx` wrote: the bytes in quotes
 *
 * ELRANGE is the enclave's size in bytes; the enclave is the naturally aligned range of
 * that size that anonymous mappings fill. A half of the scalar (16 bytes) is enough, raw
 * in both byte orders, as hex, or inside base64. Each find is a line on standard output.
 * Exit status: for `find` 0 found, 1 not; for the others 0 nothing found, 1 found; 2
 * something is wrong.
 */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/bytes.h"

enum {
    SCALAR_SIZE = 32,
    HALF = SCALAR_SIZE / 2,
    POINT_SIZE = 65,
    PAGE = 4096,
    MAPS_MAX = 4096,
    FORMS = 7, /* of each half */
    NEEDLE_MAX = 2 * HALF + 1,
    RUN_MAX = 4 << 20, /* bytes read at once */
    OVERLAP = PAGE,    /* between two reads */
    FILE_MAX = 256 << 20
};

struct needle {
    const char *form;
    uint8_t bytes[NEEDLE_MAX];
    size_t size;
};

struct range {
    uint64_t start;
    uint64_t end;
    bool is_readable; /* not a kernel's page such as [vvar] */
    bool is_anonymous;
};

struct process {
    int memory;  /* /proc/PID/mem */
    int pagemap; /* /proc/PID/pagemap */
    struct range maps[MAPS_MAX];
    size_t count;
};

/* What to do with a run of memory; true: go on. */
typedef bool (*visit)(void *user, uint64_t address, const uint8_t *data, size_t size);

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "keyscan: %s\n", what);
    exit(2);
}

/* --- a process's memory
 * ------------------------------------------------------------------ */

static int open_proc(const char *pid, const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        die(path);
    }
    return fd;
}

static void process_open(const char *pid, struct process *out)
{
    char line[4096];
    char path[64];

    out->memory = open_proc(pid, "mem");
    out->pagemap = open_proc(pid, "pagemap");
    (void)snprintf(path, sizeof(path), "/proc/%s/maps", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        die(path);
    }
    while (out->count < MAPS_MAX && fgets(line, sizeof(line), file) != NULL) {
        struct range *r = &out->maps[out->count++];
        char *at = line;
        r->start = strtoull(at, &at, 16);
        r->end = strtoull(at + 1, NULL, 16); /* behind the dash */
        r->is_anonymous = strchr(line, '/') == NULL;
        r->is_readable = strstr(line, "[v") == NULL;
    }
    (void)fclose(file);
    if (out->count == 0 || out->count == MAPS_MAX) {
        die("too few or too many mappings");
    }
}

/* The end of the anonymous mapping that has the address; 0 if there is none. */
static uint64_t end_of(const struct process *p, uint64_t address)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct range *r = &p->maps[i];
        if (r->is_anonymous && r->start <= address && address < r->end) {
            return r->end;
        }
    }
    return 0;
}

/* Whether anonymous mappings fill [start, end). */
static bool is_filled(const struct process *p, uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end;) {
        at = end_of(p, at);
        if (at == 0) {
            return false;
        }
    }
    return true;
}

/* The enclave's range; ends the program if there is not exactly one. */
static struct range find_enclave(const struct process *p, uint64_t size)
{
    struct range found = {0};

    for (size_t i = 0; i < p->count && size != 0; i++) {
        uint64_t start = (p->maps[i].start + size - 1) / size * size;
        if (start == found.start || !is_filled(p, start, start + size)) {
            continue;
        }
        if (found.end != 0) {
            die("more than one range may be the enclave");
        }
        found.start = start;
        found.end = start + size;
    }
    if (found.end == 0) {
        die("no range is the enclave");
    }
    return found;
}

/* Present or swapped, so that pages that nobody touched are not even read. */
static bool is_used(const struct process *p, uint64_t address)
{
    uint64_t entry = 0;

    return pread(p->pagemap, &entry, sizeof(entry), (off_t)(address / PAGE * 8)) ==
               sizeof(entry) &&
           (entry >> 62) != 0;
}

/* Visits used memory of [start, end) in runs of pages. @return whether all was visited.
 */
static bool walk_range(const struct process *p, uint64_t start, uint64_t end,
                       visit visitor, void *user)
{
    static uint8_t buffer[RUN_MAX];
    uint64_t at = start;

    while (at < end) {
        uint64_t stop = at;
        while (stop < end && stop - at < RUN_MAX && is_used(p, stop)) {
            stop += PAGE;
        }
        if (stop == at) {
            at += PAGE;
            continue;
        }
        ssize_t n = pread(p->memory, buffer, (size_t)(stop - at), (off_t)at);
        if (n <= 0) {
            (void)fprintf(stderr, "keyscan: cannot read %" PRIx64 "\n", at);
            return false;
        }
        if (!visitor(user, at, buffer, (size_t)n)) {
            return true;
        }
        /* A key may lie across two reads. */
        at += n > OVERLAP && stop < end ? (uint64_t)n - OVERLAP : (uint64_t)n;
    }
    return true;
}

/* --- finding the key in the enclave
 * ------------------------------------------------------ */

struct search {
    uint8_t point[POINT_SIZE]; /* of the certificate */
    EC_GROUP *group;
    uint8_t scalar[SCALAR_SIZE];
    size_t found;
};

static void read_point(const char *path, uint8_t point[static POINT_SIZE])
{
    FILE *file = fopen(path, "r");
    X509 *cert = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
    size_t size = 0;

    if (cert == NULL ||
        EVP_PKEY_get_octet_string_param(X509_get0_pubkey(cert), OSSL_PKEY_PARAM_PUB_KEY,
                                        point, POINT_SIZE, &size) != 1 ||
        size != POINT_SIZE) {
        die("no certificate with an uncompressed P-256 key");
    }
    X509_free(cert);
    (void)fclose(file);
}

static bool is_the_key(struct search *s, const uint8_t *scalar)
{
    uint8_t point[POINT_SIZE] = {0};
    BIGNUM *number = BN_bin2bn(scalar, SCALAR_SIZE, NULL);
    EC_POINT *product = EC_POINT_new(s->group);
    bool is_good = number != NULL && product != NULL &&
                   EC_POINT_mul(s->group, product, number, NULL, NULL, NULL) == 1 &&
                   EC_POINT_point2oct(s->group, product, POINT_CONVERSION_UNCOMPRESSED,
                                      point, sizeof(point), NULL) == sizeof(point) &&
                   memcmp(point, s->point, sizeof(point)) == 0;

    EC_POINT_free(product);
    BN_clear_free(number);
    return is_good;
}

/* ECPrivateKey (RFC 5915): version 1, then an OCTET STRING of 32 bytes. */
static bool look_for_der(void *user, uint64_t address, const uint8_t *data, size_t size)
{
    static const uint8_t prefix[] = {0x02, 0x01, 0x01, 0x04, 0x20};
    struct search *s = user;
    const uint8_t *end = data + size;
    const uint8_t *at = data;

    (void)address;
    while ((at = memmem(at, (size_t)(end - at), prefix, sizeof(prefix))) != NULL) {
        at += sizeof(prefix);
        if (end - at >= SCALAR_SIZE && is_the_key(s, at)) {
            memcpy(s->scalar, at, SCALAR_SIZE);
            s->found++;
        }
    }
    return true;
}

static int find(struct process *p, uint64_t elrange, const char *cert)
{
    static struct search s;
    char hex[2 * SCALAR_SIZE + 1];
    struct range enclave = find_enclave(p, elrange);

    s.group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    read_point(cert, s.point);
    if (s.group == NULL || !walk_range(p, enclave.start, enclave.end, look_for_der, &s)) {
        return 2;
    }
    EC_GROUP_free(s.group);
    if (s.found == 0) {
        return 1;
    }
    tf_hex_write(s.scalar, sizeof(s.scalar), hex);
    (void)printf("%s\n", hex);
    return 0;
}

/* --- finding a known key anywhere
 * -------------------------------------------------------- */

struct scan {
    struct needle needles[2 * FORMS];
    size_t count;
    const char *where;
    bool is_found;
};

static void add(struct scan *s, const char *form, const void *bytes, size_t size)
{
    struct needle *n = &s->needles[s->count++];

    n->form = form;
    n->size = size;
    memcpy(n->bytes, bytes, size);
}

/* Base64 that stands for these bytes whatever is before and behind: the whole groups. */
static void add_base64(struct scan *s, const uint8_t *half, size_t before)
{
    uint8_t shifted[HALF + 2] = {0};
    char text[48];
    size_t first = before == 0 ? 0 : 1; /* group that has other bytes too */
    size_t whole = (HALF + before) / 3;

    memcpy(shifted + before, half, HALF);
    tf_base64_write(shifted, HALF + before, text);
    add(s, "base64", text + 4 * first, 4 * (whole - first));
}

static void add_half(struct scan *s, const uint8_t *half)
{
    uint8_t reversed[HALF];
    char lower[2 * HALF + 1];
    char upper[2 * HALF + 1];

    tf_hex_write(half, HALF, lower);
    for (size_t i = 0; i < sizeof(lower); i++) {
        upper[i] = (char)toupper((unsigned char)lower[i]);
    }
    for (size_t i = 0; i < HALF; i++) {
        reversed[i] = half[HALF - 1 - i];
    }
    add(s, "raw", half, HALF);
    add(s, "raw, little-endian", reversed, HALF);
    add(s, "hex", lower, sizeof(lower) - 1);
    add(s, "hex", upper, sizeof(upper) - 1);
    for (size_t before = 0; before < 3; before++) {
        add_base64(s, half, before);
    }
}

static void scan_init(struct scan *s, const char *hex)
{
    uint8_t scalar[SCALAR_SIZE];

    if (tf_hex_parse(hex, strlen(hex), scalar, sizeof(scalar)) != TF_OK) {
        die("SCALAR is 64 hex digits");
    }
    add_half(s, scalar);
    add_half(s, scalar + HALF);
}

static bool look_for_needles(void *user, uint64_t address, const uint8_t *data,
                             size_t size)
{
    struct scan *s = user;

    for (size_t i = 0; i < s->count; i++) {
        const struct needle *n = &s->needles[i];
        const uint8_t *at = memmem(data, size, n->bytes, n->size);
        if (at != NULL) {
            (void)printf("%s: %s at %" PRIx64 "\n", s->where, n->form,
                         address + (uint64_t)(at - data));
            s->is_found = true;
        }
    }
    return true;
}

/* All mappings, but for the enclave's if there is one. */
static int scan_memory(struct scan *s, const struct process *p,
                       const struct range *enclave)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct range *r = &p->maps[i];
        uint64_t below = r->end < enclave->start ? r->end : enclave->start;
        uint64_t above = r->start > enclave->end ? r->start : enclave->end;
        if (r->is_readable && (!walk_range(p, r->start, below, look_for_needles, s) ||
                               !walk_range(p, above, r->end, look_for_needles, s))) {
            return 2;
        }
    }
    return s->is_found ? 1 : 0;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);

    if (file == NULL || data == NULL) {
        die(path);
    }
    *size = fread(data, 1, FILE_MAX, file);
    if (*size == FILE_MAX) {
        die("a file is too large");
    }
    (void)fclose(file);
    return data;
}

/* Leaves only the bytes that strace wrote as \xNN. @return how many. */
static size_t decode_trace(uint8_t *data, size_t size)
{
    size_t out = 0;

    for (size_t at = 0; at + 4 <= size;) {
        uint8_t byte = 0;
        if (data[at] == '\\' && data[at + 1] == 'x' &&
            tf_hex_parse((const char *)data + at + 2, 2, &byte, 1) == TF_OK) {
            data[out++] = byte;
            at += 4;
        } else {
            at++;
        }
    }
    return out;
}

static int scan_files(struct scan *s, char **paths, bool is_trace)
{
    for (; *paths != NULL; paths++) {
        size_t size = 0;
        uint8_t *data = read_file(*paths, &size);
        s->where = *paths;
        (void)look_for_needles(s, 0, data, is_trace ? decode_trace(data, size) : size);
        free(data);
    }
    return s->is_found ? 1 : 0;
}

static int scan_process(struct scan *s, const char *pid, const char *elrange)
{
    static struct process process;
    struct range none = {0};

    process_open(pid, &process);
    s->where = pid;
    struct range enclave =
        elrange == NULL ? none : find_enclave(&process, strtoull(elrange, NULL, 10));
    return scan_memory(s, &process, &enclave);
}

int main(int argc, char **argv)
{
    static struct process process;
    static struct scan scan;

    if (argc == 5 && strcmp(argv[1], "find") == 0) {
        process_open(argv[2], &process);
        return find(&process, strtoull(argv[3], NULL, 10), argv[4]);
    }
    if (argc < 4) {
        die("usage: see test/tools/keyscan.c");
    }
    scan_init(&scan, argv[2]);
    if (strcmp(argv[1], "memory") == 0) {
        return scan_process(&scan, argv[3], argc > 4 ? argv[4] : NULL);
    }
    if (strcmp(argv[1], "file") == 0 || strcmp(argv[1], "trace") == 0) {
        return scan_files(&scan, argv + 3, argv[1][0] == 't');
    }
    die("usage: see test/tools/keyscan.c");
}
