/* SPDX-License-Identifier: MIT */
/* The reference of the standard library, docs/script-library.md, is written from the tables of
 * natives: this test makes it again and compares. With CW_GOLDEN set it rewrites the file. */
#include <stdio.h>

#include "script/script_lib.h"
#include "support/test.h"

#define PATH CW_SOURCE_DIR "/docs/script-library.md"

/* What a function is for, in a line. Names in the order of the page do not matter here. */
static const struct {
  const char *name, *text;
} PURPOSES[] = {
    {"!", "true where it is false"},
    {"!=", "not equal"},
    {"==", "equal in depth; values of different types are not equal"},
    {"<", "less; values of different types have no order"},
    {"<=", "less or equal"},
    {">", "greater"},
    {">=", "greater or equal"},
    {"+", "sum; text of both where one is a string; one container behind the other"},
    {"-", "difference; text without a piece; time between"},
    {"*", "product"},
    {"/", "quotient"},
    {"%", "remainder"},
    {"**", "power"},
    {"&", "bits or conditions that both have"},
    {"|", "bits or conditions that one has"},
    {"^", "bits or conditions that exactly one has"},
    {"<<", "bits moved up"},
    {">>", "bits moved down, the sign kept"},
    {"+=", "adds in place"},
    {"-=", "subtracts in place"},
    {"*=", "multiplies in place"},
    {"/=", "divides in place"},
    {"%=", "keeps the remainder"},
    {"**=", "raises in place"},
    {"&=", "keeps the bits of both"},
    {"|=", "adds bits"},
    {"^=", "flips bits"},
    {"<<=", "moves bits up in place"},
    {">>=", "moves bits down in place"},
    {"PI", "the circle constant"},
    {"E", "the base of natural logarithms"},
    {"abs", "the number without its sign"},
    {"acos", "inverse cosine"},
    {"acosh", "inverse hyperbolic cosine"},
    {"all", "whether the function is true for every item"},
    {"append", "adds at the end, in place"},
    {"as_string", "the bytes as text; what is not UTF-8 becomes U+FFFD"},
    {"asin", "inverse sine"},
    {"asinh", "inverse hyperbolic sine"},
    {"atan", "inverse tangent, of a number or of y and x"},
    {"atanh", "inverse hyperbolic tangent"},
    {"bits", "walks the bits from the lowest, all or a field"},
    {"blob", "a blob of so many bytes, zero or a value"},
    {"bytes", "the length in bytes"},
    {"ceiling", "the next whole number up"},
    {"chars", "walks the characters, all or a part"},
    {"chop", "keeps so many at the end"},
    {"clear", "removes everything"},
    {"contains", "whether it is inside"},
    {"cos", "cosine"},
    {"cosh", "hyperbolic cosine"},
    {"crop", "keeps a part"},
    {"dedup", "drops an item that equals the one before, by == or a function"},
    {"drain", "takes a part, or what the function is true for, out"},
    {"elapsed", "seconds since then"},
    {"end", "the end of a range"},
    {"ends_with", "whether the text ends so"},
    {"exp", "the exponential"},
    {"extract", "a part as a new one"},
    {"fill_with", "adds the entries that are missing"},
    {"filter", "what the function is true for"},
    {"find", "the first item that the function is true for"},
    {"find_map", "the first answer of the function that is not ()"},
    {"floor", "the next whole number down"},
    {"for_each", "calls the function with `this` as each item"},
    {"fraction", "what is behind the point"},
    {"get", "the item at a place or key, or ()"},
    {"get_fn_metadata_list", "the functions of the script as maps, all or by name and parameters"},
    {"get_bit", "whether a bit is set"},
    {"get_bits", "a field of bits as a number"},
    {"hypot", "the length of a hypotenuse"},
    {"index_of", "where it is, or -1"},
    {"insert", "puts an item before a place"},
    {"int", "what is before the point"},
    {"is_anonymous", "whether it is a closure"},
    {"is_empty", "whether there is nothing in it"},
    {"is_even", "whether two divides it"},
    {"is_exclusive", "whether the end does not belong to it"},
    {"is_finite", "whether it is neither infinite nor NaN"},
    {"is_inclusive", "whether the end belongs to it"},
    {"is_infinite", "whether it is infinite"},
    {"is_nan", "whether it is not a number"},
    {"is_odd", "whether two does not divide it"},
    {"is_zero", "whether it is zero"},
    {"keys", "the keys, in order"},
    {"len", "how many"},
    {"ln", "natural logarithm"},
    {"log", "logarithm to base ten or another"},
    {"make_lower", "lower case, in place"},
    {"make_upper", "upper case, in place"},
    {"map", "the answers of the function"},
    {"max", "the larger"},
    {"min", "the smaller"},
    {"mixin", "adds all entries of another map"},
    {"name", "the name of the function"},
    {"order", "a sorted copy, by its own order or a function"},
    {"order_by", "a copy sorted by a function"},
    {"order_desc", "a copy sorted downwards"},
    {"pad", "fills up to a length"},
    {"parse_be_float", "a float from bytes, highest first"},
    {"parse_be_int", "an integer from bytes, highest first"},
    {"parse_float", "the number in a text"},
    {"parse_int", "the number in a text, to base ten or another"},
    {"parse_json", "the map in a JSON text"},
    {"parse_le_float", "a float from bytes, lowest first"},
    {"parse_le_int", "an integer from bytes, lowest first"},
    {"pop", "takes the last"},
    {"push", "adds one at the end"},
    {"range", "from one number before another, in steps"},
    {"reduce", "one value from all, first to last"},
    {"reduce_rev", "one value from all, last to first"},
    {"remove", "takes out what stands at a place or key, or every piece of text"},
    {"replace", "puts another text for every piece"},
    {"retain", "keeps a part, or what the function is true for; gives the rest"},
    {"reverse", "turns the order round"},
    {"round", "the nearest whole number, halves away from zero"},
    {"set", "replaces the item at a place or key"},
    {"set_bit", "sets or clears a bit"},
    {"set_bits", "writes a number into a field of bits"},
    {"set_tag", "hangs a number on a value"},
    {"shift", "takes the first"},
    {"sign", "-1, 0 or 1"},
    {"sin", "sine"},
    {"sinh", "hyperbolic sine"},
    {"some", "whether the function is true for any item"},
    {"sort", "sorts in place, by its own order or a function"},
    {"sort_by", "sorts in place by a function"},
    {"sort_desc", "sorts in place downwards"},
    {"splice", "puts items for a part"},
    {"split", "the pieces between blanks, a text, or two parts at a place"},
    {"split_rev", "the pieces, last first"},
    {"sqrt", "square root"},
    {"start", "the start of a range"},
    {"starts_with", "whether the text begins so"},
    {"sub_string", "a part of a text"},
    {"tag", "the number hung on a value"},
    {"take", "moves the value out, leaving ()"},
    {"tan", "tangent"},
    {"tanh", "hyperbolic tangent"},
    {"timestamp", "now"},
    {"to_array", "the bytes as numbers"},
    {"to_binary", "the digits to base two"},
    {"to_blob", "the text as bytes"},
    {"to_chars", "the characters as an array"},
    {"to_debug", "the text as debug() shows it"},
    {"to_degrees", "from radians"},
    {"to_float", "as a float"},
    {"to_hex", "the digits to base sixteen"},
    {"to_int", "as an integer, cut towards zero"},
    {"to_json", "the map as JSON"},
    {"to_lower", "in lower case"},
    {"to_octal", "the digits to base eight"},
    {"to_radians", "from degrees"},
    {"to_string", "the text as print() shows it"},
    {"to_upper", "in upper case"},
    {"trim", "without blanks around, in place"},
    {"truncate", "keeps so many at the front"},
    {"values", "the values, in the order of their keys"},
    {"write_ascii", "writes the ASCII characters of a text"},
    {"write_be", "writes a number, highest byte first"},
    {"write_le", "writes a number, lowest byte first"},
    {"write_utf8", "writes a text"},
    {"zip", "the answers of the function for two arrays side by side"},
};

