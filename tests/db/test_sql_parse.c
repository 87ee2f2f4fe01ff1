/* SPDX-License-Identifier: MIT */
/* The parser: errors with their framed excerpt, and what is printed parses back to the same
 * text. */
#include "db/sql_parse.h"

#include "db/sql_print.h"
#include "support/test.h"

TEST(sql_parse, errors_show_the_place) {
  static const struct {
    const char *text, *message;
  } rows[] = {
      {"SELECT * FRM t;",
       "Parse error: Unexpected token `an identifier`, expected FROM\n"
       " --> [1:10]\n  |\n1 | SELECT * FRM t;\n  |          ^^^\n"},
      {"RETURN (1;",
       "Parse error: Unexpected token `;` expected delimiter `)`\n --> [1:10]\n  |\n1 | RETURN "
       "(1;\n"
       "  |          ^\n --> [1:8]\n  |\n1 | RETURN (1;\n  |        ^ expected this delimiter to "
       "close\n"},
      {"RETURN 'open",
       "Parse error: Unexpected end of file, expected string to end.\n --> [1:8]\n  |\n"
       "1 | RETURN 'open\n  |        ^ String starting here.\n"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    sql_program *program = NULL;
    cw_error err = {0};
    cwi_buf message;
    cwi_buf_init(&message, 0);
    CHECK_STATUS(cwi_sql_parse(rows[i].text, strlen(rows[i].text), NULL, &program, &message, &err),
                 CW_E_PARSE);
    assert_string_equal(cwi_buf_cstr(&message), rows[i].message);
    CHECK(err.line == 1 && err.column > 0);
    cwi_buf_deinit(&message);
  }
}

TEST(sql_parse, printing_is_stable) {
  static const char *const rows[] = {
      "SELECT a, b AS c FROM t WHERE a > 1 AND b INSIDE [1, 2] ORDER BY a DESC LIMIT 5",
      "CREATE t:1 SET a = 1, b += 2",
      "RELATE a:1->k->b:2 SET w = 1",
      "DEFINE FIELD a ON t TYPE array<int, 3> ASSERT $value > 0 PERMISSIONS FULL",
      "DEFINE TABLE t TYPE RELATION IN a | b OUT c SCHEMAFULL PERMISSIONS NONE",
      "|$x: int| $x + 1",
      "{ LET $a = 1; $a; }",
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    sql_program *program = NULL;
    cw_error err = {0};
    cwi_buf text;
    cwi_buf_init(&text, 0);
    CHECK_OK(cwi_sql_parse(rows[i], strlen(rows[i]), NULL, &program, &text, &err));
    cwi_buf_clear(&text);
    cwi_sql_print_expr(&text, program->statements.items[0]);
    assert_string_equal(cwi_buf_cstr(&text), rows[i]);
    cwi_sql_program_release(program);
    cwi_buf_deinit(&text);
  }
}
