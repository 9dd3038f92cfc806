/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's loop, run in a thread of this program, around an enclave that echoes. */
#include "host/worker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "test/unit/host/worker_rig.h"

/* A connection that the worker serves. @return the client's end. */
static int connect_client(void)
{
    int ends[2];
    struct tf_link_head head = {.type = TF_LINK_CONN};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK(tf_link_send(worker.link, &head, NULL, ends[1]) == TF_OK);
    (void)close(ends[1]);
    return ends[0];
}

static bool is_at_end(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t byte = 0;
    return poll(&ready, 1, WAIT_MS) == 1 && read(fd, &byte, 1) == 0;
}

/* A read-only file with `size` bytes. */
static int file_of(size_t size)
{
    static const uint8_t block[4096];
    int fd = memfd_create("test", MFD_CLOEXEC);
    for (size_t left = size; left > 0;) {
        size_t part = left < sizeof(block) ? left : sizeof(block);
        CHECK(write(fd, block, part) == (ssize_t)part);
        left -= part;
    }
    return fd;
}

static void echo_goes_both_ways(void)
{
    start();
    int client = connect_client();
    uint8_t got[8];
    for (int i = 0; i < 100; i++) {
        CHECK(write(client, "12345678", 8) == 8);
        CHECK(read_all(client, got, 8) == 8);
        CHECK(memcmp(got, "12345678", 8) == 0);
    }
    (void)close(client);
    stop(TF_OK);
    CHECK(tf_fake()->opened == 1);
    CHECK(tf_fake()->closed == 1);
}

static void a_large_echo_survives_full_sockets_and_wrapping_rings(void)
{
    enum { TOTAL = 6 << 20 };
    start();
    int client = connect_client();
    uint8_t *sent = malloc(TOTAL);
    uint8_t *got = malloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++) {
        sent[i] = (uint8_t)(i * 2654435761U >> 13);
    }
    size_t out = 0;
    size_t in = 0;
    struct pollfd ready = {.fd = client};
    while (in < TOTAL) {
        ready.events = (short)(out < TOTAL ? POLLIN | POLLOUT : POLLIN);
        if (poll(&ready, 1, WAIT_MS) != 1) {
            break;
        }
        ssize_t n = 0;
        /* Writes first and reads seldom, so that the echo piles up in the worker. */
        if ((ready.revents & POLLOUT) != 0) {
            n = write(client, sent + out, TOTAL - out);
            out += n > 0 ? (size_t)n : 0;
        } else if ((ready.revents & POLLIN) != 0) {
            n = read(client, got + in, TOTAL - in);
            in += n > 0 ? (size_t)n : 0;
        }
    }
    CHECK(out == TOTAL && in == TOTAL);
    CHECK(memcmp(sent, got, TOTAL) == 0);
    free(sent);
    free(got);
    (void)close(client);
    stop(TF_OK);
}

static void an_answer_larger_than_the_ring_arrives_and_is_reported(void)
{
    enum { SIZE = 3 << 20 };
    start();
    tf_fake()->answer_size = SIZE;
    int client = connect_client();
    uint8_t *got = malloc(SIZE);
    CHECK(write(client, "go", 2) == 2);
    CHECK(read_all(client, got, SIZE) == SIZE);
    CHECK(got[0] == 'x' && got[SIZE - 1] == 'x');
    free(got);
    (void)close(client);
    stop(TF_OK);
    /* The last bytes are too few for a report. */
    CHECK(tf_fake()->sent + TF_WORKER_REPORT_SENT > SIZE && tf_fake()->sent <= SIZE);
}

static void close_by_the_enclave_comes_after_its_data(void)
{
    start();
    tf_fake()->answer_size = 500000;
    tf_fake()->is_closing = true;
    int client = connect_client();
    uint8_t *got = malloc(500000);
    CHECK(write(client, "go", 2) == 2);
    CHECK(read_all(client, got, 500000) == 500000);
    CHECK(is_at_end(client));
    free(got);
    (void)close(client);
    client = connect_client();
    tf_fake()->answer_size = 0;
    CHECK(write(client, "12345678", 8) == 8);
    uint8_t echo[8];
    CHECK(read_all(client, echo, 8) == 8);
    CHECK(is_at_end(client));
    (void)close(client);
    stop(TF_OK);
}

