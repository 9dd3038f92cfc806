/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/quote.h"

#include <string.h>

#include "lib/bytes.h"

enum {
    KEY_ECDSA_P256 = 2,
    TEE_TYPE_SGX = 0,
    TEE_TYPE_TDX = 0x81,
    BODY_SGX = 1,
    BODY_TD10 = 2,
    BODY_TD15 = 3,
    CERTS_QE_REPORT = 6
};

/* Intel's QE vendor id: no other quoting enclave is known here. */
static const uint8_t INTEL_QE[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                     0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/* @return TF_OK, or whose fault it is that the header is not accepted. */
static tf_err read_header(struct tf_reader *r, struct tf_quote *q)
{
    q->version = tf_read_u16(r);
    uint16_t key_type = tf_read_u16(r);
    uint32_t tee_type = tf_read_u32(r); /* reserved in v3 */
    (void)tf_read_u32(r);
    const uint8_t *vendor = tf_read_bytes(r, sizeof(INTEL_QE));
    (void)tf_read_bytes(r, 20);
    if (r->bad) {
        return TF_EQUOTE_FORMAT;
    }
    if (q->version < 3 || q->version > 5 || key_type != KEY_ECDSA_P256 ||
        memcmp(vendor, INTEL_QE, sizeof(INTEL_QE)) != 0) {
        return TF_EQUOTE_KIND;
    }
    if (tee_type == TEE_TYPE_SGX) {
        q->tee = TF_TEE_SGX;
        return TF_OK;
    }
    q->tee = TF_TEE_TDX;
    return tee_type == TEE_TYPE_TDX && q->version > 3 ? TF_OK : TF_EQUOTE_KIND;
}

/* The size that a v5 body of this type has; 0 if the type is not for this TEE. */
static size_t typed_body_size(uint16_t type, tf_tee tee)
{
    if (tee == TF_TEE_SGX) {
        return type == BODY_SGX ? TF_SGX_BODY_SIZE : 0;
    }
    if (type == BODY_TD10) {
        return TF_TD10_BODY_SIZE;
    }
    return type == BODY_TD15 ? TF_TD15_BODY_SIZE : 0;
}

static tf_err read_body(struct tf_reader *r, struct tf_quote *q)
{
    size_t size = q->tee == TF_TEE_SGX ? TF_SGX_BODY_SIZE : TF_TD10_BODY_SIZE;

    if (q->version == 5) {
        uint16_t type = tf_read_u16(r);
        uint32_t stated = tf_read_u32(r);
        size = typed_body_size(type, q->tee);
        if (r->bad) {
            return TF_EQUOTE_FORMAT;
        }
        if (size == 0) {
            return TF_EQUOTE_KIND;
        }
        if (stated != size) {
            return TF_EQUOTE_FORMAT;
        }
    }
    q->body = (struct tf_bytes){tf_read_bytes(r, size), size};
    q->signed_part = (struct tf_bytes){r->data, r->at};
    return r->bad ? TF_EQUOTE_FORMAT : TF_OK;
}

/* A u32 length and exactly that many bytes, which must be all that is left. */
static bool read_rest(struct tf_reader *r, struct tf_reader *inner)
{
    uint32_t size = tf_read_u32(r);
    const uint8_t *data = tf_read_bytes(r, size);

    if (r->bad || tf_reader_left(r) != 0) {
        return false;
    }
    tf_reader_init(inner, data, size);
    return true;
}

static tf_err read_certified(struct tf_reader *r, struct tf_quote *q)
{
    struct tf_reader certs;

    q->qe_report = tf_read_bytes(r, TF_QE_REPORT_SIZE);
    q->qe_signature = tf_read_bytes(r, TF_P256_SIGNATURE_SIZE);
    uint16_t auth_size = tf_read_u16(r);
    q->auth = (struct tf_bytes){tf_read_bytes(r, auth_size), auth_size};
    uint16_t type = tf_read_u16(r);
    if (!read_rest(r, &certs)) {
        return TF_EQUOTE_FORMAT;
    }
    q->certs = (struct tf_bytes){certs.data, certs.size};
    return type == TF_CERTS_PEM_CHAIN ? TF_OK : TF_EQUOTE_KIND;
}

static tf_err read_signature_data(struct tf_reader *r, struct tf_quote *q)
{
    struct tf_reader inner;

    q->signature = tf_read_bytes(r, TF_P256_SIGNATURE_SIZE);
    q->key = tf_read_bytes(r, TF_P256_XY_SIZE);
    if (q->version == 3) {
        return read_certified(r, q);
    }
    uint16_t type = tf_read_u16(r);
    if (!read_rest(r, &inner)) {
        return TF_EQUOTE_FORMAT;
    }
    return type == CERTS_QE_REPORT ? read_certified(&inner, q) : TF_EQUOTE_KIND;
}

tf_err tf_quote_parse(const uint8_t *data, size_t size, struct tf_quote *out)
{
    struct tf_reader r;
    struct tf_reader signature;
    struct tf_quote q = {0};

    tf_reader_init(&r, data, size < TF_QUOTE_MAX ? size : 0);
    tf_err err = read_header(&r, &q);
    if (err == TF_OK) {
        err = read_body(&r, &q);
    }
    if (err != TF_OK) {
        return err;
    }
    uint32_t signature_size = tf_read_u32(&r);
    const uint8_t *at = tf_read_bytes(&r, signature_size);
    if (r.bad) {
        return TF_EQUOTE_FORMAT;
    }
    tf_reader_init(&signature, at, signature_size);
    err = read_signature_data(&signature, &q);
    if (err != TF_OK) {
        return err;
    }
    q.size = r.at;
    *out = q;
    return TF_OK;
}

static void copy(struct tf_reader *r, uint8_t *out, size_t size)
{
    const uint8_t *data = tf_read_bytes(r, size);

    if (data != NULL) {
        memcpy(out, data, size);
    }
}

tf_err tf_td_body_parse(const struct tf_bytes *data, struct tf_td_body *out)
{
    struct tf_reader r;
    struct tf_td_body body = {.has_td15 = data->size == TF_TD15_BODY_SIZE};

    tf_reader_init(&r, data->data, data->size);
    copy(&r, body.tee_tcb_svn, sizeof(body.tee_tcb_svn));
    copy(&r, body.mrseam, sizeof(body.mrseam));
    copy(&r, body.mrsignerseam, sizeof(body.mrsignerseam));
    copy(&r, body.seam_attributes, sizeof(body.seam_attributes));
    body.td_attributes = tf_read_u64(&r);
    body.xfam = tf_read_u64(&r);
    copy(&r, body.mrtd, sizeof(body.mrtd));
    copy(&r, body.mrconfigid, sizeof(body.mrconfigid));
    copy(&r, body.mrowner, sizeof(body.mrowner));
    copy(&r, body.mrownerconfig, sizeof(body.mrownerconfig));
    for (size_t i = 0; i < 4; i++) {
        copy(&r, body.rtmr[i], sizeof(body.rtmr[i]));
    }
    copy(&r, body.report_data, sizeof(body.report_data));
    if (body.has_td15) {
        copy(&r, body.tee_tcb_svn2, sizeof(body.tee_tcb_svn2));
        copy(&r, body.mrservicetd, sizeof(body.mrservicetd));
    }
    if (r.bad || tf_reader_left(&r) != 0) {
        return TF_EQUOTE_FORMAT;
    }
    *out = body;
    return TF_OK;
}
