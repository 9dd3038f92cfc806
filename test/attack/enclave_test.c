/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enclave_test.c - the toy enclave in the simulator: what must work, what an enclave must
 * not be able to do, what a host must not be able to do to it. Argument: the toy image.
 * Each case runs in a process of its own: seccomp filters and deaths are for good.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "host/sim.h"
#include "test/attack/child.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum { FAULT = 70, SYSTEM_CALL = 71, LONG_ECHO = 50000, ECHOES = 100 };

static struct tf_toy_files files;

/* Runs a case that must end well, in both modes. */
static void both_modes(int (*body)(const void *))
{
    struct tf_enclave_options options = tf_toy_options(&files);

    for (int i = 0; i < 2; i++) {
        options.is_strict = i != 0;
        struct outcome outcome = in_child(body, &options);
        if (!CHECK(outcome.status == 0)) {
            (void)fprintf(stderr, "strict %d: status %d: %s\n", i, outcome.status,
                          outcome.output);
        }
    }
}

/* --- what must work -------------------------------------------------------------------
 */

static int echo_body(const void *options)
{
    static uint8_t sent[LONG_ECHO];
    static uint8_t back[LONG_ECHO];
    struct tf_toy toy;
    int bad = 0;

    tf_toy_open(&toy, options);
    for (unsigned i = 0; i < ECHOES; i++) { /* 5 MB: around the ring's end a few times */
        uint32_t size = (i * 7919) % LONG_ECHO;
        memset(sent, (int)i, size);
        bad += claim(tf_toy_call(&toy, 1, sent, size, back, size), "echo arrives");
        bad += claim(memcmp(sent, back, size) == 0, "echo is the same");
    }
    tf_toy_close(&toy);
    return bad;
}

static void frames_are_echoed(void)
{
    both_modes(echo_body);
}

static int clean_facts(const struct tf_toy_facts *facts)
{
    int bad = claim((facts->flags & 0x40400) == 0, "DF and AC are clear inside");
    bad += claim(facts->mxcsr == 0x1fbf, "MXCSR inside");
    bad += claim(facts->fcw == 0x37f, "FCW inside");
    bad += claim(facts->canary_is_set, "there is a canary");
    bad += claim(facts->dirt == 0, "fresh memory is zero");
    return bad;
}

static int poison_body(const void *argument)
{
    struct tf_enclave_options options = *(const struct tf_enclave_options *)argument;
    struct tf_toy_facts facts;
    struct tf_toy toy;
    int bad = 0;

    tf_sim_tests.poison_entry = true;
    tf_sim_tests.audit_exit = true;
    tf_toy_open(&toy, &options);
    for (int i = 0; i < 3; i++) {
        if (claim(tf_toy_call(&toy, TOY_FACTS, "", 0, &facts, sizeof(facts)), "facts")) {
            return 1;
        }
        bad += clean_facts(&facts);
        if (options.is_strict) { /* next time RSP points into the enclave's own data */
            tf_sim_tests.poison_rsp = facts.base + 0x3800;
        }
    }
    bad += claim(tf_sim_tests.audits == 3, "every exit was audited");
    bad += claim(tf_sim_tests.violations == 0, tf_sim_tests.violation);
    bad += claim(strcmp(facts.greeting, "hello") == 0, "the image was relocated");
    tf_toy_close(&toy);
    return bad;
}

static void host_chooses_registers(void)
{
    both_modes(poison_body);
}

struct racer {
    struct tf_toy toy;
    pthread_barrier_t *start;
    int is_good;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    struct tf_toy_facts facts;

    if (tf_enclave_thread_init(racer->toy.enclave) != TF_OK) {
        return NULL;
    }
    (void)pthread_barrier_wait(racer->start);
    for (int i = 0; i < ECHOES; i++) {
        if (!tf_toy_call(&racer->toy, TOY_FACTS, "", 0, &facts, sizeof(facts)) ||
            clean_facts(&facts) != 0) {
            return NULL;
        }
    }
    racer->is_good = 1;
    return NULL;
}

