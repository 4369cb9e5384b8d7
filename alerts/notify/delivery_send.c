/* One attempt: a notification becomes a request, the answer a verdict. */
#include <string.h>

#include "alerts/notify/delivery.h"
#include "core/log.h"

enum { ATTEMPT_TEXT_BYTES = sizeof(((struct delivery_attempt *)0)->text) };

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

static void send_once(struct http_client *client, const struct receivers_config *receiver,
                      const struct receiver_context *context, struct notification *notification,
                      struct delivery_attempt *attempt)
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
    bool answered = exchange(client, &request, &response, &error);
    attempt->status = answered ? response.status : 0;
    attempt->retry_after_s = answered ? http_retry_after_s(&response, context->now) : 0;
    attempt->duration_ms = response.duration_ms;
    attempt->verdict = (kind->classify ? kind->classify : receiver_classify)(&response, &error);
    attempt->refused_count = response.refused_count;
    set_text(attempt->refused, buf_cstr(&response.refused));
    set_text(attempt->text, answered ? buf_cstr(&response.body) : error.message);
}

/* A URL, a token or a password may have been renewed, and what refuses an old one answers as it
 * likes: 401, 403, 404, 410, 535. */
static bool is_renewed(const struct receivers_config *receiver,
                       const struct delivery_attempt *attempt)
{
    const void *config;
    const struct receiver_kind *kind = receivers_kind(receiver, &config);
    return attempt->verdict.outcome != RECEIVER_SENT && attempt->status >= 400 &&
           options_refresh(kind->options, config);
}

void delivery_send(struct http_client *client, const struct receivers_config *receiver,
                   const struct receiver_context *context, struct notification *notification,
                   struct delivery_attempt *attempt)
{
    send_once(client, receiver, context, notification, attempt);
    if (!is_renewed(receiver, attempt))
        return;
    log_info(MSG("a secret was renewed, trying again"), TEXT("receiver", receiver->name),
             INT("status", attempt->status));
    send_once(client, receiver, context, notification, attempt);
}

const char *delivery_reason(const struct delivery_attempt *attempt)
{
    return attempt->verdict.outcome == RECEIVER_SENT
               ? ""
               : receiver_reason_words[attempt->verdict.reason];
}
