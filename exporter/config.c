#include "exporter/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/azure/cloud.h"
#include "core/memory.h"
#include "core/near.h"
#include "exporter/series.h"
#include "exporter/storage.h"
#include "exporter/web/admission.h"
#include "exporter/web/gate.h"

enum { TENANTS_MAX = 64, TENANT_NAME_MAX = 32 };

/* --- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct option storage_options[] = {
    { "path", OPTION_PATH(struct config, storage.path), .restart = true,
      .help = "Folder for what is kept between runs. Default: $STATE_DIRECTORY of a service, "
              STORAGE_SYSTEM " for root, where it can be written or has a database, else "
              "$XDG_STATE_HOME/defender_exporter or ~/.local/state/defender_exporter." },
    { 0 }
};
/* clang-format on */

/* The last of `collectors`, behind those that are built in. */
static const struct option custom_row = { "custom",
                                          OPTION_ITEMS(struct config, custom, struct custom_config),
                                          .section = custom_config_options,
                                          .help = "Queries of your own." };

static const struct option section_rows[] = {
    { "azure", OPTION_SECTION(struct config, azure), .section = auth_config_options,
      OPTION_WRONG(struct config, azure.wrong), .help = "How to reach Azure." },
    { "tenants", OPTION_NAMED(struct config, tenants, struct auth_config),
      .section = auth_config_options, OPTION_WRONG(struct auth_config, wrong),
      .help = "More tenants, each by a name of yours: what `azure` has, with its own tenant_id." },
    { "collectors", OPTION_GROUP, OPTION_WRONG(struct config, collectors_wrong),
      .help = "What to collect." }, /* the section: config_options */
    { "collector", OPTION_SECTION(struct config, collector), .section = runner_common_options,
      .help = "What holds for all collectors." },
    { "subscriptions", OPTION_SECTION(struct config, subscriptions), .section = scope_options,
      .help = "Which subscriptions to look at." },
    { "metrics", OPTION_SECTION(struct config, metrics), .section = series_options,
      .help = "Which metrics to expose." },
    { "web", OPTION_SECTION(struct config, web), .section = web_config_options,
      OPTION_WRONG(struct config, web.wrong), .help = "The web server." },
    { "log", OPTION_SECTION(struct config, log), .section = log_options,
      .help = "Lines on standard error." },
    { "storage", OPTION_GROUP, .section = storage_options, .help = "What is kept between runs." },
    { "otlp", OPTION_SECTION(struct config, otlp), .section = otlp_options,
      .help = "Where metrics and logs are pushed to by the OpenTelemetry Protocol." },
    { "alerts", OPTION_SECTION(struct config, alerts), .section = settings_options,
      OPTION_WRONG(struct config, alerts.wrong),
      .help = "Whom to tell of what. Findings are remembered in any case." },
};

