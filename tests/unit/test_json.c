#include <stdlib.h>

#include "core/json.h"
#include "core/utf8.h"
#include "test.h"

static bool keep_ids(void *context, const struct json *row, struct error *error)
{
    struct buf *ids = context;
    const char *id = json_text(json_get(row, "id"));
    if (!id)
        return error_set(error, ERROR_PARSE, "no id");
    buf_printf(ids, "%s;", id);
    return true;
}

static bool walk(const char *page, const char *member, struct buf *ids, struct buf *envelope,
                 struct error *error)
{
    return json_walk_rows(page, strlen(page), member, keep_ids, ids, envelope, error);
}

TEST(pages_give_rows_and_envelope)
{
    static const struct {
        const char *page, *ids, *envelope;
    } cases[] = {
        { "{\"data\":[]}", "", "{}" },
        { "{\"count\":2,\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"$skipToken\":\"x\"}", "a;b;",
          "{\"count\":2,\"$skipToken\":\"x\"}" },
        { " { \"data\" : [ { \"id\" : \"a]}\\\"\" , \"n\":{\"data\":[1]} } ] , \"t\" : [1,2] } ",
          "a]}\";", "{\"t\" : [1,2]}" },
        { "{\"x\":{\"data\":[{\"id\":\"no\"}]},\"data\":[{\"id\":\"yes\"}]}", "yes;",
          "{\"x\":{\"data\":[{\"id\":\"no\"}]}}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf ids = { 0 };
        CLEANUP(buf_finish) struct buf envelope = { 0 };
        struct error error = { 0 };
        CHECK(walk(cases[i].page, "data", &ids, &envelope, &error));
        CHECK_TEXT(error.message, "");
        CHECK_TEXT(buf_cstr(&ids), cases[i].ids);
        CHECK_TEXT(buf_cstr(&envelope), cases[i].envelope);
    }
}

TEST(a_page_cut_anywhere_is_an_error)
{
    static const char page[] =
        "{\"totalRecords\":2,\"data\":[{\"id\":\"a\",\"x\":[1,{\"y\":null}]},{\"id\":\"b\"}],"
        "\"$skipToken\":\"t\",\"resultTruncated\":\"false\"}";
    for (size_t length = 0; length < sizeof page - 1; length++) {
        CLEANUP(buf_finish) struct buf ids = { 0 };
        CLEANUP(buf_finish) struct buf envelope = { 0 };
        struct error error = { 0 };
        CHECK(!json_walk_rows(page, length, "data", keep_ids, &ids, &envelope, &error));
        CHECK_INT(error.code, ERROR_PARSE);
    }
}

TEST(pages_of_another_shape_are_errors)
{
    static const struct {
        const char *page, *why;
    } cases[] = {
        { "[]", "not a JSON object" },
        { "<html>", "not a JSON object" },
        { "{}", "no \"data\"" },
        { "{\"a\":1,}", "a member without a name" },
        { "{\"value\":[]}", "no \"data\"" },
        { "{\"data\":{}}", "rows are no array" },
        { "{\"data\":[1]}", "no id" },
        { "{\"data\":[{}]}", "no id" },
        { "{\"data\":[],\"data\":[]}", "two row arrays" },
        { "{\"data\":[]} x", "more text" },
        { "{\"data\":[{\"id\":\"a\"} {\"id\":\"b\"}]}", "neither comma nor bracket" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf ids = { 0 };
        CLEANUP(buf_finish) struct buf envelope = { 0 };
        struct error error = { 0 };
        CHECK(!walk(cases[i].page, "data", &ids, &envelope, &error));
        CHECK_CONTAINS(error.message, cases[i].why);
    }
}

/* What the rows of a page are: their id, what they are else, "-" when nothing; "*" when mended. */
static bool keep_kinds(void *context, const struct json *row, struct error *error)
{
    (void)error;
    struct buf *kinds = context;
    const char *id = json_text(json_get(row, "id"));
    buf_printf(kinds, "%s%s;",
               id    ? id
               : row ? json_type_word(json_type(row))
                     : "-",
               json_is_mended(row) ? "*" : "");
    return true;
}

TEST(a_row_that_is_odd_keeps_no_other_from_being_read)
{
    static const struct {
        const char *row, *kind;
    } cases[] = {
        { "{\"id\":\"x\\ud83dy\"}", "x\xef\xbf\xbdy*" },
        { "{\"id\":\"\\udd12\"}", "\xef\xbf\xbd*" },
        { "{\"id\":\"\\ud83d\\u0041\"}", "\xef\xbf\xbd"
                                         "A*" },
        { "{\"id\":\"\\ud83d\\udd12\"}", "\xf0\x9f\x94\x92" },
        { "{\"id\":\"x\\u0000y\"}", "x\xef\xbf\xbdy*" },
        { "{\"id\":\"a\\q\"}", "a\xef\xbf\xbdq*" },
        { "{\"id\":\"a\",\"n\":NaN,\"m\":[-Infinity,Infinity]}", "a" },
        { "{\"id\":\"a\",\"n\":1e999}", "a" },
        { "{\"id\":\"NaN \\u12\\\"]\",\"n\":NaN}", "NaN \xef\xbf\xbdu12\"]*" },
        { "null", "null" },
        { "7", "number" },
        { "\"text\"", "text" },
        { "[{}]", "array" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf page = { 0 };
        CLEANUP(buf_finish) struct buf kinds = { 0 };
        CLEANUP(buf_finish) struct buf want = { 0 };
        CLEANUP(buf_finish) struct buf envelope = { 0 };
        struct error error = { 0 };
        buf_printf(&page, "{\"data\":[{\"id\":\"first\"}, %s ,{\"id\":\"last\"}],\"n\":1}",
                   cases[i].row);
        buf_printf(&want, "first;%s;last;", cases[i].kind);
        CHECK(json_walk_rows(buf_cstr(&page), page.length, "data", keep_kinds, &kinds, &envelope,
                             &error));
        CHECK_TEXT(buf_cstr(&kinds), buf_cstr(&want));
        CHECK_TEXT(buf_cstr(&envelope), "{\"n\":1}");
    }
}

TEST(a_row_that_is_no_json_breaks_the_page)
{
    static const char *const rows[] = { "{\"id\":oops}", "{\"id\":\"a\",,\"n\":[]}", "oops" };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(buf_finish) struct buf page = { 0 };
        CLEANUP(buf_finish) struct buf kinds = { 0 };
        CLEANUP(buf_finish) struct buf envelope = { 0 };
        struct error error = { 0 };
        buf_printf(&page, "{\"data\":[{\"id\":\"first\"}, %s ,{\"id\":\"last\"}],\"n\":1}",
                   rows[i]);
        CHECK(!json_walk_rows(buf_cstr(&page), page.length, "data", keep_kinds, &kinds, &envelope,
                              &error));
        CHECK_INT(error.code, ERROR_PARSE);
        CHECK_TEXT(buf_cstr(&kinds), "first;");
    }
}

TEST(a_byte_order_mark_is_no_part_of_the_text)
{
    static const char page[] = UTF8_BYTE_ORDER_MARK "{\"data\":[{\"id\":\"a\"}]}";
    CLEANUP(buf_finish) struct buf ids = { 0 };
    CLEANUP(buf_finish) struct buf envelope = { 0 };
    struct error error = { 0 };
    CHECK(walk(page, "data", &ids, &envelope, &error));
    CHECK_TEXT(buf_cstr(&ids), "a;");
    struct json *document = json_parse(page, sizeof page - 1, &error);
    CHECK(json_get(document, "data"));
    json_free(document);
    CHECK(!json_parse(page, 3, &error)); /* nothing but the mark */
    CHECK(!json_parse(page, 2, &error));
}

TEST(numbers_are_finite)
{
    static const char *const texts[] = { "1e999", "-1e999", "null", "\"1\"", "true" };
    struct error error = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct json *document = json_parse(texts[i], strlen(texts[i]), &error);
        CHECK(document);
        CHECK_NUMBER(json_number(document, -7), -7);
        json_free(document);
    }
}

TEST(nesting_has_an_end)
{
    CLEANUP(buf_finish) struct buf page = { 0 };
    CLEANUP(buf_finish) struct buf ids = { 0 };
    CLEANUP(buf_finish) struct buf envelope = { 0 };
    struct error error = { 0 };
    buf_text(&page, "{\"data\":[{\"id\":\"a\",\"x\":");
    for (int i = 0; i < 100000; i++)
        buf_char(&page, '[');
    CHECK(!walk(buf_cstr(&page), "data", &ids, &envelope, &error));
    CHECK_INT(error.code, ERROR_PARSE);
}

TEST(names_are_found_without_case)
{
    static const char text[] = "{\"Properties\":{\"Status\":{\"code\":\"Healthy\"},\"n\":7}}";
    struct error error = { 0 };
    struct json *document = json_parse(text, sizeof text - 1, &error);
    CHECK_TEXT(json_text(json_path(document, "properties.status.CODE")), "Healthy");
    CHECK_NUMBER(json_number(json_path(document, "properties.n"), -1), 7);
    CHECK(!json_path(document, "properties.absent.code"));
    CHECK(!json_text(NULL));
    json_free(document);
}

TEST(garbage_is_refused)
{
    static const char *const texts[] = { "", "{", "{\"a\":1}x", "nul", "{\"a\":1,}", "\"open" };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct error error = { 0 };
        CHECK(!json_parse(texts[i], strlen(texts[i]), &error));
        CHECK_INT(error.code, ERROR_PARSE);
    }
}

