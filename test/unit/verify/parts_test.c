/* SPDX-License-Identifier: Apache-2.0 */
/* The small parsers below the verdicts: dates, DER, CBOR, quotes, TCB statuses, PEM. */
#include <stdlib.h>

#include "test/test.h"
#include "test/unit/verify/pki.h"
#include "verify/cbor.h"
#include "verify/der.h"
#include "verify/ratls.h"

static void test_dates(void)
{
    static const char *const good[] = {"1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z",
                                       "2026-06-01T00:00:00Z", "9999-12-31T23:59:59Z"};
    static const char *const bad[] = {
        "",
        "2026-06-01",
        "1969-12-31T23:59:59Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-06-00T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-06-01T24:00:00Z",
        "2026-06-01T00:60:00Z",
        "2026-06-01T00:00:60Z",
        "2026-06-01t00:00:00Z",
        "2026-06-01T00:00:00+",
        "2026-06-01T00:00:00Z ",
    };
    char text[TF_DATE_SIZE];
    int64_t date = 7;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(tf_date_parse(good[i], &date) == TF_OK);
        tf_date_write(date, text);
        CHECK(strcmp(text, good[i]) == 0);
    }
    CHECK(date == 253402300799);
    CHECK(tf_date_parse(good[2], &date) == TF_OK && date == PKI_NOW);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(tf_date_parse(bad[i], &date) == TF_EFORMAT && date == PKI_NOW);
    }
    tf_date_write(-1, text);
    CHECK(strcmp(text, good[0]) == 0);
    tf_date_write(INT64_MAX, text);
    CHECK(strcmp(text, good[3]) == 0);
}

static bool reads_integer(const char *der, size_t size, uint32_t max, uint32_t *out)
{
    struct tf_reader r;

    tf_reader_init(&r, der, size);
    return tf_der_integer(&r, TF_DER_INTEGER, max, out) && tf_reader_left(&r) == 0;
}

static void test_der(void)
{
    struct tf_reader r;
    struct tf_reader in;
    uint32_t n = 0;
    uint8_t octets[2];
    bool flag = false;

    CHECK(reads_integer("\x02\x01\x00", 3, 255, &n) && n == 0);
    CHECK(reads_integer("\x02\x02\x00\xff", 4, 255, &n) && n == 255);
    CHECK(reads_integer("\x02\x05\x00\xff\xff\xff\xff", 7, UINT32_MAX, &n) &&
          n == UINT32_MAX);
    CHECK(!reads_integer("\x02\x02\x00\xff", 4, 254, &n));     /* too large */
    CHECK(!reads_integer("\x02\x01\x80", 3, 255, &n));         /* negative */
    CHECK(!reads_integer("\x02\x02\x00\x7f", 4, 255, &n));     /* a zero too many */
    CHECK(!reads_integer("\x02\x00", 2, 255, &n));             /* empty */
    CHECK(!reads_integer("\x02\x81\x01\x01", 4, 255, &n));     /* a long length */
    CHECK(!reads_integer("\x02\x80\x01\x00\x00", 5, 255, &n)); /* an open one */
    CHECK(!reads_integer("\x03\x01\x00", 3, 255, &n));
    CHECK(!reads_integer("\x02\x02\x01", 3, 255, &n)); /* past the end */
    tf_reader_init(&r, "\x04\x02\x01\x02", 4);
    CHECK(tf_der_octets(&r, octets, 2) && octets[1] == 2);
    tf_reader_init(&r, "\x04\x03\x01\x02\x03", 5);
    CHECK(!tf_der_octets(&r, octets, 2) && r.bad);
    tf_reader_init(&r, "\x01\x01\xff", 3);
    CHECK(tf_der_boolean(&r, &flag) && flag);
    tf_reader_init(&r, "\x01\x01\x01", 3);
    CHECK(!tf_der_boolean(&r, &flag));
    tf_reader_init(&r, "\x30\x82\x00\x80", 4);
    CHECK(!tf_der_open(&r, TF_DER_SEQUENCE, &in));
}

