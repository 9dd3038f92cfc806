/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sni.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test/hello.h"
#include "test/test.h"

static tf_err parse(const struct hello *h, char *name)
{
    /* An own block of the exact size, so that AddressSanitizer sees a read past it. */
    uint8_t *copy = malloc(h->size);
    memcpy(copy, h->bytes, h->size);
    tf_err err = tf_sni_parse(copy, h->size, name);
    free(copy);
    return err;
}

static void a_name_is_found_and_lowered(void)
{
    char name[TF_DNS_MAX + 1] = "old";
    struct hello message = hello_for("Hello.Example");
    struct hello h = in_records(&message, 16384);
    CHECK(parse(&h, name) == TF_OK);
    CHECK(strcmp(name, "hello.example") == 0);
}

static void every_prefix_asks_for_more(void)
{
    char name[TF_DNS_MAX + 1] = "old";
    struct hello message = hello_for("a.example");
    struct hello h = in_records(&message, 16384);
    size_t whole = h.size;
    for (size_t size = 1; size < whole; size++) {
        h.size = size;
        CHECK(parse(&h, name) == TF_AGAIN);
    }
    CHECK(strcmp(name, "old") == 0);
}

static void fragments_are_joined(void)
{
    char name[TF_DNS_MAX + 1] = "old";
    struct hello message = hello_for("a.example");
    for (size_t fragment = 1; fragment < message.size; fragment++) {
        struct hello h = in_records(&message, fragment);
        memset(name, 0, sizeof(name));
        CHECK(parse(&h, name) == TF_OK);
        CHECK(strcmp(name, "a.example") == 0);
    }
}

static void no_name_is_no_error_of_format(void)
{
    char name[TF_DNS_MAX + 1];
    struct hello extensions = {.size = 0};
    struct hello message = around(&extensions);
    struct hello h = in_records(&message, 16384);
    CHECK(parse(&h, name) == TF_ENOTFOUND);
}

static void odd_names_are_refused(void)
{
    static const char *const odd[] = {
        "a b", "a/b", "a\nb", "a_b.example", "\xc3\xa9.example", ""};
    char name[TF_DNS_MAX + 1] = "old";
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct hello message = hello_for(odd[i]);
        struct hello h = in_records(&message, 16384);
        CHECK(parse(&h, name) == TF_EFORMAT);
    }
    char longest[TF_DNS_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[TF_DNS_MAX + 1] = '\0';
    struct hello message = hello_for(longest);
    struct hello h = in_records(&message, 16384);
    CHECK(parse(&h, name) == TF_EFORMAT);
    CHECK(strcmp(name, "old") == 0);
}

static void two_names_are_refused(void)
{
    char name[TF_DNS_MAX + 1];
    struct hello extensions = {.size = 0};
    add_server_name(&extensions, "a.example");
    add_server_name(&extensions, "b.example");
    struct hello message = around(&extensions);
    struct hello h = in_records(&message, 16384);
    CHECK(parse(&h, name) == TF_EFORMAT);
}

static void what_is_no_client_hello_is_refused_at_once(void)
{
    char name[TF_DNS_MAX + 1];
    struct hello h = {.size = 0};
    add(&h, "G", 1);
    CHECK(parse(&h, name) == TF_EFORMAT);
    h.size = 0;
    add(&h, "\x16\x03\x01\x00\x00", 5); /* empty fragment */
    CHECK(parse(&h, name) == TF_EFORMAT);
    h.size = 0;
    add(&h, "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9); /* a ServerHello */
    CHECK(parse(&h, name) == TF_EFORMAT);
    h.size = 0;
    add(&h, "\x16\x03\x01\x40\x00\x01\xff\xff\xff", 9); /* 16 MiB announced */
    CHECK(parse(&h, name) == TF_ELIMIT);
}

static void lengths_that_lie_are_refused(void)
{
    char name[TF_DNS_MAX + 1];
    struct hello message = hello_for("a.example");
    /* Every byte of the message, one too high and one too low: never read past the end.
     */
    for (size_t i = 4; i < message.size; i++) {
        for (int step = -1; step <= 1; step += 2) {
            struct hello other = message;
            other.bytes[i] = (uint8_t)(other.bytes[i] + step);
            struct hello h = in_records(&other, 16384);
            tf_err err = parse(&h, name);
            CHECK(err == TF_OK || err == TF_EFORMAT || err == TF_ENOTFOUND);
        }
    }
    struct hello h = in_records(&message, 16384);
    add(&h, "tail", 4); /* the next record: not our business */
    CHECK(parse(&h, name) == TF_OK);
    struct hello longer = message;
    add(&longer, "x", 1); /* behind the message in its record */
    h = in_records(&longer, 16384);
    CHECK(parse(&h, name) == TF_EFORMAT);
}

int main(void)
{
    RUN(a_name_is_found_and_lowered);
    RUN(every_prefix_asks_for_more);
    RUN(fragments_are_joined);
    RUN(no_name_is_no_error_of_format);
    RUN(odd_names_are_refused);
    RUN(two_names_are_refused);
    RUN(what_is_no_client_hello_is_refused_at_once);
    RUN(lengths_that_lie_are_refused);
    return test_end();
}
