#include <stdlib.h>

#include "core/json.h"
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
        { "{\"data\":[1]}", "a row is no object" },
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
