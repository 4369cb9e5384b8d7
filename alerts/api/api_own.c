#include "alerts/api/api_own.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/api/api_call.h"
#include "alerts/ledger/history.h"
#include "alerts/notify/outbox_list.h"
#include "alerts/view/view_lacks.h"
#include "alerts/view/view_record.h"
#include "alerts/view/view_write.h"
#include "core/clock.h"

enum { CURSOR_BYTES = 64 };

/* --- what can be asked ------------------------------------------------------------------------ */

const struct api_parameter api_own_limit = { "limit", "At most so many rows", NULL, true };
const struct api_parameter api_own_after = {
    "after", "Rows behind the one that this names: `next` of the page before", NULL, false
};
const struct api_parameter api_own_format = { "format", "Instead of Accept", view_format_words,
                                              false };
static const struct api_parameter of_receiver = { "receiver", "Only messages for this receiver",
                                                  NULL, false };
static const struct api_parameter in_state = {
    "state", "Only messages in this state; without it queued and dead ones", outbox_state_words,
    false
};
static const struct api_parameter *const for_alerts[] = { &api_own_limit, &api_own_after,
                                                          &api_own_format, NULL };
static const struct api_parameter *const for_messages[] = { &of_receiver,    &in_state,
                                                            &api_own_limit,  &api_own_after,
                                                            &api_own_format, NULL };
static const struct api_parameter back_since = {
    "since", "How far back, such as 30d; without it all that is kept", NULL, false
};
static const struct api_parameter *const for_history[] = { &back_since, &api_own_limit,
                                                           &api_own_after, &api_own_format, NULL };
static const struct api_parameter *const for_one[] = { NULL };

/* clang-format off */
static const struct view_column message_columns[] = {
    { "id",          VIEW_TEXT,    "Of the message, the same at every attempt" },
    { "receiver",    VIEW_TEXT,    "Whom it is for" },
    { "target",      VIEW_INTEGER, "Which of his addresses, from 0" },
    { "state",       VIEW_TEXT,    "queued, inflight, sent, dead" },
    { "event",       VIEW_TEXT,    "What it tells of" },
    { "status",      VIEW_TEXT,    "firing, resolved" },
    { "dedup_key",   VIEW_TEXT,    "What receivers tell messages about one thing by" },
    { "event_at",    VIEW_TIME,    "When it happened" },
    { "created_at",  VIEW_TIME,    "When the message was queued" },
    { "due_at",      VIEW_TIME,    "When it is tried next" },
    { "expires_at",  VIEW_TIME,    "Until when it is tried" },
    { "finished_at", VIEW_TIME,    "When it was accepted or given up" },
    { "attempts",    VIEW_INTEGER, "How often it was tried" },
    { "last_status", VIEW_INTEGER, "What the receiver answered last, 0 = nothing" },
    { "last_reason", VIEW_TEXT,    "Why the last attempt failed, in a word" },
    { "last_error",  VIEW_TEXT,    "The same in a sentence" },
    { 0 },
};

static const struct view_column silence_columns[] = {
    { "id",         VIEW_TEXT, "Of the silence" },
    { "state",      VIEW_TEXT, "pending, active, expired" },
    { "matchers",   VIEW_TEXT, "What alerts it mutes, a matcher a line" },
    { "created_by", VIEW_TEXT, "Who made it" },
    { "comment",    VIEW_TEXT, "Why" },
    { "starts_at",  VIEW_TIME, "When it begins" },
    { "ends_at",    VIEW_TIME, "When it ends" },
    { "updated_at", VIEW_TIME, "When it was changed last" },
    { 0 },
};
static const struct view_column lane_columns[] = {
    { "lane",            VIEW_TEXT,    "The receiver and which of its addresses: team/0" },
    { "receiver",        VIEW_TEXT,    "Its name" },
    { "target",          VIEW_INTEGER, "Which of its addresses, from 0" },
    { "kind",            VIEW_TEXT,    "Of the receiver: slack, webhook" },
    { "last_success_at", VIEW_TIME,    "When it accepted a message last, of those remembered" },
    { "waiting",         VIEW_INTEGER, "Messages that wait" },
    { "sent",            VIEW_INTEGER, "Messages that it accepted, of those remembered" },
    { "dead",            VIEW_INTEGER, "Messages that were given up, of those remembered" },
    { "done_at",         VIEW_TIME,    "When about all that wait are sent, unless that fails" },
    { "attempts",        VIEW_INTEGER, "How often the oldest that waits was tried" },
    { "last_error",      VIEW_TEXT,    "Why that failed last" },
    { 0 },
};

