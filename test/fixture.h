/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture.h - what a publisher has, for tests and fuzz seeds: ephemeral keys, a trust
 * domain over them, signed envelopes, bundles. Uses OpenSSL and the C library's heap;
 * trusts its callers.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/bundle.h"
#include "lib/bytes.h"
#include "lib/descriptor.h"
#include "lib/dsse.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/revocations.h"

/** A publisher's key. */
struct fixture_key {
    EVP_PKEY *key;
    struct tf_publisher publisher;
};

/** Bytes on the heap; `data` is the caller's to free. */
struct fixture_bytes {
    uint8_t *data;
    size_t size;
};

/** One entry of an archive; `type` 0 means '0', a regular file. */
struct fixture_entry {
    const char *path;
    const char *contents;
    size_t size;
    char type;
};

/** Fills in the public half. */
static inline struct fixture_key fixture_key_of(EVP_PKEY *private_key)
{
    struct fixture_key key = {.key = private_key};
    uint8_t *at = key.publisher.spki;
    key.publisher.spki_size = (size_t)i2d_PUBKEY(key.key, &at);
    uint8_t digest[TF_SHA256_SIZE];
    tf_sha256(key.publisher.spki, key.publisher.spki_size, digest);
    tf_hex_write(digest, sizeof(digest), key.publisher.keyid);
    return key;
}

/** Makes a key: "ED25519" or "P-256". End with fixture_key_close. */
static inline struct fixture_key fixture_key_open(const char *kind)
{
    return fixture_key_of(strcmp(kind, "P-256") == 0
                              ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind)
                              : EVP_PKEY_Q_keygen(NULL, NULL, kind));
}

/** The published key of RFC 8032 section 7.1, test 2; FIXTURE_SPKI is its public half. */
static inline struct fixture_key fixture_key_published(void)
{
    static const uint8_t seed[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda,
                                     0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                     0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24,
                                     0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
    return fixture_key_of(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32));
}
#define FIXTURE_SPKI "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define FIXTURE_DOMAIN                                                                   \
    "{\"tfaas\":\"domain.v1\",\"name\":\"acme\",\"publishers\":[\"" FIXTURE_SPKI "\"]}"

static inline void fixture_key_close(struct fixture_key *key)
{
    EVP_PKEY_free(key->key);
}

static inline void fixture_put_keys(struct tf_json_writer *w, const char *field,
                                    const struct fixture_key *keys, size_t count)
{
    tf_json_open_array(w, field);
    for (size_t i = 0; i < count; i++) {
        tf_json_put_base64(w, NULL, keys[i].publisher.spki, keys[i].publisher.spki_size);
    }
    tf_json_close_array(w);
}

/** Writes the text of a trust domain with these publishers, and an attester if there is
 *  one. @return its size. */
static inline size_t fixture_domain_attested(char *out, size_t cap,
                                             const struct fixture_key *keys, size_t count,
                                             const struct fixture_key *attester)
{
    struct tf_json_writer w;
    size_t size = 0;
    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "domain.v1");
    tf_json_put_string(&w, "name", "acme");
    fixture_put_keys(&w, "publishers", keys, count);
    if (attester != NULL) {
        fixture_put_keys(&w, "attesters", attester, 1);
    }
    tf_json_close_object(&w);
    return tf_json_take(&w, &size) ? 0 : size;
}

/** The same without attesters. */
static inline size_t fixture_domain_write(char *out, size_t cap,
                                          const struct fixture_key *keys, size_t count)
{
    return fixture_domain_attested(out, cap, keys, count, NULL);
}

/** Writes a domain that shares, with one publisher, and an attester unless it is NULL. */
static inline void fixture_shared_write(char *out, size_t cap,
                                        const struct fixture_key *publisher,
                                        const struct fixture_key *attester)
{
    static const char more[] = ",\"sharing\":\"shared\"}";
    size_t size =
        fixture_domain_attested(out, cap - sizeof(more), publisher, 1, attester);
    memcpy(out + size - 1, more, sizeof(more));
}

/** Writes a group of these descriptors. @return its size. */
static inline size_t fixture_group_write(char *out, size_t cap,
                                         const char *const *members, size_t count)
{
    struct tf_json_writer w;
    size_t size = 0;
    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "domain-group.v1");
    tf_json_open_array(&w, "members");
    for (size_t i = 0; i < count; i++) {
        tf_json_put_base64(&w, NULL, members[i], strlen(members[i]));
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, &size) ? 0 : size;
}

/** Signs bytes. @return the signature's size; `out` has 128 bytes. */
static inline size_t fixture_sign(const struct fixture_key *key, const void *data,
                                  size_t size, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t out_size = 128;
    int is_ec = EVP_PKEY_id(key->key) == EVP_PKEY_EC;
    (void)EVP_DigestSignInit(ctx, NULL, is_ec ? EVP_sha256() : NULL, NULL, key->key);
    (void)EVP_DigestSign(ctx, out, &out_size, data, size);
    EVP_MD_CTX_free(ctx);
    return out_size;
}

/** Who signs and what: a keyid and the signature's bytes. */
struct fixture_signature {
    const char *keyid;
    uint8_t bytes[128];
    size_t size;
};

