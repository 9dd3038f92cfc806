/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_enclave.c - host/enclave.h over the native core: nothing is loaded, since the
 * core is part of this process, and EENTER is a call.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/native.h"
#include "host/enclave.h"
#include "host/native.h"
#include "host/sim.h"
#include "lib/crypto.h"

enum { THREADS = 4 }; /* at most: as an image has TCSs */

struct tf_enclave {
    struct tf_native_place place;
    bool is_guest;                 /* of a TEE for VMs; else simulated */
    int firmware;                  /* is_guest: where evidence comes from */
    struct tf_sim_machine machine; /* simulated: evidence and sealing keys */
};

/* A simulated machine's sealing root for this kind of core; another than enclaves get. */
static void derive_seal(struct tf_native_place *place, const uint8_t root[static 32])
{
    static const char label[] = "tfaas native seal v1";
    struct tf_sha256 ctx;

    tf_sha256_init(&ctx);
    tf_sha256_feed(&ctx, label, sizeof(label));
    tf_sha256_feed(&ctx, root, 32);
    tf_sha256_take(&ctx, place->seal);
    place->has_seal = true;
}

static tf_err open_sim(struct tf_enclave *enclave, const char *directory)
{
    if (tf_sim_machine_open(&enclave->machine, directory) != 0) {
        return TF_EIO;
    }
    derive_seal(&enclave->place, enclave->machine.root);
    tf_wipe(enclave->machine.root, sizeof(enclave->machine.root));
    return TF_OK;
}

/* A guest has no key that only this core would get: nothing is sealed there, and a grant
 * without a lease is refused. */
static tf_err open_guest(struct tf_enclave *enclave, const char *path)
{
    enclave->is_guest = true;
    return tf_native_evidence_open(path, &enclave->firmware);
}

static tf_err open_all(struct tf_enclave *enclave,
                       const struct tf_enclave_options *options)
{
    struct tf_native_place *place = &enclave->place;

    memcpy(place->config_id, options->config_id, sizeof(place->config_id));
    place->threads = options->threads < THREADS ? options->threads : (uint32_t)THREADS;
    tf_err err = tf_native_measure(options->image_path, place->measurement);
    if (err == TF_OK) {
        err = options->tsm_path != NULL ? open_guest(enclave, options->tsm_path)
                                        : open_sim(enclave, options->sim_dir);
    }
    if (err == TF_OK) {
        err = tf_native_open(place) == 0 ? TF_OK : TF_ENOMEM;
    }
    tf_wipe(place->seal, sizeof(place->seal));
    return err;
}

tf_err tf_enclave_open(const struct tf_enclave_options *options, struct tf_enclave **out)
{
    struct tf_enclave *enclave = calloc(1, sizeof(*enclave));
    if (enclave == NULL) {
        return TF_ENOMEM;
    }
    tf_err err = open_all(enclave, options);
    if (err != TF_OK) {
        tf_enclave_close(enclave);
        return err;
    }
    *out = enclave;
    return TF_OK;
}

void tf_enclave_close(struct tf_enclave *enclave)
{
    if (enclave != NULL) {
        if (enclave->is_guest) {
            (void)close(enclave->firmware);
        }
        tf_sim_machine_wipe(&enclave->machine);
        free(enclave);
    }
}

unsigned tf_enclave_threads(const struct tf_enclave *enclave)
{
    return enclave->place.threads;
}

bool tf_enclave_is_simulated(const struct tf_enclave *enclave)
{
    return !enclave->is_guest;
}

void tf_enclave_identity(const struct tf_enclave *enclave, uint8_t mrenclave[static 32],
                         uint8_t mrsigner[static 32])
{
    memcpy(mrenclave, enclave->place.measurement, sizeof(enclave->place.measurement));
    memset(mrsigner, 0, 32);
}

tf_err tf_enclave_thread_init(struct tf_enclave *enclave)
{
    (void)enclave;
    return tf_native_thread_init() == 0 ? TF_OK : TF_ENOMEM;
}

void tf_enclave_enter(struct tf_enclave *enclave, unsigned thread,
                      struct tf_channel *channel, uint64_t now_ns,
                      struct tf_enclave_exit *out)
{
    uint32_t result[2];

    (void)enclave;
    tf_native_enter(thread, channel, now_ns, result);
    *out = (struct tf_enclave_exit){(enum tf_exit)result[0], (tf_err)result[1]};
}

/* Nobody checks a MAC here: the report does not leave the process before it is signed. */
tf_err tf_enclave_target_info(struct tf_enclave *enclave, struct sgx_target_info *out)
{
    (void)enclave;
    memset(out, 0, sizeof(*out));
    return TF_OK;
}

const char *tf_enclave_quoted_by(const struct tf_enclave *enclave, uint32_t *code)
{
    *code = 0;
    return enclave->is_guest ? "configfs-tsm" : "simulator";
}

tf_err tf_enclave_quote(struct tf_enclave *enclave, const struct sgx_report *report,
                        char *out, size_t *size)
{
    if (enclave->is_guest) {
        return tf_native_evidence_ask(enclave->firmware, report->report_data, out, size);
    }
    return tf_sim_evidence(&enclave->machine, TF_SIM_NATIVE, report, out, size);
}
