"""Columns: JSON row to struct."""

PRELUDE = """
#include "core/columns.h"
struct row {
    const char *text;
    char *changeable;
    char letters[16];
    double number;
    float small;
    int64_t integer;
    int32_t short_integer;
    bool flag;
};
struct large {
    const char *text;
    char rest[COLUMNS_ROW_BYTES_MAX - sizeof(const char *)];
};
struct too_large {
    const char *text;
    char rest[COLUMNS_ROW_BYTES_MAX];
};
"""


def table(row):
    return f"static const struct column columns[] = {{ {row}, {{ 0 }} }};\n"


def of(kind, member, struct="struct row"):
    return table(f'COLUMN_{kind}({struct}, {member}, "path")')


CASES = (
    ("every kind of its type", None,
     table(", ".join(f'COLUMN_{kind}(struct row, {member}, "path")' for kind, member in (
         ("TEXT", "text"), ("KEY", "text"), ("LIST", "text"), ("NUMBER", "number"),
         ("INTEGER", "integer"), ("TIME", "integer"), ("COUNT", "integer"), ("BOOL", "flag"))))),
    ("TEXT in a number", "struct row.number must be: const char *", of("TEXT", "number")),
    ("TEXT in an array", "struct row.letters must be: const char *", of("TEXT", "letters")),
    ("TEXT that could be written to", "struct row.changeable must be: const char *",
     of("TEXT", "changeable")),
    ("KEY in an integer", "struct row.integer must be: const char *", of("KEY", "integer")),
    ("LIST in a flag", "struct row.flag must be: const char *", of("LIST", "flag")),
    ("NUMBER in a text", "struct row.text must be: double", of("NUMBER", "text")),
    ("NUMBER in a float", "struct row.small must be: double", of("NUMBER", "small")),
    ("INTEGER in a number", "struct row.number must be: int64_t", of("INTEGER", "number")),
    ("INTEGER in half the bits", "struct row.short_integer must be: int64_t",
     of("INTEGER", "short_integer")),
    ("TIME in a text", "struct row.text must be: int64_t", of("TIME", "text")),
    ("COUNT in a flag", "struct row.flag must be: int64_t", of("COUNT", "flag")),
    ("BOOL in an integer", "struct row.integer must be: _Bool", of("BOOL", "integer")),
    ("a struct that just fits the buffer", None, of("TEXT", "text", "struct large")),
    ("a struct larger than the buffer", "struct too_large is larger than COLUMNS_ROW_BYTES_MAX",
     of("TEXT", "text", "struct too_large")),
)

COLUMNS = (PRELUDE, CASES)
