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
    if (event->headline && *event->headline)
        json_add_text(&writer, "headline", event->headline);
    if (event->cloud && *event->cloud)
        json_add_text(&writer, "cloud", event->cloud);
    if (event->connector && *event->connector)
        json_add_text(&writer, "connector", event->connector);
    json_add_number(&writer, "value", event->value);
    json_add_number(&writer, "value_before", event->value_before);
    json_close(&writer, '}');
}

static bool is_about_finding(const struct event *event)
{
    return event->part || event->record;
}

struct event_row {
    int64_t sequence;
    struct event event;
    bool has_finding;
    const char *detail; /* of those about no single finding, as JSON */
};
static const struct row_field event_fields[] = {
    ROW_INTEGER(struct event_row, sequence, "sequence"),
    ROW_INTEGER(struct event_row, event.at, "at"),
    ROW_WORD(struct event_row, event.kind, "kind", event_kind_words, EVENT_KIND_COUNT),
    ROW_BYTES(struct event_row, event.finding_id.bytes, "finding_id", has_finding),
    ROW_INTEGER(struct event_row, event.episode, "episode"),
    ROW_ENUM(struct event_row, event.risk, "risk", RISK_COUNT),
    ROW_ENUM(struct event_row, event.risk_before, "risk_before", RISK_COUNT),
    ROW_INTEGER(struct event_row, event.reason, "reason"),
    ROW_INTEGER(struct event_row, event.quiet, "quiet"),
    ROW_TEXT(struct event_row, detail, "detail"),
    { 0 },
};
static const struct rows_table event_rows = { "ledger_event", 1, event_fields };

bool ledger_record(struct database *database, const struct event *event, struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    struct event whole = *event;
    whole.subscription_id = event->subscription_id ? event->subscription_id : "";
    whole.subject = event->subject ? event->subject : "";
    whole.detail = event->detail ? event->detail : "";
    if (!is_about_finding(event))
        write_detail(&whole, &detail);
    struct event_row row = { .event = *event,
                             .has_finding = is_about_finding(event),
                             .detail = buf_cstr(&detail) };
    if (!ledger_rows_last(database, &row.sequence, error))
        return false;
    row.sequence++;
    return rows_insert(database, &event_rows, &row, error) ||
           error_wrap(error, "recording %s", event_kind_words[event->kind]);
}

/* document: owns the texts. False when it is none of ours. */
static bool read_detail(const struct json *document, const struct source_list *sources,
                        struct event *event)
{
    const char *key = json_text(json_get(document, "source"));
    const char *subscription = json_text(json_get(document, "subscription_id"));
    const char *subject = json_text(json_get(document, "subject"));
    const char *detail = json_text(json_get(document, "detail"));
    const char *headline = json_text(json_get(document, "headline"));
    const char *cloud = json_text(json_get(document, "cloud"));
    const char *connector = json_text(json_get(document, "connector"));
    const struct source *source = key ? source_list_find(sources, key) : NULL;
    if (!source || !subscription || !subject || !detail)
        return false;
    event->source = source;
    event->subscription_id = subscription;
    event->subject = subject;
    event->detail = detail;
    event->headline = headline ? headline : "";
    event->cloud = cloud ? cloud : "";
    event->connector = connector ? connector : "";
    event->value = json_number(json_get(document, "value"), NAN);
    event->value_before = json_number(json_get(document, "value_before"), NAN);
    return true;
}

/* An event and the finding it is about, if any. */
struct history_row {
    struct event event;
    const char *detail;
    uint32_t present; /* the finding's episode now */
    struct ledger_rows_known known;
};
static const struct row_field history_fields[] = {
    ROW_INTEGER(struct history_row, event.sequence, "e.sequence"),
    ROW_INTEGER(struct history_row, event.at, "e.at"),
    ROW_WORD(struct history_row, event.kind, "e.kind", event_kind_words, EVENT_KIND_COUNT),
    ROW_INTEGER(struct history_row, event.episode, "e.episode"),
    ROW_ENUM(struct history_row, event.risk, "e.risk", RISK_COUNT),
    ROW_ENUM(struct history_row, event.risk_before, "e.risk_before", RISK_COUNT),
    ROW_INTEGER(struct history_row, event.reason, "e.reason"),
    ROW_INTEGER(struct history_row, event.quiet, "e.quiet"),
    ROW_TEXT(struct history_row, detail, "e.detail"),
    ROW_INTEGER(struct history_row, event.opened_at, "f.opened_at"),
    ROW_INTEGER(struct history_row, present, "f.episode"),
    LEDGER_ROWS_KNOWN(struct history_row, known),
    { 0 },
};
static const struct rows_table history_rows = {
    LEDGER_ROWS_TABLES("ledger_event e LEFT JOIN ledger_known f ON f.id = e.finding_id"), 0,
    history_fields
};

