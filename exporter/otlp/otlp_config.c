#include "exporter/otlp/otlp_config.h"

#include <ctype.h>
#include <string.h>

#include "alerts/rules/rule.h"
#include "core/http.h"

const char *const otlp_signal_words[] = { "metrics", "logs", NULL };

static const char *const protocol_words[] = { "http/protobuf", NULL };
static const char *const compression_words[] = { "inherit", "none", "gzip", NULL };
/* The words of OpenTelemetry's variable. */
static const char *const histogram_words[] = { "explicit_bucket_histogram",
                                               "base2_exponential_bucket_histogram", NULL };
static const char *check_endpoint(const void *value)
{
    const char *const *url = value;
    char origin[300];
    return *url && !http_origin(*url, origin) ? "is no http(s) URL" : NULL;
}

/* clang-format off */
#define CONFIG struct otlp_config
#define TRANSPORT(of, timeout, packed, endpoint_help) \
    { "endpoint", OPTION_TEXT(CONFIG, of.endpoint), .check = check_endpoint, \
      .help = endpoint_help }, \
    { "headers", OPTION_SECRET(CONFIG, of.headers), \
      .help = "Headers of each request, as `api-key=secret,tenant=a`; values are " \
              "percent-encoded." }, \
    { "timeout", OPTION_DURATION(CONFIG, of.timeout_ms), .otherwise = timeout, .max = 600e3, \
      .help = "How long a request may take; 0s: 10s, or of a signal what `otlp` says." }, \
    { "compression", OPTION_WORD(CONFIG, of.compression), .otherwise = packed, \
      .words = compression_words, .help = "Of requests; `inherit`: what `otlp` says, which is " \
      "gzip unless it says something else." }, \
    { "protocol", OPTION_WORD(CONFIG, of.protocol), .otherwise = "http/protobuf", \
      .words = protocol_words, .help = "The one that is spoken." }, \
    { "certificate", OPTION_PATH(CONFIG, of.certificate), \
      .help = "File with the certificates the receiver's is checked with, instead of the " \
              "system's." }, \
    { "client_certificate", OPTION_PATH(CONFIG, of.client_certificate), \
      .help = "File with the certificate to show, for mutual TLS." }, \
    { "client_key", OPTION_PATH(CONFIG, of.client_key), .help = "File with its key." }

static const struct option metrics_options[] = {
    { "enabled", OPTION_BOOL(CONFIG, metrics.enabled), .otherwise = "true",
      .help = "Push metrics, once there is an endpoint." },
    { "interval", OPTION_DURATION(CONFIG, metrics.interval_ms), .otherwise = "60s", .min = 1000,
      .max = 86400e3, .help = "Time between two pushes." },
    { "histograms", OPTION_WORD(CONFIG, metrics.histograms),
      .otherwise = "explicit_bucket_histogram", .words = histogram_words,
      .help = "Histograms with the buckets a scrape has, or with exponential ones, which "
              "Prometheus keeps as native histograms." },
    TRANSPORT(metrics.own, "0s", "inherit",
              "URL that is posted to, exactly as it stands here: with /v1/metrics at its end."),
    { 0 }
};

static const struct option logs_options[] = {
    { "enabled", OPTION_BOOL(CONFIG, logs.enabled), .otherwise = "true",
      .help = "Push a log record for each event, once there is an endpoint." },
    { "match", OPTION_TEXT_LIST(CONFIG, logs.match),
      .help = "Matchers, as of rules about events: only what satisfies all of them is pushed." },
    TRANSPORT(logs.own, "0s", "inherit",
              "URL that is posted to, exactly as it stands here: with /v1/logs at its end."),
    { 0 }
};

const struct option otlp_options[] = {
    TRANSPORT(common, "10s", "gzip",
              "Base URL of a receiver, such as http://localhost:4318; v1/metrics and v1/logs are "
              "put behind it. Without any endpoint nothing is pushed."),
    { "service_name", OPTION_TEXT(CONFIG, service_name),
      .help = "Attribute service.name of the resource, `job` in Prometheus; defender_exporter "
              "unless it is said here or in `resource_attributes`." },
    { "resource_attributes", OPTION_TEXT(CONFIG, resource_attributes),
      .help = "More attributes of the resource, written as headers are." },
    { "metrics", OPTION_GROUP, .section = metrics_options, .help = "What a scrape shows." },
    { "logs", OPTION_GROUP, .section = logs_options,
      .help = "What happened to findings, scores and data." },
    { 0 }
};
#undef TRANSPORT
#undef CONFIG

