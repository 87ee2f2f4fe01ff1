/* SPDX-License-Identifier: MIT */
/* Functions without a family of their own: count, not, record::, session::, search::, value::
 * ... */
#include "db/db_diff.h"
#include "db/db_fn_internal.h"

extern cwi_db_fn_call *const cwi_fn_rand_plain;

FN(count_items) {
  FN_UNUSED;
  if (len == 0) {
    *out = cwi_value_int(1);
    return CW_OK;
  }
  cw_value list = args[0];
  if (cwi_db_kind_of(list) == CWI_DB_SET) list = cwi_db_set_items(list);
  if (list.kind != CW_VALUE_ARRAY) {
    *out = cwi_value_int(cwi_db_truthy(list) ? 1 : 0);
    return CW_OK;
  }
  int64_t count = 0;
  for (size_t i = 0; i < cw_value_len(list); i++)
    count += cwi_db_truthy(cw_value_array_get(list, i));
  *out = cwi_value_int(count);
  return CW_OK;
}

FN(not_value) {
  FN_UNUSED;
  *out = cwi_value_bool(!cwi_db_truthy(args[0]));
  return CW_OK;
}

FN(rand_plain) { return cwi_fn_rand_plain(ctx, args, len, out, err); }

FN(bytes_len) {
  FN_UNUSED;
  *out = cwi_value_int((int64_t)cw_value_len(args[0]));
  return CW_OK;
}

FN(record_id) {
  FN_UNUSED;
  *out = cwi_value_retain(cwi_db_record_key(args[0]));
  return CW_OK;
}

FN(record_tb) {
  FN_UNUSED;
  *out = cwi_value_retain(cwi_db_record_table(args[0]));
  return CW_OK;
}

static cw_status unavailable(const cwi_db_fn_ctx *ctx, cw_error *err) {
  return CWI_RAISE(err, CW_E_QUERY, 0, "Function '%s' is not available here", ctx->fn->name);
}

FN(record_exists) {
  (void)len;
  if (ctx->host == NULL || ctx->host->record_get == NULL) return unavailable(ctx, err);
  cw_value record;
  cw_status status = ctx->host->record_get(ctx->context, args[0], &record, err);
  if (status != CW_OK) return status;
  *out = cwi_value_bool(record.kind != CW_VALUE_NONE);
  cwi_value_drop(record);
  return CW_OK;
}

FN(record_is_edge) {
  (void)len;
  bool is = false;
  if (ctx->host == NULL || ctx->host->record_is_edge == NULL) return unavailable(ctx, err);
  cw_status status = ctx->host->record_is_edge(ctx->context, args[0], &is, err);
  *out = cwi_value_bool(is);
  return status;
}

FN(table_exists) {
  (void)len;
  bool exists = false;
  if (ctx->host == NULL || ctx->host->table_exists == NULL) return unavailable(ctx, err);
  cw_status status = ctx->host->table_exists(ctx->context, cwi_fn_chars(args[0]),
                                             cwi_fn_size(args[0]), &exists, err);
  *out = cwi_value_bool(exists);
  return status;
}

static cw_status session_part(cwi_db_fn_ctx *ctx, cwi_db_session_part part, cw_value *out,
                              cw_error *err) {
  if (ctx->host == NULL || ctx->host->session == NULL) return unavailable(ctx, err);
  return ctx->host->session(ctx->context, part, out, err);
}

#define SESSION(name, part)                            \
  FN(name) {                                           \
    FN_UNUSED;                                         \
    return session_part(ctx, (part), out, err);        \
  }
SESSION(session_ac, CWI_DB_SESSION_AC)
SESSION(session_db, CWI_DB_SESSION_DB)
SESSION(session_id, CWI_DB_SESSION_ID)
SESSION(session_ip, CWI_DB_SESSION_IP)
SESSION(session_ns, CWI_DB_SESSION_NS)
SESSION(session_origin, CWI_DB_SESSION_ORIGIN)
SESSION(session_rd, CWI_DB_SESSION_RD)
SESSION(session_token, CWI_DB_SESSION_TOKEN)

FN(value_diff) {
  FN_UNUSED;
  return cwi_db_diff(args[0], args[1], out, err);
}

FN(value_patch) {
  FN_UNUSED;
  return cwi_db_patch(args[0], args[1], out, err);
}

FN(value_chain) {
  (void)len;
  return cwi_fn_call(ctx, args[1], args, 1, out, err);
}

#define P CWI_DB_FN_PURE
#define R CWI_DB_FN_READS
#define S CWI_DB_FN_SPECIAL
static const cwi_db_fn rows[] = {
    {"bytes::len", "y", bytes_len, P, "The number of bytes."},
    {"count", "?v", count_items, CWI_DB_FN_PURE | CWI_DB_FN_AGGREGATE,
     "How many items are truthy."},
    {"meta::id", "r", record_id, P, "The key of a record id."},
    {"meta::tb", "r", record_tb, P, "The table of a record id."},
    {"not", "v", not_value, P, "The opposite of its truth."},
    {"rand", "", rand_plain, CWI_DB_FN_RANDOM, "A float from 0 to 1."},
    {"record::exists", "r", record_exists, R, "Whether the record is stored."},
    {"record::id", "r", record_id, P, "The key of a record id."},
    {"record::is_edge", "r", record_is_edge, R, "Whether the record is an edge."},
    {"record::tb", "r", record_tb, P, "The table of a record id."},
    {"record::table", "r", record_tb, P, "The table of a record id."},
    {"schema::table::exists", "s", table_exists, R, "Whether the table is there."},
    {"search::analyze", "ss", NULL, S, "The terms that an analyzer makes of a text."},
    {"search::highlight", "vvv?b", NULL, S, "The text with the matched terms marked."},
    {"search::offsets", "v?b", NULL, S, "Where the matched terms lie."},
    {"search::score", "v", NULL, S, "How well the record matches."},
    {"sequence::nextval", "s", NULL, S, "The next number of a sequence."},
    {"session::ac", "", session_ac, R, "The access method of the session."},
    {"session::db", "", session_db, R, "The database of the session."},
    {"session::id", "", session_id, R, "The id of the session."},
    {"session::ip", "", session_ip, R, "The address of the session."},
    {"session::ns", "", session_ns, R, "The namespace of the session."},
    {"session::origin", "", session_origin, R, "Where the session comes from."},
    {"session::rd", "", session_rd, R, "The record that is signed in."},
    {"session::token", "", session_token, R, "The claims of the session."},
    {"sleep", "u", NULL, S, "Waits."},
    {"value::chain", "vc", value_chain, CWI_DB_FN_CALLS, "What a closure makes of it."},
    {"value::diff", "vv", value_diff, P, "The JSON Patch from one value to another."},
    {"value::patch", "vv", value_patch, P, "The value with a JSON Patch applied."},
};
FN_LIST(cwi_db_fns_misc, "", rows);
