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
@   5, 6 as 0, 1, four pixels as one word (no blocks of one)     7, 8, 9, 10 as 0, 1, 3, 4, byte by byte
@ A block of one goes through the code of a block of four, its sums and its address four times there, but in modes 7 and 8.
@
@ Registers in a block
@   r0-r3   a step's pixels            r4-r7  E + 256 O of pixels 0..3       r8-r11  E of pixels 0..3
@   r12     a step's weights           lr     read pointer in the tile
@   s0-s31  weights of up to 32 steps: a VMOV from there needs no pointer
@
@ With more than 32 steps the first (steps - 1) % 32 + 1 run first, entered by a computed jump; then 32 at a time. A block of
@ one has registers to spare and reads its weights by r2, in rounds of 16 steps.

.equ UNROLL, 32
.equ UNROLL_ONE, 16
.equ PAIR_HEADER, 10
.equ BYTE_LEFT, 7       @ mode

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
.equ F_NUMBER, 56       @ of the mode
.equ F_PLACE, 60        @ word 9 of the header; in planar rows also the odd channel's
.equ F_PLACE_ODD, 64
.equ F_DISPATCH, 68     @ what follows the steps of a block of four: the code of its mode, or .Lmore while chunks of weights
.equ F_MODE, 72         @ are missing; behind the last chunk
.equ F_ENTRY, 76        @ where a block enters its steps, or .Lreload when the weights do not all stay in registers
.equ F_STEPS, 80
.equ F_ENTRY_ONE, 84    @ where a block of one does
.equ F_ROUNDS, 88       @ of a block of one through its steps
.equ F_WEIGHTS, 92      @ of this pair
.equ F_MORE, 96         @ further chunks of every block
.equ F_FIRST, 100       @ 32 words that end with the first chunk
.equ F_CHUNKS, 104      @ that this block still needs
.equ F_NEXT, 108        @ the next chunk
.equ F_HEADER, 112      @ of the next pair
.equ F_PAIRS, 116       @ pairs left
.equ F_TILE, 120
.equ F_BLOCKS_END, 124  @ of the tile's blocks of four
.equ F_SINGLE, 128      @ the next block of one
.equ F_END, 132         @ of the tile
.equ F_PLANE, 136
.equ F_PAIR_BYTES, 140  @ from one header to the next
.equ F_UNUSED, 144      @ bytes of the registers that the first chunk leaves unused
.equ F_STOP, 148        @ the read pointer behind the last block of four, or behind a block of one
.equ F_SPREAD, 152      @ addresses of a block of one
.equ F_SPILL, 168       @ accumulators of a universal mode, the read pointer, a return address
.equ F_RETURN, F_SPILL + 36
.equ FRAME, 208

.syntax unified
.thumb
.text

#include "pair.inc"

@ One step. Every instruction takes 4 bytes: entries are computed.
.macro STEP step
    ldmia.w lr!, {r0, r1, r2, r3}
    vmov r12, s\step
    MAC 4, o, r12
    sxtb16.w r12, r12
    MAC 4, e, r12
.endm

@ acc<p> = instruction(acc<p>, operands) for every pixel p.
.macro EACH instruction, acc, operands:vararg
  .irp p, 0, 1, 2, 3
    \instruction \acc\p, \acc\p, \operands
  .endr
.endm

@ acc<p> of the odd channel, times 256.
.macro SEPARATE
  .irp p, 0, 1, 2, 3
    sub o\p, o\p, e\p
  .endr
.endm

