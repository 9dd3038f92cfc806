/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_offsets.h - offsets into the simulator's structs for host/sim_gate.S. Preprocessor
 * constants because the assembler reads them; host/sim_thread.c asserts each.
 */
#pragma once

#define T_FS_BASE  0
#define T_GS_BASE  8
#define T_OENTRY   16
#define T_TCS      24
#define T_URSP     32
#define T_XIN      40
#define T_XOUT     48
#define T_HOST_FS  64
#define T_HOST_GS  72
#define T_HOST_RSP 80
#define T_MXCSR    88
#define T_FCW      92
#define T_INSIDE   96
#define T_IN       104
#define T_OUT      240
#define T_STRIDE   4480

/* Inside the register blocks T_IN and T_OUT. */
#define R_RAX   0
#define R_RCX   8
#define R_RDX   16
#define R_RBX   24
#define R_RSP   32
#define R_RBP   40
#define R_RSI   48
#define R_RDI   56
#define R_R8    64
#define R_R9    72
#define R_R10   80
#define R_R11   88
#define R_R12   96
#define R_R13   104
#define R_R14   112
#define R_R15   120
#define R_FLAGS 128

/* struct tf_sim, and words of its EPCM (host/sim.h). */
#define S_SIZE        8
#define S_BASE        16
#define S_SGX2        8624
#define S_EPCM        8688
#define PAGE_ACCEPTED 0x3203
#define PAGE_PENDING  0x20b /* SECINFO.FLAGS that an EACCEPT gives */
