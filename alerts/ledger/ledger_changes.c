#include "alerts/ledger/ledger_changes.h"

#include <string.h>

#include "alerts/ledger/ledger_rows.h"
#include "core/arena.h"

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S };

/* Events of a kind that are alike. */
struct changed_row {
    const char *kind;
    int64_t risk, risk_before, week, day;
};
static const struct row_field changed_fields[] = {
    ROW_INTEGER(struct changed_row, day, "SUM(at >= $1)"),
    ROW_INTEGER(struct changed_row, week, "COUNT(*)"),
    ROW_TEXT(struct changed_row, kind, "kind"),
    ROW_INTEGER(struct changed_row, risk, "risk"),
    ROW_INTEGER(struct changed_row, risk_before, "risk_before"),
    { 0 },
};
static const struct rows_table changed_rows = { "ledger_event", 0, changed_fields };

static const struct {
    const char *kind;
    bool comes, goes, moves; /* moves: goes from the level before */
} effects[] = {
    { "finding.opened", true, false, false },
    { "finding.reopened", true, false, false },
    { "finding.resolved", false, true, false },
    { "finding.risk_changed", true, false, true },
};

static void add(struct ledger_change levels[RISK_COUNT], int64_t risk, int64_t came, int64_t went)
{
    if (risk < 0 || risk >= RISK_COUNT)
        return;
    levels[risk].came += came;
    levels[risk].went += went;
}

static void count(struct ledger_changes *changes, const struct changed_row *row)
{
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        if (strcmp(effects[i].kind, row->kind) != 0)
            continue;
        bool comes = effects[i].comes, goes = effects[i].goes;
        add(changes->day, row->risk, comes * row->day, goes * row->day);
        add(changes->week, row->risk, comes * row->week, goes * row->week);
        if (effects[i].moves) {
            add(changes->day, row->risk_before, 0, row->day);
            add(changes->week, row->risk_before, 0, row->week);
        }
    }
}

bool ledger_changes_read(struct database *database, int64_t now, struct ledger_changes *changes,
                         struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    int64_t before;
    *changes = (struct ledger_changes){ 0 };
    if (!ledger_rows_before(database, now - WEEK_S, &before, error))
        return false;
    struct database_statement *statement =
        rows_select(database, &changed_rows,
                    " WHERE sequence > $2 AND finding_id IS NOT NULL"
                    " AND (quiet = 0 OR kind NOT IN ('finding.opened', 'finding.reopened'))"
                    " GROUP BY kind, risk, risk_before");
    database_bind(statement, now - DAY_S, before);
    for (bool found = true; found;) {
        struct changed_row row = { 0 };
        arena_reset(&arena);
        if (!rows_next(statement, &changed_rows, &arena, &row, &found, error))
            return error_wrap(error, "reading what came and went");
        if (found)
            count(changes, &row);
    }
    return true;
}
