#include "exporter/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/azure/cloud.h"
#include "core/hash.h"
#include "core/http.h"
#include "core/log.h"
#include "core/memory.h"
#include "exporter/series.h"
#include "exporter/web_address.h"

enum { FILE_LIMIT_BYTES = 4 * 1024 * 1024, TIMEOUT_MIN_MS = 60000, TIMEOUT_MAX_MS = 600000 };

/* --- checks of one value -------------------------------------------------------------------- */

static const char *check_url(const void *value)
{
    const char *const *url = value;
    return *url && !http_url_is_safe(*url) ? "must be https://; http:// only for loopback" : NULL;
}

static bool is_guid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++) {
        bool fits = form[i] == 'x' ? isxdigit((unsigned char)text[i]) : text[i] == form[i];
        if (!fits)
            return false;
    }
    return true;
}

static const char *check_subscriptions(const void *value)
{
    const struct option_texts *list = value;
    for (size_t i = 0; i < list->count; i++)
        if (!is_guid(list->texts[i]))
            return "must be subscription ids like 00000000-0000-0000-0000-000000000000";
    return NULL;
}

static const char *check_patterns(const void *value)
{
    const struct option_texts *list = value;
    const char *problem = NULL;
    for (size_t i = 0; i < list->count && !problem; i++)
        problem = series_pattern_problem(list->texts[i]);
    return problem;
}

static const char *check_addresses(const void *value)
{
    const struct option_texts *list = value;
    struct web_address address;
    struct error error;
    for (size_t i = 0; i < list->count; i++)
        if (!web_address_parse(list->texts[i], &address, &error))
            return "must be host:port, [::1]:port or :port";
    return list->count ? NULL : "names no address";
}

static const char *check_telemetry_path(const void *value)
{
    const char *path = *(const char *const *)value;
    if (path[0] != '/' || !path[1] || strpbrk(path, " ?#*%\"<>&"))
        return "must be a path like /metrics";
    return strncmp(path, "/-/", 3) ? NULL : "is taken by the program itself";
}

static const char *check_prefix(const void *value)
{
    const char *path = *(const char *const *)value;
    return path && strpbrk(path, " ?#*%\"<>&") ? "must be a path like /defender" : NULL;
}

/* --- the table ------------------------------------------------------------------------------ */

static const char *const method_words[] = { "auto", "client_secret", "workload_identity",
                                            "managed_identity", NULL };

/* clang-format off */
static const struct option azure_options[] = {
    { "cloud", OPTION_WORD(struct config_azure, cloud), .words = cloud_words,
      .help = "The Azure cloud, which sets the hosts below." },
    { "method", OPTION_WORD(struct config_azure, method), .words = method_words,
      .help = "How to sign in; auto takes what the other keys or the AZURE_* variables allow." },
    { "tenant_id", OPTION_TEXT(struct config_azure, tenant_id),
      .help = "Directory (tenant) id. Default: AZURE_TENANT_ID." },
    { "client_id", OPTION_TEXT(struct config_azure, client_id),
      .help = "Application (client) id, or that of a managed identity. Default: AZURE_CLIENT_ID." },
    { "client_secret", OPTION_SECRET(struct config_azure, client_secret),
      .help = "Secret of the application. Default: AZURE_CLIENT_SECRET." },
    { "federated_token_file", OPTION_PATH(struct config_azure, federated_token_file),
      .help = "Token of a workload identity. Default: AZURE_FEDERATED_TOKEN_FILE." },
    { "authority_host", OPTION_URL(struct config_azure, authority_host),
      .check = check_url,
      .help = "Where tokens come from. Default: AZURE_AUTHORITY_HOST, or the cloud's." },
    { "resource_manager", OPTION_URL(struct config_azure, resource_manager),
      .check = check_url, .help = "Azure Resource Manager. Default: the cloud's." },
    { 0 }
};

static const struct option collector_options[] = {
    { "max_staleness", OPTION_DURATION(struct config, collector.max_staleness_ms),
      .otherwise = "0s", .min = 0, .max = 30 * 86400e3,
      .help = "How long the last good data of a failing collector is shown; 0s means three "
              "intervals." },
    { "disable_defaults", OPTION_BOOL(struct config, collector.disable_defaults),
      .otherwise = "false", .help = "Run only the collectors that are enabled by name." },
    { 0 }
};

static const struct option subscription_options[] = {
    { "include", OPTION_TEXT_LIST(struct config, subscriptions.include),
      .check = check_subscriptions,
      .help = "Only these subscription ids. Default: all that are readable." },
    { "exclude", OPTION_TEXT_LIST(struct config, subscriptions.exclude),
      .check = check_subscriptions, .help = "Never these subscription ids." },
    { 0 }
};

