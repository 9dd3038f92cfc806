/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h - a hash table whose links lie in what it holds, over buckets of its user:
 * finding one name of thousands takes about one comparison. It allocates nothing and
 * never grows. Names are publishers', who could choose thousands that collide and so slow
 * down their neighbours: the hash is keyed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** What lies in each element; zeroed: in no map. */
struct tf_map_node {
    struct tf_map_node *next;
    uint32_t hash;
};

struct tf_map {
    struct tf_map_node **buckets; /* kept */
    size_t mask;
    uint64_t key;
};

/** What the text hashes to in this map: FNV-1a of 64 bits from its key on. */
uint32_t tf_map_hash(const struct tf_map *map, const char *text);

/** An empty map over `count` zeroed buckets, a power of two.
 *  @param key  random, and a secret of this map's owner. */
void tf_map_init(struct tf_map *map, struct tf_map_node **buckets, size_t count,
                 uint64_t key);

/** Adds a node, which is in no map. */
void tf_map_put(struct tf_map *map, struct tf_map_node *node, uint32_t hash);

/** Takes out a node, which is in this map. */
void tf_map_remove(struct tf_map *map, struct tf_map_node *node);

/** The first node with this hash, or NULL: the caller compares what is behind it. A map
 *  without buckets has none. */
struct tf_map_node *tf_map_first(const struct tf_map *map, uint32_t hash);

/** The next one with the same hash, or NULL. */
struct tf_map_node *tf_map_next(const struct tf_map_node *node);
