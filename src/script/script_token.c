/* SPDX-License-Identifier: MIT */
/* Names of tokens, reserved words and symbols, and the table of identifiers.
 *
 * A word is looked up in the lists of keywords only when it is first interned; every later
 * occurrence finds the answer in its symbol. */
#include "script/script_token.h"

#include <string.h>

#include "core/assert.h"
#include "script/script_lexer.h"

const cwi_script_token_info cwi_script_tokens[CWI_TOKEN_COUNT] = {
#define TOKEN_INFO(NAME, text, precedence, unary) {text, precedence, unary},
    CWI_SCRIPT_TOKEN_TABLE(TOKEN_INFO)
#undef TOKEN_INFO
};

static const struct {
  const char *text;
  uint8_t how;
} reserved_words[] = {
    {"?", 1},         {"use", 1},    {"case", 1},    {"async", 1},      {"public", 1},
    {"package", 1},   {"super", 1},  {"#", 1},       {"var", 1},        {"protected", 1},
    {"spawn", 1},     {"shared", 1}, {"is", 1},      {"===", 1},        {"sync", 1},
    {"curry", 7},     {"static", 1}, {"default", 1}, {"!==", 1},        {"is_shared", 7},
    {"print", 3},     {"#!", 1},     {"this", 1},    {"is_def_var", 3}, {"thread", 1},
    {"is_def_fn", 3}, {"yield", 1},  {"new", 1},     {"call", 7},       {"match", 1},
    {"~", 1},         {"!.", 1},     {"eval", 3},    {"await", 1},      {":=", 1},
    {"...", 1},       {"null", 1},   {"debug", 3},   {"@", 1},          {"type_of", 7},
    {"with", 1},      {"<-", 1},     {"void", 1},    {"--", 1},         {"nil", 1},
    {"<|", 1},        {"$", 1},      {"->", 1},      {"|>", 1},         {"module", 1},
    {"Fn", 3},        {"::<", 1},    {"++", 1},      {":;", 1},         {"*)", 1},
    {"(*", 1},        {"go", 1},     {"goto", 1},
};

uint8_t cwi_script_reserved(const char *text, size_t size) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(reserved_words); i++) {
    const char *word = reserved_words[i].text;
    if (word[0] == text[0] && strlen(word) == size && memcmp(word, text, size) == 0) {
      return reserved_words[i].how;
    }
  }
  return 0;
}

static uint8_t keyword_of(const char *text, size_t size) {
  if (size == 1) return text[0] == '_' ? CWI_TOKEN_UNDERSCORE : CWI_TOKEN_IDENT;
  if (size > 8) return CWI_TOKEN_IDENT;
  for (int kind = CWI_TOKEN_IN; kind < CWI_TOKEN_COUNT; kind++) {
    const char *word = cwi_script_tokens[kind].text;
    if (word[0] == text[0] && strlen(word) == size && memcmp(word, text, size) == 0) {
      return (uint8_t)kind;
    }
  }
  return CWI_TOKEN_IDENT;
}

static bool syms_grow(cwi_script_syms *syms) {
  uint32_t len = syms->bucket_len == 0 ? 64 : syms->bucket_len * 4;
  cwi_script_sym **buckets = cwi_arena_alloc_array(syms->arena, len, sizeof(cwi_script_sym *));
  if (buckets == NULL) return false;
  for (uint32_t i = 0; i < syms->bucket_len; i++) {
    for (cwi_script_sym *sym = syms->buckets[i], *next; sym != NULL; sym = next) {
      next = sym->next;
      sym->next = buckets[sym->hash & (len - 1)];
      buckets[sym->hash & (len - 1)] = sym;
    }
  }
  syms->buckets = buckets;
  syms->bucket_len = len;
  return true;
}

cwi_script_sym *cwi_script_sym_intern(cwi_script_syms *syms, const char *text, size_t size) {
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (uint8_t)text[i]) * 16777619U;
  if (syms->bucket_len != 0) {
    cwi_script_sym *sym = syms->buckets[hash & (syms->bucket_len - 1)];
    for (; sym != NULL; sym = sym->next) {
      if (sym->hash == hash && sym->size == size && memcmp(sym->text, text, size) == 0) return sym;
    }
  }
  if (syms->len >= syms->bucket_len && !syms_grow(syms)) return NULL;
  cwi_script_sym *sym = CWI_ARENA_NEW(syms->arena, cwi_script_sym);
  char *copy = sym == NULL ? NULL : cwi_arena_strndup(syms->arena, text, size);
  if (copy == NULL) return NULL;
  sym->text = copy;
  sym->size = (uint32_t)size;
  sym->hash = hash;
  sym->index = syms->len++;
  sym->keyword = keyword_of(text, size);
  sym->reserved = sym->keyword == CWI_TOKEN_IDENT ? cwi_script_reserved(text, size) : 0;
  sym->next = syms->buckets[hash & (syms->bucket_len - 1)];
  syms->buckets[hash & (syms->bucket_len - 1)] = sym;
  return sym;
}

bool cwi_script_is_identifier(const char *text, size_t size) {
  if (size == 0) return false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool later = (c >= '0' && c <= '9') || c == '_';
    if (!letter && (i == 0 || !later)) return false;
  }
  return true;
}
