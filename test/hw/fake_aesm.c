/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_aesm.c - AESM as far as test/hw/hwtest.sh needs it where there is none:
 *
 *     fake_aesm SOCKET SIM_DIR MODE
 *
 * quotes REPORTs of that simulated machine for its simulated quoting enclave, with an
 * attestation key and certificates of the moment. MODE is "good", or what goes wrong with
 * quotes. Ends by itself after a minute.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/sim.h"
#include "test/unit/verify/pki.h"

enum { FRAME_MAX = 16 << 10, LIFE_SECONDS = 60 };
enum { FIELD_INIT = 15, FIELD_QUOTE = 17, WIRE_VARINT = 0, WIRE_BYTES = 2 };
enum { CODE_UNEXPECTED = 1, CODE_PARAMETER = 2, CODE_BUSY = 18, CODE_NO_KEY = 42 };

static struct {
    const char *mode;
    struct pki *pki;
    struct tf_sim_machine machine;
    bool has_key; /* what AESM loads in an InitQuoteEx, and the mode "key-lost" loses */
} fake;

struct message {
    uint8_t bytes[FRAME_MAX];
    size_t size;
};

/* --- protobuf, of well-formed messages only
 * --------------------------------------------- */

static void put_number(struct message *m, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) {
        m->bytes[m->size++] = (uint8_t)(value | 0x80);
    }
    m->bytes[m->size++] = (uint8_t)value;
}

static void put_bytes(struct message *m, unsigned field, const void *data, size_t size)
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

static bool is_mode(const char *name)
{
    return strcmp(fake.mode, name) == 0;
}

/* sgx_att_key_id_t: ids and versions 0, MRSIGNER's length, ISVPRODID, ECDSA P-256. */
static bool is_key_id(struct tf_bytes id)
{
    static const uint8_t head[] = {0, 0, 0, 0, 32, 0, 0x8c, 0x4f, 0x57, 0x75};

    return id.data != NULL && id.size == 256 &&
           memcmp(id.data, head, sizeof(head)) == 0 && id.data[54] == 1 &&
           id.data[154] == 2;
}

static uint32_t answer_init(const struct tf_bytes *request, struct message *bytes)
{
    struct sgx_target_info target;

    if (!is_key_id(find(request, 1)) || find(request, 3).size != 1 ||
        find(request, 4).size != 32) {
        return CODE_PARAMETER;
    }
    tf_sim_target_info(&target);
    memcpy(bytes->bytes, &target, sizeof(target));
    bytes->size = sizeof(target);
    fake.has_key = true;
    return 0;
}

/* The quoting enclave: looks whether the REPORT is of this machine and for it. */
static bool is_for_us(const struct sgx_report *report)
{
    struct sgx_target_info target;
    uint8_t mac[16];

    tf_sim_target_info(&target);
    tf_sim_report_mac(&fake.machine, &target, report, mac);
    return memcmp(mac, report->mac, sizeof(mac)) == 0;
}

static uint32_t answer_quote(const struct tf_bytes *request, struct message *bytes)
{
    struct tf_bytes report = find(request, 1);
    size_t cap = find(request, 4).size;

    if (report.data == NULL || report.size != sizeof(fake.pki->sgx) ||
        !is_key_id(find(request, 2)) || cap > FRAME_MAX / 2) {
        return CODE_PARAMETER;
    }
    if (is_mode("busy")) {
        return CODE_BUSY;
    }
    if (is_mode("key-lost")) {
        fake.mode = "good";
        fake.has_key = false;
    }
    if (!fake.has_key || is_mode("no-key")) {
        return CODE_NO_KEY;
    }
    memcpy(&fake.pki->sgx, report.data, report.size);
    if (!is_for_us(&fake.pki->sgx)) {
        return CODE_UNEXPECTED;
    }
    fake.pki->sgx.report_data[0] ^= is_mode("other-report");
    pki_issue(fake.pki);
    if (fake.pki->quote_size > cap) {
        return CODE_PARAMETER;
    }
    memset(bytes->bytes, 0, cap);
    memcpy(bytes->bytes, fake.pki->quote, fake.pki->quote_size);
    bytes->size = cap; /* as AESM does: the whole buffer */
    return 0;
}

static void answer(const struct tf_bytes *request, struct message *out)
{
    static struct message bytes;
    static struct message inner;
    unsigned field = find(request, FIELD_INIT).data != NULL ? FIELD_INIT : FIELD_QUOTE;
    struct tf_bytes asked = find(request, field);
    bool is_quote = field == FIELD_QUOTE;

    bytes.size = 0;
    inner.size = 0;
    uint32_t code = is_quote ? answer_quote(&asked, &bytes) : answer_init(&asked, &bytes);
    put_number(&inner, 1 << 3 | WIRE_VARINT);
    put_number(&inner, code);
    if (code == 0) {
        put_bytes(&inner, 2, bytes.bytes, bytes.size);
    }
    out->size = 4;
    put_bytes(out, is_quote && is_mode("other-field") ? FIELD_INIT : field, inner.bytes,
              inner.size);
    size_t announced = out->size - 4;
    if (is_quote && is_mode("oversized")) {
        announced = UINT32_MAX;
    }
    tf_store_u32(out->bytes, (uint32_t)announced);
    if (is_quote && is_mode("short")) {
        out->size /= 2;
    }
}

static void serve(int fd)
{
    static struct message in;
    static struct message out;
    struct tf_reader r;

    if (recv(fd, in.bytes, 4, MSG_WAITALL) != 4) {
        return;
    }
    tf_reader_init(&r, in.bytes, 4);
    in.size = tf_read_u32(&r);
    if (in.size > FRAME_MAX ||
        recv(fd, in.bytes, in.size, MSG_WAITALL) != (ssize_t)in.size) {
        return;
    }
    answer(&(struct tf_bytes){in.bytes, in.size}, &out);
    (void)send(fd, out.bytes, out.size, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (argc != 4 || strlen(argv[1]) >= sizeof(address.sun_path) ||
        tf_sim_machine_open(&fake.machine, argv[2]) != 0) {
        (void)fprintf(stderr, "usage: fake_aesm SOCKET SIM_DIR MODE\n");
        return 2;
    }
    fake.mode = argv[3];
    fake.pki = pki_open(3, false);
    (void)alarm(LIFE_SECONDS);
    memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 4) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (;;) {
        int client = accept(fd, NULL, NULL);
        if (client < 0) {
            perror("accept");
            return 1;
        }
        serve(client);
        (void)close(client);
    }
}
