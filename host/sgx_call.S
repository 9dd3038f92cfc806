/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_call.S - around __vdso_sgx_enter_enclave, which keeps RBX, RBP and RSP only (Linux,
 * arch/x86/entry/vdso/vsgx.S). The System V ABI wants r12 to r15, the direction flag, and the
 * control words of x87 and SSE kept as well; AC and the rest of RFLAGS come back too. XMM to
 * ZMM belong to the callee. Nothing here depends on what the enclave leaves in registers, but
 * for RSP and RBP, on which the vDSO itself depends.
 */

    .text

    /* int tf_sgx_call(tf_sgx_entry entry, uint64_t registers[2], struct sgx_enclave_run *) */
    .globl  tf_sgx_call
    .type   tf_sgx_call, @function
tf_sgx_call:
    endbr64
    pushq   %rbp
    movq    %rsp, %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    subq    $40, %rsp               /* now a multiple of 16, as a call wants it */
    movq    %rdx, (%rsp)            /* the seventh argument: run */
    stmxcsr 8(%rsp)
    fnstcw  12(%rsp)
    movq    %rsi, 16(%rsp)
    pushfq
    popq    24(%rsp)

    movq    %rdi, %rax
    movq    8(%rsi), %rdx
    movq    (%rsi), %rdi
    movq    %rdx, %rsi
    xorl    %edx, %edx
    movl    $2, %ecx                /* EENTER */
    xorl    %r8d, %r8d
    xorl    %r9d, %r9d
    xorl    %r10d, %r10d            /* these reach the enclave as they are */
    xorl    %r11d, %r11d
    xorl    %r12d, %r12d
    xorl    %r13d, %r13d
    xorl    %r14d, %r14d
    xorl    %r15d, %r15d
    call    *%rax

    movq    16(%rsp), %rdx
    movq    %rdi, (%rdx)
    movq    %rsi, 8(%rdx)
    fldcw   12(%rsp)
    ldmxcsr 8(%rsp)
    pushq   24(%rsp)
    popfq
    addq    $40, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret
    .size   tf_sgx_call, . - tf_sgx_call

    .section .note.GNU-stack, "", @progbits
