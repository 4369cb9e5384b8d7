"""Shows that each rule of the lint catches what it forbids, and nothing in a clean tree."""
import os
import tempfile

HEADER = "#pragma once\n/* A module. */\n"
LIST = HEADER + "#define COLLECTOR_LIST(X) \\\n    X(a)        \\\n    X(b)\n"
CLEAN = {
    "core/a.h": HEADER + "int a_one(int x);\n",
    "core/a.c": '#include "core/a.h"\n\nstatic const int table[] = { 1, 2 };\n\n'
                "int a_one(int x)\n{\n    return table[x];\n}\n",
    "core/json.c": "#include <cjson/cJSON.h>\n",
    "core/options_file.c": "#include <yaml.h>\n",
    "collectors/snapshot/snapshot.h": HEADER + '#include "core/a.h"\n',
    "collectors/run/runner.c": '#include "collectors/azure/arm.h"\n'
                               '#include "collectors/snapshot/snapshot.h"\n',
    "collectors/azure/arm.h": HEADER + '#include "core/a.h"\n',
    "collectors/rows.kql": "// rows of the tenant\nresources\n| order by id asc\n",
    "alerts/rules/rule.c": '#include "collectors/snapshot/snapshot.h"\n',
    "exporter/main.c": '#include "alerts/rules/rule.h"\n\nint main(void)\n{\n    return 0;\n}\n',
    "tests/unit/test_a.c": '#include "exporter/web/web.h"\n#include <zlib.h>\n\n'
                           'TEST(a_adds)\n{\n}\n',
    "tests/fake_azure/server.c": "#include <microhttpd.h>\n#include <cjson/cJSON.h>\n",
    "scripts/demo": "#!/bin/bash\n",
}


def function(lines, name="a_one", body="    x++;\n", static=""):
    return f"{static}int {name}(int x)\n{{\n" + body * (lines - 3) + "}\n"


SWITCH = ("int a_one(int x)\n{\n    switch (x) {\n" + "    case 1: return 2;\n" * 80 +
          "    }\n    return 0;\n}\n")
TABLE = ("int a_one(int x)\n{\n    static const int rows[] = {\n" + "        1,\n" * 80 +
         "    };\n    return rows[x];\n}\n")
STRING = "static const char text[] = \"goto {\";\n/* goto } */\n"

