/* SPDX-License-Identifier: MIT */
/* The program `causeway`: finds the command and lets it run. */
#include <stdio.h>
#include <string.h>

#include "causeway/runtime.h"
#include "cli/cli.h"

static const cli_command *const COMMANDS[] = {&cli_pull, &cli_model, &cli_doctor};
#define COMMAND_LEN (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static void print_help(FILE *out) {
  (void)fputs(
      "Native work that never blocks: downloads, files and models from the command line.\n\n"
      "Usage: causeway COMMAND [ARGUMENTS]\n\nCommands:\n",
      out);
  for (size_t i = 0; i < COMMAND_LEN; i++) {
    (void)fprintf(out, "  %-9s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
  }
  (void)fputs(
      "  version   print the version\n"
      "\nExamples:\n"
      "  causeway pull https://example.org/tiny.gguf --sha256 9f86d08...\n"
      "  causeway model list --json\n"
      "  causeway doctor\n"
      "\nExit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 network, 5 wrong sum,\n"
      "6 no space left.\n"
      "\nMore: causeway COMMAND --help\n",
      out);
}

static int run_command(const cli_command *command, int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
    (void)fputs(command->help, stdout);
    return CLI_OK;
  }
  int code = command->run(argc, argv);
  (void)cw_shutdown(1000, NULL);
  return code;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return CLI_MISUSE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    print_help(stdout);
    return CLI_OK;
  }
  if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
    (void)printf("causeway %s\n", cw_version());
    return CLI_OK;
  }
  for (size_t i = 0; i < COMMAND_LEN; i++) {
    if (strcmp(name, COMMANDS[i]->name) == 0) return run_command(COMMANDS[i], argc - 2, argv + 2);
  }
  (void)fprintf(stderr, "causeway: there is no command '%s'; see causeway --help\n", name);
  return CLI_MISUSE;
}