/** Writes an envelope, good or not. */
static inline void fixture_put_envelope(struct tf_json_writer *w, const char *type,
                                        const void *payload, size_t payload_size,
                                        const struct fixture_signature *signature)
{
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "payloadType", type);
    tf_json_put_base64(w, "payload", payload, payload_size);
    tf_json_open_array(w, "signatures");
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "keyid", signature->keyid);
    tf_json_put_base64(w, "sig", signature->bytes, signature->size);
    tf_json_close_object(w);
    tf_json_close_array(w);
    tf_json_close_object(w);
}

/** A signed envelope over a payload. NUL-terminated. */
static inline struct fixture_bytes fixture_envelope(const struct fixture_key *key,
                                                    const char *type, const void *payload,
                                                    size_t payload_size)
{
    size_t cap = 2 * payload_size + 1024;
    uint8_t *pae = malloc(cap);
    struct fixture_signature signature = {.keyid = key->publisher.keyid};
    size_t pae_size = tf_dsse_pae_write(type, payload, payload_size, pae, cap);
    signature.size = fixture_sign(key, pae, pae_size, signature.bytes);
    free(pae);
    struct fixture_bytes out = {malloc(cap), 0};
    struct tf_json_writer w;
    tf_json_writer_init(&w, (char *)out.data, cap);
    fixture_put_envelope(&w, type, payload, payload_size, &signature);
    if (tf_json_take(&w, &out.size)) {
        abort();
    }
    return out;
}

/** A signed revocation list. NUL-terminated. */
static inline struct fixture_bytes fixture_revocations(const struct fixture_key *key,
                                                       const struct tf_revocations *list)
{
    static char text[TF_REVOCATIONS_MAX];
    size_t size = 0;
    if (tf_revocations_write(list, text, sizeof(text), &size)) {
        abort();
    }
    return fixture_envelope(key, TF_DSSE_REVOCATIONS, text, size);
}

/** Sets a header's checksum right after a change. */
static inline void fixture_checksum(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++) {
        sum += header[i];
    }
    for (size_t i = 6; i > 0; i--, sum >>= 3) {
        header[147 + i] = (uint8_t)('0' + (sum & 7));
    }
    header[154] = 0;
}

/** A ustar archive; bad paths and types are written too, with good checksums. */
static inline struct fixture_bytes fixture_archive(const struct fixture_entry *entries,
                                                   size_t count)
{
    struct fixture_bytes out = {NULL, 1024};
    for (size_t i = 0; i < count; i++) {
        out.size += tf_ustar_entry_size(entries[i].size);
    }
    out.data = calloc(1, out.size);
    uint8_t *at = out.data;
    for (size_t i = 0; i < count; i++) {
        const struct fixture_entry *entry = &entries[i];
        if (tf_ustar_header_write(at, "placeholder", entry->size)) {
            abort();
        }
        memset(at, 0, 100);
        memcpy(at, entry->path, strlen(entry->path));
        at[156] = entry->type ? (uint8_t)entry->type : '0';
        fixture_checksum(at);
        memcpy(at + 512, entry->contents, entry->size);
        at += tf_ustar_entry_size(entry->size);
    }
    return out;
}

/** Adds {path, size, sha256} to an open array of a manifest. */
static inline void fixture_put_file(struct tf_json_writer *w,
                                    const struct fixture_entry *file)
{
    uint8_t digest[TF_SHA256_SIZE];
    tf_sha256(file->contents, file->size, digest);
    tf_json_open_object(w, NULL);
    tf_json_put_string(w, "path", file->path);
    tf_json_put_integer(w, "size", file->size);
    tf_json_put_hex(w, "sha256", digest, sizeof(digest));
    tf_json_close_object(w);
}

/** A small good manifest over these files; the first is the entry. @return its size. */
static inline size_t fixture_manifest_write(char *out, size_t cap,
                                            const struct fixture_entry *files,
                                            size_t count)
{
    struct tf_json_writer w;
    size_t size = 0;
    tf_json_writer_init(&w, out, cap);
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "name", "hello");
    tf_json_put_integer(&w, "version", 7);
    tf_json_put_string(&w, "entry", files[0].path);
    tf_json_open_array(&w, "domains");
    tf_json_put_string(&w, NULL, "hello.example");
    tf_json_close_array(&w);
    tf_json_open_array(&w, "files");
    for (size_t i = 0; i < count; i++) {
        fixture_put_file(&w, &files[i]);
    }
    tf_json_close_array(&w);
    tf_json_close_object(&w);
    return tf_json_take(&w, &size) ? 0 : size;
}

/** A bundle: the manifest, signed, and then the entries as they are. */
static inline struct fixture_bytes
fixture_bundle(const struct fixture_key *key, const void *manifest, size_t manifest_size,
               const struct fixture_entry *files, size_t count)
{
    struct fixture_bytes envelope =
        fixture_envelope(key, TF_DSSE_MANIFEST, manifest, manifest_size);
    struct fixture_entry *entries = calloc(count + 1, sizeof(*entries));
    entries[0] = (struct fixture_entry){.path = TF_ENVELOPE_PATH,
                                        .contents = (const char *)envelope.data,
                                        .size = envelope.size};
    for (size_t i = 0; i < count; i++) {
        entries[i + 1] = files[i];
    }
    struct fixture_bytes out = fixture_archive(entries, count + 1);
    free(entries);
    free(envelope.data);
    return out;
}
