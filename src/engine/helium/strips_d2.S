@ Depthwise over strips in groups of two rows: one to four steps, by a jump into three copies behind the first. See strips.inc.
@
@ Registers   r5 data of a step, then the first output row   r7 its weights, then the second row   r11 bytes of a row group
#include "strips.inc"

@ The output rows and the bytes between blocks lie first: one load fetches them.
.equ F_ROWS, 0
.equ F_STEP, 8
.equ F_ENTRY, 12
.equ F_ARGUMENTS, 16

.equ COPIES, 3

.macro STEP_D2 operation, pair, stride
    vldrb.u8 q4, [r7], #16
.if \pair
    vldrb.u8 q5, [r7], #16
.endif
    SUMS \operation, \pair, r5, 2 * \stride
    add.w r5, r5, r11
.endm

.macro STRIPS_D2 name, mode, pair, stride
    ENTER \name, 24
    ldr r11, [r0, #ARG_GROUP_BYTES]
    ldr r1, [r0, #ARG_STEP]
    str r1, [sp, #F_STEP]
    ldr r1, [r0, #ARG_STEPS]
    subs r1, #1
    mov r2, #4 * (18 - 3 * \pair)       @ bytes of a copy
    mul r1, r1, r2
    adr.w r2, 5f
    subs r2, r2, r1
    orr r2, #1
    str r2, [sp, #F_ENTRY]
1:
    BEGIN_PASS \pair
    strd r5, r7, [sp, #F_ROWS]
2:
    ldr r3, [r0, #ARG_BLOCKS]
    add r2, r0, #ARG_OFFSETS
    vldrw.u32 q6, [r2]
3:
    mov r5, r1
    mov r7, r9
    STEP_D2 vmladav, \pair, \stride
    ldr pc, [sp, #F_ENTRY]
    .align 2
.rept COPIES
    STEP_D2 vmladava, \pair, \stride
.endr
5:
    RESULTS \mode, r7!
    mov r10, r7
    ldmia sp, {r5, r7, r8}
    STORE \pair, r8
    add r1, #2 * \stride * (8 - 4 * \pair)
    subs r3, #1
    bgt 3b
    LAST_BLOCK \pair, 3b, 4f
4:
    ldr r0, [sp, #F_ARGUMENTS]
    mov r9, r10
    ldr r2, [r0, #ARG_NEXT]
    ldr r4, [r0, #ARG_STREAM_END]
    add r1, r2
    add r5, #1
    add r7, #1
    strd r5, r7, [sp, #F_ROWS]
    cmp r9, r4
    bne 2b
    ldr r2, [r0, #ARG_PASSES]
    subs r2, #1
    str r2, [r0, #ARG_PASSES]
    bne.w 1b
    LEAVE \name, 24
.endm

    STRIPS_D2 tn_helium_strips_pair_d2_hidden, MODE_HIDDEN, 1, 1
    STRIPS_D2 tn_helium_strips_pair_d2_linear, MODE_LINEAR, 1, 1
    STRIPS_D2 tn_helium_strips_pair_d2_general, MODE_GENERAL, 1, 1
    STRIPS_D2 tn_helium_strips_row1_d2_hidden, MODE_HIDDEN, 0, 1
    STRIPS_D2 tn_helium_strips_row1_d2_linear, MODE_LINEAR, 0, 1
    STRIPS_D2 tn_helium_strips_row1_d2_general, MODE_GENERAL, 0, 1
    STRIPS_D2 tn_helium_strips_row2_d2_hidden, MODE_HIDDEN, 0, 2
    STRIPS_D2 tn_helium_strips_row2_d2_linear, MODE_LINEAR, 0, 2
    STRIPS_D2 tn_helium_strips_row2_d2_general, MODE_GENERAL, 0, 2
