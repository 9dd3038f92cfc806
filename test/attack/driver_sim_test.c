/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver_sim_test.c - the hardware backend (host/enclave_sgx.c), which has not met
 * hardware yet, on the simulated machine: its ioctls go to the simulated driver, its
 * mmaps to the simulated EPC, its vDSO call to the simulated EENTER. What works here is
 * all of the code that a machine with SGX runs but the kernel and the CPU. Argument: the
 * toy image.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <asm/sgx.h>

#include "host/sgx.h"
#include "host/sim_driver.h"
#include "test/attack/child.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum { DEVICE = 1000, ECHOES = 50, SHORT = 100, FAULT = 70 };

/* test/toy/sim_vdso.S, and what it calls. */
int tf_toy_vdso(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                unsigned int function, unsigned long r8, unsigned long r9,
                struct sgx_enclave_run *run);
int tf_toy_vdso_enter(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                      unsigned int function, unsigned long r8, unsigned long r9,
                      struct sgx_enclave_run *run);
extern uint64_t tf_toy_vdso_registers[2];

uint64_t tf_toy_vdso_registers[2];
static struct tf_toy_files files;
static struct tf_sim *machine;

/* The kernel's part (Linux, arch/x86/entry/vdso/vsgx.S): reserved bytes are zero; what
 * happened is in `run`. */
int tf_toy_vdso_enter(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                      unsigned int function, unsigned long r8, unsigned long r9,
                      struct sgx_enclave_run *run)
{
    (void)rdx;
    (void)r8;
    (void)r9;
    if (function != SGX_EENTER || run->user_handler != 0 ||
        !tf_sim_is_zero(run->reserved, sizeof(run->reserved))) {
        return -EINVAL;
    }
    tf_toy_vdso_registers[0] = rdi;
    tf_toy_vdso_registers[1] = rsi;
    if (tf_sim_thread_enter(machine, run->tcs - machine->secs.base,
                            &tf_toy_vdso_registers[0], &tf_toy_vdso_registers[1]) == 0) {
        run->function = SGX_EEXIT;
        return 0;
    }
    run->function = tf_sim_tests.exits != 0 ? SGX_ERESUME : SGX_EENTER;
    run->exception_vector = (uint16_t)tf_sim_tests.vector;
    return 0;
}

static int port_open(struct tf_sgx_port *port, const char *path)
{
    (void)port;
    int rc = strcmp(path, "/dev/sgx_enclave") == 0 ? tf_sim_open(files.sim, 0, &machine)
                                                   : -ENOENT;
    if (rc != 0) {
        return rc;
    }
    machine->is_strict = true; /* nothing is patched */
    return DEVICE;
}

static int port_close(struct tf_sgx_port *port, int fd)
{
    (void)port;
    tf_sim_close(machine);
    machine = NULL;
    return fd == DEVICE ? 0 : -EBADF;
}

static int port_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                      void *argument)
{
    uint32_t code = SGX_SUCCESS; /* the driver says nothing of it */

    (void)port;
    return fd == DEVICE ? tf_sim_ioctl(machine, request, argument, &code) : -EBADF;
}

static int port_mmap(struct tf_sgx_port *port, void **address, size_t size,
                     int protection, int flags, int fd)
{
    (void)port;
    if (fd == DEVICE) {
        return tf_sim_mmap(machine, (uint64_t)(uintptr_t)*address, size, protection,
                           flags);
    }
    void *map = mmap(*address, size, protection, flags, fd, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }
    *address = map;
    return 0;
}

static int port_munmap(struct tf_sgx_port *port, void *address, size_t size)
{
    (void)port;
    return munmap(address, size) == 0 ? 0 : -errno;
}

static tf_sgx_entry port_entry(struct tf_sgx_port *port)
{
    (void)port;
    return tf_toy_vdso;
}

static struct tf_sgx_port port = {port_open, port_close,  port_ioctl,
                                  port_mmap, port_munmap, port_entry};

static struct tf_enclave_options hardware_options(void)
{
    struct tf_enclave_options options = tf_toy_options(&files);

    options.backend = &tf_backend_sgx;
    options.sgx_port = &port;
    return options;
}

/* What the simulator needs of a thread, and the CPU does not. */
static void hardware_open(struct tf_toy *toy)
{
    const struct tf_enclave_options options = hardware_options();

    tf_toy_open(toy, &options);
    CHECK(tf_sim_trap_thread_init(machine) == 0);
    tf_sim_tests.audit_exit = true;
}

