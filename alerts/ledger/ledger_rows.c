#include "alerts/ledger/ledger_rows.h"

#include <stdio.h>
#include <string.h>

#include "alerts/store/schema.h"

static bool done(bool ok, const struct finding_id *id, struct error *error)
{
    char text[17];
    return ok || error_wrap(error, "keeping finding %s", finding_id_text(id, text));
}

/* --- reading ---------------------------------------------------------------------------------- */

bool ledger_rows_settle(struct ledger_rows_known *known, const struct source_list *sources)
{
    struct finding *finding = &known->finding;
    finding->source = source_list_find(sources, known->source);
    if (known->has_id && finding->cloud == CLOUD_AZURE)
        finding->cloud = cloud_kind_of("", finding->resource_id); /* version 1 did not know */
    return known->has_id && known->finding.source;
}

struct known_row {
    struct ledger_rows_known known;
};
static const struct row_field known_fields[] = {
    LEDGER_ROWS_KNOWN(struct known_row, known),
    { 0 },
};
static const struct rows_table known_rows = { LEDGER_ROWS_TABLES("ledger_known f"), 0,
                                              known_fields };

/* Move the texts of a finding to a table. */
static void keep_texts(struct finding *finding, struct intern *texts)
{
    const char **all[] = {
        &finding->assessment_id,   &finding->title,         &finding->category,
        &finding->subscription_id, &finding->resource_id,   &finding->resource_type,
        &finding->resource_group,  &finding->resource_name, &finding->risk_factors,
        &finding->native_id,       &finding->connector,     &finding->account,
        &finding->location,
    };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        *all[i] = intern_text(texts, intern_put(texts, *all[i], strlen(*all[i])));
}

bool ledger_rows_read(struct database *database, const struct source_list *sources,
                      const struct finding_id *id, struct intern *texts, struct finding *finding,
                      bool *found, struct error *error)
{
    struct database_statement *statement = rows_select(database, &known_rows, " WHERE f.id = $1");
    struct known_row row = { 0 };
    database_bind(statement, DATABASE_BYTES(id->bytes));
    if (!rows_next(statement, &known_rows, NULL, &row, found, error))
        return error_wrap(error, "reading a finding");
    *found = *found && ledger_rows_settle(&row.known, sources);
    if (*found) {
        *finding = row.known.finding;
        keep_texts(finding, texts);
    }
    database_reset(statement);
    return true;
}

struct open_row {
    struct ledger_row is;
    const char *source;
    bool has_id;
};
static const struct row_field open_fields[] = {
    ROW_BYTES(struct open_row, is.id.bytes, "id", has_id),
    ROW_TEXT(struct open_row, source, "source"),
    ROW_TEXT(struct open_row, is.subscription_id, "subscription_id"),
    ROW_ENUM(struct open_row, is.risk, "risk", RISK_COUNT),
    ROW_INTEGER(struct open_row, is.opened_at, "opened_at"),
    ROW_INTEGER(struct open_row, is.seen_at, "seen_at"),
    ROW_INTEGER(struct open_row, is.spent_s, "spent_s"),
    ROW_INTEGER(struct open_row, is.changed_at, "changed_at"),
    ROW_INTEGER(struct open_row, is.overdue_at, "overdue_at"),
    ROW_INTEGER(struct open_row, is.governed_at, "governed_at"),
    ROW_INTEGER(struct open_row, is.episode, "episode"),
    ROW_INTEGER(struct open_row, is.quiet, "quiet"),
    ROW_INTEGER(struct open_row, is.absent_at, "absent_at"),
    { 0 },
};
static const struct rows_table open_rows = { "ledger_known", 0, open_fields };

bool ledger_rows_load(struct database *database, const struct source_list *sources,
                      ledger_rows_visit *visit, void *context, struct error *error)
{
    struct database_statement *statement = rows_select(database, &open_rows, " WHERE is_open = 1");
    for (bool found;;) {
        struct open_row row;
        if (!rows_next(statement, &open_rows, NULL, &row, &found, error))
            return error_wrap(error, "reading the open findings");
        if (!found)
            return true;
        row.is.source = source_list_find(sources, row.source);
        if (row.has_id)
            visit(context, &row.is);
    }
}