static void test_cbor(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_good;
        uint64_t value;
    } rows[] = {
        {"\x17", 1, true, 23},
        {"\x18\x18", 2, true, 24},
        {"\x19\x01\x00", 3, true, 256},
        {"\x1a\x00\x01\x00\x00", 5, true, 65536},
        {"\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 9, true, UINT64_C(1) << 32},
        {"\x18\x17", 2, false, 0},
        {"\x19\x00\xff", 3, false, 0},
        {"\x1a\x00\x00\xff\xff", 5, false, 0},
        {"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9, false, 0},
        {"\x19\x01", 2, false, 0},
        {"\x1c", 1, false, 0},
        {"\x1f", 1, false, 0},
        {"\x40", 1, false, 0},
        {"", 0, false, 0},
    };
    struct tf_reader r;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tf_reader_init(&r, rows[i].bytes, rows[i].size);
        CHECK(tf_cbor_head(&r, TF_CBOR_UNSIGNED) == rows[i].value);
        CHECK(r.bad == !rows[i].is_good);
    }
    tf_reader_init(&r, "\x42xy\x43xy", 6);
    CHECK(tf_cbor_string(&r, TF_CBOR_BYTES).size == 2 && !r.bad);
    CHECK(tf_cbor_string(&r, TF_CBOR_BYTES).size == 0 && r.bad);
}

static void test_statuses(void)
{
    static const tf_tcb_status all[] = {
        TF_TCB_UP_TO_DATE,    TF_TCB_SW_HARDENING,
        TF_TCB_CONFIGURATION, TF_TCB_CONFIGURATION_AND_SW,
        TF_TCB_OUT_OF_DATE,   TF_TCB_OUT_OF_DATE_CONFIGURATION,
        TF_TCB_REVOKED};
    static const tf_tcb_status with_old_qe[] = {TF_TCB_OUT_OF_DATE,
                                                TF_TCB_OUT_OF_DATE,
                                                TF_TCB_OUT_OF_DATE_CONFIGURATION,
                                                TF_TCB_OUT_OF_DATE_CONFIGURATION,
                                                TF_TCB_OUT_OF_DATE,
                                                TF_TCB_OUT_OF_DATE_CONFIGURATION,
                                                TF_TCB_REVOKED};
    tf_tcb_status status = TF_TCB_UP_TO_DATE;

    for (size_t i = 0; i < 7; i++) {
        CHECK(tf_tcb_status_parse(tf_tcb_status_name(all[i]), &status) == TF_OK &&
              status == all[i]);
        CHECK(tf_tcb_merge(all[i], TF_TCB_UP_TO_DATE) == all[i]);
        CHECK(tf_tcb_merge(all[i], TF_TCB_OUT_OF_DATE) == with_old_qe[i]);
        CHECK(tf_tcb_merge(TF_TCB_OUT_OF_DATE, all[i]) == with_old_qe[i]);
        CHECK(tf_tcb_merge(all[i], TF_TCB_REVOKED) == TF_TCB_REVOKED);
    }
    CHECK(tf_tcb_status_parse("uptodate", &status) == TF_EFORMAT);
    CHECK(strcmp(tf_tcb_status_name((tf_tcb_status)5), "unknown") == 0);
}

/* Everything shorter than a quote is none; so is one with a length that is wrong. */
static void test_quote_bounds(void)
{
    for (unsigned version = 3; version < 6; version++) {
        struct pki *p = pki_open(version, version > 3);
        struct tf_quote q;
        pki_issue(p);
        for (size_t size = 0; size < p->quote_size; size++) {
            uint8_t *exact = malloc(size + (size == 0)); /* its end is a trap */
            memcpy(exact, p->quote, size);
            CHECK(tf_quote_parse(exact, size, &q) == TF_EQUOTE_FORMAT);
            free(exact);
        }
        p->quote_size += 100; /* zeros after it */
        CHECK(tf_quote_parse(p->quote, p->quote_size, &q) == TF_OK);
        CHECK(q.size == p->quote_size - 100);
        pki_close(p);
    }
}

/* Newer TDX modules can make quotes in CBOR (DICE): these are another kind. */
static void test_cbor_quote(void)
{
    static const uint8_t cbor[64] = {0xd9, 0xea, 0x60, 0x82, 0x59, 0x10};
    struct tf_quote quote;

    CHECK(tf_quote_parse(cbor, sizeof(cbor), &quote) == TF_EQUOTE_KIND);
}

