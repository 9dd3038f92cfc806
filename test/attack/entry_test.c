/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry_test.c - the enclave's entry and exit against a host that chooses every register
 * and interrupts at every instruction; faults. Argument: the toy image; the watching one
 * (test/toy/snapshot.S) lies beside it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/layout.h"
#include "host/sim.h"
#include "test/attack/child.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum {
    STATES = 64,
    SHORT = 40,
    RAX = 0,
    RCX = 1,
    RDX = 2,
    RBX = 3,
    RSP = 4,
    RBP = 5,
    RSI = 6,
    RDI = 7,
    REGISTERS = 16,
    FLAGS_INSIDE = 0xad7, /* IF, arithmetic, the bit that is always 1 */
    MXCSR_AT = 24,
    ST_AT = 32,
    XSTATE_BV_AT = 512,
    AVX_AT = 576
};

static struct tf_toy_files files;   /* the plain image */
static struct tf_toy_files watched; /* the watching one */

/* --- poisoned entries
 * --------------------------------------------------------------------- */

/* Where a host may point RSP. Thread 0's stack ends below a hole below its TCS. */
static uint64_t hostile_rsp(unsigned state)
{
    uint64_t base = tf_sim_active->secs.base;
    uint64_t tcs = tf_sim_threads[0].tcs;
    const uint64_t choices[] = {0,                    /* its own */
                                tcs - TF_GUARD - 256, /* our stack */
                                tcs - TF_GUARD - 3,   /* the same, unaligned */
                                tcs - TF_GUARD / 2,   /* the hole above it */
                                tcs,
                                base + tf_sim_threads[0].content.ossa + 2048,
                                tf_sim_threads[0].fs_base + 64,
                                base, /* constants */
                                base + 0x3800,
                                base + tf_sim_active->secs.size - 8,
                                8, /* no page */
                                UINT64_C(0xdead000000000000),
                                UINT64_MAX};

    return choices[state % (sizeof(choices) / sizeof(choices[0]))];
}

static void poison(unsigned state, int is_strict)
{
    tf_sim_tests.poison_entry = true;
    tf_sim_tests.audit_exit = true;
    tf_sim_tests.poison_state = state;
    tf_sim_tests.poison_rsp = is_strict ? hostile_rsp(state) : 0;
}

static int canonical_extended(const struct tf_toy_state *state)
{
    uint16_t words[3];
    uint32_t mxcsr;

    memcpy(words, state->extended, sizeof(words));
    memcpy(&mxcsr, state->extended + MXCSR_AT, sizeof(mxcsr));
    int bad = claim(words[0] == 0x37f, "FCW inside");
    bad += claim(words[1] == 0 && words[2] == 0, "the x87 is empty inside");
    bad += claim(mxcsr == 0x1fbf, "MXCSR inside");
    bad += claim((state->extended[XSTATE_BV_AT] & ~2) == 0, "nothing but SSE in use");
    bad +=
        claim(tf_sim_is_zero(state->extended + ST_AT, 416 - ST_AT), "ST and XMM are 0");
    bad += claim(tf_sim_is_zero(state->extended + AVX_AT, 832 - AVX_AT), "YMM are 0");
    return bad;
}

/* What C is called with: two arguments, twice; our own addresses; nothing else. */
static int canonical(const struct tf_toy_state *state, const struct tf_channel *channel)
{
    const uint64_t *r = state->registers;
    const uint64_t *in = (const uint64_t *)&tf_sim_threads[0].in;
    uint64_t base = tf_sim_active->secs.base;

    int bad =
        claim(r[RDI] == (uint64_t)(uintptr_t)channel && r[12] == r[RDI], "rdi, r12");
    bad += claim(r[13] == r[RSI], "rsi, r13");
    bad += claim(r[RBX] == base, "rbx is our base");
    bad +=
        claim(r[RSP] == tf_sim_threads[0].tcs - TF_GUARD - 8, "rsp is our stack's end");
    bad += claim((r[RBP] | r[8] | r[9] | r[10] | r[11] | r[14] | r[15]) == 0, "zeros");
    bad += claim(r[RCX] != (uint64_t)(uintptr_t)tf_sim_landing, "rcx is not the host's");
    bad += claim(r[RDX] != (uint64_t)(uintptr_t)&tf_sim_threads[0], "rdx is not either");
    for (unsigned i = 0; i < REGISTERS; i++) {
        for (unsigned k = 0; k < REGISTERS; k++) {
            bool is_argument = k == RDI || k == RSI || k == RSP; /* RSP: above */
            bad += claim(is_argument || r[i] != in[k], "a register of the host's");
        }
    }
    bad += claim((state->flags & ~(uint64_t)FLAGS_INSIDE) == 0, "flags");
    return bad + canonical_extended(state);
}

