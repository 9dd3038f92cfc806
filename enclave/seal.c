/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/seal.h"

#include <string.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "enclave/enclu.h"
#include "enclave/js/env.h"
#include "lib/bytes.h"
#include "lib/crypto.h"

enum { KEY_SIZE = 32, NONCE_SIZE = 12, RESERVED_SIZE = 4 };

static const uint8_t magic[8] = {'T', 'F', 'S', 'E', 'A', 'L', '1', 0};
static const uint8_t info[] = {'t', 'f', 'a', 'a', 's', ' ', 's',
                               'e', 'a', 'l', ' ', 'v', '1'};

/* The bytes before the ciphertext, decoded. */
struct head {
    uint8_t cpu_svn[16];
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t key_id[32];
    uint8_t nonce[NONCE_SIZE];
};

static void write_head(const struct head *head, uint8_t *out)
{
    memcpy(out, magic, sizeof(magic));
    memcpy(out + 8, head->cpu_svn, sizeof(head->cpu_svn));
    tf_store_u16(out + 24, head->isv_svn);
    tf_store_u16(out + 26, head->config_svn);
    memset(out + 28, 0, RESERVED_SIZE);
    memcpy(out + 32, head->key_id, sizeof(head->key_id));
    memcpy(out + 64, head->nonce, sizeof(head->nonce));
}

static tf_err parse_head(const uint8_t *blob, size_t size, struct head *out)
{
    static const uint8_t zeros[RESERVED_SIZE];
    struct tf_reader r;

    tf_reader_init(&r, blob, size);
    const uint8_t *found = tf_read_bytes(&r, sizeof(magic));
    const uint8_t *cpu_svn = tf_read_bytes(&r, sizeof(out->cpu_svn));
    uint16_t isv_svn = tf_read_u16(&r);
    uint16_t config_svn = tf_read_u16(&r);
    const uint8_t *reserved = tf_read_bytes(&r, RESERVED_SIZE);
    const uint8_t *key_id = tf_read_bytes(&r, sizeof(out->key_id));
    const uint8_t *nonce = tf_read_bytes(&r, sizeof(out->nonce));
    if (r.bad || tf_reader_left(&r) < TF_SEAL_TAG_SIZE || config_svn != 0 ||
        memcmp(found, magic, sizeof(magic)) != 0 ||
        memcmp(reserved, zeros, sizeof(zeros)) != 0) {
        return TF_ESEAL;
    }
    memcpy(out->cpu_svn, cpu_svn, sizeof(out->cpu_svn));
    out->isv_svn = isv_svn;
    out->config_svn = config_svn;
    memcpy(out->key_id, key_id, sizeof(out->key_id));
    memcpy(out->nonce, nonce, sizeof(out->nonce));
    return TF_OK;
}

/* EGETKEY (SDM 38.17): bound to MRENCLAVE and CONFIGID; an SVN above the CPU's or the
 * enclave's own is refused by the CPU, a lower one gives the key of that time. */
static tf_err derive(const struct head *head, uint8_t out[static KEY_SIZE])
{
    struct sgx_key_request request;
    uint8_t root[16];

    memset(&request, 0, sizeof(request));
    request.key_name = SGX_KEYNAME_SEAL;
    request.key_policy = SGX_KEYPOLICY_MRENCLAVE | SGX_KEYPOLICY_CONFIGID;
    request.isv_svn = head->isv_svn;
    request.config_svn = head->config_svn;
    memcpy(request.cpu_svn, head->cpu_svn, sizeof(request.cpu_svn));
    memcpy(request.key_id, head->key_id, sizeof(request.key_id));
    /* All attributes count: a debug enclave, whose memory the host can read, gets another
     * key. */
    request.attribute_mask.flags = UINT64_MAX;
    request.attribute_mask.xfrm = UINT64_MAX;
    request.misc_mask = UINT32_MAX;
    uint32_t code = tf_egetkey(&request, root);
    if (code != SGX_SUCCESS) {
        return code == SGX_INVALID_KEYNAME ? TF_ESEAL_NONE : TF_ESEAL;
    }
    int rc = wc_HKDF(WC_SHA256, root, sizeof(root), NULL, 0, info, sizeof(info), out,
                     KEY_SIZE);
    tf_wipe(root, sizeof(root));
    return rc == 0 ? TF_OK : TF_ESEAL;
}

static tf_err open_cipher(const struct head *head, Aes *aes)
{
    uint8_t key[KEY_SIZE];

    tf_err err = derive(head, key);
    if (err != TF_OK) {
        return err;
    }
    int rc = wc_AesInit(aes, NULL, INVALID_DEVID);
    if (rc == 0) {
        rc = wc_AesGcmSetKey(aes, key, sizeof(key));
    }
    tf_wipe(key, sizeof(key));
    return rc == 0 ? TF_OK : TF_ESEAL;
}

static void close_cipher(Aes *aes)
{
    wc_AesFree(aes);
    tf_wipe(aes, sizeof(*aes));
}

/* The SVNs in force now: a REPORT for nobody tells them. */
static void make_head(struct head *head)
{
    static const uint8_t no_data[64];
    struct sgx_target_info target;
    struct sgx_report report;

    memset(&target, 0, sizeof(target));
    tf_ereport(&target, no_data, &report);
    memcpy(head->cpu_svn, report.cpu_svn, sizeof(head->cpu_svn));
    head->isv_svn = report.isv_svn;
    head->config_svn = 0;
    tf_random(head->key_id, sizeof(head->key_id));
    tf_random(head->nonce, sizeof(head->nonce));
}

tf_err tf_seal(const void *plain, size_t size, uint8_t *out)
{
    struct head head;
    Aes aes;

    make_head(&head);
    write_head(&head, out);
    tf_err err = open_cipher(&head, &aes);
    if (err != TF_OK) {
        return err == TF_ESEAL_NONE ? err : TF_EINTERNAL;
    }
    uint8_t *cipher = out + TF_SEAL_HEAD_SIZE;
    int rc = wc_AesGcmEncrypt(&aes, cipher, plain, (word32)size, head.nonce, NONCE_SIZE,
                              cipher + size, TF_SEAL_TAG_SIZE, out, TF_SEAL_HEAD_SIZE);
    close_cipher(&aes);
    return rc == 0 ? TF_OK : TF_EINTERNAL;
}

tf_err tf_unseal(const uint8_t *blob, size_t size, uint8_t *plain, size_t *plain_size)
{
    struct head head;
    Aes aes;

    tf_err err = parse_head(blob, size, &head);
    if (err != TF_OK) {
        return err;
    }
    err = open_cipher(&head, &aes);
    if (err != TF_OK) {
        return err;
    }
    size_t inner = size - TF_SEAL_OVERHEAD;
    const uint8_t *cipher = blob + TF_SEAL_HEAD_SIZE;
    int rc = wc_AesGcmDecrypt(&aes, plain, cipher, (word32)inner, head.nonce, NONCE_SIZE,
                              cipher + inner, TF_SEAL_TAG_SIZE, blob, TF_SEAL_HEAD_SIZE);
    close_cipher(&aes);
    if (rc != 0) {
        tf_wipe(plain, inner);
        return TF_ESEAL;
    }
    *plain_size = inner;
    return TF_OK;
}