struct over_row {
    struct finding_id id;
    const char *source;
    int reason;
    bool has_id;
};
static const struct row_field over_fields[] = {
    ROW_BYTES(struct over_row, id.bytes, "id", has_id),
    ROW_TEXT(struct over_row, source, "source"),
    ROW_ENUM(struct over_row, reason, "reason", REASON_COUNT),
    { 0 },
};
static const struct rows_table over_rows = { "ledger_known", 0, over_fields };

bool ledger_rows_over(struct database *database, const struct source_list *sources,
                      const enum finding_reason reasons[2], ledger_rows_visit_over *visit,
                      void *context, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &over_rows, " WHERE is_open = 0 AND reason IN ($1, $2)");
    database_bind(statement, (int)reasons[0], (int)reasons[1]);
    for (bool found;;) {
        struct over_row row;
        if (!rows_next(statement, &over_rows, NULL, &row, &found, error))
            return error_wrap(error, "reading the findings that are over");
        if (!found)
            return true;
        if (row.has_id)
            visit(context, source_list_find(sources, row.source), &row.id, row.reason);
    }
}

static const struct row_field past_fields[] = {
    ROW_INTEGER(struct ledger_past, episode, "episode"),
    ROW_ENUM(struct ledger_past, reason, "reason", REASON_COUNT),
    ROW_INTEGER(struct ledger_past, opened_at, "opened_at"),
    ROW_INTEGER(struct ledger_past, seen_at, "seen_at"),
    ROW_INTEGER(struct ledger_past, spent_s, "spent_s"),
    ROW_INTEGER(struct ledger_past, resolved_at, "resolved_at"),
    ROW_INTEGER(struct ledger_past, open, "is_open"),
    ROW_INTEGER(struct ledger_past, quiet, "quiet"),
    ROW_ENUM(struct ledger_past, risk, "risk", RISK_COUNT),
    ROW_INTEGER(struct ledger_past, changed_at, "changed_at"),
    ROW_INTEGER(struct ledger_past, overdue_at, "overdue_at"),
    ROW_INTEGER(struct ledger_past, governed_at, "governed_at"),
    { 0 },
};
static const struct rows_table past_rows = { "ledger_finding", 0, past_fields };

