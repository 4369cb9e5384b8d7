#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/columns.h"
#include "test.h"

struct row {
    const char *text, *list, *switches;
    double number;
    int64_t integer, time, count;
    bool flag;
};

static const struct column columns[] = { COLUMN_TEXT(struct row, text, "text|deep.text"),
                                         COLUMN_LIST(struct row, list, "list"),
                                         COLUMN_NUMBER(struct row, number, "number"),
                                         COLUMN_INTEGER(struct row, integer, "integer"),
                                         COLUMN_TIME(struct row, time, "time"),
                                         COLUMN_COUNT(struct row, count, "count"),
                                         COLUMN_BOOL(struct row, flag, "flag"),
                                         COLUMN_SWITCHES(struct row, switches, "switches"),
                                         { 0 } };

static struct arena scratch;

static bool bind(const char *text, struct row *row, struct error *error)
{
    static struct json *document; /* kept until the next call: the texts point into it */
    json_free(document);
    *row = (struct row){ 0 };
    document = text ? json_parse(text, strlen(text), error) : NULL;
    return document && columns_bind(columns, document, row, &scratch, error) == COLUMNS_FINE;
}

TEST(every_type_from_every_spelling)
{
    struct row row;
    struct error error = { 0 };
    CHECK(bind("{\"text\":\"a\",\"list\":[\"x\",\"y\"],\"number\":1.5,\"integer\":7,"
               "\"time\":\"2026-01-02T03:04:05.1234567Z\",\"count\":[1,2,3],\"flag\":true}",
               &row, &error));
    CHECK_TEXT(row.text, "a");
    CHECK_TEXT(row.list, "x,y");
    CHECK_NUMBER(row.number, 1.5);
    CHECK_INT(row.integer, 7);
    CHECK_INT(row.time, 1767323045);
    CHECK_INT(row.count, 3);
    CHECK(row.flag);
    CHECK(bind("{\"FLAG\":\"False\",\"Integer\":\"12\",\"number\":\"0.5\",\"count\":4,"
               "\"list\":\"one\",\"text\":true,\"time\":\"0001-01-01T00:00:00\"}",
               &row, &error));
    CHECK(!row.flag);
    CHECK_INT(row.integer, 12);
    CHECK_NUMBER(row.number, 0.5);
    CHECK_INT(row.count, 4);
    CHECK_TEXT(row.list, "one");
    CHECK_TEXT(row.text, "true");
    CHECK_INT(row.time, 0);
}

TEST(absent_and_null_are_empty)
{
    struct row row;
    struct error error = { 0 };
    CHECK(bind("{\"text\":null,\"list\":null,\"number\":null,\"time\":null,\"flag\":null}", &row,
               &error));
    CHECK_TEXT(row.text, "");
    CHECK_TEXT(row.list, "");
    CHECK_NUMBER(row.number, NAN);
    CHECK_INT(row.integer, COLUMN_ABSENT);
    CHECK_INT(row.count, 0);
    CHECK_INT(row.time, 0);
    CHECK(!row.flag);
    CHECK(bind("{\"deep\":{\"Text\":\"below\"},\"text\":\"\"}", &row, &error));
    CHECK_TEXT(row.text, "below");
}

TEST(what_is_no_finite_number_is_absent)
{
    static const char *const values[] = { "null",   "\"\"",      "\"NaN\"",  "\"-Infinity\"",
                                          "1e999",  "\"1e999\"", "\"many\"", "\"7 pieces\"",
                                          "-1e999", "\"inf\"" };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        struct row row;
        struct error error = { 0 };
        buf_printf(&text, "{\"number\":%s,\"integer\":%s,\"count\":%s}", values[i], values[i],
                   values[i]);
        CHECK(bind(buf_cstr(&text), &row, &error));
        CHECK_NUMBER(row.number, NAN);
        CHECK_INT(row.integer, COLUMN_ABSENT);
        CHECK_INT(row.count, 0);
    }
    struct row row;
    struct error error = { 0 };
    CHECK(bind("{\"integer\":1e300,\"number\":1e300}", &row, &error));
    CHECK_INT(row.integer, COLUMN_ABSENT);
    CHECK_NUMBER(row.number, 1e300);
}

