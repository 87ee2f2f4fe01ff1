/* SPDX-License-Identifier: MIT */
/* The public face: engines as handles, evaluation as futures.
 *
 * An evaluation is a job: a run and the completer of its future. It is driven from loop callbacks: run
 * until the end or until the run waits for a future, then come back when that has settled. A waiting
 * job holds no thread and no task. Cancelling the evaluation cancels what it waits for; the run then
 * sees the failure, and the job ends with CW_E_CANCELLED. */
#include "causeway/script.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "causeway/future.h"
#include "core/alloc.h"
#include "core/assert.h"
#include "core/handle.h"
#include "script/script_engine.h"
#include "script/script_run.h"

typedef struct script_object {
  cwi_object_head head;
  cwi_script_engine *engine;
  cw_script_print_fn print;
  void *print_context;
} script_object;

static void script_deinit(cwi_object_head *head) {
  cwi_engine_release(((script_object *)(void *)head)->engine);
}

static void script_closed(cwi_object_head *head, cw_handle_kind kind) {
  (void)kind;
  cwi_object_unref(head);
}

static const cwi_pool_ops script_ops = {.name = "script",
                                        .size = sizeof(script_object),
                                        .closed = script_closed,
                                        .deinit = script_deinit};
static pthread_once_t script_once = PTHREAD_ONCE_INIT;
static void define_pool(void) { cwi_pool_define(CW_HANDLE_ENGINE, CW_HANDLE_NONE, &script_ops); }

static void print_line(bool debug, const char *text, size_t size, const char *source,
                       cwi_script_pos pos, void *context) {
  const script_object *object = context;
  (void)source;
  if (object->print == NULL) return;
  object->print(debug, text, size, cwi_script_pos_line(pos), object->print_context);
}

cw_status cw_script_new(cw_script **out, cw_error *err) {
  if (out == NULL) return CWI_RAISE(err, CW_E_INVALID, 0, "`out` is NULL");
  *out = NULL;
  pthread_once(&script_once, define_pool);
  cwi_script_engine *engine = NULL;
  cw_status status = cwi_engine_new(&engine, err);
  if (status != CW_OK) return status;
  script_object *object = cwi_object_new(CW_HANDLE_ENGINE, false);
  if (object == NULL) {
    cwi_engine_release(engine);
    return CWI_RAISE_NOMEM(err, "a script engine");
  }
  object->engine = engine;
  engine->print = print_line;
  engine->print_context = object;
  *out = cwi_object_handle(object, CW_HANDLE_ENGINE);
  return CW_OK;
}

static script_object *get_object(const cw_script *script, cw_error *err) {
  pthread_once(&script_once, define_pool);
  script_object *object = cwi_handle_get(script, CW_HANDLE_ENGINE);
  if (object == NULL) CWI_RAISE(err, CW_E_STALE, 0, "not a live script engine");
  return object;
}

cw_status cw_script_on_print(cw_script *script, cw_script_print_fn callback, void *context,
                             cw_error *err) {
  script_object *object = get_object(script, err);
  if (object == NULL) return CW_E_STALE;
  object->print = callback;
  object->print_context = context;
  cwi_object_unref(object);
  return CW_OK;
}

cw_status cw_script_set_limit(cw_script *script, cw_script_limit limit, uint64_t value,
                              cw_error *err) {
  script_object *object = get_object(script, err);
  if (object == NULL) return CW_E_STALE;
  cwi_script_engine *engine = object->engine;
  cw_status status = CW_OK;
  switch (limit) {
    case CW_SCRIPT_LIMIT_OPERATIONS: engine->limits.operations_max = value; break;
    case CW_SCRIPT_LIMIT_CALL_LEVELS: engine->limits.call_levels_max = (uint32_t)value; break;
    case CW_SCRIPT_LIMIT_STRING_BYTES: engine->limits.string_size_max = (size_t)value; break;
    case CW_SCRIPT_LIMIT_ARRAY_ITEMS: engine->limits.array_len_max = (size_t)value; break;
    case CW_SCRIPT_LIMIT_MAP_ENTRIES: engine->limits.map_len_max = (size_t)value; break;
    case CW_SCRIPT_LIMIT_ASYNC_MS: engine->async_timeout_ms = value; break;
    default: status = CWI_RAISE(err, CW_E_INVALID, 0, "no limit number %d", (int)limit); break;
  }
  cwi_object_unref(object);
  return status;
}

