/* One attempt: a notification becomes a request, the answer a verdict. */
#include <stdio.h>
#include <string.h>

#include "alerts/notify/delivery.h"
#include "core/log.h"

enum { ATTEMPT_TEXT_BYTES = sizeof(((struct delivery_attempt *)0)->text) };

/* As many whole lines as fit. */
static void set_lines(char *out, size_t out_bytes, const char *lines)
{
    size_t length = 0;
    for (const char *line = lines; *line; line += strcspn(line, "\n") + 1)
        if ((size_t)(line - lines) + strcspn(line, "\n") + 1 < out_bytes)
            length = (size_t)(line - lines) + strcspn(line, "\n") + 1;
    snprintf(out, out_bytes, "%.*s", (int)length, lines);
}

/* One line without control characters and secrets. */
static void set_text(char out[ATTEMPT_TEXT_BYTES], const char *text)
{
    char line[ATTEMPT_TEXT_BYTES];
    size_t length = 0;
    while (text[length] && length < sizeof line - 1) {
        line[length] = (unsigned char)text[length] < ' ' ? ' ' : text[length];
        length++;
    }
    line[length] = 0;
    log_redacted(line, out, ATTEMPT_TEXT_BYTES);
}

static bool exchange(struct http_client *client, const struct receiver_request *request,
                     struct http_response *response, struct error *error)
{
    return request->is_mail ? http_mail(client, &request->mail, response, error)
                            : http_exchange(client, &request->http, response, error);
}

/* thread: what the answer says is noted there; NULL = none. */
static void send_once(struct http_client *client, const struct receivers_config *receiver,
                      const struct receiver_context *context, struct notification *notification,
                      struct receiver_thread *thread, struct delivery_attempt *attempt)
{
    CLEANUP(receiver_request_finish) struct receiver_request request = { 0 };
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    struct error error = { 0 };
    const void *config;
    const struct receiver_kind *kind = receivers_kind(receiver, &config);
    *attempt = (struct delivery_attempt){ 0 };
    if (!kind->build(config, context, notification, &request, &error)) {
        attempt->verdict = (struct receiver_verdict){ RECEIVER_REFUSED, RECEIVER_OTHER, "" };
        set_text(attempt->text, error.message);
        return;
    }
    attempt->truncated = request.truncated || notification->truncated;
    attempt->left_out = request.left_out;
    bool answered = exchange(client, &request, &response, &error);
    attempt->status = answered ? response.status : 0;
    attempt->retry_after_s = answered ? http_retry_after_s(&response, context->now) : 0;
    attempt->duration_ms = response.duration_ms;
    attempt->verdict =
        thread ? kind->read(context->step, &response, &error, thread)
               : (kind->classify ? kind->classify : receiver_classify)(&response, &error);
    attempt->refused_count = response.refused_count;
    set_text(attempt->refused, buf_cstr(&response.refused));
    set_lines(attempt->later, sizeof attempt->later, buf_cstr(&response.later));
    set_text(attempt->text, answered ? buf_cstr(&response.body) : error.message);
}

/* A URL, a token or a password may have been renewed, and what refuses an old one answers as it
 * likes: 401, 403, 404, 410, 535. */
static bool is_renewed(const struct receivers_config *receiver,
                       const struct delivery_attempt *attempt)
{
    const void *config;
    const struct receiver_kind *kind = receivers_kind(receiver, &config);
    bool refused = attempt->status >= 400 || attempt->verdict.reason == RECEIVER_AUTH_ERROR;
    return attempt->verdict.outcome != RECEIVER_SENT && refused &&
           options_refresh(kind->options, config);
}

static void send_renewed(struct http_client *client, const struct receivers_config *receiver,
                         const struct receiver_context *context, struct notification *notification,
                         struct receiver_thread *thread, struct delivery_attempt *attempt)
{
    send_once(client, receiver, context, notification, thread, attempt);
    if (!is_renewed(receiver, attempt))
        return;
    log_info(MSG("a secret was renewed, trying again"), TEXT("receiver", receiver->name),
             INT("status", attempt->status));
    send_once(client, receiver, context, notification, thread, attempt);
}

void delivery_send(struct http_client *client, const struct receivers_config *receiver,
                   const struct receiver_context *context, struct notification *notification,
                   struct delivery_attempt *attempt)
{
    send_renewed(client, receiver, context, notification, NULL, attempt);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* What the requests of one message share. */
struct talk {
    struct http_client *client;
    const struct receivers_config *receiver;
    struct receiver_context context;
    struct notification *notification;
    struct receiver_thread *thread;
    struct delivery_attempt *attempt; /* of the last request; duration of all */
    delivery_begin *begin;
    void *begin_context;
};

static enum receiver_outcome take_step(struct talk *talk, enum receiver_step step)
{
    int64_t before_ms = talk->attempt->duration_ms;
    const struct receiver_thread asked = *talk->thread;
    struct notification notification = *talk->notification; /* it may be shrunk */
    talk->context.step = step;
    talk->context.thread = &asked;
    send_renewed(talk->client, talk->receiver, &talk->context, &notification, talk->thread,
                 talk->attempt);
    talk->attempt->duration_ms += before_ms;
    return talk->attempt->verdict.outcome;
}

/* True when the outcome is known already: it had arrived, or nobody can say so now. */
static bool seek(struct talk *talk)
{
    struct receiver_thread *thread = talk->thread;
    if (!*thread->trying)
        return false;
    bool is_this = !strcmp(thread->trying, talk->notification->id);
    enum receiver_outcome outcome = take_step(talk, RECEIVER_SEEK);
    if (outcome == RECEIVER_RETRY)
        return true;
    thread->trying[0] = 0;
    return outcome == RECEIVER_SENT && is_this;
}

static bool post(struct talk *talk, enum receiver_step step, struct error *error)
{
    struct receiver_thread *thread = talk->thread;
    snprintf(thread->trying, sizeof thread->trying, "%s", talk->notification->id);
    thread->trying_at = talk->context.now;
    if (!talk->begin(talk->begin_context, thread, error))
        return false;
    take_step(talk, step);
    return true;
}

bool delivery_converse(struct http_client *client, const struct receivers_config *receiver,
                       const struct receiver_context *context, struct notification *notification,
                       struct receiver_thread *thread, delivery_begin *begin, void *begin_context,
                       struct delivery_attempt *attempt, struct error *error)
{
    struct talk talk = { client, receiver, *context, notification,
                         thread, attempt,  begin,    begin_context };
    *attempt = (struct delivery_attempt){ 0 };
    if (seek(&talk))
        return true;
    if (*thread->ts && take_step(&talk, RECEIVER_EDIT) == RECEIVER_RETRY && *thread->ts)
        return true;
    if (*thread->ts && !post(&talk, RECEIVER_REPLY, error))
        return false;
    return *thread->ts || post(&talk, RECEIVER_POST, error);
}

const char *delivery_reason(const struct delivery_attempt *attempt)
{
    return attempt->verdict.outcome == RECEIVER_SENT
               ? ""
               : receiver_reason_words[attempt->verdict.reason];
}

const char *delivery_said(const struct delivery_attempt *attempt)
{
    const char *known = attempt->verdict.text;
    return *attempt->text ? attempt->text : known && *known ? known : delivery_reason(attempt);
}
