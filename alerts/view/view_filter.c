#include "alerts/view/view_filter.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static const char *label_of(const struct view_column *column)
{
    return column->label ? column->label : column->name;
}

/* The column a matcher asks for, or NULL. */
static const struct view_column *column_of(const struct view_table *table, const char *label)
{
    for (const struct view_column *column = table->columns; column->name; column++)
        if (column->kind == VIEW_TEXT && !strcmp(label_of(column), label))
            return column;
    return NULL;
}

bool view_filter_knows(const struct view_table *table, const struct match_list *matches,
                       struct error *error)
{
    for (size_t i = 0; i < matches->count; i++) {
        CLEANUP(buf_finish) struct buf known = { 0 };
        if (column_of(table, matches->matches[i].name))
            continue;
        for (const struct view_column *column = table->columns; column->name; column++)
            if (column->kind == VIEW_TEXT)
                buf_printf(&known, "%s%s", known.length ? ", " : "", label_of(column));
        return error_set(error, ERROR_CONFIG, "%s have no \"%.64s\": filter them by %s",
                         table->name, matches->matches[i].name, buf_cstr(&known));
    }
    return true;
}

/* Whether a row satisfies them all; of a matcher without an answer when no other says no. */
static enum match_answer ask(const struct view_table *table, const struct match_list *matches,
                             const struct view_value *values, struct match_budget *budget)
{
    enum match_answer all = MATCH_YES;
    for (size_t i = 0; i < matches->count; i++) {
        const struct view_column *column = column_of(table, matches->matches[i].name);
        const char *text = values[column - table->columns].text;
        enum match_answer answer = match_value(&matches->matches[i], text ? text : "", budget);
        if (answer == MATCH_NO)
            return MATCH_NO;
        if (answer == MATCH_LIMIT)
            all = MATCH_LIMIT;
    }
    return all;
}

bool view_filter_rows(const struct view_table *table, const struct view_reading *reading,
                      const struct match_list *matches, struct match_budget *budget,
                      struct view_filter *filter, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct view_reading inner = *reading;
    size_t count = table->count(reading->view);
    inner.arena = &arena;
    filter->rows = MEMORY_ARRAY(uint32_t, count + 1);
    for (size_t row = 0; row < count; row++) {
        struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
        arena_reset(&arena);
        table->fill(&inner, row, values);
        enum match_answer answer = ask(table, matches, values, budget);
        if (answer == MATCH_LIMIT)
            return error_set(error, ERROR_LIMIT, "the regular expressions take too long");
        if (answer == MATCH_YES)
            filter->rows[filter->count++] = (uint32_t)row;
    }
    return true;
}

void view_filter_finish(struct view_filter *filter)
{
    free(filter->rows);
    *filter = (struct view_filter){ 0 };
}
