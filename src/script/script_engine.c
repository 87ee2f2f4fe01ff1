/* SPDX-License-Identifier: MIT */
/* The engine: limits and switches, the natives that names find, compiling.
 *
 * The standard library is one table for the process, hashed by name once, in static memory. What a
 * host registers belongs to its engine and is found before it. Row numbers are stable: those of the
 * library are below HOST_ROW. */
#include "script/script_engine.h"

#include <string.h>

#include "core/alloc.h"
#include "core/assert.h"

#define STD_ROWS_MAX 4096
#define STD_BUCKETS 1024
#define HOST_ROW 0x10000U

static const cwi_script_row *std_rows[STD_ROWS_MAX];
static uint16_t std_next[STD_ROWS_MAX]; /* number + 1 of the next row of the bucket */
static uint16_t std_heads[STD_BUCKETS];
static uint32_t std_len;
static pthread_once_t std_once = PTHREAD_ONCE_INIT;

static uint32_t hash_name(const char *name) {
  uint32_t hash = 2166136261U;
  for (; *name != '\0'; name++) hash = (hash ^ (uint8_t)*name) * 16777619U;
  return hash & (STD_BUCKETS - 1);
}

static void std_build(void) {
  size_t tables = 0;
  const cwi_script_rows *rows = cwi_script_std(&tables);
  for (size_t t = 0; t < tables; t++) {
    for (size_t i = 0; i < rows[t].len && std_len < STD_ROWS_MAX; i++) {
      uint32_t bucket = hash_name(rows[t].rows[i].name);
      std_rows[std_len] = &rows[t].rows[i];
      std_next[std_len] = std_heads[bucket];
      std_heads[bucket] = (uint16_t)(++std_len);
    }
  }
}

/* How many parameters fit only as ANY; -1: the row does not fit. */
static int row_distance(const cwi_script_row *row, const char *name, const cwi_script_type *types,
                        uint32_t argc) {
  if (row->argc != argc || strcmp(row->name, name) != 0) return -1;
  int distance = 0;
  for (uint32_t i = 0; i < argc; i++) {
    if (row->params[i] == types[i]) continue;
    if (row->params[i] != CWI_SCRIPT_ANY) return -1;
    distance++;
  }
  return distance;
}

const cwi_script_row *cwi_engine_find_row(cwi_script_engine *engine, const char *name,
                                          const cw_value *args, uint32_t argc, uint32_t *index) {
  cwi_script_type types[CWI_SCRIPT_PARAMS_MAX];
  if (argc > CWI_SCRIPT_PARAMS_MAX) return NULL;
  pthread_once(&std_once, std_build);
  for (uint32_t i = 0; i < argc; i++) types[i] = cwi_script_type_of(args[i]);
  const cwi_script_row *best = NULL;
  int best_distance = -1;
  uint32_t best_index = 0;
  if (engine->host_len > 0) {
    pthread_mutex_lock(&engine->lock);
    for (uint32_t i = engine->host_len; i > 0; i--) {
      int distance = row_distance(&engine->hosts[i - 1]->row, name, types, argc);
      if (distance < 0) continue;
      best = &engine->hosts[i - 1]->row;
      best_index = HOST_ROW + i - 1;
      break;
    }
    pthread_mutex_unlock(&engine->lock);
  }
  for (uint32_t at = best == NULL ? std_heads[hash_name(name)] : 0; at != 0;
       at = std_next[at - 1]) {
    int distance = row_distance(std_rows[at - 1], name, types, argc);
    if (distance < 0 || (best != NULL && distance >= best_distance)) continue;
    best = std_rows[at - 1];
    best_distance = distance;
    best_index = at - 1;
  }
  if (index != NULL) *index = best_index;
  return best;
}

const cwi_script_row *cwi_engine_row(cwi_script_engine *engine, uint32_t index) {
  if (index < HOST_ROW) return std_rows[index];
  pthread_mutex_lock(&engine->lock);
  const cwi_script_row *row = &engine->hosts[index - HOST_ROW]->row;
  pthread_mutex_unlock(&engine->lock);
  return row;
}

/* ---- life ---- */

cw_status cwi_engine_new(cwi_script_engine **out, cw_error *err) {
  *out = NULL;
  cwi_script_engine *engine = CWI_NEW(cwi_script_engine);
  if (engine == NULL) return CWI_RAISE_NOMEM(err, "a script engine");
  atomic_init(&engine->refs, 1);
  engine->limits = (cwi_script_limits){.call_levels_max = 64,
                                       .expr_depth_max = 64,
                                       .fn_expr_depth_max = 32,
                                       .variables_max = SIZE_MAX,
                                       .functions_max = SIZE_MAX,
                                       .modules_max = SIZE_MAX};
  engine->allow_eval = true;
  engine->async_timeout_ms = 30000;
  pthread_mutex_init(&engine->lock, NULL);
  cw_status status = cwi_host_defaults(engine, err);
  if (status != CW_OK) {
    cwi_engine_release(engine);
    return status;
  }
  *out = engine;
  return CW_OK;
}

