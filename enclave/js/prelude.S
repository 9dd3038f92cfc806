/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prelude.S - the files of the prelude that an engine needs, as they are, and a table of
 * them (struct tf_prelude): for NAME_prelude.S, so that no image has what its engine does not
 * run. The first file starts the others.
 */

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

    .macro prelude names:vararg
    .section .data.rel.ro.tf_prelude, "aw", @progbits
    .balign 8
    .globl tf_prelude
    .hidden tf_prelude
    .type tf_prelude, @object
tf_prelude:
    .irp name, \names
    file \name
    .endr
    .quad 0, 0, 0
    .size tf_prelude, . - tf_prelude
    .endm

    .section .note.GNU-stack, "", @progbits
