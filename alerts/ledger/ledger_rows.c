#include "alerts/ledger/ledger_rows.h"

#include <string.h>

/* --- binding and reading ---------------------------------------------------------------------- */
static void bind_id(struct database_statement *statement, int number, const struct finding_id *id)
{
    database_bind_blob(statement, number, id->bytes, sizeof id->bytes);
}

static bool read_id(struct database_statement *statement, int column, struct finding_id *id)
{
    size_t count;
    const void *bytes = database_blob(statement, column, &count);
    if (count != sizeof id->bytes)
        return false;
    memcpy(id->bytes, bytes, count);
    return true;
}

/* A number of an enum as stored, kept inside it whatever the file says. */
static int read_number(struct database_statement *statement, int column, int count)
{
    int64_t number = database_integer(statement, column);
    return number < 0 || number >= count ? count - 1 : (int)number;
}

static bool run(struct database_statement *statement, const struct finding_id *id,
                struct error *error)
{
    char text[17];
    return database_run(statement, error) ||
           error_wrap(error, "keeping finding %s", finding_id_text(id, text));
}

bool ledger_rows_finding(struct database_statement *statement, int column,
                         const struct source_list *sources, struct intern *texts,
                         struct finding *finding)
{
    const char *kept[LEDGER_ROWS_FINDING_COUNT];
    const char *source = database_text(statement, column + 1);
    for (int i = 2; i <= 10; i++) {
        const char *text = database_text(statement, column + i);
        kept[i] = intern_text(texts, intern_put(texts, text, strlen(text)));
    }
    *finding = (struct finding){
        .source = source_list_find(sources, source),
        .assessment_id = kept[2],
        .title = kept[3],
        .category = kept[4],
        .subscription_id = kept[5],
        .resource_id = kept[6],
        .resource_type = kept[7],
        .resource_group = kept[8],
        .resource_name = kept[9],
        .risk_factors = kept[10],
        .risk = (enum risk_level)read_number(statement, column + 11, RISK_COUNT),
        .severity = (enum severity)read_number(statement, column + 12, SEVERITY_COUNT),
        .contextual = database_integer(statement, column + 13),
        .internet_exposed = database_integer(statement, column + 14),
        .attack_paths = (unsigned)database_integer(statement, column + 15),
        .first_seen_at = database_integer(statement, column + 16),
        .changed_at = database_integer(statement, column + 17),
    };
    return read_id(statement, column, &finding->id) && finding->source;
}

bool ledger_rows_read(struct database *database, const struct source_list *sources,
                      const struct finding_id *id, struct intern *texts, struct finding *finding,
                      bool *found, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT " LEDGER_ROWS_FINDING " FROM ledger_finding f" LEDGER_ROWS_ASSESSMENT
                  " WHERE f.id = $1");
    bind_id(statement, 1, id);
    if (!database_step(statement, found, error))
        return error_wrap(error, "reading a finding");
    *found = *found && ledger_rows_finding(statement, 0, sources, texts, finding);
    database_reset(statement);
    return true;
}

bool ledger_rows_load(struct database *database, const struct source_list *sources,
                      ledger_rows_visit *visit, void *context, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT id, source, subscription_id, risk, opened_at,"
                                   " overdue_at, episode, quiet, absent_at FROM ledger_finding"
                                   " WHERE is_open = 1");
    for (;;) {
        bool row;
        struct ledger_row open;
        if (!database_step(statement, &row, error))
            return error_wrap(error, "reading the open findings");
        if (!row)
            return true;
        if (!read_id(statement, 0, &open.id))
            continue;
        open.source = source_list_find(sources, database_text(statement, 1));
        open.subscription_id = database_text(statement, 2);
        open.risk = (enum risk_level)read_number(statement, 3, RISK_COUNT);
        open.opened_at = database_integer(statement, 4);
        open.overdue_at = database_integer(statement, 5);
        open.episode = (uint32_t)database_integer(statement, 6);
        open.quiet = database_integer(statement, 7);
        open.absent_at = database_integer(statement, 8);
        visit(context, &open);
    }
}

bool ledger_rows_past(struct database *database, const struct finding_id *id,
                      struct ledger_past *past, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT episode, reason, resolved_at FROM ledger_finding"
                                   " WHERE id = $1");
    bool row;
    bind_id(statement, 1, id);
    *past = (struct ledger_past){ 0 };
    if (!database_step(statement, &row, error))
        return error_wrap(error, "reading a finding");
    if (row)
        *past = (struct ledger_past){ (uint32_t)database_integer(statement, 0),
                                      read_number(statement, 1, REASON_COUNT),
                                      database_integer(statement, 2) };
    database_reset(statement);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* What may change of a finding, from $number on: five columns. */
static void bind_facts(struct database_statement *statement, int number,
                       const struct finding *finding)
{
    database_bind_text(statement, number, finding->risk_factors);
    database_bind_integer(statement, number + 1, finding->risk);
    database_bind_integer(statement, number + 2, finding->contextual);
    database_bind_integer(statement, number + 3, finding->internet_exposed);
    database_bind_integer(statement, number + 4, finding->attack_paths);
}

