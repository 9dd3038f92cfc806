/* SPDX-License-Identifier: Apache-2.0 */
#include "host/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/number.h"

const char tf_options_usage[] =
    "usage: tfaasd --state DIR --listen ADDR:PORT --image ENGINE=IMAGE,SIGSTRUCT...\n"
    "              [--native ENGINE=FOLDER]... [--worker PATH] [--threads N] [--strict]\n"
    "              [--transition-cycles N] [--idle-seconds N] [--memory MIB]\n"
    "              [--poll-us N] [--backend sim|sgx|tsm]\n"
    "              [--aesm SOCKET | --insecure-sim-aesm SOCKET]\n";

/* Adds an engine of this name, if there is none yet. */
static struct tf_engine *new_engine(struct tf_options *o, const char *text)
{
    if (o->engine_count == TF_ENGINES_MAX) {
        return NULL;
    }
    struct tf_engine *engine = &o->engines[o->engine_count];
    size_t size = strlen(text);
    if (size == 0 || size >= sizeof(engine->name) || !tf_store_name_is_valid(text)) {
        return NULL;
    }
    for (size_t i = 0; i < o->engine_count; i++) {
        if (strcmp(o->engines[i].name, text) == 0) {
            return NULL; /* which of the two images was meant? */
        }
    }
    memcpy(engine->name, text, size + 1);
    o->engine_count++;
    return engine;
}

/* ENGINE=IMAGE,SIGSTRUCT; cuts the argument up in place. */
static bool add_engine(struct tf_options *o, char *text)
{
    char *image = strchr(text, '=');
    char *sigstruct = image == NULL ? NULL : strchr(image, ',');
    if (sigstruct == NULL) {
        return false;
    }
    *image = '\0';
    *sigstruct = '\0';
    struct tf_engine *engine = new_engine(o, text);
    if (engine == NULL) {
        return false;
    }
    engine->image_path = image + 1;
    engine->sigstruct_path = sigstruct + 1;
    return true;
}

/* ENGINE=FOLDER; likewise. */
static bool add_native(struct tf_options *o, char *text)
{
    char *folder = strchr(text, '=');
    if (folder == NULL) {
        return false;
    }
    *folder = '\0';
    struct tf_engine *engine = new_engine(o, text);
    if (engine == NULL) {
        return false;
    }
    engine->image_path = folder + 1;
    engine->is_native = true;
    return true;
}

static bool set_option(struct tf_options *o, int option, char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 's':
        o->state = value;
        return true;
    case 'l':
        o->listen = value;
        return true;
    case 'i':
        return add_engine(o, value);
    case 'N':
        return add_native(o, value);
    case 'w':
        free(o->worker_path);
        o->worker_path = strdup(value);
        return o->worker_path != NULL;
    case 'S':
        o->is_strict = true;
        return true;
    case 't':
        return tf_number_parse(value, 0, TF_CYCLES_MAX, &o->transition_cycles);
    case 'M':
        return tf_number_parse(value, 0, TF_MEMORY_MIB_MAX, &o->memory_mib);
    case 'I':
        return tf_number_parse(value, 1, TF_IDLE_SECONDS_MAX, &o->idle_seconds);
    case 'p':
        return tf_number_parse(value, 0, TF_POLL_US_MAX, &o->poll_us);
    case 'b':
        o->is_sgx = strcmp(value, "sgx") == 0;
        o->is_guest = strcmp(value, "tsm") == 0;
        return o->is_sgx || o->is_guest || strcmp(value, "sim") == 0;
    case 'a':
        o->aesm = value;
        return true;
    case 'A':
        o->sim_aesm = value;
        return true;
    case 'n':
        if (!tf_number_parse(value, 1, TF_THREADS_MAX, &number)) {
            return false;
        }
        o->threads = (unsigned)number;
        return true;
    default:
        return false;
    }
}

/* The worker lies beside this program unless told otherwise. */
static bool default_worker(struct tf_options *o)
{
    static const char name[] = "tfaas-worker";
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
    if (size <= 0) {
        return false;
    }
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, name, sizeof(name));
    o->worker_path = strdup(path);
    return o->worker_path != NULL;
}

static unsigned default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1) {
        return 1;
    }
    return cores < TF_THREADS_MAX ? (unsigned)cores : TF_THREADS_MAX;
}

/* What the options together lack or contradict, or NULL. */
static const char *contradiction(const struct tf_options *o)
{
    if (o->state == NULL) {
        return "--state is missing: the folder of its files";
    }
    if (o->listen == NULL) {
        return "--listen is missing: the address that clients connect to";
    }
    if (o->engine_count == 0) {
        return "--image or --native is missing: the engines to run";
    }
    if ((o->is_sgx ? o->sim_aesm : o->aesm) != NULL) {
        return "--aesm goes with --backend sgx, --insecure-sim-aesm with --backend sim";
    }
    for (size_t i = 0; i < o->engine_count; i++) {
        bool is_native = o->engines[i].is_native;
        if ((o->is_sgx && is_native) || (o->is_guest && !is_native)) {
            /* It would be simulated evidence beside the hardware's. */
            return "--native goes with --backend sim or tsm, --image with sim or sgx";
        }
    }
    return NULL;
}

/* Reads one option after the other. @return TF_OK, or TF_EUSAGE after a message. */
static tf_err take_options(int argc, char **argv, struct tf_options *o)
{
    static const struct option table[] = {
        {"state", required_argument, NULL, 's'},
        {"listen", required_argument, NULL, 'l'},
        {"image", required_argument, NULL, 'i'},
        {"native", required_argument, NULL, 'N'},
        {"worker", required_argument, NULL, 'w'},
        {"threads", required_argument, NULL, 'n'},
        {"strict", no_argument, NULL, 'S'},
        {"transition-cycles", required_argument, NULL, 't'},
        {"idle-seconds", required_argument, NULL, 'I'},
        {"memory", required_argument, NULL, 'M'},
        {"poll-us", required_argument, NULL, 'p'},
        {"backend", required_argument, NULL, 'b'},
        {"aesm", required_argument, NULL, 'a'},
        {"insecure-sim-aesm", required_argument, NULL, 'A'},
        {NULL, 0, NULL, 0}};
    int option = 0;
    int row = 0;
    while ((option = getopt_long(argc, argv, "", table, &row)) != -1) {
        if (option == '?') {
            return TF_EUSAGE; /* getopt has said why */
        }
        if (!set_option(o, option, optarg)) {
            (void)fprintf(stderr, "tfaasd: --%s cannot be `%s`\n", table[row].name,
                          optarg);
            return TF_EUSAGE;
        }
    }
    if (optind != argc) {
        (void)fprintf(stderr, "tfaasd: `%s` belongs to no option\n", argv[optind]);
        return TF_EUSAGE;
    }
    return TF_OK;
}

tf_err tf_options_parse(int argc, char **argv, struct tf_options *out)
{
    out->transition_cycles = 10000;
    out->idle_seconds = 60;
    out->poll_us = 100;
    out->threads = default_threads();
    tf_err err = take_options(argc, argv, out);
    if (err != TF_OK) {
        return err;
    }
    const char *why = contradiction(out);
    if (why != NULL) {
        (void)fprintf(stderr, "tfaasd: %s\n", why);
        return TF_EUSAGE;
    }
    return out->worker_path != NULL || default_worker(out) ? TF_OK : TF_EIO;
}
