@ TensorFlow Lite's requantisation of four accumulators in memory, for the channels that no quicker way fits. Called from
@ tile.S and lanes_slow.S.
@
@ Registers   r4 multiplier   r5 shift, positive to the left   r8 zero point   r9 greatest, r10 least value
@             r11 the accumulators, on return behind them      r0-r3, r7 are changed
.syntax unified
.thumb
.text

    .global tn_dsp_requantize
    .type tn_dsp_requantize, %function
    .thumb_func
    .align 2
tn_dsp_requantize:
    movs r7, #4
.Lvalue:
    ldr r0, [r11]
    cmp r5, #0
    it gt
    lslgt r0, r0, r5
    smull r0, r1, r0, r4
    adds r0, r0, #0x40000000
    adc r1, r1, #0
    lsls r1, r1, #1
    orr r1, r1, r0, lsr #31
    cmp r5, #0
    bge .Lrounded
    rsbs r0, r5, #0
    movs r2, #1
    lsls r2, r0
    subs r2, #1
    and r3, r1, r2                  @ what the right shift drops
    lsrs r2, r2, #1
    add r2, r2, r1, lsr #31
    asrs r1, r0
    cmp r3, r2
    it gt
    addgt r1, #1
.Lrounded:
    add r1, r8
    cmp r1, r10
    it lt
    movlt r1, r10
    cmp r1, r9
    it gt
    movgt r1, r9
    str r1, [r11], #4
    subs r7, #1
    bne .Lvalue
    bx lr
    .size tn_dsp_requantize, . - tn_dsp_requantize
