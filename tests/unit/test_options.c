#include "core/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum mode { MODE_SLOW, MODE_FAST };
static const char *const mode_words[] = { "slow", "fast", NULL };

struct inner {
    const char *who;
    struct secret key;
    int64_t interval_ms;
    const char *file;
};
struct item {
    const char *name;
    int64_t weight;
    int weight_line;
    struct secret token;
};
struct outer {
    const char *text, *url;
    bool on;
    int64_t count, bytes, port;
    double ratio;
    int mode, text_line;
    struct option_texts list, modes;
    struct option_pairs labels;
    struct inner inner, optional;
    struct option_items rules, named;
};

static const char *is_even(const void *value)
{
    return *(const int64_t *)value % 2 ? "must be even" : NULL;
}

static const char *has_two(const void *value)
{
    return ((const struct option_items *)value)->count > 2 ? "at most two" : NULL;
}

/* clang-format off */
static const struct option inner_rows[] = {
    { "who", OPTION_TEXT(struct inner, who), .required = true, .help = "Somebody." },
    { "key", OPTION_SECRET(struct inner, key), .help = "The key." },
    { "interval", OPTION_DURATION(struct inner, interval_ms), .otherwise = "15m",
      .min = 1000, .max = 86400e3, .help = "How often." },
    { "file", OPTION_PATH(struct inner, file), .help = "A file." },
    { 0 }
};
static const struct option item_rows[] = {
    { "name", OPTION_TEXT(struct item, name), .required = true },
    { "weight", OPTION_INTEGER(struct item, weight), .otherwise = "5",
      OPTION_LINE(struct item, weight_line) },
    { "token", OPTION_SECRET(struct item, token) },
    { 0 }
};
static const struct option named_rows[] = {
    { "weight", OPTION_INTEGER(struct item, weight), .otherwise = "7" },
    { "token", OPTION_SECRET(struct item, token) },
    { 0 }
};
static const struct option rows[] = {
    { "text", OPTION_TEXT(struct outer, text), .otherwise = "a: \"b\"",
      OPTION_LINE(struct outer, text_line), .help = "A text." },
    { "url", OPTION_URL(struct outer, url), .otherwise = "https://example.com" },
    { "enabled", OPTION_BOOL(struct outer, on), .help = "Whether." },
    { "count", OPTION_INTEGER(struct outer, count), .otherwise = "4", .min = 1,
      .check = is_even, .help = "An even number." },
    { "port", OPTION_INTEGER(struct outer, port), .min = 1, .max = 65535 },
    { "bytes", OPTION_SIZE(struct outer, bytes), .otherwise = "1MiB",
      .max = 1073741824 },
    { "ratio", OPTION_NUMBER(struct outer, ratio), .otherwise = "0.5", .max = 1 },
    { "mode", OPTION_WORD(struct outer, mode), .words = mode_words,
      .otherwise = "fast" },
    { "list", OPTION_TEXT_LIST(struct outer, list), .otherwise = "x,y" },
    { "modes", OPTION_TEXT_LIST(struct outer, modes), .words = mode_words },
    { "labels", OPTION_TEXT_MAP(struct outer, labels), .help = "Pairs." },
    { "inner", OPTION_SECTION(struct outer, inner), .section = inner_rows,
      .help = "A section." },
    { "optional", OPTION_SECTION(struct outer, optional), .section = inner_rows },
    { "rules", OPTION_ITEMS(struct outer, rules, struct item), .section = item_rows,
      .check = has_two, .help = "Rules." },
    { "named", OPTION_NAMED(struct outer, named, struct item), .section = named_rows },
    { 0 }
};
static const struct option strict_rows[] = {
    { "inner", OPTION_SECTION(struct outer, inner), .section = inner_rows,
      .required = true },
    { "url", OPTION_URL(struct outer, url), .required = true },
    { 0 }
};
/* clang-format on */

/* A configuration and what came of reading it. */
struct reading {
    struct arena arena;
    struct outer out;
    struct option_report report;
    bool ok;
};

static void finish_reading(struct reading *reading)
{
    options_finish(rows, &reading->out);
    options_report_finish(&reading->report);
    arena_finish(&reading->arena);
}

