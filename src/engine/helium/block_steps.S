@ Matrix products of more than 16 input values. See block.inc.
@
@ Between the first step and the last lie eight copies of a step; a jump into them does what is over above eights, and the
@ forms for long vectors go round. `short`: up to 10 steps.
@
@ Registers   r0 r2 r4 r6  sums of the first channel   r8 r10 r12 lr  of the second       (VMLADAV wants even registers)
@             r1 r3 r5 r7  read pointers of the pixels   r9 stream   r11 output (long: rounds left)
@             q0-q3 pixels, then sums and temporary   q4 weights   q5 offsets in the output   q6 zero point   q7 weights
#include "block.inc"

.equ COPIES, 8
.equ COPY_BYTES, (12 + WEIGHTS_INSTRUCTIONS) * 4

.equ F_PIXELS, 0
.equ F_ENTRY, 16
.equ F_ROUNDS, 20
.equ F_OUTPUT, 24
.equ F_LOW, 28
.equ F_HIGH, 32
.equ F_ARGUMENTS, 36
.equ F_BLOCKS, 40
.equ FRAME, 48

.macro STEP operation
    vldrb.u8 q0, [r1], #16
    vldrb.u8 q1, [r3], #16
    vldrb.u8 q2, [r5], #16
    vldrb.u8 q3, [r7], #16
    WEIGHTS q4, q7
    MULTIPLY \operation, q4, q7
.endm

.macro BLOCK_STEPS name, mode, long
    FUNCTION \name
    push {r4-r11, lr}
    vpush {d8-d15}
    sub sp, #FRAME
    str r0, [sp, #F_ARGUMENTS]
    ldr r1, [r0, #ARG_LAST]
    vctp.8 r1
    add r1, r0, #ARG_OFFSETS
    vldrh.u16 q5, [r1]
    ldr r1, [r0, #ARG_ZERO_POINT]
    vdup.16 q6, r1
    ldrd r1, r3, [r0, #ARG_LOW]
    strd r1, r3, [sp, #F_LOW]
    ldr r1, [r0, #ARG_BLOCKS]
    str r1, [sp, #F_BLOCKS]
    ldmia r0, {r1, r3, r5, r7}
    stmia sp, {r1, r3, r5, r7}
    @ Steps between the first and the last: some copies at the end, then whole rounds.
    ldr r1, [r0, #ARG_STEPS]
    subs r1, #2
.if \long
    lsr r3, r1, #3
    str r3, [sp, #F_ROUNDS]
    and r1, #COPIES - 1
.endif
    mov r3, #COPY_BYTES
    mul r1, r1, r3
    adr.w r3, 5f
    sub r3, r3, r1
    orr r3, #1
    str r3, [sp, #F_ENTRY]
2:
    ldr r9, [r0, #ARG_STREAM]
    ldr r11, [r0, #ARG_OUTPUT]
.if \long
    str r11, [sp, #F_OUTPUT]
.endif
3:
    ldmia sp, {r1, r3, r5, r7}
    STEP vmladav
.if \long
    ldr r11, [sp, #F_ROUNDS]
.endif
    ldr pc, [sp, #F_ENTRY]
    .align 2
4:
.rept COPIES
    STEP vmladava
.endr
5:
.if \long
    subs r11, #1
    bge.w 4b
.endif
    vpstttt
    vldrbt.u8 q0, [r1]
    vldrbt.u8 q1, [r3]
    vldrbt.u8 q2, [r5]
    vldrbt.u8 q3, [r7]
    WEIGHTS q4, q7
    MULTIPLY vmladava, q4, q7
    SUMS_TO_LANES q0, q1
.if \mode == MODE_GENERAL
    ldrd r1, r3, [sp, #F_LOW]
.endif
    PAIR_RESULTS \mode, q0, q1, q6, r1, r3, q2
.if \long
    ldr r11, [sp, #F_OUTPUT]
    vstrb.16 q0, [r11, q5]
    add r11, r11, r4, lsr #8
    str r11, [sp, #F_OUTPUT]
.else
    vstrb.16 q0, [r11, q5]
    add r11, r11, r4, lsr #8
.endif
    IS_LAST_PAIR \mode
    bmi.w 3b

    ldmia sp, {r1, r3, r5, r7}
    ldr r0, [sp, #F_ARGUMENTS]
    ldrd r2, r4, [r0, #ARG_INPUT_BYTES]
    add r1, r2
    add r3, r2
    add r5, r2
    add r7, r2
    stmia sp, {r1, r3, r5, r7}
    ldr r2, [r0, #ARG_OUTPUT]
    add r2, r4
    str r2, [r0, #ARG_OUTPUT]
    ldr r2, [sp, #F_BLOCKS]
    subs r2, #1
    str r2, [sp, #F_BLOCKS]
    bne.w 2b
    add sp, #FRAME
    vpop {d8-d15}
    pop {r4-r11, pc}
    .size \name, . - \name
.endm

    BLOCK_STEPS KERNEL(short_hidden), MODE_HIDDEN, 0
    BLOCK_STEPS KERNEL(short_linear), MODE_LINEAR, 0
    BLOCK_STEPS KERNEL(short_general), MODE_GENERAL, 0
    BLOCK_STEPS KERNEL(long_hidden), MODE_HIDDEN, 1
    BLOCK_STEPS KERNEL(long_linear), MODE_LINEAR, 1
    BLOCK_STEPS KERNEL(long_general), MODE_GENERAL, 1
