/* SPDX-License-Identifier: MIT */
/* The public file operations: each is a job of the offload pool that does one blocking operation.
 *
 * A job owns copies of its arguments in one allocation, so that the caller may free his when the
 * call returns. */
#include "causeway/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/assert.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/offload.h"
#include "core/task.h"
#include "core/utf8.h"
#include "core/value.h"
#include "io/file_sys.h"

typedef struct file_job file_job;
typedef cw_status (*file_fn)(file_job *job, cw_value *out, cw_error *err);

struct file_job {
  cwi_offload_job job;
  cwi_future *future; /* the producer's reference */
  file_fn run;
  size_t size_all; /* of this allocation */
  const char *path;
  const char *target; /* of copy and rename */
  const void *data;
  size_t size;
  uint64_t offset;
  uint64_t size_max;
  int flags;
  bool recursive;
  bool text;
  bool text_with_nul;
};

/* ---- the job ---- */

static file_job **job_slot(cwi_future *f) { return (file_job **)(void *)f->op; }

static void free_job(cwi_future *f) {
  file_job *job = *job_slot(f);
  cwi_free(job, job->size_all);
}

static void file_on_run(cwi_offload_job *base) {
  file_job *job = CWI_CONTAINER_OF(base, file_job, job);
  cw_value value = cwi_value_none();
  cw_error err = {.code = CW_OK};
  cw_status status = job->run(job, &value, &err);
  (void)cwi_future_finish(job->future, status, value, &err);
}

static void file_on_cancel(cwi_future *f) {
  if (!cwi_offload_withdraw(&(*job_slot(f))->job)) return; /* it runs to its end */
  (void)cwi_future_finish(f, CW_E_CANCELLED, cwi_value_none(), NULL);
}

/* Starts `args` with copies of what it points to. */
static cw_future *start(const char *operation, const file_job *args) {
  cw_error err;
  if (args->path == NULL || args->path[0] == '\0') return cw_failed(CW_E_INVALID, "no path");
  if (args->data == NULL && args->size > 0) return cw_failed(CW_E_INVALID, "no data");
  size_t path_size = strlen(args->path) + 1;
  size_t target_size = args->target == NULL ? 0 : strlen(args->target) + 1;
  size_t size_all = sizeof(file_job) + path_size + target_size + args->size;
  file_job *job = size_all < args->size ? NULL : cwi_alloc(size_all);
  cwi_future *f = job == NULL ? NULL : cwi_future_new(NULL, operation);
  if (f == NULL) {
    cwi_free(job, size_all);
    return cwi_future_nomem();
  }
  char *copies = (char *)(job + 1);
  *job = *args;
  job->job.run = file_on_run;
  job->future = f;
  job->size_all = size_all;
  job->path = memcpy(copies, args->path, path_size);
  if (target_size > 0) job->target = memcpy(copies + path_size, args->target, target_size);
  if (args->size > 0) job->data = memcpy(copies + path_size + target_size, args->data, args->size);
  *job_slot(f) = job;
  f->cancel = file_on_cancel;
  f->op_deinit = free_job;
  cw_future *handle = cwi_future_handle(f);
  cw_status status = cwi_offload_submit(&job->job, &err);
  if (status != CW_OK) (void)cwi_future_finish(f, status, cwi_value_none(), &err);
  return handle;
}

/* ---- reading ---- */

static cw_status check_text(const file_job *job, const cwi_buf *buf, cw_error *err) {
  size_t valid = cwi_utf8_valid_prefix(buf->data, buf->size);
  if (valid != buf->size) {
    return CWI_RAISE(err, CW_E_ENCODING, 0, "'%s' is not valid UTF-8 at byte %zu", job->path,
                     valid);
  }
  const char *nul = buf->size == 0 ? NULL : memchr(buf->data, 0, buf->size);
  if (nul == NULL || job->text_with_nul) return CW_OK;
  return CWI_RAISE(err, CW_E_ENCODING, 0, "'%s' has a NUL at byte %zu: read it as bytes", job->path,
                   (size_t)(nul - buf->data));
}

