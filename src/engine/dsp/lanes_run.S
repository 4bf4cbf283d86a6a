@ void tn_dsp_lanes_run(const tn_dsp_lanes* lanes, const words* code)
@
@ The loop over channels around the kernels of lanes.inc and lanes_row.inc, which jump here with their `code`: bytes of a
@ channel's weights, then addresses: where those are loaded, the columns of blocks of four, the tails of two (and one). A tail
@ of three is a block of four.
@
@ A kernel's weights are loaded from r0; its blocks begin with r2 write pointer, r3 read pointer and the weights in their
@ registers. Blocks of four end at F_AFTER, tails at tn_dsp_lanes_next.
#include "lanes_frame.inc"

.syntax unified
.thumb
.text

    .global tn_dsp_lanes_run
    .type tn_dsp_lanes_run, %function
    .thumb_func
    .align 2
tn_dsp_lanes_run:
    push {r4-r11, lr}
    vpush {s16-s23}
    sub sp, #FRAME
    ldmia r0!, {r2-r12}
    stmia sp, {r2-r12}
    vldmia r0!, {s20-s22}
    vmov.f32 s23, s21
    ldrd r3, r4, [r0]               @ tail, end of the strips
    strd r2, r4, [sp, #F_FIRST]
    mov r2, r3
    ldmia r1, {r3-r6}               @ channel bytes, load, block, pair
    adr.w r0, tn_dsp_lanes_next + 1
    cbz r2, 1f
    cmp r2, #3
    mov r0, r6
    bne 1f
    adr.w r0, .Lthree + 1
1:  str r5, [sp, #F_BLOCK]
    cmp r9, #0                      @ blocks
    it eq
    moveq r5, r0
    strd r5, r0, [sp, #F_ENTRY]
    strd r3, r4, [sp, #F_CHANNEL_BYTES]
.Lunpack:
    ldr r0, [sp, #F_PLANES]
    cbz r0, .Lunpacked
    bl tn_dsp_unpack_planar
.Lunpacked:
    ldr r3, [sp, #F_FIRST]
    ldrd r0, r2, [sp, #F_HEADER]    @ and output
    str r3, [sp, #F_CHANNEL]
.Lchannel:                          @ r0 header, r2 output, r3 strip
    ldrd r1, r4, [sp, #F_SPAN]      @ and blocks
    vldmia r0, {s17-s19}
    adds r0, #HEADER_BYTES
    adds r1, r1, r3
    strd r1, r4, [sp, #F_END]
    ldr pc, [sp, #F_LOAD]

.Lthree:
    vmov.f32 s21, s22
    adr.w r0, .Lthree_done + 1
    movs r1, #1
    str r0, [sp, #F_AFTER]
    str r1, [sp, #F_LEFT]
    ldr pc, [sp, #F_BLOCK]
.Lthree_done:
    vmov.f32 s21, s23
    adr.w r0, .Lthree + 1
    str r0, [sp, #F_AFTER]

    .global tn_dsp_lanes_next
    .type tn_dsp_lanes_next, %function
    .thumb_func
tn_dsp_lanes_next:
    ldrd r3, r0, [sp, #F_CHANNEL]   @ and header
    ldrd r1, r4, [sp, #F_CHANNELS]  @ and strip bytes
    ldr r2, [sp, #F_OUTPUT]
    ldr r5, [sp, #F_CHANNEL_BYTES]
    ldr r6, [sp, #F_STRIPS_END]
    add r3, r3, r4
    add r0, r0, r5
    adds r2, #1
    strd r3, r0, [sp, #F_CHANNEL]
    subs r1, #1
    str r2, [sp, #F_OUTPUT]
    str r1, [sp, #F_CHANNELS]
    beq .Ldone
    cmp r3, r6
    bne .Lchannel
    b .Lunpack
.Ldone:
    add sp, #FRAME
    vpop {s16-s23}
    pop {r4-r11, pc}
    .size tn_dsp_lanes_run, . - tn_dsp_lanes_run
