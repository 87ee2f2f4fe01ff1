/* SPDX-License-Identifier: MIT */
/**
 * @file
 * One way to fail: a stable code, a message that says what to do, and what had happened by then.
 *
 * CW_STATUS_TABLE is the only list of codes: the enum, the names, the messages, docs/errors.md and
 * the exceptions of every host are generated from it. Codes are stable: a number is never reused.
 *
 * A cw_error belongs to the caller, has a fixed size and owns nothing, so that reporting never
 * allocates and nothing has to be freed. Wherever a function takes `cw_error *err`, NULL is
 * allowed.
 *
 * Thread rule: a cw_error is a plain value; it may be copied to any thread.
 *
 * Since: 0.1
 */
#ifndef CAUSEWAY_ERROR_H
#define CAUSEWAY_ERROR_H

#include "causeway/base.h"

CW_BEGIN_DECLS

/* X(NAME, number, text: what went wrong, remedy: what to do about it) */
#define CW_STATUS_TABLE(X)                                                                        \
  X(INVALID, -1, "invalid argument", "correct the argument that the message names")               \
  X(NOMEM, -2, "out of memory", "free memory or lower the limits of the operation")               \
  X(STALE, -3, "handle is not alive", "do not use a handle after releasing it")                   \
  X(CLOSED, -4, "closed", "the owner or the other end was closed; open a new one")                \
  X(CANCELLED, -5, "cancelled", "the operation was cancelled; start it again if it is wanted")    \
  X(TIMEOUT, -6, "timed out", "allow more time, or find out why the operation is slow")           \
  X(REENTRANT, -7, "waiting here would deadlock",                                                 \
    "await from a task or from another thread than the one that must do the work")                \
  X(ABANDONED, -8, "abandoned after the grace time",                                              \
    "the handler did not stop when asked; make it check for cancellation")                        \
  X(FORKED, -9, "used in a forked child", "call exec in the child, or start Causeway after fork") \
  X(LIMIT, -10, "limit exceeded", "raise the limit that the message names, or ask for less")      \
  X(BUSY, -11, "in use by somebody else", "wait until the other user is done, then try again")    \
  X(STATE, -12, "not possible in this state", "follow the order of calls that the header gives")  \
  X(NOT_FOUND, -13, "not found", "check the name; the message says what was looked for")          \
  X(EXISTS, -14, "already exists", "choose another name, or ask to overwrite")                    \
  X(DENIED, -15, "permission denied", "grant the permission that the message names")              \
  X(UNSUPPORTED, -16, "not supported", "see the message for what is supported")                   \
  X(VERSION, -17, "version mismatch", "use versions of both sides that belong together")          \
  X(INTERNAL, -18, "internal error", "report this as a bug, with the message")                    \
  X(END, -19, "end of stream", "there is nothing more to read")                                   \
  X(IO, -20, "input/output error", "see os_code for the system's reason")                         \
  X(NO_SPACE, -21, "no space left", "free space on the device, then resume")                      \
  X(ENCODING, -22, "invalid UTF-8", "pass valid UTF-8, or use the byte form of the call")         \
  X(PARSE, -23, "syntax error", "correct the text at the line and column given")                  \
  X(RANGE, -24, "number out of range", "use a number within the range that the message gives")    \
  X(TYPE, -25, "wrong type", "pass a value of the type that the message names")                   \
  X(CORRUPT, -26, "data is corrupt", "restore the data from a good copy")                         \
  X(CHECKSUM, -27, "checksum mismatch", "fetch the data again from a source that is trusted")     \
  X(RESOLVE, -28, "host name not found", "check the host name and the network")                   \
  X(CONNECT, -29, "connection failed", "check that the server is up and reachable")               \
  X(TLS, -30, "secure connection failed", "check the certificate, the CA and the clock")          \
  X(PROTOCOL, -31, "peer broke the protocol", "check that the address names the right service")   \
  X(HTTP_STATUS, -32, "server answered with an error status", "see http_status and the body")     \
  X(TRUNCATED, -33, "ended too early", "try again; what has arrived is kept where it can be")     \
  X(STALLED, -34, "no data for too long", "try again; the transfer can be resumed")               \
  X(SCRIPT, -35, "script failed", "see line, column and the trace for the failing expression")    \
  X(HOST, -36, "host function failed", "see the message of the host")                             \
  X(QUERY, -37, "query failed", "see the message and the position for the failing statement")     \
  X(CONSTRAINT, -38, "constraint violated", "change the data so that it obeys the constraint")    \
  X(CONFLICT, -39, "transaction conflict", "run the transaction again")                           \
  X(AUTH, -40, "authentication failed", "check the credentials")                                  \
  X(MODEL, -41, "model cannot be used", "see the message for what the model lacks")               \
  X(GRAMMAR, -42, "grammar is not usable", "correct the grammar at the position given")

/** The result of a fallible call: CW_OK, or one of the negative codes of CW_STATUS_TABLE. */
typedef int32_t cw_status;

enum {
  CW_OK = 0,
#define CW_STATUS_ENUM(NAME, number, text, remedy) CW_E_##NAME = (number),
  CW_STATUS_TABLE(CW_STATUS_ENUM)
#undef CW_STATUS_ENUM
};

/** What an operation that failed had done by then. */
typedef int32_t cw_outcome;

enum {
  CW_OUTCOME_NOTHING = 0,   /* nothing happened: it is safe to try again */
  CW_OUTCOME_MAYBE = 1,     /* something may have happened: look before trying again */
  CW_OUTCOME_COMPLETED = 2, /* it had completed; only its result was dropped */
};

#define CW_ERROR_OPERATION_BYTES_MAX 48
#define CW_ERROR_MESSAGE_BYTES_MAX 440

/** A failure in full. Owns nothing; copied by assignment. */
typedef struct cw_error {
  cw_status code;
  int32_t os_code;     /* errno, or a library's own code; 0 where none applies */
  int32_t http_status; /* of CW_E_HTTP_STATUS, else 0 */
  int32_t line;        /* 1-based line in the source text; 0 where none applies */
  int32_t column;      /* 1-based column in characters; 0 where none applies */
  cw_outcome outcome;
  char operation[CW_ERROR_OPERATION_BYTES_MAX]; /* the call that failed, NUL-terminated */
  char message[CW_ERROR_MESSAGE_BYTES_MAX];     /* UTF-8, NUL-terminated, cut at a character */
} cw_error;

/**
 * Returns the name of a status code, "CW_OK" or "CW_E_...".
 *
 * Ownership: static text. An unknown code gives "CW_E_UNKNOWN".
 * Threads:   any.
 * Since:     0.1
 */
CW_API const char *cw_status_name(cw_status status);

/**
 * Returns one line that says what a status code means.
 *
 * Ownership: static text. An unknown code gives "unknown status".
 * Threads:   any.
 * Since:     0.1
 */
CW_API const char *cw_status_text(cw_status status);

/**
 * Returns one line that says what to do about a status code; empty for CW_OK and unknown codes.
 *
 * Ownership: static text.
 * Threads:   any.
 * Since:     0.1
 */
CW_API const char *cw_status_remedy(cw_status status);

CW_END_DECLS

#endif
