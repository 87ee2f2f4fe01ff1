/* SPDX-License-Identifier: MIT */
/* Searching: analyzers and the @@ operator over full-text indexes, nearest neighbours, and the
 * functions that look at the running statement (search::*, vector::distance::knn,
 * sequence::nextval, sleep).
 *
 * Both kinds of index are evaluated on the rows that the rest of the condition leaves: exact, and
 * linear in their number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "db/db_exec.h"
#include "db/db_stem.h"

/* ---- analyzers ---- */

typedef struct token_sink {
  db_ctx *c;
  const sql_define *analyzer;
  cw_value terms; /* ARRAY of STRING */
  cw_value spans; /* ARRAY of [first term, terms, start, end] in characters; NONE: not wanted */
} token_sink;

typedef enum char_class {
  CLASS_SPACE,
  CLASS_LETTER,
  CLASS_UPPER,
  CLASS_DIGIT,
  CLASS_PUNCT
} char_class;

static char_class class_of(uint32_t cp) {
  if (cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0xA0 || cp == 0x3000) return CLASS_SPACE;
  if (cp >= '0' && cp <= '9') return CLASS_DIGIT;
  if ((cp >= 'A' && cp <= 'Z') || (cp >= 0xC0 && cp <= 0xDE && cp != 0xD7)) return CLASS_UPPER;
  if (cp < 0x80 && !((cp >= 'a' && cp <= 'z') || cp == '_')) return CLASS_PUNCT;
  return CLASS_LETTER;
}

/* The letters of Latin-1 and Latin Extended-A without their marks, from U+00C0 on. */
static const char latin[] =
    "AAAAAAACEEEEIIIIDNOOOOO*OUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLlLlLl"
    "NnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static bool has_tokenizer(const sql_define *d, const char *name) {
  for (uint32_t i = 0; i < d->tokenizers.len; i++) {
    if (cwi_exec_name_is(*(const sql_str *)d->tokenizers.items[i], name)) return true;
  }
  return false;
}

static cw_status to_ascii(db_ctx *c, cw_value *term) {
  sql_str text = db_str(*term);
  cwi_buf out;
  cwi_buf_init(&out, 0);
  for (size_t i = 0; i < text.size;) {
    uint32_t cp;
    size_t len = cwi_utf8_decode(text.text + i, text.size - i, &cp);
    if (cp >= 0xC0 && cp < 0xC0 + sizeof(latin) - 1)
      cwi_buf_append_char(&out, latin[cp - 0xC0]);
    else
      cwi_buf_append(&out, text.text + i, len);
    i += len > 0 ? len : 1;
  }
  cw_value_release(term);
  cw_status status = cwi_value_string_from_buf(&out, term, &c->err);
  cwi_buf_deinit(&out);
  return status;
}

