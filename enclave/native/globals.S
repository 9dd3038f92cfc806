/* SPDX-License-Identifier: Apache-2.0 */
/* globals.S - globals.js as it is, with a NUL at its end. */

    .section .rodata.tf_v8_globals, "a", @progbits
    .globl tf_v8_globals
    .hidden tf_v8_globals
    .type tf_v8_globals, @object
tf_v8_globals:
    .incbin "enclave/native/globals.js"
    .byte 0
    .size tf_v8_globals, . - tf_v8_globals

    .section .note.GNU-stack, "", @progbits
