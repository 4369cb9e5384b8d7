#include "alerts/view/view_write.h"

#include <math.h>
#include <string.h>

#include "core/clock.h"

const char *const view_format_words[] = { "json", "ndjson", "csv", "markdown", NULL };

/* --- JSON ------------------------------------------------------------------------------------- */

static void add_member(struct json_writer *writer, const struct view_column *column,
                       const struct view_value *value)
{
    char at[32];
    switch (column->kind) {
    case VIEW_TEXT:
        json_add_text(writer, column->name, value->text);
        return;
    case VIEW_INTEGER:
        json_add_integer(writer, column->name, value->integer);
        return;
    case VIEW_NUMBER:
        json_add_number(writer, column->name, value->number);
        return;
    case VIEW_TIME:
        json_add_text(writer, column->name,
                      value->integer ? clock_format_rfc3339(value->integer, at) : NULL);
        return;
    case VIEW_FLAG:
        json_add_bool(writer, column->name, value->integer);
        return;
    }
}

void view_write_members(const struct view_column *columns, const struct view_value *values,
                        struct json_writer *writer)
{
    for (size_t i = 0; columns[i].name; i++)
        add_member(writer, &columns[i], &values[i]);
}

static void write_object(const struct view_column *columns, const struct view_value *values,
                         struct buf *out)
{
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    view_write_members(columns, values, &writer);
    json_close(&writer, '}');
}

/* --- cells ------------------------------------------------------------------------------------ */

/* A value as a cell shows it; "" when it is absent. */
static void write_plain(const struct view_column *column, const struct view_value *value,
                        struct buf *out)
{
    char at[32];
    switch (column->kind) {
    case VIEW_TEXT:
        buf_text(out, value->text ? value->text : "");
        return;
    case VIEW_INTEGER:
        buf_integer(out, value->integer);
        return;
    case VIEW_NUMBER:
        if (!isnan(value->number))
            buf_number(out, value->number);
        return;
    case VIEW_TIME:
        buf_text(out, value->integer ? clock_format_rfc3339(value->integer, at) : "");
        return;
    case VIEW_FLAG:
        buf_text(out, value->integer ? "true" : "false");
        return;
    }
}

/* source: RFC 4180; OWASP, CSV injection. */
static void write_csv_cell(const struct view_column *column, const struct view_value *value,
                           struct buf *out)
{
    CLEANUP(buf_finish) struct buf plain = { 0 };
    write_plain(column, value, &plain);
    const char *text = buf_cstr(&plain);
    bool formula = column->kind == VIEW_TEXT && *text && strchr("=+-@\t\r", *text);
    if (!formula && !strpbrk(text, ",\"\r\n")) {
        buf_text(out, text);
        return;
    }
    buf_text(out, formula ? "\"'" : "\"");
    for (; *text; text++)
        buf_text(out, *text == '"' ? "\"\"" : (const char[]){ *text, 0 });
    buf_char(out, '"');
}

/* In a cell of a table every mark of Markdown is text. */
static void write_markdown_cell(const struct view_column *column, const struct view_value *value,
                                struct buf *out)
{
    CLEANUP(buf_finish) struct buf plain = { 0 };
    write_plain(column, value, &plain);
    buf_text(out, " ");
    for (const char *text = buf_cstr(&plain); *text; text++)
        if (*text == '\n' || *text == '\r')
            buf_char(out, ' ');
        else if (strchr("\\|*_`[]<>#~!", *text))
            buf_printf(out, "\\%c", *text);
        else
            buf_char(out, *text);
    buf_text(out, " |");
}

/* --- all of them ------------------------------------------------------------------------------ */

void view_write_begin(const struct view_column *columns, enum view_format format, struct buf *out)
{
    if (format == VIEW_JSON)
        buf_char(out, '[');
    for (size_t i = 0; format == VIEW_CSV && columns[i].name; i++)
        buf_printf(out, "%s%s", i ? "," : "", columns[i].name);
    buf_text(out, format == VIEW_CSV ? "\r\n" : "");
    if (format != VIEW_MARKDOWN)
        return;
    buf_char(out, '|');
    for (size_t i = 0; columns[i].name; i++)
        buf_printf(out, " %s |", columns[i].name);
    buf_text(out, "\n|");
    for (size_t i = 0; columns[i].name; i++)
        buf_text(out,
                 columns[i].kind == VIEW_INTEGER || columns[i].kind == VIEW_NUMBER
                     ? "---:|"
                     : "---|");
    buf_char(out, '\n');
}

void view_write_end(enum view_format format, struct buf *out)
{
    buf_text(out, format == VIEW_JSON ? "]" : "");
}

void view_write_row(const struct view_column *columns, enum view_format format,
                    const struct view_value *values, bool first, struct buf *out)
{
    if (format == VIEW_JSON || format == VIEW_NDJSON) {
        buf_text(out, format == VIEW_JSON && !first ? "," : "");
        write_object(columns, values, out);
        buf_text(out, format == VIEW_NDJSON ? "\n" : "");
        return;
    }
    buf_text(out, format == VIEW_MARKDOWN ? "|" : "");
    for (size_t i = 0; columns[i].name; i++)
        if (format == VIEW_MARKDOWN) {
            write_markdown_cell(&columns[i], &values[i], out);
        } else {
            buf_text(out, i ? "," : "");
            write_csv_cell(&columns[i], &values[i], out);
        }
    buf_text(out, format == VIEW_MARKDOWN ? "\n" : "\r\n");
}