void cwi_engine_release(cwi_script_engine *engine) {
  if (engine == NULL) return;
  if (atomic_fetch_sub_explicit(&engine->refs, 1, memory_order_acq_rel) != 1) return;
  for (uint32_t i = 0; i < engine->host_len; i++) {
    cwi_free(engine->hosts[i]->name, strlen(engine->hosts[i]->name) + 1);
    CWI_FREE(engine->hosts[i]);
  }
  cwi_free(engine->hosts, engine->host_cap * sizeof(*engine->hosts));
  pthread_mutex_destroy(&engine->lock);
  CWI_FREE(engine);
}

cw_status cwi_engine_register(cwi_script_engine *engine, const char *name, uint32_t argc,
                              cwi_script_native_fn fn, void *host_fn, void *context,
                              cw_error *err) {
  if (argc > CWI_SCRIPT_PARAMS_MAX) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a host function has at most %d parameters",
                     CWI_SCRIPT_PARAMS_MAX);
  }
  cwi_engine_host *host = CWI_NEW(cwi_engine_host);
  char *copy = cwi_strndup(name, strlen(name));
  cw_status status = host == NULL || copy == NULL ? CW_E_NOMEM : CW_OK;
  pthread_mutex_lock(&engine->lock);
  if (status == CW_OK && engine->host_len == engine->host_cap) {
    uint32_t cap = engine->host_cap == 0 ? 8 : engine->host_cap * 2;
    void *more = cwi_realloc(engine->hosts, engine->host_cap * sizeof(*engine->hosts),
                             cap * sizeof(*engine->hosts));
    if (more == NULL) {
      status = CW_E_NOMEM;
    } else {
      engine->hosts = more;
      engine->host_cap = cap;
    }
  }
  if (status == CW_OK) {
    host->name = copy;
    host->fn = host_fn;
    host->context = context;
    host->row = (cwi_script_row){.name = copy,
                                 .argc = (uint8_t)argc,
                                 .fn = fn,
                                 .flags = CWI_SCRIPT_RESUMABLE,
                                 .data = (int32_t)engine->host_len};
    engine->hosts[engine->host_len++] = host;
  }
  pthread_mutex_unlock(&engine->lock);
  if (status == CW_OK) return CW_OK;
  if (copy != NULL) cwi_free(copy, strlen(copy) + 1);
  CWI_FREE(host);
  return CWI_RAISE_NOMEM(err, "a host function");
}

cwi_engine_host *cwi_engine_host_of(cwi_script_engine *engine, int32_t number) {
  pthread_mutex_lock(&engine->lock);
  cwi_engine_host *host = engine->hosts[number];
  pthread_mutex_unlock(&engine->lock);
  return host;
}

void cwi_engine_print(cwi_script_run *run, bool debug, const char *text, size_t size,
                      cwi_script_pos pos) {
  const cwi_script_engine *engine = run->engine;
  if (engine->print == NULL) return;
  engine->print(debug, text == NULL ? "" : text, size, cwi_vm_text(run->program->source), pos,
                engine->print_context);
}

/* ---- compiling ---- */

cwi_script_parse_options cwi_engine_parse_options(const cwi_script_engine *engine) {
  cwi_script_parse_options options = engine->parse;
  options.expr_depth_max = engine->limits.expr_depth_max;
  options.fn_expr_depth_max = engine->limits.fn_expr_depth_max;
  options.string_size_max = engine->limits.string_size_max;
  options.array_len_max = engine->limits.array_len_max;
  options.map_len_max = engine->limits.map_len_max;
  options.functions_max = engine->limits.functions_max;
  return options;
}

cw_status cwi_engine_compile(cwi_script_engine *engine, const char *text, size_t size,
                             const char *source, const cwi_script_parse_options *parse,
                             cwi_script_parse_error *parse_error, cwi_script_program **out,
                             cw_error *err) {
  *out = NULL;
  *parse_error = (cwi_script_parse_error){0};
  cwi_script_tree tree;
  cw_status status = CW_OK;
  if (!cwi_script_parse(text, size, parse, &tree)) {
    status = CW_E_PARSE;
    *parse_error = tree.error;
    tree.error.message = (cwi_buf){0};
    if (parse_error->kind == CWI_PARSE_NOMEM) {
      status = CWI_RAISE_NOMEM(err, "a script");
    } else {
      const char *message = cwi_buf_cstr(&parse_error->message);
      CWI_RAISE(err, CW_E_PARSE, 0, "%s", message == NULL ? "" : message);
      if (err != NULL) {
        err->line = (int32_t)cwi_script_pos_line(parse_error->pos);
        err->column = (int32_t)cwi_script_pos_column(parse_error->pos);
      }
    }
  } else {
    cwi_script_compile_options options = {.limits = &engine->limits,
                                          .count_operations = engine->limits.operations_max != 0};
    status = cwi_script_compile(&tree, engine, text, size, source, &options, out, err);
  }
  cwi_script_tree_deinit(&tree);
  return status;
}
