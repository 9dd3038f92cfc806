/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sim_driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/uio.h>
#include <unistd.h>

#include <asm/sgx.h>

#include "host/sim_memory.h"
#include "lib/sigstruct.h"

enum { VENDOR_INTEL = 0x8086, LINE_SIZE = 512, SECINFO_ACCESS = 7, COPY_PAGES = 16 };

/* As in the driver: what an unprivileged process may have in ATTRIBUTES at EINIT. */
static const uint64_t unprivileged =
    SGX_FLAGS_DEBUG | SGX_FLAGS_MODE64BIT | SGX_FLAGS_KSS;

struct tf_sim *tf_sim_active;

struct secinfo { /* SDM vol. 3D, SECINFO */
    uint64_t flags;
    uint8_t reserved[56];
};

/* copy_from_user: an address that cannot be read is an answer, not a crash.
 * @return bytes copied. */
static size_t copy_some(void *to, uint64_t from, size_t size)
{
    const struct iovec local = {to, size};
    /* the kernel checks it */
    const struct iovec remote = {(void *)(uintptr_t)from, size};
    ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

    return copied > 0 ? (size_t)copied : 0;
}

static bool copy_in(void *to, uint64_t from, size_t size)
{
    return copy_some(to, from, size) == size;
}

/* --- open, close
 * ------------------------------------------------------------------------- */

int tf_sim_open(const char *directory, uint64_t size, struct tf_sim **out)
{
    if (tf_sim_active != NULL) {
        return -EBUSY; /* ours: the signal handlers know one enclave a process */
    }
    struct tf_sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL) {
        return -ENOMEM;
    }
    (void)pthread_mutex_init(&sim->lock, NULL);
    tf_sim_active = sim;
    int rc = tf_sim_machine_open(&sim->machine, directory);
    if (rc == 0 && size != 0) {
        rc = tf_sim_memory_reserve(sim, size);
    }
    if (rc != 0) {
        tf_sim_close(sim);
        return rc;
    }
    *out = sim;
    return 0;
}

void tf_sim_close(struct tf_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    tf_sim_memory_release(sim);
    tf_sim_machine_wipe(&sim->machine);
    memset(tf_sim_threads, 0, sizeof(tf_sim_threads));
    (void)pthread_mutex_destroy(&sim->lock);
    free(sim);
    tf_sim_active = NULL;
}

/* --- CREATE
 * ------------------------------------------------------------------------------ */

static int create(struct tf_sim *sim, const void *argument)
{
    struct sgx_enclave_create given;
    struct sgx_secs secs;

    if (sim->stage != TF_SIM_OPENED) {
        return -EINVAL;
    }
    if (!copy_in(&given, (uint64_t)(uintptr_t)argument, sizeof(given)) ||
        !copy_in(&secs, given.src, sizeof(secs))) {
        return -EFAULT;
    }
    if (secs.size == 0 || (secs.size & (secs.size - 1)) != 0) {
        return -EINVAL;
    }
    if (!tf_sim_cpu_ecreate(&sim->machine.cpu, &secs)) {
        return -EIO; /* ECREATE faulted */
    }
    sim->secs = secs;
    int rc = tf_sim_memory_init(sim);
    if (rc != 0) {
        return rc;
    }
    tf_measure_ecreate(&sim->measure, secs.ssa_frame_size, secs.size);
    sim->stage = TF_SIM_CREATED;
    return 0;
}

/* --- ADD_PAGES
 * --------------------------------------------------------------------------- */

static bool is_secinfo_good(const struct secinfo *secinfo)
{
    uint64_t access = secinfo->flags & SECINFO_ACCESS;
    uint64_t type = secinfo->flags & ~(uint64_t)SECINFO_ACCESS;

    if (!tf_sim_is_zero(secinfo->reserved, sizeof(secinfo->reserved))) {
        return false;
    }
    if (type == SGX_SECINFO_TCS) {
        return access == 0;
    }
    return type == SGX_SECINFO_REG &&
           ((access & SGX_SECINFO_W) == 0 || (access & SGX_SECINFO_R) != 0);
}

static bool is_range_good(const struct tf_sim *sim, uint64_t offset, uint64_t size)
{
    return offset % TF_PAGE == 0 && size != 0 && size % TF_PAGE == 0 &&
           offset + size >= offset && offset + size - TF_PAGE < sim->secs.size;
}

