#include "alerts/ledger/ledger_texts.h"

#include <stdlib.h>

#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/memory.h"

/* The numbers of shared texts in the row of a finding. */
struct named {
    int64_t source, tenant, assessment, subscription, head, type, group, connector, account,
        location, factors;
};
static const struct row_field named_fields[] = {
    ROW_INTEGER(struct named, source, "source"),
    ROW_INTEGER(struct named, tenant, "tenant"),
    ROW_INTEGER(struct named, assessment, "assessment_id"),
    ROW_INTEGER(struct named, subscription, "subscription_id"),
    ROW_INTEGER(struct named, head, "resource_head"),
    ROW_INTEGER(struct named, type, "resource_type"),
    ROW_INTEGER(struct named, group, "resource_group"),
    ROW_INTEGER(struct named, connector, "connector"),
    ROW_INTEGER(struct named, account, "account"),
    ROW_INTEGER(struct named, location, "location"),
    ROW_INTEGER(struct named, factors, "risk_factors"),
    { 0 },
};
static const struct rows_table named_rows = { "ledger_finding", 0, named_fields };

struct text {
    int64_t number;
};
static const struct row_field text_fields[] = { ROW_INTEGER(struct text, number, "number"), { 0 } };
static const struct rows_table text_rows = { "shared_text", 0, text_fields };

/* is_named: of every number up to last. */
static bool find_named(struct database *database, bool *is_named, int64_t last, struct error *error)
{
    struct database_statement *statement = rows_select(database, &named_rows, "");
    for (bool found;;) {
        struct named named;
        if (!rows_next(statement, &named_rows, NULL, &named, &found, error))
            return false;
        if (!found)
            return true;
        const int64_t *numbers = &named.source;
        for (size_t i = 0; i < sizeof named / sizeof *numbers; i++)
            if (numbers[i] > 0 && numbers[i] <= last)
                is_named[numbers[i]] = true;
    }
}

/* The first of those that nothing names. */
static bool find_unnamed(struct database *database, const bool *is_named, int64_t last,
                         int64_t numbers[SCHEMA_PRUNE_ROWS], size_t *count, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &text_rows, " WHERE number > 0 ORDER BY number");
    *count = 0;
    for (bool found; *count < SCHEMA_PRUNE_ROWS;) {
        struct text text;
        if (!rows_next(statement, &text_rows, NULL, &text, &found, error))
            return false;
        if (!found)
            return true;
        if (text.number <= last && !is_named[text.number])
            numbers[(*count)++] = text.number;
    }
    database_reset(statement);
    return true;
}

static bool prune_texts(struct database *database, bool *full, struct error *error)
{
    int64_t numbers[SCHEMA_PRUNE_ROWS], last;
    size_t count = 0;
    if (!database_get_integer(database_prepare(database, "SELECT MAX(number) FROM shared_text"),
                              &last, error))
        return false;
    bool *is_named = MEMORY_ARRAY(bool, (size_t)last + 1);
    bool ok = find_named(database, is_named, last, error) &&
              find_unnamed(database, is_named, last, numbers, &count, error);
    free(is_named);
    for (size_t i = 0; i < count && ok; i++) {
        struct database_statement *statement =
            database_prepare(database, "DELETE FROM shared_text WHERE number = $1");
        database_bind(statement, numbers[i]);
        ok = database_run(statement, error);
    }
    *full = count == SCHEMA_PRUNE_ROWS;
    return ok;
}

bool ledger_texts_prune(struct database *database, int64_t before, bool *full, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "DELETE FROM ledger_assessment WHERE (source, id) IN (SELECT source, id FROM"
        " ledger_assessment WHERE model = 'individual' AND first_seen_at < $1 AND id NOT IN"
        " (SELECT MIN(id) FROM ledger_assessment WHERE model = 'individual'"
        " GROUP BY source, category) AND id NOT IN (SELECT text FROM shared_text WHERE number IN"
        " (SELECT assessment_id FROM ledger_finding)) LIMIT $2)");
    database_bind(statement, before, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error) && prune_texts(database, full, error);
}
