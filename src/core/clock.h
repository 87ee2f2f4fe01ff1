/* SPDX-License-Identifier: MIT */
/* Time as the runtimes see it: the system's monotonic clock, or a virtual one that tests move. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CWI_NS_PER_MS 1000000U
#define CWI_NS_PER_S 1000000000U

/* Nanoseconds of the clock in force. */
uint64_t cwi_clock_now(void);

/* Nanoseconds of the system's monotonic clock, whatever clock is in force: for measuring. */
uint64_t cwi_clock_monotonic(void);

/* True while the virtual clock is in force. */
bool cwi_clock_is_virtual(void);

/* True where the virtual clock jumps to the next timer when all is idle. */
bool cwi_clock_is_automatic(void);

/* Moves the virtual clock forward to `now`, never back. */
void cwi_clock_advance_to(uint64_t now);

#endif
