@ Depthwise over strips in groups of two rows: one to four steps, by a jump into three copies behind the first. See strips.inc.
@
@ Registers   r5 data of a step, then the first output row   r7 its weights, then the second row   r11 bytes of a row group
#include "strips.inc"

@ The output rows and the bytes between blocks lie first: one load fetches them.
.equ F_ROWS, 0
.equ F_STEP, 8
.equ F_ENTRY, 12
.equ F_ARGUMENTS, 16
.equ FRAME, 24

.equ DEPTH, 2
.equ COPIES, 3

.macro SET_UP pair
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
.endm

.macro BEGIN_ROWS
    strd r5, r7, [sp, #F_ROWS]
.endm

.macro BEGIN_CHANNEL pair
.endm

.macro STEP operation, pair, stride
    vldrb.u8 q4, [r7], #16
.if \pair
    vldrb.u8 q5, [r7], #16
.endif
    SUMS \operation, \pair, r5, 2 * \stride
    add.w r5, r5, r11
.endm

.macro BLOCK mode, pair, stride
    mov r5, r1
    mov r7, r9
    STEP vmladav, \pair, \stride
    ldr pc, [sp, #F_ENTRY]
    .align 2
.rept COPIES
    STEP vmladava, \pair, \stride
.endr
5:
    RESULTS \mode, r7!
    mov r10, r7
    ldmia sp, {r5, r7, r8}
    STORE \pair, r8
.endm

.macro END_CHANNEL mode, pair
    mov r9, r10
    add r5, #1
    add r7, #1
    strd r5, r7, [sp, #F_ROWS]
.endm

    KERNELS d2
