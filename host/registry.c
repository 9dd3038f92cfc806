/* SPDX-License-Identifier: Apache-2.0 */
#include "host/registry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/log.h"
#include "lib/bundle.h"
#include "lib/bytes.h"
#include "lib/json.h"
#include "lib/ustar.h"

static const char manage_suffix[] = ".manage.tfaas.internal";

tf_err tf_lambda_peek(const uint8_t *bytes, size_t size, struct tf_lambda *out)
{
    struct tf_bundle *bundle = calloc(1, sizeof(*bundle) + TF_BUNDLE_SCRATCH);
    if (bundle == NULL) {
        return TF_ENOMEM;
    }
    tf_err err =
        tf_bundle_check(bytes, size, NULL, NULL, (uint8_t *)(bundle + 1), bundle);
    if (err == TF_OK) {
        const struct tf_manifest *manifest = &bundle->manifest;
        memcpy(out->name, manifest->name, sizeof(out->name));
        memcpy(out->dns, manifest->domains, sizeof(out->dns));
        out->dns_count = manifest->domain_count;
        out->version = manifest->version;
        out->steps = manifest->steps;
        out->memory = manifest->memory;
        out->size = size;
        struct tf_reader r;
        struct tf_ustar_entry first = {.size = 0};
        tf_reader_init(&r, bytes, size);
        err = tf_ustar_read(&r, &first);
        out->envelope_size = first.size;
        tf_hex_write(bundle->digest, sizeof(bundle->digest), out->digest);
        tf_bundle_wipe(bundle);
    }
    free(bundle);
    return err;
}

tf_err tf_lambda_save(struct tf_store *store, const struct tf_lambda *lambda)
{
    char text[TF_STORE_META_MAX];
    size_t size = 0;
    struct tf_json_writer w;
    tf_json_writer_init(&w, text, sizeof(text));
    tf_json_open_object(&w, NULL);
    tf_json_put_string(&w, "tfaas", "deployment.v1");
    tf_json_put_string(&w, "engine", lambda->engine);
    tf_json_put_string(&w, "domain", lambda->domain);
    tf_json_close_object(&w);
    tf_err err = tf_json_take(&w, &size);
    if (err != TF_OK) {
        return err;
    }
    return tf_store_put(store, lambda->name, TF_STORE_META, text, size);
}

static void take_meta(struct tf_json_fields *f, void *user)
{
    struct tf_lambda *out = user;
    uint8_t domain[TF_STORE_HEX / 2] = {0};

    tf_json_constant(f, "tfaas", "deployment.v1");
    tf_json_copy(f, "engine", out->engine, sizeof(out->engine));
    tf_json_hex(f, "domain", domain, sizeof(domain));
    tf_hex_write(domain, sizeof(domain), out->domain);
}

static tf_err load_meta(const struct tf_store *store, const char *name,
                        struct tf_lambda *out)
{
    int fd = -1;
    tf_err err = tf_store_get(store, name, TF_STORE_META, &fd);
    if (err != TF_OK) {
        return err;
    }
    char text[TF_STORE_META_MAX];
    size_t size = 0;
    err = tf_store_read(fd, text, sizeof(text), &size);
    (void)close(fd);
    return err == TF_OK ? tf_json_read(text, size, take_meta, out, TF_EFORMAT) : err;
}

/* All but the place comes from the bundle itself, so that the two files cannot disagree.
 */
static tf_err load_bundle(const struct tf_store *store, const char *name,
                          struct tf_lambda *out)
{
    int fd = -1;
    tf_err err = tf_store_get(store, name, TF_STORE_BUNDLE, &fd);
    if (err != TF_OK) {
        return err;
    }
    uint8_t *bytes = malloc(TF_BUNDLE_MAX);
    size_t size = 0;
    err = bytes == NULL ? TF_ENOMEM : tf_store_read(fd, bytes, TF_BUNDLE_MAX, &size);
    if (err == TF_OK) {
        err = tf_lambda_peek(bytes, size, out);
    }
    if (err == TF_OK && strcmp(out->name, name) != 0) {
        err = TF_EFORMAT;
    }
    free(bytes);
    (void)close(fd);
    return err;
}

struct tf_seat *tf_lambda_seat(struct tf_lambda *lambda, const struct tf_worker *worker)
{
    if (lambda->seat.worker == worker) {
        return &lambda->seat;
    }
    return lambda->next.worker == worker ? &lambda->next : NULL;
}

struct loading {
    struct tf_registry *registry;
    struct tf_store *store;
};

static void load_one(void *user, const char *name)
{
    const struct loading *loading = user;
    struct tf_lambda lambda = {.version = 0};
    const char *other = "";
    tf_err err = load_meta(loading->store, name, &lambda);
    if (err == TF_OK) {
        err = load_bundle(loading->store, name, &lambda);
    }
    if (err == TF_OK && !tf_registry_is_free(loading->registry, &lambda, &other)) {
        tf_log("store-conflict", "lambda=%s other=%s", name, other);
        return;
    }
    if (err == TF_OK) {
        err = tf_registry_put(loading->registry, &lambda);
    }
    if (err != TF_OK) {
        tf_log("store-damaged", "lambda=%s error=%s", name, tf_err_name(err));
    }
}

tf_err tf_registry_load(struct tf_registry *registry, struct tf_store *store)
{
    struct loading loading = {.registry = registry, .store = store};
    return tf_store_each(store, load_one, &loading);
}

