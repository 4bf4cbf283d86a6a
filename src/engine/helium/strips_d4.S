@ Depthwise over strips in groups of four rows: one step, so the weights stay in registers. See strips.inc.
@
@ Registers   r5 r7 output rows   r11 bytes from one block to the next in the output
#include "strips.inc"

.equ F_ARGUMENTS, 0

.equ WEIGHT_BYTES, 16

.macro STRIPS_D4 name, mode, pair, stride
    ENTER \name, 8
    ldr r11, [r0, #ARG_STEP]
1:
    BEGIN_PASS \pair
2:
    vldrw.u32 q4, [r9], #WEIGHT_BYTES
.if \pair
    vshl.i32 q5, q4, #8
.endif
    ldr r3, [r0, #ARG_BLOCKS]
    add r2, r0, #ARG_OFFSETS
    vldrw.u32 q6, [r2]
3:
    SUMS vmladav, \pair, r1, 4 * \stride
    RESULTS \mode, r9
    STORE \pair, r11
    add r1, #4 * \stride * (8 - 4 * \pair)
    subs r3, #1
    bgt 3b
    LAST_BLOCK \pair, 3b, 4f
4:
    ldr r0, [sp, #F_ARGUMENTS]
    ldr r2, [r0, #ARG_NEXT]
    ldr r4, [r0, #ARG_STREAM_END]
.if \mode == MODE_GENERAL
    add r9, #16
.else
    add r9, #12
.endif
    add r1, r2
    add r5, #1
.if \pair
    add r7, #1
.endif
    cmp r9, r4
    bne 2b
    ldr r2, [r0, #ARG_PASSES]
    subs r2, #1
    str r2, [r0, #ARG_PASSES]
    bne 1b
    LEAVE \name, 8
.endm

    STRIPS_D4 tn_helium_strips_pair_d4_hidden, MODE_HIDDEN, 1, 1
    STRIPS_D4 tn_helium_strips_pair_d4_linear, MODE_LINEAR, 1, 1
    STRIPS_D4 tn_helium_strips_pair_d4_general, MODE_GENERAL, 1, 1
    STRIPS_D4 tn_helium_strips_row1_d4_hidden, MODE_HIDDEN, 0, 1
    STRIPS_D4 tn_helium_strips_row1_d4_linear, MODE_LINEAR, 0, 1
    STRIPS_D4 tn_helium_strips_row1_d4_general, MODE_GENERAL, 0, 1
    STRIPS_D4 tn_helium_strips_row2_d4_hidden, MODE_HIDDEN, 0, 2
    STRIPS_D4 tn_helium_strips_row2_d4_linear, MODE_LINEAR, 0, 2
    STRIPS_D4 tn_helium_strips_row2_d4_general, MODE_GENERAL, 0, 2
