/* SPDX-License-Identifier: Apache-2.0 */
/* sgx_why.c - why an enclave cannot be made on this machine, in words. */
#include <asm/sgx.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/sgx.h"
#include "lib/cpu_sgx.h"

static unsigned say(FILE *out, const char *what)
{
    (void)fprintf(out, "tfaas-worker: no SGX here: %s\n", what);
    return 1;
}

static unsigned missing_cpu(FILE *out)
{
    struct tf_cpu_sgx cpu;
    char line[256];

    tf_cpu_sgx_read(&cpu, tf_cpuid_own, NULL);
    if (!cpu.has_sgx) {
        (void)snprintf(line, sizeof(line),
                       "this CPU (%s) has no SGX: CPUID.7.0:EBX bit 2 is 0", cpu.vendor);
        return say(out, line);
    }
    if (!cpu.is_enabled) {
        return say(out, "the BIOS leaves SGX off: CPUID.12H.0:EAX bit 0 is 0");
    }
    unsigned count = 0;
    if (!cpu.has_flc) {
        count += say(out, "no flexible launch control: CPUID.7.0:ECX bit 30 is 0");
    }
    if (!cpu.has_kss) {
        count += say(out, "no KSS, so no CONFIGID: CPUID.12H.1:EAX bit 7 is 0");
    }
    if (!cpu.has_sgx2) {
        count += say(out, "no SGX2, so no EACCEPT: CPUID.12H.0:EAX bit 1 is 0");
    }
    if ((cpu.xfrm & TF_XFRM) != TF_XFRM) {
        count += say(out, "enclaves may not use AVX: CPUID.12H.1:ECX lacks XFRM 7");
    }
    return count;
}

static unsigned missing_kernel(FILE *out)
{
    char line[256];
    struct utsname name;

    if (uname(&name) != 0) {
        name.release[0] = '\0';
    }
    if (tf_sgx_linux.entry(&tf_sgx_linux) != NULL) {
        if (strtoul(name.release, NULL, 10) >= 6) {
            return 0;
        }
        (void)snprintf(line, sizeof(line),
                       "the driver of this kernel (%.64s) adds no memory to a running "
                       "enclave: it is older than 6.0",
                       name.release);
        return say(out, line);
    }
    (void)snprintf(line, sizeof(line),
                   "the vDSO of this kernel (%.64s) has no __vdso_sgx_enter_enclave: it "
                   "is older than 6.0 or built without CONFIG_X86_SGX",
                   name.release);
    return say(out, line);
}

static unsigned missing_device(FILE *out)
{
    char line[256];

    int fd = open("/dev/sgx_enclave", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
        return 0;
    }
    (void)snprintf(line, sizeof(line), "/dev/sgx_enclave: %s%s", strerror(errno),
                   errno == EACCES ? ": this user is not in its group (sgx)" : "");
    return say(out, line);
}

unsigned tf_sgx_missing(FILE *out)
{
    unsigned count = missing_cpu(out) + missing_kernel(out) + missing_device(out);

    if (count != 0) {
        (void)fprintf(out, "tfaas-worker: `tfaas doctor` says how to fix each\n");
    }
    return count;
}

struct hint {
    unsigned long request; /* 0: mmap */
    int error;
    const char *text;
};

/* As the driver and EINIT mean them (arch/x86/kernel/cpu/sgx/ioctl.c, encl.c). */
static const struct hint hints[] = {
    {SGX_IOC_ENCLAVE_CREATE, EINVAL,
     "SECS.SIZE is no power of two, or this descriptor has an enclave already"},
    {SGX_IOC_ENCLAVE_CREATE, EIO,
     "ECREATE faulted: the CPU does not support the image's size, ATTRIBUTES (KSS), XFRM "
     "or MISCSELECT"},
    {SGX_IOC_ENCLAVE_CREATE, ENOMEM, "no EPC or memory left"},
    {SGX_IOC_ENCLAVE_ADD_PAGES, ENOMEM,
     "the EPC is full: fewer enclaves or threads, or a larger PRMRR in the BIOS"},
    {SGX_IOC_ENCLAVE_ADD_PAGES, EACCES,
     "the source pages may not be executed: a noexec mount"},
    {SGX_IOC_ENCLAVE_ADD_PAGES, EIO,
     "EADD or EEXTEND faulted: the EPC was lost (suspend or migration); start again"},
    {SGX_IOC_ENCLAVE_ADD_PAGES, EPROTO, "the driver's count makes no sense"},
    {SGX_IOC_ENCLAVE_ADD_PAGES, EINTR, "interrupted again and again"},
    {SGX_IOC_ENCLAVE_INIT, EACCES,
     "an attribute needs /dev/sgx_provision (PROVISIONKEY); the image should not ask"},
    {SGX_IOC_ENCLAVE_INIT, EINVAL,
     "the SIGSTRUCT insists on ATTRIBUTES, XFRM or MISCSELECT that the CPU lacks, or its "
     "VENDOR is unknown"},
    {SGX_IOC_ENCLAVE_INIT, EPERM,
     "EINIT refuses although the SIGSTRUCT is sound: launch control is locked to "
     "another signer"},
    {SGX_IOC_ENCLAVE_INIT, EIO, "EINIT faulted: the EPC was lost; start again"},
    {SGX_IOC_ENCLAVE_INIT, EINTR, "interrupted again and again"},
    {0, EACCES,
     "more than EADD allowed, or a READ_IMPLIES_EXEC personality (setarch -X)"},
    {0, EPERM, "/dev is mounted noexec: mount -o remount,exec /dev"},
    {0, ENOMEM, "no address space, or over a limit (ulimit -v, vm.max_map_count)"},
};

const char *tf_sgx_hint(unsigned long request, int error)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (hints[i].request == request && hints[i].error == error) {
            return hints[i].text;
        }
    }
    return error == EBUSY ? "another call on this enclave is under way" : "";
}
