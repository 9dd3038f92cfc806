/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave_sgx.c - SGX hardware as a backend, through Linux's driver (6.0 and later;
 * Documentation/arch/x86/sgx.rst, arch/x86/kernel/cpu/sgx/ioctl.c) and the vDSO. No
 * launch token: the driver writes the signer into IA32_SGXLEPUBKEYHASH itself. Pages that
 * the image does not add come from the driver's page fault handler (EAUG) once the
 * enclave accepts them; a mapping of their addresses is all that it needs from here. What
 * went wrong is said once on stderr, with what to do.
 */
#include <asm/sgx.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/layout.h"
#include "host/backend.h"
#include "host/sgx.h"
#include "lib/sigstruct.h"

enum {
    STALLS_MAX = 1000, /* interrupted calls in a row that added nothing */
    ERESTARTSYS = 512, /* of the kernel, not for programs; named by the driver's text */
    LINE_MAX_SIZE = 256,
    VECTOR_PF = 14
};

static const char device[] = "/dev/sgx_enclave";

/* The kernel's ABI, as sgx.rst and the header give it. */
static_assert(SGX_IOC_ENCLAVE_CREATE == 0x4008a400, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_ADD_PAGES == 0xc030a401, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_INIT == 0x4008a402, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_PROVISION == 0x4008a403, "driver ABI");
static_assert(sizeof(struct sgx_enclave_create) == 8, "driver ABI");
static_assert(sizeof(struct sgx_enclave_add_pages) == 48, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, src) == 0, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, offset) == 8, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, length) == 16, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, secinfo) == 24, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, flags) == 32, "driver ABI");
static_assert(offsetof(struct sgx_enclave_add_pages, count) == 40, "driver ABI");
static_assert(sizeof(struct sgx_enclave_init) == 8, "driver ABI");
static_assert(sizeof(struct sgx_enclave_provision) == 8, "driver ABI");
static_assert(SGX_PAGE_MEASURE == 1, "driver ABI");
static_assert(sizeof(struct sgx_enclave_run) == 256, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, tcs) == 0, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, function) == 8, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, exception_vector) == 12, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, exception_error_code) == 14, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, exception_addr) == 16, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, user_handler) == 24, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, user_data) == 32, "vDSO ABI");
static_assert(offsetof(struct sgx_enclave_run, reserved) == 40, "vDSO ABI");

/* SECINFO (SDM vol. 3D, 35.13). */
struct secinfo {
    uint64_t flags;
    uint64_t reserved[7];
} __attribute__((aligned(64)));
static_assert(sizeof(struct secinfo) == 64, "SDM, SECINFO");

struct enclave {
    struct tf_sgx_port *port;
    tf_sgx_entry entry;
    int fd;
    uint8_t *base; /* ELRANGE; NULL: not reserved yet */
    struct sgx_secs secs;
    struct tf_measure measure; /* the driver does not say why EINIT refused: this does */
    uint32_t is_dead;
};

static const char *name_of(unsigned long request)
{
    switch (request) {
    case SGX_IOC_ENCLAVE_CREATE:
        return "SGX_IOC_ENCLAVE_CREATE";
    case SGX_IOC_ENCLAVE_ADD_PAGES:
        return "SGX_IOC_ENCLAVE_ADD_PAGES";
    case SGX_IOC_ENCLAVE_INIT:
        return "SGX_IOC_ENCLAVE_INIT";
    default:
        return "mmap";
    }
}

/* @param request  an ioctl, 0 for mmap. @return rc. */
static int complain(unsigned long request, uint64_t offset, int rc)
{
    const char *hint = tf_sgx_hint(request, -rc);

    (void)fprintf(stderr, "tfaas-worker: %s at offset 0x%llx: %s%s%s\n", name_of(request),
                  (unsigned long long)offset, strerror(-rc), hint[0] != '\0' ? ": " : "",
                  hint);
    return rc;
}

