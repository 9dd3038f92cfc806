/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/elf.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "abi/layout.h"
#include "lib/bytes.h"

enum {
    HEADERS_MAX = 64, /* program headers, count */
    RELA_SIZE = 24,
    TAG_RELRSZ = 35, /* not in every elf.h */
    TAG_RELR = 36
};

struct header {
    uint32_t type;
    struct tf_elf_load at;
};

struct dynamic {
    uint64_t rela;
    uint64_t rela_size;
    uint64_t rela_entry;
};

/* A reader over [offset, offset + size) of the file; bad if that is not inside. */
static void read_file(struct tf_reader *r, const struct tf_elf *elf, uint64_t offset,
                      uint64_t size)
{
    struct tf_reader file;
    tf_reader_init(&file, elf->bytes, elf->size);
    (void)tf_read_bytes(&file, offset);
    const uint8_t *part = tf_read_bytes(&file, size);
    tf_reader_init(r, part, file.bad ? 0 : size);
    r->bad = file.bad;
}

/* Whether [address, address + size) is inside [start, start + length). Cannot overflow.
 */
static bool is_inside(uint64_t address, uint64_t size, uint64_t start, uint64_t length)
{
    return address >= start && address - start <= length &&
           size <= length - (address - start);
}

/* As read_file, by address: the bytes that the file gives to one segment. */
static void read_memory(struct tf_reader *r, const struct tf_elf *elf, uint64_t address,
                        uint64_t size)
{
    for (unsigned i = 0; i < elf->load_count; i++) {
        const struct tf_elf_load *load = &elf->loads[i];
        if (is_inside(address, size, load->address, load->file_size)) {
            read_file(r, elf, load->file_offset + (address - load->address), size);
            return;
        }
    }
    tf_reader_init(r, NULL, 0);
    r->bad = true;
}

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(TF_PAGE - 1);
}

static uint64_t page_up(uint64_t address)
{
    return page_down(address + TF_PAGE - 1);
}

/* The segment with all of [address, address + size) in memory; NULL if there is none. */
static const struct tf_elf_load *find_load(const struct tf_elf *elf, uint64_t address,
                                           uint64_t size)
{
    for (unsigned i = 0; i < elf->load_count; i++) {
        if (is_inside(address, size, elf->loads[i].address, elf->loads[i].size)) {
            return &elf->loads[i];
        }
    }
    return NULL;
}