# name, the rule that must speak (None = the tree stays clean), what is added to the clean tree
CASES = (
    ("core includes a collector", "floors",
     {"core/b.c": '#include "collectors/snapshot/snapshot.h"\n'}),
    ("core includes azure", "floors", {"core/b.c": '#include "collectors/azure/arm.h"\n'}),
    ("azure includes the snapshot", "floors",
     {"collectors/azure/b.c": '#include "collectors/snapshot/snapshot.h"\n'}),
    ("a collector includes azure", "floors",
     {"collectors/scores.c": '#include "collectors/azure/arm.h"\n'}),
    ("a collector includes alerts", "floors",
     {"collectors/scores.c": '#include "alerts/rules/rule.h"\n'}),
    ("alerts include the exporter", "floors", {"alerts/b.c": '#include "exporter/web/web.h"\n'}),
    ("the store includes the ledger", "floors",
     {"alerts/store/b.c": '#include "alerts/ledger/event.h"\n'}),
    ("a receiver includes the outbox", "floors",
     {"alerts/receivers/b.c": '#include "alerts/notify/outbox.h"\n'}),
    ("the exporter includes tests", "floors", {"exporter/b.c": '#include "tests/unit/test.h"\n'}),
    ("two headers include each other", "circles",
     {"core/b.h": HEADER + '#include "core/c.h"\n', "core/c.h": HEADER + '#include "core/b.h"\n'}),
    ("three headers in a circle", "circles",
     {"core/b.h": HEADER + '#include "core/c.h"\n', "core/c.h": HEADER + '#include "core/d.h"\n',
      "core/d.h": HEADER + '#include "core/b.h"\n'}),
    ("two files call each other", "call-circles",
     {"core/b.h": HEADER + "int b_one(int x);\nint b_two(int x);\n",
      "core/b.c": "int b_one(int x)\n{\n    return b_two(x);\n}\n",
      "core/b_more.c": "int b_two(int x)\n{\n    return b_one(x);\n}\n"}),
    ("three files pass each other's functions on", "call-circles",
     {"core/b.h": HEADER + "int b_one(int x);\n",
      "core/b.c": "int b_one(int x)\n{\n    return b_two(x);\n}\n",
      "core/b_more.c": "int b_two(int x)\n{\n    return each(b_last);\n}\n",
      "core/b_last.c": "int b_last(int x)\n{\n    return b_one(x);\n}\n"}),
    ("a static function of the same name", None,
     {"core/b.h": HEADER + "int b_one(int x);\nint b_two(int x);\n",
      "core/b.c": "static int a_two(int x)\n{\n    return x;\n}\n\n"
                  "int b_one(int x)\n{\n    return b_two(a_two(x));\n}\n",
      "core/b_more.c": "static int b_one(int x)\n{\n    return x;\n}\n\n"
                       "int b_two(int x)\n{\n    return b_one(x);\n}\n"}),
    ("cJSON twice", "libraries", {"core/b.c": "#include <cjson/cJSON.h>\n"}),
    ("curl in a collector", "libraries", {"collectors/b.c": "#include <curl/curl.h>\n"}),
    ("OpenSSL elsewhere", "libraries", {"core/b.c": "#include <openssl/evp.h>\n"}),
    ("keys where digests are", "libraries", {"core/hash.c": "#include <openssl/evp.h>\n"}),
    ("zlib elsewhere", "libraries", {"exporter/b.c": "#include <zlib.h>\n"}),
    ("libdeflate elsewhere", "libraries", {"core/gzip.c": "#include <libdeflate.h>\n"}),
    ("PCRE2 elsewhere", "libraries", {"exporter/b.c": "#include <pcre2.h>\n"}),
    ("libcrypt elsewhere", "libraries", {"core/b.c": "#include <crypt.h>\n"}),
    ("GnuTLS elsewhere", "libraries", {"exporter/web/b.c": "#include <gnutls/gnutls.h>\n"}),
    ("microhttpd elsewhere", "libraries", {"exporter/b.c": "#include <microhttpd.h>\n"}),
    ("microhttpd in its room", None,
     {"exporter/web/b.c": "#include <microhttpd.h>\n",
      "exporter/web/c.c": "#include <microhttpd.h>\n"}),
    ("the web room includes the exporter", "floors",
     {"exporter/web/b.c": '#include "exporter/config.h"\n'}),
    ("SQLite elsewhere", "libraries", {"alerts/b.c": "#include <sqlite3.h>\n"}),
    ("SQLite by name only", "libraries", {"alerts/b.c": "struct sqlite3;\n"}),
    ("yaml elsewhere", "libraries", {"exporter/b.c": "#include <yaml.h>\n"}),
    ("curl in the stand-in", "libraries", {"tests/fake_azure/b.c": "#include <curl/curl.h>\n"}),
    ("yaml in two files", "library-homes", {"core/options.c": "#include <yaml.h>\n"}),
    ("601 lines", "file-length", {"core/b.c": "\n" * 601}),
    ("600 lines", None, {"core/b.c": "\n" * 600}),
    ("61 lines of function", "function-length", {"core/a.c": function(61)}),
    ("60 lines of function", None, {"core/a.c": function(60)}),
    ("61 lines of static function", "function-length",
     {"core/a.c": function(61, static="static ")}),
    ("61 lines of test", "function-length",
     {"tests/unit/test_b.c": "TEST(b)\n{\n" + "    x();\n" * 58 + "}\n"}),
    ("a long switch of rows", None, {"core/a.c": SWITCH}),
    ("a long table inside a function", None, {"core/a.c": TABLE}),
    ("a long table at file scope", None,
     {"core/a.c": "static const int rows[] = {\n" + "    1,\n" * 90 + "};\n"}),
    ("101 columns", "columns", {"core/b.c": "/* " + "x" * 95 + " */\n"}),
    ("100 columns", None, {"core/b.c": "/* " + "x" * 94 + " */\n"}),
    ("a foreign name", "names", {"core/a.c": "int b_one(int x)\n{\n    return x;\n}\n"}),
    ("a foreign name on two lines", "names",
     {"core/a.c": "struct thing *\nthing_get(int x,\n          int y)\n{\n    return 0;\n}\n"}),
    ("exported without a header", "names", {"core/b.c": "int b_one(void)\n{\n    return 1;\n}\n"}),
    ("a part of a module", None, {"core/a_more.c": "int a_two(void)\n{\n    return 1;\n}\n"}),
    ("no pragma", "headers", {"core/b.h": "/* A module. */\n"}),
    ("no comment", "headers", {"core/b.h": "#pragma once\nint b(void);\n"}),
    ("goto", "goto", {"core/b.c": "static void x(void)\n{\n    goto out;\nout:;\n}\n"}),
    ("goto in a text", None, {"core/b.c": STRING}),
    ("an abort of one's own", "memory",
     {"alerts/b.c": "static void x(void)\n{\n    abort();\n}\n"}),
    ("a bare calloc", "memory",
     {"core/b.c": "static void *x(void)\n{\n    return calloc(1, 8);\n}\n"}),
    ("a bare strdup", "memory",
     {"core/b.h": HEADER + "static inline char *x(char *y)\n{\n    return strdup(y);\n}\n"}),
    ("a column by its number", "store",
     {"alerts/notify/b.c": "static long x(void)\n{\n    return database_integer(s, 3);\n}\n"}),
    ("a column by its number in the store", None,
     {"alerts/store/b.c": "static long x(void)\n{\n    return database_integer(s, 3);\n}\n"}),
    ("a collector asked for by its struct", "kinds",
     {"collectors/list.h": LIST,
      "alerts/b.c": "static int x(void)\n{\n    return c == &b_collector;\n}\n"}),
    ("a collector asked for by its name", "kinds",
     {"collectors/list.h": LIST,
      "alerts/b.c": 'static int x(void)\n{\n    return !strcmp(n, "b");\n}\n'}),
    ("a collector asks for itself", None,
     {"collectors/list.h": LIST,
      "collectors/b.c": "int b_is(void)\n{\n    return c == &b_collector;\n}\n",
      "collectors/b.h": HEADER + "int b_is(void);\n"}),
    ("memory in its home", None,
     {"core/memory.h": HEADER,
      "core/memory.c": "static void *x(void)\n{\n    return realloc(0, 8);\n}\n"}),
    ("memory by its macros", None,
     {"core/b.c": "static void x(void)\n{\n    memory_abort(\"abort()\");\n}\n"}),
    ("malloc in a test", None,
     {"tests/unit/test_b.c": "static void *x(void)\n{\n    return malloc(8);\n}\n"}),
    ("a static counter", "globals", {"core/b.c": "static int count;\n"}),
    ("a static pointer to const", "globals", {"core/b.c": "static const char *name = 0;\n"}),
    ("a static struct", "globals", {"core/b.c": "static struct {\n    int x;\n} state;\n"}),
    ("constant tables", None,
     {"core/b.c": "static const char *const words[] = { \"a\", 0 };\n"
                  "struct b {\n    int x;\n};\nenum { B_MAX = 4 };\n"
                  "static _Thread_local int depth;\nextern int other;\nint prototype(int x);\n"}),
    ("a family that does not name its labels", "families",
     {"core/b.c": "static const struct family_2 two = {\n    .name = \"two\",\n};\n"}),
    ("families that name them", None,
     {"core/b.c": "static const struct family_1 one = { .name = \"one\", LABELS(\"a\") };\n"
                  "static const struct family_0 none = { .name = \"none\" };\n"}),
    ("an open end", "open-ends", {"core/b.c": "/* TO" "DO later */\n"}),
    ("an open end with a number", None, {"core/b.c": "/* TO" "DO(#12) later */\n"}),
    ("a query without order", "queries", {"collectors/b.kql": "// rows\nresources\n"}),
    ("a query without a comment", "queries",
     {"collectors/b.kql": "resources\n| order by id asc\n"}),
    ("a path of one machine", "machine-paths", {"README.md": "see /wor" "k/here\n"}),
    ("another one", "machine-paths", {"scripts/demo": "#!/bin/bash\nls /far" "m/x\n"}),
    ("a word in a longer path", None, {"README.md": "tests/network/work/x\n"}),
    ("a link to no file", "links", {"docs/a.md": "[a](b.md)\n"}),
    ("a link to no heading", "links", {"docs/a.md": "# A b\n[a](#a-c)\n"}),
    ("a link to no heading of another", "links",
     {"docs/a.md": "# A\n", "README.md": "# B\n[a](docs/a.md#b)\n"}),
    ("a heading in code", "links", {"docs/a.md": "```\n# A\n```\n[a](#a)\n"}),
    ("a path to no file", "links", {"README.md": "`core/b.c`\n"}),
    ("links that lead somewhere", None,
     {"docs/a.md": "# What, when?\n[a](../README.md#b) [b](#what-when)\n```\n[c](d.md)\n```\n",
      "README.md": "# B\n![a](docs/a.md) [b](https://example.com/c#d) `core/a.c` `docs`\n"}),
    ("a room nobody described", "rooms", {"CONTRIBUTING.md": "| `core` | tools |\n"}),
    ("a script that cannot run", "executable", {"scripts/test": "#!/bin/bash\n"}),
)


def build(root, files, skip_mode=()):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        if path.startswith("scripts/"):
            os.chmod(full, 0o644 if path in skip_mode else 0o755)


def run(lint, rules):
    failed = 0
    spoken = set()
    for name, expected, files in (("a clean tree", None, {}),) + CASES:
        with tempfile.TemporaryDirectory() as root:
            build(root, {**CLEAN, **files}, files if expected == "executable" else ())
            heard = {rule for _, _, rule, _ in lint(root)[0]}
        spoken |= heard
        right = heard == ({expected} if expected else set())
        failed += not right
        print(f"{'ok    ' if right else 'FAILED'} {name}: "
              f"{', '.join(sorted(heard)) or 'silent'}, want {expected or 'silent'}")
    silent = set(rules) - spoken
    if silent:
        print("FAILED rules that no case broke: " + ", ".join(sorted(silent)))
    print(f"{len(CASES) + 1} cases, {len(rules)} rules, {failed} failed")
    return 1 if failed or silent else 0
