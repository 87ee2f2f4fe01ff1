/* SPDX-License-Identifier: MIT */
/* The tree of a SurrealQL program. Everything lies in the program's arena and lives as long as the
 * program, which is counted: closures and cached definitions keep it. Literal values hang on a
 * list, so that they are released with the program. */
#ifndef DB_SQL_AST_H
#define DB_SQL_AST_H

#include "core/arena.h"
#include "core/value.h"

typedef struct sql_str {
  const char *text;
  uint32_t size;
} sql_str;

typedef struct sql_vec {
  void **items;
  uint32_t len, cap;
} sql_vec;

typedef struct sql_expr sql_expr;
typedef struct sql_type sql_type;
typedef struct sql_program sql_program;

/* ---- types, as in TYPE clauses and casts ---- */

typedef enum sql_type_kind {
  SQL_T_ANY,
  SQL_T_NONE,
  SQL_T_NULL,
  SQL_T_BOOL,
  SQL_T_BYTES,
  SQL_T_DATETIME,
  SQL_T_DECIMAL,
  SQL_T_DURATION,
  SQL_T_FLOAT,
  SQL_T_INT,
  SQL_T_NUMBER,
  SQL_T_OBJECT,
  SQL_T_POINT,
  SQL_T_STRING,
  SQL_T_UUID,
  SQL_T_REGEX,
  SQL_T_RANGE,
  SQL_T_RECORD,
  SQL_T_TABLE,
  SQL_T_GEOMETRY,
  SQL_T_EITHER,
  SQL_T_SET,
  SQL_T_ARRAY,
  SQL_T_FUNCTION,
  SQL_T_FILE,
  SQL_T_LITERAL,
  SQL_T_LIT_ARRAY,
  SQL_T_LIT_OBJECT,
} sql_type_kind;

struct sql_type {
  sql_type_kind kind;
  int64_t max;   /* of array and set; -1: none */
  sql_vec names; /* sql_str *: tables of a record, shapes of a geometry, keys of a literal object */
  sql_vec inner; /* sql_type *: of EITHER, ARRAY, SET, literal arrays and objects */
  cw_value literal; /* of LITERAL; owned by the program */
};

/* ---- expressions ---- */

typedef enum sql_node {
  SQL_LITERAL, /* value */
  SQL_PARAM,   /* name */
  SQL_CONST,   /* name: math::pi */
  SQL_TABLE,   /* name, where a target is expected */
  SQL_IDIOM,   /* idiom */
  SQL_ARRAY,
  SQL_SET,     /* list */
  SQL_OBJECT,  /* list of sql_pair * */
  SQL_RECORD,  /* record */
  SQL_POINT,   /* binary: (a, b) */
  SQL_UNARY,   /* op, binary.left */
  SQL_BINARY,  /* op, binary */
  SQL_CAST,    /* cast */
  SQL_CALL,    /* call: a function by name */
  SQL_CLOSURE, /* closure */
  SQL_BLOCK,   /* list of statements */
  SQL_RANGE,   /* range */
  SQL_MOCK,    /* mock: |t:5| */
  SQL_PAREN,   /* binary.left: a subquery or a parenthesis */
  SQL_SCRIPT,  /* function() {...}: refused when run */
  /* statements: stmt */
  SQL_SELECT,
  SQL_CREATE,
  SQL_UPDATE,
  SQL_UPSERT,
  SQL_DELETE,
  SQL_INSERT,
  SQL_RELATE,
  SQL_LET,
  SQL_RETURN,
  SQL_IF,
  SQL_FOR,
  SQL_THROW,
  SQL_BREAK,
  SQL_CONTINUE,
  SQL_SLEEP,
  SQL_BEGIN,
  SQL_COMMIT,
  SQL_CANCEL,
  SQL_USE,
  SQL_OPTION,
  SQL_INFO,
  SQL_SHOW,
  SQL_KILL,
  SQL_LIVE,
  SQL_REBUILD,
  SQL_DEFINE,
  SQL_REMOVE,
  SQL_ALTER,
  SQL_ACCESS,
  SQL_EXPLAIN,
} sql_node;