bool ledger_rows_past(struct database *database, const struct finding_id *id,
                      struct ledger_past *past, struct error *error)
{
    struct database_statement *statement = rows_select(database, &past_rows, " WHERE id = $1");
    bool found;
    *past = (struct ledger_past){ 0 };
    database_bind(statement, DATABASE_BYTES(id->bytes));
    return rows_one(statement, &past_rows, NULL, past, &found, error) ||
           error_wrap(error, "reading a finding");
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A finding as it is written. */
struct kept {
    struct finding finding;
    const char *source, *tenant, *resource_head, *resource_tail, *resource_name;
    bool has_id, is_open, quiet;
    int reason;
    uint32_t episode;
    int64_t absent_at, opened_at, seen_at, spent_s, resolved_at, overdue_at, governed_at;
};

/* clang-format off */
#define ID ROW_BYTES(struct kept, finding.id.bytes, "id", has_id)
/* What may change of a finding. */
#define FACTS \
    ROW_SHARED (struct kept, finding.risk_factors, "risk_factors"), \
    ROW_ENUM   (struct kept, finding.risk, "risk", RISK_COUNT), \
    ROW_INTEGER(struct kept, finding.contextual, "contextual"), \
    ROW_INTEGER(struct kept, finding.internet_exposed, "internet_exposed"), \
    ROW_INTEGER(struct kept, finding.attack_paths, "attack_paths"), \
    ROW_ENUM   (struct kept, finding.cloud, "cloud", CLOUD_COUNT), \
    ROW_SHARED (struct kept, finding.connector, "connector"), \
    ROW_SHARED (struct kept, finding.account, "account"), \
    ROW_SHARED (struct kept, finding.location, "location"), \
    ROW_TEXT   (struct kept, finding.native_id, "native_id")
/* Where it stands in its present life. */
#define LIFE \
    ROW_ENUM   (struct kept, finding.severity, "severity", SEVERITY_COUNT), \
    ROW_INTEGER(struct kept, is_open, "is_open"), \
    ROW_INTEGER(struct kept, reason, "reason"), \
    ROW_INTEGER(struct kept, absent_at, "absent_at"), \
    ROW_INTEGER(struct kept, episode, "episode"), \
    ROW_INTEGER(struct kept, quiet, "quiet"), \
    ROW_INTEGER(struct kept, opened_at, "opened_at"), \
    ROW_INTEGER(struct kept, seen_at, "seen_at"), \
    ROW_INTEGER(struct kept, spent_s, "spent_s"), \
    ROW_INTEGER(struct kept, finding.changed_at, "changed_at"), \
    ROW_INTEGER(struct kept, resolved_at, "resolved_at"), \
    ROW_INTEGER(struct kept, overdue_at, "overdue_at"), \
    ROW_INTEGER(struct kept, governed_at, "governed_at")

static const struct row_field kept_fields[] = {
    ID, FACTS, LIFE,
    ROW_SHARED (struct kept, source, "source"),
    ROW_SHARED (struct kept, tenant, "tenant"),
    ROW_SHARED (struct kept, finding.assessment_id, "assessment_id"),
    ROW_SHARED (struct kept, finding.subscription_id, "subscription_id"),
    ROW_SHARED (struct kept, resource_head, "resource_head"),
    ROW_TEXT   (struct kept, resource_tail, "resource_tail"),
    ROW_TEXT   (struct kept, resource_name, "resource_name"),
    ROW_SHARED (struct kept, finding.resource_type, "resource_type"),
    ROW_SHARED (struct kept, finding.resource_group, "resource_group"),
    ROW_INTEGER(struct kept, finding.first_seen_at, "first_seen_at"),
    { 0 }
};
static const struct row_field reopened_fields[] = {
    ID, FACTS, LIFE,
    ROW_SHARED (struct kept, source, "source"),
    ROW_SHARED (struct kept, tenant, "tenant"),
    { 0 }
};
static const struct row_field changed_fields[] = {
    ID, FACTS,
    ROW_INTEGER(struct kept, overdue_at, "overdue_at"),
    ROW_INTEGER(struct kept, quiet, "quiet"),
    { 0 }
};
/* clang-format on */
static const struct rows_table kept_rows = { "ledger_finding", 1, kept_fields };
static const struct rows_table reopened_rows = { "ledger_finding", 1, reopened_fields };
static const struct rows_table changed_rows = { "ledger_finding", 1, changed_fields };

bool ledger_rows_open(struct database *database, const struct finding *finding,
                      const struct ledger_row *life, struct error *error)
{
    CLEANUP(buf_finish) struct buf head = { 0 };
    const char *slash = strrchr(finding->resource_id, '/');
    const char *tail = slash ? slash + 1 : finding->resource_id;
    buf_append(&head, finding->resource_id, (size_t)(tail - finding->resource_id));
    struct kept kept = {
        .finding = *finding,
        .source = finding->source->key,
        .tenant = finding->source->tenant,
        .resource_head = buf_cstr(&head),
        .resource_tail = tail,
        .resource_name = strcmp(finding->resource_name, tail) ? finding->resource_name : "",
        .has_id = true,
        .is_open = true,
        .quiet = life->quiet,
        .reason = -1,
        .episode = life->episode,
        .opened_at = life->opened_at,
        .seen_at = life->seen_at,
        .spent_s = life->spent_s,
        .overdue_at = life->overdue_at,
        .governed_at = life->governed_at,
    };
    if (!finding->first_seen_at)
        kept.finding.first_seen_at = life->seen_at;
    bool ok = life->episode == 1 ? rows_insert(database, &kept_rows, &kept, error)
                                 : rows_update(database, &reopened_rows, &kept, error);
    return done(ok, &finding->id, error);
}

bool ledger_rows_change(struct database *database, const struct finding *finding,
                        int64_t overdue_at, struct error *error)
{
    const struct kept kept = { .finding = *finding, .has_id = true, .overdue_at = overdue_at };
    return done(rows_update(database, &changed_rows, &kept, error), &finding->id, error);
}

bool ledger_rows_resolve(struct database *database, const struct finding_id *id, int reason,
                         int64_t at, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "UPDATE ledger_finding SET is_open = 0, reason = $1,"
                                   " resolved_at = $2, absent_at = absent_at * $3 WHERE id = $4");
    int64_t keeps_absent = reason == REASON_NO_LONGER_ASSESSED; /* messages say since when */
    database_bind(statement, reason, at, keeps_absent, DATABASE_BYTES(id->bytes));
    return done(database_run(statement, error), id, error);
}

