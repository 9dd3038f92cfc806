/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/pck.h"

#include <string.h>

#include "verify/chain.h"
#include "verify/der.h"

static const char SGX_EXTENSION[] = "1.2.840.113741.1.13.1";
static const uint8_t SGX_OID[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum {
    ID_PPID = 1,
    ID_TCB = 2,
    ID_PCEID = 3,
    ID_FMSPC = 4,
    ID_TYPE = 5,
    ID_INSTANCE = 6,
    ID_CONFIGURATION = 7,
    TCB_PCESVN = 17,
    TCB_CPUSVN = 18
};

/* Opens the next SEQUENCE { OID, value }. @return the OID's last number when the rest of
 * it is `prefix` and `prefix_size` bytes follow SGX_OID; 0 and bad if not. */
static uint8_t open_field(struct tf_reader *r, uint8_t parent, struct tf_reader *field)
{
    struct tf_reader oid;
    size_t prefix = sizeof(SGX_OID) + (parent != 0 ? 1 : 0);

    if (!tf_der_open(r, TF_DER_SEQUENCE, field) ||
        !tf_der_open(field, TF_DER_OID, &oid) || oid.size != prefix + 1 ||
        memcmp(oid.data, SGX_OID, sizeof(SGX_OID)) != 0 ||
        (parent != 0 && oid.data[sizeof(SGX_OID)] != parent)) {
        r->bad = true;
        return 0;
    }
    return oid.data[prefix];
}

/* A bit a field, so that none comes twice and all that must be there are. */
static bool is_first(uint32_t *seen, uint8_t id)
{
    uint32_t bit = id < 32 ? UINT32_C(1) << id : 0;
    bool is_new = bit != 0 && (*seen & bit) == 0;

    *seen |= bit;
    return is_new;
}

static bool read_svn(struct tf_reader *field, uint8_t id, struct tf_pck *out)
{
    uint32_t value = 0;

    if (id == TCB_CPUSVN) {
        return tf_der_octets(field, out->cpu_svn, sizeof(out->cpu_svn));
    }
    if (!tf_der_integer(field, TF_DER_INTEGER, id == TCB_PCESVN ? UINT16_MAX : UINT8_MAX,
                        &value)) {
        return false;
    }
    if (id == TCB_PCESVN) {
        out->pce_svn = (uint16_t)value;
        return true;
    }
    if (id == 0 || id > 16) {
        return false;
    }
    out->component_svn[id - 1] = (uint8_t)value;
    return true;
}

static bool read_tcb(struct tf_reader *r, struct tf_pck *out)
{
    struct tf_reader in;
    struct tf_reader field;
    uint32_t seen = 0;

    if (!tf_der_open(r, TF_DER_SEQUENCE, &in)) {
        return false;
    }
    while (tf_reader_left(&in) > 0) {
        uint8_t id = open_field(&in, ID_TCB, &field);
        if (in.bad || !is_first(&seen, id) || !read_svn(&field, id, out) ||
            tf_reader_left(&field) != 0) {
            return false;
        }
    }
    return seen == 0x7fffe; /* 1 to 18 */
}

static bool read_configuration(struct tf_reader *r, struct tf_pck *out)
{
    bool *const flags[] = {&out->is_dynamic, &out->has_cached_keys, &out->has_smt};
    struct tf_reader in;
    struct tf_reader field;
    uint32_t seen = 0;

    if (!tf_der_open(r, TF_DER_SEQUENCE, &in)) {
        return false;
    }
    while (tf_reader_left(&in) > 0) {
        uint8_t id = open_field(&in, ID_CONFIGURATION, &field);
        if (in.bad || !is_first(&seen, id) || id < 1 || id > 3 ||
            !tf_der_boolean(&field, flags[id - 1]) || tf_reader_left(&field) != 0) {
            return false;
        }
    }
    return true;
}

static bool read_field(struct tf_reader *field, uint8_t id, struct tf_pck *out)
{
    uint32_t type = 0;

    switch (id) {
    case ID_PPID:
        return tf_der_octets(field, out->ppid, sizeof(out->ppid));
    case ID_TCB:
        return read_tcb(field, out);
    case ID_PCEID:
        return tf_der_octets(field, out->pce_id, sizeof(out->pce_id));
    case ID_FMSPC:
        return tf_der_octets(field, out->fmspc, sizeof(out->fmspc));
    case ID_TYPE:
        if (!tf_der_integer(field, TF_DER_ENUMERATED, 2, &type)) {
            return false;
        }
        out->sgx_type = (uint8_t)type;
        return true;
    case ID_INSTANCE:
        out->has_instance = true;
        return tf_der_octets(field, out->instance_id, sizeof(out->instance_id));
    case ID_CONFIGURATION:
        return read_configuration(field, out);
    default:
        return false;
    }
}

tf_err tf_pck_parse(const X509 *cert, struct tf_pck *out)
{
    struct tf_bytes extension;
    struct tf_reader r;
    struct tf_reader in;
    struct tf_reader field;
    struct tf_pck pck = {0};
    uint32_t seen = 0;

    if (!tf_cert_extension(cert, SGX_EXTENSION, &extension)) {
        return TF_ECHAIN_FORMAT;
    }
    tf_reader_init(&r, extension.data, extension.size);
    if (!tf_der_open(&r, TF_DER_SEQUENCE, &in) || tf_reader_left(&r) != 0) {
        return TF_ECHAIN_FORMAT;
    }
    while (tf_reader_left(&in) > 0) {
        uint8_t id = open_field(&in, 0, &field);
        if (in.bad || !is_first(&seen, id) || !read_field(&field, id, &pck) ||
            tf_reader_left(&field) != 0) {
            return TF_ECHAIN_FORMAT;
        }
    }
    if ((seen & 0x3e) != 0x3e) { /* 1 to 5 */
        return TF_ECHAIN_FORMAT;
    }
    *out = pck;
    return TF_OK;
}
