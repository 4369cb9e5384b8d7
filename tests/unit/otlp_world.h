#pragma once
/* A receiver of OTLP for tests: answers as told, and keeps what it took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/inflate.h"
#include "exporter/otlp/otlp_push.h"
#include "loopback.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "test.h"

enum { RECEIVER_ANSWERS_MAX = 16 };

/* An answer; the last one is given for ever. status 0: none, the connection is cut; -1: silence. */
struct receiver_answer {
    int status;
    const char *headers, *body;
    size_t count;
};

struct otlp_receiver {
    struct loopback *server;
    struct receiver_answer answers[RECEIVER_ANSWERS_MAX];
    size_t answer_count;
    size_t most;        /* records in one request that it takes; 0 = any number */
    struct buf uids;    /* of records it took, a line each */
    struct buf records; /* the same, whole */
    struct buf heads;   /* "path\n" and header lines of the last request */
    size_t requests, largest;
};

static inline void otlp_receiver_unpack(const struct loopback_request *request, struct buf *out)
{
    if (!strcasestr(request->head, "content-encoding: gzip")) {
        buf_append(out, request->body, request->body_bytes);
        return;
    }
    CHECK(inflate_append(out, request->body, request->body_bytes));
}

typedef Opentelemetry__Proto__Common__V1__KeyValue otlp_attribute;

static inline void otlp_receiver_value(const Opentelemetry__Proto__Common__V1__AnyValue *value,
                                       struct buf *out)
{
    switch (value->value_case) {
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE:
        buf_text(out, value->string_value);
        return;
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE:
        buf_printf(out, "int %lld", (long long)value->int_value);
        return;
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE:
        buf_printf(out, "double %g", value->double_value);
        return;
    case OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE:
        buf_char(out, '[');
        for (size_t i = 0; i < value->array_value->n_values; i++) {
            buf_text(out, i ? "|" : "");
            otlp_receiver_value(value->array_value->values[i], out);
        }
        buf_char(out, ']');
        return;
    default:
        buf_text(out, "?");
    }
}

static inline void otlp_receiver_attributes(otlp_attribute *const *attributes, size_t count,
                                            struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "  %s=", attributes[i]->key);
        otlp_receiver_value(attributes[i]->value, out);
        buf_char(out, '\n');
    }
}

/* A record as text: time, severity, name, body, attributes. */
static inline void otlp_receiver_record(const Opentelemetry__Proto__Logs__V1__LogRecord *record,
                                        struct buf *out)
{
    buf_printf(out, "%llu %d %s %s\n", (unsigned long long)record->time_unix_nano,
               record->severity_number, record->severity_text, record->event_name);
    CHECK(record->observed_time_unix_nano == record->time_unix_nano);
    buf_text(out, "  ");
    otlp_receiver_value(record->body, out);
    buf_char(out, '\n');
    otlp_receiver_attributes(record->attributes, record->n_attributes, out);
}

static inline void otlp_receiver_keep(struct otlp_receiver *receiver,
                                      const Opentelemetry__Proto__Logs__V1__LogRecord *record)
{
    otlp_receiver_record(record, &receiver->records);
    for (size_t i = 0; i < record->n_attributes; i++)
        if (!strcmp(record->attributes[i]->key, "log.record.uid"))
            buf_printf(&receiver->uids, "%s\n", record->attributes[i]->value->string_value);
}

static inline const struct receiver_answer *otlp_receiver_next(struct otlp_receiver *receiver)
{
    static const struct receiver_answer fine = { 200, "Content-Type: application/x-protobuf\r\n",
                                                 "", 0 };
    size_t at = receiver->requests++;
    if (!receiver->answer_count)
        return &fine;
    return &receiver->answers[at < receiver->answer_count ? at : receiver->answer_count - 1];
}

static inline void otlp_receiver_logs(void *context, const struct loopback_request *request,
                                      struct buf *out)
{
    struct otlp_receiver *receiver = context;
    CLEANUP(buf_finish) struct buf body = { 0 };
    otlp_receiver_unpack(request, &body);
    buf_reset(&receiver->heads);
    buf_printf(&receiver->heads, "%s\n%s", request->path, request->head);
    Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest *read =
        opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
            NULL, body.length, (const uint8_t *)body.data);
    CHECK(read && read->n_resource_logs == 1 && read->resource_logs[0]->n_scope_logs == 1);
    const Opentelemetry__Proto__Logs__V1__ScopeLogs *scope = read->resource_logs[0]->scope_logs[0];
    const struct receiver_answer *answer = otlp_receiver_next(receiver);
    static const struct receiver_answer too_large = { 413, "", "", 0 };
    if (receiver->most && scope->n_log_records > receiver->most)
        answer = &too_large;
    if (scope->n_log_records > receiver->largest)
        receiver->largest = scope->n_log_records;
    for (size_t i = 0; i < scope->n_log_records && answer->status / 100 == 2; i++)
        otlp_receiver_keep(receiver, scope->log_records[i]);
    opentelemetry__proto__collector__logs__v1__export_logs_service_request__free_unpacked(read,
                                                                                          NULL);
    if (!answer->status)
        buf_char(out, LOOPBACK_CUT);
    else if (answer->status > 0)
        loopback_reply_bytes(out, answer->status, answer->headers, answer->body, answer->count);
}

static inline void otlp_receiver_start(struct otlp_receiver *receiver)
{
    *receiver = (struct otlp_receiver){ 0 };
    receiver->server = loopback_start(otlp_receiver_logs, receiver);
}

static inline void otlp_receiver_stop(struct otlp_receiver *receiver)
{
    loopback_stop(receiver->server);
    buf_finish(&receiver->uids);
    buf_finish(&receiver->records);
    buf_finish(&receiver->heads);
}
