/* SPDX-License-Identifier: Apache-2.0 */
/* What enclave/js/isolate.h has beyond js.h; on V8 alone (test/unit/js/v8.sh). */
#include "enclave/js/isolate.h"

#include "abi/limits.h"
#include "enclave/native/slot.h"
#include "test/test.h"
#include "test/unit/js/fixture.h"

static const uint64_t second = UINT64_C(1000000000);

static const char counter[] =
    "let n = 0; const held = [];\n"
    "exports.fetch = () => { held.push(new Array(1000).fill(n));\n"
    "    return new Response(String(++n)); };\n";

/* Does what is put off, as often as there is something. @return how often there was. */
static unsigned rest(uint64_t now)
{
    unsigned count = 0;

    while (count < 100 && tf_js_rest(now)) {
        count++;
    }
    return count;
}

static void threads_are_made_warm(void)
{
    CHECK(tf_js_warm());
}

static void rest_keeps_what_the_lambda_has(void)
{
    static struct lambda lambda;

    CHECK(load(&lambda, counter) == TF_OK);
    lambda.snapshot.is_reused = true;
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "1"));
    (void)rest(1 * second);
    CHECK(rest(2 * second) == 0); /* too early */
    CHECK(rest(10 * second) == 1);
    CHECK(rest(20 * second) == 0); /* it rests */
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "2"));
    (void)rest(21 * second);
    CHECK(rest(1 * second) == 0); /* the host's clock went back */
    CHECK(rest(7 * second) == 1);
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "3"));
    drop(&lambda);
    CHECK(rest(100 * second) == 0); /* nothing is left to rest */
}

static void rest_drops_a_context_that_nobody_has_used(void)
{
    static struct lambda lambda;

    CHECK(load(&lambda, counter) == TF_OK);
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "1"));
    CHECK(tf_js_state(lambda.snapshot.js) == TF_JS_USED && tf_slot_is_stale());
    tf_slot_freshen();
    CHECK(tf_js_state(lambda.snapshot.js) == TF_JS_FRESH);
    (void)rest(1 * second);
    CHECK(rest(10 * second) == 1);
    CHECK(tf_js_state(lambda.snapshot.js) == TF_JS_SPENT);
    CHECK(rest(20 * second) == 0);
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "1"));
    drop(&lambda);
}

/* With as much memory as the spare has. */
static bool load_into_spare(struct lambda *lambda)
{
    return tf_slot_load(&slot, heap, &lambda->program, TF_MEMORY_DEFAULT, &lambda->limits,
                        &lambda->snapshot) == TF_OK &&
           lambda->snapshot.err == TF_OK;
}

static void the_spare_is_made_again_when_a_load_took_it(void)
{
    static struct lambda lambda;

    (void)rest(1 * second);
    CHECK(load(&lambda, counter) == TF_OK);
    drop(&lambda);
    CHECK(rest(1 * second) == 0); /* less memory than the spare has: it took its own */
    CHECK(load_into_spare(&lambda));
    CHECK(rest(1 * second) == 0); /* the request that it was loaded for comes first */
    CHECK(ask(&lambda, "/", NULL) == TF_OK && answered(&lambda, "1"));
    CHECK(rest(1 * second) == 1);
    CHECK(rest(1 * second) == 0);
    drop(&lambda);
}

static void the_spare_is_made_when_no_request_comes(void)
{
    static struct lambda lambda;

    CHECK(load(&lambda, counter) == TF_OK);
    drop(&lambda);
    (void)rest(1 * second);
    CHECK(load_into_spare(&lambda));
    drop(&lambda);
    CHECK(rest(1 * second) == 1);
    CHECK(load_into_spare(&lambda));
    CHECK(rest(2 * second) == 0);
    CHECK(rest(8 * second) == 2); /* it rests, and is waited for no more */
    drop(&lambda);
}

int main(void)
{
    start();
    RUN(threads_are_made_warm);
    RUN(rest_keeps_what_the_lambda_has);
    RUN(rest_drops_a_context_that_nobody_has_used);
    RUN(the_spare_is_made_again_when_a_load_took_it);
    RUN(the_spare_is_made_when_no_request_comes);
    return test_end();
}