static const struct option metrics_options[] = {
    { "allowlist", OPTION_TEXT_LIST(struct config_metrics, allow),
      .check = check_patterns,
      .help = "Regular expressions; only metrics whose whole name matches one are exposed." },
    { "denylist", OPTION_TEXT_LIST(struct config_metrics, deny), .check = check_patterns,
      .help = "Regular expressions; metrics whose whole name matches one are not exposed." },
    { "opt_in_list", OPTION_TEXT_LIST(struct config_metrics, opt_in),
      .check = check_patterns,
      .help = "Regular expressions; metrics of level 2 and 3 whose whole name matches one are "
              "exposed." },
    { "max_series", OPTION_INTEGER(struct config_metrics, max_series),
      .otherwise = "200000", .min = 0, .max = 10e6,
      .help = "Most series of an exposition; the highest levels are left out first. 0 means no "
              "limit." },
    { 0 }
};

static const struct option web_options[] = {
    { "listen_address", OPTION_TEXT_LIST(struct config_web, addresses),
      .otherwise = ":" WEB_DEFAULT_PORT, .check = check_addresses,
      .help = "Addresses to listen on: host:port, [::1]:port or :port." },
    { "telemetry_path", OPTION_TEXT(struct config_web, telemetry_path),
      .otherwise = "/metrics", .check = check_telemetry_path, .help = "Path of the metrics." },
    { "max_requests", OPTION_INTEGER(struct config_web, max_requests),
      .otherwise = "40", .min = 0, .max = 100000,
      .help = "Most scrapes at the same time. 0 means no limit." },
    { "disable_exporter_metrics", OPTION_BOOL(struct config_web, disable_exporter_metrics),
      .otherwise = "false", .help = "Leave out process_* and the web server's own metrics." },
    { "external_url", OPTION_URL(struct config_web, external_url),
      .help = "The URL under which others reach this program, for example through a proxy." },
    { "route_prefix", OPTION_TEXT(struct config_web, route_prefix),
      .check = check_prefix,
      .help = "Path before every route. Default: the path of external_url." },
    { "enable_lifecycle", OPTION_BOOL(struct config_web, enable_lifecycle),
      .otherwise = "false", .help = "Allow POST /-/reload and /-/quit." },
    { 0 }
};

static const struct option log_options[] = {
    { "level", OPTION_WORD(struct config, log.level), .otherwise = "info",
      .words = log_level_words, .help = "The least important lines to write." },
    { "format", OPTION_WORD(struct config, log.format), .otherwise = "logfmt",
      .words = log_format_words, .help = "How lines are written." },
    { 0 }
};

static const struct option storage_options[] = {
    { "path", OPTION_PATH(struct config, storage.path),
      .otherwise = "/var/lib/defender_exporter",
      .help = "Folder for what is kept between runs." },
    { 0 }
};

/* The rows of one collector but for its source, whose words each has of its own. */
static const struct option one_collector_options[] = {
    { "enabled", OPTION_BOOL(struct runner_source, enabled), .otherwise = "true",
      .help = "Whether it runs." },
    { "interval", OPTION_DURATION(struct runner_source, interval_ms),
      .min = 1000, .max = 30 * 86400e3, .help = "Time between two collections." },
    { "timeout", OPTION_DURATION(struct runner_source, timeout_ms),
      .min = 100, .max = 86400e3,
      .help = "Longest time of a collection. Default: the interval, between 1m and 10m." },
    { "source", OPTION_WORD(struct runner_source, variant),
      .help = "Where the rows come from." },
};
/* clang-format on */

static const struct option section_rows[] = {
    { "azure", OPTION_SECTION(struct config, azure), .section = azure_options,
      .help = "How to reach Azure." },
    { "collectors", OPTION_GROUP, .help = "What to collect." },
    { "collector", OPTION_GROUP, .section = collector_options,
      .help = "What holds for all collectors." },
    { "subscriptions", OPTION_GROUP, .section = subscription_options,
      .help = "Which subscriptions to look at." },
    { "metrics", OPTION_SECTION(struct config, metrics), .section = metrics_options,
      .help = "Which metrics to expose." },
    { "web", OPTION_SECTION(struct config, web), .section = web_options,
      .help = "The web server. Changes need a restart." },
    { "log", OPTION_GROUP, .section = log_options, .help = "Lines on standard error." },
    { "storage", OPTION_GROUP, .section = storage_options, .help = "What is kept between runs." },
    { "alerts", OPTION_SECTION(struct config, alerts), .section = settings_options,
      OPTION_LINE(struct config, alerts.line),
      .help = "Whom to tell of what. Findings are remembered in any case." },
};

