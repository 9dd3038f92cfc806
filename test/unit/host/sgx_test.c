/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the hardware backend one by one, without hardware: the lookup in the vDSO,
 * the assembly around it, interrupted ioctls, and what a fault inside does to the
 * process.
 */
#include "host/sgx.h"

#include <asm/sgx.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "abi/layout.h"
#include "test/test.h"

/* What issue 4 and SGX2 will use is checked here, the rest in host/enclave_sgx.c. */
static_assert(SGX_MAGIC == 0xa4, "driver ABI");
static_assert(SGX_IOC_VEPC_REMOVE_ALL == 0xa404, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS == 0xc028a405, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_MODIFY_TYPES == 0xc028a406, "driver ABI");
static_assert(SGX_IOC_ENCLAVE_REMOVE_PAGES == 0xc018a407, "driver ABI");
static_assert(sizeof(struct sgx_enclave_restrict_permissions) == 40, "driver ABI");
static_assert(sizeof(struct sgx_enclave_modify_types) == 40, "driver ABI");
static_assert(sizeof(struct sgx_enclave_remove_pages) == 24, "driver ABI");
/* The CPU's structures, at the SDM's offsets, beyond what abi/sgx.h asserts. */
static_assert(offsetof(struct sgx_secs, ssa_frame_size) == 16, "SECS");
static_assert(offsetof(struct sgx_secs, miscselect) == 20, "SECS");
static_assert(offsetof(struct sgx_secs, attributes) == 48, "SECS");
static_assert(offsetof(struct sgx_secs, mrenclave) == 64, "SECS");
static_assert(offsetof(struct sgx_secs, mrsigner) == 128, "SECS");
static_assert(offsetof(struct sgx_secs, isv_svn) == 258, "SECS");
static_assert(offsetof(struct sgx_secs, config_svn) == 260, "SECS");
static_assert(offsetof(struct sgx_tcs, flags) == 8, "TCS");
static_assert(offsetof(struct sgx_tcs, ossa) == 16, "TCS");
static_assert(offsetof(struct sgx_tcs, cssa) == 24, "TCS");
static_assert(offsetof(struct sgx_tcs, nssa) == 28, "TCS");
static_assert(offsetof(struct sgx_tcs, oentry) == 32, "TCS");
static_assert(offsetof(struct sgx_tcs, aep) == 40, "TCS");
static_assert(offsetof(struct sgx_tcs, ogsbase) == 56, "TCS");
static_assert(offsetof(struct sgx_tcs, fslimit) == 64, "TCS");
static_assert(offsetof(struct sgx_tcs, gslimit) == 68, "TCS");
static_assert(offsetof(struct sgx_sigstruct, vendor) == 16, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, date) == 20, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, header2) == 24, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, swdefined) == 40, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, modulus) == 128, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, exponent) == 512, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, signature) == 516, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, miscmask) == 904, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, isv_family_id) == 912, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, attribute_mask) == 944, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, enclave_hash) == 960, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, isv_ext_prod_id) == 1008, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, isv_svn) == 1026, "SIGSTRUCT");
static_assert(offsetof(struct sgx_sigstruct, q2) == 1424, "SIGSTRUCT");
static_assert(sizeof(struct sgx_target_info) == 512, "TARGETINFO");
static_assert(offsetof(struct sgx_target_info, config_svn) == 50, "TARGETINFO");
static_assert(offsetof(struct sgx_target_info, miscselect) == 52, "TARGETINFO");
static_assert(offsetof(struct sgx_target_info, config_id) == 64, "TARGETINFO");
static_assert(sizeof(struct sgx_report) == 432, "REPORT");
static_assert(offsetof(struct sgx_report, isv_ext_prod_id) == 32, "REPORT");
static_assert(offsetof(struct sgx_report, attributes) == 48, "REPORT");
static_assert(offsetof(struct sgx_report, mrsigner) == 128, "REPORT");
static_assert(offsetof(struct sgx_report, config_id) == 192, "REPORT");
static_assert(offsetof(struct sgx_report, isv_family_id) == 304, "REPORT");
static_assert(offsetof(struct sgx_report, report_data) == 320, "REPORT");
static_assert(offsetof(struct sgx_report, key_id) == 384, "REPORT");
static_assert(offsetof(struct sgx_report, mac) == 416, "REPORT");
static_assert(sizeof(struct sgx_key_request) == 512, "KEYREQUEST");
static_assert(offsetof(struct sgx_key_request, cpu_svn) == 8, "KEYREQUEST");
static_assert(offsetof(struct sgx_key_request, attribute_mask) == 24, "KEYREQUEST");
static_assert(offsetof(struct sgx_key_request, key_id) == 40, "KEYREQUEST");
static_assert(offsetof(struct sgx_key_request, misc_mask) == 72, "KEYREQUEST");
static_assert(offsetof(struct sgx_key_request, config_svn) == 76, "KEYREQUEST");

