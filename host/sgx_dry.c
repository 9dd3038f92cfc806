/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_dry.c - the driver's part without a driver: keeps its order, its rules of one fd
 * and its measurement, and prints each call with its arguments. Enclave addresses are
 * printed relative to the base, so that two runs of one image print the same.
 */
#include <asm/sgx.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/layout.h"
#include "host/sgx.h"
#include "lib/bytes.h"
#include "lib/sigstruct.h"

enum { DRY_FD = 1000 };

/* Where the reservation seems to be: not aligned to any ELRANGE, never touched. */
static const uint64_t area = 0x600000001000;

static struct tf_sgx_dry *dry_of(struct tf_sgx_port *port)
{
    return (struct tf_sgx_dry *)(void *)port;
}

static void print(struct tf_sgx_dry *dry, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void print(struct tf_sgx_dry *dry, const char *format, ...)
{
    va_list list;

    dry->step++;
    if (dry->out == NULL) {
        return;
    }
    va_start(list, format);
    (void)vfprintf(dry->out, format, list);
    va_end(list);
}

static int dry_open(struct tf_sgx_port *port, const char *path)
{
    struct tf_sgx_dry *dry = dry_of(port);

    print(dry, "open %s\n", path);
    dry->is_open = true;
    return DRY_FD;
}

static int dry_close(struct tf_sgx_port *port, int fd)
{
    struct tf_sgx_dry *dry = dry_of(port);

    print(dry, "close\n");
    dry->is_open = false;
    return fd == DRY_FD ? 0 : -EBADF;
}

static int create(struct tf_sgx_dry *dry, const struct sgx_enclave_create *arg)
{
    char config[65];

    /* the ABI has addresses as integers */
    memcpy(&dry->secs, (const void *)(uintptr_t)arg->src, sizeof(dry->secs));
    const struct sgx_secs *secs = &dry->secs;
    tf_hex_write(secs->config_id, 32, config);
    print(dry,
          "ioctl %08lx ENCLAVE_CREATE base=BASE size=%llx ssa_frame_size=%u "
          "miscselect=%x flags=%llx xfrm=%llx config_id=%s config_svn=%u\n",
          SGX_IOC_ENCLAVE_CREATE, (unsigned long long)secs->size, secs->ssa_frame_size,
          secs->miscselect, (unsigned long long)secs->attributes.flags,
          (unsigned long long)secs->attributes.xfrm, config, secs->config_svn);
    if (dry->base != 0 || secs->size == 0 || secs->base % secs->size != 0 ||
        (secs->size & (secs->size - 1)) != 0) {
        return -EINVAL;
    }
    dry->base = secs->base;
    dry->size = secs->size;
    tf_measure_ecreate(&dry->measure, secs->ssa_frame_size, secs->size);
    return 0;
}

static int add_pages(struct tf_sgx_dry *dry, struct sgx_enclave_add_pages *arg)
{
    uint64_t secinfo = 0;

    /* the ABI has addresses as integers */
    memcpy(&secinfo, (const void *)(uintptr_t)arg->secinfo, sizeof(secinfo));
    print(dry,
          "ioctl %08lx ENCLAVE_ADD_PAGES offset=%llx length=%llx secinfo=%llx "
          "flags=%llx\n",
          SGX_IOC_ENCLAVE_ADD_PAGES, (unsigned long long)arg->offset,
          (unsigned long long)arg->length, (unsigned long long)secinfo,
          (unsigned long long)arg->flags);
    arg->count = 0;
    if (dry->base == 0 || dry->is_initialised || arg->src % TF_PAGE != 0 ||
        arg->offset % TF_PAGE != 0 || arg->length % TF_PAGE != 0 || arg->length == 0 ||
        arg->length > dry->size || arg->offset > dry->size - arg->length ||
        (arg->flags & ~(uint64_t)SGX_PAGE_MEASURE) != 0) {
        return -EINVAL;
    }
    for (uint64_t at = 0; at < arg->length; at += TF_PAGE) {
        tf_measure_eadd(&dry->measure, arg->offset + at, secinfo);
        if (arg->flags == SGX_PAGE_MEASURE) {
            /* as above */
            const uint8_t *page = (const uint8_t *)(uintptr_t)(arg->src + at);
            tf_measure_page(&dry->measure, arg->offset + at, page);
        }
    }
    arg->count = arg->length;
    return 0;
}

static int init(struct tf_sgx_dry *dry, const struct sgx_enclave_init *arg)
{
    struct sgx_sigstruct sig;
    char hex[65];

    /* the ABI has addresses as integers */
    memcpy(&sig, (const void *)(uintptr_t)arg->sigstruct, sizeof(sig));
    if (dry->base == 0 || dry->is_initialised) {
        return -EINVAL;
    }
    tf_measure_take(&dry->measure, dry->mrenclave);
    struct sgx_secs secs = dry->secs;
    memcpy(secs.mrenclave, dry->mrenclave, sizeof(secs.mrenclave));
    tf_hex_write(dry->mrenclave, sizeof(dry->mrenclave), hex);
    uint32_t code = tf_sigstruct_einit(&sig, &secs);
    print(dry, "ioctl %08lx ENCLAVE_INIT mrenclave=%s code=%u\n", SGX_IOC_ENCLAVE_INIT,
          hex, code);
    dry->is_initialised = code == SGX_SUCCESS;
    return code == SGX_SUCCESS ? 0 : -EPERM;
}

static int dry_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                     void *argument)
{
    struct tf_sgx_dry *dry = dry_of(port);

    if (fd != DRY_FD) {
        return -EBADF;
    }
    switch (request) {
    case SGX_IOC_ENCLAVE_CREATE:
        return create(dry, argument);
    case SGX_IOC_ENCLAVE_ADD_PAGES:
        return add_pages(dry, argument);
    case SGX_IOC_ENCLAVE_INIT:
        return init(dry, argument);
    default:
        return -ENOTTY;
    }
}

