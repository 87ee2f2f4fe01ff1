/* SPDX-License-Identifier: MIT */
/* A hierarchical timing wheel (Varghese and Lauck, SOSP 1987, scheme 7): arm and cancel in constant
 * time, however many timers are live. Time is in ticks; the owner says what a tick is.
 *
 * Owned by one thread. A timer is embedded in what it times. */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CWI_TIMER_LEVEL_BITS 7
#define CWI_TIMER_SLOTS (1 << CWI_TIMER_LEVEL_BITS)
#define CWI_TIMER_LEVELS 6
#define CWI_TIMER_NEVER UINT64_MAX

typedef struct cwi_timer {
  struct cwi_timer *next;
  struct cwi_timer **link; /* what points here; NULL while not armed */
  uint64_t deadline;       /* in ticks */
  void (*fire)(struct cwi_timer *timer);
} cwi_timer;

typedef struct cwi_timer_wheel {
  uint64_t now; /* every timer with deadline <= now has been taken out */
  size_t len;
  uint64_t occupied[CWI_TIMER_LEVELS][CWI_TIMER_SLOTS / 64];
  cwi_timer *slots[CWI_TIMER_LEVELS][CWI_TIMER_SLOTS];
  cwi_timer *due; /* taken out of the slots, not yet fired */
} cwi_timer_wheel;

/* Begins at tick `now`, small: the wheel spans 2^42 ticks from 0. */
void cwi_timer_wheel_init(cwi_timer_wheel *wheel, uint64_t now);

/* Arms a timer that is not armed, for `deadline` (one already past fires on the next advance). */
void cwi_timer_arm(cwi_timer_wheel *wheel, cwi_timer *timer, uint64_t deadline);

/* Takes a timer out; false where it was not armed. Also of use inside a `fire`. */
bool cwi_timer_disarm(cwi_timer_wheel *wheel, cwi_timer *timer);

/* Moves to `now` and fires what is due, in order of ticks. `fire` may arm and disarm any timer.
 * Returns how many fired. */
size_t cwi_timer_advance(cwi_timer_wheel *wheel, uint64_t now);

/* The tick at which the next advance has something to do: at most the earliest deadline, and later
 * than now; CWI_TIMER_NEVER where no timer is armed. */
uint64_t cwi_timer_next(const cwi_timer_wheel *wheel);

#endif