/* The first line of a mapping in smaps: START-END, both hexadecimal, and more. */
static bool read_bounds(const char *line, uint64_t *start, uint64_t *end)
{
    char *at = NULL;

    uint64_t first = strtoull(line, &at, 16);
    if (at == line || *at != '-') {
        return false;
    }
    *start = first;
    *end = strtoull(at + 1, &at, 16);
    return true;
}

/* Whether the mapping at `address` lacks VM_MAYEXEC: a file of a mount with noexec. The
 * kernel tells it as "me" in VmFlags. One answer serves until the next mapping. */
static int check_source(struct tf_sim *sim, uint64_t address)
{
    char line[LINE_SIZE];
    uint64_t start = 0;
    uint64_t end = 0;
    int rc = -EFAULT;

    if (address >= sim->source_start && address < sim->source_end) {
        return 0;
    }
    FILE *maps = fopen("/proc/self/smaps", "re");
    if (maps == NULL) {
        return 0; /* without /proc nobody can know */
    }
    bool is_found = false;
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (read_bounds(line, &start, &end)) {
            is_found = address >= start && address < end;
        } else if (is_found && strncmp(line, "VmFlags:", 8) == 0) {
            rc = strstr(line, " me") != NULL ? 0 : -EACCES;
            break;
        }
    }
    (void)fclose(maps);
    if (rc == 0) {
        sim->source_start = start;
        sim->source_end = end;
    }
    return rc;
}

/* What all pages of one ADD_PAGES have in common, and some of their content. */
struct adding {
    uint64_t secinfo;
    bool is_measured;
    size_t copied; /* bytes in `content` */
    uint8_t content[COPY_PAGES * TF_PAGE];
};

/* EADD, EEXTEND. */
static int add_page(struct tf_sim *sim, const struct adding *adding, uint64_t offset,
                    uint8_t page[static TF_PAGE])
{
    struct sgx_tcs tcs;
    int rc = 0;

    if ((sim->epcm[offset / TF_PAGE] & TF_SIM_PAGE) != 0) {
        return -EBUSY; /* xa_insert */
    }
    if (adding->secinfo == SGX_SECINFO_TCS) {
        memcpy(&tcs, page, sizeof(tcs));
        if (!tf_sim_cpu_eadd_tcs(&tcs)) {
            return -EIO; /* EADD faulted */
        }
        memcpy(page, &tcs, sizeof(tcs));
        rc = tf_sim_thread_add(sim, offset, &tcs);
    } else if (!tf_sim_is_zero(page, TF_PAGE)) { /* zero it is */
        tf_sim_memory_fill(sim, offset, page);
    }
    if (rc != 0) {
        return rc;
    }
    tf_measure_eadd(&sim->measure, offset, adding->secinfo);
    if (adding->is_measured) {
        tf_measure_page(&sim->measure, offset, page);
    }
    sim->epcm[offset / TF_PAGE] |= (uint16_t)adding->secinfo;
    return 0;
}

/* Pages from `source` until one cannot be added. @param done  bytes that could. */
static int add_run(struct tf_sim *sim, const struct sgx_enclave_add_pages *given,
                   struct adding *adding, uint64_t *done)
{
    int rc = 0;

    while (rc == 0 && *done < given->length) {
        uint64_t at = *done % sizeof(adding->content);
        uint64_t left = given->length - *done;
        uint64_t source = given->src + *done;
        if (at == 0) {
            left = left < sizeof(adding->content) ? left : sizeof(adding->content);
            adding->copied = copy_some(adding->content, source, left);
            tf_sim_memory_expect(sim, given->offset + *done, adding->content,
                                 adding->copied);
        }
        rc = check_source(sim, source);
        if (rc == 0 && at + TF_PAGE > adding->copied) {
            rc = -EFAULT;
        }
        if (rc == 0) {
            rc = add_page(sim, adding, given->offset + *done, adding->content + at);
        }
        *done += rc == 0 ? (uint64_t)TF_PAGE : 0;
    }
    return rc;
}