static void half_closed_clients_get_their_answer(void)
{
    start();
    int client = connect_client();
    CHECK(write(client, "12345678", 8) == 8);
    CHECK(shutdown(client, SHUT_WR) == 0);
    uint8_t echo[8];
    CHECK(read_all(client, echo, 8) == 8);
    CHECK(is_at_end(client));
    (void)close(client);
    stop(TF_OK);
}

static void a_full_table_refuses_and_recovers(void)
{
    static int clients[TF_CONNS_MAX];
    start();
    uint8_t echo[1];
    for (size_t i = 0; i < 400; i++) {
        clients[i] = connect_client();
        CHECK(write(clients[i], "x", 1) == 1);
        CHECK(read_all(clients[i], echo, 1) == 1);
    }
    for (size_t i = 0; i < 400; i++) {
        (void)close(clients[i]);
    }
    for (int i = 0; i < 1000; i++) {
        int client = connect_client();
        CHECK(write(client, "x", 1) == 1);
        CHECK(read_all(client, echo, 1) == 1);
        (void)close(client);
    }
    stop(TF_OK);
    CHECK(tf_fake()->opened == 1400);
}

/* A lambda that computes for a minute must not keep connections open that have ended. */
static void half_closed_clients_are_closed_while_the_enclave_has_more_to_do(void)
{
    uint8_t echo[8];

    memset(tf_fake(), 0, sizeof(*tf_fake()));
    tf_fake()->is_busy = true;
    start_as_set();
    int client = connect_client();
    CHECK(write(client, "12345678", 8) == 8);
    CHECK(shutdown(client, SHUT_WR) == 0);
    CHECK(read_all(client, echo, 8) == 8);
    CHECK(is_at_end(client));
    (void)close(client);
    stop(TF_OK);
}

static void files_reach_the_enclave_whole(void)
{
    start();
    struct tf_link_head head = {.type = TF_LINK_BUNDLE, .id = 42};
    struct tf_link_head got = {.type = 0};
    struct tf_msg_result result;
    int fd = file_of(3 << 20);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(got.type == TF_LINK_RESULT && got.id == 42 && result.err != TF_OK);
    CHECK(tf_fake()->blob_bytes == 3 << 20);
    head = (struct tf_link_head){.type = TF_LINK_GRANT, .id = 43};
    fd = file_of(1000);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(got.id == 43 && result.err == TF_OK);
    fd = file_of(TF_SEALED_MAX + 1);
    CHECK(tf_link_send(worker.link, &head, NULL, fd) == TF_OK);
    (void)close(fd);
    CHECK(await(&got) == TF_OK);
    memcpy(&result, body, sizeof(result));
    CHECK(result.err == TF_ELIMIT);
    stop(TF_OK);
}

static void stats_carry_the_entries(void)
{
    static const char before[] = "{\"entries\":";
    static const char after[] = ",\"accepted\":0,\"poll_us\":0,\"load_us\":0,\"loads\":"
                                "[0,0,0,0,0,0,0,0,0,0,0],\"lambdas\":[]";
    char *json = (char *)body + 8;
    char *end = NULL;
    start();
    struct tf_link_head head = {.type = TF_LINK_STATS, .id = 5};
    struct tf_link_head got = {.type = 0};
    CHECK(tf_link_send(worker.link, &head, NULL, -1) == TF_OK);
    CHECK(await(&got) == TF_OK);
    CHECK(got.id == 5 && got.size > 8 + sizeof(before) + sizeof(after));
    CHECK(memcmp(json, before, sizeof(before) - 1) == 0);
    unsigned long long entries = strtoull(json + sizeof(before) - 1, &end, 10);
    CHECK(memcmp(end, after, sizeof(after) - 1) == 0);
    stop(TF_OK);
    /* To begin, for the question, and one for each second that passed meanwhile. */
    CHECK(entries >= 2 && entries <= tf_fake()->entries);
}