#define OF_SIGNAL(word, key) \
    { "OTEL_EXPORTER_OTLP_" word "ENDPOINT", "otlp." key "endpoint", false }, \
    { "OTEL_EXPORTER_OTLP_" word "HEADERS", "otlp." key "headers", false }, \
    { "OTEL_EXPORTER_OTLP_" word "TIMEOUT", "otlp." key "timeout", true }, \
    { "OTEL_EXPORTER_OTLP_" word "COMPRESSION", "otlp." key "compression", false }, \
    { "OTEL_EXPORTER_OTLP_" word "PROTOCOL", "otlp." key "protocol", false }, \
    { "OTEL_EXPORTER_OTLP_" word "CERTIFICATE", "otlp." key "certificate", false }, \
    { "OTEL_EXPORTER_OTLP_" word "CLIENT_CERTIFICATE", "otlp." key "client_certificate", false }, \
    { "OTEL_EXPORTER_OTLP_" word "CLIENT_KEY", "otlp." key "client_key", false }

const struct otlp_variable otlp_variables[] = {
    OF_SIGNAL("", ""),
    OF_SIGNAL("METRICS_", "metrics."),
    OF_SIGNAL("LOGS_", "logs."),
    { "OTEL_SERVICE_NAME", "otlp.service_name", false },
    { "OTEL_RESOURCE_ATTRIBUTES", "otlp.resource_attributes", false },
    { "OTEL_METRIC_EXPORT_INTERVAL", "otlp.metrics.interval", true },
    { "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "otlp.metrics.histograms",
      false },
    { NULL, NULL, false },
};
#undef OF_SIGNAL
/* clang-format on */
const size_t otlp_variable_count = ARRAY_COUNT(otlp_variables) - 1;

/* --- what holds for a signal ------------------------------------------------------------------ */

static const struct otlp_transport *own_of(const struct otlp_config *config,
                                           enum otlp_signal signal)
{
    return signal == OTLP_METRICS ? &config->metrics.own : &config->logs.own;
}

bool otlp_config_wants(const struct otlp_config *config, enum otlp_signal signal)
{
    bool enabled = signal == OTLP_METRICS ? config->metrics.enabled : config->logs.enabled;
    return enabled && (own_of(config, signal)->endpoint || config->common.endpoint);
}

/* The base may end in a slash; an endpoint of a signal is left as it is. */
static const char *url_of(const struct otlp_config *config, enum otlp_signal signal,
                          struct arena *arena)
{
    const char *own = own_of(config, signal)->endpoint, *base = config->common.endpoint;
    if (own || !base)
        return own;
    CLEANUP(buf_finish) struct buf url = { 0 };
    size_t length = strlen(base);
    while (length && base[length - 1] == '/')
        length--;
    buf_printf(&url, "%.*s/v1/%s", (int)length, base, otlp_signal_words[signal]);
    return arena_text(arena, buf_cstr(&url));
}

struct otlp_reach otlp_config_reach(const struct otlp_config *config, enum otlp_signal signal,
                                    struct arena *arena)
{
    const struct otlp_transport *own = own_of(config, signal), *common = &config->common;
    int64_t timeout_ms = own->timeout_ms ? own->timeout_ms : common->timeout_ms;
    int compression = own->compression ? own->compression : common->compression;
    bool has_client = own->client_certificate != NULL;
    const struct secret *headers = secret_text(&own->headers) ? &own->headers : &common->headers;
    return (struct otlp_reach){
        .url = url_of(config, signal, arena),
        .headers = (struct secret *)(uintptr_t)headers, /* renewed in place */
        .timeout_ms = timeout_ms ? timeout_ms : 10000,
        .gzip = compression != OTLP_NONE,
        .certificate = own->certificate ? own->certificate : common->certificate,
        .client_certificate = has_client ? own->client_certificate : common->client_certificate,
        .client_key = has_client ? own->client_key : common->client_key,
    };
}

