/* SPDX-License-Identifier: MIT */
/* The parser of GBNF.
 *
 * Text becomes rules; a rule is a run of items with alternatives between ALT and END. What repeats
 * or is in parentheses becomes a rule of its own:
 *
 *   x*      r ::= x r |          x+   x r        x?   r ::= x |
 *   x{2,4}  x x r2, with r2 ::= x r1 | and r1 ::= x |
 *
 * Rules are written to `grammar->items` when they are complete, so a rule's items are together. A
 * grammar in which a rule can begin with itself, directly, through others, or past parts that may
 * be empty, has no end to its beginnings and is refused. */
#include "llm/grammar.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "core/utf8.h"
#include "llm/grammar_internal.h"

#define ITEMS_MAX ((size_t)1 << 20)
#define NESTING_MAX 64
#define NONE UINT32_MAX

typedef struct rule_name {
  const char *text; /* NULL: of a generated rule */
  size_t size;
  size_t offset; /* where it was first used */
} rule_name;

typedef struct items {
  cwi_grammar_item *list;
  size_t len, cap;
} items;

typedef struct parser {
  const char *text;
  size_t size, at;
  cwi_grammar *g;
  rule_name *names; /* [g->rules_len] */
  size_t names_cap;
  cw_error *err;
  cw_status status;
  int depth;
} parser;

/* ---- failing and growing ---- */

static bool fail_at(parser *p, size_t offset, const char *what) {
  if (p->status != CW_OK) return false;
  int32_t line = 1;
  int32_t column = 1;
  for (size_t i = 0; i < offset && i < p->size; i++) {
    column++;
    if (p->text[i] == '\n') {
      line++;
      column = 1;
    }
  }
  p->status =
      CWI_RAISE(p->err, CW_E_PARSE, 0, "grammar, line %d, column %d: %s", line, column, what);
  if (p->err != NULL) {
    p->err->line = line;
    p->err->column = column;
  }
  return false;
}

static bool fail(parser *p, const char *what) { return fail_at(p, p->at, what); }

static bool fail_nomem(parser *p) {
  if (p->status == CW_OK) p->status = CWI_RAISE_NOMEM(p->err, "a grammar");
  return false;
}

static bool grow(parser *p, void **list, size_t *cap, size_t len, size_t size) {
  if (len < *cap) return true;
  if (len >= ITEMS_MAX) {
    if (p->status == CW_OK) {
      p->status = CWI_RAISE(p->err, CW_E_LIMIT, 0, "the grammar grows past %zu items; repeat less",
                            ITEMS_MAX);
    }
    return false;
  }
  const size_t wanted = cwi_size_grow(*cap, len + 1);
  void *grown = cwi_realloc(*list, *cap * size, wanted * size);
  if (grown == NULL) return fail_nomem(p);
  *list = grown;
  *cap = wanted;
  return true;
}

static bool push(parser *p, items *out, uint32_t op, uint32_t value) {
  void *list = out->list;
  if (!grow(p, &list, &out->cap, out->len, sizeof(cwi_grammar_item))) return false;
  out->list = list;
  out->list[out->len++] = (cwi_grammar_item){op, value};
  return true;
}

static void items_deinit(items *list) {
  cwi_free(list->list, list->cap * sizeof(cwi_grammar_item));
  *list = (items){0};
}

/* ---- rules ---- */

static uint32_t new_rule(parser *p, const char *name, size_t size) {
  cwi_grammar *g = p->g;
  void *rules = g->rules;
  void *names = p->names;
  if (!grow(p, &rules, &g->rules_cap, g->rules_len, sizeof(uint32_t))) return NONE;
  g->rules = rules;
  if (!grow(p, &names, &p->names_cap, g->rules_len, sizeof(rule_name))) return NONE;
  p->names = names;
  p->names[g->rules_len] = (rule_name){name, size, p->at};
  g->rules[g->rules_len] = NONE;
  return (uint32_t)g->rules_len++;
}

static uint32_t find_rule(const parser *p, const char *name, size_t size) {
  for (size_t i = 0; i < p->g->rules_len; i++) {
    const rule_name *other = &p->names[i];
    if (other->text != NULL && other->size == size && memcmp(other->text, name, size) == 0) {
      return (uint32_t)i;
    }
  }
  return NONE;
}

