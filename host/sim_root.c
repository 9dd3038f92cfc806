/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sim_root.h"

#include <openssl/pem.h>

#include "host/sim.h"

tf_err tf_sim_root(const char *directory, uint8_t spki[static TF_SPKI_MAX], size_t *size)
{
    struct tf_sim_machine machine = {0};
    uint8_t *at = spki;
    int n = 0;

    if (tf_sim_machine_open(&machine, directory) != 0) {
        tf_sim_machine_wipe(&machine);
        return TF_EIO;
    }
    BIO *bio = BIO_new_mem_buf(machine.root_pem, (int)machine.root_pem_size);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    if (key != NULL) {
        n = i2d_PUBKEY(key, NULL);
        n = n > 0 && n <= TF_SPKI_MAX ? i2d_PUBKEY(key, &at) : 0;
    }
    EVP_PKEY_free(key);
    (void)BIO_free(bio);
    tf_sim_machine_wipe(&machine);
    if (n <= 0) {
        return TF_EIO;
    }
    *size = (size_t)n;
    return TF_OK;
}