static cw_status stem(db_ctx *c, const sql_filter *f, cw_value *term) {
  char name[32] = {0};
  for (uint32_t i = 0; i < f->arg.size && i < sizeof(name) - 1; i++) {
    char ch = f->arg.text[i];
    name[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
  }
  sql_str text = db_str(*term);
  cwi_buf out;
  cwi_buf_init(&out, 0);
  cw_value made = cwi_value_none();
  cw_status status = cwi_db_stem(name, text.text, text.size, &out)
                         ? cwi_value_string_from_buf(&out, &made, &c->err)
                         : cwi_exec_nomem(c);
  cwi_buf_deinit(&out);
  if (status == CW_OK) {
    cw_value_release(term);
    *term = made;
  }
  return status;
}

static cw_status filter(token_sink *sink, cw_value term, uint32_t at);

static cw_status grams(token_sink *sink, cw_value term, const sql_filter *f, bool edge,
                       uint32_t at) {
  sql_str text = db_str(term);
  size_t len = cwi_utf8_len(text.text, text.size);
  cw_status status = CW_OK;
  for (size_t from = 0; status == CW_OK && from < (edge ? 1 : len); from++) {
    for (int64_t size = f->a; status == CW_OK && size <= f->b && from + (size_t)size <= len;
         size++) {
      size_t begin = cwi_utf8_offset(text.text, text.size, from);
      size_t end = cwi_utf8_offset(text.text, text.size, from + (size_t)size);
      cw_value gram = cwi_value_none();
      status = cwi_exec_string(sink->c, text.text + begin, end - begin, &gram);
      if (status == CW_OK) status = filter(sink, gram, at + 1);
    }
  }
  cw_value_release(&term);
  return status;
}

/* Runs the filters from `at` on a term, which is taken. */
static cw_status filter(token_sink *sink, cw_value term, uint32_t at) {
  db_ctx *c = sink->c;
  if (at >= sink->analyzer->filters.len) return cw_value_array_push(&sink->terms, term, &c->err);
  const sql_filter *f = sink->analyzer->filters.items[at];
  cw_status status = CW_OK;
  if (cwi_exec_name_is(f->name, "EDGENGRAM")) return grams(sink, term, f, true, at);
  if (cwi_exec_name_is(f->name, "NGRAM")) return grams(sink, term, f, false, at);
  if (cwi_exec_name_is(f->name, "ASCII")) {
    status = to_ascii(c, &term);
  } else if (cwi_exec_name_is(f->name, "SNOWBALL")) {
    status = stem(c, f, &term);
  } else if (cwi_exec_name_is(f->name, "LOWERCASE") || cwi_exec_name_is(f->name, "UPPERCASE")) {
    cw_value made = cwi_value_none();
    bool lower = cwi_exec_name_is(f->name, "LOWERCASE");
    status = cwi_exec_fn_run(c, lower ? "string::lowercase" : "string::uppercase", &term, 1, &made);
    cw_value_release(&term);
    term = made;
  }
  if (status == CW_OK) return filter(sink, term, at + 1);
  cw_value_release(&term);
  return status;
}

static cw_status emit(token_sink *sink, sql_str text, size_t begin, size_t end, size_t first,
                      size_t last) {
  db_ctx *c = sink->c;
  if (begin == end) return CW_OK;
  cw_value term = cwi_value_none();
  size_t before = cw_value_len(sink->terms);
  cw_status status = cwi_exec_string(c, text.text + begin, end - begin, &term);
  if (status == CW_OK) status = filter(sink, term, 0);
  if (status != CW_OK || sink->spans.kind != CW_VALUE_ARRAY) return status;
  int64_t parts[4] = {(int64_t)before, (int64_t)(cw_value_len(sink->terms) - before),
                      (int64_t)first, (int64_t)last};
  cw_value span = cwi_value_none();
  status = cw_value_array(4, &span, &c->err);
  for (size_t i = 0; status == CW_OK && i < 4; i++) {
    status = cw_value_array_push(&span, cwi_value_int(parts[i]), &c->err);
  }
  return status == CW_OK ? cw_value_array_push(&sink->spans, span, &c->err) : status;
}

static cw_status tokenize(token_sink *sink, cw_value string) {
  sql_str text = db_str(string);
  bool by_class = has_tokenizer(sink->analyzer, "CLASS"),
       camel = has_tokenizer(sink->analyzer, "CAMEL");
  bool punct = has_tokenizer(sink->analyzer, "PUNCT");
  size_t begin = 0, first = 0, at = 0, i = 0;
  char_class before = CLASS_SPACE;
  cw_status status = CW_OK;
  while (status == CW_OK && i < text.size) {
    uint32_t cp;
    size_t len = cwi_utf8_decode(text.text + i, text.size - i, &cp);
    char_class now = class_of(cp);
    bool letters = (now == CLASS_LETTER || now == CLASS_UPPER) &&
                   (before == CLASS_LETTER || before == CLASS_UPPER);
    bool cut = now == CLASS_SPACE || (by_class && now != before && !letters) ||
               (camel && now == CLASS_UPPER && before != CLASS_UPPER) ||
               (punct && (now == CLASS_PUNCT || before == CLASS_PUNCT));
    if (cut) {
      status = emit(sink, text, begin, i, first, at);
      begin = now == CLASS_SPACE ? i + len : i;
      first = now == CLASS_SPACE ? at + 1 : at;
    }
    before = now;
    i += len;
    at++;
  }
  return status == CW_OK ? emit(sink, text, begin, text.size, first, at) : status;
}

static cw_status analyze(db_ctx *c, sql_str name, cw_value text, cw_value *terms, cw_value *spans) {
  cw_value entry = cwi_value_none();
  db_def def = {0};
  cw_status status = cwi_exec_scope_get(c, false);
  if (status == CW_OK) {
    status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_ANALYZER, c->scope, name.text, name.size, &entry,
                                &c->err);
  }
  if (status == CW_OK && entry.kind != CW_VALUE_OBJECT) {
    status = cwi_exec_fail(c, CW_E_QUERY,
                           "Analyzer '%.*s' not found: The analyzer '%.*s' does not exist",
                           (int)name.size, name.text, (int)name.size, name.text);
  }
  if (status == CW_OK) status = cwi_exec_def_parse(c, entry, &def);
  token_sink sink = {.c = c, .analyzer = def.define};
  if (status == CW_OK) status = cw_value_array(0, &sink.terms, &c->err);
  if (status == CW_OK && spans != NULL) status = cw_value_array(0, &sink.spans, &c->err);
  cw_value items = text.kind == CW_VALUE_ARRAY ? text : cwi_value_none();
  if (status == CW_OK && text.kind == CW_VALUE_STRING) status = tokenize(&sink, text);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(items); i++) {
    if (cw_value_array_get(items, i).kind == CW_VALUE_STRING)
      status = tokenize(&sink, cw_value_array_get(items, i));
  }
  if (status == CW_OK) {
    *terms = sink.terms;
    if (spans != NULL) *spans = sink.spans;
  } else {
    cw_value_release(&sink.terms);
    cw_value_release(&sink.spans);
  }
  cwi_exec_def_deinit(&def);
  cw_value_release(&entry);
  return status;
}

