#include "exporter/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "sources.h"
#include "test.h"

/* The text as a file, with these settings over it. NULL and the report when it is wrong. */
static struct config *load(const char *text, const struct config_setting *settings, size_t count,
                           struct option_report *report)
{
    struct config_source source = { .file = test_file("config.yml", text),
                                    .settings = settings,
                                    .setting_count = count };
    return config_load(&source, report);
}

static struct config *load_fine(const char *text)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config = load(text, NULL, 0, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    if (!config)
        abort();
    return config;
}

TEST(defaults_are_what_the_documentation_says)
{
    struct config *config = load_fine("");
    CHECK_INT(config->web.addresses.count, 1);
    CHECK_TEXT(config->web.addresses.texts[0], ":9887");
    CHECK_TEXT(config->web.telemetry_path, "/metrics");
    CHECK_TEXT(config->web.route_prefix, "");
    CHECK_INT(config->web.max_requests, 40);
    CHECK_INT(config->metrics.max_series, 200000);
    CHECK(config->storage.path != NULL); /* where: test_storage.c */
    for (size_t i = 0; i < config->sources->count; i++) {
        const struct collector *collector = config->sources->sources[i].collector;
        bool runs = !collector->asks_for_tags && !collector->off; /* there are no tags */
        CHECK_INT(config->run[i].enabled, runs);
        CHECK(config->run[i].interval_ms >= 60000);
        CHECK(config->run[i].timeout_ms <= 600000);
        CHECK(config->run[i].timeout_ms > 0);
    }
    CHECK_TEXT(auth_config_host(&config->azure, AUTH_RESOURCE_MANAGER),
               "https://management.azure.com");
    config_destroy(config);
}

TEST(port_is_not_one_that_others_use)
{
    static const char *const taken[] = { "9090", "9093", "9100", "9115",
                                         "8080", "5000", "2801", "9476" };
    for (size_t i = 0; i < ARRAY_COUNT(taken); i++)
        CHECK(strcmp(taken[i], WEB_CONFIG_PORT) != 0);
}

TEST(file_reaches_the_modules)
{
    struct config *config = load_fine("azure:\n"
                                      "  cloud: AzureUSGovernment\n"
                                      "collectors:\n"
                                      "  assessments: {source: rest, interval: 5m, share: 0.25}\n"
                                      "  baselines: {enabled: false, timeout: 2s}\n"
                                      "subscriptions:\n"
                                      "  exclude: [AAAAAAAA-0000-0000-0000-000000000001]\n"
                                      "metrics: {opt_in_list: 'defender_finding_info'}\n");
    struct runner_config runner = config_runner(config);
    CHECK_INT(runner.settings[INDEX(assessments)].variant, 1);
    CHECK_INT(runner.settings[INDEX(assessments)].interval_ms, 300000);
    CHECK_INT(runner.settings[INDEX(assessments)].timeout_ms, 300000);
    CHECK_NUMBER(runner.settings[INDEX(assessments)].share, 0.25);
    CHECK(!runner.settings[INDEX(baselines)].enabled);
    CHECK_INT(runner.settings[INDEX(baselines)].timeout_ms, 2000);
    CHECK_NUMBER(runner.settings[INDEX(baselines)].share, 1);
    CHECK_INT(runner.scope.exclude.count, 1);
    CHECK_TEXT(runner.scope.exclude.texts[0], "AAAAAAAA-0000-0000-0000-000000000001");
    CHECK_INT(config_scrape(config).series.opt_in.count, 1);
    CHECK_TEXT(auth_config_host(&config->azure, AUTH_RESOURCE_MANAGER),
               "https://management.usgovcloudapi.net");
    config_destroy(config);
}

TEST(a_summary_is_a_variant_of_its_own)
{
    CLEANUP(buf_finish) struct buf warnings = { 0 };
    struct config *config = load_fine("collectors:\n"
                                      "  assessments: {source: rest, detail: summary}\n"
                                      "collector: {risk_when_missing: severity}\n");
    struct runner_config runner = config_runner(config);
    const struct source *source = &runner.sources->sources[INDEX(assessments)];
    int variant = runner_variant(&runner.settings[INDEX(assessments)], source);
    CHECK_TEXT(source->collector->variants[variant].name, "summary");
    source = &runner.sources->sources[INDEX(plans)];
    variant = runner_variant(&runner.settings[INDEX(plans)], source);
    CHECK_TEXT(source->collector->variants[variant].name, "graph");
    config_warn(config, &warnings);
    CHECK_TEXT(buf_cstr(&warnings),
               "collectors.assessments.detail: a summary tells no findings: rules about them never "
               "fire, and what is open in the ledger stays as it is\n"
               "collectors.assessments.detail: a summary has Azure's own risk levels: "
               "collector.risk_when_missing: severity changes none of them\n");
    config_destroy(config);
}

