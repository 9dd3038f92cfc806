/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver_test.c - the whole loader over a driver that fails: every single call of a good
 * run is made to fail with every errno that the driver has, or to stop half way. Either
 * the enclave comes out with the right MRENCLAVE, or the error is clean and everything is
 * given back. Argument: the toy image.
 */
#include <asm/sgx.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/sgx.h"
#include "lib/bytes.h"
#include "lib/crypto.h"
#include "test/test.h"
#include "test/toy/toy_host.h"

enum call { CALL_OPEN, CALL_ENTRY, CALL_IOCTL, CALL_MMAP, CALL_MUNMAP, CALL_CLOSE };
enum { SHORT_COUNT = 10000, STEPS_MAX = 400 };

/* A dry run whose call number `at` fails. */
struct failing {
    struct tf_sgx_dry dry; /* first */
    struct tf_sgx_port good;
    unsigned at;
    unsigned now;
    int error; /* errno, or SHORT_COUNT */
    enum call hit;
    unsigned long request; /* if the hit is an ioctl */
};

static struct tf_toy_files files;
static struct tf_enclave_options options;
static uint8_t expected[32];

static bool is_hit(struct tf_sgx_port *port, enum call call)
{
    struct failing *f = (struct failing *)(void *)port;

    if (f->now++ != f->at) {
        return false;
    }
    f->hit = call;
    return true;
}

static struct tf_sgx_port *good(struct tf_sgx_port *port)
{
    return &((struct failing *)(void *)port)->good;
}

static int error(struct tf_sgx_port *port)
{
    int code = ((struct failing *)(void *)port)->error;
    return code == SHORT_COUNT ? -EIO : -code;
}

static int fail_open(struct tf_sgx_port *port, const char *path)
{
    return is_hit(port, CALL_OPEN) ? error(port) : good(port)->open(port, path);
}

static int fail_close(struct tf_sgx_port *port, int fd)
{
    int rc = good(port)->close(port, fd);
    return is_hit(port, CALL_CLOSE) ? error(port) : rc;
}

/* Adds the first half only. */
static int add_half(struct tf_sgx_port *port, int fd, struct sgx_enclave_add_pages *arg)
{
    uint64_t length = arg->length;

    arg->length = length / 2 / TF_PAGE * TF_PAGE;
    int rc = arg->length == 0
                 ? 0
                 : good(port)->ioctl(port, fd, SGX_IOC_ENCLAVE_ADD_PAGES, arg);
    arg->count = arg->length;
    arg->length = length;
    return rc;
}

static int fail_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                      void *argument)
{
    struct failing *f = (struct failing *)(void *)port;

    if (!is_hit(port, CALL_IOCTL)) {
        return good(port)->ioctl(port, fd, request, argument);
    }
    f->request = request;
    if (f->error == SHORT_COUNT && request == SGX_IOC_ENCLAVE_ADD_PAGES) {
        return add_half(port, fd, argument);
    }
    return error(port);
}

static int fail_mmap(struct tf_sgx_port *port, void **address, size_t size,
                     int protection, int flags, int fd)
{
    return is_hit(port, CALL_MMAP)
               ? error(port)
               : good(port)->mmap(port, address, size, protection, flags, fd);
}

static int fail_munmap(struct tf_sgx_port *port, void *address, size_t size)
{
    int rc = good(port)->munmap(port, address, size);
    return is_hit(port, CALL_MUNMAP) ? error(port) : rc;
}

static tf_sgx_entry fail_entry(struct tf_sgx_port *port)
{
    return is_hit(port, CALL_ENTRY) ? NULL : good(port)->entry(port);
}

static tf_err run(struct failing *f, unsigned at, int code)
{
    struct tf_enclave *enclave = NULL;

    memset(f, 0, sizeof(*f));
    tf_sgx_dry_init(&f->dry, NULL);
    f->good = f->dry.port;
    f->dry.port = (struct tf_sgx_port){fail_open, fail_close,  fail_ioctl,
                                       fail_mmap, fail_munmap, fail_entry};
    f->at = at;
    f->error = code;
    options.sgx_port = &f->dry.port;
    tf_err err = tf_enclave_open(&options, &enclave);
    tf_enclave_close(enclave);
    return err;
}

/* What must come of it. */
static tf_err wanted(const struct failing *f)
{
    bool is_interrupted = f->error == EINTR || (f->error == SHORT_COUNT &&
                                                f->request == SGX_IOC_ENCLAVE_ADD_PAGES);

    switch (f->hit) {
    case CALL_OPEN:
    case CALL_ENTRY:
        return TF_EPLATFORM;
    case CALL_IOCTL:
        return is_interrupted ? TF_OK : TF_EIO;
    case CALL_MMAP:
        return TF_EIO;
    case CALL_MUNMAP: /* address space that stays: no reason to stop */
    case CALL_CLOSE:
    default:
        return TF_OK;
    }
}

static void a_good_run_is_measured_as_signed(void)
{
    static struct failing f;

    CHECK(run(&f, UINT32_MAX, 0) == TF_OK);
    memcpy(expected, f.dry.mrenclave, sizeof(expected));
    CHECK(f.dry.mapped == 0 && !f.dry.is_open && f.dry.is_initialised);
}

