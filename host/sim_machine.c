/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_machine.c - what is fused into a CPU and provisioned to its quoting enclave, as two
 * files that are made once per machine. Their owner can read them: it is a simulator.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "host/sim.h"
#include "lib/bytes.h"
#include "lib/crypto.h"

enum { PEM_MAX = 4096, CPU_SVN = 1, CPU_LINE_MAX = 128 };

/* The first is what a machine has that does not say otherwise. */
static const struct tf_sim_cpu cpus[] = {
    /* DEBUG, MODE64BIT, PROVISIONKEY, EINITTOKEN_KEY, KSS; up to AVX-512 and PKRU */
    {.name = "icelake-sp",
     .flags = 0xb6,
     .xfrm = 0x2e7,
     .misc = 1,
     .size_bits = 56,
     .has_sgx2 = true},
    /* before KSS: our own images, which need it, do not start there */
    {.name = "sgx1-client", .flags = 0x36, .xfrm = 0x1f, .misc = 0, .size_bits = 36},
};

const struct tf_sim_cpu *tf_sim_cpu_find(const char *name)
{
    for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
        if (name == NULL || strcmp(cpus[i].name, name) == 0) {
            return &cpus[i];
        }
    }
    return NULL;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size != 0) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

static int sync_directory(int directory)
{
    return fsync(directory) == 0 ? 0 : -errno;
}

/* Stores a new file whole or not at all; if another process was quicker, its file stays.
 */
static int store_once(int directory, const char *name, const uint8_t *bytes, size_t size)
{
    char temporary[NAME_MAX];

    (void)snprintf(temporary, sizeof(temporary), ".%s.%d", name, (int)getpid());
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                    S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return -errno;
    }
    int rc = write_all(fd, bytes, size);
    (void)close(fd);
    if (rc == 0 && linkat(directory, temporary, directory, name, 0) != 0 &&
        errno != EEXIST) {
        rc = -errno;
    }
    (void)unlinkat(directory, temporary, 0);
    return rc != 0 ? rc : sync_directory(directory);
}

/* @return bytes read (at most cap - 1), or -errno. */
static ssize_t read_whole(int directory, const char *name, uint8_t *out, size_t cap)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -errno;
    }
    size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < cap) {
        got = read(fd, out + size, cap - size);
        size += got > 0 ? (size_t)got : 0;
    }
    int rc = got < 0 ? -errno : 0;
    (void)close(fd);
    if (rc != 0) {
        return rc;
    }
    return size < cap ? (ssize_t)size : -EINVAL;
}

static int make_machine_key(int directory)
{
    uint8_t key[32];

    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        return -EIO;
    }
    int rc = store_once(directory, "machine.key", key, sizeof(key));
    tf_wipe(key, sizeof(key));
    return rc;
}

static int make_root(int directory)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    int rc = -EIO;

    if (key != NULL && bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        long size = BIO_get_mem_data(bio, &pem);
        rc = store_once(directory, "root.pem", (const uint8_t *)pem, (size_t)size);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return rc;
}

static int read_or_make(int directory, const char *name, int (*make)(int), uint8_t *out,
                        size_t cap, size_t *size)
{
    ssize_t got = read_whole(directory, name, out, cap);

    if (got == -ENOENT) {
        int rc = make(directory);
        if (rc != 0) {
            return rc;
        }
        got = read_whole(directory, name, out, cap);
    }
    if (got < 0) {
        return (int)got;
    }
    *size = (size_t)got;
    return 0;
}