/* ---- @@ ---- */

static bool same_field(const sql_expr *a, const sql_expr *b) {
  cwi_buf x, y;
  cwi_buf_init(&x, 0);
  cwi_buf_init(&y, 0);
  cwi_sql_print_expr(&x, a);
  cwi_sql_print_expr(&y, b);
  bool same = !x.failed && !y.failed && x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
  cwi_buf_deinit(&x);
  cwi_buf_deinit(&y);
  return same;
}

static const sql_define *text_index(db_ctx *c, const sql_expr *field) {
  for (size_t i = 0; c->table != NULL && i < c->table->indexes.len; i++) {
    const sql_define *d = c->table->indexes.items[i].define;
    if (d->ix.kind == SQL_IX_FULLTEXT && same_field(d->ix.fields.items[0], field)) return d;
  }
  return NULL;
}

static bool has_term(cw_value terms, cw_value term) {
  for (size_t i = 0; i < cw_value_len(terms); i++) {
    if (cwi_db_equal(cw_value_array_get(terms, i), term)) return true;
  }
  return false;
}

cw_status cwi_exec_matches_text(db_ctx *c, const sql_expr *node, cw_value left, cw_value right,
                                cw_value *out) {
  const sql_define *index = text_index(c, node->u.binary.left);
  *out = cwi_value_bool(false);
  if (index == NULL) {
    return cwi_exec_fail(c, CW_E_QUERY,
                         "There was no suitable full-text index supporting the expression");
  }
  cw_value have = cwi_value_none(), want = cwi_value_none();
  cw_status status = analyze(c, index->ix.analyzer, left, &have, NULL);
  if (status == CW_OK) status = analyze(c, index->ix.analyzer, right, &want, NULL);
  bool all = status == CW_OK && cw_value_len(want) > 0;
  for (size_t i = 0; all && i < cw_value_len(want); i++)
    all = has_term(have, cw_value_array_get(want, i));
  *out = cwi_value_bool(all);
  cw_value_release(&have);
  cw_value_release(&want);
  return status;
}

const sql_expr *cwi_exec_find_op(const sql_expr *where, sql_op op) {
  while (where != NULL && where->kind == SQL_PAREN) where = where->u.binary.left;
  if (where == NULL || where->kind != SQL_BINARY) return NULL;
  if (where->op == op) return where;
  if (where->op != SQL_OP_AND && where->op != SQL_OP_OR) return NULL;
  const sql_expr *found = cwi_exec_find_op(where->u.binary.left, op);
  return found != NULL ? found : cwi_exec_find_op(where->u.binary.right, op);
}

static const sql_expr *find_match(const sql_expr *where, int64_t ref) {
  if (where == NULL || where->kind != SQL_BINARY) return NULL;
  if (where->op == SQL_OP_MATCHES && (ref < 0 || where->u.binary.ref == ref)) return where;
  if (where->op != SQL_OP_AND && where->op != SQL_OP_OR) return NULL;
  const sql_expr *found = find_match(where->u.binary.left, ref);
  return found != NULL ? found : find_match(where->u.binary.right, ref);
}

