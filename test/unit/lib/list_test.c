/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "test/test.h"

enum { COUNT = 4 };

struct item {
    char name;
    struct tf_link link;
};

/* Whether the list reads `names` forwards, and the same backwards. */
static bool reads(const struct tf_list *list, const char *names)
{
    size_t size = strlen(names);
    size_t at = 0;
    bool is_good = true;

    for (struct item *i = tf_list_first(list); i != NULL; i = tf_list_next(&i->link)) {
        is_good = is_good && at < size && i->name == names[at];
        at++;
    }
    for (struct item *i = tf_list_last(list); i != NULL; i = tf_list_previous(&i->link)) {
        at--;
        is_good = is_good && at < size && i->name == names[at];
    }
    return is_good && at == 0 && (size != 0 || list->first == NULL);
}

static void what_is_added_stands_at_its_end(void)
{
    struct tf_list list = {NULL, NULL};
    struct item items[COUNT] = {
        {.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};

    CHECK(reads(&list, ""));
    tf_list_add_first(&list, &items[1].link, &items[1]);
    CHECK(reads(&list, "b"));
    tf_list_add_last(&list, &items[2].link, &items[2]);
    tf_list_add_first(&list, &items[0].link, &items[0]);
    tf_list_add_last(&list, &items[3].link, &items[3]);
    CHECK(reads(&list, "abcd"));
}

/* Each of the orders in which four are taken out. */
static void what_is_taken_out_leaves_the_rest(void)
{
    for (unsigned order = 0; order < COUNT * COUNT * COUNT * COUNT; order++) {
        struct tf_list list = {NULL, NULL};
        struct item items[COUNT] = {{.name = 0}};
        char left[] = "abcd";
        unsigned rest = order;
        for (size_t i = 0; i < COUNT; i++) {
            items[i].name = left[i];
            tf_list_add_last(&list, &items[i].link, &items[i]);
        }
        for (size_t i = 0; i < COUNT; i++, rest /= COUNT) {
            struct item *item = &items[rest % COUNT];
            char *at = strchr(left, item->name);
            if (at == NULL) {
                continue; /* taken out before */
            }
            memmove(at, at + 1, strlen(at));
            tf_list_remove(&list, &item->link);
            CHECK(item->link.of == NULL && item->link.next == NULL);
            CHECK(reads(&list, left));
        }
    }
}

int main(void)
{
    RUN(what_is_added_stands_at_its_end);
    RUN(what_is_taken_out_leaves_the_rest);
    return test_end();
}
