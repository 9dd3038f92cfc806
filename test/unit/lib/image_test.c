/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "lib/bytes.h"
#include "test/test.h"

/*
 * A small image, written by hand: three segments (headers, code, data with two pages of
 * which the second is bss), one relocation, two threads.
 */
enum {
    HEADERS = 64,
    LOAD0 = HEADERS, /* program headers of 56 bytes */
    LOAD1 = LOAD0 + 56,
    LOAD2 = LOAD1 + 56,
    LOAD3 = LOAD2 + 56,
    LOAD4 = LOAD3 + 56,
    RELA = 0x200,
    LAYOUT = 0x300,
    DATA = 0x2000,
    DYNAMIC = 0x2000,
    SECTIONS = 0x3000,
    NAMES = 0x2100,
    SIZE = SECTIONS + 3 * 64,

    STACK_SIZE = 0x4000,
    HEAP_SIZE = 0x10000,
    SLOT_SIZE = 0x20000,
    SLOT_STACK = 0x6000,
    SHARED_SIZE = 0x8000,
    ELRANGE = 1 << 21
};

static void put_load(uint8_t *at, uint32_t flags, uint64_t offset, uint64_t file_size,
                     uint64_t size)
{
    Elf64_Phdr header = {.p_type = PT_LOAD, .p_flags = flags, .p_align = TF_PAGE};
    header.p_offset = offset;
    header.p_vaddr = offset;
    header.p_filesz = file_size;
    header.p_memsz = size;
    memcpy(at, &header, sizeof(header));
}

static void put_headers(uint8_t *image)
{
    Elf64_Ehdr elf = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT};
    memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_ident[EI_VERSION] = EV_CURRENT;
    elf.e_entry = 0x1010;
    elf.e_phoff = HEADERS;
    elf.e_shoff = SECTIONS;
    elf.e_ehsize = sizeof(Elf64_Ehdr);
    elf.e_phentsize = sizeof(Elf64_Phdr);
    elf.e_phnum = 5;
    elf.e_shentsize = sizeof(Elf64_Shdr);
    elf.e_shnum = 3;
    elf.e_shstrndx = 2;
    memcpy(image, &elf, sizeof(elf));

    put_load(image + LOAD0, PF_R, 0, 0x400, 0x400);
    put_load(image + LOAD1, PF_R | PF_X, 0x1000, 0x40, 0x40);
    put_load(image + LOAD2, PF_R | PF_W, DATA, 0x100, 0x1800);
    put_load(image + LOAD3, PF_R | PF_W, DYNAMIC, 64, 64);
    tf_store_u32(image + LOAD3, PT_DYNAMIC);
    put_load(image + LOAD4, PF_R | PF_W, 0, 0, 0);
    tf_store_u32(image + LOAD4, PT_GNU_STACK);
}

static void put_contents(uint8_t *image)
{
    const Elf64_Rela relocation = {0x2080, R_X86_64_RELATIVE, 0x2090};
    memcpy(image + RELA, &relocation, sizeof(relocation));
    const struct tf_layout layout = {TF_LAYOUT_MAGIC,
                                     2,
                                     ELRANGE,
                                     STACK_SIZE,
                                     HEAP_SIZE,
                                     SLOT_SIZE,
                                     SHARED_SIZE,
                                     "duktape",
                                     TF_LVI_OFF,
                                     .slots = 2,
                                     .slot_stack = SLOT_STACK};
    memcpy(image + LAYOUT, &layout, sizeof(layout));
    memset(image + 0x1000, 0xcc, 0x40);
    const uint64_t tags[8] = {DT_RELA, RELA, DT_RELASZ, 24, DT_RELAENT, 24, DT_NULL};
    memcpy(image + DYNAMIC, tags, sizeof(tags));
    memset(image + DATA + 0x80, 0xda, 0x80);

    memcpy(image + NAMES, "\0.tfaas.layout\0.shstrtab", 25);
    Elf64_Shdr section = {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC};
    section.sh_addr = LAYOUT;
    section.sh_offset = LAYOUT;
    section.sh_size = sizeof(struct tf_layout);
    memcpy(image + SECTIONS + 64, &section, sizeof(section));
    Elf64_Shdr names = {.sh_name = 15, .sh_type = SHT_STRTAB, .sh_offset = NAMES};
    names.sh_size = 25;
    memcpy(image + SECTIONS + 128, &names, sizeof(names));
}

