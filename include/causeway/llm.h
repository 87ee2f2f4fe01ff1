/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Language models on the device: GGUF files, computed on the CPU.
 *
 * A cw_llm is an open model with a thread of its own that computes for all its users: generations
 * that run at the same time share each pass over the weights. Results arrive as streams of events
 * and as futures; cancelling or releasing them stops the computation within milliseconds.
 *
 *   cw_llm *llm;
 *   cw_await(cw_llm_open("model.gguf", NULL, &llm), NULL, &err);
 *   cw_stream *events = cw_llm_generate_tokens(llm, tokens, len, NULL, &err);
 *   while (cw_await(cw_stream_next(events), &event, &err) == CW_OK) { show(event); ... }
 *   cw_release(events);
 *   cw_release(llm);                    // stops what runs, frees the model
 *
 * Thread rule: every function may be called from any thread.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_LLM_H
#define CAUSEWAY_LLM_H

#include "causeway/future.h"
#include "causeway/stream.h"

CW_BEGIN_DECLS

typedef struct cw_llm cw_llm;

/** How a model file is brought into memory. */
typedef enum cw_llm_access {
  CW_LLM_ACCESS_MAP = 0,  /* mapped: opens at once, pages come in on use */
  CW_LLM_ACCESS_READ = 1, /* read: safe where the file may be truncated meanwhile */
  CW_LLM_ACCESS_LOCK = 2, /* mapped and locked into memory where the system allows it */
} cw_llm_access;

/** Options of cw_llm_open(); zero means the default everywhere. */
typedef struct cw_llm_options {
  uint32_t struct_size;
  uint32_t threads;          /* 0: as many as CPUs, at most 8 */
  uint32_t context_len;      /* tokens that a generation may hold; 0: 2048 */
  uint32_t access;           /* a cw_llm_access */
  uint64_t memory_bytes_max; /* of model, caches and buffers together; 0: no limit */
  uint32_t kv_bits;          /* 16 or 8: the precision of the caches; 0: 16 */
  bool background;           /* the threads run only when a CPU is idle */
} cw_llm_options;

#define CW_LLM_OPTIONS_INIT \
  { .struct_size = sizeof(cw_llm_options) }

/** Options of cw_llm_generate_tokens(). */
typedef struct cw_llm_generate_options {
  uint32_t struct_size;
  uint32_t tokens_max; /* 0: 512 */
  uint32_t window;     /* events that may wait for the consumer; 0: 64 */
  uint32_t stop_len;   /* tokens at `stop` */
  const int32_t *stop; /* tokens that end the generation; they are not sent; copied */
} cw_llm_generate_options;

#define CW_LLM_GENERATE_OPTIONS_INIT \
  { .struct_size = sizeof(cw_llm_generate_options) }

/** The most tokens that stop a generation. */
#define CW_LLM_STOP_LEN_MAX 64

/** How the states of a text's tokens become one embedding. */
typedef enum cw_llm_pooling {
  CW_LLM_POOLING_MEAN = 0,
  CW_LLM_POOLING_FIRST = 1,
  CW_LLM_POOLING_LAST = 2,
} cw_llm_pooling;

/**
 * Opens the GGUF file at `path`. The future settles with NONE when the model is ready.
 *
 * The handle may be used at once: what is asked of it waits until the model is open, or fails with
 * the reason for which it could not be opened.
 *
 * @param path     UTF-8, NUL-terminated; copied
 * @param options  NULL: the defaults
 * @param out      receives the handle, NULL where there was no memory or an argument is wrong
 *
 * Ownership: the caller releases both, the handle also where opening failed.
 * Blocking:  never; the file is opened on the model's thread.
 * Cancel:    the future settles at once; the model goes on opening until its handle is released.
 * Errors:    CW_E_INVALID      an option is out of range
 *            CW_E_NOT_FOUND, CW_E_DENIED, CW_E_IO  the file
 *            CW_E_CORRUPT, CW_E_TRUNCATED, CW_E_VERSION  not a whole GGUF file of version 2 or 3
 *            CW_E_UNSUPPORTED  an architecture or tensor type, named
 *            CW_E_MODEL        what the model lacks, or has that is not supported
 *            CW_E_LIMIT        the memory limit; nothing was allocated
 *            CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_future *cw_llm_open(const char *path, const cw_llm_options *options, cw_llm **out);

/**
 * Describes an open model: an object with "architecture", "vocabulary", "context", "embedding",
 * "layers", "parameters", "kernel", "threads", and "memory" (an object of "model", "kv", "buffers"
 * and "max", in bytes).
 *
 * Ownership: the caller releases `*out`.
 * Blocking:  never.
 * Errors:    CW_E_STALE; CW_E_STATE not open yet, or failed to open; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_llm_info(cw_llm *llm, cw_value *out, cw_error *err);

/**
 * Generates the likeliest continuation of `tokens`, as a stream of events.
 *
 * An event is an object: "token" (an int), "index", "logprob" and "confidence" (1 minus the entropy
 * of the next token over that of a uniform choice). The last event has "finish" ("stop" a stop
 * token, "length" tokens_max, "context" the context is full), "prompt_tokens", "reused_tokens" (of
 * the prompt, computed earlier for another generation), "prompt_ms", "tokens" and "generate_ms".
 * Then the stream ends.
 *
 * @param tokens   the prompt, copied
 * @param options  NULL: the defaults
 *
 * Ownership: the caller releases the stream.
 * Blocking:  never.
 * Cancel:    cw_stream_cancel() or releasing the stream stops the computation, also of a long
 *            prompt, within milliseconds.
 * Errors:    the stream fails with CW_E_LIMIT (longer than the context, the memory limit),
 *            CW_E_RANGE (a token that is not in the vocabulary), CW_E_MODEL (damaged weights),
 *            CW_E_CLOSED (the model was released), CW_E_NOMEM, or what opening failed with
 * Returns:   NULL with CW_E_STALE, CW_E_INVALID (no tokens, an option), CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_stream *cw_llm_generate_tokens(cw_llm *llm, const int32_t *tokens, size_t len,
                                         const cw_llm_generate_options *options, cw_error *err);

/**
 * Computes the embedding of `tokens`, every token seeing all others: an array of floats of length
 * 1.
 *
 * @param tokens   1 to 2048 of them, copied
 * @param pooling  a cw_llm_pooling
 *
 * Cancel:    within milliseconds of computation.
 * Errors:    CW_E_STALE, CW_E_INVALID, CW_E_LIMIT too many tokens or the memory limit, CW_E_RANGE,
 *            CW_E_MODEL, CW_E_CLOSED, CW_E_NOMEM, or what opening failed with
 * Since:     0.1
 */
CW_API cw_future *cw_llm_embed_tokens(cw_llm *llm, const int32_t *tokens, size_t len,
                                      uint32_t pooling);

CW_END_DECLS

#endif