/* The spans of the current row's field that match, and its text. */
static cw_status matched(db_ctx *c, const sql_expr *match, cw_value *text, cw_value *hits) {
  const sql_define *index = text_index(c, match->u.binary.left);
  cw_value query = cwi_value_none(), want = cwi_value_none(), terms = cwi_value_none();
  cw_value spans = cwi_value_none();
  if (index == NULL) return cwi_exec_fail(c, CW_E_QUERY, "There was no suitable full-text index");
  cw_status status = cwi_exec_eval(c, match->u.binary.left, text);
  if (status == CW_OK) status = cwi_exec_eval(c, match->u.binary.right, &query);
  if (status == CW_OK) status = analyze(c, index->ix.analyzer, query, &want, NULL);
  if (status == CW_OK) status = analyze(c, index->ix.analyzer, *text, &terms, &spans);
  if (status == CW_OK) status = cw_value_array(0, hits, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(spans); i++) {
    cw_value span = cw_value_array_get(spans, i);
    int64_t first = cw_value_as_int(cw_value_array_get(span, 0));
    int64_t len = cw_value_as_int(cw_value_array_get(span, 1));
    bool hit = false;
    for (int64_t k = first; !hit && k < first + len; k++) {
      hit = has_term(want, cw_value_array_get(terms, (size_t)k));
    }
    if (hit) status = cw_value_array_push(hits, cwi_value_retain(span), &c->err);
  }
  cw_value_release(&query);
  cw_value_release(&want);
  cw_value_release(&terms);
  cw_value_release(&spans);
  return status;
}

static cw_status highlight(db_ctx *c, const cw_value *args, cw_value text, cw_value hits,
                           cw_value *out) {
  sql_str t = db_str(text), open = db_str(args[0]), close = db_str(args[1]);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  size_t at = 0;
  for (size_t i = 0; i < cw_value_len(hits); i++) {
    cw_value span = cw_value_array_get(hits, i);
    size_t from =
        cwi_utf8_offset(t.text, t.size, (size_t)cw_value_as_int(cw_value_array_get(span, 2)));
    size_t to =
        cwi_utf8_offset(t.text, t.size, (size_t)cw_value_as_int(cw_value_array_get(span, 3)));
    cwi_buf_append(&buf, t.text + at, from - at);
    cwi_buf_append(&buf, open.text, open.size);
    cwi_buf_append(&buf, t.text + from, to - from);
    cwi_buf_append(&buf, close.text, close.size);
    at = to;
  }
  cwi_buf_append(&buf, t.text + at, t.size - at);
  cw_status status = cwi_value_string_from_buf(&buf, out, &c->err);
  cwi_buf_deinit(&buf);
  return status;
}

static cw_status offsets(db_ctx *c, cw_value hits, cw_value *out) {
  cw_value list = cwi_value_none();
  cw_status status = cw_value_array(0, &list, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(hits); i++) {
    cw_value span = cw_value_array_get(hits, i), item = cwi_value_none();
    status = cw_value_object(&item, &c->err);
    if (status == CW_OK) status = cwi_exec_obj_set(c, &item, "s", cw_value_array_get(span, 2));
    if (status == CW_OK) status = cwi_exec_obj_set(c, &item, "e", cw_value_array_get(span, 3));
    if (status == CW_OK) status = cw_value_array_push(&list, item, &c->err);
  }
  if (status == CW_OK) status = cw_value_object(out, &c->err);
  if (status == CW_OK) return cwi_exec_obj_set(c, out, "0", list);
  cw_value_release(&list);
  return status;
}