/* --- the vDSO --------------------------------------------------------------------------
 */

static void the_kernels_own_vdso_is_read(void)
{
    /* the kernel gives an address */
    const uint8_t *vdso = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
    int (*get_time)(clockid_t, struct timespec *) = NULL;
    struct timespec there = {0};
    struct timespec here = {0};

    const void *found = tf_sgx_vdso_find(vdso, "__vdso_clock_gettime");
    if (!CHECK(found != NULL)) {
        return;
    }
    memcpy(&get_time, &found, sizeof(get_time));
    CHECK(get_time(CLOCK_REALTIME, &there) == 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &here) == 0);
    CHECK(here.tv_sec - there.tv_sec <= 1);
    CHECK(tf_sgx_vdso_find(vdso, "__vdso_clock_gettim") == NULL);
    CHECK(tf_sgx_vdso_find(vdso, "") == NULL);
    CHECK(tf_sgx_vdso_find(NULL, "x") == NULL);
}

/* A vDSO of three symbols: nothing, an object, the function. */
struct vdso {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    Elf64_Dyn dynamic[6];
    Elf64_Sym symbols[3];
    uint32_t sysv[2 + 1 + 3];
    uint32_t gnu[4 + 2 + 1 + 2]; /* header, one bloom word, one bucket, two chains */
    char strings[32];
};

static const uint64_t link_address = 0x7000000; /* older kernels: not 0 */

static void make_vdso(struct vdso *v, int tag)
{
    memset(v, 0, sizeof(*v));
    memcpy(v->header.e_ident, ELFMAG, SELFMAG);
    v->header.e_phoff = offsetof(struct vdso, segments);
    v->header.e_phnum = 2;
    v->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = link_address};
    v->segments[1] =
        (Elf64_Phdr){.p_type = PT_DYNAMIC, .p_offset = offsetof(struct vdso, dynamic)};
    memcpy(v->strings, "\0data\0enter\0", 12);
    v->symbols[1] = (Elf64_Sym){
        .st_name = 6, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = 1};
    v->symbols[2] = (Elf64_Sym){.st_name = 6,
                                .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                .st_shndx = 1,
                                .st_value = link_address + 5};
    v->sysv[0] = 1;
    v->sysv[1] = 3;
    memcpy(v->gnu, (const uint32_t[9]){1, 1, 1, 0, 0, 0, 1, 2, 3}, sizeof(v->gnu));
    v->dynamic[0] =
        (Elf64_Dyn){DT_SYMTAB, {.d_ptr = link_address + offsetof(struct vdso, symbols)}};
    v->dynamic[1] =
        (Elf64_Dyn){DT_STRTAB, {.d_ptr = link_address + offsetof(struct vdso, strings)}};
    v->dynamic[2] = (Elf64_Dyn){DT_STRSZ, {.d_val = sizeof(v->strings)}};
    uint64_t at =
        tag == DT_HASH ? offsetof(struct vdso, sysv) : offsetof(struct vdso, gnu);
    v->dynamic[3] = (Elf64_Dyn){tag, {.d_ptr = link_address + at}};
}

