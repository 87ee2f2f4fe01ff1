/* SPDX-License-Identifier: MIT */
/* Objects: entries sorted by the bytes of their keys, in leaves of at most LEAF_MAX entries that
 * lie in one sorted directory: a B-tree of two levels. A small object is one leaf. A lookup is a
 * binary search over the first keys of the leaves and one inside a leaf; an insert moves at most
 * one leaf's entries, and one directory slot when a leaf splits. A leaf that runs over while keys
 * arrive in order splits at its end, so that sorted input fills leaves completely. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"
#include "core/value.h"
#include "core/value_internal.h"

#define LEAF_MAX 128
#define LEAF_CAP_FIRST 4

typedef struct entry {
  cw_value key; /* a STRING */
  cw_value item;
} entry;

typedef struct leaf {
  uint32_t len;
  uint32_t cap;
  entry *entries;
} leaf;

struct cwi_object {
  cwi_ref ref;
  size_t len;
  size_t leaf_len;
  size_t leaf_cap;
  leaf *leaves;     /* never empty ones, except the only one */
  leaf first;       /* the only leaf lies here: leaves == &first */
  size_t walk_leaf; /* where cw_value_object_at was last: the leaf ... */
  size_t walk_base; /* ... and the position of its first entry */
};

static int compare_keys(cw_value a, const char *key, size_t size) {
  const cwi_string *s = cwi_value_string_ptr(a);
  size_t shorter = cwi_size_min(s->size, size);
  int order = shorter == 0 ? 0 : memcmp(s->text, key, shorter);
  if (order != 0) return order;
  return s->size < size ? -1 : s->size > size;
}

size_t cwi_object_len(const cwi_object *object) { return object->len; }

cw_status cw_value_object(cw_value *out, cw_error *err) {
  *out = cwi_value_none();
  cwi_object *o = CWI_NEW(cwi_object);
  if (o == NULL) return CWI_RAISE_NOMEM(err, "an object");
  o->ref.refs = 1;
  o->leaves = &o->first;
  o->leaf_len = 1;
  *out = cwi_value_of_ref(CW_VALUE_OBJECT, o);
  return CW_OK;
}

void cwi_object_free(cwi_object *o, void (*drop)(cw_value)) {
  for (size_t i = 0; i < o->leaf_len; i++) {
    leaf *l = &o->leaves[i];
    for (uint32_t j = 0; j < l->len; j++) {
      drop(l->entries[j].key);
      drop(l->entries[j].item);
    }
    cwi_free(l->entries, l->cap * sizeof(entry));
  }
  if (o->leaves != &o->first) cwi_free(o->leaves, o->leaf_cap * sizeof(leaf));
  CWI_FREE(o);
}

void cwi_object_visit(cwi_object *o, void (*visit)(cw_value *, void *), void *context) {
  for (size_t i = 0; i < o->leaf_len; i++) {
    for (uint32_t j = 0; j < o->leaves[i].len; j++) {
      visit(&o->leaves[i].entries[j].key, context);
      visit(&o->leaves[i].entries[j].item, context);
    }
  }
}

/* ---- finding ---- */

typedef struct place {
  size_t leaf;
  size_t index;
  bool found;
} place;

