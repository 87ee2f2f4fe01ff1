/* SPDX-License-Identifier: MIT */
/* Managing what lies in the folder of models: import, list, verify, remove. Each is one job of the
 * offload pool that does blocking work with copies of its arguments. */
#include "causeway/model.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/future.h"
#include "core/hash.h"
#include "core/offload.h"
#include "core/value.h"
#include "io/file_sys.h"
#include "model/model_store.h"

typedef struct model_job model_job;
typedef cw_status (*model_fn)(model_job *job, cw_value *out, cw_error *err);

struct model_job {
  cwi_offload_job job;
  cwi_future *future;
  model_fn run;
  bool has_folder;
  char folder[PATH_MAX];
  char name[256];
  char source[PATH_MAX];
  char sha256[CWI_SHA256_HEX_BYTES]; /* empty: none */
};

static model_job **slot(cwi_future *f) { return (model_job **)(void *)f->op; }
static void free_job(cwi_future *f) { CWI_FREE(*slot(f)); }
static const char *folder_of(const model_job *job) { return job->has_folder ? job->folder : NULL; }

static void job_on_run(cwi_offload_job *base) {
  model_job *job = CWI_CONTAINER_OF(base, model_job, job);
  cw_value value = cwi_value_none();
  cw_error err = {.code = CW_OK};
  cw_status status = job->run(job, &value, &err);
  (void)cwi_future_finish(job->future, status, value, &err);
}

