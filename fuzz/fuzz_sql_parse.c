/* SPDX-License-Identifier: MIT */
/* Any bytes are parsed or refused; what is parsed can be printed. */
#include "db/sql_parse.h"
#include "db/sql_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sql_program *program = NULL;
  cwi_buf text;
  cwi_buf_init(&text, 1 << 20);
  if (cwi_sql_parse((const char *)data, size, NULL, &program, &text, NULL) == CW_OK) {
    cwi_buf_clear(&text);
    for (uint32_t i = 0; i < program->statements.len; i++) {
      cwi_sql_print_expr(&text, program->statements.items[i]);
    }
  }
  cwi_sql_program_release(program);
  cwi_buf_deinit(&text);
  return 0;
}