/* Hand one row on; rows of sources or kinds nobody knows any more are passed over. */
static bool visit_row(struct history_row *row, const struct source_list *sources,
                      ledger_visit *visit, void *context, struct error *error)
{
    struct event *event = &row->event;
    struct error ignored;
    if (event->kind == EVENT_KIND_COUNT)
        return true;
    if (*row->detail) {
        struct json *document = json_parse(row->detail, strlen(row->detail), &ignored);
        bool ok = !read_detail(document, sources, event) || visit(context, event, error);
        json_free(document);
        return ok;
    }
    if (!ledger_rows_settle(&row->known, sources))
        return true;
    bool opens = event->kind == EVENT_OPENED || event->kind == EVENT_REOPENED;
    if (opens && event->episode != row->present) /* of an earlier life only the sight is known */
        event->opened_at = event->at;
    struct event_record record = { .finding = row->known.finding };
    record.finding.risk = event->risk;
    event->source = record.finding.source;
    event->finding_id = record.finding.id;
    event->record = &record;
    return visit(context, event, error);
}

/* Hand on the rows of a statement. *last: the number of the last one; NULL = not wanted. */
static bool visit_rows(struct database_statement *statement, const struct source_list *sources,
                       ledger_visit *visit, void *context, int64_t *last, struct error *error)
{
    for (bool found;;) {
        struct history_row row = { .event = {
                                       .subscription_id = "", .subject = "", .detail = "" } };
        if (!rows_next(statement, &history_rows, NULL, &row, &found, error))
            return error_wrap(error, "reading the history");
        if (!found)
            return true;
        if (!visit_row(&row, sources, visit, context, error)) {
            database_reset(statement);
            return false;
        }
        if (last)
            *last = row.event.sequence;
    }
}

bool ledger_history(struct database *database, const struct source_list *sources, int64_t since,
                    const struct finding_id *finding, ledger_visit *visit, void *context,
                    struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &history_rows,
                    finding ? " WHERE e.at >= $1 AND e.finding_id = $2 ORDER BY e.sequence"
                            : " WHERE e.at >= $1 ORDER BY e.sequence");
    if (finding)
        database_bind(statement, since, DATABASE_BYTES(finding->bytes));
    else
        database_bind(statement, since);
    return visit_rows(statement, sources, visit, context, NULL, error);
}

bool ledger_follow(struct database *database, const struct source_list *sources, int64_t after,
                   int64_t limit, ledger_visit *visit, void *context, int64_t *last,
                   struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &history_rows, " WHERE e.sequence > $1 ORDER BY e.sequence LIMIT $2");
    database_bind(statement, after, limit);
    *last = after;
    return visit_rows(statement, sources, visit, context, last, error);
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

struct entry_row {
    struct ledger_entry entry;
    struct ledger_rows_known known;
};
static const struct row_field entry_fields[] = {
    ROW_INTEGER(struct entry_row, entry.open, "f.is_open"),
    ROW_INTEGER(struct entry_row, entry.quiet, "f.quiet"),
    ROW_INTEGER(struct entry_row, entry.reason, "f.reason"),
    ROW_INTEGER(struct entry_row, entry.episode, "f.episode"),
    ROW_INTEGER(struct entry_row, entry.opened_at, "f.opened_at"),
    ROW_INTEGER(struct entry_row, entry.resolved_at, "f.resolved_at"),
    ROW_INTEGER(struct entry_row, entry.overdue_at, "f.overdue_at"),
    ROW_INTEGER(struct entry_row, entry.absent_at, "f.absent_at"),
    LEDGER_ROWS_KNOWN(struct entry_row, known),
    { 0 },
};
static const struct rows_table entry_rows = { LEDGER_ROWS_TABLES("ledger_known f"), 0,
                                              entry_fields };

bool ledger_find(struct database *database, const struct source_list *sources, const char *prefix,
                 struct arena *arena, struct ledger_entry *entry, bool *found, struct error *error)
{
    struct entry_row row = { 0 };
    struct finding_id first, last;
    *found = false;
    if (!read_prefix(prefix, &first, &last))
        return true;
    struct database_statement *statement = rows_select(
        database, &entry_rows, " WHERE f.id >= $1 AND f.id <= $2 ORDER BY f.id LIMIT 1");
    database_bind(statement, DATABASE_BYTES(first.bytes), DATABASE_BYTES(last.bytes));
    if (!rows_one(statement, &entry_rows, arena, &row, found, error))
        return error_wrap(error, "looking for a finding");
    *found = *found && ledger_rows_settle(&row.known, sources);
    if (*found) {
        *entry = row.entry;
        entry->finding = row.known.finding;
    }
    return true;
}
