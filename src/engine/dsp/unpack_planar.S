@ void tn_dsp_unpack_planar(tn_dsp_planes* planes)
@
@ Some channels of some planar rows into their strips: every word of four columns in the order 0, 2, 1, 3 becomes two words of
@ neighbours. Strips of several channels lie side by side as their planes do.
@
@        row   x0 x2 x1 x3 | x4 x6 x5 x7        strip   x0 x1 | x2 x3 | x4 x5 | x6 x7
@
@ `offset` moves on to the next channels. Called from lanes_run.S: keeps no register but sp.
@
@ const void* tn_dsp_planes_row(int32_t words)
@
@ The code that unpacks a row of so many words.
@
@ Registers   r0 row   r1 rows   r2 rows left   r3 offset   r5 write pointer   r6 from the end of a strip row to the next
@             r12 where a row begins   lr where its pairs of words begin   r4, r7-r11 data
.syntax unified
.thumb
.text

.equ OFFSET, 8          @ field of tn_dsp_planes (dsp.h)
.equ MOST_PAIRS, 6      @ of words in STRIP_ROW
.equ PAIR_BYTES, 24

    .global tn_dsp_planes_row
    .type tn_dsp_planes_row, %function
    .thumb_func
    .align 2
tn_dsp_planes_row:
    lsrs r1, r0, #1
    movs r2, #PAIR_BYTES
    adr.w r3, .Lend + 1
    mls r0, r1, r2, r3
    bx lr
    .size tn_dsp_planes_row, . - tn_dsp_planes_row

    .global tn_dsp_unpack_planar
    .type tn_dsp_unpack_planar, %function
    .thumb_func
    .align 2
tn_dsp_unpack_planar:
    push {lr}
    ldmia r0, {r1-r6, r12}          @ rows, count, offset, bytes, strip, gap, row
    add r4, r4, r3
    str r4, [r0, #OFFSET]
    mov lr, r12
    lsls r4, r6, #28
    bpl .Lrow
    adr.w r12, .Lsingle + 1
.Lrow:
    ldr r0, [r1], #4
    add r0, r0, r3
    bx r12
    .align 2
.Lsingle:
    ldr r4, [r0], #4
    uxtb16 r7, r4
    uxtb16 r8, r4, ror #8
    strd r7, r8, [r5], #8
    bx lr
    .align 2
.rept MOST_PAIRS
    ldmia.w r0!, {r4, r9}
    uxtb16 r7, r4
    uxtb16 r8, r4, ror #8
    uxtb16 r10, r9
    uxtb16 r11, r9, ror #8
    stmia.w r5!, {r7, r8, r10, r11}
.endr
.Lend:
    add r5, r5, r6
    subs r2, #1
    bne .Lrow
    pop {pc}
    .size tn_dsp_unpack_planar, . - tn_dsp_unpack_planar
