/* SPDX-License-Identifier: Apache-2.0 */
/* The admin socket and the gateway, with a daemon that has no worker, run in this
 * program. */
#include "host/admin.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/gateway.h"
#include "host/registry.h"
#include "host/supervise.h"
#include "test/fixture.h"
#include "test/test.h"

static struct tf_daemon daemon_state;
static struct tf_watch wake;
static pthread_t runner;
static char folder[64];
static char path[96];

static void on_wake(void *user, uint32_t events)
{
    (void)user;
    (void)events;
    daemon_state.loop.is_over = true;
}

static void *run(void *user)
{
    (void)user;
    CHECK(tf_loop_run(&daemon_state.loop) == TF_OK);
    return NULL;
}

static void start(void)
{
    memset(&daemon_state, 0, sizeof(daemon_state));
    (void)snprintf(folder, sizeof(folder), "/tmp/tfaas-admin-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/admin.sock", folder);
    daemon_state.options.state = folder;
    daemon_state.options.listen = "127.0.0.1:0";
    daemon_state.options.engine_count = 1;
    daemon_state.options.threads = 1;
    memcpy(daemon_state.options.engines[0].name, "quickjs", 8);
    daemon_state.is_simulated = true;
    CHECK(tf_store_open(folder, &daemon_state.store) == TF_OK);
    CHECK(tf_loop_open(&daemon_state.loop) == TF_OK);
    CHECK(tf_admin_open(&daemon_state) == TF_OK);
    CHECK(tf_gateway_open(&daemon_state) == TF_OK);
    wake = (struct tf_watch){.fd = eventfd(0, EFD_CLOEXEC), .ready = on_wake};
    CHECK(tf_loop_watch(&daemon_state.loop, &wake, EPOLLIN) == TF_OK);
    CHECK(pthread_create(&runner, NULL, run, NULL) == 0);
}

