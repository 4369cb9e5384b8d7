#include "core/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/memory.h"

/* A fault and its sentence. */
static enum columns_fault drift(const struct column *column, const char *want,
                                const struct json *value, struct error *error)
{
    error_set(error, ERROR_PARSE, "column %s: expected %s, got %s", column->path, want,
              json_type_word(json_type(value)));
    return COLUMNS_TYPE;
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

static enum columns_fault bind_text(const struct column *column, const struct json *value,
                                    const char **out, struct arena *scratch, struct error *error)
{
    *out = scalar_text(value, scratch);
    if (*out)
        return COLUMNS_FINE;
    *out = "";
    return drift(column, "text", value, error);
}

static enum columns_fault bind_number(const struct column *column, const struct json *value,
                                      double *out, struct error *error)
{
    const char *text = json_text(value);
    enum json_type type = json_type(value);
    *out = json_number(value, NAN);
    if (text && *text) {
        char *end;
        double number = strtod(text, &end);
        if (!*end && isfinite(number))
            *out = number;
    }
    bool fits = text || type == JSON_NUMBER || type == JSON_NULL || type == JSON_NONE;
    return fits ? COLUMNS_FINE : drift(column, "a number", value, error);
}

static enum columns_fault bind_integer(const struct column *column, const struct json *value,
                                       int64_t *out, struct error *error)
{
    double number;
    enum columns_fault fault = bind_number(column, value, &number, error);
    *out = number > -9.2e18 && number < 9.2e18 ? (int64_t)number : COLUMN_ABSENT;
    return fault;
}

static enum columns_fault bind_count(const struct column *column, const struct json *value,
                                     int64_t *out, struct error *error)
{
    enum columns_fault fault = COLUMNS_FINE;
    *out = (int64_t)json_count(value);
    if (json_type(value) != JSON_ARRAY)
        fault = bind_integer(column, value, out, error);
    if (*out == COLUMN_ABSENT)
        *out = 0; /* of nothing there are none */
    return fault;
}

static enum columns_fault bind_bool(const struct column *column, const struct json *value,
                                    bool *out, struct error *error)
{
    const char *text = json_text(value);
    enum json_type type = json_type(value);
    if (text)
        *out = !strcasecmp(text, "true");
    else
        *out = json_bool(value, false);
    if (text ? !*text || *out || !strcasecmp(text, "false")
             : type == JSON_BOOL || type == JSON_NULL || type == JSON_NONE)
        return COLUMNS_FINE;
    return drift(column, "true or false", value, error);
}

static enum columns_fault bind_time(const struct column *column, const struct json *value,
                                    int64_t *out, struct error *error)
{
    const char *text = json_text(value);
    enum json_type type = json_type(value);
    *out = 0;
    if (!text)
        return type == JSON_NULL || type == JSON_NONE ? COLUMNS_FINE
                                                      : drift(column, "a time", value, error);
    if (clock_parse_rfc3339(text, out))
        return COLUMNS_FINE;
    *out = 0;
    error_set(error, ERROR_PARSE, "column %s: \"%.40s\" is no time", column->path, text);
    return COLUMNS_TIME;
}

static enum columns_fault bind_list(const struct column *column, const struct json *value,
                                    const char **out, struct arena *scratch, struct error *error)
{
    if (json_type(value) != JSON_ARRAY)
        return bind_text(column, value, out, scratch, error);
    CLEANUP(buf_finish) struct buf joined = { 0 };
    enum columns_fault fault = COLUMNS_FINE;
    for (const struct json *element = json_first(value); element; element = json_next(element)) {
        const struct json *scalar =
            json_type(element) == JSON_OBJECT ? json_get(element, "id") : element;
        const char *text = scalar_text(scalar, scratch);
        if (!text) {
            fault = drift(column, "a list of texts", element, error);
            continue;
        }
        if (joined.length)
            buf_char(&joined, ',');
        buf_text(&joined, text);
    }
    *out = arena_text(scratch, buf_cstr(&joined));
    return fault;
}

/* "name=true" of one object; false when it is none that is known to be on or off. */
static bool put_switch(const struct json *object, struct arena *scratch, struct buf *out)
{
    const char *name = json_text(json_get(object, "name"));
    const char *enabled = scalar_text(json_get(object, "isEnabled"), scratch);
    bool on = enabled && !strcasecmp(enabled, "true");
    if (!name || !*name || strpbrk(name, ",=") || !enabled || (!on && strcasecmp(enabled, "false")))
        return false;
    buf_printf(out, "%s%s=%s", out->length ? "," : "", name, on ? "true" : "false");
    return true;
}

static enum columns_fault bind_switches(const struct column *column, const struct json *value,
                                        const char **out, struct arena *scratch,
                                        struct error *error)
{
    if (json_type(value) != JSON_ARRAY)
        return bind_text(column, value, out, scratch, error);
    CLEANUP(buf_finish) struct buf joined = { 0 };
    enum columns_fault fault = COLUMNS_FINE;
    for (const struct json *element = json_first(value); element; element = json_next(element))
        if (!put_switch(element, scratch, &joined))
            fault = drift(column, "a list of what is on or off", element, error);
    *out = arena_text(scratch, buf_cstr(&joined));
    return fault;
}

static enum columns_fault bind_value(const struct column *column, const struct json *value,
                                     void *out, struct arena *scratch, struct error *error)
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
        return bind_count(column, value, out, error);
    case COLUMN_TYPE_SWITCHES:
        return bind_switches(column, value, out, scratch, error);
    case COLUMN_END:
        break;
    }
    memory_abort("column %s has no type", column->path);
}

/* A key is a text and not empty. */
static enum columns_fault check_key(const struct column *column, const struct json *value,
                                    struct error *error)
{
    const char *text = json_text(value);
    if (!column->required || (text && *text))
        return COLUMNS_FINE;
    error_set(error, ERROR_PARSE, "column %s is missing", column->path);
    return COLUMNS_MISSING;
}

/* Bring a text that was read within its column's bound. */
static void bound(const struct column *column, const char **text, struct arena *scratch)
{
    size_t length = *text ? strlen(*text) : 0;
    if (bounds_fits(column->bound, *text, length))
        return;
    CLEANUP(buf_finish) struct buf bounded = { 0 };
    bounds_text(column->bound, *text, length, &bounded);
    *text = arena_text(scratch, buf_cstr(&bounded));
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

enum columns_fault columns_bind(const struct column *columns, const struct json *row, void *out,
                                struct arena *scratch, struct error *error)
{
    const struct json *expected = json_first(row);
    enum columns_fault first = COLUMNS_FINE;
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
        struct error why;
        enum columns_fault fault =
            bind_value(column, value, (char *)out + column->offset, scratch, &why);
        if (column->type == COLUMN_TYPE_TEXT || column->type == COLUMN_TYPE_LIST ||
            column->type == COLUMN_TYPE_SWITCHES)
            bound(column, (const char **)((char *)out + column->offset), scratch);
        if (!fault)
            fault = check_key(column, value, &why);
        if (!fault || first)
            continue;
        first = fault;
        *error = why;
    }
    return first;
}