static void a_sealed_blob_is_handed_out(void)
{
    start();
    int client = connect_client();
    struct tf_link_head got = {.type = 0};
    CHECK(write(client, "SEAL hello", 10) == 10);
    CHECK(await(&got) == TF_OK);
    CHECK(got.type == TF_LINK_SEALED && got.size == 8 + 5 + 6);
    CHECK(memcmp(body + 8, "hellosealed", 11) == 0);
    (void)close(client);
    stop(TF_OK);
}

static void a_dead_enclave_ends_the_thread(void)
{
    start();
    int client = connect_client();
    tf_fake()->is_dying = true;
    CHECK(write(client, "x", 1) == 1);
    CHECK(pthread_join(worker.runner, NULL) == 0);
    CHECK(worker.result == TF_EHOST);
    int other = worker.thread->link;
    tf_worker_wipe(worker.thread);
    tf_quoter_close(worker.quoter);
    free(worker.thread);
    (void)close(other);
    (void)close(worker.link);
    (void)close(client);
}

/* --- evidence ------------------------------------------------------------------------
 */

static void ask_for_evidence(int client, uint8_t about)
{
    const uint8_t request[] = {'R', 'E', 'P', 'O', 'R', 'T', about};
    CHECK(write(client, request, sizeof(request)) == (ssize_t)sizeof(request));
}

/* Whether that is what comes next. */
static bool gets(int client, const char *text)
{
    uint8_t got[64] = {0};
    return read_all(client, got, strlen(text)) == strlen(text) &&
           memcmp(got, text, strlen(text)) == 0;
}

static unsigned asked(const unsigned *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static bool waits_for(const unsigned *count, unsigned want)
{
    for (int i = 0; i < WAIT_MS && asked(count) < want; i++) {
        (void)usleep(1000);
    }
    return asked(count) >= want;
}

static void a_slow_quote_holds_nobody_up(void)
{
    start();
    int first = connect_client();
    int second = connect_client();
    __atomic_store_n(&tf_fake()->is_quoting_slow, true, __ATOMIC_RELEASE);
    ask_for_evidence(first, 7);
    CHECK(waits_for(&tf_fake()->quotes_asked, 1));
    for (int i = 0; i < 10; i++) {
        CHECK(write(second, "12345678", 8) == 8);
        CHECK(gets(second, "12345678"));
    }
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    CHECK(gets(first, "{\"quote\":7,\"for\":0}"));
    (void)close(first);
    (void)close(second);
    stop(TF_OK);
}

/* One question, of which so many attempts fail. @return whether that was the answer. */
static bool asks_and_gets(tf_err error, unsigned failures, const char *text,
                          unsigned attempts)
{
    start();
    int client = connect_client();
    tf_fake()->quote_error = error;
    __atomic_store_n(&tf_fake()->quote_failures, failures, __ATOMIC_RELEASE);
    ask_for_evidence(client, 8);
    bool is_good = gets(client, text) && asked(&tf_fake()->quotes_asked) == attempts;
    (void)close(client);
    stop(TF_OK);
    return is_good;
}

static void a_quote_is_tried_again_when_nobody_is_there(void)
{
    CHECK(asks_and_gets(TF_ENOTFOUND, 2, "{\"quote\":8,\"for\":0}", 3));
    CHECK(asks_and_gets(TF_EIO, 1, "{\"quote\":8,\"for\":0}", 2));
}

static void a_refused_quote_is_none_at_once(void)
{
    CHECK(asks_and_gets(TF_EQUOTE, 1, "none", 1));
    CHECK(asks_and_gets(TF_EQUOTE_FORMAT, 1, "none", 1));
}

static void too_many_questions_are_refused(void)
{
    enum { MANY = TF_QUOTER_JOBS_MAX + 5 };
    int clients[MANY];
    start();
    __atomic_store_n(&tf_fake()->is_quoting_slow, true, __ATOMIC_RELEASE);
    for (int i = 0; i < MANY; i++) {
        clients[i] = connect_client();
        ask_for_evidence(clients[i], 1);
        /* Or the next one might overtake it. */
        CHECK(waits_for(&tf_fake()->reports, (unsigned)i + 1));
        CHECK(i < TF_QUOTER_JOBS_MAX || gets(clients[i], "none"));
    }
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    for (int i = 0; i < TF_QUOTER_JOBS_MAX; i++) {
        CHECK(gets(clients[i], "{\"quote\":1,\"for\":0}"));
    }
    for (int i = 0; i < MANY; i++) {
        (void)close(clients[i]);
    }
    stop(TF_OK);
}

/* A connection over TCP from this address. @return the client's end. */
static int connect_from(const char *address)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    struct sockaddr_in there = {.sin_family = AF_INET};
    socklen_t size = sizeof(there);
    struct tf_link_head head = {.type = TF_LINK_CONN};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    here.sin_addr.s_addr = inet_addr(address);
    CHECK(bind(listener, (struct sockaddr *)&there, size) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&there, &size) == 0);
    CHECK(bind(client, (struct sockaddr *)&here, sizeof(here)) == 0);
    CHECK(connect(client, (struct sockaddr *)&there, size) == 0);
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(tf_link_send(worker.link, &head, NULL, accepted) == TF_OK);
    (void)close(accepted);
    (void)close(listener);
    return client;
}