static const struct view_column score_columns[] = {
    { "row",             VIEW_TEXT,   "Identity of the row" },
    { "at",              VIEW_TIME,   "Since when the value holds" },
    { "metric",          VIEW_TEXT,   "Such as defender_secure_score_overall_ratio" },
    { "value",           VIEW_NUMBER, "The value; empty: not told from here on" },
    { "subscription_id", VIEW_TEXT,   "Whose; empty: of all" },
    { "cloud",           VIEW_TEXT,   "azure, aws, gcp ..." },
    { "connector",       VIEW_TEXT,   "Its connector, none of the subscription's own" },
    { "initiative",      VIEW_TEXT,   "What the score is of" },
    { 0 },
};

const struct api_own_path api_own_paths[] = {
    { "alerts", "an alert that is pending or firing", "alert", "alerts", NULL, alert_fields, NULL,
      for_alerts },
    { "outbox", "a message", "message", "messages", message_columns, NULL, NULL, for_messages },
    { "outbox/{id}", "a message as it was written", "letter", NULL, message_columns, NULL, "page",
      for_one },
    { "silences", "a silence that is active, pending or ended in the last five days", "silence",
      "silences", silence_columns, NULL, NULL, for_alerts },
    { "delivery", "a receiver and how it is told", "lane", "lanes", lane_columns, NULL, NULL,
      for_alerts },
    { "score_history", "a value of the secure score and since when it holds", "score", "scores",
      score_columns, NULL, NULL, for_history, "secure_scores" },
    { NULL }
};
/* clang-format on */

/* --- rows ------------------------------------------------------------------------------------- */

/* A page of a list while it is written. */
struct page {
    struct api_call *call;
    struct json_writer writer; /* of JSON */
    const struct view_column *columns;
    const char *after; /* NULL = from the first on, or it is passed */
    int64_t limit;
    bool begun;
    const char *source; /* as in struct api_own_path */
    char last[CURSOR_BYTES];
};

/* Whether there is room for one more row; it is the last one from now on. */
static bool take(struct page *page, const char *id, struct error *error)
{
    if (!page->limit)
        return error_set(error, ERROR_LIMIT, "more");
    page->limit--;
    snprintf(page->last, sizeof page->last, "%s", id);
    return true;
}

static void write_values(struct page *page, const struct view_value *values)
{
    enum view_format format = page->call->request->format;
    if (format == VIEW_JSON) {
        json_open(&page->writer, NULL, '{');
        view_write_members(page->columns, values, &page->writer);
        json_close(&page->writer, '}');
    } else {
        view_write_row(page->columns, format, values, !page->begun, page->call->out);
    }
    page->begun = true;
}

/* What could not be looked at. */
static void append_lacking(const struct page *page, struct buf *out)
{
    const struct api_context *context = page->call->context;
    struct snapshot *snapshot = snapshot_acquire(context->snapshots, context->now);
    view_lacks_of(snapshot, page->source, context->now, out);
    snapshot_release(snapshot);
}

/* Begin a page, up to its rows. */
static void begin_list(struct page *page, const char *rows)
{
    const struct api_request *request = page->call->request;
    CLEANUP(buf_finish) struct buf lacking = { 0 };
    if (page->source)
        append_lacking(page, &lacking);
    if (request->format == VIEW_JSON) {
        json_open(&page->writer, NULL, '{');
        if (page->source)
            json_add_text(&page->writer, "lacking", lacking.length ? buf_cstr(&lacking) : NULL);
        json_open(&page->writer, rows, '[');
        return;
    }
    if (request->lacking)
        buf_text(request->lacking, buf_cstr(&lacking));
    if (!request->goes_on)
        view_write_begin(page->columns, request->format, page->call->out);
}

