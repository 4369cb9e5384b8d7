#include "exporter/terminal_groups.h"

#include <stdlib.h>
#include <string.h>

#include "core/firsts.h"
#include "core/memory.h"
#include "core/near.h"

struct group {
    const char *members; /* "\"risk_level\":\"high\",": of the object it is */
    size_t rows;
};

struct groups {
    struct group *list;
    size_t count, capacity;
    struct firsts firsts;
    struct arena arena;
};

static void groups_finish(struct groups *groups)
{
    free(groups->list);
    firsts_finish(&groups->firsts);
    arena_finish(&groups->arena);
}

static bool no_column(const struct view_table *table, const char *name, struct error *error)
{
    const char *names[VIEW_COLUMNS_MAX + 1] = { NULL };
    CLEANUP(buf_finish) struct buf near = { 0 };
    for (size_t i = 0; table->columns[i].name; i++)
        names[i] = table->columns[i].name;
    near_append(name, names, &near);
    return error_set(error, ERROR_CONFIG, "--group-by: %s has no column %s%s", table->name, name,
                     near.length ? buf_cstr(&near) : "");
}

static bool find_columns(const struct view_table *table, const char *by,
                         struct view_column columns[VIEW_COLUMNS_MAX], struct error *error)
{
    size_t count = 0;
    while (*by && count + 2 < VIEW_COLUMNS_MAX) {
        CLEANUP(buf_finish) struct buf name = { 0 };
        size_t length = strcspn(by, ","), i = 0;
        buf_append(&name, by, length);
        while (table->columns[i].name && strcmp(table->columns[i].name, buf_cstr(&name)) != 0)
            i++;
        if (!table->columns[i].name)
            return no_column(table, buf_cstr(&name), error);
        columns[count] = table->columns[i];
        columns[count++].brief = true;
        by += length + (by[length] == ',');
    }
    columns[count++] = (struct view_column){ "rows", VIEW_INTEGER, "How many", true };
    columns[count] = (struct view_column){ 0 };
    return true;
}

static void add_value(struct json_writer *writer, const char *name, const struct json *value)
{
    switch (json_type(value)) {
    case JSON_TEXT:
        json_add_text(writer, name, json_text(value));
        return;
    case JSON_NUMBER:
        json_add_number(writer, name, json_number(value, 0));
        return;
    case JSON_BOOL:
        json_add_bool(writer, name, json_bool(value, false));
        return;
    default:
        json_add_text(writer, name, NULL);
    }
}

static void count_row(struct groups *groups, const struct view_column *columns,
                      const struct json *row)
{
    CLEANUP(buf_finish) struct buf members = { 0 };
    struct json_writer writer = { .out = &members };
    json_open(&writer, NULL, '{');
    for (; columns[1].name; columns++)
        add_value(&writer, columns->name, json_get(row, columns->name));
    size_t place =
        firsts_put(&groups->firsts, buf_cstr(&members), members.length, groups->count);
    if (place == groups->count) {
        MEMORY_GROW(groups->list, groups->count, groups->capacity);
        groups->list[groups->count++] =
            (struct group){ arena_text(&groups->arena, buf_cstr(&members)), 0 };
    }
    groups->list[place].rows++;
}

static int compare(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->rows != b->rows)
        return a->rows > b->rows ? -1 : 1;
    return strcmp(a->members, b->members);
}

bool terminal_groups(const struct view_table *table, const char *by, const char *rows,
                     struct view_column columns[VIEW_COLUMNS_MAX], struct buf *out,
                     struct error *error)
{
    CLEANUP(groups_finish) struct groups groups = { 0 };
    if (!find_columns(table, by, columns, error))
        return false;
    for (size_t length; *rows; rows += length + (rows[length] == '\n')) {
        length = strcspn(rows, "\n");
        struct json *row = json_parse(rows, length, error);
        if (!row)
            return false;
        count_row(&groups, columns, row);
        json_free(row);
    }
    if (groups.count)
        qsort(groups.list, groups.count, sizeof *groups.list, compare);
    for (size_t i = 0; i < groups.count; i++)
        buf_printf(out, "%s%s\"rows\":%zu}\n", groups.list[i].members,
                   columns[1].name ? "," : "", groups.list[i].rows);
    return true;
}

static void fill(const struct view_column *columns, const struct json *row, struct arena *arena,
                 struct view_value *values)
{
    for (size_t i = 0; columns[i].name; i++) {
        const struct json *value = json_get(row, columns[i].name);
        values[i].number = json_number(value, 0);
        values[i].integer = columns[i].kind == VIEW_FLAG ? json_bool(value, false)
                                                         : (int64_t)json_number(value, 0);
        values[i].text = json_text(value) ? arena_text(arena, json_text(value)) : NULL;
    }
}

bool terminal_groups_write(const struct view_column *columns, const char *lines,
                           enum view_format format, struct buf *out, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct view_column plain[VIEW_COLUMNS_MAX] = { 0 };
    for (size_t i = 0; columns[i].name; i++) {
        plain[i] = columns[i];
        if (plain[i].kind == VIEW_TIME)
            plain[i].kind = VIEW_TEXT; /* it is written already */
    }
    view_write_begin(plain, format, out);
    for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
        struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
        length = strcspn(lines, "\n");
        struct json *row = json_parse(lines, length, error);
        if (!row)
            return false;
        arena_reset(&arena);
        fill(plain, row, &arena, values);
        view_write_row(plain, format, values, false, out);
        json_free(row);
    }
    view_write_end(format, out);
    return true;
}
