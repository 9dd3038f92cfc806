/* SPDX-License-Identifier: Apache-2.0 */
#include "test/dcap/aesm.h"

enum { FIELD_INIT = 15, FIELD_QUOTE = 17, WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { CODE_UNEXPECTED = 1, CODE_PARAMETER = 2, CODE_BUSY = 18, CODE_NO_KEY = 42 };

/* --- protobuf, of well-formed messages only
 * --------------------------------------------- */

static void put_number(struct aesm_message *m, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) {
        m->bytes[m->size++] = (uint8_t)(value | 0x80);
    }
    m->bytes[m->size++] = (uint8_t)value;
}

static void put_bytes(struct aesm_message *m, unsigned field, const void *data,
                      size_t size)
{
    put_number(m, field << 3 | WIRE_BYTES);
    put_number(m, size);
    memcpy(m->bytes + m->size, data, size);
    m->size += size;
}

static uint64_t get_number(struct tf_reader *r)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *byte = tf_read_bytes(r, 1);
        value |= byte != NULL ? (uint64_t)(*byte & 0x7f) << shift : 0;
        if (byte == NULL || *byte < 0x80) {
            break;
        }
    }
    return value;
}

/* @return the bytes of the field (of a varint: none, its value as the size), data NULL if
 * there is no such field. */
static struct tf_bytes find(const struct tf_bytes *message, unsigned field)
{
    struct tf_reader r;

    tf_reader_init(&r, message->data, message->size);
    while (tf_reader_left(&r) > 0) {
        uint64_t key = get_number(&r);
        uint64_t size = get_number(&r);
        const uint8_t *data =
            tf_read_bytes(&r, (key & 7) == WIRE_BYTES ? (size_t)size : 0);
        if (key >> 3 == field && data != NULL) {
            return (struct tf_bytes){data, (size_t)size};
        }
    }
    return (struct tf_bytes){NULL, 0};
}

/* --- AESM
 * --------------------------------------------------------------------------------- */

static bool is_mode(const struct world *w, const char *name)
{
    return strcmp(w->aesm, name) == 0;
}

/* The quoting enclave for which REPORTs must be made. */
static void make_target(const struct world *w, struct sgx_target_info *out)
{
    static const char name[] = "tfaas fake quoting enclave";

    memset(out, 0, sizeof(*out));
    tf_sha256(name, sizeof(name) - 1, out->mrenclave);
    out->mrenclave[0] = (uint8_t)w->qe;
    out->attributes.flags = SGX_FLAGS_INIT | SGX_FLAGS_MODE64BIT;
    out->attributes.xfrm = TF_XFRM;
}

/* sgx_att_key_id_t: ids and versions 0, MRSIGNER's length, ISVPRODID, ECDSA P-256. */
static bool is_key_id(struct tf_bytes id)
{
    static const uint8_t head[] = {0, 0, 0, 0, 32, 0, 0x8c, 0x4f, 0x57, 0x75};

    return id.data != NULL && id.size == 256 &&
           memcmp(id.data, head, sizeof(head)) == 0 && id.data[54] == 1 &&
           id.data[154] == 2;
}

static uint32_t answer_init(struct world *w, const struct tf_bytes *request,
                            struct aesm_message *bytes)
{
    struct sgx_target_info target;

    if (!is_key_id(find(request, 1)) || find(request, 3).size != 1 ||
        find(request, 4).size != 32) {
        return CODE_PARAMETER;
    }
    make_target(w, &target);
    memcpy(bytes->bytes, &target, sizeof(target));
    bytes->size = sizeof(target);
    w->has_key = true;
    return 0;
}

/* The quoting enclave: looks whether the REPORT is of this machine and for it. */
static bool is_for_us(const struct world *w, const struct sgx_report *report)
{
    struct sgx_target_info target;
    uint8_t mac[16];

    make_target(w, &target);
    tf_sim_report_mac(&w->machine, &target, report, mac);
    return memcmp(mac, report->mac, sizeof(mac)) == 0;
}

static uint32_t answer_quote(struct world *w, const struct tf_bytes *request,
                             struct aesm_message *bytes)
{
    struct tf_bytes report = find(request, 1);
    size_t cap = find(request, 4).size;

    if (report.data == NULL || report.size != sizeof(w->sgx->sgx) ||
        !is_key_id(find(request, 2)) || cap > AESM_FRAME_MAX / 2) {
        return CODE_PARAMETER;
    }
    if (is_mode(w, "busy")) {
        return CODE_BUSY;
    }
    if (is_mode(w, "key-lost") && !w->has_lost_key) { /* once */
        w->has_lost_key = true;
        w->has_key = false;
    }
    if (!w->has_key || is_mode(w, "no-key")) {
        return CODE_NO_KEY;
    }
    memcpy(&w->sgx->sgx, report.data, report.size);
    if (!is_for_us(w, &w->sgx->sgx)) {
        return CODE_UNEXPECTED;
    }
    w->sgx->sgx.report_data[0] ^= is_mode(w, "other-report");
    pki_write_quote(w->sgx);
    if (w->sgx->quote_size > cap) {
        return CODE_PARAMETER;
    }
    memset(bytes->bytes, 0, cap);
    memcpy(bytes->bytes, w->sgx->quote, w->sgx->quote_size);
    bytes->size = cap; /* as AESM does: the whole buffer */
    return 0;
}

void aesm_answer(struct world *w, const struct tf_bytes *request,
                 struct aesm_message *out)
{
    static struct aesm_message bytes;
    static struct aesm_message inner;
    unsigned field = find(request, FIELD_INIT).data != NULL ? FIELD_INIT : FIELD_QUOTE;
    struct tf_bytes asked = find(request, field);
    bool is_quote = field == FIELD_QUOTE;

    bytes.size = 0;
    inner.size = 0;
    uint32_t code =
        is_quote ? answer_quote(w, &asked, &bytes) : answer_init(w, &asked, &bytes);
    put_number(&inner, 1 << 3 | WIRE_VARINT);
    put_number(&inner, code);
    if (code == 0) {
        put_bytes(&inner, 2, bytes.bytes, bytes.size);
    }
    out->size = 4;
    put_bytes(out, is_quote && is_mode(w, "other-field") ? FIELD_INIT : field,
              inner.bytes, inner.size);
    size_t announced = out->size - 4;
    if (is_quote && is_mode(w, "oversized")) {
        announced = UINT32_MAX;
    }
    tf_store_u32(out->bytes, (uint32_t)announced);
    if (is_quote && is_mode(w, "short")) {
        out->size /= 2;
    }
}
