/* SPDX-License-Identifier: MIT */
/* A thread's end: one pthread key whose destructor runs the stages that the thread has asked for.
 * Other libraries' destructors may call us afterwards and ask again; POSIX then runs ours again. */
#include "core/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static unsigned cpus = 1;
static _Atomic uint32_t next_id = 1;
static CWI_THREAD_LOCAL void (*at_end[CWI_THREAD_END_COUNT])(void);
static CWI_THREAD_LOCAL uint32_t id;
bool cwi_forked;

static void run_stages(void *ignored) {
  (void)ignored;
  for (int stage = 0; stage < CWI_THREAD_END_COUNT; stage++) {
    void (*run)(void) = at_end[stage];
    at_end[stage] = NULL;
    if (run != NULL) run();
  }
}

static void set_up(void) {
  (void)pthread_key_create(&key, run_stages);
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cpus = (unsigned)CPU_COUNT(&set);
  if (cpus == 0) cpus = 1;
}

void cwi_thread_at_end(int stage, void (*run)(void)) {
  CWI_ASSERT(stage >= 0 && stage < CWI_THREAD_END_COUNT);
  if (CWI_LIKELY(at_end[stage] == run)) return;
  (void)pthread_once(&once, set_up);
  at_end[stage] = run;
  (void)pthread_setspecific(key, &at_end);
}

unsigned cwi_thread_cpus(void) {
  (void)pthread_once(&once, set_up);
  return cpus;
}

bool cwi_thread_can_spin(void) { return cwi_thread_cpus() > 1; }

uint32_t cwi_thread_id(void) {
  if (CWI_UNLIKELY(id == 0)) id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
  return id;
}

void cwi_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
  struct timespec limit = {.tv_sec = (time_t)(timeout_ns / 1000000000U),
                           .tv_nsec = (long)(timeout_ns % 1000000000U)};
  (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns == 0 ? NULL : &limit,
                NULL, 0);
}

void cwi_futex_wake(_Atomic uint32_t *word, int count) {
  (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static void mark_child(void) { cwi_forked = true; }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void arm_fork_guard(void) { (void)pthread_atfork(NULL, NULL, mark_child); }
void cwi_fork_guard(void) { (void)pthread_once(&fork_once, arm_fork_guard); }

/* Background threads take no signals of the host's. */
int cwi_thread_start(pthread_t *out, void *(*run)(void *), void *context) {
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  int code = pthread_create(out, NULL, run, context);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

void cwi_thread_describe(const char *name, bool background) {
  (void)pthread_setname_np(pthread_self(), name);
  if (background) {
    struct sched_param parameter = {0};
    (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameter);
  }
}
