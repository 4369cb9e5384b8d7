/* Any bytes as JSON: what is read is written so that strict readers take it, and reads the same; a
 * page that is read row by row has the rows that the whole text has. */
#include "core/json_check.h"
#include "fuzz.h"

static void write(struct json_writer *writer, const char *name, const struct json *value)
{
    enum json_type type = json_type(value);
    switch (type) {
    case JSON_BOOL:
        json_add_bool(writer, name, json_bool(value, false));
        break;
    case JSON_NUMBER:
        json_add_number(writer, name, json_number(value, 0));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        json_open(writer, name, type == JSON_ARRAY ? '[' : '{');
        for (const struct json *one = json_first(value); one; one = json_next(one))
            write(writer, type == JSON_ARRAY ? NULL : json_name(one), one);
        json_close(writer, type == JSON_ARRAY ? ']' : '}');
        break;
    default:
        json_add_text(writer, name, json_text(value));
    }
}

static size_t depth_of(const struct json *value)
{
    size_t deepest = 0;
    for (const struct json *one = json_first(value); one; one = json_next(one)) {
        size_t depth = depth_of(one);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

struct rows {
    struct json_writer writer;
    size_t count, mended;
};

static bool add_row(void *context, const struct json *row, struct error *error)
{
    struct rows *rows = context;
    (void)error;
    if (depth_of(row) < 60)
        write(&rows->writer, NULL, row);
    rows->count++;
    rows->mended += json_is_mended(row);
    return true;
}

static void compare_rows(const char *text, size_t length, const struct json *document)
{
    CLEANUP(buf_finish) struct buf envelope = { 0 };
    CLEANUP(buf_finish) struct buf walked = { 0 };
    struct error error = { 0 };
    struct rows rows = { .writer = { .out = &walked } };
    json_open(&rows.writer, NULL, '[');
    bool ok = json_walk_rows(text, length, "value", add_row, &rows, &envelope, &error);
    json_close(&rows.writer, ']');
    FUZZ_CHECK(ok == (error.code == ERROR_NONE));
    if (!ok)
        return;
    struct json *rest = json_parse(buf_cstr(&envelope), envelope.length, &error);
    FUZZ_CHECK(!document || rest);
    json_free(rest);
    const struct json *list = json_get(document, "value");
    /* Of a row that is no object nobody says whether it was mended. */
    bool has_nul = memmem(text, length, "\\u0000", 6) != NULL;
    if (document && !rows.mended && !has_nul && json_type(list) == JSON_ARRAY &&
        !strcmp(json_name(list), "value") && depth_of(list) < 60) {
        CLEANUP(buf_finish) struct buf whole = { 0 };
        struct json_writer writer = { .out = &whole };
        FUZZ_CHECK(json_count(list) == rows.count);
        write(&writer, NULL, list);
        FUZZ_CHECK(!strcmp(buf_cstr(&whole), buf_cstr(&walked)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    struct json_writer writer = { .out = &first }, again = { .out = &second };
    struct error error = { 0 };
    const char *text = (const char *)bytes;
    size_t at;
    struct json *document = json_parse(text, count, &error);
    compare_rows(text, count, document);
    if (json_check(text, count, &at)) /* it does not look at what an escape stands for */
        FUZZ_CHECK(document || memmem(text, count, "\\u", 2));
    else
        FUZZ_CHECK(at <= count);
    if (document && depth_of(document) < 60) {
        write(&writer, NULL, document);
        FUZZ_CHECK(json_check(buf_cstr(&first), first.length, &at));
        struct json *copy = json_parse(buf_cstr(&first), first.length, &error);
        FUZZ_CHECK(copy);
        write(&again, NULL, copy);
        FUZZ_CHECK(!strcmp(buf_cstr(&first), buf_cstr(&second)));
        json_free(copy);
    }
    json_free(document);
    return 0;
}
