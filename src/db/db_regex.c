/* SPDX-License-Identifier: MIT */
/* Regular expressions over PCRE2, in UTF mode with Unicode properties. Steps are limited, so that a
 * hostile pattern ends with an error and not with the afternoon. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "db/db_regex.h"

#include <pcre2.h>
#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/utf8.h"

#define MATCH_STEPS_MAX 10000000U
#define MATCH_HEAP_KIB_MAX 65536U
#define PATTERN_BYTES_MAX 65536U

/* In front of every block that PCRE2 asks for: its size. */
typedef union block_head {
  size_t size;
  max_align_t align;
} block_head;

struct cwi_db_regex {
  pcre2_code *code;
  pcre2_general_context *memory;
};

static void *regex_alloc(size_t size, void *context) {
  (void)context;
  if (size > SIZE_MAX - sizeof(block_head)) return NULL;
  block_head *head = cwi_alloc(size + sizeof(block_head));
  if (head == NULL) return NULL;
  head->size = size;
  return head + 1;
}

static void regex_release(void *pointer, void *context) {
  (void)context;
  if (pointer == NULL) return;
  block_head *head = (block_head *)pointer - 1;
  cwi_free(head, head->size + sizeof(block_head));
}

cw_status cwi_db_regex_compile(const char *pattern, size_t size, cwi_db_regex **out,
                               cw_error *err) {
  *out = NULL;
  if (size > PATTERN_BYTES_MAX) {
    return CWI_RAISE(err, CW_E_LIMIT, 0, "a regular expression has at most %u bytes",
                     PATTERN_BYTES_MAX);
  }
  cwi_db_regex *regex = CWI_NEW(cwi_db_regex);
  if (regex == NULL) return CWI_RAISE_NOMEM(err, "a regular expression");
  regex->memory = pcre2_general_context_create(regex_alloc, regex_release, NULL);
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_compile_context *options = NULL;
  if (regex->memory != NULL) options = pcre2_compile_context_create(regex->memory);
  if (options != NULL) {
    regex->code =
        pcre2_compile((PCRE2_SPTR)pattern, size, PCRE2_UTF | PCRE2_UCP, &code, &offset, options);
  }
  pcre2_compile_context_free(options);
  if (regex->code != NULL) {
    *out = regex;
    return CW_OK;
  }
  cwi_db_regex_free(regex);
  if (options == NULL || code == PCRE2_ERROR_NOMEMORY || code == 121) {
    return CWI_RAISE_NOMEM(err, "a regular expression");
  }
  PCRE2_UCHAR reason[160];
  (void)pcre2_get_error_message(code, reason, sizeof(reason));
  cw_status status = CWI_RAISE(err, CW_E_PARSE, code, "%s", (const char *)reason);
  if (err != NULL) err->column = (int32_t)offset + 1;
  return status;
}

void cwi_db_regex_free(cwi_db_regex *regex) {
  if (regex == NULL) return;
  pcre2_code_free(regex->code);
  pcre2_general_context_free(regex->memory);
  CWI_FREE(regex);
}

static cw_status run(const cwi_db_regex *regex, const char *text, size_t size, size_t from,
                     pcre2_match_data *data, bool *matches, cw_error *err) {
  pcre2_match_context *limits = pcre2_match_context_create(regex->memory);
  if (limits == NULL) return CWI_RAISE_NOMEM(err, "matching");
  (void)pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
  (void)pcre2_set_heap_limit(limits, MATCH_HEAP_KIB_MAX);
  int rc = pcre2_match(regex->code, (PCRE2_SPTR)(text != NULL ? text : ""), size, from,
                       PCRE2_NO_UTF_CHECK, data, limits);
  pcre2_match_context_free(limits);
  *matches = rc > 0;
  if (rc > 0 || rc == PCRE2_ERROR_NOMATCH) return CW_OK;
  if (rc == PCRE2_ERROR_NOMEMORY) return CWI_RAISE_NOMEM(err, "matching");
  return CWI_RAISE(err, CW_E_LIMIT, rc, "matching a regular expression took too many steps");
}

