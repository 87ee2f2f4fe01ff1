/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Files, off the caller's thread: whole, in ranges, as streams, and changed atomically.
 *
 *   cw_await(cw_file_read_text("notes.txt", NULL), &text, &err);
 *   cw_await(cw_file_replace("notes.txt", data, size), NULL, &err);   // all or nothing, on the
 *   disk
 *
 * Every call runs on the offload pool. Paths are NUL-terminated UTF-8 and are copied; data is
 * copied.
 * The caller releases the future; its value belongs to who takes it.
 *
 * Errors: of all calls: CW_E_INVALID no path; CW_E_NOT_FOUND, CW_E_EXISTS, CW_E_DENIED,
 * CW_E_NO_SPACE,
 * CW_E_LIMIT, CW_E_IO: the system refused, `os_code` holds errno and the message the path;
 * CW_E_NOMEM.
 * Cancel: of all calls: one that has not started never does; one that has runs to its end, and its
 * result is dropped (the outcome says so).
 *
 * Thread rule: every function may be called from any thread; none blocks.
 */
#ifndef CAUSEWAY_FILE_H
#define CAUSEWAY_FILE_H

#include "causeway/stream.h"

CW_BEGIN_DECLS

/** How files are read. */
typedef struct cw_file_options {
  uint32_t struct_size;
  uint32_t chunk_size; /* bytes a read of a stream; 0: 64 KiB */
  uint64_t size_max;   /* a larger file is refused with CW_E_LIMIT; 0: no limit */
  bool text_with_nul;  /* text may contain NUL bytes; else CW_E_ENCODING */
} cw_file_options;

#define CW_FILE_OPTIONS_INIT \
  { .struct_size = sizeof(cw_file_options) }

/** Reads a whole file as bytes. `options` NULL: the defaults. Since: 0.1 */
CW_API cw_future *cw_file_read(const char *path, const cw_file_options *options);

/** Reads a whole file as text. Errors: CW_E_ENCODING not valid UTF-8, or NUL where that was not
 * allowed;
 *  the message gives the offset. Since: 0.1 */
CW_API cw_future *cw_file_read_text(const char *path, const cw_file_options *options);

/** Reads up to `size_max` bytes from `offset`; fewer mean the end of the file. Since: 0.1 */
CW_API cw_future *cw_file_read_range(const char *path, uint64_t offset, uint64_t size_max);

/** Writes a file, replacing what was there; not atomic. The value is the number of bytes. Since:
 * 0.1 */
CW_API cw_future *cw_file_write(const char *path, const void *data, size_t size);

/** Appends to a file, made where it is missing. The value is the number of bytes. Since: 0.1 */
CW_API cw_future *cw_file_append(const char *path, const void *data, size_t size);

/** Replaces a file atomically and durably: a temporary beside it, fsync, rename, fsync of the
 * folder.
 *  Readers see the old or the new file, also after a power cut. Since: 0.1 */
CW_API cw_future *cw_file_replace(const char *path, const void *data, size_t size);

/** Describes a path: an object with kind ("file", "folder", "link", "other"), size, modified
 * (datetime)
 *  and mode. Links are followed. Since: 0.1 */
CW_API cw_future *cw_file_stat(const char *path);

/** Lists a folder: an array of objects with name and kind, in byte order of names. Since: 0.1 */
CW_API cw_future *cw_file_list(const char *path);

/** Makes a folder and those above it; one that is there already is success. Since: 0.1 */
CW_API cw_future *cw_file_make_folder(const char *path);

/** Removes a file or an empty folder; with `recursive` a folder with all in it (links are not
 * followed). */
CW_API cw_future *cw_file_remove(const char *path, bool recursive);

/** Copies a file with its permissions, atomically at the target; the value is the number of
 * bytes. */
CW_API cw_future *cw_file_copy(const char *from, const char *to);

/** Renames a file or folder, replacing a file at the target. Since: 0.1 */
CW_API cw_future *cw_file_rename(const char *from, const char *to);

/** The SHA-256 of a file as 64 hex digits. Since: 0.1 */
CW_API cw_future *cw_file_hash(const char *path);

/**
 * Reads a file as a stream of byte chunks; it reads only as far ahead as the stream has credit.
 *
 * Ownership: the caller releases the stream, which stops the reading.
 * Errors:    of the stream: as above; CW_E_NOMEM where NULL is returned
 * Since:     0.1
 */
CW_API cw_stream *cw_file_read_stream(const char *path, const cw_file_options *options,
                                      cw_error *err);

CW_END_DECLS

#endif
