/* Which parts of a configuration another one changes. */
#include "core/options.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

enum mode { MODE_SLOW, MODE_FAST };
static const char *const mode_words[] = { "slow", "fast", NULL };

struct item {
    const char *name;
    int64_t weight;
    struct secret token;
};
struct plain {
    const char *text, *path;
    bool on;
    int64_t number;
    double ratio;
    int mode;
    struct option_texts list;
    struct option_pairs pairs;
    struct option_items items, named;
    struct secret secret;
};

/* clang-format off */
static const struct option item_rows[] = {
    { "name", OPTION_TEXT(struct item, name), .required = true },
    { "weight", OPTION_INTEGER(struct item, weight), .otherwise = "5" },
    { "token", OPTION_SECRET(struct item, token) },
    { 0 }
};
static const struct option named_rows[] = {
    { "weight", OPTION_INTEGER(struct item, weight) },
    { 0 }
};
static const struct option plain_rows[] = {
    { "text", OPTION_TEXT(struct plain, text), .restart = true },
    { "path", OPTION_PATH(struct plain, path) },
    { "on", OPTION_BOOL(struct plain, on), .restart = true },
    { "number", OPTION_INTEGER(struct plain, number), .help = "A number.", .restart = true },
    { "ratio", OPTION_NUMBER(struct plain, ratio) },
    { "mode", OPTION_WORD(struct plain, mode), .words = mode_words },
    { "list", OPTION_TEXT_LIST(struct plain, list) },
    { "pairs", OPTION_TEXT_MAP(struct plain, pairs) },
    { "items", OPTION_ITEMS(struct plain, items, struct item), .section = item_rows },
    { "named", OPTION_NAMED(struct plain, named, struct item), .section = named_rows },
    { "secret", OPTION_SECRET(struct plain, secret) },
    { 0 }
};
static const struct option group_rows[] = {
    { "group", OPTION_GROUP, .section = plain_rows },
    { 0 }
};
/* clang-format on */

static uint64_t hash_of(const char *yaml, enum options_hash_use use)
{
    struct plain plain = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CHECK(options_read(plain_rows, "f.yml", yaml, strlen(yaml), &plain, &arena, &report));
    uint64_t hash = options_hash(plain_rows, &plain, use);
    options_finish(plain_rows, &plain);
    return hash;
}

TEST(a_hash_follows_every_value_and_nothing_else)
{
    static const char *const different[] = {
        "",
        "text: a",
        "path: a",
        "on: true",
        "number: 1",
        "ratio: 1",
        "mode: fast",
        "list: [a]",
        "list: [a, b]",
        "list: [ab]",
        "pairs: {a: b}",
        "pairs: {b: a}",
        "items: [{name: a}]",
        "items: [{name: a, weight: 6}]",
        "items: [{name: a, token: s}]",
        "items: [{name: a, token: t}]",
        "items: [{name: a}, {name: a}]",
        "named: {a: {weight: 6}}",
        "named: {b: {weight: 6}}",
        "secret: s",
        "secret: t",
    };
    for (size_t i = 0; i < ARRAY_COUNT(different); i++)
        for (size_t n = 0; n < i; n++)
            CHECK(hash_of(different[i], OPTIONS_HASH_OURS) !=
                  hash_of(different[n], OPTIONS_HASH_OURS));
    CHECK(hash_of("text: a\non: true", OPTIONS_HASH_OURS) ==
          hash_of("# words\n\non: true\ntext: 'a' # a", OPTIONS_HASH_OURS));
}

TEST(a_hash_that_is_shown_tells_a_byte_of_a_secret)
{
    uint64_t seen[256];
    size_t count = 0, changes = 0;
    uint64_t before = 0;
    for (int i = 0; i < 2000; i++) {
        char yaml[40];
        snprintf(yaml, sizeof yaml, "secret: secret-%d", i);
        uint64_t hash = hash_of(yaml, OPTIONS_HASH_SHOWN);
        size_t at = 0;
        while (at < count && seen[at] != hash)
            at++;
        if (at == count && count < ARRAY_COUNT(seen))
            seen[count++] = hash;
        else
            CHECK(at < count); /* never a 257th */
        changes += hash != before;
        before = hash;
    }
    CHECK(count > 200);
    CHECK(changes > 1900);
}

TEST(what_needs_a_restart_is_named)
{
    struct plain running = { .text = "a", .number = 1, .mode = MODE_SLOW };
    struct plain wanted = { .text = "a", .number = 1, .mode = MODE_FAST };
    CLEANUP(buf_finish) struct buf keys = { 0 };
    CLEANUP(buf_finish) struct buf document = { 0 };
    options_restart(group_rows, "", &running, &wanted, &keys);
    CHECK_TEXT(buf_cstr(&keys), "");
    wanted.text = "b";
    wanted.number = 2;
    options_restart(group_rows, "", &running, &wanted, &keys);
    CHECK_TEXT(buf_cstr(&keys), "group.text, group.number");
    options_document(plain_rows, &document);
    CHECK_CONTAINS(document.data, "# A number. A change needs a restart.\n");
}
