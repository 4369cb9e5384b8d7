#pragma once
/* `otlp` of the configuration: where metrics and logs are pushed to by the OpenTelemetry Protocol,
 * and the variables OpenTelemetry has for the same.
 * source: OpenTelemetry specification, Protocol Exporter; Environment Variable Specification. */
#include "alerts/text/match.h"
#include "core/options.h"

enum otlp_signal { OTLP_METRICS, OTLP_LOGS, OTLP_SIGNAL_COUNT };
extern const char *const otlp_signal_words[]; /* metrics, logs */

enum otlp_compression { OTLP_INHERIT, OTLP_NONE, OTLP_GZIP };

enum otlp_histograms { OTLP_EXPLICIT, OTLP_EXPONENTIAL };

/* How to reach a receiver; what a signal does not say is as in `otlp`. */
struct otlp_transport {
    const char *endpoint;  /* of `otlp`: the base; of a signal: exactly what is posted to */
    struct secret headers; /* name=value, joined with commas, percent-encoded */
    int64_t timeout_ms;
    int compression; /* enum otlp_compression */
    int protocol;
    const char *certificate, *client_certificate, *client_key; /* files */
};

struct otlp_config {
    struct otlp_transport common;
    const char *service_name;
    const char *resource_attributes; /* as headers */
    struct {
        struct otlp_transport own;
        bool enabled;
        int64_t interval_ms;
        int histograms; /* enum otlp_histograms */
    } metrics;
    struct {
        struct otlp_transport own;
        bool enabled;
        struct option_texts match;
    } logs;
};
extern const struct option otlp_options[];

/* A variable of OpenTelemetry and the key it stands for. */
struct otlp_variable {
    const char *name, *path; /* "OTEL_EXPORTER_OTLP_ENDPOINT", "otlp.endpoint" */
    bool milliseconds;       /* a number of them */
};
extern const struct otlp_variable otlp_variables[]; /* ends with name NULL */
extern const size_t otlp_variable_count;

/* Whether a signal is pushed: it is not switched off, and has an endpoint. */
bool otlp_config_wants(const struct otlp_config *config, enum otlp_signal signal);

/* What holds for a signal: its own keys, else those of `otlp`. endpoint: the whole URL, in the
 * arena. headers: the same secret, borrowed. */
struct otlp_reach {
    const char *url;
    struct secret *headers;
    int64_t timeout_ms;
    bool gzip;
    const char *certificate, *client_certificate, *client_key;
};
struct otlp_reach otlp_config_reach(const struct otlp_config *config, enum otlp_signal signal,
                                    struct arena *arena);

/* name=value pairs as OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES have them: joined
 * with commas, percent-encoded, blanks around them left out. source: W3C Baggage. */
struct otlp_pair {
    const char *name, *value;
};
enum { OTLP_PAIRS_MAX = 64 };
/* How many there are; in the arena. ERROR_CONFIG names no value. */
bool otlp_config_pairs(const char *text, struct arena *arena, struct otlp_pair pairs[],
                       size_t *count, struct error *error) MUST_USE;

/* Complain about what the rows cannot express. file: for messages. */
void otlp_config_check(const struct otlp_config *config, const char *file,
                       struct option_report *report);

/* The matchers of logs; what is wrong with them is otlp_config_check's to say. */
bool otlp_config_match(const struct otlp_config *config, struct match_list *list,
                       struct arena *arena, struct error *error) MUST_USE;
