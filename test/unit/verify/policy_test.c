/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/fixture.h"
#include "test/test.h"

enum { TEXT_MAX = 4096 };

static const char HEX[] =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/* A policy out of `format`, in which every # stands for 64 hex digits. */
static tf_err parse(const char *format, struct tf_policy *out)
{
    char text[TEXT_MAX];
    size_t size = 0;

    for (const char *c = format; *c != '\0'; c++) {
        if (*c == '#') {
            memcpy(text + size, HEX, sizeof(HEX) - 1);
            size += sizeof(HEX) - 1;
        } else {
            text[size++] = *c;
        }
    }
    char *exact = malloc(size + (size == 0)); /* its end is a trap */
    memcpy(exact, text, size);
    tf_err err = tf_policy_parse(exact, size, out);
    free(exact);
    return err;
}

static void test_good_policies(void)
{
    struct tf_policy p;

    CHECK(
        parse("{\"measurements\":[\"#\",\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"]}",
              &p) == TF_OK);
    CHECK(p.measurement_count == 2 && p.measurements[1][31] == 0xff && !p.has_signer);
    CHECK(p.domain[1] == 0x11 && p.publisher_count == 1 && p.sim_root_size == 0);
    CHECK(strcmp(p.publishers[0], HEX) == 0);
    CHECK(parse("{\"signer\":\"#\",\"product\":0,\"min_svn\":1,\"domain\":\"#\","
                "\"publishers\":[\"#\",\"#\"],\"insecure_sim_root\":\"" FIXTURE_SPKI
                "\"}",
                &p) == TF_OK);
    CHECK(p.measurement_count == 0 && p.has_signer && p.signer[2] == 0x22);
    CHECK(p.product == 0 && p.min_svn == 1 && p.publisher_count == 2);
    CHECK(p.sim_root_size == 44);
    CHECK(parse("{\"measurements\":[\"#\"],\"signer\":\"#\",\"product\":65535,"
                "\"min_svn\":65535,\"domain\":\"#\",\"publishers\":[\"#\"]}",
                &p) == TF_OK);
    CHECK(p.measurement_count == 1 && p.has_signer && p.min_svn == 65535);
}

static void test_digests_and_version(void)
{
    struct tf_policy p;

    CHECK(parse("{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
                "\"digests\":[\"#\",\"#\"],\"min_version\":7}",
                &p) == TF_OK);
    CHECK(p.digest_count == 2 && p.digests[1][31] == 0xff && p.min_version == 7);
}

static void test_refused(void)
{
    static const char *const rows[] = {
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"digests\":[]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"min_version\":0}",
        "",
        "[]",
        "{}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"]",
        /* nothing about the enclave; nobody who may have signed; no domain */
        "{\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[],\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\"}",
        "{\"measurements\":[\"#\"],\"publishers\":[\"#\"]}",
        /* an empty list of measurements is no licence for any, even beside a signer */
        "{\"measurements\":[],\"signer\":\"#\",\"product\":1,\"min_svn\":1,"
        "\"domain\":\"#\",\"publishers\":[\"#\"]}",
        /* a signer without product or version; these without a signer */
        "{\"signer\":\"#\",\"min_svn\":1,\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"signer\":\"#\",\"product\":1,\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"#\"],\"product\":1,\"min_svn\":1,\"domain\":\"#\","
        "\"publishers\":[\"#\"]}",
        /* values */
        "{\"measurements\":[\"#0\"],\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"\"],\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[7],\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":\"#\",\"domain\":\"#\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#00\",\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"x\"]}",
        "{\"signer\":\"#\",\"product\":65536,\"min_svn\":1,\"domain\":\"#\","
        "\"publishers\":[\"#\"]}",
        "{\"signer\":\"#\",\"product\":1,\"min_svn\":65536,\"domain\":\"#\","
        "\"publishers\":[\"#\"]}",
        "{\"signer\":\"#\",\"product\":1,\"min_svn\":-1,\"domain\":\"#\","
        "\"publishers\":[\"#\"]}",
        /* the simulator's root is an Ed25519 SubjectPublicKeyInfo or absent */
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"insecure_sim_root\":\"\"}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"insecure_sim_root\":\"AAAA\"}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"insecure_sim_root\":\"not base64\"}",
        /* a field twice, a field that nobody knows */
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"domain\":\"#\","
        "\"publishers\":[\"#\"]}",
        "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"
        "\"debug\":true}",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tf_policy p = {.product = 77};
        if (!CHECK(parse(rows[i], &p) == TF_EPOLICY_FORMAT && p.product == 77)) {
            (void)fprintf(stderr, "  with %s\n", rows[i]);
        }
    }
}

