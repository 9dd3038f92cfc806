/* SPDX-License-Identifier: Apache-2.0 */
/* A host that lies about its frames, and the enclave's start. */
#include "abi/sgx.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/test.h"

static void a_granted_name_answers(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    CHECK(rig_is_up(client));
    char *text = rig_ask(rig, client,
                         "POST /a?b HTTP/1.1\r\nHost: hello.example\r\n"
                         "Content-Length: 5\r\n\r\nhello");
    CHECK(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0);
    CHECK(strstr(text, "x-url: https://hello.example/a?b\r\n") != NULL);
    CHECK(strstr(text, "\r\n\r\nhello") != NULL);
    CHECK(rig->threads[0].last.exit == TF_EXIT_IDLE);
    free(text);
    rig_close(rig);
}

/* Whether thread 1, put up so, ends with `err` at its INIT. */
static bool is_refused(struct rig *rig, tf_err err)
{
    rig_thread_make(rig, 1);
    struct tf_core_exit last = rig_init(rig, 1);
    return last.exit == TF_EXIT_DEAD && last.err == err;
}

static void a_second_thread_needs_the_same_domain(void)
{
    struct rig *rig = rig_open();
    struct fixture_key keys[2] = {rig->publisher, rig->stranger};

    rig_thread_make(rig, 1);
    CHECK(rig_init(rig, 1).exit == TF_EXIT_IDLE);
    rig->threads[1] = (struct rig_thread){0};
    rig->domain_size = fixture_domain_write(rig->domain, sizeof(rig->domain), keys, 2);
    CHECK(is_refused(rig, TF_EDOMAIN_MISMATCH));
    CHECK(rig_enter(rig, 1).exit == TF_EXIT_DEAD); /* and stays so */
    rig_close(rig);
}

static void a_domain_that_is_not_bound_is_refused(void)
{
    struct rig *rig = rig_open();

    rig_forget();
    tf_native_cpu.config_id[40] = 1; /* behind the hash */
    CHECK(is_refused(rig, TF_EDOMAIN_MISMATCH));
    tf_native_cpu.config_id[40] = 0;
    tf_native_cpu.config_id[0] ^= 1;
    CHECK(is_refused(rig, TF_EDOMAIN_MISMATCH));
    tf_native_cpu.config_id[0] ^= 1;
    rig->domain[0] = '[';
    CHECK(is_refused(rig, TF_EDOMAIN_FORMAT));
    rig_close(rig);
}

/* Whether this frame, as the next one to a started thread, ends the enclave. */
static bool is_fatal(uint32_t type, uint64_t id, const void *payload, size_t size)
{
    struct rig *rig = rig_open();

    (void)rig_put(rig, 0, TF_MSG_OPEN, 5, NULL, 0);
    (void)rig_put(rig, 0, type, id, payload, size);
    struct tf_core_exit last = rig_enter(rig, 0);
    rig_close(rig);
    return last.exit == TF_EXIT_DEAD && last.err == TF_EHOST;
}

static void a_broken_host_protocol_ends_the_enclave(void)
{
    const uint64_t one = 1;
    struct tf_msg_blob blob = {.kind = TF_BLOB_BUNDLE, .total = 100, .offset = 1};
    uint8_t chunk[sizeof(blob) + 8] = {0};
    uint8_t init[sizeof(struct tf_msg_init)] = {0};

    CHECK(is_fatal(0, 0, NULL, 0));
    CHECK(is_fatal(TF_MSG_INIT, 0, init, sizeof(init)));
    CHECK(is_fatal(TF_MSG_RESULT, 0, NULL, 0));
    CHECK(is_fatal(99, 0, NULL, 0));
    CHECK(is_fatal(TF_MSG_OPEN, 5, NULL, 0));            /* there is one */
    CHECK(is_fatal(TF_MSG_OPEN, TF_CONNS_MAX, NULL, 0)); /* no such slot */
    CHECK(is_fatal(TF_MSG_OPEN, 6, "x", 1));
    CHECK(is_fatal(TF_MSG_DATA, TF_CONNS_MAX, "x", 1));
    CHECK(is_fatal(TF_MSG_CLOSE, TF_CONNS_MAX, NULL, 0));
    CHECK(is_fatal(TF_MSG_SENT, 5, &one, sizeof(one))); /* it never got that */
    CHECK(is_fatal(TF_MSG_SENT, 5, &one, 4));
    CHECK(is_fatal(TF_MSG_QUOTE, 5, "{}", 2)); /* nobody asked */
    CHECK(is_fatal(TF_MSG_TARGET, 0, init, sizeof(struct sgx_target_info) - 1));
    CHECK(is_fatal(TF_MSG_TARGET, 0, NULL, 0));
    memcpy(chunk, &blob, sizeof(blob));
    CHECK(is_fatal(TF_MSG_BLOB, 1, chunk, sizeof(chunk)));
    CHECK(is_fatal(TF_MSG_BLOB, 1, chunk, sizeof(blob) - 1));
    blob.kind = TF_BLOB_WANTED + 1;
    blob.offset = 0;
    memcpy(chunk, &blob, sizeof(blob));
    CHECK(is_fatal(TF_MSG_BLOB, 1, chunk, sizeof(chunk)));
    blob.kind = TF_BLOB_GRANT;
    blob.total = 7; /* less than the chunk */
    memcpy(chunk, &blob, sizeof(blob));
    CHECK(is_fatal(TF_MSG_BLOB, 1, chunk, sizeof(chunk)));
}

