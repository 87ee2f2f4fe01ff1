/* SPDX-License-Identifier: MIT */
/* The matcher of grammars.
 *
 * Where an answer stands is a set of stacks: a stack is a place in a rule and the places to go on
 * at when rules end. Stacks share their tails: a node is an item and its parent, and equal nodes
 * are one node. A state is a sorted set of nodes that stand before a set of characters; equal
 * states are one state. So the matcher is an automaton that is built as it is walked, and each step
 * by an ASCII character is remembered: after the first tokens, masks are table look-ups.
 *
 * A mask walks all tokens in the order of their bytes, and each token goes on from where it parts
 * from the one before; where bytes do not fit, all tokens that begin so are skipped. */
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/grammar.h"
#include "llm/grammar_internal.h"

#define NONE UINT32_MAX
#define DEAD 0U /* the state that nothing leaves */
#define NODES_MAX (1U << 22)
#define NODES_KEPT (1U << 16) /* more than these are cleared between tokens */
#define STATES_MAX (1U << 20)
#define STEPS 4096U

typedef struct node {
  uint32_t item, parent;
  uint32_t mark; /* the closure that saw it last */
} node;

typedef struct state {
  uint32_t first, len; /* in members */
  bool complete;
  uint32_t *next; /* [128] state + 1 by ASCII character, 0: not known; NULL */
} state;

typedef struct step {
  uint32_t from, codepoint, to;
} step;

/* A place in the answer: a state, and a character that is not all there. */
typedef struct cursor {
  uint32_t state;
  uint32_t value;
  uint8_t remain; /* bytes of the character that are missing */
  uint8_t lead;
  bool carried; /* the character began in an earlier token */
} cursor;

typedef struct table {
  uint32_t *slots; /* index + 1 */
  size_t cap;      /* a power of two */
} table;

struct cwi_grammar_matcher {
  const cwi_grammar *g;
  bool lenient;
  node *nodes;
  size_t nodes_len, nodes_cap;
  table node_table;
  state *states;
  size_t states_len, states_cap;
  table state_table;
  uint32_t *members;
  size_t members_len, members_cap;
  uint32_t *work; /* nodes to expand */
  size_t work_len, work_cap;
  uint32_t *found; /* nodes of the state that is being made */
  size_t found_len, found_cap;
  bool found_complete;
  uint32_t mark;
  step *steps;  /* [STEPS] other characters */
  cursor *path; /* [path_cap] of a mask */
  size_t path_cap;
  cursor start, at;
  bool failed_limit;
  size_t compact_at; /* nodes */
};

struct cwi_token_trie {
  uint32_t *ids;    /* in the order of bytes */
  uint16_t *common; /* bytes shared with the one before */
  size_t len;
  size_t piece_max;
  const cwi_tokenizer *tokenizer;
};

/* ---- growing, tables ---- */

static bool grow(void **list, size_t *cap, size_t len, size_t size) {
  if (len < *cap) return true;
  const size_t wanted = cwi_size_grow(*cap, len + 32);
  void *grown = cwi_realloc(*list, *cap * size, wanted * size);
  if (grown == NULL) return false;
  *list = grown;
  *cap = wanted;
  return true;
}

static bool push_u32(uint32_t **list, size_t *cap, size_t *len, uint32_t value) {
  void *raw = *list;
  if (!grow(&raw, cap, *len, sizeof(uint32_t))) return false;
  *list = raw;
  (*list)[(*len)++] = value;
  return true;
}

static uint32_t mix(uint32_t a, uint32_t b) {
  const uint64_t h = (((uint64_t)a << 32) | b) * 0x9E3779B97F4A7C15ULL;
  return (uint32_t)(h >> 32) ^ (uint32_t)h >> 7;
}

static bool table_init(table *t, size_t cap) {
  t->slots = cwi_alloc_array(cap, sizeof(uint32_t));
  t->cap = t->slots == NULL ? 0 : cap;
  return t->slots != NULL;
}