/* The last leaf whose first key is at most `key`. */
static size_t find_leaf(const cwi_object *o, const char *key, size_t size) {
  size_t low = 0;
  size_t high = o->leaf_len;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (compare_keys(o->leaves[middle].entries[0].key, key, size) <= 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

static place find_place(const cwi_object *o, const char *key, size_t size) {
  place p = {.leaf = find_leaf(o, key, size)};
  const leaf *l = &o->leaves[p.leaf];
  size_t high = l->len;
  if (high > 0) { /* keys often come in order */
    int order = compare_keys(l->entries[high - 1].key, key, size);
    if (order <= 0) {
      p.index = order < 0 ? high : high - 1;
      p.found = order == 0;
      return p;
    }
  }
  while (p.index < high) {
    size_t middle = p.index + (high - p.index) / 2;
    int order = compare_keys(l->entries[middle].key, key, size);
    if (order == 0) return (place){p.leaf, middle, true};
    if (order < 0) {
      p.index = middle + 1;
    } else {
      high = middle;
    }
  }
  return p;
}

const cw_value *cwi_value_object_find(cw_value object, const char *key, size_t key_size) {
  if (object.kind != CW_VALUE_OBJECT) return NULL;
  const cwi_object *o = cwi_value_object_ptr(object);
  place p = find_place(o, key, key_size);
  return p.found ? &o->leaves[p.leaf].entries[p.index].item : NULL;
}

cw_value cw_value_object_get(cw_value object, const char *key, size_t key_size) {
  const cw_value *item = cwi_value_object_find(object, key, key_size);
  return item == NULL ? cwi_value_none() : *item;
}

/* ---- inserting ---- */

static bool reserve_leaf(leaf *l, uint32_t cap) {
  if (l->cap >= cap) return true;
  entry *entries = cwi_realloc(l->entries, l->cap * sizeof(entry), cap * sizeof(entry));
  if (entries == NULL) return false;
  l->entries = entries;
  l->cap = cap;
  return true;
}

static bool reserve_directory(cwi_object *o) {
  if (o->leaves != &o->first && o->leaf_len < o->leaf_cap) return true;
  size_t cap = o->leaves == &o->first ? 4 : o->leaf_cap * 2;
  leaf *old = o->leaves == &o->first ? NULL : o->leaves;
  leaf *leaves = cwi_realloc(old, o->leaf_cap * sizeof(leaf), cap * sizeof(leaf));
  if (leaves == NULL) return false;
  if (old == NULL) {
    leaves[0] = o->first;
    o->first = (leaf){0};
  }
  o->leaves = leaves;
  o->leaf_cap = cap;
  return true;
}

/* Makes room in the full leaf of `p`, which moves to where its key now belongs. */
static bool split_leaf(cwi_object *o, place *p) {
  leaf fresh = {0};
  if (!reserve_directory(o) || !reserve_leaf(&fresh, LEAF_MAX)) return false;
  leaf *full = &o->leaves[p->leaf];
  uint32_t keep = p->index == full->len && p->leaf + 1 == o->leaf_len ? full->len : LEAF_MAX / 2;
  fresh.len = full->len - keep;
  if (fresh.len > 0) memcpy(fresh.entries, full->entries + keep, fresh.len * sizeof(entry));
  full->len = keep;
  size_t after = o->leaf_len - p->leaf - 1;
  memmove(o->leaves + p->leaf + 2, o->leaves + p->leaf + 1, after * sizeof(leaf));
  o->leaves[p->leaf + 1] = fresh;
  o->leaf_len++;
  if (p->index >= keep) {
    p->leaf++;
    p->index -= keep;
  }
  return true;
}

/* Opens a NONE entry at `p` for `key`, which is taken on success. */
static bool insert_at(cwi_object *o, place *p, cw_value key) {
  leaf *l = &o->leaves[p->leaf];
  if (l->len == LEAF_MAX) {
    if (!split_leaf(o, p)) return false;
    l = &o->leaves[p->leaf];
  } else if (l->len == l->cap) {
    uint32_t cap = l->cap == 0 ? LEAF_CAP_FIRST : l->cap * 2;
    if (!reserve_leaf(l, cap > LEAF_MAX ? LEAF_MAX : cap)) return false;
  }
  memmove(l->entries + p->index + 1, l->entries + p->index, (l->len - p->index) * sizeof(entry));
  l->entries[p->index] = (entry){.key = key, .item = cwi_value_none()};
  l->len++;
  o->len++;
  o->walk_leaf = o->walk_base = 0;
  return true;
}

cw_status cwi_value_object_slot(cw_value *object, cw_value key, bool create, cw_value **slot,
                                cw_error *err) {
  CWI_ASSERT(object->kind == CW_VALUE_OBJECT && key.kind == CW_VALUE_STRING);
  *slot = NULL;
  cw_status status = cwi_value_make_unique(object, err);
  if (status != CW_OK) return status;
  cwi_object *o = cwi_value_object_ptr(*object);
  const cwi_string *name = cwi_value_string_ptr(key);
  place p = find_place(o, name->text, name->size);
  if (!p.found) {
    if (!create) return CW_OK;
    if (!insert_at(o, &p, key)) return CWI_RAISE_NOMEM(err, "an object");
    (void)cwi_value_retain(key);
  }
  *slot = &o->leaves[p.leaf].entries[p.index].item;
  return CW_OK;
}

static cw_status want_object(const cw_value *value, cw_error *err) {
  if (value != NULL && value->kind == CW_VALUE_OBJECT) return CW_OK;
  return CWI_RAISE(err, CW_E_TYPE, 0, "not an object but %s",
                   value == NULL ? "nothing" : cw_value_type_name(*value));
}

cw_status cwi_value_object_set_key(cw_value *object, cw_value key, cw_value item, cw_error *err) {
  cw_value *slot = NULL;
  cw_status status = want_object(object, err);
  if (status == CW_OK) status = cwi_value_object_slot(object, key, true, &slot, err);
  if (status != CW_OK) {
    cwi_value_drop(item);
    return status;
  }
  cw_value old = *slot;
  *slot = item;
  cwi_value_drop(old);
  return CW_OK;
}

cw_status cw_value_object_set(cw_value *object, const char *key, size_t key_size, cw_value item,
                              cw_error *err) {
  cw_value name = cwi_value_none();
  cw_status status = want_object(object, err);
  if (status == CW_OK) status = cw_value_string(key, key_size, &name, err);
  if (status != CW_OK) {
    cwi_value_drop(item);
    return status;
  }
  status = cwi_value_object_set_key(object, name, item, err);
  cwi_value_drop(name);
  return status;
}

/* ---- removing ---- */

static void remove_leaf(cwi_object *o, size_t index) {
  leaf *l = &o->leaves[index];
  cwi_free(l->entries, l->cap * sizeof(entry));
  memmove(l, l + 1, (o->leaf_len - index - 1) * sizeof(leaf));
  o->leaf_len--;
}

cw_status cw_value_object_remove(cw_value *object, const char *key, size_t key_size,
                                 cw_error *err) {
  cw_status status = want_object(object, err);
  if (status != CW_OK) return status;
  if (cwi_value_object_find(*object, key, key_size) == NULL) return CW_OK;
  status = cwi_value_make_unique(object, err);
  if (status != CW_OK) return status;
  cwi_object *o = cwi_value_object_ptr(*object);
  place p = find_place(o, key, key_size);
  leaf *l = &o->leaves[p.leaf];
  entry gone = l->entries[p.index];
  memmove(l->entries + p.index, l->entries + p.index + 1, (l->len - p.index - 1) * sizeof(entry));
  l->len--;
  o->len--;
  o->walk_leaf = o->walk_base = 0;
  if (l->len == 0 && o->leaf_len > 1) remove_leaf(o, p.leaf);
  cwi_value_drop(gone.key);
  cwi_value_drop(gone.item);
  return CW_OK;
}

/* ---- walking ---- */

bool cw_value_object_at(cw_value object, size_t index, cw_bytes *key, cw_value *item) {
  if (object.kind != CW_VALUE_OBJECT) return false;
  cwi_object *o = cwi_value_object_ptr(object);
  if (index >= o->len) return false;
  size_t at = o->walk_leaf;
  size_t base = o->walk_base;
  if (o->ref.refs == CWI_REFS_IMMORTAL || index < base) at = base = 0;
  while (index - base >= o->leaves[at].len) base += o->leaves[at++].len;
  if (o->ref.refs != CWI_REFS_IMMORTAL) { /* immortal ones are shared by threads */
    o->walk_leaf = at;
    o->walk_base = base;
  }
  const entry *e = &o->leaves[at].entries[index - base];
  if (key != NULL) *key = cw_value_as_bytes(e->key);
  if (item != NULL) *item = e->item;
  return true;
}

cwi_object_iter cwi_object_iter_start(cw_value object) {
  CWI_ASSERT(object.kind == CW_VALUE_OBJECT);
  const cwi_object *o = cwi_value_object_ptr(object);
  return (cwi_object_iter){.object = o, .leaf = o->leaves};
}

bool cwi_object_iter_next(cwi_object_iter *iter, cw_value *key, cw_value *item) {
  const cwi_object *o = iter->object;
  const leaf *l = iter->leaf;
  if (iter->index == l->len) {
    if (++l >= o->leaves + o->leaf_len) return false;
    iter->leaf = l;
    iter->index = 0;
  }
  if (l->len == 0) return false;
  const entry *e = &l->entries[iter->index++];
  if (key != NULL) *key = e->key;
  if (item != NULL) *item = e->item;
  return true;
}

/* ---- copying ---- */

cw_status cwi_object_copy(const cwi_object *object, cw_value *out, cw_error *err) {
  cw_status status = cw_value_object(out, err);
  if (status != CW_OK) return status;
  cwi_object *copy = cwi_value_object_ptr(*out);
  for (size_t i = 0; i < object->leaf_len; i++) {
    const leaf *from = &object->leaves[i];
    if (i > 0) {
      if (!reserve_directory(copy)) goto nomem;
      copy->leaves[copy->leaf_len++] = (leaf){0};
    }
    leaf *to = &copy->leaves[i];
    if (from->len > 0 && !reserve_leaf(to, from->len)) goto nomem;
    for (uint32_t j = 0; j < from->len; j++) {
      to->entries[j].key = cwi_value_retain(from->entries[j].key);
      to->entries[j].item = cwi_value_retain(from->entries[j].item);
    }
    to->len = from->len;
    copy->len += from->len;
  }
  return CW_OK;
nomem:
  cw_value_release(out);
  return CWI_RAISE_NOMEM(err, "an object");
}
