/* The part of the ledger that any thread may use: its history, and one finding by its id. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger.h"
#include "alerts/ledger/ledger_rows.h"
#include "collectors/collector.h"
#include "core/json.h"

/* --- one event in and out --------------------------------------------------------------------- */

/* The detail of an event that is about no single finding. */
static void write_detail(const struct event *event, struct buf *out)
{
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "source", event->source->key);
    json_add_text(&writer, "subscription_id", event->subscription_id);
    json_add_text(&writer, "subject", event->subject);
    json_add_text(&writer, "detail", event->detail);
    json_add_number(&writer, "value", event->value);
    json_add_number(&writer, "value_before", event->value_before);
    json_close(&writer, '}');
}

static bool is_about_finding(const struct event *event)
{
    return event->part || event->record;
}

bool ledger_record(struct database *database, const struct event *event, struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    struct event whole = *event;
    whole.subscription_id = event->subscription_id ? event->subscription_id : "";
    whole.subject = event->subject ? event->subject : "";
    whole.detail = event->detail ? event->detail : "";
    if (!is_about_finding(event))
        write_detail(&whole, &detail);
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO ledger_event (sequence, at, kind, finding_id, episode, risk,"
                  " risk_before, reason, quiet, detail) VALUES ((SELECT COALESCE(MAX(sequence), 0)"
                  " + 1 FROM ledger_event), $1, $2, $3, $4, $5, $6, $7, $8, $9)");
    database_bind_integer(statement, 1, event->at);
    database_bind_text(statement, 2, event_kind_words[event->kind]);
    if (is_about_finding(event))
        database_bind_blob(statement, 3, event->finding_id.bytes, sizeof event->finding_id.bytes);
    database_bind_integer(statement, 4, event->episode);
    database_bind_integer(statement, 5, event->risk);
    database_bind_integer(statement, 6, event->risk_before);
    database_bind_integer(statement, 7, event->reason);
    database_bind_integer(statement, 8, event->quiet);
    database_bind_text(statement, 9, buf_cstr(&detail));
    return database_run(statement, error) ||
           error_wrap(error, "recording %s", event_kind_words[event->kind]);
}

static int kind_of(const char *word)
{
    int kind = 0;
    while (kind < EVENT_KIND_COUNT && strcmp(event_kind_words[kind], word) != 0)
        kind++;
    return kind;
}

/* document: owns the texts. False when it is none of ours. */
static bool read_detail(const struct json *document, const struct source_list *sources,
                        struct event *event)
{
    const char *key = json_text(json_get(document, "source"));
    const char *subscription = json_text(json_get(document, "subscription_id"));
    const char *subject = json_text(json_get(document, "subject"));
    const char *detail = json_text(json_get(document, "detail"));
    const struct source *source = key ? source_list_find(sources, key) : NULL;
    if (!source || !subscription || !subject || !detail)
        return false;
    event->source = source;
    event->subscription_id = subscription;
    event->subject = subject;
    event->detail = detail;
    event->value = json_number(json_get(document, "value"), NAN);
    event->value_before = json_number(json_get(document, "value_before"), NAN);
    return true;
}

enum { EVENT_COLUMNS = 9 }; /* before those of the finding */

static enum risk_level risk_at(struct database_statement *statement, int column)
{
    int64_t risk = database_integer(statement, column);
    return risk < 0 || risk >= RISK_COUNT ? RISK_NOT_EVALUATED : (enum risk_level)risk;
}

/* Hand one row on; rows of sources or kinds nobody knows any more are passed over. */
static bool visit_row(struct database_statement *statement, const struct source_list *sources,
                      ledger_visit *visit, void *context, struct error *error)
{
    CLEANUP(intern_finish) struct intern texts = { 0 };
    struct event_record record;
    struct error ignored;
    int kind = kind_of(database_text(statement, 1));
    struct event event = {
        .at = database_integer(statement, 0),
        .episode = (uint32_t)database_integer(statement, 2),
        .risk = risk_at(statement, 3),
        .risk_before = risk_at(statement, 4),
        .reason = (int)database_integer(statement, 5),
        .quiet = database_integer(statement, 6),
        .opened_at = database_integer(statement, 8),
        .subscription_id = "",
        .subject = "",
        .detail = "",
    };
    if (kind == EVENT_KIND_COUNT)
        return true;
    event.kind = (enum event_kind)kind;
    const char *detail = database_text(statement, 7);
    if (*detail) {
        struct json *document = json_parse(detail, strlen(detail), &ignored);
        bool ok = !read_detail(document, sources, &event) || visit(context, &event, error);
        json_free(document);
        return ok;
    }
    if (!ledger_rows_finding(statement, EVENT_COLUMNS, sources, &texts, &record.finding))
        return true;
    if (event.kind == EVENT_OPENED || event.kind == EVENT_REOPENED)
        event.opened_at = event.at;
    record.finding.risk = event.risk;
    event.source = record.finding.source;
    event.finding_id = record.finding.id;
    event.record = &record;
    return visit(context, &event, error);
}

