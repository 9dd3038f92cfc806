/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_main.c - a worker's main inside a native runtime (enclave/native/start.js): the
 * options that apply there, then the same as tfaas-worker does. No word of it is trusted
 * more than tfaas-worker's.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "abi/native.h"
#include "host/link.h"
#include "host/number.h"
#include "host/worker_process.h"
#include "lib/bytes.h"

static const char usage[] =
    "usage: node start.js --abi N --image FOLDER --config-id HEX --descriptor FILE\n"
    "                     --sim-dir DIR --links N [--idle-seconds N] [--memory MIB]\n"
    "                     [--tsm PATH] [--poll-us N]\n"
    "Started by tfaasd; the links are descriptors 3 to 3 + N - 1.\n";

static bool set_option(struct tf_worker_settings *s, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 'i':
        s->enclave.image_path = value;
        return true;
    case 'V':
        return tf_number_parse(value, 0, UINT32_MAX, &s->abi);
    case 'c':
        return tf_hex_parse(value, strlen(value), s->enclave.config_id, 32) == TF_OK;
    case 'd':
        s->descriptor_path = value;
        return true;
    case 'm':
        s->enclave.sim_dir = value;
        return true;
    case 't':
        s->enclave.tsm_path = value;
        return true;
    case 'M':
        return tf_number_parse(value, 0, TF_MEMORY_MIB_MAX, &s->memory_mib);
    case 'I':
        return tf_number_parse(value, 1, TF_IDLE_SECONDS_MAX, &s->idle_seconds);
    case 'p':
        return tf_number_parse(value, 0, TF_POLL_US_MAX, &s->poll_us);
    case 'n':
        if (!tf_number_parse(value, 1, TF_THREADS_MAX, &number)) {
            return false;
        }
        s->links = (unsigned)number;
        s->enclave.threads = s->links;
        return true;
    default:
        return false;
    }
}

static bool parse_options(int argc, char **argv, struct tf_worker_settings *out)
{
    static const struct option table[] = {{"abi", required_argument, NULL, 'V'},
                                          {"image", required_argument, NULL, 'i'},
                                          {"config-id", required_argument, NULL, 'c'},
                                          {"descriptor", required_argument, NULL, 'd'},
                                          {"sim-dir", required_argument, NULL, 'm'},
                                          {"idle-seconds", required_argument, NULL, 'I'},
                                          {"memory", required_argument, NULL, 'M'},
                                          {"tsm", required_argument, NULL, 't'},
                                          {"poll-us", required_argument, NULL, 'p'},
                                          {"links", required_argument, NULL, 'n'},
                                          {NULL, 0, NULL, 0}};
    int option = 0;

    *out = (struct tf_worker_settings){.sandbox = TF_SANDBOX_NATIVE, .idle_seconds = 60};
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (!set_option(out, option, optarg)) {
            return false;
        }
    }
    return optind == argc && out->enclave.image_path != NULL &&
           out->descriptor_path != NULL && out->enclave.sim_dir != NULL &&
           out->links != 0;
}

int tf_native_main(int argc, char **argv)
{
    struct tf_worker_settings settings;

    if (!parse_options(argc, argv, &settings)) {
        (void)fputs(usage, stderr);
        return TF_WORKER_USAGE;
    }
    (void)signal(SIGUSR1, SIG_IGN); /* node would open its debugger */
    return tf_worker_process_run(&settings);
}