static bool is_same(const struct json *left, const struct json *right)
{
    const char *name = json_name(left), *other = json_name(right);
    const char *text = json_text(left), *words = json_text(right);
    double number = json_number(left, 0), figure = json_number(right, 0);
    if (json_type(left) != json_type(right) || !name != !other || (name && strcmp(name, other)) ||
        !text != !words || (text && strcmp(text, words)) ||
        memcmp(&number, &figure, sizeof number) ||
        json_bool(left, false) != json_bool(right, false))
        return false;
    const struct json *a = json_first(left), *b = json_first(right);
    for (; a && b; a = json_next(a), b = json_next(b))
        if (!is_same(a, b))
            return false;
    return !a && !b;
}

/* Whether an arena makes no difference. */
static bool reads_alike(const char *text, size_t length)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 }, other = { 0 };
    struct json *left = json_parse(text, length, &error);
    const struct json *right = json_parse_in(&arena, text, length, &other);
    bool same =
        !left == !right && (!left || is_same(left, right)) && !strcmp(error.message, other.message);
    json_free(left);
    return same;
}

TEST(an_arena_makes_no_difference)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "[[],{}]",
        " { \"a\" : [ 1 , -2 , 0 ] } ",
        "true",
        "[true,false,null]",
        "nul",
        "\"\"",
        "\"a\\n\\\"\\\\\\/\\t\"",
        "\"\\u00e4\\ud83d\\ude00\"",
        "\"\\x\"",
        "\"\\",
        "\"\\\"",
        "\"a",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "{1:2}",
        "{\"a\":1}x",
        "",
        "123456789012345",
        "1234567890123456",
        "1.5",
        "-0",
        "-",
        "01",
        "1e3",
        "+1",
        "-1x",
        "[1e999]",
        "{\"a\":1,\"a\":2}",
        "{\"\":\"\"}",
        "\"\xc3\xa4\xff\"",
        "\"a\tb\"",
        "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
        "\xef\xbb\xbf{}",
        "{\"a\":{\"b\":[{\"c\":\"d\"},5]},\"e\":\"f\"}",
        "{",
        "[",
        "}",
        ",",
        ":",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        for (size_t length = 0; length <= strlen(texts[i]); length++)
            CHECK(reads_alike(texts[i], length));
    CHECK(reads_alike("[1\0,2]", 6));
}

