/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/image.h"

#include <string.h>

#include "abi/limits.h"
#include "lib/bytes.h"
#include "lib/measure.h"

enum { SSA_FRAME_PAGES = 1, WRITABLE = SGX_SECINFO_REG | SGX_SECINFO_R | SGX_SECINFO_W };

/* Offsets of one thread's parts from the base. */
struct parts {
    uint64_t stack;
    uint64_t tcs;
    uint64_t ssa;
    uint64_t page;
    uint64_t heap;
    uint64_t slot; /* the first one's JavaScript heap */
    uint64_t end;
};

/* From a slot's JavaScript heap to the next one's. */
static uint64_t slot_span(const struct tf_layout *layout)
{
    return TF_GUARD + layout->slot_stack + TF_GUARD + layout->slot_size;
}

/* Cannot overflow: check_layout bounds every size by TF_ELF_ADDRESS_MAX. */
static struct parts place_thread(const struct tf_image *image, unsigned index)
{
    const struct tf_layout *layout = &image->layout;
    uint64_t span = TF_GUARD + layout->stack_size + TF_GUARD + (uint64_t)3 * TF_PAGE +
                    layout->heap_size + layout->slots * slot_span(layout);
    struct parts parts;
    parts.stack = image->elf.end + index * span + TF_GUARD;
    parts.tcs = parts.stack + layout->stack_size + TF_GUARD;
    parts.ssa = parts.tcs + TF_PAGE;
    parts.page = parts.ssa + TF_PAGE;
    parts.heap = parts.page + TF_PAGE;
    parts.slot =
        parts.heap + layout->heap_size + TF_GUARD + layout->slot_stack + TF_GUARD;
    parts.end = parts.heap + layout->heap_size + layout->slots * slot_span(layout);
    return parts;
}

static uint64_t shared_offset(const struct tf_image *image)
{
    return place_thread(image, image->layout.threads - 1).end;
}

/* Lower-case letters and digits, NUL padded, so that it can be printed and compared. */
static bool is_engine_name(const char name[static TF_ENGINE_NAME_MAX])
{
    size_t size = 0;
    while (size < TF_ENGINE_NAME_MAX && ((name[size] >= 'a' && name[size] <= 'z') ||
                                         (name[size] >= '0' && name[size] <= '9'))) {
        size++;
    }
    for (size_t i = size; i < TF_ENGINE_NAME_MAX; i++) {
        if (name[i] != '\0') {
            return false;
        }
    }
    return size > 0 && size < TF_ENGINE_NAME_MAX;
}

static bool is_size(uint64_t size)
{
    return size < TF_ELF_ADDRESS_MAX && size % TF_PAGE == 0;
}

static tf_err check_layout(const struct tf_image *image)
{
    const struct tf_layout *layout = &image->layout;
    uint64_t elrange = layout->elrange;
    if (layout->magic != TF_LAYOUT_MAGIC || layout->threads == 0 ||
        layout->threads > TF_THREADS_MAX || elrange > TF_ELF_ADDRESS_MAX ||
        elrange < (uint64_t)2 * TF_PAGE || (elrange & (elrange - 1)) != 0 ||
        layout->stack_size == 0 || !is_size(layout->stack_size) ||
        !is_size(layout->heap_size) || !is_size(layout->slot_size) ||
        layout->slot_stack == 0 || !is_size(layout->slot_stack) ||
        !is_size(layout->shared_size) || !is_engine_name(layout->engine) ||
        layout->lvi > TF_LVI_FULL || layout->slots == 0 || layout->slots > TF_SLOTS_MAX) {
        return TF_EIMAGE_FORMAT;
    }
    uint64_t shared = shared_offset(image);
    if (shared > elrange || layout->shared_size > elrange - shared) {
        return TF_EIMAGE_FORMAT;
    }
    return TF_OK;
}

