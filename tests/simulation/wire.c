#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "baton.h"
#include "core/http.h"
#include "core/memory.h"

enum { TIMEOUT_MS = 60000, NS_A_MS = 1000000 };

struct http_client {
    bool cancelled;
};

struct http_client *__wrap_http_client_create(void);
void __wrap_http_client_destroy(struct http_client *client);
void __wrap_http_client_cancel(struct http_client *client);
void __wrap_http_client_resume(struct http_client *client);
bool __wrap_http_client_wait(struct http_client *client, int64_t duration_ms);
bool __wrap_http_exchange(struct http_client *client, const struct http_request *request,
                          struct http_response *response, struct error *error);
bool __wrap_http_mail(struct http_client *client, const struct http_mail *mail,
                      struct http_response *response, struct error *error);

/* --- frames ----------------------------------------------------------------------------------- */

/* Without the world there is nothing to live for. */
static void send_all(const void *bytes, size_t count)
{
    const char *at = bytes;
    for (ssize_t sent; count; at += sent, count -= (size_t)sent) {
        sent = send(STAGE_WIRE, at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            sent = 0;
        if (sent < 0)
            _exit(1);
    }
}

static void receive_all(void *bytes, size_t count)
{
    char *at = bytes;
    for (ssize_t got; count; at += got, count -= (size_t)got) {
        got = recv(STAGE_WIRE, at, count, 0);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got <= 0)
            _exit(1);
    }
}

static void ask(enum stage_ask what, const struct buf *text, struct stage_answer *answer)
{
    const struct stage_question question = { what, text ? (uint32_t)text->length : 0 };
    send_all(&question, sizeof question);
    if (question.bytes)
        send_all(text->data, text->length);
    receive_all(answer, sizeof *answer);
}

void wire_ask_time(void)
{
    struct stage_answer answer;
    ask(STAGE_TIME, NULL, &answer);
}

bool wire_next_life(void)
{
    struct stage_answer answer;
    return recv(STAGE_WIRE, &answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer;
}

void wire_life_over(const struct stage_end *end)
{
    const struct stage_question question = { STAGE_OVER, sizeof *end };
    send_all(&question, sizeof question);
    send_all(end, sizeof *end);
}

static void receive_text(uint32_t count, struct buf *out)
{
    if (!count)
        return;
    char *bytes = MEMORY_ARRAY(char, count);
    receive_all(bytes, count);
    buf_append(out, bytes, count);
    free(bytes);
}

/* --- the client ------------------------------------------------------------------------------- */

struct http_client *__wrap_http_client_create(void)
{
    return MEMORY_NEW(struct http_client);
}

void __wrap_http_client_destroy(struct http_client *client)
{
    free(client);
}

void __wrap_http_client_cancel(struct http_client *client)
{
    client->cancelled = true;
    baton_wake(client, true);
    baton_step();
}

void __wrap_http_client_resume(struct http_client *client)
{
    client->cancelled = false;
}

bool __wrap_http_client_wait(struct http_client *client, int64_t duration_ms)
{
    int64_t until_ns = baton_now_ns() + duration_ms * NS_A_MS;
    while (!client->cancelled && baton_wait(client, until_ns))
        continue;
    return !client->cancelled;
}

/* --- one exchange ----------------------------------------------------------------------------- */

/* Send what is in text; what came of it. */
static bool carry_out(struct http_client *client, const struct buf *text, int64_t timeout_ms,
                      struct http_response *response, struct error *error)
{
    struct stage_answer answer;
    struct buf headers = { 0 }, body = { 0 };
    int64_t began_ns = baton_now_ns();
    baton_step();
    if (client->cancelled)
        return error_set(error, ERROR_CANCELLED, "cancelled");
    ask(STAGE_REQUEST, text, &answer);
    receive_text(answer.header_bytes, &headers);
    receive_text(answer.body_bytes, &body);
    bool late = answer.outcome == STAGE_SILENT || answer.delay_ms > timeout_ms;
    bool goes_on = __wrap_http_client_wait(client, late ? timeout_ms : answer.delay_ms);
    response->duration_ms = (baton_now_ns() - began_ns) / NS_A_MS;
    bool ok = false;
    if (!goes_on)
        error_set(error, ERROR_CANCELLED, "cancelled");
    else if (late)
        error_set(error, ERROR_TIMEOUT, "no answer within %lld ms", (long long)timeout_ms);
    else if (answer.outcome == STAGE_REFUSED)
        error_set(error, ERROR_NETWORK, "cannot connect");
    else if (answer.outcome == STAGE_BROKEN)
        error_set(error, ERROR_NETWORK, "the connection broke");
    else if (response->body.limit_bytes && body.length > response->body.limit_bytes)
        error_set(error, ERROR_LIMIT, "the answer is larger than the limit");
    else
        ok = true;
    if (ok) {
        response->status = (int)answer.status;
        buf_append(&response->headers, headers.data, headers.length);
        buf_append(&response->body, body.data, body.length);
    }
    buf_finish(&headers);
    buf_finish(&body);
    baton_step();
    return ok;
}

bool __wrap_http_exchange(struct http_client *client, const struct http_request *request,
                          struct http_response *response, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    http_response_reset(response, request->response_limit_bytes);
    buf_printf(&text, "%s %s\n", request->method, request->url);
    for (size_t i = 0; i < request->header_count; i++)
        buf_printf(&text, "%s: %s\n", request->headers[i].name, request->headers[i].value);
    buf_text(&text, "\n");
    buf_append(&text, request->body, request->body ? request->body_bytes : 0);
    return carry_out(client, &text, request->timeout_ms ? request->timeout_ms : TIMEOUT_MS,
                     response, error);
}

bool __wrap_http_mail(struct http_client *client, const struct http_mail *mail,
                      struct http_response *response, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    http_response_reset(response, 0);
    buf_printf(&text, "MAIL %s\n\n", mail->url);
    buf_append(&text, mail->message, mail->message_bytes);
    return carry_out(client, &text, mail->timeout_ms ? mail->timeout_ms : TIMEOUT_MS, response,
                     error);
}