cw_status cw_script_register(cw_script *script, const char *name, uint32_t arity, cw_script_fn fn,
                             void *context, cw_error *err) {
  if (name == NULL || fn == NULL || !cwi_script_is_identifier(name, strlen(name))) {
    return CWI_RAISE(err, CW_E_INVALID, 0, "a host function needs a function and a proper name");
  }
  script_object *object = get_object(script, err);
  if (object == NULL) return CW_E_STALE;
  void *address = NULL;
  memcpy(&address, &fn, sizeof(fn));
  cw_status status =
      cwi_engine_register(object->engine, name, arity, cwi_host_call, address, context, err);
  cwi_object_unref(object);
  return status;
}

/* ---- evaluation ---- */

typedef struct job {
  script_object *object;
  cwi_script_run *run;
  cw_completer *completer;
  _Atomic bool stop;
  _Atomic uint32_t refs; /* the evaluation, and the completer's cancel callback */
  pthread_mutex_t lock;
  cw_future *pending; /* [lock] what to cancel: the run waits for it */
} job;

static void job_unref(job *j, uint32_t count) {
  if (atomic_fetch_sub(&j->refs, count) != count) return;
  pthread_mutex_destroy(&j->lock);
  CWI_FREE(j);
}

/* The evaluation is over. A completer that was cancelled has called, or is calling, the callback,
 * which gives its reference back itself; else it never will. */
static void job_end(job *j, cw_status completed) {
  cwi_script_run_free(j->run);
  j->run = NULL;
  cwi_object_unref(j->object);
  job_unref(j, completed == CW_E_CANCELLED ? 1 : 2);
}

static cw_status job_fail(job *j) {
  cwi_buf text = {0};
  cwi_script_error *error = &j->run->error;
  cw_status code = error->kind == CWI_SCRIPT_E_NOMEM ? CW_E_NOMEM : CW_E_SCRIPT;
  if (atomic_load(&j->stop)) code = CW_E_CANCELLED;
  if (code == CW_E_SCRIPT) cwi_script_error_text(error, true, &text);
  cw_status completed =
      cw_complete_error(j->completer, code, text.size == 0 ? NULL : cwi_buf_cstr(&text));
  cwi_buf_deinit(&text);
  return completed;
}

static void drive(job *j);

static void job_on_settle(cw_future *future, void *context) {
  job *j = context;
  cwi_script_run *run = j->run;
  cw_error err = {0};
  pthread_mutex_lock(&j->lock);
  j->pending = run->pending = NULL;
  pthread_mutex_unlock(&j->lock);
  run->answer_status = cw_future_take(future, &run->answer, &err);
  if (run->answer_status != CW_OK) {
    if (run->answer_text == NULL) run->answer_text = cwi_alloc(CW_ERROR_MESSAGE_BYTES_MAX);
    if (run->answer_text != NULL) {
      memcpy(run->answer_text, err.message, CW_ERROR_MESSAGE_BYTES_MAX);
    }
  }
  drive(j);
}

static void job_on_cancel(void *context) {
  job *j = context;
  atomic_store(&j->stop, true);
  pthread_mutex_lock(&j->lock);
  if (j->pending != NULL) cw_future_cancel(j->pending);
  pthread_mutex_unlock(&j->lock);
  job_unref(j, 1);
}

/* The run waits: comes back when what it waits for has settled. */
static bool job_wait(job *j) {
  cw_future *pending = j->run->pending;
  pthread_mutex_lock(&j->lock);
  j->pending = pending;
  if (atomic_load(&j->stop)) cw_future_cancel(pending);
  pthread_mutex_unlock(&j->lock);
  if (cw_future_on_settle(pending, job_on_settle, j, NULL) == CW_OK) return true;
  pthread_mutex_lock(&j->lock);
  j->pending = NULL;
  pthread_mutex_unlock(&j->lock);
  return false;
}

