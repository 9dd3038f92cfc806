/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/map.h"

#include <stdio.h>
#include <string.h>

#include "test/test.h"

enum { BUCKETS = 8, ITEMS = 100 };

struct item {
    struct tf_map_node node; /* first: a node is its item */
    char name[24];
};

static struct item items[ITEMS];
static struct tf_map_node *buckets[BUCKETS];

static struct tf_map filled(void)
{
    struct tf_map map;

    memset(items, 0, sizeof(items));
    memset(buckets, 0, sizeof(buckets));
    tf_map_init(&map, buckets, BUCKETS, 12345);
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(items[i].name, sizeof(items[i].name), "name-%d", i);
        tf_map_put(&map, &items[i].node, tf_map_hash(&map, items[i].name));
    }
    return map;
}

static struct item *find(const struct tf_map *map, const char *name)
{
    struct tf_map_node *node = tf_map_first(map, tf_map_hash(map, name));

    while (node != NULL && strcmp(((struct item *)(void *)node)->name, name) != 0) {
        node = tf_map_next(node);
    }
    return (void *)node;
}

static void what_was_put_is_found(void)
{
    struct tf_map map = filled();

    for (int i = 0; i < ITEMS; i++) {
        CHECK(find(&map, items[i].name) == &items[i]);
    }
    CHECK(find(&map, "name-100") == NULL);
    CHECK(find(&map, "") == NULL);
}

static void what_was_removed_is_not(void)
{
    struct tf_map map = filled();

    for (int i = 0; i < ITEMS; i += 2) {
        tf_map_remove(&map, &items[i].node);
    }
    for (int i = 0; i < ITEMS; i++) {
        CHECK(find(&map, items[i].name) == (i % 2 == 0 ? NULL : &items[i]));
    }
}

static void the_same_hash_is_told_apart_by_its_user(void)
{
    struct tf_map map = filled();
    struct item twin = {.name = "twin"};

    tf_map_put(&map, &twin.node, tf_map_hash(&map, items[7].name));
    struct tf_map_node *first = tf_map_first(&map, tf_map_hash(&map, items[7].name));
    CHECK(first == &twin.node && tf_map_next(first) == &items[7].node);
    CHECK(find(&map, items[7].name) == &items[7]);
}

static void a_map_without_buckets_is_empty(void)
{
    struct tf_map map = {0};

    CHECK(tf_map_first(&map, 1) == NULL);
}

/* Who knows what collides in one map does not know it of another. */
static void another_key_is_another_hash(void)
{
    static struct tf_map_node *others[BUCKETS];
    struct tf_map map = filled();
    struct tf_map other;
    int same = 0;

    tf_map_init(&other, others, BUCKETS, map.key + 1);
    for (int i = 0; i < ITEMS; i++) {
        same += tf_map_hash(&map, items[i].name) == tf_map_hash(&other, items[i].name);
    }
    CHECK(same <= 1);
}

int main(void)
{
    RUN(what_was_put_is_found);
    RUN(what_was_removed_is_not);
    RUN(the_same_hash_is_told_apart_by_its_user);
    RUN(a_map_without_buckets_is_empty);
    RUN(another_key_is_another_hash);
    return test_end();
}
