#pragma once
/* What is known as tables: rows of named values, the same for the API, for exports and for the
 * terminal. One table binds the columns to what fills them. Pure. */
#include "alerts/view/view.h"

enum view_value_kind { VIEW_TEXT, VIEW_INTEGER, VIEW_NUMBER, VIEW_TIME, VIEW_FLAG };

/* One value: the member its column's kind names. Absent: text NULL, number NAN, time 0. */
struct view_value {
    const char *text;
    int64_t integer; /* also Unix seconds, and whether a flag is set */
    double number;
};

struct view_column {
    const char *name;
    enum view_value_kind kind;
    const char *help;  /* a sentence for the reference, without a full stop */
    bool brief;        /* of those that a terminal shows */
    const char *label; /* as matchers call it (view_filter.h); NULL = as it is named */
};
enum { VIEW_COLUMNS_MAX = 32 };

/* Who reads, and how. */
struct view_reading {
    const struct view *view;
    enum view_order order; /* of findings */
    const char *portal;    /* host of links */
    struct arena *arena;   /* for texts of one row */
    const uint32_t *rows;  /* those that a filter lets through, row_count of them; NULL = all */
    size_t row_count;
};

struct view_table {
    const char *name, *help;           /* "findings"; what a row is */
    const struct view_column *columns; /* ends with name NULL; the first is the row's identity */
    size_t (*count)(const struct view *view);
    void (*fill)(const struct view_reading *reading, size_t row, struct view_value *values);
    bool of_findings;   /* filters are over their labels; without a source, what could not be
                           looked at is lacking (view_lacks) */
    bool ordered;       /* reading->order is asked for */
    const char *source; /* the built-in collector that rows are of, and are lacking
                           without (view_lacks_of); NULL = no single one */
};

/* Put the next value of a row. */
static inline void view_table_text(struct view_value **value, const char *text)
{
    (*value)++->text = text;
}
static inline void view_table_integer(struct view_value **value, int64_t integer)
{
    (*value)++->integer = integer;
}
static inline void view_table_number(struct view_value **value, double number)
{
    (*value)++->number = number;
}

/* The name of a subscription; "" = nobody tells it. */
const char *view_table_subscription(const struct view_reading *reading, const char *id);

extern const struct view_table *const view_tables[]; /* ends with NULL */

/* The table of that name, or NULL. */
const struct view_table *view_table_named(const char *name);

/* How many rows are read, and what is in one of them. */
size_t view_table_count(const struct view_table *table, const struct view_reading *reading);
void view_table_row(const struct view_table *table, const struct view_reading *reading, size_t row,
                    struct view_value *values);

/* The row behind the one of this identity. hint: where it stood; where it is not there any more,
 * the row that stands there now. */
size_t view_table_behind(const struct view_table *table, const struct view_reading *reading,
                         size_t hint, const char *identity);