static int serves_body(const void *unused)
{
    struct tf_toy_facts facts;
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint8_t sent[SHORT];
    uint8_t back[SHORT];
    struct tf_toy toy;
    int bad = 0;

    (void)unused;
    hardware_open(&toy);
    for (unsigned i = 0; i < ECHOES; i++) {
        memset(sent, (int)i, sizeof(sent));
        toy.thread = i % 2;
        bad += claim(tf_toy_call(&toy, 1, sent, SHORT, back, SHORT) &&
                         memcmp(sent, back, SHORT) == 0,
                     "echo");
    }
    bad += claim(tf_toy_call(&toy, TOY_FACTS, "", 0, &facts, sizeof(facts)), "facts");
    bad += claim(facts.dirt == 0 && facts.canary_is_set, "what it sees of itself");
    bad += claim(facts.mxcsr == 0x1fbf && facts.fcw == 0x37f, "MXCSR, FCW");
    tf_enclave_identity(toy.enclave, mrenclave, mrsigner);
    bad += claim(memcmp(mrenclave, machine->secs.mrenclave, 32) == 0, "MRENCLAVE");
    bad += claim(memcmp(mrsigner, machine->secs.mrsigner, 32) == 0, "MRSIGNER");
    bad += claim(!tf_enclave_is_simulated(toy.enclave), "it takes this for hardware");
    bad += claim(tf_sim_tests.violations == 0, tf_sim_tests.violation);
    tf_toy_close(&toy);
    return bad + claim(machine == NULL, "everything is given back");
}

static void the_backend_serves(void)
{
    struct outcome outcome = in_child(serves_body, NULL);
    if (!CHECK(outcome.status == 0)) {
        (void)fprintf(stderr, "status %d: %s\n", outcome.status, outcome.output);
    }
}

/* The same keys as by the simulator's own backend: it is the same enclave. */
static int key_body(const void *argument)
{
    const struct tf_enclave_options *options = argument;
    struct sgx_key_request request = {.key_name = SGX_KEYNAME_SEAL,
                                      .key_policy = SGX_KEYPOLICY_MRENCLAVE |
                                                    SGX_KEYPOLICY_MRSIGNER};
    struct tf_toy_key key;
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    int bad = options->backend != NULL && tf_sim_trap_thread_init(machine) != 0;
    bad += !tf_toy_call(&toy, TOY_KEY, &request, sizeof(request), &key, sizeof(key));
    for (unsigned i = 0; i < sizeof(key.key); i++) {
        (void)fprintf(stderr, "%02x", key.key[i]);
    }
    tf_toy_close(&toy);
    return bad;
}

static void the_same_enclave_by_either_backend(void)
{
    const struct tf_enclave_options simulated = tf_toy_options(&files);
    const struct tf_enclave_options hardware = hardware_options();

    struct outcome first = in_child(key_body, &simulated);
    struct outcome second = in_child(key_body, &hardware);
    CHECK(first.status == 0 && second.status == 0);
    CHECK(strlen(first.output) == 32 && strcmp(first.output, second.output) == 0);
}

static int fault_body(const void *argument)
{
    struct tf_toy toy;

    hardware_open(&toy);
    tf_sim_tests.return_faults = true; /* as the vDSO does */
    tf_toy_put(&toy, *(const uint32_t *)argument, "", 0);
    (void)tf_toy_enter(&toy);
    return 0;
}

static void a_fault_ends_the_worker(void)
{
    static const uint32_t frames[] = {TOY_TRAP, TOY_WRITE_CODE, TOY_DIVIDE};
    static const char *const lines[] = {"fault 6 ", "fault 14 ", "fault 0 "};

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct outcome outcome = in_child(fault_body, &frames[i]);
        CHECK(outcome.status == FAULT);
        if (!CHECK(strstr(outcome.output, lines[i]) != NULL)) {
            (void)fprintf(stderr, "%s\n", outcome.output);
        }
    }
}

static void flip(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");

    if (!CHECK(file != NULL)) {
        return;
    }
    (void)fseek(file, offset, SEEK_SET);
    int byte = fgetc(file);
    (void)fseek(file, offset, SEEK_SET);
    CHECK(fputc(byte ^ 1, file) != EOF && fclose(file) == 0);
}

static tf_err open_spoilt(const char *path, long offset)
{
    const struct tf_enclave_options options = hardware_options();
    struct tf_enclave *enclave = NULL;

    flip(path, offset);
    tf_err err = tf_enclave_open(&options, &enclave);
    flip(path, offset);
    CHECK(machine == NULL); /* given back */
    return err;
}

/* The driver says EPERM and no more; the backend finds out why. */
static void what_is_not_as_signed_does_not_start(void)
{
    CHECK(open_spoilt(files.image, 0x1100) == TF_EIMAGE_MEASUREMENT);
    CHECK(open_spoilt(files.sigstruct, 520) == TF_EIMAGE_SIGNATURE);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(the_backend_serves);
    RUN(the_same_enclave_by_either_backend);
    RUN(a_fault_ends_the_worker);
    RUN(what_is_not_as_signed_does_not_start);
    tf_toy_files_remove(&files);
    return test_end();
}
