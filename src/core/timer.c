/* SPDX-License-Identifier: MIT */
/* The timing wheel. Level k has 128 slots of 128^k ticks; a timer lies on the lowest level on which
 * its deadline and `now` differ in the digit of that level only, or above. When the digits below
 * level k come round to zero, the slot that `now` enters on level k is spread over the levels
 * below.
 *
 * Bitmaps of occupied slots let an advance skip empty time: its cost is that of the timers it
 * moves, not of the ticks that pass.
 *
 * The wheel spans 2^42 ticks from 0 (nine years of 65 microseconds); what is later never fires. */
#include "core/timer.h"

#include <string.h>

#include "core/assert.h"
#include "core/compiler.h"

#define SLOT_MASK (CWI_TIMER_SLOTS - 1)
#define SPAN_TICKS ((uint64_t)1 << (CWI_TIMER_LEVEL_BITS * CWI_TIMER_LEVELS))

void cwi_timer_wheel_init(cwi_timer_wheel *wheel, uint64_t now) {
  memset(wheel, 0, sizeof(*wheel));
  wheel->now = now;
}

static void link_timer(cwi_timer **head, cwi_timer *timer) {
  timer->next = *head;
  if (timer->next != NULL) timer->next->link = &timer->next;
  timer->link = head;
  *head = timer;
}

static void unlink_timer(cwi_timer *timer) {
  *timer->link = timer->next;
  if (timer->next != NULL) timer->next->link = timer->link;
  timer->link = NULL;
}

static unsigned level_of(uint64_t now, uint64_t when) {
  uint64_t differs = now ^ when;
  if (differs < CWI_TIMER_SLOTS) return 0;
  return (63 - CWI_CLZ64(differs)) / CWI_TIMER_LEVEL_BITS;
}

/* Puts a timer with a deadline after `now` into its slot. */
static void place(cwi_timer_wheel *wheel, cwi_timer *timer) {
  uint64_t when = timer->deadline;
  if (CWI_UNLIKELY(when >= SPAN_TICKS)) when = SPAN_TICKS - 1;
  unsigned level = level_of(wheel->now, when);
  size_t slot = (size_t)(when >> (level * CWI_TIMER_LEVEL_BITS)) & SLOT_MASK;
  link_timer(&wheel->slots[level][slot], timer);
  wheel->occupied[level][slot / 64] |= (uint64_t)1 << (slot % 64);
}

void cwi_timer_arm(cwi_timer_wheel *wheel, cwi_timer *timer, uint64_t deadline) {
  CWI_ASSERT(timer->link == NULL);
  timer->deadline = deadline;
  wheel->len++;
  if (CWI_UNLIKELY(deadline <= wheel->now)) {
    link_timer(&wheel->due, timer);
  } else {
    place(wheel, timer);
  }
}

bool cwi_timer_disarm(cwi_timer_wheel *wheel, cwi_timer *timer) {
  if (timer->link == NULL) return false;
  unlink_timer(timer); /* the bit of an emptied slot is cleared when the wheel comes by */
  wheel->len--;
  return true;
}

/* The first occupied slot after `from` on a level, or -1. */
static int next_slot(const cwi_timer_wheel *wheel, unsigned level, size_t from) {
  for (size_t word = from / 64; word < CWI_TIMER_SLOTS / 64; word++) {
    uint64_t bits = wheel->occupied[level][word];
    if (word == from / 64) bits &= from % 64 == 63 ? 0 : ~(uint64_t)0 << (from % 64 + 1);
    if (bits != 0) return (int)(word * 64 + CWI_CTZ64(bits));
  }
  return -1;
}

/* The start of the next occupied slot of `level`, or NEVER. */
static uint64_t next_on_level(const cwi_timer_wheel *wheel, unsigned level) {
  unsigned shift = level * CWI_TIMER_LEVEL_BITS;
  int slot = next_slot(wheel, level, (size_t)(wheel->now >> shift) & SLOT_MASK);
  if (slot < 0) return CWI_TIMER_NEVER;
  uint64_t base = wheel->now >> (shift + CWI_TIMER_LEVEL_BITS) << (shift + CWI_TIMER_LEVEL_BITS);
  return base | ((uint64_t)slot << shift);
}

uint64_t cwi_timer_next(const cwi_timer_wheel *wheel) {
  if (wheel->due != NULL) return wheel->now + 1;
  uint64_t next = CWI_TIMER_NEVER;
  if (wheel->len == 0) return next;
  for (unsigned level = 0; level < CWI_TIMER_LEVELS; level++) {
    uint64_t when = next_on_level(wheel, level);
    if (when < next) next = when;
  }
  return next;
}

static cwi_timer *take_slot(cwi_timer_wheel *wheel, unsigned level) {
  size_t slot = (size_t)(wheel->now >> (level * CWI_TIMER_LEVEL_BITS)) & SLOT_MASK;
  cwi_timer *list = wheel->slots[level][slot];
  wheel->slots[level][slot] = NULL;
  wheel->occupied[level][slot / 64] &= ~((uint64_t)1 << (slot % 64));
  return list;
}

/* Having entered a new slot of `level`, spreads it over the levels below. */
static void spread(cwi_timer_wheel *wheel, unsigned level) {
  cwi_timer *timer = take_slot(wheel, level);
  while (timer != NULL) {
    cwi_timer *next = timer->next;
    if (timer->deadline <= wheel->now) {
      link_timer(&wheel->due, timer);
    } else {
      place(wheel, timer);
    }
    timer = next;
  }
}

static void enter_tick(cwi_timer_wheel *wheel, uint64_t now) {
  uint64_t before = wheel->now;
  wheel->now = now;
  unsigned top = level_of(before, now);
  CWI_ASSERT(top < CWI_TIMER_LEVELS);
  for (unsigned level = top; level > 0; level--) spread(wheel, level);
  spread(wheel, 0);
}

static size_t fire_due(cwi_timer_wheel *wheel) {
  size_t fired = 0;
  while (wheel->due != NULL) {
    cwi_timer *timer = wheel->due;
    unlink_timer(timer);
    wheel->len--;
    fired++;
    timer->fire(timer);
  }
  return fired;
}

size_t cwi_timer_advance(cwi_timer_wheel *wheel, uint64_t now) {
  size_t fired = fire_due(wheel);
  while (wheel->now < now) {
    uint64_t next = cwi_timer_next(wheel);
    if (next > now) next = now;
    enter_tick(wheel, next);
    fired += fire_due(wheel);
  }
  return fired;
}
