@ void tn_dsp_tile_w16(const tn_dsp_tile* tile)
@
@ As tile.S for matrices of at most UNROLL steps whose results go to planar rows: 2 output channels x 4 pixels, blocks alone.
@ Weights have 16 bits, shifted left so that one fixed shift ends the requantisation, as in lanes.inc. It takes no shifts by
@ channel and no separating of two channels' sums, and all weights of a pair stay in registers.
@
@ Data
@   tile     as tile.S's
@   weights  per pair of output channels a header, then two words for every step: the odd channel's weights, the even one's
@
@   word of the header   0     1     2    3    4    5    6                                               7
@                        bias  bias  m_e  c_e  m_o  c_o  place: bytes from a pixel's address to the       0 to store words,
@                        even  odd                       even channel                                    1 byte by byte
@
@ Registers in a block
@   r0-r3   a step's pixels      r4-r7  sums of the odd channel, pixels 0..3      r8-r11  of the even one
@   r12     weights              lr     read pointer in the tile                  s0-s31  weights, the last ones in s30, s31

.equ UNROLL, 16         @ TN_DSP_W16_STEPS of constants.h
.equ STEP_BYTES, 44
.equ HEADER_WORDS, 8
.equ SHIFT, 10

@ Stack frame.
.equ F_BIAS, 0          @ what the accumulators start from, 8 words
.equ F_SCALE, 32        @ words 2..5 of the header
.equ F_PLACE, 48        @ of the even channel, the odd one
.equ F_STORE, 56        @ code
.equ F_HEADER, 60       @ of this pair
.equ F_PAIRS, 64        @ pairs left
.equ F_TILE, 68
.equ F_END, 72          @ of the tile
.equ F_ENTRY, 76        @ where a block enters its steps
.equ F_UNUSED, 80       @ bytes of the registers that the weights leave unused
.equ F_PAIR_BYTES, 84   @ from one header to the next
.equ F_PLANE, 88
.equ FRAME, 92

.syntax unified
.thumb
.text

#include "pair.inc"

@ Steps, their weights in s<odd>, s<even>.
.macro STEPS odd, even, more:vararg
    ldmia.w lr!, {r0, r1, r2, r3}
    vmov r12, s\odd
    MAC 4, o, r12
    vmov r12, s\even
    MAC 4, e, r12
  .ifnb \more
    STEPS \more
  .endif
.endm

@ Values + 128 of four pixels; m, c of the channel at `scale`.
.macro REQUANTIZE acc, scale
    ldrd r0, r1, [sp, #\scale]
  .irp p, 0, 1, 2, 3
    smmla \acc\p, \acc\p, r0, r1
  .endr
  .irp p, 0, 1, 2, 3
    usat \acc\p, #8, \acc\p, asr #SHIFT
  .endr
.endm

@ A word in the order 0, 2, 1, 3.
.macro PACK a0, a1, a2, a3
    orr \a0, \a0, \a2, lsl #8
    orr \a1, \a1, \a3, lsl #8
    orr \a0, \a0, \a1, lsl #16
.endm

    .global tn_dsp_tile_w16
    .type tn_dsp_tile_w16, %function
    .thumb_func
    .align 2
tn_dsp_tile_w16:
    push {r4-r11, lr}
    vpush {s16-s31}
    sub sp, #FRAME
    ldmia r0, {r4-r10}              @ tile, weights, steps, pairs, blocks, singles, plane
    strd r5, r7, [sp, #F_HEADER]
    adds r0, r6, #1                 @ words of a pixel in a block
    mul r0, r0, r8
    add r0, r4, r0, lsl #4
    strd r4, r0, [sp, #F_TILE]
    rsb r2, r6, #UNROLL
    movs r3, #STEP_BYTES
    adr.w r0, .Lsteps + 1
    mla r0, r2, r3, r0
    lsls r2, r2, #3
    strd r0, r2, [sp, #F_ENTRY]
    adds r6, #HEADER_WORDS / 2
    lsls r6, r6, #3
    strd r6, r10, [sp, #F_PAIR_BYTES]
.Lpair:
    ldr r12, [sp, #F_HEADER]
    ldrd r10, r11, [sp, #F_UNUSED]  @ and pair bytes
    add r11, r11, r12
    str r11, [sp, #F_HEADER]
    ldmia r12!, {r0-r7}
    sub r12, r12, r10
    vldmia r12, {s0-s31}
    strd r1, r1, [sp, #F_BIAS]
    strd r1, r1, [sp, #F_BIAS + 8]
    strd r0, r0, [sp, #F_BIAS + 16]
    strd r0, r0, [sp, #F_BIAS + 24]
    adr.w r8, .Lwords + 1
    cbz r7, 1f
    adr.w r8, .Lbytes + 1
1:  ldr r7, [sp, #F_PLANE]
    add r7, r7, r6
    add r12, sp, #F_SCALE
    stmia r12, {r2-r8}
    ldr lr, [sp, #F_TILE]
.Lblock:
    ldmia sp, {r4-r11}
    ldr pc, [sp, #F_ENTRY]
    .align 2
.Lsteps:                            @ every instruction takes 4 bytes: the entry is computed
    STEPS 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    REQUANTIZE e, F_SCALE
    REQUANTIZE o, F_SCALE + 8
    ldr pc, [sp, #F_STORE]
    .align 2
.Lwords:
    ldr r12, [lr], #16
    ldrd r0, r1, [sp, #F_PLACE]
    PACK e0, e1, e2, e3
    PACK o0, o1, o2, o3
    str e0, [r12, r0]
    str o0, [r12, r1]
.Lnext:
    ldr r0, [sp, #F_END]
    cmp r0, lr
    bne.w .Lblock
    ldr r0, [sp, #F_PAIRS]
    subs r0, #1
    str r0, [sp, #F_PAIRS]
    bne.w .Lpair
    add sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}
    .align 2
.Lbytes:
    ldmia lr!, {r0-r3}
    STORE_EACH strb, e, F_PLACE
    STORE_EACH strb, o, F_PLACE + 4
    b .Lnext
    .size tn_dsp_tile_w16, . - tn_dsp_tile_w16
