/* SPDX-License-Identifier: MIT */
/* causeway doctor: does what the library needs work on this machine? */
#include <stdio.h>
#include <string.h>

#include "causeway/clock.h"
#include "causeway/file.h"
#include "causeway/model.h"
#include "causeway/offload.h"
#include "cli/cli.h"

static bool report(const char *what, cw_status status, const cw_error *err, const char *detail) {
  if (status == CW_OK) {
    (void)printf("ok      %-22s %s\n", what, detail);
  } else {
    (void)printf("FAILED  %-22s %s\n", what, err->message);
  }
  return status == CW_OK;
}

static cw_status task_body(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)out;
  return cw_await(cw_sleep(1), NULL, err);
}

static cw_status pool_body(void *context, cw_value *out, cw_error *err) {
  (void)context;
  (void)err;
  *out = cw_value_bool(true);
  return CW_OK;
}

static bool check_timer(void) {
  cw_error err;
  char detail[64];
  uint64_t before = cw_clock_now_ns();
  cw_status status = cw_block_on(task_body, NULL, NULL, &err);
  (void)snprintf(detail, sizeof(detail), "1 ms took %.2f ms",
                 (double)(cw_clock_now_ns() - before) / 1e6);
  return report("tasks and timers", status, &err, detail);
}

static bool check_pool(void) {
  cw_error err;
  cw_status status = cw_await(cw_offload(pool_body, NULL), NULL, &err);
  return report("background threads", status, &err, "");
}

static bool check_folder(void) {
  cw_error err;
  cw_value folder;
  char path[4200];
  cw_status status = cw_await(cw_model_folder(NULL), &folder, &err);
  if (status != CW_OK) return report("model folder", status, &err, "");
  (void)snprintf(path, sizeof(path), "%s", (const char *)cw_value_as_bytes(folder).data);
  cw_value_release(&folder);
  status = cw_await(cw_file_make_folder(path), NULL, &err);
  char probe[4300];
  (void)snprintf(probe, sizeof(probe), "%s/.probe", path);
  if (status == CW_OK) status = cw_await(cw_file_replace(probe, "x", 1), NULL, &err);
  if (status == CW_OK) status = cw_await(cw_file_remove(probe, false), NULL, &err);
  return report("model folder", status, &err, path);
}

static bool check_handles(void) {
  cw_error err;
  uint64_t left = cw_handle_count(CW_HANDLE_NONE);
  (void)snprintf(err.message, sizeof(err.message), "%llu are left", (unsigned long long)left);
  return report("handles", left == 0 ? CW_OK : CW_E_INTERNAL, &err, "none left");
}

static int run(int argc, char **argv) {
  if (cli_has_unknown_option(&cli_doctor, argc, argv)) return CLI_MISUSE;
  if (argc != 0) return cli_misuse(&cli_doctor, "there are no arguments");
  (void)printf("causeway %s\n", cw_version());
  bool good = check_timer();
  good &= check_pool();
  good &= check_folder();
  good &= check_handles();
  return good ? CLI_OK : CLI_FAILED;
}

const cli_command cli_doctor = {"doctor", "check that everything works on this machine",
                                "Check that what Causeway needs works on this machine.\n\n"
                                "Usage: causeway doctor\n\n"
                                "Prints a line a check; the exit code is 0 when all are ok.\n",
                                run};