typedef enum sql_op {
  SQL_OP_NONE,
  SQL_OP_NEG,
  SQL_OP_POS,
  SQL_OP_NOT,
  SQL_OP_OR,
  SQL_OP_AND,
  SQL_OP_NULLISH,
  SQL_OP_ELVIS,
  SQL_OP_EQ,
  SQL_OP_EXACT,
  SQL_OP_NE,
  SQL_OP_ALLEQ,
  SQL_OP_ANYEQ,
  SQL_OP_LT,
  SQL_OP_LE,
  SQL_OP_GT,
  SQL_OP_GE,
  SQL_OP_ADD,
  SQL_OP_SUB,
  SQL_OP_MUL,
  SQL_OP_DIV,
  SQL_OP_REM,
  SQL_OP_POW,
  SQL_OP_CONTAIN,
  SQL_OP_NOTCONTAIN,
  SQL_OP_CONTAINALL,
  SQL_OP_CONTAINANY,
  SQL_OP_CONTAINNONE,
  SQL_OP_INSIDE,
  SQL_OP_NOTINSIDE,
  SQL_OP_ALLINSIDE,
  SQL_OP_ANYINSIDE,
  SQL_OP_NONEINSIDE,
  SQL_OP_OUTSIDE,
  SQL_OP_INTERSECTS,
  SQL_OP_MATCHES,
  SQL_OP_KNN,
} sql_op;

typedef enum sql_part_kind {
  SQL_P_FIELD, /* name */
  SQL_P_INDEX, /* expr */
  SQL_P_ALL,
  SQL_P_LAST,
  SQL_P_FLATTEN,
  SQL_P_OPTIONAL,
  SQL_P_WHERE,   /* expr */
  SQL_P_METHOD,  /* name, args */
  SQL_P_CALL,    /* args */
  SQL_P_GRAPH,   /* graph */
  SQL_P_PICK,    /* picks: destructuring */
  SQL_P_RECURSE, /* recurse */
  SQL_P_REPEAT,  /* @ */
} sql_part_kind;

typedef enum sql_dir { SQL_DIR_OUT, SQL_DIR_IN, SQL_DIR_BOTH, SQL_DIR_REF } sql_dir;

/* A subject of a graph step: a table, perhaps with a range of its keys. */
typedef struct sql_subject {
  sql_str table;
  sql_expr *key; /* NULL, a key or a SQL_RANGE of keys */
  sql_str field; /* of a reference: FIELD name; size 0: any */
} sql_subject;

typedef struct sql_graph {
  sql_dir dir;
  sql_vec what; /* sql_subject *; empty: every table */
  sql_expr *where;
  sql_expr *alias;  /* idiom or NULL */
  sql_expr *select; /* a whole SELECT, or NULL */
} sql_graph;

typedef enum sql_walk {
  SQL_WALK_LAST,
  SQL_WALK_COLLECT,
  SQL_WALK_PATH,
  SQL_WALK_SHORTEST
} sql_walk;

typedef struct sql_recurse {
  int64_t min, max; /* -1: open */
  bool has_bounds;
  sql_walk walk;
  bool inclusive;
  sql_expr *target; /* of SHORTEST */
  sql_vec path;     /* sql_part *: inside parentheses; empty: the rest of the idiom */
} sql_recurse;

typedef struct sql_part {
  uint8_t kind; /* sql_part_kind */
  sql_str name;
  sql_expr *expr;
  sql_vec args; /* sql_expr *, or sql_pair * of a PICK */
  sql_graph *graph;
  sql_recurse *recurse;
} sql_part;

typedef struct sql_pair {
  sql_str key;
  sql_expr *value;
} sql_pair;

typedef struct sql_arg {
  sql_str name;
  sql_type *type; /* NULL: any */
} sql_arg;

typedef struct sql_knn {
  int64_t k, ef;    /* ef -1: none */
  sql_str distance; /* size 0: none */
  double order;     /* of MINKOWSKI */
} sql_knn;

struct sql_expr {
  uint16_t kind;     /* sql_node */
  uint16_t op;       /* sql_op */
  uint32_t at, size; /* bytes of the source */
  union {
    struct {
      cw_value value;
      sql_expr *next;
    } lit;
    sql_str name;
    struct {
      sql_expr *start;
      sql_vec parts;
    } idiom; /* start NULL: the first part is a field */
    sql_vec list;
    struct {
      sql_str table;
      sql_expr *key;
    } record; /* key may be a SQL_RANGE */
    struct {
      sql_expr *left, *right;
      sql_knn *knn;
      int64_t ref;
    } binary;
    struct {
      sql_type *type;
      sql_expr *expr;
    } cast;
    struct {
      sql_str name;
      sql_vec args;
      const void *fn;
    } call;
    struct {
      sql_vec args;
      sql_type *returns;
      sql_expr *body;
    } closure;
    struct {
      sql_expr *from, *to;
      bool from_excl, to_incl;
    } range;
    struct {
      sql_str table;
      int64_t from, to;
      bool range;
    } mock;
    void *stmt;
  } u;
};

