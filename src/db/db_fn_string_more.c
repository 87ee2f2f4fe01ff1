/* SPDX-License-Identifier: MIT */
/* string::distance::*, string::similarity::*, string::html::*. Distances count characters. */
#include <ctype.h>
#include <strings.h>

#include "core/alloc.h"
#include "db/db_fn_internal.h"

#define COMPARE_CHARACTERS_MAX 4096

typedef struct points {
  uint32_t *at;
  size_t len;
} points;

typedef struct two_texts {
  points a;
  points b;
} two_texts;

static void free_texts(two_texts *t) {
  cwi_free(t->a.at, t->a.len * sizeof(uint32_t));
  cwi_free(t->b.at, t->b.len * sizeof(uint32_t));
}

static cw_status take_texts(cwi_db_fn_ctx *ctx, const cw_value *args, two_texts *out,
                            cw_error *err) {
  *out = (two_texts){0};
  out->a.at = cwi_fn_codepoints(args[0], &out->a.len);
  out->b.at = cwi_fn_codepoints(args[1], &out->b.len);
  cw_status status = CW_OK;
  if (out->a.at == NULL || out->b.at == NULL) {
    status = CWI_RAISE_NOMEM(err, "comparing strings");
  } else if (out->a.len > COMPARE_CHARACTERS_MAX || out->b.len > COMPARE_CHARACTERS_MAX) {
    status = cwi_db_fn_fail(ctx, err, "Strings must have at most %d characters.",
                            COMPARE_CHARACTERS_MAX);
  }
  if (status != CW_OK) free_texts(out);
  return status;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Edits from a to b. `swaps` 0: none; 1: neighbours, each character once (OSA). Three rows at a
 * time. */
static bool edits(points a, points b, int swaps, size_t *out) {
  size_t width = b.len + 1;
  size_t *rows = cwi_alloc_array(3 * width, sizeof(size_t));
  if (rows == NULL) return false;
  size_t *before = rows;
  size_t *last = rows + width;
  size_t *now = rows + 2 * width;
  for (size_t j = 0; j < width; j++) last[j] = j;
  for (size_t i = 1; i <= a.len; i++) {
    now[0] = i;
    for (size_t j = 1; j <= b.len; j++) {
      size_t cost = a.at[i - 1] == b.at[j - 1] ? 0 : 1;
      now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + cost);
      if (swaps != 0 && i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
          a.at[i - 2] == b.at[j - 1]) {
        now[j] = least(now[j], before[j - 2] + 1);
      }
    }
    size_t *free_row = before;
    before = last;
    last = now;
    now = free_row;
  }
  *out = last[b.len];
  cwi_free(rows, 3 * width * sizeof(size_t));
  return true;
}

/* Damerau-Levenshtein with swaps of characters that others came between: the whole table. */
static bool damerau(points a, points b, size_t *out) {
  size_t width = b.len + 2;
  size_t total = (a.len + 2) * width;
  uint32_t *d = cwi_alloc_array(total, sizeof(uint32_t));
  if (d == NULL) return false;
  uint32_t most = (uint32_t)(a.len + b.len);
  d[0] = most;
  for (size_t i = 0; i <= a.len; i++) {
    d[(i + 1) * width] = most;
    d[(i + 1) * width + 1] = (uint32_t)i;
  }
  for (size_t j = 0; j <= b.len; j++) {
    d[j + 1] = most;
    d[width + j + 1] = (uint32_t)j;
  }
  for (size_t i = 1; i <= a.len; i++) {
    size_t match_column = 0;
    for (size_t j = 1; j <= b.len; j++) {
      size_t match_row = i - 1; /* the last row where a has this character of b */
      while (match_row > 0 && a.at[match_row - 1] != b.at[j - 1]) match_row--;
      uint32_t cost = a.at[i - 1] == b.at[j - 1] ? 0 : 1;
      uint32_t best = d[i * width + j] + cost;
      if (d[(i + 1) * width + j] + 1 < best) best = d[(i + 1) * width + j] + 1;
      if (d[i * width + j + 1] + 1 < best) best = d[i * width + j + 1] + 1;
      uint32_t swap = d[match_row * width + match_column] + (uint32_t)(i - match_row - 1) + 1 +
                      (uint32_t)(j - match_column - 1);
      if (match_row > 0 && match_column > 0 && swap < best) best = swap;
      d[(i + 1) * width + j + 1] = best;
      if (cost == 0) match_column = j;
    }
  }
  *out = d[(a.len + 1) * width + b.len + 1];
  cwi_free(d, total * sizeof(uint32_t));
  return true;
}