/* BM25 over the whole table: exact, and as slow as reading it. */
static cw_status score(db_ctx *c, const sql_expr *match, cw_value *out) {
  const sql_define *index = text_index(c, match->u.binary.left);
  cw_value query = cwi_value_none(), want = cwi_value_none(), mine = cwi_value_none();
  cw_value text = cwi_value_none();
  double docs = 0, length = 0, df[32] = {0};
  if (index == NULL) return cwi_exec_fail(c, CW_E_QUERY, "There was no suitable full-text index");
  cw_status status = cwi_exec_eval(c, match->u.binary.right, &query);
  if (status == CW_OK) status = analyze(c, index->ix.analyzer, query, &want, NULL);
  if (status == CW_OK) status = cwi_exec_eval(c, match->u.binary.left, &text);
  if (status == CW_OK) status = analyze(c, index->ix.analyzer, text, &mine, NULL);
  size_t terms = cw_value_len(want) < 32 ? cw_value_len(want) : 32;
  db_scan scan = {0};
  if (status == CW_OK) status = cwi_exec_scan_open(c, c->table, cwi_value_none(), &scan);
  for (bool more = true; status == CW_OK && more;) {
    cw_value rid, doc, value = cwi_value_none(), have = cwi_value_none();
    status = cwi_exec_scan_next(c, &scan, &rid, &doc, &more);
    if (status != CW_OK || !more) break;
    status = cwi_exec_eval_with(c, match->u.binary.left, doc, rid, &value);
    if (status == CW_OK) status = analyze(c, index->ix.analyzer, value, &have, NULL);
    if (cw_value_len(have) > 0) {
      docs += 1;
      length += (double)cw_value_len(have);
    }
    for (size_t i = 0; i < terms; i++) df[i] += has_term(have, cw_value_array_get(want, i)) ? 1 : 0;
    cw_value_release(&rid);
    cw_value_release(&doc);
    cw_value_release(&value);
    cw_value_release(&have);
  }
  cwi_exec_scan_close(&scan);
  double total = 0, average = docs > 0 ? length / docs : 1, own = (double)cw_value_len(mine);
  for (size_t i = 0; i < terms; i++) {
    double tf = 0;
    for (size_t k = 0; k < cw_value_len(mine); k++) {
      tf += cwi_db_equal(cw_value_array_get(mine, k), cw_value_array_get(want, i)) ? 1 : 0;
    }
    double idf = log((docs - df[i] + 0.5) / (df[i] + 0.5) + 1);
    double k1 = index->ix.k1, b = index->ix.b;
    total += idf * (tf * (k1 + 1)) / (tf + k1 * (1 - b + b * own / average));
  }
  *out = cwi_value_float(total);
  cw_value_release(&query);
  cw_value_release(&want);
  cw_value_release(&mine);
  cw_value_release(&text);
  return status;
}

/* ---- nearest neighbours ---- */

static const sql_define *vector_index(db_ctx *c, const sql_expr *field) {
  for (size_t i = 0; c->table != NULL && i < c->table->indexes.len; i++) {
    const sql_define *d = c->table->indexes.items[i].define;
    if (d->ix.kind == SQL_IX_HNSW && same_field(d->ix.fields.items[0], field)) return d;
  }
  return NULL;
}

static bool is_vector(cw_value v, size_t len) {
  if (v.kind != CW_VALUE_ARRAY || cw_value_len(v) != len || len == 0) return false;
  for (size_t i = 0; i < len; i++) {
    if (!cwi_db_is_number(cw_value_array_get(v, i))) return false;
  }
  return true;
}

static double narrow(double x, sql_str type) {
  if (cwi_exec_name_is(type, "F32")) return (double)(float)x;
  if (type.size > 0 && type.text[0] == 'I') return trunc(x);
  return x;
}

static cw_status narrowed(db_ctx *c, cw_value v, sql_str type, cw_value *out) {
  cw_status status = cw_value_array(cw_value_len(v), out, &c->err);
  for (size_t i = 0; status == CW_OK && i < cw_value_len(v); i++) {
    double x = cwi_db_number_as_float(cw_value_array_get(v, i));
    status = cw_value_array_push(out, cwi_value_float(narrow(x, type)), &c->err);
  }
  return status;
}

static cw_status distance(db_ctx *c, sql_str name, double order, cw_value a, cw_value b,
                          cw_value *out) {
  static const struct {
    const char *name, *function;
  } functions[] = {
      {"CHEBYSHEV", "vector::distance::chebyshev"}, {"EUCLIDEAN", "vector::distance::euclidean"},
      {"HAMMING", "vector::distance::hamming"},     {"MANHATTAN", "vector::distance::manhattan"},
      {"COSINE", "vector::similarity::cosine"},     {"JACCARD", "vector::similarity::jaccard"},
      {"PEARSON", "vector::similarity::pearson"}};
  cw_value args[2] = {a, b};
  if (cwi_exec_name_is(name, "EUCLIDEAN32")) { /* in single precision, as F32 indexes do */
    float sum = 0;
    for (size_t i = 0; i < cw_value_len(a); i++) {
      float d = (float)(cwi_db_number_as_float(cw_value_array_get(a, i)) -
                        cwi_db_number_as_float(cw_value_array_get(b, i)));
      sum += d * d;
    }
    *out = cwi_value_float(sqrt((double)sum));
    return CW_OK;
  }
  if (cwi_exec_name_is(name, "MINKOWSKI")) {
    double sum = 0;
    for (size_t i = 0; i < cw_value_len(a); i++) {
      sum += pow(fabs(cwi_db_number_as_float(cw_value_array_get(a, i)) -
                      cwi_db_number_as_float(cw_value_array_get(b, i))),
                 order);
    }
    *out = cwi_value_float(pow(sum, 1 / order));
    return CW_OK;
  }
  for (size_t i = 0; i < CWI_ARRAY_LEN(functions); i++) {
    if (!cwi_exec_name_is(name, functions[i].name)) continue;
    cw_status status = cwi_exec_fn_run(c, functions[i].function, args, 2, out);
    if (status == CW_OK && cwi_exec_name_is(name, "COSINE")) {
      *out = cwi_value_float(1 - cw_value_as_float(*out));
    }
    return status;
  }
  return cwi_exec_fail(c, CW_E_QUERY, "Unknown distance");
}

