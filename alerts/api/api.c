#include "alerts/api/api.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/api/api_call.h"
#include "alerts/notify/outbox.h"
#include "alerts/store/schema.h"
#include "core/clock.h"

enum { PAGE_LIMIT = 100, PAGE_LIMIT_MAX = 1000, LINK_BYTES = 4096 };

/* --- calls ---------------------------------------------------------------------------------- */

int api_call_fail(struct api_call *call, int status, const char *message)
{
    buf_reset(call->out);
    json_quote(call->out, message, strlen(message));
    return status;
}

int api_call_error(struct api_call *call, const struct error *error)
{
    switch (error->code) {
    case ERROR_NOT_FOUND:
        return api_call_fail(call, 404, error->message);
    case ERROR_REQUEST:
    case ERROR_CONFIG:
    case ERROR_PARSE:
    case ERROR_LIMIT:
        return api_call_fail(call, 400, error->message);
    case ERROR_TIMEOUT:
        return api_call_fail(call, 503, error->message);
    default:
        return api_call_fail(call, 500, error->message);
    }
}

const char *api_call_query(const struct api_call *call, const char *name)
{
    for (size_t i = 0; i < call->request->query_count; i++)
        if (!strcmp(call->request->queries[i].name, name))
            return call->request->queries[i].value;
    return NULL;
}

bool api_call_flag(const struct api_call *call, const char *name, bool otherwise, bool *value)
{
    const char *text = api_call_query(call, name);
    *value = text ? !strcmp(text, "true") : otherwise;
    return !text || *value || !strcmp(text, "false");
}

int64_t api_call_limit(const struct api_call *call)
{
    const char *text = api_call_query(call, "limit");
    char *end;
    long long limit = text ? strtoll(text, &end, 10) : PAGE_LIMIT;
    if (text && (*end || limit < 1))
        return 0;
    return limit < PAGE_LIMIT_MAX ? limit : PAGE_LIMIT_MAX;
}

bool api_call_filters(struct api_call *call, struct match_list *filters, int *status)
{
    struct error error;
    for (size_t i = 0; i < call->request->query_count; i++) {
        const struct api_query *query = &call->request->queries[i];
        if (strcmp(query->name, "filter") != 0)
            continue;
        if (!match_parse(query->value, filters, &call->arena, &error)) {
            *status = api_call_fail(call, 400, error.message);
            return false;
        }
    }
    return true;
}

static void call_finish(struct api_call *call)
{
    database_close(call->database);
    arena_finish(&call->arena);
}

static bool call_open(struct api_call *call, bool read_only, struct error *error)
{
    const struct database_config config = {
        .path = call->context->database_path,
        .migrations = schema_migrations,
        .read_only = read_only,
    };
    call->database = database_open(&config, error);
    return call->database != NULL;
}

/* --- Alertmanager's API --------------------------------------------------------------------- */

/* What Grafana shows of the configuration: YAML of the receivers' names. */
static void append_original(const struct settings *settings, struct json_writer *writer)
{
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    const char *first = settings->receiver_count ? settings->receivers[0].name : "none";
    buf_text(&yaml, "route:\n  receiver: ");
    json_quote(&yaml, first, strlen(first));
    buf_text(&yaml, "\nreceivers:\n");
    for (size_t i = 0; i < settings->receiver_count; i++) {
        buf_text(&yaml, "- name: ");
        json_quote(&yaml, settings->receivers[i].name, strlen(settings->receivers[i].name));
        buf_char(&yaml, '\n');
    }
    json_add_text(writer, "original", buf_cstr(&yaml));
}

