@ int16_t* tn_dsp_gather_s4(const int8_t* source, int32_t length, int32_t stride, int16_t* tile, int32_t pixels)
@
@ tn_dsp_gather for pixels of 4-bit values: `length` bytes, a multiple of 4, of each of 1 or 4 pixels, `stride` bytes apart. Of
@ eight values v0..v7 of every pixel four steps (v0, v4), (v1, v5), (v2, v6), (v3, v7), as the unsigned value plus 8.
@ 31 instructions for 16 words of a block of four.
@
@ Registers   r0 read pointer   r1 its end   r2 stride   r3 write pointer   r4-r7 values   r8-r11 a step   lr mask
.syntax unified
.thumb
.text

    .global tn_dsp_gather_s4
    .type tn_dsp_gather_s4, %function
    .thumb_func
    .align 2
tn_dsp_gather_s4:
    push {r4-r11, lr}
    ldr r12, [sp, #36]              @ pixels
    add r1, r1, r0
    mov lr, #0x000F000F
    cmp r12, #1
    beq .Lone
.Lfour:
    ldr r5, [r0, r2]
    add r7, r0, r2, lsl #1
    ldr r6, [r7]
    ldr r7, [r7, r2]
    ldr r4, [r0], #4
    eor r4, r4, #0x88888888
    eor r5, r5, #0x88888888
    eor r6, r6, #0x88888888
    eor r7, r7, #0x88888888
  .irp shift, 0, 4, 8, 12
    and r8, lr, r4, lsr #\shift
    and r9, lr, r5, lsr #\shift
    and r10, lr, r6, lsr #\shift
    and r11, lr, r7, lsr #\shift
    stmia r3!, {r8-r11}
  .endr
    cmp r0, r1
    bne .Lfour
    b .Ldone
.Lone:
    ldr r4, [r0], #4
    eor r4, r4, #0x88888888
    and r8, lr, r4
    and r9, lr, r4, lsr #4
    and r10, lr, r4, lsr #8
    and r11, lr, r4, lsr #12
    stmia r3!, {r8-r11}
    cmp r0, r1
    bne .Lone
.Ldone:
    mov r0, r3
    pop {r4-r11, pc}
    .size tn_dsp_gather_s4, . - tn_dsp_gather_s4
