/* SPDX-License-Identifier: MIT */
/* A copy-on-write B+tree of byte strings, the inside of the memory store. What a writer replaces is
 * kept on a list until no reader can see it: the store says when. One writer at a time. */
#ifndef DB_TREE_H
#define DB_TREE_H

#include "causeway/error.h"

typedef struct cwi_tree_node cwi_tree_node;

typedef struct cwi_tree_entry {
  uint32_t key_size;
  uint32_t value_size;
  uint8_t bytes[]; /* the key, then the value */
} cwi_tree_entry;

/* Memory blocks with their sizes. */
typedef struct cwi_tree_block {
  void *pointer;
  size_t size;
} cwi_tree_block;

typedef struct cwi_tree_blocks {
  cwi_tree_block *items;
  size_t len;
  size_t cap;
} cwi_tree_blocks;

void cwi_tree_blocks_free_from(cwi_tree_blocks *blocks, size_t from); /* frees what they point to */
void cwi_tree_blocks_deinit(cwi_tree_blocks *blocks);                /* the list itself */

/* The writing half of a transaction. */
typedef struct cwi_tree_writer {
  cwi_tree_node *root;
  uint64_t generation;      /* nodes of another generation are copied before they change */
  uint64_t changes;         /* counts structural changes: cursors seek again when it differs */
  cwi_tree_blocks made;     /* since the transaction began */
  cwi_tree_blocks retired;  /* out of the tree since the transaction began */
  int64_t keys;             /* how many more (or fewer) there are */
  int64_t bytes;
} cwi_tree_writer;

const cwi_tree_entry *cwi_tree_find(const cwi_tree_node *root, cw_bytes key);
/* On failure the tree is as it was, as far as can be seen through it. */
cw_status cwi_tree_put(cwi_tree_writer *writer, cw_bytes key, cw_bytes value, cw_error *err);
cw_status cwi_tree_remove(cwi_tree_writer *writer, cw_bytes key, bool *found, cw_error *err);
/* Frees all nodes and entries below `root`. */
void cwi_tree_free(cwi_tree_node *root);

#define CWI_TREE_DEPTH_MAX 24

typedef struct cwi_tree_path {
  struct {
    const cwi_tree_node *node;
    size_t index;
  } level[CWI_TREE_DEPTH_MAX];
  size_t depth; /* 0: at no entry */
} cwi_tree_path;

/* Stands on the first entry with a key >= `key` (or > with `after`); depth 0 where there is
 * none. */
void cwi_tree_seek(const cwi_tree_node *root, cw_bytes key, bool after, cwi_tree_path *path);
/* Stands on the last entry with a key < `key`; an empty key is the end of everything. */
void cwi_tree_seek_before(const cwi_tree_node *root, cw_bytes key, cwi_tree_path *path);
void cwi_tree_step(cwi_tree_path *path, bool backward);
const cwi_tree_entry *cwi_tree_at(const cwi_tree_path *path); /* NULL at no entry */
/* Asserts order and shape; for tests. Returns the number of entries. */
size_t cwi_tree_check(const cwi_tree_node *root);

#endif