#define READING CLEANUP(finish_reading) struct reading

static struct reading read_rows(const struct option *table, const char *text)
{
    struct reading reading = { 0 };
    options_default(table, &reading.out, &reading.arena);
    reading.ok = options_read(table, "c.yml", text, strlen(text), &reading.out, &reading.arena,
                              &reading.report);
    return reading;
}

static void check_defaults(const struct outer *out)
{
    CHECK_TEXT(out->text, "a: \"b\"");
    CHECK_TEXT(out->url, "https://example.com");
    CHECK(!out->on);
    CHECK_INT(out->count, 4);
    CHECK_INT(out->port, 0);
    CHECK_INT(out->bytes, 1 << 20);
    CHECK_NUMBER(out->ratio, 0.5);
    CHECK_INT(out->mode, MODE_FAST);
    CHECK_INT(out->list.count, 2);
    CHECK_TEXT(out->list.texts[1], "y");
    CHECK_INT(out->labels.count, 0);
    CHECK_TEXT(out->inner.who, NULL);
    CHECK_TEXT(secret_text(&out->inner.key), NULL);
    CHECK_INT(out->inner.interval_ms, 900000);
    CHECK_INT(out->rules.count, 0);
    CHECK_INT(out->named.count, 0);
}

TEST(nothing_gives_the_defaults)
{
    static const char *const cases[] = {
        "",
        "\n",
        "# only a comment\n",
        "---\n",
        "~\n",
        "{}",
        "inner:\n",
        "inner: null\nrules:\n",
        "text:\nlist: ~\nnamed: null\nlabels:\ncount: # later\n",
        "\xef\xbb\xbf# after a byte order mark\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        READING reading = read_rows(rows, cases[i]);
        CHECK(reading.ok);
        CHECK_TEXT(buf_cstr(&reading.report.text), "");
        check_defaults(&reading.out);
    }
}

static const char full_text[] = "text: \"multi\\nline\"\n"
                                "url: https://[::1]:8443/api//\n"
                                "enabled: true\n"
                                "count: +1000\n"
                                "port: 0443\n"
                                "bytes: 512KB\n"
                                "ratio: 1e-1\n"
                                "mode: slow\n"
                                "list: [1, two, 'three']\n"
                                "modes: fast\n"
                                "labels: {b: 1, a: x, empty: }\n"
                                "inner:\n"
                                "  who: me\n"
                                "  key: s3cr3t-inline\n"
                                "  interval: 1h30m\n"
                                "  file: sub/x.txt\n"
                                "rules:\n"
                                "  - name: first\n"
                                "    weight: -3\n"
                                "  - {name: second}\n"
                                "named:\n"
                                "  alpha: {weight: 1}\n"
                                "  beta:\n";

TEST(every_type_is_read)
{
    READING good = read_rows(rows, full_text);
    const struct outer *out = &good.out;
    CHECK_TEXT(buf_cstr(&good.report.text), "");
    CHECK(good.ok);
    CHECK_TEXT(out->text, "multi\nline");
    CHECK_INT(out->text_line, 1);
    CHECK_TEXT(out->url, "https://[::1]:8443/api");
    CHECK(out->on);
    CHECK_INT(out->count, 1000);
    CHECK_INT(out->port, 443);
    CHECK_INT(out->bytes, 512000);
    CHECK_NUMBER(out->ratio, 0.1);
    CHECK_INT(out->mode, MODE_SLOW);
    CHECK_INT(out->list.count, 3);
    CHECK_TEXT(out->list.texts[0], "1");
    CHECK_TEXT(out->list.texts[2], "three");
    CHECK_INT(out->modes.count, 1);
    CHECK_TEXT(out->modes.texts[0], "fast");
    CHECK_INT(out->labels.count, 3);
    CHECK_TEXT(out->labels.pairs[0].name, "b");
    CHECK_TEXT(out->labels.pairs[1].value, "x");
    CHECK_TEXT(out->labels.pairs[2].value, "");
    CHECK_INT(out->labels.pairs[1].line, 11);
    CHECK_TEXT(out->inner.who, "me");
    CHECK_TEXT(secret_text(&out->inner.key), "s3cr3t-inline");
    CHECK_INT(out->inner.interval_ms, 5400000);
    CHECK_TEXT(out->inner.file, "sub/x.txt");
    CHECK_INT(out->optional.interval_ms, 900000);
    const struct item *rules = out->rules.items, *named = out->named.items;
    CHECK_INT(out->rules.count, 2);
    CHECK_TEXT(rules[0].name, "first");
    CHECK_INT(rules[0].weight, -3);
    CHECK_INT(rules[0].weight_line, 19);
    CHECK_INT(rules[1].weight, 5);
    CHECK_INT(rules[1].weight_line, 0);
    CHECK_INT(out->named.count, 2);
    CHECK_TEXT(named[0].name, "alpha");
    CHECK_INT(named[0].weight, 1);
    CHECK_TEXT(named[1].name, "beta");
    CHECK_INT(named[1].weight, 7);
}

