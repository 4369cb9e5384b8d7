#pragma once
/* The whole configuration: every module's options in one table, read from the file, the
 * environment and the flags. No network, no side effects. */
#include <stdint.h>

#include "alerts/notify/settings.h"
#include "collectors/azure/auth.h"
#include "collectors/custom_config.h"
#include "collectors/run/runner.h"
#include "core/log.h"
#include "core/options.h"
#include "exporter/otlp/otlp_config.h"
#include "exporter/scrape.h"
#include "exporter/web/web_config.h"

#define CONFIG_DEFAULT_FILE "/etc/defender_exporter/defender_exporter.yml"

struct config {
    struct auth_config azure;
    struct option_items tenants; /* struct auth_config: those besides `azure` */
    struct runner_common collector;
    struct scope_config subscriptions;
    struct series_config metrics;
    struct web_config web;
    struct option_pairs logins; /* names of the users of its configuration file */
    bool encrypted;             /* by its configuration file */
    struct log_config log;
    struct {
        const char *path;
    } storage;
    struct otlp_config otlp;
    struct settings_config alerts;
    struct settings *settings; /* alerts, compiled; they keep the configuration alive */
    const struct family *const *rule_families; /* every family a rule may name, ends with NULL */
    const struct option *options;              /* the table; in the arena */
    const char *file;                          /* what was read; "" = nothing */
    uint64_t hash; /* of all that runs: keys, flags, rule files; may be seen */
    struct arena arena;
    bool collectors_wrong;      /* part of them could not be read */
    struct option_items custom; /* struct custom_config: the operator's own queries */
    struct source_list *sources;
    struct runner_source *run;         /* how each source is run, by its index; in the arena */
    struct runner_source collectors[]; /* as they are read, one a built-in collector */
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
    const struct source_list *running; /* own queries that are as they were there stay as they are,
                                          with what they know; NULL = none */
};

/* Read and check everything. NULL when the report got anything. */
struct config *config_load(const struct config_source *source,
                           struct option_report *report) MUST_USE;

/* How to sign in to a tenant: `azure` is the first, then those of `tenants`. */
size_t config_tenant_count(const struct config *config);
const struct auth_config *config_tenant(const struct config *config, size_t number);

/* The number of the tenant a source asks. */
size_t config_tenant_of(const struct config *config, const struct source *source);

/* Append who can write, in a line. */
void config_writers(const struct config *config, struct buf *out);

/* Append a line for whatever is valid and will not do what it seems to. */
void config_warn(const struct config *config, struct buf *out);

/* Let go of it; it lives on as long as somebody uses its settings. NULL is fine. */
void config_destroy(struct config *config);

/* The rows of the whole file, made in the arena. */
const struct option *config_options(struct arena *arena);

/* The row of a dotted path, or NULL. */
const struct option *config_option(const struct option *options, const char *path);

/* The configurations of the modules; texts are borrowed from the configuration. */
struct runner_config config_runner(const struct config *config);
struct scrape_config config_scrape(const struct config *config);
