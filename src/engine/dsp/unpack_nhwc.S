@ void tn_dsp_unpack_nhwc(const int8_t* source, int32_t pixel_bytes, int16_t* strip, int32_t strip_bytes, int32_t pairs)
@
@ Four neighbouring channels of two columns are two words in memory; they become one word, two halfwords, in each of four strips:
@
@        source   c0 c1 c2 c3 | ... | c0' c1' c2' c3'        strips   c0 c0' | c1 c1' | c2 c2' | c3 c3'
@
@ Registers   r0 source   r1 pixel_bytes   r2, r3, r10, r11 write pointers   r12 pairs left   r4-r9 data
.syntax unified
.thumb
.text

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

    .global tn_dsp_unpack_nhwc
    .type tn_dsp_unpack_nhwc, %function
    .thumb_func
    .align 2
tn_dsp_unpack_nhwc:
    push {r4-r11, lr}
    ldr r12, [sp, #36]
    mov r4, r3
    add r3, r2, r4
    add r10, r3, r4
    add r11, r10, r4
    tst r12, #1
    beq .Leven
    PAIR
    subs r12, #1
    beq .Lend
.Leven:
    PAIR
    PAIR
    subs r12, #2
    bne .Leven
.Lend:
    pop {r4-r11, pc}
    .size tn_dsp_unpack_nhwc, . - tn_dsp_unpack_nhwc
