/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boundary_trace.c - a short life of the core, to be run under valgrind: start, a bundle,
 * a grant over a management connection, a request, the end of its connection. Linked with
 * the enclave's own boundary.c (test/attack/boundary_test.sh).
 *
 *   boundary_trace record FILE   lives it, with a TLS client, and keeps what the host put
 * in boundary_trace replay FILE   the core alone, with the same input; this one is
 * watched boundary_trace plant NAME...   only planted mistakes, each as an entry of its
 * own
 *
 * Under memcheck a write of bytes that nobody wrote is counted; exit status 1 if there is
 * one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <valgrind/memcheck.h>

#include "enclave/core.h"
#include "enclave/fiber.h"
#include "enclave/layout.h"
#include "enclave/ring.h"
#include "test/native/native.h"
#include "test/native/rig.h"
#include "test/trace/window.h"

enum { SECOND = 1000000000, SLOT = 512 << 10 };

/* The process's first page, where the ELF header is, is the enclave. */
const struct tf_layout tf_layout = {.elrange = TF_PAGE};

tf_err __real_tf_host_write(tf_hostptr dst, const void *src, size_t size);
tf_err __wrap_tf_host_write(tf_hostptr dst, const void *src, size_t size);
struct tf_core_exit __real_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now);
struct tf_core_exit __wrap_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now);
void __real_tf_fiber_wipe(struct tf_fiber *fiber);
void __wrap_tf_fiber_wipe(struct tf_fiber *fiber);

/* What the host put in before an entry, and how far the core's output had come after it.
 * Clients cost far more instructions than the core, so they are not there when it is
 * watched: the core, whose randomness is repeatable here, gets their bytes from a file.
 */
struct entry {
    uint64_t now;
    uint64_t from; /* positions in the in ring */
    uint64_t to;
    uint64_t out;
};

static unsigned undefined_writes;
static struct tf_channel *host; /* the host's mapping */
static FILE *record;            /* NULL: no entry is recorded */

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static void *in_window(uint64_t offset)
{
    return (void *)(uintptr_t)(TF_WINDOW + offset);
}

