/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - from an image and a SIGSTRUCT to an enclave: one code path for every backend.
 * The image's pages come from lib/image.c, which the signer used too.
 */
#include "host/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/layout.h"
#include "abi/version.h"
#include "host/aesm.h"
#include "host/enclave.h"
#include "host/evidence.h"
#include "lib/image.h"
#include "lib/sigstruct.h"

enum { CHUNK_PAGES = 64, IMAGE_MAX = 64 << 20 };

struct tf_enclave {
    const struct tf_backend *backend;
    struct tf_aesm aesm; /* path NULL: the backend quotes */
    void *self;          /* the backend's */
    void *file;          /* the image, mapped read-only until it is loaded */
    size_t file_size;
    struct tf_image image;
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
};

/* A walk's state while pages are added. */
struct adding {
    struct tf_enclave *enclave;
    uint8_t *chunk; /* CHUNK_PAGES pages */
};

/* Maps a file read-only. The image may not change under us: it is measured page by page
 * as it is added, so a change would be caught by EINIT. */
static tf_err map_file(const char *path, size_t max, void **out, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return TF_EIO;
    }
    struct stat st;
    void *map = MAP_FAILED;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size <= max) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    if (map == MAP_FAILED) {
        return TF_EIO;
    }
    *out = map;
    *size = (size_t)st.st_size;
    return TF_OK;
}

static void unmap_file(struct tf_enclave *enclave)
{
    if (enclave->file != NULL) {
        (void)munmap(enclave->file, enclave->file_size);
        enclave->file = NULL;
    }
}

static tf_err read_sigstruct(const char *path, struct sgx_sigstruct *out)
{
    void *bytes = NULL;
    size_t size = 0;

    tf_err err = map_file(path, TF_PAGE, &bytes, &size);
    if (err != TF_OK) {
        return err;
    }
    if (size == sizeof(*out)) {
        memcpy(out, bytes, sizeof(*out));
    } else {
        err = TF_EIMAGE_SIGNATURE;
    }
    (void)munmap(bytes, size);
    return err;
}

static tf_err add_run(void *user, const struct tf_run *run)
{
    const struct adding *adding = user;
    const struct tf_enclave *enclave = adding->enclave;
    const uint64_t chunk_size = (uint64_t)CHUNK_PAGES * TF_PAGE;
    uint64_t left = run->is_added ? run->size : 0;

    while (left != 0) {
        uint64_t step = left < chunk_size ? left : chunk_size;
        uint64_t offset = run->offset + run->size - left;
        for (uint64_t at = 0; at < step; at += TF_PAGE) {
            tf_image_page(&enclave->image, offset + at, adding->chunk + at);
        }
        const struct tf_backend_pages pages = {offset, step, run->secinfo, adding->chunk};
        if (enclave->backend->add_pages(enclave->self, &pages) != 0) {
            return TF_EIO;
        }
        left -= step;
    }
    return TF_OK;
}

static tf_err add_pages(struct tf_enclave *enclave)
{
    size_t size = (size_t)CHUNK_PAGES * TF_PAGE;
    void *chunk =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) {
        return TF_ENOMEM;
    }
    struct adding adding = {enclave, chunk};
    tf_err err = tf_image_walk(&enclave->image, add_run, &adding);
    (void)munmap(chunk, size);
    return err;
}

static tf_err map_run(void *user, const struct tf_run *run)
{
    const struct tf_enclave *enclave = user;
    int protection = PROT_NONE;

    if ((run->secinfo & SGX_SECINFO_R) != 0) {
        protection |= PROT_READ;
    }
    if ((run->secinfo & SGX_SECINFO_W) != 0) {
        protection |= PROT_WRITE;
    }
    if ((run->secinfo & SGX_SECINFO_X) != 0) {
        protection |= PROT_EXEC;
    }
    if ((run->secinfo & SGX_SECINFO_TCS) != 0) {
        protection =
            PROT_READ | PROT_WRITE; /* as the driver wants it; the CPU denies access */
    }
    int rc = enclave->backend->map(enclave->self, run->offset, run->size, protection);
    return rc == 0 ? TF_OK : TF_EIO;
}

static tf_err code_to_err(uint32_t code)
{
    switch (code) {
    case SGX_SUCCESS:
        return TF_OK;
    case SGX_INVALID_MEASUREMENT:
        return TF_EIMAGE_MEASUREMENT;
    case SGX_INVALID_ATTRIBUTE:
        return TF_EIMAGE_ATTRIBUTES;
    default:
        return TF_EIMAGE_SIGNATURE;
    }
}

static tf_err init(struct tf_enclave *enclave, const struct sgx_sigstruct *sigstruct)
{
    uint32_t code = SGX_SUCCESS;

    if (enclave->backend->init(enclave->self, sigstruct, &code) != 0) {
        return TF_EIO;
    }
    /* What EINIT accepted is what SIGSTRUCT says. */
    memcpy(enclave->mrenclave, sigstruct->enclave_hash, sizeof(enclave->mrenclave));
    tf_sigstruct_mrsigner(sigstruct, enclave->mrsigner);
    return code_to_err(code);
}