static const struct {
    const char *text, *want;
} wrong_values[] = {
    { "enabled: yes", "c.yml:1: enabled: \"yes\" is not true or false\n" },
    { "enabled: [true]", "c.yml:1: enabled: must be a single value, not a list\n" },
    { "\n\ncount: 4.5", "c.yml:3: count: \"4.5\" is not an integer\n" },
    { "count: ' 4'", "c.yml:1: count: \" 4\" is not an integer\n" },
    { "count: 4 # fine\nport: 0x10", "c.yml:2: port: \"0x10\" is not an integer\n" },
    { "count: 99999999999999999999",
      "c.yml:1: count: \"99999999999999999999\" is not an integer\n" },
    { "count: '-'", "c.yml:1: count: \"-\" is not an integer\n" },
    { "count: 0", "c.yml:1: count: must be at least 1\n" },
    { "count: 3", "c.yml:1: count: must be even\n" },
    { "port: 65536", "c.yml:1: port: must be between 1 and 65535\n" },
    { "bytes: 2GiB", "c.yml:1: bytes: must be between 0B and 1GiB\n" },
    { "bytes: 1.5GB", "c.yml:1: bytes: \"1.5GB\" is not a size like 512MB or 1GiB\n" },
    { "bytes: -1", "c.yml:1: bytes: \"-1\" is not a size like 512MB or 1GiB\n" },
    { "bytes: 9000000000TiB", "c.yml:1: bytes: \"9000000000TiB\" is not a size like 512MB or "
                              "1GiB\n" },
    { "ratio: 1.01", "c.yml:1: ratio: must be between 0 and 1\n" },
    { "ratio: nan", "c.yml:1: ratio: \"nan\" is not a number\n" },
    { "ratio: 1e999", "c.yml:1: ratio: \"1e999\" is not a number\n" },
    { "ratio: 0,5", "c.yml:1: ratio: \"0,5\" is not a number\n" },
    { "ratio: ''", "c.yml:1: ratio: \"\" is not a number\n" },
    { "mode: Fast", "c.yml:1: mode: \"Fast\" is not one of slow, fast\n" },
    { "modes: [fast,\n  quick]", "c.yml:2: modes: \"quick\" is not one of slow, fast\n" },
    { "inner: {who: me,\n interval: 5 minutes}",
      "c.yml:2: inner.interval: \"5 minutes\" is not a duration like 30s, 15m or 1h30m\n" },
    { "inner: {who: me, interval: 2d}", "c.yml:1: inner.interval: must be between 1s and 1d\n" },
    { "inner: {who: me, key: ''}", "c.yml:1: inner.key: is empty\n" },
    { "inner:\n  key: abcdefgh", "c.yml:1: inner.who: is required but missing\n" },
    { "inner: [who]", "c.yml:1: inner: must be a mapping, not a list\n" },
    { "inner: text", "c.yml:1: inner: must be a mapping, not a single value\n" },
    { "list: {a: b}", "c.yml:1: list: must be a list, not a mapping\n" },
    { "list: [a, [b], ~]", "c.yml:1: list: must be a single value, not a list\n"
                           "c.yml:1: list: must be a single value, not empty\n" },
    { "labels: [a]", "c.yml:1: labels: must be a mapping, not a list\n" },
    { "labels:\n  a: b\n  c: [d]", "c.yml:3: labels.c: must be a single value, not a list\n" },
    { "labels: {a: b, a: c}", "c.yml:1: labels.a: duplicate key, first in line 1\n" },
    { "rules: {name: a}", "c.yml:1: rules: must be a list, not a mapping\n" },
    { "rules:\n- name: a\n- weight: x\n", "c.yml:3: rules[1].weight: \"x\" is not an integer\n"
                                          "c.yml:3: rules[1].name: is required but missing\n" },
    { "rules: [{name: a}, b]", "c.yml:1: rules[1]: must be a mapping, not a single value\n" },
    { "rules: [{name: a}, {name: b}, {name: c}]", "c.yml:1: rules: at most two\n" },
    { "named: {a: {weigth: 1}}",
      "c.yml:1: named.a.weigth: unknown key, did you mean \"weight\"?\n" },
    { "named:\n  a: {}\n  b: {}\n  a: {}\n", "c.yml:4: named.a: duplicate key, first in line 2\n" },
    { "text: a\ncount: 2\ntext: b\n", "c.yml:3: text: duplicate key, first in line 1\n" },
    { "txt: a", "c.yml:1: txt: unknown key, did you mean \"text\"?\n" },
    { "weather: a", "c.yml:1: weather: unknown key\n" },
    { "xx: a", "c.yml:1: xx: unknown key\n" },
    { "inner: {who: me, file_file: x}", "c.yml:1: inner.file_file: unknown key\n" },
    { "<<: {text: a}", "c.yml:1: <<: unknown key\n" },
    { "a\\b\\n: 1\n\"x\\ny\": 2", "c.yml:1: a\\b\\n: unknown key\n"
                                  "c.yml:2: x y: unknown key\n" },
    { "[a, b]", "c.yml:1: must be a mapping, not a list\n" },
    { "just words", "c.yml:1: must be a mapping, not a single value\n" },
};