static const struct option *collector_rows(const struct collector *collector, struct arena *arena)
{
    enum { ROWS = ARRAY_COUNT(one_collector_options) };
    struct option *rows = arena_zalloc(arena, (ROWS + 1) * sizeof *rows);
    memcpy(rows, one_collector_options, sizeof one_collector_options);
    const char **words = arena_zalloc(arena, (COLLECTOR_VARIANTS_MAX + 1) * sizeof *words);
    for (size_t i = 0; i < COLLECTOR_VARIANTS_MAX; i++)
        words[i] = collector->variants[i].name;
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].type == OPTION_TYPE_WORD)
            rows[i].words = words;
        if (rows[i].offset == offsetof(struct runner_source, interval_ms))
            rows[i].otherwise = collector->default_interval;
    }
    return rows;
}

const struct option *config_options(struct arena *arena)
{
    enum { SECTIONS = ARRAY_COUNT(section_rows) };
    struct option *sections = arena_zalloc(arena, (SECTIONS + 1) * sizeof *sections);
    struct source_list *sources = source_list_of(collector_kinds);
    struct option *each = arena_zalloc(arena, (sources->count + 1) * sizeof *each);
    memcpy(sections, section_rows, sizeof section_rows);
    for (size_t i = 0; i < sources->count; i++) {
        const struct collector *collector = sources->sources[i].collector;
        each[i] = (struct option){
            .name = collector->name,
            .type = OPTION_TYPE_SECTION,
            .offset = offsetof(struct config, collectors) + i * sizeof(struct runner_source),
            .section = collector_rows(collector, arena),
            .help = collector->help,
        };
    }
    source_list_release(sources);
    for (size_t i = 0; i < SECTIONS; i++)
        if (!sections[i].section)
            sections[i].section = each;
    return sections;
}

const struct option *config_option(const struct option *options, const char *path)
{
    for (; options->type != OPTION_END; options++) {
        size_t length = strlen(options->name);
        if (strncmp(options->name, path, length))
            continue;
        if (!path[length])
            return options;
        if (path[length] == '.' && options->section)
            return config_option(options->section, path + length + 1);
    }
    return NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

/* The file's text, at most the limit and one byte more. 0, or the reason. */
static int read_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno;
    buf_reserve(out, FILE_LIMIT_BYTES + 1);
    errno = 0;
    out->length = fread(out->data, 1, FILE_LIMIT_BYTES + 1, file);
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    return reason;
}

/* Defaults, then the file, then the settings. */
static void fill(const struct config_source *source, const struct buf *text, bool enabled,
                 struct config *config, struct option_report *report)
{
    options_default(config->options, config, &config->arena);
    for (size_t i = 0; i < config->sources->count; i++)
        config->collectors[i].enabled = enabled;
    if (*config->file && !options_read(config->options, config->file, text->data, text->length,
                                       config, &config->arena, report))
        return;
    for (size_t i = 0; i < source->setting_count; i++) {
        const struct config_setting *one = &source->settings[i];
        if (!options_set(config->options, one->path, one->text, one->origin, config, &config->arena,
                         report))
            continue; /* the report has it; look at the others too */
    }
}

/* The path of a URL or a prefix as typed: "" or "/a/b". */
static const char *normal_prefix(const char *text, struct arena *arena)
{
    const char *scheme = strstr(text, "://");
    const char *path = scheme ? strchr(scheme + 3, '/') : text;
    size_t length = path ? strlen(path) : 0;
    while (length && path[length - 1] == '/')
        length--;
    if (!length)
        return "";
    CLEANUP(buf_finish) struct buf prefix = { 0 };
    buf_text(&prefix, *path == '/' ? "" : "/");
    buf_append(&prefix, path, length);
    return arena_text(arena, prefix.data);
}

