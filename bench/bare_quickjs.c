/* SPDX-License-Identifier: Apache-2.0 */
/* bare_quickjs.c - QuickJS behind bare.h: ours or stock, as it is linked. */
#include "bench/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quickjs.h>

/* What deps/patches has the engine ask the enclave for; stock asks nobody. */
int tf_seed(unsigned char *out, unsigned size);
int tf_seed(unsigned char *out, unsigned size)
{
    memset(out, 1, size);
    return 0;
}

static JSContext *context;
static JSValue handler;

static bool report(void)
{
    JSValue error = JS_GetException(context);
    const char *text = JS_ToCString(context, error);

    (void)fprintf(stderr, "bare: %s\n", text != NULL ? text : "?");
    JS_FreeCString(context, text);
    JS_FreeValue(context, error);
    return false;
}

static JSValue to_base64(JSContext *c, JSValueConst self, int count,
                         JSValueConst *arguments)
{
    size_t size = 0;
    (void)self;
    const char *text = count > 0 ? JS_ToCStringLen(c, &size, arguments[0]) : NULL;
    char *out = text != NULL ? malloc(4 * (size + 2) / 3 + 1) : NULL;

    if (out == NULL) {
        return JS_EXCEPTION;
    }
    bare_base64((const unsigned char *)text, size, out);
    JSValue value = JS_NewString(c, out);
    free(out);
    JS_FreeCString(c, text);
    return value;
}

static bool run_text(const char *text, size_t size)
{
    JSValue value = JS_Eval(context, text, size, "bare", JS_EVAL_TYPE_GLOBAL);

    JS_FreeValue(context, value);
    return JS_IsException(value) ? report() : true;
}

bool bare_open(const char *source, size_t size)
{
    context = JS_NewContext(JS_NewRuntime());
    if (context == NULL) {
        return false;
    }
    JSValue global = JS_GetGlobalObject(context);
    (void)JS_SetPropertyStr(context, global, "btoa",
                            JS_NewCFunction(context, to_base64, "btoa", 1));
    if (!run_text(BARE_PRELUDE, strlen(BARE_PRELUDE)) || !run_text(source, size)) {
        return false;
    }
    JSValue exports = JS_GetPropertyStr(context, global, "exports");
    handler = JS_GetPropertyStr(context, exports, "fetch");
    JS_FreeValue(context, exports);
    JS_FreeValue(context, global);
    return JS_IsFunction(context, handler) != 0;
}

bool bare_run(const char *url)
{
    JSValue request = JS_NewObject(context);

    (void)JS_SetPropertyStr(context, request, "url", JS_NewString(context, url));
    JSValue response = JS_Call(context, handler, JS_UNDEFINED, 1, &request);
    JS_FreeValue(context, request);
    if (JS_IsException(response)) {
        return report();
    }
    JSValue value = JS_GetPropertyStr(context, response, "status");
    int32_t status = 0;
    (void)JS_ToInt32(context, &status, value);
    JS_FreeValue(context, value);
    JS_FreeValue(context, response);
    return status == 200;
}
