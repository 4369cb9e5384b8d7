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

/* --- documents that are drawn ------------------------------------------------------------------
 */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void draw_text(struct buf *out, uint64_t *state)
{
    static const char *const pieces[] = {
        "a",        "Name",    "/subscriptions/00000000-1111/resourceGroups/",
        " ",        "\\n",     "\\\"",
        "\\\\",     "\\/",     "\\u0041",
        "\\u00e4",  "\\u20AC", "\\ud83d\\ude00",
        "\xc3\xa4", "\\ud83d", "\\ude00",
        "\\u0000",  "\\u12g4", "\\x",
        "\t",       "\xff",
    };
    buf_char(out, '"');
    for (uint64_t i = draw(state, 4); i; i--) /* most are of the first kinds */
        buf_text(out, pieces[draw(state, draw(state, 8) ? 13 : ARRAY_COUNT(pieces))]);
    buf_char(out, '"');
}

static void draw_value(struct buf *out, uint64_t *state, uint64_t depth)
{
    static const char *const words[] = {
        "null",
        "true",
        "false",
        "0",
        "7",
        "-12",
        "1.5",
        "-0.25e-3",
        "1E+5",
        "0.1",
        "1e999",
        "-0",
        "123456789012345",
        "12345678901234567890",
        "0.12345678901234567890123",
        "1e-400",
        "01",
        "1.",
        ".5",
        "1e",
        "-",
        "+1",
        "nul",
        "NaN",
        "1111111111222222222233333333334444444444555555555566666666667777777777",
    };
    bool is_array = draw(state, 3) == 0;
    uint64_t kind = draw(state, depth ? 6 : 3);
    if (kind == 0)
        buf_text(out, words[draw(state, draw(state, 20) ? 16 : ARRAY_COUNT(words))]);
    if (kind == 1 || kind == 2)
        draw_text(out, state);
    if (kind < 3)
        return;
    buf_char(out, is_array ? '[' : '{');
    for (uint64_t i = draw(state, 5); i; i--) {
        if (!is_array)
            draw_text(out, state);
        buf_text(out, is_array ? "" : draw(state, 4) ? ":" : " :\n ");
        draw_value(out, state, depth - 1);
        buf_text(out, i > 1 ? draw(state, 4) ? "," : "\r\n, " : "");
    }
    buf_char(out, is_array ? ']' : '}');
}

static void mutate(struct buf *text, uint64_t *state)
{
    static const char bytes[] = "{}[],:\"\\u0-.e \x01\xc3t";
    for (uint64_t i = draw(state, 3); i && text->length; i--)
        text->data[draw(state, text->length)] = bytes[draw(state, sizeof bytes)];
    if (draw(state, 4) == 0)
        text->length = draw(state, text->length + 1);
}

static size_t drawn_count(void)
{
    const char *count = getenv("JSON_TEXTS"); /* millions take a while */
    return count ? strtoul(count, NULL, 10) : 20000;
}

TEST(an_arena_makes_no_difference_to_documents_whole_and_changed)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    uint64_t state = 1;
    for (size_t i = drawn_count(); i; i--) {
        buf_reset(&text);
        draw_value(&text, &state, 5);
        CHECK(reads_alike(text.data, text.length));
        mutate(&text, &state);
        CHECK(reads_alike(text.data, text.length));
    }
}

/* Rows beside the array that one reading of the whole page gives. */
struct beside {
    const struct json *next;
    bool differs;
    size_t mended;
};

static bool is_beside(void *context, const struct json *row, struct error *error)
{
    struct beside *beside = context;
    (void)error;
    beside->mended += json_is_mended(row);
    beside->differs |= !beside->next || !is_same(beside->next, row);
    beside->next = json_next(beside->next);
    return true;
}

/* Whether a page that can be read as a whole has the same rows one by one, and is left as it was;
 * *is_whole: whether it can. */
static bool walks_alike(const struct buf *page, bool *is_whole)
{
    CLEANUP(buf_finish) struct buf envelope = { 0 };
    CLEANUP(buf_finish) struct buf before = { 0 };
    struct error error = { 0 };
    struct json *document = json_parse(page->data, page->length, &error);
    const struct json *rows = json_get(document, "data");
    struct beside beside = { .next = json_first(rows) };
    bool is_list = json_type(rows) == JSON_ARRAY && !strcmp(json_name(rows), "data");
    buf_append(&before, page->data, page->length);
    bool ok =
        json_walk_rows(page->data, page->length, "data", is_beside, &beside, &envelope, &error);
    *is_whole = document && is_list;
    if (*is_whole && !memmem(page->data, page->length, "\\u0000", 6))
        ok = ok && !beside.differs && !beside.next && !beside.mended;
    else
        ok = true;
    json_free(document);
    return ok && !memcmp(before.data, page->data, page->length);
}

TEST(rows_of_pages_are_those_of_the_whole)
{
    CLEANUP(buf_finish) struct buf page = { 0 };
    uint64_t state = 2;
    size_t whole = 0;
    for (size_t i = drawn_count() / 4; i; i--) {
        bool is_whole;
        buf_reset(&page);
        buf_text(&page, "{\"count\":1,\"data\":[");
        for (uint64_t rows = draw(&state, 6); rows; rows--) {
            draw_value(&page, &state, 3);
            buf_text(&page, rows > 1 ? "," : "");
        }
        buf_text(&page, "],\"$skipToken\":\"x\"}");
        if (draw(&state, 2))
            mutate(&page, &state);
        CHECK(walks_alike(&page, &is_whole));
        whole += is_whole;
    }
    CHECK(whole > drawn_count() / 20);
}

/* Rows that are read from one copy of the page after another, also those that are larger. */
TEST(rows_of_large_pages_are_those_of_the_whole)
{
    static char large[600000];
    CLEANUP(buf_finish) struct buf page = { 0 };
    uint64_t state = 3;
    bool is_whole;
    memset(large, 'x', sizeof large - 1);
    buf_text(&page, "{\"data\":[");
    for (int i = 0; i < 6000; i++) {
        if (i % 1000 == 500)
            buf_printf(&page, "{\"id\":\"%s\",\"n\":%d},", large, i);
        buf_printf(&page, "{\"id\":\"/one/%d\",\"more\":\"%.*s\",\"odd\":\"\\u0007\t\"},", i,
                   (int)draw(&state, 700), large);
    }
    buf_text(&page, "{}]}");
    CHECK(walks_alike(&page, &is_whole));
    CHECK(is_whole);
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
