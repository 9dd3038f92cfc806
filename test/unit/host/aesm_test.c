/* SPDX-License-Identifier: Apache-2.0 */
#include "host/aesm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/sandbox.h"
#include "lib/bytes.h"
#include "test/test.h"

enum { FIELD_INIT = 15, FIELD_QUOTE = 17, QUOTE_SIZE = 436 + 100, ROOM = 32 << 10 };

/* --- messages
 * --------------------------------------------------------------------------- */

struct message {
    uint8_t bytes[ROOM];
    size_t size;
};

static void add(struct message *m, const void *data, size_t size)
{
    memcpy(m->bytes + m->size, data, size);
    m->size += size;
}

static void add_varint(struct message *m, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) {
        m->bytes[m->size++] = (uint8_t)(value | 0x80);
    }
    m->bytes[m->size++] = (uint8_t)value;
}

static void add_number(struct message *m, unsigned field, uint64_t value)
{
    add_varint(m, field << 3);
    add_varint(m, value);
}

static void add_bytes(struct message *m, unsigned field, const void *data, size_t size)
{
    add_varint(m, field << 3 | 2);
    add_varint(m, size);
    add(m, data, size);
}

static struct message around(unsigned field, const struct message *inner)
{
    struct message m = {.size = 0};
    add_bytes(&m, field, inner->bytes, inner->size);
    return m;
}

static const uint8_t target_bytes[512] = {0xee, [511] = 0xdd};

static struct message init_answer(void)
{
    struct message inner = {.size = 0};
    add_number(&inner, 1, 0);
    add_bytes(&inner, 2, target_bytes, sizeof(target_bytes));
    return inner;
}

static void make_quote(uint8_t quote[static QUOTE_SIZE], const struct sgx_report *report)
{
    memset(quote, 0x5a, QUOTE_SIZE);
    tf_store_u16(quote, 3);
    tf_store_u16(quote + 2, 2);
    memcpy(quote + 48, report, SGX_REPORT_BODY_SIZE);
    tf_store_u32(quote + 432, QUOTE_SIZE - 436);
}

/* As AESM: in a buffer that is filled up. */
static struct message quote_answer(const uint8_t *quote, size_t size, size_t buffer)
{
    static const uint8_t zeros[ROOM];
    struct message inner = {.size = 0};
    add_number(&inner, 1, 0);
    add_varint(&inner, 2 << 3 | 2);
    add_varint(&inner, buffer);
    add(&inner, quote, size);
    add(&inner, zeros, buffer - size);
    return around(FIELD_QUOTE, &inner);
}

/* In blocks of the exact size, so that AddressSanitizer sees a read past them. */
static tf_err parse_target(const struct message *m, struct sgx_target_info *out,
                           uint32_t *code)
{
    uint8_t *copy = malloc(m->size + 1);
    memcpy(copy + 1, m->bytes, m->size);
    tf_err err = tf_aesm_parse_target_info(copy + 1, m->size, out, code);
    free(copy);
    return err;
}

static tf_err parse_quote(const struct message *m, size_t *size, uint32_t *code)
{
    const uint8_t *quote = NULL;
    uint8_t *copy = malloc(m->size + 1);
    memcpy(copy + 1, m->bytes, m->size);
    tf_err err = tf_aesm_parse_quote(copy + 1, m->size, &quote, size, code);
    if (err == TF_OK) {
        CHECK(quote >= copy + 1 && quote + *size <= copy + 1 + m->size);
    }
    free(copy);
    return err;
}

/* --- parsers
 * ------------------------------------------------------------------------------ */

static void target_info_is_taken(void)
{
    struct sgx_target_info target = {.miscselect = 7};
    uint32_t code = 9;
    struct message inner = init_answer();
    add_number(&inner, 3, 32); /* pub_key_id_size, and what a later AESM may add */
    add_bytes(&inner, 4, "key id", 6);
    add(&inner,
        "\x29"
        "12345678"
        "\x35"
        "1234",
        14); /* fields 5 (64 bits), 6 (32 bits) */
    struct message m = around(FIELD_INIT, &inner);
    CHECK(parse_target(&m, &target, &code) == TF_OK);
    CHECK(code == 0);
    CHECK(memcmp(&target, target_bytes, sizeof(target)) == 0);
}

static void every_prefix_is_refused(void)
{
    struct sgx_target_info target = {.miscselect = 7};
    uint32_t code = 9;
    struct message inner = init_answer();
    struct message m = around(FIELD_INIT, &inner);
    for (size_t whole = m.size; m.size-- > 0;) {
        CHECK(parse_target(&m, &target, &code) == TF_EFORMAT);
        CHECK(m.size < whole);
    }
    CHECK(target.miscselect == 7 && code == 9);
}

