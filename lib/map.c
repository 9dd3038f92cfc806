/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/map.h"

uint32_t tf_map_hash(const struct tf_map *map, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ map->key;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    }
    return (uint32_t)(hash >> 32);
}

void tf_map_init(struct tf_map *map, struct tf_map_node **buckets, size_t count,
                 uint64_t key)
{
    *map = (struct tf_map){.buckets = buckets, .mask = count - 1, .key = key};
}

static struct tf_map_node **bucket_of(const struct tf_map *map, uint32_t hash)
{
    return &map->buckets[(hash ^ hash >> 16) & map->mask];
}

void tf_map_put(struct tf_map *map, struct tf_map_node *node, uint32_t hash)
{
    struct tf_map_node **bucket = bucket_of(map, hash);

    *node = (struct tf_map_node){.next = *bucket, .hash = hash};
    *bucket = node;
}

void tf_map_remove(struct tf_map *map, struct tf_map_node *node)
{
    struct tf_map_node **at = bucket_of(map, node->hash);

    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    *node = (struct tf_map_node){0};
}

static struct tf_map_node *skip_to(struct tf_map_node *node, uint32_t hash)
{
    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}

struct tf_map_node *tf_map_first(const struct tf_map *map, uint32_t hash)
{
    return map->buckets == NULL ? NULL : skip_to(*bucket_of(map, hash), hash);
}

struct tf_map_node *tf_map_next(const struct tf_map_node *node)
{
    return skip_to(node->next, node->hash);
}