static uint64_t peer(int family, const char *text)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};

    if (family == AF_INET) {
        CHECK(inet_pton(family, text, &v4.sin_addr) == 1);
        memcpy(&address, &v4, sizeof(v4));
    } else {
        CHECK(inet_pton(family, text, &v6.sin6_addr) == 1);
        memcpy(&address, &v6, sizeof(v6));
    }
    return tf_worker_quote_peer(&address);
}

static void who_owns_many_addresses_is_one_stranger(void)
{
    const struct sockaddr_storage none = {.ss_family = AF_UNIX};

    CHECK(peer(AF_INET6, "2001:db8:1:2::1") == peer(AF_INET6, "2001:db8:1:2:ffff::9"));
    CHECK(peer(AF_INET6, "2001:db8:1:2::1") != peer(AF_INET6, "2001:db8:1:3::1"));
    CHECK(peer(AF_INET, "192.0.2.1") == peer(AF_INET6, "::ffff:192.0.2.1"));
    CHECK(peer(AF_INET, "192.0.2.1") != peer(AF_INET, "192.0.2.2"));
    CHECK(peer(AF_INET, "192.0.2.1") != peer(AF_INET6, "::ffff:192.0.2.2"));
    CHECK(peer(AF_INET, "32.1.13.184") != peer(AF_INET6, "2001:db8::1")); /* same bits */
    CHECK(peer(AF_INET6, "::1") != 0);
    CHECK(peer(AF_INET6, "::1") != peer(AF_INET6, "::192.0.2.1"));
    CHECK(tf_worker_quote_peer(&none) == 0);
}

static void a_stranger_cannot_take_all_places(void)
{
    enum { PART = TF_QUOTER_PEER_JOBS_MAX, MANY = PART + 2 };
    int clients[MANY];
    start();
    __atomic_store_n(&tf_fake()->is_quoting_slow, true, __ATOMIC_RELEASE);
    for (int i = 0; i < MANY; i++) {
        clients[i] = connect_from(i <= PART ? "127.0.0.2" : "127.0.0.3");
        ask_for_evidence(clients[i], 1);
        CHECK(waits_for(&tf_fake()->reports, (unsigned)i + 1));
        CHECK(i != PART || gets(clients[i], "none"));
    }
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    for (int i = 0; i < MANY; i++) {
        CHECK(i == PART || gets(clients[i], "{\"quote\":1,\"for\":0}"));
        (void)close(clients[i]);
    }
    stop(TF_OK);
}

