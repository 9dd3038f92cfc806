/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list.h - a list whose links lie in what it holds: it allocates nothing, and what is in
 * it is taken out without a search. Which end is which, its user says.
 */
#pragma once

#include <stddef.h>

/** What lies in each element. Zeroed: in no list. */
struct tf_link {
    struct tf_link *next;
    struct tf_link *previous;
    void *of; /* the element; kept */
};

/** Zeroed: empty. */
struct tf_list {
    struct tf_link *first;
    struct tf_link *last;
};

/** Puts an element, whose `link` is in no list, at one of the ends. */
void tf_list_add_first(struct tf_list *list, struct tf_link *link, void *of);
void tf_list_add_last(struct tf_list *list, struct tf_link *link, void *of);

/** Takes out an element, which is in this list, and zeroes its link. */
void tf_list_remove(struct tf_list *list, struct tf_link *link);

/** The element at an end, or NULL. */
static inline void *tf_list_first(const struct tf_list *list)
{
    return list->first == NULL ? NULL : list->first->of;
}

static inline void *tf_list_last(const struct tf_list *list)
{
    return list->last == NULL ? NULL : list->last->of;
}

/** The element beside the one with this link, or NULL. */
static inline void *tf_list_next(const struct tf_link *link)
{
    return link->next == NULL ? NULL : link->next->of;
}

static inline void *tf_list_previous(const struct tf_link *link)
{
    return link->previous == NULL ? NULL : link->previous->of;
}
