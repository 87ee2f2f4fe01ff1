/* SPDX-License-Identifier: MIT */
/* parse::email::*, parse::url::*. A URL's part is NONE where the text is no URL or lacks the
 * part. */
#include <ctype.h>
#include <stdlib.h>

#include "db/db_fn_internal.h"

typedef struct span {
  const char *at;
  size_t size;
} span;

typedef struct url_parts {
  span scheme, host, port, path, query, fragment;
  bool has_query, has_fragment;
} url_parts;

static bool is_special(span scheme, int *port) {
  static const struct {
    const char *name;
    int port;
  } known[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"ftp", 21}};
  for (size_t i = 0; i < CWI_ARRAY_LEN(known); i++) {
    if (strlen(known[i].name) == scheme.size &&
        memcmp(known[i].name, scheme.at, scheme.size) == 0) {
      *port = known[i].port;
      return true;
    }
  }
  return false;
}

static span until(const char *at, const char *end, const char *stops) {
  const char *stop = at;
  while (stop < end && (*stop == '\0' || strchr(stops, *stop) == NULL)) stop++;
  return (span){at, (size_t)(stop - at)};
}

static void split_authority(span authority, url_parts *out) {
  const char *end = authority.at + authority.size;
  for (const char *c = authority.at; c < end; c++) {
    if (*c == '@') authority = (span){c + 1, (size_t)(end - c - 1)};
  }
  out->host = authority;
  const char *from = authority.at;
  if (authority.size > 0 && *from == '[') {
    const char *close = memchr(from, ']', authority.size);
    if (close != NULL) from = close;
  }
  const char *colon = memchr(from, ':', (size_t)(end - from));
  if (colon != NULL) {
    out->host.size = (size_t)(colon - authority.at);
    out->port = (span){colon + 1, (size_t)(end - colon - 1)};
  }
}

static bool split_url(cw_value string, url_parts *out) {
  const char *at = cwi_fn_chars(string);
  const char *end = at + cwi_fn_size(string);
  *out = (url_parts){0};
  out->scheme = until(at, end, ":/?#");
  if (out->scheme.size == 0 || !isalpha((unsigned char)*at)) return false;
  at += out->scheme.size;
  if (at >= end || *at != ':') return false;
  at++;
  int ignored;
  if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
    span authority = until(at + 2, end, "/?#");
    split_authority(authority, out);
    at = authority.at + authority.size;
  }
  if (out->host.size == 0 && is_special(out->scheme, &ignored)) return false;
  out->path = until(at, end, "?#");
  at += out->path.size;
  if (at < end && *at == '?') {
    out->has_query = true;
    out->query = until(at + 1, end, "#");
    at = out->query.at + out->query.size;
  }
  if (at < end && *at == '#') {
    out->has_fragment = true;
    out->fragment = (span){at + 1, (size_t)(end - at - 1)};
  }
  return true;
}

static cw_status give(bool there, span part, cw_value *out, cw_error *err) {
  return there ? cwi_fn_text(part.at, part.size, out, err) : CW_OK;
}

static bool is_address(span host) {
  if (host.size > 0 && host.at[0] == '[') return true;
  for (size_t i = 0; i < host.size; i++) {
    if (!isdigit((unsigned char)host.at[i]) && host.at[i] != '.') return false;
  }
  return host.size > 0;
}

FN(url_domain) {
  FN_UNUSED;
  url_parts u;
  return give(split_url(args[0], &u) && u.host.size > 0 && !is_address(u.host), u.host, out, err);
}

FN(url_host) {
  FN_UNUSED;
  url_parts u;
  return give(split_url(args[0], &u) && u.host.size > 0, u.host, out, err);
}

FN(url_scheme) {
  FN_UNUSED;
  url_parts u;
  return give(split_url(args[0], &u), u.scheme, out, err);
}

FN(url_path) {
  FN_UNUSED;
  url_parts u;
  int ignored;
  if (!split_url(args[0], &u)) return CW_OK;
  if (u.path.size == 0 && is_special(u.scheme, &ignored)) return cwi_fn_text("/", 1, out, err);
  return cwi_fn_text(u.path.at, u.path.size, out, err);
}

FN(url_query) {
  FN_UNUSED;
  url_parts u;
  return give(split_url(args[0], &u) && u.has_query, u.query, out, err);
}

FN(url_fragment) {
  FN_UNUSED;
  url_parts u;
  return give(split_url(args[0], &u) && u.has_fragment, u.fragment, out, err);
}

FN(url_port) {
  FN_UNUSED;
  url_parts u;
  int64_t port;
  int usual;
  if (!split_url(args[0], &u)) return CW_OK;
  if (u.port.size > 0 && cwi_db_parse_int(u.port.at, u.port.size, &port)) {
    *out = cwi_value_int(port);
  } else if (is_special(u.scheme, &usual)) {
    *out = cwi_value_int(usual);
  }
  return CW_OK;
}

static cw_status email_part(cwi_db_fn_ctx *ctx, cw_value string, bool host, cw_value *out,
                            cw_error *err) {
  cw_value is;
  const char *text = cwi_fn_chars(string);
  size_t size = cwi_fn_size(string);
  cw_status status =
      cwi_db_fn_invoke(ctx, cwi_db_fn_find("string::is_email", 16), &string, 1, &is, err);
  if (status != CW_OK || is.bits == 0) return status;
  const char *at = memchr(text, '@', size);
  size_t user = (size_t)(at - text);
  return host ? cwi_fn_text(at + 1, size - user - 1, out, err) : cwi_fn_text(text, user, out, err);
}

FN(email_host) {
  (void)len;
  return email_part(ctx, args[0], true, out, err);
}

FN(email_user) {
  (void)len;
  return email_part(ctx, args[0], false, out, err);
}

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"parse::email::host", "s", email_host, P, "The host of an e-mail address."},
    {"parse::email::user", "s", email_user, P, "The user of an e-mail address."},
    {"parse::url::domain", "s", url_domain, P, "The domain of a URL."},
    {"parse::url::fragment", "s", url_fragment, P, "The fragment of a URL."},
    {"parse::url::host", "s", url_host, P, "The host of a URL."},
    {"parse::url::path", "s", url_path, P, "The path of a URL."},
    {"parse::url::port", "s", url_port, P, "The port of a URL, or its scheme's."},
    {"parse::url::query", "s", url_query, P, "The query of a URL."},
    {"parse::url::scheme", "s", url_scheme, P, "The scheme of a URL."},
};
FN_LIST(cwi_db_fns_parse, "parse::", rows);
