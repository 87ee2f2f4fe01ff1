/* SPDX-License-Identifier: MIT */
/* Blocking file operations, for threads of the offload pool. Paths are NUL-terminated. */
#ifndef IO_FILE_SYS_H
#define IO_FILE_SYS_H

#include "causeway/error.h"
#include "core/buf.h"

/* Fills `buf` with the file from `offset` on, at most `size_max` bytes (0: all). */
cw_status cwi_file_sys_read(const char *path, uint64_t offset, uint64_t size_max, cwi_buf *buf,
                            cw_error *err);

/* Opens with O_CLOEXEC; *fd is -1 on failure. */
cw_status cwi_file_sys_open(const char *path, int flags, int *fd, cw_error *err);

/* Writes all of it. */
cw_status cwi_file_sys_write(int fd, const char *path, const void *data, size_t size,
                             cw_error *err);

/* Replaces `path` atomically and durably. */
cw_status cwi_file_sys_replace(const char *path, const void *data, size_t size, cw_error *err);

/* Makes the entries of the folder that `path` lies in durable. */
cw_status cwi_file_sys_sync_folder(const char *path, cw_error *err);

cw_status cwi_file_sys_copy(const char *from, const char *to, uint64_t *size, cw_error *err);
cw_status cwi_file_sys_remove(const char *path, bool recursive, cw_error *err);
cw_status cwi_file_sys_make_folder(const char *path, cw_error *err);
cw_status cwi_file_sys_hash(const char *path, char hex[65], cw_error *err);

/* Raises errno for an operation on a path. */
cw_status cwi_file_sys_raise(cw_error *err, const char *operation, const char *path);

#endif
