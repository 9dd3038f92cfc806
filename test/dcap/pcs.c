/* SPDX-License-Identifier: Apache-2.0 */
#include "test/dcap/pcs.h"

#include <strings.h>

/* What is being answered. */
struct answer {
    int status;
    const char *type;
    const char *chain_name; /* header with a chain of issuers; NULL: none */
    struct tf_bytes chain;
    char body[PKI_TEXT + 512];
    size_t size;
};

static void put_text(struct answer *a, const char *type, const char *text, size_t size)
{
    a->type = type;
    memcpy(a->body, text, size);
    a->size = size;
}

/* {"KEY":VALUE,"signature":HEX}: the value byte by byte as it was signed. */
static void put_signed(struct answer *a, const char *key, struct tf_bytes value,
                       const uint8_t signature[64])
{
    char hex[129];

    tf_hex_write(signature, 64, hex);
    int size = snprintf(a->body, sizeof(a->body), "{\"%s\":%.*s,\"signature\":\"%s\"}",
                        key, (int)value.size, (const char *)value.data, hex);
    a->type = "application/json";
    a->size = (size_t)size;
}

static void put_hex(struct answer *a, struct tf_bytes der)
{
    tf_hex_write(der.data, der.size, a->body);
    a->type = "text/plain";
    a->size = 2 * der.size;
}

static void put_pem(struct answer *a, struct tf_bytes der)
{
    const unsigned char *at = der.data;
    BIO *bio = BIO_new(BIO_s_mem());
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.size);
    char *text = NULL;

    (void)PEM_write_bio_X509_CRL(bio, crl);
    long size = BIO_get_mem_data(bio, &text);
    put_text(a, "application/x-pem-file", text, (size_t)size);
    X509_CRL_free(crl);
    BIO_free(bio);
}

/* Whether the query has KEY=VALUE; hex digits of FMSPCs come in both cases. */
static bool asks(const char *query, const char *key, const char *value)
{
    size_t key_size = strlen(key);
    size_t value_size = strlen(value);

    for (const char *at = query; at != NULL; at = strchr(at, '&')) {
        at += *at == '&' ? 1 : 0;
        const char *have = at + key_size + 1;
        if (strncmp(at, key, key_size) == 0 && at[key_size] == '=' &&
            strncasecmp(have, value, value_size) == 0 &&
            (have[value_size] == '\0' || have[value_size] == '&')) {
            return true;
        }
    }
    return false;
}

static void answer_tcb(const struct pki *p, const char *query, struct answer *a)
{
    char fmspc[13];

    tf_hex_write(p->fmspc, sizeof(p->fmspc), fmspc);
    if (!asks(query, "fmspc", fmspc)) {
        return;
    }
    a->status = 200;
    a->chain_name = "TCB-Info-Issuer-Chain";
    a->chain = p->collateral.tcb_chain;
    put_signed(a, "tcbInfo", p->collateral.tcb_info, p->collateral.tcb_signature);
}

static void answer_identity(const struct pki *p, struct answer *a)
{
    a->status = 200;
    a->chain_name = "SGX-Enclave-Identity-Issuer-Chain";
    a->chain = p->collateral.qe_chain;
    put_signed(a, "enclaveIdentity", p->collateral.qe_identity,
               p->collateral.qe_signature);
}

static void answer_pck_crl(const struct pki *p, const char *query, struct answer *a)
{
    const struct tf_bytes der = p->collateral.pck_crl;

    if (!asks(query, "ca", p->has_instance ? "platform" : "processor")) {
        return;
    }
    a->status = 200;
    a->chain_name = "SGX-PCK-CRL-Issuer-Chain";
    a->chain = p->collateral.pck_crl_chain;
    if (asks(query, "encoding", "der")) {
        put_text(a, "application/pkix-crl", (const char *)der.data, der.size);
    } else {
        put_pem(a, der);
    }
}

static void route(const struct world *w, const char *path, const char *query,
                  struct answer *a)
{
    static const char middle[] = "/certification/v4/";
    const struct pki *p = strncmp(path, "/tdx", 4) == 0 ? w->tdx : w->sgx;
    const struct tf_bytes root = p->collateral.root_crl;

    if (strcmp(path, "/IntelSGXRootCA.der") == 0) {
        a->status = 200;
        put_text(a, "application/pkix-crl", (const char *)root.data, root.size);
        return;
    }
    if ((strncmp(path, "/sgx", 4) != 0 && strncmp(path, "/tdx", 4) != 0) ||
        strncmp(path + 4, middle, sizeof(middle) - 1) != 0) {
        return;
    }
    const char *name = path + 4 + sizeof(middle) - 1;
    if (strcmp(name, "tcb") == 0) {
        answer_tcb(p, query, a);
    } else if (strcmp(name, "qe/identity") == 0) {
        answer_identity(p, a);
    } else if (strcmp(name, "pckcrl") == 0 && p == w->sgx) {
        answer_pck_crl(p, query, a);
    } else if (strcmp(name, "rootcacrl") == 0 && p == w->sgx) {
        a->status = 200;
        put_hex(a, root);
    }
}

/* As Intel does: everything but RFC 3986's unreserved characters. @return bytes. */
static size_t encode(const struct tf_bytes *text, char *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~";
    size_t at = 0;

    for (size_t i = 0; i < text->size; i++) {
        char c = (char)text->data[i];
        if (c != '\0' && strchr(plain, c) != NULL) {
            out[at++] = c;
        } else {
            at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned)text->data[i]);
        }
    }
    return at;
}

static size_t write_answer(const struct answer *a, char *out)
{
    size_t at = (size_t)snprintf(
        out, PCS_ANSWER_MAX,
        "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\n"
        "Content-Length: %zu\r\nRequest-ID: 0123456789abcdef0123456789abcdef\r\n",
        a->status, a->status == 200 ? "OK" : "Not well", a->type, a->size);

    if (a->chain_name != NULL) {
        at += (size_t)snprintf(out + at, PCS_ANSWER_MAX - at, "%s: ", a->chain_name);
        at += encode(&a->chain, out + at);
        memcpy(out + at, "\r\n", 2);
        at += 2;
    }
    memcpy(out + at, "\r\n", 2);
    memcpy(out + at + 2, a->body, a->size);
    return at + 2 + a->size;
}

size_t pcs_answer(struct world *w, const char *target, char *out)
{
    static struct answer a; /* the lock is held */
    char path[256];
    const char *query = strchr(target, '?');
    size_t path_size = query != NULL ? (size_t)(query - target) : strlen(target);

    a.status = 404;
    a.type = "text/plain";
    a.chain_name = NULL;
    a.size = 0;
    if (!world_refresh(w) || strcmp(w->http, "error") == 0) {
        a.status = 500;
    } else if (path_size < sizeof(path)) {
        memcpy(path, target, path_size);
        path[path_size] = '\0';
        route(w, path, query != NULL ? query + 1 : "", &a);
    }
    if (strcmp(w->http, "garbage") == 0) {
        memset(a.body, 0xa5, a.size);
    }
    return write_answer(&a, out);
}