TEST(every_wrong_value_is_told)
{
    for (size_t i = 0; i < ARRAY_COUNT(wrong_values); i++) {
        READING reading = read_rows(rows, wrong_values[i].text);
        CHECK(!reading.ok);
        CHECK_TEXT(buf_cstr(&reading.report.text), wrong_values[i].want);
    }
}

TEST(all_wrong_values_are_told_together)
{
    READING reading = read_rows(rows, "enabled: 7\nport: -1\ninner:\n  intervall: 1s\nmode: x\n");
    CHECK_INT(reading.report.count, 5);
    CHECK_TEXT(buf_cstr(&reading.report.text),
               "c.yml:1: enabled: \"7\" is not true or false\n"
               "c.yml:2: port: must be between 1 and 65535\n"
               "c.yml:4: inner.intervall: unknown key, did you mean \"interval\"?\n"
               "c.yml:3: inner.who: is required but missing\n"
               "c.yml:5: mode: \"x\" is not one of slow, fast\n");
}

TEST(what_yaml_itself_refuses_has_its_line)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "text: a\n  bad: b\n", "c.yml:2: mapping values are not allowed in this context\n" },
        { "text: a\nlist: [a,\nmode: fast\n", "c.yml:4: did not find expected ',' or ']', while "
                                              "parsing a flow sequence in line 2\n" },
        { "text: 'open\n", "c.yml:2: found unexpected end of stream, while scanning a quoted "
                           "scalar in line 1\n" },
        { "a:\n\tb: c\n", "c.yml:2: a tab: what is nested is indented with blanks\n" },
        { "text: a\nurl: \"\xff\"\n", "c.yml:2: invalid leading UTF-8 octet\n" },
        { "text: a\n\nurl: \x01\n", "c.yml:3: control characters are not allowed\n" },
        { "text: &x a\n",
          "c.yml:1: YAML anchors (&), aliases (*) and tags (!) are not supported\n" },
        { "list:\n- a\n- *x\n",
          "c.yml:3: YAML anchors (&), aliases (*) and tags (!) are not supported\n" },
        { "inner: !x {}",
          "c.yml:1: YAML anchors (&), aliases (*) and tags (!) are not supported\n" },
        { "list: &x []",
          "c.yml:1: YAML anchors (&), aliases (*) and tags (!) are not supported\n" },
        { "text: a\n---\ntext: b\n",
          "c.yml:2: a second YAML document begins here; one is allowed\n" },
        { "{[a]: b}", "c.yml:1: a key must be a plain text\n" },
        { "\"a\\0b\": 1", "c.yml:1: a key must be a plain text\n" },
        { "text: \"a\\0b\"", "c.yml:1: a text holds a NUL character\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        READING reading = read_rows(rows, cases[i].text);
        CHECK(!reading.ok);
        CHECK_TEXT(buf_cstr(&reading.report.text), cases[i].want);
    }
}

