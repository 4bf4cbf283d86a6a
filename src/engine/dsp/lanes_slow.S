@ The slower ways of requantising the four accumulators r4-r7 of a depthwise block, in place; r0 points at the channel's header
@ (lanes.inc). Keeps all other registers but r0, r1.
.syntax unified
.thumb
.text

.macro SCALED acc                   @ r1 = left, r2 = m, r3 = c
    lsl \acc, \acc, r1
    smmla \acc, \acc, r2, r3
    ssat \acc, #8, \acc, asr #12
.endm

@ TensorFlow Lite's two roundings. r1 = shift, r2 = m, r8 = right shift, r9 = its mask, r3 = zero point, r10 = low, r11 = high.
.macro UNIVERSAL acc
    cmp r1, #0
    it gt
    lslgt \acc, \acc, r1
    smull r12, \acc, \acc, r2
    adds r12, r12, #0x40000000
    adc \acc, \acc, #0
    lsls \acc, \acc, #1
    orr \acc, \acc, r12, lsr #31
    and r12, \acc, r9               @ what the right shift drops
    lsr lr, r9, #1
    add lr, lr, \acc, lsr #31
    asr \acc, \acc, r8
    cmp r12, lr
    it gt
    addgt \acc, \acc, #1
    add \acc, \acc, r3
    cmp \acc, r10
    it lt
    movlt \acc, r10
    cmp \acc, r11
    it gt
    movgt \acc, r11
.endm

    .global tn_dsp_lanes_slow
    .type tn_dsp_lanes_slow, %function
    .thumb_func
    .align 2
tn_dsp_lanes_slow:
    push {r2, r3, r8-r12, lr}
    ldrd r1, r3, [r0, #12]
    ldr r2, [r0, #4]
    cmp r1, #0
    blt .Luniversal
    SCALED r4
    SCALED r5
    SCALED r6
    SCALED r7
    pop {r2, r3, r8-r12, pc}
.Luniversal:
    ldr r11, [r0, #20]
    sxth r10, r11
    asr r11, r11, #16
    adds r1, #128
    rsb r8, r1, #0
    bic r8, r8, r8, asr #31
    movs r0, #1
    lsl r9, r0, r8
    subs r9, #1
    UNIVERSAL r4
    UNIVERSAL r5
    UNIVERSAL r6
    UNIVERSAL r7
    pop {r2, r3, r8-r12, pc}
    .size tn_dsp_lanes_slow, . - tn_dsp_lanes_slow