static const char *const TYPES[] = {"any",    "()",        "bool",     "int",  "float", "char",
                                    "string", "blob",      "array",    "map",  "Fn",    "range",
                                    "range=", "timestamp", "iterator", "other"};

static const char *purpose_of(const char *name) {
  for (size_t i = 0; i < CWI_ARRAY_LEN(PURPOSES); i++) {
    if (strcmp(PURPOSES[i].name, name) == 0) return PURPOSES[i].text;
  }
  return NULL;
}

static int by_name(const void *a, const void *b) {
  const cwi_script_row *x = *(const cwi_script_row *const *)a;
  const cwi_script_row *y = *(const cwi_script_row *const *)b;
  int order = strcmp(x->name, y->name);
  if (order != 0) return order;
  if (x->argc != y->argc) return x->argc < y->argc ? -1 : 1;
  return memcmp(x->params, y->params, sizeof(x->params));
}

/* Every row of the library in the order of names; the caller frees with free(). */
static const cwi_script_row **all_rows(size_t *len) {
  size_t units = 0;
  const cwi_script_rows *tables = cwi_script_std(&units);
  *len = 0;
  for (size_t i = 0; i < units; i++) *len += tables[i].len;
  const cwi_script_row **rows = malloc(*len * sizeof(*rows));
  size_t n = 0;
  for (size_t i = 0; i < units; i++) {
    for (size_t j = 0; j < tables[i].len; j++) rows[n++] = &tables[i].rows[j];
  }
  qsort(rows, n, sizeof(*rows), by_name);
  return rows;
}