/* Nobody is known to be there, so no bound for one peer would hold. */
static void strangers_who_leave_take_no_place(void)
{
    const struct linger reset = {.l_onoff = 1};
    start();
    __atomic_store_n(&tf_fake()->is_quoting_slow, true, __ATOMIC_RELEASE);
    for (unsigned i = 1; i <= TF_QUOTER_JOBS_MAX + 1; i++) {
        int client = connect_from("127.0.0.2");
        CHECK(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
        CHECK(write(client, "LATE", 4) == 4);
        CHECK(waits_for(&tf_fake()->late, i)); /* or the reset would overtake it */
        (void)close(client);
        CHECK(waits_for(&tf_fake()->closed, i));
    }
    int client = connect_from("127.0.0.3");
    ask_for_evidence(client, 6);
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    CHECK(gets(client, "{\"quote\":6,\"for\":0}"));
    (void)close(client);
    stop(TF_OK);
}

static void an_answer_to_a_client_that_left_is_dropped(void)
{
    start();
    int first = connect_client();
    __atomic_store_n(&tf_fake()->is_quoting_slow, true, __ATOMIC_RELEASE);
    ask_for_evidence(first, 2);
    CHECK(waits_for(&tf_fake()->quotes_asked, 1));
    (void)close(first);
    int second = connect_client();
    ask_for_evidence(second, 3);
    __atomic_store_n(&tf_fake()->is_quoting_slow, false, __ATOMIC_RELEASE);
    CHECK(gets(second, "{\"quote\":3,\"for\":0}"));
    (void)close(second);
    stop(TF_OK);
}

/* Asks until there is evidence, which must be `text`: the enclave has yet to learn for
 * whom it makes REPORTs now. */
static bool gets_at_last(int client, uint8_t about, const char *text)
{
    for (int i = 0; i < 200; i++) {
        uint8_t head[4] = {0};
        ask_for_evidence(client, about);
        if (read_all(client, head, sizeof(head)) != sizeof(head)) {
            return false;
        }
        if (memcmp(head, "none", sizeof(head)) != 0) {
            return memcmp(head, text, sizeof(head)) == 0 &&
                   gets(client, text + sizeof(head));
        }
        (void)usleep(20000);
    }
    return false;
}

static void reports_are_for_whoever_quotes_now(void)
{
    memset(tf_fake(), 0, sizeof(*tf_fake()));
    tf_fake()->target = TF_FAKE_NO_TARGET;
    start_as_set();
    int client = connect_client();
    ask_for_evidence(client, 4); /* for nobody: not even tried */
    CHECK(gets(client, "none"));
    CHECK(asked(&tf_fake()->quotes_asked) == 0);
    __atomic_store_n(&tf_fake()->target, 0x21, __ATOMIC_RELEASE);
    CHECK(gets_at_last(client, 5, "{\"quote\":5,\"for\":33}"));
    /* Another one: that it refuses the first REPORT is what tells. */
    __atomic_store_n(&tf_fake()->target, 0x22, __ATOMIC_RELEASE);
    ask_for_evidence(client, 6);
    CHECK(gets(client, "none"));
    CHECK(gets_at_last(client, 6, "{\"quote\":6,\"for\":34}"));
    (void)close(client);
    stop(TF_OK);
}

int main(void)
{
    RUN(echo_goes_both_ways);
    RUN(a_large_echo_survives_full_sockets_and_wrapping_rings);
    RUN(an_answer_larger_than_the_ring_arrives_and_is_reported);
    RUN(close_by_the_enclave_comes_after_its_data);
    RUN(half_closed_clients_get_their_answer);
    RUN(a_full_table_refuses_and_recovers);
    RUN(half_closed_clients_are_closed_while_the_enclave_has_more_to_do);
    RUN(files_reach_the_enclave_whole);
    RUN(stats_carry_the_entries);
    RUN(a_sealed_blob_is_handed_out);
    RUN(a_dead_enclave_ends_the_thread);
    RUN(a_slow_quote_holds_nobody_up);
    RUN(a_quote_is_tried_again_when_nobody_is_there);
    RUN(a_refused_quote_is_none_at_once);
    RUN(too_many_questions_are_refused);
    RUN(who_owns_many_addresses_is_one_stranger);
    RUN(a_stranger_cannot_take_all_places);
    RUN(strangers_who_leave_take_no_place);
    RUN(an_answer_to_a_client_that_left_is_dropped);
    RUN(reports_are_for_whoever_quotes_now);
    return test_end();
}
