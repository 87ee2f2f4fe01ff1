/* SPDX-License-Identifier: MIT */
/* Language models against llama.cpp, in one run: opening, a prompt of 512 tokens, 64 tokens of
 * generation, resident memory, at 1 and 2 threads, and 2 threads with another process that keeps a
 * core busy.
 *
 * usage: bench_llm MODEL...
 * CW_LLM_PEER in the environment is the command of the peer (node bench.mjs), to which MODEL,
 * threads and the two lengths are added; without it the peer's column is 0. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "llm/llm_session.h"

#define PROMPT 512U
#define GENERATE 64U

typedef struct figures {
  double open_ms;
  double prompt; /* tokens a second */
  double generate;
  double resident_mb;
} figures;

static double resident_mb(void) {
  double kilobytes = 0;
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "VmRSS:", 6) == 0) kilobytes = strtod(line + 6, NULL);
  }
  if (file != NULL) (void)fclose(file);
  return kilobytes * 1024 / 1e6;
}

static int32_t best_of(const float *logits, uint32_t len) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < len; i++) {
    if (logits[i] > logits[best]) best = i;
  }
  return (int32_t)best;
}

static cw_status measure(const char *path, size_t threads, size_t prompt, figures *out,
                         cw_error *err) {
  cwi_llm_engine *engine = NULL;
  cwi_llm_session *session = NULL;
  int32_t tokens[PROMPT];
  const cwi_llm_engine_options options = {.threads = threads, .context = PROMPT + GENERATE};
  const double opening = bench_now();
  cw_status status = cwi_llm_engine_open(path, &options, &engine, err);
  out->open_ms = (bench_now() - opening) * 1e3;
  if (status == CW_OK) status = cwi_llm_session_new(engine, NULL, &session, err);
  for (size_t i = 0; i < prompt; i++) tokens[i] = (int32_t)((i * 7) % 700 + 3);
  /* The first pass brings the model's pages in. */
  if (status == CW_OK) status = cwi_llm_session_append(session, 5, NULL, err);
  if (status == CW_OK) cwi_llm_session_truncate(session, 0);
  const double begin = bench_now();
  if (status == CW_OK) status = cwi_llm_session_prompt(session, tokens, prompt, NULL, err);
  const double middle = bench_now();
  for (size_t i = 0; i < GENERATE && status == CW_OK; i++) {
    const int32_t token = best_of(cwi_llm_session_logits(session), cwi_llm_session_vocab(session));
    status = cwi_llm_session_append(session, token, NULL, err);
  }
  const double end = bench_now();
  out->prompt = (double)prompt / (middle - begin);
  out->generate = GENERATE / (end - middle);
  out->resident_mb = resident_mb();
  cwi_llm_session_free(session);
  cwi_llm_engine_free(engine);
  return status;
}

static figures measure_peer(const char *path, size_t threads, size_t prompt) {
  figures peer = {0};
  char command[2048];
  char line[512];
  const char *base = getenv("CW_LLM_PEER");
  if (base == NULL) return peer;
  (void)snprintf(command, sizeof(command), "%s '%s' %zu %zu %u", base, path, threads, prompt,
                 GENERATE);
  FILE *pipe = popen(command, "r");
  while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL) {
    figures read = {0};
    if (sscanf(line, "%lf %lf %lf %lf", &read.open_ms, &read.prompt, &read.generate,
               &read.resident_mb) == 4) {
      peer = read;
    }
  }
  if (pipe != NULL) (void)pclose(pipe);
  return peer;
}

/* A process that does nothing but run. */
static pid_t start_busy(void) {
  const pid_t child = fork();
  if (child == 0) {
    for (volatile uint64_t i = 0;;) i++;
  }
  return child;
}

static void report(const char *model, const char *what, size_t threads, double ours, double peer,
                   const char *unit) {
  char row[160];
  const char *name = strrchr(model, '/');
  (void)snprintf(row, sizeof(row), "llm %s %s %zut", name != NULL ? name + 1 : model, what,
                 threads);
  bench_row(row, ours, peer, unit);
}

static int run(const char *path) {
  cw_error err = {0};
  double idle[2] = {0, 0};
  for (size_t threads = 1; threads <= 2; threads++) {
    figures ours = {0};
    if (measure(path, threads, PROMPT, &ours, &err) != CW_OK) {
      (void)fprintf(stderr, "%s: %s\n", path, err.message);
      return 1;
    }
    const figures peer = measure_peer(path, threads, PROMPT);
    report(path, "open", threads, ours.open_ms, peer.open_ms, "ms");
    report(path, "prompt 512", threads, ours.prompt, peer.prompt, "tokens/s");
    report(path, "generate 64", threads, ours.generate, peer.generate, "tokens/s");
    report(path, "resident", threads, ours.resident_mb, peer.resident_mb, "MB");
    idle[0] = ours.generate;
    idle[1] = peer.generate;
  }
  /* The share of the idle figure that is left with a busy core. */
  const pid_t busy = start_busy();
  figures ours = {0};
  const cw_status status = measure(path, 2, 16, &ours, &err);
  const figures peer = measure_peer(path, 2, 16);
  (void)kill(busy, SIGKILL);
  (void)waitpid(busy, NULL, 0);
  report(path, "busy generate/idle", 2, ours.generate / idle[0],
         idle[1] > 0 ? peer.generate / idle[1] : 0, "share");
  return status == CW_OK ? 0 : 1;
}

int main(int argc, char **argv) {
  int code = argc < 2 ? 2 : 0;
  if (argc < 2) (void)fprintf(stderr, "usage: bench_llm MODEL...\n");
  for (int i = 1; i < argc; i++) code |= run(argv[i]);
  return code;
}