static cw_status run_read(file_job *job, cw_value *out, cw_error *err) {
  cwi_buf buf;
  cwi_buf_init(&buf, 0);
  uint64_t wanted = job->size_max == 0 || job->flags == 0 ? job->size_max : job->size_max + 1;
  cw_status status = cwi_file_sys_read(job->path, job->offset, wanted, &buf, err);
  if (status == CW_OK && job->flags != 0 && job->size_max != 0 && buf.size > job->size_max) {
    status = CWI_RAISE(err, CW_E_LIMIT, 0, "'%s' is larger than %llu bytes", job->path,
                       (unsigned long long)job->size_max);
  }
  if (status == CW_OK && job->text) status = check_text(job, &buf, err);
  if (status == CW_OK && job->text) {
    status = cwi_value_string_trusted(buf.data, buf.size, out, err);
  } else if (status == CW_OK) {
    status = cw_value_bytes(buf.data, buf.size, out, err);
  }
  cwi_buf_deinit(&buf);
  return status;
}

static cw_status check_options(const cw_file_options *options, cw_error *err) {
  if (options == NULL || options->struct_size == sizeof(*options)) return CW_OK;
  return CWI_RAISE(err, CW_E_INVALID, 0, "options of an unknown size");
}

static cw_future *start_read(const char *path, const cw_file_options *options, bool text) {
  cw_error err;
  if (check_options(options, &err) != CW_OK) return cwi_future_failed(&err);
  file_job args = {.path = path, .run = run_read, .text = text, .flags = 1};
  if (options != NULL) args.size_max = options->size_max;
  if (options != NULL) args.text_with_nul = options->text_with_nul;
  return start("file_read", &args);
}

cw_future *cw_file_read(const char *path, const cw_file_options *options) {
  return start_read(path, options, false);
}

cw_future *cw_file_read_text(const char *path, const cw_file_options *options) {
  return start_read(path, options, true);
}

cw_future *cw_file_read_range(const char *path, uint64_t offset, uint64_t size_max) {
  cw_value empty;
  if (offset > INT64_MAX) return cw_failed(CW_E_INVALID, "an offset past the largest file");
  if (size_max == 0) {
    return cw_value_bytes(NULL, 0, &empty, NULL) == CW_OK ? cw_ready(empty) : cwi_future_nomem();
  }
  return start("file_read_range",
               &(file_job){.path = path, .run = run_read, .offset = offset, .size_max = size_max});
}

/* ---- writing ---- */

static cw_status run_write(file_job *job, cw_value *out, cw_error *err) {
  int fd = -1;
  cw_status status = cwi_file_sys_open(job->path, job->flags, &fd, err);
  if (status != CW_OK) return status;
  status = cwi_file_sys_write(fd, job->path, job->data, job->size, err);
  if (close(fd) != 0 && status == CW_OK) status = cwi_file_sys_raise(err, "write", job->path);
  *out = cwi_value_int((int64_t)job->size);
  return status;
}

static cw_status run_replace(file_job *job, cw_value *out, cw_error *err) {
  *out = cwi_value_int((int64_t)job->size);
  return cwi_file_sys_replace(job->path, job->data, job->size, err);
}

cw_future *cw_file_write(const char *path, const void *data, size_t size) {
  return start("file_write", &(file_job){.path = path,
                                         .run = run_write,
                                         .data = data,
                                         .size = size,
                                         .flags = O_WRONLY | O_CREAT | O_TRUNC});
}

cw_future *cw_file_append(const char *path, const void *data, size_t size) {
  return start("file_append", &(file_job){.path = path,
                                          .run = run_write,
                                          .data = data,
                                          .size = size,
                                          .flags = O_WRONLY | O_CREAT | O_APPEND});
}

cw_future *cw_file_replace(const char *path, const void *data, size_t size) {
  return start("file_replace",
               &(file_job){.path = path, .run = run_replace, .data = data, .size = size});
}

/* ---- describing ---- */

static const char *kind_name(mode_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "folder";
  return S_ISLNK(mode) ? "link" : "other";
}

static cw_status set_text(cw_value *object, const char *key, const char *text, cw_error *err) {
  cw_value value;
  cw_status status = cw_value_string(text, strlen(text), &value, err);
  if (status != CW_OK) return status;
  return cw_value_object_set(object, key, strlen(key), value, err);
}

