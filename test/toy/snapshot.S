/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.S - linked into the watching toy image with --wrap: keeps every register as it
 * is when gate.S calls C, then goes on. gate.S itself is the one that ships.
 */
#define STATE_FLAGS 128
#define STATE_COUNT 136
#define STATE_XSAVE 192

    .text
    .globl  __wrap_tf_entry_work
    .hidden __wrap_tf_entry_work
    .type   __wrap_tf_entry_work, @function
__wrap_tf_entry_work:
    endbr64
    movq    %rax, toy_snapshot+0(%rip)
    movq    %rcx, toy_snapshot+8(%rip)
    movq    %rdx, toy_snapshot+16(%rip)
    movq    %rbx, toy_snapshot+24(%rip)
    movq    %rsp, toy_snapshot+32(%rip)
    movq    %rbp, toy_snapshot+40(%rip)
    movq    %rsi, toy_snapshot+48(%rip)
    movq    %rdi, toy_snapshot+56(%rip)
    movq    %r8, toy_snapshot+64(%rip)
    movq    %r9, toy_snapshot+72(%rip)
    movq    %r10, toy_snapshot+80(%rip)
    movq    %r11, toy_snapshot+88(%rip)
    movq    %r12, toy_snapshot+96(%rip)
    movq    %r13, toy_snapshot+104(%rip)
    movq    %r14, toy_snapshot+112(%rip)
    movq    %r15, toy_snapshot+120(%rip)
    pushfq
    popq    toy_snapshot+STATE_FLAGS(%rip)
    incq    toy_snapshot+STATE_COUNT(%rip)
    movl    $-1, %eax
    movl    $-1, %edx
    xsave64 toy_snapshot+STATE_XSAVE(%rip)
    movq    toy_snapshot+0(%rip), %rax
    movq    toy_snapshot+16(%rip), %rdx
    jmp     __real_tf_entry_work
    .size   __wrap_tf_entry_work, . - __wrap_tf_entry_work

    .bss
    .globl  toy_snapshot
    .hidden toy_snapshot
    .balign 64
toy_snapshot:                       /* struct tf_toy_state, then more than XSAVE writes */
    .zero   16384

    .section .note.GNU-stack, "", @progbits
