/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_gate.S - EENTER and EEXIT of the simulator.
 *
 * The bases of FS and GS are the enclave's from just before the jump in until EEXIT: nothing
 * here may use thread-local storage or the stack protector in between.
 */
#include "host/sim_offsets.h"

    .text

    /* void tf_sim_eenter(struct tf_sim_thread *thread) */
    .globl  tf_sim_eenter
    .type   tf_sim_eenter, @function
tf_sim_eenter:
    endbr64
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, T_HOST_RSP(%rdi)
    stmxcsr T_MXCSR(%rdi)
    fnstcw  T_FCW(%rdi)
    rdfsbase %rax
    movq    %rax, T_HOST_FS(%rdi)
    rdgsbase %rax
    movq    %rax, T_HOST_GS(%rdi)

    movq    T_XIN(%rdi), %rcx
    testq   %rcx, %rcx
    je      1f
    movl    $7, %eax
    xorl    %edx, %edx
    xrstor64 (%rcx)
1:
    movq    %rdi, %rdx              /* stays: the enclave finds it as garbage in RDX */
    movl    $1, T_INSIDE(%rdx)
    movq    T_FS_BASE(%rdx), %rax
    wrfsbase %rax
    movq    T_GS_BASE(%rdx), %rax
    wrgsbase %rax

    movq    T_IN+R_RSP(%rdx), %rax
    testq   %rax, %rax
    cmovzq  %rsp, %rax
    movq    T_IN+R_RBP(%rdx), %rbp
    movq    T_URSP(%rdx), %rcx      /* EENTER saves RSP and RBP in the SSA frame */
    movq    %rax, (%rcx)
    movq    %rbp, 8(%rcx)
    pushq   T_IN+R_FLAGS(%rdx)
    movq    T_IN+R_RSI(%rdx), %rsi
    movq    T_IN+R_RDI(%rdx), %rdi
    movq    T_IN+R_R8(%rdx), %r8
    movq    T_IN+R_R9(%rdx), %r9
    movq    T_IN+R_R10(%rdx), %r10
    movq    T_IN+R_R11(%rdx), %r11
    movq    T_IN+R_R12(%rdx), %r12
    movq    T_IN+R_R13(%rdx), %r13
    movq    T_IN+R_R14(%rdx), %r14
    movq    T_IN+R_R15(%rdx), %r15
    movq    T_TCS(%rdx), %rbx
    leaq    tf_sim_landing(%rip), %rcx
    popfq                           /* no flag changes from here on */
    movq    %rax, %rsp
    movl    $0, %eax                /* CSSA */
    jmp     *T_OENTRY(%rdx)

    /* EEXIT arrives here with the host's bases back; RAX and RCX are EEXIT's own. */
    .globl  tf_sim_landing
tf_sim_landing:
    endbr64
    movq    tf_sim_current@gottpoff(%rip), %rax
    movq    %fs:(%rax), %rax
    movl    $0, T_INSIDE(%rax)
    movq    %rdx, T_OUT+R_RDX(%rax)
    movq    %rbx, T_OUT+R_RBX(%rax)
    movq    %rsp, T_OUT+R_RSP(%rax)
    movq    %rbp, T_OUT+R_RBP(%rax)
    movq    %rsi, T_OUT+R_RSI(%rax)
    movq    %rdi, T_OUT+R_RDI(%rax)
    movq    %r8, T_OUT+R_R8(%rax)
    movq    %r9, T_OUT+R_R9(%rax)
    movq    %r10, T_OUT+R_R10(%rax)
    movq    %r11, T_OUT+R_R11(%rax)
    movq    %r12, T_OUT+R_R12(%rax)
    movq    %r13, T_OUT+R_R13(%rax)
    movq    %r14, T_OUT+R_R14(%rax)
    movq    %r15, T_OUT+R_R15(%rax)
    movq    T_HOST_RSP(%rax), %rsp
    pushfq
    popq    T_OUT+R_FLAGS(%rax)
    cld
    movq    %rax, %rdi
    movq    T_XOUT(%rdi), %rcx
    testq   %rcx, %rcx
    je      2f
    movl    $-1, %eax
    movl    $-1, %edx
    xsave64 (%rcx)
2:
    ldmxcsr T_MXCSR(%rdi)
    fldcw   T_FCW(%rdi)
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret
    .size   tf_sim_eenter, . - tf_sim_eenter

    /* The AEP: what the host runs after an asynchronous exit. RAX, RBX and RCX are the
     * operands of ERESUME already. */
    .globl  tf_sim_aep
tf_sim_aep:
    .byte   0x0f, 0x01, 0xd7        /* ENCLU */
    ud2

    /* A patched ENCLU site calls this (through a jump beside ELRANGE). EEXIT is done here,
     * and the EACCEPT of a page that is as it should be; other leaves are rare, so they trap
     * and the signal handler does them. */
    .globl  tf_sim_gate
    .type   tf_sim_gate, @function
tf_sim_gate:
    endbr64
    pushfq
    cmpl    $4, %eax
    jne     5f
    rdgsbase %rcx
    leaq    tf_sim_threads(%rip), %rax
3:  cmpq    %rcx, T_GS_BASE(%rax)
    je      4f
    cmpq    $0, T_GS_BASE(%rax)     /* the end of the table */
    je      6f
    addq    $T_STRIDE, %rax
    jmp     3b
4:  movq    T_HOST_FS(%rax), %rcx
    wrfsbase %rcx
    movq    T_HOST_GS(%rax), %rcx
    wrgsbase %rcx
    popfq
    leaq    8(%rsp), %rsp           /* the call's return address */
    leaq    tf_sim_landing(%rip), %rcx  /* AEP */
    movl    $4, %eax
    jmp     *%rbx
5:  cmpl    $5, %eax
    jne     8f
    pushq   %rdx
    pushq   %rdi
    movq    tf_sim_active(%rip), %rdi
    movq    %rcx, %rdx
    subq    S_BASE(%rdi), %rdx
    cmpq    S_SIZE(%rdi), %rdx
    jae     7f
    testl   $0xfff, %edx
    jne     7f
    cmpb    $0, S_SGX2(%rdi)
    je      7f
    cmpq    $PAGE_PENDING, (%rbx)   /* SECINFO.FLAGS */
    jne     7f
    shrq    $12, %rdx
    movq    S_EPCM(%rdi), %rdi
    cmpw    $0, (%rdi,%rdx,2)       /* no page there */
    jne     7f
    movw    $PAGE_ACCEPTED, (%rdi,%rdx,2)
    popq    %rdi
    popq    %rdx
    andq    $~0x8d5, (%rsp)         /* the arithmetic flags */
    popfq
    movl    $0, %eax                /* SGX_SUCCESS */
    ret
7:  popq    %rdi
    popq    %rdx
8:  popfq
    .globl  tf_sim_gate_leaf
tf_sim_gate_leaf:
    .byte   0x0f, 0x01, 0xd7        /* ENCLU: #UD */
    ret
6:  ud2
    .globl  tf_sim_gate_end
tf_sim_gate_end:
    .size   tf_sim_gate, . - tf_sim_gate

    .section .note.GNU-stack, "", @progbits