/* Write a page of a list: each calls back for every row. */
static int answer_list(struct page *page, const char *rows,
                       bool (*each)(struct page *page, struct error *error))
{
    struct api_call *call = page->call;
    struct error error;
    bool json = call->request->format == VIEW_JSON;
    page->after = api_call_query(call, "after");
    page->limit = api_call_limit(call);
    page->writer = (struct json_writer){ .out = call->out };
    if (!page->limit)
        return api_call_fail(call, 400, "limit must be a number from 1 on");
    begin_list(page, rows);
    bool all = each(page, &error);
    if (!all && error.code != ERROR_LIMIT)
        return api_call_error(call, &error);
    if (json) {
        json_close(&page->writer, ']');
        json_add_text(&page->writer, "next", all ? NULL : page->last);
        json_close(&page->writer, '}');
    } else if (!all) {
        buf_text(call->request->next, page->last);
    }
    return 200;
}

/* --- alerts ----------------------------------------------------------------------------------- */

static bool visit_alert(void *context, const struct alert *alert, struct error *error)
{
    struct page *page = context;
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    if (!take(page, alert->fingerprint, error))
        return false;
    switch (page->call->request->format) {
    case VIEW_JSON:
        alert_write(alert, &page->writer, NULL);
        return true;
    case VIEW_NDJSON: {
        struct json_writer line = { .out = page->call->out };
        alert_write(alert, &line, NULL);
        buf_char(page->call->out, '\n');
        return true;
    }
    default:
        arena_reset(&page->call->arena);
        view_record_values(alert_fields, alert, &page->call->arena, values);
        write_values(page, values);
        return true;
    }
}

static bool each_alert(struct page *page, struct error *error)
{
    return active_each_after(page->call->database, page->after ? page->after : "", visit_alert,
                             page, error);
}

static int answer_alerts(struct api_call *call)
{
    struct view_column columns[VIEW_COLUMNS_MAX] = { 0 };
    struct page page = { .call = call, .columns = columns };
    view_record_columns(alert_fields, columns);
    return answer_list(&page, "alerts", each_alert);
}

/* --- messages --------------------------------------------------------------------------------- */

static void fill_message(const struct outbox_message *message, struct view_value *value)
{
    value++->text = message->id;
    value++->text = message->receiver;
    value++->integer = message->target;
    value++->text = outbox_state_words[message->state];
    value++->text = message->event;
    value++->text = message->status;
    value++->text = message->dedup_key;
    value++->integer = message->event_at;
    value++->integer = message->created_at;
    value++->integer = message->due_at;
    value++->integer = message->expires_at;
    value++->integer = message->sent_at;
    value++->integer = message->attempts;
    value++->integer = message->last_status;
    value++->text = message->last_reason;
    value->text = message->last_error;
}

static bool visit_message(void *context, const struct outbox_message *message, struct error *error)
{
    struct page *page = context;
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    if (!take(page, message->id, error))
        return false;
    fill_message(message, values);
    write_values(page, values);
    return true;
}

/* The state that is asked for: queued and dead without one; -1 = there is no such state. */
static int state_of(const struct api_call *call)
{
    const char *word = api_call_query(call, "state");
    for (int state = 0; word && state < OUTBOX_STATE_COUNT; state++)
        if (!strcmp(outbox_state_words[state], word))
            return state;
    return word ? -1 : OUTBOX_STATE_COUNT;
}

static bool each_message(struct page *page, struct error *error)
{
    return outbox_each_after(page->call->database, api_call_query(page->call, "receiver"),
                             (enum outbox_state)state_of(page->call),
                             page->after ? page->after : "", visit_message, page, error);
}

static int answer_messages(struct api_call *call)
{
    struct page page = { .call = call, .columns = message_columns };
    if (state_of(call) < 0)
        return api_call_fail(call, 400, "state is queued, inflight, sent or dead");
    return answer_list(&page, "messages", each_message);
}