struct poisoned {
    struct tf_enclave_options options;
    unsigned state;
};

static int abort_enclave(struct tf_toy *toy)
{
    toy->channels[0].in.head += 4; /* no frame's size: a lie */
    struct tf_enclave_exit out = tf_toy_enter(toy);
    return claim(out.exit == TF_EXIT_DEAD && out.err == TF_EHOST, "the lie ends it");
}

static int poisoned_body(const void *argument)
{
    const struct poisoned *poisoned = argument;
    struct tf_toy_state state;
    struct tf_toy toy;
    int bad = 0;

    tf_toy_open(&toy, &poisoned->options);
    for (unsigned entry = 0; entry < 2; entry++) { /* the first, a later one */
        poison(poisoned->state + entry * STATES, poisoned->options.is_strict);
        if (claim(tf_toy_call(&toy, TOY_STATE, "", 0, &state, sizeof(state)), "state")) {
            return 1;
        }
        bad += claim(state.count == entry + 1, "C is called once an entry");
        bad += canonical(&state, &toy.channels[0]);
    }
    poison(poisoned->state, poisoned->options.is_strict);
    bad += abort_enclave(&toy);
    poison(poisoned->state + 2 * STATES, poisoned->options.is_strict);
    struct tf_enclave_exit out = tf_toy_enter(&toy);
    bad += claim(out.exit == TF_EXIT_DEAD && out.err == TF_EHOST, "it stays dead");
    bad += claim(tf_sim_tests.audits == 4, "every exit was looked at");
    bad += claim(tf_sim_tests.violations == 0, tf_sim_tests.violation);
    tf_toy_close(&toy);
    return bad;
}

static void poisoned_entries(void)
{
    struct poisoned poisoned = {.options = tf_toy_options(&watched)};

    for (unsigned i = 0; i < 2 * STATES; i++) {
        poisoned.options.is_strict = i >= STATES;
        poisoned.state = i % STATES;
        struct outcome outcome = in_child(poisoned_body, &poisoned);
        if (!CHECK(outcome.status == 0)) {
            (void)fprintf(stderr, "state %u, strict %d: status %d: %s\n", poisoned.state,
                          poisoned.options.is_strict, outcome.status, outcome.output);
        }
    }
    (void)printf("%d poisoned states x 3 kinds of entry, fast and strict\n", STATES);
}

/* --- an interrupt before every instruction
 * ------------------------------------------------ */

/* What a run of the same calls gave: must be the same with and without interrupts. */
struct results {
    uint8_t echo[2][SHORT];
    struct tf_toy_key key;
    struct tf_enclave_exit end[2];
    unsigned exits;
    unsigned refusals;
    unsigned violations;
    unsigned audits;
    uint8_t seen[TF_SIM_SEEN]; /* offsets of code before which there was an AEX */
};

struct stepping {
    struct tf_enclave_options options;
    struct results *results; /* shared with the child */
    int is_stepped;
    int is_poisoned;
};

static struct sgx_key_request request_now(void)
{
    struct sgx_key_request request;

    memset(&request, 0, sizeof(request));
    request.key_name = SGX_KEYNAME_SEAL;
    request.key_policy = SGX_KEYPOLICY_MRENCLAVE;
    return request;
}

