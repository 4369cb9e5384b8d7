#include "alerts/receivers/slack_bot.h"

#include <stdio.h>
#include <string.h>

enum {
    SEEK_BEFORE_S = 600, /* Slack's clock may be behind ours */
    SEEK_MESSAGES = 200,
    SEEK_BYTES = 8 * 1024 * 1024,
};

static const char metadata_event[] = "defender_exporter_message";

/* --- requests --------------------------------------------------------------------------------- */

/* Where the thread is; a new one is where the configuration says. */
static const char *channel_of(const struct slack_config *config,
                              const struct receiver_context *context)
{
    const struct receiver_thread *thread = context->thread;
    return thread && *thread->ts && *thread->channel ? thread->channel : config->channel;
}

/* A look at what was written in the channel or below the first message. */
static void seek(const struct slack_config *config, const struct receiver_context *context,
                 struct receiver_request *request)
{
    const struct receiver_thread *thread = context->thread;
    buf_text(&request->url, *thread->ts ? "/conversations.replies" : "/conversations.history");
    buf_printf(&request->url, "?channel=%s&oldest=%lld&limit=%d&include_all_metadata=true",
               channel_of(config, context), (long long)(thread->trying_at - SEEK_BEFORE_S),
               SEEK_MESSAGES);
    if (*thread->ts)
        buf_printf(&request->url, "&ts=%s", thread->ts);
    request->http.method = "GET";
    request->http.response_limit_bytes = SEEK_BYTES;
    request->http.response_may_be_cut = false;
}

void slack_bot_prepare(const struct slack_config *config, const struct receiver_context *context,
                       struct receiver_request *request)
{
    CLEANUP(buf_finish) struct buf token = { 0 };
    receiver_prepare(request, &config->http, config->api_url, "application/json; charset=utf-8");
    buf_printf(&token, "Bearer %s", secret_text(&config->bot_token));
    receiver_header(request, "Authorization", buf_cstr(&token));
    if (context->step == RECEIVER_SEEK)
        seek(config, context, request);
    else
        buf_text(&request->url,
                 context->step == RECEIVER_EDIT ? "/chat.update" : "/chat.postMessage");
}

void slack_bot_address(const struct slack_config *config, const struct receiver_context *context,
                       const struct notification *notification, bool is_heard,
                       struct json_writer *writer)
{
    const struct receiver_thread *thread = context->thread;
    bool in_thread = context->step != RECEIVER_POST;
    json_add_text(writer, "channel", channel_of(config, context));
    if (context->step == RECEIVER_EDIT) {
        json_add_text(writer, "ts", thread->ts);
        return; /* it keeps the id it was posted with */
    }
    if (in_thread) {
        json_add_text(writer, "thread_ts", thread->ts);
        json_add_bool(writer, "reply_broadcast", is_heard);
    }
    json_open(writer, "metadata", '{');
    json_add_text(writer, "event_type", metadata_event);
    json_open(writer, "event_payload", '{');
    json_add_text(writer, "id", notification->id);
    json_close(writer, '}');
    json_close(writer, '}');
}