typedef struct near_row {
  double distance;
  size_t row;
} near_row;

static int near_compare(const void *a, const void *b) {
  const near_row *x = a, *y = b;
  if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
  return x->row < y->row ? -1 : 1;
}

cw_status cwi_exec_knn_rows(db_ctx *c, const sql_expr *node, db_rows *rows) {
  const sql_knn *knn = node->u.binary.knn;
  const sql_define *index = vector_index(c, node->u.binary.left);
  cw_value query = cwi_value_none();
  if (knn->distance.size == 0 && (knn->ef < 0 || index == NULL)) {
    return cwi_exec_fail(
        c, CW_E_QUERY,
        "Invalid query: KNN operators nested in OR/NOT expressions or mixed with unsupported "
        "KNN variants are not supported");
  }
  bool indexed = knn->distance.size == 0;
  sql_str name = indexed ? index->ix.distance : knn->distance;
  if (indexed && cwi_exec_name_is(name, "EUCLIDEAN") &&
      cwi_exec_name_is(index->ix.vector_type, "F32")) {
    name = (sql_str){.text = "EUCLIDEAN32", .size = 11};
  }
  cw_status status = cwi_exec_eval(c, node->u.binary.right, &query);
  size_t len = cw_value_len(query);
  if (status == CW_OK && indexed && query.kind == CW_VALUE_ARRAY &&
      (int64_t)len != index->ix.dimension) {
    status = cwi_exec_fail(c, CW_E_QUERY,
                           "Incorrect vector dimension (%zu). Expected a vector of %lld dimension.",
                           len, (long long)index->ix.dimension);
  }
  if (status == CW_OK && query.kind != CW_VALUE_ARRAY) { /* no vector: every row stays */
    cw_value_release(&query);
    return CW_OK;
  }
  near_row *near = cwi_alloc_array(rows->len + 1, sizeof(near_row));
  size_t found = 0, cap = rows->len + 1;
  if (status == CW_OK && near == NULL) status = cwi_exec_nomem(c);
  for (size_t i = 0; status == CW_OK && i < rows->len; i++) {
    cw_value v = cwi_value_none(), a = cwi_value_none(), b = cwi_value_none();
    status = cwi_exec_eval_with(c, node->u.binary.left, rows->docs[i], rows->rids[i], &v);
    if (status == CW_OK && is_vector(v, len) && is_vector(query, len)) {
      if (indexed) {
        status = narrowed(c, v, index->ix.vector_type, &a);
        if (status == CW_OK) status = narrowed(c, query, index->ix.vector_type, &b);
      }
      if (status == CW_OK) {
        status = distance(c, name, indexed ? index->ix.order : knn->order, indexed ? a : v,
                          indexed ? b : query, &rows->extra[i]);
      }
      near[found++] = (near_row){.distance = cwi_db_number_as_float(rows->extra[i]), .row = i};
    }
    cw_value_release(&v);
    cw_value_release(&a);
    cw_value_release(&b);
  }
  db_rows out = {0};
  if (status == CW_OK) {
    qsort(near, found, sizeof(near_row), near_compare);
    for (size_t i = 0; status == CW_OK && i < found && (int64_t)i < knn->k; i++) {
      size_t row = near[i].row;
      status = cwi_exec_rows_push(c, &out, cwi_value_retain(rows->docs[row]),
                                  cwi_value_retain(rows->rids[row]));
      if (status == CW_OK) out.extra[out.len - 1] = cwi_value_retain(rows->extra[row]);
    }
  }
  cwi_free(near, cap * sizeof(near_row));
  cw_value_release(&query);
  cwi_exec_rows_deinit(rows);
  *rows = out;
  return status;
}

