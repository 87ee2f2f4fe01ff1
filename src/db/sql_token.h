/* SPDX-License-Identifier: MIT */
/* Tokens of SurrealQL, and the lexer that makes them one at a time, on demand: what a `/` means,
 * and where a record id's key ends, is known to the parser only. */
#ifndef DB_SQL_TOKEN_H
#define DB_SQL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME): every word that has a meaning somewhere; almost all may also name a field or a table. */
#define SQL_KEYWORDS(X)                                                                                  \
  X(ACCESS)                                                                                              \
  X(AFTER)                                                                                               \
  X(ALGORITHM)                                                                                           \
  X(ALL) X(ALTER) X(ALWAYS) X(ANALYZE) X(ANALYZER) X(ANY) X(API) X(AS) X(ASC) X(ASCII) X(                \
      ASSERT) X(AT) X(AUTHENTICATE) X(AUTO) X(BACKEND) X(BATCH) X(BEARER) X(BEFORE) X(BEGIN)             \
      X(BLANK) X(BM25) X(BREAK) X(BUCKET) X(BY) X(CAMEL) X(CANCEL) X(CASCADE) X(CHANGEFEED) X(           \
          CHANGES) X(CLASS) X(COLLATE) X(COLUMNS) X(COMMENT) X(COMMIT) X(COMPUTED) X(CONCURRENTLY)       \
          X(CONFIG) X(CONTENT) X(CONTINUE) X(COUNT) X(CREATE) X(DATABASE) X(DB) X(DEFAULT) X(            \
              DEFINE) X(DELETE) X(DESC) X(DIFF) X(DIMENSION) X(DIST) X(DISTANCE) X(DROP)                 \
              X(DUPLICATE) X(DURATION) X(EDGENGRAM) X(EFC) X(ELSE) X(END) X(ENFORCED) X(                 \
                  EVENT) X(EXISTS) X(EXPIRED) X(EXPLAIN) X(EXTEND_CANDIDATES) X(FETCH) X(FIELD)          \
                  X(FIELDS) X(FILTERS) X(FLEXIBLE) X(                                                    \
                      FOR) X(FROM) X(FULL) X(FULLTEXT) X(FUNCTION) X(FUNCTIONS) X(GRANT) X(GRAPHQL)      \
                      X(GROUP) X(HIGHLIGHTS) X(HNSW) X(IF) X(IGNORE) X(IN) X(INCLUDE) X(                 \
                          INDEX) X(INFO) X(INSERT) X(INTO) X(ISSUER) X(JWT)                              \
                          X(KEEP_PRUNED_CONNECTIONS) X(KEY) X(KILL) X(LET) X(LIMIT) X(LIVE) X(           \
                              LM) X(LOWERCASE) X(M) X(M0)                                                \
                              X(MAPPER) X(MERGE) X(MIDDLEWARE) X(NAMESPACE) X(NGRAM) X(NO) X(            \
                                  NOINDEX) X(NORMAL) X(NS) X(NUMERIC) X(OMIT) X(ON) X(ONLY)              \
                                  X(OPTION) X(ORDER) X(OUT) X(OVERWRITE) X(PARALLEL) X(                  \
                                      PARAM) X(PASSHASH) X(PASSWORD) X(PATCH) X(PERMISSIONS) X(PUNCT)    \
                                      X(PURGE) X(RANGE) X(READONLY) X(REBUILD) X(RECORD) X(REFERENCE) X( \
                                          REFRESH) X(REJECT) X(RELATE) X(RELATION) X(REMOVE)             \
                                          X(RENAME) X(REPLACE) X(RETURN) X(REVOKE) X(                    \
                                              ROLES) X(ROOT) X(SCHEMAFULL) X(SCHEMALESS) X(SCOPE)        \
                                              X(SELECT) X(SEQUENCE) X(SESSION) X(                        \
                                                  SET) X(SHOW) X(SIGNIN) X(SIGNUP) X(SINCE)              \
                                                  X(SLEEP) X(SNOWBALL) X(SPLIT) X(START) X(              \
                                                      STRICT) X(STRUCTURE) X(TABLE) X(TABLES)            \
                                                      X(TEMPFILES) X(THEN) X(THROW) X(TIMEOUT) X(        \
                                                          TO) X(TOKEN) X(TOKENIZERS)                     \
                                                          X(TRANSACTION) X(TYPE) X(UNIQUE) X(            \
                                                              UNSET) X(UPDATE) X(UPPERCASE) X(UPSERT)    \
                                                              X(URL) X(USE) X(USER) X(VALUE) X(          \
                                                                  VALUES) X(VERSION) X(WHEN)             \
                                                                  X(WHERE) X(WITH) X(ALLINSIDE) X(       \
                                                                      AND) X(ANYINSIDE) X(CONTAINS)      \
                                                                      X(CONTAINSALL) X(                  \
                                                                          CONTAINSANY) X(CONTAINSNONE)   \
                                                                          X(CONTAINSNOT) X(              \
                                                                              INSIDE) X(INTERSECTS)      \
                                                                              X(IS) X(MATCHES) X(        \
                                                                                  NONEINSIDE) X(NOT)     \
                                                                                  X(NOTINSIDE) X(        \
                                                                                      OR) X(OUTSIDE)     \
                                                                                      X(FALSE) X(        \
                                                                                          TRUE)          \
                                                                                          X(NONE) X(     \
                                                                                              NULL)      \
                                                                                              X(BATCHES) \
                                                                                                  X(UNIQ)

