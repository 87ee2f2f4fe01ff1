/* SPDX-License-Identifier: MIT */
/* A copy-on-write B+tree.
 *
 * Entries hang only on leaves. An inner node has as many separators as children; separator i is at
 * most the smallest key below child i (that of child 0 is never looked at). Separators are copies
 * of keys, so that an entry can go without its parents being touched. Nodes, entries and separators
 * are blocks of memory that never change once a reader may see them: a node of an older generation
 * is copied, and the old one is put on the `retired` list. What a transaction makes is on `made`,
 * so that a savepoint can be undone by freeing everything made since and forgetting what was
 * retired since.
 *
 * Nodes that become empty are unlinked; half-empty ones are not merged. Splitting at the right edge
 * keeps the left node full, which is what loading in key order wants.
 *
 * Running out of memory: every block that an operation may need is made before the tree changes;
 * copying a path first is invisible. */
#include "db/db_tree.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "db/db_store_internal.h"

#define FANOUT 64

struct cwi_tree_node {
  uint64_t generation;
  uint16_t len;
  bool leaf;
  cwi_tree_entry *keys[FANOUT]; /* entries of a leaf, separators of an inner node */
  cwi_tree_node *children[];    /* FANOUT of them in an inner node */
};

static size_t node_size(bool leaf) {
  return sizeof(cwi_tree_node) + (leaf ? 0 : FANOUT * sizeof(cwi_tree_node *));
}

static size_t entry_size(const cwi_tree_entry *entry) {
  return sizeof(cwi_tree_entry) + entry->key_size + entry->value_size;
}

/* ---- blocks ---- */

static bool blocks_reserve(cwi_tree_blocks *blocks, size_t more) {
  if (blocks->cap - blocks->len >= more) return true;
  size_t cap = cwi_size_grow(blocks->cap, blocks->len + more);
  cwi_tree_block *items = cwi_realloc(blocks->items, blocks->cap * sizeof(cwi_tree_block),
                                      cap * sizeof(cwi_tree_block));
  if (items == NULL) return false;
  blocks->items = items;
  blocks->cap = cap;
  return true;
}

static void blocks_push(cwi_tree_blocks *blocks, void *pointer, size_t size) {
  CWI_ASSERT(blocks->len < blocks->cap);
  blocks->items[blocks->len++] = (cwi_tree_block){pointer, size};
}

void cwi_tree_blocks_free_from(cwi_tree_blocks *blocks, size_t from) {
  while (blocks->len > from) {
    blocks->len--;
    cwi_free(blocks->items[blocks->len].pointer, blocks->items[blocks->len].size);
  }
}

void cwi_tree_blocks_deinit(cwi_tree_blocks *blocks) {
  cwi_free(blocks->items, blocks->cap * sizeof(cwi_tree_block));
  *blocks = (cwi_tree_blocks){0};
}

/* Room on both lists for all that one operation may make and retire. */
static bool writer_reserve(cwi_tree_writer *w) {
  const size_t most = 4 * CWI_TREE_DEPTH_MAX;
  return blocks_reserve(&w->made, most) && blocks_reserve(&w->retired, most);
}

static void *writer_make(cwi_tree_writer *w, size_t size) {
  void *block = cwi_alloc(size);
  if (block != NULL) blocks_push(&w->made, block, size);
  return block;
}

static cwi_tree_entry *make_entry(cwi_tree_writer *w, cw_bytes key, cw_bytes value) {
  cwi_tree_entry *entry = writer_make(w, sizeof(cwi_tree_entry) + key.size + value.size);
  if (entry == NULL) return NULL;
  entry->key_size = (uint32_t)key.size;
  entry->value_size = (uint32_t)value.size;
  if (key.size > 0) memcpy(entry->bytes, key.data, key.size);
  if (value.size > 0) memcpy(entry->bytes + key.size, value.data, value.size);
  return entry;
}

static cwi_tree_node *make_node(cwi_tree_writer *w, bool leaf) {
  cwi_tree_node *node = writer_make(w, node_size(leaf));
  if (node == NULL) return NULL;
  node->generation = w->generation;
  node->len = 0;
  node->leaf = leaf;
  return node;
}

static void retire(cwi_tree_writer *w, void *pointer, size_t size) {
  blocks_push(&w->retired, pointer, size);
}

