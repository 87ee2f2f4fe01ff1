/* SPDX-License-Identifier: MIT */
/* The engine inside: limits, switches, registered natives, hooks. */
#ifndef SCRIPT_ENGINE_H
#define SCRIPT_ENGINE_H

#include <pthread.h>

#include "script/script_parser.h"
#include "script/script_program.h"
#include "script/script_run.h"

typedef void (*cwi_engine_print_fn)(bool debug, const char *text, size_t size, const char *source,
                                    cwi_script_pos pos, void *context);
/* Finds the text of a module: CW_OK with *text from cwi_alloc (freed with size + 1). */
typedef cw_status (*cwi_engine_resolve_fn)(const char *path, char **text, size_t *size,
                                           void *context);

typedef struct cwi_engine_host {
  cwi_script_row row; /* `data` is its number */
  void *fn;
  void *context;
  char *name;
  struct cwi_engine_host *next;
} cwi_engine_host;

typedef struct cwi_script_engine {
  _Atomic uint32_t refs;
  cwi_script_limits limits;
  cwi_script_parse_options parse; /* switches; limits are filled in from `limits` */
  bool fail_on_invalid_property;
  bool allow_eval;
  uint64_t async_timeout_ms; /* for each asynchronous call; 0: none */
  cwi_engine_print_fn print;
  void *print_context;
  cwi_engine_resolve_fn resolve;
  void *resolve_context;
  pthread_mutex_t lock; /* guards hosts, host_len */
  cwi_engine_host **hosts;
  uint32_t host_len, host_cap;
} cwi_script_engine;

cw_status cwi_engine_new(cwi_script_engine **out, cw_error *err);
void cwi_engine_release(cwi_script_engine *engine);
/* Adds a native of the host: seen by every script of this engine from now on. */
cw_status cwi_engine_register(cwi_script_engine *engine, const char *name, uint32_t argc,
                              cwi_script_native_fn fn, void *host_fn, void *context, cw_error *err);
/* Natives that suspend: sleep (script_host.c). */
cw_status cwi_host_defaults(cwi_script_engine *engine, cw_error *err);
/* The native behind every registered function: calls the host's, waits for its future. */
cwi_script_result cwi_host_call(cwi_script_native *call);
cwi_engine_host *cwi_engine_host_of(cwi_script_engine *engine, int32_t number);

/* The best row for these arguments; *index finds it again. NULL: none. */
const cwi_script_row *cwi_engine_find_row(cwi_script_engine *engine, const char *name,
                                          const cw_value *args, uint32_t argc, uint32_t *index);
const cwi_script_row *cwi_engine_row(cwi_script_engine *engine, uint32_t index);
void cwi_engine_print(cwi_script_run *run, bool debug, const char *text, size_t size,
                      cwi_script_pos pos);

/* Parses and compiles; a syntax error lies in *parse_error (deinit its message). */
cw_status cwi_engine_compile(cwi_script_engine *engine, const char *text, size_t size,
                             const char *source, const cwi_script_parse_options *parse,
                             cwi_script_parse_error *parse_error, cwi_script_program **out,
                             cw_error *err);
/* The engine's switches and limits as parse options. */
cwi_script_parse_options cwi_engine_parse_options(const cwi_script_engine *engine);

#endif
