@ Depthwise over strips in groups of four rows: one step, so the weights stay in registers. See strips.inc.
@
@ Registers   r5 r7 output rows   r11 bytes from one block to the next in the output
#include "strips.inc"

.equ F_ARGUMENTS, 0
.equ FRAME, 8

.equ DEPTH, 4
.equ WEIGHT_BYTES, 16

.macro SET_UP pair
    ldr r11, [r0, #ARG_STEP]
.endm

.macro BEGIN_ROWS
.endm

.macro BEGIN_CHANNEL pair
    vldrw.u32 q4, [r9], #WEIGHT_BYTES
.if \pair
    vshl.i32 q5, q4, #8
.endif
.endm

.macro BLOCK mode, pair, stride
    SUMS vmladav, \pair, r1, DEPTH * \stride
    RESULTS \mode, r9
    STORE \pair, r11
.endm

.macro END_CHANNEL mode, pair
.if \mode == MODE_GENERAL
    add r9, #16
.else
    add r9, #12
.endif
    add r5, #1
.if \pair
    add r7, #1
.endif
.endm

    KERNELS d4