/* ---- statements ---- */

typedef struct sql_field {
  sql_expr *expr;  /* NULL: * */
  sql_expr *alias; /* an idiom, or NULL */
} sql_field;

typedef struct sql_fields {
  sql_vec list; /* sql_field * */
  bool value;   /* SELECT VALUE */
} sql_fields;

typedef struct sql_order {
  sql_expr *idiom;
  bool desc, numeric, collate;
} sql_order;

typedef struct sql_select {
  sql_fields fields;
  sql_vec omit; /* idioms */
  bool only;
  sql_vec what;
  bool no_index;
  sql_vec with; /* sql_str * */
  sql_expr *where;
  sql_vec split, group, order, fetch;
  bool group_all, order_rand;
  sql_expr *limit, *start, *version, *timeout;
  bool explain, explain_full;
} sql_select;

typedef enum sql_data_kind {
  SQL_DATA_NONE,
  SQL_DATA_SET,
  SQL_DATA_UNSET,
  SQL_DATA_CONTENT,
  SQL_DATA_REPLACE,
  SQL_DATA_MERGE,
  SQL_DATA_PATCH,
} sql_data_kind;

typedef enum sql_assign_op {
  SQL_ASSIGN,
  SQL_ASSIGN_ADD,
  SQL_ASSIGN_SUB,
  SQL_ASSIGN_EXTEND
} sql_assign_op;

typedef struct sql_assign {
  sql_expr *target; /* an idiom */
  sql_assign_op op;
  sql_expr *value;
} sql_assign;

typedef struct sql_data {
  sql_data_kind kind;
  sql_vec list; /* sql_assign * of SET, idioms of UNSET */
  sql_expr *expr;
} sql_data;

typedef enum sql_output_kind {
  SQL_OUT_DEFAULT,
  SQL_OUT_NONE,
  SQL_OUT_NULL,
  SQL_OUT_DIFF,
  SQL_OUT_AFTER,
  SQL_OUT_BEFORE,
  SQL_OUT_FIELDS,
} sql_output_kind;

/* CREATE, UPDATE, UPSERT, DELETE, RELATE */
typedef struct sql_write {
  bool only;
  sql_vec what;
  sql_expr *from, *kind, *with; /* of RELATE */
  sql_data data;
  sql_expr *where;
  sql_output_kind output;
  sql_fields fields;
  sql_expr *timeout, *version;
  bool explain;
} sql_write;

typedef struct sql_insert {
  bool ignore, relation;
  sql_expr *into;
  sql_expr *data;  /* NULL: columns and rows */
  sql_vec columns; /* idioms */
  sql_vec rows;    /* sql_vec * of expressions */
  sql_vec update;  /* sql_assign * */
  sql_output_kind output;
  sql_fields fields;
} sql_insert;

typedef struct sql_let {
  sql_str name;
  sql_type *type;
  sql_expr *value;
} sql_let;

/* RETURN, THROW, SLEEP, KILL, EXPLAIN */
typedef struct sql_simple {
  sql_expr *expr;
  sql_vec fetch;
  bool analyze;
} sql_simple;

typedef struct sql_if {
  sql_vec conds, bodies;
  sql_expr *other;
  bool bracketed;
} sql_if;

typedef struct sql_for {
  sql_str name;
  sql_expr *range, *body;
} sql_for;

typedef struct sql_use {
  sql_str ns, db;
} sql_use;

typedef enum sql_what {
  SQL_W_ROOT,
  SQL_W_NS,
  SQL_W_DB,
  SQL_W_TABLE,
  SQL_W_FIELD,
  SQL_W_INDEX,
  SQL_W_EVENT,
  SQL_W_FUNCTION,
  SQL_W_PARAM,
  SQL_W_ANALYZER,
  SQL_W_ACCESS,
  SQL_W_USER,
  SQL_W_SEQUENCE,
  SQL_W_CONFIG,
  SQL_W_API,
  SQL_W_BUCKET,
} sql_what;

