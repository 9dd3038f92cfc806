/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_illegal.c - instructions that raise #UD in an enclave but run outside of one, and
 * so here (SDM vol. 3D, "Illegal Instructions"); looked at before each one when tests
 * step. What traps by itself without privileges is left to the processor.
 */
#include "host/sim.h"

enum {
    REX = 0x40,
    EVEX = 0x62,
    TWO_BYTES = 0x0f,
    GROUP_5 = 0xff, /* CALL far, JMP far */
    GROUP_6 = 0x00, /* after 0F: SLDT, STR */
    GROUP_7 = 0x01, /* after 0F: SGDT, SIDT, SMSW, VMCALL and others without operands */
    RDTSC = 0x31,
    RDTSCP = 0xf9, /* of group 7 */
    XFRM_AVX512 = 0xe0
};

static bool is_one_of(uint8_t byte, const char *set, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (byte == (uint8_t)set[i]) {
            return true;
        }
    }
    return false;
}
#define IN(byte, set) is_one_of((byte), (set), sizeof(set) - 1)

static bool is_group_7(uint8_t modrm, bool has_sgx2)
{
    unsigned which = modrm >> 3 & 7;
    bool is_memory = modrm >> 6 != 3;

    if (modrm == RDTSCP) {
        return !has_sgx2;
    }
    /* SGDT, SIDT; SMSW; VMCALL, VMFUNC, VMMCALL */
    return (is_memory && which < 2) || which == 4 || IN(modrm, "\xc1\xd4\xd9");
}

static bool is_two_bytes(const uint8_t code[static 2], bool has_sgx2)
{
    switch (code[0]) {
    case RDTSC:
        return !has_sgx2;
    case GROUP_6:
        return (code[1] >> 3 & 7) < 2;
    case GROUP_7:
        return is_group_7(code[1], has_sgx2);
    default:
        /* SYSCALL, RDPMC, SYSENTER, GETSEC, POP FS, CPUID, POP GS, LSS, LFS, LGS */
        return IN(code[0], "\x05\x33\x34\x37\xa1\xa2\xa9\xb2\xb4\xb5");
    }
}

bool tf_sim_is_illegal(const struct tf_sim *sim,
                       const uint8_t code[static TF_SIM_INSTRUCTION])
{
    size_t at = 0;

    while (at < TF_SIM_INSTRUCTION - 4 &&
           IN(code[at], "\x66\x67\xf2\xf3\xf0\x2e\x36\x3e\x26\x64\x65")) {
        at++;
    }
    at += (code[at] & 0xf0) == REX ? 1 : 0;
    switch (code[at]) {
    case EVEX:
        return (sim->secs.attributes.xfrm & XFRM_AVX512) == 0;
    case TWO_BYTES:
        return is_two_bytes(code + at + 1, sim->machine.cpu.has_sgx2);
    case GROUP_5:
        return (code[at + 1] >> 3 & 7) == 3 || (code[at + 1] >> 3 & 7) == 5;
    default:
        /* INS, OUTS, MOV to a segment register, RETF, INT, IRET, IN, OUT */
        return IN(code[at], "\x6c\x6d\x6e\x6f\x8e\xca\xcb\xcd\xcf"
                            "\xe4\xe5\xe6\xe7\xec\xed\xee\xef");
    }
}
