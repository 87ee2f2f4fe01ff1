/* SPDX-License-Identifier: MIT */
/* What all tokenizers share: the vocabulary, special tokens, and the way back to text.
 *
 * Special tokens are sought in the text before it is tokenised: longer ones first, over the whole
 * text, and among equals from the left. Instead of one pass for each token, one pass collects all
 * occurrences; they are then taken in that order where nothing that was taken is in the way. Tokens
 * that users define are found always, control tokens only where the caller asks for them, so that
 * text from outside cannot pose as markup. */
#include "llm/tokenizer.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/size.h"
#include "llm/tokenizer_internal.h"

#define TOKENIZER_TEXT_BYTES_MAX ((size_t)1 << 28)
#define VOCAB_LEN_MAX (1U << 22)

bool cwi_tokens_push(cwi_tokens *tokens, int32_t id) {
  if (tokens->len == tokens->cap) {
    const size_t cap = cwi_size_grow(tokens->cap, tokens->len + 32);
    void *ids = cwi_realloc(tokens->ids, tokens->cap * sizeof(int32_t), cap * sizeof(int32_t));
    if (ids == NULL) return false;
    tokens->ids = ids;
    tokens->cap = cap;
  }
  tokens->ids[tokens->len++] = id;
  return true;
}

void cwi_tokens_deinit(cwi_tokens *tokens) {
  cwi_free(tokens->ids, tokens->cap * sizeof(int32_t));
  *tokens = (cwi_tokens){0};
}

/* ---- the table of symbols ---- */

static uint32_t hash_key(const uint8_t *key, size_t size) {
  uint64_t hash = 0x9E3779B97F4A7C15ULL ^ size;
  while (size >= 8) {
    uint64_t word = 0;
    memcpy(&word, key, 8);
    hash = (hash ^ word) * 0xD6E8FEB86659FD93ULL;
    hash ^= hash >> 32;
    key += 8;
    size -= 8;
  }
  uint64_t rest = 0;
  if (size > 0) memcpy(&rest, key, size);
  hash = (hash ^ rest) * 0xD6E8FEB86659FD93ULL;
  return (uint32_t)(hash ^ hash >> 32);
}

/* The slot of a key, or the free one where it belongs. */
static uint32_t *find_slot(const cwi_tokenizer *t, const void *key, size_t size) {
  for (uint32_t i = hash_key(key, size) & t->slot_mask;; i = (i + 1) & t->slot_mask) {
    uint32_t *slot = &t->slots[i];
    if (*slot == 0) return slot;
    const cw_bytes *other = &t->keys[*slot - 1];
    if (other->size == size && memcmp(other->data, key, size) == 0) return slot;
  }
}

uint32_t cwi_tokenizer_lookup(const cwi_tokenizer *t, const void *key, size_t size) {
  if (size == 0) return UINT32_MAX;
  return *find_slot(t, key, size) - 1;
}

bool cwi_tokenizer_intern(cwi_tokenizer *t, cw_bytes key, uint32_t *symbol) {
  uint32_t *slot = find_slot(t, key.data, key.size);
  if (*slot == 0) {
    if (t->symbols > t->slot_mask / 4 * 3) return false; /* sized for all merges: not reached */
    t->keys[t->symbols] = key;
    *slot = ++t->symbols;
  }
  *symbol = *slot - 1;
  return true;
}

static bool make_table(cwi_tokenizer *t) {
  for (uint32_t i = 0; i < t->len; i++) {
    const cw_bytes *key = &t->keys[i];
    if (key->size > 0) *find_slot(t, key->data, key->size) = i + 1; /* of equals the last */
  }
  t->symbols = t->len;
  return true;
}

/* ---- loading ---- */

