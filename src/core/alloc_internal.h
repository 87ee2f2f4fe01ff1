/* SPDX-License-Identifier: MIT */
#ifndef CORE_ALLOC_INTERNAL_H
#define CORE_ALLOC_INTERNAL_H

/* Folds this thread's share of the byte count into the shared one; called when a thread ends. */
void cwi_alloc_thread_end(void);

#endif