static tf_err with_code(unsigned field, uint64_t number)
{
    struct sgx_target_info target;
    size_t size = 0;
    uint32_t code = 9;
    struct message inner = {.size = 0};
    add_number(&inner, 1, number);
    struct message m = around(field, &inner);
    tf_err err = field == FIELD_INIT ? parse_target(&m, &target, &code)
                                     : parse_quote(&m, &size, &code);
    CHECK(code == (number <= UINT32_MAX ? number : 9));
    return err;
}

static void codes_are_told_apart(void)
{
    for (unsigned field = FIELD_INIT; field <= FIELD_QUOTE; field += 2) {
        CHECK(with_code(field, 0) == TF_EFORMAT); /* success, and nothing with it */
        CHECK(with_code(field, 1) == TF_EQUOTE);
        CHECK(with_code(field, 13) == TF_AGAIN);
        CHECK(with_code(field, 18) == TF_AGAIN);
        CHECK(with_code(field, 19) == TF_AGAIN);
        CHECK(with_code(field, 42) == TF_EQUOTE);
        CHECK(with_code(field, UINT32_MAX) == TF_EQUOTE);
        CHECK(with_code(field, (uint64_t)1 << 32) == TF_EFORMAT);
        CHECK(with_code(field, UINT64_MAX) == TF_EFORMAT);
    }
}

static tf_err parse_inner(const void *bytes, size_t size)
{
    struct sgx_target_info target;
    uint32_t code = 0;
    struct message inner = init_answer();
    add(&inner, bytes, size);
    struct message m = around(FIELD_INIT, &inner);
    return parse_target(&m, &target, &code);
}

