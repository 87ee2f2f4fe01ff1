/* SPDX-License-Identifier: MIT */
/* The runtime against the bare mechanisms, in one run: a callback with malloc and free, a futex, a
 * timerfd, libuv's timers. Rows with a fixed bar name it behind the slash. */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <uv.h>

#include "bench.h"
#include "causeway/runtime.h"
#include "causeway/task.h"
#include "core/timer.h"

#define ROUNDS 1000000

static _Atomic int64_t sink;

/* Runs `fn` as a root task that writes its figure to the double it gets. */
static double figure_of(cw_task_fn fn) {
  double figure = 0;
  (void)cw_block_on(fn, &figure, NULL, NULL);
  return figure;
}

/* ---- completing a future ---- */

typedef struct plain_future {
  void (*callback)(struct plain_future *future);
  int64_t value;
} plain_future;

static void plain_callback(plain_future *f) {
  atomic_store_explicit(&sink, f->value, memory_order_relaxed);
}

static double floor_complete(void) {
  double start = bench_now();
  for (int i = 0; i < ROUNDS; i++) {
    plain_future *volatile f = malloc(sizeof(plain_future));
    f->callback = plain_callback;
    f->value = i;
    f->callback(f);
    free(f);
  }
  return (bench_now() - start) / ROUNDS * 1e9;
}

static void on_settle(cw_future *future, void *context) {
  cw_value value;
  (void)context;
  (void)cw_future_take(future, &value, NULL);
  atomic_store_explicit(&sink, cw_value_as_int(value), memory_order_relaxed);
}

static cw_status complete_many(void *context, cw_value *out, cw_error *err) {
  double start = bench_now();
  (void)out;
  for (int i = 0; i < ROUNDS; i++) {
    cw_completer *completer;
    cw_future *future = cw_oneshot(&completer);
    (void)cw_future_on_settle(future, on_settle, NULL, err);
    (void)cw_complete(completer, cw_value_int(i));
    if (i % 64 == 63) (void)cw_yield(err); /* the callbacks run */
  }
  *(double *)context = (bench_now() - start) / ROUNDS * 1e9;
  return CW_OK;
}

static cw_status await_many(void *context, cw_value *out, cw_error *err) {
  double start = bench_now();
  (void)out;
  for (int i = 0; i < ROUNDS; i++) {
    cw_completer *completer;
    cw_future *future = cw_oneshot(&completer);
    cw_value value;
    (void)cw_complete(completer, cw_value_int(i));
    (void)cw_await(future, &value, err);
  }
  *(double *)context = (bench_now() - start) / ROUNDS * 1e9;
  return CW_OK;
}

/* ---- tasks ---- */

static cw_status nothing(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)err;
  *out = cw_value_int(1);
  return CW_OK;
}

static cw_status spawn_many(void *context, cw_value *out, cw_error *err) {
  double start = bench_now();
  (void)out;
  for (int i = 0; i < ROUNDS; i++) (void)cw_await(cw_spawn(nothing, NULL), NULL, err);
  *(double *)context = (bench_now() - start) / ROUNDS * 1e9;
  return CW_OK;
}

static double our_complete(void) { return figure_of(complete_many); }
static double our_await(void) { return figure_of(await_many); }
static double our_spawn(void) { return figure_of(spawn_many); }

static double resident(void) {
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
  if (f != NULL) (void)fclose(f);
  return (double)pages * 4096;
}

#define CROWD ((size_t)100000)

static cw_status park(void *context, cw_value *out, cw_error *err) {
  (void)out;
  (void)cw_retain(context);
  return cw_await(context, NULL, err);
}

static cw_status park_crowd(void *context, cw_value *out, cw_error *err) {
  static cw_future *crowd[CROWD];
  cw_completer *completer;
  (void)out;
  memset(crowd, 1, sizeof(crowd));
  cw_future *gate = cw_oneshot(&completer);
  double before = resident();
  for (size_t i = 0; i < CROWD; i++) crowd[i] = cw_spawn(park, gate);
  (void)cw_yield(err);
  *(double *)context = (resident() - before) / (double)CROWD;
  (void)cw_complete(completer, cw_value_none());
  for (size_t i = 0; i < CROWD; i++) (void)cw_await(crowd[i], NULL, err);
  (void)cw_release(gate);
  return CW_OK;
}

static double parked_future(void) {
  static cw_future *futures[CROWD];
  static cw_completer *completers[CROWD];
  memset(futures, 1, sizeof(futures));
  memset(completers, 1, sizeof(completers));
  double before = resident();
  for (size_t i = 0; i < CROWD; i++) futures[i] = cw_oneshot(&completers[i]);
  double bytes = (resident() - before) / (double)CROWD;
  for (size_t i = 0; i < CROWD; i++) {
    (void)cw_release(futures[i]);
    (void)cw_release(completers[i]);
  }
  return bytes;
}

/* ---- waking another thread ---- */

#define SERVES 5000
static _Atomic uint32_t ball;

