#include "alerts/notify/governor_table.h"

#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/store/rows.h"

/* So many folds of one risk and recommendation, or rule about no finding, in one subscription. */
struct cell {
    const char *rule, *assessment_id, *title, *subscription_id;
    enum alert_state state;
    enum risk_level risk;
    int64_t count;
};

#define ASSESSMENT "COALESCE(k.assessment_id, '')"
#define SUBSCRIPTION "COALESCE(k.subscription_id, a.subscription_id, '')"
#define RULE "CASE WHEN k.assessment_id IS NULL THEN g.rule ELSE '' END"

/* clang-format off */
static const struct row_field cell_fields[] = {
    ROW_TEXT   (struct cell, rule, RULE),
    ROW_TEXT   (struct cell, assessment_id, ASSESSMENT),
    ROW_TEXT   (struct cell, title, "COALESCE(MIN(t.title), '')"),
    ROW_TEXT   (struct cell, subscription_id, SUBSCRIPTION),
    ROW_WORD   (struct cell, state, "g.state", alert_state_words, ALERT_RESOLVED),
    ROW_ENUM   (struct cell, risk, "g.risk", RISK_COUNT),
    ROW_INTEGER(struct cell, count, "COUNT(*)"),
    { 0 }
};
/* clang-format on */
static const struct rows_table cells = {
    "governor_fold g LEFT JOIN ledger_known k ON k.id = g.finding_id"
    " LEFT JOIN ledger_assessment t ON t.source = k.source AND t.id = k.assessment_id"
    " LEFT JOIN active_alert a ON a.fingerprint = g.fingerprint",
    0, cell_fields
};

static struct notification_count name(const struct group_context *context, const struct cell *cell,
                                      struct arena *arena)
{
    const struct notification_context *names = context->notifications;
    const char *title = *cell->title ? notification_names_copy(cell->title, arena)
                        : *cell->assessment_id
                            ? notification_names_assessment(names, cell->assessment_id, arena)
                            : cell->rule;
    return (struct notification_count){
        .rule = cell->rule,
        .risk_level = finding_risk_words[cell->risk],
        .status = alert_state_words[cell->state],
        .count = cell->count,
        .assessment_id = cell->assessment_id,
        .title = title,
        .subscription_id = cell->subscription_id,
        .subscription_name = notification_names_subscription(names, cell->subscription_id, arena),
    };
}

bool governor_table(const struct group_context *context, const char *receiver, struct arena *arena,
                    const struct notification_count **rows, size_t *count, struct error *error)
{
    struct notification_count *table =
        arena_zalloc(arena, (GOVERNOR_TABLE_ROWS + 1) * sizeof *table);
    struct notification_count *other = &table[GOVERNOR_TABLE_ROWS];
    struct database_statement *statement = rows_select(
        context->database, &cells,
        " WHERE g.receiver = $1 GROUP BY g.state, g.risk, " ASSESSMENT ", " RULE ", " SUBSCRIPTION
        " ORDER BY g.state, g.risk, COUNT(*) DESC, " ASSESSMENT ", " RULE ", " SUBSCRIPTION);
    *rows = table;
    *count = 0;
    *other = (struct notification_count){ "", "", "", 0, "", "other", "", "" };
    database_bind(statement, receiver);
    for (bool found;;) {
        struct cell cell;
        if (!rows_next(statement, &cells, arena, &cell, &found, error))
            return error_wrap(error, "the table of a digest");
        if (!found)
            break;
        if (*count < GOVERNOR_TABLE_ROWS)
            table[(*count)++] = name(context, &cell, arena);
        else
            other->count += cell.count;
    }
    *count += other->count > 0;
    return true;
}