enum { EDITS_PLAIN, EDITS_OSA, EDITS_DAMERAU };

static cw_status distance(cwi_db_fn_ctx *ctx, const cw_value *args, int how, bool normalized,
                          cw_value *out, cw_error *err) {
  two_texts t;
  size_t count = 0;
  cw_status status = take_texts(ctx, args, &t, err);
  if (status != CW_OK) return status;
  bool done = how == EDITS_DAMERAU ? damerau(t.a, t.b, &count) : edits(t.a, t.b, how, &count);
  size_t most = t.a.len > t.b.len ? t.a.len : t.b.len;
  free_texts(&t);
  if (!done) return CWI_RAISE_NOMEM(err, "comparing strings");
  if (normalized) {
    *out = cwi_value_float(most == 0 ? 1.0 : 1.0 - (double)count / (double)most);
  } else {
    *out = cwi_value_int((int64_t)count);
  }
  return CW_OK;
}

#define DISTANCE(name, how, normalized)                             \
  FN(name) {                                                        \
    (void)len;                                                      \
    return distance(ctx, args, (how), (normalized), out, err);      \
  }
DISTANCE(distance_levenshtein, EDITS_PLAIN, false)
DISTANCE(distance_osa, EDITS_OSA, false)
DISTANCE(distance_damerau, EDITS_DAMERAU, false)
DISTANCE(normalized_levenshtein, EDITS_PLAIN, true)
DISTANCE(normalized_damerau, EDITS_DAMERAU, true)

FN(distance_hamming) {
  (void)len;
  two_texts t;
  int64_t count = 0;
  cw_status status = take_texts(ctx, args, &t, err);
  if (status != CW_OK) return status;
  if (t.a.len != t.b.len) status = cwi_db_fn_fail(ctx, err, "Strings must be of equal length.");
  for (size_t i = 0; status == CW_OK && i < t.a.len; i++) count += t.a.at[i] != t.b.at[i];
  free_texts(&t);
  *out = cwi_value_int(count);
  return status;
}

/* ---- similarities ---- */

static bool jaro(points a, points b, double *out) {
  *out = a.len == 0 && b.len == 0 ? 1.0 : 0.0;
  if (a.len == 0 || b.len == 0) return true;
  size_t longer = a.len > b.len ? a.len : b.len;
  size_t reach = longer / 2 > 0 ? longer / 2 - 1 : 0;
  bool *taken = cwi_alloc_zero(a.len + b.len);
  if (taken == NULL) return false;
  bool *of_b = taken + a.len;
  size_t matches = 0;
  for (size_t i = 0; i < a.len; i++) {
    size_t from = i > reach ? i - reach : 0;
    size_t to = least(i + reach + 1, b.len);
    for (size_t j = from; j < to; j++) {
      if (of_b[j] || a.at[i] != b.at[j]) continue;
      taken[i] = true;
      of_b[j] = true;
      matches++;
      break;
    }
  }
  size_t moved = 0;
  for (size_t i = 0, j = 0; i < a.len; i++) {
    if (!taken[i]) continue;
    while (!of_b[j]) j++;
    moved += a.at[i] != b.at[j++];
  }
  if (matches > 0) {
    double m = (double)matches;
    double halves = (double)moved / 2.0;
    *out = (m / (double)a.len + m / (double)b.len + (m - halves) / m) / 3.0;
  }
  cwi_free(taken, a.len + b.len);
  return true;
}

static cw_status similarity_jaro_of(cwi_db_fn_ctx *ctx, const cw_value *args, bool winkler,
                                    cw_value *out, cw_error *err) {
  two_texts t;
  double score;
  cw_status status = take_texts(ctx, args, &t, err);
  if (status != CW_OK) return status;
  if (!jaro(t.a, t.b, &score)) status = CWI_RAISE_NOMEM(err, "comparing strings");
  size_t prefix = 0;
  while (prefix < 4 && prefix < t.a.len && prefix < t.b.len && t.a.at[prefix] == t.b.at[prefix])
    prefix++;
  free_texts(&t);
  if (status != CW_OK) return status;
  if (winkler && score > 0.7) score += 0.1 * (double)prefix * (1.0 - score);
  *out = cwi_value_float(score);
  return CW_OK;
}