#define HISTORY                                                                                    \
    "SELECT e.at, e.kind, e.episode, e.risk, e.risk_before, e.reason, e.quiet, e.detail,"          \
    " f.opened_at, " LEDGER_ROWS_FINDING " FROM ledger_event e"                                    \
    " LEFT JOIN ledger_finding f ON f.id = e.finding_id" LEDGER_ROWS_ASSESSMENT

bool ledger_history(struct database *database, const struct source_list *sources, int64_t since,
                    const struct finding_id *finding, ledger_visit *visit, void *context,
                    struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, finding ? HISTORY " WHERE e.at >= $1 AND e.finding_id = $2 ORDER BY e.sequence"
                          : HISTORY " WHERE e.at >= $1 ORDER BY e.sequence");
    database_bind_integer(statement, 1, since);
    if (finding)
        database_bind_blob(statement, 2, finding->bytes, sizeof finding->bytes);
    for (;;) {
        bool row;
        if (!database_step(statement, &row, error))
            return error_wrap(error, "reading the history");
        if (!row)
            return true;
        if (!visit_row(statement, sources, visit, context, error)) {
            database_reset(statement);
            return false;
        }
    }
}

/* --- one finding ------------------------------------------------------------------------------ */

/* The first and the last id that begins with these 16 or 32 hex digits. */
static bool read_prefix(const char *prefix, struct finding_id *first, struct finding_id *last)
{
    size_t length = strlen(prefix);
    if (length != 16 && length != 32)
        return false;
    memset(first, 0, sizeof *first);
    memset(last, 0xff, sizeof *last);
    for (size_t i = 0; i < length; i++) {
        static const char digits[] = "0123456789abcdef";
        char lower = prefix[i] >= 'A' && prefix[i] <= 'F' ? (char)(prefix[i] | 0x20) : prefix[i];
        const char *digit = strchr(digits, lower);
        if (!digit)
            return false;
        int shift = i % 2 ? 0 : 4;
        uint8_t bits = (uint8_t)((digit - digits) << shift), mask = (uint8_t)(0xf << shift);
        first->bytes[i / 2] = (uint8_t)(first->bytes[i / 2] | bits);
        last->bytes[i / 2] = (uint8_t)((last->bytes[i / 2] & ~mask) | bits);
    }
    return true;
}

/* Move the texts of a finding to an arena. */
static void keep_texts(struct finding *finding, struct arena *arena)
{
    const char **texts[] = {
        &finding->assessment_id,   &finding->title,         &finding->category,
        &finding->subscription_id, &finding->resource_id,   &finding->resource_type,
        &finding->resource_group,  &finding->resource_name, &finding->risk_factors,
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        *texts[i] = arena_text(arena, *texts[i]);
}

bool ledger_find(struct database *database, const struct source_list *sources, const char *prefix,
                 struct arena *arena, struct ledger_entry *entry, bool *found, struct error *error)
{
    CLEANUP(intern_finish) struct intern texts = { 0 };
    struct finding_id first, last;
    *found = false;
    if (!read_prefix(prefix, &first, &last))
        return true;
    struct database_statement *statement = database_prepare(
        database,
        "SELECT f.is_open, f.quiet, f.reason, f.episode, f.opened_at, f.resolved_at,"
        " f.overdue_at, " LEDGER_ROWS_FINDING " FROM ledger_finding f" LEDGER_ROWS_ASSESSMENT
        " WHERE f.id >= $1 AND f.id <= $2 ORDER BY f.id LIMIT 1");
    database_bind_blob(statement, 1, first.bytes, sizeof first.bytes);
    database_bind_blob(statement, 2, last.bytes, sizeof last.bytes);
    if (!database_step(statement, found, error))
        return error_wrap(error, "looking for a finding");
    *found = *found && ledger_rows_finding(statement, 7, sources, &texts, &entry->finding);
    if (*found) {
        entry->open = database_integer(statement, 0);
        entry->quiet = database_integer(statement, 1);
        entry->reason = (int)database_integer(statement, 2);
        entry->episode = (uint32_t)database_integer(statement, 3);
        entry->opened_at = database_integer(statement, 4);
        entry->resolved_at = database_integer(statement, 5);
        entry->overdue_at = database_integer(statement, 6);
        keep_texts(&entry->finding, arena);
    }
    database_reset(statement);
    return true;
}
