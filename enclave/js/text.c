/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/js/text.h"

#include <string.h>

#include "abi/limits.h"
#include "enclave/http_text.h"
#include "lib/bytes.h"

enum { REPLACEMENT = 0xfffd, PART = 64 << 10 };

/* One step of WHATWG Encoding 8.1.1. @return bytes used, at least 1 when size is. */
static size_t next_char(const uint8_t *data, size_t size, uint32_t *out)
{
    uint8_t first = data[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t more;
    uint32_t c;

    *out = REPLACEMENT;
    if (first < 0x80) {
        *out = first;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        more = 1;
        c = first & 0x1fU;
    } else if (first >= 0xe0 && first <= 0xef) {
        more = 2;
        c = first & 0xfU;
        low = first == 0xe0 ? 0xa0 : low;
        high = first == 0xed ? 0x9f : high; /* no surrogates */
    } else if (first >= 0xf0 && first <= 0xf4) {
        more = 3;
        c = first & 7U;
        low = first == 0xf0 ? 0x90 : low;
        high = first == 0xf4 ? 0x8f : high; /* not beyond U+10FFFF */
    } else {
        return 1;
    }
    for (size_t i = 1; i <= more; i++) {
        if (i == size || data[i] < low || data[i] > high) {
            return i;
        }
        c = c << 6 | (data[i] & 0x3fU);
        low = 0x80;
        high = 0xbf;
    }
    *out = c;
    return more + 1;
}

static size_t ascii_prefix(const uint8_t *data, size_t size)
{
    size_t i = 0;
    while (size - i >= 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        if ((word & 0x8080808080808080U) != 0) {
            break;
        }
        i += 8;
    }
    while (i < size && data[i] < 0x80) {
        i++;
    }
    return i;
}

enum tf_text tf_text_scan(const void *data, size_t size)
{
    const uint8_t *in = data;
    enum tf_text found = TF_TEXT_ASCII;
    size_t i = ascii_prefix(in, size);

    while (i < size) {
        uint32_t c;
        size_t used = next_char(in + i, size - i, &c);
        if (c == REPLACEMENT && (used != 3 || in[i] != 0xef)) {
            return TF_TEXT_BAD;
        }
        if (used == 4) {
            found = TF_TEXT_FULL;
        } else if (used > 1 && found == TF_TEXT_ASCII) {
            found = TF_TEXT_BMP;
        }
        i += used;
    }
    return found;
}

static size_t put_char(uint32_t c, char *out)
{
    uint8_t bytes[4];
    size_t size;

    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        size = 1;
    } else if (c < 0x800) {
        bytes[0] = (uint8_t)(0xc0 | c >> 6);
        bytes[1] = (uint8_t)(0x80 | (c & 0x3f));
        size = 2;
    } else if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xe0 | c >> 12);
        bytes[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (c & 0x3f));
        size = 3;
    } else {
        bytes[0] = (uint8_t)(0xf0 | c >> 18);
        bytes[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        bytes[3] = (uint8_t)(0x80 | (c & 0x3f));
        size = 4;
    }
    if (out != NULL) {
        memcpy(out, bytes, size);
    }
    return size;
}

size_t tf_text_decode(const void *data, size_t size, bool is_cesu, char *out)
{
    const uint8_t *in = data;
    size_t total = 0;
    size_t i = 0;

    while (i < size) {
        uint32_t c;
        i += next_char(in + i, size - i, &c);
        if (is_cesu && c > 0xffff) {
            uint32_t high = 0xd800 + ((c - 0x10000) >> 10);
            total += put_char(high, out == NULL ? NULL : out + total);
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        total += put_char(c, out == NULL ? NULL : out + total);
    }
    return total;
}

struct tf_str tf_text_unmarked(struct tf_str text)
{
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        text.data += 3;
        text.size -= 3;
    }
    return text;
}

/* The surrogate that starts at `text`, or 0. */
static uint32_t surrogate_at(const uint8_t *text, size_t size)
{
    if (size < 3 || text[0] != 0xed || text[1] < 0xa0) {
        return 0;
    }
    return 0xd000U | (text[1] & 0x3fU) << 6 | (text[2] & 0x3fU);
}

bool tf_text_has_surrogates(const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = text;
    while ((at = memchr(at, 0xed, (size_t)(end - at))) != NULL) {
        if (surrogate_at((const uint8_t *)at, (size_t)(end - at)) != 0) {
            return true;
        }
        at++;
    }
    return false;
}

size_t tf_text_encode(const char *text, size_t size, char *out)
{
    const uint8_t *in = (const uint8_t *)text;
    size_t total = 0;
    size_t i = 0;

    while (i < size) {
        uint32_t high = surrogate_at(in + i, size - i);
        uint32_t low;
        if (high == 0) {
            out[total++] = text[i++];
            continue;
        }
        i += 3;
        low = surrogate_at(in + i, size - i);
        if (high < 0xdc00 && low >= 0xdc00) {
            i += 3;
            high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        } else {
            high = REPLACEMENT;
        }
        total += put_char(high, out + total);
    }
    return total;
}

size_t tf_text_from_latin1(const void *data, size_t size, char *out)
{
    const uint8_t *in = data;
    size_t total = 0;
    for (size_t i = 0; i < size; i++) {
        total += put_char(in[i], out + total);
    }
    return total;
}

bool tf_text_to_latin1(const char *text, size_t size, char *out, size_t *out_size)
{
    const uint8_t *in = (const uint8_t *)text;
    size_t total = ascii_prefix(in, size);
    size_t i = total;

    memcpy(out, text, total);
    while (i < size) {
        uint32_t c;
        i += next_char(in + i, size - i, &c);
        if (c > 0xff) {
            return false;
        }
        out[total++] = (char)c;
    }
    *out_size = total;
    return true;
}

