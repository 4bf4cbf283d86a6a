@ int16_t* tn_dsp_gather(const tn_dsp_windows* windows, int16_t* tile, int32_t pixels)
@
@ The windows of neighbouring pixels, sign-extended into the blocks of a tile (tile.S): as many of four pixels as there are,
@ then of one. Of four bytes b0 b1 b2 b3 in a row of every pixel's window one step gets (b0, b2), one (b1, b3); of one to
@ three at the row's end (b0, -) | (b0, b1) | (b0, b1), (b2, -), where - has the weight 0. Behind a block's steps come the addresses of its output
@ pixels, as if they all lay in one row. Returns the tile's next free place. Reads nothing else.
@
@ Registers   r0, r12, lr, r2 the pixels' read pointers   r1 bytes left   r3 write pointer   r4-r11 data
.syntax unified
.thumb
.text

@ Stack frame: first the fields of tn_dsp_windows (dsp.h), some of which move on with the pixels.
.equ F_ROWS, 0
.equ F_OFFSET, 4
.equ F_COUNT, 8
.equ F_LENGTH, 12
.equ F_STRIDE, 16
.equ F_ADDRESS, 20
.equ F_APART, 24
.equ F_PIXELS, 28       @ left behind this block, less 4
.equ F_NEXT, 32         @ the next row's pointer
.equ F_LEFT, 36         @ rows left, this one included
.equ FRAME, 40

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

@ A row of the windows of `count` pixels.
.macro GATHER_ROW count
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
    beq .Lrow_done\count
    subs r1, #1
    beq .Llast\count
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldrsb high\p, [from\p, #1]
      ldrsb low\p, [from\p], #2
      pkhbt low\p, low\p, high\p, lsl #16
    .endif
  .endr
    STORE_LOW \count
    subs r1, #1
    beq .Lrow_done\count
.Llast\count:
  .irp p, 0, 1, 2, 3
    .if \p < \count
      ldrsb low\p, [from\p]
    .endif
  .endr
    STORE_LOW \count
.Lrow_done\count:
.endm

@ All rows of the windows of `count` pixels.
.macro GATHER count
    ldmia sp, {r4-r8}               @ rows, offset, count, length, stride
.Lrow\count:
    ldr r0, [r4], #4
    strd r4, r6, [sp, #F_NEXT]
    add r0, r0, r5
    mov r1, r7
  .if \count == 4
    add r12, r0, r8
    add lr, r12, r8
    add r2, lr, r8
  .endif
    GATHER_ROW \count
    ldrd r4, r6, [sp, #F_NEXT]
    subs r6, #1
    beq .Lrows_done\count
    ldr r5, [sp, #F_OFFSET]
    ldrd r7, r8, [sp, #F_LENGTH]
    b .Lrow\count
.Lrows_done\count:
.endm

@ 1 << shift pixels further. r2 = pixels left, less 4.
.macro MOVE_ON shift
    ldr r4, [sp, #F_OFFSET]
    ldr r5, [sp, #F_STRIDE]
    ldr r2, [sp, #F_PIXELS]
    add r4, r4, r5, lsl #\shift
    str r4, [sp, #F_OFFSET]
.endm

    .global tn_dsp_gather
    .type tn_dsp_gather, %function
    .thumb_func
    .align 2
tn_dsp_gather:
    push {r4-r11, lr}
    sub sp, #FRAME
    mov r3, r1
    ldmia r0, {r4-r10}
    stmia sp, {r4-r10}
    subs r2, #4
    blt .Lsingles
.Lblock:
    str r2, [sp, #F_PIXELS]
    GATHER 4
    ldrd r4, r7, [sp, #F_ADDRESS]
    cbz r7, .Lplanar
    adds r5, r4, r7
    adds r6, r5, r7
    add r8, r6, r7
    add r2, r8, r7
    b .Laddresses
.Lplanar:
    adds r5, r4, #2
    adds r6, r4, #1
    add r8, r4, #3
    adds r2, r4, #4
.Laddresses:
    stmia r3!, {r4-r6, r8}
    str r2, [sp, #F_ADDRESS]
    MOVE_ON 2
    subs r2, #4
    bge .Lblock
.Lsingles:
    adds r2, #4
    beq .Ldone
.Lsingle:
    str r2, [sp, #F_PIXELS]
    GATHER 1
    ldrd r4, r7, [sp, #F_ADDRESS]
    str r4, [r3], #4
    cbnz r7, 1f
    tst r4, #2                      @ planar: bytes 0, 2, 1 of the word
    ite eq
    moveq r7, #2
    movne r7, #-1
1:  add r4, r4, r7
    str r4, [sp, #F_ADDRESS]
    MOVE_ON 0
    subs r2, #1
    bne .Lsingle
.Ldone:
    mov r0, r3
    add sp, #FRAME
    pop {r4-r11, pc}
    .size tn_dsp_gather, . - tn_dsp_gather