static int answer_status(struct api_call *call)
{
    static const char *const unknown[] = { "branch", "buildDate", "buildUser", "goVersion",
                                           "revision" };
    struct json_writer writer = { .out = call->out };
    char at[32];
    json_open(&writer, NULL, '{');
    json_open(&writer, "cluster", '{');
    json_add_text(&writer, "status", "disabled");
    json_open(&writer, "peers", '[');
    json_close(&writer, ']');
    json_close(&writer, '}');
    json_open(&writer, "config", '{');
    append_original(call->context->settings, &writer);
    json_close(&writer, '}');
    json_add_text(&writer, "uptime", clock_format_rfc3339_ms(call->context->started_at * 1000, at));
    json_open(&writer, "versionInfo", '{');
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++)
        json_add_text(&writer, unknown[i], "unknown");
    json_add_text(&writer, "version", call->context->version);
    json_close(&writer, '}');
    json_close(&writer, '}');
    return 200;
}

static int answer_receivers(struct api_call *call)
{
    const struct settings *settings = call->context->settings;
    struct json_writer writer = { .out = call->out };
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < settings->receiver_count; i++) {
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "name", settings->receivers[i].name);
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    return 200;
}

static int answer_alerts(struct api_call *call)
{
    return api_call_alerts(call, false);
}

static int answer_groups(struct api_call *call)
{
    return api_call_alerts(call, true);
}

static int refuse_alerts(struct api_call *call)
{
    return api_call_fail(call, 405,
                         "alerts come from the rules of this program and cannot be posted");
}

struct operation {
    const char *method, *path;
    bool writes;
    int (*answer)(struct api_call *call);
};

static const struct operation operations[] = {
    { "GET", "status", false, answer_status },
    { "GET", "receivers", false, answer_receivers },
    { "GET", "alerts", false, answer_alerts },
    { "GET", "alerts/groups", false, answer_groups },
    { "POST", "alerts", false, refuse_alerts },
    { "GET", "silences", false, api_call_silences },
    { "POST", "silences", true, api_call_silence_put },
};

static int answer_one_silence(struct api_call *call, const char *id)
{
    struct error error;
    bool expires = !strcmp(call->request->method, "DELETE");
    if (!expires && strcmp(call->request->method, "GET") != 0)
        return api_call_fail(call, 405, "use GET or DELETE");
    if (!call_open(call, !expires, &error))
        return api_call_error(call, &error);
    return expires ? api_call_silence_expire(call, id) : api_call_silence(call, id);
}

int api_alertmanager(const struct api_context *context, const struct api_request *request,
                     struct buf *out)
{
    CLEANUP(call_finish) struct api_call call = { context, request, .out = out };
    struct error error;
    bool path_known = false;
    if (!strncmp(request->path, "silence/", 8) && request->path[8])
        return answer_one_silence(&call, request->path + 8);
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        const struct operation *operation = &operations[i];
        if (strcmp(operation->path, request->path) != 0)
            continue;
        path_known = true;
        if (strcmp(operation->method, request->method) != 0)
            continue;
        return call_open(&call, !operation->writes, &error) ? operation->answer(&call)
                                                            : api_call_error(&call, &error);
    }
    return path_known ? api_call_fail(&call, 405, "this path has other methods")
                      : api_call_fail(&call, 404, "no such path");
}

/* --- our own -------------------------------------------------------------------------------- */

static void append_message(struct json_writer *writer, const struct outbox_message *message,
                           bool with_page)
{
    char at[32];
    const struct {
        const char *name;
        int64_t at;
    } instants[] = {
        { "event_at", message->event_at },   { "created_at", message->created_at },
        { "due_at", message->due_at },       { "expires_at", message->expires_at },
        { "finished_at", message->sent_at },
    };
    json_open(writer, NULL, '{');
    json_add_text(writer, "id", message->id);
    json_add_text(writer, "receiver", message->receiver);
    json_add_integer(writer, "target", message->target);
    json_add_text(writer, "state", outbox_state_words[message->state]);
    json_add_text(writer, "event", message->event);
    json_add_text(writer, "status", message->status);
    json_add_text(writer, "dedup_key", message->dedup_key);
    for (size_t i = 0; i < ARRAY_COUNT(instants); i++)
        json_add_text(writer, instants[i].name,
                      instants[i].at ? clock_format_rfc3339(instants[i].at, at) : NULL);
    json_add_integer(writer, "attempts", message->attempts);
    json_add_integer(writer, "last_status", message->last_status);
    json_add_text(writer, "last_reason", message->last_reason);
    json_add_text(writer, "last_error", message->last_error);
    if (with_page)
        json_add_raw(writer, "page", message->notification);
    json_close(writer, '}');
}

