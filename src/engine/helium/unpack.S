@ void tn_helium_unpack(const tn_helium_unpack_args* arguments)
@
@ Two rows of up to eight channels into their planes, as halfwords: the even row's byte below the odd row's.
@
@ Registers   r1 even row   r2 odd row   r3 r4 bytes from one column to the next   r5 planes   r6 the same there   r7 columns
@             r8 other place   q0 q1 data   q2 offsets of the planes   q3 of the other place in them   P0 channels   lr loop
.syntax unified
.thumb
    .section .text.tn_helium_unpack, "ax", %progbits
    .global tn_helium_unpack
    .type tn_helium_unpack, %function
    .thumb_func
    .align 2

.macro COLUMN
    vpstt
    vldrbt.u16 q0, [r1]
    vldrbt.u16 q1, [r2]
    add r1, r3
    add r2, r4
    vsli.16 q0, q1, #8
    vstrh.16 q0, [r5, q2]
.endm

tn_helium_unpack:
    push {r4-r10, lr}
    ldmia r0, {r1-r10}
    vctp.16 r10
    mov r10, #0
    vidup.u16 q2, r10, #1
    vmul.i16 q2, q2, r9
    dls lr, r7
    cmp r8, #0
    beq 2f
    vadd.i16 q3, q2, r8
1:
    COLUMN
    vstrh.16 q0, [r5, q3]
    add r5, r6
    le lr, 1b
    pop {r4-r10, pc}
2:
    COLUMN
    add r5, r6
    le lr, 2b
    pop {r4-r10, pc}
    .size tn_helium_unpack, . - tn_helium_unpack
