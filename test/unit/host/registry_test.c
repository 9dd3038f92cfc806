/* SPDX-License-Identifier: Apache-2.0 */
#include "host/registry.h"

#include <stdio.h>
#include <string.h>

#include "test/test.h"

static struct tf_registry registry;

static struct tf_lambda make(const char *name, const char *engine, const char *dns)
{
    struct tf_lambda lambda = {.version = 1};
    (void)snprintf(lambda.name, sizeof(lambda.name), "%s", name);
    (void)snprintf(lambda.engine, sizeof(lambda.engine), "%s", engine);
    (void)snprintf(lambda.domain, sizeof(lambda.domain), "%064d", 7);
    (void)snprintf(lambda.dns[0], sizeof(lambda.dns[0]), "%s", dns);
    lambda.dns_count = 1;
    return lambda;
}

static void put(const char *name, const char *engine, const char *dns)
{
    struct tf_lambda lambda = make(name, engine, dns);
    CHECK(tf_registry_put(&registry, &lambda) == TF_OK);
}

static const char *route(const char *sni)
{
    const struct tf_lambda *lambda = tf_registry_route(&registry, sni);
    return lambda == NULL ? "" : lambda->name;
}

static void names_lead_to_lambdas(void)
{
    put("b", "quickjs", "b.example");
    put("a", "quickjs", "a.example");
    put("c", "duktape", "c.example");
    CHECK(strcmp(route("a.example"), "a") == 0);
    CHECK(strcmp(route("b.example"), "b") == 0);
    CHECK(strcmp(route("c.example"), "c") == 0);
    CHECK(strcmp(route("d.example"), "") == 0);
    CHECK(strcmp(route("a"), "") == 0);
    CHECK(strcmp(route(""), "") == 0);
    tf_registry_wipe(&registry);
}

static void management_names_lead_to_lambdas(void)
{
    put("a", "quickjs", "a.example");
    CHECK(strcmp(route("a.manage.tfaas.internal"), "a") == 0);
    CHECK(strcmp(route("b.manage.tfaas.internal"), "") == 0);
    CHECK(strcmp(route(".manage.tfaas.internal"), "") == 0);
    CHECK(strcmp(route("manage.tfaas.internal"), "") == 0);
    CHECK(strcmp(route("x.a.manage.tfaas.internal"), "") == 0);
    tf_registry_wipe(&registry);
}

static void names_belong_to_one_lambda(void)
{
    const char *other = "";
    put("a", "quickjs", "a.example");
    struct tf_lambda same = make("a", "quickjs", "new.example");
    struct tf_lambda moved = make("a", "duktape", "a.example");
    struct tf_lambda thief = make("b", "quickjs", "a.example");
    struct tf_lambda stranger = make("a", "quickjs", "a.example");
    stranger.domain[0] = 'f';
    CHECK(tf_registry_is_free(&registry, &same, &other));
    CHECK(!tf_registry_is_free(&registry, &moved, &other) && strcmp(other, "a") == 0);
    CHECK(!tf_registry_is_free(&registry, &thief, &other) && strcmp(other, "a") == 0);
    CHECK(!tf_registry_is_free(&registry, &stranger, &other));
    /* A release that gives a name up frees it. */
    CHECK(tf_registry_put(&registry, &same) == TF_OK);
    CHECK(registry.count == 1);
    CHECK(tf_registry_is_free(&registry, &thief, &other));
    CHECK(strcmp(route("a.example"), "") == 0);
    CHECK(strcmp(route("new.example"), "a") == 0);
    tf_registry_wipe(&registry);
}

static void what_is_removed_is_gone(void)
{
    put("a", "quickjs", "a.example");
    put("b", "quickjs", "b.example");
    tf_registry_remove(&registry, "a");
    tf_registry_remove(&registry, "nobody");
    CHECK(strcmp(route("a.example"), "") == 0);
    CHECK(strcmp(route("b.example"), "b") == 0);
    CHECK(tf_registry_find(&registry, "a") == NULL);
    tf_registry_wipe(&registry);
}

int main(void)
{
    RUN(names_lead_to_lambdas);
    RUN(management_names_lead_to_lambdas);
    RUN(names_belong_to_one_lambda);
    RUN(what_is_removed_is_gone);
    return test_end();
}