static void job_on_cancel(cwi_future *f) {
  if (!cwi_offload_withdraw(&(*slot(f))->job)) return; /* it runs to its end */
  (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
}

static bool copy_into(char *to, size_t size, const char *from) {
  int len = snprintf(to, size, "%s", from == NULL ? "" : from);
  return len >= 0 && (size_t)len < size;
}

/* Starts a job; `sha256` has been checked. */
static cw_future *start(const char *operation, model_fn run, const char *folder, const char *name,
                        const char *source, const char *sha256) {
  cw_error err;
  model_job *job = CWI_NEW(model_job);
  if (job == NULL) return cwi_future_nomem();
  job->has_folder = folder != NULL;
  bool fits = copy_into(job->folder, sizeof(job->folder), folder) &&
              copy_into(job->name, sizeof(job->name), name) &&
              copy_into(job->source, sizeof(job->source), source) &&
              copy_into(job->sha256, sizeof(job->sha256), sha256);
  cwi_future *f = fits ? cwi_future_new(NULL, operation) : NULL;
  if (f == NULL) {
    CWI_FREE(job);
    return fits ? cwi_future_nomem() : cw_failed(CW_E_INVALID, "a path or name is too long");
  }
  job->job.run = job_on_run;
  job->run = run;
  job->future = f;
  *slot(f) = job;
  f->cancel = job_on_cancel;
  f->op_deinit = free_job;
  cw_future *handle = cwi_future_handle(f);
  cw_status status = cwi_offload_submit(&job->job, &err);
  if (status != CW_OK) (void)cwi_future_finish(f, status, cwi_value_none(), &err);
  return handle;
}

/* ---- import ---- */

static cw_status run_import(model_job *job, cw_value *out, cw_error *err) {
  char folder[PATH_MAX];
  char path[PATH_MAX];
  cwi_model_file file = {.size = 0};
  cw_status status = CW_OK;
  CWI_TRY(cwi_model_store_folder(folder_of(job), folder, err));
  CWI_TRY(cwi_model_store_path(folder_of(job), job->name, "", path, err));
  CWI_TRY(cwi_file_sys_hash(job->source, file.sha256, err));
  if (job->sha256[0] != '\0' && strcmp(job->sha256, file.sha256) != 0) {
    return cwi_raise(err, CW_E_CHECKSUM, 0, "model_import", "'%s' has the sum %s, expected %s",
                     job->source, file.sha256, job->sha256);
  }
  CWI_TRY(cwi_file_sys_make_folder(folder, err));
  CWI_TRY(cwi_file_sys_copy(job->source, path, &file.size, err));
  CWI_TRY(cwi_model_store_record(path, file.sha256, err));
  (void)snprintf(file.path, sizeof(file.path), "%s", path);
  status = cwi_model_store_describe(&file, out, err);
out:
  return status;
}

cw_future *cw_model_import(const char *path, const cw_model_options *options) {
  const cw_model_options defaults = CW_MODEL_OPTIONS_INIT;
  char hex[CWI_SHA256_HEX_BYTES] = "";
  if (options == NULL) options = &defaults;
  if (path == NULL || path[0] == '\0') return cw_failed(CW_E_INVALID, "no file to import");
  if (options->struct_size != sizeof(*options)) return cw_failed(CW_E_INVALID, "unknown options");
  if (options->sha256 != NULL && !cwi_sha256_parse(options->sha256, hex)) {
    return cw_failed(CW_E_INVALID, "a SHA-256 has 64 hex digits");
  }
  const char *slash = strrchr(path, '/');
  const char *name = options->name != NULL ? options->name : slash == NULL ? path : slash + 1;
  return start("model_import", run_import, options->folder, name, path, hex);
}

/* ---- list ---- */

static bool ends_with(const char *name, const char *suffix) {
  size_t len = strlen(name);
  size_t suffix_len = strlen(suffix);
  return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* Adds what `name` is to `models`, an object by name. */
static cw_status add_model(const char *folder, const char *name, cw_value *models, cw_error *err) {
  char path[PATH_MAX];
  struct stat info;
  cwi_model_file file;
  bool found = false;
  cw_value model;
  bool partial = ends_with(name, ".part");
  if (name[0] == '.' || ends_with(name, ".sum") || ends_with(name, ".lock") ||
      ends_with(name, ".tag") || ends_with(name, ".tmp")) {
    return CW_OK;
  }
  if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) return CW_OK;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return CW_OK;
  cw_status status = cwi_model_store_find(path, NULL, &file, &found, err);
  if (status != CW_OK) return status;
  if (!found) file.sha256[0] = '\0';
  status = cwi_model_store_describe(&file, &model, err);
  if (status == CW_OK) {
    status = cw_value_object_set(&model, "partial", 7, cwi_value_bool(partial), err);
  }
  if (status == CW_OK) return cw_value_object_set(models, name, strlen(name), model, err);
  cw_value_release(&model);
  return status;
}

static cw_status values_of(cw_value models, cw_value *out, cw_error *err) {
  cw_status status = cw_value_array(cw_value_len(models), out, err);
  cwi_object_iter iter = cwi_object_iter_start(models);
  cw_value model;
  while (status == CW_OK && cwi_object_iter_next(&iter, NULL, &model)) {
    status = cw_value_array_push(out, cwi_value_retain(model), err);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status run_list(model_job *job, cw_value *out, cw_error *err) {
  char folder[PATH_MAX];
  cw_status status = cwi_model_store_folder(folder_of(job), folder, err);
  if (status != CW_OK) return status;
  DIR *entries = opendir(folder);
  if (entries == NULL && errno == ENOENT) return cw_value_array(0, out, err);
  if (entries == NULL) return cwi_file_sys_raise(err, "list", folder);
  cw_value models;
  status = cw_value_object(&models, err);
  struct dirent *entry;
  while (status == CW_OK && (entry = readdir(entries)) != NULL) { /* NOLINT: a stream of our own */
    status = add_model(folder, entry->d_name, &models, err);
  }
  (void)closedir(entries);
  if (status == CW_OK) status = values_of(models, out, err);
  cw_value_release(&models);
  return status;
}

cw_future *cw_model_list(const char *folder) {
  return start("model_list", run_list, folder, NULL, NULL, NULL);
}

/* ---- verify, remove, folder ---- */

static cw_status run_verify(model_job *job, cw_value *out, cw_error *err) {
  char path[PATH_MAX];
  char sum[CWI_SHA256_HEX_BYTES];
  cwi_model_file file;
  bool found = false;
  cw_status status = CW_OK;
  CWI_TRY(cwi_model_store_path(folder_of(job), job->name, "", path, err));
  CWI_TRY(cwi_file_sys_hash(path, sum, err));
  CWI_TRY(cwi_model_store_find(path, NULL, &file, &found, err));
  if (!found) {
    return cwi_raise(err, CW_E_CHECKSUM, 0, "model_verify",
                     "'%s' has the sum %s, but no recorded sum that is true of it", job->name, sum);
  }
  if (strcmp(sum, file.sha256) != 0) {
    return cwi_raise(err, CW_E_CHECKSUM, 0, "model_verify", "'%s' has the sum %s, recorded is %s",
                     job->name, sum, file.sha256);
  }
  status = cwi_model_store_describe(&file, out, err);
out:
  return status;
}

static cw_status run_remove(model_job *job, cw_value *out, cw_error *err) {
  static const char *const SUFFIXES[] = {"", ".part", ".part.tag", ".sum", ".lock"};
  bool any = false;
  (void)out;
  for (size_t i = 0; i < CWI_ARRAY_LEN(SUFFIXES); i++) {
    char path[PATH_MAX];
    cw_status status = cwi_model_store_path(folder_of(job), job->name, SUFFIXES[i], path, err);
    if (status != CW_OK) return status;
    if (unlink(path) == 0) {
      any |= i < 2;
    } else if (errno != ENOENT) {
      return cwi_file_sys_raise(err, "remove", path);
    }
  }
  return any ? CW_OK : CWI_RAISE(err, CW_E_NOT_FOUND, 0, "there is no model '%s'", job->name);
}

static cw_status run_folder(model_job *job, cw_value *out, cw_error *err) {
  char folder[PATH_MAX];
  cw_status status = cwi_model_store_folder(folder_of(job), folder, err);
  return status == CW_OK ? cw_value_string(folder, strlen(folder), out, err) : status;
}

cw_future *cw_model_verify(const char *folder, const char *name) {
  return start("model_verify", run_verify, folder, name, NULL, NULL);
}

cw_future *cw_model_remove(const char *folder, const char *name) {
  return start("model_remove", run_remove, folder, name, NULL, NULL);
}

cw_future *cw_model_folder(const char *folder) {
  return start("model_folder", run_folder, folder, NULL, NULL, NULL);
}
