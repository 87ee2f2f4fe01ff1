/* SPDX-License-Identifier: MIT */
/* A producer that waits while its consumer is slow: a stream with room for two values. */
#include <causeway/causeway.h>
#include <inttypes.h>
#include <stdio.h>

static cw_status count_to_five(void *context, cw_value *out, cw_error *err) {
  cw_producer *producer = context;
  (void)out;
  for (int64_t i = 1; i <= 5; i++) {
    /* parks here while the consumer has two values to read */
    cw_status status = cw_await(cw_producer_send(producer, cw_value_int(i)), NULL, err);
    if (status != CW_OK) return status;
  }
  return cw_producer_end(producer);
}

int main(void) {
  cw_producer *producer = NULL;
  cw_error err;
  cw_stream *stream = cw_stream_new(2, &producer, &err);
  if (stream == NULL) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  cw_future *counting = cw_spawn(count_to_five, producer);
  cw_value value;
  cw_status status;
  while ((status = cw_await(cw_stream_next(stream), &value, &err)) == CW_OK) {
    printf("%" PRId64 "\n", cw_value_as_int(value));
    cw_value_release(&value);
  }
  printf("%s\n", cw_status_name(status));
  status = cw_await(counting, NULL, &err);
  cw_release(stream);
  return status == CW_OK ? 0 : 1;
}
