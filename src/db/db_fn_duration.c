/* SPDX-License-Identifier: MIT */
/* duration:: functions. */
#include "db/db_fn_internal.h"

#define NANOS UINT64_C(1000000000)

static cwi_u128 nanos_of(cw_value duration) {
  return (cwi_u128)(uint64_t)cw_value_as_seconds(duration) * NANOS + cw_value_as_nanos(duration);
}

#define IN_UNIT(name, unit)                                    \
  FN(name) {                                                   \
    FN_UNUSED;                                                 \
    *out = cwi_value_int((int64_t)(nanos_of(args[0]) / (unit))); \
    return CW_OK;                                              \
  }
IN_UNIT(in_nanos, 1U)
IN_UNIT(in_micros, 1000U)
IN_UNIT(in_millis, 1000000U)
IN_UNIT(in_secs, NANOS)
IN_UNIT(in_mins, NANOS * 60)
IN_UNIT(in_hours, NANOS * 3600)
IN_UNIT(in_days, NANOS * 86400)
IN_UNIT(in_weeks, NANOS * 604800)
IN_UNIT(in_years, NANOS * 31536000)

/* A negative count wraps, as the recorded engine does. */
#define FROM_UNIT(name, unit)                                                              \
  FN(name) {                                                                               \
    FN_UNUSED;                                                                             \
    cwi_u128 nanos = (cwi_u128)(uint64_t)cwi_value_as_int(args[0]) * (unit);               \
    if (nanos / NANOS > UINT64_MAX) {                                                      \
      return cwi_fn_fail_value(err, "Failed to compute: \"", args[0],                      \
                               "\", as the operation results in an arithmetic overflow."); \
    }                                                                                      \
    *out = cw_value_duration((uint64_t)(nanos / NANOS), (uint32_t)(nanos % NANOS));        \
    return CW_OK;                                                                          \
  }
FROM_UNIT(from_nanos, 1U)
FROM_UNIT(from_micros, 1000U)
FROM_UNIT(from_millis, 1000000U)
FROM_UNIT(from_secs, NANOS)
FROM_UNIT(from_mins, NANOS * 60)
FROM_UNIT(from_hours, NANOS * 3600)
FROM_UNIT(from_days, NANOS * 86400)
FROM_UNIT(from_weeks, NANOS * 604800)

#define P CWI_DB_FN_PURE
static const cwi_db_fn rows[] = {
    {"duration::days", "u", in_days, P, "In days."},
    {"duration::from_days", "i", from_days, P, "Of days."},
    {"duration::from_hours", "i", from_hours, P, "Of hours."},
    {"duration::from_micros", "i", from_micros, P, "Of microseconds."},
    {"duration::from_millis", "i", from_millis, P, "Of milliseconds."},
    {"duration::from_mins", "i", from_mins, P, "Of minutes."},
    {"duration::from_nanos", "i", from_nanos, P, "Of nanoseconds."},
    {"duration::from_secs", "i", from_secs, P, "Of seconds."},
    {"duration::from_weeks", "i", from_weeks, P, "Of weeks."},
    {"duration::hours", "u", in_hours, P, "In hours."},
    {"duration::micros", "u", in_micros, P, "In microseconds."},
    {"duration::millis", "u", in_millis, P, "In milliseconds."},
    {"duration::mins", "u", in_mins, P, "In minutes."},
    {"duration::nanos", "u", in_nanos, P, "In nanoseconds."},
    {"duration::secs", "u", in_secs, P, "In seconds."},
    {"duration::weeks", "u", in_weeks, P, "In weeks."},
    {"duration::years", "u", in_years, P, "In years."},
};
FN_LIST(cwi_db_fns_duration, "duration::", rows);
