/* SPDX-License-Identifier: MIT */
/* cwi_fiber_swap(void **save_sp /x0/, void *load_sp /x1/) for AAPCS64: saves x19-x30 and d8-d15.
 * cwi_fiber_start is where a fresh stack "returns" to: x19 holds the function, x20 its argument. */
#if defined(__aarch64__)
  .text
  .globl cwi_fiber_swap
  .hidden cwi_fiber_swap
  .type cwi_fiber_swap, %function
  .p2align 4
cwi_fiber_swap:
  .cfi_startproc
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
  .cfi_endproc
  .size cwi_fiber_swap, .-cwi_fiber_swap

  .globl cwi_fiber_start
  .hidden cwi_fiber_start
  .type cwi_fiber_start, %function
  .p2align 4
cwi_fiber_start:
  .cfi_startproc
  .cfi_undefined x30
  mov x0, x20
  mov x29, #0
  blr x19
  brk #0
  .cfi_endproc
  .size cwi_fiber_start, .-cwi_fiber_start
#endif
  .section .note.GNU-stack,"",%progbits
