/* SPDX-License-Identifier: Apache-2.0 */
/* sgx_linux.c - the lowest layer of the hardware backend: the kernel itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/sgx.h"

static int linux_open(struct tf_sgx_port *port, const char *path)
{
    (void)port;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

static int linux_close(struct tf_sgx_port *port, int fd)
{
    (void)port;
    return close(fd) == 0 ? 0 : -errno;
}

static int linux_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                       void *argument)
{
    (void)port;
    int rc = ioctl(fd, request, argument);
    return rc >= 0 ? rc : -errno;
}

static int linux_mmap(struct tf_sgx_port *port, void **address, size_t size,
                      int protection, int flags, int fd)
{
    (void)port;
    void *map = mmap(*address, size, protection, flags, fd, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }
    *address = map;
    return 0;
}

static int linux_munmap(struct tf_sgx_port *port, void *address, size_t size)
{
    (void)port;
    return munmap(address, size) == 0 ? 0 : -errno;
}

static tf_sgx_entry linux_entry(struct tf_sgx_port *port)
{
    (void)port;
    /* the kernel gives an address */
    const uint8_t *vdso = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    const void *found = tf_sgx_vdso_find(vdso, "__vdso_sgx_enter_enclave");
    tf_sgx_entry entry = NULL;
    memcpy(&entry, &found, sizeof(entry)); /* C has no cast from data to functions */
    return entry;
}

struct tf_sgx_port tf_sgx_linux = {.open = linux_open,
                                   .close = linux_close,
                                   .ioctl = linux_ioctl,
                                   .mmap = linux_mmap,
                                   .munmap = linux_munmap,
                                   .entry = linux_entry};
