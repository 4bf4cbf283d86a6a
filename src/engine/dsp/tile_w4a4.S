@ void tn_dsp_tile_w4a4(const tn_dsp_tile* tile)
@
@ Pointwise convolutions with weights, inputs and outputs of 4 bits: 4 output channels x 4 pixels, or x 1 for the pixels at the
@ end. A halfword holds two weights, so that an SMLAD makes four MACs.
@
@ Data
@   tile      as in tile.S; the two halfwords of a step are inputs plus 8 (gather_s4.S)
@   weights   the number of chunks in a group, the way of storing; then per four output channels ("quad") QUAD_HEADER words, the
@             start words of every group, then a word for every step: eight nibbles w + 8 in the order that EXPAND undoes
@   expanded  for the steps of a quad two words each: halfwords w0 + 4096 * w1 and w2 + 4096 * w3
@
@   word of the header   0    1    2    3    4    5    6    7    8               9        10      11   12   13   14   15   16
@                        m_0  c_0  m_1  c_1  m_2  c_2  m_3  c_3  shift of 0, 1   of 2, 3  place   l_0  l_2  d_0  d_1  d_2  d_3
@     place: bytes from a pixel's address; l: where A0 starts, scaled by 2^16
@
@ Sums: an accumulator holds S = 4096 * A1 + change of A0, exact as an integer; channel 0's change must be found in it.
@ Steps run in chunks of 16, chunks in groups. Within a group A0 changes by less than 2048 either way (the offline side proves
@ it: 16 steps of weights up to 7 change it by 32 * 7 * 8 = 1792 at most), so the low 12 bits of S, taken as signed, are the
@ change: a group's end moves it from S to A0 ("drain"). A group's start words are -8 * (4096 * W1 + W0), W the sums of its
@ weights: what the inputs' 8 adds; the first group's also hold what A1 starts from.
@
@ Ways of storing: y's upper halfword, saturated to 0..15, is the output plus 8
@   0 one group    A0 is S << 20, scaled by 2^20, A1 shifted as the header says      y = (sum * m >> 32) + c
@   1 groups       A0 is kept scaled by 2^16, A1 becomes so                           y as before
@   2 linear       as 1, sums with their bias                                         y = (sum * m >> 32) + c + (sum < 0 ? d : 0)
@ The offline side has found m, c and d by the 15 sums at which TensorFlow Lite's output changes.
@
@ Registers in a block
@   r0-r3   a step's pixels            r4-r7  S of channels 0, 1, pixels 0..3       r8-r11  S of channels 2, 3
@   r12     weights                    lr     read pointer in the tile
@   s0-s31  weights of up to 16 steps
@
@ The first (steps - 1) % 16 + 1 steps run first, entered by a computed jump; then 16 at a time.

.equ UNROLL, 16
.equ QUAD_HEADER, 17

@ Fields of tn_dsp_tile (dsp.h).
.equ ARG_EXPANDED, 28

@ Stack frame.
.equ F_START, 0         @ what the accumulators start from, 8 words
.equ F_LOW, 32          @ A0, scaled by 2^16: channels 0 and 2 of pixels 0..3
.equ F_DISPATCH, 64     @ what follows the steps of a block of four: the code that stores, or .Lmore4 while chunks are missing
.equ F_DISPATCH_ONE, 68
.equ F_ENTRY, 72        @ where a block enters its steps, or .Lreload when the weights do not all stay in registers or A0 is kept
.equ F_STEPS, 76
.equ F_ENTRY_ONE, 80
.equ F_STEPS_ONE, 84
.equ F_MORE, 88         @ further chunks of every block
.equ F_CHUNKS, 92       @ that this block still needs
.equ F_FIRST, 96        @ 32 words that end with the first chunk
.equ F_NEXT, 100        @ the next chunk
.equ F_HEADER, 104      @ of this quad
.equ F_QUADS, 108       @ quads left
.equ F_TILE, 112
.equ F_BLOCKS_END, 116  @ of the tile's blocks of four
.equ F_END, 120         @ of the tile
.equ F_GROUP, 124       @ chunks of a group
.equ F_UNTIL, 128       @ chunks until the next drain
.equ F_STARTS, 132      @ start words of the next group
.equ F_STORE, 136       @ F_DISPATCH and F_DISPATCH_ONE behind the last chunk
.equ F_STORE_ONE, 140
.equ F_READ, 144        @ lr while a block is stored
.equ F_NUMBER, 148      @ of steps
.equ F_EXPANDED, 152
.equ F_HEADER_BYTES, 156 @ of header and start words
.equ F_AFTER, 160       @ header of the next quad
.equ F_BEHIND, 164      @ F_DISPATCH and F_DISPATCH_ONE behind the first chunk
.equ F_BEHIND_ONE, 168
.equ FRAME, 176