/* PKCS#8 (RFC 8410): SEQUENCE { 0, SEQUENCE { id-Ed25519 }, OCTET STRING of one }. */
static const uint8_t pkcs8_prefix[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                       0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

/* SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING of 32 bytes } */
static const uint8_t spki_prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

/* The seed in root.pem, which has one line of base64. */
static int read_signer(struct tf_sim_machine *machine, const uint8_t *pem, size_t size)
{
    static const char begin[] = "-----BEGIN PRIVATE KEY-----\n";
    const size_t head = sizeof(begin) - 1;
    uint8_t der[sizeof(pkcs8_prefix) + sizeof(machine->signer)];
    size_t line = tf_base64_size(sizeof(der));
    size_t der_size = 0;
    int rc = -EINVAL;

    if (size > head + line && memcmp(pem, begin, head) == 0 && pem[head + line] == '\n' &&
        tf_base64_parse((const char *)pem + head, line, der, sizeof(der), &der_size) ==
            TF_OK &&
        der_size == sizeof(der) && memcmp(der, pkcs8_prefix, sizeof(pkcs8_prefix)) == 0) {
        memcpy(machine->signer, der + sizeof(pkcs8_prefix), sizeof(machine->signer));
        rc = 0;
    }
    tf_wipe(der, sizeof(der));
    return rc;
}

struct evp_pkey_st *tf_sim_machine_signer(const struct tf_sim_machine *machine,
                                          uint8_t spki[static TF_SIM_SPKI_SIZE])
{
    size_t size = TF_SIM_SPKI_SIZE - sizeof(spki_prefix);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, machine->signer,
                                                 sizeof(machine->signer));

    if (key == NULL ||
        EVP_PKEY_get_raw_public_key(key, spki + sizeof(spki_prefix), &size) != 1) {
        EVP_PKEY_free(key);
        return NULL;
    }
    memcpy(spki, spki_prefix, sizeof(spki_prefix));
    return key;
}

static int read_keys(struct tf_sim_machine *machine, int directory)
{
    uint8_t bytes[PEM_MAX];
    size_t size = 0;

    int rc = read_or_make(directory, "machine.key", make_machine_key, bytes,
                          sizeof(bytes), &size);
    if (rc == 0 && size != sizeof(machine->root)) {
        rc = -EINVAL;
    }
    if (rc != 0) {
        return rc;
    }
    memcpy(machine->root, bytes, sizeof(machine->root));
    rc = read_or_make(directory, "root.pem", make_root, bytes, sizeof(bytes), &size);
    if (rc == 0) {
        rc = read_signer(machine, bytes, size);
    }
    tf_wipe(bytes, sizeof(bytes));
    return rc;
}

/* sim_dir/cpu, if there: the processor's name, a space, and its CPUSVN as 32 hex digits.
 * Raising a component of the CPUSVN is what a microcode update does. */
static int read_cpu(struct tf_sim_machine *machine, int directory)
{
    char line[CPU_LINE_MAX] = {0};

    memset(machine->cpu_svn, CPU_SVN, sizeof(machine->cpu_svn));
    machine->cpu = *tf_sim_cpu_find(NULL);
    ssize_t got = read_whole(directory, "cpu", (uint8_t *)line, sizeof(line));
    if (got == -ENOENT) {
        return 0;
    }
    char *space = got > 0 ? strchr(line, ' ') : NULL;
    if (space == NULL) {
        return -EINVAL;
    }
    *space = 0;
    space[strcspn(space + 1, "\n") + 1] = 0;
    const struct tf_sim_cpu *cpu = tf_sim_cpu_find(line);
    if (cpu == NULL || tf_hex_parse(space + 1, strlen(space + 1), machine->cpu_svn,
                                    sizeof(machine->cpu_svn)) != TF_OK) {
        return -EINVAL;
    }
    machine->cpu = *cpu;
    return 0;
}

int tf_sim_machine_open(struct tf_sim_machine *machine, const char *directory)
{
    if (mkdir(directory, S_IRWXU) != 0 && errno != EEXIST) {
        return -errno;
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int rc = read_keys(machine, fd);
    if (rc == 0) {
        rc = read_cpu(machine, fd);
    }
    (void)close(fd);
    if (rc != 0) {
        return rc;
    }
    ssize_t size = sizeof(machine->report_key_id);
    return getrandom(machine->report_key_id, (size_t)size, 0) == size ? 0 : -EIO;
}

void tf_sim_machine_wipe(struct tf_sim_machine *machine)
{
    tf_wipe(machine, sizeof(*machine));
}