static void drive(job *j) {
  cwi_script_run *run = j->run;
  cwi_script_state state = cwi_script_run_go(run);
  if (state == CWI_SCRIPT_SUSPENDED) {
    if (job_wait(j)) return;
    cwi_script_raise_nomem(run);
    state = CWI_SCRIPT_FAILED;
  }
  cw_value result = cwi_value_none();
  cw_status completed = CW_OK;
  if (state == CWI_SCRIPT_DONE && cw_value_clone(run->result, &result, NULL) == CW_OK) {
    completed = cw_complete(j->completer, result);
  } else if (state == CWI_SCRIPT_DONE) {
    completed = cw_complete_error(j->completer, CW_E_UNSUPPORTED,
                                  "the script's result cannot leave its engine: return plain data");
  } else {
    completed = job_fail(j);
  }
  job_end(j, completed);
}

static void job_on_start(cw_future *future, void *context) {
  cw_future_take(future, NULL, NULL);
  drive(context);
}

static cw_status job_new(script_object *object, const char *text, size_t size, job **out,
                         cw_error *err) {
  cwi_script_parse_options options = cwi_engine_parse_options(object->engine);
  cwi_script_parse_error parse_error;
  cwi_script_program *program = NULL;
  cw_status status =
      cwi_engine_compile(object->engine, text, size, "", &options, &parse_error, &program, err);
  cwi_buf_deinit(&parse_error.message);
  if (status != CW_OK) return status;
  job *j = CWI_NEW(job);
  status = j == NULL ? CWI_RAISE_NOMEM(err, "an evaluation") : CW_OK;
  if (status == CW_OK) status = cwi_script_run_new(object->engine, program, &j->run, err);
  if (status == CW_OK && !cwi_script_run_start(j->run, program->main, NULL, 0)) {
    cwi_script_run_free(j->run);
    status = CWI_RAISE_NOMEM(err, "an evaluation");
  }
  cwi_script_program_release(program);
  if (status != CW_OK) {
    CWI_FREE(j);
    return status;
  }
  j->run->stop = &j->stop;
  atomic_init(&j->refs, 2);
  pthread_mutex_init(&j->lock, NULL);
  j->object = object;
  *out = j;
  return CW_OK;
}

cw_future *cw_script_eval(cw_script *script, const char *text, size_t size) {
  cw_error err = {0};
  if (text == NULL && size != 0) return cw_failed(CW_E_INVALID, "`text` is NULL");
  script_object *object = get_object(script, &err);
  if (object == NULL) return cw_failed(CW_E_STALE, err.message);
  job *j = NULL;
  cw_status status = job_new(object, text == NULL ? "" : text, size, &j, &err);
  if (status != CW_OK) {
    cwi_object_unref(object);
    cwi_buf message = {0};
    cwi_buf_append_str(&message, err.message);
    if (err.line != 0) {
      cwi_buf_append_format(&message, " (line %d, position %d)", err.line, err.column);
    }
    cw_future *failed = cw_failed(status, cwi_buf_cstr(&message));
    cwi_buf_deinit(&message);
    return failed;
  }
  cw_future *future = cw_oneshot(&j->completer);
  if (j->completer == NULL) {
    job_end(j, CW_OK);
    return future;
  }
  if (cw_completer_on_cancel(j->completer, job_on_cancel, j) != CW_OK) job_unref(j, 1);
  cw_future *start = cw_ready(cwi_value_null());
  if (cw_future_on_settle(start, job_on_start, j, &err) != CW_OK) {
    cw_release(start);
    job_end(j, cw_complete_error(j->completer, CW_E_NOMEM, NULL));
  }
  return future;
}

cw_status cw_script_eval_sync(cw_script *script, const char *text, size_t size, cw_value *out,
                              cw_error *err) {
  if (out != NULL) *out = cwi_value_none();
  return cw_await(cw_script_eval(script, text, size), out, err);
}

cw_status cw_script_check(cw_script *script, const char *text, size_t size, cw_error *err) {
  if (text == NULL && size != 0) return CWI_RAISE(err, CW_E_INVALID, 0, "`text` is NULL");
  script_object *object = get_object(script, err);
  if (object == NULL) return CW_E_STALE;
  cwi_script_parse_options options = cwi_engine_parse_options(object->engine);
  cwi_script_parse_error parse_error;
  cwi_script_program *program = NULL;
  cw_status status = cwi_engine_compile(object->engine, text == NULL ? "" : text, size, "",
                                        &options, &parse_error, &program, err);
  cwi_buf_deinit(&parse_error.message);
  cwi_script_program_release(program);
  cwi_object_unref(object);
  return status;
}
