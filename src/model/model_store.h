/* SPDX-License-Identifier: MIT */
/* The folder of models. All functions block: for pool threads.
 *
 *   NAME             a whole model            NAME.part        what has arrived of one
 *   NAME.sum         "SHA256 BYTES MTIME_NS\n": the sum, and what the file was when it was taken
 *   NAME.part.tag    the entity tag of the server that NAME.part comes from
 *   NAME.lock        locked while somebody works on NAME */
#ifndef MODEL_MODEL_STORE_H
#define MODEL_MODEL_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "causeway/error.h"
#include "causeway/value.h"

#define CWI_MODEL_SUM_BYTES 65

typedef struct cwi_model_file {
  char path[PATH_MAX];
  char sha256[CWI_MODEL_SUM_BYTES]; /* empty: not known */
  uint64_t size;
} cwi_model_file;

/* Writes the folder that is meant by `folder` (NULL: the default); it is not made. */
cw_status cwi_model_store_folder(const char *folder, char path[PATH_MAX], cw_error *err);

/* True where `name` may name a model. */
bool cwi_model_store_name_is_valid(const char *name);

/* The path of a model in a folder, with `suffix` behind it. */
cw_status cwi_model_store_path(const char *folder, const char *name, const char *suffix,
                               char path[PATH_MAX], cw_error *err);

/* Looks for a whole model whose sum is recorded and still true of it by size and time; with
 * `sha256`, that it is this sum (read and taken where none is recorded). *found false: there is
 * none, or not this. */
cw_status cwi_model_store_find(const char *path, const char *sha256, cwi_model_file *file,
                               bool *found, cw_error *err);

/* Records the sum of a whole model. */
cw_status cwi_model_store_record(const char *path, const char *sha256, cw_error *err);

/* An object that describes a model. */
cw_status cwi_model_store_describe(const cwi_model_file *file, cw_value *out, cw_error *err);

#endif
