/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_vdso.c - looks a function up in the vDSO. It has no section headers in memory, so
 * the number of symbols comes from DT_HASH (its nchain) or, where the kernel was linked
 * with
 * --hash-style=gnu, from the last chain of DT_GNU_HASH.
 */
#include <elf.h>
#include <string.h>

#include "host/sgx.h"

struct symbols {
    const uint8_t *bias; /* what addresses in the file are relative to */
    const Elf64_Sym *table;
    const char *strings;
    size_t string_size;
    size_t count;
};

static size_t count_gnu(const uint32_t *hash)
{
    uint32_t bucket_count = hash[0];
    uint32_t first = hash[1]; /* symbols below it are not hashed */
    const uint32_t *buckets = hash + 4 + (size_t)hash[2] * 2;
    const uint32_t *chains = buckets + bucket_count;
    uint32_t last = 0;

    for (uint32_t i = 0; i < bucket_count; i++) {
        last = buckets[i] > last ? buckets[i] : last;
    }
    if (last < first) {
        return first;
    }
    while ((chains[last - first] & 1) == 0) { /* bit 0 ends a chain */
        last++;
    }
    return (size_t)last + 1;
}

static void read_dynamic(const Elf64_Dyn *d, struct symbols *s)
{
    const uint32_t *gnu = NULL;
    const uint32_t *sysv = NULL;

    for (; d->d_tag != DT_NULL; d++) {
        const void *at = s->bias + d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_SYMTAB:
            s->table = at;
            break;
        case DT_STRTAB:
            s->strings = at;
            break;
        case DT_STRSZ:
            s->string_size = d->d_un.d_val;
            break;
        case DT_HASH:
            sysv = at;
            break;
        case DT_GNU_HASH:
            gnu = at;
            break;
        default:
            break;
        }
    }
    if (sysv != NULL) {
        s->count = sysv[1];
    } else if (gnu != NULL) {
        s->count = count_gnu(gnu);
    }
}

static const Elf64_Dyn *find_dynamic(const uint8_t *vdso, const uint8_t **bias)
{
    const Elf64_Ehdr *header = (const void *)vdso;
    const Elf64_Phdr *segments = (const void *)(vdso + header->e_phoff);
    const Elf64_Phdr *load = NULL;
    const Elf64_Phdr *dynamic = NULL;

    for (size_t i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && load == NULL) {
            load = &segments[i];
        }
        if (segments[i].p_type == PT_DYNAMIC) {
            dynamic = &segments[i];
        }
    }
    if (load == NULL || dynamic == NULL) {
        return NULL;
    }
    *bias = vdso + load->p_offset - load->p_vaddr;
    return (const void *)(vdso + dynamic->p_offset);
}

const void *tf_sgx_vdso_find(const uint8_t *vdso, const char *name)
{
    struct symbols s = {.count = 0};

    if (vdso == NULL || memcmp(vdso, ELFMAG, SELFMAG) != 0) {
        return NULL;
    }
    const Elf64_Dyn *dynamic = find_dynamic(vdso, &s.bias);
    if (dynamic == NULL) {
        return NULL;
    }
    read_dynamic(dynamic, &s);
    if (s.table == NULL || s.strings == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < s.count; i++) {
        const Elf64_Sym *symbol = &s.table[i];
        if (symbol->st_shndx != SHN_UNDEF && symbol->st_name < s.string_size &&
            ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            strcmp(s.strings + symbol->st_name, name) == 0) {
            return s.bias + symbol->st_value;
        }
    }
    return NULL;
}
