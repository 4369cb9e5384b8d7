#pragma once
/* The rows of the generated tenant as Resource Graph queries project them: tables of rows that can
 * be asked for by position, in the order of their ids. */
#include "core/json.h"
#include "tenant.h"

/* What a request may see. */
struct view {
    struct tenant *tenant;
    const bool *in_scope;       /* by subscription */
    uint32_t generation;        /* the rows are those of its beginning */
    int64_t since;              /* statusChangeDate, or change, at least this; 0 = any */
    int64_t until;              /* change at most this; 0 = any */
    size_t expand_limit;        /* of mv-expand */
    bool failing_only;          /* leave out what is Healthy or Compliant */
    bool is_scoped;             /* only subscriptions are asked about, what is of none is not */
    bool every_score;           /* the one without grace periods, too */
    size_t own_count;           /* rows of a query of the operator's own */
    long partition, partitions; /* hash partition asked for; partitions 0 = all rows */
    char *ids; /* "'id', 'id'": the resources, or the tags, asked for; NULL = all; freed by who has
                  the view */
};

enum field_type { FIELD_TEXT, FIELD_INTEGER, FIELD_NUMBER, FIELD_JSON };

/* A column of a row struct; the reverse of core/columns.h. */
struct field {
    const char *name;
    enum field_type type;
    size_t offset;
};

#define TEXT(type, member)                                                                         \
    {                                                                                              \
#member, FIELD_TEXT, offsetof(type, member)                                                \
    }
#define INTEGER(type, member)                                                                      \
    {                                                                                              \
#member, FIELD_INTEGER, offsetof(type, member)                                             \
    }
#define NUMBER(type, member)                                                                       \
    {                                                                                              \
#member, FIELD_NUMBER, offsetof(type, member)                                              \
    }
#define JSON(type, member)                                                                         \
    {                                                                                              \
#member, FIELD_JSON, offsetof(type, member)                                                \
    }

struct rows {
    const char *query;                        /* name of the .kql file */
    size_t (*count)(const struct view *view); /* positions; not every one has a row */
    bool (*present)(const struct view *view, size_t position);
    void (*fill)(const struct view *view, size_t position, void *row, struct arena *scratch);
    const struct field *fields; /* ends with name NULL */
    size_t row_bytes;
};

enum { ROWS_BYTES_MAX = 512 };

/* Each ends with query NULL. */
extern const struct rows rows_alerts[], rows_baseline[], rows_changes[], rows_compliance[],
    rows_exemptions[], rows_governance[], rows_paths[], rows_plans[], rows_prerequisites[],
    rows_subassessments[], rows_summaries[], rows_tags[];

/* A text in scratch. */
const char *rows_print(struct arena *scratch, const char *format, ...) PRINTF_LIKE(2, 3);

/* NULL when nobody knows that query. */
const struct rows *rows_find(const char *query);

/* Of which tenant and subscriptions something was counted; zeroed: of none. */
struct rows_moment {
    uint32_t generation; /* and one */
    uint64_t scope;
};
struct rows_moment rows_moment(const struct view *view);
bool rows_is_of(const struct view *view, const struct rows_moment *moment);

/* Every position has a row. */
bool rows_all_present(const struct view *view, size_t position);

/* Positions shared with the REST lists. */
size_t rows_assessments(const struct view *view);
bool rows_assessment_present(const struct view *view, size_t position);
size_t rows_machines(const struct view *view);
bool rows_assignment_present(const struct view *view, size_t position);
const char *rows_assignment_id(const struct tenant *tenant, const struct machine *machine,
                               struct arena *scratch);
