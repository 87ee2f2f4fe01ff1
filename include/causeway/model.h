/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Where models come from: downloads that survive anything, and the folder they lie in.
 *
 *   cw_model_options options = CW_MODEL_OPTIONS_INIT;
 *   options.sha256 = "9f86d0...";
 *   cw_stream *pull = cw_model_pull("https://example.org/tiny.gguf", &options, &err);
 *   while (cw_await(cw_stream_next(pull), &event, &err) == CW_OK) { ... }   // CW_E_END: it is
 *   there
 *
 * A download goes to NAME.part and is renamed when it is whole and its sum is right. What has
 * arrived is kept through cancels, crashes, dropped connections and restarts, and is gone on with
 * by Range and
 * If-Range. A lock file lets two processes that pull one model do the work once.
 *
 * The folder is options.folder, else $CAUSEWAY_HOME/models, else $XDG_DATA_HOME/causeway/models,
 * else
 * ~/.local/share/causeway/models. Names are file names; they may not contain '/' or begin with '.'.
 *
 * Ownership: the caller releases futures and streams; their values belong to who takes them. What
 * is passed in is copied.
 * Cancel: stops within a few milliseconds; of a download, what has arrived stays for the next.
 * Errors: CW_E_INVALID a source, name or option; CW_E_NOT_FOUND; CW_E_NO_SPACE before the download
 * where its size is known, or during it; CW_E_CHECKSUM (with both sums; the data was deleted);
 * CW_E_DENIED, CW_E_IO the folder; those of cw_http_request(); CW_E_NOMEM.
 *
 * Thread rule: every function may be called from any thread; none blocks.
 */
#ifndef CAUSEWAY_MODEL_H
#define CAUSEWAY_MODEL_H

#include "causeway/stream.h"

CW_BEGIN_DECLS

typedef struct cw_model_options {
  uint32_t struct_size;
  uint32_t mirror_len;
  const char *const *mirrors; /* further URLs of the same bytes, tried in turn when one fails */
  const char *folder;         /* NULL: the default */
  const char *name;           /* of the file; NULL: the last part of the URL */
  const char *sha256;         /* 64 hex digits that the file must have; NULL: none known */
  uint32_t stall_timeout_ms;  /* no byte for this long counts as a failure */
  uint32_t retries_max;       /* failures in a row without a byte arriving */
  uint32_t retry_delay_ms;    /* before the first retry; doubles */
  uint32_t progress_ms;       /* least time between two progress events */
} cw_model_options;

#define CW_MODEL_OPTIONS_INIT                                                             \
  {                                                                                       \
    .struct_size = sizeof(cw_model_options), .stall_timeout_ms = 30000, .retries_max = 5, \
    .retry_delay_ms = 500, .progress_ms = 100                                             \
  }

/**
 * Downloads `url`, or finds that it is there already.
 *
 * The stream gives objects. Progress: {event: "progress", bytes, total (NONE: not known), rate
 * (bytes a second), eta (seconds, NONE: not known)}; bytes never go back. {event: "retry", message}
 * after a failure that is tried again. Last: {event: "done", path, bytes, sha256, cached}. Then
 * CW_E_END, or the error. A valid file that is there already gives "done" at once, without a
 * request. NULL is returned where the stream cannot be made.
 */
CW_API cw_stream *cw_model_pull(const char *url, const cw_model_options *options, cw_error *err);

/** Copies a local file into the folder with the same guarantees; the value is an object as "done"
 * above. */
CW_API cw_future *cw_model_import(const char *path, const cw_model_options *options);

/** Lists the models in `folder` (NULL: the default): objects with name, path, bytes, sha256 (NONE:
 * not
 *  known) and partial (true: a download that has not ended). */
CW_API cw_future *cw_model_list(const char *folder);

/** Reads a model and compares its sum with the recorded one; the value is an object as in
 * cw_model_list().
 *  CW_E_CHECKSUM where they differ (nothing is deleted). */
CW_API cw_future *cw_model_verify(const char *folder, const char *name);

/** Removes a model and what is left of its downloads. */
CW_API cw_future *cw_model_remove(const char *folder, const char *name);

/** The folder that is used for `folder` (NULL: the default), as text. */
CW_API cw_future *cw_model_folder(const char *folder);

CW_END_DECLS

#endif
