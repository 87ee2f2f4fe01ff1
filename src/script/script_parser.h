/* SPDX-License-Identifier: MIT */
/* Tokens to tree. */
#ifndef SCRIPT_PARSER_H
#define SCRIPT_PARSER_H

#include "core/arena.h"
#include "core/buf.h"
#include "script/script_ast.h"
#include "script/script_lexer.h"

/* X(NAME, name) */
#define CWI_SCRIPT_PARSE_ERROR_TABLE(X)                      \
  X(NONE, "")                                                \
  X(NOMEM, "")                                               \
  X(BAD_INPUT, "BadInput")                                   \
  X(UNEXPECTED_EOF, "UnexpectedEOF")                         \
  X(UNKNOWN_OPERATOR, "UnknownOperator")                     \
  X(MISSING_TOKEN, "MissingToken")                           \
  X(EXPR_EXPECTED, "ExprExpected")                           \
  X(PROPERTY_EXPECTED, "PropertyExpected")                   \
  X(VARIABLE_EXPECTED, "VariableExpected")                   \
  X(RESERVED, "Reserved")                                    \
  X(MALFORMED_INDEX_EXPR, "MalformedIndexExpr")              \
  X(MALFORMED_CAPTURE, "MalformedCapture")                   \
  X(MISMATCHED_TYPE, "MismatchedType")                       \
  X(DUPLICATED_PROPERTY, "DuplicatedProperty")               \
  X(DUPLICATED_VARIABLE, "DuplicatedVariable")               \
  X(VARIABLE_EXISTS, "VariableExists")                       \
  X(VARIABLE_UNDEFINED, "VariableUndefined")                 \
  X(MODULE_UNDEFINED, "ModuleUndefined")                     \
  X(FN_MISSING_NAME, "FnMissingName")                        \
  X(FN_MISSING_PARAMS, "FnMissingParams")                    \
  X(FN_MISSING_BODY, "FnMissingBody")                        \
  X(FN_DUPLICATED_PARAM, "FnDuplicatedParam")                \
  X(FN_DUPLICATED_DEFINITION, "FnDuplicatedDefinition")      \
  X(WRONG_FN_DEFINITION, "WrongFnDefinition")                \
  X(WRONG_EXPORT, "WrongExport")                             \
  X(WRONG_SWITCH_DEFAULT_CASE, "WrongSwitchDefaultCase")     \
  X(WRONG_SWITCH_INTEGER_CASE, "WrongSwitchIntegerCase")     \
  X(WRONG_SWITCH_CASE_CONDITION, "WrongSwitchCaseCondition") \
  X(ASSIGNMENT_TO_CONSTANT, "AssignmentToConstant")          \
  X(ASSIGNMENT_TO_INVALID_LHS, "AssignmentToInvalidLHS")     \
  X(EXPR_TOO_DEEP, "ExprTooDeep")                            \
  X(LITERAL_TOO_LARGE, "LiteralTooLarge")                    \
  X(TOO_MANY_FUNCTIONS, "TooManyFunctions")                  \
  X(LOOP_BREAK, "LoopBreak")

typedef enum cwi_script_parse_error_kind {
#define CWI_SCRIPT_PARSE_ENUM(NAME, name) CWI_PARSE_##NAME,
  CWI_SCRIPT_PARSE_ERROR_TABLE(CWI_SCRIPT_PARSE_ENUM)
#undef CWI_SCRIPT_PARSE_ENUM
} cwi_script_parse_error_kind;

/* What the parser allows; zeroed allows everything except where the text says otherwise. */
typedef struct cwi_script_parse_options {
  uint32_t expr_depth_max, fn_expr_depth_max; /* 0: none */
  size_t string_size_max, array_len_max, map_len_max;
  size_t functions_max; /* SIZE_MAX: none */
  bool strict_variables;
  bool no_shadowing, no_looping, no_if_expr, no_switch_expr, no_loop_expr, no_stmt_expr,
      no_anonymous_fn;
  bool expression_only; /* the whole script is one expression, without statements */
  bool json;            /* an object literal as JSON has it */
  bool no_functions;    /* `fn` is refused: eval */
  const char *disabled; /* a symbol */
  /* Is there a variable of this name outside the script? For strict_variables. NULL: none */
  bool (*has_variable)(const char *name, size_t size, void *context);
  void *context;
} cwi_script_parse_options;

typedef struct cwi_script_parse_error {
  cwi_script_parse_error_kind kind;
  cwi_script_lex_error lex; /* of BAD_INPUT */
  cwi_script_pos pos;
  cwi_buf message;
} cwi_script_parse_error;

/* The result. All of it, error message aside, lies in `arena`. */
typedef struct cwi_script_tree {
  cwi_arena arena;
  cwi_script_syms syms;
  cwi_script_def *main;
  cwi_script_def *defs; /* functions, in order, closures among them */
  uint32_t def_len;
  cwi_script_parse_error error;
} cwi_script_tree;

/* Parses `size` bytes of valid UTF-8; false with tree->error filled in. Deinit in either case.
 * The text must live as long as the tree. */
bool cwi_script_parse(const char *text, size_t size, const cwi_script_parse_options *options,
                      cwi_script_tree *tree);
void cwi_script_tree_deinit(cwi_script_tree *tree);

const char *cwi_script_parse_error_name(cwi_script_parse_error_kind kind);
const char *cwi_script_lex_error_name(cwi_script_lex_error error);

#endif