typedef enum sql_perm_kind { SQL_PERM_NONE, SQL_PERM_FULL, SQL_PERM_WHERE } sql_perm_kind;
typedef struct sql_perm {
  sql_perm_kind kind;
  sql_expr *where;
} sql_perm;
typedef struct sql_perms {
  bool given;
  sql_perm select, create, update, remove;
} sql_perms;

typedef struct sql_info {
  sql_what what;
  sql_str name, table;
  bool structure;
} sql_info;

typedef struct sql_def_table {
  int8_t schema;   /* -1: not given, 0: schemaless, 1: schemafull */
  char type;       /* 0: not given, 'A', 'N', 'R' */
  sql_vec in, out; /* sql_str * */
  bool drop, enforced;
  sql_expr *changefeed;
  bool changefeed_original;
  sql_expr *view;
} sql_def_table;

typedef enum sql_ref_delete {
  SQL_REF_IGNORE,
  SQL_REF_REJECT,
  SQL_REF_CASCADE,
  SQL_REF_UNSET,
  SQL_REF_THEN
} sql_ref_delete;

typedef struct sql_def_field {
  sql_expr *idiom;
  sql_type *type;
  bool flexible, readonly, default_always, reference;
  sql_ref_delete on_delete;
  sql_expr *ref_then;
  sql_expr *value, *assert_, *default_, *computed;
} sql_def_field;

typedef enum sql_index_kind {
  SQL_IX_PLAIN,
  SQL_IX_UNIQUE,
  SQL_IX_COUNT,
  SQL_IX_FULLTEXT,
  SQL_IX_HNSW
} sql_index_kind;

typedef struct sql_def_index {
  sql_vec fields; /* idioms */
  sql_index_kind kind;
  sql_str analyzer;
  bool bm25, highlights, concurrently;
  double k1, b;
  int64_t dimension, efc, m, m0;
  double lm;
  sql_str distance, vector_type;
  double order;
  bool extend, keep;
} sql_def_index;

typedef struct sql_filter {
  sql_str name; /* in upper case */
  int64_t a, b; /* of NGRAM, EDGENGRAM; -1: none */
  sql_str arg;  /* of SNOWBALL, MAPPER */
} sql_filter;

/* DEFINE of anything; ALTER with the parts that it changes; REMOVE with the name alone. */
typedef struct sql_define {
  sql_what what;
  bool overwrite, if_not_exists, if_exists;
  sql_str name;   /* of the thing; a field's is printed from its idiom */
  sql_str table;  /* of field, index, event */
  sql_what level; /* of access and user */
  sql_expr *comment;
  sql_perms perms;
  sql_perm perm; /* of function, param */
  bool perm_given;
  sql_def_table tb;
  sql_def_field fd;
  sql_def_index ix;
  sql_expr *when; /* of an event */
  sql_vec then;   /* of an event */
  sql_vec args;   /* sql_arg * of a function */
  sql_type *returns;
  sql_expr *body;     /* of a function; value of a param */
  sql_vec tokenizers; /* sql_str *, upper case */
  sql_vec filters;    /* sql_filter * */
  sql_str function;   /* of an analyzer */
  /* user and access */
  sql_expr *password, *passhash;
  sql_vec roles; /* sql_str *, upper case */
  sql_expr *token_duration, *session_duration, *grant_duration;
  bool token_none, session_none, grant_none;
  sql_expr *signup, *signin, *authenticate;
  char access_type; /* 'R' record, 'J' jwt, 'B' bearer */
  sql_str algorithm, url;
  sql_expr *key, *issuer;
  int64_t batch, start; /* of a sequence */
  sql_expr *timeout;
  sql_str tables_mode, functions_mode; /* of a GraphQL config: AUTO, NONE */
  sql_vec methods;                     /* sql_api_method * of an API */
  sql_expr *fallback;
  /* ALTER: which parts are dropped */
  bool drop_comment, drop_assert, drop_default, drop_value, drop_type, drop_readonly, drop_flexible,
      drop_changefeed;
} sql_define;

typedef struct sql_api_method {
  sql_vec names; /* sql_str * */
  sql_expr *action;
} sql_api_method;

struct sql_program {
  uint32_t refs;
  cwi_arena arena;
  const char *source; /* in the arena, NUL-terminated */
  size_t size;
  sql_vec statements; /* sql_expr * */
  sql_expr *literals; /* chained by u.lit.next */
  sql_type *types;    /* unused; literal types are chained as literals */
};

sql_program *cwi_sql_program_retain(sql_program *program);
void cwi_sql_program_release(sql_program *program);

#endif
