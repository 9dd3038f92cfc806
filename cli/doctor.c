/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.c - the verb `doctor`: what this machine lacks to run enclaves on SGX hardware,
 * with the fix of each. With --root DIR files are looked up below DIR, and CPUID is read
 * from DIR/cpuid if that is there (lines `LEAF SUBLEAF EAX EBX ECX EDX` in hex): so that
 * machines at hand elsewhere, and tests, can be looked at.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "abi/layout.h"
#include "cli/cli.h"
#include "cli/doctor.h"
#include "lib/cpu_sgx.h"
#include "lib/json.h"

enum {
    FOUND_MAX = 160,
    TEXT_MAX = 16 << 10,
    CPUID_LINES_MAX = 64,
    NODES_MAX = 64,
    HWCAP2_FSGSBASE = 1 << 1,
    MIB = 1 << 20
};

enum status { OK, MISSING, UNKNOWN };
static const char *const status_names[] = {"ok", "missing", "unknown"};

struct cpuid_file {
    uint32_t lines[CPUID_LINES_MAX][6];
    size_t count;
};

struct doctor {
    const char *root; /* "" for this machine */
    struct tf_cpu_sgx cpu;
    struct cpuid_file cpuid;
    bool is_json;
    struct tf_json_writer json;
    unsigned missing;
    char found[FOUND_MAX]; /* by the check that runs */
};