static void every_call_fails_in_every_way(void)
{
    static const int codes[] = {EINTR, SHORT_COUNT, EBUSY, EACCES, EIO, ENOMEM, EPERM};
    static struct failing f;
    unsigned count = 0;

    (void)run(&f, UINT32_MAX, 0);
    unsigned steps = f.now;
    CHECK(steps > 50 && steps < STEPS_MAX);
    for (unsigned at = 0; at < steps; at++) {
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            tf_err err = run(&f, at, codes[i]);
            bool is_right = err == wanted(&f) && f.dry.mapped == 0 && !f.dry.is_open &&
                            (err != TF_OK || memcmp(f.dry.mrenclave, expected, 32) == 0);
            if (!CHECK(is_right)) {
                (void)printf("call %u, errno %d: %s\n", at, codes[i], tf_err_name(err));
            }
            count++;
            if (f.hit == CALL_MUNMAP || f.hit == CALL_CLOSE) {
                break; /* nobody asks which error it was */
            }
        }
    }
    (void)printf("%u failures at %u calls\n", count, steps);
}

/* --- one trace for every backend -------------------------------------------------------
 */

/* A backend that notes what it is asked and passes it on to another one. */
static struct {
    const struct tf_backend *to;
    void *self;
    char text[1 << 16];
    size_t size;
} noted;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list list;
    size_t left = sizeof(noted.text) - noted.size;

    va_start(list, format);
    int size = vsnprintf(noted.text + noted.size, left, format, list);
    va_end(list);
    if (CHECK(size > 0 && (size_t)size < left)) {
        noted.size += (size_t)size;
    }
}

static int note_create(const struct tf_enclave_options *o, struct sgx_secs *secs,
                       void **self)
{
    note("create %llx %llx %llx\n", (unsigned long long)secs->size,
         (unsigned long long)secs->attributes.flags,
         (unsigned long long)secs->attributes.xfrm);
    int rc = noted.to->create(o, secs, &noted.self);
    *self = &noted;
    return rc;
}

static int note_add_pages(void *self, const struct tf_backend_pages *pages)
{
    uint8_t digest[TF_SHA256_SIZE];
    char hex[65];

    (void)self;
    tf_sha256(pages->from, pages->size, digest);
    tf_hex_write(digest, sizeof(digest), hex);
    note("add %llx %llx %llx %s\n", (unsigned long long)pages->offset,
         (unsigned long long)pages->size, (unsigned long long)pages->secinfo, hex);
    return noted.to->add_pages(noted.self, pages);
}

static int note_init(void *self, const struct sgx_sigstruct *sigstruct, uint32_t *code)
{
    (void)self;
    int rc = noted.to->init(noted.self, sigstruct, code);
    note("init %u\n", *code);
    return rc;
}

static int note_map(void *self, uint64_t offset, uint64_t size, int protection)
{
    (void)self;
    note("map %llx %llx %d\n", (unsigned long long)offset, (unsigned long long)size,
         protection);
    return noted.to->map(noted.self, offset, size, protection);
}

static void note_destroy(void *self)
{
    (void)self;
    noted.to->destroy(noted.self);
}

/* @return the trace; the next call overwrites `noted`, not it. */
static char *trace_of(const struct tf_backend *to, bool is_strict)
{
    static const struct tf_backend noting = {.create = note_create,
                                             .add_pages = note_add_pages,
                                             .init = note_init,
                                             .map = note_map,
                                             .destroy = note_destroy};
    static struct tf_sgx_dry dry;
    struct tf_enclave_options o = options;
    struct tf_enclave *enclave = NULL;

    tf_sgx_dry_init(&dry, NULL);
    memset(&noted, 0, sizeof(noted));
    noted.to = to;
    o.backend = &noting;
    o.is_strict = is_strict;
    o.sgx_port = &dry.port;
    CHECK(tf_enclave_open(&o, &enclave) == TF_OK);
    tf_enclave_close(enclave);
    return strdup(noted.text);
}

static void every_backend_is_asked_the_same(void)
{
    char *sgx = trace_of(&tf_backend_sgx, false);
    char *fast = trace_of(&tf_backend_sim, false);
    char *strict = trace_of(&tf_backend_sim, true);

    CHECK(strlen(sgx) > 1000 && strcmp(sgx, fast) == 0 && strcmp(sgx, strict) == 0);
    free(sgx);
    free(fast);
    free(strict);
}

/* EINIT's code is lost in the driver's EPERM; the loader finds it again. */
static void a_refusal_of_einit_is_told_apart(void)
{
    static struct failing f;
    uint8_t byte = 0;

    int fd = open(files.sigstruct, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &byte, 1, 1100) == 1); /* in Q1 */
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, 1100) == 1);
    CHECK(run(&f, UINT32_MAX, 0) == TF_EIMAGE_SIGNATURE);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, 1100) == 1);
    (void)close(fd);
    fd = open(files.image, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &byte, 1, 0x1100) == 1); /* code */
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, 0x1100) == 1 && close(fd) == 0);
    CHECK(run(&f, UINT32_MAX, 0) == TF_EIMAGE_MEASUREMENT);
    CHECK(f.dry.mapped == 0 && !f.dry.is_open);
}

int main(int argc, char **argv)
{
    if (argc != 2 || freopen("/dev/null", "w", stderr) == NULL) { /* a line a failure */
        (void)fprintf(stdout, "usage: %s toy.img\n", argv[0]);
        return 2;
    }
    tf_toy_files_make(&files, argv[1]);
    options = tf_toy_options(&files);
    options.backend = &tf_backend_sgx;
    RUN(a_good_run_is_measured_as_signed);
    RUN(every_call_fails_in_every_way);
    RUN(every_backend_is_asked_the_same);
    RUN(a_refusal_of_einit_is_told_apart);
    tf_toy_files_remove(&files);
    return test_end();
}