static uint32_t named_rule(parser *p, const char *name, size_t size) {
  const uint32_t found = find_rule(p, name, size);
  return found != NONE ? found : new_rule(p, name, size);
}

/* Moves complete items to the grammar as those of `rule`. */
static bool define(parser *p, uint32_t rule, const items *body) {
  cwi_grammar *g = p->g;
  items all = {g->items, g->items_len, g->items_cap};
  const size_t start = all.len;
  bool ok = true;
  for (size_t i = 0; ok && i < body->len; i++) {
    ok = push(p, &all, body->list[i].op, body->list[i].value);
  }
  ok = ok && push(p, &all, CWI_GRAMMAR_END, 0);
  g->items = all.list;
  g->items_len = all.len;
  g->items_cap = all.cap;
  if (ok) g->rules[rule] = (uint32_t)start;
  return ok;
}

/* ---- characters ---- */

static bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

static char peek(const parser *p) { return p->at < p->size ? p->text[p->at] : 0; }

/* Skips blanks and comments; line ends only where `lines`. */
static void skip(parser *p, bool lines) {
  while (p->at < p->size) {
    const char c = p->text[p->at];
    if (c == '#') {
      while (p->at < p->size && p->text[p->at] != '\n' && p->text[p->at] != '\r') p->at++;
    } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
      p->at++;
    } else {
      break;
    }
  }
}

static size_t name_size(const parser *p) {
  size_t end = p->at;
  while (end < p->size && is_name(p->text[end])) end++;
  return end - p->at;
}

