/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Everything: one include for programs that do not count headers.
 *
 * Thread rule: see each header.
 */
#ifndef CAUSEWAY_CAUSEWAY_H
#define CAUSEWAY_CAUSEWAY_H

#include "causeway/alloc.h"
#include "causeway/base.h"
#include "causeway/cbor.h"
#include "causeway/channel.h"
#include "causeway/clock.h"
#include "causeway/db.h"
#include "causeway/error.h"
#include "causeway/file.h"
#include "causeway/future.h"
#include "causeway/handle.h"
#include "causeway/http.h"
#include "causeway/json.h"
#include "causeway/llm.h"
#include "causeway/model.h"
#include "causeway/offload.h"
#include "causeway/port.h"
#include "causeway/runtime.h"
#include "causeway/script.h"
#include "causeway/stream.h"
#include "causeway/task.h"
#include "causeway/value.h"
#include "causeway/worker.h"

#endif
