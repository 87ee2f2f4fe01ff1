/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Scripts: the Rhai language, with host functions that may be asynchronous.
 *
 * To a script a host function is a function: one that answers with a future suspends the script until
 * the future settles, and a suspended script holds no thread and no stack.
 *
 *   cw_script *script;
 *   cw_script_new(&script, err);                              // an engine
 *   cw_script_register(script, "price", 1, price, NULL, err); // a function of the host
 *   cw_await(cw_script_eval(script, text, size), &value, err);
 *   cw_release(script);                                       // runs under way keep what they need
 *
 * Thread rule: an engine may be used from any thread and by many evaluations at once; limits, hooks
 * and functions are to be set before the first of them.
 */
#ifndef CAUSEWAY_SCRIPT_H
#define CAUSEWAY_SCRIPT_H

#include "causeway/future.h"
#include "causeway/handle.h"
#include "causeway/value.h"

CW_BEGIN_DECLS

/** An engine: limits, functions, hooks. */
typedef struct cw_script cw_script;

/**
 * Makes an engine with the standard library and the default limits.
 *
 * Ownership: released with cw_release().
 * Threads:   any.
 * Errors:    CW_E_INVALID; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_script_new(cw_script **out, cw_error *err);

/** What cw_script_set_limit() limits; 0 is no limit, except for call levels. */
typedef enum cw_script_limit {
  CW_SCRIPT_LIMIT_OPERATIONS = 1,
  CW_SCRIPT_LIMIT_CALL_LEVELS = 2, /* 64 unless set */
  CW_SCRIPT_LIMIT_STRING_BYTES = 3,
  CW_SCRIPT_LIMIT_ARRAY_ITEMS = 4,
  CW_SCRIPT_LIMIT_MAP_ENTRIES = 5,
  CW_SCRIPT_LIMIT_ASYNC_MS = 6, /* of one asynchronous call; 30,000 unless set */
} cw_script_limit;

/**
 * Sets a limit for scripts that are compiled from now on.
 *
 * Threads:   any, before the first evaluation.
 * Errors:    CW_E_STALE; CW_E_INVALID  no such limit
 * Since:     0.1
 */
CW_API cw_status cw_script_set_limit(cw_script *script, cw_script_limit limit, uint64_t value,
                                     cw_error *err);

/**
 * A function of the host. Writes `*result` and returns NULL, or returns a future (taken) whose value
 * is the result. A failure is a failed future: cw_failed().
 *
 * `args` are borrowed. Runs on the thread that runs the script; must not block.
 */
typedef cw_future *(*cw_script_fn)(const cw_value *args, size_t argc, cw_value *result,
                                   void *context);

/**
 * Registers a function of the host under `name` for calls with `arity` arguments.
 *
 * @param name     an identifier; copied
 * @param arity    0 to 6
 * @param context  passed to `fn`; must live as long as the engine
 *
 * Threads:   any, before the first evaluation.
 * Errors:    CW_E_STALE; CW_E_INVALID  not an identifier, no function, or too many parameters;
 *            CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_script_register(cw_script *script, const char *name, uint32_t arity,
                                    cw_script_fn fn, void *context, cw_error *err);

/** Receives what print() (or, with `debug`, debug()) writes; `text` is borrowed. */
typedef void (*cw_script_print_fn)(bool debug, const char *text, size_t size, uint32_t line,
                                   void *context);

/** Has `callback` called for every print(); without one the text is dropped. Errors: CW_E_STALE */
CW_API cw_status cw_script_on_print(cw_script *script, cw_script_print_fn callback, void *context,
                                    cw_error *err);

/**
 * Runs a script; the future completes with its value.
 *
 * @param text  valid UTF-8; copied
 *
 * Ownership: the caller releases the future or awaits it.
 * Threads:   any; the script runs where the call is made inside a runtime, else on the reactor.
 * Blocking:  never; the text is compiled in the call.
 * Cancel:    stops the script at its next backward jump or call, and cancels what it waits for.
 * Errors:    CW_E_PARSE   a syntax error
 *            CW_E_SCRIPT  the script failed; the message has the place and the trace
 *            CW_E_UNSUPPORTED  the result holds a closure
 *            CW_E_STALE, CW_E_INVALID, CW_E_CANCELLED, CW_E_NOMEM
 * Returns:   never NULL.
 * Since:     0.1
 */
CW_API cw_future *cw_script_eval(cw_script *script, const char *text, size_t size);

/**
 * Runs a script and waits for it: cw_await() of cw_script_eval().
 *
 * Ownership: the caller releases `*out`.
 * Blocking:  a plain thread, until the script ends; a task parks.
 * Errors:    as cw_script_eval(), and CW_E_REENTRANT as cw_await()
 * Since:     0.1
 */
CW_API cw_status cw_script_eval_sync(cw_script *script, const char *text, size_t size,
                                     cw_value *out, cw_error *err);

/**
 * Checks a script without running it.
 *
 * Errors:    CW_E_PARSE  err->line and err->column say where; CW_E_STALE; CW_E_INVALID; CW_E_NOMEM
 * Since:     0.1
 */
CW_API cw_status cw_script_check(cw_script *script, const char *text, size_t size, cw_error *err);

CW_END_DECLS

#endif