static void the_first_frame_is_init(void)
{
    struct rig *rig = rig_open();

    rig_thread_make(rig, 1);
    (void)rig_put(rig, 1, TF_MSG_OPEN, 5, NULL, 0);
    CHECK(rig_enter(rig, 1).err == TF_EHOST);
    rig_close(rig);
}

static void frames_for_a_connection_that_is_gone_are_dropped(void)
{
    const uint64_t old = 5;
    const uint64_t id = 5 | (uint64_t)1 << 32;
    struct rig *rig = rig_open();

    (void)rig_put(rig, 0, TF_MSG_OPEN, old, NULL, 0);
    (void)rig_put(rig, 0, TF_MSG_CLOSE, old, NULL, 0);
    (void)rig_put(rig, 0, TF_MSG_DATA, old, "x", 1);
    (void)rig_put(rig, 0, TF_MSG_OPEN, id, NULL, 0);
    (void)rig_put(rig, 0, TF_MSG_DATA, old, "x", 1);
    (void)rig_put(rig, 0, TF_MSG_SENT, old, &id, sizeof(id));
    (void)rig_put(rig, 0, TF_MSG_QUOTE, old, "{}", 2);
    (void)rig_put(rig, 0, TF_MSG_CLOSE, old, NULL, 0);
    CHECK(rig_enter(rig, 0).exit == TF_EXIT_IDLE);
    (void)rig_put(rig, 0, TF_MSG_CLOSE, id, NULL, 0);
    (void)rig_put(rig, 0, TF_MSG_OPEN, old, NULL, 0); /* an id comes once */
    CHECK(rig_enter(rig, 0).err == TF_EHOST);
    rig_close(rig);
}

static void stats_count_requests(void)
{
    struct rig *rig = rig_open();

    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    struct rig_client *refused = rig_connect(rig, 0, "other.example");
    free(rig_ask(
        rig, client,
        "POST / HTTP/1.1\r\nHost: hello.example\r\nContent-Length: 5\r\n\r\nhello"));
    CHECK(!rig_is_up(refused));
    const uint64_t from = 0;
    (void)rig_put(rig, 0, TF_MSG_STATS, 9, &from, sizeof(from));
    (void)rig_enter(rig, 0);
    char *text = rig_result(rig);
    static const char start[] = "{\"lambdas\":[{\"name\":\"hello\",\"granted\":true,"
                                "\"ok\":1,\"failed\":0,\"steps\":10,\"peak\":";
    CHECK(strncmp(text, start, sizeof(start) - 1) == 0);
    CHECK(atol(text + sizeof(start) - 1) > 1024);
    static const char rest[] =
        ",\"bytes_in\":5,\"bytes_out\":5}],\"next\":0,\"handshakes\":2,"
        "\"handshakes_failed\":1,\"connections\":1,\"held\":";
    const char *at = strchr(text + sizeof(start) - 1, ',');
    CHECK(at != NULL && strncmp(at, rest, sizeof(rest) - 1) == 0);
    CHECK(atol(at + sizeof(rest) - 1) > 1024);
    free(text);
    rig_close(rig);
}

int main(void)
{
    RUN(a_granted_name_answers);
    RUN(a_second_thread_needs_the_same_domain);
    RUN(a_domain_that_is_not_bound_is_refused);
    RUN(a_broken_host_protocol_ends_the_enclave);
    RUN(the_first_frame_is_init);
    RUN(frames_for_a_connection_that_is_gone_are_dropped);
    RUN(stats_count_requests);
    return test_end();
}
