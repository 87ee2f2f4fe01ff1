/* SPDX-License-Identifier: MIT */
/* The folder of models: names, paths and recorded sums. A recorded sum counts while the file's size
 * and time of change are what they were, so that a model of many gigabytes is not read at every
 * start. */
#include "model/model_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/value.h"
#include "io/file_sys.h"

static cw_status too_long(cw_error *err) {
  return CWI_RAISE(err, CW_E_INVALID, ENAMETOOLONG, "the path of the model folder is too long");
}

cw_status cwi_model_store_folder(const char *folder, char path[PATH_MAX], cw_error *err) {
  const char *home = getenv("CAUSEWAY_HOME"); /* NOLINT: read only */
  const char *data = getenv("XDG_DATA_HOME"); /* NOLINT: read only */
  const char *user = getenv("HOME");          /* NOLINT: read only */
  int len;
  if (folder != NULL) {
    len = snprintf(path, PATH_MAX, "%s", folder);
  } else if (home != NULL && home[0] != '\0') {
    len = snprintf(path, PATH_MAX, "%s/models", home);
  } else if (data != NULL && data[0] == '/') {
    len = snprintf(path, PATH_MAX, "%s/causeway/models", data);
  } else if (user != NULL && user[0] != '\0') {
    len = snprintf(path, PATH_MAX, "%s/.local/share/causeway/models", user);
  } else {
    return CWI_RAISE(err, CW_E_NOT_FOUND, 0, "no folder for models: set CAUSEWAY_HOME");
  }
  if (len <= 0) return CWI_RAISE(err, CW_E_INVALID, 0, "an empty folder");
  return len < PATH_MAX ? CW_OK : too_long(err);
}

bool cwi_model_store_name_is_valid(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > 200 || name[0] == '.') return false;
  for (size_t i = 0; i < len; i++) {
    if (name[i] == '/' || (unsigned char)name[i] < 0x20 || name[i] == 0x7F) return false;
  }
  return true;
}

cw_status cwi_model_store_path(const char *folder, const char *name, const char *suffix,
                               char path[PATH_MAX], cw_error *err) {
  if (name == NULL || !cwi_model_store_name_is_valid(name)) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "'%s' cannot be the name of a model",
                     name == NULL ? "" : name);
  }
  char base[PATH_MAX];
  cw_status status = cwi_model_store_folder(folder, base, err);
  if (status != CW_OK) return status;
  int len = snprintf(path, PATH_MAX, "%s/%s%s", base, name, suffix);
  return len > 0 && len < PATH_MAX ? CW_OK : too_long(err);
}

static bool beside(const char *path, const char *suffix, char out[PATH_MAX]) {
  int len = snprintf(out, PATH_MAX, "%s%s", path, suffix);
  return len > 0 && len < PATH_MAX;
}

static long long change_time(const struct stat *info) {
  return (long long)info->st_mtim.tv_sec * 1000000000LL + info->st_mtim.tv_nsec;
}

/* Reads the recorded sum where it is still true of the file; empty where there is none. */
static void read_record(const char *path, const struct stat *info,
                        char sha256[CWI_MODEL_SUM_BYTES]) {
  char record[PATH_MAX];
  cwi_buf text;
  sha256[0] = '\0';
  cwi_buf_init(&text, 0);
  if (beside(path, ".sum", record) && cwi_file_sys_read(record, 0, 256, &text, NULL) == CW_OK) {
    char sum[CWI_MODEL_SUM_BYTES + 1] = "";
    unsigned long long size = 0;
    long long when = 0;
    const char *line = cwi_buf_cstr(&text);
    bool whole =
        line != NULL && sscanf(line, "%65s %llu %lld", sum, &size, &when) == 3; /* NOLINT */
    if (whole && size == (unsigned long long)info->st_size && when == change_time(info)) {
      char hex[CWI_SHA256_HEX_BYTES];
      if (cwi_sha256_parse(sum, hex)) memcpy(sha256, hex, sizeof(hex));
    }
  }
  cwi_buf_deinit(&text);
}

cw_status cwi_model_store_record(const char *path, const char *sha256, cw_error *err) {
  char record[PATH_MAX];
  char line[160];
  struct stat info;
  if (!beside(path, ".sum", record)) return too_long(err);
  if (stat(path, &info) != 0) return cwi_file_sys_raise(err, "stat", path);
  int len = snprintf(line, sizeof(line), "%s %llu %lld\n", sha256, (unsigned long long)info.st_size,
                     change_time(&info));
  return cwi_file_sys_replace(record, line, (size_t)len, err);
}

cw_status cwi_model_store_find(const char *path, const char *sha256, cwi_model_file *file,
                               bool *found, cw_error *err) {
  struct stat info;
  *found = false;
  *file = (cwi_model_file){.size = 0};
  if (stat(path, &info) != 0) {
    return errno == ENOENT ? CW_OK : cwi_file_sys_raise(err, "stat", path);
  }
  if (!S_ISREG(info.st_mode)) return CWI_RAISE(err, CW_E_EXISTS, 0, "'%s' is not a file", path);
  (void)snprintf(file->path, sizeof(file->path), "%s", path);
  file->size = (uint64_t)info.st_size;
  read_record(path, &info, file->sha256);
  if (file->sha256[0] == '\0' && sha256 != NULL) {
    cw_status status = cwi_file_sys_hash(path, file->sha256, err);
    if (status != CW_OK) return status;
    if (strcmp(file->sha256, sha256) == 0) status = cwi_model_store_record(path, sha256, err);
    if (status != CW_OK) return status;
  }
  *found = file->sha256[0] != '\0' && (sha256 == NULL || strcmp(file->sha256, sha256) == 0);
  return CW_OK;
}

static cw_status set_text(cw_value *object, const char *key, const char *text, cw_error *err) {
  cw_value value;
  cw_status status = cw_value_string(text, strlen(text), &value, err);
  if (status != CW_OK) return status;
  return cw_value_object_set(object, key, strlen(key), value, err);
}

cw_status cwi_model_store_describe(const cwi_model_file *file, cw_value *out, cw_error *err) {
  const char *slash = strrchr(file->path, '/');
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) {
    status = set_text(out, "name", slash == NULL ? file->path : slash + 1, err);
  }
  if (status == CW_OK) status = set_text(out, "path", file->path, err);
  if (status == CW_OK) {
    status = cw_value_object_set(out, "bytes", 5, cwi_value_int((int64_t)file->size), err);
  }
  if (status == CW_OK && file->sha256[0] != '\0')
    status = set_text(out, "sha256", file->sha256, err);
  if (status != CW_OK) cw_value_release(out);
  return status;
}