static enum status found(struct doctor *d, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status found(struct doctor *d, enum status status, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(d->found, sizeof(d->found), format, list);
    va_end(list);
    return status;
}

static void path_of(const struct doctor *d, const char *path, char out[static PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s%s", d->root, path);
}

/* The first line of a file. @return whether there is one. */
static bool read_line(const struct doctor *d, const char *name, char *out, int size)
{
    char path[PATH_MAX];

    path_of(d, name, path);
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(out, size, file) != NULL;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (is_read) {
        out[strcspn(out, "\n")] = '\0';
    }
    return is_read;
}

/* --- the CPU
 * -----------------------------------------------------------------------------
 */

static bool cpuid_of_file(void *user, uint32_t leaf, uint32_t sub, uint32_t out[static 4])
{
    const struct cpuid_file *file = user;

    for (size_t i = 0; i < file->count; i++) {
        if (file->lines[i][0] == leaf && file->lines[i][1] == sub) {
            memcpy(out, &file->lines[i][2], 4 * sizeof(*out));
            return true;
        }
    }
    return false;
}

static void read_cpu(struct doctor *d)
{
    char path[PATH_MAX];
    char line[FOUND_MAX];

    path_of(d, "/cpuid", path);
    FILE *file = d->root[0] != '\0' ? fopen(path, "re") : NULL;
    if (file == NULL) {
        tf_cpu_sgx_read(&d->cpu, tf_cpuid_own, NULL);
        return;
    }
    while (d->cpuid.count < CPUID_LINES_MAX && fgets(line, sizeof(line), file) != NULL) {
        uint32_t *words = d->cpuid.lines[d->cpuid.count];
        char *at = line;
        for (size_t i = 0; i < 6; i++) {
            words[i] = (uint32_t)strtoul(at, &at, 16);
        }
        d->cpuid.count++;
    }
    (void)fclose(file);
    tf_cpu_sgx_read(&d->cpu, cpuid_of_file, &d->cpuid);
}

static enum status check_cpu(struct doctor *d)
{
    return d->cpu.has_sgx
               ? found(d, OK, "%s, with SGX", d->cpu.vendor)
               : found(d, MISSING, "%s: CPUID.7.0:EBX bit 2 is 0", d->cpu.vendor);
}

static enum status check_bios(struct doctor *d)
{
    if (!d->cpu.has_sgx) {
        return found(d, UNKNOWN, "no SGX to switch on");
    }
    return d->cpu.is_enabled ? found(d, OK, "switched on")
                             : found(d, MISSING, "off: CPUID.12H.0:EAX bit 0 is 0");
}

/* For what only a CPU with SGX switched on tells. */
static enum status check_feature(struct doctor *d, bool has_it, const char *where)
{
    if (!d->cpu.is_enabled) {
        return found(d, UNKNOWN, "SGX is not there or not switched on");
    }
    return has_it ? found(d, OK, "yes") : found(d, MISSING, "no: %s is 0", where);
}

static enum status check_flc(struct doctor *d)
{
    return check_feature(d, d->cpu.has_flc, "CPUID.7.0:ECX bit 30");
}

static enum status check_kss(struct doctor *d)
{
    return check_feature(d, d->cpu.has_kss, "CPUID.12H.1:EAX bit 7");
}

static enum status check_xfrm(struct doctor *d)
{
    return check_feature(d, (d->cpu.xfrm & TF_XFRM) == TF_XFRM,
                         "XFRM 7 of CPUID.12H.1:ECX");
}

static enum status check_sgx2(struct doctor *d)
{
    return check_feature(d, d->cpu.has_sgx2, "CPUID.12H.0:EAX bit 1");
}

static enum status check_instructions(struct doctor *d)
{
    static const char *const names[] = {"AES-NI", "PCLMULQDQ", "AVX",    "AVX2",
                                        "BMI2",   "ADX",       "RDRAND", "RDSEED"};
    char list[FOUND_MAX] = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((d->cpu.missing >> i & 1) != 0) {
            (void)strncat(list, " ", sizeof(list) - strlen(list) - 1);
            (void)strncat(list, names[i], sizeof(list) - strlen(list) - 1);
        }
    }
    return d->cpu.missing == 0
               ? found(d, OK, "AES-NI PCLMULQDQ AVX AVX2 BMI2 ADX RDRAND RDSEED")
               : found(d, MISSING, "no%s", list);
}

/* --- the kernel
 * --------------------------------------------------------------------------
 */

static enum status check_kernel(struct doctor *d)
{
    char release[FOUND_MAX];

    if (!read_line(d, "/proc/sys/kernel/osrelease", release, sizeof(release))) {
        return found(d, UNKNOWN, "no /proc/sys/kernel/osrelease");
    }
    unsigned long major = strtoul(release, NULL, 10);
    return found(d, major >= 6 ? OK : MISSING, "%s", release);
}

static enum status check_config(struct doctor *d)
{
    char release[FOUND_MAX] = "";
    char path[PATH_MAX];
    char value[32];

    (void)read_line(d, "/proc/sys/kernel/osrelease", release, sizeof(release));
    (void)snprintf(path, sizeof(path), "%s/boot/config-%s", d->root, release);
    enum tf_doctor_config config =
        tf_doctor_config_read(path, "CONFIG_X86_SGX", value, sizeof(value));
    if (config == TF_CONFIG_UNREADABLE) {
        path_of(d, "/proc/config.gz", path);
        config = tf_doctor_config_read(path, "CONFIG_X86_SGX", value, sizeof(value));
    }
    switch (config) {
    case TF_CONFIG_SET:
        return found(d, OK, "CONFIG_X86_SGX=%s in %.100s", value, path);
    case TF_CONFIG_UNSET:
        return found(d, MISSING, "CONFIG_X86_SGX is not set in %.100s", path);
    case TF_CONFIG_UNREADABLE:
    default:
        return found(d, UNKNOWN, "neither /boot/config-%.80s nor /proc/config.gz",
                     release);
    }
}

static enum status check_cmdline(struct doctor *d)
{
    char line[4096];

    if (!read_line(d, "/proc/cmdline", line, sizeof(line))) {
        return found(d, UNKNOWN, "no /proc/cmdline");
    }
    for (const char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        if (strcmp(word, "nosgx") == 0) {
            return found(d, MISSING, "nosgx is on it");
        }
    }
    return found(d, OK, "no nosgx on it");
}

static enum status check_fsgsbase(struct doctor *d)
{
    return (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0
               ? found(d, OK, "usable (only the simulator needs it)")
               : found(d, MISSING, "not usable (only the simulator needs it)");
}

/* --- devices
 * -----------------------------------------------------------------------------
 */

static enum status check_node(struct doctor *d, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    path_of(d, name, path);
    if (stat(path, &st) != 0) {
        return found(d, MISSING, "%s", strerror(errno));
    }
    if (!S_ISCHR(st.st_mode)) {
        return found(d, MISSING, "it is no device");
    }
    return found(d, OK, "mode %04o, group %u", st.st_mode & 07777, st.st_gid);
}

static enum status check_device(struct doctor *d)
{
    return check_node(d, "/dev/sgx_enclave");
}

static enum status check_access(struct doctor *d)
{
    char path[PATH_MAX];

    path_of(d, "/dev/sgx_enclave", path);
    if (access(path, F_OK) != 0) {
        return found(d, UNKNOWN, "no device to open");
    }
    return access(path, R_OK | W_OK) == 0
               ? found(d, OK, "this user may open it")
               : found(d, MISSING, "this user may not open it: %s", strerror(errno));
}

static enum status check_noexec(struct doctor *d)
{
    char path[PATH_MAX];
    struct statvfs st;

    path_of(d, "/dev", path);
    if (statvfs(path, &st) != 0) {
        return found(d, UNKNOWN, "%s: %s", path, strerror(errno));
    }
    return (st.f_flag & ST_NOEXEC) == 0
               ? found(d, OK, "/dev allows executable mappings")
               : found(d, MISSING, "/dev is mounted noexec: mmap with PROT_EXEC fails");
}

/* Whether this process is in the group. */
static bool is_member(unsigned long gid)
{
    gid_t groups[NGROUPS_MAX / 256];
    int count = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);

    for (int i = 0; i < count; i++) {
        if (groups[i] == gid) {
            return true;
        }
    }
    return getegid() == gid || geteuid() == 0;
}

static enum status check_group(struct doctor *d)
{
    char path[PATH_MAX];
    char line[1024];
    unsigned long gid = ULONG_MAX;

    path_of(d, "/etc/group", path);
    FILE *file = fopen(path, "re");
    while (file != NULL && gid == ULONG_MAX && fgets(line, sizeof(line), file) != NULL) {
        const char *number = strncmp(line, "sgx:", 4) == 0 ? strchr(line + 4, ':') : NULL;
        gid = number != NULL ? strtoul(number + 1, NULL, 10) : gid;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (gid == ULONG_MAX) {
        return found(d, MISSING, "there is no group sgx");
    }
    return is_member(gid)
               ? found(d, OK, "sgx is %lu, and this user is in it or root", gid)
               : found(d, MISSING, "sgx is %lu, and this user is not in it", gid);
}

static enum status check_epc(struct doctor *d)
{
    char name[96];
    char line[FOUND_MAX];
    uint64_t bytes = 0;

    for (unsigned node = 0; node < NODES_MAX; node++) {
        (void)snprintf(name, sizeof(name),
                       "/sys/devices/system/node/node%u/x86/sgx_total_bytes", node);
        bytes += read_line(d, name, line, sizeof(line)) ? strtoull(line, NULL, 10) : 0;
    }
    if (bytes == 0) { /* sysfs has it since 5.17 */
        bytes = d->cpu.epc_bytes;
    }
    return bytes == 0 ? found(d, MISSING, "none")
                      : found(d, OK, "%llu MiB", (unsigned long long)(bytes / MIB));
}

/* --- quotes
 * ------------------------------------------------------------------------------
 */

static enum status check_provision(struct doctor *d)
{
    return check_node(d, "/dev/sgx_provision");
}

static enum status check_aesm(struct doctor *d)
{
    static const char name[] = "/var/run/aesmd/aesm.socket";
    char path[PATH_MAX];
    struct stat st;

    path_of(d, name, path);
    if (stat(path, &st) != 0) {
        return found(d, MISSING, "%s: %s", name, strerror(errno));
    }
    if (!S_ISSOCK(st.st_mode)) {
        return found(d, MISSING, "%s is no socket", name);
    }
    return access(path, W_OK) == 0 ? found(d, OK, "%s", name)
                                   : found(d, MISSING, "%s: %s", name, strerror(errno));
}

static const struct {
    const char *id;
    enum status (*check)(struct doctor *d);
    const char *what;
    const char *fix;
} checks[] = {
    {"cpu-sgx", check_cpu, "a CPU with SGX",
     "use a server with an Intel Xeon of the 3rd generation (Ice Lake-SP) or later, or a "
     "cloud instance that passes SGX on (Azure DCsv3)"},
    {"bios", check_bios, "SGX switched on in the BIOS",
     "BIOS setup: Software Guard Extensions: Enabled, and a PRMRR size; on servers also "
     "memory in its 1:1 layout and TME on; in a virtual machine: EPC from the "
     "hypervisor"},
    {"cpu-flc", check_flc, "flexible launch control",
     "BIOS setup: SGX Launch Control: Unlocked; CPUs before Ice Lake-SP may not have it, "
     "and Linux has no driver for them"},
    {"cpu-kss", check_kss, "key separation and sharing (CONFIGID)",
     "a CPU since Ice Lake-SP; with it: current BIOS and microcode"},
    {"cpu-xfrm", check_xfrm, "AVX inside enclaves",
     "a hypervisor masks AVX: give the guest the host's CPU model"},
    {"cpu-instructions", check_instructions, "instructions that images use",
     "a CPU since Broadwell (2014); a hypervisor may mask them: give the guest the "
     "host's "
     "CPU model"},
    {"cpu-sgx2", check_sgx2, "SGX2 (EDMM): memory that comes when it is used",
     "a CPU since Ice Lake-SP; with it: current BIOS and microcode; a hypervisor may "
     "mask "
     "it: give the guest the host's CPU model"},
    {"epc", check_epc, "enclave memory (EPC)",
     "BIOS setup: a larger PRMRR size; a worker takes what its lambdas use, from 8 MiB "
     "on"},
    {"kernel", check_kernel, "Linux 6.0 or later",
     "install a newer kernel: Debian 12 has 6.1"},
    {"kernel-config", check_config, "a kernel with CONFIG_X86_SGX",
     "use the distribution's kernel (Debian 12 has it on), or build one with "
     "CONFIG_X86_SGX=y"},
    {"kernel-cmdline", check_cmdline, "a command line that leaves SGX on",
     "take nosgx off the kernel's command line (/etc/default/grub, then update-grub)"},
    {"fsgsbase", check_fsgsbase, "FSGSBASE for programs",
     "a CPU since Ivy Bridge, Linux 5.9 or later, no nofsgsbase on its command line"},
    {"device", check_device, "/dev/sgx_enclave",
     "once CPU, BIOS and kernel are right it appears by itself; `dmesg | grep -i sgx` "
     "says "
     "why not; a container needs --device /dev/sgx_enclave"},
    {"device-access", check_access, "access to /dev/sgx_enclave",
     "adduser USER sgx, and log in again; without such a group: a udev rule "
     "KERNEL==\"sgx_enclave\", GROUP=\"sgx\", MODE=\"0660\""},
    {"group", check_group, "group sgx, and this user in it",
     "addgroup --system sgx; adduser USER sgx; then log in again"},
    {"dev-exec", check_noexec, "/dev without noexec", "mount -o remount,exec /dev"},
    {"provision", check_provision, "/dev/sgx_provision (for Intel's quoting enclaves)",
     "as the device; give group sgx_prv, in which aesmd is, access to it"},
    {"aesm", check_aesm, "AESM, which asks for quotes",
     "install Intel's sgx-aesm-service with libsgx-aesm-ecdsa-plugin and a PCCS; start "
     "aesmd"},
};

static void show(struct doctor *d, size_t i, enum status status)
{
    const char *fix = status == OK ? "" : checks[i].fix;

    if (d->is_json) {
        tf_json_open_object(&d->json, NULL);
        tf_json_put_string(&d->json, "id", checks[i].id);
        tf_json_put_string(&d->json, "what", checks[i].what);
        tf_json_put_string(&d->json, "status", status_names[status]);
        tf_json_put_string(&d->json, "found", d->found);
        tf_json_put_string(&d->json, "fix", fix);
        tf_json_close_object(&d->json);
        return;
    }
    (void)printf("%-8s %-16s %s: %s\n", status_names[status], checks[i].id,
                 checks[i].what, d->found);
    if (status == MISSING) {
        (void)printf("%25s fix: %s\n", "", fix);
    }
}

static void run(struct doctor *d)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        d->found[0] = '\0';
        enum status status = checks[i].check(d);
        d->missing += status != OK;
        show(d, i, status);
    }
}