/* A fresh copy of the image, of exactly its size so that the sanitizer sees every
 * overrun. */
static uint8_t *make(void)
{
    uint8_t *image = calloc(1, SIZE);
    if (image == NULL) {
        abort();
    }
    put_headers(image);
    put_contents(image);
    return image;
}

struct runs {
    struct tf_run run[32];
    unsigned count;
};

static tf_err collect(void *user, const struct tf_run *run)
{
    struct runs *runs = user;
    if (runs->count == 32) {
        return TF_ELIMIT;
    }
    runs->run[runs->count++] = *run;
    return TF_OK;
}

enum {
    RO = SGX_SECINFO_REG | SGX_SECINFO_R,
    RX = RO | SGX_SECINFO_X,
    RW = RO | SGX_SECINFO_W
};

static void runs_are_where_the_layout_says(void)
{
    static const struct tf_run expected[] = {
        {0, 0x1000, RO, true},
        {0x1000, 0x1000, RX, true},
        {0x2000, 0x2000, RW, true},
        {0x14000, STACK_SIZE, RW, true},
        {0x28000, 0x1000, SGX_SECINFO_TCS, true},
        {0x29000, 0x1000, RW, true},
        {0x2a000, 0x1000, RW, true},
        {0x2b000, HEAP_SIZE, RW, false},
        {0x4b000, SLOT_STACK, RW, false},
        {0x61000, SLOT_SIZE, RW, false},
        {0x91000, SLOT_STACK, RW, false},
        {0xa7000, SLOT_SIZE, RW, false},
        {0xd7000, STACK_SIZE, RW, true},
        {0xeb000, 0x1000, SGX_SECINFO_TCS, true},
        {0xec000, 0x1000, RW, true},
        {0xed000, 0x1000, RW, true},
        {0xee000, HEAP_SIZE, RW, false},
        {0x10e000, SLOT_STACK, RW, false},
        {0x124000, SLOT_SIZE, RW, false},
        {0x154000, SLOT_STACK, RW, false},
        {0x16a000, SLOT_SIZE, RW, false},
        {0x18a000, SHARED_SIZE, RW, false},
    };
    uint8_t *bytes = make();
    struct tf_image image;
    struct runs runs = {.count = 0};
    CHECK(tf_image_open(bytes, SIZE, &image) == TF_OK);
    CHECK(tf_image_walk(&image, collect, &runs) == TF_OK);
    CHECK(runs.count == sizeof(expected) / sizeof(expected[0]));
    for (unsigned i = 0; i < runs.count; i++) {
        CHECK(runs.run[i].offset == expected[i].offset);
        CHECK(runs.run[i].size == expected[i].size);
        CHECK(runs.run[i].secinfo == expected[i].secinfo);
        CHECK(runs.run[i].is_added == expected[i].is_added);
    }
    CHECK(tf_image_tcs(&image, 0) == 0x28000);
    CHECK(tf_image_tcs(&image, 1) == 0xeb000);
    free(bytes);
}

static uint64_t word(const uint8_t *page, size_t offset)
{
    struct tf_reader r;
    tf_reader_init(&r, page + offset, sizeof(uint64_t));
    return tf_read_u64(&r);
}

