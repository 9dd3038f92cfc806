/* SPDX-License-Identifier: Apache-2.0 */
/* bare_duktape.c - Duktape behind bare.h: ours or stock, as it is linked. */
#include "bench/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <duktape.h>

/* What deps/duktape/duk_overrides.h has the engine ask the enclave for; stock asks
 * nobody. */
duk_bool_t tf_duk_timeout(void *user);
void tf_duk_charge(void *user, duk_size_t count);
void tf_duk_work(void *user, duk_size_t count);
void tf_duk_collect(void *user);
int tf_duk_stack_check(void *user);
void tf_duk_fatal(void *user, const char *text);
duk_double_t tf_duk_now(void);
duk_double_t tf_duk_random(void *user);

duk_bool_t tf_duk_timeout(void *user)
{
    (void)user;
    return 0;
}

void tf_duk_charge(void *user, duk_size_t count)
{
    (void)user;
    (void)count;
}

void tf_duk_work(void *user, duk_size_t count)
{
    (void)user;
    (void)count;
}

void tf_duk_collect(void *user)
{
    (void)user;
}

int tf_duk_stack_check(void *user)
{
    (void)user;
    return 0;
}

void tf_duk_fatal(void *user, const char *text)
{
    (void)user;
    (void)fprintf(stderr, "bare: %s\n", text);
    exit(1);
}

duk_double_t tf_duk_now(void)
{
    return 0;
}

duk_double_t tf_duk_random(void *user)
{
    (void)user;
    return 0.5;
}

static duk_context *context;

static void *get(void *user, duk_size_t size)
{
    (void)user;
    return malloc(size);
}

static void *change(void *user, void *at, duk_size_t size)
{
    (void)user;
    return realloc(at, size);
}

static void release(void *user, void *at)
{
    (void)user;
    free(at);
}

static bool report(void)
{
    (void)fprintf(stderr, "bare: %s\n", duk_safe_to_string(context, -1));
    duk_pop(context);
    return false;
}

static duk_ret_t to_base64(duk_context *c)
{
    duk_size_t size = 0;
    const char *text = duk_require_lstring(c, 0, &size);
    char *out = malloc(4 * (size + 2) / 3 + 1);

    if (out == NULL) {
        return DUK_RET_ERROR;
    }
    bare_base64((const unsigned char *)text, size, out);
    (void)duk_push_string(c, out);
    free(out);
    return 1;
}

static bool run_text(const char *text, size_t size)
{
    if (duk_peval_lstring(context, text, size) != 0) {
        return report();
    }
    duk_pop(context);
    return true;
}

bool bare_open(const char *source, size_t size)
{
    context = duk_create_heap(get, change, release, NULL, NULL);
    if (context == NULL) {
        return false;
    }
    (void)duk_push_c_function(context, to_base64, 1);
    (void)duk_put_global_string(context, "btoa");
    if (!run_text(BARE_PRELUDE, strlen(BARE_PRELUDE)) || !run_text(source, size)) {
        return false;
    }
    (void)duk_get_global_string(context, "exports"); /* stays, with the handler on top */
    return duk_get_prop_string(context, -1, "fetch") && duk_is_function(context, -1);
}

bool bare_run(const char *url)
{
    duk_dup(context, -1);
    (void)duk_push_object(context);
    (void)duk_push_string(context, url);
    (void)duk_put_prop_string(context, -2, "url");
    if (duk_pcall(context, 1) != 0) {
        return report();
    }
    (void)duk_get_prop_string(context, -1, "status");
    bool is_good = duk_get_int(context, -1) == 200;
    duk_pop_2(context);
    return is_good;
}