/* Appends `count` measurements or publishers, as parse() takes them. */
static size_t add_list(char *text, size_t at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at += (size_t)snprintf(text + at, TEXT_MAX - at, "%s\"#\"", i == 0 ? "" : ",");
    }
    return at;
}

static tf_err parse_lists(size_t measurements, size_t publishers)
{
    char text[TEXT_MAX];
    struct tf_policy p;
    size_t at = (size_t)snprintf(text, sizeof(text), "{\"measurements\":[");

    at = add_list(text, at, measurements);
    at += (size_t)snprintf(text + at, sizeof(text) - at,
                           "],\"domain\":\"#\",\"publishers\":[");
    at = add_list(text, at, publishers);
    (void)snprintf(text + at, sizeof(text) - at, "]}");
    return parse(text, &p);
}

/* Lists as long as they may be, and one longer. */
static void test_counts(void)
{
    CHECK(parse_lists(TF_MEASUREMENTS_MAX, TF_PUBLISHERS_MAX) == TF_OK);
    CHECK(parse_lists(TF_MEASUREMENTS_MAX + 1, TF_PUBLISHERS_MAX) == TF_EPOLICY_FORMAT);
    CHECK(parse_lists(TF_MEASUREMENTS_MAX, TF_PUBLISHERS_MAX + 1) == TF_EPOLICY_FORMAT);
}

static void test_size(void)
{
    static char text[TF_POLICY_MAX + 1];
    struct tf_policy p;
    size_t size = (size_t)snprintf(
        text, sizeof(text),
        "{\"measurements\":[\"%s\"],\"domain\":\"%s\",\"publishers\":[\"%s\"]}", HEX, HEX,
        HEX);

    memset(text + size, ' ', sizeof(text) - size);
    CHECK(tf_policy_parse(text, TF_POLICY_MAX, &p) == TF_OK);
    CHECK(tf_policy_parse(text, TF_POLICY_MAX + 1, &p) == TF_EPOLICY_FORMAT);
}

/* 48 bytes, and nine values of them. */
#define HEX48                                                                            \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"                   \
    "202122232425262728292a2b2c2d2e2f"
#define THREE "\"" HEX48 "\",\"" HEX48 "\",\"" HEX48 "\""
#define NINE  THREE "," THREE "," THREE

#define BASE "{\"measurements\":[\"#\"],\"domain\":\"#\",\"publishers\":[\"#\"],"

static void test_platform_fields(void)
{
    struct tf_policy p;

    CHECK(parse(BASE "\"tcb\":[{\"status\":\"SWHardeningNeeded\",\"advisories\":"
                     "[\"INTEL-SA-00615\"]},{\"status\":\"OutOfDate\",\"until\":"
                     "\"2026-06-01T00:00:00Z\"}],\"min_evaluation\":17,\"min_tcb_date\":"
                     "\"2025-01-01T00:00:00Z\"}",
                &p) == TF_OK);
    CHECK(p.tcb_count == 2 && p.tcb[0].status == TF_TCB_SW_HARDENING);
    CHECK(p.tcb[0].has_advisories && p.tcb[0].advisories.count == 1 &&
          !p.tcb[0].has_until);
    CHECK(!p.tcb[1].has_advisories && p.tcb[1].until == (int64_t)20605 * 86400);
    CHECK(p.min_evaluation == 17 && p.min_tcb_date == (int64_t)20089 * 86400);
    CHECK(parse(BASE "\"platforms\":[\"00112233445566778899aabbccddeeff\",\"##\"],"
                     "\"snp\":[{\"product\":\"Milan\",\"bootloader\":3,\"tee\":0,"
                     "\"snp\":8,\"microcode\":115},{\"product\":\"Turin\",\"fmc\":1,"
                     "\"bootloader\":1,\"tee\":1,\"snp\":1,\"microcode\":1}],"
                     "\"max_vmpl\":3}",
                &p) == TF_OK);
    CHECK(p.platform_count == 2 && p.platforms[0].size == 16 &&
          p.platforms[1].size == 64);
    CHECK(p.snp_count == 2 && p.snp[0].product == TF_ROOT_AMD_MILAN &&
          p.snp[0].minimum.microcode == 115 && p.snp[1].minimum.fmc == 1);
    CHECK(!p.allow_sharing && p.max_vmpl == 3 && !p.insecure_allow_debug &&
          p.insecure_root_count == 0);
    CHECK(parse(BASE
                "\"insecure_allow_debug\":true,\"insecure_allow_roots\":[\"#\"],"
                "\"sharing\":true,\"attributes\":\"0500000000000000e700000000000000\","
                "\"miscselect\":0}",
                &p) == TF_OK);
    CHECK(p.allow_sharing && p.insecure_allow_debug && p.insecure_roots[0][31] == 0xff);
    CHECK(p.has_attributes && p.attributes[8] == 0xe7 && p.has_miscselect);
    CHECK(p.rtmr_counts[0] == 0 && p.rtmr_counts[3] == 0);
    CHECK(parse(BASE "\"rtmr0\":[\"" HEX48 "\"],\"rtmr3\":[\"" HEX48 "\",\"" HEX48 "\"]}",
                &p) == TF_OK);
    CHECK(p.rtmr_counts[0] == 1 && p.rtmr_counts[1] == 0 && p.rtmr_counts[3] == 2);
    CHECK(p.rtmrs[0][0][47] == 0x2f && p.rtmrs[3][1][1] == 0x01);
}

