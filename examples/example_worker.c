/* SPDX-License-Identifier: MIT */
/* A worker: a thread of its own that keeps a total between commands and answers them in order. */
#include <causeway/causeway.h>
#include <inttypes.h>
#include <stdio.h>

enum { COMMAND_ADD = 1, COMMAND_FAIL = 2 };

static cw_status handle(void *context, int32_t command, cw_value argument, cw_value *reply,
                        cw_error *err) {
  int64_t *total = context; /* only this thread touches it */
  (void)err;
  if (command != COMMAND_ADD) return CW_E_UNSUPPORTED;
  *total += cw_value_as_int(argument);
  *reply = cw_value_int(*total);
  return CW_OK;
}

int main(void) {
  int64_t total = 0;
  cw_worker_options options = CW_WORKER_OPTIONS_INIT;
  options.handle = handle;
  options.context = &total;
  cw_error err;
  cw_worker *worker = cw_worker_new(&options, &err);
  cw_status status = cw_await(cw_worker_start(worker), NULL, &err);
  for (int64_t i = 1; status == CW_OK && i <= 3; i++) {
    cw_value reply;
    status = cw_await(cw_worker_send(worker, COMMAND_ADD, cw_value_int(i)), &reply, &err);
    if (status == CW_OK) printf("total %" PRId64 "\n", cw_value_as_int(reply));
  }
  if (status == CW_OK) {
    cw_status refused = cw_await(cw_worker_send(worker, COMMAND_FAIL, cw_value_none()), NULL, &err);
    printf("an unknown command: %s\n", cw_status_name(refused));
    status = cw_await(cw_worker_close(worker, true), NULL, &err);
  }
  if (status != CW_OK) fprintf(stderr, "%s: %s\n", cw_status_name(status), err.message);
  cw_release(worker);
  return status == CW_OK ? 0 : 1;
}