TEST(input_is_limited)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_text(&text, "list: ");
    for (int i = 0; i < 19; i++)
        buf_char(&text, '[');
    for (int i = 0; i < 19; i++)
        buf_char(&text, ']');
    READING deep = read_rows(rows, text.data);
    CHECK_TEXT(buf_cstr(&deep.report.text), "c.yml:1: list: must be a single value, not a list\n");
    buf_reset(&text);
    buf_text(&text, "list: ");
    for (int i = 0; i < 100000; i++)
        buf_char(&text, '[');
    READING deeper = read_rows(rows, text.data);
    CHECK_TEXT(buf_cstr(&deeper.report.text), "c.yml:1: nested deeper than 20 levels\n");

    buf_reset(&text);
    for (int i = 0; i < 10001; i++)
        buf_printf(&text, "k%d: 1\n", i);
    READING wide = read_rows(rows, text.data);
    CHECK_TEXT(buf_cstr(&wide.report.text), "c.yml:10001: a mapping has more than 10000 keys\n");
    text.length -= strlen("k10000: 1\n");
    text.data[text.length] = '\0';
    READING unknown = read_rows(rows, text.data);
    CHECK_INT(unknown.report.count, 10000);
    CHECK_CONTAINS(unknown.report.text.data, "c.yml:100: k99: unknown key\nc.yml: more is wrong\n");
    CHECK(unknown.report.text.length < 5000);

    buf_reset(&text);
    buf_text(&text, "#");
    while (text.length < 4 * 1024 * 1024)
        buf_char(&text, 'x');
    READING full = read_rows(rows, text.data);
    CHECK(full.ok);
    buf_char(&text, 'x');
    READING large = read_rows(rows, text.data);
    CHECK_TEXT(buf_cstr(&large.report.text), "c.yml: larger than 4 MiB\n");
}

TEST(urls_are_checked)
{
    static const char *const good[][2] = {
        { "http://127.0.0.1:9090", "http://127.0.0.1:9090" },
        { "http://localhost/", "http://localhost" },
        { "https://a.b/c/?x=1/", "https://a.b/c/?x=1/" },
        { "https://a.b#f/", "https://a.b#f/" },
    };
    static const char *const bad[] = {
        "example.com",     "ftp://a",
        "https://",        "https:///a",
        "http://:80",      "http://a:",
        "http://a:0",      "http://a:65536",
        "http://a:8x",     "http://user:hunter2@a",
        "http://user@a/b", "http://[::1",
        "http://[]",       "http://[zz]:1",
        "http://a b",      "http://a/\xc3\xa4",
        "http://[::1]x",
    };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        char text[100];
        snprintf(text, sizeof text, "url: '%s'", good[i][0]);
        READING reading = read_rows(rows, text);
        CHECK_TEXT(buf_cstr(&reading.report.text), "");
        CHECK_TEXT(reading.out.url, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char text[100];
        snprintf(text, sizeof text, "url: '%s'", bad[i]);
        READING reading = read_rows(rows, text);
        test_check(!reading.ok, __FILE__, __LINE__, bad[i]);
        CHECK_CONTAINS(buf_cstr(&reading.report.text), "c.yml:1: url: ");
        CHECK(!strstr(buf_cstr(&reading.report.text), "hunter2"));
    }
}

