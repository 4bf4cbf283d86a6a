@ Matrix products of up to 16 input values: one step, so the pixels of a block stay in registers. See block.inc.
@
@ Registers   r0 r2 r4 r6  sums of the first channel   r8 r10 r12 lr  of the second       (VMLADAV wants even registers)
@             r1 output   r3 zero point   r5 low   r7 high   r9 stream   r11 blocks left
@             q0-q3 pixels   q4 q5 weights, then sums   q6 offsets in the output   q7 temporary
#include "block.inc"

.macro BLOCK_SINGLE name, mode
    FUNCTION \name
    push {r4-r11, lr}
    vpush {d8-d15}
    sub sp, #4
    str r0, [sp]
    ldr r1, [r0, #ARG_LAST]
    vctp.8 r1
    add r1, r0, #ARG_OFFSETS
    vldrh.u16 q6, [r1]
    ldrd r3, r5, [r0, #ARG_ZERO_POINT]
    ldr r7, [r0, #ARG_HIGH]
    ldr r11, [r0, #ARG_BLOCKS]
1:
    ldmia r0, {r2, r4, r6, r8}
    ldrd r10, r12, [r0, #ARG_INPUT_BYTES]
    ldr r9, [r0, #ARG_STREAM]
    vpstttt
    vldrbt.u8 q0, [r2]
    vldrbt.u8 q1, [r4]
    vldrbt.u8 q2, [r6]
    vldrbt.u8 q3, [r8]
    add r2, r2, r10
    add r4, r4, r10
    add r6, r6, r10
    add r8, r8, r10
    stmia r0, {r2, r4, r6, r8}
    ldr r1, [r0, #ARG_OUTPUT]
    add r12, r12, r1
    str r12, [r0, #ARG_OUTPUT]
2:
    WEIGHTS q4, q5
    MULTIPLY vmladav, q4, q5
    SUMS_TO_LANES q4, q5
    PAIR_RESULTS \mode, q4, q5, r3, r5, r7, q7
    vstrb.16 q4, [r1, q6]
    add r1, r1, r4, lsr #8
    IS_LAST_PAIR \mode
    bmi 2b
    ldr r0, [sp]
    subs r11, #1
    bne 1b
    add sp, #4
    vpop {d8-d15}
    pop {r4-r11, pc}
    .size \name, . - \name
.endm

    BLOCK_SINGLE KERNEL(single_hidden), MODE_HIDDEN
    BLOCK_SINGLE KERNEL(single_linear), MODE_LINEAR
    BLOCK_SINGLE KERNEL(single_general), MODE_GENERAL
