#include "exporter/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exporter/terminal_groups.h"
#include "exporter/terminal_table.h"

/* Columns of the terminal on standard output; 0 = it is none. */
static size_t terminal_columns(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!isatty(STDOUT_FILENO))
        return 0;
    if (columns && atoi(columns) > 0)
        return (size_t)atoi(columns);
    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* source: https://no-color.org */
static bool wants_colour(void)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && terminal && strcmp(terminal, "dumb") != 0;
}

/* All rows, which the API itself gives as an array only page by page. */
static void write_array(const char *at, struct buf *out)
{
    const size_t start = out->length;
    buf_text(out, "[");
    for (size_t length; *at; at += length + (at[length] == '\n')) {
        length = strcspn(at, "\n");
        buf_text(out, out->length > start + 1 ? ",\n" : "");
        buf_append(out, at, length);
    }
    buf_text(out, "]\n");
}

bool terminal_knows(const char *format, struct error *error)
{
    bool known = !strcmp(format, "table");
    for (int i = 0; view_format_words[i]; i++)
        known = known || !strcmp(format, view_format_words[i]);
    return known ||
           error_set(error, ERROR_CONFIG, "format is table, json, ndjson, csv or markdown");
}

bool terminal_rows(const struct view_table *table, const char *format, const char *lines,
                   struct buf *out, struct error *error)
{
    const struct terminal_table wanted = { table, terminal_columns(), wants_colour() };
    if (!terminal_knows(format, error))
        return false;
    for (int i = VIEW_NDJSON; i < VIEW_FORMAT_COUNT; i++)
        if (!strcmp(format, view_format_words[i]))
            return terminal_groups_write(table->columns, lines, (enum view_format)i, out, error);
    if (!strcmp(format, "table"))
        return terminal_table_write(&wanted, lines, out, error);
    write_array(lines, out);
    return true;
}