static int fill_pages(struct tf_sim *sim, struct sgx_enclave_add_pages *given,
                      uint64_t secinfo)
{
    struct adding *adding = malloc(sizeof(*adding));
    uint64_t done = 0;

    if (adding == NULL) {
        return -ENOMEM;
    }
    adding->secinfo = secinfo;
    adding->is_measured = (given->flags & SGX_PAGE_MEASURE) != 0;
    int rc = tf_sim_memory_open(sim, given->offset, given->length);
    if (rc == 0) {
        rc = add_run(sim, given, adding, &done);
        tf_sim_memory_close(sim, given->offset, given->length);
    }
    given->count = done;
    free(adding);
    return rc;
}

static int add_pages(struct tf_sim *sim, void *argument)
{
    struct sgx_enclave_add_pages given;
    struct secinfo secinfo;

    if (sim->stage != TF_SIM_CREATED) {
        return -EINVAL;
    }
    if (!copy_in(&given, (uint64_t)(uintptr_t)argument, sizeof(given))) {
        return -EFAULT;
    }
    if (given.src % TF_PAGE != 0 || !is_range_good(sim, given.offset, given.length)) {
        return -EINVAL;
    }
    if (!copy_in(&secinfo, given.secinfo, sizeof(secinfo))) {
        return -EFAULT;
    }
    if (!is_secinfo_good(&secinfo)) {
        return -EINVAL;
    }
    if (given.src == 0) {
        return -EFAULT; /* page 0 is nobody's */
    }
    int rc = fill_pages(sim, &given, secinfo.flags);
    memcpy(argument, &given, sizeof(given));
    return rc;
}

/* --- INIT
 * -------------------------------------------------------------------------------- */

/* What the driver refuses before it asks the CPU. */
static int check_sigstruct(const struct tf_sim *sim, const struct sgx_sigstruct *sig)
{
    const struct tf_sim_cpu *cpu = &sim->machine.cpu;

    if (sig->vendor != 0 && sig->vendor != VENDOR_INTEL) {
        return -EINVAL;
    }
    if ((sim->secs.attributes.flags & ~unprivileged) != 0) {
        return -EACCES; /* PROVISIONKEY without /dev/sgx_provision, EINITTOKEN_KEY */
    }
    if ((sig->attributes.flags & sig->attribute_mask.flags & ~cpu->flags) != 0 ||
        (sig->miscselect & sig->miscmask & ~cpu->misc) != 0 ||
        (sig->attributes.xfrm & sig->attribute_mask.xfrm & ~cpu->xfrm) != 0) {
        return -EINVAL;
    }
    return 0;
}

static int einit(struct tf_sim *sim, const struct sgx_sigstruct *sig, uint32_t *code)
{
    struct tf_measure measured = sim->measure;

    tf_measure_take(&measured, sim->secs.mrenclave);
    *code = tf_sigstruct_einit(sig, &sim->secs);
    if (*code != SGX_SUCCESS) {
        return -EPERM;
    }
    /* Launch control: the driver has just written this very key's hash into
     * IA32_SGXLEPUBKEYHASH, so no token is asked for. */
    tf_sigstruct_mrsigner(sig, sim->secs.mrsigner);
    sim->secs.isv_prod_id = sig->isv_prod_id;
    sim->secs.isv_svn = sig->isv_svn;
    memcpy(sim->isv_family_id, sig->isv_family_id, sizeof(sim->isv_family_id));
    memcpy(sim->isv_ext_prod_id, sig->isv_ext_prod_id, sizeof(sim->isv_ext_prod_id));
    sim->secs.attributes.flags |= SGX_FLAGS_INIT;
    int rc = sim->is_strict ? 0 : tf_sim_patch(sim);
    sim->stage = rc == 0 ? TF_SIM_INITIALISED : sim->stage;
    return rc;
}

static int init(struct tf_sim *sim, const void *argument, uint32_t *code)
{
    struct sgx_enclave_init given;
    struct sgx_sigstruct sig;

    if (sim->stage != TF_SIM_CREATED) {
        return -EINVAL;
    }
    if (!copy_in(&given, (uint64_t)(uintptr_t)argument, sizeof(given)) ||
        !copy_in(&sig, given.sigstruct, sizeof(sig))) {
        return -EFAULT;
    }
    int rc = check_sigstruct(sim, &sig);
    return rc != 0 ? rc : einit(sim, &sig, code);
}

