/* Where metrics and logs go, as the configuration and the variables of OpenTelemetry say. */
#include <stdio.h>
#include <stdlib.h>

#include "exporter/config.h"
#include "exporter/flags.h"
#include "exporter/otlp/otlp_config.h"
#include "test.h"

struct fixture {
    struct otlp_config config;
    struct arena arena;
    struct option_report report;
};

static void read_config(struct fixture *fixture, const char *yaml)
{
    *fixture = (struct fixture){ 0 };
    options_default(otlp_options, &fixture->config, &fixture->arena);
    if (options_read(otlp_options, "test.yml", yaml, strlen(yaml), &fixture->config,
                     &fixture->arena, &fixture->report))
        otlp_config_check(&fixture->config, "test.yml", &fixture->report);
}

static void finish(struct fixture *fixture)
{
    options_finish(otlp_options, &fixture->config);
    options_report_finish(&fixture->report);
    arena_finish(&fixture->arena);
}

static void check_url(const char *yaml, enum otlp_signal signal, const char *url)
{
    struct fixture fixture;
    read_config(&fixture, yaml);
    CHECK_TEXT(buf_cstr(&fixture.report.text), "");
    bool wanted = otlp_config_wants(&fixture.config, signal);
    struct otlp_reach reach = otlp_config_reach(&fixture.config, signal, &fixture.arena);
    CHECK_TEXT(wanted ? reach.url : "", url);
    finish(&fixture);
}

/* source: OpenTelemetry specification, Protocol Exporter, Endpoint URLs for OTLP/HTTP. */
TEST(endpoints_follow_the_specification)
{
    check_url("", OTLP_METRICS, "");
    check_url("{ endpoint: http://h:4318 }", OTLP_METRICS, "http://h:4318/v1/metrics");
    check_url("{ endpoint: http://h:4318/ }", OTLP_LOGS, "http://h:4318/v1/logs");
    check_url("{ endpoint: http://h/base/ }", OTLP_LOGS, "http://h/base/v1/logs");
    check_url("{ endpoint: http://h, metrics: { endpoint: http://m/api/v1/otlp/v1/metrics } }",
              OTLP_METRICS, "http://m/api/v1/otlp/v1/metrics");
    check_url("{ endpoint: http://h, metrics: { endpoint: http://m } }", OTLP_LOGS,
              "http://h/v1/logs");
    check_url("{ logs: { endpoint: http://l/push/ } }", OTLP_LOGS, "http://l/push/");
    check_url("{ logs: { endpoint: http://l } }", OTLP_METRICS, "");
    check_url("{ endpoint: http://h, logs: { enabled: false } }", OTLP_LOGS, "");
}

TEST(a_signal_inherits_what_it_does_not_say)
{
    struct fixture fixture;
    read_config(&fixture, "{ endpoint: http://h, headers: a=1, timeout: 3s, compression: none,"
                          " certificate: /ca, client_certificate: /c, client_key: /k,"
                          " logs: { headers: b=2, timeout: 5s, compression: gzip,"
                          " client_certificate: /c2, client_key: /k2 } }");
    CHECK_TEXT(buf_cstr(&fixture.report.text), "");
    struct otlp_reach metrics = otlp_config_reach(&fixture.config, OTLP_METRICS, &fixture.arena);
    CHECK_TEXT(secret_text(metrics.headers), "a=1");
    CHECK_INT(metrics.timeout_ms, 3000);
    CHECK(!metrics.gzip);
    CHECK_TEXT(metrics.certificate, "/ca");
    CHECK_TEXT(metrics.client_certificate, "/c");
    CHECK_TEXT(metrics.client_key, "/k");
    struct otlp_reach logs = otlp_config_reach(&fixture.config, OTLP_LOGS, &fixture.arena);
    CHECK_TEXT(secret_text(logs.headers), "b=2");
    CHECK_INT(logs.timeout_ms, 5000);
    CHECK(logs.gzip);
    CHECK_TEXT(logs.certificate, "/ca");
    CHECK_TEXT(logs.client_certificate, "/c2");
    CHECK_TEXT(logs.client_key, "/k2");
    finish(&fixture);
    read_config(&fixture, "{ endpoint: http://h }");
    metrics = otlp_config_reach(&fixture.config, OTLP_METRICS, &fixture.arena);
    CHECK_INT(metrics.timeout_ms, 10000);
    CHECK(metrics.gzip && !metrics.certificate && !secret_text(metrics.headers));
    CHECK_INT(fixture.config.metrics.interval_ms, 60000);
    finish(&fixture);
}