static bool is_end_text(cw_bytes text) {
  static const char *const names[] = {
      "<|eot_id|>",
      "<|im_end|>",
      "<|end|>",
      "<|return|>",
      "<|call|>",
      "<|eom_id|>",
      "<|endoftext|>",
      "<|end_of_text|>",
      "<EOT>",
      "_<EOT>",
      "[EOT]",
      "[EOS]",
      "<end_of_turn>",
      "<turn|>",
      "<end_of_utterance>",
      "<|eot|>",
      "</s>",
      "<\xEF\xBD\x9C\145nd\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
  for (size_t i = 0; i < CWI_ARRAY_LEN(names); i++) {
    if (strlen(names[i]) == text.size && memcmp(names[i], text.data, text.size) == 0) return true;
  }
  return false;
}

static cw_status load_tokens(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  const cwi_gguf_kv *texts = cwi_gguf_find(gguf, "tokenizer.ggml.tokens");
  const cwi_gguf_kv *scores = cwi_gguf_find(gguf, "tokenizer.ggml.scores");
  const cwi_gguf_kv *types = cwi_gguf_find(gguf, "tokenizer.ggml.token_type");
  const cwi_gguf_kv *merges = cwi_gguf_find(gguf, "tokenizer.ggml.merges");
  if (texts == NULL || texts->element != CWI_GGUF_STRING || texts->len == 0 ||
      texts->len > VOCAB_LEN_MAX || (merges != NULL && merges->len > VOCAB_LEN_MAX)) {
    return CWI_RAISE(err, CW_E_MODEL, 0, "tokenizer.ggml.tokens is missing or not usable");
  }
  t->len = (uint32_t)texts->len;
  const size_t symbols = t->len + (merges == NULL ? 0 : (size_t)merges->len * 3);
  size_t slots = 256;
  while (slots < symbols * 2) slots *= 2;
  t->tokens = cwi_arena_alloc_array(&t->arena, t->len, sizeof(cwi_token));
  t->keys = cwi_arena_alloc_array(&t->arena, symbols, sizeof(cw_bytes));
  t->slots = cwi_arena_alloc_array(&t->arena, slots, sizeof(uint32_t));
  if (t->tokens == NULL || t->keys == NULL || t->slots == NULL) {
    return CWI_RAISE_NOMEM(err, "a vocabulary");
  }
  t->slot_mask = (uint32_t)slots - 1;
  size_t offset = 0;
  cw_bytes text = {0};
  for (uint32_t i = 0; i < t->len && cwi_gguf_next_string(texts, &offset, &text); i++) {
    cwi_token *token = &t->tokens[i];
    char *copy = cwi_arena_strndup(&t->arena, text.data, text.size);
    if (copy == NULL) return CWI_RAISE_NOMEM(err, "a vocabulary");
    token->text = (cw_bytes){copy, text.size};
    t->keys[i] = token->text;
    double score = 0;
    int64_t type = CWI_TOKEN_NORMAL;
    if (scores != NULL) (void)cwi_gguf_at_f64(scores, i, &score);
    if (types != NULL) (void)cwi_gguf_at_i64(types, i, &type);
    token->score = (float)score;
    token->type = (uint8_t)(type < 1 || type > 6 ? CWI_TOKEN_NORMAL : type);
    token->end = is_end_text(text);
    if (token->end) token->type = CWI_TOKEN_CONTROL;
  }
  return CW_OK;
}

static void read_id(const cwi_tokenizer *t, const cwi_gguf *gguf, const char *key, int32_t *id) {
  uint32_t value = 0;
  if (cwi_gguf_get_u32(gguf, key, &value)) *id = value < t->len ? (int32_t)value : CWI_TOKEN_NONE;
  if (*id >= (int32_t)t->len) *id = CWI_TOKEN_NONE;
}

static void read_settings(cwi_tokenizer *t, const cwi_gguf *gguf) {
  int32_t other = CWI_TOKEN_NONE;
  const bool spm = t->kind == CWI_TOKENIZER_SPM;
  t->bos = spm ? 1 : 11;
  t->eos = spm ? 2 : 11;
  t->unk = spm ? 0 : CWI_TOKEN_NONE;
  read_id(t, gguf, "tokenizer.ggml.bos_token_id", &t->bos);
  read_id(t, gguf, "tokenizer.ggml.eos_token_id", &t->eos);
  read_id(t, gguf, "tokenizer.ggml.unknown_token_id", &t->unk);
  (void)cwi_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &t->add_bos);
  (void)cwi_gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &t->add_eos);
  (void)cwi_gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &t->add_space);
  if (t->eos >= 0) t->tokens[t->eos].end = true;
  static const char *const ends[] = {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
  for (size_t i = 0; i < 2; i++) {
    other = CWI_TOKEN_NONE;
    read_id(t, gguf, ends[i], &other);
    if (other >= 0) t->tokens[other].end = true;
  }
}

