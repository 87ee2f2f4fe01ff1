/* SPDX-License-Identifier: MIT */
#ifndef CORE_FUTURE_INTERNAL_H
#define CORE_FUTURE_INTERNAL_H

#include "core/future.h"

/* Puts a future made on another thread on its home's list of operations; on the home thread. */
void cwi_future_arrive(cwi_future *f);

#endif
