#pragma once
/* What a receiver's answer means for what was sent. Pure.
 * source: OpenTelemetry Protocol Specification, OTLP/HTTP Response, Failures, Throttling. */
#include "core/http.h"
#include "exporter/otlp/otlp_config.h"

enum otlp_outcome {
    OTLP_TAKEN,     /* the receiver has it; what it rejected of it is never sent again */
    OTLP_LATER,     /* the same again later */
    OTLP_TOO_LARGE, /* never as one request */
    OTLP_REFUSED,   /* never again */
    OTLP_STRANGER,  /* nobody read it: wrong credentials, or another server than a receiver */
};

struct otlp_answer {
    enum otlp_outcome outcome;
    int status;            /* 0 = none came */
    bool cancelled;        /* by us */
    const char *reason;    /* a word of otlp_answer_reasons; "" when it was taken */
    uint64_t rejected;     /* of what was taken: data points or records */
    int64_t retry_after_s; /* 0 = not asked for; at most an hour */
    char text[256];        /* what was said, one line, redacted; "" = nothing */
};

/* Alertmanager's words for why something was not delivered; NULL-terminated. */
extern const char *const otlp_answer_reasons[];

/* response: status 0 = none came, *error says why. now: for Retry-After. */
void otlp_answer_read(const struct http_response *response, const struct error *error, int64_t now,
                      struct otlp_answer *answer);
