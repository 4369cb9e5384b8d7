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

/* --- paths ------------------------------------------------------------------------------------
 * The paths of all columns as one tree of names, so that a row is walked once. Rows mostly have the
 * order of their columns: a name is looked for behind the one that was found last. */
enum { NONE = -1, NONE_NESTED = -2 }; /* nested: a path with steps, or several */

struct columns_step {
    const char *name; /* length bytes */
    size_t length;
    int next, child; /* of its siblings, the first below it */
    bool exact;      /* value's name is it, letter by letter */
    const struct json *value;
};

static bool is_nested(const struct column *column)
{
    return column->path[strcspn(column->path, ".|")];
}

/* The step of a name among siblings, added behind them when new. */
static int put_step(struct columns_plan *plan, int *first, const char *name, size_t length)
{
    int last = NONE, at;
    for (at = *first; at != NONE; last = at, at = plan->steps[at].next)
        if (plan->steps[at].length == length && !memcmp(plan->steps[at].name, name, length))
            return at;
    at = (int)plan->step_count;
    MEMORY_GROW(plan->steps, plan->step_count, plan->step_capacity);
    plan->steps[plan->step_count++] = (struct columns_step){ name, length, NONE, NONE };
    if (last != NONE)
        plan->steps[last].next = at;
    else
        *first = at;
    return at;
}

/* A path's last step, where its value comes to stand. */
static void put_path(struct columns_plan *plan, const char *path, size_t length)
{
    int at = put_step(plan, &plan->first, path, strcspn(path, ".|"));
    for (size_t used = strcspn(path, ".|"); used < length; used += strcspn(path + used, ".|")) {
        used++;
        int child = plan->steps[at].child;
        int below = put_step(plan, &child, path + used, strcspn(path + used, ".|"));
        plan->steps[at].child = child; /* the array may have moved */
        at = below;
    }
    MEMORY_GROW(plan->ends, plan->end_count, plan->end_capacity);
    plan->ends[plan->end_count++] = at;
}

void columns_plan_make(struct columns_plan *plan, const struct column *columns)
{
    columns_plan_finish(plan);
    plan->columns = columns;
    plan->first = NONE;
    for (const struct column *column = columns; column->type; column++) {
        for (const char *path = column->path; *path; path += *path == '|') {
            put_path(plan, path, strcspn(path, "|"));
            path += strcspn(path, "|");
        }
        MEMORY_GROW(plan->ends, plan->end_count, plan->end_capacity);
        plan->ends[plan->end_count++] = is_nested(column) ? NONE_NESTED : NONE;
    }
}

void columns_plan_finish(struct columns_plan *plan)
{
    free(plan->steps);
    free(plan->ends);
    *plan = (struct columns_plan){ 0 };
}

/* The sibling of a name, from one of them on and around; NONE when it is no column's. */
static int find_step(const struct columns_plan *plan, int first, int from, const char *name)
{
    size_t length = strlen(name);
    int at = from;
    do {
        const struct columns_step *step = &plan->steps[at];
        if (step->length == length &&
            (!memcmp(step->name, name, length) || !strncasecmp(step->name, name, length)))
            return at;
        at = step->next == NONE ? first : step->next;
    } while (at != from);
    return NONE;
}

/* Let the steps of siblings have what an object has of their names: of one that comes twice the
 * first, one written as the column is before another. */
static void walk(struct columns_plan *plan, int first, const struct json *object)
{
    int from = first;
    if (json_type(object) != JSON_OBJECT)
        return;
    for (const struct json *member = json_first(object); member; member = json_next(member)) {
        const char *name = json_name(member);
        int at = find_step(plan, first, from, name);
        if (at == NONE)
            continue;
        struct columns_step *step = &plan->steps[at];
        bool exact = !memcmp(step->name, name, step->length);
        from = step->next == NONE ? first : step->next;
        if (step->value && (step->exact || !exact))
            continue;
        step->value = member;
        step->exact = exact;
    }
    for (int at = first; at != NONE; at = plan->steps[at].next)
        if (plan->steps[at].child != NONE && plan->steps[at].value)
            walk(plan, plan->steps[at].child, plan->steps[at].value);
}

/* The value of a column; of alternatives the first that is there, not null and not empty. *ends is
 * moved behind them. */
static const struct json *take_value(const struct columns_plan *plan, const int **ends)
{
    const struct json *taken = NULL;
    const int *at = *ends;
    if (at[0] >= 0 && at[1] == NONE) {
        *ends += 2;
        return plan->steps[*at].value;
    }
    for (; *at >= 0; at++) {
        const struct json *value = plan->steps[*at].value;
        const char *text = json_text(value);
        enum json_type type = json_type(value);
        if (!taken && type != JSON_NONE && type != JSON_NULL && !(text && !*text))
            taken = value;
    }
    *ends = at + 1;
    return taken;
}

static enum columns_fault bind_column(const struct column *column, const struct json *value,
                                      void *out, struct arena *scratch, struct error *error)
{
    enum columns_fault fault =
        bind_value(column, value, (char *)out + column->offset, scratch, error);
    if (column->type == COLUMN_TYPE_TEXT || column->type == COLUMN_TYPE_LIST ||
        column->type == COLUMN_TYPE_SWITCHES)
        bound(column, (const char **)((char *)out + column->offset), scratch);
    return fault ? fault : check_key(column, value, error);
}

enum columns_fault columns_bind_by(struct columns_plan *plan, const struct json *row, void *out,
                                   struct arena *scratch, struct error *error)
{
    enum columns_fault first = COLUMNS_FINE;
    const int *ends = plan->ends;
    memset(out, 0, plan->columns->row_bytes);
    for (size_t i = 0; i < plan->step_count; i++)
        plan->steps[i].value = NULL;
    if (plan->first != NONE)
        walk(plan, plan->first, row);
    for (const struct column *column = plan->columns; column->type; column++) {
        struct error why;
        const struct json *value = take_value(plan, &ends);
        enum columns_fault fault = bind_column(column, value, out, scratch, &why);
        if (!fault || first)
            continue;
        first = fault;
        *error = why;
    }
    return first;
}

enum columns_fault columns_bind(const struct column *columns, const struct json *row, void *out,
                                struct arena *scratch, struct error *error)
{
    CLEANUP(columns_plan_finish) struct columns_plan plan = { 0 };
    columns_plan_make(&plan, columns);
    return columns_bind_by(&plan, row, out, scratch, error);
}