static bool parse_hex(parser *p, size_t digits, uint32_t *out) {
  *out = 0;
  for (size_t i = 0; i < digits; i++, p->at++) {
    const char c = peek(p);
    const char lower = (char)(c | 32);
    uint32_t value = 0;
    if (c >= '0' && c <= '9') {
      value = (uint32_t)(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = (uint32_t)(lower - 'a' + 10);
    } else {
      return fail(p, "a hexadecimal digit is missing");
    }
    *out = *out << 4 | value;
  }
  return *out <= 0x10FFFF ? true : fail(p, "there is no such character");
}

static bool parse_char(parser *p, uint32_t *out) {
  if (p->at >= p->size) return fail(p, "the text ends within quotes or brackets");
  if (p->text[p->at] != '\\') {
    const size_t len = cwi_utf8_decode(p->text + p->at, p->size - p->at, out);
    if (len == 0) return fail(p, "this is not valid UTF-8");
    p->at += len;
    return true;
  }
  p->at++;
  const char c = peek(p);
  p->at++;
  switch (c) {
    case 'x': return parse_hex(p, 2, out);
    case 'u': return parse_hex(p, 4, out);
    case 'U': return parse_hex(p, 8, out);
    case 'n': *out = '\n'; return true;
    case 'r': *out = '\r'; return true;
    case 't': *out = '\t'; return true;
    case '\\':
    case '"':
    case '[':
    case ']': *out = (uint32_t)c; return true;
    case '-':
    case '^': *out = (uint32_t)c; return true;
    default: p->at--; return fail(p, "this escape is not known");
  }
}

static bool push_range(parser *p, uint32_t low, uint32_t high) {
  cwi_grammar *g = p->g;
  void *ranges = g->ranges;
  if (!grow(p, &ranges, &g->ranges_cap, g->ranges_len, sizeof(cwi_grammar_range))) return false;
  g->ranges = ranges;
  g->ranges[g->ranges_len++] = (cwi_grammar_range){low, high};
  return true;
}

/* Ends a set whose ranges begin at `first`, and adds the item. */
static bool push_set(parser *p, items *out, size_t first, bool negated) {
  cwi_grammar *g = p->g;
  void *sets = g->sets;
  if (!grow(p, &sets, &g->sets_cap, g->sets_len, sizeof(cwi_grammar_set))) return false;
  g->sets = sets;
  g->sets[g->sets_len] =
      (cwi_grammar_set){(uint32_t)first, (uint32_t)(g->ranges_len - first), negated};
  return push(p, out, CWI_GRAMMAR_SET, (uint32_t)g->sets_len++);
}

static bool parse_literal(parser *p, items *out) {
  p->at++;
  while (peek(p) != '"' || p->at >= p->size) {
    uint32_t c = 0;
    const size_t first = p->g->ranges_len;
    if (!parse_char(p, &c) || !push_range(p, c, c) || !push_set(p, out, first, false)) return false;
  }
  p->at++;
  return true;
}

static bool parse_set(parser *p, items *out) {
  const size_t first = p->g->ranges_len;
  p->at++;
  const bool negated = peek(p) == '^';
  if (negated) p->at++;
  while (peek(p) != ']' || p->at >= p->size) {
    uint32_t low = 0;
    if (!parse_char(p, &low)) return false;
    uint32_t high = low;
    if (peek(p) == '-' && p->at + 1 < p->size && p->text[p->at + 1] != ']') {
      p->at++;
      if (!parse_char(p, &high)) return false;
      if (high < low) return fail(p, "the range ends before it begins");
    }
    if (!push_range(p, low, high)) return false;
  }
  p->at++;
  return push_set(p, out, first, negated);
}

/* ---- repetition ---- */

/* A rule r ::= part next |  where next is NONE for none, or the rule itself. */
static bool optional_rule(parser *p, const items *part, uint32_t rule, uint32_t next) {
  items body = {0};
  bool ok = true;
  for (size_t i = 0; ok && i < part->len; i++) {
    ok = push(p, &body, part->list[i].op, part->list[i].value);
  }
  if (ok && next != NONE) ok = push(p, &body, CWI_GRAMMAR_REF, next);
  ok = ok && push(p, &body, CWI_GRAMMAR_ALT, 0) && define(p, rule, &body);
  items_deinit(&body);
  return ok;
}

/* Repeats the items from `start` on, at least `least` and at most `most` times (NONE: any). */
static bool repeat(parser *p, items *out, size_t start, uint32_t least, uint32_t most) {
  items part = {0};
  bool ok = true;
  uint32_t tail = NONE;
  for (size_t i = start; ok && i < out->len; i++) {
    ok = push(p, &part, out->list[i].op, out->list[i].value);
  }
  out->len = start;
  if (part.len == 0) goto out;
  for (uint32_t i = 0; ok && i < least; i++) {
    for (size_t k = 0; ok && k < part.len; k++) {
      ok = push(p, out, part.list[k].op, part.list[k].value);
    }
  }
  if (ok && most == NONE) {
    tail = new_rule(p, NULL, 0);
    ok = tail != NONE && optional_rule(p, &part, tail, tail);
  }
  for (uint32_t i = least; ok && most != NONE && i < most; i++) {
    const uint32_t rule = new_rule(p, NULL, 0);
    ok = rule != NONE && optional_rule(p, &part, rule, tail);
    tail = rule;
  }
  if (ok && tail != NONE) ok = push(p, out, CWI_GRAMMAR_REF, tail);

out:
  items_deinit(&part);
  return ok;
}

static bool parse_count(parser *p, uint32_t *out) {
  if (peek(p) < '0' || peek(p) > '9') return fail(p, "a number is missing");
  *out = 0;
  for (; peek(p) >= '0' && peek(p) <= '9'; p->at++) {
    *out = *out * 10 + (uint32_t)(peek(p) - '0');
    if (*out > CWI_GRAMMAR_REPEAT_MAX) return fail(p, "this repeats more than 2000 times");
  }
  return true;
}

/* What stands behind a part: * + ? {n} {n,} {n,m}. */
static bool parse_repeat(parser *p, items *out, size_t start, bool lines) {
  uint32_t least = 0;
  uint32_t most = NONE;
  switch (peek(p)) {
    case '*': break;
    case '+': least = 1; break;
    case '?': most = 1; break;
    case '{': {
      p->at++;
      skip(p, lines);
      if (!parse_count(p, &least)) return false;
      most = least;
      skip(p, lines);
      if (peek(p) == ',') {
        p->at++;
        skip(p, lines);
        most = NONE;
        if (peek(p) != '}' && !parse_count(p, &most)) return false;
        skip(p, lines);
      }
      if (peek(p) != '}') return fail(p, "'}' is missing");
      if (most < least) return fail(p, "the greatest number is less than the smallest");
      break;
    }
    default: return true;
  }
  p->at++;
  return repeat(p, out, start, least, most);
}

/* ---- rules of the text ---- */

static bool parse_choices(parser *p, uint32_t rule, bool lines);

static bool parse_group(parser *p, items *out) {
  p->at++;
  const uint32_t rule = new_rule(p, NULL, 0);
  if (rule == NONE) return false;
  if (++p->depth > NESTING_MAX) return fail(p, "parentheses are nested too deeply");
  skip(p, true);
  if (!parse_choices(p, rule, true)) return false;
  p->depth--;
  if (peek(p) != ')') return fail(p, "')' is missing");
  p->at++;
  return push(p, out, CWI_GRAMMAR_REF, rule);
}

static bool parse_reference(parser *p, items *out) {
  const size_t size = name_size(p);
  const uint32_t rule = named_rule(p, p->text + p->at, size);
  if (rule == NONE) return false;
  p->at += size;
  return push(p, out, CWI_GRAMMAR_REF, rule);
}

static bool parse_sequence(parser *p, items *out, bool lines) {
  while (p->at < p->size) {
    const size_t start = out->len;
    const char c = p->text[p->at];
    bool ok = true;
    if (c == '"') {
      ok = parse_literal(p, out);
    } else if (c == '[') {
      ok = parse_set(p, out);
    } else if (c == '(') {
      ok = parse_group(p, out);
    } else if (c == '.') {
      p->at++;
      ok = push_set(p, out, p->g->ranges_len, true);
    } else if (is_name(c)) {
      ok = parse_reference(p, out);
    } else if (c == '*' || c == '+' || c == '?' || c == '{') {
      return fail(p, "there is nothing before this to repeat");
    } else {
      return true;
    }
    if (!ok) return false;
    for (skip(p, lines); peek(p) == '*' || peek(p) == '+' || peek(p) == '?' || peek(p) == '{';
         skip(p, lines)) {
      if (!parse_repeat(p, out, start, lines)) return false;
    }
  }
  return true;
}

static bool parse_choices(parser *p, uint32_t rule, bool lines) {
  items body = {0};
  bool ok = parse_sequence(p, &body, lines);
  while (ok && peek(p) == '|') {
    p->at++;
    skip(p, true);
    ok = push(p, &body, CWI_GRAMMAR_ALT, 0) && parse_sequence(p, &body, lines);
  }
  ok = ok && define(p, rule, &body);
  items_deinit(&body);
  return ok;
}

static bool parse_rule(parser *p) {
  const size_t size = name_size(p);
  if (size == 0) return fail(p, "the name of a rule is missing");
  const char *name = p->text + p->at;
  const uint32_t rule = named_rule(p, name, size);
  if (rule == NONE) return false;
  if (p->g->rules[rule] != NONE) return fail(p, "this rule is defined twice");
  p->at += size;
  skip(p, false);
  if (p->size - p->at < 3 || memcmp(p->text + p->at, "::=", 3) != 0) {
    return fail(p, "'::=' is missing");
  }
  p->at += 3;
  skip(p, true);
  if (!parse_choices(p, rule, false)) return false;
  if (p->at < p->size && peek(p) != '\n' && peek(p) != '\r') {
    return fail(p, "this does not belong to a rule");
  }
  skip(p, true);
  return true;
}

/* ---- checks of the whole ---- */

/* Finds the rules that may be empty: again and again until nothing is new. */
static void find_empty(const cwi_grammar *g, uint8_t *empty) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t r = 0; r < g->rules_len; r++) {
      bool all = true;
      for (const cwi_grammar_item *i = &g->items[g->rules[r]]; empty[r] == 0; i++) {
        if (i->op == CWI_GRAMMAR_SET || (i->op == CWI_GRAMMAR_REF && empty[i->value] == 0)) {
          all = false;
        } else if (i->op == CWI_GRAMMAR_ALT || i->op == CWI_GRAMMAR_END) {
          if (all) {
            empty[r] = 1;
            changed = true;
          }
          if (i->op == CWI_GRAMMAR_END) break;
          all = true;
        }
      }
    }
  }
}