static tf_err load(struct tf_enclave *enclave, const struct tf_enclave_options *options)
{
    tf_err err =
        map_file(options->image_path, IMAGE_MAX, &enclave->file, &enclave->file_size);
    if (err != TF_OK) {
        return err;
    }
    err = tf_image_open(enclave->file, enclave->file_size, &enclave->image);
    if (err != TF_OK) {
        return err;
    }
    if (enclave->image.layout.version != TF_ABI_VERSION) {
        return TF_EVERSION;
    }
    struct sgx_sigstruct sigstruct;
    err = read_sigstruct(options->sigstruct_path, &sigstruct);
    if (err != TF_OK) {
        return err;
    }
    struct sgx_secs secs;
    tf_image_secs(&enclave->image, &secs);
    /* A DEBUG enclave is made only where its signer says so (image sign). */
    secs.attributes.flags |= sigstruct.attributes.flags & SGX_FLAGS_DEBUG;
    memcpy(secs.config_id, options->config_id, sizeof(secs.config_id));
    secs.config_svn = options->config_svn;
    int rc = enclave->backend->create(options, &secs, &enclave->self);
    if (rc != 0) {
        return rc == -ENODEV                    ? TF_EPLATFORM
               : rc == -ENOSPC || rc == -EDQUOT ? TF_ESPACE
                                                : TF_EIO;
    }
    err = add_pages(enclave);
    if (err != TF_OK) {
        return err;
    }
    err = init(enclave, &sigstruct);
    if (err != TF_OK) {
        return err;
    }
    return tf_image_walk(&enclave->image, map_run, enclave);
}

tf_err tf_enclave_open(const struct tf_enclave_options *options, struct tf_enclave **out)
{
    struct tf_enclave *enclave = calloc(1, sizeof(*enclave));
    if (enclave == NULL) {
        return TF_ENOMEM;
    }
    enclave->backend = options->backend != NULL ? options->backend : &tf_backend_sim;
    enclave->aesm.timeout_ms = TF_EVIDENCE_WAIT_MS;
    enclave->aesm.path = options->aesm_path;
    if (enclave->aesm.path == NULL && enclave->backend->quote == NULL) {
        enclave->aesm.path = TF_AESM_PATH;
    }
    tf_err err = TF_OK;
    if (enclave->aesm.path != NULL && options->sgx_port == NULL) {
        err = tf_aesm_open(&enclave->aesm);
    }
    if (err == TF_OK) {
        err = load(enclave, options);
    }
    if (err != TF_OK) {
        tf_enclave_close(enclave);
        return err;
    }
    unmap_file(enclave); /* its layout is known, its bytes are inside */
    *out = enclave;
    return TF_OK;
}

void tf_enclave_close(struct tf_enclave *enclave)
{
    if (enclave == NULL) {
        return;
    }
    enclave->backend->destroy(enclave->self);
    tf_aesm_close(&enclave->aesm);
    unmap_file(enclave);
    free(enclave);
}

unsigned tf_enclave_threads(const struct tf_enclave *enclave)
{
    return enclave->image.layout.threads;
}

bool tf_enclave_is_simulated(const struct tf_enclave *enclave)
{
    return enclave->backend->is_simulated;
}

void tf_enclave_identity(const struct tf_enclave *enclave, uint8_t mrenclave[static 32],
                         uint8_t mrsigner[static 32])
{
    memcpy(mrenclave, enclave->mrenclave, sizeof(enclave->mrenclave));
    memcpy(mrsigner, enclave->mrsigner, sizeof(enclave->mrsigner));
}

tf_err tf_enclave_thread_init(struct tf_enclave *enclave)
{
    return enclave->backend->thread_init(enclave->self) == 0 ? TF_OK : TF_EIO;
}

/* The enclave's word is not trusted by the host either: unknown values are a bug. */
static void read_exit(uint64_t rdi, uint64_t rsi, struct tf_enclave_exit *out)
{
    *out = (struct tf_enclave_exit){TF_EXIT_DEAD, TF_EINTERNAL};
    if (rdi == TF_EXIT_IDLE || rdi == TF_EXIT_MORE) {
        *out = (struct tf_enclave_exit){(enum tf_exit)rdi, TF_OK};
    }
    if (rdi == TF_EXIT_DEAD && rsi > TF_AGAIN && rsi < TF_ERR_COUNT) {
        out->err = (tf_err)rsi;
    }
}

void tf_enclave_enter(struct tf_enclave *enclave, unsigned thread,
                      struct tf_channel *channel, uint64_t now_ns,
                      struct tf_enclave_exit *out)
{
    uint64_t rdi = (uint64_t)(uintptr_t)channel;
    uint64_t rsi = now_ns;

    *out = (struct tf_enclave_exit){TF_EXIT_DEAD, TF_EINTERNAL};
    if (thread >= tf_enclave_threads(enclave)) {
        return;
    }
    uint64_t tcs = tf_image_tcs(&enclave->image, thread);
    if (enclave->backend->enter(enclave->self, tcs, &rdi, &rsi) == 0) {
        read_exit(rdi, rsi, out);
    }
}

const char *tf_enclave_quoted_by(const struct tf_enclave *enclave, uint32_t *code)
{
    *code = enclave->aesm.code;
    return enclave->aesm.path != NULL ? enclave->aesm.path : "simulator";
}

tf_err tf_enclave_target_info(struct tf_enclave *enclave, struct sgx_target_info *out)
{
    if (enclave->aesm.path != NULL) {
        return tf_aesm_target_info(&enclave->aesm, out);
    }
    enclave->backend->target_info(enclave->self, out);
    return TF_OK;
}

tf_err tf_enclave_quote(struct tf_enclave *enclave, const struct sgx_report *report,
                        char *out, size_t *size)
{
    return enclave->aesm.path != NULL
               ? tf_evidence_quote(&enclave->aesm, report, out, size)
               : enclave->backend->quote(enclave->self, report, out, size);
}