/* Rules without a bound, for what is never accepted, for nobody. */
static void test_platform_fields_refused(void)
{
    static const char *const rows[] = {
        BASE "\"tcb\":[]}",
        BASE "\"tcb\":[{\"status\":\"SWHardeningNeeded\"}]}",
        BASE "\"tcb\":[{\"status\":\"SWHardeningNeeded\",\"until\":"
             "\"2026-06-01T00:00:00Z\"}]}",
        BASE "\"tcb\":[{\"status\":\"OutOfDate\",\"advisories\":[]}]}",
        BASE "\"tcb\":[{\"status\":\"Revoked\",\"advisories\":[],\"until\":"
             "\"2026-06-01T00:00:00Z\"}]}",
        BASE "\"tcb\":[{\"status\":\"UpToDate\",\"advisories\":[]}]}",
        BASE "\"tcb\":[{\"status\":\"Fine\",\"advisories\":[]}]}",
        BASE "\"tcb\":[{\"status\":\"OutOfDate\",\"until\":\"2026-06-01\"}]}",
        BASE "\"tcb\":[{\"status\":\"SWHardeningNeeded\",\"advisories\":"
             "[\"A\",\"A\"]}]}",
        BASE "\"tcb\":[{\"status\":\"SWHardeningNeeded\",\"advisories\":[],"
             "\"x\":1}]}",
        BASE "\"min_evaluation\":0}",
        BASE "\"min_tcb_date\":17}",
        BASE "\"platforms\":[]}",
        BASE "\"platforms\":[\"#\"]}",
        BASE "\"platforms\":[\"00112233445566778899aabbccddee\"]}",
        BASE "\"snp\":[{\"product\":\"Rome\",\"bootloader\":3,\"tee\":0,\"snp\":8,"
             "\"microcode\":115}]}",
        BASE "\"snp\":[{\"product\":\"Milan\",\"bootloader\":3,\"tee\":0,\"snp\":8}]}",
        BASE "\"snp\":[{\"product\":\"Turin\",\"bootloader\":3,\"tee\":0,\"snp\":8,"
             "\"microcode\":115}]}",
        BASE "\"snp\":[{\"product\":\"Milan\",\"bootloader\":3,\"tee\":0,\"snp\":8,"
             "\"microcode\":115},{\"product\":\"Milan\",\"bootloader\":0,\"tee\":0,"
             "\"snp\":0,\"microcode\":0}]}",
        BASE "\"max_vmpl\":4}",
        BASE "\"insecure_allow_debug\":\"yes\"}",
        BASE "\"insecure_allow_roots\":[]}",
        BASE "\"allow_debug\":true}",
        BASE "\"attributes\":\"05\"}",
        BASE "\"guests\":[\"#\"]}",
        BASE "\"rtmr0\":[]}",
        BASE "\"rtmr1\":[\"#\"]}",
        BASE "\"rtmr2\":\"" HEX48 "\"}",
        BASE "\"rtmr4\":[\"" HEX48 "\"]}",
        BASE "\"rtmr3\":[" NINE "]}",
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tf_policy p = {.product = 77};
        if (!CHECK(parse(rows[i], &p) == TF_EPOLICY_FORMAT && p.product == 77)) {
            (void)fprintf(stderr, "  with %s\n", rows[i]);
        }
    }
}

int main(void)
{
    RUN(test_platform_fields);
    RUN(test_platform_fields_refused);
    RUN(test_good_policies);
    RUN(test_digests_and_version);
    RUN(test_refused);
    RUN(test_counts);
    RUN(test_size);
    return test_end();
}
