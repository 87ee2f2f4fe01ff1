/* SPDX-License-Identifier: MIT */
/* causeway pull: a download with a bar on a terminal, plain lines elsewhere, JSON for programs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "causeway/model.h"
#include "cli/cli.h"

#define MIRRORS_MAX 16
#define BAR_CELLS 28

typedef struct pull_view {
  bool json;
  bool quiet;
  bool terminal;
  int last_tenth; /* of plain lines */
} pull_view;

static void show_eta(const cw_value event) {
  cw_value eta = cw_value_object_get(event, "eta", 3);
  if (cw_value_kind_of(eta) != CW_VALUE_FLOAT) return;
  long seconds = (long)(cw_value_as_float(eta) + 0.5);
  (void)fprintf(stderr, "  %ld:%02ld left", seconds / 60, seconds % 60);
}

static void show_progress(pull_view *view, const cw_value event) {
  double bytes = (double)cli_int(event, "bytes");
  double total = (double)cli_int(event, "total");
  double rate = cw_value_as_float(cw_value_object_get(event, "rate", 4));
  int tenth = total > 0 ? (int)(bytes * 10 / total) : (int)(bytes / 1e8);
  if (!view->terminal && tenth == view->last_tenth) return;
  view->last_tenth = tenth;
  if (view->terminal) (void)fputs("\r\033[K", stderr);
  if (total > 0 && view->terminal) {
    int cells = (int)(bytes * BAR_CELLS / total);
    char bar[BAR_CELLS + 1];
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)(cells > BAR_CELLS ? BAR_CELLS : cells));
    bar[BAR_CELLS] = '\0';
    (void)fprintf(stderr, "[%s] ", bar);
  }
  if (total > 0) (void)fprintf(stderr, "%3.0f %%  ", bytes * 100 / total);
  (void)fprintf(stderr, "%s", cli_bytes(bytes));
  if (total > 0) (void)fprintf(stderr, " of %s", cli_bytes(total));
  if (rate > 0) (void)fprintf(stderr, "  %s/s", cli_bytes(rate));
  show_eta(event);
  if (!view->terminal) (void)fputc('\n', stderr);
  (void)fflush(stderr);
}

static void show(pull_view *view, const cw_value event) {
  const char *kind = cli_text(event, "event");
  if (view->json) {
    cli_print_json(event);
  } else if (strcmp(kind, "done") == 0) {
    if (view->terminal && !view->quiet) (void)fputs("\r\033[K", stderr);
    if (!view->quiet) {
      (void)fprintf(stderr, "%s, sha256 %s%s\n", cli_bytes((double)cli_int(event, "bytes")),
                    cli_text(event, "sha256"),
                    cw_value_as_bool(cw_value_object_get(event, "cached", 6)) ? ", was there" : "");
    }
    (void)printf("%s\n", cli_text(event, "path"));
  } else if (!view->quiet && strcmp(kind, "retry") == 0) {
    (void)fprintf(stderr, "%s%s; trying again\n", view->terminal ? "\r\033[K" : "",
                  cli_text(event, "message"));
  } else if (!view->quiet) {
    show_progress(view, event);
  }
}

static bool take_mirrors(int *argc, char **argv, const char **mirrors, uint32_t *len) {
  const char *mirror = NULL;
  *len = 0;
  while (cli_take_option(argc, argv, "--mirror", &mirror)) {
    if (mirror == NULL) return true;
    if (*len == MIRRORS_MAX) return false;
    mirrors[(*len)++] = mirror;
  }
  return false;
}

static int run(int argc, char **argv) {
  cw_model_options options = CW_MODEL_OPTIONS_INIT;
  const char *mirrors[MIRRORS_MAX];
  pull_view view = {.last_tenth = -1, .terminal = isatty(STDERR_FILENO) != 0};
  options.mirrors = mirrors;
  if (!cli_take_option(&argc, argv, "--sha256", &options.sha256) ||
      !cli_take_option(&argc, argv, "--name", &options.name) ||
      !cli_take_option(&argc, argv, "--dir", &options.folder) ||
      !take_mirrors(&argc, argv, mirrors, &options.mirror_len)) {
    return CLI_MISUSE;
  }
  view.json = cli_take_flag(&argc, argv, "--json");
  view.quiet = cli_take_flag(&argc, argv, "--quiet");
  if (cli_has_unknown_option(&cli_pull, argc, argv)) return CLI_MISUSE;
  if (argc != 1) return cli_misuse(&cli_pull, "one URL is needed");
  cw_error err;
  cw_value event;
  cw_stream *stream = cw_model_pull(argv[0], &options, &err);
  if (stream == NULL) return cli_fail(&err, view.json);
  while (cw_await(cw_stream_next(stream), &event, &err) == CW_OK) {
    show(&view, event);
    cw_value_release(&event);
  }
  (void)cw_release(stream);
  if (err.code == CW_E_END) return CLI_OK;
  if (view.terminal && !view.quiet && !view.json) (void)fputs("\r\033[K", stderr);
  return cli_fail(&err, view.json);
}

const cli_command cli_pull = {
    "pull", "download a model so that nothing can break it",
    "Download a model so that nothing can break it: resumed, verified, put in place atomically.\n\n"
    "Usage: causeway pull URL [OPTIONS]\n\nOptions:\n"
    "  --sha256 HEX   the sum that the file must have\n"
    "  --name NAME    the name to keep it under (default: the last part of the URL)\n"
    "  --dir DIR      the folder to keep it in (default: causeway model path)\n"
    "  --mirror URL   another place with the same bytes; may be given several times\n"
    "  --json         one JSON object a line: progress, retry, done, error\n"
    "  --quiet        print the path only\n"
    "\nThe path of the model goes to standard output, all else to standard error.\n"
    "\nExamples:\n"
    "  causeway pull https://example.org/tiny.gguf\n"
    "  causeway pull https://example.org/tiny.gguf --sha256 9f86d08... --name tiny\n"
    "  MODEL=$(causeway pull --quiet https://example.org/tiny.gguf)\n"
    "\nMore: causeway model --help\n",
    run};
