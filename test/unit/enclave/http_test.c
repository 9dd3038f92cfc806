/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_test.c - request heads: what is served, what is refused and as what, and that the
 * answer does not depend on how the bytes arrive. Every input lies in a block of its
 * exact size, so that AddressSanitizer sees a read past its end.
 */
#include "enclave/http.h"
#include "enclave/http_text.h"

#include <stdlib.h>
#include <string.h>

#include "test/test.h"

#define RAW(text) text, sizeof(text) - 1
#define H         "Host: a.example\r\n"

enum { BUILT_MAX = 4 * TF_HEAD_MAX };

struct raw_case {
    const char *name;
    const char *raw;
    size_t size;
    tf_err err;
};

static const struct raw_case good[] = {
    {"plain", RAW("GET / HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"empty line before", RAW("\r\nGET / HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"query", RAW("GET /a/b?c=d&e=%20+~{}| HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"two slashes", RAW("GET //b.example/ HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"own method", RAW("M-SEARCH / HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"options of the server", RAW("OPTIONS * HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"absolute", RAW("GET https://a.example/x?y HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"absolute, case", RAW("GET HTTPS://A.example/ HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"absolute, port", RAW("GET https://a.example:443/ HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"absolute, no path", RAW("GET https://a.example HTTP/1.1\r\n" H "\r\n"), TF_OK},
    {"absolute in 1.0", RAW("GET https://a.example/ HTTP/1.0\r\n\r\n"), TF_OK},
    {"port", RAW("GET / HTTP/1.1\r\nHost: A.Example:8443\r\n\r\n"), TF_OK},
    {"address", RAW("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"), TF_OK},
    {"host without blank", RAW("GET / HTTP/1.1\r\nHost:a.example\r\n\r\n"), TF_OK},
    {"blanks around", RAW("GET / HTTP/1.1\r\nHost: \t a.example \t \r\n\r\n"), TF_OK},
    {"1.0", RAW("GET / HTTP/1.0\r\n\r\n"), TF_OK},
    {"1.0 with host", RAW("GET / HTTP/1.0\r\n" H "\r\n"), TF_OK},
    {"1.0 keep-alive", RAW("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), TF_OK},
    {"1.0 expect", RAW("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), TF_OK},
    {"close", RAW("GET / HTTP/1.1\r\n" H "Connection: Close\r\n\r\n"), TF_OK},
    {"options", RAW("GET / HTTP/1.1\r\n" H "Connection: te, ,Close\r\n\r\n"), TF_OK},
    {"no option", RAW("GET / HTTP/1.1\r\n" H "Connection:\r\n\r\n"), TF_OK},
    {"length 0", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), TF_OK},
    {"length", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 1234567\r\n\r\n"), TF_OK},
    {"longest length",
     RAW("POST / HTTP/1.1\r\n" H "Content-Length: 999999999999999999\r\n\r\n"), TF_OK},
    {"chunked", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"), TF_OK},
    {"CHUNKED", RAW("POST / HTTP/1.1\r\n" H "TRANSFER-ENCODING: CHUNKED\r\n\r\n"), TF_OK},
    {"expect",
     RAW("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"),
     TF_OK},
    {"empty value", RAW("GET / HTTP/1.1\r\n" H "X:\r\nY: \r\nZ: \t \r\n\r\n"), TF_OK},
    {"tab in value", RAW("GET / HTTP/1.1\r\n" H "X: a\tb  c\r\n\r\n"), TF_OK},
    {"obs-text", RAW("GET / HTTP/1.1\r\n" H "X: \xc3\xa4\xff\r\n\r\n"), TF_OK},
    {"odd name", RAW("GET / HTTP/1.1\r\n" H "!#$%&'*+-.^_`|~0: a\r\n\r\n"), TF_OK},
    {"twice", RAW("GET / HTTP/1.1\r\n" H "Cookie: a\r\nCookie: b\r\n\r\n"), TF_OK},
    {"upgrade", RAW("GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\nTE: trailers\r\n\r\n"),
     TF_OK},
};

static const struct raw_case bad[] = {
    /* Framing: what request smuggling is made of (RFC 9112 section 6 and 11.2). */
    {"CL and TE",
     RAW("POST / HTTP/1.1\r\n" H
         "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE and CL",
     RAW("POST / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"two CL",
     RAW("POST / HTTP/1.1\r\n" H "Content-Length: 4\r\nContent-Length: 5\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"two equal CL",
     RAW("POST / HTTP/1.1\r\n" H "Content-Length: 4\r\ncontent-length: 4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL list", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 4, 4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL plus", RAW("POST / HTTP/1.1\r\n" H "Content-Length: +4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL minus", RAW("POST / HTTP/1.1\r\n" H "Content-Length: -4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL hex", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 0x4\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL octal", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 010\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL zeros", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 00\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL empty", RAW("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"CL space", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL dot", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 4.0\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL exponent", RAW("POST / HTTP/1.1\r\n" H "Content-Length: 1e2\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL wraps",
     RAW("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551620\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"CL 19 digits",
     RAW("POST / HTTP/1.1\r\n" H "Content-Length: 1000000000000000000\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE unknown", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE gzip", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE identity", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE twice in one",
     RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE comma", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked,\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE parameter",
     RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;a=b\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE quoted", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"TE empty", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n"),
     TF_EHTTP_METHOD},
    {"two TE",
     RAW("POST / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"chunked then identity",
     RAW("POST / HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE in 1.0", RAW("POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE space colon", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE vertical tab",
     RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE folded", RAW("POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE after bare LF",
     RAW("POST / HTTP/1.1\r\n" H "X: a\nTransfer-Encoding: chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"TE after bare CR",
     RAW("POST / HTTP/1.1\r\n" H "X: a\rTransfer-Encoding: chunked\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"expect other",
     RAW("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 200-ok\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"expect empty", RAW("PUT / HTTP/1.1\r\n" H "Expect:\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"expect two", RAW("PUT / HTTP/1.1\r\n" H "Expect: 100-continue, x\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"connection odd", RAW("GET / HTTP/1.1\r\n" H "Connection: a b\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"connection quoted", RAW("GET / HTTP/1.1\r\n" H "Connection: \"close\"\r\n\r\n"),
     TF_EHTTP_SYNTAX},

    /* Host (RFC 9112 section 3.2). */
    {"no host", RAW("GET / HTTP/1.1\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"no host, other field", RAW("GET / HTTP/1.1\r\nX-Host: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"two hosts", RAW("GET / HTTP/1.1\r\n" H "Host: b.example\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"two equal hosts", RAW("GET / HTTP/1.1\r\n" H H "\r\n"), TF_EHTTP_SYNTAX},
    {"two hosts in 1.0", RAW("GET / HTTP/1.0\r\n" H H "\r\n"), TF_EHTTP_SYNTAX},
    {"empty host", RAW("GET / HTTP/1.1\r\nHost:\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"blank host", RAW("GET / HTTP/1.1\r\nHost:  \t\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"userinfo", RAW("GET / HTTP/1.1\r\nHost: u@a.example\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host list", RAW("GET / HTTP/1.1\r\nHost: a.example, b\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host space", RAW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host path", RAW("GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host query", RAW("GET / HTTP/1.1\r\nHost: a.example?x\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host escape", RAW("GET / HTTP/1.1\r\nHost: a%2eexample\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host NUL", RAW("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host UTF-8", RAW("GET / HTTP/1.1\r\nHost: \xc3\xa4.example\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"host brackets", RAW("GET / HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"host scheme", RAW("GET / HTTP/1.1\r\nHost: https://a.example\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"port empty", RAW("GET / HTTP/1.1\r\nHost: a.example:\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"port name", RAW("GET / HTTP/1.1\r\nHost: a.example:https\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"port long", RAW("GET / HTTP/1.1\r\nHost: a.example:000443\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"port sign", RAW("GET / HTTP/1.1\r\nHost: a.example:+443\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"two ports", RAW("GET / HTTP/1.1\r\nHost: a.example:1:2\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"only port", RAW("GET / HTTP/1.1\r\nHost: :443\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"absolute, other host", RAW("GET https://b.example/ HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, no host", RAW("GET https://a.example/ HTTP/1.1\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, userinfo", RAW("GET https://u@a.example/ HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, query only", RAW("GET https://a.example?x HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, empty host", RAW("GET https:///x HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, http", RAW("GET http://a.example/ HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"absolute, file", RAW("GET file:///etc/passwd HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_SYNTAX},
    {"only scheme", RAW("GET https:// HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},

    /* The request line (RFC 9112 section 3). */
    {"0.9", RAW("GET /\r\n"), TF_EHTTP_SYNTAX},
    {"no target", RAW("GET HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"no method", RAW(" / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"only version", RAW("HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"blank version", RAW(" HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"two spaces", RAW("GET  / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"two spaces later", RAW("GET /  HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"space in target", RAW("GET /a b HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"tab", RAW("GET\t/ HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"space at the end", RAW("GET / HTTP/1.1 \r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"space at the start", RAW(" GET / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"method odd", RAW("G(T / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"method colon", RAW("GET: / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"method UTF-8", RAW("G\xc3\xa4T / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"method long", RAW("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" H "\r\n"),
     TF_EHTTP_METHOD},
    {"connect", RAW("CONNECT a.example:443 HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_METHOD},
    {"trace", RAW("TRACE / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_METHOD},
    {"relative", RAW("GET a HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"asterisk", RAW("GET * HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"asterisk, lower case", RAW("options * HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"fragment", RAW("GET /a#b HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"target UTF-8", RAW("GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"target NUL", RAW("GET /\0 HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"target DEL", RAW("GET /\x7f HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"1.2", RAW("GET / HTTP/1.2\r\n" H "\r\n"), TF_EHTTP_VERSION},
    {"1.9", RAW("GET / HTTP/1.9\r\n" H "\r\n"), TF_EHTTP_VERSION},
    {"0.9 said", RAW("GET / HTTP/0.9\r\n" H "\r\n"), TF_EHTTP_VERSION},
    {"2.0", RAW("GET / HTTP/2.0\r\n" H "\r\n"), TF_EHTTP_VERSION},
    {"preface of 2", RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), TF_EHTTP_VERSION},
    {"version 11", RAW("GET / HTTP/1.11\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"version 1", RAW("GET / HTTP/1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"version zeros", RAW("GET / HTTP/01.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"version lower", RAW("GET / http/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"version other", RAW("GET / HTTQ/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"version letters", RAW("GET / HTTP/a.b\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"a TLS record", RAW("\x16\x03\x01\x02\x00\x01\x00"), TF_EHTTP_SYNTAX},

    /* Lines and fields (RFC 9112 section 2.2 and 5). */
    {"LF only", RAW("GET / HTTP/1.1\nHost: a.example\n\n"), TF_EHTTP_SYNTAX},
    {"LF after line", RAW("GET / HTTP/1.1\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"LF after field", RAW("GET / HTTP/1.1\r\nHost: a.example\n\r\n"), TF_EHTTP_SYNTAX},
    {"LF at the end", RAW("GET / HTTP/1.1\r\n" H "\n"), TF_EHTTP_SYNTAX},
    {"LF at the start", RAW("\nGET / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"CR in target", RAW("GET /\r HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"CR in name", RAW("GET / HTTP/1.1\r\n" H "X\r: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"CR at the end", RAW("GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"CR at the start", RAW("\rGET / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"two empty lines", RAW("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n"), TF_EHTTP_SYNTAX},
    {"fold", RAW("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"fold by tab", RAW("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"fold at first", RAW("GET / HTTP/1.1\r\n " H "\r\n"), TF_EHTTP_SYNTAX},
    {"fold of nothing", RAW("GET / HTTP/1.1\r\n" H " \r\n\r\n"), TF_EHTTP_SYNTAX},
    {"space before colon", RAW("GET / HTTP/1.1\r\nHost : a.example\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"tab before colon", RAW("GET / HTTP/1.1\r\nHost\t: a.example\r\n\r\n"),
     TF_EHTTP_SYNTAX},
    {"no colon", RAW("GET / HTTP/1.1\r\n" H "X\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"no name", RAW("GET / HTTP/1.1\r\n" H ": a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"name with space", RAW("GET / HTTP/1.1\r\n" H "X Y: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"name with slash", RAW("GET / HTTP/1.1\r\n" H "X/Y: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"name with NUL", RAW("GET / HTTP/1.1\r\n" H "X\0: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"name UTF-8", RAW("GET / HTTP/1.1\r\n" H "\xc3\xa4: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"name in brackets", RAW("GET / HTTP/1.1\r\n" H "[X]: a\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"value with NUL", RAW("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"value with BEL", RAW("GET / HTTP/1.1\r\n" H "X: a\ab\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"value with DEL", RAW("GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n"), TF_EHTTP_SYNTAX},
    {"value with ESC", RAW("GET / HTTP/1.1\r\n" H "X: \x1b[0m\r\n\r\n"), TF_EHTTP_SYNTAX},
};

static const struct raw_case partial[] = {
    {"nothing", RAW(""), TF_AGAIN},
    {"CR", RAW("\r"), TF_AGAIN},
    {"an empty line", RAW("\r\n"), TF_AGAIN},
    {"half a method", RAW("GE"), TF_AGAIN},
    {"a line", RAW("GET / HTTP/1.1\r\n"), TF_AGAIN},
    {"up to the last LF", RAW("GET / HTTP/1.1\r\n" H "\r"), TF_AGAIN},
};

struct parsed {
    tf_err err;
    size_t used;
    struct tf_http_head head;
    char *bytes; /* the head points into it; owned */
};

/* Feeds `raw` as the core does: `first` bytes, then `step` more each time. */
static struct parsed parse(const char *raw, size_t size, size_t first, size_t step)
{
    struct parsed result = {.err = TF_AGAIN};
    size_t before = 0;
    for (size_t have = first; result.err == TF_AGAIN; have += step) {
        have = have < size ? have : size;
        free(result.bytes);
        result.bytes = malloc(have + (have == 0));
        if (result.bytes == NULL) {
            abort();
        }
        memcpy(result.bytes, raw, have);
        result.err =
            tf_http_head_parse(result.bytes, have, before, &result.head, &result.used);
        before = have;
        if (have == size) {
            break;
        }
    }
    return result;
}

static int is_same(struct tf_str a, struct tf_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static int is_same_head(const struct tf_http_head *a, const struct tf_http_head *b)
{
    if (!is_same(a->method, b->method) || !is_same(a->target, b->target) ||
        !is_same(a->host, b->host) || a->header_count != b->header_count ||
        a->keep_alive != b->keep_alive || a->is_chunked != b->is_chunked ||
        a->has_length != b->has_length || a->length != b->length ||
        a->expects_continue != b->expects_continue) {
        return 0;
    }
    for (size_t i = 0; i < a->header_count; i++) {
        if (!is_same(a->headers[i].name, b->headers[i].name) ||
            !is_same(a->headers[i].value, b->headers[i].value)) {
            return 0;
        }
    }
    return 1;
}

/* The same answer in one piece, in every two pieces, and byte by byte. */
static void check_splits(const struct raw_case *c)
{
    struct parsed whole = parse(c->raw, c->size, c->size, 1);
    if (!CHECK(whole.err == c->err)) {
        (void)fprintf(stderr, "  %s: %s\n", c->name, tf_err_name(whole.err));
    }
    for (size_t at = 0; at < c->size; at++) {
        struct parsed split = parse(c->raw, c->size, at, c->size);
        int is_equal = split.err == whole.err;
        if (whole.err == TF_OK) {
            is_equal = is_equal && split.used == whole.used &&
                       is_same_head(&split.head, &whole.head);
        }
        if (!CHECK(is_equal)) {
            (void)fprintf(stderr, "  %s, split at %zu\n", c->name, at);
        }
        free(split.bytes);
    }
    struct parsed bytewise = parse(c->raw, c->size, 0, 1);
    CHECK(bytewise.err == whole.err);
    CHECK(whole.err != TF_OK || is_same_head(&bytewise.head, &whole.head));
    free(bytewise.bytes);
    free(whole.bytes);
}

static void good_requests_are_served(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        check_splits(&good[i]);
    }
}

static void bad_requests_are_refused(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_splits(&bad[i]);
    }
}

static void partial_requests_wait(void)
{
    for (size_t i = 0; i < sizeof(partial) / sizeof(partial[0]); i++) {
        check_splits(&partial[i]);
    }
}

static void what_follows_is_left_alone(void)
{
    const char raw[] = "GET / HTTP/1.1\r\n" H "\r\nGET \n\0garbage";
    struct parsed p = parse(raw, sizeof(raw) - 1, sizeof(raw) - 1, 1);
    CHECK(p.err == TF_OK);
    CHECK(p.used == strlen("GET / HTTP/1.1\r\n" H "\r\n"));
    CHECK(memcmp(p.bytes + p.used, raw + p.used, sizeof(raw) - 1 - p.used) == 0);
    free(p.bytes);
}

static int is_text(struct tf_str text, const char *wanted)
{
    return text.size == strlen(wanted) && memcmp(text.data, wanted, text.size) == 0;
}

static struct parsed parse_text(const char *raw)
{
    return parse(raw, strlen(raw), strlen(raw), 1);
}

static void a_head_is_taken_apart(void)
{
    struct parsed p =
        parse_text("PoST https://A.Example:8443/p?q HTTP/1.1\r\n"
                   "HOST: a.EXAMPLE:1\r\nX-Thing:  Some Value \t\r\n"
                   "Transfer-Encoding: Chunked\r\nExpect: 100-continue\r\n\r\n");
    CHECK(p.err == TF_OK);
    CHECK(is_text(p.head.method, "PoST"));
    CHECK(is_text(p.head.target, "/p?q"));
    CHECK(is_text(p.head.host, "a.example"));
    CHECK(p.head.header_count == 4);
    CHECK(is_text(p.head.headers[0].name, "host"));
    CHECK(is_text(p.head.headers[1].name, "x-thing"));
    CHECK(is_text(p.head.headers[1].value, "Some Value"));
    CHECK(p.head.keep_alive && p.head.is_chunked && !p.head.has_length);
    CHECK(p.head.expects_continue);
    free(p.bytes);
}

static void keep_alive_follows_version_and_options(void)
{
    static const struct {
        const char *raw;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", true},
        {"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" H "Connection: x,CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" H "Connection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse_text(cases[i].raw);
        CHECK(p.err == TF_OK && p.head.keep_alive == cases[i].keep_alive);
        free(p.bytes);
    }
}

static void expect_needs_a_body_and_http_1_1(void)
{
    static const struct {
        const char *raw;
        bool expects;
    } cases[] = {
        {"PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n",
         true},
        {"PUT / HTTP/1.1\r\n" H "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n",
         false},
        {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", false},
        {"PUT / HTTP/1.0\r\n" H "Content-Length: 1\r\nExpect: 100-continue\r\n\r\n",
         false},
        {"PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parsed p = parse_text(cases[i].raw);
        CHECK(p.err == TF_OK && p.head.expects_continue == cases[i].expects);
        free(p.bytes);
    }
}

/* GET with `target_size` bytes of target, `fields` extra fields, the last one padded so
 * that the head has `size` bytes (0: not padded). @return owned. */
static char *build(size_t target_size, size_t fields, size_t size)
{
    char *raw = malloc(BUILT_MAX);
    if (raw == NULL) {
        abort();
    }
    memset(raw, 0, BUILT_MAX);
    size_t at = (size_t)sprintf(raw, "GET /");
    memset(raw + at, 'a', target_size - 1);
    at += target_size - 1;
    at += (size_t)sprintf(raw + at, " HTTP/1.1\r\n" H);
    for (size_t i = 0; i < fields; i++) {
        at += (size_t)sprintf(raw + at, "X-%zu: y\r\n", i);
    }
    if (size > 0) {
        size_t pad = size - at - strlen("P: \r\n\r\n");
        at += (size_t)sprintf(raw + at, "P: ");
        memset(raw + at, 'p', pad);
        at += pad;
        at += (size_t)sprintf(raw + at, "\r\n");
    }
    (void)sprintf(raw + at, "\r\n");
    return raw;
}

static tf_err parse_built(size_t target_size, size_t fields, size_t size)
{
    char *raw = build(target_size, fields, size);
    struct parsed whole = parse_text(raw);
    struct parsed pieces = parse(raw, strlen(raw), 0, 97);
    CHECK(whole.err == pieces.err);
    free(pieces.bytes);
    free(whole.bytes);
    free(raw);
    return whole.err;
}

static void limits_hold(void)
{
    CHECK(parse_built(TF_URL_MAX, 0, 0) == TF_OK);
    CHECK(parse_built(TF_URL_MAX + 1, 0, 0) == TF_EHTTP_HEADERS);
    CHECK(parse_built(1, TF_HEADERS_MAX - 1, 0) == TF_OK);
    CHECK(parse_built(1, TF_HEADERS_MAX, 0) == TF_EHTTP_HEADERS);
    CHECK(parse_built(1, 2000, 0) == TF_EHTTP_HEADERS);
    CHECK(parse_built(1, 0, TF_HEAD_MAX) == TF_OK);
    CHECK(parse_built(1, 0, TF_HEAD_MAX + 1) == TF_EHTTP_HEADERS);
    CHECK(parse_built(1, 0, BUILT_MAX / 2) == TF_EHTTP_HEADERS);
    CHECK(parse_built(TF_HEAD_MAX, 0, 0) == TF_EHTTP_HEADERS);
}

static void a_long_host_is_refused(void)
{
    char raw[TF_DNS_MAX + 64];
    for (int extra = 0; extra <= 1; extra++) {
        int size = TF_DNS_MAX + extra;
        (void)snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: %0*d\r\n\r\n", size, 0);
        struct parsed p = parse_text(raw);
        CHECK(p.err == (extra ? TF_EHTTP_SYNTAX : TF_OK));
        free(p.bytes);
    }
}

static void failure_leaves_the_output_alone(void)
{
    char raw[] = "GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n";
    char was[sizeof(raw)];
    union {
        struct tf_http_head head;
        unsigned char bytes[sizeof(struct tf_http_head)];
    } out;
    memset(out.bytes, 0x5a, sizeof(out.bytes));
    memcpy(was, raw, sizeof(raw));
    size_t used = 7;
    CHECK(tf_http_head_parse(raw, sizeof(raw) - 1, 0, &out.head, &used) ==
          TF_EHTTP_SYNTAX);
    for (size_t i = 0; i < sizeof(out.bytes); i++) {
        CHECK(out.bytes[i] == 0x5a);
    }
    CHECK(used == 7);
    CHECK(memcmp(raw, was, sizeof(raw)) == 0);
}

/* Any byte at any place of a word, alone and before another that is not plain. */
static void what_is_not_plain_is_found(void)
{
    enum { SIZE = 21 };

    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < SIZE; at++) {
            char text[SIZE];
            memset(text, 'x', SIZE);
            text[at] = (char)byte;
            CHECK(tf_http_plain(text, SIZE) == (tf_http_is_plain(text[at]) ? SIZE : at));
            if (at + 1 < SIZE) {
                text[SIZE - 1] = '\n';
                CHECK(tf_http_plain(text, SIZE) ==
                      (tf_http_is_plain(text[at]) ? SIZE - 1 : at));
            }
        }
    }
}

int main(void)
{
    RUN(good_requests_are_served);
    RUN(bad_requests_are_refused);
    RUN(partial_requests_wait);
    RUN(what_follows_is_left_alone);
    RUN(a_head_is_taken_apart);
    RUN(keep_alive_follows_version_and_options);
    RUN(expect_needs_a_body_and_http_1_1);
    RUN(limits_hold);
    RUN(a_long_host_is_refused);
    RUN(failure_leaves_the_output_alone);
    RUN(what_is_not_plain_is_found);
    return test_end();
}