/* Anything that looks like JSON, whole and broken. */
TEST(an_arena_makes_no_difference_to_what_is_drawn)
{
    static const char pieces[] = "{}[],:\"\"aab1205-.etrufalsn\\ \n\x01\xc3\xa4";
    uint64_t state = 7;
    size_t whole = 0;
    for (int round = 0; round < 200000; round++) {
        char text[16];
        size_t length = 0;
        do {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[length++] = pieces[(state >> 33) % (sizeof pieces - 1)];
        } while (length < sizeof text && (state >> 40) % 8);
        CHECK(reads_alike(text, length));
        struct error error;
        struct json *document = json_parse(text, length, &error);
        whole += document != NULL;
        json_free(document);
    }
    CHECK(whole > 1000);
}

TEST(writer_keeps_commas_and_nesting)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct json_writer writer = { .out = &out };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "a", "x\"\n\\\x01");
    json_open(&writer, "b", '[');
    json_add_integer(&writer, NULL, -5);
    json_add_number(&writer, NULL, 0.25);
    json_open(&writer, NULL, '{');
    json_close(&writer, '}');
    json_close(&writer, ']');
    json_add_bool(&writer, "c", true);
    json_add_text(&writer, "d", NULL);
    json_close(&writer, '}');
    CHECK_TEXT(buf_cstr(&out),
               "{\"a\":\"x\\\"\\n\\\\\\u0001\",\"b\":[-5,0.25,{}],\"c\":true,\"d\":null}");
}

TEST(quoting_keeps_text_and_replaces_what_is_not_utf8)
{
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        { "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
        { "\xf0\x9f\x94\x92", "\"\xf0\x9f\x94\x92\"" },
        { "a\xff"
          "b",
          "\"a\xef\xbf\xbd"
          "b\"" },
        { "\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "cut\xe2\x82", "\"cut\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\x7f", "\"\\u007f\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        json_quote(&out, cases[i].text, strlen(cases[i].text));
        CHECK_TEXT(buf_cstr(&out), cases[i].quoted);
    }
}
