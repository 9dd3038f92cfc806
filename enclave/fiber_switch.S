/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber_switch.S - from one stack of a thread to another; enclave/fiber.h says why this is all
 * there is to save. Shadow stacks (CET) are not in use: SECS.CET_ATTRIBUTES is zero.
 *
 * A stack that is not running has on top, upwards from its saved RSP:
 *   R15, R14, R13, R12, RBX, RBP, the address to return to.
 * tf_fiber_start writes the same for a stack that has not run (struct frame in fiber.c).
 */
    .section .text.tf_fiber_switch, "ax", @progbits
    .globl  tf_fiber_switch
    .hidden tf_fiber_switch
    .type   tf_fiber_switch, @function
tf_fiber_switch:                    /* RDI: where RSP goes; RSI: the other RSP */
    endbr64
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret
    .size   tf_fiber_switch, . - tf_fiber_switch

    /* RSP is the end of the stack, so 16-byte aligned, as the ABI wants it before a call. */
    .section .text.tf_fiber_begin, "ax", @progbits
    .globl  tf_fiber_begin
    .hidden tf_fiber_begin
    .type   tf_fiber_begin, @function
tf_fiber_begin:
    endbr64
    movq    %r13, %rdi
    call    *%r12
    ud2                             /* the function switches away for good */
    .size   tf_fiber_begin, . - tf_fiber_begin

    .section .note.GNU-stack, "", @progbits