static int stepping_body(const void *argument)
{
    const struct stepping *stepping = argument;
    const struct sgx_key_request request = request_now();
    struct results *results = stepping->results;
    uint8_t sent[SHORT];
    struct tf_toy toy;
    int bad = 0;

    memset(sent, 's', sizeof(sent));
    tf_toy_open(&toy, &stepping->options);
    tf_sim_tests.single_step = stepping->is_stepped != 0;
    tf_sim_tests.seen = results->seen;
    tf_sim_tests.audit_exit = true;
    for (unsigned i = 0; i < 2; i++) { /* the first entry, a later one */
        if (stepping->is_poisoned) {
            poison(i, stepping->options.is_strict);
        }
        bad += claim(tf_toy_call(&toy, 1, sent, SHORT, results->echo[i], SHORT), "echo");
    }
    bad += claim(tf_toy_call(&toy, TOY_KEY, &request, sizeof(request), &results->key,
                             sizeof(results->key)),
                 "key");
    bad += abort_enclave(&toy);
    for (unsigned i = 0; i < 2; i++) { /* entries after the abort */
        results->end[i] = tf_toy_enter(&toy);
    }
    results->exits = tf_sim_tests.exits;
    results->refusals = tf_sim_tests.refusals;
    results->violations = tf_sim_tests.violations;
    results->audits = tf_sim_tests.audits;
    tf_toy_close(&toy);
    return bad;
}

static void stepped(int is_strict, int is_stepped, int is_poisoned,
                    struct results *results)
{
    struct stepping stepping = {tf_toy_options(&files), results, is_stepped, is_poisoned};

    stepping.options.is_strict = is_strict != 0;
    struct outcome outcome = in_child(stepping_body, &stepping);
    if (!CHECK(outcome.status == 0)) {
        (void)fprintf(stderr, "strict %d, stepped %d: status %d: %s\n", is_strict,
                      is_stepped, outcome.status, outcome.output);
    }
    CHECK(results->violations == 0 && results->audits == 6);
}

/* Instructions of the gate that no interrupt came before. Some never run here: ud2 when
 * all is lost, the wait for another thread's relocation, the second try of RDRAND. */
static unsigned missed(const char *image, const char *function, const uint8_t *seen,
                       unsigned *count)
{
    char line[256];
    unsigned left = 0;

    (void)snprintf(line, sizeof(line), "objdump -dw --disassemble=%s %s", function,
                   image);
    FILE *listing = popen(line, "r");
    while (listing != NULL && fgets(line, sizeof(line), listing) != NULL) {
        char *end = NULL;
        unsigned long offset = strtoul(line, &end, 16);
        if (line[0] != ' ' || *end != ':' || offset >= TF_SIM_SEEN) {
            continue;
        }
        (*count)++;
        if (seen[offset] == 0) {
            left++;
        }
    }
    return listing == NULL || pclose(listing) != 0 ? UINT32_MAX : left;
}

static void every_instruction_of_the_gate(const uint8_t *seen)
{
    enum {
        ENTRY_LEFT = 7, /* cmp, je, pause, jmp of the wait; dec, jne, jmp after RDRAND */
        LEAVE_LEFT = 2  /* the nop after EEXIT, ud2 */
    };
    unsigned count = 0;

    unsigned left = missed(files.image, "tf_entry", seen, &count);
    unsigned more = missed(files.image, "tf_leave", seen, &count);
    CHECK(count > 90 && left <= ENTRY_LEFT && more <= LEAVE_LEFT);
    (void)printf("%u of the gate's %u instructions interrupted; the others never ran\n",
                 count - left - more, count);
}

