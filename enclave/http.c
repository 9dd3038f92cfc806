/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/http.h"

#include <picohttpparser.h>
#include <stddef.h>
#include <string.h>

#include "enclave/http_text.h"

enum {
    METHOD_MAX = 32,        /* bytes; the longest registered one has 17 */
    LENGTH_DIGITS_MAX = 18, /* of a Content-Length: cannot overflow */
    PORT_DIGITS_MAX = 5,
    VERSION_SIZE = 8 /* of "HTTP/1.1" */
};

/* A request as it is found out, before anything is handed to the caller. */
struct draft {
    struct tf_str method;
    struct tf_str target;
    struct tf_str authority; /* host of an absolute-form target */
    struct tf_str host;
    struct phr_header fields[TF_HEADERS_MAX];
    size_t count;
    int minor; /* version 1.x */
    bool has_host;
    bool has_length;
    bool has_coding;
    bool has_close;
    bool has_keep_alive;
    bool has_expect;
    uint64_t length;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_number(struct tf_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

static size_t find(struct tf_str text, char c)
{
    const char *found = text.size > 0 ? memchr(text.data, c, text.size) : NULL;
    return found != NULL ? (size_t)(found - text.data) : text.size;
}

static struct tf_str cut(struct tf_str text, size_t from, size_t to)
{
    return (struct tf_str){text.data + from, to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct tf_str trim(struct tf_str text)
{
    size_t from = 0;
    size_t to = text.size;
    while (to > 0 && is_blank(text.data[to - 1])) {
        to--;
    }
    while (from < to && is_blank(text.data[from])) {
        from++;
    }
    return cut(text, from, to);
}

/* --- finding the end of the head --- */

/* The request line ends in a version. Told apart here, because picohttpparser calls every
 * version but 1.x a syntax error, and because a client that speaks HTTP/0.9 would wait
 * for ever for us to see the end of a head. */
static tf_err check_version(struct tf_str line)
{
    if (line.size < VERSION_SIZE + 1) {
        return TF_EHTTP_SYNTAX;
    }
    const char *version = line.data + line.size - VERSION_SIZE;
    if (version[-1] != ' ' || memcmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) ||
        version[6] != '.' || !is_digit(version[7])) {
        return TF_EHTTP_SYNTAX;
    }
    bool is_known = version[5] == '1' && (version[7] == '0' || version[7] == '1');
    return is_known ? TF_OK : TF_EHTTP_VERSION;
}

/* Bytes before the request line: RFC 9112 2.2 asks to skip an empty line there, and we
 * skip one. A second one is an empty request line. */
static size_t skip_empty(const char *bytes)
{
    return bytes[0] == '\r' ? 2 : 0;
}

/* Looks at a line that ends with the LF at `lf`. @return TF_OK: the last of the head. */
static tf_err check_line(const char *bytes, size_t lf)
{
    size_t start = skip_empty(bytes);
    if (lf < start) {
        return TF_AGAIN; /* the empty line itself */
    }
    struct tf_str before = {bytes + start, lf - start};
    if (find(before, '\n') == before.size) {
        tf_err err = check_version(cut(before, 0, before.size - 1));
        return err != TF_OK ? err : TF_AGAIN;
    }
    return bytes[lf - 2] == '\n' ? TF_OK : TF_AGAIN;
}

/* Looks at a byte and the one before it. Line ends are CR LF and nothing else, and no
 * line continues the one before (obs-fold): picohttpparser would take both.
 * @return TF_OK: the last of the head. */
static tf_err check_byte(const char *bytes, size_t at)
{
    char last = '\n';
    if (at > 0) {
        last = bytes[at - 1];
    }
    if ((last == '\r') != (bytes[at] == '\n') || (last == '\n' && is_blank(bytes[at]))) {
        return TF_EHTTP_SYNTAX;
    }
    if (bytes[at] == '\n') {
        return check_line(bytes, at);
    }
    return bytes[at] == '\r' || tf_http_is_text(bytes[at]) ? TF_AGAIN : TF_EHTTP_SYNTAX;
}

/* The first byte from `at` on that check_byte has to see: not those inside a line. */
static size_t skip_plain(const char *bytes, size_t at, size_t limit)
{
    if (at == 0 || at >= limit || !tf_http_is_plain(bytes[at - 1])) {
        return at;
    }
    return at + tf_http_plain(bytes + at, limit - at);
}

/* Finds the empty line. Each byte is looked at once, so a client that sends byte by byte
 * costs no more than one that does not, and gets the same answer. */
static tf_err find_end(const char *bytes, size_t size, size_t before, size_t *end)
{
    size_t limit = size < TF_HEAD_MAX ? size : TF_HEAD_MAX;
    size_t at = skip_plain(bytes, before, limit);
    while (at < limit) {
        tf_err err = check_byte(bytes, at);
        *end = at + 1;
        if (err != TF_AGAIN) {
            return err;
        }
        at = skip_plain(bytes, at + 1, limit);
    }
    return size < TF_HEAD_MAX ? TF_AGAIN : TF_EHTTP_HEADERS;
}

/* --- the request line --- */

static tf_err check_method(struct tf_str method)
{
    if (!tf_http_is_token(method)) {
        return TF_EHTTP_SYNTAX;
    }
    /* CONNECT asks for a tunnel; TRACE would echo credentials. Fetch forbids both. */
    bool is_served = method.size <= METHOD_MAX && !tf_http_is(method, "connect") &&
                     !tf_http_is(method, "trace");
    return is_served ? TF_OK : TF_EHTTP_METHOD;
}

/* Takes a host with an optional port apart. Only what can be a DNS name or an IPv4
 * address: no lambda has another name, so userinfo, brackets, escapes and empty ports are
 * refused. */
static tf_err read_authority(struct tf_str text, struct tf_str *host)
{
    size_t colon = find(text, ':');
    struct tf_str name = cut(text, 0, colon);
    if (name.size == 0 || name.size > TF_DNS_MAX) {
        return TF_EHTTP_SYNTAX;
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = tf_http_lower(name.data[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '.') {
            return TF_EHTTP_SYNTAX;
        }
    }
    if (colon < text.size) {
        struct tf_str port = cut(text, colon + 1, text.size);
        if (!is_number(port) || port.size > PORT_DIGITS_MAX) {
            return TF_EHTTP_SYNTAX;
        }
    }
    *host = name;
    return TF_OK;
}

/* Reduces "https://host/path" to "/path" (RFC 9112 3.2.2). A query without a path has no
 * origin-form in place, and nobody sends it. */
static tf_err read_absolute(struct draft *draft)
{
    static const char scheme[] = "https://";
    size_t from = sizeof(scheme) - 1;
    struct tf_str target = draft->target;
    if (target.size <= from || !tf_http_is(cut(target, 0, from), scheme)) {
        return TF_EHTTP_SYNTAX;
    }
    struct tf_str rest = cut(target, from, target.size);
    size_t slash = find(rest, '/');
    tf_err err = read_authority(cut(rest, 0, slash), &draft->authority);
    if (err != TF_OK) {
        return err;
    }
    draft->target = (struct tf_str){"/", 1};
    if (slash < rest.size) {
        draft->target = cut(rest, slash, rest.size);
    }
    return TF_OK;
}

static tf_err check_target(struct draft *draft)
{
    struct tf_str target = draft->target;
    if (target.size > TF_URL_MAX) {
        return TF_EHTTP_HEADERS;
    }
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] <= ' ' || target.data[i] > '~' || target.data[i] == '#') {
            return TF_EHTTP_SYNTAX;
        }
    }
    if (target.size == 0) {
        return TF_EHTTP_SYNTAX;
    }
    if (target.data[0] == '/') {
        return TF_OK;
    }
    if (tf_http_is(target, "*") && draft->method.size == 7 &&
        memcmp(draft->method.data, "OPTIONS", 7) == 0) {
        return TF_OK;
    }
    return read_absolute(draft);
}

/* --- the fields that frame the message --- */

static tf_err read_host(struct draft *draft, struct tf_str value)
{
    if (draft->has_host) {
        return TF_EHTTP_SYNTAX;
    }
    draft->has_host = true;
    return read_authority(value, &draft->host);
}

/* Digits only, no leading zero (octal to some), once: RFC 9112 6.3 lets a server accept
 * repetitions of one value, which is where two parsers begin to differ. */
static tf_err read_length(struct draft *draft, struct tf_str value)
{
    bool is_odd = !is_number(value) || value.size > LENGTH_DIGITS_MAX ||
                  (value.size > 1 && value.data[0] == '0');
    if (draft->has_length || is_odd) {
        return TF_EHTTP_SYNTAX;
    }
    uint64_t length = 0;
    for (size_t i = 0; i < value.size; i++) {
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    draft->has_length = true;
    draft->length = length;
    return TF_OK;
}

/* "chunked" and nothing else; that it comes with no Content-Length is checked at the end.
 */
static tf_err read_coding(struct draft *draft, struct tf_str value)
{
    if (draft->has_coding || draft->minor == 0) {
        return TF_EHTTP_SYNTAX;
    }
    draft->has_coding = true;
    return tf_http_is(value, "chunked") ? TF_OK : TF_EHTTP_METHOD;
}

/* A list of tokens (RFC 9110 5.6.1); what is neither of the two is not for us. */
static tf_err read_connection(struct draft *draft, struct tf_str value)
{
    while (value.size > 0) {
        size_t comma = find(value, ',');
        struct tf_str option = trim(cut(value, 0, comma));
        if (option.size > 0 && !tf_http_is_token(option)) {
            return TF_EHTTP_SYNTAX;
        }
        draft->has_close |= tf_http_is(option, "close");
        draft->has_keep_alive |= tf_http_is(option, "keep-alive");
        value = cut(value, comma < value.size ? comma + 1 : comma, value.size);
    }
    return TF_OK;
}

static tf_err read_expect(struct draft *draft, struct tf_str value)
{
    draft->has_expect = true;
    return tf_http_is(value, "100-continue") ? TF_OK : TF_EHTTP_SYNTAX;
}

static tf_err read_field(struct draft *draft, struct tf_str name, struct tf_str value)
{
    if (tf_http_is(name, "host")) {
        return read_host(draft, value);
    }
    if (tf_http_is(name, "content-length")) {
        return read_length(draft, value);
    }
    if (tf_http_is(name, "transfer-encoding")) {
        return read_coding(draft, value);
    }
    if (tf_http_is(name, "connection")) {
        return read_connection(draft, value);
    }
    if (tf_http_is(name, "expect")) {
        return read_expect(draft, value);
    }
    return TF_OK;
}

static tf_err read_fields(struct draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) {
        struct phr_header *field = &draft->fields[i];
        struct tf_str name = {field->name, field->name_len};
        struct tf_str value = trim((struct tf_str){field->value, field->value_len});
        tf_err err = read_field(draft, name, value);
        if (err != TF_OK) {
            return err;
        }
        field->value = value.data;
        field->value_len = value.size;
    }
    return TF_OK;
}

static bool is_same_host(struct tf_str a, struct tf_str b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (tf_http_lower(a.data[i]) != tf_http_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

/* What only all of the fields together can tell. */
static tf_err check_whole(struct draft *draft)
{
    if (draft->has_coding && draft->has_length) {
        return TF_EHTTP_SYNTAX;
    }
    if (!draft->has_host && draft->minor == 1) {
        return TF_EHTTP_SYNTAX;
    }
    if (draft->authority.size > 0) {
        if (draft->has_host && !is_same_host(draft->authority, draft->host)) {
            return TF_EHTTP_SYNTAX;
        }
        draft->host = draft->authority;
    }
    return TF_OK;
}

/* --- the whole head --- */

/* Lines between the request line and the empty one. */
static size_t count_fields(const char *bytes, size_t end)
{
    size_t lines = 0;
    for (size_t i = skip_empty(bytes); i < end; i++) {
        lines += bytes[i] == '\n';
    }
    return lines - 2;
}

static tf_err read_head(const char *bytes, size_t end, struct draft *draft)
{
    draft->count = TF_HEADERS_MAX;
    int parsed = phr_parse_request(bytes, end, &draft->method.data, &draft->method.size,
                                   &draft->target.data, &draft->target.size,
                                   &draft->minor, draft->fields, &draft->count, 0);
    if (parsed < 0 || (size_t)parsed != end) {
        return count_fields(bytes, end) > TF_HEADERS_MAX ? TF_EHTTP_HEADERS
                                                         : TF_EHTTP_SYNTAX;
    }
    tf_err err = check_method(draft->method);
    if (err == TF_OK) {
        err = check_target(draft);
    }
    if (err == TF_OK) {
        err = read_fields(draft);
    }
    return err == TF_OK ? check_whole(draft) : err;
}

static void lower_in_place(char *bytes, struct tf_str text)
{
    char *at = bytes + (text.data - bytes);
    for (size_t i = 0; i < text.size; i++) {
        at[i] = tf_http_lower(at[i]);
    }
}

static void hand_out(const struct draft *draft, char *bytes, struct tf_http_head *out)
{
    for (size_t i = 0; i < draft->count; i++) {
        const struct phr_header *field = &draft->fields[i];
        struct tf_js_header *header = &out->headers[i];
        header->name = (struct tf_str){field->name, field->name_len};
        header->value = (struct tf_str){field->value, field->value_len};
        lower_in_place(bytes, header->name);
    }
    if (draft->host.size > 0) {
        lower_in_place(bytes, draft->host);
    }
    out->method = draft->method;
    out->target = draft->target;
    out->host = draft->host;
    out->header_count = draft->count;
    out->keep_alive = !draft->has_close && (draft->minor == 1 || draft->has_keep_alive);
    out->is_chunked = draft->has_coding;
    out->has_length = draft->has_length;
    out->length = draft->length;
    /* RFC 9110 10.1.1: not in HTTP/1.0, and pointless without a body. */
    out->takes_chunks = draft->minor == 1;
    out->expects_continue = draft->has_expect && draft->minor == 1 &&
                            (draft->has_coding || draft->length > 0);
}

tf_err tf_http_head_parse(char *bytes, size_t size, size_t before,
                          struct tf_http_head *out, size_t *used)
{
    size_t end = 0;
    tf_err err = find_end(bytes, size, before, &end);
    if (err != TF_OK) {
        return err;
    }
    struct draft draft;
    memset(&draft, 0, offsetof(struct draft, fields));
    memset(&draft.count, 0, sizeof(draft) - offsetof(struct draft, count));
    err = read_head(bytes, end, &draft);
    if (err != TF_OK) {
        return err;
    }
    hand_out(&draft, bytes, out);
    *used = end;
    return TF_OK;
}