struct tf_lambda *tf_registry_find(const struct tf_registry *registry, const char *name)
{
    struct tf_map_node *node =
        tf_map_first(&registry->names, tf_map_hash(&registry->names, name));
    for (; node != NULL; node = tf_map_next(node)) {
        struct tf_lambda *lambda =
            (void *)((char *)node - offsetof(struct tf_lambda, by_name));
        if (strcmp(lambda->name, name) == 0) {
            return lambda;
        }
    }
    return NULL;
}

struct tf_lambda *tf_registry_digest(const struct tf_registry *registry,
                                     const char *digest)
{
    struct tf_map_node *node =
        tf_map_first(&registry->digests, tf_map_hash(&registry->digests, digest));
    for (; node != NULL; node = tf_map_next(node)) {
        struct tf_lambda *lambda =
            (void *)((char *)node - offsetof(struct tf_lambda, by_digest));
        if (strcmp(lambda->digest, digest) == 0) {
            return lambda;
        }
    }
    return NULL;
}

static struct tf_lambda *find_dns(const struct tf_registry *registry, const char *dns)
{
    struct tf_map_node *node =
        tf_map_first(&registry->routes, tf_map_hash(&registry->routes, dns));
    for (; node != NULL; node = tf_map_next(node)) {
        const struct tf_route *route =
            (void *)((char *)node - offsetof(struct tf_route, node));
        if (strcmp(route->lambda->dns[route - route->lambda->routes], dns) == 0) {
            return route->lambda;
        }
    }
    return NULL;
}

static void link_lambda(struct tf_registry *registry, struct tf_lambda *lambda)
{
    tf_map_put(&registry->names, &lambda->by_name,
               tf_map_hash(&registry->names, lambda->name));
    tf_map_put(&registry->digests, &lambda->by_digest,
               tf_map_hash(&registry->digests, lambda->digest));
    for (size_t i = 0; i < lambda->dns_count; i++) {
        lambda->routes[i].lambda = lambda;
        tf_map_put(&registry->routes, &lambda->routes[i].node,
                   tf_map_hash(&registry->routes, lambda->dns[i]));
    }
}

static void unlink_lambda(struct tf_registry *registry, struct tf_lambda *lambda)
{
    tf_map_remove(&registry->names, &lambda->by_name);
    tf_map_remove(&registry->digests, &lambda->by_digest);
    for (size_t i = 0; i < lambda->dns_count; i++) {
        tf_map_remove(&registry->routes, &lambda->routes[i].node);
    }
}

struct tf_lambda *tf_registry_route(const struct tf_registry *registry, const char *sni)
{
    size_t size = strlen(sni);
    const size_t suffix = sizeof(manage_suffix) - 1;
    if (size > suffix && size - suffix <= TF_NAME_MAX &&
        strcmp(sni + size - suffix, manage_suffix) == 0) {
        char name[TF_NAME_MAX + 1] = {0};
        memcpy(name, sni, size - suffix);
        return tf_registry_find(registry, name);
    }
    return find_dns(registry, sni);
}

bool tf_registry_is_free(const struct tf_registry *registry,
                         const struct tf_lambda *lambda, const char **other)
{
    const struct tf_lambda *found = tf_registry_find(registry, lambda->name);
    if (found != NULL && (strcmp(found->engine, lambda->engine) != 0 ||
                          strcmp(found->domain, lambda->domain) != 0)) {
        *other = found->name;
        return false;
    }
    for (size_t i = 0; i < lambda->dns_count; i++) {
        found = find_dns(registry, lambda->dns[i]);
        if (found != NULL && strcmp(found->name, lambda->name) != 0) {
            *other = found->name;
            return false;
        }
    }
    return true;
}

static void open_maps(struct tf_registry *registry)
{
    struct tf_map *const maps[] = {&registry->names, &registry->digests,
                                   &registry->routes};
    uint64_t key = 0;

    for (size_t i = 0; registry->routes.buckets == NULL && i < 3; i++) {
        if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
            tf_log("no-randomness", "names may be made to collide");
        }
        tf_map_init(maps[i], registry->buckets[i], TF_REGISTRY_BUCKETS, key);
    }
}

tf_err tf_registry_put(struct tf_registry *registry, const struct tf_lambda *lambda)
{
    struct tf_lambda *place = tf_registry_find(registry, lambda->name);
    open_maps(registry);
    if (place == NULL) {
        if (registry->count == TF_REGISTRY_MAX) {
            return TF_ELIMIT;
        }
        place = calloc(1, sizeof(*place));
        if (place == NULL) {
            return TF_ENOMEM;
        }
        place->index = registry->count;
        registry->lambdas[registry->count] = place;
        registry->count++;
    } else {
        unlink_lambda(registry, place);
    }
    size_t index = place->index;
    *place = *lambda;
    place->index = index;
    link_lambda(registry, place);
    return TF_OK;
}

void tf_registry_remove(struct tf_registry *registry, const char *name)
{
    struct tf_lambda *lambda = tf_registry_find(registry, name);
    if (lambda == NULL) {
        return;
    }
    unlink_lambda(registry, lambda);
    registry->count--;
    registry->lambdas[lambda->index] = registry->lambdas[registry->count];
    registry->lambdas[lambda->index]->index = lambda->index;
    free(lambda);
}

void tf_registry_wipe(struct tf_registry *registry)
{
    while (registry->count > 0) {
        registry->count--;
        unlink_lambda(registry, registry->lambdas[registry->count]);
        free(registry->lambdas[registry->count]);
    }
}