int tf_sim_ioctl(struct tf_sim *sim, unsigned long request, void *argument,
                 uint32_t *code)
{
    int rc = -ENOTTY;

    if (pthread_mutex_trylock(&sim->lock) != 0) {
        return -EBUSY;
    }
    if (request == SGX_IOC_ENCLAVE_CREATE) {
        rc = create(sim, argument);
    } else if (request == SGX_IOC_ENCLAVE_ADD_PAGES) {
        rc = add_pages(sim, argument);
    } else if (request == SGX_IOC_ENCLAVE_INIT) {
        rc = init(sim, argument, code);
    } else if (request == SGX_IOC_ENCLAVE_PROVISION) {
        rc = -EINVAL; /* this machine has no /dev/sgx_provision to have an fd of */
    }
    (void)pthread_mutex_unlock(&sim->lock);
    return rc;
}

/* --- mmap
 * -------------------------------------------------------------------------------- */

/* A TCS may be mapped readable and writable; the CPU denies the access. */
static bool is_allowed(uint64_t secinfo, int protection)
{
    int most = PROT_NONE;

    most |= (secinfo & SGX_SECINFO_R) != 0 ? PROT_READ : 0;
    most |= (secinfo & SGX_SECINFO_W) != 0 ? PROT_WRITE : 0;
    most |= (secinfo & SGX_SECINFO_X) != 0 ? PROT_EXEC : 0;
    most |= (secinfo & SGX_SECINFO_TCS) != 0 ? PROT_READ | PROT_WRITE : 0;
    return (protection & ~most) == 0;
}

/* The page tables, of which EENTER too is a user. */
static int note_mapping(struct tf_sim *sim, const struct tf_sim_map *map)
{
    if (sim->map_count == TF_SIM_MAPS_MAX) {
        return -ENOMEM;
    }
    sim->maps[sim->map_count++] = *map;
    if (tf_sim_memory_is_bare(sim, map->offset, map->size)) {
        return 0;
    }
    uint64_t end = map->offset + map->size;
    for (uint64_t page = map->offset / TF_PAGE; page < end / TF_PAGE; page++) {
        unsigned present = sim->epcm[page] & TF_SIM_PAGE;
        sim->epcm[page] =
            (uint16_t)(present != 0 ? present | map->access << TF_SIM_MAPPED : 0);
    }
    return 0;
}

static bool may_map(const struct tf_sim *sim, uint64_t offset, uint64_t size,
                    int protection)
{
    if (tf_sim_memory_is_bare(sim, offset, size)) {
        return true;
    }
    for (uint64_t at = offset; at < offset + size; at += TF_PAGE) {
        uint64_t secinfo = sim->epcm[at / TF_PAGE] & TF_SIM_PAGE;
        if (secinfo != 0 && !is_allowed(secinfo, protection)) {
            return false;
        }
    }
    return true;
}

static unsigned access_of(int protection)
{
    unsigned access = 0;

    access |= (protection & PROT_READ) != 0 ? (unsigned)SGX_SECINFO_R : 0;
    access |= (protection & PROT_WRITE) != 0 ? (unsigned)SGX_SECINFO_W : 0;
    access |= (protection & PROT_EXEC) != 0 ? (unsigned)SGX_SECINFO_X : 0;
    return access;
}

int tf_sim_mmap(struct tf_sim *sim, uint64_t address, uint64_t size, int protection,
                int flags)
{
    uint64_t offset = address - sim->secs.base;

    if ((flags & MAP_TYPE) == MAP_PRIVATE || address % TF_PAGE != 0 || size == 0 ||
        size % TF_PAGE != 0) {
        return -EINVAL;
    }
    if (sim->stage == TF_SIM_OPENED || size > sim->secs.size ||
        offset > sim->secs.size - size) {
        return -EACCES; /* outside ELRANGE */
    }
    if ((personality(UINT32_MAX) & READ_IMPLIES_EXEC) != 0) {
        return -EACCES;
    }
    /* Ours, as SELinux would: nothing is both. */
    if ((protection & PROT_WRITE) != 0 && (protection & PROT_EXEC) != 0) {
        return -EACCES;
    }
    if (!may_map(sim, offset, size, protection)) {
        return -EACCES;
    }
    const struct tf_sim_map map = {offset, size, access_of(protection)};
    int rc = note_mapping(sim, &map);
    return rc != 0 ? rc : tf_sim_memory_map(sim, offset, size, protection);
}
