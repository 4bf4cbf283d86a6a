@ void tn_dsp_unpack_nhwc_s4(const tn_dsp_unpack* arguments)
@
@ tn_dsp_unpack_nhwc for values of 4 bits: four neighbouring channels of a column are a halfword in memory. The strips hold the
@ unsigned value plus 8.
@
@ Registers   r0 row   r1 bytes of a pixel   r2, r3, r10, r11 write pointers   r12 pairs left   r4-r8 data   r9 mask
@             lr arguments
#include "unpack_nhwc.inc"

@ A word of two columns' nibbles to a word in each strip.
.macro NIBBLES source
    and r5, r9, \source
    and r6, r9, \source, lsr #4
    and r7, r9, \source, lsr #8
    and r8, r9, \source, lsr #12
.endm

    BEGIN tn_dsp_unpack_nhwc_s4
    mov r9, #0x000F000F
    ROW
    cmp r12, #0
    beq .Lodd
.Lpairs:
    ldrh r5, [r0, r1]
    ldrh r4, [r0]
    add r0, r0, r1, lsl #1
    orr r4, r4, r5, lsl #16
    eor r4, r4, #0x88888888
    NIBBLES r4
    str r5, [r2], #4
    str r6, [r3], #4
    str r7, [r10], #4
    str r8, [r11], #4
    subs r12, #1
    bne .Lpairs
    ODD
    ldrh r4, [r0]
    ldr r12, [lr, #ARG_PADDING]
    eor r4, r4, #0x88888888
    NIBBLES r4
    pkhbt r5, r5, r12
    pkhbt r6, r6, r12
    pkhbt r7, r7, r12
    pkhbt r8, r8, r12
    str r5, [r2]
    str r6, [r3]
    str r7, [r10]
    str r8, [r11]
    END tn_dsp_unpack_nhwc_s4