static void interrupts_at_every_instruction(void)
{
    struct results *results = mmap(NULL, 3 * sizeof(*results), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const size_t same = offsetof(struct results, exits);

    for (int is_strict = 0; is_strict < 2; is_strict++) {
        stepped(is_strict, 0, 0, &results[0]);
        stepped(is_strict, 1, 0, &results[1]);
        stepped(is_strict, 1, 1, &results[2]);
        CHECK(results[0].exits == 0 && results[1].exits > 1000);
        CHECK(results[2].exits > 1000);
        CHECK(results[1].refusals == results[1].exits);
        CHECK(memcmp(&results[0], &results[1], same) == 0);
        CHECK(memcmp(&results[0], &results[2], same) == 0);
        (void)printf(
            "%s: %u asynchronous exits in 6 entries, no result changed; %u EENTERs "
            "meanwhile, each #GP\n",
            is_strict ? "strict" : "fast", results[1].exits, results[1].refusals);
    }
    every_instruction_of_the_gate(results[1].seen);
    (void)munmap(results, 3 * sizeof(*results));
}

/* --- faults
 * --------------------------------------------------------------------------------- */

struct fault {
    struct tf_enclave_options options;
    uint32_t frame;
    unsigned vector;
    uint32_t exitinfo;
};

/* As the CPU leaves it: SSA[0] has the state, CSSA is 1, the host sees nothing. */
static int fault_body(const void *argument)
{
    const struct fault *fault = argument;
    const struct tf_sim_thread *thread = &tf_sim_threads[0];
    struct tf_toy toy;
    uint8_t byte = 0;

    tf_toy_open(&toy, &fault->options);
    int bad = claim(tf_toy_call(&toy, 1, "x", 1, &byte, 1), "a call before");
    tf_sim_tests.return_faults = true;
    tf_toy_put(&toy, fault->frame, "", 0);
    struct tf_enclave_exit out = tf_toy_enter(&toy);
    bad += claim(out.exit == TF_EXIT_DEAD && out.err == TF_EINTERNAL, "the entry failed");
    bad += claim(tf_sim_tests.vector == fault->vector, "the vector");
    const uint8_t *frame = tf_sim_active->base + thread->content.ossa;
    const struct tf_sim_gprsgx *saved =
        (const void *)(frame + TF_PAGE - sizeof(struct tf_sim_gprsgx));
    uint32_t mxcsr;
    memcpy(&mxcsr, frame + MXCSR_AT, sizeof(mxcsr));
    bad += claim(saved->exitinfo == fault->exitinfo, "EXITINFO");
    bad += claim(saved->rip - tf_sim_active->secs.base < 0x10000, "RIP in the SSA");
    bad += claim(saved->ursp == thread->host_rsp && saved->urbp == 0, "URSP, URBP");
    bad += claim(saved->fsbase == thread->fs_base && saved->gsbase == thread->gs_base,
                 "FSBASE, GSBASE");
    bad += claim(mxcsr == 0x1fbf, "MXCSR in the SSA");
    bad += claim(thread->out.rsp == saved->ursp && thread->out.rdi == 0 &&
                     thread->out.r15 == 0,
                 "the host sees the synthetic state");
    bad += claim(thread->content.cssa == 1, "CSSA is 1");
    out = tf_toy_enter(&toy);
    bad += claim(out.exit == TF_EXIT_DEAD && tf_sim_tests.vector == TF_SIM_GP,
                 "EENTER with CSSA = NSSA is #GP");
    tf_toy_close(&toy);
    return bad;
}

static void faults_go_into_the_ssa(void)
{
    struct fault faults[] = {{.frame = TOY_TRAP, .vector = 6, .exitinfo = 0x80000306},
                             {.frame = TOY_DIVIDE, .vector = 0, .exitinfo = 0x80000300},
                             {.frame = TOY_BREAK, .vector = 3, .exitinfo = 0x80000603},
                             {.frame = TOY_READ_HOLE, .vector = 14, .exitinfo = 0},
                             {.frame = TOY_WRITE_CODE, .vector = 14, .exitinfo = 0}};

    for (unsigned i = 0; i < 2 * sizeof(faults) / sizeof(faults[0]); i++) {
        struct fault *fault = &faults[i / 2];
        fault->options = tf_toy_options(&files);
        fault->options.is_strict = i % 2 != 0;
        struct outcome outcome = in_child(fault_body, fault);
        if (!CHECK(outcome.status == 0)) {
            (void)fprintf(stderr, "vector %u: status %d: %s\n", fault->vector,
                          outcome.status, outcome.output);
        }
    }
}

/* The CPU fetches nothing from outside in enclave mode. The simulator sees that when it
 * steps. */
static int outside_body(const void *options)
{
    uint64_t address = (uint64_t)(uintptr_t)tf_sim_landing;
    struct tf_toy toy;

    address -= 64 << 10; /* any code of the host's */
    tf_toy_open(&toy, options);
    tf_sim_tests.single_step = true;
    tf_toy_put(&toy, TOY_RUN_OUTSIDE, &address, sizeof(address));
    (void)tf_toy_enter(&toy);
    return 0;
}

static void execution_outside_is_a_fault(void)
{
    struct tf_enclave_options options = tf_toy_options(&files);

    for (int i = 0; i < 2; i++) {
        options.is_strict = i != 0;
        struct outcome outcome = in_child(outside_body, &options);
        CHECK(outcome.status == 70 && strstr(outcome.output, "fault SIGSEGV") != NULL);
    }
}

static int cpuid_body(const void *options)
{
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    tf_sim_tests.single_step = true;
    tf_toy_put(&toy, TOY_CPUID, "", 0);
    (void)tf_toy_enter(&toy);
    return 0;
}

/* The simulator looks at each instruction before it runs it when it steps. */
static void illegal_instructions_are_a_fault(void)
{
    static const char illegal[][TF_SIM_INSTRUCTION] = {
        "\x0f\xa2",     "\x0f\x05",     "\x0f\x34",
        "\x48\x0f\x05", "\x0f\x33",     "\xcd\x80",
        "\xec",         "\xf3\x6c",     "\x66\xef",
        "\x48\xcf",     "\xcb",         "\x48\xff\x2f",
        "\xff\x1f",     "\x8e\xe8",     "\x0f\xa9",
        "\x0f\xb2\x07", "\x0f\x01\x07", "\x0f\x01\xe0",
        "\x0f\x01\xc1", "\x0f\x00\xc8", "\x62\xf1\x7d\x48\xef\xc0",
        "\x0f\x31",     "\x0f\x01\xf9"};
    static const char legal[][TF_SIM_INSTRUCTION] = {
        "\x90",         "\x0f\x0b", "\x0f\x01\xd7",     "\x0f\x01\xd0",
        "\xff\xe0",     "\xff\xd0", "\x48\x0f\xae\x2f", "\xf3\x0f\xae\xc0",
        "\xc3",         "\x8c\xe8", "\x0f\xc7\xf0",     "\x48\xa5",
        "\xc5\xf8\x77", "\x9d"};
    struct tf_enclave_options options = tf_toy_options(&files);
    struct tf_sim sim = {.machine.cpu = *tf_sim_cpu_find("sgx1-client")};

    for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
        CHECK(tf_sim_is_illegal(&sim, (const uint8_t *)illegal[i]));
    }
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
        CHECK(!tf_sim_is_illegal(&sim, (const uint8_t *)legal[i]));
    }
    for (int i = 0; i < 2; i++) {
        options.is_strict = i != 0;
        struct outcome outcome = in_child(cpuid_body, &options);
        CHECK(outcome.status == 70 && strstr(outcome.output, "fault SIGILL") != NULL);
    }
}

