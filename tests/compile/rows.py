"""Rows: struct to a row of the database and back."""

PRELUDE = """
#include "alerts/store/rows.h"
enum colour { RED, GREEN };
static const char *const words[] = { "red", "green", NULL };
struct row {
    const char *text;
    char *changeable;
    char letters[16];
    const char fixed[16];
    double number;
    float small;
    int64_t wide;
    int narrow;
    uint32_t count;
    size_t size;
    int16_t short_integer;
    bool flag, there;
    enum colour colour;
    uint8_t bytes[16];
    struct { const char *text; } inner;
};
"""


def table(row):
    return f"static const struct row_field fields[] = {{ {row}, {{ 0 }} }};\n"


def of(kind, member, *more):
    rest = "".join(f", {word}" for word in more)
    return table(f'ROW_{kind}(struct row, {member}, "column"{rest})')


CASES = (
    ("every kind of its type", None,
     table(", ".join(f'ROW_{kind}(struct row, {member}, "column"{rest})' for kind, member, rest in (
         ("TEXT", "text", ""), ("TEXT", "inner.text", ""), ("CHARS", "letters", ""),
         ("WORD", "colour", ", words, RED"), ("ENUM", "colour", ", 2"), ("ENUM", "narrow", ", 2"),
         ("NUMBER", "number", ""), ("INTEGER", "wide", ""), ("INTEGER", "narrow", ""),
         ("INTEGER", "count", ""), ("INTEGER", "size", ""), ("INTEGER", "flag", ""),
         ("BYTES", "bytes", ", there"))))),
    ("TEXT in a number", "struct row.number must be: const char *", of("TEXT", "number")),
    ("TEXT in an array", "struct row.letters must be: const char *", of("TEXT", "letters")),
    ("TEXT that could be written to", "struct row.changeable must be: const char *",
     of("TEXT", "changeable")),
    ("CHARS in a pointer", "struct row.changeable must be: array of char",
     of("CHARS", "changeable")),
    ("CHARS that cannot be written", "struct row.fixed must be: array of char",
     of("CHARS", "fixed")),
    ("CHARS in bytes", "struct row.bytes must be: array of char", of("CHARS", "bytes")),
    ("WORD in a text", "struct row.text must be: an enum", of("WORD", "text", "words", "RED")),
    ("ENUM in a wide integer", "struct row.wide must be: an enum", of("ENUM", "wide", "2")),
    ("NUMBER in an integer", "struct row.wide must be: double", of("NUMBER", "wide")),
    ("NUMBER in a float", "struct row.small must be: double", of("NUMBER", "small")),
    ("INTEGER in a number", "struct row.number must be: an integer", of("INTEGER", "number")),
    ("INTEGER in a quarter of the bits", "struct row.short_integer must be: an integer",
     of("INTEGER", "short_integer")),
    ("INTEGER in a text", "struct row.text must be: an integer", of("INTEGER", "text")),
    ("BYTES in letters", "struct row.letters must be: array of uint8_t",
     of("BYTES", "letters", "there")),
    ("BYTES whose presence is a number", "struct row.narrow must be: bool",
     of("BYTES", "bytes", "narrow")),
    ("a value that is no parameter", "struct row *",
     "static void f(struct database_statement *s, struct row *r)\n"
     "{\n    database_bind(s, r->text, r);\n}\n"),
    ("values that are parameters", None,
     "static void f(struct database_statement *s, struct row *r)\n"
     "{\n    database_bind(s, r->text, r->letters, r->wide, r->flag, r->number,\n"
     "                  DATABASE_BYTES(r->bytes));\n}\n"),
)

ROWS = (PRELUDE, CASES)
