#include "exporter/otlp/otlp_answer.h"

#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/log.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "status.pb-c.h"

enum { RETRY_AFTER_MAX_S = 3600 };

const char *const otlp_answer_reasons[] = { "clientError", "serverError", "authError",
                                            "rateLimited", "other",       "contextDeadlineExceeded",
                                            NULL };

/* --- texts ------------------------------------------------------------------------------------ */

static void set_text(struct otlp_answer *answer, const char *text, size_t length)
{
    char line[sizeof answer->text];
    size_t out = 0;
    for (size_t i = 0; i < length && text[i] && out < sizeof line - 1; i++)
        line[out++] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    line[out] = 0;
    log_redacted(line, answer->text, sizeof answer->text);
}

static bool has_type(const struct http_response *response, const char *type)
{
    char value[128];
    return http_header(response, "content-type", value, sizeof value) &&
           !strncasecmp(value, type, strlen(type));
}

static bool may_be_protobuf(const struct http_response *response)
{
    char value[128];
    return !http_header(response, "content-type", value, sizeof value) ||
           has_type(response, "application/x-protobuf") ||
           has_type(response, "application/protobuf");
}

/* What was wrong, from a status in protobuf or any other text. */
static void set_failure(struct otlp_answer *answer, const struct http_response *response)
{
    const struct buf *body = &response->body;
    OtlpStatus__Status *status =
        may_be_protobuf(response)
            ? otlp_status__status__unpack(NULL, body->length, (const uint8_t *)body->data)
            : NULL;
    if (status)
        set_text(answer, status->message, strlen(status->message));
    else
        set_text(answer, buf_cstr(body), body->length);
    if (status)
        otlp_status__status__free_unpacked(status, NULL);
}

/* --- success ---------------------------------------------------------------------------------- */

/* The rest of a success; false when it is none. The answers to metrics have the same fields under
 * the same numbers as those to logs. A count below 0 is none. */
static bool read_partial(const struct buf *body, struct otlp_answer *answer)
{
    Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceResponse *read =
        opentelemetry__proto__collector__logs__v1__export_logs_service_response__unpack(
            NULL, body->length, (const uint8_t *)body->data);
    if (!read)
        return false;
    if (read->partial_success) {
        int64_t rejected = read->partial_success->rejected_log_records;
        answer->rejected = rejected > 0 ? (uint64_t)rejected : 0;
        set_text(answer, read->partial_success->error_message,
                 strlen(read->partial_success->error_message));
    }
    opentelemetry__proto__collector__logs__v1__export_logs_service_response__free_unpacked(read,
                                                                                           NULL);
    return true;
}

/* A page of a server in between is no receiver's word; an empty answer and JSON are. */
static bool read_success(const struct http_response *response, struct otlp_answer *answer)
{
    if (!response->body.length || has_type(response, "application/json"))
        return true;
    return may_be_protobuf(response) && read_partial(&response->body, answer);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    int status;
    enum otlp_outcome outcome;
    const char *reason;
} meanings[] = {
    { 401, OTLP_STRANGER,  "authError" },
    { 403, OTLP_STRANGER,  "authError" },
    { 404, OTLP_STRANGER,  "clientError" },
    { 405, OTLP_STRANGER,  "clientError" },
    { 407, OTLP_STRANGER,  "authError" },
    { 413, OTLP_TOO_LARGE, "clientError" },
    { 429, OTLP_LATER,     "rateLimited" },
    { 502, OTLP_LATER,     "serverError" },
    { 503, OTLP_LATER,     "serverError" },
    { 504, OTLP_LATER,     "serverError" },
};
/* clang-format on */

static void judge(int status, struct otlp_answer *answer)
{
    for (size_t i = 0; i < ARRAY_COUNT(meanings); i++)
        if (meanings[i].status == status) {
            answer->outcome = meanings[i].outcome;
            answer->reason = meanings[i].reason;
            return;
        }
    bool redirects = status >= 300 && status < 400;
    answer->outcome = redirects ? OTLP_STRANGER : OTLP_REFUSED;
    answer->reason = status >= 500 ? "serverError" : "clientError";
}

void otlp_answer_read(const struct http_response *response, const struct error *error, int64_t now,
                      struct otlp_answer *answer)
{
    *answer = (struct otlp_answer){ .reason = "", .status = response->status };
    if (!response->status) {
        answer->outcome = OTLP_LATER;
        answer->cancelled = error->code == ERROR_CANCELLED;
        answer->reason = error->code == ERROR_TIMEOUT ? "contextDeadlineExceeded" : "other";
        set_text(answer, error->message, strlen(error->message));
        return;
    }
    if (response->status >= 200 && response->status < 300) {
        if (read_success(response, answer))
            return;
        answer->outcome = OTLP_STRANGER;
        answer->reason = "other";
        set_text(answer, buf_cstr(&response->body), response->body.length);
        return;
    }
    judge(response->status, answer);
    set_failure(answer, response);
    int64_t wait_s = http_retry_after_s(response, now);
    answer->retry_after_s = wait_s < RETRY_AFTER_MAX_S ? wait_s : RETRY_AFTER_MAX_S;
}