struct tf_channel *rig_channel_make(void)
{
    int fd = memfd_create("channel", 0);
    if (fd < 0 || ftruncate(fd, TF_WINDOW_SIZE) != 0) {
        fail("memfd_create");
    }
    void *own = mmap(NULL, TF_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *window = mmap(in_window(0), TF_WINDOW_SIZE, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    if (own == MAP_FAILED || window != in_window(0)) {
        fail("mmap");
    }
    (void)close(fd);
    host = own;
    return host;
}

tf_err __wrap_tf_host_write(tf_hostptr dst, const void *src, size_t size)
{
    if (VALGRIND_CHECK_MEM_IS_DEFINED(src, size) != 0) {
        undefined_writes++;
    }
    return __real_tf_host_write(dst, src, size);
}

/* What a stack has popped is no memory to memcheck, and may be wiped even so. */
void __wrap_tf_fiber_wipe(struct tf_fiber *fiber)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(fiber->stack, fiber->size);
    __real_tf_fiber_wipe(fiber);
}

/* --- recording and replaying
 * ------------------------------------------------------------
 */

static void keep(const void *bytes, size_t size)
{
    if (record != NULL && fwrite(bytes, size, 1, record) != 1) {
        fail("record");
    }
}

static uint8_t *input(uint64_t position)
{
    return &host->in.data[position % TF_RING_SIZE];
}

/* The entry: marked in the trace, with the channel where the window is. */
struct tf_core_exit __wrap_tf_core_enter(struct tf_thread_page *page, tf_hostptr channel,
                                         uint64_t now)
{
    struct entry entry = {.now = now, .from = host->in.tail, .to = host->in.head};

    (void)channel;
    tf_native_cpu.is_repeatable = true;
    if (page->state == 0) {
        page->slot_size = SLOT; /* less to zero, which is most of the work */
        keep(tf_native_cpu.config_id, sizeof(tf_native_cpu.config_id));
    }
    *(volatile uint64_t *)in_window(TF_WINDOW_MARK) = now;
    struct tf_core_exit done =
        __real_tf_core_enter(page, tf_host_pointer(TF_WINDOW), now);
    entry.out = host->out.head;
    keep(&entry, sizeof(entry));
    for (uint64_t i = entry.from; i < entry.to; i++) {
        keep(input(i), 1);
    }
    return done;
}

static void live(const char *path)
{
    record = fopen(path, "w");
    if (record == NULL) {
        fail(path);
    }
    struct rig *rig = rig_open();
    rig_serve_hello(rig);
    struct rig_client *client = rig_connect(rig, 0, "hello.example");
    char *text = rig_ask(rig, client,
                         "POST /a HTTP/1.1\r\nHost: hello.example\r\n"
                         "Content-Length: 5\r\n\r\nhello");
    if (strncmp(text, "HTTP/1.1 200 OK\r\n", 17) != 0) {
        (void)fprintf(stderr, "boundary_trace: %s\n", text);
        exit(2);
    }
    free(text);
    rig_hang_up(rig, client);
    (void)rig_put(rig, 0, TF_MSG_STATS, 1, NULL, 0);
    (void)rig_enter(rig, 0);
    rig_close(rig);
    if (fclose(record) != 0) {
        fail(path);
    }
}

static void replay_entry(struct rig *rig, const struct entry *entry, FILE *file)
{
    for (uint64_t i = entry->from; i < entry->to; i++) {
        if (fread(input(i), 1, 1, file) != 1) {
            fail("replay");
        }
    }
    host->in.head = entry->to;
    host->out.tail = host->out.head;
    rig->now = entry->now / SECOND;
    if (rig_enter(rig, 0).exit == TF_EXIT_DEAD || host->out.head != entry->out) {
        (void)fprintf(stderr, "boundary_trace: the replay went another way\n");
        exit(2);
    }
}

/* A thread that was made and has not been entered. */
static struct rig *new_thread(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    if (rig == NULL) {
        fail("calloc");
    }
    tf_native_cpu = (struct tf_native_cpu){.isv_svn = 1, .cpu_svn = 1};
    rig_thread_make(rig, 0);
    rig->threads[0].is_stuck = true; /* nobody reads what comes out */
    return rig;
}

static void replay(const char *path)
{
    struct rig *rig = new_thread();
    FILE *file = fopen(path, "r");
    struct entry entry;

    if (file == NULL ||
        fread(tf_native_cpu.config_id, sizeof(tf_native_cpu.config_id), 1, file) != 1) {
        fail(path);
    }
    while (fread(&entry, sizeof(entry), 1, file) == 1) {
        replay_entry(rig, &entry, file);
    }
    (void)fclose(file);
    free(rig);
}

/* --- planted ---------------------------------------------------------------------------
 */

static void store_a_byte(void)
{
    *(volatile uint8_t *)in_window(offsetof(struct tf_channel, out.data)) = 1;
}

static void copy_misaligned(void)
{
    volatile uint64_t *from = in_window(offsetof(struct tf_channel, in.data) + 4);
    (void)*from;
}

/* Within one entry, the same word of a frame: as if its size was checked and read again.
 */
static void fetch_twice(void)
{
    uint64_t word;

    for (int i = 0; i < 2; i++) {
        if (tf_host_read(&word,
                         tf_host_at(tf_host_pointer(TF_WINDOW),
                                    offsetof(struct tf_channel, in.data)),
                         sizeof(word)) != TF_OK) {
            exit(2);
        }
    }
}

/* An index, polled without doing anything in between. */
static void poll_index(void)
{
    for (int i = 0; i < 2; i++) {
        uint64_t head;
        if (tf_host_read(&head, tf_host_pointer(TF_WINDOW), sizeof(head)) != TF_OK) {
            exit(2);
        }
    }
}

/* A structure with a hole of seven bytes, filled member by member. */
static void leak_padding(void)
{
    struct padded {
        uint64_t number;
        uint8_t flag;
    };
    struct padded *padded = malloc(sizeof(*padded));
    struct tf_ring_writer writer = {
        .ring = tf_host_at(tf_host_pointer(TF_WINDOW), offsetof(struct tf_channel, out))};

    padded->number = 1;
    padded->flag = 1;
    if (tf_ring_put(&writer, TF_MSG_RESULT, 1, tf_part(padded, sizeof(*padded)),
                    tf_part("", 0)) != TF_OK) {
        exit(2);
    }
    free(padded);
}

static void plant(const char *name)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } samples[] = {{"byte", store_a_byte},
                   {"misaligned", copy_misaligned},
                   {"twice", fetch_twice},
                   {"poll", poll_index},
                   {"padding", leak_padding}};

    *(volatile uint64_t *)in_window(TF_WINDOW_MARK) = 0;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (strcmp(name, samples[i].name) == 0) {
            samples[i].run();
            return;
        }
    }
    (void)fprintf(stderr, "boundary_trace: no sample %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "record") == 0) {
        live(argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "replay") == 0) {
        replay(argv[2]);
    } else if (argc >= 3 && strcmp(argv[1], "plant") == 0) {
        free(new_thread());
        for (int i = 2; i < argc; i++) {
            plant(argv[i]);
        }
    } else {
        (void)fprintf(stderr,
                      "usage: boundary_trace record|replay FILE | plant NAME...\n");
        return 2;
    }
    (void)fprintf(stderr, "boundary_trace: %u writes of undefined bytes\n",
                  undefined_writes);
    return undefined_writes != 0;
}
