/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.h - the bytes of an ECDSA quote of Intel's DCAP, versions 3, 4 and 5, over an SGX
 * enclave or a TDX trust domain. Only takes it apart, with exact bounds; what it says is
 * believed by nobody until verify/dcap.h has judged it. Formats: Intel's "ECDSA Quote
 * Library Reference" (v3) and "TDX DCAP Quoting Library API", appendix 3 (v4, v5).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum {
    TF_QUOTE_MAX = 64 << 10, /* larger files are no quotes */
    TF_SGX_BODY_SIZE = 384,  /* struct sgx_report without key id and MAC */
    TF_TD10_BODY_SIZE = 584,
    TF_TD15_BODY_SIZE = 648,
    TF_QE_REPORT_SIZE = 384,     /* an SGX body too */
    TF_P256_SIGNATURE_SIZE = 64, /* r || s, big-endian */
    TF_P256_XY_SIZE = 64,
    TF_CERTS_PEM_CHAIN = 5 /* the only certification data that is accepted */
};

/** Whose trusted execution environment. */
typedef enum tf_tee { TF_TEE_NONE, TF_TEE_SGX, TF_TEE_TDX, TF_TEE_SNP } tf_tee;

/** Bytes that somebody else keeps. */
struct tf_bytes {
    const uint8_t *data;
    size_t size;
};

/** A quote taken apart: everything points into the caller's bytes and is untrusted. */
struct tf_quote {
    uint16_t version;
    tf_tee tee;
    struct tf_bytes signed_part; /* header and body, with what v5 has between */
    struct tf_bytes body;        /* TF_SGX_, TF_TD10_ or TF_TD15_BODY_SIZE */
    const uint8_t *signature;    /* of signed_part; TF_P256_SIGNATURE_SIZE */
    const uint8_t *key;          /* the attestation key; TF_P256_XY_SIZE */
    const uint8_t *qe_report;    /* TF_QE_REPORT_SIZE */
    const uint8_t *qe_signature; /* by the PCK; TF_P256_SIGNATURE_SIZE */
    struct tf_bytes auth;        /* bound into the QE report with the key */
    struct tf_bytes certs;       /* PEM: PCK, its CA, the root */
    size_t size;                 /* up to the end of the signature data */
};

/**
 * Takes an untrusted quote apart. Bytes after the signature data are left alone: real
 * quotes come in buffers filled up with zeros.
 *
 * @return TF_OK; TF_EQUOTE_FORMAT; TF_EQUOTE_KIND for a version, key type, TEE, body or
 *         certification data that is not accepted.
 */
TF_MUST_USE tf_err tf_quote_parse(const uint8_t *data, size_t size, struct tf_quote *out);

/** The fields of a TD report body. */
struct tf_td_body {
    uint8_t tee_tcb_svn[16];
    uint8_t mrseam[48];
    uint8_t mrsignerseam[48];
    uint8_t seam_attributes[8];
    uint64_t td_attributes;
    uint64_t xfam;
    uint8_t mrtd[48];
    uint8_t mrconfigid[48];
    uint8_t mrowner[48];
    uint8_t mrownerconfig[48];
    uint8_t rtmr[4][48];
    uint8_t report_data[64];
    bool has_td15; /* then the next two are there */
    uint8_t tee_tcb_svn2[16];
    uint8_t mrservicetd[48];
};

/** Reads a body of TF_TD10_BODY_SIZE or TF_TD15_BODY_SIZE bytes.
 *  @return TF_OK or TF_EQUOTE_FORMAT. */
TF_MUST_USE tf_err tf_td_body_parse(const struct tf_bytes *data, struct tf_td_body *out);