TEST(one_fault_keeps_no_other_column_from_being_read)
{
    struct row row;
    struct error error = { 0 };
    CHECK(!bind("{\"text\":[],\"list\":[\"x\",[1],\"y\"],\"number\":5,\"time\":\"2026-13-45\","
                "\"flag\":true}",
                &row, &error));
    CHECK_TEXT(error.message, "column text|deep.text: expected text, got array");
    CHECK_TEXT(row.text, "");
    CHECK_TEXT(row.list, "x,y");
    CHECK_NUMBER(row.number, 5);
    CHECK_INT(row.time, 0);
    CHECK(row.flag);
}

TEST(lists_of_objects_give_their_ids)
{
    struct row row;
    struct error error = { 0 };
    CHECK(bind("{\"list\":[{\"id\":\"/a/1\"},{\"id\":\"/a/2\"}]}", &row, &error));
    CHECK_TEXT(row.list, "/a/1,/a/2");
}

TEST(switches_are_names_with_what_they_are)
{
    static const struct {
        const char *value, *read, *why;
    } cases[] = {
        { "[{\"name\":\"A\",\"isEnabled\":\"True\"},{\"name\":\"b\",\"isEnabled\":false}]",
          "A=true,b=false", "" },
        { "[]", "", "" },
        { "null", "", "" },
        { "{}", "", "expected text, got object" },
        { "[7,{\"name\":\"A\",\"isEnabled\":\"true\"}]", "A=true", "on or off, got number" },
        { "[{\"name\":\"A\",\"isEnabled\":null}]", "", "on or off, got object" },
        { "[{\"name\":\"A=b\",\"isEnabled\":true}]", "", "on or off, got object" },
        { "[{\"name\":\"A,b\",\"isEnabled\":true}]", "", "on or off, got object" },
        { "[{\"isEnabled\":true}]", "", "on or off, got object" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct row row;
        struct error error = { 0 };
        CLEANUP(buf_finish) struct buf text = { 0 };
        buf_printf(&text, "{\"switches\":%s}", cases[i].value);
        CHECK_INT(bind(buf_cstr(&text), &row, &error), !*cases[i].why);
        CHECK_TEXT(row.switches, cases[i].read);
        CHECK_CONTAINS(error.message, cases[i].why);
    }
}

TEST(drift_names_the_column)
{
    static const struct {
        const char *row, *why;
    } cases[] = {
        { "{\"text\":{\"a\":1}}", "column text|deep.text: expected text, got object" },
        { "{\"number\":[1]}", "column number: expected a number, got array" },
        { "{\"integer\":[]}", "column integer: expected a number, got array" },
        { "{\"time\":\"yesterday\"}", "column time: \"yesterday\" is no time" },
        { "{\"time\":5}", "column time: expected a time, got number" },
        { "{\"flag\":\"maybe\"}", "column flag: expected true or false" },
        { "{\"list\":[[1]]}", "column list: expected a list of texts, got array" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct row row;
        struct error error = { 0 };
        CHECK(!bind(cases[i].row, &row, &error));
        CHECK_INT(error.code, ERROR_PARSE);
        CHECK_CONTAINS(error.message, cases[i].why);
    }
}

TEST(texts_are_bounded_where_they_are_read)
{
    CLEANUP(buf_finish) struct buf json = { 0 };
    struct row row;
    struct error error = { 0 };
    buf_text(&json, "{\"text\":\"");
    for (int i = 0; i < 8000; i++)
        buf_char(&json, 'x');
    buf_text(&json, "\",\"list\":[");
    for (int i = 0; i < 10000; i++)
        buf_printf(&json, "%s\"factor %d\"", i ? "," : "", i);
    buf_text(&json, "]}");
    CHECK(bind(buf_cstr(&json), &row, &error));
    CHECK_INT(strlen(row.text), 256);
    CHECK_CONTAINS(row.text, "x\xe2\x80\xa6");
    CHECK_CONTAINS(row.list, "factor 30,\xe2\x80\xa6");
    CHECK(!strstr(row.list, "factor 31"));
    CHECK(bind("{\"text\":\"vm\\u202Egnp\\r\\n\"}", &row, &error));
    CHECK_TEXT(row.text, "vm\\u202egnp\\u000d\\u000a");
    bind(NULL, &row, &error);
    arena_finish(&scratch);
}

TEST(a_key_must_be_there)
{
    static const struct column keys[] = { COLUMN_KEY(struct row, text, "id"), { 0 } };
    static const char *const rows[] = { "{}", "{\"id\":null}", "{\"id\":\"\"}", "{\"id\":5}" };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct row row;
        struct error error = { 0 };
        struct json *document = json_parse(rows[i], strlen(rows[i]), &error);
        CHECK_INT(columns_bind(keys, document, &row, &scratch, &error), COLUMNS_MISSING);
        CHECK_CONTAINS(error.message, "column id is missing");
        json_free(document);
    }
    struct row row;
    struct error error = { 0 };
    bind(NULL, &row, &error);
    arena_finish(&scratch);
}

TEST(members_without_a_column_are_zeroed)
{
    static const struct column only_text[] = { COLUMN_TEXT(struct row, text, "text"), { 0 } };
    struct row row = { .number = 7, .count = 7, .flag = true };
    struct error error = { 0 };
    struct json *document = json_parse("{\"text\":\"a\"}", 12, &error);
    CHECK(document && !columns_bind(only_text, document, &row, &scratch, &error));
    CHECK_TEXT(row.text, "a");
    CHECK(!row.number && !row.count && !row.flag);
    json_free(document);
}

/* --- paths ------------------------------------------------------------------------------------ */
struct paths {
    const char *plain, *first, *second, *below, *odd;
};

static const struct column path_columns[] = {
    COLUMN_TEXT(struct paths, plain, "name"),
    COLUMN_TEXT(struct paths, first, "a.name|a.other|name"),
    COLUMN_TEXT(struct paths, second, "a.b.name|b.name"),
    COLUMN_TEXT(struct paths, below, "a.b|other"),
    COLUMN_TEXT(struct paths, odd, "b|a"),
    { 0 },
};

/* What each column is by looking names up one by one. */
static const char *looked_up(const struct json *row, const char *path)
{
    char step[32];
    bool nested = path[strcspn(path, ".|")];
    for (size_t length; *path; path += length + (path[length] == '|')) {
        length = strcspn(path, "|");
        snprintf(step, sizeof step, "%.*s", (int)length, path);
        const struct json *value = json_path(row, step);
        const char *text = json_text(value);
        enum json_type type = json_type(value);
        bool empty = type == JSON_NONE || type == JSON_NULL || (text && !*text);
        if (!nested || !empty)
            return text ? text : "";
    }
    return "";
}

/* A value of so many levels at most; names come twice, in any case and order. */
static void put_value(struct buf *out, unsigned *seed, int depth)
{
    static const char *const names[] = { "name", "Name", "a", "A", "b", "B", "other", "OTHER" };
    static const char *const values[] = { "\"\"", "null", "\"x\"", "\"y\"", "[]", "{}" };
    if (!depth || rand_r(seed) % 4 == 0) {
        buf_text(out, values[(size_t)rand_r(seed) % ARRAY_COUNT(values)]);
        return;
    }
    buf_char(out, '{');
    for (int i = rand_r(seed) % 6; i >= 0; i--) {
        buf_printf(out, "\"%s\":", names[(size_t)rand_r(seed) % ARRAY_COUNT(names)]);
        put_value(out, seed, depth - 1);
        buf_text(out, i ? "," : "");
    }
    buf_char(out, '}');
}

TEST(a_plan_finds_what_looking_up_finds)
{
    CLEANUP(columns_plan_finish) struct columns_plan plan = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct error error = { 0 };
    unsigned seed = 1;
    columns_plan_make(&plan, columns); /* another table's, made anew */
    columns_plan_make(&plan, path_columns);
    for (int i = 0; i < 20000; i++) {
        struct paths row;
        buf_reset(&text);
        put_value(&text, &seed, 4);
        struct json *document = json_parse(text.data, text.length, &error);
        (void)!columns_bind_by(&plan, document, &row, &scratch, &error);
        const char *const bound[] = { row.plain, row.first, row.second, row.below, row.odd };
        for (size_t at = 0; at < ARRAY_COUNT(bound); at++)
            CHECK_TEXT(bound[at], looked_up(document, path_columns[at].path));
        json_free(document);
    }
    arena_finish(&scratch);
}
