/* SPDX-License-Identifier: MIT */
/* A box around a handle. It may cross threads, as handles may, but is never copied: one owner. */
#include "core/value_handle.h"

#include "core/error.h"
#include "core/value_cbor.h"

typedef struct handle_box {
  cwi_box box;
  void *handle; /* NULL: taken */
} handle_box;

static handle_box *box_of(cw_value value) { return (handle_box *)(void *)cwi_value_box_ptr(value); }

static void handle_deinit(cwi_box *box) { (void)cw_release(((handle_box *)(void *)box)->handle); }

static cw_status handle_clone(const cwi_box *box, cwi_box *copy, cw_error *err) {
  (void)box;
  (void)copy;
  return CWI_RAISE(err, CW_E_UNSUPPORTED, 0, "a handle has one owner and cannot be copied");
}

static bool handle_to_json(const cwi_box *box, cwi_buf *out) {
  uint64_t bits = (uint64_t)(uintptr_t)((const handle_box *)(const void *)box)->handle;
  return cwi_buf_append_format(out, "%llu", (unsigned long long)bits);
}

static bool handle_to_cbor(const cwi_box *box, cwi_buf *out) {
  cwi_cbor_head(out, CWI_CBOR_UINT,
                (uint64_t)(uintptr_t)((const handle_box *)(const void *)box)->handle);
  return true;
}

static const cwi_box_ops HANDLE_OPS = {.name = "handle",
                                       .size = sizeof(handle_box),
                                       .deinit = handle_deinit,
                                       .clone = handle_clone,
                                       .to_json = handle_to_json,
                                       .to_cbor = handle_to_cbor};

cw_status cwi_value_handle(void *handle, cw_value *out, cw_error *err) {
  cw_status status = cwi_value_box(&HANDLE_OPS, out, err);
  if (status == CW_OK) {
    box_of(*out)->handle = handle;
  } else {
    (void)cw_release(handle);
  }
  return status;
}

bool cwi_value_is_handle(cw_value value) { return cwi_value_is_box_of(value, &HANDLE_OPS); }

void *cwi_value_handle_take(cw_value *value) {
  if (!cwi_value_is_handle(*value)) return NULL;
  void *handle = box_of(*value)->handle;
  box_of(*value)->handle = NULL;
  return handle;
}

void *cw_value_take_handle(cw_value *value) {
  if (value == NULL) return NULL;
  void *handle = cwi_value_handle_take(value);
  cw_value_release(value);
  return handle;
}