static void each_kind_of_hash_gives_the_count(void)
{
    static struct vdso v;
    const uint8_t *bytes = (const uint8_t *)&v;

    make_vdso(&v, DT_HASH);
    CHECK(tf_sgx_vdso_find(bytes, "enter") == bytes + 5);
    make_vdso(&v, DT_GNU_HASH);
    CHECK(tf_sgx_vdso_find(bytes, "enter") == bytes + 5);
    CHECK(tf_sgx_vdso_find(bytes, "data") == NULL);
    v.gnu[6] = 0; /* an empty table */
    CHECK(tf_sgx_vdso_find(bytes, "enter") == NULL);
    make_vdso(&v, DT_DEBUG); /* no hash at all */
    CHECK(tf_sgx_vdso_find(bytes, "enter") == NULL);
    make_vdso(&v, DT_HASH);
    v.symbols[2].st_shndx = SHN_UNDEF;
    CHECK(tf_sgx_vdso_find(bytes, "enter") == NULL);
    make_vdso(&v, DT_HASH);
    v.segments[1].p_type = PT_NOTE;
    CHECK(tf_sgx_vdso_find(bytes, "enter") == NULL);
    make_vdso(&v, DT_HASH);
    v.header.e_ident[0] = 0;
    CHECK(tf_sgx_vdso_find(bytes, "enter") == NULL);
}

/* The layer that is the kernel itself, on what every machine has. */
static void the_kernel_port_gives_negative_errnos(void)
{
    struct tf_sgx_port *port = &tf_sgx_linux;
    struct sgx_enclave_create create = {0};
    void *map = NULL;

    CHECK(port->open(port, "/dev/no such device") == -ENOENT);
    int fd = port->open(port, "/dev/null");
    CHECK(fd >= 0);
    CHECK(port->ioctl(port, fd, SGX_IOC_ENCLAVE_CREATE, &create) == -ENOTTY);
    CHECK(port->mmap(port, &map, TF_PAGE, PROT_READ, MAP_SHARED, fd) == -ENODEV);
    CHECK(map == NULL && port->close(port, fd) == 0 && port->close(port, fd) == -EBADF);
    CHECK(port->mmap(port, &map, 2 * (size_t)TF_PAGE, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1) == 0);
    CHECK(map != NULL && *(const volatile uint8_t *)map == 0);
    CHECK(port->munmap(port, map, 2 * (size_t)TF_PAGE) == 0);
    CHECK(port->munmap(port, (uint8_t *)map + 1, TF_PAGE) == -EINVAL);
}

/* --- the call --------------------------------------------------------------------------
 */

/* A vDSO function whose enclave respects only what the vDSO keeps. It adds 1 to RDI and 2
 * to RSI, notes ECX in run->user_data, and says EEXIT. */
int rude_enclave(unsigned long, unsigned long, unsigned long, unsigned int, unsigned long,
                 unsigned long, struct sgx_enclave_run *);
__asm__(".text\n"
        ".type rude_enclave, @function\n"
        "rude_enclave:\n"
        "  movq 8(%rsp), %rax\n"
        "  movl $4, 8(%rax)\n"
        "  movl %ecx, 32(%rax)\n"
        "  leaq 8(%rsp), %r12\n"
        "  andq $15, %r12\n"
        "  movq %r12, 16(%rax)\n" /* exception_addr: alignment of the stack */
        "  addq $1, %rdi\n"
        "  addq $2, %rsi\n"
        "  movq $-1, %r8\n"
        "  movq %r8, %r9\n  movq %r8, %r10\n  movq %r8, %r11\n  movq %r8, %r12\n"
        "  movq %r8, %r13\n  movq %r8, %r14\n  movq %r8, %r15\n  movq %r8, %rdx\n"
        "  pushq $0x1fbf\n  ldmxcsr (%rsp)\n"
        "  movq $0x27f, (%rsp)\n  fldcw (%rsp)\n  popq %rcx\n"
        "  pushq $0x40400\n  popfq\n" /* AC and DF */
        "  xorl %eax, %eax\n"
        "  ret\n");

