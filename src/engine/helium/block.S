@ void tn_helium_block(const tn_helium_block_args* arguments)
@
@ Four pixels times all output channels, two channels at a time, sixteen input values a step. Fewer pixels: the last one repeated,
@ in the inputs and in the offsets, is computed and stored again.
@
@ Stream, for every pair of channels (the second one is idle when their number is odd):
@     bias, bias' | steps of 16 weights of each of the two | m, left, right, m', left', right'        (left >= 0 >= right)
@
@ Registers   r0 r2 r4 r6  sums of the first channel    r8 r10 r12 lr  of the second        (VMLADAVA wants even registers)
@             r1 r3 r5 r7  read pointers of the pixels  r9 stream      r11 input values left
@             q0-q3 data   q4 weights   q5 offsets of the pixels in the output   q6 low   q7 high
.syntax unified
.thumb
.text

@ Fields of tn_helium_block_args (helium.h).
.equ ARG_PIXELS, 0
.equ ARG_OFFSETS, 16
.equ ARG_STREAM, 32
.equ ARG_OUTPUT, 36
.equ ARG_LENGTH, 40
.equ ARG_CHANNELS, 44
.equ ARG_ZERO_POINT, 48
.equ ARG_LOW, 52
.equ ARG_HIGH, 56

.equ F_PIXELS, 0
.equ F_LENGTH, 16
.equ F_OUTPUT, 20
.equ F_CHANNELS, 24
.equ F_ZERO_POINT, 28
.equ FRAME, 32

@ acc = requantised, clamped; TensorFlow Lite rounds halves away from zero, VRSHL up: negative values are lowered by one before.
.macro REQUANTIZE acc, multiplier, left, right
    vshl.s32 \acc, \left
    vdup.32 q2, \right
    vqrdmulh.s32 \acc, \acc, \multiplier
    vand q3, \acc, q2
    vshr.s32 q3, q3, #31
    vqadd.s32 \acc, \acc, q3
    vrshl.s32 \acc, \right
    vadd.i32 \acc, \acc, r12
    vmax.s32 \acc, \acc, q6
    vmin.s32 \acc, \acc, q7
.endm

    .global tn_helium_block
    .type tn_helium_block, %function
    .thumb_func
    .align 2
tn_helium_block:
    push {r4-r11, lr}
    vpush {d8-d15}
    sub sp, #FRAME
    mov r8, r0
    ldmia r8, {r1, r3, r5, r7}
    stmia sp, {r1, r3, r5, r7}
    add r0, r8, #ARG_OFFSETS
    vldrw.u32 q5, [r0]
    ldr r9, [r8, #ARG_STREAM]
    ldr r0, [r8, #ARG_LENGTH]
    ldr r2, [r8, #ARG_OUTPUT]
    ldr r4, [r8, #ARG_CHANNELS]
    ldr r6, [r8, #ARG_ZERO_POINT]
    str r0, [sp, #F_LENGTH]
    str r2, [sp, #F_OUTPUT]
    str r4, [sp, #F_CHANNELS]
    str r6, [sp, #F_ZERO_POINT]
    ldr r0, [r8, #ARG_LOW]
    ldr r2, [r8, #ARG_HIGH]
    vdup.32 q6, r0
    vdup.32 q7, r2

.Lpair:
    ldmia sp, {r1, r3, r5, r7}
    ldr r11, [sp, #F_LENGTH]
    ldrd r0, r8, [r9], #8
    mov r2, r0
    mov r4, r0
    mov r6, r0
    mov r10, r8
    mov r12, r8
    mov lr, r8
.Lstep:
    vctp.8 r11
    vpstttt
    vldrbt.u8 q0, [r1], #16
    vldrbt.u8 q1, [r3], #16
    vldrbt.u8 q2, [r5], #16
    vldrbt.u8 q3, [r7], #16
    vldrb.u8 q4, [r9], #16
    vmladava.s8 r0, q4, q0
    vmladava.s8 r2, q4, q1
    vmladava.s8 r4, q4, q2
    vmladava.s8 r6, q4, q3
    vldrb.u8 q4, [r9], #16
    vmladava.s8 r8, q4, q0
    vmladava.s8 r10, q4, q1
    vmladava.s8 r12, q4, q2
    vmladava.s8 lr, q4, q3
    subs r11, #16
    bgt .Lstep

    vmov q0[2], q0[0], r0, r4
    vmov q0[3], q0[1], r2, r6
    vmov q1[2], q1[0], r8, r12
    vmov q1[3], q1[1], r10, lr
    ldmia r9!, {r0, r2, r4, r6, r8, r10}
    ldr r12, [sp, #F_ZERO_POINT]
    ldrd r1, r3, [sp, #F_OUTPUT]
    REQUANTIZE q0, r0, r2, r4
    vstrb.32 q0, [r1, q5]
    subs r3, #2
    blt .Lend
    REQUANTIZE q1, r6, r8, r10
    adds r1, #1
    vstrb.32 q1, [r1, q5]
    adds r1, #1
    cmp r3, #0
    strd r1, r3, [sp, #F_OUTPUT]
    bne .Lpair
.Lend:
    add sp, #FRAME
    vpop {d8-d15}
    pop {r4-r11, pc}
    .size tn_helium_block, . - tn_helium_block