/* Reads the ELF header; gives the reader of the program headers. */
static tf_err parse_header(struct tf_elf *elf, struct tf_reader *headers)
{
    static const uint8_t ident[EI_NIDENT] = {ELFMAG0,    ELFMAG1,     ELFMAG2,   ELFMAG3,
                                             ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    struct tf_reader r;
    read_file(&r, elf, 0, sizeof(Elf64_Ehdr));
    const uint8_t *found = tf_read_bytes(&r, sizeof(ident));
    if (found == NULL || memcmp(found, ident, sizeof(ident)) != 0) {
        return TF_EIMAGE_FORMAT;
    }
    uint16_t type = tf_read_u16(&r);
    uint16_t machine = tf_read_u16(&r);
    uint32_t version = tf_read_u32(&r);
    elf->entry = tf_read_u64(&r);
    uint64_t header_offset = tf_read_u64(&r);
    elf->section_offset = tf_read_u64(&r);
    uint32_t flags = tf_read_u32(&r);
    uint16_t own_size = tf_read_u16(&r);
    uint16_t header_size = tf_read_u16(&r);
    uint16_t header_count = tf_read_u16(&r);
    uint16_t section_size = tf_read_u16(&r);
    elf->section_count = tf_read_u16(&r);
    elf->section_names = tf_read_u16(&r);
    if (type != ET_DYN || machine != EM_X86_64 || version != EV_CURRENT || flags != 0 ||
        own_size != sizeof(Elf64_Ehdr) || header_size != sizeof(Elf64_Phdr) ||
        section_size != sizeof(Elf64_Shdr) || header_count > HEADERS_MAX) {
        return TF_EIMAGE_FORMAT;
    }
    read_file(headers, elf, header_offset, (uint64_t)header_count * sizeof(Elf64_Phdr));
    return headers->bad ? TF_EIMAGE_FORMAT : TF_OK;
}

static void read_header(struct tf_reader *r, struct header *out)
{
    out->type = tf_read_u32(r);
    out->at.flags = tf_read_u32(r);
    out->at.file_offset = tf_read_u64(r);
    out->at.address = tf_read_u64(r);
    (void)tf_read_u64(r); /* physical address */
    out->at.file_size = tf_read_u64(r);
    out->at.size = tf_read_u64(r);
    (void)tf_read_u64(r); /* alignment: we place at page granularity */
}

/* LVI-NULL: a page at the base must not run, or a zeroed code pointer reaches it. */
static bool is_load_good(const struct tf_elf *elf, const struct tf_elf_load *load)
{
    bool is_first = elf->load_count == 0;
    return elf->load_count < TF_ELF_LOADS_MAX && load->size > 0 &&
           load->file_size <= load->size &&
           is_inside(load->address, load->size, 0, TF_ELF_ADDRESS_MAX) &&
           is_inside(load->file_offset, load->file_size, 0, elf->size) &&
           (load->flags & ~(uint32_t)(TF_ELF_R | TF_ELF_W | TF_ELF_X)) == 0 &&
           (load->flags & TF_ELF_R) != 0 &&
           (load->flags & (TF_ELF_W | TF_ELF_X)) != (TF_ELF_W | TF_ELF_X) &&
           (is_first ? load->address == 0 && (load->flags & TF_ELF_X) == 0
                     : page_down(load->address) >= elf->end);
}

static tf_err take_header(struct tf_elf *elf, const struct header *header,
                          struct tf_elf_load *dynamic)
{
    switch (header->type) {
    case PT_LOAD:
        if (!is_load_good(elf, &header->at)) {
            return TF_EIMAGE_FORMAT;
        }
        elf->end = page_up(header->at.address + header->at.size);
        elf->loads[elf->load_count++] = header->at;
        return TF_OK;
    case PT_DYNAMIC:
        if (dynamic->size != 0) {
            return TF_EIMAGE_FORMAT;
        }
        *dynamic = header->at;
        return TF_OK;
    case PT_GNU_STACK:
        return (header->at.flags & TF_ELF_X) != 0 ? TF_EIMAGE_FORMAT : TF_OK;
    case PT_NULL:
    case PT_NOTE:
    case PT_PHDR:
    case PT_GNU_EH_FRAME:
    case PT_GNU_PROPERTY:
    case PT_GNU_RELRO: /* its pages stay writable: EPCM permissions are fixed at EADD */
        return TF_OK;
    default: /* PT_INTERP, PT_TLS, and what we do not know */
        return TF_EIMAGE_FORMAT;
    }
}

static tf_err set_once(uint64_t *field, uint64_t value)
{
    if (*field != 0) {
        return TF_EIMAGE_FORMAT;
    }
    *field = value;
    return TF_OK;
}

/* What a loader would act on and the enclave's own relocator does not: refused. */
static tf_err take_tag(struct dynamic *dynamic, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_RELA:
        return set_once(&dynamic->rela, value);
    case DT_RELASZ:
        return set_once(&dynamic->rela_size, value);
    case DT_RELAENT:
        return set_once(&dynamic->rela_entry, value);
    case DT_RELSZ:
    case DT_PLTRELSZ:
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAYSZ:
    case DT_PREINIT_ARRAYSZ:
    case TAG_RELRSZ:
        return value == 0 ? TF_OK : TF_EIMAGE_FORMAT;
    case DT_FLAGS:
        return (value & DF_TEXTREL) == 0 ? TF_OK : TF_EIMAGE_FORMAT;
    case DT_NEEDED:
    case DT_TEXTREL:
    case DT_REL:
    case TAG_RELR:
    case DT_JMPREL:
    case DT_INIT:
    case DT_FINI:
        return TF_EIMAGE_FORMAT;
    default:
        return TF_OK;
    }
}

static tf_err parse_dynamic(const struct tf_elf *elf, const struct tf_elf_load *at,
                            struct dynamic *out)
{
    struct tf_reader r;
    read_memory(&r, elf, at->address, at->size);
    for (;;) {
        uint64_t tag = tf_read_u64(&r);
        uint64_t value = tf_read_u64(&r);
        if (r.bad) {
            return TF_EIMAGE_FORMAT;
        }
        if (tag == DT_NULL) {
            return TF_OK;
        }
        tf_err err = take_tag(out, tag, value);
        if (err != TF_OK) {
            return err;
        }
    }
}

static tf_err check_relocations(const struct tf_elf *elf, const struct dynamic *dynamic)
{
    if (dynamic->rela_size == 0) {
        return TF_OK;
    }
    struct tf_reader r;
    read_memory(&r, elf, dynamic->rela, dynamic->rela_size);
    if (r.bad || dynamic->rela_entry != RELA_SIZE ||
        dynamic->rela_size % RELA_SIZE != 0) {
        return TF_EIMAGE_FORMAT;
    }
    while (tf_reader_left(&r) > 0) {
        uint64_t address = tf_read_u64(&r);
        uint64_t info = tf_read_u64(&r);
        uint64_t addend = tf_read_u64(&r);
        const struct tf_elf_load *load = find_load(elf, address, sizeof(uint64_t));
        /* The addend may be the end: a pointer past an array's last element. */
        if (info != R_X86_64_RELATIVE || load == NULL || (load->flags & TF_ELF_W) == 0 ||
            addend > elf->end) {
            return TF_EIMAGE_FORMAT;
        }
    }
    return TF_OK;
}