static void table_deinit(table *t) {
  cwi_free(t->slots, t->cap * sizeof(uint32_t));
  *t = (table){0};
}

static uint32_t node_hash(const cwi_grammar_matcher *m, uint32_t index) {
  return mix(m->nodes[index].item, m->nodes[index].parent);
}

static uint32_t list_hash(const uint32_t *list, size_t len, bool complete) {
  uint32_t hash = complete ? 0x51ED27U : 0;
  for (size_t i = 0; i < len; i++) hash = mix(hash, list[i]);
  return hash;
}

static uint32_t state_hash(const cwi_grammar_matcher *m, uint32_t index) {
  const state *s = &m->states[index];
  return list_hash(m->members + s->first, s->len, s->complete);
}

/* Doubles a table that is three quarters full. */
static bool table_room(cwi_grammar_matcher *m, table *t, size_t len,
                       uint32_t (*hash)(const cwi_grammar_matcher *, uint32_t)) {
  if (len < t->cap / 4 * 3) return true;
  table wider;
  if (!table_init(&wider, t->cap * 2)) return false;
  for (uint32_t i = 0; i < len; i++) {
    size_t slot = hash(m, i) & (wider.cap - 1);
    while (wider.slots[slot] != 0) slot = (slot + 1) & (wider.cap - 1);
    wider.slots[slot] = i + 1;
  }
  table_deinit(t);
  *t = wider;
  return true;
}

/* ---- nodes and states ---- */

static uint32_t intern_node(cwi_grammar_matcher *m, uint32_t item, uint32_t parent) {
  if (!table_room(m, &m->node_table, m->nodes_len, node_hash)) return NONE;
  size_t slot = mix(item, parent) & (m->node_table.cap - 1);
  for (uint32_t index; (index = m->node_table.slots[slot]) != 0;
       slot = (slot + 1) & (m->node_table.cap - 1)) {
    if (m->nodes[index - 1].item == item && m->nodes[index - 1].parent == parent) return index - 1;
  }
  if (m->nodes_len >= NODES_MAX) {
    m->failed_limit = true;
    return NONE;
  }
  void *nodes = m->nodes;
  if (!grow(&nodes, &m->nodes_cap, m->nodes_len, sizeof(node))) return NONE;
  m->nodes = nodes;
  m->nodes[m->nodes_len] = (node){item, parent, 0};
  m->node_table.slots[slot] = (uint32_t)++m->nodes_len;
  return (uint32_t)m->nodes_len - 1;
}

static void sort_u32(uint32_t *list, size_t len) { /* short lists, nearly in order */
  for (size_t i = 1; i < len; i++) {
    const uint32_t moved = list[i];
    size_t k = i;
    for (; k > 0 && list[k - 1] > moved; k--) list[k] = list[k - 1];
    list[k] = moved;
  }
}

/* The state of the nodes found. */
static uint32_t intern_state(cwi_grammar_matcher *m) {
  sort_u32(m->found, m->found_len);
  if (!table_room(m, &m->state_table, m->states_len, state_hash)) return NONE;
  size_t slot = list_hash(m->found, m->found_len, m->found_complete) & (m->state_table.cap - 1);
  for (uint32_t index; (index = m->state_table.slots[slot]) != 0;
       slot = (slot + 1) & (m->state_table.cap - 1)) {
    const state *s = &m->states[index - 1];
    if (s->len == m->found_len && s->complete == m->found_complete &&
        (s->len == 0 || memcmp(m->members + s->first, m->found, s->len * sizeof(uint32_t)) == 0)) {
      return index - 1;
    }
  }
  if (m->states_len >= STATES_MAX) {
    m->failed_limit = true;
    return NONE;
  }
  void *states = m->states;
  if (!grow(&states, &m->states_cap, m->states_len, sizeof(state))) return NONE;
  m->states = states;
  const uint32_t first = (uint32_t)m->members_len;
  for (size_t i = 0; i < m->found_len; i++) {
    if (!push_u32(&m->members, &m->members_cap, &m->members_len, m->found[i])) {
      m->members_len = first;
      return NONE;
    }
  }
  m->states[m->states_len] = (state){first, (uint32_t)m->found_len, m->found_complete, NULL};
  m->state_table.slots[slot] = (uint32_t)++m->states_len;
  return (uint32_t)m->states_len - 1;
}

