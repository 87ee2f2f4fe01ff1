/* SPDX-License-Identifier: MIT */
/* BLAKE3 after its paper: chunks of 1024 bytes of 16 blocks, joined pairwise in a tree whose left
 * sides are full. The stack holds one chaining value for each full subtree that waits for its right
 * half. Portable; hashing here is for values, not for gigabytes. */
#include "db/db_blake3.h"

#include <stdbool.h>
#include <string.h>

#include "core/compiler.h"

enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8 };
#define BLOCK 64
#define CHUNK 1024

static const uint32_t iv[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                               0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
static const uint8_t order[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};

static uint32_t turn(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void mix(uint32_t s[16], int a, int b, int c, int d, uint32_t x, uint32_t y) {
  s[a] = s[a] + s[b] + x;
  s[d] = turn(s[d] ^ s[a], 16);
  s[c] = s[c] + s[d];
  s[b] = turn(s[b] ^ s[c], 12);
  s[a] = s[a] + s[b] + y;
  s[d] = turn(s[d] ^ s[a], 8);
  s[c] = s[c] + s[d];
  s[b] = turn(s[b] ^ s[c], 7);
}

static void compress(uint32_t chain[8], const uint8_t block[BLOCK], uint64_t counter, uint32_t len,
                     uint32_t flags) {
  uint32_t m[16];
  uint32_t s[16];
  for (int i = 0; i < 16; i++) {
    m[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 |
           (uint32_t)block[4 * i + 2] << 16 | (uint32_t)block[4 * i + 3] << 24;
  }
  memcpy(s, chain, 8 * sizeof(uint32_t));
  memcpy(s + 8, iv, 4 * sizeof(uint32_t));
  s[12] = (uint32_t)counter;
  s[13] = (uint32_t)(counter >> 32);
  s[14] = len;
  s[15] = flags;
  for (int round = 0; round < 7; round++) {
    mix(s, 0, 4, 8, 12, m[0], m[1]);
    mix(s, 1, 5, 9, 13, m[2], m[3]);
    mix(s, 2, 6, 10, 14, m[4], m[5]);
    mix(s, 3, 7, 11, 15, m[6], m[7]);
    mix(s, 0, 5, 10, 15, m[8], m[9]);
    mix(s, 1, 6, 11, 12, m[10], m[11]);
    mix(s, 2, 7, 8, 13, m[12], m[13]);
    mix(s, 3, 4, 9, 14, m[14], m[15]);
    uint32_t next[16];
    for (int i = 0; i < 16; i++) next[i] = m[order[i]];
    memcpy(m, next, sizeof(m));
  }
  for (int i = 0; i < 8; i++) chain[i] = s[i] ^ s[i + 8];
}

static void hash_chunk(const uint8_t *data, size_t size, uint64_t counter, bool root,
                       uint32_t chain[8]) {
  memcpy(chain, iv, sizeof(iv));
  size_t at = 0;
  do {
    uint8_t block[BLOCK] = {0};
    size_t part = size - at < BLOCK ? size - at : BLOCK;
    if (part > 0) memcpy(block, data + at, part);
    uint32_t flags = at == 0 ? CHUNK_START : 0;
    if (at + part == size) flags |= CHUNK_END | (root ? ROOT : 0U);
    compress(chain, block, counter, (uint32_t)part, flags);
    at += part;
  } while (at < size);
}

static void join(const uint32_t left[8], const uint32_t right[8], bool root, uint32_t out[8]) {
  uint8_t block[BLOCK];
  for (int i = 0; i < 16; i++) {
    uint32_t word = i < 8 ? left[i] : right[i - 8];
    for (int b = 0; b < 4; b++) block[4 * i + b] = (uint8_t)(word >> (8 * b));
  }
  memcpy(out, iv, sizeof(iv));
  compress(out, block, 0, BLOCK, PARENT | (root ? ROOT : 0U));
}

void cwi_blake3(const void *data, size_t size, uint8_t out[32]) {
  uint32_t stack[54][8];
  uint32_t chain[8];
  size_t depth = 0;
  const uint8_t *at = data;
  uint64_t counter = 0;
  while (size > CHUNK) {
    hash_chunk(at, CHUNK, counter, false, chain);
    at += CHUNK;
    size -= CHUNK;
    counter++;
    for (uint64_t full = counter; (full & 1) == 0; full >>= 1)
      join(stack[--depth], chain, false, chain);
    memcpy(stack[depth++], chain, sizeof(chain));
  }
  hash_chunk(at, size, counter, depth == 0, chain);
  while (depth > 0) {
    depth--;
    join(stack[depth], chain, depth == 0, chain);
  }
  for (int i = 0; i < 32; i++) out[i] = (uint8_t)(chain[i / 4] >> (8 * (i % 4)));
}