static cw_status run_stat(file_job *job, cw_value *out, cw_error *err) {
  struct stat info;
  if (stat(job->path, &info) != 0) return cwi_file_sys_raise(err, "stat", job->path);
  cw_value modified = cw_value_datetime(info.st_mtim.tv_sec, (uint32_t)info.st_mtim.tv_nsec);
  cw_status status = cw_value_object(out, err);
  if (status == CW_OK) status = set_text(out, "kind", kind_name(info.st_mode), err);
  if (status == CW_OK) {
    status = cw_value_object_set(out, "mode", 4, cwi_value_int(info.st_mode & 07777), err);
  }
  if (status == CW_OK) status = cw_value_object_set(out, "modified", 8, modified, err);
  if (status == CW_OK) {
    status = cw_value_object_set(out, "size", 4, cwi_value_int(info.st_size), err);
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

/* Adds one entry to `names`, an object by name, whose order becomes the list's. */
static cw_status add_entry(int folder, const char *name, cw_value *names, cw_error *err) {
  struct stat info;
  cw_value kind;
  if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return CW_OK; /* gone meanwhile */
  const char *text = kind_name(info.st_mode);
  cw_status status = cw_value_string(text, strlen(text), &kind, err);
  if (status != CW_OK) return status;
  return cw_value_object_set(names, name, strlen(name), kind, err);
}

static cw_status list_from(const cw_value *names, cw_value *out, cw_error *err) {
  cw_status status = cw_value_array(cw_value_len(*names), out, err);
  cwi_object_iter iter = cwi_object_iter_start(*names);
  cw_value name;
  cw_value kind;
  while (status == CW_OK && cwi_object_iter_next(&iter, &name, &kind)) {
    cw_value entry;
    status = cw_value_object(&entry, err);
    if (status == CW_OK) {
      status = cw_value_object_set(&entry, "kind", 4, cwi_value_retain(kind), err);
    }
    if (status == CW_OK) {
      status = cw_value_object_set(&entry, "name", 4, cwi_value_retain(name), err);
    }
    if (status == CW_OK) {
      status = cw_value_array_push(out, entry, err);
    } else {
      cw_value_release(&entry);
    }
  }
  if (status != CW_OK) cw_value_release(out);
  return status;
}

static cw_status run_list(file_job *job, cw_value *out, cw_error *err) {
  DIR *entries = opendir(job->path);
  if (entries == NULL) return cwi_file_sys_raise(err, "list", job->path);
  cw_value names;
  cw_status status = cw_value_object(&names, err);
  struct dirent *entry;
  while (status == CW_OK && (entry = readdir(entries)) != NULL) { /* NOLINT: a stream of our own */
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    status = add_entry(dirfd(entries), entry->d_name, &names, err);
  }
  (void)closedir(entries);
  if (status == CW_OK) status = list_from(&names, out, err);
  cw_value_release(&names);
  return status;
}

cw_future *cw_file_stat(const char *path) {
  return start("file_stat", &(file_job){.path = path, .run = run_stat});
}

cw_future *cw_file_list(const char *path) {
  return start("file_list", &(file_job){.path = path, .run = run_list});
}

/* ---- changing ---- */

static cw_status run_make_folder(file_job *job, cw_value *out, cw_error *err) {
  (void)out;
  return cwi_file_sys_make_folder(job->path, err);
}

static cw_status run_remove(file_job *job, cw_value *out, cw_error *err) {
  (void)out;
  return cwi_file_sys_remove(job->path, job->recursive, err);
}

static cw_status run_copy(file_job *job, cw_value *out, cw_error *err) {
  uint64_t size = 0;
  cw_status status = cwi_file_sys_copy(job->path, job->target, &size, err);
  *out = cwi_value_int((int64_t)size);
  return status;
}

static cw_status run_rename(file_job *job, cw_value *out, cw_error *err) {
  (void)out;
  if (rename(job->path, job->target) == 0) return CW_OK;
  return cwi_file_sys_raise(err, "rename", job->path);
}

static cw_status run_hash(file_job *job, cw_value *out, cw_error *err) {
  char hex[CWI_SHA256_HEX_BYTES];
  cw_status status = cwi_file_sys_hash(job->path, hex, err);
  if (status != CW_OK) return status;
  return cw_value_string(hex, strlen(hex), out, err);
}

cw_future *cw_file_make_folder(const char *path) {
  return start("file_make_folder", &(file_job){.path = path, .run = run_make_folder});
}

cw_future *cw_file_remove(const char *path, bool recursive) {
  return start("file_remove", &(file_job){.path = path, .run = run_remove, .recursive = recursive});
}

cw_future *cw_file_copy(const char *from, const char *to) {
  if (to == NULL) return cw_failed(CW_E_INVALID, "no path to copy to");
  return start("file_copy", &(file_job){.path = from, .target = to, .run = run_copy});
}

cw_future *cw_file_rename(const char *from, const char *to) {
  if (to == NULL) return cw_failed(CW_E_INVALID, "no new path");
  return start("file_rename", &(file_job){.path = from, .target = to, .run = run_rename});
}

cw_future *cw_file_hash(const char *path) {
  return start("file_hash", &(file_job){.path = path, .run = run_hash});
}
