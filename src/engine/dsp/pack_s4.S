@ void tn_dsp_pack_s4(const int8_t* wide, int8_t* output, int32_t count, int32_t stride)
@
@ `count` (>= 1) times four neighbouring channels, a word of int8 each, as a halfword of 4-bit values, `stride` bytes apart in
@ the output. What is packed is value + 120, saturated to -8..7: kernels of int8 that compute for it have a zero point less by
@ 120, so that their lower clamp is that of 4 bits.
.syntax unified
.thumb
.text

    .global tn_dsp_pack_s4
    .type tn_dsp_pack_s4, %function
    .thumb_func
    .align 2
tn_dsp_pack_s4:
    push {r4, lr}
.Lfour:
    ldr r12, [r0], #4
    eor r12, r12, #0x80808080       @ the value plus 8, saturated at the lower end
    uxtb16 r4, r12, ror #8
    uxtb16 r12, r12
    usat16 r4, #4, r4
    usat16 r12, #4, r12
    orr r12, r12, r4, lsl #4
    orr r12, r12, r12, lsr #8
    eor r12, r12, #0x88888888
    strh r12, [r1]
    add r1, r1, r3
    subs r2, #1
    bne .Lfour
    pop {r4, pc}
    .size tn_dsp_pack_s4, . - tn_dsp_pack_s4