typedef enum sql_kw {
  KW_0 = 0,
#define SQL_KW_ENUM(NAME) KW_##NAME,
  SQL_KEYWORDS(SQL_KW_ENUM)
#undef SQL_KW_ENUM
      KW_COUNT_
} sql_kw;

typedef enum sql_tok {
  TK_EOF = 0,
  TK_IDENT,  /* kw is the keyword it spells, or 0; quoted identifiers have quoted set */
  TK_PARAM,  /* $name */
  TK_STRING, /* prefix is 0 or one of s d u b r f */
  TK_NUMBER, /* int, float or decimal: see num */
  TK_DURATION,
  TK_SEMI,
  TK_COMMA,
  TK_COLON,
  TK_PATH /* :: */,
  TK_LPAREN,
  TK_RPAREN,
  TK_LBRACE,
  TK_RBRACE,
  TK_LBRACKET,
  TK_RBRACKET,
  TK_DOT,
  TK_DOT2,
  TK_DOT2EQ,
  TK_DOT3 /* ... and the single character */,
  TK_PLUS,
  TK_MINUS,
  TK_STAR,
  TK_SLASH,
  TK_PERCENT,
  TK_POW,
  TK_TIMES,
  TK_DIVIDE,
  TK_EQ,
  TK_EQEQ,
  TK_NE,
  TK_LT,
  TK_LE,
  TK_GT,
  TK_GE,
  TK_GTDOT2 /* >.. */,
  TK_GTDOT2EQ,
  TK_BANG,
  TK_AND,
  TK_OR,
  TK_NULLISH /* ?? */,
  TK_ELVIS /* ?: */,
  TK_QUESTION,
  TK_ANYEQ /* ?= */,
  TK_ALLEQ /* *= */,
  TK_PLUSEQ,
  TK_MINUSEQ,
  TK_EXTEND /* +?= */,
  TK_ARROW /* -> */,
  TK_LARROW /* <- */,
  TK_BIARROW /* <-> */,
  TK_REFARROW /* <~ */,
  TK_PIPE,
  TK_KNN /* <| */,
  TK_KNNEND /* |> */,
  TK_AT,
  TK_DOLLAR,
  TK_TILDE,
  TK_CARET,
  TK_AMP,
  TK_SUBSETEQ,
  TK_SUBSET,
  TK_NSUBSET,
  TK_SUPSETEQ,
  TK_SUPSET,
  TK_NSUPSET,
  TK_ELEM,
  TK_NELEM,
  TK_NI,
  TK_NNI,
  TK_ERROR, /* the lexer has reported */
} sql_tok;

typedef enum sql_num { SQL_NUM_INT, SQL_NUM_FLOAT, SQL_NUM_DECIMAL } sql_num;

typedef struct sql_token {
  uint8_t kind; /* sql_tok */
  uint8_t num;  /* sql_num of a number */
  char prefix;  /* of a string */
  bool quoted;  /* identifier in backquotes or brackets */
  bool spaced;  /* white space or a comment stands before it */
  uint16_t kw;
  uint32_t at, size; /* bytes of the source, quotes and prefix included */
} sql_token;

/* Text of a token for messages: "`;`" without the quotes, "an identifier", "WHERE" ... */
const char *cwi_sql_token_text(const sql_token *token);
const char *cwi_sql_tok_text(sql_tok kind);
const char *cwi_sql_kw_text(sql_kw kw);
sql_kw cwi_sql_kw_find(const char *text, size_t size);

#endif
