@ int16_t* tn_dsp_gather(const int8_t* source, int32_t length, int32_t stride, int16_t* tile, int32_t pixels)
@
@ `length` bytes of each of 1 to 4 pixels, `stride` bytes apart, sign-extended into the steps of a tile (tile.inc): of four bytes
@ b0 b1 b2 b3 of every pixel one step with (b0, b2), one with (b1, b3); of one to three at the end (b0, 0) | (b0, b1) |
@ (b0, b1), (b2, 0). Returns the tile's next free place. Reads nothing else.
@
@ Registers   r0, r12, lr, r2 the pixels' read pointers   r1 bytes left   r3 write pointer   r4-r11 data
.syntax unified
.thumb
.text

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

.macro STORE_A count
  .if \count == 1
    str low0, [r3], #4
  .elseif \count == 2
    stmia r3!, {r4, r5}
  .elseif \count == 3
    stmia r3!, {r4, r5, r6}
  .else
    stmia r3!, {r4, r5, r6, r7}
  .endif
.endm

.macro STORE_BOTH count
  .if \count == 4
    stmia r3!, {r4-r11}
  .elseif \count == 3
    stmia r3!, {r4-r6, r8-r10}
  .elseif \count == 2
    stmia r3!, {r4, r5, r8, r9}
  .else
    stmia r3!, {r4, r8}
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
    beq .Lend\count
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
    STORE_A \count
    subs r1, #1
    beq .Lend\count
.Lsingle\count:
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldrsb low\p, [from\p]
      uxth low\p, low\p
    .endif
  .endr
    STORE_A \count
.Lend\count:
    mov r0, r3
    pop {r4-r11, pc}
.endm

    .global tn_dsp_gather
    .type tn_dsp_gather, %function
    .thumb_func
    .align 2
tn_dsp_gather:
    push {r4-r11, lr}
    ldr r4, [sp, #36]
    add r12, r0, r2
    add lr, r12, r2
    add r2, lr, r2
    cmp r4, #2
    blt .Lone
    beq .Ltwo
    cmp r4, #4
    blt .Lthree
    GATHER 4
.Lthree:
    GATHER 3
.Ltwo:
    GATHER 2
.Lone:
    GATHER 1
    .size tn_dsp_gather, . - tn_dsp_gather