static int answer_message(struct api_call *call, const char *id)
{
    struct json_writer writer = { .out = call->out };
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    struct outbox_message message;
    struct error error;
    bool found;
    if (!outbox_find(call->database, id, &call->arena, &message, &found, &error))
        return api_call_error(call, &error);
    if (!found)
        return api_call_fail(call, 404, "no such message");
    fill_message(&message, values);
    json_open(&writer, NULL, '{');
    view_write_members(message_columns, values, &writer);
    json_add_raw(&writer, "page", message.notification);
    json_close(&writer, '}');
    return 200;
}

/* --- silences --------------------------------------------------------------------------------- */

static void fill_silence(const struct silence *silence, int64_t now, struct arena *arena,
                         struct view_value *value)
{
    CLEANUP(buf_finish) struct buf matchers = { 0 };
    for (size_t i = 0; i < silence->matchers.count; i++) {
        buf_text(&matchers, i ? "\n" : "");
        match_print(&silence->matchers.matches[i], &matchers);
    }
    value++->text = silence->id;
    value++->text = silence_state_words[silence_state(silence, now)];
    value++->text = arena_text(arena, buf_cstr(&matchers));
    value++->text = silence->created_by;
    value++->text = silence->comment;
    value++->integer = silence->starts_at;
    value++->integer = silence->ends_at;
    value->integer = silence->updated_at;
}

/* Whether a row is behind the one that was asked for; it is the one, and those behind it are. */
static bool is_behind(struct page *page, const char *id)
{
    bool behind = !page->after;
    if (page->after && !strcmp(page->after, id))
        page->after = NULL;
    return behind;
}

static bool each_silence(struct page *page, struct error *error)
{
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    struct api_call *call = page->call;
    if (!api_call_silences(call, &list, error))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
        if (!is_behind(page, list.silences[i].id))
            continue;
        if (!take(page, list.silences[i].id, error))
            return false;
        arena_reset(&call->arena);
        fill_silence(&list.silences[i], call->context->now, &call->arena, values);
        write_values(page, values);
    }
    return true;
}

static int answer_silences(struct api_call *call)
{
    struct page page = { .call = call, .columns = silence_columns };
    return answer_list(&page, "silences", each_silence);
}

/* --- receivers -------------------------------------------------------------------------------- */

static void fill_lane(const struct outbox_list_lane *lane, const struct receivers_config *receiver,
                      int64_t now, const char *id, struct view_value *value)
{
    const void *config;
    const struct receiver_kind *kind = receivers_kind(receiver, &config);
    double rate = receiver->rate > 0 ? receiver->rate : kind->rate;
    double burst = receiver->burst > 0 ? receiver->burst : kind->burst;
    value++->text = id;
    value++->text = lane->receiver;
    value++->integer = lane->target;
    value++->text = kind->name;
    value++->integer = lane->sent_at;
    value++->integer = lane->waiting;
    value++->integer = lane->sent;
    value++->integer = lane->dead;
    value++->integer = outbox_list_done_at(lane, rate, burst, now);
    value++->integer = lane->oldest.attempts;
    value->text = lane->oldest.last_error ? lane->oldest.last_error : "";
}

static bool take_lane(struct page *page, const struct receivers_config *receiver, int target,
                      struct error *error)
{
    struct api_call *call = page->call;
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    struct outbox_list_lane lane;
    CLEANUP(buf_finish) struct buf id = { 0 };
    buf_printf(&id, "%s/%d", receiver->name, target);
    if (!is_behind(page, buf_cstr(&id)))
        return true;
    if (!take(page, buf_cstr(&id), error) ||
        !outbox_list_lane(call->database, receiver->name, target, &call->arena, &lane, error))
        return false;
    fill_lane(&lane, receiver, call->context->now, buf_cstr(&id), values);
    write_values(page, values);
    return true;
}

static bool each_lane(struct page *page, struct error *error)
{
    const struct settings *settings = page->call->context->settings;
    for (size_t i = 0; i < settings->receiver_count; i++)
        for (size_t n = 0; n < receivers_targets(&settings->receivers[i]); n++)
            if (!take_lane(page, &settings->receivers[i], (int)n, error))
                return false;
    return true;
}

