/* SPDX-License-Identifier: MIT */
/* What every benchmark shares: clocks, and rows as "row,ours,peer,ratio,unit". */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline double bench_clock(clockid_t clock) {
  struct timespec t;
  (void)clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static inline double bench_now(void) { return bench_clock(CLOCK_MONOTONIC); }
static inline double bench_cpu(void) { return bench_clock(CLOCK_PROCESS_CPUTIME_ID); }

/* The least of `rounds` figures of `run`. */
static inline double bench_least(int rounds, double (*run)(void)) {
  double least = run();
  for (int i = 1; i < rounds; i++) {
    double figure = run();
    if (figure < least) least = figure;
  }
  return least;
}

static inline void bench_row(const char *row, double ours, double peer, const char *unit) {
  printf("%s,%.4g,%.4g,%.3f,%s\n", row, ours, peer, ours / peer, unit);
  (void)fflush(stdout);
}

#endif
