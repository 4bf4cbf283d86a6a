@ void tn_dsp_unpack_nhwc(const tn_dsp_unpack* arguments)
@
@ Four neighbouring channels of two columns are two words in memory; they become one word, two halfwords, in each of four strips:
@
@        row   c0 c1 c2 c3 | ... | c0' c1' c2' c3'        strips   c0 c0' | c1 c1' | c2 c2' | c3 c3'
@
@ for every row that is no padding. A last column without a neighbour inside the map gets the padding as its second half.
@
@ Registers   r0 row   r1 bytes of a pixel   r2, r3, r10, r11 write pointers   r12 pairs left   r4-r9 data   lr arguments
#include "unpack_nhwc.inc"

.macro PAIR
    ldr r5, [r0, r1]
    ldr r4, [r0]
    add r0, r0, r1, lsl #1
    sxtb16 r6, r4                   @ c0 c2
    sxtb16 r7, r5
    sxtb16 r4, r4, ror #8           @ c1 c3
    sxtb16 r5, r5, ror #8
    pkhbt r8, r6, r7, lsl #16
    pkhtb r7, r7, r6, asr #16
    pkhbt r9, r4, r5, lsl #16
    pkhtb r5, r5, r4, asr #16
    str r8, [r2], #4
    str r9, [r3], #4
    str r7, [r10], #4
    str r5, [r11], #4
.endm

    BEGIN tn_dsp_unpack_nhwc
    ROW
    tst r12, #1
    beq .Leven
    PAIR
    subs r12, #1
.Leven:
    cmp r12, #0
    beq .Lodd
.Lpairs:
    PAIR
    PAIR
    subs r12, #2
    bne .Lpairs
    ODD
    ldr r4, [r0]
    ldr r12, [lr, #ARG_PADDING]
    sxtb16 r6, r4
    sxtb16 r4, r4, ror #8
    pkhbt r8, r6, r12
    pkhtb r7, r12, r6, asr #16
    pkhbt r9, r4, r12
    pkhtb r5, r12, r4, asr #16
    str r8, [r2]
    str r9, [r3]
    str r7, [r10]
    str r5, [r11]
    END tn_dsp_unpack_nhwc
