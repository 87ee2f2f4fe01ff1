/* SPDX-License-Identifier: MIT */
/* Any text runs, with limits, against a database in memory, and never brings the process down. */
#include "db/db_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  db_engine *engine = NULL;
  db_session *session = NULL;
  cwi_db_results results = {0};
  cwi_db_query_options options = {.timeout_ns = 50000000};
  if (cwi_db_engine_open("mem://", &engine, NULL) == CW_OK &&
      cwi_db_session_new(engine, &session, NULL) == CW_OK &&
      cwi_db_session_use(session, "test", "test", NULL) == CW_OK) {
    cwi_db_query(session, (const char *)data, size, cw_value_none(), &options, &results, NULL);
  }
  cwi_db_results_deinit(&results);
  cwi_db_session_free(session);
  cwi_db_engine_close(engine);
  return 0;
}