static bool insert(struct database *database, const struct finding *finding, int64_t at, bool quiet,
                   struct error *error)
{
    struct database_statement *statement = database_prepare(
        database,
        "INSERT INTO ledger_finding (id, source, assessment_id, subscription_id,"
        " resource_id, resource_type, resource_group, resource_name, risk_factors, risk,"
        " contextual, internet_exposed, attack_paths, severity, is_open, reason,"
        " absent_at, episode, quiet, first_seen_at, opened_at, changed_at, resolved_at, overdue_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, -1, 0,"
        " 1, $15, $16, $17, $18, 0, 0)");
    bind_id(statement, 1, &finding->id);
    database_bind_text(statement, 2, finding->source->key);
    database_bind_text(statement, 3, finding->assessment_id);
    database_bind_text(statement, 4, finding->subscription_id);
    database_bind_text(statement, 5, finding->resource_id);
    database_bind_text(statement, 6, finding->resource_type);
    database_bind_text(statement, 7, finding->resource_group);
    database_bind_text(statement, 8, finding->resource_name);
    bind_facts(statement, 9, finding);
    database_bind_integer(statement, 14, finding->severity);
    database_bind_integer(statement, 15, quiet);
    database_bind_integer(statement, 16, finding->first_seen_at ? finding->first_seen_at : at);
    database_bind_integer(statement, 17, at);
    database_bind_integer(statement, 18, finding->changed_at);
    return run(statement, &finding->id, error);
}

static bool reopen(struct database *database, const struct finding *finding, uint32_t episode,
                   int64_t at, bool quiet, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE ledger_finding SET risk_factors = $1, risk = $2, contextual = $3,"
                  " internet_exposed = $4, attack_paths = $5, severity = $6, is_open = 1,"
                  " reason = -1, absent_at = 0, episode = $7, quiet = $8, opened_at = $9,"
                  " changed_at = $10, resolved_at = 0, overdue_at = 0 WHERE id = $11");
    bind_facts(statement, 1, finding);
    database_bind_integer(statement, 6, finding->severity);
    database_bind_integer(statement, 7, episode);
    database_bind_integer(statement, 8, quiet);
    database_bind_integer(statement, 9, at);
    database_bind_integer(statement, 10, finding->changed_at);
    bind_id(statement, 11, &finding->id);
    return run(statement, &finding->id, error);
}

bool ledger_rows_open(struct database *database, const struct finding *finding, uint32_t episode,
                      int64_t at, bool quiet, struct error *error)
{
    return episode == 1 ? insert(database, finding, at, quiet, error)
                        : reopen(database, finding, episode, at, quiet, error);
}

bool ledger_rows_change(struct database *database, const struct finding *finding,
                        int64_t overdue_at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE ledger_finding SET risk_factors = $1, risk = $2, contextual = $3,"
                  " internet_exposed = $4, attack_paths = $5, overdue_at = $6, quiet = 0"
                  " WHERE id = $7");
    bind_facts(statement, 1, finding);
    database_bind_integer(statement, 6, overdue_at);
    bind_id(statement, 7, &finding->id);
    return run(statement, &finding->id, error);
}

bool ledger_rows_resolve(struct database *database, const struct finding_id *id, int reason,
                         int64_t at, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "UPDATE ledger_finding SET is_open = 0, absent_at = 0,"
                                   " reason = $1, resolved_at = $2 WHERE id = $3");
    database_bind_integer(statement, 1, reason);
    database_bind_integer(statement, 2, at);
    bind_id(statement, 3, id);
    return run(statement, id, error);
}

bool ledger_rows_absent(struct database *database, const struct finding_id *id, int64_t at,
                        struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "UPDATE ledger_finding SET absent_at = $1 WHERE id = $2");
    database_bind_integer(statement, 1, at);
    bind_id(statement, 2, id);
    return run(statement, id, error);
}

bool ledger_rows_overdue(struct database *database, const struct finding_id *id, int64_t at,
                         struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE ledger_finding SET overdue_at = $1, quiet = 0 WHERE id = $2");
    database_bind_integer(statement, 1, at);
    bind_id(statement, 2, id);
    return run(statement, id, error);
}

bool ledger_rows_assess(struct database *database, const struct finding *finding, int64_t at,
                        struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "INSERT INTO ledger_assessment (source, id, title, category,"
                                   " first_seen_at) VALUES ($1, $2, $3, $4, $5)"
                                   " ON CONFLICT (source, id) DO NOTHING");
    database_bind_text(statement, 1, finding->source->key);
    database_bind_text(statement, 2, finding->assessment_id);
    database_bind_text(statement, 3, finding->title);
    database_bind_text(statement, 4, finding->category);
    database_bind_integer(statement, 5, at);
    return run(statement, &finding->id, error);
}
