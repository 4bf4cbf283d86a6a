@ void tn_dsp_tile_rows(const tn_dsp_tile* tile)
@
@ The multiplying heart of pointwise and im2col convolutions: 2 output channels x P pixels, P = 4, or 1..3 at the end of a row.
@
@ Data
@   tile     gathered activations, int16. A row of pixels is blocks of four and one last block of fewer; a block of P pixels is
@            for every step a word for each pixel, the two input channels of that step:   step 0: p0 p1 p2 p3 | step 1: p0 ...
@   weights  per pair of output channels PAIR_HEADER words, then a word for every step. Each halfword of a step's word holds
@            even + 256 * odd: two channels in two bytes. SXTB16 of the word gives `even` in both lanes. The products with the
@            raw word sum to E + 256 * O, those with the extracted word to E; their difference is 256 * O, whose scale the
@            requantisation absorbs. The offline side proves |O| < 2^23, and that no halfword overflows.
@
@   word of the header   0 1         2 3  4    5    6    7    8    9    10    11
@                        E + 256 O   E    m_e  c_e  m_o  c_o  s_e  s_o  mode  place of the pair in an output row, bytes
@                        (the biases, twice: a VMOV fills two accumulators)
@     universal modes:                    m_e left m_o left zero clamp  (left: shift to the left, negative to the right;
@                                                                        clamp: low in the lower halfword, high in the upper)
@ Modes: how the two channels are requantised, and stored as pixels (nhwc)
@   0 hidden, odd channel shifted left    the lower clamp hides the sign term: y = (acc << s) * m + c, in the upper halfword
@   1 hidden, odd channel shifted right
@   2 linear                              y = (2 acc * m + c - [acc < 0], rounded) >> s
@   3 universal                           TensorFlow Lite's two roundings, any shift, any clamp
@   4 universal, and the pair has only its even channel
@ and stored in planar rows (plan.h)
@   5, 6 as 0, 1     7, 8 as 3, 4
@
@ Registers in a block
@   r0-r3   a step's pixels            r4-r7  E + 256 O of pixels 0..3       r8-r11  E of pixels 0..3
@   r12     a step's weights           lr     read pointer in the tile
@   s0-s21  weights of up to 22 steps: a VMOV from there needs no pointer
@   s22-s31 header words 0 .. 9
@
@ With more than 22 steps the first (steps - 1) % 22 + 1 run first, entered by a computed jump; then 22 at a time.

.equ UNROLL, 22
.equ PAIR_HEADER, 12
.equ MORE, 9             @ the mode that fetches further weights

@ Fields of tn_dsp_tile (dsp.h).
.equ ARG_TILE, 0
.equ ARG_WEIGHTS, 4
.equ ARG_OUTPUT, 8
.equ ARG_STEPS, 12
.equ ARG_PAIRS, 16
.equ ARG_ROWS, 20
.equ ARG_BLOCKS, 24
.equ ARG_TAIL, 28
.equ ARG_STRIDE, 32
.equ ARG_OFFSET, 36
.equ ARG_PADDING, 40

@ Stack frame.
.equ F_OUT, 0           @ next pixel
.equ F_STRIDE, 4        @ nhwc: bytes of a pixel; planar: bytes of a plane
.equ F_MODE, 8
.equ F_CHUNKS, 12       @ further chunks of weights that this block still needs
.equ F_NEXT, 16         @ the next chunk
.equ F_MORE, 20         @ further chunks of every block
.equ F_FIRST, 24        @ 22 words that end with the first chunk
.equ F_ENTRY, 28        @ F_STEPS, or where it loads its first chunk before
.equ F_ENTRY_TAIL, 32
.equ F_BLOCKS, 36       @ blocks of four left in this row
.equ F_ROWS, 40         @ rows left
.equ F_ROW, 44          @ pointer into the output rows
.equ F_ARGS, 48
.equ F_HEADER, 52       @ of this pair
.equ F_OFFSET, 56       @ of this pair in an output row
.equ F_PAIRS, 60        @ pairs left
.equ F_TILE, 64
.equ F_DISPATCH, 68     @ what follows the steps
.equ F_STEPS, 72        @ where a block of four enters its steps
.equ F_STEPS_TAIL, 76
.equ F_PADDING, 80      @ planar: what the missing pixels of a last block become
.equ F_SPILL, 84        @ accumulators of a universal mode
.equ FRAME, 124

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

