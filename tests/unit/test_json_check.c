#include "core/json_check.h"

#include <string.h>

#include "core/buf.h"
#include "test.h"

static bool is_json(const char *text)
{
    size_t at;
    return json_check(text, strlen(text), &at);
}

TEST(values_to_the_letter)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E-2",
        "10",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "{\"a\":1,\"b\":[{},[],\"x\"]}",
        "\t{\r\n\"a\" : 1 }\n",
        "\"\xc3\xa9\x7f\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(is_json(cases[i]) ? "" : cases[i], "");
}

TEST(what_is_none)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        { "", 0 },      { " ", 1 },        { "{", 1 },          { "[1", 2 },
        { "[1,]", 3 },  { "[,1]", 1 },     { "[1 2]", 3 },      { "{\"a\"}", 4 },
        { "{a:1}", 1 }, { "{\"a\":}", 5 }, { "{\"a\":1,}", 7 }, { "01", 1 },
        { "1.", 2 },    { ".5", 0 },       { "+1", 0 },         { "-", 1 },
        { "1e", 2 },    { "nul", 3 },      { "True", 0 },       { "NaN", 0 },
        { "\"a", 2 },   { "\"\n\"", 1 },   { "\"\\x\"", 2 },    { "\"\\u12g4\"", 5 },
        { "\"\\", 2 },  { "'a'", 0 },      { "{} {}", 3 },      { "[1]]", 3 },
        { "{1:2}", 1 }, { "\v1", 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t at;
        CHECK_TEXT(json_check(cases[i].text, strlen(cases[i].text), &at) ? cases[i].text : "", "");
        CHECK_INT(at, cases[i].at);
    }
    size_t at;
    CHECK(!json_check("[1\0]", 4, &at) && !json_check("1\0", 2, &at));
    CHECK(!json_check("\"\\\0\"", 4, &at) && !json_check("\"\\u\0\"", 5, &at));
}

TEST(it_ends_where_the_text_does)
{
    static const char text[] = "{\"a\":[1,\"\\u00e9\",true,null]}";
    size_t at;
    for (size_t length = 0; length + 1 < sizeof text; length++)
        CHECK(!json_check(text, length, &at) && at <= length);
    CHECK(json_check(text, sizeof text - 1, &at));
}

TEST(depth_ends)
{
    for (size_t depth = 64; depth <= 65; depth++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        for (size_t i = 0; i < 2 * depth; i++)
            buf_char(&text, i < depth ? '[' : ']');
        CHECK_INT(is_json(buf_cstr(&text)), depth == 64);
    }
}