static uint64_t address_of(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* ELRANGE is aligned to its size: reserve twice as much, give back what is too much. */
static int reserve(struct enclave *e)
{
    size_t size = e->secs.size;
    void *area = NULL;

    int rc = e->port->mmap(e->port, &area, 2 * size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (rc < 0) {
        return complain(0, 0, rc);
    }
    uint64_t first = address_of(area);
    size_t head = (size_t)((first + size - 1) / size * size - first);
    e->base = (uint8_t *)area + head;
    if (head != 0) {
        (void)e->port->munmap(e->port, area, head);
    }
    (void)e->port->munmap(e->port, e->base + size, size - head);
    return 0;
}

static void sgx_destroy(void *self)
{
    struct enclave *e = self;

    if (e == NULL) {
        return;
    }
    if (e->base != NULL) {
        (void)e->port->munmap(e->port, e->base, e->secs.size);
    }
    if (e->fd >= 0) {
        (void)e->port->close(e->port, e->fd);
    }
    free(e);
}

/* ENODEV stands for all that the machine lacks, after a line for each. */
static int open_device(struct enclave *e)
{
    e->entry = e->port->entry(e->port);
    e->fd = e->port->open(e->port, device);
    if (e->fd >= 0 && e->entry != NULL) {
        return 0;
    }
    if (tf_sgx_missing(stderr) == 0) {
        (void)fprintf(stderr, "tfaas-worker: %s: %s\n", device,
                      e->fd < 0 ? strerror(-e->fd) : "no entry in the vDSO");
    }
    return -ENODEV;
}

static int ecreate(struct enclave *e)
{
    struct sgx_enclave_create create = {.src = address_of(&e->secs)};
    int rc = 0;

    e->secs.base = address_of(e->base);
    tf_measure_ecreate(&e->measure, e->secs.ssa_frame_size, e->secs.size);
    for (unsigned i = 0; i < STALLS_MAX; i++) {
        rc = e->port->ioctl(e->port, e->fd, SGX_IOC_ENCLAVE_CREATE, &create);
        if (rc != -EINTR && rc != -ERESTARTSYS) {
            break;
        }
    }
    return rc == 0 ? 0 : complain(SGX_IOC_ENCLAVE_CREATE, 0, rc > 0 ? -EIO : rc);
}

static int sgx_create(const struct tf_enclave_options *options, struct sgx_secs *secs,
                      void **self)
{
    struct enclave *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        return -ENOMEM;
    }
    e->port = options->sgx_port != NULL ? options->sgx_port : &tf_sgx_linux;
    e->fd = -1;
    e->secs = *secs;
    int rc = open_device(e);
    if (rc == 0) {
        rc = reserve(e);
    }
    if (rc == 0) {
        rc = ecreate(e);
    }
    if (rc != 0) {
        sgx_destroy(e);
        return rc;
    }
    secs->base = e->secs.base;
    *self = e;
    return 0;
}

/* One run of pages. A signal makes the driver stop early: with EINTR, or with a count
 * that is short; either way `count` says how far it came. */
static int add(struct enclave *e, struct sgx_enclave_add_pages *arg)
{
    unsigned stalls = 0;

    while (arg->length != 0) {
        arg->count = 0;
        int rc = e->port->ioctl(e->port, e->fd, SGX_IOC_ENCLAVE_ADD_PAGES, arg);
        if (arg->count > arg->length || arg->count % TF_PAGE != 0 || rc > 0) {
            return complain(SGX_IOC_ENCLAVE_ADD_PAGES, arg->offset, -EPROTO);
        }
        stalls = arg->count == 0 ? stalls + 1 : 0;
        arg->src += arg->count;
        arg->offset += arg->count;
        arg->length -= arg->count;
        bool is_interrupted = rc == -EINTR || rc == -ERESTARTSYS || rc == 0;
        if (!is_interrupted || stalls == STALLS_MAX) {
            return complain(SGX_IOC_ENCLAVE_ADD_PAGES, arg->offset,
                            rc != 0 ? rc : -EINTR);
        }
    }
    return 0;
}

static int sgx_add_pages(void *self, const struct tf_backend_pages *pages)
{
    struct enclave *e = self;
    struct secinfo secinfo = {.flags = pages->secinfo};
    struct sgx_enclave_add_pages arg = {.src = address_of(pages->from),
                                        .offset = pages->offset,
                                        .length = pages->size,
                                        .secinfo = address_of(&secinfo),
                                        .flags = SGX_PAGE_MEASURE};

    if (arg.src % TF_PAGE != 0) {
        return -EINVAL;
    }
    int rc = add(e, &arg);
    for (uint64_t at = 0; rc == 0 && at < pages->size; at += TF_PAGE) {
        tf_measure_eadd(&e->measure, pages->offset + at, pages->secinfo);
        tf_measure_page(&e->measure, pages->offset + at, pages->from + at);
    }
    return rc;
}

/* The driver turns each of EINIT's codes into EPERM. The same check here tells which. */
static uint32_t why_refused(const struct enclave *e, const struct sgx_sigstruct *sig)
{
    struct sgx_secs secs = e->secs;
    struct tf_measure measured = e->measure;

    tf_measure_take(&measured, secs.mrenclave);
    return tf_sigstruct_einit(sig, &secs);
}

static int sgx_init(void *self, const struct sgx_sigstruct *sigstruct, uint32_t *code)
{
    struct enclave *e = self;
    struct sgx_sigstruct copy = *sigstruct;
    struct sgx_enclave_init init = {.sigstruct = address_of(&copy)};
    int rc = 0;

    for (unsigned i = 0; i < STALLS_MAX; i++) {
        rc = e->port->ioctl(e->port, e->fd, SGX_IOC_ENCLAVE_INIT, &init);
        if (rc != -EINTR && rc != -ERESTARTSYS) {
            break;
        }
    }
    uint32_t found = rc > 0 ? (uint32_t)rc : SGX_SUCCESS;
    if (rc == -EPERM) {
        found = why_refused(e, sigstruct);
        rc = found != SGX_SUCCESS ? 0 : rc;
    }
    if (rc < 0) {
        return complain(SGX_IOC_ENCLAVE_INIT, 0, rc);
    }
    *code = found;
    return 0;
}

static int sgx_map(void *self, uint64_t offset, uint64_t size, int protection)
{
    struct enclave *e = self;

    if (offset % TF_PAGE != 0 || size % TF_PAGE != 0 || size > e->secs.size ||
        offset > e->secs.size - size) {
        return -EINVAL;
    }
    void *at = e->base + offset;
    int rc = e->port->mmap(e->port, &at, size, protection, MAP_SHARED | MAP_FIXED, e->fd);
    return rc < 0 ? complain(0, offset, rc) : 0;
}

/* An AEX brings back the host's stack and bases: signals need no care. */
static int sgx_thread_init(void *self)
{
    (void)self;
    return 0;
}

static _Noreturn void die(const char *line, int size, int status)
{
    size_t length = size > 0 && size < LINE_MAX_SIZE ? (size_t)size : 0;

    if (write(STDERR_FILENO, line, length) < 0) {
        _exit(status);
    }
    _exit(status);
}

/* NSSA is 1, so after an AEX that is not resumed the TCS can never be entered again: the
 * instance is over. The supervisor makes a new one. A page fault at EENTER itself is
 * another thing: the enclave did nothing, its memory is gone. */
static _Noreturn void die_of(const struct enclave *e, const struct sgx_enclave_run *run)
{
    char line[LINE_MAX_SIZE];
    bool is_lost = run->function == SGX_EENTER && run->exception_vector == VECTOR_PF;
    uint64_t offset = run->exception_addr - e->secs.base;
    bool is_inside = offset < e->secs.size;

    if (is_lost) {
        die(line,
            snprintf(
                line, sizeof(line),
                "tfaas-worker: enclave lost: EENTER faults, its EPC is gone (suspend, "
                "hibernation or migration of the machine)\n"),
            TF_SGX_EXIT_LOST);
    }
    die(line,
        snprintf(line, sizeof(line),
                 "tfaas-worker: enclave killed: fault %u error 0x%x at %s (%s 0x%llx)\n",
                 run->exception_vector, run->exception_error_code,
                 run->function == SGX_EENTER ? "EENTER" : "ERESUME",
                 is_inside ? "enclave offset" : "address",
                 (unsigned long long)(is_inside ? offset : run->exception_addr)),
        TF_SGX_EXIT_FAULT);
}

static int sgx_enter(void *self, uint64_t tcs, uint64_t *rdi, uint64_t *rsi)
{
    struct enclave *e = self;
    struct sgx_enclave_run run;
    uint64_t registers[2] = {*rdi, *rsi};

    if (__atomic_load_n(&e->is_dead, __ATOMIC_ACQUIRE) != 0) {
        return -EFAULT; /* another thread is ending the process */
    }
    memset(&run, 0, sizeof(run)); /* the vDSO insists on it */
    run.tcs = address_of(e->base) + tcs;
    int rc = tf_sgx_call(e->entry, registers, &run);
    if (rc != 0 || run.function != SGX_EEXIT) {
        __atomic_store_n(&e->is_dead, 1, __ATOMIC_RELEASE);
        die_of(e, &run);
    }
    *rdi = registers[0];
    *rsi = registers[1];
    return 0;
}

const struct tf_backend tf_backend_sgx = {
    .name = "sgx",
    .is_simulated = false,
    .create = sgx_create,
    .add_pages = sgx_add_pages,
    .init = sgx_init,
    .map = sgx_map,
    .thread_init = sgx_thread_init,
    .enter = sgx_enter,
    .destroy = sgx_destroy,
};
