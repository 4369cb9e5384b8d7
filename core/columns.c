#include "core/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/memory.h"

static bool drift(const struct column *column, const char *want, const struct json *value,
                  struct error *error)
{
    return error_set(error, ERROR_PARSE, "column %s: expected %s, got %s", column->path, want,
                     json_type_word(json_type(value)));
}

/* A scalar as text; NULL when it is none. */
static const char *scalar_text(const struct json *value, struct arena *scratch)
{
    const char *text = json_text(value);
    if (text)
        return text;
    switch (json_type(value)) {
    case JSON_NONE:
    case JSON_NULL:
        return "";
    case JSON_BOOL:
        return json_bool(value, false) ? "true" : "false";
    case JSON_NUMBER: {
        CLEANUP(buf_finish) struct buf digits = { 0 };
        buf_number(&digits, json_number(value, 0));
        return arena_text(scratch, buf_cstr(&digits));
    }
    default:
        return NULL;
    }
}

static bool bind_text(const struct column *column, const struct json *value, const char **out,
                      struct arena *scratch, struct error *error)
{
    *out = scalar_text(value, scratch);
    return *out || drift(column, "text", value, error);
}

static bool bind_number(const struct column *column, const struct json *value, double *out,
                        struct error *error)
{
    *out = 0;
    const char *text = json_text(value);
    if (text && *text) {
        char *end;
        *out = strtod(text, &end);
        if (*end)
            return error_set(error, ERROR_PARSE, "column %s: expected a number, got \"%.40s\"",
                             column->path, text);
        return true;
    }
    enum json_type type = json_type(value);
    if (type != JSON_NUMBER && type != JSON_NULL && type != JSON_NONE && !text)
        return drift(column, "a number", value, error);
    *out = json_number(value, 0);
    return true;
}

static bool bind_integer(const struct column *column, const struct json *value, int64_t *out,
                         struct error *error)
{
    double number;
    if (!bind_number(column, value, &number, error))
        return false;
    if (!(number > -9.2e18 && number < 9.2e18))
        return error_set(error, ERROR_PARSE, "column %s: number out of range", column->path);
    *out = (int64_t)number;
    return true;
}

static bool bind_bool(const struct column *column, const struct json *value, bool *out,
                      struct error *error)
{
    const char *text = json_text(value);
    enum json_type type = json_type(value);
    if (text)
        *out = !strcasecmp(text, "true");
    else
        *out = json_bool(value, false);
    if (text ? !*text || *out || !strcasecmp(text, "false")
             : type == JSON_BOOL || type == JSON_NULL || type == JSON_NONE)
        return true;
    return drift(column, "true or false", value, error);
}

static bool bind_time(const struct column *column, const struct json *value, int64_t *out,
                      struct error *error)
{
    const char *text = json_text(value);
    enum json_type type = json_type(value);
    *out = 0;
    if (!text)
        return type == JSON_NULL || type == JSON_NONE || drift(column, "a time", value, error);
    if (clock_parse_rfc3339(text, out))
        return true;
    return error_set(error, ERROR_PARSE, "column %s: \"%.40s\" is no time", column->path, text);
}

static bool bind_list(const struct column *column, const struct json *value, const char **out,
                      struct arena *scratch, struct error *error)
{
    if (json_type(value) != JSON_ARRAY)
        return bind_text(column, value, out, scratch, error);
    CLEANUP(buf_finish) struct buf joined = { 0 };
    for (const struct json *element = json_first(value); element; element = json_next(element)) {
        const struct json *scalar =
            json_type(element) == JSON_OBJECT ? json_get(element, "id") : element;
        const char *text = scalar_text(scalar, scratch);
        if (!text)
            return drift(column, "a list of texts", element, error);
        if (joined.length)
            buf_char(&joined, ',');
        buf_text(&joined, text);
    }
    *out = arena_text(scratch, buf_cstr(&joined));
    return true;
}

static bool bind_value(const struct column *column, const struct json *value, void *out,
                       struct arena *scratch, struct error *error)
{
    switch (column->type) {
    case COLUMN_TYPE_TEXT:
        return bind_text(column, value, out, scratch, error);
    case COLUMN_TYPE_NUMBER:
        return bind_number(column, value, out, error);
    case COLUMN_TYPE_INTEGER:
        return bind_integer(column, value, out, error);
    case COLUMN_TYPE_BOOL:
        return bind_bool(column, value, out, error);
    case COLUMN_TYPE_TIME:
        return bind_time(column, value, out, error);
    case COLUMN_TYPE_LIST:
        return bind_list(column, value, out, scratch, error);
    case COLUMN_TYPE_COUNT:
        if (json_type(value) != JSON_ARRAY)
            return bind_integer(column, value, out, error);
        *(int64_t *)out = (int64_t)json_count(value);
        return true;
    case COLUMN_END:
        break;
    }
    memory_abort("column %s has no type", column->path);
}

/* The value of the first alternative that is there and not null. */
static const struct json *find_alternative(const struct json *row, const char *path)
{
    char alternative[160];
    for (size_t length; *path; path += length + (path[length] == '|')) {
        length = strcspn(path, "|");
        if (length >= sizeof alternative)
            memory_abort("column path too long: %s", path);
        memcpy(alternative, path, length);
        alternative[length] = 0;
        const struct json *value = json_path(row, alternative);
        enum json_type type = json_type(value);
        const char *text = json_text(value);
        if (type != JSON_NONE && type != JSON_NULL && !(text && !*text))
            return value;
    }
    return NULL;
}

bool columns_bind(const struct column *columns, const struct json *row, void *out,
                  struct arena *scratch, struct error *error)
{
    const struct json *expected = json_first(row);
    memset(out, 0, columns->row_bytes);
    for (const struct column *column = columns; column->type; column++) {
        /* Rows mostly have the order of their columns: then the member expected is the one. */
        const char *name = json_name(expected);
        const struct json *value = expected;
        if (!name || strcmp(name, column->path)) {
            bool nested = column->path[strcspn(column->path, ".|")];
            value = nested ? find_alternative(row, column->path) : json_get(row, column->path);
            if (!nested && value)
                expected = json_next(value);
        } else {
            expected = json_next(expected);
        }
        if (!bind_value(column, value, (char *)out + column->offset, scratch, error))
            return false;
        if (column->required && !(value && json_text(value) && *json_text(value)))
            return error_set(error, ERROR_PARSE, "column %s is missing", column->path);
    }
    return true;
}