/* Calls with known values in what a callee must keep. @return which did not survive. */
unsigned call_and_compare(tf_sgx_entry entry, uint64_t *registers,
                          struct sgx_enclave_run *run, int *rc);
__asm__(".text\n"
        ".type call_and_compare, @function\n"
        "call_and_compare:\n"
        "  pushq %rbx\n  pushq %rbp\n  pushq %r12\n  pushq %r13\n  pushq %r14\n"
        "  pushq %r15\n  pushq %rcx\n"
        "  movl $11, %ebx\n  movl $12, %r12d\n  movl $13, %r13d\n  movl $14, %r14d\n"
        "  movl $15, %r15d\n  movl $16, %ebp\n"
        "  call tf_sgx_call\n"
        "  movq (%rsp), %rcx\n  movl %eax, (%rcx)\n"
        "  xorl %eax, %eax\n"
        "  cmpq $11, %rbx\n  je 1f\n  orl $1, %eax\n"
        "1: cmpq $12, %r12\n  je 1f\n  orl $2, %eax\n"
        "1: cmpq $13, %r13\n  je 1f\n  orl $4, %eax\n"
        "1: cmpq $14, %r14\n  je 1f\n  orl $8, %eax\n"
        "1: cmpq $15, %r15\n  je 1f\n  orl $16, %eax\n"
        "1: cmpq $16, %rbp\n  je 1f\n  orl $32, %eax\n"
        "1: pushfq\n  popq %rdx\n  testl $0x40400, %edx\n  je 1f\n  orl $64, %eax\n"
        "1: popq %rcx\n  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbp\n"
        "  popq %rbx\n  ret\n");

static void what_c_relies_on_survives_the_call(void)
{
    struct sgx_enclave_run run = {.tcs = 1};
    uint64_t registers[2] = {40, 50};
    uint16_t fcw[2] = {0};
    uint32_t mxcsr[2] = {0};
    int rc = -1;

    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr[0]), "=m"(fcw[0]));
    CHECK(call_and_compare(rude_enclave, registers, &run, &rc) == 0);
    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr[1]), "=m"(fcw[1]));
    CHECK(rc == 0 && registers[0] == 41 && registers[1] == 52);
    CHECK(run.function == SGX_EEXIT && run.user_data == SGX_EENTER);
    CHECK(run.exception_addr == 0); /* 16-byte alignment, as the ABI has it */
    CHECK(mxcsr[0] == mxcsr[1] && fcw[0] == fcw[1]);
}

/* --- interrupted ioctls ----------------------------------------------------------------
 */

struct bent {
    struct tf_sgx_dry dry; /* first: its port is ours */
    int (*driver)(struct tf_sgx_port *, int, unsigned long, void *);
    int result;
    uint64_t counts[4]; /* bytes that the next calls take before they return `result` */
    unsigned calls;
};

static int bent_ioctl(struct tf_sgx_port *port, int fd, unsigned long request,
                      void *argument)
{
    struct bent *bent = (struct bent *)(void *)port;
    struct sgx_enclave_add_pages *arg = argument;

    unsigned call = bent->calls++;
    if (request != SGX_IOC_ENCLAVE_ADD_PAGES || call >= 4 || bent->counts[call] == ~0ul) {
        return bent->driver(port, fd, request, argument);
    }
    uint64_t length = arg->length;
    uint64_t count = bent->counts[call];
    arg->length = count;
    int rc = count % TF_PAGE != 0 || count == 0 || count > length
                 ? 0
                 : bent->driver(port, fd, request, argument);
    arg->length = length;
    arg->count = count;
    return rc != 0 ? rc : bent->result;
}