/* The next rule that the items from `*at` on may begin with; NONE at the end of the rule. */
static uint32_t next_first(const cwi_grammar *g, const uint8_t *empty, uint32_t *at, bool *open) {
  for (;; (*at)++) {
    const cwi_grammar_item *item = &g->items[*at];
    if (item->op == CWI_GRAMMAR_END) return NONE;
    if (item->op == CWI_GRAMMAR_ALT) {
      *open = true;
    } else if (*open) {
      *open = item->op == CWI_GRAMMAR_REF && empty[item->value] != 0;
      if (item->op == CWI_GRAMMAR_REF) {
        (*at)++;
        return item->value;
      }
    }
  }
}

typedef struct visit {
  uint32_t rule, at;
  bool open;
} visit;

/* Walks what rules begin with, depth first; one that is met while it is open begins with itself. */
static uint32_t find_loop(const cwi_grammar *g, const uint8_t *empty, uint8_t *state,
                          visit *stack) {
  for (uint32_t r = 0; r < g->rules_len; r++) {
    if (state[r] != 0) continue;
    size_t depth = 1;
    stack[0] = (visit){r, g->rules[r], true};
    state[r] = 1;
    while (depth > 0) {
      visit *top = &stack[depth - 1];
      const uint32_t next = next_first(g, empty, &top->at, &top->open);
      if (next == NONE) {
        state[top->rule] = 2;
        depth--;
      } else if (state[next] == 1) {
        return next;
      } else if (state[next] == 0) {
        state[next] = 1;
        stack[depth++] = (visit){next, g->rules[next], true};
      }
    }
  }
  return NONE;
}

