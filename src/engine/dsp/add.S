@ void tn_dsp_add_words(const int8_t* first, const int8_t* second, int8_t* output, int32_t words, const int32_t* constants)
@
@ Four values a word: y = (first * A + second * B + C) >> 21, saturated to int8, A and B with 8 bits more. The offline side has
@ checked all 65,536 pairs of values against TensorFlow Lite's three roundings. A word's values become upper halves of lanes by
@ masking: (w << 8) & mask holds values 0 and 2, w & mask values 1 and 3; SMLAW multiplies by a lane and drops 16 bits.
@
@ Registers   r0, r1, r2 pointers   r3 end of first   r4 A   r5 B   r6 C   r7 mask   r8-r12 data
.syntax unified
.thumb
.text

    .global tn_dsp_add_words
    .type tn_dsp_add_words, %function
    .thumb_func
    .align 2
tn_dsp_add_words:
    push {r4-r11, lr}
    ldr r12, [sp, #36]
    ldm r12, {r4-r6}
    mov r7, #0xFF00FF00
    add r3, r0, r3, lsl #2
.Lfour:
    ldr r10, [r0], #4
    ldr r12, [r1], #4
    and r9, r7, r10, lsl #8
    and r11, r7, r12, lsl #8
    smlawb r8, r4, r9, r6
    smlawt r9, r4, r9, r6
    smlawb r8, r5, r11, r8
    smlawt r9, r5, r11, r9
    ssat r8, #8, r8, asr #21
    ssat r9, #8, r9, asr #21
    and r10, r7, r10
    and r12, r7, r12
    bfi r8, r9, #16, #8
    smlawb r9, r4, r10, r6
    smlawt r10, r4, r10, r6
    smlawb r9, r5, r12, r9
    smlawt r10, r5, r12, r10
    ssat r9, #8, r9, asr #21
    ssat r10, #8, r10, asr #21
    bfi r8, r9, #8, #8
    bfi r8, r10, #24, #8
    str r8, [r2], #4
    cmp r0, r3
    bne .Lfour
    pop {r4-r11, pc}
    .size tn_dsp_add_words, . - tn_dsp_add_words
