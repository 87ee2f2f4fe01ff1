/* SPDX-License-Identifier: MIT */
/* encoding::base64::*, encoding::cbor::*. */
#include "db/db_cbor.h"
#include "db/db_fn_internal.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

FN(base64_encode) {
  FN_UNUSED;
  cw_bytes bytes = cw_value_as_bytes(args[0]);
  const uint8_t *data = bytes.data;
  bool pad = len > 1 && args[1].bits != 0;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  for (size_t i = 0; i < bytes.size; i += 3) {
    size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
    uint32_t bits = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                    (n > 2 ? (uint32_t)data[i + 2] : 0);
    for (size_t k = 0; k < 4; k++) {
      if (k <= n) (void)cwi_buf_append_char(&buf, letters[bits >> (18 - 6 * k) & 63]);
      if (k > n && pad) (void)cwi_buf_append_char(&buf, '=');
    }
  }
  return cwi_fn_finish(&buf, out, err);
}

FN(base64_decode) {
  (void)len;
  const char *text = cwi_fn_chars(args[0]);
  size_t size = cwi_fn_size(args[0]);
  cwi_buf buf;
  uint32_t bits = 0;
  int have = 0;
  size_t padded = size;
  cwi_buf_init(&buf, 0);
  while (padded > 0 && size - padded < 2 && text[padded - 1] == '=') padded--;
  bool good = padded % 4 != 1;
  for (size_t i = 0; good && i < padded; i++) {
    const char *place = text[i] == '\0' ? NULL : strchr(letters, text[i]);
    good = place != NULL;
    if (!good) break;
    bits = (bits << 6 | (uint32_t)(place - letters)) & 0xFFFFFF;
    have += 6;
    if (have < 8) continue;
    have -= 8;
    (void)cwi_buf_append_char(&buf, (char)(uint8_t)(bits >> have));
  }
  cw_status status = CW_OK;
  if (!good) {
    status = cwi_db_fn_fail(ctx, err, "invalid base64");
  } else if (buf.failed) {
    status = CWI_RAISE_NOMEM(err, "bytes");
  } else {
    status = cw_value_bytes(buf.data, buf.size, out, err);
  }
  cwi_buf_deinit(&buf);
  return status;
}

FN(cbor_encode) {
  FN_UNUSED;
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  cw_status status = cwi_db_cbor_encode(args[0], &buf, err);
  if (status == CW_OK) status = cw_value_bytes(buf.data, buf.size, out, err);
  cwi_buf_deinit(&buf);
  return status;
}

FN(cbor_decode) {
  (void)len;
  cw_status status = cwi_db_cbor_decode(cw_value_as_bytes(args[0]), out, err);
  return status == CW_E_PARSE ? cwi_db_fn_fail(ctx, err, "invalid cbor") : status;
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"encoding::base64::decode", "s", base64_decode, P, "The bytes of base64."},
    {"encoding::base64::encode", "y?b", base64_encode, P, "Base64, with padding where asked for."},
    {"encoding::cbor::decode", "y", cbor_decode, P, "The value of CBOR."},
    {"encoding::cbor::encode", "v", cbor_encode, P, "As CBOR."},
};
FN_LIST(cwi_db_fns_encoding, "encoding::", rows);