const struct option *config_options(struct arena *arena)
{
    enum { SECTIONS = ARRAY_COUNT(section_rows) };
    struct option *sections = arena_zalloc(arena, (SECTIONS + 1) * sizeof *sections);
    struct source_list *sources = source_list_of(collector_kinds);
    struct option *each = arena_zalloc(arena, (sources->count + 2) * sizeof *each);
    memcpy(sections, section_rows, sizeof section_rows);
    for (size_t i = 0; i < sources->count; i++) {
        const struct collector *collector = sources->sources[i].collector;
        each[i] = (struct option){
            .name = collector->name,
            .type = OPTION_TYPE_SECTION,
            .offset = offsetof(struct config, collectors) + i * sizeof(struct runner_source),
            .section = runner_source_options(collector, arena),
            .help = collector->help,
        };
    }
    each[sources->count] = custom_row;
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

/* Defaults, then the file, then the settings. False when nothing can be said of the whole. */
static bool fill(const struct config_source *source, const struct buf *text, bool enabled,
                 struct config *config, struct option_report *report)
{
    options_default(config->options, config, &config->arena);
    for (size_t i = 0; i < config->sources->count; i++)
        config->collectors[i].enabled = enabled && !config->sources->sources[i].collector->off;
    if (*config->file &&
        !options_read(config->options, config->file, text->data, text->length, config,
                      &config->arena, report) &&
        report->unread)
        return false;
    size_t reasons = report->count;
    for (size_t i = 0; i < source->setting_count; i++) {
        const struct config_setting *one = &source->settings[i];
        if (!options_set(config->options, one->path, one->text, one->origin, config, &config->arena,
                         report))
            continue; /* the report has it; look at the others too */
    }
    return report->count == reasons;
}

/* --- sources -------------------------------------------------------------------------------- */

size_t config_tenant_count(const struct config *config)
{
    return 1 + config->tenants.count;
}

const struct auth_config *config_tenant(const struct config *config, size_t number)
{
    const struct auth_config *others = config->tenants.items;
    return number ? &others[number - 1] : &config->azure;
}

size_t config_tenant_of(const struct config *config, const struct source *source)
{
    for (size_t i = 1; i < config_tenant_count(config) && *source->tenant; i++)
        if (!strcasecmp(source->tenant, auth_config_tenant_id(config_tenant(config, i))))
            return i;
    return 0;
}

/* How the collectors of this configuration are run, the operator's own queries last. */
struct kind {
    const struct collector *collector;
    struct runner_source run;
};

/* A collector that asks a tenant. What asks the first keeps the name and the key it has where there
 * is but one. */
static struct source source_for(struct config *config, const struct collector *collector,
                                size_t number)
{
    const struct auth_config *tenant = config_tenant(config, number);
    const char *id = auth_config_tenant_id(tenant), *name = collector->name;
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (!number)
        return (struct source){ collector, "", name, name, 0, NULL, id, "" };
    const char *portal = strstr(cloud_table[tenant->cloud].portal, "://");
    buf_printf(&key, "%s.%s", name, tenant->name);
    struct source source = { .collector = collector, .tenant = id, .tenant_id = id };
    source.key = arena_text(&config->arena, buf_cstr(&key));
    buf_reset(&key);
    buf_printf(&key, "%s@%s", name, tenant->name);
    source.name = arena_text(&config->arena, buf_cstr(&key));
    source.portal = portal ? portal + 3 : "";
    return source;
}

/* Every collector asks every tenant. */
static void make_sources(struct config *config, const struct kind *kinds, size_t count)
{
    size_t tenants = config_tenant_count(config), total = 0;
    struct source *all = MEMORY_ARRAY(struct source, count * tenants);
    for (size_t i = 0; i < count; i++)
        for (size_t number = 0; number < tenants; number++)
            all[total++] = source_for(config, kinds[i].collector, number);
    struct source_list *list = source_list_create(all, total);
    source_list_release(config->sources);
    config->sources = list;
    config->run = arena_zalloc(&config->arena, (total + 1) * sizeof *config->run);
    for (size_t i = 0; i < total; i++)
        for (size_t j = 0; j < count; j++)
            if (list->sources[i].collector == kinds[j].collector)
                config->run[i] = kinds[j].run;
    free(all);
}

/* The built-in collectors and the operator's queries, which rules may name from here on. */
static void add_sources(const struct config_source *source, struct config *config,
                        struct option_report *report)
{
    const struct collector *made[CUSTOM_CONFIG_QUERIES_MAX];
    const char *file = *config->file ? config->file : "configuration";
    const struct custom_config *queries = config->custom.items;
    size_t built_in = config->sources->count;
    size_t count = custom_config_make(&config->custom, source->running, file, made, report);
    struct kind *kinds = MEMORY_ARRAY(struct kind, built_in + count);
    for (size_t i = 0; i < built_in; i++)
        kinds[i] = (struct kind){ config->sources->sources[i].collector, config->collectors[i] };
    for (size_t i = 0; i < count; i++)
        /* in the order they are written; with a report there may be fewer, and nothing runs */
        kinds[built_in + i] = (struct kind){ made[i],
                                             { .enabled = queries[i].enabled,
                                               .interval_ms = queries[i].interval_ms,
                                               .timeout_ms = queries[i].timeout_ms } };
    make_sources(config, kinds, built_in + count);
    for (size_t i = 0; i < count; i++)
        collector_release(made[i]); /* the list holds it */
    free(kinds);
}

/* What is derived from other keys. */
static void complete(struct config *config)
{
    if (!config->storage.path)
        config->storage.path = storage_default(&config->arena);
    web_config_complete(&config->web, &config->arena);
    if (!config->run)
        return; /* what to collect could not be read */
    for (size_t i = 0; i < config->sources->count; i++)
        if (config->sources->sources[i].collector->asks_for_tags && !config->alerts.tags.count)
            config->run[i].enabled = false; /* there is nothing to ask for */
    runner_complete(config->run, config->sources->count);
}

/* A summary tells recommendations over all clouds. */
static void check_clouds(const struct config *config, const char *file,
                         struct option_report *report)
{
    const struct scope_config *scope = &config->subscriptions;
    bool included = scope->include_clouds.count > 0;
    for (size_t i = 0; config->run && scope_clouds_left(scope) && i < config->sources->count; i++) {
        const struct source *source = &config->sources->sources[i];
        const struct collector *collector = source->collector;
        if (collector->variants[runner_variant(&config->run[i], source)].summary)
            options_complain(
                report, file,
                options_line(included ? &scope->include_clouds : &scope->exclude_clouds, 0),
                included ? "subscriptions.include_clouds" : "subscriptions.exclude_clouds",
                "collectors.%s.detail: summary is over all clouds: choose rows", source->name);
    }
}

static bool is_guid(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                    : !isxdigit((unsigned char)text[i]))
            return false;
    return length == 36;
}

