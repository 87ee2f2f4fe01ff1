/* SPDX-License-Identifier: MIT */
/* Options, messages and numbers for the commands. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "causeway/json.h"

static void remove_arguments(int *argc, char **argv, int at, int count) {
  for (int i = at; i + count < *argc; i++) argv[i] = argv[i + count];
  *argc -= count;
}

bool cli_take_option(int *argc, char **argv, const char *name, const char **value) {
  size_t len = strlen(name);
  *value = NULL;
  for (int i = 0; i < *argc; i++) {
    if (strncmp(argv[i], name, len) != 0) continue;
    if (argv[i][len] == '=') {
      *value = argv[i] + len + 1;
      remove_arguments(argc, argv, i, 1);
      return true;
    }
    if (argv[i][len] != '\0') continue;
    if (i + 1 == *argc) {
      (void)fprintf(stderr, "causeway: %s needs a value\n", name);
      return false;
    }
    *value = argv[i + 1];
    remove_arguments(argc, argv, i, 2);
    return true;
  }
  return true;
}

bool cli_take_flag(int *argc, char **argv, const char *name) {
  for (int i = 0; i < *argc; i++) {
    if (strcmp(argv[i], name) != 0) continue;
    remove_arguments(argc, argv, i, 1);
    return true;
  }
  return false;
}

int cli_misuse(const cli_command *command, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)fprintf(stderr, "causeway %s: ", command->name);
  (void)vfprintf(stderr, format, arguments);
  (void)fprintf(stderr, "; see causeway %s --help\n", command->name);
  va_end(arguments);
  return CLI_MISUSE;
}

bool cli_has_unknown_option(const cli_command *command, int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    if (argv[i][0] != '-' || argv[i][1] == '\0') continue;
    (void)cli_misuse(command, "there is no option '%s'", argv[i]);
    return true;
  }
  return false;
}

static int exit_code_of(cw_status status) {
  switch (status) {
    case CW_OK: return CLI_OK;
    case CW_E_INVALID: return CLI_MISUSE;
    case CW_E_NOT_FOUND: return CLI_NOT_FOUND;
    case CW_E_CHECKSUM: return CLI_CHECKSUM;
    case CW_E_NO_SPACE: return CLI_NO_SPACE;
    case CW_E_RESOLVE:
    case CW_E_CONNECT:
    case CW_E_TLS:
    case CW_E_PROTOCOL:
    case CW_E_HTTP_STATUS:
    case CW_E_TIMEOUT:
    case CW_E_TRUNCATED:
    case CW_E_STALLED: return CLI_NETWORK;
    default: return CLI_FAILED;
  }
}

static void set_text(cw_value *object, const char *key, const char *text) {
  cw_value value;
  if (cw_value_string(text, strlen(text), &value, NULL) != CW_OK) return;
  (void)cw_value_object_set(object, key, strlen(key), value, NULL);
}

int cli_fail(const cw_error *err, bool json) {
  if (!json) {
    (void)fprintf(stderr, "causeway: %s\n  %s: %s.\n", err->message, cw_status_name(err->code),
                  cw_status_remedy(err->code));
    return exit_code_of(err->code);
  }
  cw_value object;
  if (cw_value_object(&object, NULL) != CW_OK) return CLI_FAILED;
  set_text(&object, "event", "error");
  set_text(&object, "code", cw_status_name(err->code));
  set_text(&object, "message", err->message);
  cli_print_json(object);
  cw_value_release(&object);
  return exit_code_of(err->code);
}

void cli_print_json(cw_value value) {
  cw_value text;
  if (cw_value_to_json(value, NULL, &text, NULL) != CW_OK) return;
  (void)printf("%s\n", (const char *)cw_value_as_bytes(text).data);
  (void)fflush(stdout);
  cw_value_release(&text);
}

const char *cli_text(cw_value object, const char *key) {
  const char *text = cw_value_as_bytes(cw_value_object_get(object, key, strlen(key))).data;
  return text == NULL ? "" : text;
}

int64_t cli_int(cw_value object, const char *key) {
  return cw_value_as_int(cw_value_object_get(object, key, strlen(key)));
}

const char *cli_bytes(double bytes) {
  static const char *const UNITS[] = {"B", "KB", "MB", "GB", "TB"};
  static char texts[4][32];
  static int next;
  char *text = texts[next++ % 4];
  size_t unit = 0;
  while (bytes >= 1000 && unit < 4) {
    bytes /= 1000;
    unit++;
  }
  (void)snprintf(text, sizeof(texts[0]), unit == 0 ? "%.0f %s" : "%.1f %s", bytes, UNITS[unit]);
  return text;
}
