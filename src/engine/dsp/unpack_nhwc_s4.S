@ void tn_dsp_unpack_nhwc_s4(const tn_dsp_unpack* arguments)
@
@ tn_dsp_unpack_nhwc for values of 4 bits: four neighbouring channels of a column are a halfword in memory. The strips hold the
@ unsigned value plus 8.
@
@ Registers   r0 row   r1 bytes of a pixel   r2, r3, r10, r11 write pointers   r12 pairs left   r4-r8 data   r9 mask
@             lr arguments
.syntax unified
.thumb
.text

@ Fields of tn_dsp_unpack (dsp.h).
.equ ARG_ROWS, 0
.equ ARG_COUNT, 4
.equ ARG_OFFSET, 8
.equ ARG_PIXEL, 12
.equ ARG_STRIP, 16
.equ ARG_STRIP_BYTES, 20
.equ ARG_PAIRS, 24
.equ ARG_ODD, 28
.equ ARG_PADDING, 32

.equ F_ROWS, 0
.equ F_COUNT, 4
.equ F_STRIP, 8
.equ FRAME, 12
.equ STRIP_ROW, 96      @ TN_DSP_STRIP_ROW

@ A word of two columns' nibbles to a word in each strip.
.macro NIBBLES source
    and r5, r9, \source
    and r6, r9, \source, lsr #4
    and r7, r9, \source, lsr #8
    and r8, r9, \source, lsr #12
.endm

    .global tn_dsp_unpack_nhwc_s4
    .type tn_dsp_unpack_nhwc_s4, %function
    .thumb_func
    .align 2
tn_dsp_unpack_nhwc_s4:
    push {r4-r11, lr}
    sub sp, #FRAME
    mov lr, r0
    mov r9, #0x000F000F
    ldr r4, [lr, #ARG_ROWS]
    ldr r5, [lr, #ARG_COUNT]
    ldr r2, [lr, #ARG_STRIP]
    ldr r1, [lr, #ARG_PIXEL]
    str r2, [sp, #F_STRIP]
.Lrow:
    str r5, [sp, #F_COUNT]
    ldr r0, [r4], #4
    str r4, [sp, #F_ROWS]
    cmp r0, #0
    beq .Lnext
    ldr r4, [lr, #ARG_OFFSET]
    ldr r5, [lr, #ARG_STRIP_BYTES]
    ldr r12, [lr, #ARG_PAIRS]
    add r0, r0, r4
    add r3, r2, r5
    add r10, r3, r5
    add r11, r10, r5
    cmp r12, #0
    beq .Lodd
.Lpairs:
    ldrh r5, [r0, r1]
    ldrh r4, [r0]
    add r0, r0, r1, lsl #1
    orr r4, r4, r5, lsl #16
    eor r4, r4, #0x88888888
    NIBBLES r4
    str r5, [r2], #4
    str r6, [r3], #4
    str r7, [r10], #4
    str r8, [r11], #4
    subs r12, #1
    bne .Lpairs
.Lodd:
    ldr r12, [lr, #ARG_ODD]
    cmp r12, #0
    beq .Lnext
    ldrh r4, [r0]
    ldr r12, [lr, #ARG_PADDING]
    eor r4, r4, #0x88888888
    NIBBLES r4
    pkhbt r5, r5, r12
    pkhbt r6, r6, r12
    pkhbt r7, r7, r12
    pkhbt r8, r8, r12
    str r5, [r2]
    str r6, [r3]
    str r7, [r10]
    str r8, [r11]
.Lnext:
    ldr r2, [sp, #F_STRIP]
    ldr r5, [sp, #F_COUNT]
    adds r2, #STRIP_ROW
    ldr r4, [sp, #F_ROWS]
    str r2, [sp, #F_STRIP]
    subs r5, #1
    bne .Lrow
    add sp, #FRAME
    pop {r4-r11, pc}
    .size tn_dsp_unpack_nhwc_s4, . - tn_dsp_unpack_nhwc_s4