/* ---- functions about the running statement ---- */

static cw_status next_value(db_ctx *c, cw_value name, cw_value *out) {
  sql_str text = db_str(name);
  cw_value entry = cwi_value_none();
  cw_status status = cwi_exec_scope_get(c, false);
  if (status == CW_OK) {
    status = cwi_db_catalog_get(c->txn, CWI_DB_DEF_SEQUENCE, c->scope, text.text, text.size, &entry,
                                &c->err);
  }
  if (status == CW_OK && entry.kind != CW_VALUE_OBJECT) {
    status = cwi_exec_fail(c, CW_E_NOT_FOUND, "The sequence '%.*s' does not exist", (int)text.size,
                           text.text);
  }
  if (status == CW_OK) {
    cw_value next = cwi_exec_obj_get(entry, "next");
    if (next.kind == CW_VALUE_NONE) {
      db_def def = {0};
      status = cwi_exec_def_parse(c, entry, &def);
      next = cwi_value_int(status == CW_OK ? def.define->start : 0);
      cwi_exec_def_deinit(&def);
    }
    *out = next;
    if (status == CW_OK)
      status = cwi_exec_obj_set(c, &entry, "next", cwi_value_int(cwi_value_as_int(next) + 1));
    if (status == CW_OK) {
      status = cwi_db_catalog_put(c->txn, CWI_DB_DEF_SEQUENCE, c->scope, text.text, text.size,
                                  &entry, &c->err);
    }
  }
  cw_value_release(&entry);
  return status;
}

/* Sleeps in steps, so that a cancelled query wakes. */
static cw_status sleep_for(db_ctx *c, cw_value duration) {
  uint64_t left =
      (uint64_t)cw_value_as_seconds(duration) * 1000U + cw_value_as_nanos(duration) / 1000000U;
  cw_status status = cwi_exec_tick(c);
  while (status == CW_OK && left > 0) {
    uint64_t now = left < 5 ? left : 5;
    struct timespec pause = {.tv_nsec = (long)(now * 1000000U)};
    nanosleep(&pause, NULL);
    left -= now;
    status = cwi_exec_tick(c);
  }
  return status;
}

cw_status cwi_exec_special(db_ctx *c, const cwi_db_fn *fn, const cw_value *args, size_t len,
                           cw_value *out) {
  *out = cwi_value_none();
  if (strcmp(fn->name, "sleep") == 0) return sleep_for(c, args[0]);
  if (strcmp(fn->name, "sequence::nextval") == 0) return next_value(c, args[0], out);
  if (strcmp(fn->name, "search::analyze") == 0)
    return analyze(c, db_str(args[0]), args[1], out, NULL);
  if (strcmp(fn->name, "vector::distance::knn") == 0) {
    if (cwi_exec_find_op(c->where, SQL_OP_KNN) == NULL) {
      return cwi_exec_fail(c, CW_E_QUERY,
                           "Invalid query: Index function 'vector::distance::knn': no KNN operator "
                           "found in WHERE condition");
    }
    *out = cwi_value_retain(c->knn);
    return CW_OK;
  }
  if (strncmp(fn->name, "search::", 8) == 0) {
    bool marks = strcmp(fn->name, "search::highlight") == 0;
    size_t at = marks ? 2 : 0;
    int64_t ref = len > at ? cw_value_as_int(args[at]) : -1;
    const sql_expr *match = find_match(c->where, ref);
    if (match == NULL) {
      return cwi_exec_fail(
          c, CW_E_QUERY,
          "Invalid query: Index function '%s': no MATCHES clause found in WHERE condition",
          fn->name);
    }
    if (strcmp(fn->name, "search::score") == 0) return score(c, match, out);
    cw_value text = cwi_value_none(), hits = cwi_value_none();
    cw_status status = matched(c, match, &text, &hits);
    if (status == CW_OK)
      status = marks ? highlight(c, args, text, hits, out) : offsets(c, hits, out);
    cw_value_release(&text);
    cw_value_release(&hits);
    return status;
  }
  return cwi_exec_fail(c, CW_E_QUERY, "Function '%s' is not available here", fn->name);
}