bool ledger_rows_ended(struct database *database, const struct finding_id *id, int reason,
                       int64_t at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE ledger_finding SET reason = $1, resolved_at = CASE WHEN opened_at > $2"
                  " THEN opened_at ELSE $2 END WHERE id = $3 AND is_open = 0");
    database_bind(statement, reason, at, DATABASE_BYTES(id->bytes));
    return done(database_run(statement, error), id, error);
}

bool ledger_rows_absent(struct database *database, const struct finding_id *id, int64_t at,
                        struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "UPDATE ledger_finding SET absent_at = $1 WHERE id = $2");
    database_bind(statement, at, DATABASE_BYTES(id->bytes));
    return done(database_run(statement, error), id, error);
}

static const struct row_field redated_fields[] = {
    ROW_BYTES(struct open_row, is.id.bytes, "id", has_id),
    ROW_INTEGER(struct open_row, is.opened_at, "opened_at"),
    ROW_INTEGER(struct open_row, is.seen_at, "seen_at"),
    ROW_INTEGER(struct open_row, is.spent_s, "spent_s"),
    ROW_INTEGER(struct open_row, is.changed_at, "changed_at"),
    ROW_INTEGER(struct open_row, is.overdue_at, "overdue_at"),
    { 0 },
};
static const struct rows_table redated_rows = { "ledger_finding", 1, redated_fields };

bool ledger_rows_redate(struct database *database, const struct ledger_row *life,
                        struct error *error)
{
    const struct open_row row = { .is = *life, .has_id = true };
    return done(rows_update(database, &redated_rows, &row, error), &life->id, error);
}

bool ledger_rows_overdue(struct database *database, const struct finding_id *id, int64_t at,
                         struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, at ? "UPDATE ledger_finding SET overdue_at = $1, quiet = 0 WHERE id = $2"
                     : "UPDATE ledger_finding SET overdue_at = $1 WHERE id = $2");
    database_bind(statement, at, DATABASE_BYTES(id->bytes));
    return done(database_run(statement, error), id, error);
}

bool ledger_rows_govern(struct database *database, const struct finding_id *id, int64_t due_at,
                        struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "UPDATE ledger_finding SET governed_at = $1 WHERE id = $2");
    database_bind(statement, due_at, DATABASE_BYTES(id->bytes));
    return done(database_run(statement, error), id, error);
}

bool ledger_rows_move(struct database *database, const struct finding_id *id,
                      const struct source *to, struct error *error)
{
    static const struct row_field moved_fields[] = {
        ROW_BYTES(struct kept, finding.id.bytes, "id", has_id),
        ROW_SHARED(struct kept, source, "source"),
        ROW_SHARED(struct kept, tenant, "tenant"),
        ROW_INTEGER(struct kept, absent_at, "absent_at"),
        { 0 },
    };
    static const struct rows_table moved_rows = { "ledger_finding", 1, moved_fields };
    const struct kept kept = {
        .finding.id = *id, .has_id = true, .source = to->key, .tenant = to->tenant
    };
    return done(rows_update(database, &moved_rows, &kept, error), id, error);
}

struct kept_assessment {
    const char *source, *id, *title, *category;
    int64_t first_seen_at;
    enum finding_model model;
};
static const struct row_field assessment_fields[] = {
    ROW_TEXT(struct kept_assessment, source, "source"),
    ROW_TEXT(struct kept_assessment, id, "id"),
    ROW_TEXT(struct kept_assessment, title, "title"),
    ROW_TEXT(struct kept_assessment, category, "category"),
    ROW_INTEGER(struct kept_assessment, first_seen_at, "first_seen_at"),
    ROW_WORD(struct kept_assessment, model, "model", finding_model_words, MODEL_PLAIN),
    { 0 },
};
static const struct rows_table assessment_rows = { "ledger_assessment", 2, assessment_fields };

bool ledger_rows_assess(struct database *database, const struct finding *finding, int64_t at,
                        struct error *error)
{
    const struct kept_assessment kept = {
        finding->source->key, finding->assessment_id, finding->title, finding->category, at,
        finding->model,
    };
    return done(rows_insert_new(database, &assessment_rows, &kept, error), &finding->id, error);
}

bool ledger_rows_assessments(struct database *database, ledger_rows_visit_assessment *visit,
                             void *context, struct error *error)
{
    struct database_statement *statement = rows_select(database, &assessment_rows, "");
    for (bool found;;) {
        struct kept_assessment kept;
        if (!rows_next(statement, &assessment_rows, NULL, &kept, &found, error))
            return error_wrap(error, "reading the recommendations");
        if (!found)
            return true;
        visit(context, kept.source, kept.id, kept.model == MODEL_INDIVIDUAL ? kept.category : "");
    }
}