@ Upper halfwords of e and o = values. `shift` is lsl or asr.
.macro HIDDEN shift
    ldrd r2, r3, [sp, #F_SCALE + 16]
    ldrd r0, r1, [sp, #F_SCALE]
    EACH lsl, e, r2
    EACH smmla, e, r0, r1
    ldrd r0, r1, [sp, #F_SCALE + 8]
    EACH \shift, o, r3
    EACH smmla, o, r0, r1
.endm

@ acc<p> = value, not yet saturated. `shift` by `amount` makes 2 acc of acc.
.macro LINEAR_HALF acc, shift, amount, right
  .irp p, 0, 1, 2, 3
    add r12, r1, \acc\p, asr #31
    \shift \acc\p, \acc\p, #\amount
    smmlar \acc\p, \acc\p, r0, r12
    asr \acc\p, \acc\p, \right
  .endr
.endm

.macro LINEAR
    ldrd r2, r3, [sp, #F_SCALE + 16]
    ldrd r0, r1, [sp, #F_SCALE]
    LINEAR_HALF e, lsl, 1, r2
    ldrd r0, r1, [sp, #F_SCALE + 8]
    LINEAR_HALF o, asr, 7, r3
.endm

@ acc<p> saturated to 8 bits after an arithmetic shift right. `saturate`: ssat or usat.
.macro SATURATE saturate, acc, shift
  .irp p, 0, 1, 2, 3
    .if \shift
      \saturate \acc\p, #8, \acc\p, asr #\shift
    .else
      \saturate \acc\p, #8, \acc\p
    .endif
  .endr
.endm

@ acc<p> = value, as TensorFlow Lite rounds it.
.macro UNIVERSAL
    SEPARATE
    str lr, [sp, #F_SPILL + 32]
    bl .Luniversal
    ldr lr, [sp, #F_SPILL + 32]
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
.macro MODE_ENTRIES modes:vararg
  .irp mode, \modes
    .short .L\mode - .Lmodes
  .endr
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
    strd r5, r7, [sp, #F_HEADER]
    str r10, [sp, #F_PLANE]
    adds r0, r6, #1                 @ words of a pixel in a block
    mul r1, r0, r8
    add r8, r4, r1, lsl #4
    mul r1, r0, r9
    add r9, r8, r1, lsl #2
    strd r4, r8, [sp, #F_TILE]
    str r9, [sp, #F_END]
    adds r0, r6, #PAIR_HEADER
    lsls r0, r0, #2
    @ steps = 32 * more + first; unused = 32 - first
    subs r3, r6, #1
    lsrs r1, r3, #5
    str r1, [sp, #F_MORE]
    bics r2, r3, r1, lsl #5
    rsb r2, r2, #UNROLL - 1
    lsls r3, r2, #2
    strd r0, r3, [sp, #F_PAIR_BYTES]
    movs r3, #(3 + 2 * 4) * 4
    adr.w r0, .Lsteps + 1
    mla r4, r2, r3, r0
    str r4, [sp, #F_STEPS]
    cbz r1, 1f
    adr.w r4, .Lreload + 1
1:  str r4, [sp, #F_ENTRY]
    adds r1, r6, #UNROLL_ONE - 1    @ rounds, and steps that the first one passes over
    lsrs r1, r1, #4
    rsb r2, r6, r1, lsl #4
    movs r3, #(3 + 2) * 4
    adr.w r0, .Lsteps_one + 1
    mla r0, r2, r3, r0
    strd r0, r1, [sp, #F_ENTRY_ONE]

.Lpair:
    ldrd r11, r10, [sp, #F_PAIR_BYTES]
    ldr r12, [sp, #F_HEADER]
    add r11, r11, r12
    str r11, [sp, #F_HEADER]
    ldmia r12!, {r0-r9}
    str r12, [sp, #F_WEIGHTS]
    sub r12, r12, r10
    ldr r11, [sp, #F_PLANE]
    vldmia r12, {s0-s31}
    strd r0, r0, [sp, #F_BIAS]
    strd r0, r0, [sp, #F_BIAS + 8]
    strd r1, r1, [sp, #F_BIAS + 16]
    strd r1, r1, [sp, #F_BIAS + 24]
    add r11, r11, r9
    str r12, [sp, #F_FIRST]
    add r12, sp, #F_SCALE
    stmia r12, {r2-r9, r11}
    adr.w r0, .Lmodes
    ldrh r1, [r0, r8, lsl #1]
    adds r1, #1                     @ Thumb
    add r0, r0, r1
    strd r0, r0, [sp, #F_DISPATCH]
    ldrd lr, r0, [sp, #F_TILE]
    str r0, [sp, #F_SINGLE]
    str r0, [sp, #F_STOP]
    cmp r0, lr
    beq.w .Lsingles
.Lblock:
    ldmia sp, {r4-r11}
    ldr pc, [sp, #F_ENTRY]
    .align 2
.Lreload:
    ldrd r0, r12, [sp, #F_MORE]     @ and first
    adr.w r1, .Lmore + 1
    vldmia r12!, {s0-s31}
    strd r0, r12, [sp, #F_CHUNKS]
    str r1, [sp, #F_DISPATCH]
    ldr pc, [sp, #F_STEPS]
    .align 2
.Lsteps:
  .irp step, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    STEP \step
  .endr
  .irp step, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    STEP \step
  .endr
    ldr pc, [sp, #F_DISPATCH]
.Lmore:
    ldrd r0, r12, [sp, #F_CHUNKS]   @ and next
    vldmia r12!, {s0-s31}
    subs r0, #1
    strd r0, r12, [sp, #F_CHUNKS]
    bne.w .Lsteps
    ldr r0, [sp, #F_MODE]
    str r0, [sp, #F_DISPATCH]
    b.w .Lsteps
    .align 2
.Lmodes:
    MODE_ENTRIES nhwc_left, nhwc_right, nhwc_linear, nhwc_universal, nhwc_single
    MODE_ENTRIES word_left, word_right, byte_left, byte_right, byte_universal, byte_single

.Lword_right:
    SEPARATE
    HIDDEN asr
    b.n .Lword_store
.Lword_left:
    SEPARATE
    HIDDEN lsl
.Lword_store:
    ldr r12, [lr], #16
    ldrd r0, r1, [sp, #F_PLACE]
    PACK e0, e1, e2, e3
    PACK o0, o1, o2, o3
    str e0, [r12, r0]
    ldr r0, [sp, #F_STOP]
    str o0, [r12, r1]
    cmp r0, lr
    bne.w .Lblock
    b.w .Lpair_done                 @ no blocks of one

.Lbyte_universal:
    UNIVERSAL
    EACH eor, e, #0x80
    EACH eor, o, #0x80
    b.n .Lbyte_store
.Lbyte_right:
    SEPARATE
    HIDDEN asr
    b.n .Lbyte_saturate
.Lbyte_left:
    SEPARATE
    HIDDEN lsl
.Lbyte_saturate:
    SATURATE usat, e, 16
    SATURATE usat, o, 16
.Lbyte_store:
    ldmia lr!, {r0-r3}
    STORE_EACH strb, e, F_PLACE
    STORE_EACH strb, o, F_PLACE_ODD
    b.n .Lnext
.Lbyte_single:
    UNIVERSAL
    EACH eor, e, #0x80
    b.n .Lsingle_store
.Lnhwc_single:
    UNIVERSAL
.Lsingle_store:
    ldmia lr!, {r0-r3}
    STORE_EACH strb, e, F_PLACE
    b.n .Lnext
.Lnhwc_universal:
    UNIVERSAL
    b.n .Lnhwc_store
.Lnhwc_linear:
    SEPARATE
    LINEAR
.Lnhwc_store:
    SATURATE ssat, e, 0
    SATURATE ssat, o, 0
    b.n .Lnhwc_pairs
.Lnhwc_right:
    SEPARATE
    HIDDEN asr
    b.n .Lnhwc_upper
.Lnhwc_left:
    SEPARATE
    HIDDEN lsl
.Lnhwc_upper:
    SATURATE ssat, e, 16
    SATURATE ssat, o, 16
.Lnhwc_pairs:
  .irp p, 0, 1, 2, 3
    bfi e\p, o\p, #8, #8
  .endr
    ldmia lr!, {r0-r3}
    STORE_EACH strh, e, F_PLACE
.Lnext:
    ldr r0, [sp, #F_STOP]
    cmp r0, lr
    bne.w .Lblock
.Lsingles:
    ldrd lr, r0, [sp, #F_SINGLE]
    cmp r0, lr
    beq.w .Lpair_done
    ldr o0, [sp, #F_BIAS]
    ldr e0, [sp, #F_BIAS + 16]
    ldrd r1, r2, [sp, #F_ROUNDS]    @ and weights
    ldr pc, [sp, #F_ENTRY_ONE]
    .align 2
.Lsteps_one:
  .rept UNROLL_ONE
    ldr.w x0, [lr], #4
    ldr.w r12, [r2], #4
    smlad o0, x0, r12, o0
    sxtb16.w r12, r12
    smlad e0, x0, r12, e0
  .endr
    subs r1, #1
    bne.w .Lsteps_one
    ldr r0, [sp, #F_NUMBER]
    subs r0, #BYTE_LEFT
    cmp r0, #1
    bhi .Lspread
    sub o0, o0, e0
    ldrd r2, r3, [sp, #F_SCALE + 16]
    ite eq
    asreq o0, o0, r3
    lslne o0, o0, r3
    ldrd r0, r1, [sp, #F_SCALE]
    lsl e0, e0, r2
    smmla e0, e0, r0, r1
    ldrd r0, r1, [sp, #F_SCALE + 8]
    usat e0, #8, e0, asr #16
    smmla o0, o0, r0, r1
    usat o0, #8, o0, asr #16
    ldr r0, [lr], #4
    ldrd r1, r2, [sp, #F_PLACE]
    str lr, [sp, #F_SINGLE]
    strb e0, [r0, r1]
    strb o0, [r0, r2]
    b.w .Lsingles
.Lspread:
    ldr r0, [lr], #4
  .irp p, 1, 2, 3
    mov o\p, o0
    mov e\p, e0
    mov x\p, x0
  .endr
    str lr, [sp, #F_SINGLE]
    add lr, sp, #F_SPREAD
    stmia lr, {r0-r3}
    add r0, lr, #16
    str r0, [sp, #F_STOP]
    ldr pc, [sp, #F_MODE]
.Lpair_done:
    ldr r0, [sp, #F_PAIRS]
    subs r0, #1
    str r0, [sp, #F_PAIRS]
    bne.w .Lpair
    add sp, #FRAME
    vpop {s16-s31}
    pop {r4-r11, pc}

@ The block's sums requantised by requantize.S.
.Luniversal:
    EACH asr, o, #8
    add r12, sp, #F_SPILL
    stmia r12, {r4-r11}
    str lr, [sp, #F_RETURN]
    ldrd r8, r9, [sp, #F_SCALE + 16]
    mov r11, r12
    sxth r10, r9
    asr r9, r9, #16
    ldrd r4, r5, [sp, #F_SCALE + 8]
    bl tn_dsp_requantize
    ldrd r4, r5, [sp, #F_SCALE]
    bl tn_dsp_requantize
    add r12, sp, #F_SPILL
    ldmia r12, {r4-r11}
    ldr pc, [sp, #F_RETURN]

    .size tn_dsp_tile_run, . - tn_dsp_tile_run
