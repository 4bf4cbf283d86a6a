@ const uint32_t* tn_dsp_expand(const uint32_t* packed, uint32_t* words, int32_t pairs, int32_t steps)
@
@ Pairs of output channels with weights of 4 bits, as tn_dsp_tile_run wants them: the header as it is, then for two steps one
@ word, whose even nibbles are the first step's bytes and whose odd ones are the second's, each weight plus 8:
@
@        packed    o1' o1 e1' e1 | o0' o0 e0' e0     (nibbles; ' the second step)
@        & 0F0F0F0F              ->  o1 e1 o0 e0     (bytes)     less 8 in every byte: halfwords e + 256 * o
@        >> 4 & 0F0F0F0F         ->  o1' e1' o0' e0'
@
@ Returns what follows the pairs. 11 instructions for four steps (16 weights).
@
@ Registers   r0 packed   r1 words   r2 pairs left   r3 steps   r10, r11 masks   r12 steps left
.syntax unified
.thumb
.text

@ \source -> two steps in \first and \second
.macro TWO_STEPS source, first, second
    and \first, r10, \source
    and \second, r10, \source, lsr #4
    ssub16 \first, \first, r11
    ssub16 \second, \second, r11
.endm

    .global tn_dsp_expand
    .type tn_dsp_expand, %function
    .thumb_func
    .align 2
tn_dsp_expand:
    push {r4-r11, lr}
    mov r10, #0x0F0F0F0F
    mov r11, #0x08080808
.Lpair:
    ldmia r0!, {r4-r8}              @ the header, 10 words
    stmia r1!, {r4-r8}
    ldmia r0!, {r4-r8}
    stmia r1!, {r4-r8}
    subs r12, r3, #8
    blt .Lfew
.Leight:
    ldmia r0!, {r4, r5}
    TWO_STEPS r4, r6, r7
    TWO_STEPS r5, r8, r9
    stmia r1!, {r6-r9}
    ldmia r0!, {r4, r5}
    TWO_STEPS r4, r6, r7
    TWO_STEPS r5, r8, r9
    stmia r1!, {r6-r9}
    subs r12, #8
    bge .Leight
.Lfew:
    adds r12, #8
    beq .Lnext
.Ltwo:
    ldr r4, [r0], #4
    TWO_STEPS r4, r6, r7
    str r6, [r1], #4
    cmp r12, #1
    beq .Lnext
    str r7, [r1], #4
    subs r12, #2
    bgt .Ltwo
.Lnext:
    subs r2, #1
    bne .Lpair
    pop {r4-r11, pc}
    .size tn_dsp_expand, . - tn_dsp_expand