static int add_four_pages(struct bent *bent, int result, const uint64_t counts[4],
                          uint8_t mrenclave[static 32])
{
    static uint8_t pages[4 * TF_PAGE] __attribute__((aligned(4096)));
    const struct tf_backend_pages run = {0, sizeof(pages), 0x203, pages};
    const struct tf_enclave_options options = {.sgx_port = &bent->dry.port};
    struct sgx_secs secs = {.size = 16 * TF_PAGE, .ssa_frame_size = 1};
    void *self = NULL;

    for (size_t i = 0; i < sizeof(pages); i++) {
        pages[i] = (uint8_t)(i >> 12);
    }
    memset(bent, 0, sizeof(*bent));
    tf_sgx_dry_init(&bent->dry, NULL);
    CHECK(tf_backend_sgx.create(&options, &secs, &self) == 0);
    bent->driver = bent->dry.port.ioctl;
    bent->dry.port.ioctl = bent_ioctl;
    bent->result = result;
    memcpy(bent->counts, counts, sizeof(bent->counts));
    int rc = tf_backend_sgx.add_pages(self, &run);
    struct tf_measure measure = bent->dry.measure;
    tf_measure_take(&measure, mrenclave);
    tf_backend_sgx.destroy(self);
    CHECK(bent->dry.mapped == 0 && !bent->dry.is_open);
    return rc;
}

static void interrupted_additions_go_on_where_they_stopped(void)
{
    static const uint64_t all[4] = {~0ul, ~0ul, ~0ul, ~0ul};
    static const uint64_t parts[4] = {0, 2 * TF_PAGE, 0, TF_PAGE};
    static const int results[] = {0, -EINTR, -512};
    struct bent bent;
    uint8_t straight[32];
    uint8_t other[32];

    CHECK(add_four_pages(&bent, 0, all, straight) == 0 && bent.calls == 1);
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        CHECK(add_four_pages(&bent, results[i], parts, other) == 0);
        CHECK(bent.calls == 5 && memcmp(straight, other, 32) == 0);
    }
}

static int always_interrupted(struct tf_sgx_port *port, int fd, unsigned long request,
                              void *argument)
{
    (void)fd, (void)request, (void)argument;
    ((struct bent *)(void *)port)->calls++;
    return -EINTR;
}

static void what_makes_no_sense_ends_cleanly(void)
{
    static const uint64_t odd[4] = {8};
    static const uint64_t much[4] = {5 * TF_PAGE};
    static const uint64_t some[4] = {TF_PAGE, ~0ul, ~0ul, ~0ul};
    struct bent bent;
    uint8_t mrenclave[32];

    CHECK(add_four_pages(&bent, 0, odd, mrenclave) == -EPROTO);
    CHECK(add_four_pages(&bent, 0, much, mrenclave) == -EPROTO);
    CHECK(add_four_pages(&bent, 3, some, mrenclave) == -EPROTO);
    CHECK(add_four_pages(&bent, -EIO, some, mrenclave) == -EIO && bent.calls == 1);
    CHECK(add_four_pages(&bent, -ENOMEM, some, mrenclave) == -ENOMEM);

    struct sgx_secs secs = {.size = 16 * TF_PAGE};
    const struct tf_enclave_options options = {.sgx_port = &bent.dry.port};
    void *self = NULL;
    memset(&bent, 0, sizeof(bent));
    tf_sgx_dry_init(&bent.dry, NULL);
    bent.dry.port.ioctl = always_interrupted;
    CHECK(tf_backend_sgx.create(&options, &secs, &self) == -EINTR);
    CHECK(bent.calls == 1000 && bent.dry.mapped == 0 && !bent.dry.is_open);
}

/* --- entering and faults ---------------------------------------------------------------
 */

static struct sgx_enclave_run what_happens;

