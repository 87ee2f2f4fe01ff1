/* SPDX-License-Identifier: MIT */
/* The program around the suites: arguments, files, counts, the report.
 *
 * The report is stable text: one line an area, `AREA name passed/total`, and `TOTAL passed/total`
 * at the end, which tools/conformance compares with the floor. */
#include "conformance/conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

static const conformance_suite *const SUITES[] = {
    &conformance_suite_rhai,
    &conformance_suite_llm,
    &conformance_suite_surrealql,
    &conformance_suite_surrealql_lax,
    &conformance_suite_llm_text,
};

cw_value conformance_get(cw_value object, const char *key) {
  return cw_value_object_get(object, key, strlen(key));
}

const char *conformance_text(cw_value object, const char *key) {
  cw_value v = conformance_get(object, key);
  return v.kind == CW_VALUE_STRING ? cw_value_as_bytes(v).data : NULL;
}

bool conformance_wants(const conformance *c, const char *area, const char *id) {
  if (c->only_area != NULL && strcmp(area, c->only_area) != 0) return false;
  return c->only_id == NULL || strstr(id, c->only_id) != NULL;
}

static conformance_area *find_area(conformance *c, const char *name) {
  for (size_t i = 0; i < c->area_len; i++) {
    if (strcmp(c->areas[i].name, name) == 0) return &c->areas[i];
  }
  CWI_ASSERT(c->area_len < CONFORMANCE_AREAS_MAX);
  conformance_area *area = &c->areas[c->area_len++];
  snprintf(area->name, sizeof(area->name), "%s", name);
  return area;
}

void conformance_count(conformance *c, const char *area, const char *id, bool passed,
                       const char *detail) {
  conformance_area *a = find_area(c, area);
  a->total++;
  if (passed) {
    a->passed++;
    return;
  }
  if (c->failures++ < c->failures_max) printf("FAIL %s\n%s\n", id, detail);
}

static cw_status read_file(const char *path, cwi_buf *out, cw_error *err) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return CWI_RAISE(err, CW_E_NOT_FOUND, 0, "cannot open '%s'", path);
  char block[65536];
  for (;;) {
    size_t got = fread(block, 1, sizeof(block), file);
    if (got == 0) break;
    cwi_buf_append(out, block, got);
  }
  bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) return CWI_RAISE(err, CW_E_IO, 0, "cannot read '%s'", path);
  return out->failed ? CWI_RAISE_NOMEM(err, "a file of vectors") : CW_OK;
}

cw_status conformance_each_line(const char *path,
                                cw_status (*row)(cw_value row, void *context, cw_error *err),
                                void *context, cw_error *err) {
  cwi_buf text;
  cwi_buf_init(&text, 0);
  cw_status status = read_file(path, &text, err);
  const char *at = text.data;
  const char *end = text.data + text.size;
  while (status == CW_OK && at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline != NULL ? newline : end;
    if (stop > at) {
      cw_value value;
      status = conformance_read_json(at, (size_t)(stop - at), &value, err);
      if (status == CW_OK) status = row(value, context, err);
      cw_value_release(&value);
    }
    at = stop + 1;
  }
  cwi_buf_deinit(&text);
  return status;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const conformance_area *)a)->name, ((const conformance_area *)b)->name);
}

static void report(conformance *c) {
  size_t passed = 0;
  size_t total = 0;
  qsort(c->areas, c->area_len, sizeof(c->areas[0]), by_name);
  for (size_t i = 0; i < c->area_len; i++) {
    printf("AREA %s %zu/%zu\n", c->areas[i].name, c->areas[i].passed, c->areas[i].total);
    passed += c->areas[i].passed;
    total += c->areas[i].total;
  }
  printf("TOTAL %zu/%zu\n", passed, total);
  fflush(stdout); /* a leak checker may end the process before it is flushed */
}

static int usage(FILE *out, int code) {
  fprintf(out,
          "Runs recorded vectors and counts what agrees.\n\n"
          "Usage: causeway-conformance SUITE [--failures N] [--area NAME] [--id TEXT] "
          "[path...]\n\nSuites:\n");
  for (size_t i = 0; i < CWI_ARRAY_LEN(SUITES); i++) fprintf(out, "  %s\n", SUITES[i]->name);
  return code;
}

/* Takes the options out of the arguments; returns how many paths are left at their front. */
static int read_options(conformance *c, int argc, char **argv) {
  int paths = 0;
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--failures") == 0 && i + 1 < argc) {
      c->failures_max = strtoul(argv[++i], NULL, 10);
    } else if (strcmp(argv[i], "--area") == 0 && i + 1 < argc) {
      c->only_area = argv[++i];
    } else if (strcmp(argv[i], "--id") == 0 && i + 1 < argc) {
      c->only_id = argv[++i];
    } else {
      argv[paths++] = argv[i];
    }
  }
  return paths;
}

static cw_status run_defaults(const conformance_suite *suite, conformance *c, cw_error *err) {
  const char *folder = getenv("CAUSEWAY_VECTORS");
  if (folder == NULL) folder = CW_VECTORS_DIR;
  cw_status status = CW_OK;
  for (size_t i = 0; suite->paths[i] != NULL && status == CW_OK; i++) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", folder, suite->paths[i]);
    status = suite->run(c, path, err);
  }
  return status;
}

int main(int argc, char **argv) {
  static conformance c;
  cw_error err = {0};
  if (argc < 2) return usage(stderr, 2);
  if (strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
  const conformance_suite *suite = NULL;
  for (size_t i = 0; i < CWI_ARRAY_LEN(SUITES); i++) {
    if (strcmp(SUITES[i]->name, argv[1]) == 0) suite = SUITES[i];
  }
  if (suite == NULL) return usage(stderr, 2);
  int paths = read_options(&c, argc - 2, argv + 2);
  cw_status status = CW_OK;
  if (paths == 0) status = run_defaults(suite, &c, &err);
  for (int i = 0; i < paths && status == CW_OK; i++) status = suite->run(&c, argv[2 + i], &err);
  report(&c);
  if (status != CW_OK) fprintf(stderr, "%s: %s\n", cw_status_name(status), err.message);
  return status == CW_OK ? 0 : 1;
}