tf_err tf_elf_open(const uint8_t *bytes, size_t size, struct tf_elf *out)
{
    struct tf_elf elf = {.bytes = bytes, .size = size};
    struct tf_elf_load at = {.size = 0};
    struct dynamic dynamic = {.rela = 0};
    struct tf_reader headers;

    tf_err err = parse_header(&elf, &headers);
    while (err == TF_OK && tf_reader_left(&headers) > 0) {
        struct header header;
        read_header(&headers, &header);
        err = take_header(&elf, &header, &at);
    }
    if (err == TF_OK && at.size != 0) {
        err = parse_dynamic(&elf, &at, &dynamic);
    }
    if (err == TF_OK) {
        err = check_relocations(&elf, &dynamic);
    }
    if (err != TF_OK) {
        return err;
    }
    const struct tf_elf_load *text = find_load(&elf, elf.entry, 1);
    if (text == NULL || (text->flags & TF_ELF_X) == 0) {
        return TF_EIMAGE_FORMAT;
    }
    *out = elf;
    return TF_OK;
}

struct section {
    uint32_t name; /* offset into the section of names */
    uint32_t type;
    uint64_t address;
    uint64_t file_offset;
    uint64_t size;
};

static tf_err read_section(const struct tf_elf *elf, unsigned index, struct section *out)
{
    if (elf->section_offset > elf->size || index >= elf->section_count) {
        return TF_EIMAGE_FORMAT;
    }
    struct tf_reader r;
    read_file(&r, elf, elf->section_offset + (uint64_t)index * sizeof(Elf64_Shdr),
              sizeof(Elf64_Shdr));
    out->name = tf_read_u32(&r);
    out->type = tf_read_u32(&r);
    (void)tf_read_u64(&r); /* flags: the segment's count */
    out->address = tf_read_u64(&r);
    out->file_offset = tf_read_u64(&r);
    out->size = tf_read_u64(&r);
    return r.bad ? TF_EIMAGE_FORMAT : TF_OK;
}

static tf_err find_section(const struct tf_elf *elf, const char *name,
                           struct section *out)
{
    struct section names;
    tf_err err = read_section(elf, elf->section_names, &names);
    for (unsigned i = 0; err == TF_OK && i < elf->section_count; i++) {
        struct section section;
        err = read_section(elf, i, &section);
        struct tf_reader r;
        read_file(&r, elf, names.file_offset, names.size);
        (void)tf_read_bytes(&r, section.name);
        const uint8_t *found = tf_read_bytes(&r, strlen(name) + 1);
        if (err == TF_OK && found != NULL && memcmp(found, name, strlen(name) + 1) == 0) {
            *out = section;
            return TF_OK;
        }
    }
    return TF_EIMAGE_FORMAT;
}

tf_err tf_elf_section_copy(const struct tf_elf *elf, const char *name, uint8_t *out,
                           size_t size)
{
    struct section section;
    tf_err err = find_section(elf, name, &section);
    if (err != TF_OK) {
        return err;
    }
    const struct tf_elf_load *load = find_load(elf, section.address, section.size);
    if (section.type != SHT_PROGBITS || section.size != size || load == NULL ||
        load->flags != TF_ELF_R ||
        section.file_offset != load->file_offset + (section.address - load->address)) {
        return TF_EIMAGE_FORMAT;
    }
    struct tf_reader r;
    read_memory(&r, elf, section.address, size);
    const uint8_t *bytes = tf_read_bytes(&r, size);
    if (bytes == NULL) {
        return TF_EIMAGE_FORMAT;
    }
    memcpy(out, bytes, size);
    return TF_OK;
}

void tf_elf_copy(const struct tf_elf *elf, uint64_t address, uint8_t *out, size_t size)
{
    for (unsigned i = 0; i < elf->load_count; i++) {
        const struct tf_elf_load *load = &elf->loads[i];
        uint64_t start = load->address > address ? load->address : address;
        uint64_t load_end = load->address + load->file_size;
        uint64_t end = load_end < address + size ? load_end : address + size;
        if (start >= end) {
            continue;
        }
        struct tf_reader r;
        read_memory(&r, elf, start, end - start);
        const uint8_t *bytes = tf_read_bytes(&r, end - start);
        if (bytes != NULL) {
            memcpy(out + (start - address), bytes, end - start);
        }
    }
}