static int answer_lanes(struct api_call *call)
{
    struct page page = { .call = call, .columns = lane_columns };
    return answer_list(&page, "lanes", each_lane);
}

/* --- the secure score over time --------------------------------------------------------------- */

#define SCORES "defender_secure_score_" /* names of series */

/* What a series has as a label; "" = nothing. None of these labels has a quote. */
static const char *label_of(const char *series, const char *label, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf begin = { 0 }, value = { 0 };
    buf_printf(&begin, "%s=\"", label);
    const char *at = strstr(series, buf_cstr(&begin));
    if (at)
        buf_append(&value, at + begin.length, strcspn(at + begin.length, "\""));
    return arena_text(arena, buf_cstr(&value));
}

static bool visit_score(void *context, const struct history_value *score, struct error *error)
{
    static const char *const labels[] = { "subscription_id", "cloud", "connector", "initiative" };
    struct page *page = context;
    struct arena *arena = &page->call->arena;
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 }, *value = values;
    CLEANUP(buf_finish) struct buf metric = { 0 };
    char row[CURSOR_BYTES];
    snprintf(row, sizeof row, "%" PRId64 ".%" PRId64, score->series, score->at);
    if (!take(page, row, error))
        return false;
    arena_reset(arena);
    buf_append(&metric, score->name, strcspn(score->name, "{"));
    view_table_text(&value, row);
    view_table_integer(&value, score->at);
    view_table_text(&value, buf_cstr(&metric));
    view_table_number(&value, score->value);
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++)
        view_table_text(&value, label_of(score->name, labels[i], arena));
    write_values(page, values);
    return true;
}

/* Since when; -1 = `since` is no duration. */
static int64_t since_of(const struct api_call *call)
{
    const char *text = api_call_query(call, "since");
    int64_t duration_ms = 0;
    struct error ignored;
    if (text && (!clock_parse_duration(text, &duration_ms, &ignored) || duration_ms < 1000))
        return -1;
    int64_t since = text ? call->context->now - duration_ms / 1000 : 0;
    return since > 0 ? since : 0;
}

static bool each_score(struct page *page, struct error *error)
{
    struct history_value after = { 0 };
    char *end = NULL;
    after.series = page->after ? strtoll(page->after, &end, 10) : 0;
    after.at = end && *end == '.' ? strtoll(end + 1, NULL, 10) : 0;
    return history_each(page->call->database, SCORES, since_of(page->call), &after, visit_score,
                        page, error);
}

static int answer_scores(struct api_call *call)
{
    struct page page = { .call = call, .columns = score_columns, .source = "secure_scores" };
    if (since_of(call) < 0)
        return api_call_fail(call, 400, "since is how far back, such as 30d");
    return answer_list(&page, "scores", each_score);
}

/* --- all of them ------------------------------------------------------------------------------ */

int api_own(const struct api_context *context, const struct api_request *request, struct buf *out)
{
    CLEANUP(api_call_finish)
    struct api_call call = { context, request, .out = out, .fails_in_object = true };
    struct error error;
    static const struct {
        const char *path;
        int (*answer)(struct api_call *call);
    } lists[] = {
        { "alerts", answer_alerts },        { "outbox", answer_messages },
        { "silences", answer_silences },    { "delivery", answer_lanes },
        { "score_history", answer_scores },
    };
    const char *path = request->path;
    size_t list = 0;
    bool message = !strncmp(path, "outbox/", 7) && path[7];
    while (list < ARRAY_COUNT(lists) && strcmp(lists[list].path, path) != 0)
        list++;
    if (list == ARRAY_COUNT(lists) && !message)
        return api_call_fail(&call, 404, "no such path");
    if (strcmp(request->method, "GET") != 0)
        return api_call_fail(&call, 405, "use GET");
    if (!api_call_open(&call, true, &error))
        return api_call_error(&call, &error);
    if (message)
        return answer_message(&call, path + 7);
    return lists[list].answer(&call);
}