TEST(tags_are_asked_for_when_there_are_some)
{
    CLEANUP(buf_finish) struct buf warnings = { 0 };
    struct config *config = load_fine("alerts: {tags: [team, Cost Center]}\n");
    struct runner_config runner = config_runner(config);
    CHECK(runner.settings[INDEX(tags)].enabled);
    CHECK_INT(runner.settings[INDEX(tags)].interval_ms, 3600000);
    CHECK_INT(runner.tags.count, 2);
    CHECK_TEXT(runner.tags.texts[1], "Cost Center");
    config_warn(config, &warnings);
    CHECK_TEXT(buf_cstr(&warnings), "");
    config_destroy(config);
    config = load_fine("alerts: {tags: [team]}\ncollectors: {tags: {enabled: false}}\n");
    config_warn(config, &warnings);
    CHECK_TEXT(buf_cstr(&warnings),
               "alerts.tags: the collector tags is off, so no alert has the label of a tag\n");
    config_destroy(config);
    config = load_fine("collectors: {tags: {enabled: true}}\n");
    CHECK(!config_runner(config).settings[INDEX(tags)].enabled);
    config_destroy(config);
}

#define USERS                                                                                      \
    "basic_auth_users:\n  alice: $2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"

TEST(passwords_in_clear_are_warned_of)
{
    static const struct {
        const char *file, *web, *warning;
    } cases[] = {
        { "", "{config_file: web.yml}", "" },
        { USERS, "{config_file: web.yml}", "web.config_file: users log in without TLS" },
        { USERS, "{config_file: web.yml, listen_address: ['unix:/run/x', '127.0.0.1:1']}",
          "web.config_file: users log in without TLS" },
        { USERS, "{config_file: web.yml, listen_address: ['unix:/run/x']}", "" },
        { "", "{systemd_socket: true}", "" },
        { USERS, "{config_file: web.yml, listen_address: ['unix:/run/x'], systemd_socket: true}",
          "web.config_file: users log in without TLS" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        CLEANUP(buf_finish) struct buf warnings = { 0 };
        test_file("web.yml", cases[i].file);
        buf_printf(&text, "web: %s\n", cases[i].web);
        struct config *config = load_fine(buf_cstr(&text));
        config_warn(config, &warnings);
        CHECK_CONTAINS(buf_cstr(&warnings), cases[i].warning);
        CHECK_INT(!warnings.length, !*cases[i].warning);
        config_destroy(config);
    }
}

TEST(settings_go_over_the_file_and_later_over_earlier)
{
    static const struct config_setting settings[] = {
        { "log.level", "warn", "DEFENDER_EXPORTER_LOG_LEVEL" },
        { "log.level", "debug", "--log.level" },
        { "collectors.baselines.enabled", "false", "--no-collector.baselines" },
        { "web.listen_address", "127.0.0.1:0,[::1]:0", "--web.listen-address" },
    };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config = load("log: {level: error}\n", settings, ARRAY_COUNT(settings), &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    CHECK_INT(config->log.level, 0);
    CHECK(!config->run[INDEX(baselines)].enabled);
    CHECK_INT(config->web.addresses.count, 2);
    config_destroy(config);
}

TEST(disabled_defaults_leave_only_the_named)
{
    struct config *config = load_fine("collector: {disable_defaults: true}\n"
                                      "collectors: {assessments: {enabled: true}}\n");
    for (size_t i = 0; i < config->sources->count; i++)
        CHECK_INT(config->run[i].enabled, i == INDEX(assessments));
    config_destroy(config);
}

TEST(what_is_off_runs_when_it_is_named)
{
    struct config *config = load_fine("collectors: {exposure: {enabled: true}}\n");
    CHECK(config->run[INDEX(exposure)].enabled);
    CHECK(!config->run[INDEX(mdvm_baselines)].enabled);
    config_destroy(config);
}

TEST(every_mistake_is_named_with_its_line)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "azure:\n  cloud: moon\n", ":2: azure.cloud: " },
        { "azure: {resource_manager: 'http://example.com'}\n", ":1: azure.resource_manager: " },
        { "azure: {authority_host: 'http://example.com'}\n", ":1: azure.authority_host: " },
        { "\ncollectors:\n  nope: {}\n", ":3: collectors.nope: unknown key" },
        { "collectors: {baselines: {source: carrier pigeon}}\n", "collectors.baselines.source: " },
        { "collectors: {baselines: {interval: 5}}\n", "collectors.baselines.interval: " },
        { "subscriptions:\n  exclude_clouds: [moon]\n",
          ":2: subscriptions.exclude_clouds: \"moon\"" },
        { "subscriptions:\n  include_clouds: [aws]\ncollectors: {assessments: {detail: summary}}\n",
          ":2: subscriptions.include_clouds: collectors.assessments.detail: summary is over all" },
        { "subscriptions: {include: [all]}\n", "subscriptions.include: must be subscription ids" },
        { "metrics: {denylist: ['(']}\n", "metrics.denylist: is no regular expression" },
        { "web: {listen_address: nowhere}\n", "web.listen_address: must be host:port" },
        { "web: {listen_address: ':70000'}\n", "a port at most 65535" },
        { "web: {telemetry_path: metrics}\n", "web.telemetry_path: must be a path" },
        { "web: {telemetry_path: /-/reload}\n", "web.telemetry_path: is taken" },
        { "log: {level: loud}\n", "log.level: " },
        { "azure: {method: client_secret, client_id: c}\n", "azure: " },
        { "alerts:\n  tags: [a, A]\n", ":2: alerts.tags: \"A\" stands there twice" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CHECK(!load(cases[i].text, NULL, 0, &report));
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].want);
    }
}

