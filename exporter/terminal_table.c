#include "exporter/terminal_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/text/text.h"
#include "core/memory.h"

enum { GAP = 2, NARROWEST = 16 }; /* identities, times and numbers are never cut */

/* A cell of every row and column that is shown. */
struct grid {
    const struct view_column *shown[VIEW_COLUMNS_MAX];
    size_t widths[VIEW_COLUMNS_MAX];
    size_t column_count;
    const char **cells; /* row by row; in the arena */
    size_t row_count, capacity;
    struct arena arena;
};

static void grid_finish(struct grid *grid)
{
    free(grid->cells);
    arena_finish(&grid->arena);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A value as a person reads it; times without their seconds. */
static const char *cell_of(const struct view_column *column, const struct json *value,
                           struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *said = json_text(value);
    if (column->kind == VIEW_TIME && said && strlen(said) >= 16)
        buf_printf(&text, "%.10s %.5s", said, said + 11);
    else if (column->kind == VIEW_FLAG)
        buf_text(&text, json_bool(value, false) ? "yes" : "");
    else if (said)
        buf_text(&text, said);
    else if (json_type(value) == JSON_NUMBER)
        buf_number(&text, column->kind == VIEW_NUMBER ? round(json_number(value, 0) * 100) / 100
                                                      : json_number(value, 0));
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            text.data[i] = ' '; /* nothing that the terminal would obey */
    return arena_text(arena, buf_cstr(&text));
}

static void add_row(struct grid *grid, const struct json *row)
{
    size_t first = grid->row_count * grid->column_count;
    MEMORY_REACH(grid->cells, first + grid->column_count, grid->capacity);
    for (size_t i = 0; i < grid->column_count; i++) {
        const char *cell =
            cell_of(grid->shown[i], json_get(row, grid->shown[i]->name), &grid->arena);
        size_t width = text_points(cell);
        grid->cells[first + i] = cell;
        grid->widths[i] = width > grid->widths[i] ? width : grid->widths[i];
    }
    grid->row_count++;
}

static bool read_lines(struct grid *grid, const char *lines, struct error *error)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        struct json *row = json_parse(lines, length, error);
        if (!row)
            return false;
        add_row(grid, row);
        json_free(row);
        lines += length + (lines[length] == '\n');
    }
    return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Take from the widest text until all fit. */
static void fit(struct grid *grid, size_t columns)
{
    for (;;) {
        size_t sum = 0, widest = grid->column_count;
        for (size_t i = 0; i < grid->column_count; i++) {
            sum += grid->widths[i] + (i ? GAP : 0);
            if (grid->shown[i]->kind == VIEW_TEXT &&
                (widest == grid->column_count || grid->widths[i] > grid->widths[widest]))
                widest = i;
        }
        if (!columns || sum <= columns || widest == grid->column_count ||
            grid->widths[widest] <= NARROWEST)
            return;
        size_t over = sum - columns, spare = grid->widths[widest] - NARROWEST;
        grid->widths[widest] -= over < spare ? 1 : spare;
    }
}

/* The colour of a level, "" = none. source: ECMA-48, select graphic rendition. */
static const char *colour_of(const char *cell)
{
    static const char *const colours[RISK_COUNT] = { "\033[1;31m", "\033[33m", "\033[93m",
                                                     "\033[34m", "\033[2m" };
    for (int risk = 0; risk < RISK_COUNT; risk++)
        if (!strcmp(cell, finding_risk_words[risk]))
            return colours[risk];
    return "";
}

static void write_cell(const struct grid *grid, size_t column, const char *cell, bool colour,
                       struct buf *out)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    enum view_value_kind kind = grid->shown[column]->kind;
    bool right = kind == VIEW_INTEGER || kind == VIEW_NUMBER;
    bool last = column + 1 == grid->column_count;
    const char *begin = colour ? colour_of(cell) : "";
    text_cut(&cut, cell, grid->widths[column]);
    int blanks = (int)(grid->widths[column] - text_points(buf_cstr(&cut)));
    buf_printf(out, "%*s%s%s%s", right ? blanks : 0, "", begin, buf_cstr(&cut),
               *begin ? "\033[0m" : "");
    if (!last)
        buf_printf(out, "%*s", (right ? 0 : blanks) + GAP, "");
}

static void write_row(const struct grid *grid, const char *const *cells, bool colour,
                      struct buf *out)
{
    for (size_t i = 0; i < grid->column_count; i++)
        write_cell(grid, i, cells[i], colour, out);
    while (out->length && out->data[out->length - 1] == ' ')
        out->length--; /* of cells at the end that are empty */
    buf_char(out, '\n');
}

bool terminal_table_write(const struct terminal_table *wanted, const char *lines, struct buf *out,
                          struct error *error)
{
    CLEANUP(grid_finish) struct grid grid = { 0 };
    const char *names[VIEW_COLUMNS_MAX];
    for (const struct view_column *column = wanted->table->columns; column->name; column++)
        if (column->brief) {
            grid.widths[grid.column_count] = text_points(column->name);
            names[grid.column_count] = column->name;
            grid.shown[grid.column_count++] = column;
        }
    if (!read_lines(&grid, lines, error))
        return false;
    fit(&grid, wanted->columns);
    write_row(&grid, names, false, out);
    for (size_t i = 0; i < grid.row_count; i++)
        write_row(&grid, grid.cells + i * grid.column_count, wanted->colour, out);
    return true;
}