/* On a processor of before SGX2. @return 0 if the enclave survived. */
static int rdtsc_body(const void *options)
{
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    tf_toy_put(&toy, TOY_RDTSC, "", 0);
    struct tf_enclave_exit out = tf_toy_enter(&toy); /* on the default: fine */
    int bad = claim(out.exit == TF_EXIT_IDLE, "RDTSC with SGX2");
    tf_sim_active->machine.cpu = *tf_sim_cpu_find("sgx1-client");
    tf_toy_put(&toy, TOY_RDTSC, "", 0);
    (void)tf_toy_enter(&toy);
    return bad;
}

static void rdtsc_before_sgx2_is_a_fault(void)
{
    struct tf_enclave_options options = tf_toy_options(&files);

    for (int i = 0; i < 2; i++) {
        options.is_strict = i != 0;
        struct outcome outcome = in_child(rdtsc_body, &options);
        CHECK(outcome.status == 70 && strstr(outcome.output, "not so") == NULL);
    }
}

int main(int argc, char **argv)
{
    char path[256];

    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s toy.img\n", argv[0]);
        return 2;
    }
    const char *slash = strrchr(argv[1], '/');
    int folder = slash != NULL ? (int)(slash - argv[1]) + 1 : 0;
    (void)snprintf(path, sizeof(path), "%.*swatch.img", folder, argv[1]);
    tf_toy_files_make(&files, argv[1]);
    tf_toy_files_make(&watched, path);
    RUN(poisoned_entries);
    RUN(interrupts_at_every_instruction);
    RUN(faults_go_into_the_ssa);
    RUN(execution_outside_is_a_fault);
    RUN(illegal_instructions_are_a_fault);
    RUN(rdtsc_before_sgx2_is_a_fault);
    tf_toy_files_remove(&files);
    tf_toy_files_remove(&watched);
    return test_end();
}
