/* SPDX-License-Identifier: MIT */
/* Two clocks. The virtual one is a number that only moves forward; switching it on starts at the
 * real time, so that deadlines armed afterwards make sense in either. */
#include "core/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "causeway/clock.h"
#include "core/error.h"
#include "core/runtime.h"

static _Atomic bool is_virtual;
static _Atomic bool is_automatic;
static _Atomic uint64_t virtual_now;

uint64_t cwi_clock_monotonic(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * CWI_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t cwi_clock_now(void) {
  if (CWI_LIKELY(!atomic_load_explicit(&is_virtual, memory_order_relaxed))) {
    return cwi_clock_monotonic();
  }
  return atomic_load_explicit(&virtual_now, memory_order_acquire);
}

bool cwi_clock_is_virtual(void) { return atomic_load_explicit(&is_virtual, memory_order_relaxed); }

bool cwi_clock_is_automatic(void) {
  return cwi_clock_is_virtual() && atomic_load_explicit(&is_automatic, memory_order_relaxed);
}

void cwi_clock_advance_to(uint64_t now) {
  uint64_t before = atomic_load_explicit(&virtual_now, memory_order_relaxed);
  while (before < now &&
         !atomic_compare_exchange_weak_explicit(&virtual_now, &before, now, memory_order_release,
                                                memory_order_relaxed)) {
  }
}

void cw_clock_virtual(bool automatic) {
  if (!cwi_clock_is_virtual()) atomic_store(&virtual_now, cwi_clock_monotonic());
  atomic_store(&is_automatic, automatic);
  atomic_store(&is_virtual, true);
}

void cw_clock_real(void) { atomic_store(&is_virtual, false); }

uint64_t cw_clock_now_ns(void) { return cwi_clock_now(); }

static void wake(cwi_runtime *runtime, void *context) {
  (void)context;
  (void)uv_async_send(&runtime->wake);
}

cw_status cw_clock_advance(uint64_t ms) {
  if (!cwi_clock_is_virtual()) {
    return CWI_RAISE(NULL, CW_E_STATE, 0, "the virtual clock is not in force");
  }
  cwi_clock_advance_to(cwi_clock_now() + ms * CWI_NS_PER_MS);
  cwi_runtime_visit(wake, NULL);
  return CW_OK;
}
