#include "alerts/api/api.h"

#include <string.h>

#include "alerts/api/api_call.h"
#include "alerts/api/api_listing.h"
#include "alerts/api/api_silences.h"
#include "collectors/baselines_explain.h"
#include "core/clock.h"

enum { LINK_BYTES = 4096 };

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
    { "GET", "alerts", false, NULL }, /* api_listing_is */
    { "GET", "alerts/groups", false, NULL },
    { "POST", "alerts", false, refuse_alerts },
    { "GET", "silences", false, api_silences_answer },
    { "POST", "silences", true, api_silences_put },
};

static int answer_one_silence(struct api_call *call, const char *id)
{
    struct error error;
    bool expires = !strcmp(call->request->method, "DELETE");
    if (!expires && strcmp(call->request->method, "GET") != 0)
        return api_call_fail(call, 405, "use GET or DELETE");
    if (!api_call_open(call, !expires, &error))
        return api_call_error(call, &error);
    return expires ? api_silences_expire(call, id) : api_silences_answer_one(call, id);
}

/* All pieces in one. */
static int answer_listing(const struct api_context *context, const struct api_request *request,
                          struct buf *out)
{
    struct api_call call = { context, request, .out = out };
    struct error error;
    int status = 200;
    bool more = false;
    struct api_listing *listing = api_listing_open(context, request, out, &status);
    if (listing)
        status = api_listing_begin(listing, out, &more);
    while (more && status == 200)
        if (!api_listing_next(listing, out, &more, &error))
            status = api_call_error(&call, &error);
    api_listing_close(listing);
    return status;
}

int api_alertmanager(const struct api_context *context, const struct api_request *request,
                     struct buf *out)
{
    if (api_listing_is(request))
        return answer_listing(context, request, out);
    CLEANUP(api_call_finish) struct api_call call = { context, request, .out = out };
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
        return api_call_open(&call, !operation->writes, &error) ? operation->answer(&call)
                                                                : api_call_error(&call, &error);
    }
    return path_known ? api_call_fail(&call, 405, "this path has other methods")
                      : api_call_fail(&call, 404, "no such path");
}

/* --- links ------------------------------------------------------------------------------------ */

static bool find_finding(struct api_call *call, const char *finding_id, struct ledger_entry *entry,
                         bool *found, struct error *error)
{
    if (!api_call_open(call, true, error))
        return false;
    struct source_list *sources = snapshot_store_sources(call->context->snapshots);
    bool ok = ledger_find(call->database, sources, finding_id, &call->arena, entry, found, error);
    source_list_release(sources);
    return ok;
}

int api_finding_link(const struct api_context *context, const char *finding_id, struct buf *out)
{
    const struct api_request request = { "GET", finding_id };
    char id[33] = "";
    CLEANUP(api_call_finish) struct api_call call = { context, &request, .out = out };
    struct ledger_entry entry;
    struct error error;
    bool found = false;
    char link[LINK_BYTES];
    size_t digits = strspn(finding_id, "0123456789abcdef");
    bool is_id = (digits == 16 || digits == 32) &&
                 (!finding_id[digits] || !strcmp(finding_id + digits, "/portal"));
    if (is_id)
        memcpy(id, finding_id, digits);
    if (is_id && !find_finding(&call, id, &entry, &found, &error)) {
        buf_text(out, error.message);
        return error.code == ERROR_TIMEOUT ? 503 : 500;
    }
    if (!found) {
        buf_text(out, "no such finding");
        return 404;
    }
    entry.finding.assessment_id = baselines_explain_link(&entry.finding);
    buf_text(out, finding_link(&entry.finding, context->settings->portal, link, sizeof link));
    return 302;
}