static void read_layout(const uint8_t bytes[static sizeof(struct tf_layout)],
                        struct tf_layout *out)
{
    struct tf_reader r;
    tf_reader_init(&r, bytes, sizeof(*out));
    out->magic = tf_read_u32(&r);
    out->threads = tf_read_u32(&r);
    out->elrange = tf_read_u64(&r);
    out->stack_size = tf_read_u64(&r);
    out->heap_size = tf_read_u64(&r);
    out->slot_size = tf_read_u64(&r);
    out->shared_size = tf_read_u64(&r);
    memcpy(out->engine, tf_read_bytes(&r, TF_ENGINE_NAME_MAX), TF_ENGINE_NAME_MAX);
    out->lvi = tf_read_u32(&r);
    out->slots = tf_read_u32(&r);
    out->version = tf_read_u32(&r);
    out->slot_stack = tf_read_u64(&r);
}

tf_err tf_image_open(const uint8_t *bytes, size_t size, struct tf_image *out)
{
    struct tf_image image;
    tf_err err = tf_elf_open(bytes, size, &image.elf);
    if (err != TF_OK) {
        return err;
    }
    /* The section headers are not measured, but all that they point us at shows in the
     * pages' addresses and in the thread pages, which are: another layout is another
     * MRENCLAVE. */
    uint8_t section[sizeof(struct tf_layout)];
    err = tf_elf_section_copy(&image.elf, ".tfaas.layout", section, sizeof(section));
    if (err != TF_OK) {
        return err;
    }
    read_layout(section, &image.layout);
    err = check_layout(&image);
    if (err != TF_OK) {
        return err;
    }
    *out = image;
    return TF_OK;
}