static int race_body(const void *options)
{
    enum { RACERS = 4 };
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    pthread_barrier_t start;
    struct tf_toy toy;
    struct tf_toy_facts facts;
    int bad = 0;

    tf_toy_open(&toy, options);
    (void)pthread_barrier_init(&start, NULL, RACERS);
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.toy = toy, .start = &start};
        racers[i].toy.thread = i;
        (void)pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        (void)pthread_join(threads[i], NULL);
        bad += claim(racers[i].is_good, "a thread ran");
    }
    bad += claim(tf_toy_call(&toy, TOY_FACTS, "", 0, &facts, sizeof(facts)), "facts");
    bad += claim(facts.visits == (uint64_t)RACERS * ECHOES + 1, "the lock locks");
    tf_toy_close(&toy);
    return bad;
}

static void threads_race_to_the_first_entry(void)
{
    both_modes(race_body);
}

/* --- what the enclave must not do -----------------------------------------------------
 */

struct crime {
    struct tf_enclave_options options;
    uint32_t frame;
};

static int crime_body(const void *argument)
{
    const struct crime *crime = argument;
    struct tf_toy toy;

    tf_toy_open(&toy, &crime->options);
    tf_toy_put(&toy, crime->frame, "", 0);
    (void)tf_toy_enter(&toy);
    return 0; /* survived */
}

static void killed_for(uint32_t frame, int status, const char *line)
{
    struct crime crime = {tf_toy_options(&files), frame};

    for (int i = 0; i < 2; i++) {
        crime.options.is_strict = i != 0;
        struct outcome outcome = in_child(crime_body, &crime);
        if (!CHECK(outcome.status == status) ||
            !CHECK(strstr(outcome.output, line) != NULL)) {
            (void)fprintf(stderr, "frame %u: status %d: %s\n", frame, outcome.status,
                          outcome.output);
        }
    }
}

static void system_call_from_inside(void)
{
    killed_for(TOY_SYSCALL, SYSTEM_CALL,
               "enclave killed: system call from inside (number 39 at");
}

static void write_to_code(void)
{
    killed_for(TOY_WRITE_CODE, FAULT, "enclave killed: fault SIGSEGV");
}

static void write_to_constants(void)
{
    killed_for(TOY_WRITE_CONSTANT, FAULT, "enclave killed: fault SIGSEGV");
}

static void execute_data(void)
{
    killed_for(TOY_RUN_HEAP, FAULT, "enclave killed: fault SIGSEGV");
    killed_for(TOY_RUN_STACK, FAULT, "enclave killed: fault SIGSEGV");
}

static void execute_the_base(void)
{
    killed_for(TOY_RUN_BASE, FAULT, "fault SIGSEGV at offset 0x0");
}

static void read_the_tcs(void)
{
    killed_for(TOY_READ_TCS, FAULT, "enclave killed: fault SIGSEGV");
}

static void read_a_hole(void)
{
    killed_for(TOY_READ_HOLE, FAULT, "enclave offset 0x3fffffff");
}

static void overflow_the_stack(void)
{
    killed_for(TOY_OVERFLOW, FAULT, "enclave killed: fault SIGSEGV");
}

static void panic(void)
{
    killed_for(TOY_TRAP, FAULT, "enclave killed: fault SIGILL");
}

/* --- what the host must not do --------------------------------------------------------
 */

static int is_dead(struct tf_enclave_exit out)
{
    return out.exit == TF_EXIT_DEAD && out.err == TF_EHOST;
}

/* Lets `lie` spoil the channel after one good call; then every thread finds the enclave
 * dead. */
static int lied_to(const struct tf_enclave_options *options,
                   void (*lie)(struct tf_channel *))
{
    struct tf_toy toy;
    uint8_t byte = 0;

    tf_toy_open(&toy, options);
    int bad = claim(tf_toy_call(&toy, 1, "x", 1, &byte, 1), "a call works");
    tf_toy_put(&toy, 1, "y", 1);
    lie(&toy.channels[0]);
    bad += claim(is_dead(tf_toy_enter(&toy)), "the lie ends the enclave");
    toy.thread = 1;
    bad += claim(is_dead(tf_toy_enter(&toy)), "for the other threads too");
    tf_toy_close(&toy);
    return bad;
}

static void head_odd(struct tf_channel *channel)
{
    channel->in.head += 4;
}

static void head_far(struct tf_channel *channel)
{
    channel->in.head += TF_RING_SIZE;
}

static void head_short(struct tf_channel *channel)
{
    channel->in.head -= 8;
}

static void size_huge(struct tf_channel *channel)
{
    struct tf_frame frame = {1, UINT32_MAX - 3, 0};
    memcpy(channel->in.data + channel->in.tail, &frame, sizeof(frame));
}