static int map_enclave(struct tf_sgx_dry *dry, uint64_t address, size_t size,
                       int protection, int flags)
{
    uint64_t offset = address - dry->base;

    print(dry, "mmap BASE+%llx size=%zx protection=%c%c%c%s%s fd\n",
          (unsigned long long)offset, size, (protection & PROT_READ) != 0 ? 'r' : '-',
          (protection & PROT_WRITE) != 0 ? 'w' : '-',
          (protection & PROT_EXEC) != 0 ? 'x' : '-',
          (flags & MAP_SHARED) != 0 ? " shared" : "",
          (flags & MAP_FIXED) != 0 ? " fixed" : "");
    return (flags & MAP_SHARED) != 0 && offset < dry->size ? 0 : -EINVAL;
}

static int dry_mmap(struct tf_sgx_port *port, void **address, size_t size, int protection,
                    int flags, int fd)
{
    struct tf_sgx_dry *dry = dry_of(port);

    if (fd == DRY_FD) {
        return map_enclave(dry, (uint64_t)(uintptr_t)*address, size, protection, flags);
    }
    if (protection != PROT_NONE) {
        return -EINVAL;
    }
    print(dry, "mmap reserve size=%zx\n", size);
    dry->reserved = size;
    dry->mapped += size;
    /* an address that nobody touches */
    *address = (void *)(uintptr_t)area;
    return 0;
}

static int dry_munmap(struct tf_sgx_port *port, void *address, size_t size)
{
    struct tf_sgx_dry *dry = dry_of(port);
    uint64_t at = (uint64_t)(uintptr_t)address;

    if (at - area >= dry->reserved) {
        return -EINVAL;
    }
    dry->mapped -= size;
    print(dry, "munmap reserve+%llx size=%zx\n", (unsigned long long)(at - area), size);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): the vDSO's ABI has seven parameters */
static int no_entry(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                    unsigned int function, unsigned long r8, unsigned long r9,
                    struct sgx_enclave_run *run)
{
    (void)rdi, (void)rsi, (void)rdx, (void)function, (void)r8, (void)r9, (void)run;
    return -EINVAL;
}

static tf_sgx_entry dry_entry(struct tf_sgx_port *port)
{
    print(dry_of(port), "vdso __vdso_sgx_enter_enclave\n");
    return no_entry;
}

void tf_sgx_dry_init(struct tf_sgx_dry *dry, FILE *out)
{
    memset(dry, 0, sizeof(*dry));
    dry->out = out;
    dry->port = (struct tf_sgx_port){.open = dry_open,
                                     .close = dry_close,
                                     .ioctl = dry_ioctl,
                                     .mmap = dry_mmap,
                                     .munmap = dry_munmap,
                                     .entry = dry_entry};
}
