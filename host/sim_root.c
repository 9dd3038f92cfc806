/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sim_root.h"

#include <openssl/evp.h>

#include "host/sim.h"

tf_err tf_sim_root(const char *directory, uint8_t spki[static TF_SPKI_MAX], size_t *size)
{
    static_assert((int)TF_SIM_SPKI_SIZE <= (int)TF_SPKI_MAX, "room for the key");
    struct tf_sim_machine machine = {0};
    EVP_PKEY *key = NULL;

    if (tf_sim_machine_open(&machine, directory) == 0) {
        key = tf_sim_machine_signer(&machine, spki);
    }
    tf_sim_machine_wipe(&machine);
    if (key == NULL) {
        return TF_EIO;
    }
    EVP_PKEY_free(key);
    *size = TF_SIM_SPKI_SIZE;
    return TF_OK;
}