static int enclave_with_fate(unsigned long rdi, unsigned long rsi, unsigned long rdx,
                             unsigned int function, unsigned long r8, unsigned long r9,
                             struct sgx_enclave_run *run)
{
    static const struct sgx_enclave_run zeros;

    (void)rdi, (void)rsi, (void)rdx, (void)r8, (void)r9;
    if (function != SGX_EENTER || memcmp(run->reserved, zeros.reserved, 216) != 0) {
        return -EINVAL;
    }
    uint64_t tcs = run->tcs;
    *run = what_happens;
    run->exception_addr += what_happens.exception_addr == 1 ? tcs - 1 : 0;
    return 0;
}

static tf_sgx_entry entry_with_fate(struct tf_sgx_port *port)
{
    (void)port;
    return enclave_with_fate;
}

/* Enters in a child. @return its exit status; what it said is in `text`. */
static int enter_in_child(char text[static 256])
{
    int ends[2];
    struct tf_sgx_dry dry;
    struct sgx_secs secs = {.size = 16 * TF_PAGE, .ssa_frame_size = 1};
    const struct tf_enclave_options options = {.sgx_port = &dry.port};
    void *self = NULL;
    uint64_t rdi = 1;
    uint64_t rsi = 2;

    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        tf_sgx_dry_init(&dry, NULL);
        dry.port.entry = entry_with_fate;
        int rc = tf_backend_sgx.create(&options, &secs, &self);
        rc = rc == 0 ? tf_backend_sgx.enter(self, TF_PAGE, &rdi, &rsi) : rc;
        _exit(rc == 0 ? 0 : 1);
    }
    (void)close(ends[1]);
    ssize_t size = read(ends[0], text, 255);
    text[size > 0 ? size : 0] = '\0';
    (void)close(ends[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_fault_ends_the_process_and_says_which(void)
{
    char text[256];

    what_happens = (struct sgx_enclave_run){.function = SGX_EEXIT};
    CHECK(enter_in_child(text) == 0 && text[0] == '\0');
    what_happens =
        (struct sgx_enclave_run){.function = SGX_ERESUME, .exception_vector = 6};
    CHECK(enter_in_child(text) == TF_SGX_EXIT_FAULT);
    CHECK(strstr(text, "enclave killed: fault 6 error 0x0 at ERESUME") != NULL);
    what_happens = (struct sgx_enclave_run){.function = SGX_ERESUME,
                                            .exception_vector = 14,
                                            .exception_error_code = 7,
                                            .exception_addr = 1};
    CHECK(enter_in_child(text) == TF_SGX_EXIT_FAULT);
    CHECK(strstr(text, "fault 14 error 0x7 at ERESUME (enclave offset 0x1000)") != NULL);
    what_happens.function = SGX_EENTER; /* the EPC is gone */
    CHECK(enter_in_child(text) == TF_SGX_EXIT_LOST);
    CHECK(strstr(text, "enclave lost: EENTER faults, its EPC is gone") != NULL);
    what_happens.exception_vector = 13; /* TCS busy or spoilt */
    CHECK(enter_in_child(text) == TF_SGX_EXIT_FAULT);
}

static void no_evidence_is_made_up(void)
{
    /* AESM's or none (host/load.c). */
    CHECK(tf_backend_sgx.quote == NULL && tf_backend_sgx.target_info == NULL);
    CHECK(!tf_backend_sgx.is_simulated);
}

int main(void)
{
    RUN(the_kernels_own_vdso_is_read);
    RUN(each_kind_of_hash_gives_the_count);
    RUN(the_kernel_port_gives_negative_errnos);
    RUN(what_c_relies_on_survives_the_call);
    RUN(interrupted_additions_go_on_where_they_stopped);
    RUN(what_makes_no_sense_ends_cleanly);
    RUN(a_fault_ends_the_process_and_says_which);
    RUN(no_evidence_is_made_up);
    return test_end();
}
