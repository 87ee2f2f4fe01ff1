/* SPDX-License-Identifier: MIT */
/* cwi_fiber_swap(void **save_sp /rdi/, void *load_sp /rsi/) for the System V AMD64 ABI: saves what a
 * call must preserve (rbx, rbp, r12-r15, the x87 control word and mxcsr), changes stacks, restores.
 * cwi_fiber_start is where a fresh stack "returns" to: rbx holds the function, r12 its argument. */
#if defined(__x86_64__)
  .text
  .globl cwi_fiber_swap
  .hidden cwi_fiber_swap
  .type cwi_fiber_swap, @function
  .p2align 4
cwi_fiber_swap:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
  .size cwi_fiber_swap, .-cwi_fiber_swap

  .globl cwi_fiber_start
  .hidden cwi_fiber_start
  .type cwi_fiber_start, @function
  .p2align 4
cwi_fiber_start:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  xorl %ebp, %ebp
  call *%rbx
  ud2
  .cfi_endproc
  .size cwi_fiber_start, .-cwi_fiber_start
#endif
  .section .note.GNU-stack,"",@progbits
