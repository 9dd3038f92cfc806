/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lives_test.c - the start and the end of enclaves: two threads enter one for the first
 * time at once; one dies a hundred times beside a neighbour. Argument: the toy image.
 * TF_RACES: first-entry races to run.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test/attack/child.h"
#include "test/test.h"
#include "test/toy/toy.h"
#include "test/toy/toy_host.h"

enum { RACES = 50, DEATHS = 100, SHORT = 40, FAULT = 70 };

static struct tf_toy_files files;

/* --- two threads, the first time
 * ------------------------------------------------------------ */

struct racer {
    struct tf_toy toy;
    pthread_barrier_t *start;
    struct tf_toy_facts facts;
    int is_good;
};

static void *race(void *argument)
{
    struct racer *racer = argument;

    if (tf_enclave_thread_init(racer->toy.enclave) != TF_OK) {
        return NULL;
    }
    (void)pthread_barrier_wait(racer->start);
    racer->is_good =
        tf_toy_call(&racer->toy, TOY_FACTS, "", 0, &racer->facts, sizeof(racer->facts));
    return NULL;
}

static int race_body(const void *options)
{
    static const char *const greetings[] = {"hello", "third", "there"};
    struct racer racers[2];
    pthread_t threads[2];
    pthread_barrier_t start;
    struct tf_toy toy;
    int bad = 0;

    tf_toy_open(&toy, options);
    (void)pthread_barrier_init(&start, NULL, 2);
    for (unsigned i = 0; i < 2; i++) {
        racers[i] = (struct racer){.toy = toy, .start = &start};
        racers[i].toy.thread = i;
        (void)pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
        const struct tf_toy_facts *facts = &racers[i].facts;
        bad += claim(racers[i].is_good, "a thread ran");
        bad += claim(strcmp(facts->greeting, greetings[facts->visits % 3]) == 0,
                     "the image was relocated before it ran");
        bad += claim(facts->canary_is_set && facts->dirt == 0, "its page was set up");
    }
    bad += claim(racers[0].facts.visits + racers[1].facts.visits == 3,
                 "one, then the other");
    tf_toy_close(&toy);
    return bad;
}

static void two_threads_enter_for_the_first_time(void)
{
    struct tf_enclave_options options = tf_toy_options(&files);
    const char *wanted = getenv("TF_RACES");
    int races = wanted != NULL ? atoi(wanted) : RACES;

    for (int i = 0; i < races; i++) {
        options.is_strict = i % 2 != 0;
        struct outcome outcome = in_child(race_body, &options);
        if (!CHECK(outcome.status == 0)) {
            (void)fprintf(stderr, "race %d: status %d: %s\n", i, outcome.status,
                          outcome.output);
        }
    }
    (void)printf("%d first-entry races\n", races);
}

/* --- a neighbour
 * ---------------------------------------------------------------------------- */

/* Serves until the pipe closes. @return lost calls; calls through the pipe's other end.
 */
static int neighbour(const struct tf_enclave_options *options, int stop, int report)
{
    struct tf_toy toy;
    unsigned calls = 0;
    int lost = 0;
    char byte = 0;

    tf_toy_open(&toy, options);
    do {
        uint8_t sent[SHORT];
        uint8_t back[SHORT];
        memset(sent, (int)calls, sizeof(sent));
        lost += !tf_toy_call(&toy, 1, sent, SHORT, back, SHORT) ||
                memcmp(sent, back, SHORT) != 0;
        calls++;
        if (calls == 1) {
            (void)!write(report, &byte, 1);
        }
    } while (read(stop, &byte, 1) < 0); /* -1: nothing yet; 0: closed */
    (void)!write(report, &calls, sizeof(calls));
    tf_toy_close(&toy);
    return lost != 0;
}

static int death_body(const void *options)
{
    struct tf_toy toy;

    tf_toy_open(&toy, options);
    tf_toy_put(&toy, TOY_TRAP, "", 0);
    (void)tf_toy_enter(&toy);
    return 0; /* survived */
}

static void neighbour_of_a_hundred_deaths(void)
{
    struct tf_enclave_options options = tf_toy_options(&files);
    unsigned calls = 0;
    int stop[2];
    int report[2];
    char byte = 0;
    int status = -1;

    if (!CHECK(pipe2(stop, O_NONBLOCK | O_CLOEXEC) == 0 && pipe(report) == 0)) {
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(stop[1]);
        _exit(neighbour(&options, stop[0], report[1]));
    }
    CHECK(read(report[0], &byte, 1) == 1);
    for (int i = 0; i < DEATHS; i++) {
        options.is_strict = i % 2 != 0;
        struct outcome outcome = in_child(death_body, &options);
        CHECK(outcome.status == FAULT);
    }
    (void)close(stop[1]);
    CHECK(read(report[0], &calls, sizeof(calls)) == sizeof(calls) && calls > DEATHS);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    (void)close(stop[0]);
    (void)close(report[0]);
    (void)close(report[1]);
    (void)printf(
        "%d enclaves killed by a planted fault; their neighbour answered %u calls, "
        "lost none\n",
        DEATHS, calls);
}

int main(int argc, char **argv)
{
    tf_toy_files_begin(&files, argc, argv);
    RUN(two_threads_enter_for_the_first_time);
    RUN(neighbour_of_a_hundred_deaths);
    tf_toy_files_remove(&files);
    return test_end();
}