FN(similarity_jaro) {
  (void)len;
  return similarity_jaro_of(ctx, args, false, out, err);
}

FN(similarity_jaro_winkler) {
  (void)len;
  return similarity_jaro_of(ctx, args, true, out, err);
}

FN(similarity_sorensen) {
  (void)len;
  two_texts t;
  cw_status status = take_texts(ctx, args, &t, err);
  if (status != CW_OK) return status;
  size_t pairs_a = t.a.len > 0 ? t.a.len - 1 : 0;
  size_t pairs_b = t.b.len > 0 ? t.b.len - 1 : 0;
  size_t both = 0;
  bool *taken = cwi_alloc_zero(pairs_b + 1);
  if (taken == NULL) status = CWI_RAISE_NOMEM(err, "comparing strings");
  for (size_t i = 0; status == CW_OK && i < pairs_a; i++) {
    for (size_t j = 0; j < pairs_b; j++) {
      if (taken[j] || t.a.at[i] != t.b.at[j] || t.a.at[i + 1] != t.b.at[j + 1]) continue;
      taken[j] = true;
      both++;
      break;
    }
  }
  bool equal = t.a.len == t.b.len && memcmp(t.a.at, t.b.at, t.a.len * sizeof(uint32_t)) == 0;
  double score = pairs_a + pairs_b == 0 ? 0.0 : 2.0 * (double)both / (double)(pairs_a + pairs_b);
  cwi_free(taken, pairs_b + 1);
  free_texts(&t);
  *out = cwi_value_float(equal ? 1.0 : score);
  return status;
}

/* The score of b's characters as a subsequence of a: 16 a match, more at the start of the text and
 * for neighbours, less for gaps. Zero where b is no subsequence. */
FN(similarity_fuzzy) {
  enum { MATCH = 16, HEAD = 16, NEIGHBOUR = 4, GAP = 4, GAP_MORE = 1 };
  (void)len;
  two_texts t;
  cw_status status = take_texts(ctx, args, &t, err);
  if (status != CW_OK) return status;
  /* [position in a]: the best score with b's character so far matched there */
  int64_t *best = NULL;
  int64_t score = 0;
  if (t.a.len > 0 && t.b.len > 0) best = cwi_alloc_array(2 * t.a.len, sizeof(int64_t));
  if (t.a.len > 0 && t.b.len > 0 && best == NULL)
    status = CWI_RAISE_NOMEM(err, "comparing strings");
  for (size_t k = 0; best != NULL && k < t.b.len; k++) {
    int64_t *last = best + (k % 2 == 0 ? t.a.len : 0);
    int64_t *now = best + (k % 2 == 0 ? 0 : t.a.len);
    score = INT64_MIN / 4;
    for (size_t i = 0; i < t.a.len; i++) {
      now[i] = INT64_MIN / 4;
      if (t.a.at[i] != t.b.at[k]) continue;
      if (k == 0) now[i] = MATCH + (i == 0 ? HEAD : 0);
      for (size_t j = 0; k > 0 && j < i; j++) {
        int64_t step = i == j + 1 ? NEIGHBOUR : -(GAP + GAP_MORE * (int64_t)(i - j - 1));
        if (last[j] + MATCH + step > now[i]) now[i] = last[j] + MATCH + step;
      }
      if (now[i] > score) score = now[i];
    }
  }
  if (best != NULL) cwi_free(best, 2 * t.a.len * sizeof(int64_t));
  free_texts(&t);
  *out = cwi_value_int(score > 0 ? score : 0);
  return status;
}

/* ---- HTML ---- */

FN(html_encode) {
  FN_UNUSED;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t i = 0; i < cwi_fn_size(args[0]); i++) {
    unsigned char c = (unsigned char)cwi_fn_chars(args[0])[i];
    switch (c) {
    case '<': (void)cwi_buf_append_str(&buf, "&lt;"); break;
    case '>': (void)cwi_buf_append_str(&buf, "&gt;"); break;
    case '&': (void)cwi_buf_append_str(&buf, "&amp;"); break;
    case '"': (void)cwi_buf_append_str(&buf, "&quot;"); break;
    case '\'':
    case '/':
    case '`':
    case '=':
    case ' ':
    case '\t':
    case '\n':
    case '\f':
    case '\r': (void)cwi_buf_append_format(&buf, "&#%u;", c); break;
    case '\0': (void)cwi_buf_append_str(&buf, "&#65533;"); break;
    default: (void)cwi_buf_append_char(&buf, (char)c); break;
    }
  }
  return cwi_fn_finish(&buf, out, err);
}

