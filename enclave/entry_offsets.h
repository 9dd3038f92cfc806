/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry_offsets.h - what gate.S needs to know of C: offsets into struct tf_thread_page
 * and values of enums. Preprocessor constants because the assembler reads them; entry.c
 * asserts each against the C declaration.
 */
#pragma once

#define PAGE_SELF       0x00
#define PAGE_HOST_RSP   0x08
#define PAGE_HOST_RBP   0x10
#define PAGE_HOST_RCX   0x18
#define PAGE_STARTED    0x20
#define PAGE_CANARY     0x28
#define PAGE_HOST_R12   0x30
#define PAGE_HOST_R13   0x38
#define PAGE_HOST_R14   0x40
#define PAGE_HOST_R15   0x48
#define PAGE_STACK_TOP  0x50
#define PAGE_OWN_OFFSET 0x98
#define PAGE_BASE       0xa8
#define EXIT_DEAD       2
