@ void tn_helium_lanes(const tn_helium_lanes_args* arguments)
@
@ Depthwise convolution of one output row of four neighbouring channels, which lie in the lanes; four output pixels share each
@ tap's weights. Input: padded rows of 16 bytes a column (16 channels side by side, these four of them), so that no border is left.
@ Pixels come in fours: the output row must have room, or the last ones are stored aside (depthwise.c).
@
@ Weights: 16 bytes a tap. Constants: vectors of four biases, left shifts >= 0, multipliers, right shifts <= 0.
@
@ Registers   r0 column   r1 weights   r2 row of the block   r3 output   r4 bytes of an output pixel   r5 bytes of an input row
@             r6 kernel height left   r7 kernel width   r8 constants   r9 blocks left   r10 zero point   r11 arguments   lr loop
@             q0-q3 accumulators   q4 weights or constants   q5 products   q6 low   q7 high
.syntax unified
.thumb
.text

@ Fields of tn_helium_lanes_args (helium.h).
.equ ARG_INPUT, 0
.equ ARG_WEIGHTS, 4
.equ ARG_CONSTANTS, 8
.equ ARG_OUTPUT, 12
.equ ARG_PIXEL, 16
.equ ARG_ROW, 20
.equ ARG_KERNEL_H, 24
.equ ARG_KERNEL_W, 28
.equ ARG_BLOCKS, 32
.equ ARG_ZERO_POINT, 36
.equ ARG_LOW, 40
.equ ARG_HIGH, 44

.macro TAP acc
    vmul.i32 q5, q5, q4
    vadd.i32 \acc, \acc, q5
.endm

.macro HALF_AWAY acc                @ q4 = right shift
    vand q5, \acc, q4
    vshr.s32 q5, q5, #31
    vqadd.s32 \acc, \acc, q5
    vrshl.s32 \acc, \acc, q4
.endm

.macro STORE acc
    vadd.i32 \acc, \acc, r10
    vmax.s32 \acc, \acc, q6
    vmin.s32 \acc, \acc, q7
    vstrb.32 \acc, [r3]
    add r3, r3, r4
.endm

.macro LANES stride
    .global tn_helium_lanes_s\stride
    .type tn_helium_lanes_s\stride, %function
    .thumb_func
    .align 2
tn_helium_lanes_s\stride:
    push {r4-r11, lr}
    vpush {d8-d15}
    mov r11, r0
    ldr r2, [r11, #ARG_INPUT]
    ldr r8, [r11, #ARG_CONSTANTS]
    ldr r3, [r11, #ARG_OUTPUT]
    ldr r4, [r11, #ARG_PIXEL]
    ldr r5, [r11, #ARG_ROW]
    ldr r7, [r11, #ARG_KERNEL_W]
    ldr r9, [r11, #ARG_BLOCKS]
    ldr r10, [r11, #ARG_ZERO_POINT]
    ldr r0, [r11, #ARG_LOW]
    ldr r1, [r11, #ARG_HIGH]
    vdup.32 q6, r0
    vdup.32 q7, r1
1:
    vldrw.u32 q0, [r8]
    vmov q1, q0
    vmov q2, q0
    vmov q3, q0
    ldr r1, [r11, #ARG_WEIGHTS]
    ldr r6, [r11, #ARG_KERNEL_H]
    mov r12, r2
2:
    mov r0, r12
    dls lr, r7
3:
    vldrb.s32 q4, [r1], #16
    vldrb.s32 q5, [r0], #16
    TAP q0
    vldrb.s32 q5, [r0, #16 * (\stride - 1)]
    TAP q1
    vldrb.s32 q5, [r0, #16 * (2 * \stride - 1)]
    TAP q2
    vldrb.s32 q5, [r0, #16 * (3 * \stride - 1)]
    TAP q3
    le lr, 3b
    add r12, r12, r5
    subs r6, #1
    bne 2b

    vldrw.u32 q4, [r8, #16]
    vshl.s32 q0, q0, q4
    vshl.s32 q1, q1, q4
    vshl.s32 q2, q2, q4
    vshl.s32 q3, q3, q4
    vldrw.u32 q4, [r8, #32]
    vqrdmulh.s32 q0, q0, q4
    vqrdmulh.s32 q1, q1, q4
    vqrdmulh.s32 q2, q2, q4
    vqrdmulh.s32 q3, q3, q4
    vldrw.u32 q4, [r8, #48]
    HALF_AWAY q0
    HALF_AWAY q1
    HALF_AWAY q2
    HALF_AWAY q3
    STORE q0
    STORE q1
    STORE q2
    STORE q3
    add r2, r2, #64 * \stride
    subs r9, #1
    bne 1b
    vpop {d8-d15}
    pop {r4-r11, pc}
    .size tn_helium_lanes_s\stride, . - tn_helium_lanes_s\stride
.endm

    LANES 1
    LANES 2
