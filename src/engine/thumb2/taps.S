@ void tn_thumb2_tap_blocks(const tn_thumb2_taps* taps)
@
@ Depthwise: the windows of two pixels times their channels' weights, in blocks of four channels.
@
@ Registers while the sums grow (then outputs.inc)
@   r0, r1   read pointers of the pixels' taps    r2  read pointer of the weights
@   r3       a value                              lr  a weight
@   r12      into the list of taps
@   r4-r7    sums of the first pixel              r8-r11  sums of the second
@
@ The list of taps goes on to the next four channels as it is read.

#include "outputs.inc"

.equ UNROLL, 4
.equ F_TAPS, F_PIXEL
.equ F_TAPS_END, F_PIXEL + 4

@ Every instruction takes 4 bytes: the entry is computed.
.macro TAP
    ldrd r0, r1, [r12]
  .irp c, 0, 1, 2, 3
    ldrsb lr, [r2], #1
    ldrsb r3, [r0], #1
    mla x\c, r3, lr, x\c
    ldrsb r3, [r1], #1
    mla y\c, r3, lr, y\c
  .endr
    strd r0, r1, [r12], #8
.endm

    .global tn_thumb2_tap_blocks
    .type tn_thumb2_tap_blocks, %function
    .thumb_func
    .align 2
tn_thumb2_tap_blocks:
    ENTER UNROLL
    SET_ENTRY .Ltaps, 22
.Lblock:
    START_BLOCK 2
    ldr r0, [sp, #F_ENTRY]
    ldr r12, [sp, #F_TAPS]
    bx r0
    .align 2
.Ltaps:
  .rept UNROLL
    TAP
  .endr
    ldr r3, [sp, #F_TAPS_END]
    cmp r12, r3
    bne.w .Ltaps
    FINISH_BLOCK 2
    bne.w .Lblock
    LEAVE
    .size tn_thumb2_tap_blocks, . - tn_thumb2_tap_blocks