.syntax unified
.thumb
.text

#include "mac.inc"

@ S of the channels 0 and 1, and of 2 and 3, by pixel.
lo0 .req r4
lo1 .req r5
lo2 .req r6
lo3 .req r7
hi0 .req r8
hi1 .req r9
hi2 .req r10
hi3 .req r11

@ One step; `first` the number of its first weight register. Every instruction takes 4 bytes: entries are computed.
.macro STEP count, first, second
  .if \count == 1
    ldr.w x0, [lr], #4
  .else
    ldmia.w lr!, {r0, r1, r2, r3}
  .endif
    vmov r12, s\first
    MAC \count, lo, r12
    vmov r12, s\second
    MAC \count, hi, r12
.endm

@ The change that the sum `acc` holds, moved to `low` = A0, scaled by 2^16.
.macro BRING_UP low, acc, temporary
    lsl \temporary, \acc, #20
    add \low, \low, \temporary, asr #4
    sub \acc, \acc, \temporary, asr #20
.endm

@ The end of a group that is not the last, for two pixels or one. `start`: the next one's start word.
.macro DRAIN_TWO first, second, slot, start
    ldrd r0, r1, [sp, #F_LOW + \slot]
    BRING_UP r0, \first, r12
    BRING_UP r1, \second, r12
    strd r0, r1, [sp, #F_LOW + \slot]
    add \first, \first, \start
    add \second, \second, \start
.endm
.macro DRAIN count, acc, slot, start
  .if \count == 1
    ldr r0, [sp, #F_LOW + \slot]
    BRING_UP r0, \acc\()0, r12
    str r0, [sp, #F_LOW + \slot]
    add \acc\()0, \acc\()0, \start
  .else
    DRAIN_TWO \acc\()0, \acc\()1, \slot, \start
    DRAIN_TWO \acc\()2, \acc\()3, \slot + 8, \start
  .endif
.endm

@ Two channels of a pixel, y_0 in `low` and y_1 in `acc`, as halfwords 0..15 in `acc`.
.macro PACK acc, low
    pkhtb \acc, \acc, \low, asr #16
    usat16 \acc, #4, \acc
.endm

@ Ways 0 and 1: two channels of every pixel to halfwords in acc<p>. `pair` is 0 or 1.
.macro HIDDEN count, acc, pair, way
    ldr r12, [sp, #F_HEADER]
    ldrd r2, r3, [r12, #16 * \pair]
  .if \way == 0
    ldr r1, [r12, #32 + 4 * \pair]
  .endif
    ldrd r12, lr, [r12, #16 * \pair + 8]
  .irp p, 0, 1, 2, 3
    .if \p < \count
      .if \way == 0
        lsl r0, \acc\p, #20
        sub \acc\p, \acc\p, r0, asr #20
        lsl \acc\p, \acc\p, r1
        smmla r0, r0, r2, r3
      .else
        ldr r1, [sp, #F_LOW + 16 * \pair + 4 * \p]
        BRING_UP r1, \acc\p, r0
        lsl \acc\p, \acc\p, #4
        smmla r0, r1, r2, r3
      .endif
      smmla \acc\p, \acc\p, r12, lr
      PACK \acc\p, r0
    .endif
  .endr
.endm

@ sum = y. r2, r3, lr: m, c, d of the channel. Uses r12.
.macro SCALE_SIGNED sum
    and r12, lr, \sum, asr #31
    add r12, r12, r3
    smmla \sum, \sum, r2, r12
.endm
.macro SCALING pair, channel
    ldr lr, [sp, #F_HEADER]
    ldrd r2, r3, [lr, #16 * \pair + 8 * \channel]
    ldr lr, [lr, #52 + 8 * \pair + 4 * \channel]
.endm

@ Way 2 for one or two pixels.
.macro LINEAR_SOME pair, slot, accs:vararg
    LINEAR_LOW \pair, \slot, \accs
    LINEAR_HIGH \pair, \accs
.endm
.macro LINEAR_LOW pair, slot, first, second
    SCALING \pair, 0
  .ifb \second
    ldr r0, [sp, #F_LOW + \slot]
  .else
    ldrd r0, r1, [sp, #F_LOW + \slot]
    BRING_UP r1, \second, r12
    SCALE_SIGNED r1
  .endif
    BRING_UP r0, \first, r12
    SCALE_SIGNED r0
.endm
.macro LINEAR_HIGH pair, first, second
    SCALING \pair, 1
    lsl \first, \first, #4
    SCALE_SIGNED \first
    PACK \first, r0
  .ifnb \second
    lsl \second, \second, #4
    SCALE_SIGNED \second
    PACK \second, r1
  .endif
.endm
.macro LINEAR count, acc, pair
  .if \count == 1
    LINEAR_SOME \pair, 16 * \pair, \acc\()0
  .else
    LINEAR_SOME \pair, 16 * \pair, \acc\()0, \acc\()1
    LINEAR_SOME \pair, 16 * \pair + 8, \acc\()2, \acc\()3
  .endif
.endm

@ Four channels of every pixel as one halfword to its address.
.macro STORE count
    ldr lr, [sp, #F_READ]
    ldr r12, [sp, #F_HEADER]
  .if \count == 1
    ldr x0, [lr], #4
  .else
    ldmia lr!, {r0-r3}
  .endif
    ldr r12, [r12, #40]
  .irp p, 0, 1, 2, 3
    .if \p < \count
      orr lo\p, lo\p, hi\p, lsl #8
      orr lo\p, lo\p, lo\p, lsr #12
      eor lo\p, lo\p, #0x88888888
      strh lo\p, [x\p, r12]
    .endif
  .endr
.endm

@ A block of `count` pixels.
.macro BLOCK count, entry, steps_entry, dispatch, store, behind
  .if \count == 1
    ldr lo0, [sp, #F_START]
    ldr hi0, [sp, #F_START + 16]
  .else
    ldmia sp, {r4-r11}
  .endif
    ldr pc, [sp, #\entry]
    .align 2
.Lreload\count:
    ldr r12, [sp, #F_FIRST]
    ldr r0, [sp, #F_MORE]
    ldr r1, [sp, #F_GROUP]
    ldr r2, [sp, #F_HEADER]
    ldr r3, [sp, #\behind]
    vldmia r12!, {s0-s31}
    str r12, [sp, #F_NEXT]
    str r0, [sp, #F_CHUNKS]
    str r3, [sp, #\dispatch]
    ldr r0, [r2, #44]!
    ldr r3, [r2, #4]
    add r2, r2, #4 * QUAD_HEADER - 44 + 8
    strd r1, r2, [sp, #F_UNTIL]
    strd r0, r0, [sp, #F_LOW]
    strd r0, r0, [sp, #F_LOW + 8]
    strd r3, r3, [sp, #F_LOW + 16]
    strd r3, r3, [sp, #F_LOW + 24]
    ldr pc, [sp, #\steps_entry]
    .align 2
.Lsteps\count:
    STEP \count, 0, 1
    STEP \count, 2, 3
    STEP \count, 4, 5
    STEP \count, 6, 7
    STEP \count, 8, 9
    STEP \count, 10, 11
    STEP \count, 12, 13
    STEP \count, 14, 15
    STEP \count, 16, 17
    STEP \count, 18, 19
    STEP \count, 20, 21
    STEP \count, 22, 23
    STEP \count, 24, 25
    STEP \count, 26, 27
    STEP \count, 28, 29
    STEP \count, 30, 31
    ldr pc, [sp, #\dispatch]
    .align 2
.Lmore\count:
    ldrd r0, r1, [sp, #F_UNTIL]
    subs r0, #1
    bne .Lload\count
    ldrd r2, r3, [r1], #8
    str r1, [sp, #F_STARTS]
    DRAIN \count, lo, 0, r2
    DRAIN \count, hi, 16, r3
    ldr r0, [sp, #F_GROUP]
.Lload\count:
    ldr r12, [sp, #F_NEXT]
    ldr r1, [sp, #F_CHUNKS]
    vldmia r12!, {s0-s31}
    str r0, [sp, #F_UNTIL]
    subs r1, #1
    str r12, [sp, #F_NEXT]
    str r1, [sp, #F_CHUNKS]
    bne.w .Lsteps\count
    ldr r0, [sp, #\store]
    str r0, [sp, #\dispatch]
    b.w .Lsteps\count
.Lone_group\count:
    str lr, [sp, #F_READ]
    HIDDEN \count, lo, 0, 0
    HIDDEN \count, hi, 1, 0
    b.w .Lstore\count
.Lgroups\count:
    str lr, [sp, #F_READ]
    HIDDEN \count, lo, 0, 1
    HIDDEN \count, hi, 1, 1
    b.w .Lstore\count
.Llinear\count:
    str lr, [sp, #F_READ]
    LINEAR \count, lo, 0
    LINEAR \count, hi, 1
.Lstore\count:
    STORE \count
.endm

@ A packed word as the two words of a step.
.macro EXPAND source, first, second
    and \first, r10, \source
    and \second, r10, \source, ror #8
    ssub16 \first, \first, r11
    ssub16 \second, \second, r11
.endm

    .global tn_dsp_tile_w4a4
    .type tn_dsp_tile_w4a4, %function
    .thumb_func
    .align 2
tn_dsp_tile_w4a4:
    push {r4-r11, lr}
    vpush {s16-s31}
    sub sp, #FRAME
    ldr r10, [r0, #ARG_EXPANDED]
    ldmia r0, {r4-r9}               @ tile, weights, steps, quads, blocks, singles
    ldrd r11, r12, [r5], #8         @ chunks in a group, way of storing
    str r4, [sp, #F_TILE]
    strd r5, r7, [sp, #F_HEADER]
    str r11, [sp, #F_GROUP]
    adds r0, r6, #1                 @ words of a pixel in a block
    mul r1, r0, r8
    add r4, r4, r1, lsl #4
    mul r1, r0, r9
    add r9, r4, r1, lsl #2
    strd r4, r9, [sp, #F_BLOCKS_END]
    @ steps = 16 * more + first; unused = 16 - first
    subs r0, r6, #1
    lsrs r1, r0, #4
    bic r2, r0, r1, lsl #4
    rsb r2, r2, #UNROLL - 1
    add r3, r10, r2, lsl #3
    str r1, [sp, #F_MORE]
    str r10, [sp, #F_FIRST]
    strd r6, r3, [sp, #F_NUMBER]
    add r3, r1, r11
    udiv r3, r3, r11                @ groups
    movs r4, #4 * QUAD_HEADER
    add r4, r4, r3, lsl #3
    str r4, [sp, #F_HEADER_BYTES]
    adr.w r0, .Lsteps4 + 1          @ Thumb
    adr.w r3, .Lways
    add r3, r3, r12, lsl #2
    ldrh r6, [r3]
    ldrh r7, [r3, #2]
    add r6, r6, r0
    add r7, r7, r0
    strd r6, r7, [sp, #F_STORE]
    strd r6, r7, [sp, #F_DISPATCH]
    movs r3, #(3 + 2 * 4) * 4       @ bytes of a step
    mla r4, r2, r3, r0
    movs r3, #(3 + 2 * 1) * 4
    movw r5, #:lower16:(.Lsteps1 - .Lsteps4)
    add r5, r5, r0
    mla r5, r2, r3, r5
    str r4, [sp, #F_STEPS]
    str r5, [sp, #F_STEPS_ONE]
    cbz r1, 1f
    movw r6, #:lower16:(.Lmore4 - .Lsteps4)
    movw r7, #:lower16:(.Lmore1 - .Lsteps4)
    add r6, r6, r0
    add r7, r7, r0
1:  str r6, [sp, #F_BEHIND]
    str r7, [sp, #F_BEHIND_ONE]
    orrs r1, r1, r12
    beq 2f
    adr.w r4, .Lreload4 + 1
    movw r5, #:lower16:(.Lreload1 - .Lsteps4)
    add r5, r5, r0
2:  str r4, [sp, #F_ENTRY]
    str r5, [sp, #F_ENTRY_ONE]
    b.n .Lquad
    .align 2
.Lways:
    .short .Lone_group4 - .Lsteps4, .Lone_group1 - .Lsteps4
    .short .Lgroups4 - .Lsteps4, .Lgroups1 - .Lsteps4
    .short .Llinear4 - .Lsteps4, .Llinear1 - .Lsteps4

.Lquad:
    ldr r12, [sp, #F_HEADER]
    ldr r0, [sp, #F_HEADER_BYTES]
    ldrd r1, r2, [r12, #4 * QUAD_HEADER]
    strd r1, r1, [sp, #F_START]
    strd r1, r1, [sp, #F_START + 8]
    strd r2, r2, [sp, #F_START + 16]
    strd r2, r2, [sp, #F_START + 24]
    add r12, r12, r0
    ldrd r3, lr, [sp, #F_NUMBER]
    movw r10, #0xF00F
    movt r10, #0xF00F
    movw r11, #0x8008
    movt r11, #0x8008
.Lexpand:
    ldmia r12!, {r4, r5}
    EXPAND r4, r6, r7
    EXPAND r5, r8, r9
    stmia lr!, {r6-r9}
    ldmia r12!, {r4, r5}
    EXPAND r4, r6, r7
    EXPAND r5, r8, r9
    stmia lr!, {r6-r9}
    subs r3, #4
    bne .Lexpand
    str r12, [sp, #F_AFTER]
    ldr r12, [sp, #F_FIRST]
    ldr lr, [sp, #F_TILE]
    vldmia r12, {s0-s31}
    ldr r0, [sp, #F_BLOCKS_END]
    cmp r0, lr
    beq.w .Lsingles
.Lblock:
    BLOCK 4, F_ENTRY, F_STEPS, F_DISPATCH, F_STORE, F_BEHIND
    ldr r0, [sp, #F_BLOCKS_END]
    cmp r0, lr
    bne.w .Lblock
.Lsingles:
    ldr r0, [sp, #F_END]
    cmp r0, lr
    beq.w .Lquad_done
    BLOCK 1, F_ENTRY_ONE, F_STEPS_ONE, F_DISPATCH_ONE, F_STORE_ONE, F_BEHIND_ONE
    b.w .Lsingles
.Lquad_done:
    ldr r0, [sp, #F_AFTER]
    ldr r1, [sp, #F_QUADS]
    str r0, [sp, #F_HEADER]
    subs r1, #1
    str r1, [sp, #F_QUADS]
    bne.w .Lquad
    add sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}
    .size tn_dsp_tile_w4a4, . - tn_dsp_tile_w4a4
