/* What receivers of OTLP answer, good and bad. */
#include <stdio.h>

#include "exporter/otlp/otlp_answer.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "test.h"

#define PROTOBUF "content-type: application/x-protobuf\n"
#define BYTES(text) text, sizeof(text) - 1

enum { NOW = 1763726400 };

static struct otlp_answer read_answer(int status, const char *headers, const char *body,
                                      size_t count)
{
    struct http_response response = { .status = status };
    struct error error = { .code = ERROR_TIMEOUT, .message = "no answer within 10s" };
    struct otlp_answer answer;
    buf_text(&response.headers, headers);
    buf_append(&response.body, body, count);
    otlp_answer_read(&response, &error, NOW, &answer);
    http_response_finish(&response);
    return answer;
}

/* clang-format off */
static const struct row {
    const char *what;
    int status;
    const char *headers, *body;
    size_t count;
    enum otlp_outcome outcome;
    const char *reason;
    uint64_t rejected;
    const char *text;
} rows[] = {
    { "empty", 200, PROTOBUF, BYTES(""), OTLP_TAKEN, "", 0, "" },
    { "of the collector", 200, PROTOBUF, BYTES("\x0a\x00"), OTLP_TAKEN, "", 0, "" },
    { "partial", 200, PROTOBUF, BYTES("\x0a\x07\x08\x05\x12\x03old"), OTLP_TAKEN, "", 5, "old" },
    { "a warning", 200, PROTOBUF, BYTES("\x0a\x05\x12\x03old"), OTLP_TAKEN, "", 0, "old" },
    { "fewer than none", 200, PROTOBUF,
      BYTES("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), OTLP_TAKEN, "", 0, "" },
    { "no type", 200, "", BYTES("\x0a\x02\x08\x05"), OTLP_TAKEN, "", 5, "" },
    { "no content", 204, "", BYTES(""), OTLP_TAKEN, "", 0, "" },
    { "JSON", 200, "content-type: application/json\n", BYTES("{}"), OTLP_TAKEN, "", 0, "" },
    { "garbage", 200, PROTOBUF, BYTES("\xff\xff\xff garbage"), OTLP_STRANGER, "other", 0,
      "\xff\xff\xff garbage" },
    { "cut", 200, PROTOBUF, BYTES("\x0a\x40\x08\x05"), OTLP_STRANGER, "other", 0, "\n@" },
    { "a page", 200, "content-type: text/html\n", BYTES("<html>"), OTLP_STRANGER, "other", 0,
      "<html>" },
    { "moved", 302, "", BYTES(""), OTLP_STRANGER, "clientError", 0, "" },
    { "bad request", 400, PROTOBUF, BYTES("\x08\x03\x12\x03" "bad"), OTLP_REFUSED, "clientError",
      0, "bad" },
    { "with details", 400, PROTOBUF, BYTES("\x08\x03\x12\x03" "bad\x1a\x02\x0a\x00"), OTLP_REFUSED,
      "clientError", 0, "bad" },
    { "in words", 400, "content-type: text/plain\n", BYTES("bad\nline"), OTLP_REFUSED,
      "clientError", 0, "bad line" },
    { "credentials", 401, "", BYTES(""), OTLP_STRANGER, "authError", 0, "" },
    { "rights", 403, "", BYTES(""), OTLP_STRANGER, "authError", 0, "" },
    { "path", 404, "", BYTES(""), OTLP_STRANGER, "clientError", 0, "" },
    { "too large", 413, "", BYTES(""), OTLP_TOO_LARGE, "clientError", 0, "" },
    { "type", 415, "", BYTES(""), OTLP_REFUSED, "clientError", 0, "" },
    { "too many", 429, "", BYTES(""), OTLP_LATER, "rateLimited", 0, "" },
    { "its mistake", 500, "", BYTES(""), OTLP_REFUSED, "serverError", 0, "" },
    { "gateway", 502, "", BYTES(""), OTLP_LATER, "serverError", 0, "" },
    { "busy", 503, "", BYTES("busy"), OTLP_LATER, "serverError", 0, "busy" },
    { "slow gateway", 504, "", BYTES(""), OTLP_LATER, "serverError", 0, "" },
    { "none", 0, "", BYTES(""), OTLP_LATER, "contextDeadlineExceeded", 0, "no answer within 10s" },
};
/* clang-format on */

TEST(every_answer_has_its_meaning)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct otlp_answer answer = read_answer(row->status, row->headers, row->body, row->count);
        bool same = answer.outcome == row->outcome && !strcmp(answer.reason, row->reason) &&
                    answer.rejected == row->rejected &&
                    (*row->text == '\n' || !strcmp(answer.text, row->text));
        CHECK_TEXT(same ? row->what : answer.text, row->what);
        CHECK_INT(answer.status, row->status);
    }
}

/* What a receiver answers to metrics is read as what it answers to logs. */
TEST(metrics_are_answered_alike)
{
    Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceResponse response;
    Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsPartialSuccess partial;
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_response__init(&response);
    opentelemetry__proto__collector__metrics__v1__export_metrics_partial_success__init(&partial);
    char text[] = "too old", packed[64];
    partial.rejected_data_points = 7;
    partial.error_message = text;
    response.partial_success = &partial;
    CHECK(protobuf_c_message_get_packed_size(&response.base) <= sizeof packed);
    size_t count = protobuf_c_message_pack(&response.base, (uint8_t *)packed);
    struct otlp_answer answer = read_answer(200, PROTOBUF, packed, count);
    CHECK_INT(answer.outcome, OTLP_TAKEN);
    CHECK_INT((int64_t)answer.rejected, 7);
    CHECK_TEXT(answer.text, "too old");
}

TEST(who_asks_for_time_gets_it)
{
    struct otlp_answer answer = read_answer(503, "Retry-After: 7\n", "", 0);
    CHECK_INT(answer.retry_after_s, 7);
    answer = read_answer(429, "Retry-After: 1000000\n", "", 0);
    CHECK_INT(answer.retry_after_s, 3600);
    char headers[64];
    snprintf(headers, sizeof headers, "Retry-After: %s\n", "Fri, 21 Nov 2025 12:00:30 GMT");
    answer = read_answer(503, headers, "", 0);
    CHECK_INT(answer.retry_after_s, 30);
}

TEST(every_reason_is_a_series)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *const *reason = otlp_answer_reasons;
        while (*reason && strcmp(*reason, rows[i].reason) != 0)
            reason++;
        CHECK(*reason || !*rows[i].reason);
    }
}

/* A receiver says what it was sent; a secret in it does not reach the log. */
TEST(what_is_said_is_redacted)
{
    struct secret secret = { 0 };
    secret_set(&secret, "api-key=0123456789");
    struct otlp_answer answer = read_answer(401, "", BYTES("no: api-key=0123456789"));
    CHECK_TEXT(answer.text, "no: <secret>");
    secret_finish(&secret);
}