@ acc<p> saturated to int8 after an arithmetic shift right.
.macro SATURATE count, acc, shift
  .irp p, 0, 1, 2, 3
    .if \p < \count
      .if \shift
        ssat \acc\p, #8, \acc\p, asr #\shift
      .else
        ssat \acc\p, #8, \acc\p
      .endif
    .endif
  .endr
.endm

@ One step. Every instruction takes 4 bytes: entries are computed.
.macro STEP count, step
  .if \count == 1
    ldr.w x0, [lr], #4
  .elseif \count == 2
    ldmia.w lr!, {r0, r1}
  .elseif \count == 3
    ldmia.w lr!, {r0, r1, r2}
  .else
    ldmia.w lr!, {r0, r1, r2, r3}
  .endif
    vmov r12, s\step
    MAC \count, o, r12
    sxtb16.w r12, r12
    MAC \count, e, r12
.endm

@ Upper halfwords of e and o = values. `shift` is lsl or asr.
.macro HIDDEN count, shift
    vmov r2, r3, d15
    vmov r0, r1, d13
    SHIFT \count, lsl, e, r2
    SCALE \count, e
    vmov r0, r1, d14
    SHIFT \count, \shift, o, r3
    SCALE \count, o
.endm

@ acc<p> = value, not yet saturated. to_double: the instruction that makes 2 acc of acc.
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
    vmov r2, r3, d15
    vmov r0, r1, d13
    LINEAR_HALF \count, e, lsl, 1, r2
    vmov r0, r1, d14
    LINEAR_HALF \count, o, asr, 7, r3
.endm