static void begin_state(cwi_grammar_matcher *m) {
  m->found_len = 0;
  m->found_complete = false;
  m->work_len = 0;
  m->mark++;
}

/* Notes a place to expand, once. */
static bool add_place(cwi_grammar_matcher *m, uint32_t item, uint32_t parent) {
  for (;;) { /* rules that end here go on at their parent */
    const uint32_t op = m->g->items[item].op;
    if (op != CWI_GRAMMAR_END && op != CWI_GRAMMAR_ALT) break;
    if (parent == NONE) {
      m->found_complete = true;
      return true;
    }
    item = m->nodes[parent].item;
    parent = m->nodes[parent].parent;
  }
  const uint32_t index = intern_node(m, item, parent);
  if (index == NONE) return false;
  if (m->nodes[index].mark == m->mark) return true;
  m->nodes[index].mark = m->mark;
  return push_u32(&m->work, &m->work_cap, &m->work_len, index);
}

/* Follows references until all places stand before characters. */
static bool expand(cwi_grammar_matcher *m) {
  const cwi_grammar_item *items = m->g->items;
  while (m->work_len > 0) {
    const uint32_t index = m->work[--m->work_len];
    const uint32_t item = m->nodes[index].item;
    uint32_t parent = m->nodes[index].parent;
    if (items[item].op == CWI_GRAMMAR_SET) {
      if (!push_u32(&m->found, &m->found_cap, &m->found_len, index)) return false;
      continue;
    }
    CWI_ASSERT(items[item].op == CWI_GRAMMAR_REF);
    const uint32_t after = items[item + 1].op;
    if (after != CWI_GRAMMAR_END && after != CWI_GRAMMAR_ALT) {
      parent = intern_node(m, item + 1, parent);
      if (parent == NONE) return false;
    }
    uint32_t choice = m->g->rules[items[item].value];
    if (!add_place(m, choice, parent)) return false;
    for (; items[choice].op != CWI_GRAMMAR_END; choice++) {
      if (items[choice].op == CWI_GRAMMAR_ALT && !add_place(m, choice + 1, parent)) return false;
    }
  }
  return true;
}

static bool set_has(const cwi_grammar *g, uint32_t index, uint32_t codepoint) {
  const cwi_grammar_set *set = &g->sets[index];
  for (uint32_t i = 0; i < set->len; i++) {
    const cwi_grammar_range *range = &g->ranges[set->first + i];
    if (codepoint >= range->low && codepoint <= range->high) return !set->negated;
  }
  return set->negated;
}

static uint32_t make_step(cwi_grammar_matcher *m, uint32_t from, uint32_t codepoint) {
  begin_state(m);
  for (uint32_t i = 0; i < m->states[from].len; i++) {
    const node *n = &m->nodes[m->members[m->states[from].first + i]];
    const uint32_t item = n->item;
    if (set_has(m->g, m->g->items[item].value, codepoint) && !add_place(m, item + 1, n->parent)) {
      return NONE;
    }
  }
  return expand(m) ? intern_state(m) : NONE;
}

/* The state after a character; NONE where there is no memory or the limit is reached. */
static uint32_t take(cwi_grammar_matcher *m, uint32_t from, uint32_t codepoint) {
  if (from == DEAD) return DEAD;
  if (codepoint >= 128) {
    step *known = &m->steps[mix(from, codepoint) & (STEPS - 1)];
    if (known->from == from && known->codepoint == codepoint) return known->to;
    const uint32_t to = make_step(m, from, codepoint);
    if (to != NONE) *known = (step){from, codepoint, to};
    return to;
  }
  if (m->states[from].next == NULL) {
    m->states[from].next = cwi_alloc_array(128, sizeof(uint32_t));
    if (m->states[from].next == NULL) return NONE;
  }
  const uint32_t known = m->states[from].next[codepoint];
  if (known != 0) return known - 1;
  const uint32_t to = make_step(m, from, codepoint);
  if (to != NONE) m->states[from].next[codepoint] = to + 1;
  return to;
}

