@ The slower ways of requantising the four accumulators r4-r7 of a depthwise block, in place; r0 points at the channel's header
@ (lanes.inc). Keeps all other registers but r0, r1.
.syntax unified
.thumb
.text

.macro SCALED acc                   @ r1 = left, r2 = m, r3 = c
    lsl \acc, \acc, r1
    smmla \acc, \acc, r2, r3
    ssat \acc, #8, \acc, asr #10
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
    push {r4-r7}
    mov r11, sp
    ldr r9, [r0, #20]
    mov r8, r3
    sxth r10, r9
    asr r9, r9, #16
    add r5, r1, #128
    mov r4, r2
    bl tn_dsp_requantize
    pop {r4-r7}
    pop {r2, r3, r8-r12, pc}
    .size tn_dsp_lanes_slow, . - tn_dsp_lanes_slow
