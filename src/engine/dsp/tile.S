@ void tn_dsp_tile_run(const tn_dsp_tile* tile)
@
@ The multiplying heart of pointwise and im2col convolutions: 2 output channels x 4 pixels, or x 1 for the pixels at the end.
@
@ Data
@   tile     gathered activations, int16: blocks of four pixels, then of one. A block of P pixels is, for every step, a word for
@            each pixel, the two input channels of that step, and behind the steps the P pixels' output addresses:
@                step 0: p0 p1 p2 p3 | step 1: p0 p1 p2 p3 | ... | addresses 0 1 2 3
@   weights  per pair of output channels PAIR_HEADER words, then a word for every step. Each halfword of a step's word holds
@            even + 256 * odd: two channels in two bytes. SXTB16 of the word gives `even` in both lanes. The products with the
@            raw word sum to E + 256 * O, those with the extracted word to E; their difference is 256 * O, whose scale the
@            requantisation absorbs. The offline side proves |O| < 2^23, and that no halfword overflows.
@
@   word of the header   0        1  2    3    4    5    6    7    8     9
@                        E+256 O  E  m_e  c_e  m_o  c_o  s_e  s_o  mode  place: bytes from a pixel's address to the even channel
@     universal modes:              m_e left m_o left zero clamp  (left: shift to the left, negative to the right;
@                                                                  clamp: low in the lower halfword, high in the upper)
@ Modes: how the two channels are requantised, and stored as pixels (nhwc)
@   0 hidden, odd channel shifted left    the lower clamp hides the sign term: y = (acc << s) * m + c, in the upper halfword
@   1 hidden, odd channel shifted right
@   2 linear                              y = (2 acc * m + c - [acc < 0], rounded) >> s
@   3 universal                           TensorFlow Lite's two roundings, any shift, any clamp
@   4 universal, and the pair has only its even channel
@ and stored in planar rows (plan.h)
@   5, 6 as 0, 1, four pixels as one word     7, 8, 9, 10 as 0, 1, 3, 4, byte by byte
@
@ Registers in a block
@   r0-r3   a step's pixels            r4-r7  E + 256 O of pixels 0..3       r8-r11  E of pixels 0..3
@   r12     a step's weights           lr     read pointer in the tile
@   s0-s31  weights of up to 32 steps: a VMOV from there needs no pointer
@
@ With more than 32 steps the first (steps - 1) % 32 + 1 run first, entered by a computed jump; then 32 at a time.

.equ UNROLL, 32
.equ PAIR_HEADER, 10

@ Fields of tn_dsp_tile (dsp.h).
.equ ARG_TILE, 0
.equ ARG_WEIGHTS, 4
.equ ARG_STEPS, 8
.equ ARG_PAIRS, 12
.equ ARG_BLOCKS, 16
.equ ARG_SINGLES, 20
.equ ARG_PLANE, 24

@ Stack frame.
.equ F_BIAS, 0          @ what the accumulators start from, 8 words
.equ F_SCALE, 32        @ words 2..7 of the header
.equ F_PLACE, 56        @ word 9 of the header; in planar rows also the odd channel's
.equ F_PLACE_ODD, 60
.equ F_DISPATCH, 64     @ what follows the steps of a block of four: the code of its mode, or .Lmore4 while chunks of weights
.equ F_DISPATCH_ONE, 68 @ are missing; the same of a block of one
.equ F_ENTRY, 72        @ where a block enters its steps, or .Lreload when the weights do not all stay in registers
.equ F_STEPS, 76
.equ F_ENTRY_ONE, 80
.equ F_STEPS_ONE, 84
.equ F_MORE, 88         @ further chunks of every block
.equ F_CHUNKS, 92       @ that this block still needs
.equ F_FIRST, 96        @ 32 words that end with the first chunk
.equ F_NEXT, 100        @ the next chunk
.equ F_HEADER, 104      @ of this pair
.equ F_PAIRS, 108       @ pairs left
.equ F_TILE, 112
.equ F_BLOCKS_END, 116  @ of the tile's blocks of four
.equ F_END, 120         @ of the tile
.equ F_PLANE, 124
.equ F_PAIR_BYTES, 128  @ from one header to the next
.equ F_UNUSED, 132      @ bytes of the registers that the first chunk leaves unused
.equ F_MODE, 136        @ F_DISPATCH and F_DISPATCH_ONE behind the last chunk
.equ F_MODE_ONE, 140
.equ F_SPILL, 144       @ accumulators and lr of a universal mode
.equ FRAME, 184