/* ---- bytes ---- */

static bool is_scalar(uint32_t value, uint8_t lead) {
  const uint32_t least = lead < 0xE0 ? 0x80 : lead < 0xF0 ? 0x800 : 0x10000;
  return value >= least && value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF);
}

/* Moves over a byte; false where there is no memory. What does not fit leads to DEAD. */
static bool take_byte(cwi_grammar_matcher *m, cursor *c, uint8_t byte) {
  if (c->remain > 0) {
    if ((byte & 0xC0) != 0x80 && (c->carried || !m->lenient)) {
      c->state = DEAD;
      return true;
    }
    c->value = c->value << 6 | (byte & 0x3F);
    if (--c->remain > 0) return true;
    c->carried = false;
    c->state = m->lenient || is_scalar(c->value, c->lead) ? take(m, c->state, c->value) : DEAD;
  } else if (byte < 0x80) {
    c->state = take(m, c->state, byte);
  } else if (byte < 0xC0 || (!m->lenient && (byte < 0xC2 || byte > 0xF4))) {
    c->state = DEAD;
  } else {
    c->remain = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    c->value = byte & ((1U << (7 - c->remain)) - 1);
    c->lead = byte;
  }
  return c->state != NONE;
}

/* Whether a set has a character between `low` and `high`. */
static bool set_may(const cwi_grammar_matcher *m, uint32_t index, uint32_t low, uint32_t high) {
  const cwi_grammar_set *set = &m->g->sets[index];
  if (!m->lenient && high - low < 64) {
    for (uint32_t c = low; c <= high; c++) {
      if (set_has(m->g, index, c)) return true;
    }
    return false;
  }
  for (uint32_t i = 0; i < set->len; i++) {
    const cwi_grammar_range *range = &m->g->ranges[set->first + i];
    if (!set->negated || m->lenient) {
      if (low <= range->high && range->low <= high) return !set->negated;
    } else if (range->low <= low && range->high >= high) {
      return false;
    }
  }
  return set->negated;
}

/* Whether a token may end here: in the middle of a character only where one fits that begins so. */
static bool may_pause(const cwi_grammar_matcher *m, const cursor *c) {
  if (c->state == DEAD) return false;
  if (c->remain == 0) return true;
  if (c->remain == 1 && c->value < 2) return false; /* overlong */
  const uint32_t bits = c->remain * 6U;
  uint32_t low = c->value << bits;
  const uint32_t high = low | ((1U << bits) - 1);
  if (low == 0 && c->remain > 1) low = c->remain == 2 ? 1U << 11 : 1U << 16;
  const state *s = &m->states[c->state];
  for (uint32_t i = 0; i < s->len; i++) {
    const uint32_t item = m->nodes[m->members[s->first + i]].item;
    if (set_may(m, m->g->items[item].value, low, high)) return true;
  }
  return false;
}

/* ---- the matcher ---- */

static cw_status fail(cwi_grammar_matcher *m, cw_error *err) {
  if (m->failed_limit) {
    m->failed_limit = false;
    return CWI_RAISE(err, CW_E_LIMIT, 0, "the grammar has too many ways to go on; make it clearer");
  }
  return CWI_RAISE_NOMEM(err, "a grammar's states");
}

static void free_states(cwi_grammar_matcher *m) {
  for (size_t i = 0; i < m->states_len; i++) cwi_free(m->states[i].next, 128 * sizeof(uint32_t));
  m->states_len = 0;
  m->members_len = 0;
  if (m->state_table.cap > 0)
    memset(m->state_table.slots, 0, m->state_table.cap * sizeof(uint32_t));
  if (m->steps != NULL) memset(m->steps, 0xFF, STEPS * sizeof(step));
}