static void pages_have_their_contents(void)
{
    uint8_t *bytes = make();
    struct tf_image image;
    uint8_t page[TF_PAGE];
    CHECK(tf_image_open(bytes, SIZE, &image) == TF_OK);

    tf_image_page(&image, 0x1000, page);
    CHECK(page[0x3f] == 0xcc && page[0x40] == 0);
    tf_image_page(&image, 0x2000, page); /* the file goes on, the segment does not */
    CHECK(page[0xff] == 0xda && page[0x100] == 0 && bytes[NAMES + 1] == '.');
    tf_image_page(&image, 0x3000, page);
    CHECK(page[0] == 0 && memcmp(page, page + 1, TF_PAGE - 1) == 0);

    tf_image_page(&image, 0xeb000, page); /* TCS of thread 1, SDM 38.8 */
    CHECK(word(page, 0) == 0 && word(page, 8) == 0);
    CHECK(word(page, 16) == 0xec000);                       /* OSSA */
    CHECK(word(page, 24) == (uint64_t)1 << 32);             /* CSSA 0, NSSA 1 */
    CHECK(word(page, 32) == 0x1010 && word(page, 40) == 0); /* OENTRY, AEP */
    CHECK(word(page, 48) == 0xed000 && word(page, 56) == 0xed000);
    CHECK(word(page, 64) == UINT64_MAX && word(page, 72) == 0);

    tf_image_page(&image, 0xed000, page); /* its thread page */
    CHECK(word(page, 0) == 0 && word(page, 0x28) == 0);
    CHECK(word(page, 0x50) == 0xdb000 && word(page, 0x58) == STACK_SIZE);
    CHECK(word(page, 0x60) == 0xee000 && word(page, 0x68) == HEAP_SIZE);
    CHECK(word(page, 0x70) == 0x124000 && word(page, 0x78) == SLOT_SIZE);
    CHECK(word(page, 0x80) == 0x18a000 && word(page, 0x88) == SHARED_SIZE);
    CHECK(word(page, 0x90) == ELRANGE && word(page, 0x98) == 0xed000);
    CHECK(word(page, 0xa0) == 1 && word(page, 0xa8) == 0 && word(page, 0xc0) == 0);
    CHECK(word(page, 0xc8) == 2 && word(page, 0xd0) == 0x46000);
    CHECK(word(page, 0xd8) == SLOT_STACK);
    free(bytes);
}

static void secs_follows_from_the_image(void)
{
    uint8_t *bytes = make();
    struct tf_image image;
    struct sgx_secs secs;
    CHECK(tf_image_open(bytes, SIZE, &image) == TF_OK);
    tf_image_secs(&image, &secs);
    CHECK(secs.size == ELRANGE && secs.base == 0 && secs.ssa_frame_size == 1);
    CHECK(secs.attributes.flags == (SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS));
    CHECK(secs.attributes.xfrm == 7 && secs.miscselect == 0);
    free(bytes);
}

static int measure(const uint8_t *bytes, char hex[static 65])
{
    struct tf_image image;
    uint8_t mrenclave[32];
    if (tf_image_open(bytes, SIZE, &image) != TF_OK ||
        tf_image_measure(&image, mrenclave) != TF_OK) {
        return 0;
    }
    tf_hex_write(mrenclave, sizeof(mrenclave), hex);
    return 1;
}

/* The answer was computed by a program in another language from the file and
 * abi/layout.h. */
static void mrenclave_is_known(void)
{
    uint8_t *bytes = make();
    char hex[65];
    CHECK(measure(bytes, hex));
    CHECK(
        strcmp(hex, "a17a0e4950acbcb6a12fe2089b8fb6f5b2abc8522573485b446dbaf4714f2750") ==
        0);
    free(bytes);
}

static void a_changed_byte_is_refused_or_measured(void)
{
    uint8_t *bytes = make();
    char good[65];
    char changed[65];
    CHECK(measure(bytes, good));
    for (size_t at = 0; at < 0x2100; at += at < 0x400 ? 1 : 61) {
        if ((at >= 0x400 && at < 0x1000) || (at >= 0x1040 && at < 0x2000)) {
            continue; /* between segments */
        }
        bytes[at] ^= 1;
        CHECK(!measure(bytes, changed) || strcmp(good, changed) != 0);
        bytes[at] ^= 1;
    }
    free(bytes);
}

static void every_truncation_is_refused(void)
{
    uint8_t *whole = make();
    for (size_t size = 0; size < SIZE; size++) {
        uint8_t *bytes = malloc(size + (size == 0));
        struct tf_image image;
        if (bytes == NULL) {
            abort();
        }
        memcpy(bytes, whole, size);
        CHECK(tf_image_open(bytes, size, &image) == TF_EIMAGE_FORMAT);
        free(bytes);
    }
    free(whole);
}

struct bad {
    const char *name;
    size_t at;
    size_t size; /* of the field, bytes */
    uint64_t value;
};