TEST(required_counts_where_the_section_is_or_must_be)
{
    READING none = read_rows(strict_rows, "");
    CHECK_TEXT(buf_cstr(&none.report.text), "c.yml:1: inner.who: is required but missing\n"
                                            "c.yml:1: url: is required but missing\n");
    READING empty = read_rows(strict_rows, "url: http://a\ninner: {}\n");
    CHECK_TEXT(buf_cstr(&empty.report.text), "c.yml:2: inner.who: is required but missing\n");
    READING good = read_rows(strict_rows, "url: http://a\ninner: {who: me}\n");
    CHECK(good.ok);
    READING null = read_rows(strict_rows, "url: http://a\ninner: {who: }\n");
    CHECK_TEXT(buf_cstr(&null.report.text), "c.yml:2: inner.who: is required but missing\n");
}

TEST(secrets_come_from_files)
{
    struct reading reading = { 0 };
    test_file("key", "from-a-file\n");
    const char *path =
        test_file("c.yml", "inner:\n  who: me\n  key_file: key\n  file: ../x\nrules:\n"
                           "  - name: a\n    token_file: key\n");
    options_default(rows, &reading.out, &reading.arena);
    CHECK(options_read_file(rows, path, &reading.out, &reading.arena, &reading.report));
    CHECK_TEXT(buf_cstr(&reading.report.text), "");
    CHECK_TEXT(secret_text(&reading.out.inner.key), "from-a-file");
    CHECK_TEXT(secret_text(&((struct item *)reading.out.rules.items)->token), "from-a-file");
    char want[4300];
    snprintf(want, sizeof want, "%s/../x", test_folder());
    CHECK_TEXT(reading.out.inner.file, want);
    finish_reading(&reading);
}

TEST(a_secret_stands_once_and_its_file_is_named)
{
    READING both = read_rows(rows, "inner:\n  who: a\n  key: abcdefgh\n  key_file: /x\n");
    CHECK_TEXT(buf_cstr(&both.report.text),
               "c.yml:4: inner.key_file: both key and key_file are given\n");
    READING missing = read_rows(rows, "inner: {who: a, key_file: /nonexistent/key}");
    CHECK_TEXT(buf_cstr(&missing.report.text),
               "c.yml:1: inner.key_file: secret file /nonexistent/key: No such file or "
               "directory\n");
    READING wrong = read_rows(rows, "inner: {who: a, key: [abcdefgh]}");
    CHECK_TEXT(buf_cstr(&wrong.report.text),
               "c.yml:1: inner.key: must be a single value, not a list\n");
}

TEST(a_file_that_cannot_be_read_is_named)
{
    struct reading reading = { 0 };
    CHECK(!options_read_file(rows, "/nonexistent/c.yml", &reading.out, &reading.arena,
                             &reading.report));
    CHECK_TEXT(buf_cstr(&reading.report.text), "/nonexistent/c.yml: No such file or directory\n");
    options_report_finish(&reading.report);
    CHECK(!options_read_file(rows, test_folder(), &reading.out, &reading.arena, &reading.report));
    CHECK_CONTAINS(buf_cstr(&reading.report.text), ": Is a directory\n");
    finish_reading(&reading);
}

