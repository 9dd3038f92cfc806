/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_check.c - reads what valgrind's lackey says of a run of boundary_trace and checks
 * every access of the core to host memory, that is, to the window (test/trace/window.h):
 *
 *   width        it is 8 bytes wide
 *   alignment    and 8-aligned
 *   twice        no word of a ring's data is loaded twice in one entry; no index is
 * loaded twice without another access to the window in between place        the
 * instruction is in [FROM, TO), the code of boundary.c
 *
 *   valgrind --tool=lackey --trace-mem=yes --log-fd=1 ... | trace_check FROM TO
 *
 * Prints a line for each finding and a last one with the sums; exit status 1 if there are
 * findings or no accesses.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/trace/window.h"

enum { LINE = 256, WORD = 8, WORDS = TF_WINDOW_SIZE / WORD };

struct state {
    unsigned long entry; /* number of the entry that runs; the mark counts them */
    unsigned long
        loaded[WORDS]; /* in which entry (data) or after which access (indexes) */
    unsigned long accesses;
    unsigned long findings;
    unsigned long long from; /* code of boundary.c */
    unsigned long long to;
};

static void find(struct state *s, const char *what, const char *access, const char *code)
{
    s->findings++;
    (void)printf("%s: entry %lu: %.*s by %.*s\n", what, s->entry,
                 (int)strcspn(access, "\n"), access, (int)strcspn(code, "\n"), code);
}

static bool is_index(unsigned long offset)
{
    return offset % offsetof(struct tf_channel, out) < offsetof(struct tf_ring, data);
}

/* A load of an aligned word: whether it is one too many. */
static bool is_repeated(struct state *s, unsigned long offset)
{
    unsigned long *last = &s->loaded[offset / WORD];
    unsigned long now = is_index(offset) ? s->accesses : s->entry;
    bool is_again = is_index(offset) ? *last != 0 && *last + 1 == now : *last == now;

    *last = now;
    return is_again;
}

/* Most lines are not, so no number is read: the window's addresses begin alike and have
 * eleven digits. */
static bool is_window(const char *address)
{
    return strncmp(address, "b0d00", 5) == 0 && strcspn(address, ",") == 11;
}

/* One access to the window; `code` is the line of the instruction. */
static void access_window(struct state *s, const char *line, const char *code)
{
    unsigned size = 0;
    unsigned long long address = 0;
    unsigned long long instruction = 0;

    if (sscanf(line + 3, "%llx,%u", &address, &size) != 2 ||
        sscanf(code, "I %llx", &instruction) != 1) {
        find(s, "unreadable", line, code);
        return;
    }
    unsigned long offset = (unsigned long)(address - TF_WINDOW);
    if (offset == TF_WINDOW_MARK) {
        s->entry++;
        return;
    }
    s->accesses++;
    if (size != WORD || line[1] == 'M') {
        find(s, "width", line, code);
    }
    if (offset % WORD != 0) {
        find(s, "alignment", line, code);
    }
    if (line[1] == 'L' && offset % WORD == 0 && is_repeated(s, offset)) {
        find(s, "twice", line, code);
    }
    if (instruction < s->from || instruction >= s->to) {
        find(s, "place", line, code);
    }
}

int main(int argc, char **argv)
{
    static struct state s;
    char line[2][LINE] = {"", ""}; /* the one just read, and the last instruction */
    int code = 1;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: trace_check FROM TO <TRACE\n");
        return 2;
    }
    s.from = strtoull(argv[1], NULL, 16);
    s.to = strtoull(argv[2], NULL, 16);
    while (fgets(line[1 - code], LINE, stdin) != NULL) {
        const char *text = line[1 - code];
        if (text[0] == 'I') {
            code = 1 - code;
        } else if (text[0] == ' ' && is_window(text + 3)) {
            access_window(&s, text, line[code]);
        }
    }
    (void)printf("%lu entries, %lu accesses to host memory, %lu findings\n", s.entry,
                 s.accesses, s.findings);
    return s.findings != 0 || s.accesses == 0;
}