static bool tag_in(const char *name, size_t size, const char *const *list, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (strlen(list[i]) == size && strncasecmp(list[i], name, size) == 0) return true;
  }
  return false;
}

static const char *const safe_tags[] = {
    "a",      "abbr", "b",   "bdi",   "bdo",   "blockquote", "br",    "caption", "center", "cite",
    "code",   "col",  "dd",  "del",   "dfn",   "div",        "dl",    "dt",      "em",     "h1",
    "h2",     "h3",   "h4",  "h5",    "h6",    "hr",         "i",     "ins",     "kbd",    "li",
    "mark",   "ol",   "p",   "pre",   "q",     "s",          "samp",  "small",   "span",   "strike",
    "strong", "sub",  "sup", "table", "tbody", "td",         "tfoot", "th",      "thead",  "tr",
    "tt",     "u",    "ul",  "var",   "wbr"};
static const char *const silent_tags[] = {"script", "style"};

/* Where the element `name`, whose start tag ends before `at`, ends. */
static size_t skip_element(const char *text, size_t size, size_t at, const char *name,
                           size_t name_size) {
  for (; at + name_size + 2 <= size; at++) {
    if (text[at] != '<' || text[at + 1] != '/' || strncasecmp(text + at + 2, name, name_size) != 0)
      continue;
    const char *close = memchr(text + at, '>', size - at);
    return close == NULL ? size : (size_t)(close - text) + 1;
  }
  return size;
}

/* Keeps tags of a list without attributes, and text; drops scripts and styles with what is in
 * them. */
FN(html_sanitize) {
  FN_UNUSED;
  const char *text = cwi_fn_chars(args[0]);
  size_t size = cwi_fn_size(args[0]);
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t at = 0; at < size;) {
    bool closing = at + 1 < size && text[at + 1] == '/';
    size_t name = at + (closing ? 2 : 1);
    size_t end = name;
    while (end < size && isalnum((unsigned char)text[end])) end++;
    if (text[at] != '<' || (end == name && text[name] != '!')) {
      (void)(text[at] == '<' ? cwi_buf_append_str(&buf, "&lt;")
                             : cwi_buf_append_char(&buf, text[at]));
      at++;
      continue;
    }
    const char *close = memchr(text + at, '>', size - at);
    size_t behind = close == NULL ? size : (size_t)(close - text) + 1;
    if (!closing && tag_in(text + name, end - name, silent_tags, CWI_ARRAY_LEN(silent_tags))) {
      behind = skip_element(text, size, behind, text + name, end - name);
    } else if (tag_in(text + name, end - name, safe_tags, CWI_ARRAY_LEN(safe_tags))) {
      (void)cwi_buf_append(&buf, text + at, end - at);
      (void)cwi_buf_append_char(&buf, '>');
    }
    at = behind;
  }
  return cwi_fn_finish(&buf, out, err);
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"string::distance::damerau_levenshtein", "ss", distance_damerau, P, "Edits and swaps."},
    {"string::distance::hamming", "ss", distance_hamming, P, "How many characters differ."},
    {"string::distance::levenshtein", "ss", distance_levenshtein, P, "Edits."},
    {"string::distance::normalized_damerau_levenshtein", "ss", normalized_damerau, P,
     "From 0 to 1."},
    {"string::distance::normalized_levenshtein", "ss", normalized_levenshtein, P, "From 0 to 1."},
    {"string::distance::osa", "ss", distance_osa, P, "Edits and swaps of neighbours."},
    {"string::html::encode", "s", html_encode, P, "As text in HTML."},
    {"string::html::sanitize", "s", html_sanitize, P, "HTML without what is dangerous."},
    {"string::similarity::fuzzy", "ss", similarity_fuzzy, P, "The score of a fuzzy match."},
    {"string::similarity::jaro", "ss", similarity_jaro, P, "From 0 to 1."},
    {"string::similarity::jaro_winkler", "ss", similarity_jaro_winkler, P, "From 0 to 1."},
    {"string::similarity::smithwaterman", "ss", similarity_fuzzy, P,
     "The score of the best alignment."},
    {"string::similarity::sorensen_dice", "ss", similarity_sorensen, P, "From 0 to 1."},
};
FN_LIST(cwi_db_fns_string_more, "string::", rows);
