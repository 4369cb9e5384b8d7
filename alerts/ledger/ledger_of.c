#include "alerts/ledger/ledger_of.h"

#include "alerts/ledger/ledger_rows.h"

enum { WEEK_S = 7 * 86400 };

/* Findings of a recommendation, of those the ledger knows. */
#define OF(parameter) "assessment_id = (SELECT number FROM shared_text WHERE text = " parameter ")"
#define EXEMPTED " AND is_open = 0 AND reason = 1"
_Static_assert(REASON_EXEMPTED == 1, "the number in the statements");

/* --- exempted --------------------------------------------------------------------------------- */

struct exempted_row {
    struct ledger_rows_known known;
    int64_t resolved_at;
};
static const struct row_field exempted_fields[] = {
    ROW_INTEGER(struct exempted_row, resolved_at, "f.resolved_at"),
    LEDGER_ROWS_KNOWN(struct exempted_row, known),
    { 0 },
};
static const struct rows_table exempted_rows = { LEDGER_ROWS_TABLES("ledger_known f"), 0,
                                                 exempted_fields };

static bool count_exempted(struct database *database, const char *assessment_id, int64_t *count,
                           struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT COUNT(*) FROM ledger_finding WHERE " OF("$1") EXEMPTED);
    database_bind(statement, assessment_id);
    return database_get_integer(statement, count, error);
}

bool ledger_of_exempted(struct database *database, const struct source_list *sources,
                        const char *assessment_id, int64_t limit, ledger_of_visit *visit,
                        void *context, int64_t *count, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    if (!count_exempted(database, assessment_id, count, error))
        return error_wrap(error, "counting exempted findings");
    struct database_statement *statement =
        rows_select(database, &exempted_rows,
                    " WHERE f.id IN (SELECT id FROM ledger_finding WHERE " OF("$1") EXEMPTED
                    " ORDER BY resolved_at DESC LIMIT $2) ORDER BY f.resolved_at DESC, f.id");
    database_bind(statement, assessment_id, limit);
    for (bool found = true; found;) {
        struct exempted_row row = { 0 };
        arena_reset(&arena);
        if (!rows_next(statement, &exempted_rows, &arena, &row, &found, error))
            return error_wrap(error, "reading exempted findings");
        if (found && ledger_rows_settle(&row.known, sources))
            visit(context, &(struct ledger_of_exempted){ row.known.finding, row.resolved_at });
    }
    return true;
}

/* --- week by week ----------------------------------------------------------------------------- */

struct week_row {
    int64_t week, opened, fixed;
};
static const struct row_field week_fields[] = {
    ROW_INTEGER(struct week_row, week, "(e.at - $1) / 604800"),
    ROW_INTEGER(struct week_row, opened, "SUM(e.kind IN ('finding.opened', 'finding.reopened'))"),
    ROW_INTEGER(struct week_row, fixed, "SUM(e.kind = 'finding.resolved' AND e.reason = 0)"),
    { 0 },
};
_Static_assert(REASON_FIXED == 0 && WEEK_S == 604800, "the numbers in the statement");
/* In this order: there are more events than findings of one recommendation. */
static const struct rows_table week_rows = {
    "ledger_finding f CROSS JOIN ledger_event e ON e.finding_id = f.id", 0, week_fields
};

bool ledger_of_weeks(struct database *database, const char *assessment_id, int64_t from,
                     struct ledger_of_week *weeks, size_t count, struct error *error)
{
    struct database_statement *statement = rows_select(
        database, &week_rows, " WHERE e.at >= $1 AND e.quiet = 0 AND f." OF("$2") " GROUP BY 1");
    database_bind(statement, from, assessment_id);
    for (bool found = true; found;) {
        struct week_row row = { 0 };
        if (!rows_next(statement, &week_rows, NULL, &row, &found, error))
            return error_wrap(error, "reading what happened week by week");
        if (found && row.week >= 0 && (size_t)row.week < count)
            weeks[row.week] = (struct ledger_of_week){ row.opened, row.fixed };
    }
    return true;
}

/* --- told ------------------------------------------------------------------------------------- */

static const struct row_field told_fields[] = {
    ROW_TEXT(struct ledger_of_told, receiver, "m.receiver"),
    ROW_TEXT(struct ledger_of_told, last, "MAX(m.id)"),
    ROW_INTEGER(struct ledger_of_told, messages, "COUNT(DISTINCT m.id)"),
    ROW_INTEGER(struct ledger_of_told, told_at, "MAX(m.sent_at)"),
    { 0 },
};
static const struct rows_table told_rows = {
    "ledger_finding f CROSS JOIN outbox_member a ON a.finding_id = f.id"
    " CROSS JOIN outbox_message m ON m.id = a.message_id",
    0, told_fields
};

bool ledger_of_told(struct database *database, const char *assessment_id,
                    ledger_of_told_visit *visit, void *context, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database_statement *statement = rows_select(
        database, &told_rows,
        " WHERE +m.state = 'sent' AND f." OF("$1") " GROUP BY m.receiver ORDER BY m.receiver");
    database_bind(statement, assessment_id);
    for (bool found = true; found;) {
        struct ledger_of_told told = { 0 };
        if (!rows_next(statement, &told_rows, &arena, &told, &found, error))
            return error_wrap(error, "reading who was told");
        if (found)
            visit(context, &told);
    }
    return true;
}
