/* SPDX-License-Identifier: Apache-2.0 */
/* admin_http.c - the bytes and connections of admin.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <picohttpparser.h>

#include "host/admin.h"
#include "host/log.h"

enum {
    CONNS_MAX = 32,
    HEAD_MAX = 8 << 10,
    FIELDS_MAX = 32,
    REQUEST_MS = 30 * 1000, /* to send a request */
    ANSWER_MS = 30 * 1000,  /* to read the answer */
    LINGER_MS = 2000,
    REST_MS = 100 /* after the system ran out of descriptors */
};

enum phase {
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_BUSY, /* the answer is being made */
    PHASE_ANSWER,
    PHASE_LINGER
};

struct tf_admin_conn {
    struct tf_admin *admin;
    struct tf_watch watch;
    struct tf_timer timer;
    enum phase phase;
    char head[HEAD_MAX];
    size_t head_size;
    struct tf_admin_request request;
    size_t body_size; /* announced */
    char *answer;
    size_t answer_size;
    size_t answer_at;
    struct tf_admin_conn **holder;
    struct tf_admin_conn *next;
};

struct tf_admin {
    struct tf_daemon *daemon;
    struct tf_watch listener;
    struct tf_timer rest; /* listens again */
    struct tf_admin_conn *conns;
    size_t count;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void end_one(struct tf_admin *admin, struct tf_admin_conn *conn)
{
    struct tf_admin_conn **at = &admin->conns;
    while (*at != conn) {
        at = &(*at)->next;
    }
    *at = conn->next;
    if (admin->count == CONNS_MAX) {
        tf_loop_change(&admin->daemon->loop, &admin->listener, EPOLLIN);
    }
    admin->count--;
    if (conn->holder != NULL) {
        *conn->holder = NULL;
    }
    tf_loop_unset(&admin->daemon->loop, &conn->timer);
    tf_loop_unwatch(&admin->daemon->loop, &conn->watch);
    (void)close(conn->watch.fd);
    free(conn->request.body);
    free(conn->answer);
    free(conn);
}

static void end(struct tf_admin_conn *conn)
{
    end_one(conn->admin, conn);
}

static void enter_phase(struct tf_admin_conn *conn, enum phase phase, uint32_t events,
                        uint64_t timeout_ms)
{
    struct tf_loop *loop = &conn->admin->daemon->loop;
    conn->phase = phase;
    tf_loop_change(loop, &conn->watch, events);
    if (timeout_ms > 0) {
        tf_loop_set(loop, &conn->timer, timeout_ms);
    } else {
        tf_loop_unset(loop, &conn->timer);
    }
}

/* Writes what the socket takes. @return whether the connection still exists. */
static void write_answer(struct tf_admin_conn *conn)
{
    while (conn->answer_at < conn->answer_size) {
        ssize_t sent =
            send(conn->watch.fd, conn->answer + conn->answer_at,
                 conn->answer_size - conn->answer_at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        if (sent < 0) {
            end(conn);
            return;
        }
        conn->answer_at += (size_t)sent;
    }
    /* The rest of a request that was refused early is read and thrown away. */
    (void)shutdown(conn->watch.fd, SHUT_WR);
    enter_phase(conn, PHASE_LINGER, EPOLLIN, LINGER_MS);
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {409, "Conflict"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {422, "Unprocessable Content"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"}};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Error";
}

void tf_admin_reply(struct tf_admin_conn *conn, int status, const char *type,
                    const char *text, size_t size)
{
    enum { FIELDS_SIZE = 256 };
    if (conn == NULL) {
        return;
    }
    if (conn->holder != NULL) {
        *conn->holder = NULL;
        conn->holder = NULL;
    }
    conn->answer = malloc(FIELDS_SIZE + size);
    if (conn->answer == NULL) {
        end(conn);
        return;
    }
    int fields = snprintf(conn->answer, FIELDS_SIZE,
                          "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n",
                          status, reason(status), type, size);
    memcpy(conn->answer + fields, text, size);
    conn->answer_size = (size_t)fields + size;
    enter_phase(conn, PHASE_ANSWER, EPOLLOUT, ANSWER_MS);
}

void tf_admin_hold(struct tf_admin_conn *conn, struct tf_admin_conn **holder)
{
    *holder = conn;
    conn->holder = holder;
}

uint8_t *tf_admin_take_body(struct tf_admin_request *request)
{
    uint8_t *body = request->body;
    request->body = NULL;
    return body;
}

static void dispatch(struct tf_admin_conn *conn)
{
    enter_phase(conn, PHASE_BUSY, 0, 0);
    tf_admin_dispatch(conn->admin->daemon, conn, &conn->request);
}

static bool is_field(const struct phr_header *field, const char *name)
{
    return field->name != NULL && field->name_len == strlen(name) &&
           strncasecmp(field->name, name, field->name_len) == 0;
}

/* A Content-Length: digits only, no sign, at most nine of them. */
static bool parse_length(const struct phr_header *field, size_t *out)
{
    size_t value = 0;
    if (field->value_len == 0 || field->value_len > 9) {
        return false;
    }
    for (size_t i = 0; i < field->value_len; i++) {
        if (field->value[i] < '0' || field->value[i] > '9') {
            return false;
        }
        value = value * 10 + (size_t)(field->value[i] - '0');
    }
    *out = value;
    return true;
}

static bool copy_text(char *out, size_t cap, const char *text, size_t size)
{
    if (size >= cap || memchr(text, '\0', size) != NULL) {
        return false;
    }
    memcpy(out, text, size);
    out[size] = '\0';
    return true;
}

static bool split_target(struct tf_admin_request *request, const char *target,
                         size_t size)
{
    const char *mark = memchr(target, '?', size);
    size_t path_size = mark == NULL ? size : (size_t)(mark - target);
    size_t query_size = mark == NULL ? 0 : size - path_size - 1;
    return copy_text(request->path, sizeof(request->path), target, path_size) &&
           copy_text(request->query, sizeof(request->query), mark == NULL ? "" : mark + 1,
                     query_size);
}

/* Reads the fields that matter. @return 0, or the status that refuses the request. */
static int read_fields(struct tf_admin_conn *conn, const struct phr_header *fields,
                       size_t count, bool *expects)
{
    bool has_length = false;
    *expects = false;
    for (size_t i = 0; i < count; i++) {
        bool is_length = is_field(&fields[i], "content-length");
        if (is_length && (has_length || !parse_length(&fields[i], &conn->body_size))) {
            return 400;
        }
        has_length = has_length || is_length;
        if (is_field(&fields[i], "transfer-encoding")) {
            return 411;
        }
        *expects = *expects || is_field(&fields[i], "expect");
    }
    return conn->body_size > tf_admin_body_max(&conn->request) ? 413 : 0;
}

/* The head is there, `head_size` bytes of it; what follows is the start of the body. */
static void begin_body(struct tf_admin_conn *conn, size_t head_size, bool expects)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t early = conn->head_size - head_size;
    early = early < conn->body_size ? early : conn->body_size;
    conn->request.body = malloc(conn->body_size + 1);
    if (conn->request.body == NULL) {
        tf_admin_fail(conn, 503, TF_ENOMEM);
        return;
    }
    memcpy(conn->request.body, conn->head + head_size, early);
    conn->request.size = early;
    if (early == conn->body_size) {
        dispatch(conn);
        return;
    }
    conn->phase = PHASE_BODY;
    if (expects && send(conn->watch.fd, go_on, sizeof(go_on) - 1,
                        MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(go_on) - 1) {
        end(conn);
    }
}

static void parse_head(struct tf_admin_conn *conn, size_t before)
{
    struct phr_header fields[FIELDS_MAX];
    size_t count = FIELDS_MAX;
    const char *method = NULL;
    const char *target = NULL;
    size_t method_size = 0;
    size_t target_size = 0;
    int minor = 0;
    bool expects = false;
    int size = phr_parse_request(conn->head, conn->head_size, &method, &method_size,
                                 &target, &target_size, &minor, fields, &count, before);
    if (size == -2) {
        if (conn->head_size == HEAD_MAX) {
            tf_admin_fail(conn, 431, TF_EHTTP_HEADERS);
        }
        return;
    }
    struct tf_admin_request *request = &conn->request;
    if (size < 0 ||
        !copy_text(request->method, sizeof(request->method), method, method_size) ||
        !split_target(request, target, target_size)) {
        tf_admin_fail(conn, 400, TF_EHTTP_SYNTAX);
        return;
    }
    int status = read_fields(conn, fields, count, &expects);
    if (status != 0) {
        tf_admin_fail(conn, status, status == 413 ? TF_EHTTP_TOOLARGE : TF_EHTTP_SYNTAX);
        return;
    }
    begin_body(conn, (size_t)size, expects);
}

/* Reads into `out`. @return bytes; 0: nothing now; the connection is gone if it says -1.
 */
static ssize_t read_some(struct tf_admin_conn *conn, void *out, size_t size)
{
    ssize_t got = recv(conn->watch.fd, out, size, MSG_DONTWAIT);
    if (got > 0) {
        return got;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    end(conn);
    return -1;
}

static void read_head(struct tf_admin_conn *conn)
{
    size_t before = conn->head_size;
    ssize_t got = read_some(conn, conn->head + before, HEAD_MAX - before);
    if (got > 0) {
        conn->head_size += (size_t)got;
        parse_head(conn, before);
    }
}

static void read_body(struct tf_admin_conn *conn)
{
    struct tf_admin_request *request = &conn->request;
    ssize_t got =
        read_some(conn, request->body + request->size, conn->body_size - request->size);
    if (got > 0) {
        request->size += (size_t)got;
        if (request->size == conn->body_size) {
            dispatch(conn);
        }
    }
}

static void on_conn(void *user, uint32_t events)
{
    struct tf_admin_conn *conn = user;
    uint8_t waste[4096];
    switch (conn->phase) {
    case PHASE_HEAD:
        read_head(conn);
        break;
    case PHASE_BODY:
        read_body(conn);
        break;
    case PHASE_BUSY:
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
            end(conn);
        }
        break;
    case PHASE_ANSWER:
        write_answer(conn);
        break;
    case PHASE_LINGER:
        (void)read_some(conn, waste, sizeof(waste));
        break;
    }
}

static void on_timeout(void *user)
{
    end(user);
}

static void on_rest(void *user)
{
    struct tf_admin *admin = user;
    if (admin->count < CONNS_MAX) {
        tf_loop_change(&admin->daemon->loop, &admin->listener, EPOLLIN);
    }
}

static void on_accept(void *user, uint32_t events)
{
    struct tf_admin *admin = user;
    struct tf_loop *loop = &admin->daemon->loop;
    (void)events;
    if (admin->count == CONNS_MAX) {
        tf_loop_change(loop, &admin->listener, 0); /* until one ends */
        return;
    }
    int fd = accept4(admin->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
            /* Who waits would be reported for ever: listen again in a moment. */
            tf_log("accept-failed", "errno=%d", errno);
            tf_loop_change(loop, &admin->listener, 0);
            tf_loop_set(loop, &admin->rest, REST_MS);
        }
        return;
    }
    struct tf_admin_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL) {
        (void)close(fd);
        return;
    }
    conn->admin = admin;
    conn->watch = (struct tf_watch){.fd = fd, .ready = on_conn, .user = conn};
    conn->timer = (struct tf_timer){.fire = on_timeout, .user = conn};
    if (tf_loop_watch(loop, &conn->watch, EPOLLIN) != TF_OK) {
        (void)close(fd);
        free(conn);
        return;
    }
    conn->next = admin->conns;
    admin->conns = conn;
    admin->count++;
    tf_loop_set(loop, &conn->timer, REQUEST_MS);
}

static int open_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    /* The store's lock says that no other tfaasd lives: what is there is left over. */
    (void)unlink(path);
    mode_t before = umask(0177);
    int rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)umask(before);
    if (rc != 0 || listen(fd, CONNS_MAX) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

tf_err tf_admin_open(struct tf_daemon *daemon)
{
    struct tf_admin *admin = calloc(1, sizeof(*admin));
    if (admin == NULL) {
        return TF_ENOMEM;
    }
    int size = snprintf(admin->path, sizeof(admin->path), "%s/admin.sock",
                        daemon->options.state);
    tf_err err = size >= (int)sizeof(admin->path) ? TF_ELIMIT : TF_OK;
    int fd = err == TF_OK ? open_socket(admin->path) : -1;
    if (fd < 0) {
        free(admin);
        return err == TF_OK ? TF_EIO : err;
    }
    admin->daemon = daemon;
    admin->listener = (struct tf_watch){.fd = fd, .ready = on_accept, .user = admin};
    admin->rest = (struct tf_timer){.fire = on_rest, .user = admin};
    daemon->admin = admin;
    return tf_loop_watch(&daemon->loop, &admin->listener, EPOLLIN);
}

void tf_admin_close(struct tf_admin *admin)
{
    if (admin == NULL) {
        return;
    }
    while (admin->conns != NULL) {
        end_one(admin, admin->conns);
    }
    tf_loop_unset(&admin->daemon->loop, &admin->rest);
    tf_loop_unwatch(&admin->daemon->loop, &admin->listener);
    (void)close(admin->listener.fd);
    (void)unlink(admin->path);
    admin->daemon->admin = NULL;
    free(admin);
}
