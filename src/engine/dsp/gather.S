@ int16_t* tn_dsp_gather(const int8_t* source, int32_t length, int32_t stride, int16_t* tile, int32_t pixels)
@ int16_t* tn_dsp_gather_windows(const int8_t* const* rows, int32_t offset, const tn_dsp_window* window, int16_t* tile,
@                                int32_t pixels)
@
@ `length` bytes of each of 1 or 4 pixels, `stride` bytes apart, sign-extended into the steps of a tile (tile.S): of four bytes
@ b0 b1 b2 b3 of every pixel one step with (b0, b2), one with (b1, b3); of one to three at the end (b0, 0) | (b0, b1) |
@ (b0, b1), (b2, 0). Returns the tile's next free place. Reads nothing else. The second does so for every row of a window,
@ `offset` bytes from the row's start.
@
@ Registers   r0, r12, lr, r2 the pixels' read pointers   r1 bytes left   r3 write pointer   r4-r11 data
.syntax unified
.thumb
.text

@ Stack frame.
.equ F_LEFT, 0          @ rows left, this one included
.equ F_ROWS, 4          @ the next row's pointer
.equ F_OFFSET, 8
.equ F_LENGTH, 12
.equ F_STRIDE, 16
.equ F_PIXELS, 20
.equ FRAME, 24
.equ ARG_PIXELS, FRAME + 36

from0 .req r0
from1 .req r12
from2 .req lr
from3 .req r2
low0 .req r4
low1 .req r5
low2 .req r6
low3 .req r7
high0 .req r8
high1 .req r9
high2 .req r10
high3 .req r11

.macro STORE_LOW count
  .if \count == 1
    str low0, [r3], #4
  .else
    stmia r3!, {r4-r7}
  .endif
.endm

.macro STORE_BOTH count
  .if \count == 1
    stmia r3!, {r4, r8}
  .else
    stmia r3!, {r4-r11}
  .endif
.endm

.macro GATHER count
    subs r1, #4
    blt .Lrest\count
.Lword\count:
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldr low\p, [from\p], #4
    .endif
  .endr
  .irp p, 0, 1, 2, 3
    .if \p < \count
      sxtb16 high\p, low\p, ror #8
    .endif
  .endr
  .irp p, 0, 1, 2, 3
    .if \p < \count
      sxtb16 low\p, low\p
    .endif
  .endr
    STORE_BOTH \count
    subs r1, #4
    bge .Lword\count
.Lrest\count:
    adds r1, #4
    beq .Lrow_done
    subs r1, #1
    beq .Lsingle\count
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldrsb high\p, [from\p, #1]
      ldrb low\p, [from\p], #2
      sxtb low\p, low\p
      pkhbt low\p, low\p, high\p, lsl #16
    .endif
  .endr
    STORE_LOW \count
    subs r1, #1
    beq .Lrow_done
.Lsingle\count:
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldrsb low\p, [from\p]
      uxth low\p, low\p
    .endif
  .endr
    STORE_LOW \count
    b .Lrow_done
.endm

    .global tn_dsp_gather
    .type tn_dsp_gather, %function
    .thumb_func
    .align 2
tn_dsp_gather:
    push {r4-r11, lr}
    sub sp, #FRAME
    ldr r4, [sp, #ARG_PIXELS]
    movs r5, #1
    str r5, [sp, #F_LEFT]
.Lrow:
    cmp r4, #1
    beq .Lone
    add r12, r0, r2
    add lr, r12, r2
    add r2, lr, r2
    GATHER 4
.Lone:
    GATHER 1
.Lrow_done:
    ldr r4, [sp, #F_LEFT]
    subs r4, #1
    bne .Lnext
    mov r0, r3
    add sp, #FRAME
    pop {r4-r11, pc}
    .size tn_dsp_gather, . - tn_dsp_gather

    .global tn_dsp_gather_windows
    .type tn_dsp_gather_windows, %function
    .thumb_func
    .align 2
tn_dsp_gather_windows:
    push {r4-r11, lr}
    sub sp, #FRAME
    ldm r2, {r4, r6, r7}            @ rows, length, stride: the fields of tn_dsp_window
    ldr r9, [sp, #ARG_PIXELS]
    strd r0, r1, [sp, #F_ROWS]
    strd r6, r7, [sp, #F_LENGTH]
    str r9, [sp, #F_PIXELS]
.Lnext:
    str r4, [sp, #F_LEFT]
    ldrd r5, r6, [sp, #F_ROWS]
    ldrd r1, r2, [sp, #F_LENGTH]
    ldr r0, [r5], #4
    ldr r4, [sp, #F_PIXELS]
    str r5, [sp, #F_ROWS]
    add r0, r0, r6
    b .Lrow
    .size tn_dsp_gather_windows, . - tn_dsp_gather_windows