/* What is wrong with a tenant at all, or NULL. */
static const char *tenant_fault(const struct config *config, size_t number, struct error *error)
{
    const struct auth_config *tenant = config_tenant(config, number);
    const char *id = auth_config_tenant_id(tenant);
    struct metric_store *metrics = metric_store_create();
    struct auth *auth = auth_create(tenant, metrics, error);
    bool usable = auth != NULL;
    auth_destroy(auth);
    metric_store_destroy(metrics);
    if (!usable)
        return error->message;
    if (number && !is_guid(id))
        return "tenant_id must be the id of the tenant, a GUID";
    for (size_t i = 0; i < number; i++)
        if (*id && !strcasecmp(id, auth_config_tenant_id(config_tenant(config, i))))
            return "its tenant_id is that of another: each tenant is asked once";
    return NULL;
}

/* Whether somebody could sign in with this at all. */
static void check_tenants(const struct config *config, struct option_report *report)
{
    for (size_t i = 0; i < config_tenant_count(config); i++) {
        const struct auth_config *tenant = config_tenant(config, i);
        if (tenant->wrong)
            continue; /* in the report already */
        char path[100] = "azure";
        struct error error;
        const char *fault = tenant_fault(config, i, &error);
        if (i)
            snprintf(path, sizeof path, "tenants.%.80s", tenant->name);
        if (fault)
            options_complain(report, *config->file ? config->file : "configuration", tenant->line,
                             path, "%s", fault);
    }
}

/* Names of tenants are part of keys of sources. */
static void check_tenant_names(const struct config *config, struct option_report *report)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    const struct auth_config *tenants = config->tenants.items;
    const char *file = *config->file ? config->file : "configuration";
    if (config->tenants.count > TENANTS_MAX)
        options_complain(report, file, 0, "tenants", "at most %d", TENANTS_MAX);
    for (size_t i = 0; i < config->tenants.count; i++) {
        size_t length = strlen(tenants[i].name);
        if (length > TENANT_NAME_MAX || strspn(tenants[i].name, letters) != length)
            options_complain(report, file, tenants[i].line, "tenants",
                             "%.64s: a name has small letters, digits, - and _, at most %d",
                             tenants[i].name, TENANT_NAME_MAX);
    }
}

