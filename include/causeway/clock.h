/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A virtual clock, so that a test proves a 30 s time-out in microseconds.
 *
 * While it is in force, time stands still until cw_clock_advance() moves it or, with `automatic`,
 * until a runtime has nothing to do but wait for a timer: then the clock jumps to that timer.
 *
 *   cw_clock_virtual(true);
 *   cw_await(cw_sleep(30000), NULL, NULL);  // returns at once
 *   cw_clock_real();
 *
 * Thread rule: switching clocks is for tests, while no timer is armed.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_CLOCK_H
#define CAUSEWAY_CLOCK_H

#include "causeway/error.h"

CW_BEGIN_DECLS

/** Puts the virtual clock in force; with `automatic` it jumps to the next timer when all is idle.
 *  Threads: any, while no timer is armed. Since: 0.1 */
CW_API void cw_clock_virtual(bool automatic);

/** Puts the system's clock back in force. Threads: any, while no timer is armed. Since: 0.1 */
CW_API void cw_clock_real(void);

/** Moves the virtual clock `ms` milliseconds forward and wakes every runtime to fire what is due.
 *  Threads: any. Errors: CW_E_STATE the virtual clock is not in force. Since: 0.1 */
CW_API cw_status cw_clock_advance(uint64_t ms);

/** Returns the nanoseconds of the clock in force; the start is arbitrary. Threads: any. Since: 0.1
 */
CW_API uint64_t cw_clock_now_ns(void);

CW_END_DECLS

#endif
