/* SPDX-License-Identifier: MIT */
/* Randomness of the functions, from the system. */
#ifndef DB_FN_RAND_H
#define DB_FN_RAND_H

#include <stddef.h>
#include <stdint.h>

void cwi_fn_random_bytes(void *data, size_t size);
uint64_t cwi_fn_random_below(uint64_t limit); /* 0 to limit - 1; limit 0: any */
/* A fresh version 7 UUID, a fresh version 4 one; the 20 letters and digits of a fresh record
 * key. */
void cwi_db_uuid_v7(uint8_t bytes[16]);
void cwi_db_uuid_v4(uint8_t bytes[16]);
#define CWI_DB_RANDOM_KEY_BYTES 20
void cwi_db_random_key(char text[CWI_DB_RANDOM_KEY_BYTES + 1]);
/* The clock as seconds and nanoseconds since 1970. */
void cwi_db_now(int64_t *seconds, uint32_t *nanos);

#endif
