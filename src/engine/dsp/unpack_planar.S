@ void tn_dsp_unpack_planar(tn_dsp_planes* planes)
@
@ One channel of some planar rows into its strip: every word of four columns in the order 0, 2, 1, 3 becomes two words of
@ neighbours.
@
@        row   x0 x2 x1 x3 | x4 x6 x5 x7        strip   x0 x1 | x2 x3 | x4 x5 | x6 x7
@
@ Rows of padding are left out. `offset` moves on to the next channel. Called from lanes.inc: keeps no register but sp.
@
@ Registers   r0 row   r1 rows   r2 rows left   r3 offset   r5 from the end of a strip row to the next   r6 write pointer
@             r12 where a row begins   lr where its pairs of words begin   r4, r7-r11 data
.syntax unified
.thumb
.text

.equ OFFSET, 8          @ field of tn_dsp_planes (dsp.h)
.equ STRIP_ROW, 96      @ TN_DSP_STRIP_ROW
.equ MOST_PAIRS, 6      @ of words in STRIP_ROW
.equ PAIR_BYTES, 24

    .global tn_dsp_unpack_planar
    .type tn_dsp_unpack_planar, %function
    .thumb_func
    .align 2
tn_dsp_unpack_planar:
    push {lr}
    ldmia r0, {r1-r6}               @ rows, count, offset, plane_bytes, words, strip
    add r4, r4, r3
    str r4, [r0, #OFFSET]
    adr.w lr, .Lend
    lsrs r4, r5, #1
    movs r0, #PAIR_BYTES
    mls lr, r4, r0, lr
    orr lr, lr, #1
    mov r12, lr
    lsls r4, r5, #31
    beq 1f
    adr.w r12, .Lsingle
    orr r12, r12, #1
1:  lsls r5, r5, #3
    rsb r5, r5, #STRIP_ROW
.Lrow:
    ldr r0, [r1], #4
    cbz r0, .Lpadding
    add r0, r0, r3
    bx r12
.Lpadding:
    adds r6, #STRIP_ROW
    subs r2, #1
    bne .Lrow
    pop {pc}
    .align 2
.Lsingle:
    ldr r4, [r0], #4
    uxtb16 r7, r4
    uxtb16 r8, r4, ror #8
    strd r7, r8, [r6], #8
    bx lr
    .align 2
.rept MOST_PAIRS
    ldmia.w r0!, {r4, r9}
    uxtb16 r7, r4
    uxtb16 r8, r4, ror #8
    uxtb16 r10, r9
    uxtb16 r11, r9, ror #8
    stmia.w r6!, {r7, r8, r10, r11}
.endr
.Lend:
    add r6, r6, r5
    subs r2, #1
    bne .Lrow
    pop {pc}
    .size tn_dsp_unpack_planar, . - tn_dsp_unpack_planar
