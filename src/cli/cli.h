/* SPDX-License-Identifier: MIT */
/* What the commands of the program share: options, output, exit codes. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "causeway/error.h"
#include "causeway/value.h"

/* Exit codes; `causeway --help` documents them. */
enum {
  CLI_OK = 0,
  CLI_FAILED = 1,
  CLI_MISUSE = 2,
  CLI_NOT_FOUND = 3,
  CLI_NETWORK = 4,
  CLI_CHECKSUM = 5,
  CLI_NO_SPACE = 6
};

typedef struct cli_command {
  const char *name;
  const char *summary; /* one line */
  const char *help;    /* all of `causeway NAME --help` */
  int (*run)(int argc, char **argv);
} cli_command;

extern const cli_command cli_pull;
extern const cli_command cli_model;
extern const cli_command cli_doctor;

/* Takes "--name VALUE" or "--name=VALUE" out of the arguments; *value is NULL where it is not there. False
 * (and a message) where the value is missing. */
bool cli_take_option(int *argc, char **argv, const char *name, const char **value);

/* Takes "--name" out of the arguments; true where it was there. */
bool cli_take_flag(int *argc, char **argv, const char *name);

/* Says what is wrong with the arguments; gives CLI_MISUSE. */
int cli_misuse(const cli_command *command, const char *format, ...);

/* True (and CLI_MISUSE said) where an unknown option is left among the arguments. */
bool cli_has_unknown_option(const cli_command *command, int argc, char **argv);

/* Reports a failure on standard error, as JSON on standard output with `json`; gives its exit code. */
int cli_fail(const cw_error *err, bool json);

/* Prints a value as one line of JSON. */
void cli_print_json(cw_value value);

/* Texts and numbers of an object; "" and 0 where they are missing. */
const char *cli_text(cw_value object, const char *key);
int64_t cli_int(cw_value object, const char *key);

/* "1.5 MB" in a static buffer of several turns. */
const char *cli_bytes(double bytes);

#endif
