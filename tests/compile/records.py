"""Record fields: struct to JSON and to fields of templates."""

PRELUDE = """
#include "alerts/text/match.h"
#include "alerts/text/record.h"
#include "collectors/snapshot/finding.h"
enum state { STATE_ONE, STATE_TWO };
struct element {
    int64_t weight;
};
struct record {
    const char *text;
    char letters[8];
    unsigned char bytes[8];
    enum state state;
    bool flag;
    uint32_t small;
    int64_t integer;
    double number;
    struct finding_id id;
    struct match_label labels[4];
    const struct match_label *borrowed;
    size_t count;
    int short_count;
    struct element *elements;
    const struct element *lent;
};
"""


def table(*rows):
    return "static const struct record_field fields[] = { " + ", ".join(rows) + ", { 0 } };\n"


def of(kind, members):
    return table(f'{{ "key", RECORD_{kind}(struct record, {members}) }}')


RIGHT = (("TEXT", "text"), ("CHARS", "letters"), ("WORD", "state"), ("BOOL", "flag"),
         ("UNSIGNED", "small"), ("INTEGER", "integer"), ("NUMBER", "number"),
         ("INSTANT", "integer"), ("DURATION", "integer"), ("FINDING", "id, flag"),
         ("LABELS", "labels, count"), ("LIST", "elements, count, struct element"),
         ("LIST", "lent, count, struct element"))


def must(member, kind):
    return f"struct record.{member} must be: {kind}"


CASES = (
    ("every kind of its type", None,
     table(*(f'{{ "key", RECORD_{kind}(struct record, {members}), .help = "Help." }}'
             for kind, members in RIGHT))),
    ("TEXT in an array", must("letters", "const char *"), of("TEXT", "letters")),
    ("TEXT in a number", must("number", "const char *"), of("TEXT", "number")),
    ("CHARS in a pointer", must("text", "char["), of("CHARS", "text")),
    ("CHARS in bytes", must("bytes", "char["), of("CHARS", "bytes")),
    ("WORD in a text", must("text", "an enum"), of("WORD", "text")),
    ("BOOL in an enum", must("state", "_Bool"), of("BOOL", "state")),
    ("UNSIGNED in 64 bits", must("integer", "uint32_t"), of("UNSIGNED", "integer")),
    ("INTEGER in 32 bits", must("small", "int64_t"), of("INTEGER", "small")),
    ("NUMBER in an integer", must("integer", "double"), of("NUMBER", "integer")),
    ("INSTANT in a number", must("number", "int64_t"), of("INSTANT", "number")),
    ("DURATION in a text", must("text", "int64_t"), of("DURATION", "text")),
    ("FINDING in a text", must("text", "struct finding_id"), of("FINDING", "text, flag")),
    ("FINDING without a flag", must("small", "bool"), of("FINDING", "id, small")),
    ("LABELS in a pointer", must("borrowed", "struct match_label["),
     of("LABELS", "borrowed, count")),
    ("LABELS counted by an int", must("short_count", "size_t"),
     of("LABELS", "labels, short_count")),
    ("LIST of others", must("lent", "struct match_label *"),
     of("LIST", "lent, count, struct match_label")),
    ("LIST counted by an int", must("short_count", "size_t"),
     of("LIST", "lent, short_count, struct element")),
)

RECORDS = (PRELUDE, CASES)