/* Check the web configuration file. Its users are who can log in; none = nobody has to. */
static bool read_logins(struct config *config, struct option_report *report)
{
    if (!config->web.config_file)
        return !config->web.wrong;
    struct toolkit *toolkit = admission_read(config->web.config_file, report);
    if (!toolkit)
        return false;
    const struct option_pairs *users = &toolkit->users;
    config->encrypted = toolkit->tls.enabled;
    config->logins.pairs = arena_zalloc(&config->arena, (users->count + 1) * sizeof *users->pairs);
    for (; config->logins.count < users->count; config->logins.count++)
        config->logins.pairs[config->logins.count].name =
            arena_text(&config->arena, users->pairs[config->logins.count].name);
    toolkit_destroy(toolkit);
    return true;
}

/* A right is that of somebody who can log in. */
static void check_users(const struct config *config, struct option_report *report)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct option_pairs *logins = &config->logins, *users = &config->web.users;
    const char **names = arena_zalloc(&arena, (logins->count + 1) * sizeof *names);
    for (size_t i = 0; i < logins->count; i++)
        names[i] = logins->pairs[i].name;
    for (size_t i = 0; i < users->count; i++) {
        CLEANUP(buf_finish) struct buf near = { 0 };
        size_t at = 0;
        while (names[at] && strcmp(names[at], users->pairs[i].name) != 0)
            at++;
        if (names[at])
            continue;
        near_append(users->pairs[i].name, names, &near);
        options_complain(report, *config->file ? config->file : "configuration",
                         users->pairs[i].line, "web.users",
                         "%s is no user of the web configuration file%s", users->pairs[i].name,
                         buf_cstr(&near));
    }
}

void config_writers(const struct config *config, struct buf *out)
{
    gate_describe(&config->web, config->logins.count > 0, out);
}

static void free_config(void *owner);

