/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_vdso.S - stands in for __vdso_sgx_enter_enclave: the arguments as the vDSO takes
 * them, RDI and RSI come back as the enclave left them.
 */
    .text
    .globl  tf_toy_vdso
    .type   tf_toy_vdso, @function
tf_toy_vdso:
    endbr64
    pushq   %rbp
    movq    %rsp, %rbp
    subq    $8, %rsp
    pushq   16(%rbp)                /* struct sgx_enclave_run */
    call    tf_toy_vdso_enter
    movq    tf_toy_vdso_registers(%rip), %rdi
    movq    tf_toy_vdso_registers+8(%rip), %rsi
    leave
    ret
    .size   tf_toy_vdso, . - tf_toy_vdso

    .section .note.GNU-stack, "", @progbits
