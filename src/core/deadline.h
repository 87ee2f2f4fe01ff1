/* SPDX-License-Identifier: MIT */
/* The time limit of a future: a timer on some runtime that cancels it with CW_E_TIMEOUT. */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include "core/future.h"

typedef struct cwi_deadline cwi_deadline;

/* Gives a pending future `ms` from now, in place of any earlier limit. */
cw_status cwi_deadline_set(cwi_future *f, uint64_t ms, cw_error *err);

/* Called by the future that lets go of it: disarms the timer where it lives, and frees. Any thread.
 */
void cwi_deadline_drop(cwi_deadline *deadline);

/* The runtime ends: lets go of every limit that is timed here. On its thread. */
void cwi_deadline_end_all(cwi_runtime *runtime);

#endif
