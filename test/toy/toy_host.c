/* SPDX-License-Identifier: Apache-2.0 */
#include "test/toy/toy_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/image.h"
#include "lib/rsa3.h"
#include "lib/sigstruct.h"

enum { IMAGE_MAX = 16 << 20, TODAY = 0x20240101, NOW = 1234567 };

static void must(int is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "toy: %s failed\n", what);
        exit(1);
    }
}

static size_t read_file(const char *path, uint8_t *out, size_t cap)
{
    FILE *file = fopen(path, "rb");
    must(file != NULL, path);
    size_t size = fread(out, 1, cap, file);
    (void)fclose(file);
    return size;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    must(file != NULL, path);
    must(fwrite(bytes, 1, size, file) == size && fclose(file) == 0, path);
}

void tf_toy_sign(struct sgx_sigstruct *sig)
{
    static char pem[TF_RSA3_PEM_MAX];
    static size_t pem_size;
    struct tf_rsa3_signature rsa;
    uint8_t message[TF_SIGSTRUCT_SIGNED];

    if (pem_size == 0) {
        must(tf_rsa3_keygen(pem, &pem_size) == TF_OK, "tf_rsa3_keygen");
    }
    tf_sigstruct_message(sig, message);
    must(tf_rsa3_sign(pem, pem_size, message, sizeof(message), &rsa) == TF_OK,
         "tf_rsa3_sign");
    memcpy(sig->modulus, rsa.modulus, sizeof(rsa.modulus));
    memcpy(sig->signature, rsa.signature, sizeof(rsa.signature));
    memcpy(sig->q1, rsa.q1, sizeof(rsa.q1));
    memcpy(sig->q2, rsa.q2, sizeof(rsa.q2));
}

static void sign(const uint8_t *bytes, size_t size, struct sgx_sigstruct *sig)
{
    static struct sgx_secs secs;
    struct tf_image image;
    struct tf_sigstruct_identity identity = {.prod_id = 1, .svn = 2, .date = TODAY};

    must(tf_image_open(bytes, size, &image) == TF_OK, "tf_image_open");
    must(tf_image_measure(&image, identity.mrenclave) == TF_OK, "tf_image_measure");
    tf_image_secs(&image, &secs);
    tf_sigstruct_init(sig, &secs, &identity);
    tf_toy_sign(sig);
}

void tf_toy_files_make(struct tf_toy_files *files, const char *image_path)
{
    struct sgx_sigstruct sig;
    uint8_t *bytes = malloc(IMAGE_MAX);

    must(bytes != NULL, "malloc");
    (void)snprintf(files->directory, sizeof(files->directory), "/tmp/tfaas-toy-XXXXXX");
    must(mkdtemp(files->directory) != NULL, "mkdtemp");
    (void)snprintf(files->image, sizeof(files->image), "%s/image", files->directory);
    (void)snprintf(files->sigstruct, sizeof(files->sigstruct), "%s/sig",
                   files->directory);
    (void)snprintf(files->sim, sizeof(files->sim), "%s/sim", files->directory);
    size_t size = read_file(image_path, bytes, IMAGE_MAX);
    sign(bytes, size, &sig);
    write_file(files->image, bytes, size);
    write_file(files->sigstruct, &sig, sizeof(sig));
    free(bytes);
}

void tf_toy_files_begin(struct tf_toy_files *files, int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s toy.img\n", argv[0]);
        exit(2);
    }
    tf_toy_files_make(files, argv[1]);
}

void tf_toy_files_remove(const struct tf_toy_files *files)
{
    char path[128];

    (void)unlink(files->image);
    (void)unlink(files->sigstruct);
    (void)snprintf(path, sizeof(path), "%s/machine.key", files->sim);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/root.pem", files->sim);
    (void)unlink(path);
    (void)rmdir(files->sim);
    (void)rmdir(files->directory);
}

struct tf_enclave_options tf_toy_options(const struct tf_toy_files *files)
{
    return (struct tf_enclave_options){.image_path = files->image,
                                       .sigstruct_path = files->sigstruct,
                                       .sim_dir = files->sim};
}

static size_t channels_size(const struct tf_toy *toy)
{
    return tf_enclave_threads(toy->enclave) * sizeof(struct tf_channel);
}

void tf_toy_open(struct tf_toy *toy, const struct tf_enclave_options *options)
{
    memset(toy, 0, sizeof(*toy));
    must(tf_enclave_open(options, &toy->enclave) == TF_OK, "tf_enclave_open");
    must(tf_enclave_thread_init(toy->enclave) == TF_OK, "tf_enclave_thread_init");
    toy->channels = mmap(NULL, channels_size(toy), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(toy->channels != MAP_FAILED, "mmap");
}

void tf_toy_close(struct tf_toy *toy)
{
    (void)munmap(toy->channels, channels_size(toy));
    tf_enclave_close(toy->enclave);
}

static uint32_t padded(uint32_t size)
{
    return (size + 7) / 8 * 8;
}

static void ring_write(struct tf_ring *ring, uint64_t at, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ring->data[(at + i) % TF_RING_SIZE] = ((const uint8_t *)bytes)[i];
    }
}

static void ring_read(const struct tf_ring *ring, uint64_t at, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)bytes)[i] = ring->data[(at + i) % TF_RING_SIZE];
    }
}

void tf_toy_put(struct tf_toy *toy, uint32_t type, const void *payload, uint32_t size)
{
    struct tf_ring *ring = &toy->channels[toy->thread].in;
    struct tf_frame frame = {type, size, 7};

    ring_write(ring, ring->head, &frame, sizeof(frame));
    ring_write(ring, ring->head + sizeof(frame), payload, size);
    ring->head += sizeof(frame) + padded(size);
}

struct tf_enclave_exit tf_toy_enter(struct tf_toy *toy)
{
    struct tf_enclave_exit out;

    tf_enclave_enter(toy->enclave, toy->thread, &toy->channels[toy->thread], NOW, &out);
    return out;
}

long tf_toy_take(struct tf_toy *toy, uint32_t type, void *payload, size_t cap)
{
    struct tf_ring *ring = &toy->channels[toy->thread].out;
    struct tf_frame frame;

    if (ring->head - ring->tail < sizeof(frame)) {
        return -1;
    }
    ring_read(ring, ring->tail, &frame, sizeof(frame));
    if (frame.type != type || frame.size > cap) {
        return -1;
    }
    ring_read(ring, ring->tail + sizeof(frame), payload, frame.size);
    ring->tail += sizeof(frame) + padded(frame.size);
    return frame.size;
}

int tf_toy_call(struct tf_toy *toy, uint32_t type, const void *payload, uint32_t size,
                void *out, size_t out_size)
{
    tf_toy_put(toy, type, payload, size);
    if (tf_toy_enter(toy).exit != TF_EXIT_IDLE) {
        return 0;
    }
    return tf_toy_take(toy, type, out, out_size) == (long)out_size;
}
