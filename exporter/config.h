#pragma once
/* The whole configuration: every module's options in one table, read from the file, the
 * environment and the flags. No network, no side effects. */
#include <stdint.h>

#include "alerts/notify/settings.h"
#include "collectors/azure/auth.h"
#include "collectors/run/runner.h"
#include "core/options.h"
#include "exporter/scrape.h"

#define CONFIG_DEFAULT_FILE "/etc/defender_exporter/defender_exporter.yml"

/* The one place that names our port. */
#define WEB_DEFAULT_PORT "9887"

struct config_azure {
    int cloud;  /* row of cloud_table */
    int method; /* enum auth_method */
    const char *tenant_id, *client_id, *federated_token_file, *authority_host, *resource_manager;
    struct secret client_secret;
};
struct config_web {
    struct option_texts addresses;
    const char *telemetry_path, *external_url;
    const char *route_prefix; /* "" or "/prefix" */
    int64_t max_requests;
    bool disable_exporter_metrics, enable_lifecycle;
};
struct config_metrics {
    struct option_texts allow, deny, opt_in;
    int64_t max_series;
};

struct config {
    struct config_azure azure;
    struct {
        int64_t max_staleness_ms;
        bool disable_defaults;
    } collector;
    struct {
        struct option_texts include, exclude;
    } subscriptions;
    struct config_metrics metrics;
    struct config_web web;
    struct {
        int level, format; /* enum log_level, enum log_format */
    } log;
    struct {
        const char *path;
    } storage;
    struct settings_config alerts;
    struct settings *settings; /* alerts, compiled; they keep the configuration alive */
    const struct family *const *rule_families; /* every family a rule may name, ends with NULL */
    const struct option *options;              /* the table; in the arena */
    const char *file;                          /* what was read; "" = nothing */
    uint64_t hash;                             /* of its text */
    struct arena arena;
    struct source_list *sources;
    struct runner_source collectors[]; /* one a source, by its index */
};

/* One value that a flag or an environment variable sets. */
struct config_setting {
    const char *path, *text, *origin; /* "log.level", "debug", "--log.level" */
};

/* Where a configuration comes from; settings go over the file, later ones over earlier ones. */
struct config_source {
    const char *file;
    bool file_may_be_missing;
    const struct config_setting *settings; /* setting_count of them */
    size_t setting_count;
};

/* Read and check everything. NULL when the report got anything. */
struct config *config_load(const struct config_source *source,
                           struct option_report *report) MUST_USE;

/* Let go of it; it lives on as long as somebody uses its settings. NULL is fine. */
void config_destroy(struct config *config);

/* The rows of the whole file, made in the arena. */
const struct option *config_options(struct arena *arena);

/* The row of a dotted path, or NULL. */
const struct option *config_option(const struct option *options, const char *path);

/* The configurations of the modules; texts are borrowed from the configuration. */
struct auth_config config_auth(const struct config *config);
const char *config_resource_manager(const struct config *config);
struct runner_config config_runner(const struct config *config);
struct scrape_config config_scrape(const struct config *config);