static void stop(void)
{
    char command[128];
    CHECK(eventfd_write(wake.fd, 1) == 0);
    CHECK(pthread_join(runner, NULL) == 0);
    tf_gateway_close(daemon_state.gateway);
    tf_admin_close(daemon_state.admin);
    tf_supervise_wipe(&daemon_state);
    tf_registry_wipe(&daemon_state.registry);
    tf_loop_close(&daemon_state.loop);
    tf_store_close(&daemon_state.store);
    (void)close(wake.fd);
    (void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
    CHECK(system(command) == 0);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* Reads to the end, or what came in time. */
static void read_all(int fd, char *out, size_t cap)
{
    size_t have = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (have + 1 < cap && poll(&ready, 1, WAIT_MS) == 1) {
        ssize_t got = read(fd, out + have, cap - have - 1);
        if (got <= 0) {
            break;
        }
        have += (size_t)got;
    }
    out[have] = '\0';
}

/* Sends a request as it is. @return the answer, up to the next call. */
static const char *ask(const char *request)
{
    static char answer[16384];
    int fd = dial();
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
    read_all(fd, answer, sizeof(answer));
    (void)close(fd);
    return answer;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void lists_are_json(void)
{
    start();
    const char *answer = ask("GET /v1/lambdas HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(starts(answer, "HTTP/1.1 200 OK\r\n"));
    CHECK(strstr(answer, "\r\n\r\n{\"lambdas\":[],\"simulated\":true}") != NULL);
    answer = ask("GET /v1/info HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(strstr(answer, "\"simulated\":true") != NULL);
    CHECK(strstr(answer, "\"engines\":{\"quickjs\":{\"mrenclave\":\"00") != NULL);
    answer = ask("GET /v1/workers HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(strstr(answer, "{\"workers\":[]}") != NULL);
    answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(strstr(answer, "\n# TYPE tfaas_functions gauge\ntfaas_functions 0\n") != NULL);
    struct stat info;
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    stop();
}

static void bad_requests_are_refused(void)
{
    start();
    CHECK(starts(ask("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 "));
    CHECK(starts(ask("NONSENSE\r\n\r\n"), "HTTP/1.1 400 "));
    CHECK(starts(ask("DELETE /v1/lambdas/../x HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 "));
    CHECK(starts(ask("DELETE /v1/lambdas/nobody HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 "));
    CHECK(starts(ask("POST /v1/lambdas HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
                 "HTTP/1.1 411 "));
    CHECK(starts(ask("POST /v1/lambdas HTTP/1.1\r\nContent-Length: 1\r\n"
                     "Content-Length: 1\r\n\r\nx"),
                 "HTTP/1.1 400 "));
    CHECK(starts(ask("POST /v1/lambdas HTTP/1.1\r\nContent-Length: +1\r\n\r\nx"),
                 "HTTP/1.1 400 "));
    CHECK(starts(ask("POST /v1/lambdas HTTP/1.1\r\nContent-Length: 10485761\r\n"
                     "Expect: 100-continue\r\n\r\n"),
                 "HTTP/1.1 413 "));
    CHECK(starts(ask("GET /v1/info HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
                 "HTTP/1.1 413 "));
    CHECK(starts(
        ask("POST /v1/lambdas?engine=quickjs HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"),
        "HTTP/1.1 400 "));
    char big[9000];
    memset(big, 'a', sizeof(big));
    memcpy(big, "GET /", 5);
    big[sizeof(big) - 1] = '\0';
    CHECK(starts(ask(big), "HTTP/1.1 431 "));
    stop();
}

static void a_body_may_come_in_pieces(void)
{
    static const char head[] = "PUT /v1/domains/00 HTTP/1.1\r\nContent-Length: 4\r\n"
                               "Expect: 100-continue\r\n\r\n";
    char answer[1024];
    start();
    int fd = dial();
    for (size_t i = 0; i < sizeof(head) - 1; i++) {
        CHECK(send(fd, head + i, 1, MSG_NOSIGNAL) == 1);
    }
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    CHECK(poll(&ready, 1, WAIT_MS) == 1);
    ssize_t got = read(fd, answer, sizeof(answer));
    CHECK(got == 25 && memcmp(answer, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0);
    CHECK(send(fd, "{}", 2, MSG_NOSIGNAL) == 2);
    CHECK(send(fd, "{}", 2, MSG_NOSIGNAL) == 2);
    read_all(fd, answer, sizeof(answer));
    CHECK(starts(answer, "HTTP/1.1 400 "));
    CHECK(strstr(answer, "\"error\":\"domain-format\"") != NULL);
    (void)close(fd);
    stop();
}

static const char *put_list(const char *hex, const struct fixture_bytes *list)
{
    char head[256];
    static char request[TF_REVOCATIONS_ENVELOPE_MAX + sizeof(head)];
    (void)snprintf(
        request, sizeof(request),
        "PUT /v1/domains/%s/revocations HTTP/1.1\r\nContent-Length: %zu\r\n\r\n%s", hex,
        list->size, (const char *)list->data);
    return ask(request);
}

/* No enclave runs here: it is stored for the next one. */
static void a_list_is_checked_and_stored(void)
{
    struct tf_revocations list = {.serial = 2, .digest_count = 1};
    struct tf_descriptor domain;
    char hex[TF_STORE_HEX + 1];
    char path_of_lists[160];
    struct fixture_key key = fixture_key_published();
    struct fixture_key stranger = fixture_key_open("ED25519");
    CHECK(tf_descriptor_parse(FIXTURE_DOMAIN, strlen(FIXTURE_DOMAIN), &domain) == TF_OK);
    tf_hex_write(domain.sha256, sizeof(domain.sha256), hex);
    struct fixture_bytes good = fixture_revocations(&key, &list);
    list.serial = 3;
    struct fixture_bytes theirs = fixture_revocations(&stranger, &list);
    list.serial = 1;
    struct fixture_bytes older = fixture_revocations(&key, &list);
    start();
    CHECK(starts(put_list(hex, &good), "HTTP/1.1 404 "));
    CHECK(tf_store_put_domain(&daemon_state.store, hex, FIXTURE_DOMAIN,
                              strlen(FIXTURE_DOMAIN)) == TF_OK);
    const char *answer = put_list(hex, &theirs);
    CHECK(starts(answer, "HTTP/1.1 422 ") && strstr(answer, "\"revocation-signer\""));
    answer = put_list(hex, &good);
    CHECK(starts(answer, "HTTP/1.1 200 ") &&
          strstr(answer, "\"serial\":2,\"dropped\":[]}"));
    answer = put_list(hex, &older);
    CHECK(starts(answer, "HTTP/1.1 422 ") && strstr(answer, "\"revocation-old\""));
    (void)snprintf(path_of_lists, sizeof(path_of_lists),
                   "GET /v1/domains/%s/revocations HTTP/1.1\r\n\r\n", hex);
    answer = ask(path_of_lists);
    CHECK(starts(answer, "HTTP/1.1 200 ") && strstr(answer, "\"serial\":2,") != NULL);
    CHECK(strstr(answer, key.publisher.keyid) != NULL);
    stop();
    free(good.data);
    free(theirs.data);
    free(older.data);
    fixture_key_close(&key);
    fixture_key_close(&stranger);
}

static void clients_that_leave_do_no_harm(void)
{
    start();
    for (int i = 0; i < 100; i++) {
        int fd = dial();
        CHECK(send(fd, "POST /v1/la", 11, MSG_NOSIGNAL) == 11);
        (void)close(fd);
    }
    CHECK(starts(ask("GET /v1/info HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 "));
    stop();
}

static int dial_gateway(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *port = strrchr(daemon_state.address, ':');
    CHECK(port != NULL && inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) == 1);
    address.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static void what_is_no_tls_gets_an_alert(void)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    char answer[16];
    start();
    int fd = dial_gateway();
    CHECK(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    CHECK(poll(&ready, 1, WAIT_MS) == 1);
    CHECK(read(fd, answer, sizeof(answer)) == 7);
    CHECK(memcmp(answer, "\x15\x03\x03\x00\x02\x02\x70", 7) == 0);
    CHECK(read(fd, answer, sizeof(answer)) == 0);
    (void)close(fd);
    stop();
}

static void silent_clients_do_not_hold_up_others(void)
{
    enum { COUNT = 300 };
    static int fds[COUNT];
    char answer[16];
    start();
    for (size_t i = 0; i < COUNT; i++) {
        fds[i] = dial_gateway();
    }
    int fd = dial_gateway();
    CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    CHECK(poll(&ready, 1, WAIT_MS) == 1);
    CHECK(read(fd, answer, sizeof(answer)) == 7);
    (void)close(fd);
    for (size_t i = 0; i < COUNT; i++) {
        (void)close(fds[i]);
    }
    stop();
}

int main(void)
{
    RUN(lists_are_json);
    RUN(bad_requests_are_refused);
    RUN(a_body_may_come_in_pieces);
    RUN(a_list_is_checked_and_stored);
    RUN(clients_that_leave_do_no_harm);
    RUN(what_is_no_tls_gets_an_alert);
    RUN(silent_clients_do_not_hold_up_others);
    return test_end();
}