bool tf_text_unbase64(const char *text, size_t size, uint8_t *out, size_t *out_size)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t total = 0;

    if (size % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int value = tf_base64_value(text[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[total++] = (uint8_t)(bits >> count);
        }
    }
    *out_size = total;
    return true;
}

size_t tf_text_header(const struct tf_js_request *request, const char *name, size_t size,
                      size_t from)
{
    size_t i = from;
    while (i < request->header_count &&
           (request->headers[i].name.size != size ||
            memcmp(request->headers[i].name.data, name, size) != 0)) {
        i++;
    }
    return i;
}

bool tf_text_is_plain(const struct tf_str *text)
{
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < ' ' || text->data[i] > '~') {
            return false;
        }
    }
    return text->size > 0 && text->data[0] != ' ' && text->data[text->size - 1] != ' ';
}

/* What it takes in the head of an answer: ": " and CRLF, too. */
static size_t size_of_field(const struct tf_js_header *header)
{
    return header->name.size + header->value.size + 4;
}

bool tf_text_check(const struct tf_js_response *response)
{
    size_t size = 0;

    if (response->status < 200 || response->status > 599 ||
        response->header_count > TF_HEADERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < response->header_count; i++) {
        const struct tf_js_header *header = &response->headers[i];
        if (!tf_http_is_token(header->name) ||
            tf_http_plain(header->value.data, header->value.size) != header->value.size) {
            return false;
        }
        size += size_of_field(header);
    }
    return size <= TF_HEAD_MAX;
}

/* Appends to the message; leaves room for the NUL. */
static size_t append(struct tf_js_report *report, size_t at, const char *text,
                     size_t size)
{
    for (size_t i = 0; i < size && at < sizeof(report->message) - 1; i++) {
        bool is_control = (uint8_t)text[i] < 0x20 || text[i] == 0x7f;
        report->message[at] = text[i];
        if (is_control) {
            report->message[at] = ' ';
        }
        at++;
    }
    report->message[at] = '\0';
    return at;
}

void tf_text_report(struct tf_js_report *report, const char *text, size_t size,
                    const char *stack, size_t stack_size)
{
    const char *end;
    size_t at = append(report, 0, text, size);
    size_t line = 0;

    for (size_t i = 0; i + 4 <= stack_size; i++) {
        line = stack[i] == '\n' ? i : line;
        if (memcmp(stack + i, ".js:", 4) == 0 || memcmp(stack + i, "mjs:", 4) == 0) {
            stack += line;
            stack_size -= line;
            break;
        }
    }
    while (stack_size > 0 && (uint8_t)*stack <= ' ') {
        stack++;
        stack_size--;
    }
    if (stack_size == 0) {
        return;
    }
    end = memchr(stack, '\n', stack_size);
    at = append(report, at, " ", 1);
    append(report, at, stack, end == NULL ? stack_size : (size_t)(end - stack));
}

tf_err tf_text_say(struct tf_js_report *report, tf_err err)
{
    const char *name = tf_err_name(err);
    tf_text_report(report, name, strlen(name), NULL, 0);
    return err;
}

tf_err tf_text_no_modules(struct tf_js_report *report)
{
    static const char text[] = "this engine has no ES modules";

    tf_text_report(report, text, sizeof(text) - 1, NULL, 0);
    return TF_ELAMBDA_SOURCE;
}

const struct tf_js_file *tf_text_file(const struct tf_js_program *program,
                                      const char *path, size_t size)
{
    for (size_t i = 0; i < program->file_count; i++) {
        const char *name = program->files[i].path;
        if (strlen(name) == size && memcmp(name, path, size) == 0) {
            return &program->files[i];
        }
    }
    return NULL;
}

const struct tf_prelude *tf_text_prelude(const char *name, size_t size)
{
    const struct tf_prelude *file = tf_prelude;
    while (file->name != NULL &&
           (strlen(file->name) != size || memcmp(file->name, name, size) != 0)) {
        file++;
    }
    return file->name == NULL ? NULL : file;
}

static bool contains(const uint8_t *at, size_t size, const struct tf_str *word)
{
    const uint8_t *end = at + size;

    while ((size_t)(end - at) >= word->size) {
        at = memchr(at, word->data[0], (size_t)(end - at) - word->size + 1);
        if (at == NULL) {
            return false;
        }
        if (memcmp(at, word->data, word->size) == 0) {
            return true;
        }
        at++;
    }
    return false;
}

/* In parts that overlap by less than the word. */
static bool file_mentions(const struct tf_js_file *file, const struct tf_str *word,
                          void (*work)(void *user, size_t bytes), void *user)
{
    size_t part = PART > word->size ? PART : word->size;

    for (size_t at = 0; at < file->size; at += part - word->size + 1) {
        size_t size = file->size - at < part ? file->size - at : part;
        if (contains(file->data + at, size, word)) {
            return true;
        }
        if (work != NULL) {
            work(user, size);
        }
    }
    return false;
}

bool tf_text_mentions(const struct tf_js_program *program, const struct tf_str *word,
                      void (*work)(void *user, size_t bytes), void *user)
{
    for (size_t i = 0; i < program->file_count && word->size > 0; i++) {
        if (file_mentions(&program->files[i], word, work, user)) {
            return true;
        }
    }
    return false;
}

size_t tf_text_part(const void *data, size_t size, size_t most)
{
    const uint8_t *in = data;
    size_t at = most;

    if (size <= most) {
        return size;
    }
    while (at > most - 3 && (in[at] & 0xc0) == 0x80) {
        at--;
    }
    return surrogate_at(in + at - 3, 3) != 0 ? at - 3 : at;
}