TEST(one_value_is_set_by_path)
{
    READING reading = read_rows(rows, "inner: {who: me}\nnamed: {a: {weight: 1}}\n");
    struct outer *out = &reading.out;
    char key[4300];
    snprintf(key, sizeof key, "%s", test_file("flag-key", "by-flag-file"));
    const struct {
        const char *path, *text;
    } cases[] = {
        { "mode", "slow" },           { "inner.interval", "30s" },
        { "list", "p,q,r" },          { "inner.key_file", key },
        { "named.a.weight", "2" },    { "named.b.weight", "3" },
        { "inner.file", "rel/path" }, { "modes", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK(options_set(rows, cases[i].path, cases[i].text, "--flag", out, &reading.arena,
                          &reading.report));
    CHECK_TEXT(buf_cstr(&reading.report.text), "");
    CHECK_INT(out->mode, MODE_SLOW);
    CHECK_INT(out->inner.interval_ms, 30000);
    CHECK_INT(out->list.count, 3);
    CHECK_TEXT(out->list.texts[2], "r");
    CHECK_INT(out->modes.count, 0);
    CHECK_TEXT(secret_text(&out->inner.key), "by-flag-file");
    CHECK_TEXT(out->inner.file, "rel/path");
    const struct item *named = out->named.items;
    CHECK_INT(out->named.count, 2);
    CHECK_INT(named[0].weight, 2);
    CHECK_TEXT(named[1].name, "b");
    CHECK_INT(named[1].weight, 3);
}

TEST(one_value_that_cannot_be_set_is_told)
{
    static const struct {
        const char *path, *text, *want;
    } cases[] = {
        { "mode", "quick", "--flag: mode: \"quick\" is not one of slow, fast\n" },
        { "count", "5", "--flag: count: must be even\n" },
        { "nothing", "x", "--flag: nothing: cannot be set from one text\n" },
        { "inner", "x", "--flag: inner: cannot be set from one text\n" },
        { "inner.", "x", "--flag: inner.: cannot be set from one text\n" },
        { "inner.what", "x", "--flag: inner.what: cannot be set from one text\n" },
        { "mode.x", "x", "--flag: mode.x: cannot be set from one text\n" },
        { "rules.name", "x", "--flag: rules.name: cannot be set from one text\n" },
        { "labels", "x", "--flag: labels: cannot be set from one text\n" },
        { "named.a", "x", "--flag: named.a: cannot be set from one text\n" },
        { "", "x", "--flag: cannot be set from one text\n" },
        { "inner.key_file", "/nonexistent",
          "--flag: inner.key_file: secret file /nonexistent: No such file or directory\n" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        READING reading = read_rows(rows, "");
        CHECK(!options_set(rows, cases[i].path, cases[i].text, "--flag", &reading.out,
                           &reading.arena, &reading.report));
        CHECK_TEXT(buf_cstr(&reading.report.text), cases[i].want);
    }
}

TEST(the_reference_reads_back_as_the_defaults)
{
    CLEANUP(buf_finish) struct buf document = { 0 };
    options_document(rows, &document);
    READING reading = read_rows(rows, document.data);
    CHECK_TEXT(buf_cstr(&reading.report.text), "");
    check_defaults(&reading.out);
    static const char *const parts[] = {
        "# A text.\ntext: \"a: \\\"b\\\"\"\n\n",
        "# Whether.\nenabled: false\n",
        "# An even number. Must be at least 1.\ncount: 4\n",
        "# Must be between 1 and 65535.\n# port: <integer>\n",
        "# Must be between 0B and 1GiB.\nbytes: 1MiB\n",
        "# One of: slow, fast.\nmode: fast\n",
        "list: [\"x\", \"y\"]\n",
        "# Pairs.\n# labels: {<name>: <text>}\n",
        "# A section.\n# inner:\n#   # Somebody. Required.\n#   who: <text>\n",
        "#   # How often. Must be between 1s and 1d.\n#   interval: 15m\n",
        "#   # The key. Or key_file: the name of a file that holds it.\n#   key: <secret>\n",
        "# Rules.\n# rules:\n#   -\n#     # Required.\n#     name: <text>\n#\n",
        "# named:\n#   <name>:\n#     weight: 7\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        CHECK_CONTAINS(document.data, parts[i]);
}

TEST(a_required_section_is_shown_open)
{
    CLEANUP(buf_finish) struct buf document = { 0 };
    options_document(strict_rows, &document);
    CHECK_CONTAINS(document.data, "# Required.\ninner:\n  # Somebody. Required.\n"
                                  "  # who: <text>\n");
    CHECK_CONTAINS(document.data, "  interval: 15m\n");
}

TEST(long_help_is_wrapped)
{
    static const struct option wordy[] = {
        { "a", OPTION_TYPE_BOOL, 0,
          .help = "Forty letters of words are not enough to see a line break, so that this text "
                  "has more of them than fit.\nAnd a second line." },
        { 0 },
    };
    CLEANUP(buf_finish) struct buf document = { 0 };
    options_document(wordy, &document);
    CHECK_TEXT(document.data,
               "# Forty letters of words are not enough to see a line break, so that this text has "
               "more of them than\n# fit. And a second line.\na: false\n");
}
