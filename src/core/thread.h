/* SPDX-License-Identifier: MIT */
/* Threads as the core needs them: work at a thread's end, a futex, how many CPUs, and whether this
 * process is a forked child. */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "causeway/error.h"
#include "core/compiler.h"

/* Stages of a thread's end, in the order in which they run. */
enum {
  CWI_THREAD_END_RUNTIME = 0,
  CWI_THREAD_END_HANDLES,
  CWI_THREAD_END_POOL,
  CWI_THREAD_END_ALLOC,
  CWI_THREAD_END_COUNT
};

/* Has `run` called on this thread when it ends; a stage holds one function, setting it again is
 * free. */
void cwi_thread_at_end(int stage, void (*run)(void));

/* True where more than one CPU may run this process: only then is spinning of use. */
bool cwi_thread_can_spin(void);

/* How many CPUs this process may use, at least 1. */
unsigned cwi_thread_cpus(void);

/* A small number of this thread, never reused in the process. */
uint32_t cwi_thread_id(void);

/* Hints to the CPU that this is a spin. */
CWI_INLINE void cwi_thread_pause(void) { CWI_CPU_PAUSE(); }

/* Sleeps while *word == expected, at most `timeout_ns` (0: for ever); may return early. */
void cwi_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ns);
void cwi_futex_wake(_Atomic uint32_t *word, int count);

/* True in a child after fork: nothing of the parent's threads is there. */
extern bool cwi_forked;

/* Arms the detection; called where the library first creates a thread or a runtime. */
void cwi_fork_guard(void);

/* pthread_create for background threads: they take no signals. */
int cwi_thread_start(pthread_t *out, void *(*run)(void *), void *context);

/* Gives this thread the name `name` (15 characters) for debuggers, and with `background` the lowest
 * scheduling class of the platform. */
void cwi_thread_describe(const char *name, bool background);

#endif