static const struct bad bads[] = {
    {"magic", 0, 1, 0},
    {"32 bits", EI_CLASS, 1, ELFCLASS32},
    {"big-endian", EI_DATA, 1, ELFDATA2MSB},
    {"GNU ABI", EI_OSABI, 1, ELFOSABI_GNU},
    {"fixed address", 16, 2, ET_EXEC},
    {"other machine", 18, 2, EM_AARCH64},
    {"entry in data", 24, 8, DATA},
    {"entry outside", 24, 8, UINT64_MAX},
    {"headers past the end", 32, 8, SIZE - 1},
    {"headers wrap", 32, 8, UINT64_MAX},
    {"header size", 54, 2, 57},
    {"no headers", 56, 2, 0},
    {"too many headers", 56, 2, 65},
    {"sections past the end", 40, 8, SIZE},
    {"sections wrap", 40, 8, UINT64_MAX - 63},
    {"section size", 58, 2, 63},
    {"no sections", 60, 2, 0},
    {"section names", 62, 2, 3},
    {"interpreter", LOAD4, 4, PT_INTERP},
    {"thread-local storage", LOAD4, 4, PT_TLS},
    {"unknown header", LOAD4, 4, 0x60000000},
    {"executable stack", LOAD4 + 4, 4, PF_R | PF_W | PF_X},
    {"two dynamic", LOAD1, 4, PT_DYNAMIC},
    {"page 0 executable", LOAD0 + 4, 4, PF_R | PF_X},
    {"first page not mapped", LOAD0, 4, PT_NULL},
    {"writable and executable", LOAD1 + 4, 4, PF_R | PF_W | PF_X},
    {"not readable", LOAD1 + 4, 4, PF_X},
    {"unknown flag", LOAD1 + 4, 4, PF_R | PF_X | 8},
    {"file offset past the end", LOAD2 + 8, 8, SIZE},
    {"file offset wraps", LOAD2 + 8, 8, UINT64_MAX},
    {"same page twice", LOAD2 + 16, 8, 0x1800},
    {"descending", LOAD2 + 16, 8, 0},
    {"address wraps", LOAD2 + 16, 8, UINT64_MAX - 0xfff},
    {"address beyond any ELRANGE", LOAD2 + 16, 8, (uint64_t)1 << 36},
    {"more file than memory", LOAD2 + 32, 8, 0x1801},
    {"file size wraps", LOAD2 + 32, 8, UINT64_MAX},
    {"empty segment", LOAD1 + 40, 8, 0},
    {"memory size wraps", LOAD2 + 40, 8, UINT64_MAX},
    {"segments beyond ELRANGE", LOAD2 + 40, 8, ELRANGE},
    {"dynamic outside", LOAD3 + 16, 8, 0x9000},
    {"dynamic in bss", LOAD3 + 16, 8, DATA + 0x1000},
    {"dynamic without end", LOAD3 + 40, 8, 48},
    {"relocations in bss", DYNAMIC + 8, 8, DATA + 0x1000},
    {"relocations wrap", DYNAMIC + 8, 8, UINT64_MAX},
    {"relocations past the end", DYNAMIC + 24, 8, 0x2400},
    {"half a relocation", DYNAMIC + 24, 8, 23},
    {"relocation size", DYNAMIC + 40, 8, 16},
    {"relocations twice", DYNAMIC + 16, 8, DT_RELA},
    {"REL", DYNAMIC + 48, 8, DT_REL},
    {"RELR", DYNAMIC + 48, 8, 36},
    {"JMPREL", DYNAMIC + 48, 8, DT_JMPREL},
    {"TEXTREL", DYNAMIC + 48, 8, DT_TEXTREL},
    {"NEEDED", DYNAMIC + 48, 8, DT_NEEDED},
    {"INIT", DYNAMIC + 48, 8, DT_INIT},
    {"FINI", DYNAMIC + 48, 8, DT_FINI},
    {"relocation into code", RELA, 8, 0x1000},
    {"relocation into headers", RELA, 8, 0},
    {"relocation across the end", RELA, 8, 0x37f9},
    {"relocation wraps", RELA, 8, UINT64_MAX - 3},
    {"GLOB_DAT", RELA + 8, 8, R_X86_64_GLOB_DAT},
    {"IRELATIVE", RELA + 8, 8, R_X86_64_IRELATIVE},
    {"with a symbol", RELA + 8, 8, ((uint64_t)1 << 32) | R_X86_64_RELATIVE},
    {"addend outside", RELA + 16, 8, 0x4001},
    {"addend negative", RELA + 16, 8, UINT64_MAX},
    {"layout in another section", SECTIONS + 64, 4, 0},
    {"layout name past the end", SECTIONS + 64, 4, UINT32_MAX},
    {"layout not in the file", SECTIONS + 64 + 4, 4, SHT_NOBITS},
    {"layout in code", SECTIONS + 64 + 16, 8, 0x1000},
    {"layout in data", SECTIONS + 64 + 16, 8, DATA},
    {"layout outside", SECTIONS + 64 + 16, 8, UINT64_MAX},
    {"layout elsewhere in the file", SECTIONS + 64 + 24, 8, LAYOUT + 8},
    {"layout size", SECTIONS + 64 + 32, 8, sizeof(struct tf_layout) + 1},
    {"layout size wraps", SECTIONS + 64 + 32, 8, UINT64_MAX},
    {"layout magic", LAYOUT, 4, 0},
    {"no threads", LAYOUT + 4, 4, 0},
    {"too many threads", LAYOUT + 4, 4, TF_THREADS_MAX + 1},
    {"ELRANGE not a power of two", LAYOUT + 8, 8, ELRANGE + TF_PAGE},
    {"ELRANGE zero", LAYOUT + 8, 8, 0},
    {"ELRANGE one page", LAYOUT + 8, 8, TF_PAGE},
    {"ELRANGE too small", LAYOUT + 8, 8, ELRANGE / 2},
    {"ELRANGE too large", LAYOUT + 8, 8, (uint64_t)1 << 37},
    {"no stack", LAYOUT + 16, 8, 0},
    {"half a stack page", LAYOUT + 16, 8, TF_PAGE / 2},
    {"stack wraps", LAYOUT + 16, 8, UINT64_MAX - 0xfff},
    {"heap too large", LAYOUT + 24, 8, 1 << 20},
    {"heap wraps", LAYOUT + 24, 8, (uint64_t)1 << 63},
    {"slot not pages", LAYOUT + 32, 8, 1},
    {"slot wraps", LAYOUT + 32, 8, UINT64_MAX - 0xfff},
    {"shared too large", LAYOUT + 40, 8, 0x7f000},
    {"shared wraps", LAYOUT + 40, 8, UINT64_MAX - 0xfff},
    {"no engine", LAYOUT + 48, 1, 0},
    {"engine not printable", LAYOUT + 48, 1, '\n'},
    {"no such flavour", LAYOUT + 60, 4, TF_LVI_FULL + 1},
    {"no slots", LAYOUT + 64, 4, 0},
    {"too many slots", LAYOUT + 64, 4, TF_SLOTS_MAX + 1},
    {"more slots than ELRANGE holds", LAYOUT + 64, 4, 4},
    {"no slot stack", LAYOUT + 72, 8, 0},
    {"half a slot stack page", LAYOUT + 72, 8, TF_PAGE / 2},
    {"slot stack wraps", LAYOUT + 72, 8, UINT64_MAX - 0xfff},
    {"engine after its end", LAYOUT + 56, 8, 0x6161616161616161},
};

