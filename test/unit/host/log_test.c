/* SPDX-License-Identifier: Apache-2.0 */
/* The log is read by people at terminals and by programs, line by line; part of it is
 * what workers say. */
#include "host/log.h"

#include <string.h>
#include <unistd.h>

#include "test/test.h"

/* What tf_log writes for this text, as one string. */
static const char *written_for(const char *text)
{
    static char line[2048];
    int ends[2];
    int kept = dup(STDERR_FILENO);

    CHECK(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    tf_log("deployed", "load=%s", text);
    CHECK(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
    ssize_t size = read(ends[0], line, sizeof(line) - 1);
    line[size > 0 ? size : 0] = '\0';
    (void)close(kept);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return line;
}

static void a_worker_writes_no_line_of_its_own(void)
{
    const char *line = written_for("ok\nts=1 event=granted\r\x1b[2J\x7f\xc2\x9b"
                                   "1m.");

    CHECK(strstr(line, " load=ok?ts=1 event=granted??[2J???1m.\n") != NULL);
    CHECK(strchr(line, '\n') == line + strlen(line) - 1);
}

static void a_long_one_is_cut(void)
{
    char text[3000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const char *line = written_for(text);
    CHECK(strlen(line) < 1100 && strchr(line, '\n') == line + strlen(line) - 1);
}

int main(void)
{
    RUN(a_worker_writes_no_line_of_its_own);
    RUN(a_long_one_is_cut);
    return test_end();
}