TEST(several_mistakes_are_all_named)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CHECK(
        !load("log:\n  level: loud\n  format: song\nweb:\n  max_requests: -1\n", NULL, 0, &report));
    CHECK_INT(report.count, 3);
}

TEST(what_cannot_be_read_hides_nothing_else)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CHECK(!load("log: {level: loud}\n"
                "azure: {method: carrier_pigeon}\n"
                "tenants: {other: {tenant_id: nonsense}}\n"
                "collectors: {assessments: {colour: blue}}\n"
                "otlp: {headers: nonsense}\n"
                "alerts: {heartbeat: {receiver: nobody}, rules: [/nowhere/x.yml]}\n",
                NULL, 0, &report));
    static const char *const wanted[] = {
        ":1: log.level: ",
        ":2: azure.method: ",
        ":3: tenants.other: ",
        ":4: collectors.assessments.colour: ",
        ": otlp.headers: ",
        ":6: alerts.heartbeat.receiver: no receiver is called nobody",
        ":6: alerts.rules: /nowhere/x.yml: No such file",
    };
    CHECK_INT(report.count, ARRAY_COUNT(wanted));
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        CHECK_CONTAINS(buf_cstr(&report.text), wanted[i]);
    options_report_finish(&report);
    CHECK(!load("azure: {tenant_id: [unclosed\n", NULL, 0, &report));
    CHECK_INT(report.count, 1); /* nothing is known of the rest */
    options_report_finish(&report);
    CHECK(!load("tenants: {'Upper Case': {tenant_id: x}}\nalerts: {audit: {receiver: nobody}}\n",
                NULL, 0, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), ":1: tenants: Upper Case: a name has small letters");
    CHECK_CONTAINS(buf_cstr(&report.text), ":2: alerts.audit.receiver: no receiver");
}

TEST(a_missing_file_is_fine_only_when_nobody_named_it)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config_source source = { .file = "/nonexistent/defender.yml" };
    CHECK(!config_load(&source, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), "/nonexistent/defender.yml: ");
    options_report_finish(&report);
    source.file_may_be_missing = true;
    struct config *config = config_load(&source, &report);
    CHECK(config != NULL);
    CHECK_TEXT(config->file, "");
    config_destroy(config);
}

TEST(prefix_comes_from_the_external_url)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "web: {external_url: 'https://host/defender/'}\n", "/defender" },
        { "web: {external_url: 'https://host'}\n", "" },
        { "web: {external_url: 'https://host/a', route_prefix: /}\n", "" },
        { "web: {route_prefix: b/c/}\n", "/b/c" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct config *config = load_fine(cases[i].text);
        CHECK_TEXT(config->web.route_prefix, cases[i].want);
        config_destroy(config);
    }
}

TEST(the_printed_skeleton_is_a_valid_file)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    options_document(config_options(&arena), &text);
    struct config *config = load_fine(buf_cstr(&text));
    CHECK_INT(config->run[INDEX(assessments)].variant, 0);
    config_destroy(config);
}

TEST(every_key_has_a_help_text)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (const struct option *section = config_options(&arena); section->type; section++) {
        CHECK(section->help != NULL);
        for (const struct option *row = section->section; row->type; row++)
            CHECK(row->help != NULL && row->help[strlen(row->help) - 1] == '.');
    }
}

TEST(alerts_are_compiled_and_checked)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config =
        load_fine("alerts: {receivers: [{name: a, webhook: {url: 'https://x.example/'}}]}\n");
    CHECK_INT(config->settings->receiver_count, 1);
    CHECK(config->rule_families[0]);
    CHECK_TEXT(config->settings->portal, "portal.azure.com");
    config_destroy(config);
    CHECK(!load("log: {level: info}\nalerts:\n  route: {receiver: nobody}\n"
                "  receivers: [{name: a, webhook: {url: 'https://x.example/'}}]\n",
                NULL, 0, &report));
    CHECK_CONTAINS(buf_cstr(&report.text), "config.yml:3: ");
    CHECK_CONTAINS(buf_cstr(&report.text), "nobody");
}

TEST(settings_keep_the_configuration_alive)
{
    struct config *config =
        load_fine("alerts: {receivers: [{name: a, webhook: {url: 'https://x.example/'}}]}\n");
    struct settings *settings = config->settings;
    settings_acquire(settings);
    config_destroy(config);
    CHECK_TEXT(settings->receivers[0].name, "a"); /* still the configuration's */
    CHECK_TEXT(secret_text(&settings->receivers[0].webhook.url), "https://x.example/");
    settings_release(settings);
}
