"""Options: YAML to struct."""

PRELUDE = """
#include "core/options.h"
enum mode { MODE_FAST, MODE_SLOW };
struct item {
    const char *name;
};
struct nameless {
    int64_t weight;
    const char *name;
};
struct numbered {
    int64_t name;
};
struct config {
    const char *text;
    bool flag;
    int64_t integer;
    int32_t short_integer;
    double number;
    enum mode mode;
    int word, line;
    struct {
        int first, second;
    } lines;
    struct secret secret;
    struct option_texts list;
    struct option_pairs map;
    struct option_items items;
    struct {
        bool on;
    } inner;
};
"""


def table(*rows):
    return "static const struct option options[] = { " + ", ".join(rows) + ", { 0 } };\n"


def of(kind, member, rest=""):
    return table(f'{{ "key", OPTION_{kind}(struct config, {member}){rest} }}')


RIGHT = (("TEXT", "text"), ("URL", "text"), ("PATH", "text"), ("BOOL", "flag"),
         ("BOOL", "inner.on"), ("INTEGER", "integer"), ("DURATION", "integer"), ("SIZE", "integer"),
         ("NUMBER", "number"),
         ("WORD", "mode"), ("WORD", "word"), ("SECRET", "secret"), ("TEXT_LIST", "list"),
         ("TEXT_MAP", "map"), ("SECTION", "inner"), ("ITEMS", "items, struct item"),
         ("NAMED", "items, struct item"))
TEXT, NUMBER, INTEGER = "const char *", "double", "int64_t"

CASES = (
    ("every kind of its type", None,
     table(*(f'{{ "key", OPTION_{kind}(struct config, {member}), .help = "Help." }}'
             for kind, member in RIGHT))),
    ("a line that is an int", None,
     of("TEXT", "text", ', OPTION_LINE(struct config, line), .otherwise = "x"')),
    ("TEXT in a number", f"struct config.number must be: {TEXT}", of("TEXT", "number")),
    ("URL in a secret", f"struct config.secret must be: {TEXT}", of("URL", "secret")),
    ("PATH in a flag", f"struct config.flag must be: {TEXT}", of("PATH", "flag")),
    ("BOOL in a number", "struct config.number must be: _Bool", of("BOOL", "number")),
    ("INTEGER in an int", f"struct config.word must be: {INTEGER}", of("INTEGER", "word")),
    ("INTEGER in a number", f"struct config.number must be: {INTEGER}", of("INTEGER", "number")),
    ("DURATION in half the bits", f"struct config.short_integer must be: {INTEGER}",
     of("DURATION", "short_integer")),
    ("SIZE in a text", f"struct config.text must be: {INTEGER}", of("SIZE", "text")),
    ("NUMBER in an integer", f"struct config.integer must be: {NUMBER}", of("NUMBER", "integer")),
    ("WORD in a text", "struct config.text must be: an enum", of("WORD", "text")),
    ("WORD in 64 bits", "struct config.integer must be: an enum", of("WORD", "integer")),
    ("SECRET in a text", "struct config.text must be: struct secret", of("SECRET", "text")),
    ("TEXT_LIST in a text", "struct config.text must be: struct option_texts",
     of("TEXT_LIST", "text")),
    ("TEXT_MAP in a list", "struct config.list must be: struct option_pairs",
     of("TEXT_MAP", "list")),
    ("ITEMS in a list", "struct config.list must be: struct option_items",
     of("ITEMS", "list, struct item")),
    ("NAMED in a map", "struct config.map must be: struct option_items",
     of("NAMED", "map, struct item")),
    ("NAMED whose name comes second", "struct nameless must begin with: const char *name",
     of("NAMED", "items, struct nameless")),
    ("NAMED whose name is a number", "struct numbered must begin with: const char *name",
     of("NAMED", "items, struct numbered")),
    ("a line that is a struct of lines", "struct config.lines must be: int",
     of("TEXT", "text", ", OPTION_LINE(struct config, lines)")),
    ("a line that is no int", "struct config.integer must be: int",
     of("TEXT", "text", ", OPTION_LINE(struct config, integer)")),
)

OPTIONS = (PRELUDE, CASES)
