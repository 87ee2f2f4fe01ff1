/* SPDX-License-Identifier: MIT */
/* BLAKE3, the plain hash of 32 bytes. */
#ifndef DB_BLAKE3_H
#define DB_BLAKE3_H

#include <stddef.h>
#include <stdint.h>

void cwi_blake3(const void *data, size_t size, uint8_t out[32]);

#endif