@ The accumulators go through memory to the one universal routine.
.macro UNIVERSAL count
  .irp p, 0, 1, 2, 3
    .if \p < \count
      asr o\p, o\p, #8
    .endif
  .endr
    add r12, sp, #F_SPILL
    stmia r12, {r4-r11}
    str lr, [sp, #F_SPILL + 32]
    bl tn_dsp_universal
    ldr lr, [sp, #F_SPILL + 32]
    add r12, sp, #F_SPILL
    ldmia r12, {r4-r11}
.endm

@ Two channels of a pixel in one halfword. `shift`: 16 when values stand in the upper halfwords.
.macro STORE_NHWC count, shift
    SATURATE \count, e, \shift
    SATURATE \count, o, \shift
  .irp p, 0, 1, 2, 3
    .if \p < \count
      bfi e\p, o\p, #8, #8
    .endif
  .endr
    ldrd r12, r0, [sp, #F_OUT]
    STORE_PIXELS \count, strh
.endm

.macro STORE_EVEN_NHWC count
    SATURATE \count, e, 0
    ldrd r12, r0, [sp, #F_OUT]
    STORE_PIXELS \count, strb
.endm

@ e<p> to r12 + p * r0, and F_OUT behind them.
.macro STORE_PIXELS count, store
    \store e0, [r12]
  .if \count > 1
    \store e1, [r12, r0]
  .endif
  .if \count > 2
    add r12, r12, r0, lsl #1
    \store e2, [r12]
  .endif
  .if \count > 3
    \store e3, [r12, r0]
    add r12, r12, r0, lsl #1
    str r12, [sp, #F_OUT]
  .endif
.endm

@ A channel's four pixels in one word of a planar row; the pixels that a last block lacks are padding.
.macro STORE_PLANAR count
    PAD \count, e0
    PAD \count, o0
    ldrd r12, r0, [sp, #F_OUT]
    str o0, [r12, r0]
    str e0, [r12], #4
  .if \count > 3
    str r12, [sp, #F_OUT]
  .endif
.endm

.macro STORE_EVEN_PLANAR count
    PAD \count, e0
    ldr r12, [sp, #F_OUT]
    str e0, [r12], #4
  .if \count > 3
    str r12, [sp, #F_OUT]
  .endif
.endm

.macro PAD count, word
  .if \count < 4
    ldr r0, [sp, #F_PADDING]
    orr \word, \word, r0
  .endif
.endm

@ Of values + 128 in the upper halfwords a word in the order 0, 2, 1, 3; missing pixels are 0.
.macro PACK_UPPER count, a0, a1, a2, a3
  .if \count > 1
    pkhtb \a0, \a1, \a0, asr #16
    usat16 \a0, #8, \a0
  .else
    usat \a0, #8, \a0, asr #16
  .endif
  .if \count == 4
    pkhtb \a2, \a3, \a2, asr #16
    usat16 \a2, #8, \a2
    orr \a0, \a0, \a2, lsl #8
  .elseif \count == 3
    usat \a2, #8, \a2, asr #16
    orr \a0, \a0, \a2, lsl #8
  .endif
.endm

@ The same of int8 values.
.macro PACK_VALUES count, a0, a1, a2, a3
    eor \a0, \a0, #0x80
    uxtb \a0, \a0
  .if \count > 1
    eor \a1, \a1, #0x80
    bfi \a0, \a1, #16, #8
  .endif
  .if \count > 2
    eor \a2, \a2, #0x80
    bfi \a0, \a2, #8, #8
  .endif
  .if \count > 3
    eor \a3, \a3, #0x80
    bfi \a0, \a3, #24, #8
  .endif
.endm

@ acc<p> of the odd channel, times 256.
.macro SEPARATE count
  .irp p, 0, 1, 2, 3
    .if \p < \count
      sub o\p, o\p, e\p
    .endif
  .endr
.endm

@ Distances of a mode's code from the table of modes, in halfwords.
.macro MODE_ENTRIES count, modes:vararg
  .irp mode, \modes
    MODE_ENTRY \mode, \count
  .endr
.endm
.macro MODE_ENTRY mode, count
    .short (.L\mode\count - .Lmodes\count) / 2
.endm

@ A block of `count` pixels: bias, steps, requantisation, store. Falls out below, lr behind the block. `entry` leads into the steps,
@ or to .Lreload when the weights do not all stay in registers; F_DISPATCH is a mode, or MORE while chunks of weights are missing.
.macro BLOCK count, entry, steps_entry
    vmov r4, r5, d11
    vmov r6, r7, d11
    ldr r12, [sp, #\entry]
    vmov r8, r9, d12
    vmov r10, r11, d12
    bx r12
    .align 2
.Lreload\count:
    ldr r12, [sp, #F_FIRST]
    ldr r0, [sp, #F_MORE]
    movs r1, #MORE
    vldmia r12!, {s0-s21}
    str r12, [sp, #F_NEXT]
    ldr r12, [sp, #\steps_entry]
    str r0, [sp, #F_CHUNKS]
    str r1, [sp, #F_DISPATCH]
    bx r12
    .align 2
.Lsteps\count:
  .irp step, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21
    STEP \count, \step
  .endr
    ldr r0, [sp, #F_DISPATCH]
    tbh [pc, r0, lsl #1]
.Lmodes\count:
    MODE_ENTRIES \count, hidden_left, hidden_right, linear, universal, single
    MODE_ENTRIES \count, planar_left, planar_right, planar_universal, planar_single, more
.Lmore\count:
    ldr r12, [sp, #F_NEXT]
    ldr r0, [sp, #F_CHUNKS]
    vldmia r12!, {s0-s21}
    subs r0, #1
    str r12, [sp, #F_NEXT]
    str r0, [sp, #F_CHUNKS]
    bne.w .Lsteps\count
    ldr r0, [sp, #F_MODE]
    str r0, [sp, #F_DISPATCH]
    b.w .Lsteps\count
.Lhidden_right\count:
    SEPARATE \count
    HIDDEN \count, asr
    b.n .Lhidden_store\count
.Luniversal\count:
    SEPARATE \count
    UNIVERSAL \count
    STORE_NHWC \count, 0
    b.w .Lnext\count
.Lsingle\count:
    SEPARATE \count
    UNIVERSAL \count
    STORE_EVEN_NHWC \count
    b.w .Lnext\count
.Lplanar_universal\count:
    SEPARATE \count
    UNIVERSAL \count
    PACK_VALUES \count, e0, e1, e2, e3
    PACK_VALUES \count, o0, o1, o2, o3
    b.n .Lplanar_store\count
.Lplanar_single\count:
    SEPARATE \count
    UNIVERSAL \count
    PACK_VALUES \count, e0, e1, e2, e3
    STORE_EVEN_PLANAR \count
    b.w .Lnext\count
.Llinear\count:
    SEPARATE \count
    LINEAR \count
    STORE_NHWC \count, 0
    b.w .Lnext\count
.Lhidden_left\count:
    SEPARATE \count
    HIDDEN \count, lsl
.Lhidden_store\count:
    STORE_NHWC \count, 16
    b.w .Lnext\count
.Lplanar_right\count:
    SEPARATE \count
    HIDDEN \count, asr
    b.n .Lplanar_pack\count
.Lplanar_left\count:
    SEPARATE \count
    HIDDEN \count, lsl
.Lplanar_pack\count:
    PACK_UPPER \count, e0, e1, e2, e3
    PACK_UPPER \count, o0, o1, o2, o3
.Lplanar_store\count:
    STORE_PLANAR \count
.Lnext\count:
.endm

    .global tn_dsp_tile_rows
    .type tn_dsp_tile_rows, %function
    .thumb_func
    .align 2
tn_dsp_tile_rows:
    push {r4-r11, lr}
    vpush {s16-s31}
    sub sp, #FRAME
    mov r11, r0
    str r11, [sp, #F_ARGS]
    ldr r1, [r11, #ARG_STEPS]
    ldr r2, [r11, #ARG_STRIDE]
    ldr r3, [r11, #ARG_PAIRS]
    ldr r4, [r11, #ARG_PADDING]
    str r2, [sp, #F_STRIDE]
    str r4, [sp, #F_PADDING]
    str r3, [sp, #F_PAIRS]
    @ steps = 22 * more + first; skipped = 22 - first
    subs r1, #1
    movs r2, #UNROLL
    udiv r3, r1, r2
    mls r1, r3, r2, r1
    rsb r1, r1, #UNROLL - 1
    str r3, [sp, #F_MORE]
    movs r2, #(3 + 2 * 4) * 4
    adr.w r0, .Lsteps4
    mla r0, r1, r2, r0
    orr r0, r0, #1
    str r0, [sp, #F_STEPS]
    cmp r3, #0
    beq 1f
    adr.w r0, .Lreload4
    orr r0, r0, #1
1:  str r0, [sp, #F_ENTRY]
    @ of the last block of a row: a step of `tail` pixels takes 3 + 2 * tail instructions
    ldr r4, [r11, #ARG_TAIL]
    adr.w r5, .Lsteps4
    cmp r4, #2
    ite lt
    movwlt r0, #:lower16:(.Lsteps1 - .Lsteps4)
    movwge r0, #:lower16:(.Lsteps2 - .Lsteps4)
    it gt
    movwgt r0, #:lower16:(.Lsteps3 - .Lsteps4)
    add r0, r0, r5
    lsls r4, r4, #3
    adds r4, #12
    mla r0, r1, r4, r0
    orr r0, r0, #1
    str r0, [sp, #F_STEPS_TAIL]
    cbz r3, 1f
    ldr r4, [r11, #ARG_TAIL]
    cmp r4, #2
    ite lt
    movwlt r0, #:lower16:(.Lreload1 - .Lsteps4 + 1)
    movwge r0, #:lower16:(.Lreload2 - .Lsteps4 + 1)
    it gt
    movwgt r0, #:lower16:(.Lreload3 - .Lsteps4 + 1)
    add r0, r0, r5
1:  str r0, [sp, #F_ENTRY_TAIL]

    @ the first chunk's weights end where it ends; the words before them are never used
    ldr r4, [r11, #ARG_WEIGHTS]
    str r4, [sp, #F_HEADER]
    rsb r1, r1, #PAIR_HEADER
    add r4, r4, r1, lsl #2
    str r4, [sp, #F_FIRST]

.Lpair:
    ldr r12, [sp, #F_HEADER]
    vldmia r12!, {s22-s31}
    ldrd r0, r1, [r12]
    ldr r11, [sp, #F_ARGS]
    str r0, [sp, #F_MODE]
    str r0, [sp, #F_DISPATCH]
    ldr r12, [sp, #F_FIRST]
    ldr r0, [r11, #ARG_OFFSET]
    vldmia r12, {s0-s21}
    add r0, r0, r1
    str r0, [sp, #F_OFFSET]
    ldr lr, [r11, #ARG_TILE]
    ldr r0, [r11, #ARG_OUTPUT]
    ldr r1, [r11, #ARG_ROWS]
    str r0, [sp, #F_ROW]
    str r1, [sp, #F_ROWS]

.Lrow:
    ldr r12, [sp, #F_ROW]
    ldr r2, [sp, #F_OFFSET]
    ldr r0, [r12], #4
    ldr r11, [sp, #F_ARGS]
    str r12, [sp, #F_ROW]
    add r0, r0, r2
    str r0, [sp, #F_OUT]
    ldr r0, [r11, #ARG_BLOCKS]
    cmp r0, #0
    beq.w .Ltail
.Lblock:
    str r0, [sp, #F_BLOCKS]
    BLOCK 4, F_ENTRY, F_STEPS
    ldr r0, [sp, #F_BLOCKS]
    subs r0, #1
    bne.w .Lblock
.Ltail:
    ldr r11, [sp, #F_ARGS]
    ldr r0, [r11, #ARG_TAIL]
    cmp r0, #0
    beq.w .Lrow_done
    cmp r0, #2
    blt.w .Ltail1
    beq.w .Ltail2
    BLOCK 3, F_ENTRY_TAIL, F_STEPS_TAIL
    b.w .Lrow_done
.Ltail2:
    BLOCK 2, F_ENTRY_TAIL, F_STEPS_TAIL
    b.w .Lrow_done
.Ltail1:
    BLOCK 1, F_ENTRY_TAIL, F_STEPS_TAIL
.Lrow_done:
    ldr r0, [sp, #F_ROWS]
    subs r0, #1
    str r0, [sp, #F_ROWS]
    bne.w .Lrow

    ldr r11, [sp, #F_ARGS]
    ldr r0, [sp, #F_HEADER]
    ldr r1, [r11, #ARG_STEPS]
    ldr r2, [sp, #F_FIRST]
    adds r1, #PAIR_HEADER
    add r0, r0, r1, lsl #2
    add r2, r2, r1, lsl #2
    str r0, [sp, #F_HEADER]
    str r2, [sp, #F_FIRST]
    ldr r0, [sp, #F_PAIRS]
    subs r0, #1
    str r0, [sp, #F_PAIRS]
    bne.w .Lpair
    add sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}

@ The eight values at F_SPILL (four odd, four even) requantised as TensorFlow Lite does, in place. Uses r0-r12.
tn_dsp_universal:
    ldr r12, [sp, #F_HEADER]
    ldrd r8, r9, [r12, #8 * 4]
    sxth r10, r9
    asr r9, r9, #16
    add r11, sp, #F_SPILL
    ldrd r4, r5, [r12, #6 * 4]
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
    ldrdeq r4, r5, [r12, #4 * 4]
    subs r7, #1
    bne .Lvalue
    bx lr

    .size tn_dsp_tile_rows, . - tn_dsp_tile_rows