/* --- answers ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *error; /* NULL = every other */
    enum receiver_outcome outcome;
    enum receiver_reason reason;
    bool is_doubtful; /* the message may have arrived */
    const char *text;
} errors[] = {
    { "ratelimited",       RECEIVER_RETRY, RECEIVER_RATE_LIMITED, false, "too many requests" },
    { "rate_limited",      RECEIVER_RETRY, RECEIVER_RATE_LIMITED, false, "too many requests" },
    { "invalid_auth",      RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token is refused" },
    { "not_authed",        RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token is refused" },
    { "token_expired",     RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token is refused" },
    { "token_revoked",     RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token is refused" },
    { "account_inactive",  RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token is refused" },
    { "missing_scope",     RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token may not" },
    { "no_permission",     RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token may not" },
    { "access_denied",     RECEIVER_RETRY, RECEIVER_AUTH_ERROR,   false, "the token may not" },
    { "not_in_channel",    RECEIVER_RETRY, RECEIVER_CLIENT_ERROR, false, "invite the bot" },
    { "team_added_to_org", RECEIVER_RETRY, RECEIVER_SERVER_ERROR, false, "Slack moves the team" },
    { "update_failed",     RECEIVER_RETRY, RECEIVER_SERVER_ERROR, false, "Slack has an error" },
    { "fatal_error",       RECEIVER_RETRY, RECEIVER_SERVER_ERROR, true,  "Slack has an error" },
    { "internal_error",    RECEIVER_RETRY, RECEIVER_SERVER_ERROR, true,  "Slack has an error" },
    { "request_timeout",   RECEIVER_RETRY, RECEIVER_SERVER_ERROR, true,  "Slack has an error" },
    { "service_unavailable", RECEIVER_RETRY, RECEIVER_SERVER_ERROR, true, "Slack has an error" },
    { "channel_not_found", RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, false,
      "no such channel, or a private one without the bot" },
    { "is_archived",       RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, false,
      "the channel is archived" },
    { NULL,                RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR, false, "Slack refused it" },
};
/* clang-format on */

static void document_finish(struct json **document)
{
    json_free(*document);
}
#define DOCUMENT CLEANUP(document_finish) struct json

static struct json *parse(const struct http_response *response)
{
    struct error ignored;
    return response->status / 100 == 2
               ? json_parse(buf_cstr(&response->body), response->body.length, &ignored)
               : NULL;
}

static const char *error_of(const struct json *document)
{
    const char *text = json_text(json_get(document, "error"));
    return text ? text : "";
}

struct receiver_verdict slack_bot_judge(const struct http_response *response,
                                        const struct error *error, bool *is_certain)
{
    static const struct receiver_answers answers = { 0 };
    DOCUMENT *document = parse(response);
    size_t row = 0;
    *is_certain = response->status / 100 == 4;
    if (response->status / 100 != 2)
        return receiver_judge(&answers, response, error);
    if (json_type(json_get(document, "ok")) != JSON_BOOL)
        return (struct receiver_verdict){ RECEIVER_RETRY, RECEIVER_SERVER_ERROR,
                                          "no answer of Slack's" };
    *is_certain = true;
    if (json_bool(json_get(document, "ok"), false))
        return (struct receiver_verdict){ RECEIVER_SENT, RECEIVER_OTHER, "" };
    while (errors[row].error && strcmp(errors[row].error, error_of(document)) != 0)
        row++;
    *is_certain = !errors[row].is_doubtful;
    return (struct receiver_verdict){ errors[row].outcome, errors[row].reason, errors[row].text };
}

static void keep(const struct json *text, char *out, size_t out_bytes)
{
    if (json_text(text))
        snprintf(out, out_bytes, "%s", json_text(text));
}

/* The post this thread waits for, among what was written. */
static bool find(const struct json *document, struct receiver_thread *thread)
{
    const struct json *message = json_first(json_get(document, "messages"));
    for (; message; message = json_next(message)) {
        const char *id = json_text(json_path(message, "metadata.event_payload.id"));
        if (!id || strcmp(id, thread->trying) != 0)
            continue;
        if (!*thread->ts)
            keep(json_get(message, "ts"), thread->ts, sizeof thread->ts);
        return *thread->ts;
    }
    return false;
}

static struct receiver_verdict read_seek(const struct http_response *response,
                                         const struct error *error, struct receiver_thread *thread)
{
    DOCUMENT *document = parse(response);
    bool is_certain;
    struct receiver_verdict verdict = slack_bot_judge(response, error, &is_certain);
    bool may_not_look = !strcmp(error_of(document), "missing_scope") ||
                        !strcmp(error_of(document), "not_in_channel") ||
                        !strcmp(error_of(document), "thread_not_found");
    if (verdict.outcome == RECEIVER_SENT && !find(document, thread))
        verdict.outcome = RECEIVER_REFUSED;
    if (may_not_look)
        verdict.outcome = RECEIVER_REFUSED;
    return verdict;
}

struct receiver_verdict slack_bot_read(enum receiver_step step,
                                       const struct http_response *response,
                                       const struct error *error, struct receiver_thread *thread)
{
    if (step == RECEIVER_SEEK)
        return read_seek(response, error, thread);
    DOCUMENT *document = parse(response);
    bool is_certain;
    struct receiver_verdict verdict = slack_bot_judge(response, error, &is_certain);
    if (is_certain && step != RECEIVER_EDIT)
        thread->trying[0] = 0;
    if (step == RECEIVER_POST && verdict.outcome == RECEIVER_SENT) {
        keep(json_get(document, "ts"), thread->ts, sizeof thread->ts);
        keep(json_get(document, "channel"), thread->channel, sizeof thread->channel);
    }
    if (!strcmp(error_of(document), "message_not_found") ||
        !strcmp(error_of(document), "thread_not_found"))
        thread->ts[0] = 0;
    return verdict;
}