struct seen_row {
    const char *source, *key;
    int64_t at;
};
static const struct row_field seen_fields[] = {
    ROW_TEXT(struct seen_row, source, "source"),
    ROW_TEXT(struct seen_row, key, "key"),
    ROW_INTEGER(struct seen_row, at, "at"),
    { 0 },
};
static const struct rows_table seen_rows = { "ledger_seen", 2, seen_fields };

bool ledger_rows_see(struct database *database, const char *source, const char *key, int64_t at,
                     struct error *error)
{
    const struct seen_row row = { source, key, at };
    return rows_insert_new(database, &seen_rows, &row, error) ||
           error_wrap(error, "keeping the recommendation %s", key);
}

bool ledger_rows_seen(struct database *database, ledger_rows_visit_seen *visit, void *context,
                      struct error *error)
{
    struct database_statement *statement = rows_select(database, &seen_rows, "");
    for (bool found;;) {
        struct seen_row row;
        if (!rows_next(statement, &seen_rows, NULL, &row, &found, error))
            return error_wrap(error, "reading the recommendations that were seen");
        if (!found)
            return true;
        visit(context, row.source, row.key);
    }
}

bool ledger_rows_seen_at(struct database *database, const char *source, const char *key,
                         int64_t *at, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT COALESCE(MAX(at), 0) FROM ledger_seen WHERE source = $1 AND key = $2");
    database_bind(statement, source, key);
    return database_get_integer(statement, at, error) ||
           error_wrap(error, "reading since when %s is known", key);
}

#define OLDEST(column)                                                                             \
    "(SELECT " column " FROM ledger_event WHERE at < $1 ORDER BY at, sequence LIMIT $2)"

bool ledger_rows_last(struct database *database, int64_t *sequence, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT COALESCE(MAX(number), 0) FROM"
                  " (SELECT MAX(sequence) AS number FROM ledger_event UNION ALL"
                  " SELECT CAST(value AS BIGINT) FROM store WHERE key = '" LEDGER_ROWS_LAST "')");
    return database_get_integer(statement, sequence, error) ||
           error_wrap(error, "reading the history");
}

bool ledger_rows_before(struct database *database, int64_t since, int64_t *sequence,
                        struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT COALESCE(MIN(sequence) - 1, -1) FROM ledger_event WHERE at >= $1");
    database_bind(statement, since);
    if (!database_get_integer(statement, sequence, error))
        return error_wrap(error, "reading the history");
    return *sequence >= 0 || ledger_rows_last(database, sequence, error);
}

/* Numbers are given once: where the last event goes, its number stays. */
static bool keep_last(struct database *database, int64_t before, struct error *error)
{
    int64_t at, sequence;
    char text[32];
    struct database_statement *newest =
        database_prepare(database, "SELECT COALESCE(MAX(at), $1) FROM ledger_event");
    database_bind(newest, before);
    if (!database_get_integer(newest, &at, error))
        return false;
    if (at >= before)
        return true;
    if (!ledger_rows_last(database, &sequence, error))
        return false;
    snprintf(text, sizeof text, "%lld", (long long)sequence);
    return schema_put(database, LEDGER_ROWS_LAST, text, error);
}

bool ledger_rows_prune(struct database *database, int64_t before, struct error *error)
{
    if (!keep_last(database, before, error))
        return false;
    struct database_statement *findings = database_prepare(
        database,
        "DELETE FROM ledger_finding WHERE is_open = 0 AND resolved_at < $1"
        " AND id IN " OLDEST(
            "finding_id") " AND NOT EXISTS (SELECT 1 FROM ledger_event"
                          " WHERE finding_id = ledger_finding.id AND at >= $1) AND NOT EXISTS"
                          " (SELECT 1 FROM active_alert WHERE finding_id = ledger_finding.id)");
    database_bind(findings, before, SCHEMA_PRUNE_ROWS);
    if (!database_run(findings, error))
        return false;
    struct database_statement *events = database_prepare(
        database, "DELETE FROM ledger_event WHERE sequence IN " OLDEST("sequence"));
    database_bind(events, before, SCHEMA_PRUNE_ROWS);
    return database_run(events, error);
}