/* A changed byte of the header makes another kind of quote, or none. */
static void test_quote_kinds(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        tf_err expected;
    } rows[] = {{0, 2, TF_EQUOTE_KIND},    {0, 6, TF_EQUOTE_KIND},
                {1, 1, TF_EQUOTE_KIND},    {2, 3, TF_EQUOTE_KIND},
                {4, 0x82, TF_EQUOTE_KIND}, {12, 0, TF_EQUOTE_KIND},
                {48, 4, TF_EQUOTE_KIND},   {48, 1, TF_EQUOTE_KIND},
                {50, 0, TF_EQUOTE_FORMAT}, {53, 0xff, TF_EQUOTE_FORMAT},
                {48, 2, TF_EQUOTE_FORMAT}, {4, 0, TF_EQUOTE_KIND},
                {0, 3, TF_EQUOTE_KIND}};
    struct pki *p = pki_open(5, true);
    struct tf_quote q;

    p->has_td15 = true;
    pki_issue(p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t before = p->quote[rows[i].at];
        p->quote[rows[i].at] = rows[i].value;
        if (!CHECK(tf_quote_parse(p->quote, p->quote_size, &q) == rows[i].expected)) {
            (void)fprintf(stderr, "  row %zu\n", i);
        }
        p->quote[rows[i].at] = before;
    }
    CHECK(tf_quote_parse(p->quote, p->quote_size, &q) == TF_OK);
    pki_close(p);
}

static tf_err parse_pem(const char *text, size_t count)
{
    struct tf_chain chain;
    const struct tf_bytes pem = {(const uint8_t *)text, strlen(text)};
    tf_err err = tf_chain_parse(&pem, count, &chain);

    tf_chain_wipe(&chain);
    return err;
}

static void test_pem_is_strict(void)
{
    struct pki *p = pki_open(3, false);
    const struct pki_id *ids[] = {&p->pck, &p->ca};
    char text[8192];

    pki_issue(p);
    struct tf_bytes pem = pki_pem(p, 3, ids, 2);
    memcpy(text + 1, pem.data, pem.size);
    text[pem.size + 1] = '\0';
    CHECK(parse_pem(text + 1, 2) == TF_OK);
    CHECK(parse_pem(text + 1, 1) == TF_ECHAIN_FORMAT);
    CHECK(parse_pem(text + 1, 3) == TF_ECHAIN_FORMAT);
    text[0] = '\n';
    CHECK(parse_pem(text, 2) == TF_ECHAIN_FORMAT);
    (void)strcpy(text + pem.size + 1, "\n");
    CHECK(parse_pem(text + 1, 2) == TF_ECHAIN_FORMAT);
    text[pem.size] = '\0'; /* the last end of line is not needed */
    CHECK(parse_pem(text + 1, 2) == TF_OK);
    text[1 + 28 + 64] = ' ';
    CHECK(parse_pem(text + 1, 2) == TF_ECHAIN_FORMAT);
    pki_close(p);
}

static void test_responses_are_split(void)
{
    static const char head[] = "{\"tcbInfo\":{\"a\": [1]},\"signature\":\"";
    char text[256];
    char signature[129];
    struct tf_bytes body = {0};

    (void)snprintf(text, sizeof(text), "%s%0128d\"}", head, 0);
    size_t size = strlen(text);
    CHECK(tf_collateral_split(text, size, "tcbInfo", &body, signature) == TF_OK);
    CHECK(body.size == 10 && memcmp(body.data, "{\"a\": [1]}", 10) == 0);
    CHECK(strlen(signature) == 128 && signature[127] == '0');
    CHECK(tf_collateral_split(text, size, "enclaveIdentity", &body, signature) ==
          TF_ECOLLATERAL_FORMAT);
    for (size_t i = 0; i < size; i++) {
        CHECK(tf_collateral_split(text, i, "tcbInfo", &body, signature) ==
              TF_ECOLLATERAL_FORMAT);
    }
    text[size - 3] = 'G';
    CHECK(tf_collateral_split(text, size, "tcbInfo", &body, signature) ==
          TF_ECOLLATERAL_FORMAT);
}

int main(void)
{
    RUN(test_dates);
    RUN(test_der);
    RUN(test_cbor);
    RUN(test_statuses);
    RUN(test_quote_bounds);
    RUN(test_quote_kinds);
    RUN(test_cbor_quote);
    RUN(test_pem_is_strict);
    RUN(test_responses_are_split);
    return test_end();
}
