/* SPDX-License-Identifier: Apache-2.0 */
#include "host/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/limits.h"
#include "host/registry.h"
#include "lib/err_text.h"
#include "lib/json.h"

enum { NS_PER_S = 1000 * 1000 * 1000, MIB = 1 << 20 };

static void say_busy(const struct tf_lambda *lambda, struct tf_verdict *out)
{
    (void)snprintf(out->text, sizeof(out->text),
                   "its top level had not ended after %d s, all that a deployment gives "
                   "it; limits.steps, %" PRIu64 ", was not reached",
                   (int)TF_TRIAL_SECONDS, lambda->steps);
    (void)snprintf(out->hint, sizeof(out->hint),
                   "Have it do less, or deploy when the machine has less to do.");
}

static void say_steps(const struct tf_engine *engine, const struct tf_lambda *lambda,
                      struct tf_verdict *out)
{
    char time[64] = "";

    if (engine->is_native) {
        (void)snprintf(time, sizeof(time), ": %.3g s of the processor's time on %s",
                       (double)lambda->steps * TF_STEP_NS / NS_PER_S, engine->name);
    }
    (void)snprintf(out->text, sizeof(out->text),
                   "its top level took all of limits.steps, %" PRIu64 "%s", lambda->steps,
                   time);
    (void)snprintf(out->hint, sizeof(out->hint),
                   "Have it do less, or raise limits.steps in tfaas.json (at most %d).",
                   (int)TF_STEPS_MAX);
}

static void say_memory(const struct tf_lambda *lambda, struct tf_verdict *out)
{
    (void)snprintf(out->text, sizeof(out->text),
                   "its top level took all of limits.memory, %" PRIu64 " bytes",
                   lambda->memory);
    (void)snprintf(out->hint, sizeof(out->hint),
                   "Have it keep less, or raise limits.memory in tfaas.json (at most %d "
                   "MiB).",
                   (int)TF_MEMORY_MAX / MIB);
}

/* What a lambda with secrets has thrown is not told: the top level may throw them. */
static void say_other(tf_err err, const char *message, struct tf_verdict *out)
{
    if (message[0] == '\0') {
        message = "more is not told, for the grant in force brings secrets";
    }
    bool is_more = strcmp(message, tf_err_name(err)) != 0;
    (void)snprintf(out->text, sizeof(out->text), "%s%s%s", tf_err_text(err),
                   is_more ? ": " : "", is_more ? message : "");
    (void)snprintf(out->hint, sizeof(out->hint), "%s", tf_err_hint(err));
}

/* Mistakes that many make at first, and what no engine says. */
static void say_source(const struct tf_engine *engine, const char *message,
                       struct tf_verdict *out)
{
    bool is_es5 =
        strcmp(engine->name, "duktape") == 0 || strcmp(engine->name, "mujs") == 0;

    if (strcmp(message, tf_err_name(TF_EPENDING)) == 0) {
        (void)snprintf(out->text, sizeof(out->text),
                       "its top level awaits what nothing is left to settle (pending)");
        (void)snprintf(out->hint, sizeof(out->hint), "%s", tf_err_hint(TF_EPENDING));
        return;
    }
    say_other(TF_ELAMBDA_SOURCE, message, out);
    if (strncmp(message, "SyntaxError", strlen("SyntaxError")) == 0) {
        (void)snprintf(out->hint, sizeof(out->hint),
                       is_es5
                           ? "Fix what the engine says; JavaScript that is too new for "
                             "it `tfaas pack --target es5` lowers."
                           : "Fix what the engine says; if that is `import`, `export` or "
                             "`await`: they need \"type\": \"module\" in tfaas.json.");
    }
}

void tf_verdict_read(const struct tf_engine *engine, const struct tf_lambda *lambda,
                     tf_err err, const char *json, size_t size, struct tf_verdict *out)
{
    json_t *document = NULL;

    (void)!tf_json_parse(json, size, &document);
    const char *message = json_string_value(json_object_get(document, "message"));
    out->is_of_code = message != NULL;
    if (message == NULL) {
        say_other(err, tf_err_name(err), out);
    } else if (err == TF_EBUSY) {
        say_busy(lambda, out);
    } else if (err == TF_ESTEPS) {
        say_steps(engine, lambda, out);
    } else if (err == TF_EMEMORY) {
        say_memory(lambda, out);
    } else if (err == TF_ELAMBDA_SOURCE) {
        say_source(engine, message, out);
    } else {
        say_other(err, message, out);
    }
    json_decref(document);
}