static bool is_special(const cwi_token *token) {
  return (token->type == CWI_TOKEN_CONTROL || token->type == CWI_TOKEN_USER ||
          token->type == CWI_TOKEN_UNKNOWN) &&
         token->text.size > 0;
}

/* Phi-3's tokens but these take the white space behind them; its files say so by name alone. */
static cw_status apply_phi3(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  static const char *const plain[] = {"<unk>", "<s>", "<|endoftext|>"};
  cw_bytes name = {0};
  char lower[256];
  if (!cwi_gguf_get_string(gguf, "general.name", &name)) return CW_OK;
  const size_t size = cwi_size_min(name.size, sizeof(lower) - 1);
  for (size_t i = 0; i < size; i++) {
    const char c = ((const char *)name.data)[i];
    lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
  }
  lower[size] = 0;
  if (strstr(lower, "phi3") == NULL && strstr(lower, "phi-3") == NULL) return CW_OK;
  for (uint32_t i = 0; i < t->len; i++) t->tokens[i].strip_right = is_special(&t->tokens[i]);
  const int32_t end = cwi_tokenizer_find(t, "</s>");
  if (end < 0) return CWI_RAISE(err, CW_E_MODEL, 0, "a phi-3 vocabulary lacks '</s>'");
  t->tokens[end].strip_right = true;
  for (size_t i = 0; i < CWI_ARRAY_LEN(plain); i++) {
    const int32_t id = cwi_tokenizer_find(t, plain[i]);
    if (id < 0) return CWI_RAISE(err, CW_E_MODEL, 0, "a phi-3 vocabulary lacks '%s'", plain[i]);
    t->tokens[id].strip_right = false;
  }
  return CW_OK;
}

/* Sorts by length, longest first; lengths are few, so an insertion into runs is enough: shell sort.
 */
static void sort_specials(cwi_tokenizer *t) {
  for (uint32_t gap = t->specials_len / 2; gap > 0; gap /= 2) {
    for (uint32_t i = gap; i < t->specials_len; i++) {
      const int32_t id = t->specials[i];
      const size_t size = t->tokens[id].text.size;
      uint32_t k = i;
      while (k >= gap) {
        const int32_t other = t->specials[k - gap];
        const size_t other_size = t->tokens[other].text.size;
        if (other_size > size || (other_size == size && other < id)) break;
        t->specials[k] = other;
        k -= gap;
      }
      t->specials[k] = id;
    }
  }
}

static cw_status collect_specials(cwi_tokenizer *t, cw_error *err) {
  t->specials = cwi_arena_alloc_array(&t->arena, t->len, sizeof(int32_t));
  if (t->specials == NULL) return CWI_RAISE_NOMEM(err, "a vocabulary");
  for (uint32_t i = 0; i < t->len; i++) {
    if (!is_special(&t->tokens[i])) continue;
    t->specials[t->specials_len++] = (int32_t)i;
    t->special_start[*(const uint8_t *)t->tokens[i].text.data] = true;
  }
  sort_specials(t);
  return CW_OK;
}