static void futex(int op, uint32_t value) {
  (void)syscall(SYS_futex, &ball, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *futex_partner(void *context) {
  (void)context;
  for (uint32_t i = 0; i < SERVES; i++) {
    while (atomic_load(&ball) != 2 * i + 1) futex(FUTEX_WAIT, 2 * i);
    atomic_store(&ball, 2 * i + 2);
    futex(FUTEX_WAKE, 1);
  }
  return NULL;
}

static double floor_wake(void) {
  pthread_t thread;
  atomic_store(&ball, 0);
  if (pthread_create(&thread, NULL, futex_partner, NULL) != 0) return 0;
  double start = bench_now();
  for (uint32_t i = 0; i < SERVES; i++) {
    atomic_store(&ball, 2 * i + 1);
    futex(FUTEX_WAKE, 1);
    while (atomic_load(&ball) != 2 * i + 2) futex(FUTEX_WAIT, 2 * i + 1);
  }
  double us = (bench_now() - start) / SERVES * 1e6 / 2;
  (void)pthread_join(thread, NULL);
  return us;
}

/* A plain thread awaits a task on the reactor: two crossings. */
static double our_wake(void) {
  double start = bench_now();
  for (int i = 0; i < SERVES; i++) (void)cw_await(cw_spawn(nothing, NULL), NULL, NULL);
  return (bench_now() - start) / SERVES * 1e6 / 2;
}

/* ---- timers ---- */

#define TIMERS ((size_t)1000000)

static uint32_t random_next(uint32_t *seed) { return *seed = *seed * 1664525 + 1013904223; }

static cw_status sleep_random(void *context, cw_value *out, cw_error *err) {
  static cw_future *sleeps[TIMERS];
  (void)out;
  memset(sleeps, 1, sizeof(sleeps));
  double cpu = bench_cpu();
  uint32_t seed = 1;
  for (size_t i = 0; i < TIMERS; i++) sleeps[i] = cw_sleep(random_next(&seed) / 4294968 % 1000);
  for (size_t i = 0; i < TIMERS; i++) (void)cw_await(sleeps[i], NULL, err);
  *(double *)context = bench_cpu() - cpu;
  return CW_OK;
}

static void on_fire(cwi_timer *timer) { (void)timer; }

static double wheel_arm_cancel(void) {
  static cwi_timer_wheel wheel;
  static cwi_timer timers[TIMERS];
  memset(timers, 0, sizeof(timers));
  cwi_timer_wheel_init(&wheel, 0);
  uint32_t seed = 1;
  for (size_t i = 0; i < TIMERS; i++) {
    timers[i].fire = on_fire;
    cwi_timer_arm(&wheel, &timers[i], 1 + random_next(&seed) % 16384);
  }
  cwi_timer one = {.fire = on_fire};
  double start = bench_now();
  for (size_t i = 0; i < TIMERS; i++) {
    cwi_timer_arm(&wheel, &one, 1 + i % 16384);
    (void)cwi_timer_disarm(&wheel, &one);
  }
  return (bench_now() - start) / (double)TIMERS * 1e9;
}

static void on_uv_timer(uv_timer_t *timer) { (void)timer; }

static double uv_arm_cancel(void) {
  static uv_timer_t timers[TIMERS];
  uv_loop_t loop;
  (void)uv_loop_init(&loop);
  for (size_t i = 0; i < TIMERS; i++) {
    (void)uv_timer_init(&loop, &timers[i]);
    (void)uv_timer_start(&timers[i], on_uv_timer, 1000 + i % 1000, 0);
  }
  uv_timer_t one;
  (void)uv_timer_init(&loop, &one);
  double start = bench_now();
  for (size_t i = 0; i < TIMERS; i++) {
    (void)uv_timer_start(&one, on_uv_timer, i % 1000, 0);
    (void)uv_timer_stop(&one);
  }
  return (bench_now() - start) / (double)TIMERS * 1e9;
}

#define NAPS 400
static double naps[NAPS];

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static cw_status nap(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  for (int i = 0; i < NAPS; i++) {
    double start = bench_now();
    (void)cw_await(cw_sleep(1), NULL, err);
    naps[i] = (bench_now() - start) * 1e3;
  }
  return CW_OK;
}

static void floor_naps(void) {
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec ms = {.it_value.tv_nsec = 1000000};
  for (int i = 0; i < NAPS; i++) {
    uint64_t ignored;
    double start = bench_now();
    (void)timerfd_settime(fd, 0, &ms, NULL);
    if (read(fd, &ignored, sizeof(ignored)) < 0) break;
    naps[i] = (bench_now() - start) * 1e3;
  }
  (void)close(fd);
}

static void sleep_rows(void) {
  floor_naps();
  qsort(naps, NAPS, sizeof(double), by_size);
  double p50 = naps[NAPS / 2];
  double p99 = naps[NAPS * 99 / 100];
  (void)cw_block_on(nap, NULL, NULL, NULL);
  qsort(naps, NAPS, sizeof(double), by_size);
  bench_row("sleep 1 ms p50 / timerfd", naps[NAPS / 2], p50, "ms");
  bench_row("sleep 1 ms p99 / timerfd", naps[NAPS * 99 / 100], p99, "ms");
}

int main(void) {
  printf("row,ours,peer,ratio,unit\n");
  bench_row("bytes a parked future / 256", parked_future(), 256, "B"); /* while pools are fresh */
  double floor = bench_least(5, floor_complete);
  bench_row("complete a future with a callback / call with malloc", bench_least(5, our_complete),
            floor, "ns");
  bench_row("complete and await a future / call with malloc", bench_least(5, our_await), floor,
            "ns");
  bench_row("spawn and await a task / 120", bench_least(5, our_spawn), 120, "ns");
  bench_row("bytes a parked task of 100000 / 8192", figure_of(park_crowd), 8192, "B");
  bench_row("one way to the reactor / futex", bench_least(3, our_wake), bench_least(3, floor_wake),
            "us");
  bench_row("CPU of a million sleeps within 1 s / 0.4", figure_of(sleep_random), 0.4, "s");
  bench_row("arm and cancel with a million live / libuv", bench_least(3, wheel_arm_cancel),
            uv_arm_cancel(), "ns");
  sleep_rows();
  (void)cw_shutdown(1000, NULL);
  return 0;
}
