/* SPDX-License-Identifier: MIT */
/* causeway model: what lies in the folder of models. */
#include <stdio.h>
#include <string.h>

#include "causeway/model.h"
#include "cli/cli.h"

typedef struct model_arguments {
  const char *folder;
  const char *name;
  const char *sha256;
  bool json;
} model_arguments;

static void print_model(cw_value model) {
  const char *sum = cli_text(model, "sha256");
  bool partial = cw_value_as_bool(cw_value_object_get(model, "partial", 7));
  (void)printf("%10s  %.12s  %s%s\n", cli_bytes((double)cli_int(model, "bytes")),
               sum[0] != '\0' ? sum : "-           ", cli_text(model, "name"),
               partial ? "  (partial)" : "");
}

/* Prints what a call gives; the value is an object or a list of them. */
static int finish(cw_future *future, bool json) {
  cw_value value;
  cw_error err;
  if (cw_await(future, &value, &err) != CW_OK) return cli_fail(&err, json);
  if (json) {
    cli_print_json(value);
  } else if (cw_value_kind_of(value) == CW_VALUE_ARRAY) {
    for (size_t i = 0; i < cw_value_len(value); i++) print_model(cw_value_array_get(value, i));
  } else if (cw_value_kind_of(value) == CW_VALUE_OBJECT) {
    print_model(value);
  } else if (cw_value_kind_of(value) == CW_VALUE_STRING) {
    (void)printf("%s\n", (const char *)cw_value_as_bytes(value).data);
  }
  cw_value_release(&value);
  return CLI_OK;
}

static int run_import(const char *path, const model_arguments *a) {
  cw_model_options options = CW_MODEL_OPTIONS_INIT;
  options.folder = a->folder;
  options.name = a->name;
  options.sha256 = a->sha256;
  return finish(cw_model_import(path, &options), a->json);
}

static int run(int argc, char **argv) {
  model_arguments a = {.json = cli_take_flag(&argc, argv, "--json")};
  if (!cli_take_option(&argc, argv, "--dir", &a.folder) ||
      !cli_take_option(&argc, argv, "--name", &a.name) ||
      !cli_take_option(&argc, argv, "--sha256", &a.sha256)) {
    return CLI_MISUSE;
  }
  if (cli_has_unknown_option(&cli_model, argc, argv)) return CLI_MISUSE;
  const char *verb = argc > 0 ? argv[0] : "";
  if (strcmp(verb, "list") == 0 && argc == 1) return finish(cw_model_list(a.folder), a.json);
  if (strcmp(verb, "path") == 0 && argc == 1) return finish(cw_model_folder(a.folder), a.json);
  if (strcmp(verb, "verify") == 0 && argc == 2) {
    return finish(cw_model_verify(a.folder, argv[1]), a.json);
  }
  if (strcmp(verb, "rm") == 0 && argc == 2)
    return finish(cw_model_remove(a.folder, argv[1]), a.json);
  if (strcmp(verb, "import") == 0 && argc == 2) return run_import(argv[1], &a);
  return cli_misuse(&cli_model, "list, path, verify NAME, import FILE or rm NAME is needed");
}

const cli_command cli_model = {
    "model", "list, verify, import and remove models",
    "What lies in the folder of models.\n\n"
    "Usage: causeway model list | path | verify NAME | import FILE | rm NAME [OPTIONS]\n\n"
    "  list          size, start of the sum and name of every model\n"
    "  path          the folder: $CAUSEWAY_HOME/models, or the platform's place for data\n"
    "  verify NAME   read the model and compare its sum with the recorded one\n"
    "  import FILE   copy a local file in, with its sum\n"
    "  rm NAME       remove a model and what is left of its downloads\n\n"
    "Options:\n"
    "  --dir DIR     another folder\n"
    "  --name NAME   import under this name\n"
    "  --sha256 HEX  import only with this sum\n"
    "  --json        JSON for programs\n"
    "\nExamples:\n"
    "  causeway model list\n"
    "  causeway model verify tiny.gguf\n"
    "  causeway model import ~/Downloads/tiny.gguf\n"
    "\nMore: causeway pull --help\n",
    run};