static cw_status load(cwi_tokenizer *t, const cwi_gguf *gguf, cw_error *err) {
  cw_status status = CW_OK;
  cw_bytes model = {"", 0};
  (void)cwi_gguf_get_string(gguf, "tokenizer.ggml.model", &model);
  if (model.size == 5 && memcmp(model.data, "llama", 5) == 0) {
    t->kind = CWI_TOKENIZER_SPM;
    t->add_bos = true;
    t->add_space = true;
  } else if (model.size == 4 && memcmp(model.data, "gpt2", 4) == 0) {
    t->kind = CWI_TOKENIZER_BPE;
  } else {
    return CWI_RAISE(err, CW_E_MODEL, 0, "the tokenizer '%.*s' is not known; llama and gpt2 are",
                     (int)cwi_size_min(model.size, 64), (const char *)model.data);
  }
  CWI_TRY(load_tokens(t, gguf, err));
  if (t->kind == CWI_TOKENIZER_BPE) CWI_TRY(cwi_tokenizer_bpe_load(t, gguf, err));
  (void)make_table(t);
  CWI_TRY(t->kind == CWI_TOKENIZER_BPE ? cwi_tokenizer_bpe_finish(t, gguf, err)
                                       : cwi_tokenizer_spm_load(t, gguf, err));
  read_settings(t, gguf);
  CWI_TRY(apply_phi3(t, gguf, err));
  CWI_TRY(collect_specials(t, err));

out:
  return status;
}

cw_status cwi_tokenizer_new(const cwi_gguf *gguf, cwi_tokenizer **out, cw_error *err) {
  CWI_ASSERT(gguf != NULL);
  *out = NULL;
  cwi_tokenizer *t = CWI_NEW(cwi_tokenizer);
  if (t == NULL) return CWI_RAISE_NOMEM(err, "a tokenizer");
  cwi_arena_init(&t->arena, 0);
  const cw_status status = load(t, gguf, err);
  if (status == CW_OK) {
    *out = t;
  } else {
    cwi_tokenizer_free(t);
  }
  return status;
}

void cwi_tokenizer_free(cwi_tokenizer *t) {
  if (t == NULL) return;
  cwi_arena_deinit(&t->arena);
  CWI_FREE(t);
}

/* ---- special tokens in text ---- */

/* Text [start, end) is token `id`; [end, next) is white space that it takes. */
typedef struct match {
  size_t start, end, next;
  uint32_t rank; /* among the special tokens */
} match;

typedef struct matches {
  match *list;
  size_t len, cap;
} matches;

static bool push_match(matches *m, match found) {
  if (m->len == m->cap) {
    const size_t cap = cwi_size_grow(m->cap, m->len + 1);
    void *list = cwi_realloc(m->list, m->cap * sizeof(match), cap * sizeof(match));
    if (list == NULL) return false;
    m->list = list;
    m->cap = cap;
  }
  m->list[m->len++] = found;
  return true;
}

static bool is_sought(const cwi_tokenizer *t, int32_t id, unsigned flags) {
  return t->tokens[id].type == CWI_TOKEN_USER || (flags & CWI_TOKENIZER_PARSE) != 0;
}

/* Collects all occurrences, in the order of the text. */
static bool find_specials(const cwi_tokenizer *t, const char *text, size_t size, unsigned flags,
                          matches *out) {
  for (size_t i = 0; i < size; i++) {
    if (!t->special_start[(uint8_t)text[i]]) continue;
    for (uint32_t rank = 0; rank < t->specials_len; rank++) {
      const int32_t id = t->specials[rank];
      const cw_bytes *key = &t->tokens[id].text;
      if (key->size > size - i || !is_sought(t, id, flags)) continue;
      if (*(const char *)key->data != text[i] || memcmp(key->data, text + i, key->size) != 0) {
        continue;
      }
      if (!push_match(out, (match){i, i + key->size, i + key->size, rank})) return false;
    }
  }
  return true;
}

static int by_rank(const match *a, const match *b) {
  if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
  return a->start < b->start ? -1 : a->start > b->start;
}

static int by_start(const match *a, const match *b) {
  return a->start < b->start ? -1 : a->start > b->start;
}