static bool check_loops(parser *p) {
  cwi_grammar *g = p->g;
  uint8_t *empty = cwi_alloc_zero(g->rules_len);
  uint8_t *state = cwi_alloc_zero(g->rules_len);
  visit *stack = cwi_alloc_array(g->rules_len, sizeof(visit));
  bool ok = empty != NULL && state != NULL && stack != NULL;
  if (!ok) {
    (void)fail_nomem(p);
  } else {
    find_empty(g, empty);
    const uint32_t loop = find_loop(g, empty, state, stack);
    if (loop != NONE) {
      ok = fail_at(p, p->names[loop].offset, "this begins with itself and would never end");
    }
  }
  cwi_free(empty, g->rules_len);
  cwi_free(state, g->rules_len);
  cwi_free(stack, g->rules_len * sizeof(visit));
  return ok;
}

static bool parse_all(parser *p, const char *root) {
  skip(p, true);
  while (p->at < p->size) {
    if (!parse_rule(p)) return false;
  }
  for (size_t i = 0; i < p->g->rules_len; i++) {
    if (p->g->rules[i] == NONE) {
      return fail_at(p, p->names[i].offset, "this rule is not defined");
    }
  }
  p->g->root = find_rule(p, root, strlen(root));
  if (p->g->root == NONE) return fail_at(p, 0, "the rule to begin with is not defined");
  return check_loops(p);
}

cw_status cwi_grammar_parse(const char *text, size_t size, const char *root, cwi_grammar **out,
                            cw_error *err) {
  *out = NULL;
  if (size > CWI_GRAMMAR_TEXT_BYTES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a grammar of %zu bytes is longer than %zu", size,
                     CWI_GRAMMAR_TEXT_BYTES_MAX);
  }
  parser p = {.text = text, .size = size, .err = err};
  p.g = CWI_NEW(cwi_grammar);
  if (p.g == NULL) return CWI_RAISE_NOMEM(err, "a grammar");
  if (parse_all(&p, root == NULL ? "root" : root)) {
    *out = p.g;
  } else {
    CWI_ASSERT(p.status != CW_OK);
    cwi_grammar_free(p.g);
  }
  cwi_free(p.names, p.names_cap * sizeof(rule_name));
  return p.status;
}

void cwi_grammar_free(cwi_grammar *g) {
  if (g == NULL) return;
  cwi_free(g->items, g->items_cap * sizeof(cwi_grammar_item));
  cwi_free(g->rules, g->rules_cap * sizeof(uint32_t));
  cwi_free(g->sets, g->sets_cap * sizeof(cwi_grammar_set));
  cwi_free(g->ranges, g->ranges_cap * sizeof(cwi_grammar_range));
  CWI_FREE(g);
}