TEST(pairs_are_read_as_baggage)
{
    static const struct {
        const char *text, *read;
    } rows[] = {
        { "", "" },
        { "a=1", "a:1|" },
        { " a = 1 ,b=2,", "a:1|b:2|" },
        { "a=b%3Dc%2c", "a:b=c,|" },
        { "a=b=c", "a:b=c|" },
        { "a=", "a:|" },
        { "a=50%", "a:50%|" },
        { "a=%zz%4", "a:%zz%4|" },
        { "a", "entry 1 is no name=value" },
        { "a=1,=2", "entry 2 has no name" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(buf_finish) struct buf out = { 0 };
        struct otlp_pair pairs[OTLP_PAIRS_MAX];
        struct error error;
        size_t count;
        bool ok = otlp_config_pairs(rows[i].text, &arena, pairs, &count, &error);
        for (size_t n = 0; ok && n < count; n++)
            buf_printf(&out, "%s:%s|", pairs[n].name, pairs[n].value);
        CHECK_TEXT(ok ? buf_cstr(&out) : error.message, rows[i].read);
    }
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf many = { 0 };
    struct otlp_pair pairs[OTLP_PAIRS_MAX];
    struct error error;
    size_t count;
    for (int i = 0; i <= OTLP_PAIRS_MAX; i++)
        buf_text(&many, "a=1,");
    CHECK(!otlp_config_pairs(buf_cstr(&many), &arena, pairs, &count, &error));
    CHECK_TEXT(error.message, "more than 64 entries");
}

TEST(what_is_wrong_is_said)
{
    static const struct {
        const char *yaml, *said;
    } rows[] = {
        { "{ endpoint: localhost:4318 }", "endpoint: is no http(s) URL" },
        { "{ protocol: grpc }", "http/protobuf" },
        { "{ headers: nothing }", "otlp.headers: entry 1 is no name=value" },
        { "{ headers: 'host=a' }", "otlp.headers: host is set by the program" },
        { "{ headers: 'a=b%0ac' }", "otlp.headers: entry 1 is no header" },
        { "{ logs: { headers: 'a b=c' } }", "otlp.logs.headers: entry 1 is no header" },
        { "{ client_key: k }", "otlp.client_certificate: needs client_key" },
        { "{ metrics: { client_certificate: k } }", "otlp.metrics.client_certificate: needs" },
        { "{ resource_attributes: a }", "otlp.resource_attributes: entry 1 is no name=value" },
        { "{ logs: { match: ['risk=\"high\"'] } }", "otlp.logs.match: " },
        { "{ logs: { match: ['risk_level=~\"(\"'] } }", "otlp.logs.match: " },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct fixture fixture;
        read_config(&fixture, rows[i].yaml);
        CHECK_CONTAINS(buf_cstr(&fixture.report.text), rows[i].said);
        finish(&fixture);
    }
}

/* --- variables -------------------------------------------------------------------------------- */

/* The configuration of a file's text, with these variables: name, value ... NULL, NULL. */
static struct config *load(const char *yaml, const char *const *variables,
                           struct option_report *report)
{
    char program[] = "defender_exporter", file[4200];
    char *arguments[] = { program, file, NULL };
    struct flags flags = { 0 };
    struct error error = { 0 };
    for (const struct otlp_variable *one = otlp_variables; one->name; one++)
        unsetenv(one->name);
    for (; variables[0]; variables += 2)
        setenv(variables[0], variables[1], 1);
    snprintf(file, sizeof file, "--config.file=%s", test_file("c.yml", yaml));
    CHECK(flags_parse(2, arguments, &flags, &error));
    const struct config_source source = { .file = flags.config_file,
                                          .settings = flags.settings,
                                          .setting_count = flags.setting_count };
    struct config *config = config_load(&source, report);
    flags_finish(&flags);
    return config;
}

#define FILE_OF "azure: { tenant_id: 11111111-2222-4333-8444-555555555555 }\n"

TEST(variables_go_over_the_file)
{
    static const char *const none[] = { NULL, NULL };
    static const char *const all[] = {
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://base",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "http://logs/push",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "2500",
        "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
        "500",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "a=secret",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "none",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "15000",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
        "OTEL_SERVICE_NAME",
        "named",
        "OTEL_RESOURCE_ATTRIBUTES",
        "x=y",
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "",
        NULL,
        NULL,
    };
    static const char file[] = FILE_OF "otlp: { endpoint: http://file, timeout: 7s,"
                                       " certificate: /ca, logs: { enabled: true } }\n";
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct config *config = load(file, none, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    CHECK_TEXT(config->otlp.common.endpoint, "http://file");
    CHECK_INT(config->otlp.common.timeout_ms, 7000);
    CHECK_INT(config->otlp.metrics.histograms, OTLP_EXPLICIT);
    config_destroy(config);
    config = load(file, all, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    struct otlp_reach logs = otlp_config_reach(&config->otlp, OTLP_LOGS, &arena);
    struct otlp_reach metrics = otlp_config_reach(&config->otlp, OTLP_METRICS, &arena);
    CHECK_TEXT(logs.url, "http://logs/push");
    CHECK_TEXT(metrics.url, "http://base/v1/metrics");
    CHECK_INT(config->otlp.metrics.histograms, OTLP_EXPONENTIAL);
    CHECK_INT(logs.timeout_ms, 2500);
    CHECK_INT(metrics.timeout_ms, 500);
    CHECK(!metrics.gzip);
    CHECK_TEXT(secret_text(metrics.headers), "a=secret");
    CHECK_TEXT(metrics.certificate, "/ca"); /* an empty variable is none */
    CHECK_INT(config->otlp.metrics.interval_ms, 15000);
    CHECK_TEXT(config->otlp.service_name, "named");
    CHECK_TEXT(config->otlp.resource_attributes, "x=y");
    config_destroy(config);
}

TEST(our_own_variables_go_over_those)
{
    static const char *const both[] = { "OTEL_EXPORTER_OTLP_ENDPOINT",
                                        "http://theirs",
                                        "DEFENDER_EXPORTER_OTLP_ENDPOINT",
                                        "http://ours",
                                        NULL,
                                        NULL };
    static const char *const wrong[] = { "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", NULL, NULL };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config = load(FILE_OF, both, &report);
    unsetenv("DEFENDER_EXPORTER_OTLP_ENDPOINT");
    CHECK_TEXT(buf_cstr(&report.text), "");
    CHECK_TEXT(config->otlp.common.endpoint, "http://ours");
    config_destroy(config);
    CHECK(!load(FILE_OF, wrong, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), "OTEL_EXPORTER_OTLP_PROTOCOL");
}
