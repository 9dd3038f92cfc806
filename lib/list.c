/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/list.h"

/* Where the pointer to what follows `link` is, and where the one to what precedes it; of
 * NULL, the list's ends. */
static struct tf_link **after(struct tf_list *list, struct tf_link *link)
{
    return link == NULL ? &list->first : &link->next;
}

static struct tf_link **before(struct tf_list *list, struct tf_link *link)
{
    return link == NULL ? &list->last : &link->previous;
}

static void add(struct tf_list *list, struct tf_link *link)
{
    *after(list, link->previous) = link;
    *before(list, link->next) = link;
}

void tf_list_add_first(struct tf_list *list, struct tf_link *link, void *of)
{
    *link = (struct tf_link){.next = list->first, .of = of};
    add(list, link);
}

void tf_list_add_last(struct tf_list *list, struct tf_link *link, void *of)
{
    *link = (struct tf_link){.previous = list->last, .of = of};
    add(list, link);
}

void tf_list_remove(struct tf_list *list, struct tf_link *link)
{
    *after(list, link->previous) = link->next;
    *before(list, link->next) = link->previous;
    *link = (struct tf_link){NULL, NULL, NULL};
}