/* ---- searching ---- */

/* The number of keys in `node` that are less than `key` (with `equal`: or equal). */
static size_t lower(const cwi_tree_node *node, cw_bytes key, bool equal) {
  size_t low = 0;
  size_t high = node->len;
  while (low < high) {
    size_t middle = (low + high) / 2;
    const cwi_tree_entry *entry = node->keys[middle];
    int order = cwi_db_bytes_compare(entry->bytes, entry->key_size, key.data, key.size);
    if (order < 0 || (equal && order == 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The child that holds `key`. */
static size_t child_of(const cwi_tree_node *node, cw_bytes key) {
  size_t index = lower(node, key, true);
  return index > 0 ? index - 1 : 0;
}

static bool key_is(const cwi_tree_entry *entry, cw_bytes key) {
  return entry->key_size == key.size &&
         (key.size == 0 || memcmp(entry->bytes, key.data, key.size) == 0);
}

const cwi_tree_entry *cwi_tree_find(const cwi_tree_node *root, cw_bytes key) {
  const cwi_tree_node *node = root;
  if (node == NULL) return NULL;
  while (!node->leaf) node = node->children[child_of(node, key)];
  size_t index = lower(node, key, false);
  return index < node->len && key_is(node->keys[index], key) ? node->keys[index] : NULL;
}

/* ---- writing ---- */

/* The node, or a copy of it that may be changed. */
static cwi_tree_node *writable(cwi_tree_writer *w, cwi_tree_node *node) {
  if (node->generation == w->generation) return node;
  cwi_tree_node *copy = writer_make(w, node_size(node->leaf));
  if (copy == NULL) return NULL;
  memcpy(copy, node, node_size(node->leaf));
  copy->generation = w->generation;
  retire(w, node, node_size(node->leaf));
  return copy;
}

typedef struct write_path {
  cwi_tree_node *node[CWI_TREE_DEPTH_MAX];
  size_t index[CWI_TREE_DEPTH_MAX];
  size_t depth;
} write_path;

/* Makes the path to the leaf of `key` writable. */
static bool descend(cwi_tree_writer *w, cw_bytes key, write_path *path) {
  cwi_tree_node *node = writable(w, w->root);
  if (node == NULL) return false;
  w->root = node;
  path->depth = 0;
  for (;;) {
    CWI_ASSERT(path->depth < CWI_TREE_DEPTH_MAX);
    size_t index = node->leaf ? lower(node, key, false) : child_of(node, key);
    path->node[path->depth] = node;
    path->index[path->depth++] = index;
    if (node->leaf) return true;
    cwi_tree_node *child = writable(w, node->children[index]);
    if (child == NULL) return false;
    node->children[index] = child;
    node = child;
  }
}

static void insert_at(cwi_tree_node *node, size_t index, cwi_tree_entry *key,
                      cwi_tree_node *child) {
  CWI_ASSERT(node->len < FANOUT && index <= node->len);
  size_t tail = node->len - index;
  memmove(&node->keys[index + 1], &node->keys[index], tail * sizeof(node->keys[0]));
  node->keys[index] = key;
  if (!node->leaf) {
    memmove(&node->children[index + 1], &node->children[index], tail * sizeof(node->children[0]));
    node->children[index] = child;
  }
  node->len++;
}

static void remove_at(cwi_tree_node *node, size_t index) {
  CWI_ASSERT(index < node->len);
  size_t tail = (size_t)node->len - index - 1;
  memmove(&node->keys[index], &node->keys[index + 1], tail * sizeof(node->keys[0]));
  if (!node->leaf) {
    memmove(&node->children[index], &node->children[index + 1], tail * sizeof(node->children[0]));
  }
  node->len--;
}

static cw_bytes key_of(const cwi_tree_entry *entry) {
  return (cw_bytes){entry->bytes, entry->key_size};
}

/* What splitting needs, made before anything changes. */
typedef struct split_parts {
  cwi_tree_node *right;
  cwi_tree_entry *separator;
} split_parts;

/* Moves the upper part of `node` into parts->right, with `at` keys staying. */
static void split_node(cwi_tree_node *node, size_t at, cwi_tree_node *right) {
  size_t moved = node->len - at;
  memcpy(right->keys, &node->keys[at], moved * sizeof(node->keys[0]));
  if (!node->leaf) memcpy(right->children, &node->children[at], moved * sizeof(node->children[0]));
  right->len = (uint16_t)moved;
  node->len = (uint16_t)at;
}

/* Adds an entry to a full leaf, splitting upwards as far as nodes are full. */
static bool insert_split(cwi_tree_writer *w, write_path *path, cwi_tree_entry *entry) {
  split_parts parts[CWI_TREE_DEPTH_MAX] = {{0}};
  cwi_tree_node *new_root = NULL;
  cwi_tree_entry *root_separator = NULL;
  size_t level = path->depth;
  while (level > 0 && path->node[level - 1]->len == FANOUT) {
    level--;
    cwi_tree_node *node = path->node[level];
    size_t index = path->index[level] + (node->leaf ? 0 : 1);
    size_t at = index == FANOUT ? FANOUT - 1 : FANOUT / 2;
    parts[level].right = make_node(w, node->leaf);
    parts[level].separator = make_entry(w, key_of(node->keys[at]), (cw_bytes){NULL, 0});
    if (parts[level].right == NULL || parts[level].separator == NULL) return false;
  }
  if (level == 0) {
    new_root = make_node(w, false);
    root_separator = make_entry(w, key_of(path->node[0]->keys[0]), (cw_bytes){NULL, 0});
    if (new_root == NULL || root_separator == NULL) return false;
  }
  cwi_tree_entry *key = entry;
  cwi_tree_node *child = NULL;
  for (size_t i = path->depth; i-- > level;) {
    cwi_tree_node *node = path->node[i];
    size_t index = path->index[i] + (node->leaf ? 0 : 1);
    size_t at = index == FANOUT ? FANOUT - 1 : FANOUT / 2;
    split_node(node, at, parts[i].right);
    if (index > at || (index == at && !node->leaf)) {
      insert_at(parts[i].right, index - at, key, child);
    } else {
      insert_at(node, index, key, child);
    }
    key = parts[i].separator;
    child = parts[i].right;
  }
  if (level > 0) {
    insert_at(path->node[level - 1], path->index[level - 1] + 1, key, child);
  } else {
    insert_at(new_root, 0, root_separator, path->node[0]);
    insert_at(new_root, 1, key, child);
    w->root = new_root;
  }
  return true;
}

cw_status cwi_tree_put(cwi_tree_writer *w, cw_bytes key, cw_bytes value, cw_error *err) {
  if (!writer_reserve(w)) return CWI_RAISE_NOMEM(err, "a stored value");
  if (w->root == NULL) {
    w->root = make_node(w, true);
    if (w->root == NULL) return CWI_RAISE_NOMEM(err, "a stored value");
  }
  write_path path;
  cwi_tree_entry *entry = make_entry(w, key, value);
  if (entry == NULL || !descend(w, key, &path)) {
    if (w->root->len == 0) w->root = NULL;
    return CWI_RAISE_NOMEM(err, "a stored value");
  }
  cwi_tree_node *leaf = path.node[path.depth - 1];
  size_t index = path.index[path.depth - 1];
  w->changes++;
  if (index < leaf->len && key_is(leaf->keys[index], key)) {
    cwi_tree_entry *old = leaf->keys[index];
    w->bytes += (int64_t)value.size - (int64_t)old->value_size;
    retire(w, old, entry_size(old));
    leaf->keys[index] = entry;
    return CW_OK;
  }
  if (leaf->len < FANOUT) {
    insert_at(leaf, index, entry, NULL);
  } else if (!insert_split(w, &path, entry)) {
    return CWI_RAISE_NOMEM(err, "a stored value");
  }
  w->keys++;
  w->bytes += (int64_t)(key.size + value.size);
  return CW_OK;
}

cw_status cwi_tree_remove(cwi_tree_writer *w, cw_bytes key, bool *found, cw_error *err) {
  const cwi_tree_entry *present = cwi_tree_find(w->root, key);
  *found = present != NULL;
  if (present == NULL) return CW_OK;
  write_path path;
  if (!writer_reserve(w) || !descend(w, key, &path)) return CWI_RAISE_NOMEM(err, "a removal");
  w->changes++;
  size_t level = path.depth - 1;
  cwi_tree_entry *entry = path.node[level]->keys[path.index[level]];
  w->keys--;
  w->bytes -= (int64_t)entry->key_size + (int64_t)entry->value_size;
  retire(w, entry, entry_size(entry));
  remove_at(path.node[level], path.index[level]);
  while (path.node[level]->len == 0) {
    cwi_tree_node *empty = path.node[level];
    retire(w, empty, node_size(empty->leaf));
    if (level == 0) {
      w->root = NULL;
      return CW_OK;
    }
    level--;
    cwi_tree_entry *separator = path.node[level]->keys[path.index[level]];
    retire(w, separator, entry_size(separator));
    remove_at(path.node[level], path.index[level]);
  }
  return CW_OK;
}

void cwi_tree_free(cwi_tree_node *root) {
  if (root == NULL) return;
  for (size_t i = 0; i < root->len; i++) {
    if (!root->leaf) cwi_tree_free(root->children[i]);
    cwi_free(root->keys[i], entry_size(root->keys[i]));
  }
  cwi_free(root, node_size(root->leaf));
}

/* ---- walking ---- */

static void go_down(cwi_tree_path *path, const cwi_tree_node *node, bool last) {
  while (node != NULL) {
    CWI_ASSERT(path->depth < CWI_TREE_DEPTH_MAX && node->len > 0);
    size_t index = last ? (size_t)node->len - 1 : 0;
    path->level[path->depth].node = node;
    path->level[path->depth++].index = index;
    node = node->leaf ? NULL : node->children[index];
  }
}

/* Stands on the place in a leaf where `key` is or would be: perhaps one behind its last entry. */
static void seek_place(const cwi_tree_node *root, cw_bytes key, bool after, cwi_tree_path *path) {
  path->depth = 0;
  const cwi_tree_node *node = root;
  while (node != NULL) {
    size_t index = node->leaf ? lower(node, key, after) : child_of(node, key);
    path->level[path->depth].node = node;
    path->level[path->depth++].index = index;
    node = node->leaf ? NULL : node->children[index];
  }
}

void cwi_tree_step(cwi_tree_path *path, bool backward) {
  while (path->depth > 0) {
    size_t top = path->depth - 1;
    const cwi_tree_node *node = path->level[top].node;
    size_t index = path->level[top].index;
    if (backward ? index > 0 : index + 1 < node->len) {
      index = backward ? index - 1 : index + 1;
      path->level[top].index = index;
      if (!node->leaf) go_down(path, node->children[index], backward);
      return;
    }
    path->depth--;
  }
}

void cwi_tree_seek(const cwi_tree_node *root, cw_bytes key, bool after, cwi_tree_path *path) {
  seek_place(root, key, after, path);
  if (path->depth == 0) return;
  size_t top = path->depth - 1;
  if (path->level[top].index < path->level[top].node->len) return;
  path->level[top].index--;
  cwi_tree_step(path, false);
}

void cwi_tree_seek_before(const cwi_tree_node *root, cw_bytes key, cwi_tree_path *path) {
  path->depth = 0;
  if (key.size == 0) {
    go_down(path, root, true);
    return;
  }
  seek_place(root, key, false, path);
  if (path->depth > 0) cwi_tree_step(path, true);
}

const cwi_tree_entry *cwi_tree_at(const cwi_tree_path *path) {
  if (path->depth == 0) return NULL;
  size_t top = path->depth - 1;
  return path->level[top].node->keys[path->level[top].index];
}

size_t cwi_tree_check(const cwi_tree_node *root) {
  if (root == NULL) return 0;
  CWI_ASSERT(root->len > 0 && root->len <= FANOUT);
  size_t count = root->leaf ? root->len : 0;
  for (size_t i = 0; i < root->len; i++) {
    const cwi_tree_entry *key = root->keys[i];
    if (i + 1 < root->len && (root->leaf || i > 0)) {
      const cwi_tree_entry *next = root->keys[i + 1];
      CWI_ASSERT(cwi_db_bytes_compare(key->bytes, key->key_size, next->bytes, next->key_size) < 0);
    }
    if (!root->leaf) count += cwi_tree_check(root->children[i]);
  }
  return count;
}