/* Forgets the nodes and states that the current state does not need. */
static bool compact(cwi_grammar_matcher *m) {
  const state *now = &m->states[m->at.state];
  uint32_t *moved = cwi_alloc_array(m->nodes_len, sizeof(uint32_t));
  if (moved == NULL) return false;
  for (uint32_t i = 0; i < now->len; i++) moved[m->members[now->first + i]] = 1;
  for (size_t i = m->nodes_len; i-- > 0;) { /* parents are older than what refers to them */
    if (moved[i] != 0 && m->nodes[i].parent != NONE) moved[m->nodes[i].parent] = 1;
  }
  m->found_len = 0;
  m->found_complete = now->complete;
  for (uint32_t i = 0; i < now->len; i++) m->found[m->found_len++] = m->members[now->first + i];
  size_t kept = 0;
  memset(m->node_table.slots, 0, m->node_table.cap * sizeof(uint32_t));
  for (size_t i = 0; i < m->nodes_len; i++) {
    if (moved[i] == 0) continue;
    node n = m->nodes[i];
    if (n.parent != NONE) n.parent = moved[n.parent] - 1;
    n.mark = 0;
    moved[i] = (uint32_t)kept + 1;
    m->nodes[kept] = n;
    size_t slot = mix(n.item, n.parent) & (m->node_table.cap - 1);
    while (m->node_table.slots[slot] != 0) slot = (slot + 1) & (m->node_table.cap - 1);
    m->node_table.slots[slot] = (uint32_t)++kept;
  }
  for (size_t i = 0; i < m->found_len; i++) m->found[i] = moved[m->found[i]] - 1;
  cwi_free(moved, m->nodes_len * sizeof(uint32_t));
  m->nodes_len = kept;
  m->compact_at = cwi_size_max(NODES_KEPT, kept * 2); /* what is needed is not cleared each time */
  free_states(m);
  const uint32_t *found = m->found;
  const size_t len = m->found_len;
  const bool complete = m->found_complete;
  m->found_len = 0;
  m->found_complete = false;
  const uint32_t dead = intern_state(m);
  CWI_ASSERT(found == m->found);
  m->found_len = len;
  m->found_complete = complete;
  const uint32_t current = intern_state(m);
  m->at.state = current;
  m->start.state = NONE; /* made again by reset */
  return dead == DEAD && current != NONE;
}

static cw_status make_start(cwi_grammar_matcher *m, cw_error *err) {
  const cwi_grammar_item *items = m->g->items;
  uint32_t choice = m->g->rules[m->g->root];
  begin_state(m);
  bool ok = m->states_len > 0 || intern_state(m) == DEAD;
  ok = ok && add_place(m, choice, NONE);
  for (; ok && items[choice].op != CWI_GRAMMAR_END; choice++) {
    if (items[choice].op == CWI_GRAMMAR_ALT) ok = add_place(m, choice + 1, NONE);
  }
  ok = ok && expand(m);
  const uint32_t start = ok ? intern_state(m) : NONE;
  if (start == NONE) return fail(m, err);
  m->start = (cursor){.state = start};
  m->at = m->start;
  return CW_OK;
}

cw_status cwi_grammar_matcher_new(const cwi_grammar *grammar, bool lenient,
                                  cwi_grammar_matcher **out, cw_error *err) {
  CWI_ASSERT(grammar != NULL);
  *out = NULL;
  cwi_grammar_matcher *m = CWI_NEW(cwi_grammar_matcher);
  if (m == NULL) return CWI_RAISE_NOMEM(err, "a grammar's states");
  m->g = grammar;
  m->lenient = lenient;
  m->compact_at = NODES_KEPT;
  m->steps = cwi_alloc_array(STEPS, sizeof(step));
  cw_status status = CW_OK;
  if (m->steps == NULL || !table_init(&m->node_table, 256) || !table_init(&m->state_table, 64)) {
    status = CWI_RAISE_NOMEM(err, "a grammar's states");
  } else {
    memset(m->steps, 0xFF, STEPS * sizeof(step));
    status = make_start(m, err);
  }
  if (status == CW_OK) {
    *out = m;
  } else {
    cwi_grammar_matcher_free(m);
  }
  return status;
}

