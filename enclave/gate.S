/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.S - where EENTER lands and EEXIT leaves.
 *
 * On entry the host has chosen every register but RAX (CSSA), RBX (the TCS), RCX (where EEXIT
 * returns) and the bases of FS and GS, which come from the measured TCS and point to this
 * thread's page. Until the stack is ours nothing is pushed; until flags, x87 and SSE state
 * are ours no C runs (Van Bulck et al., "A Tale of Two Worlds", CCS 2019; Alder et al.,
 * "Faulty Point Unit", ACSAC 2020).
 *
 * There is one exit, tf_leave. ENCLU is always followed by a 3-byte nop: the simulator's fast
 * mode puts a call there after the image was measured and initialised.
 */
#include "enclave/entry_offsets.h"

    .macro enclu
    .byte 0x0f, 0x01, 0xd7          /* ENCLU */
    .byte 0x0f, 0x1f, 0x00          /* nopl (%rax) */
    .endm

    /* Loads the initial state of every extended component. In the standard form MXCSR comes
     * from the area even though XSTATE_BV is 0 (SDM vol. 1, 13.8); inside an enclave XCR0 is
     * SECS.XFRM. Clobbers EAX, EDX. */
    .macro clean_extended_state
    movl    $-1, %eax
    movl    $-1, %edx
    xrstor64 clean_state(%rip)
    lfence                          /* nothing runs ahead with the host's MXCSR (MCDT) */
    .endm

    .section .text.tf_entry, "ax", @progbits
    .globl  tf_entry
    .hidden tf_entry
    .type   tf_entry, @function
tf_entry:
    endbr64
    cld
    testq   %rax, %rax              /* NSSA is 1, so CSSA can only be 0 */
    jne     halt

    movq    %rcx, %gs:PAGE_HOST_RCX
    movq    %rsp, %gs:PAGE_HOST_RSP
    movq    %rbp, %gs:PAGE_HOST_RBP
    movq    %r12, %gs:PAGE_HOST_R12
    movq    %r13, %gs:PAGE_HOST_R13
    movq    %r14, %gs:PAGE_HOST_R14
    movq    %r15, %gs:PAGE_HOST_R15

    leaq    __ehdr_start(%rip), %rbx
    movq    %gs:PAGE_STACK_TOP, %rsp
    addq    %rbx, %rsp
    pushq   $0
    popfq                           /* AC, DF, NT and the rest */
    movq    %rdi, %r12              /* the two arguments: channel, time */
    movq    %rsi, %r13
    clean_extended_state

    /* The host's values end here. */
    xorl    %ecx, %ecx
    xorl    %ebp, %ebp
    xorl    %r8d, %r8d
    xorl    %r9d, %r9d
    xorl    %r10d, %r10d
    xorl    %r11d, %r11d
    xorl    %r14d, %r14d
    xorl    %r15d, %r15d

    movl    tf_dead(%rip), %esi
    movl    $EXIT_DEAD, %edi
    testl   %esi, %esi
    jne     tf_leave

    cmpq    $0, %gs:PAGE_STARTED
    je      first_entry
work:
    movq    %r12, %rdi
    movq    %r13, %rsi
    call    tf_entry_work           /* struct tf_entry_exit in RAX and RDX */
    movq    %rax, %rdi
    movq    %rdx, %rsi
    jmp     tf_leave

    /* This thread's first entry: relocate the image unless another thread did, then fill the
     * thread page. RBX is the base. Runs no C: there is no stack canary yet. */
first_entry:
    xorl    %eax, %eax
    movl    $1, %ecx
    lock cmpxchgl %ecx, relocation_state(%rip)
    je      relocate
relocation_wait:                    /* another thread is at it; the host may stall it: DoS */
    cmpl    $2, relocation_state(%rip)
    je      set_up_page
    pause
    jmp     relocation_wait

relocate:
    leaq    tf_rela_start(%rip), %rdx
    leaq    tf_rela_end(%rip), %rcx
relocate_next:
    cmpq    %rcx, %rdx
    jae     relocate_done
    cmpl    $8, 8(%rdx)             /* R_X86_64_RELATIVE; lib/image.c accepts no other */
    jne     halt
    movq    (%rdx), %rax
    movq    16(%rdx), %rsi
    addq    %rbx, %rsi
    movq    %rsi, (%rbx, %rax)
    addq    $24, %rdx
    jmp     relocate_next
relocate_done:
    movl    $2, relocation_state(%rip)

set_up_page:
    movq    %gs:PAGE_OWN_OFFSET, %rax
    addq    %rbx, %rax
    movq    %rax, %gs:PAGE_SELF
    movq    %rbx, %gs:PAGE_BASE
    movl    $10, %ecx               /* Intel's DRNG guide: ten tries, then it is broken */
canary_try:
    rdrand  %rax
    jc      canary_have
    decl    %ecx
    jne     canary_try
    jmp     halt
canary_have:
    xorb    %al, %al                /* a zero byte stops overflowing strings */
    movq    %rax, %gs:PAGE_CANARY
    movq    $1, %gs:PAGE_STARTED
    jmp     work
    .size   tf_entry, . - tf_entry

    /* Leaves with RDI and RSI as they are; every other register is the host's own or zero. */
    .globl  tf_leave
    .hidden tf_leave
    .type   tf_leave, @function
tf_leave:
    clean_extended_state
    xorl    %ecx, %ecx
    xorl    %edx, %edx
    xorl    %r8d, %r8d
    xorl    %r9d, %r9d
    xorl    %r10d, %r10d
    xorl    %r11d, %r11d
    movq    %gs:PAGE_HOST_RCX, %rbx
    movq    %gs:PAGE_HOST_R12, %r12
    movq    %gs:PAGE_HOST_R13, %r13
    movq    %gs:PAGE_HOST_R14, %r14
    movq    %gs:PAGE_HOST_R15, %r15
    pushq   $0
    popfq
    movq    %gs:PAGE_HOST_RBP, %rbp
    movq    %gs:PAGE_HOST_RSP, %rsp
    movl    $4, %eax                /* EEXIT */
    enclu
halt:
    ud2
    .size   tf_leave, . - tf_leave

    /* uint64_t tf_enclu(leaf, rbx, rcx, rdx): EREPORT and EGETKEY; returns RAX. */
    .section .text.tf_enclu, "ax", @progbits
    .globl  tf_enclu
    .hidden tf_enclu
    .type   tf_enclu, @function
tf_enclu:
    endbr64
    pushq   %rbx
    movq    %rdi, %rax
    movq    %rsi, %rbx
    xchgq   %rcx, %rdx
    enclu
    popq    %rbx
    ret
    .size   tf_enclu, . - tf_enclu

    .section .rodata.tf_entry, "a", @progbits
    .balign 64
clean_state:                        /* XSAVE area, standard form (SDM vol. 1, 13.4) */
    .short  0x037f                  /* FCW */
    .zero   22
    .long   0x1fbf                  /* MXCSR: masked, flags set against MCDT timing */
    .zero   4 + 480
    .zero   64                      /* header: XSTATE_BV = XCOMP_BV = 0 */

    .section .data.tf_entry, "aw", @progbits
    .balign 64
relocation_state:                   /* 0 not yet, 1 a thread is at it, 2 done */
    .long   0
    .globl  tf_dead
    .hidden tf_dead
tf_dead:                            /* tf_err of the enclave's end; 0 while it lives */
    .long   0

    .section .note.GNU-stack, "", @progbits