.syntax unified
.thumb
.text

@ Registers by pixel.
x0 .req r0
x1 .req r1
x2 .req r2
x3 .req r3
o0 .req r4
o1 .req r5
o2 .req r6
o3 .req r7
e0 .req r8
e1 .req r9
e2 .req r10
e3 .req r11

@ An instruction for every pixel p; its first operand is acc<p>, `operands` follow.
.macro EACH count, instruction, acc, operands:vararg
  .irp p, 0, 1, 2, 3
    .if \p < \count
      \instruction \acc\p, \operands
    .endif
  .endr
.endm

@ acc<p> += x<p> * weights, both lanes, for every pixel p.
.macro MAC count, acc, weights
  .irp p, 0, 1, 2, 3
    .if \p < \count
      smlad \acc\p, x\p, \weights, \acc\p
    .endif
  .endr
.endm

@ acc<p> = acc<p> shifted by `amount`.
.macro SHIFT count, shift, acc, amount
  .irp p, 0, 1, 2, 3
    .if \p < \count
      \shift \acc\p, \acc\p, \amount
    .endif
  .endr
.endm

@ acc<p> = high word of acc<p> * r0, plus r1.
.macro SCALE count, acc
  .irp p, 0, 1, 2, 3
    .if \p < \count
      smmla \acc\p, \acc\p, r0, r1
    .endif
  .endr
.endm

@ acc<p> saturated to 8 bits after an arithmetic shift right. `saturate`: ssat or usat.
.macro SATURATE count, saturate, acc, shift
  .irp p, 0, 1, 2, 3
    .if \p < \count
      .if \shift
        \saturate \acc\p, #8, \acc\p, asr #\shift
      .else
        \saturate \acc\p, #8, \acc\p
      .endif
    .endif
  .endr
.endm

@ One step. Every instruction takes 4 bytes: entries are computed.
.macro STEP count, step
  .if \count == 1
    ldr.w x0, [lr], #4
  .else
    ldmia.w lr!, {r0, r1, r2, r3}
  .endif
    vmov r12, s\step
    MAC \count, o, r12
    sxtb16.w r12, r12
    MAC \count, e, r12
.endm

@ acc<p> of the odd channel, times 256.
.macro SEPARATE count
  .irp p, 0, 1, 2, 3
    .if \p < \count
      sub o\p, o\p, e\p
    .endif
  .endr
.endm

