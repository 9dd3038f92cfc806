/* SPDX-License-Identifier: Apache-2.0 */
#include "test/hw/sim_port.h"

#include <asm/sgx.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { FD = 1000 };

/* Where the backend believes its ELRANGE to be; the simulator has its own. */
static struct {
    const struct tf_enclave_options *options;
    void *sim;
    uint64_t base;
} state;

static int sim_open(struct tf_sgx_port *port, const char *path)
{
    (void)port;
    return strcmp(path, "/dev/sgx_enclave") == 0 ? FD : -ENOENT;
}

static int sim_close(struct tf_sgx_port *port, int fd)
{
    (void)port;
    tf_backend_sim.destroy(state.sim);
    state.sim = NULL;
    return fd == FD ? 0 : -EBADF;
}

static const void *pointer(uint64_t address)
{
    /* the driver's ABI has integers */
    return (const void *)(uintptr_t)address;
}

static int create(const struct sgx_enclave_create *arg)
{
    struct sgx_secs secs;

    memcpy(&secs, pointer(arg->src), sizeof(secs));
    state.base = secs.base;
    return tf_backend_sim.create(state.options, &secs, &state.sim);
}

static int add_pages(struct sgx_enclave_add_pages *arg)
{
    uint64_t secinfo;

    memcpy(&secinfo, pointer(arg->secinfo), sizeof(secinfo));
    const struct tf_backend_pages pages = {arg->offset, arg->length, secinfo,
                                           pointer(arg->src)};
    int rc = arg->flags == SGX_PAGE_MEASURE
                 ? tf_backend_sim.add_pages(state.sim, &pages)
                 : -EINVAL; /* the loader measures all that it adds */
    arg->count = rc == 0 ? arg->length : 0;
    return rc;
}

static int init(const struct sgx_enclave_init *arg)
{
    struct sgx_sigstruct sig;
    uint32_t code = 0;

    memcpy(&sig, pointer(arg->sigstruct), sizeof(sig));
    int rc = tf_backend_sim.init(state.sim, &sig, &code);
    return rc == 0 && code != SGX_SUCCESS ? -EPERM : rc;
}

static int sim_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                     void *argument)
{
    (void)port;
    if (fd != FD) {
        return -EBADF;
    }
    switch (request) {
    case SGX_IOC_ENCLAVE_CREATE:
        return create(argument);
    case SGX_IOC_ENCLAVE_ADD_PAGES:
        return add_pages(argument);
    case SGX_IOC_ENCLAVE_INIT:
        return init(argument);
    default:
        return -ENOTTY;
    }
}

static int sim_mmap(struct tf_sgx_port *port, void **address, size_t size, int protection,
                    int flags, int fd)
{
    (void)port;
    if (fd != FD) {
        return tf_sgx_linux.mmap(&tf_sgx_linux, address, size, protection, flags, fd);
    }
    if ((flags & (MAP_SHARED | MAP_FIXED)) != (MAP_SHARED | MAP_FIXED)) {
        return -EINVAL;
    }
    return tf_backend_sim.map(state.sim, (uint64_t)(uintptr_t)*address - state.base, size,
                              protection);
}

static int sim_munmap(struct tf_sgx_port *port, void *address, size_t size)
{
    (void)port;
    return tf_sgx_linux.munmap(&tf_sgx_linux, address, size);
}

/* What the vDSO's function does, in C: it returns RDI and RSI of the enclave. */
struct pair {
    uint64_t rdi;
    uint64_t rsi;
};
struct pair tf_sim_port_enter(uint64_t rdi, uint64_t rsi, struct sgx_enclave_run *run);
struct pair tf_sim_port_enter(uint64_t rdi, uint64_t rsi, struct sgx_enclave_run *run)
{
    static _Thread_local bool is_ready;

    if (!is_ready) {
        is_ready = tf_backend_sim.thread_init(state.sim) == 0;
    }
    run->function = SGX_EENTER;
    run->exception_vector = 13;
    if (is_ready &&
        tf_backend_sim.enter(state.sim, run->tcs - state.base, &rdi, &rsi) == 0) {
        run->function = SGX_EEXIT;
        run->exception_vector = 0;
    }
    return (struct pair){rdi, rsi};
}

/* The vDSO's calling convention around it: `run` on the stack, RDI and RSI come back. */
int tf_sim_port_vdso(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                     unsigned int function, unsigned long r8, unsigned long r9,
                     struct sgx_enclave_run *run);
__asm__(".text\n"
        ".type tf_sim_port_vdso, @function\n"
        "tf_sim_port_vdso:\n"
        "  endbr64\n"
        "  movq 8(%rsp), %rdx\n"
        "  pushq %rbp\n"
        "  call tf_sim_port_enter\n"
        "  popq %rbp\n"
        "  movq %rax, %rdi\n"
        "  movq %rdx, %rsi\n"
        "  xorl %eax, %eax\n"
        "  ret\n");

static tf_sgx_entry sim_entry(struct tf_sgx_port *port)
{
    (void)port;
    return tf_sim_port_vdso;
}

struct tf_sgx_port *tf_sim_port(const struct tf_enclave_options *options)
{
    static struct tf_sgx_port port = {.open = sim_open,
                                      .close = sim_close,
                                      .ioctl = sim_ioctl,
                                      .mmap = sim_mmap,
                                      .munmap = sim_munmap,
                                      .entry = sim_entry};
    state.options = options;
    return &port;
}