static void append_signature(cwi_buf *out, const cwi_script_row *row) {
  cwi_buf_append_str(out, "(");
  for (int i = 0; i < row->argc; i++) {
    cwi_buf_append_format(out, "%s%s", i > 0 ? ", " : "", TYPES[row->params[i]]);
  }
  cwi_buf_append_format(out, ")%s", (row->flags & CWI_SCRIPT_MUT) != 0 ? "*" : "");
}

static void append_page(cwi_buf *out) {
  size_t len = 0;
  const cwi_script_row **rows = all_rows(&len);
  cwi_buf_append_str(
      out,
      "# The library of scripts\n\nEvery function and operator with the types that it takes. A `*` "
      "marks those that change their\nfirst argument; they are refused on a constant. `print`, "
      "`debug`, `type_of`, `eval`, `Fn`, `call`,\n`curry`, `exit` and such belong to the language "
      "itself. Written from the tables by the test\n`script.library`; `CW_GOLDEN=1` makes it "
      "again.\n");
  for (size_t i = 0; i < len; i++) {
    const char *name = rows[i]->name;
    if (strncmp(name, "get$", 4) == 0 || strncmp(name, "set$", 4) == 0) continue;
    if (i == 0 || strcmp(rows[i - 1]->name, name) != 0) {
      const char *purpose = purpose_of(name);
      if (purpose == NULL) fail_msg("no line says what '%s' is for", name);
      cwi_buf_append_format(out, "\n## `%s`\n\n%s\n\n", name, purpose);
    } else {
      cwi_buf_append_str(out, ", ");
    }
    cwi_buf_append_str(out, "`");
    append_signature(out, rows[i]);
    cwi_buf_append_str(out, "`");
    if (i + 1 == len || strcmp(rows[i + 1]->name, name) != 0) cwi_buf_append_str(out, "\n");
  }
  cwi_buf_append_str(out, "\n## Properties\n\nRead without parentheses:\n\n");
  for (size_t i = 0; i < len; i++) {
    if (strncmp(rows[i]->name, "get$", 4) != 0) continue;
    cwi_buf_append_format(out, "- `%s.%s`\n", TYPES[rows[i]->params[0]], rows[i]->name + 4);
  }
  free((void *)rows);
}

TEST(script_library, reference_is_what_the_tables_say) {
  cwi_buf page;
  cwi_buf_init(&page, 0);
  append_page(&page);
  CHECK(!page.failed);
  if (getenv("CW_GOLDEN") != NULL) {
    FILE *file = fopen(PATH, "wb");
    CHECK(file != NULL);
    fwrite(page.data, 1, page.size, file);
    fclose(file);
  }
  FILE *file = fopen(PATH, "rb");
  if (file == NULL) fail_msg("cannot open " PATH);
  char *text = malloc(page.size + 1);
  size_t got = fread(text, 1, page.size + 1, file);
  fclose(file);
  bool same = got == page.size && memcmp(text, page.data, got) == 0;
  free(text);
  cwi_buf_deinit(&page);
  if (!same) fail_msg("docs/script-library.md differs: run the test with CW_GOLDEN=1");
}

TEST(script_library, rows_do_not_repeat) {
  size_t len = 0;
  const cwi_script_row **rows = all_rows(&len);
  for (size_t i = 1; i < len; i++) {
    if (by_name(&rows[i - 1], &rows[i]) == 0) fail_msg("'%s' stands twice", rows[i]->name);
  }
  free((void *)rows);
}

TEST(script_library, resumable_natives_and_others_keep_apart) {
  size_t len = 0;
  const cwi_script_row **rows = all_rows(&len);
  for (size_t i = 0; i < len; i++) {
    for (int j = 0; j < rows[i]->argc; j++) {
      bool calls_back = rows[i]->params[j] == CWI_SCRIPT_FN && strcmp(rows[i]->name, "name") != 0 &&
                        strcmp(rows[i]->name, "get$name") != 0 &&
                        strstr(rows[i]->name, "is_anonymous") == NULL;
      if (calls_back && (rows[i]->flags & CWI_SCRIPT_RESUMABLE) == 0) {
        fail_msg("'%s' takes a function but cannot wait for it", rows[i]->name);
      }
    }
  }
  free((void *)rows);
}