static void put(uint8_t *at, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void bad_images_are_refused(void)
{
    for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
        uint8_t *bytes = make();
        struct tf_image image;
        put(bytes + bads[i].at, bads[i].size, bads[i].value);
        if (!CHECK(tf_image_open(bytes, SIZE, &image) == TF_EIMAGE_FORMAT)) {
            (void)fprintf(stderr, "  accepted: %s\n", bads[i].name);
        }
        free(bytes);
    }
}

static tf_err stop(void *user, const struct tf_run *run)
{
    unsigned *left = user;
    (void)run;
    return --*left == 0 ? TF_AGAIN : TF_OK;
}

static void a_walk_stops_where_it_is_told(void)
{
    uint8_t *bytes = make();
    struct tf_image image;
    CHECK(tf_image_open(bytes, SIZE, &image) == TF_OK);
    for (unsigned i = 1; i <= 16; i++) {
        unsigned left = i;
        CHECK(tf_image_walk(&image, stop, &left) == TF_AGAIN);
        CHECK(left == 0);
    }
    free(bytes);
}

int main(void)
{
    RUN(runs_are_where_the_layout_says);
    RUN(pages_have_their_contents);
    RUN(secs_follows_from_the_image);
    RUN(mrenclave_is_known);
    RUN(a_changed_byte_is_refused_or_measured);
    RUN(every_truncation_is_refused);
    RUN(bad_images_are_refused);
    RUN(a_walk_stops_where_it_is_told);
    return test_end();
}
