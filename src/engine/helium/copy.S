@ void tn_helium_copy(const tn_helium_copy_args* arguments)
@
@ `count` runs of `bytes` bytes, each run `from_step` and `to_step` bytes behind the one before; 32 bytes of all runs at a time.
@
@ Registers   r1 from   r2 to   r3 from_step   r4 to_step   r5 count   r6 bytes left   r0 r7 this run   lr loop
.syntax unified
.thumb
    .section .text.tn_helium_copy, "ax", %progbits
    .global tn_helium_copy
    .type tn_helium_copy, %function
    .thumb_func
    .align 2
tn_helium_copy:
    push {r4-r7, lr}
    ldmia r0, {r1-r6}
1:
    mov r0, r1
    mov r7, r2
    cmp r6, #16
    bls 3f
    sub r12, r6, #16
    vctp.8 r12
    dls lr, r5
2:
    vldrb.u8 q0, [r0]
    vpstt
    vldrbt.u8 q1, [r0, #16]
    vstrbt.8 q1, [r7, #16]
    vstrb.8 q0, [r7]
    add r0, r3
    add r7, r4
    le lr, 2b
    add r1, #32
    add r2, #32
    subs r6, #32
    bgt 1b
    pop {r4-r7, pc}
3:
    vctp.8 r6
    dls lr, r5
4:
    vpstt
    vldrbt.u8 q0, [r0]
    vstrbt.8 q0, [r7]
    add r0, r3
    add r7, r4
    le lr, 4b
    pop {r4-r7, pc}
    .size tn_helium_copy, . - tn_helium_copy

@ void tn_helium_fill(int8_t* to, int32_t value, int32_t bytes)
    .section .text.tn_helium_fill, "ax", %progbits
    .global tn_helium_fill
    .type tn_helium_fill, %function
    .thumb_func
    .align 2
tn_helium_fill:
    push {r4, lr}
    vdup.8 q0, r1
    wlstp.8 lr, r2, 2f
1:
    vstrb.8 q0, [r0], #16
    letp lr, 1b
2:
    pop {r4, pc}
    .size tn_helium_fill, . - tn_helium_fill
