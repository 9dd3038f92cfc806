/* SPDX-License-Identifier: Apache-2.0 */
/* prelude.S - the prelude's files as they are, and a table of them (struct tf_prelude). */

    .macro file name
    .section .rodata.tf_prelude, "a", @progbits
name_\name:
    .asciz "\name"
data_\name:
    .incbin "enclave/js/prelude/\name\().js"
end_\name:
    .byte 0
    .section .data.rel.ro.tf_prelude, "aw", @progbits
    .quad name_\name, data_\name, end_\name
    .endm

    .section .data.rel.ro.tf_prelude, "aw", @progbits
    .balign 8
    .globl tf_prelude
    .hidden tf_prelude
    .type tf_prelude, @object
tf_prelude:
    file base
    file bytes
    file promise
    file combine
    file finally
    file http
    file query
    file url
    file text
    file web
    file lambda
    file commonjs
    file event
    .quad 0, 0, 0
    .size tf_prelude, . - tf_prelude

    .section .note.GNU-stack, "", @progbits