@ Upper halfwords of e and o = values. `shift` is lsl or asr.
.macro HIDDEN count, shift
    ldrd r2, r3, [sp, #F_SCALE + 16]
    ldrd r0, r1, [sp, #F_SCALE]
    SHIFT \count, lsl, e, r2
    SCALE \count, e
    ldrd r0, r1, [sp, #F_SCALE + 8]
    SHIFT \count, \shift, o, r3
    SCALE \count, o
.endm

@ acc<p> = value, not yet saturated. `shift` by `amount` makes 2 acc of acc.
.macro LINEAR_HALF count, acc, shift, amount, right
  .irp p, 0, 1, 2, 3
    .if \p < \count
      add r12, r1, \acc\p, asr #31
      \shift \acc\p, \acc\p, #\amount
      smmlar \acc\p, \acc\p, r0, r12
      asr \acc\p, \acc\p, \right
    .endif
  .endr
.endm

.macro LINEAR count
    ldrd r2, r3, [sp, #F_SCALE + 16]
    ldrd r0, r1, [sp, #F_SCALE]
    LINEAR_HALF \count, e, lsl, 1, r2
    ldrd r0, r1, [sp, #F_SCALE + 8]
    LINEAR_HALF \count, o, asr, 7, r3
.endm

@ The accumulators go through memory to the one universal routine.
.macro UNIVERSAL count
    SHIFT \count, asr, o, #8
    add r12, sp, #F_SPILL
    stmia r12, {r4-r11, lr}
    bl tn_dsp_universal
    add r12, sp, #F_SPILL
    ldmia r12, {r4-r11, lr}
.endm

@ r0-r3 = addresses of the pixels.
.macro ADDRESSES count
  .if \count == 1
    ldr x0, [lr], #4
  .else
    ldmia lr!, {r0-r3}
  .endif
.endm

@ acc<p> to the pixels' addresses plus the place.
.macro STORE_EACH count, store, acc, place
    ldr r12, [sp, #\place]
  .irp p, 0, 1, 2, 3
    .if \p < \count
      \store \acc\p, [x\p, r12]
    .endif
  .endr
.endm

@ Two channels of a pixel in one halfword. `shift`: 16 when values stand in the upper halfwords.
.macro STORE_NHWC count, shift
    SATURATE \count, ssat, e, \shift
    SATURATE \count, ssat, o, \shift
  .irp p, 0, 1, 2, 3
    .if \p < \count
      bfi e\p, o\p, #8, #8
    .endif
  .endr
    ADDRESSES \count
    STORE_EACH \count, strh, e, F_PLACE
.endm

.macro STORE_BYTES count
    ADDRESSES \count
    STORE_EACH \count, strb, e, F_PLACE
    STORE_EACH \count, strb, o, F_PLACE_ODD
.endm

@ Of values + 128 in the upper halfwords a word in the order 0, 2, 1, 3.
.macro PACK a0, a1, a2, a3
    pkhtb \a0, \a1, \a0, asr #16
    pkhtb \a2, \a3, \a2, asr #16
    usat16 \a0, #8, \a0
    usat16 \a2, #8, \a2
    orr \a0, \a0, \a2, lsl #8
.endm

@ Distances of a mode's code from the table of modes.
.macro MODE_ENTRIES count, modes:vararg
  .irp mode, \modes
    MODE_ENTRY \mode, \count
  .endr
.endm
.macro MODE_ENTRY mode, count
    .short .L\mode\count - .Lmodes\count
.endm

@ Puts the address of the code of mode r8 / 2 for blocks of `count` pixels into `address`. Uses r0, r1.
.macro FIND_MODE count, address
    adr.w r0, .Lmodes\count
    ldrh r1, [r0, r8]               @ r8: twice the mode
    adds r1, #1                     @ Thumb
    add \address, r0, r1
.endm

@ A block of `count` pixels: bias, steps, requantisation, store; then on to .Lnext.
.macro BLOCK count, entry, steps_entry, dispatch, mode
  .if \count == 1
    ldr o0, [sp, #F_BIAS]
    ldr e0, [sp, #F_BIAS + 16]
  .else
    ldmia sp, {r4-r11}
  .endif
    ldr pc, [sp, #\entry]
    .align 2
.Lreload\count:
    ldr r12, [sp, #F_FIRST]
    ldr r0, [sp, #F_MORE]
    adr.w r1, .Lmore\count + 1
    vldmia r12!, {s0-s31}
    str r12, [sp, #F_NEXT]
    str r0, [sp, #F_CHUNKS]
    str r1, [sp, #\dispatch]
    ldr pc, [sp, #\steps_entry]
    .align 2
.Lsteps\count:
  .irp step, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    STEP \count, \step
  .endr
  .irp step, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    STEP \count, \step
  .endr
    ldr pc, [sp, #\dispatch]
    .align 2
.Lmodes\count:
    MODE_ENTRIES \count, nhwc_left, nhwc_right, nhwc_linear, nhwc_universal, nhwc_single
    MODE_ENTRIES \count, word_left, word_right, byte_left, byte_right, byte_universal, byte_single
.Lmore\count:
    ldr r12, [sp, #F_NEXT]
    ldr r0, [sp, #F_CHUNKS]
    vldmia r12!, {s0-s31}
    subs r0, #1
    str r12, [sp, #F_NEXT]
    str r0, [sp, #F_CHUNKS]
    bne.w .Lsteps\count
    ldr r0, [sp, #\mode]
    str r0, [sp, #\dispatch]
    b.w .Lsteps\count

.Lbyte_universal\count:
    SEPARATE \count
    UNIVERSAL \count
    EACH \count, eor, e, #0x80
    EACH \count, eor, o, #0x80
    b.n .Lbyte_store\count
.Lbyte_right\count:
    SEPARATE \count
    HIDDEN \count, asr
    b.n .Lbyte_saturate\count
.Lbyte_left\count:
    SEPARATE \count
    HIDDEN \count, lsl
.Lbyte_saturate\count:
    SATURATE \count, usat, e, 16
    SATURATE \count, usat, o, 16
.Lbyte_store\count:
    STORE_BYTES \count
    b.w .Lnext\count
.Lbyte_single\count:
    SEPARATE \count
    UNIVERSAL \count
    EACH \count, eor, e, #0x80
    b.n .Lsingle_store\count
.Lnhwc_single\count:
    SEPARATE \count
    UNIVERSAL \count
.Lsingle_store\count:
    ADDRESSES \count
    STORE_EACH \count, strb, e, F_PLACE
    b.w .Lnext\count
  .if \count == 4
.Lword_right\count:
    SEPARATE \count
    HIDDEN \count, asr
    b.n .Lword_store\count
.Lword_left\count:
    SEPARATE \count
    HIDDEN \count, lsl
.Lword_store\count:
    ldr r12, [lr], #16
    ldrd r0, r1, [sp, #F_PLACE]
    PACK e0, e1, e2, e3
    PACK o0, o1, o2, o3
    str e0, [r12, r0]
    str o0, [r12, r1]
    b.n .Lnext\count
  .else
    .set .Lword_left\count, .Lbyte_left\count
    .set .Lword_right\count, .Lbyte_right\count
  .endif
.Lnhwc_universal\count:
    SEPARATE \count
    UNIVERSAL \count
    b.n .Lnhwc_store\count
.Lnhwc_linear\count:
    SEPARATE \count
    LINEAR \count
.Lnhwc_store\count:
    STORE_NHWC \count, 0
    b.n .Lnext\count
.Lnhwc_right\count:
    SEPARATE \count
    HIDDEN \count, asr
    b.n .Lnhwc_upper\count
.Lnhwc_left\count:
    SEPARATE \count
    HIDDEN \count, lsl
.Lnhwc_upper\count:
    STORE_NHWC \count, 16
.Lnext\count:
.endm

    .global tn_dsp_tile_run
    .type tn_dsp_tile_run, %function
    .thumb_func
    .align 2
tn_dsp_tile_run:
    push {r4-r11, lr}
    vpush {s16-s31}
    sub sp, #FRAME
    ldmia r0, {r4-r10}              @ tile, weights, steps, pairs, blocks, singles, plane
    str r4, [sp, #F_TILE]
    strd r5, r7, [sp, #F_HEADER]
    str r10, [sp, #F_PLANE]
    adds r0, r6, #1                 @ words of a pixel in a block
    mul r1, r0, r8
    add r4, r4, r1, lsl #4
    mul r1, r0, r9
    add r9, r4, r1, lsl #2
    strd r4, r9, [sp, #F_BLOCKS_END]
    adds r0, r6, #PAIR_HEADER
    lsls r0, r0, #2
    str r0, [sp, #F_PAIR_BYTES]
    @ steps = 32 * more + first; unused = 32 - first
    subs r0, r6, #1
    lsrs r1, r0, #5
    str r1, [sp, #F_MORE]
    bics r2, r0, r1, lsl #5
    rsb r2, r2, #UNROLL - 1
    lsls r3, r2, #2
    str r3, [sp, #F_UNUSED]
    movs r3, #(3 + 2 * 4) * 4
    adr.w r0, .Lsteps4
    mla r4, r2, r3, r0
    movs r3, #(3 + 2 * 1) * 4
    movw r5, #:lower16:(.Lsteps1 - .Lsteps4)
    add r5, r5, r0
    mla r5, r2, r3, r5
    orr r4, r4, #1
    orr r5, r5, #1
    str r4, [sp, #F_STEPS]
    str r5, [sp, #F_STEPS_ONE]
    cbz r1, 1f
    adr.w r4, .Lreload4
    movw r5, #:lower16:(.Lreload1 - .Lsteps4)
    add r5, r5, r0
    orr r4, r4, #1
    orr r5, r5, #1
1:  str r4, [sp, #F_ENTRY]
    str r5, [sp, #F_ENTRY_ONE]

.Lpair:
    ldrd r11, r10, [sp, #F_PAIR_BYTES]
    ldr r12, [sp, #F_HEADER]
    add r11, r11, r12
    str r11, [sp, #F_HEADER]
    ldmia r12!, {r0-r9}
    sub r12, r12, r10
    ldr r11, [sp, #F_PLANE]
    vldmia r12, {s0-s31}
    strd r0, r0, [sp, #F_BIAS]
    strd r0, r0, [sp, #F_BIAS + 8]
    strd r1, r1, [sp, #F_BIAS + 16]
    strd r1, r1, [sp, #F_BIAS + 24]
    add r11, r11, r9
    str r12, [sp, #F_FIRST]
    ldr lr, [sp, #F_TILE]
    add r12, sp, #F_SCALE
    stmia r12, {r2-r7, r9, r11}
    lsls r8, r8, #1
    FIND_MODE 4, r2
    FIND_MODE 1, r3
    strd r2, r3, [sp, #F_DISPATCH]
    strd r2, r3, [sp, #F_MODE]
    ldr r0, [sp, #F_BLOCKS_END]
    cmp r0, lr
    beq.w .Lsingles
.Lblock:
    BLOCK 4, F_ENTRY, F_STEPS, F_DISPATCH, F_MODE
    ldr r0, [sp, #F_BLOCKS_END]
    cmp r0, lr
    bne.w .Lblock
.Lsingles:
    ldr r0, [sp, #F_END]
    cmp r0, lr
    beq.w .Lpair_done
    BLOCK 1, F_ENTRY_ONE, F_STEPS_ONE, F_DISPATCH_ONE, F_MODE_ONE
    b.w .Lsingles
.Lpair_done:
    ldr r0, [sp, #F_PAIRS]
    subs r0, #1
    str r0, [sp, #F_PAIRS]
    bne.w .Lpair
    add sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}

@ The eight values at F_SPILL (four odd, four even) requantised as TensorFlow Lite does, in place. Uses r0-r12.
tn_dsp_universal:
    ldrd r8, r9, [sp, #F_SCALE + 16]
    sxth r10, r9
    asr r9, r9, #16
    add r11, sp, #F_SPILL
    ldrd r4, r5, [sp, #F_SCALE + 8]
    movs r7, #8
.Lvalue:
    ldr r0, [r11]
    cmp r5, #0
    it gt
    lslgt r0, r0, r5
    smull r0, r1, r0, r4
    adds r0, r0, #0x40000000
    adc r1, r1, #0
    lsls r1, r1, #1
    orr r1, r1, r0, lsr #31
    cmp r5, #0
    bge .Lrounded
    rsb r0, r5, #0
    movs r2, #1
    lsls r2, r0
    subs r2, #1
    and r3, r1, r2
    lsrs r2, r2, #1
    add r2, r2, r1, lsr #31
    asr r1, r1, r0
    cmp r3, r2
    it gt
    addgt r1, #1
.Lrounded:
    add r1, r1, r8
    cmp r1, r10
    it lt
    movlt r1, r10
    cmp r1, r9
    it gt
    movgt r1, r9
    str r1, [r11], #4
    cmp r7, #5
    it eq
    ldrdeq r4, r5, [sp, #F_SCALE]
    subs r7, #1
    bne .Lvalue
    bx lr

    .size tn_dsp_tile_run, . - tn_dsp_tile_run