static int finish(struct doctor *d, const char *text)
{
    size_t size = 0;

    if (!d->is_json) {
        (void)printf(
            d->missing == 0
                ? "\nAll there: this machine can run enclaves on SGX hardware.\n"
                : "\n%u missing or unknown: SGX hardware is of no use here yet. The "
                  "simulator needs none of it but FSGSBASE.\n",
            d->missing);
        return d->missing == 0 ? TF_EXIT_OK : TF_EXIT_REFUSED;
    }
    tf_json_close_array(&d->json);
    tf_json_put_boolean(&d->json, "ready", d->missing == 0);
    tf_json_close_object(&d->json);
    if (tf_json_take(&d->json, &size) != TF_OK) {
        return tf_report(TF_EINTERNAL, "JSON");
    }
    (void)printf("%.*s\n", (int)size, text);
    return d->missing == 0 ? TF_EXIT_OK : TF_EXIT_REFUSED;
}

int tf_cmd_doctor(int argc, char **argv)
{
    static char text[TEXT_MAX];
    static struct doctor d;
    const char *root = "";
    const struct tf_option options[] = {
        TF_FLAG("json", &d.is_json), TF_TEXT("root", &root), {0}};

    if (!tf_options(argc, argv, options, NULL, 0)) {
        return TF_EXIT_USAGE;
    }
    d.root = root;
    read_cpu(&d);
    if (d.is_json) {
        tf_json_writer_init(&d.json, text, sizeof(text));
        tf_json_open_object(&d.json, NULL);
        tf_json_open_array(&d.json, "checks");
    }
    run(&d);
    return finish(&d, text);
}