/* Heap sort: in place and never slow. */
static void sort_matches(match *list, size_t len, int (*compare)(const match *, const match *)) {
  for (size_t phase = 0; phase < 2; phase++) {
    for (size_t k = phase == 0 ? len / 2 : len; k-- > (phase == 0 ? 0 : 1);) {
      size_t root = k;
      size_t end = len;
      if (phase == 1) {
        const match swap = list[0];
        list[0] = list[k];
        list[k] = swap;
        root = 0;
        end = k;
      }
      for (size_t child; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && compare(&list[child], &list[child + 1]) < 0) child++;
        if (compare(&list[root], &list[child]) >= 0) break;
        const match swap = list[root];
        list[root] = list[child];
        list[child] = swap;
      }
    }
  }
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Takes matches in order of rank; `taken` holds one mark a byte of text. What remains is sorted. */
static bool choose(const cwi_tokenizer *t, const char *text, size_t size, matches *m) {
  bool *taken = cwi_alloc_zero(size);
  if (taken == NULL) return false;
  sort_matches(m->list, m->len, by_rank);
  size_t kept = 0;
  for (size_t i = 0; i < m->len; i++) {
    match found = m->list[i];
    bool free = true;
    for (size_t k = found.start; free && k < found.end; k++) free = !taken[k];
    if (!free) continue;
    if (t->tokens[t->specials[found.rank]].strip_right) {
      while (found.next < size && !taken[found.next] && is_blank(text[found.next])) found.next++;
    }
    memset(taken + found.start, 1, found.next - found.start);
    m->list[kept++] = found;
  }
  m->len = kept;
  cwi_free(taken, size);
  sort_matches(m->list, m->len, by_start);
  return true;
}

/* ---- encode ---- */

static cw_status encode_text(cwi_merger *m, const char *text, size_t size, bool after_special,
                             cwi_tokens *out, cw_error *err) {
  const cwi_tokenizer *t = m->tokenizer;
  if (size == 0) return CW_OK;
  if (t->kind == CWI_TOKENIZER_BPE) return cwi_tokenizer_bpe_encode(m, text, size, out, err);
  return cwi_tokenizer_spm_encode(m, text, size, t->add_space && after_special, out, err);
}

static cw_status encode_parts(cwi_merger *m, const char *text, size_t size, unsigned flags,
                              const matches *found, cwi_tokens *out, cw_error *err) {
  cw_status status = CW_OK;
  const cwi_tokenizer *t = m->tokenizer;
  bool ok = true;
  size_t at = 0;
  if ((flags & CWI_TOKENIZER_ADD) != 0 && t->add_bos && t->bos >= 0) {
    ok = cwi_tokens_push(out, t->bos);
  }
  for (size_t i = 0; ok && i < found->len; i++) {
    const match *next = &found->list[i];
    CWI_TRY(encode_text(m, text + at, next->start - at, true, out, err));
    ok = cwi_tokens_push(out, t->specials[next->rank]);
    at = next->next;
  }
  if (ok) CWI_TRY(encode_text(m, text + at, size - at, true, out, err));
  if (ok && (flags & CWI_TOKENIZER_ADD) != 0 && t->add_eos && t->eos >= 0) {
    ok = cwi_tokens_push(out, t->eos);
  }
  if (!ok) status = CWI_RAISE_NOMEM(err, "tokens");

out:
  return status;
}

cw_status cwi_tokenizer_encode(const cwi_tokenizer *t, const void *text, size_t size,
                               unsigned flags, cwi_tokens *out, cw_error *err) {
  CWI_ASSERT(t != NULL && out != NULL);
  cw_status status = CW_OK;
  const size_t len = out->len;
  matches found = {0};
  cwi_merger merger = {.tokenizer = t};
  if (size > TOKENIZER_TEXT_BYTES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a text of %zu bytes is longer than %zu", size,
                     TOKENIZER_TEXT_BYTES_MAX);
  }
  if (!find_specials(t, text, size, flags, &found) ||
      (found.len > 0 && !choose(t, text, size, &found))) {
    status = CWI_RAISE_NOMEM(err, "special tokens");
    goto out;
  }
  CWI_TRY(encode_parts(&merger, text, size, flags, &found, out, err));

out:
  if (status != CW_OK) out->len = len;
  cwi_merger_deinit(&merger);
  cwi_free(found.list, found.cap * sizeof(match));
  return status;
}

