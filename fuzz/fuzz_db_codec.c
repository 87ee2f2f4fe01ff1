/* SPDX-License-Identifier: MIT */
/* Any bytes are a stored value, a key, CBOR, or refused; what is decoded can be encoded again. */
#include "db/db_cbor.h"
#include "db/db_codec.h"
#include "db/db_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode_again(cw_value value) {
  cwi_buf out;
  cwi_buf_init(&out, 1 << 22);
  (void)cwi_db_codec_encode(value, &out, NULL);
  cwi_buf_clear(&out);
  (void)cwi_db_cbor_encode(value, &out, NULL);
  cwi_buf_clear(&out);
  (void)cwi_db_text(&out, value);
  cwi_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cw_bytes bytes = {data, size};
  cw_bytes field;
  bool found;
  cw_value value = cw_value_none();
  if (cwi_db_codec_decode(bytes, &value, NULL) == CW_OK) encode_again(value);
  cw_value_release(&value);
  if (cwi_db_codec_field(bytes, "a", 1, &field, &found, NULL) == CW_OK && found) {
    (void)cwi_db_codec_decode_part(field, &value, NULL);
    cw_value_release(&value);
  }
  if (cwi_db_cbor_decode(bytes, &value, NULL) == CW_OK) encode_again(value);
  cw_value_release(&value);
  if (cwi_db_key_read_record_key(&bytes, &value, NULL) == CW_OK) encode_again(value);
  cw_value_release(&value);
  return 0;
}