static void odd_fields_are_refused(void)
{
    CHECK(parse_inner("", 0) == TF_OK);
    CHECK(parse_inner("\x08\x00", 2) == TF_EFORMAT);  /* errorCode twice */
    CHECK(parse_inner("\x12\x01x", 3) == TF_EFORMAT); /* target_info twice */
    CHECK(parse_inner("\x0a\x01x", 3) == TF_EFORMAT); /* errorCode as bytes */
    CHECK(parse_inner("\x10\x01", 2) == TF_EFORMAT);  /* target_info as a number */
    CHECK(parse_inner("\x00\x00", 2) == TF_EFORMAT);  /* field 0 */
    CHECK(parse_inner("\x33\x34", 2) == TF_EFORMAT);  /* a group */
    CHECK(parse_inner("\x36", 1) == TF_EFORMAT);      /* wire types 6 and 7 */
    CHECK(parse_inner("\x37", 1) == TF_EFORMAT);
    CHECK(parse_inner("\x31"
                      "1234567",
                      8) == TF_EFORMAT); /* 64 bits, cut off */
    CHECK(parse_inner("\x35"
                      "123",
                      4) == TF_EFORMAT);              /* 32 bits, cut off */
    CHECK(parse_inner("\x32\x02x", 3) == TF_EFORMAT); /* longer than there is */
    CHECK(parse_inner("\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) == TF_EFORMAT);
    CHECK(parse_inner("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) == TF_OK);
    CHECK(parse_inner("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11) == TF_EFORMAT);
    CHECK(parse_inner("\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12) ==
          TF_EFORMAT);
    CHECK(parse_inner("\x80\x80\x80\x80\x80\x01\x00", 7) == TF_EFORMAT); /* field 2^32 */
}

static void only_the_answer_asked_for_is_taken(void)
{
    struct sgx_target_info target;
    uint32_t code = 0;
    struct message inner = init_answer();
    struct message m = around(FIELD_QUOTE, &inner);
    CHECK(parse_target(&m, &target, &code) == TF_EFORMAT);
    m = around(FIELD_INIT, &inner);
    add_number(&m, 20, 0); /* something behind it */
    CHECK(parse_target(&m, &target, &code) == TF_EFORMAT);
    m.size = 0;
    add_number(&m, FIELD_INIT, 0); /* a number where a message is due */
    CHECK(parse_target(&m, &target, &code) == TF_EFORMAT);
    for (size_t size = 511; size <= 513; size += 2) {
        static const uint8_t bytes[513];
        inner.size = 0;
        add_number(&inner, 1, 0);
        add_bytes(&inner, 2, bytes, size);
        m = around(FIELD_INIT, &inner);
        CHECK(parse_target(&m, &target, &code) == TF_EFORMAT);
    }
}

static void a_quote_is_cut_to_its_size(void)
{
    static const struct sgx_report report = {.isv_svn = 5};
    uint8_t quote[QUOTE_SIZE];
    size_t size = 0;
    uint32_t code = 9;
    make_quote(quote, &report);
    struct message m = quote_answer(quote, QUOTE_SIZE, 8192);
    CHECK(parse_quote(&m, &size, &code) == TF_OK);
    CHECK(size == QUOTE_SIZE && code == 0);
    m = quote_answer(quote, QUOTE_SIZE, QUOTE_SIZE);
    CHECK(parse_quote(&m, &size, &code) == TF_OK);
    size = 1;
    for (size_t part = 0; part < QUOTE_SIZE; part++) {
        m = quote_answer(quote, part, part);
        CHECK(parse_quote(&m, &size, &code) == TF_EQUOTE_FORMAT);
    }
    tf_store_u32(quote + 432, UINT32_MAX);
    m = quote_answer(quote, QUOTE_SIZE, 8192);
    CHECK(parse_quote(&m, &size, &code) == TF_EQUOTE_FORMAT);
    tf_store_u32(quote + 432, 0);
    m = quote_answer(quote, QUOTE_SIZE, 8192);
    CHECK(parse_quote(&m, &size, &code) == TF_EQUOTE_FORMAT);
    CHECK(size == 1);
}

static void other_quotes_are_refused(void)
{
    static const struct sgx_report report;
    uint8_t quote[QUOTE_SIZE];
    size_t size = 0;
    uint32_t code = 0;
    for (uint16_t version = 0; version < 7; version++) {
        make_quote(quote, &report);
        tf_store_u16(quote, version);
        struct message m = quote_answer(quote, QUOTE_SIZE, 8192);
        CHECK(parse_quote(&m, &size, &code) == (version == 3 ? TF_OK : TF_EQUOTE_KIND));
    }
    make_quote(quote, &report);
    tf_store_u16(quote + 2, 3); /* ECDSA P-384 */
    struct message m = quote_answer(quote, QUOTE_SIZE, 8192);
    CHECK(parse_quote(&m, &size, &code) == TF_EQUOTE_KIND);
}

/* --- the socket
 * --------------------------------------------------------------------------- */

/* An AESM that sends these bytes to one client, in pieces, and hangs up if told to. */
struct script {
    char path[64];
    int fd;
    struct message frame;
    size_t piece;
    int is_silent_after;
    pthread_t thread;
};

static void *play(void *user)
{
    struct script *s = user;
    uint8_t request[2048];
    int fd = accept(s->fd, NULL, NULL);
    CHECK(recv(fd, request, sizeof(request), 0) > 0);
    for (size_t at = 0; at < s->frame.size; at += s->piece) {
        size_t left = s->frame.size - at;
        (void)send(fd, s->frame.bytes + at, left < s->piece ? left : s->piece,
                   MSG_NOSIGNAL);
    }
    if (s->is_silent_after) {
        (void)recv(fd, request, 1, 0); /* until the client gives up */
    }
    (void)close(fd);
    return NULL;
}

static void script_start(struct script *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(s->path, "/tmp/tfaas-aesm.XXXXXX", 23);
    CHECK(mkdtemp(s->path) != NULL);
    memcpy(s->path + 22, "/s", 3);
    memcpy(address.sun_path, s->path, 25);
    s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(s->fd, 1) == 0);
    CHECK(pthread_create(&s->thread, NULL, play, s) == 0);
}

static void script_end(struct script *s)
{
    CHECK(pthread_join(s->thread, NULL) == 0);
    (void)close(s->fd);
    (void)unlink(s->path);
    s->path[22] = '\0';
    (void)rmdir(s->path);
}

static tf_err ask(struct script *s, unsigned timeout_ms, struct sgx_target_info *out)
{
    script_start(s);
    struct tf_aesm aesm = {.path = s->path, .timeout_ms = timeout_ms};
    tf_err err = tf_aesm_target_info(&aesm, out);
    script_end(s);
    return err;
}

static void set_frame(struct script *s, uint32_t length, const struct message *message)
{
    tf_store_u32(s->frame.bytes, length);
    s->frame.size = 4;
    add(&s->frame, message->bytes, message->size);
}

static void a_frame_may_come_in_pieces(void)
{
    static struct script s = {.piece = 1};
    struct sgx_target_info target;
    struct message inner = init_answer();
    struct message m = around(FIELD_INIT, &inner);
    set_frame(&s, (uint32_t)m.size, &m);
    CHECK(ask(&s, 10000, &target) == TF_OK);
    CHECK(memcmp(&target, target_bytes, sizeof(target)) == 0);
}

static void frames_that_lie_are_refused(void)
{
    static struct script s = {.piece = 4096};
    struct sgx_target_info target;
    struct message inner = init_answer();
    struct message m = around(FIELD_INIT, &inner);
    set_frame(&s, UINT32_MAX, &m);
    CHECK(ask(&s, 10000, &target) == TF_ELIMIT);
    set_frame(&s, TF_AESM_FRAME_MAX + 1, &m);
    CHECK(ask(&s, 10000, &target) == TF_ELIMIT);
    set_frame(&s, TF_AESM_FRAME_MAX, &m);
    CHECK(ask(&s, 10000, &target) == TF_EIO); /* hangs up before */
    set_frame(&s, (uint32_t)m.size - 1, &m);
    CHECK(ask(&s, 10000, &target) == TF_EFORMAT);
    set_frame(&s, 0, &m);
    CHECK(ask(&s, 10000, &target) == TF_EFORMAT);
    s.frame.size = 3;
    CHECK(ask(&s, 10000, &target) == TF_EIO);
    s.frame.size = 0;
    CHECK(ask(&s, 10000, &target) == TF_EIO);
}

static void silence_has_an_end(void)
{
    static struct script s = {.piece = 4096, .is_silent_after = 1};
    struct sgx_target_info target;
    struct timespec start;
    struct timespec end;
    struct message inner = init_answer();
    struct message m = around(FIELD_INIT, &inner);
    set_frame(&s, (uint32_t)m.size + 1, &m); /* one byte never comes */
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK(ask(&s, 100, &target) == TF_EIO);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK(end.tv_sec - start.tv_sec < 10);
}

static void a_quote_of_another_report_is_refused(void)
{
    static struct script s = {.piece = 4096};
    struct sgx_report report = {.isv_svn = 5};
    uint8_t quote[QUOTE_SIZE];
    uint8_t out[QUOTE_SIZE] = {1};
    size_t size = 1;
    make_quote(quote, &report);
    struct message m = quote_answer(quote, QUOTE_SIZE, TF_AESM_QUOTE_MAX);
    set_frame(&s, (uint32_t)m.size, &m);
    for (unsigned i = 0; i < 3; i++) {
        static const tf_err expected[] = {TF_OK, TF_ELIMIT, TF_EQUOTE_FORMAT};
        report.isv_svn = i == 2 ? 6 : 5;
        script_start(&s);
        struct tf_aesm aesm = {.path = s.path, .timeout_ms = 10000};
        tf_err err = tf_aesm_quote(&aesm, &report, out,
                                   i == 1 ? QUOTE_SIZE - 1 : QUOTE_SIZE, &size);
        CHECK(err == expected[i]);
        script_end(&s);
        CHECK(i > 0 || (size == QUOTE_SIZE && memcmp(out, quote, QUOTE_SIZE) == 0));
    }
}

static void nobody_there_is_told_apart(void)
{
    char path[200];
    struct sgx_target_info target;
    struct tf_aesm aesm = {.path = "/tmp/tfaas-no-aesm/s", .timeout_ms = 1000};
    CHECK(tf_aesm_target_info(&aesm, &target) == TF_ENOTFOUND);
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    aesm.path = path;
    CHECK(tf_aesm_target_info(&aesm, &target) == TF_EUSAGE);
    aesm.path = "";
    CHECK(tf_aesm_target_info(&aesm, &target) == TF_EUSAGE);
}

/* In a process of its own, which is then locked in. @return its exit status. */
static int ask_from_inside(const char *path)
{
    struct tf_aesm aesm = {.path = path, .timeout_ms = 10000};
    struct sgx_target_info target;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        tf_err err = tf_aesm_open(&aesm);
        if (err == TF_OK) {
            err = tf_sandbox_enter(TF_SANDBOX_LEAN);
        }
        _exit(err == TF_OK ? (int)tf_aesm_target_info(&aesm, &target) : 255);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                : -1;
}

static void a_worker_that_may_not_connect_is_answered_too(void)
{
    static struct script s = {.piece = 4096};
    struct message inner = init_answer();
    struct message m = around(FIELD_INIT, &inner);
    set_frame(&s, (uint32_t)m.size, &m);
    script_start(&s);
    CHECK(ask_from_inside(s.path) == TF_OK);
    script_end(&s);
    CHECK(ask_from_inside("/tmp/tfaas-no-aesm/s") == TF_ENOTFOUND);
    CHECK(ask_from_inside("") == TF_EUSAGE);
}

int main(void)
{
    RUN(target_info_is_taken);
    RUN(every_prefix_is_refused);
    RUN(codes_are_told_apart);
    RUN(odd_fields_are_refused);
    RUN(only_the_answer_asked_for_is_taken);
    RUN(a_quote_is_cut_to_its_size);
    RUN(other_quotes_are_refused);
    RUN(a_frame_may_come_in_pieces);
    RUN(frames_that_lie_are_refused);
    RUN(silence_has_an_end);
    RUN(a_quote_of_another_report_is_refused);
    RUN(nobody_there_is_told_apart);
    RUN(a_worker_that_may_not_connect_is_answered_too);
    return test_end();
}
