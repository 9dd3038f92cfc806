/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfaas-worker: one process, one enclave instance. It opens the image, runs one thread
 * per TCS, and ends when tfaasd closes the links (0) or the enclave stops (TF_WORKER_EXIT
 * and why; tfaasd builds a new one). It is started by tfaasd, with the links as
 * descriptors 3, 4, ...
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "host/link.h"
#include "host/number.h"
#include "host/sgx.h"
#include "host/worker_process.h"
#include "lib/bytes.h"
#include "lib/err_text.h"

struct options {
    struct tf_worker_settings settings;
    bool is_dry;
    bool is_sim_aesm; /* the simulator's REPORTs go to an AESM */
};

static const char usage[] =
    "usage: tfaas-worker --abi N --image F --sigstruct F --config-id HEX\n"
    "                    --descriptor FILE --sim-dir DIR --links N [--strict] "
    "[--transition-cycles N]\n"
    "                    [--idle-seconds N] [--memory MIB] [--config-svn N]\n"
    "                    [--backend sim|sgx] [--poll-us N]\n"
    "                    [--aesm SOCKET | --insecure-sim-aesm SOCKET]\n"
    "       tfaas-worker --backend sgx --dry-run --image F --sigstruct F [--config-id "
    "HEX]\n"
    "Started by tfaasd; the links are descriptors 3 to 3 + N - 1. A dry run prints what\n"
    "the hardware backend would ask of the kernel, and asks nothing.\n";

static bool set_option(struct options *o, int option, const char *value)
{
    uint64_t number = 0;
    switch (option) {
    case 'i':
        o->settings.enclave.image_path = value;
        return true;
    case 's':
        o->settings.enclave.sigstruct_path = value;
        return true;
    case 'V':
        return tf_number_parse(value, 0, UINT32_MAX, &o->settings.abi);
    case 'c':
        return tf_hex_parse(value, strlen(value), o->settings.enclave.config_id, 32) ==
               TF_OK;
    case 'd':
        o->settings.descriptor_path = value;
        return true;
    case 'm':
        o->settings.enclave.sim_dir = value;
        return true;
    case 'S':
        o->settings.enclave.is_strict = true;
        return true;
    case 't':
        return tf_number_parse(value, 0, TF_CYCLES_MAX,
                               &o->settings.enclave.transition_cycles);
    case 'b':
        o->settings.enclave.backend = strcmp(value, "sgx") == 0 ? &tf_backend_sgx : NULL;
        return o->settings.enclave.backend != NULL || strcmp(value, "sim") == 0;
    case 'a':
    case 'A':
        o->settings.enclave.aesm_path = value;
        o->is_sim_aesm = option == 'A';
        return true;
    case 'D':
        o->is_dry = true;
        return true;
    case 'v':
        if (!tf_number_parse(value, 0, UINT16_MAX, &number)) {
            return false;
        }
        o->settings.enclave.config_svn = (uint16_t)number;
        return true;
    case 'M':
        return tf_number_parse(value, 0, TF_MEMORY_MIB_MAX, &o->settings.memory_mib);
    case 'I':
        return tf_number_parse(value, 1, TF_IDLE_SECONDS_MAX, &o->settings.idle_seconds);
    case 'p':
        return tf_number_parse(value, 0, TF_POLL_US_MAX, &o->settings.poll_us);
    case 'n':
        if (!tf_number_parse(value, 1, TF_THREADS_MAX, &number)) {
            return false;
        }
        o->settings.links = (unsigned)number;
        return true;
    default:
        return false;
    }
}

static tf_err parse_options(int argc, char **argv, struct options *out)
{
    static const struct option table[] = {
        {"abi", required_argument, NULL, 'V'},
        {"image", required_argument, NULL, 'i'},
        {"sigstruct", required_argument, NULL, 's'},
        {"config-id", required_argument, NULL, 'c'},
        {"descriptor", required_argument, NULL, 'd'},
        {"sim-dir", required_argument, NULL, 'm'},
        {"strict", no_argument, NULL, 'S'},
        {"transition-cycles", required_argument, NULL, 't'},
        {"idle-seconds", required_argument, NULL, 'I'},
        {"memory", required_argument, NULL, 'M'},
        {"poll-us", required_argument, NULL, 'p'},
        {"links", required_argument, NULL, 'n'},
        {"backend", required_argument, NULL, 'b'},
        {"config-svn", required_argument, NULL, 'v'},
        {"aesm", required_argument, NULL, 'a'},
        {"insecure-sim-aesm", required_argument, NULL, 'A'},
        {"dry-run", no_argument, NULL, 'D'},
        {NULL, 0, NULL, 0}};
    struct options o = {.settings = {.enclave = {.transition_cycles = 10000},
                                     .sandbox = TF_SANDBOX_LEAN,
                                     .idle_seconds = 60}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (!set_option(&o, option, optarg)) {
            return TF_EUSAGE;
        }
    }
    bool is_sim = o.settings.enclave.backend == NULL;
    if (optind != argc || (o.is_dry && is_sim) ||
        (o.settings.enclave.aesm_path != NULL && o.is_sim_aesm != is_sim)) {
        return TF_EUSAGE;
    }
    *out = o;
    return TF_OK;
}

/* Whether all is there that the kind of run needs. */
static bool is_complete(const struct options *o)
{
    bool has_image = o->settings.enclave.image_path != NULL &&
                     o->settings.enclave.sigstruct_path != NULL;
    bool is_sim = o->settings.enclave.backend == NULL;

    return has_image &&
           (o->is_dry || (o->settings.links != 0 && o->settings.descriptor_path != NULL &&
                          (!is_sim || o->settings.enclave.sim_dir != NULL)));
}

/* Loads and takes down with nothing under it that could do anything. */
static int run_dry(const struct options *o)
{
    struct tf_sgx_dry dry;
    struct tf_enclave *enclave = NULL;
    struct tf_enclave_options options = o->settings.enclave;

    tf_sgx_dry_init(&dry, stdout);
    options.sgx_port = &dry.port;
    tf_err err = tf_enclave_open(&options, &enclave);
    tf_enclave_close(enclave);
    if (err != TF_OK) {
        (void)fprintf(stderr, "tfaas-worker: %s: %s\n", tf_err_name(err),
                      tf_err_text(err));
        return TF_WORKER_EXIT + (int)err;
    }
    return 0;
}

/* The simulator takes a few algorithms from OpenSSL by name of their functions: its
 * settings and its tables of all names would take a tenth of the start. */
static void start_openssl(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
                                  OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                                  OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                              NULL);
}

int main(int argc, char **argv)
{
    struct options options;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)fputs(usage, stdout);
        return 0;
    }
    tf_err err = parse_options(argc, argv, &options);
    const struct tf_enclave_options *enclave = &options.settings.enclave;
    if (err == TF_OK && enclave->backend != NULL && !options.is_dry &&
        tf_sgx_missing(stderr) != 0) { /* before anything else can be wrong */
        return TF_WORKER_EXIT + (int)TF_EPLATFORM;
    }
    if (err != TF_OK || !is_complete(&options)) {
        (void)fputs(usage, stderr);
        return TF_WORKER_USAGE;
    }
    if (options.is_dry) {
        return run_dry(&options);
    }
    start_openssl();
    /* Not exit(): other threads may still run, and be inside the enclave. */
    _exit(tf_worker_process_run(&options.settings));
}