void cwi_grammar_matcher_free(cwi_grammar_matcher *m) {
  if (m == NULL) return;
  free_states(m);
  cwi_free(m->nodes, m->nodes_cap * sizeof(node));
  cwi_free(m->states, m->states_cap * sizeof(state));
  cwi_free(m->members, m->members_cap * sizeof(uint32_t));
  cwi_free(m->work, m->work_cap * sizeof(uint32_t));
  cwi_free(m->found, m->found_cap * sizeof(uint32_t));
  cwi_free(m->steps, STEPS * sizeof(step));
  cwi_free(m->path, m->path_cap * sizeof(cursor));
  table_deinit(&m->node_table);
  table_deinit(&m->state_table);
  CWI_FREE(m);
}

cw_status cwi_grammar_matcher_reset(cwi_grammar_matcher *m, cw_error *err) {
  if (m->start.state == NONE) return make_start(m, err);
  m->at = m->start;
  return CW_OK;
}

cw_status cwi_grammar_matcher_accept(cwi_grammar_matcher *m, const void *text, size_t size,
                                     cw_error *err) {
  cursor c = m->at;
  c.carried = c.remain > 0;
  for (size_t i = 0; i < size; i++) {
    if (!take_byte(m, &c, ((const uint8_t *)text)[i])) return fail(m, err);
    if (c.state == DEAD) {
      return CWI_RAISE(err, CW_E_CONSTRAINT, 0, "byte %zu does not fit the grammar", i);
    }
  }
  m->at = c;
  if (m->nodes_len > m->compact_at && !compact(m)) return fail(m, err);
  return CW_OK;
}

bool cwi_grammar_matcher_is_complete(const cwi_grammar_matcher *m) {
  return m->at.remain == 0 && m->states[m->at.state].complete;
}

/* ---- tokens ---- */

static int compare_pieces(const cwi_tokenizer *t, uint32_t a, uint32_t b) {
  const cw_bytes x = cwi_tokenizer_piece(t, (int32_t)a);
  const cw_bytes y = cwi_tokenizer_piece(t, (int32_t)b);
  const int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
  if (order != 0) return order;
  return x.size < y.size ? -1 : x.size > y.size;
}

static void merge_sort(const cwi_tokenizer *t, uint32_t *list, uint32_t *scratch, size_t len) {
  for (size_t width = 1; width < len; width *= 2) {
    for (size_t start = 0; start < len; start += 2 * width) {
      const size_t middle = cwi_size_min(start + width, len);
      const size_t end = cwi_size_min(start + 2 * width, len);
      size_t a = start;
      size_t b = middle;
      for (size_t k = start; k < end; k++) {
        const bool left = a < middle && (b >= end || compare_pieces(t, list[a], list[b]) <= 0);
        scratch[k] = left ? list[a++] : list[b++];
      }
    }
    memcpy(list, scratch, len * sizeof(uint32_t));
  }
}

