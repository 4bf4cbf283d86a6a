@ void tn_dsp_map_3x3(const tn_dsp_map* map)
@
@ Depthwise 3x3, stride 1, over planar maps of 3 x 3 whose zero point is 0, so that padding adds nothing. A row of the map is a
@ word; its two pairs stay in registers and meet 2 x 3 weights in five instructions:
@
@        a = x0 x1   b = x2 0        A = w0 w1   B = w1 w2
@        y0 += a . B        y1 += a . A + x2 * w2        y2 += x1 * w0 + x2 * w1
@
@ Weights are those of lanes.inc, with the quick requantisation alone.
@
@ Registers   r0-r3 a0 b0 a1 b1 of the upper two rows, then a2 b2 a1 b1   r4-r6 an output row   r7 the last row's word, then
@             bytes of an output row   r8-r12, lr weights, then m c and write pointer, distance of outputs   s17 bias   s18 s19 m c
.syntax unified
.thumb
.text

@ Stack frame: the fields of tn_dsp_map (dsp.h).
.equ F_WEIGHTS, 12
.equ F_OUTPUT, 16
.equ F_STRIDE, 20
.equ F_ROW_BYTES, 24
.equ F_CHANNELS, 28
.equ FRAME, 32

@ An output row += an input row's pairs times a row of weights; `first`: y2 holds the bias.
.macro TAPS a, b, wA, wB, first=0
  .if \first
    smlad r4, \a, \wB, r6
    smlad r5, \a, \wA, r6
  .else
    smlad r4, \a, \wB, r4
    smlad r5, \a, \wA, r5
  .endif
    smlabt r5, \b, \wB, r5
    smlatb r6, \a, \wA, r6
    smlabb r6, \b, \wB, r6
.endm

@ The row's values; overwrites m and c.
.macro REQUANTIZE m, c
    vmov \m, \c, d9
    smmla r4, r4, \m, \c
    smmla r5, r5, \m, \c
    smmla r6, r6, \m, \c
    ssat r4, #8, r4, asr #10
    ssat r5, #8, r5, asr #10
    ssat r6, #8, r6, asr #10
.endm

.macro STORE address, stride
    strb r4, [\address]
    strb r5, [\address, \stride]
    strb r6, [\address, \stride, lsl #1]
.endm

    .global tn_dsp_map_3x3
    .type tn_dsp_map_3x3, %function
    .thumb_func
    .align 2
tn_dsp_map_3x3:
    push {r4-r11, lr}
    vpush {s16-s19}
    sub sp, #FRAME
    ldmia r0, {r4-r11}
    stmia sp, {r4-r11}
.Lchannel:
    ldmia sp, {r0, r2, r4, r6}      @ rows and weights
    ldr r1, [r0], #4
    ldr r3, [r2], #4
    ldr r7, [r4], #4
    vldmia r6!, {s17-s19}
    adds r6, #(3 + 2) * 4
    ldmia r6!, {r10, r11, r12, lr}
    stmia sp, {r0, r2, r4, r6}
    uxtb16 r0, r1
    uxtb16 r1, r1, ror #8
    uxtb16 r2, r3
    uxtb16 r3, r3, ror #8

    vmov r6, s17                    @ first output row
    TAPS r0, r1, r10, r11, first=1
    TAPS r2, r3, r12, lr
    REQUANTIZE r8, r9
    ldrd r8, r9, [sp, #F_OUTPUT]
    STORE r8, r9

    ldr r8, [sp, #F_WEIGHTS]        @ second
    vmov r6, s17
    ldrd r8, r9, [r8, #-(2 + 4) * 4]
    TAPS r0, r1, r8, r9, first=1
    TAPS r2, r3, r10, r11
    uxtb16 r0, r7
    uxtb16 r1, r7, ror #8
    TAPS r0, r1, r12, lr
    REQUANTIZE r12, lr
    ldrd r12, lr, [sp, #F_OUTPUT]
    ldr r7, [sp, #F_ROW_BYTES]
    add r12, r12, r7
    STORE r12, lr

    vmov r6, s17                    @ third
    add r12, r12, r7
    TAPS r2, r3, r8, r9, first=1
    TAPS r0, r1, r10, r11
    REQUANTIZE r8, r9
    STORE r12, lr

    ldr r0, [sp, #F_OUTPUT]
    ldr r1, [sp, #F_CHANNELS]
    adds r0, #1
    str r0, [sp, #F_OUTPUT]
    subs r1, #1
    str r1, [sp, #F_CHANNELS]
    bne.w .Lchannel
    add sp, #FRAME
    vpop {s16-s19}
    pop {r4-r11, pc}
    .size tn_dsp_map_3x3, . - tn_dsp_map_3x3