/* The enclave looks at the tail only when the ring seems full, so it takes a ring of
 * frames until it meets a tail that is ahead of its head. */
static int tail_body(const void *options)
{
    static const uint8_t payload[LONG_ECHO];
    struct tf_enclave_exit out = {TF_EXIT_IDLE, TF_OK};
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    toy.channels[0].out.tail = 2 * TF_RING_SIZE;
    for (unsigned i = 0; i <= TF_RING_SIZE / LONG_ECHO && out.exit == TF_EXIT_IDLE; i++) {
        tf_toy_put(&toy, 1, payload, sizeof(payload));
        out = tf_toy_enter(&toy);
    }
    tf_toy_close(&toy);
    return claim(is_dead(out), "a tail ahead of the head");
}

static int lies_body(const void *options)
{
    static void (*const lies[])(struct tf_channel *) = {head_odd, head_far, head_short,
                                                        size_huge};
    int bad = 0;

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        int is_bad = lied_to(options, lies[i]);
        if (is_bad) {
            (void)fprintf(stderr, "lie %zu\n", i);
        }
        bad += is_bad;
    }
    return bad;
}

static void host_lies_about_indexes(void)
{
    both_modes(lies_body);
    both_modes(tail_body);
}

/* Enters thread 0 with this channel in a new enclave. */
static int is_refused(const struct tf_enclave_options *options, uint64_t offset,
                      int is_inside)
{
    struct tf_enclave_exit out;
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    uint64_t address = is_inside ? tf_sim_active->secs.base + offset : offset;
    /* a wrong pointer is the point */
    tf_enclave_enter(toy.enclave, 0, (struct tf_channel *)(uintptr_t)address, 0, &out);
    tf_toy_close(&toy);
    return is_dead(out);
}

static int pointer_body(const void *options)
{
    uint64_t size = sizeof(struct tf_channel);
    struct tf_enclave_exit out;
    struct tf_toy toy;
    uint8_t byte = 0;

    int bad = claim(is_refused(options, 0, 1), "channel at the base");
    bad += claim(is_refused(options, 0x10000, 1), "channel inside");
    bad += claim(is_refused(options, 8 - size, 1), "channel ends inside");
    bad += claim(is_refused(options, (512 << 20) - 8, 1), "channel starts inside");
    bad += claim(is_refused(options, 0, 0), "null channel");
    bad += claim(is_refused(options, UINT64_MAX - 7, 0), "channel wraps");
    bad += claim(is_refused(options, 0x10004, 0), "unaligned channel");

    tf_toy_open(&toy, options);
    bad += claim(tf_toy_call(&toy, 1, "x", 1, &byte, 1), "a call works");
    tf_enclave_enter(toy.enclave, 0, &toy.channels[1], 0, &out);
    bad += claim(is_dead(out), "another channel at the second entry");
    tf_toy_close(&toy);
    return bad;
}

static void host_passes_wrong_pointers(void)
{
    both_modes(pointer_body);
}

static int busy_body(const void *options)
{
    struct tf_enclave_exit out;
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    tf_sim_threads[0].is_busy = 1;
    out = tf_toy_enter(&toy);
    int bad = claim(out.exit == TF_EXIT_DEAD && out.err == TF_EINTERNAL, "a busy TCS");
    tf_enclave_enter(toy.enclave, TF_THREADS_MAX, toy.channels, 0, &out);
    bad += claim(out.exit == TF_EXIT_DEAD && out.err == TF_EINTERNAL, "no such TCS");
    tf_toy_close(&toy);
    return bad;
}

static void host_enters_a_busy_tcs(void)
{
    both_modes(busy_body);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(frames_are_echoed);
    RUN(host_chooses_registers);
    RUN(threads_race_to_the_first_entry);
    RUN(system_call_from_inside);
    RUN(write_to_code);
    RUN(write_to_constants);
    RUN(execute_data);
    RUN(execute_the_base);
    RUN(read_the_tcs);
    RUN(read_a_hole);
    RUN(overflow_the_stack);
    RUN(panic);
    RUN(host_lies_about_indexes);
    RUN(host_passes_wrong_pointers);
    RUN(host_enters_a_busy_tcs);
    tf_toy_files_remove(&files);
    return test_end();
}
