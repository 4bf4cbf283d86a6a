@ void tn_thumb2_blocks(const tn_pixel_pair* pair)
@
@ One or two pixels times blocks of four output channels, for cores without SMLAD (Armv7-M): eight MLA for six loads.
@
@ Registers while the sums grow (then outputs.inc)
@   r0, r1   read pointers of the pixels          r2  read pointer of the weights
@   r3, r12  a value of each pixel                lr  a weight
@   r4-r7    sums of the first pixel              r8-r11  sums of the second
@
@ Terms are unrolled eight times; a depth that is no multiple of eight enters in the middle, the first time.

#include "outputs.inc"

.equ UNROLL, 8

@ One value of each pixel times four weights. Every instruction takes 4 bytes: the entry is computed.
.macro TERM pixels
    ldrsb r3, [r0], #1
  .if \pixels == 2
    ldrsb r12, [r1], #1
  .endif
  .irp c, 0, 1, 2, 3
    ldrsb lr, [r2], #1
    mla x\c, r3, lr, x\c
    .if \pixels == 2
    mla y\c, r12, lr, y\c
    .endif
  .endr
.endm

.macro BLOCK_LOOP pixels
.Lblock\pixels:
    START_BLOCK \pixels
    ldr r12, [sp, #F_ENTRY]
    ldrd r0, r1, [sp, #F_PIXEL]
    bx r12
    .align 2
.Lterms\pixels:
  .rept UNROLL
    TERM \pixels
  .endr
    ldr r3, [sp, #F_WEIGHTS]
    cmp r2, r3
    bne.w .Lterms\pixels
    FINISH_BLOCK \pixels
    bne.w .Lblock\pixels
.endm

    .global tn_thumb2_blocks
    .type tn_thumb2_blocks, %function
    .thumb_func
    .align 2
tn_thumb2_blocks:
    ENTER UNROLL
    cmp r6, #1
    beq 1f
    SET_ENTRY .Lterms2, 14
    BLOCK_LOOP 2
    LEAVE
1:  SET_ENTRY .Lterms1, 9
    BLOCK_LOOP 1
    LEAVE
    .size tn_thumb2_blocks, . - tn_thumb2_blocks
