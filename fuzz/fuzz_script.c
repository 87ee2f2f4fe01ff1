/* SPDX-License-Identifier: MIT */
/* Whole programs: lexer, parser, compiler and VM, with every limit on. */
#include <stdint.h>

#include "core/utf8.h"
#include "script/script_engine.h"
#include "script/script_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  cwi_script_engine *engine = NULL;
  cwi_script_program *program = NULL;
  cwi_script_run *run = NULL;
  cwi_script_parse_error error = {0};
  if (!cwi_utf8_is_valid(text, size) || cwi_engine_new(&engine, NULL) != CW_OK) return 0;
  engine->limits.operations_max = 20000;
  engine->limits.string_size_max = 4096;
  engine->limits.array_len_max = 1024;
  engine->limits.map_len_max = 256;
  cwi_script_parse_options options = cwi_engine_parse_options(engine);
  if (cwi_engine_compile(engine, text, size, "", &options, &error, &program, NULL) == CW_OK &&
      cwi_script_run_new(engine, program, &run, NULL) == CW_OK &&
      cwi_script_run_start(run, program->main, NULL, 0)) {
    cwi_script_run_go(run);
  }
  cwi_buf_deinit(&error.message);
  cwi_script_run_free(run);
  cwi_script_program_release(program);
  cwi_engine_release(engine);
  return 0;
}