cw_status cwi_token_trie_new(const cwi_tokenizer *tokenizer, cwi_token_trie **out, cw_error *err) {
  *out = NULL;
  const uint32_t vocab = cwi_tokenizer_len(tokenizer);
  cwi_token_trie *t = CWI_NEW(cwi_token_trie);
  if (t == NULL) return CWI_RAISE_NOMEM(err, "the order of tokens");
  t->tokenizer = tokenizer;
  t->ids = cwi_alloc_array(vocab, sizeof(uint32_t));
  t->common = cwi_alloc_array(vocab, sizeof(uint16_t));
  uint32_t *scratch = cwi_alloc_array(vocab, sizeof(uint32_t));
  if (t->ids == NULL || t->common == NULL || scratch == NULL) {
    cwi_free(scratch, vocab * sizeof(uint32_t));
    cwi_token_trie_free(t);
    return CWI_RAISE_NOMEM(err, "the order of tokens");
  }
  for (uint32_t id = 0; id < vocab; id++) {
    const cw_bytes piece = cwi_tokenizer_piece(tokenizer, (int32_t)id);
    if (piece.size == 0 || piece.size > UINT16_MAX || *(const char *)piece.data == 0) continue;
    if (cwi_tokenizer_is_end(tokenizer, (int32_t)id)) continue;
    t->ids[t->len++] = id;
    t->piece_max = cwi_size_max(t->piece_max, piece.size);
  }
  merge_sort(tokenizer, t->ids, scratch, t->len);
  cwi_free(scratch, vocab * sizeof(uint32_t));
  for (size_t i = 1; i < t->len; i++) {
    const cw_bytes a = cwi_tokenizer_piece(tokenizer, (int32_t)t->ids[i - 1]);
    const cw_bytes b = cwi_tokenizer_piece(tokenizer, (int32_t)t->ids[i]);
    size_t same = 0;
    while (same < a.size && same < b.size &&
           ((const char *)a.data)[same] == ((const char *)b.data)[same]) {
      same++;
    }
    t->common[i] = (uint16_t)same;
  }
  *out = t;
  return CW_OK;
}

void cwi_token_trie_free(cwi_token_trie *t) {
  if (t == NULL) return;
  const uint32_t vocab = cwi_tokenizer_len(t->tokenizer);
  cwi_free(t->ids, vocab * sizeof(uint32_t));
  cwi_free(t->common, vocab * sizeof(uint16_t));
  CWI_FREE(t);
}

static bool path_room(cwi_grammar_matcher *m, size_t cap) {
  if (cap <= m->path_cap) return true;
  void *path = cwi_realloc(m->path, m->path_cap * sizeof(cursor), cap * sizeof(cursor));
  if (path == NULL) return false;
  m->path = path;
  m->path_cap = cap;
  return true;
}

cw_status cwi_grammar_matcher_mask(cwi_grammar_matcher *m, const cwi_token_trie *trie,
                                   uint64_t *mask, cw_error *err) {
  const uint32_t vocab = cwi_tokenizer_len(trie->tokenizer);
  memset(mask, 0, ((size_t)vocab + 63) / 64 * sizeof(uint64_t));
  if (!path_room(m, trie->piece_max + 1)) return CWI_RAISE_NOMEM(err, "a mask of tokens");
  m->path[0] = m->at;
  m->path[0].carried = m->at.remain > 0;
  size_t depth = 0; /* path[depth] is known and alive */
  bool cut = false; /* the bytes at `depth` did not fit */
  for (size_t i = 0; i < trie->len; i++) {
    if (trie->common[i] > depth && cut) continue;
    if (trie->common[i] <= depth) depth = trie->common[i];
    cut = false;
    const uint32_t id = trie->ids[i];
    const cw_bytes piece = cwi_tokenizer_piece(trie->tokenizer, (int32_t)id);
    for (; depth < piece.size && !cut; depth += !cut) {
      cursor next = m->path[depth];
      if (!take_byte(m, &next, ((const uint8_t *)piece.data)[depth])) return fail(m, err);
      cut = next.state == DEAD;
      m->path[depth + 1] = next;
    }
    if (cut || !may_pause(m, &m->path[depth])) continue;
    if (!m->lenient && cwi_tokenizer_is_control(trie->tokenizer, (int32_t)id)) continue;
    mask[id / 64] |= 1ULL << (id % 64);
  }
  if (!cwi_grammar_matcher_is_complete(m)) return CW_OK;
  for (uint32_t id = 0; id < vocab; id++) {
    if (cwi_tokenizer_is_end(trie->tokenizer, (int32_t)id)) mask[id / 64] |= 1ULL << (id % 64);
  }
  return CW_OK;
}
