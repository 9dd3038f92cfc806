/* SPDX-License-Identifier: Apache-2.0 */
#include "host/engine.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "abi/sgx_load.h"
#include "host/native.h"
#include "host/store.h"
#include "lib/sigstruct.h"

tf_err tf_engine_identify(struct tf_engine *engine)
{
    if (engine->is_native) {
        return tf_native_measure(engine->image_path, engine->mrenclave);
    }
    struct sgx_sigstruct sigstruct;
    size_t size = 0;
    int fd = open(engine->sigstruct_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return TF_EIO;
    }
    tf_err err = tf_store_read(fd, &sigstruct, sizeof(sigstruct), &size);
    (void)close(fd);
    if (err != TF_OK || size != sizeof(sigstruct)) {
        return err == TF_EIO ? TF_EIO : TF_EIMAGE_SIGNATURE;
    }
    memcpy(engine->mrenclave, sigstruct.enclave_hash, sizeof(engine->mrenclave));
    tf_sigstruct_mrsigner(&sigstruct, engine->mrsigner);
    return TF_OK;
}