static tf_err walk_segments(const struct tf_image *image, tf_run_fn fn, void *user)
{
    for (unsigned i = 0; i < image->elf.load_count; i++) {
        const struct tf_elf_load *load = &image->elf.loads[i];
        uint64_t start = load->address / TF_PAGE * TF_PAGE;
        uint64_t end = load->address + load->size + TF_PAGE - 1;
        struct tf_run run = {.offset = start, .is_added = true};
        run.size = end / TF_PAGE * TF_PAGE - start;
        run.secinfo = SGX_SECINFO_REG | SGX_SECINFO_R;
        run.secinfo |= (load->flags & TF_ELF_W) != 0 ? SGX_SECINFO_W : 0;
        run.secinfo |= (load->flags & TF_ELF_X) != 0 ? SGX_SECINFO_X : 0;
        tf_err err = fn(user, &run);
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}

static tf_err walk_runs(const struct tf_run *runs, size_t count, tf_run_fn fn, void *user)
{
    for (size_t i = 0; i < count; i++) {
        tf_err err = runs[i].size == 0 ? TF_OK : fn(user, &runs[i]);
        if (err != TF_OK) {
            return err;
        }
    }
    return TF_OK;
}

static tf_err walk_thread(const struct tf_image *image, unsigned index, tf_run_fn fn,
                          void *user)
{
    struct parts parts = place_thread(image, index);
    const struct tf_run runs[] = {
        {parts.stack, image->layout.stack_size, WRITABLE, true},
        {parts.tcs, TF_PAGE, SGX_SECINFO_TCS, true},
        {parts.ssa, TF_PAGE, WRITABLE, true},
        {parts.page, TF_PAGE, WRITABLE, true},
        {parts.heap, image->layout.heap_size, WRITABLE, false},
    };
    tf_err err = walk_runs(runs, sizeof(runs) / sizeof(runs[0]), fn, user);
    for (uint64_t i = 0; err == TF_OK && i < image->layout.slots; i++) {
        uint64_t memory = parts.slot + i * slot_span(&image->layout);
        const struct tf_run slot[] = {
            {memory - TF_GUARD - image->layout.slot_stack, image->layout.slot_stack,
             WRITABLE, false},
            {memory, image->layout.slot_size, WRITABLE, false},
        };
        err = walk_runs(slot, sizeof(slot) / sizeof(slot[0]), fn, user);
    }
    return err;
}

tf_err tf_image_walk(const struct tf_image *image, tf_run_fn fn, void *user)
{
    tf_err err = walk_segments(image, fn, user);
    for (unsigned i = 0; err == TF_OK && i < image->layout.threads; i++) {
        err = walk_thread(image, i, fn, user);
    }
    struct tf_run shared = {.offset = shared_offset(image), .secinfo = WRITABLE};
    shared.size = image->layout.shared_size;
    if (err == TF_OK && shared.size != 0) {
        err = fn(user, &shared);
    }
    return err;
}

static void write_tcs(const struct tf_image *image, const struct parts *parts,
                      uint8_t page[static TF_PAGE])
{
    struct sgx_tcs tcs = {.ossa = parts->ssa,
                          .nssa = 1,
                          .oentry = image->elf.entry,
                          .ofsbase = parts->page,
                          .ogsbase = parts->page,
                          .fslimit = UINT32_MAX,
                          .gslimit = UINT32_MAX};
    memcpy(page, &tcs, TF_PAGE);
}

static void write_thread_page(const struct tf_image *image, unsigned index,
                              const struct parts *parts, uint8_t page[static TF_PAGE])
{
    const struct tf_layout *layout = &image->layout;
    struct tf_thread_page thread = {.stack_top = parts->stack + layout->stack_size,
                                    .stack_size = layout->stack_size,
                                    .heap = parts->heap,
                                    .heap_size = layout->heap_size,
                                    .slot = parts->slot,
                                    .slot_size = layout->slot_size,
                                    .shared = shared_offset(image),
                                    .shared_size = layout->shared_size,
                                    .elrange = layout->elrange,
                                    .page = parts->page,
                                    .index = index,
                                    .slots = layout->slots,
                                    .slot_span = slot_span(layout),
                                    .slot_stack = layout->slot_stack};
    memcpy(page, &thread, sizeof(thread));
}

void tf_image_page(const struct tf_image *image, uint64_t offset,
                   uint8_t page[static TF_PAGE])
{
    memset(page, 0, TF_PAGE);
    if (offset < image->elf.end) {
        tf_elf_copy(&image->elf, offset, page, TF_PAGE);
        return;
    }
    for (unsigned i = 0; i < image->layout.threads; i++) {
        struct parts parts = place_thread(image, i);
        if (offset == parts.tcs) {
            write_tcs(image, &parts, page);
        } else if (offset == parts.page) {
            write_thread_page(image, i, &parts, page);
        }
    }
}

uint64_t tf_image_tcs(const struct tf_image *image, unsigned index)
{
    return place_thread(image, index).tcs;
}

void tf_image_secs(const struct tf_image *image, struct sgx_secs *out)
{
    *out = (struct sgx_secs){
        .size = image->layout.elrange,
        .ssa_frame_size = SSA_FRAME_PAGES,
        .attributes = {.flags = SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS, .xfrm = TF_XFRM},
    };
}

struct measuring {
    const struct tf_image *image;
    struct tf_measure measure;
};

/* As the Linux driver does it: a page's EEXTENDs follow right after its EADD. */
static tf_err measure_run(void *user, const struct tf_run *run)
{
    struct measuring *m = user;
    uint64_t size = run->is_added ? run->size : 0;
    for (uint64_t at = 0; at < size; at += TF_PAGE) {
        uint8_t page[TF_PAGE];
        tf_measure_eadd(&m->measure, run->offset + at, run->secinfo);
        tf_image_page(m->image, run->offset + at, page);
        tf_measure_page(&m->measure, run->offset + at, page);
    }
    return TF_OK;
}

tf_err tf_image_measure(const struct tf_image *image, uint8_t mrenclave[static 32])
{
    struct measuring m = {.image = image};
    tf_measure_ecreate(&m.measure, SSA_FRAME_PAGES, image->layout.elrange);
    tf_err err = tf_image_walk(image, measure_run, &m);
    if (err != TF_OK) {
        return err;
    }
    tf_measure_take(&m.measure, mrenclave);
    return TF_OK;
}