/* Everything below `alerts`, with its rule files. */
static void compile_alerts(struct config *config, bool knows_families, struct option_report *report)
{
    const struct family *const *families =
        series_list_families(config->sources, settings_family_lists, &config->arena);
    config->rule_families = families;
    const struct settings_context context = {
        .file = *config->file ? config->file : "configuration",
        .config_file = strcmp(config->file, CONFIG_DEFAULT_FILE) != 0 ? config->file : "",
        .tenant_id = auth_config_tenant_id(&config->azure),
        .portal = cloud_table[config->azure.cloud].portal,
        .external_url = config->web.external_url,
        .families = knows_families ? families : NULL,
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
    for (const struct collector *const *one = collector_kinds; *one; one++)
        count++;
    return count * sizeof(struct runner_source);
}

/* Whatever makes the program do something else: keys of the file, flags and variables over them,
 * and the files it names. */
static void hash_config(struct config *config)
{
    if (config->settings)
        config->hash = options_hash_join(options_hash(config->options, config, OPTIONS_HASH_SHOWN),
                                         rule_hash(config->settings->rules));
    for (size_t i = 0; i < config->sources->count; i++) {
        const struct custom *custom = custom_of(config->sources->sources[i].collector);
        if (custom)
            config->hash = options_hash_join(config->hash, custom->hash);
    }
}

/* All that holds between the values. What could not be read hides nothing that is wrong beside it.
 */
static void check(const struct config_source *source, struct config *config,
                  struct option_report *report)
{
    const char *file = *config->file ? config->file : "configuration";
    size_t reasons = report->count;
    check_tenant_names(config, report);
    bool knows_families = !config->collectors_wrong && report->count == reasons;
    if (knows_families)
        add_sources(source, config, report);
    knows_families &= report->count == reasons;
    complete(config);
    check_clouds(config, file, report);
    check_tenants(config, report);
    if (read_logins(config, report))
        check_users(config, report);
    compile_alerts(config, knows_families, report);
    otlp_config_check(&config->otlp, file, report);
    if (!report->count)
        hash_config(config);
}

struct config *config_load(const struct config_source *source, struct option_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int reason = options_file(source->file, &text);
    bool missing = reason == ENOENT && source->file_may_be_missing;
    if (reason && !missing) {
        options_complain(report, source->file, 0, "", "%s", strerror(reason));
        return NULL;
    }
    struct config *config = memory_array(1, sizeof *config + collectors_bytes());
    begin(config, missing ? "" : source->file);
    bool readable = fill(source, &text, true, config, report);
    if (!report->count && config->collector.disable_defaults) {
        forget(config);
        begin(config, missing ? "" : source->file);
        readable = fill(source, &text, false, config, report);
    }
    if (readable)
        check(source, config, report);
    if (text.data)
        explicit_bzero(text.data, text.length);
    if (!report->count)
        return config;
    config_destroy(config);
    return NULL;
}

/* Whether anybody but the permissions of a file stands between us and who comes in. */
static bool has_network(const struct config *config)
{
    const struct option_texts *addresses = &config->web.addresses;
    bool found = config->web.systemd_socket;
    for (size_t i = 0; i < addresses->count; i++)
        found |= strncmp(addresses->texts[i], "unix:", 5) != 0;
    return found;
}

void config_warn(const struct config *config, struct buf *out)
{
    if (config->logins.count && !config->encrypted && has_network(config))
        buf_printf(out,
                   "web.config_file: users log in without TLS, so whoever is on the way can read "
                   "their passwords; tls_server_config in %s encrypts them\n",
                   config->web.config_file);
    const char *waiting = config->settings->risk_waiting;
    if (*rule_unmatched(config->settings->rules))
        buf_printf(out, "alerts.rules: no file matches %s\n",
                   rule_unmatched(config->settings->rules));
    for (size_t i = 0; i < config->sources->count; i++) {
        const struct source *source = &config->sources->sources[i];
        const struct runner_source *settings = &config->run[i];
        int number = runner_variant(settings, source);
        const struct variant *variant = &source->collector->variants[number];
        if (*waiting && settings->enabled && source->collector->rated && variant->without_risk &&
            config->collector.risk_when_missing == RUNNER_RISK_NOT_EVALUATED)
            buf_printf(out,
                       "collectors.%s.source: %s tells no risk level, so rules that wait for one "
                       "never fire: %s; collector.risk_when_missing: severity takes the level of "
                       "the severity\n",
                       source->name, variant->name, waiting);
        if (settings->enabled && variant->summary)
            buf_printf(out,
                       "collectors.%s.detail: a summary tells no findings: rules about them never "
                       "fire, and what is open in the ledger stays as it is\n",
                       source->name);
        if (settings->enabled && variant->summary &&
            config->collector.risk_when_missing == RUNNER_RISK_SEVERITY)
            buf_printf(out,
                       "collectors.%s.detail: a summary has Azure's own risk levels: "
                       "collector.risk_when_missing: severity changes none of them\n",
                       source->name);
        if (source->collector->asks_for_tags && config->alerts.tags.count && !settings->enabled)
            buf_printf(out,
                       "alerts.tags: the collector %s is off, so no alert has the label of a tag\n",
                       source->name);
        if (source->collector->tells_owners && config->alerts.governance_owner &&
            !settings->enabled)
            buf_printf(out,
                       "alerts.governance_owner: the collector %s is off, so no alert has an "
                       "owner\n",
                       source->name);
    }
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

struct runner_config config_runner(const struct config *config)
{
    return (struct runner_config){
        .sources = config->sources,
        .settings = config->run,
        .common = config->collector,
        .scope = config->subscriptions,
        .tags = config->alerts.tags,
        .callers = config->alerts.callers,
        .storage_path = config->storage.path,
    };
}

struct scrape_config config_scrape(const struct config *config)
{
    return (struct scrape_config){
        .series = config->metrics,
        .options.created_lines = config->metrics.created_lines,
        .without_process = config->web.disable_exporter_metrics,
    };
}
