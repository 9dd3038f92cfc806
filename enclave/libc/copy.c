/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.c - memcpy, memmove and memcmp, instead of musl's: those begin a repeated string
 * instruction for a handful of bytes, which costs more than the copy, and go byte by byte
 * over what is no whole word. Nearly all that is copied here is short: header fields,
 * strings, records of a few hundred bytes.
 *
 * Built with -fno-tree-loop-distribute-patterns, or the compiler would make calls to
 * these functions of their own loops.
 */
#include <stddef.h>
#include <stdint.h>

/** The C library's, under names of ours: the compiler assumes things about the others. */
void *tf_libc_memmove(void *to, const void *from, size_t size) __asm__("memmove");
void *tf_libc_memcpy(void *to, const void *from, size_t size) __asm__("memcpy");
int tf_libc_memcmp(const void *a, const void *b, size_t size) __asm__("memcmp");

enum {
    BLOCK = 16, /* bytes */
    STRIDE = 4 * BLOCK,
    LONG = 1024 /* bytes; from here on the repeated instruction is the faster one */
};

/* Of any type, anywhere. */
typedef uint16_t word16 __attribute__((may_alias, aligned(1)));
typedef uint32_t word32 __attribute__((may_alias, aligned(1)));
typedef uint64_t word64 __attribute__((may_alias, aligned(1)));
typedef char block __attribute__((vector_size(BLOCK), may_alias, aligned(1)));

/* Two words, the second from the end: they overlap unless `size` is twice theirs. Both
 * are read before one is written, so that the ranges may overlap, too. */
static inline void copy_pair(char *to, const char *from, size_t size)
{
    if (size >= 8) {
        uint64_t first = *(const word64 *)from;
        uint64_t last = *(const word64 *)(from + size - 8);
        *(word64 *)to = first;
        *(word64 *)(to + size - 8) = last;
    } else if (size >= 4) {
        uint32_t first = *(const word32 *)from;
        uint32_t last = *(const word32 *)(from + size - 4);
        *(word32 *)to = first;
        *(word32 *)(to + size - 4) = last;
    } else if (size >= 2) {
        uint16_t first = *(const word16 *)from;
        uint16_t last = *(const word16 *)(from + size - 2);
        *(word16 *)to = first;
        *(word16 *)(to + size - 2) = last;
    } else if (size == 1) {
        *to = *from;
    }
}

/* 17 to 64 bytes, likewise. */
static inline void copy_blocks(char *to, const char *from, size_t size)
{
    block first = *(const block *)from;
    block last = *(const block *)(from + size - BLOCK);

    if (size > (size_t)2 * BLOCK) {
        block second = *(const block *)(from + BLOCK);
        block third = *(const block *)(from + size - 2 * (size_t)BLOCK);
        *(block *)(to + BLOCK) = second;
        *(block *)(to + size - 2 * (size_t)BLOCK) = third;
    }
    *(block *)to = first;
    *(block *)(to + size - BLOCK) = last;
}

struct stride {
    block blocks[4];
};

static inline struct stride load(const char *from)
{
    const block *blocks = (const void *)from;

    return (struct stride){{blocks[0], blocks[1], blocks[2], blocks[3]}};
}

static inline void store(char *to, struct stride stride)
{
    block *blocks = (void *)to;

    blocks[0] = stride.blocks[0];
    blocks[1] = stride.blocks[1];
    blocks[2] = stride.blocks[2];
    blocks[3] = stride.blocks[3];
}

/* More than a stride, from the start to the end: for ranges of which the second does not
 * begin before the first. The last stride is read first: it may be overwritten. */
static inline void copy_up(char *to, const char *from, size_t size)
{
    struct stride last = load(from + size - STRIDE);
    char *end = to + size - STRIDE;
    size_t words = size / sizeof(uint64_t);

    if (size >= LONG) {
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    }
    for (; to < end; to += STRIDE, from += STRIDE) {
        store(to, load(from));
    }
    store(end, last);
}

/* Likewise, from the end to the start. */
static inline void copy_down(char *to, const char *from, size_t size)
{
    struct stride first = load(from);

    for (size_t at = size; at > STRIDE; at -= STRIDE) {
        store(to + at - STRIDE, load(from + at - STRIDE));
    }
    store(to, first);
}

static inline void copy(char *to, const char *from, size_t size)
{
    if (size <= BLOCK) {
        copy_pair(to, from, size);
    } else if (size <= STRIDE) {
        copy_blocks(to, from, size);
    } else if ((uintptr_t)to - (uintptr_t)from >= size) {
        copy_up(to, from, size);
    } else {
        copy_down(to, from, size);
    }
}

void *tf_libc_memmove(void *to, const void *from, size_t size)
{
    copy(to, from, size);
    return to;
}

void *tf_libc_memcpy(void *to, const void *from, size_t size)
{
    copy(to, from, size);
    return to;
}

/* Not constant in time: secrets are compared by tf_crypto_equal. */
int tf_libc_memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    size_t at = 0;

    for (; size - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t x = *(const word64 *)(left + at);
        uint64_t y = *(const word64 *)(right + at);
        if (x != y) {
            return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
        }
    }
    for (; at < size; at++) {
        if (left[at] != right[at]) {
            return left[at] < right[at] ? -1 : 1;
        }
    }
    return 0;
}