static void lower(struct option_texts *list, struct arena *arena)
{
    for (size_t i = 0; i < list->count; i++) {
        char *text = arena_text(arena, list->texts[i]);
        for (char *c = text; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        list->texts[i] = text;
    }
}

/* What is derived from other keys. */
static void complete(struct config *config)
{
    for (size_t i = 0; i < config->sources->count; i++) {
        struct runner_source *one = &config->collectors[i];
        if (!one->timeout_ms)
            one->timeout_ms = one->interval_ms < TIMEOUT_MIN_MS   ? TIMEOUT_MIN_MS
                              : one->interval_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS
                                                                  : one->interval_ms;
    }
    const char *prefix = config->web.route_prefix;
    if (!prefix)
        prefix = config->web.external_url ? config->web.external_url : "";
    config->web.route_prefix = normal_prefix(prefix, &config->arena);
    lower(&config->subscriptions.include, &config->arena);
    lower(&config->subscriptions.exclude, &config->arena);
}

/* An environment variable stands between the key and the cloud's default. */
static const char *first_of(const char *key, const char *variable, const char *otherwise)
{
    const char *value = variable ? getenv(variable) : NULL;
    return key ? key : value && *value ? value : otherwise;
}

/* Whether somebody could sign in with this at all. */
static void check_auth(const struct config *config, struct option_report *report)
{
    struct error error;
    struct auth_config wanted = config_auth(config);
    struct metric_store *metrics = metric_store_create();
    struct auth *auth = auth_create(&wanted, metrics, &error);
    if (!auth)
        options_complain(report, *config->file ? config->file : "configuration", 0, "azure", "%s",
                         error.message);
    auth_destroy(auth);
    metric_store_destroy(metrics);
}

static void free_config(void *owner);

/* Everything below `alerts`, with its rule files. */
static void compile_alerts(struct config *config, struct option_report *report)
{
    const struct family *const *families =
        series_list_families(config->sources, settings_family_lists, &config->arena);
    config->rule_families = families;
    const struct settings_context context = {
        .file = *config->file ? config->file : "configuration",
        .tenant_id = first_of(config->azure.tenant_id, "AZURE_TENANT_ID", ""),
        .portal = cloud_table[config->azure.cloud].portal,
        .external_url = config->web.external_url,
        .max_staleness_s = config->collector.max_staleness_ms / 1000,
        .families = families,
        .release = free_config,
        .owner = config,
    };
    config->settings = settings_create(&config->alerts, &context, report);
}

static void forget(struct config *config)
{
    if (config->options)
        options_finish(config->options, config);
    arena_finish(&config->arena);
    source_list_release(config->sources);
    *config = (struct config){ 0 };
}

static void begin(struct config *config, const char *file)
{
    config->sources = source_list_of(collector_kinds);
    config->options = config_options(&config->arena);
    config->file = arena_text(&config->arena, file);
}

/* Room for how each built-in collector is run. */
static size_t collectors_bytes(void)
{
    size_t count = 0;
    while (collector_kinds[count])
        count++;
    return count * sizeof(struct runner_source);
}

struct config *config_load(const struct config_source *source, struct option_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int reason = read_file(source->file, &text);
    bool missing = reason == ENOENT && source->file_may_be_missing;
    if (reason && !missing) {
        options_complain(report, source->file, 0, "", "%s", strerror(reason));
        return NULL;
    }
    struct config *config = memory_array(1, sizeof *config + collectors_bytes());
    begin(config, missing ? "" : source->file);
    fill(source, &text, true, config, report);
    if (!report->count && config->collector.disable_defaults) {
        forget(config);
        begin(config, missing ? "" : source->file);
        fill(source, &text, false, config, report);
    }
    if (!report->count) {
        complete(config);
        check_auth(config, report);
        compile_alerts(config, report);
        config->hash = hash_bytes(text.data, text.length);
    }
    if (text.data)
        explicit_bzero(text.data, text.length);
    if (!report->count)
        return config;
    config_destroy(config);
    return NULL;
}

static void free_config(void *owner)
{
    forget(owner);
    free(owner);
}

void config_destroy(struct config *config)
{
    if (config && config->settings)
        settings_release(config->settings); /* the last one frees the configuration */
    else if (config)
        free_config(config);
}

/* --- for the modules ------------------------------------------------------------------------ */

struct auth_config config_auth(const struct config *config)
{
    const struct config_azure *azure = &config->azure;
    const struct cloud *cloud = &cloud_table[azure->cloud];
    return (struct auth_config){
        .method = (enum auth_method)azure->method,
        .tenant_id = azure->tenant_id,
        .client_id = azure->client_id,
        .client_secret = secret_text(&azure->client_secret),
        .federated_token_file = azure->federated_token_file,
        .authority_host =
            first_of(azure->authority_host, "AZURE_AUTHORITY_HOST", cloud->authority_host),
        .audience = cloud->audience,
    };
}

const char *config_resource_manager(const struct config *config)
{
    return first_of(config->azure.resource_manager, NULL,
                    cloud_table[config->azure.cloud].resource_manager);
}

struct runner_config config_runner(const struct config *config)
{
    return (struct runner_config){
        .sources = config->sources,
        .settings = config->collectors,
        .max_staleness_ms = config->collector.max_staleness_ms,
        .include = config->subscriptions.include.texts,
        .include_count = config->subscriptions.include.count,
        .exclude = config->subscriptions.exclude.texts,
        .exclude_count = config->subscriptions.exclude.count,
        .storage_path = config->storage.path,
    };
}

static struct series_texts texts_of(const struct option_texts *list)
{
    return (struct series_texts){ list->texts, list->count };
}

struct scrape_config config_scrape(const struct config *config)
{
    return (struct scrape_config){
        .series = { .allow = texts_of(&config->metrics.allow),
                    .deny = texts_of(&config->metrics.deny),
                    .opt_in = texts_of(&config->metrics.opt_in),
                    .max_series = (size_t)config->metrics.max_series },
        .without_process = config->web.disable_exporter_metrics,
    };
}
