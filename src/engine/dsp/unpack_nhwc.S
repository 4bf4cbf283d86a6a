@ void tn_dsp_unpack_nhwc(const tn_dsp_unpack* arguments)
@
@ Four neighbouring channels of two columns are two words in memory; they become one word, two halfwords, in each of four strips:
@
@        row   c0 c1 c2 c3 | ... | c0' c1' c2' c3'        strips   c0 c0' | c1 c1' | c2 c2' | c3 c3'
@
@ for every row that is no padding. A last column without a neighbour inside the map gets the padding as its second half.
@
@ Registers   r0 row   r1 bytes of a pixel   r2, r3, r10, r11 write pointers   r12 pairs left   r4-r9 data   lr arguments
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

.macro PAIR
    ldr r5, [r0, r1]
    ldr r4, [r0]
    add r0, r0, r1, lsl #1
    sxtb16 r6, r4                   @ c0 c2
    sxtb16 r7, r5
    sxtb16 r4, r4, ror #8           @ c1 c3
    sxtb16 r5, r5, ror #8
    pkhbt r8, r6, r7, lsl #16
    pkhtb r7, r7, r6, asr #16
    pkhbt r9, r4, r5, lsl #16
    pkhtb r5, r5, r4, asr #16
    str r8, [r2], #4
    str r9, [r3], #4
    str r7, [r10], #4
    str r5, [r11], #4
.endm

    .global tn_dsp_unpack_nhwc
    .type tn_dsp_unpack_nhwc, %function
    .thumb_func
    .align 2
tn_dsp_unpack_nhwc:
    push {r4-r11, lr}
    sub sp, #FRAME
    mov lr, r0
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
    tst r12, #1
    beq .Leven
    PAIR
    subs r12, #1
.Leven:
    cmp r12, #0
    beq .Lodd
.Lpairs:
    PAIR
    PAIR
    subs r12, #2
    bne .Lpairs
.Lodd:
    ldr r12, [lr, #ARG_ODD]
    cmp r12, #0
    beq .Lnext
    ldr r4, [r0]
    ldr r12, [lr, #ARG_PADDING]
    sxtb16 r6, r4
    sxtb16 r4, r4, ror #8
    pkhbt r8, r6, r12
    pkhtb r7, r12, r6, asr #16
    pkhbt r9, r4, r12
    pkhtb r5, r12, r4, asr #16
    str r8, [r2]
    str r9, [r3]
    str r7, [r10]
    str r5, [r11]
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
    .size tn_dsp_unpack_nhwc, . - tn_dsp_unpack_nhwc