/* ---- decode ---- */

/* Whether the space at `i` goes: it stands before punctuation, or before the end of a contraction.
 */
static bool is_space_before(const char *s, size_t len, size_t i) {
  const char a = i + 1 < len ? s[i + 1] : 0;
  const char b = i + 2 < len ? s[i + 2] : 0;
  const char c = i + 3 < len ? s[i + 3] : 0;
  if (a == '?' || a == '!' || a == '.' || a == ',') return true;
  if (a != '\'') return false;
  return b == ' ' || b == 's' || b == 'm' || (c == 'e' && (b == 'r' || b == 'v'));
}

/* Some vocabularies were used with texts whose punctuation had been set apart by spaces. */
static void clean(cwi_buf *out, size_t from) {
  char *s = out->data + from;
  const size_t len = out->size - from;
  size_t kept = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] == ' ' && i > 0 && is_space_before(s, len, i)) continue;
    const bool lone = s[i] == '\'' && i > 0 && s[i - 1] == ' ' && i + 1 < len && s[i + 1] == ' ';
    s[kept++] = s[i];
    if (lone) i++;
  }
  out->size = from + kept;
}

cw_status cwi_tokenizer_decode(const cwi_tokenizer *t, const int32_t *ids, size_t len,
                               unsigned flags, cwi_buf *out, cw_error *err) {
  CWI_ASSERT(t != NULL && out != NULL);
  const size_t from = out->size;
  bool strip = t->add_space; /* the space that encoding put in front */
  if ((flags & CWI_TOKENIZER_REMOVE) != 0) {
    if (t->add_bos && len > 0 && ids[0] == t->bos) {
      strip = false;
      ids++;
      len--;
    }
    if (t->add_eos && len > 0 && ids[len - 1] == t->eos) len--;
  }
  for (size_t i = 0; i < len; i++) {
    cw_bytes piece = cwi_tokenizer_piece(t, ids[i]);
    const char *bytes = piece.data;
    const bool hidden = (flags & CWI_TOKENIZER_UNPARSE) == 0 && cwi_tokenizer_is_control(t, ids[i]);
    if (!hidden && piece.size > 0) {
      const size_t skip = strip && bytes[0] == ' ' ? 1 : 0;
      (void)cwi_buf_append(out, bytes + skip, piece.size - skip);
    }
    strip = false;
  }
  if (t->split.clean && out->size > from) clean(out, from);
  return out->failed ? CWI_RAISE_NOMEM(err, "the text of tokens") : CW_OK;
}

/* ---- what is asked of a vocabulary ---- */

static bool is_id(const cwi_tokenizer *t, int32_t id) { return id >= 0 && (uint32_t)id < t->len; }

cw_bytes cwi_tokenizer_piece(const cwi_tokenizer *t, int32_t id) {
  return is_id(t, id) ? t->tokens[id].piece : (cw_bytes){NULL, 0};
}

bool cwi_tokenizer_is_control(const cwi_tokenizer *t, int32_t id) {
  return is_id(t, id) &&
         (t->tokens[id].type == CWI_TOKEN_CONTROL || t->tokens[id].type == CWI_TOKEN_UNKNOWN);
}

bool cwi_tokenizer_is_end(const cwi_tokenizer *t, int32_t id) {
  return is_id(t, id) && t->tokens[id].end;
}

int32_t cwi_tokenizer_find(const cwi_tokenizer *t, const char *text) {
  const size_t size = strlen(text);
  const uint32_t id = cwi_tokenizer_lookup(t, text, size);
  return id < t->len ? (int32_t)id : CWI_TOKEN_NONE;
}

uint32_t cwi_tokenizer_len(const cwi_tokenizer *t) { return t->len; }
int32_t cwi_tokenizer_first(const cwi_tokenizer *t) { return t->bos; }
int32_t cwi_tokenizer_last(const cwi_tokenizer *t) { return t->eos; }
bool cwi_tokenizer_adds_first(const cwi_tokenizer *t) { return t->add_bos; }