/* --- pairs ------------------------------------------------------------------------------------ */

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* A copy without blanks around it, percent-encoding undone. */
static const char *decode(const char *text, size_t length, struct arena *arena)
{
    while (length && (*text == ' ' || *text == '\t'))
        text++, length--;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    char *copy = arena_alloc(arena, length + 1);
    size_t out = 0;
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_of(text[i + 1]) : -1;
        int low = high >= 0 ? hex_of(text[i + 2]) : -1;
        if (low >= 0)
            i += 2;
        copy[out++] = low >= 0 ? (char)(high * 16 + low) : text[i];
    }
    copy[out] = 0;
    return copy;
}

bool otlp_config_pairs(const char *text, struct arena *arena, struct otlp_pair pairs[],
                       size_t *count, struct error *error)
{
    *count = 0;
    for (const char *rest = text ? text : ""; *rest;) {
        size_t length = strcspn(rest, ",");
        const char *equals = memchr(rest, '=', length);
        const char *name = decode(rest, equals ? (size_t)(equals - rest) : length, arena);
        if (!equals && *name)
            return error_set(error, ERROR_CONFIG, "entry %zu is no name=value", *count + 1);
        if (equals && !*name)
            return error_set(error, ERROR_CONFIG, "entry %zu has no name", *count + 1);
        if (equals && *count == OTLP_PAIRS_MAX)
            return error_set(error, ERROR_CONFIG, "more than %d entries", OTLP_PAIRS_MAX);
        if (equals)
            pairs[(*count)++] =
                (struct otlp_pair){ name, decode(equals + 1, length - (size_t)(equals + 1 - rest),
                                                 arena) };
        rest += length + (rest[length] == ',');
    }
    return true;
}

/* --- checks ----------------------------------------------------------------------------------- */

/* Of these the program has its own. */
static bool is_reserved(const char *header)
{
    static const char *const reserved[] = { "content-type", "content-encoding", "host",
                                            "content-length", "transfer-encoding" };
    for (size_t i = 0; i < ARRAY_COUNT(reserved); i++)
        if (!strcasecmp(header, reserved[i]))
            return true;
    return false;
}

static void check_headers(const char *path, const struct secret *headers, const char *file,
                          struct option_report *report)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct otlp_pair pairs[OTLP_PAIRS_MAX];
    size_t count;
    struct error error;
    if (!otlp_config_pairs(secret_text(headers), &arena, pairs, &count, &error))
        options_complain(report, file, 0, path, "%s", error.message);
    else
        for (size_t i = 0; i < count; i++)
            if (is_reserved(pairs[i].name))
                options_complain(report, file, 0, path, "%s is set by the program", pairs[i].name);
            else if (strpbrk(pairs[i].name, " \t\r\n:") || strpbrk(pairs[i].value, "\r\n"))
                options_complain(report, file, 0, path, "entry %zu is no header", i + 1);
}

static void check_transport(const struct otlp_transport *transport, const char *section,
                            const char *file, struct option_report *report)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "%s.headers", section);
    check_headers(buf_cstr(&path), &transport->headers, file, report);
    if (!transport->client_key == !transport->client_certificate)
        return;
    buf_reset(&path);
    buf_printf(&path, "%s.client_certificate", section);
    options_complain(report, file, 0, buf_cstr(&path), "needs client_key, and the other way round");
}

bool otlp_config_match(const struct otlp_config *config, struct match_list *list,
                       struct arena *arena, struct error *error)
{
    return match_parse_all(&config->logs.match, list, arena, error) &&
           match_all_known(list, rule_event_labels, error);
}

void otlp_config_check(const struct otlp_config *config, const char *file,
                       struct option_report *report)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct otlp_pair pairs[OTLP_PAIRS_MAX];
    struct match_list list = { 0 };
    size_t count;
    struct error error;
    check_transport(&config->common, "otlp", file, report);
    check_transport(&config->metrics.own, "otlp.metrics", file, report);
    check_transport(&config->logs.own, "otlp.logs", file, report);
    if (!otlp_config_pairs(config->resource_attributes, &arena, pairs, &count, &error))
        options_complain(report, file, 0, "otlp.resource_attributes", "%s", error.message);
    if (!otlp_config_match(config, &list, &arena, &error))
        options_complain(report, file, 0, "otlp.logs.match", "%s", error.message);
    match_finish(&list);
}
