/* SPDX-License-Identifier: MIT */
/* Two tasks at once, a time limit for both, and one path for every failure. */
#include <causeway/causeway.h>
#include <inttypes.h>
#include <stdio.h>

/* A task: straight-line C. Waiting in it parks the task and blocks no thread. */
static cw_status square_slowly(void *context, cw_value *out, cw_error *err) {
  const int64_t *number = context;
  cw_status status = cw_await(cw_sleep(20), NULL, err);
  if (status == CW_OK) *out = cw_value_int(*number * *number);
  return status;
}

int main(void) {
  int64_t three = 3;
  int64_t four = 4;
  cw_future *both[] = {cw_spawn(square_slowly, &three), cw_spawn(square_slowly, &four)};
  cw_value squares[2];
  cw_error err;
  if (cw_await_all(both, 2, squares, &err) != CW_OK) {
    fprintf(stderr, "%s: %s\n", cw_status_name(err.code), err.message);
    return 1;
  }
  printf("3*3 + 4*4 = %" PRId64 "\n", cw_value_as_int(squares[0]) + cw_value_as_int(squares[1]));

  cw_status status = cw_await(cw_timeout(cw_sleep(60000), 10), NULL, &err);
  printf("a minute within 10 ms: %s\n", cw_status_name(status));
  return 0;
}