struct outbox_page {
    struct json_writer writer;
    const char *after;
    int64_t limit;
    char last[OUTBOX_ID_BYTES];
};

static bool append_listed(void *context, const struct outbox_message *message, struct error *error)
{
    struct outbox_page *notification = context;
    if (notification->after && strcmp(message->id, notification->after) <= 0)
        return true;
    if (!notification->limit)
        return error_set(error, ERROR_LIMIT, "more");
    notification->limit--;
    append_message(&notification->writer, message, false);
    memcpy(notification->last, message->id, sizeof notification->last);
    return true;
}

static int answer_outbox(struct api_call *call)
{
    const char *state = api_call_query(call, "state");
    int wanted = 0;
    struct error error;
    struct outbox_page notification = {
        .writer = { .out = call->out },
        .after = api_call_query(call, "after"),
        .limit = api_call_limit(call),
    };
    while (state && wanted < OUTBOX_STATE_COUNT && strcmp(outbox_state_words[wanted], state) != 0)
        wanted++;
    if (!notification.limit || wanted == OUTBOX_STATE_COUNT)
        return api_call_fail(call, 400, "limit or state is wrong");
    json_open(&notification.writer, NULL, '{');
    json_open(&notification.writer, "messages", '[');
    bool all = outbox_each(call->database, api_call_query(call, "receiver"),
                           state ? (enum outbox_state)wanted : OUTBOX_STATE_COUNT, append_listed,
                           &notification, &error);
    if (!all && error.code != ERROR_LIMIT)
        return api_call_error(call, &error);
    json_close(&notification.writer, ']');
    json_add_text(&notification.writer, "next", all ? NULL : notification.last);
    json_close(&notification.writer, '}');
    return 200;
}

static int answer_message(struct api_call *call, const char *id)
{
    struct json_writer writer = { .out = call->out };
    struct outbox_message message;
    struct error error;
    bool found;
    if (!outbox_find(call->database, id, &call->arena, &message, &found, &error))
        return api_call_error(call, &error);
    if (!found)
        return api_call_fail(call, 404, "no such message");
    append_message(&writer, &message, true);
    return 200;
}

int api_own(const struct api_context *context, const struct api_request *request, struct buf *out)
{
    CLEANUP(call_finish) struct api_call call = { context, request, .out = out };
    struct error error;
    const char *path = request->path;
    bool alerts = !strcmp(path, "alerts"), outbox = !strcmp(path, "outbox");
    bool message = !strncmp(path, "outbox/", 7) && path[7];
    if (!alerts && !outbox && !message)
        return api_call_fail(&call, 404, "no such path");
    if (strcmp(request->method, "GET") != 0)
        return api_call_fail(&call, 405, "use GET");
    if (!call_open(&call, true, &error))
        return api_call_error(&call, &error);
    if (message)
        return answer_message(&call, path + 7);
    return alerts ? api_call_own_alerts(&call) : answer_outbox(&call);
}

int api_finding_link(const struct api_context *context, const char *finding_id, struct buf *out)
{
    const struct api_request request = { "GET", finding_id };
    CLEANUP(call_finish) struct api_call call = { context, &request, .out = out };
    struct ledger_entry entry;
    struct error error;
    bool found = false;
    char link[LINK_BYTES];
    size_t digits = strspn(finding_id, "0123456789abcdef");
    bool is_id = (digits == 16 || digits == 32) && !finding_id[digits];
    if (is_id && (!call_open(&call, true, &error) ||
                  !ledger_find(call.database, finding_id, &call.arena, &entry, &found, &error))) {
        buf_text(out, error.message);
        return 500;
    }
    if (!found) {
        buf_text(out, "no such finding");
        return 404;
    }
    buf_text(out, finding_link(&entry.finding, context->settings->portal, link, sizeof link));
    return 302;
}
