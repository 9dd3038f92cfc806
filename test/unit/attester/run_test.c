/* SPDX-License-Identifier: Apache-2.0 */
#include "attester/run.h"

#include <string.h>

#include "test/test.h"

enum { CAP = 64 };

static tf_err shell(const char *script, unsigned seconds, char out[static CAP])
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return tf_run(argv, seconds, out, CAP);
}

static void test_what_it_prints_is_taken(void)
{
    char out[CAP];
    CHECK(shell("printf 'a\\nb'", 20, out) == TF_OK);
    CHECK(strcmp(out, "a\nb") == 0);
    CHECK(shell("cat", 20, out) == TF_OK && out[0] == '\0'); /* stdin is empty */
}

static void test_a_failure_is_one(void)
{
    char out[CAP];
    const char *const missing[] = {"/nonexistent/acme", NULL};
    CHECK(shell("echo chain; exit 3", 20, out) == TF_EIO);
    CHECK(shell("echo chain; kill -9 $$", 20, out) == TF_EIO);
    CHECK(tf_run(missing, 20, out, CAP) == TF_EIO);
}

static void test_too_much(void)
{
    char out[CAP];
    CHECK(shell("printf '%063d' 1", 20, out) == TF_OK && strlen(out) == CAP - 1);
    CHECK(shell("printf '%064d' 1", 20, out) == TF_ELIMIT);
}

static void test_too_long(void)
{
    char out[CAP];
    CHECK(shell("sleep 60 & sleep 60", 1, out) == TF_EIO); /* both are ended */
    CHECK(shell("exec >/dev/null; sleep 60", 1, out) == TF_EIO);
}

int main(void)
{
    RUN(test_what_it_prints_is_taken);
    RUN(test_a_failure_is_one);
    RUN(test_too_much);
    RUN(test_too_long);
    return test_end();
}