cw_status cwi_db_regex_find(const cwi_db_regex *regex, const char *text, size_t size, size_t from,
                            size_t *begin, size_t *end, bool *matches, cw_error *err) {
  *matches = false;
  pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, regex->memory);
  if (data == NULL) return CWI_RAISE_NOMEM(err, "matching");
  cw_status status = run(regex, text, size, from, data, matches, err);
  if (status == CW_OK && *matches) {
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(data);
    *begin = span[0];
    *end = span[1] < span[0] ? span[0] : span[1];
  }
  pcre2_match_data_free(data);
  return status;
}

cw_status cwi_db_regex_match(const cwi_db_regex *regex, const char *text, size_t size,
                             bool *matches, cw_error *err) {
  size_t begin;
  size_t end;
  return cwi_db_regex_find(regex, text, size, 0, &begin, &end, matches, err);
}

/* Appends the group that the reference at `with` names; returns the bytes of the reference, 0 where
 * it is none. */
static size_t append_group(const cwi_db_regex *regex, pcre2_match_data *data, const char *text,
                           const char *with, size_t size, cwi_buf *out) {
  size_t at = 1;
  bool braces = at < size && with[at] == '{';
  if (braces) at++;
  char name[33];
  size_t len = 0;
  while (at < size && len < sizeof(name) - 1 &&
         ((with[at] >= '0' && with[at] <= '9') || (with[at] >= 'a' && with[at] <= 'z') ||
          (with[at] >= 'A' && with[at] <= 'Z') || with[at] == '_')) {
    name[len++] = with[at++];
  }
  name[len] = '\0';
  if (len == 0 || (braces && (at >= size || with[at] != '}'))) return 0;
  if (braces) at++;
  uint32_t group = 0;
  bool number = true;
  for (size_t i = 0; i < len; i++) {
    number = number && name[i] >= '0' && name[i] <= '9';
    if (number && group < 100000U) group = group * 10 + (uint32_t)(name[i] - '0');
  }
  if (!number) {
    int found = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
    if (found < 0) return at;
    group = (uint32_t)found;
  }
  if (group >= pcre2_get_ovector_count(data)) return at;
  const PCRE2_SIZE *span = pcre2_get_ovector_pointer(data);
  if (span[2 * group] != PCRE2_UNSET) {
    (void)cwi_buf_append(out, text + span[2 * group], span[2 * group + 1] - span[2 * group]);
  }
  return at;
}

static void append_replacement(const cwi_db_regex *regex, pcre2_match_data *data, const char *text,
                               const char *with, size_t with_size, cwi_buf *out) {
  for (size_t at = 0; at < with_size;) {
    if (with[at] == '$' && at + 1 < with_size && with[at + 1] == '$') {
      (void)cwi_buf_append_char(out, '$');
      at += 2;
      continue;
    }
    size_t used =
        with[at] == '$' ? append_group(regex, data, text, with + at, with_size - at, out) : 0;
    if (used == 0) {
      (void)cwi_buf_append_char(out, with[at]);
      used = 1;
    }
    at += used;
  }
}

cw_status cwi_db_regex_replace(const cwi_db_regex *regex, const char *text, size_t size,
                               const char *with, size_t with_size, cwi_buf *out, cw_error *err) {
  pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex->code, regex->memory);
  if (data == NULL) return CWI_RAISE_NOMEM(err, "matching");
  cw_status status = CW_OK;
  size_t at = 0;
  size_t copied = 0;
  while (at <= size && status == CW_OK) {
    bool matches = false;
    status = run(regex, text, size, at, data, &matches, err);
    if (status != CW_OK || !matches) break;
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(data);
    (void)cwi_buf_append(out, text + copied, span[0] - copied);
    append_replacement(regex, data, text, with, with_size, out);
    copied = span[1];
    at = span[1];
    if (span[1] == span[0]) {
      uint32_t ignored;
      size_t step = at < size ? cwi_utf8_decode(text + at, size - at, &ignored) : 1;
      at += step == 0 ? 1 : step;
    }
  }
  if (status == CW_OK && copied < size) (void)cwi_buf_append(out, text + copied, size - copied);
  pcre2_match_data_free(data);
  if (status == CW_OK && out->failed) status = CWI_RAISE_NOMEM(err, "replaced text");
  return status;
}
