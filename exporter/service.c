#include "exporter/service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts/alerting.h"
#include "alerts/api/api.h"
#include "collectors/azure/cloud.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
#include "exporter/alerts_routes.h"
#include "exporter/data_routes.h"
#include "exporter/engine.h"
#include "exporter/once.h"
#include "exporter/otlp/otlp.h"
#include "exporter/pages/status.h"
#include "exporter/pages_routes.h"
#include "exporter/pages_table.h"
#include "exporter/service_audit.h"
#include "exporter/storage.h"
#include "exporter/systemd.h"
#include "exporter/web/web.h"
#include "version.h"

enum { WEB_GRACE_MS = 500 };

/* clang-format off */
static const struct family_5 build_info = {
    .name = "defender_exporter_build_info", .type = METRIC_INFO,
    .help = "Always 1; the labels say what was built.",
    LABELS("version", "revision", "branch", "compiler", "platform") };
static const struct family_0 reload_successful = {
    .name = "defender_exporter_config_last_reload_successful", .type = METRIC_GAUGE,
    .help = "Whether the last attempt to load the configuration worked." };
static const struct family_0 reload_success_time = {
    .name = "defender_exporter_config_last_reload_success_timestamp_seconds",
    .type = METRIC_GAUGE, .unit = "seconds",
    .help = "When the configuration was last loaded successfully." };
static const struct family_0 restart_needed = {
    .name = "defender_exporter_config_restart_needed", .type = METRIC_GAUGE,
    .help = "1 when a reload has changed keys that only a restart puts into effect." };
static const struct family_0 config_hash = {
    .name = "defender_exporter_config_hash", .type = METRIC_GAUGE,
    .help = "Hash of the configuration in use, with flags and rule files; not cryptographic." };
/* clang-format on */

const struct family *const service_families[] = {
    &build_info.family,     &reload_successful.family, &reload_success_time.family,
    &restart_needed.family, &config_hash.family,       NULL
};

struct service {
    const struct flags *flags;
    struct metric_store *metrics;
    struct snapshot_store *snapshots;
    struct scrape *scrape;
    struct otlp *otlp;           /* NULL with --once */
    struct alerting *alerting;   /* NULL = nothing can be kept, or --once that notifies nobody */
    struct gate *gate;           /* in front of what writes */
    struct admission *admission; /* in front of everything; NULL = no web configuration file */
    struct web *web;
    struct config *started;              /* what a restart would change is compared with it */
    const char *storage;                 /* the folder, or NULL */
    const char *prefix, *telemetry_path; /* as served */
    pthread_mutex_t lock;                /* the engine: reloads and the pages take turns */
    struct engine engine;
    bool running;
    struct buf reload_error;
    struct view_request_source views;
    struct acting_source acting;
    struct arena arena;
};

/* --- one configuration ---------------------------------------------------------------------- */

/* The folder for what is kept, or NULL after a warning: collecting works without it. */
static const char *storage_of(const struct config *config)
{
    const char *path = config->storage.path;
    if (!*path)
        return NULL;
    if (storage_make(path))
        return path;
    log_warn(MSG("nothing is kept between runs: set --storage.path"), TEXT("path", path),
             TEXT("err", strerror(errno)));
    return NULL;
}

/* config is owned, also after a failure. */
static bool make_engine(struct service *service, struct config *config, struct engine *engine,
                        struct error *error)
{
    const struct engine_needs needs = { service->metrics, service->snapshots, service->storage,
                                        service->flags->once };
    return engine_init(engine, config, &needs, error);
}

/* Also says, in the log and in out, which keys have no effect yet. */
static void count_config(struct service *service, const struct config *config, struct buf *out)
{
    CLEANUP(buf_finish) struct buf keys = { 0 };
    options_restart(config->options, "", service->started, config, &keys);
    if (keys.length) {
        log_warn(MSG("a change needs a restart"), TEXT("keys", buf_cstr(&keys)));
        buf_printf(out, "; a restart is needed for %s", buf_cstr(&keys));
    }
    CLEANUP(buf_finish) struct buf warnings = { 0 };
    config_warn(config, &warnings);
    if (warnings.length) {
        log_warn(MSG("the configuration is valid, but"), TEXT("warning", buf_cstr(&warnings)));
        buf_printf(out, "; warning: %s", buf_cstr(&warnings));
    }
    metric_put(service->metrics, &restart_needed, keys.length > 0, METRIC_LABELS());
    /* 48 bits fit a double exactly */
    metric_put(service->metrics, &config_hash, (double)(config->hash & 0xffffffffffff),
               METRIC_LABELS());
    metric_put(service->metrics, &reload_successful, 1, METRIC_LABELS());
    metric_put(service->metrics, &reload_success_time, (double)clock_now_s(), METRIC_LABELS());
}

/* --- life ----------------------------------------------------------------------------------- */

/* The alerts wing: in the service always when something can be kept, with --once only when it shall
 * notify and there are receivers. */
static bool create_alerting(struct service *service, struct error *error)
{
    struct settings *settings = service->engine.config->settings;
    const char *folder = service->storage;
    bool once = service->flags->once, notify = !once || service->flags->notify;
    if (!notify || (!settings->receiver_count && (once || !folder)))
        return true;
    if (!folder)
        return error_set(error, ERROR_CONFIG,
                         "alerts need a folder that can be written: %s cannot; set --storage.path",
                         service->engine.config->storage.path);
    CLEANUP(buf_finish) struct buf path = { 0 };
    buf_printf(&path, "%s/" ALERTING_DATABASE, folder);
    const struct alerting_config config = {
        .database_path = buf_cstr(&path),
        .snapshots = service->snapshots,
        .metrics = service->metrics,
    };
    service->alerting = alerting_create(&config, settings, error);
    scrape_attach(service->scrape, service->alerting);
    return service->alerting != NULL;
}

static struct otlp_setup otlp_setup_of(const struct config *config)
{
    return (struct otlp_setup){ &config->otlp, config->settings,
                                cloud_table[config->azure.cloud].portal };
}

/* Only the service pushes. */
static void create_otlp(struct service *service)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    if (service->flags->once)
        return;
    buf_printf(&path, "%s/" ALERTING_DATABASE, service->storage ? service->storage : "");
    const struct otlp_needs needs = {
        .snapshots = service->snapshots,
        .metrics = service->metrics,
        .alerting = service->alerting,
        .database_path = arena_text(&service->arena, buf_cstr(&path)),
        .read = scrape_read,
        .source = service->scrape,
    };
    const struct otlp_setup setup = otlp_setup_of(service->engine.config);
    service->otlp = otlp_create(&needs, &setup);
}

/* Only the service lets anybody in. */
static bool create_admission(struct service *service, struct error *error)
{
    const char *file = service->engine.config->web.config_file;
    if (!file || service->flags->once)
        return true;
    service->admission = admission_create(file, service->metrics, error);
    return service->admission != NULL;
}

struct service *service_create(struct config *config, const struct flags *flags,
                               struct error *error)
{
    struct service *service = MEMORY_NEW(struct service);
    pthread_mutex_init(&service->lock, NULL);
    service->flags = flags;
    service->metrics = metric_store_create();
    service->snapshots = snapshot_store_create(config->sources);
    service->scrape =
        scrape_create(service->snapshots, service->metrics, encodings, encoding_count);
    metric_put(service->metrics, &build_info, 1,
               METRIC_LABELS(VERSION, VERSION_REVISION, VERSION_BRANCH, VERSION_COMPILER,
                             VERSION_PLATFORM));
    service->started = config;
    settings_acquire(config->settings);
    bool keeps = !flags->once || flags->notify; /* else it may run beside the service */
    const char *storage = keeps ? storage_of(config) : NULL;
    service->storage = storage ? arena_text(&service->arena, storage) : NULL;
    CLEANUP(buf_finish) struct buf unused = { 0 };
    count_config(service, config, &unused);
    service->prefix = arena_text(&service->arena, config->web.route_prefix);
    service->telemetry_path = arena_text(&service->arena, config->web.telemetry_path);
    audit_declare(service->metrics);
    service->gate = gate_create(&config->web);
    struct scrape_config scrape = config_scrape(config);
    bool ok = scrape_configure(service->scrape, &scrape, error);
    ok = make_engine(service, config, &service->engine, error) && ok;
    if (ok && create_admission(service, error) && create_alerting(service, error)) {
        create_otlp(service);
        return service;
    }
    service_destroy(service);
    return NULL;
}

void service_destroy(struct service *service)
{
    if (!service)
        return;
    otlp_destroy(service->otlp);
    scrape_destroy(service->scrape);
    gate_destroy(service->gate);
    admission_destroy(service->admission);
    alerting_destroy(service->alerting);
    engine_finish(&service->engine);
    config_destroy(service->started);
    snapshot_store_destroy(service->snapshots);
    metric_store_destroy(service->metrics);
    buf_finish(&service->reload_error);
    arena_finish(&service->arena);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

/* Which configuration file the flags name. */
struct config *service_load(const struct flags *flags, const struct source_list *running,
                            struct option_report *report)
{
    struct config_source source = {
        .file = flags->config_file ? flags->config_file : CONFIG_DEFAULT_FILE,
        .file_may_be_missing = !flags->config_file,
        .settings = flags->settings,
        .setting_count = flags->setting_count,
        .running = running,
    };
    return config_load(&source, report);
}

/* What the old engine said of its quotas, and all that it said of a tenant that is asked no more.
 */
static void forget_tenants(struct service *service, const struct engine *next)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct status_tenant *tenants = engine_tenants(next, &arena);
    const char **ids = arena_zalloc(&arena, (next->tenant_count + 1) * sizeof *ids);
    for (size_t i = 0; i < next->tenant_count; i++)
        ids[i] = tenants[i].tenant_id;
    for (const struct family *const *one = arm_families; *one; one++)
        if ((*one)->type == METRIC_GAUGE)
            metric_clear(service->metrics, *one);
        else
            metric_keep(service->metrics, *one, "tenant_id", ids);
}

/* Build what the configuration needs anew, next to what runs; nothing to build where the engine
 * stays. config is owned after a failure. */
static bool prepare(struct service *service, struct config *config, bool stays, struct engine *next,
                    struct error *error)
{
    const struct scrape_config scrape = config_scrape(config);
    if (!stays && !make_engine(service, config, next, error))
        return false;
    if (scrape_configure(service->scrape, &scrape, error))
        return true;
    if (stays)
        config_destroy(config);
    else
        engine_finish(next);
    return false;
}

static void exchange_engine(struct service *service, const struct engine *next)
{
    if (service->running)
        runner_stop(service->engine.runner);
    engine_finish(&service->engine);
    forget_tenants(service, next);
    service->engine = *next;
    if (service->running)
        runner_start(next->runner);
}

static void keep_engine(struct service *service, struct config *config)
{
    const struct runner_config runner = config_runner(config);
    runner_configure(service->engine.runner, &runner);
    config_destroy(service->engine.config);
    service->engine.config = config;
}

/* Go on with another configuration: what it does not change is left alone. The lock is held. */
static bool swap(struct service *service, struct config *config, struct buf *answer,
                 struct option_report *report)
{
    struct engine next;
    struct error error;
    const char *file = service->engine.config->file;
    if (!service->alerting && config->settings->receiver_count) {
        options_complain(report, file, 0, "alerts", "nothing can be kept since the start: restart");
        config_destroy(config);
        return false;
    }
    bool stays = engine_fits(&service->engine, config);
    if (!prepare(service, config, stays, &next, &error)) {
        options_complain(report, file, 0, "", "%s", error.message);
        return false;
    }
    log_configure(&config->log);
    gate_configure(service->gate, &config->web);
    service_audit_writers(service->engine.config, config);
    if (service->alerting)
        alerting_configure(service->alerting, config->settings);
    const struct otlp_setup otlp = otlp_setup_of(config);
    otlp_configure(service->otlp, &otlp);
    if (stays)
        keep_engine(service, config);
    else
        exchange_engine(service, &next);
    count_config(service, config, answer);
    return true;
}

/* The configuration has read the web configuration file already: what is wrong now is that it does
 * not fit what runs. config is owned after a failure. */
static bool reload_admission(struct service *service, struct config *config,
                             struct option_report *report)
{
    if (!service->admission || admission_reload(service->admission, report))
        return true;
    config_destroy(config);
    return false;
}

bool service_reload(struct service *service, const struct audit_by *by, struct buf *answer,
                    struct option_report *report)
{
    pthread_mutex_lock(&service->lock);
    systemd_reloading();
    struct config *config = service_load(service->flags, service->engine.config->sources, report);
    buf_text(answer, "reloaded");
    bool ok = config && reload_admission(service, config, report) &&
              swap(service, config, answer, report);
    buf_reset(&service->reload_error);
    if (!ok) {
        buf_append(&service->reload_error, report->text.data, report->text.length);
        metric_put(service->metrics, &reload_successful, 0, METRIC_LABELS());
        log_error(MSG("reload failed, the old configuration stays"),
                  TEXT("err", buf_cstr(&report->text)));
    } else {
        const char *file = service->engine.config->file;
        log_info(MSG("reloaded"), TEXT("file", *file ? file : "defaults"));
    }
    systemd_send("READY=1");
    pthread_mutex_unlock(&service->lock);
    service_audit_reload(service->alerting, service->metrics, ok, by,
                         ok ? buf_cstr(answer) : buf_cstr(&report->text));
    return ok;
}

void service_touch(struct service *service)
{
    char unused[TROUBLE_TEXT_BYTES];
    pthread_mutex_lock(&service->lock);
    pthread_mutex_unlock(&service->lock);
    if (service->alerting)
        alerting_trouble(service->alerting, unused);
    snapshot_release(snapshot_acquire(service->snapshots, clock_now_s()));
}

bool service_once(struct service *service, struct buf *out)
{
    struct error error;
    const struct once once = { .engine = &service->engine, .snapshots = service->snapshots };
    bool ok = once_collect(&once);
    if (service->engine.config->settings->receiver_count && !service->flags->notify)
        log_info(MSG("nobody is notified: that takes --notify"));
    if (service->alerting && !alerting_run(service->alerting, clock_now_s(), &error)) {
        log_error(MSG("cannot evaluate"), ERR(&error));
        ok = false;
    }
    scrape_print(service->scrape, out);
    return ok;
}

/* --- routes --------------------------------------------------------------------------------- */

static void handle_healthy(void *context, const struct web_request *request,
                           struct web_response *response)
{
    (void)context;
    (void)request;
    web_response_text(response, 200, "OK");
}

static void handle_ready(void *context, const struct web_request *request,
                         struct web_response *response)
{
    struct service *service = context;
    (void)request;
    char trouble[TROUBLE_TEXT_BYTES];
    if (service->alerting && alerting_trouble(service->alerting, trouble)) {
        struct buf text = { 0 };
        buf_printf(&text, "Not ready: nothing can be decided about alerts: %s", trouble);
        web_response_buf(response, 503, WEB_TEXT, &text);
        return;
    }
    struct snapshot *snapshot = snapshot_acquire(service->snapshots, clock_now_s());
    bool collected = snapshot_is_ready(snapshot);
    bool ready = collected && (!service->alerting || alerting_is_loaded(service->alerting));
    snapshot_release(snapshot);
    web_response_text(response, ready ? 200 : 503,
                      ready       ? "Ready"
                      : collected ? "Not ready: what was known is being read"
                                  : "Not ready: the first collection is under way");
}

static bool lifecycle_allowed(struct service *service, struct web_response *response)
{
    pthread_mutex_lock(&service->lock);
    bool allowed = service->engine.config->web.enable_lifecycle;
    pthread_mutex_unlock(&service->lock);
    if (!allowed)
        web_response_text(response, 403, "lifecycle requests need --web.enable-lifecycle");
    return allowed;
}

static void handle_reload(void *context, const struct web_request *request,
                          struct web_response *response)
{
    struct service *service = context;
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    if (!lifecycle_allowed(service, response))
        return;
    CLEANUP(buf_finish) struct buf answer = { 0 };
    const struct audit_by by = { "", web_request_by(request) };
    if (service_reload(service, &by, &answer, &report))
        web_response_text(response, 200, buf_cstr(&answer));
    else
        web_response_buf(response, 500, WEB_TEXT, &report.text);
}

static void handle_quit(void *context, const struct web_request *request,
                        struct web_response *response)
{
    if (!lifecycle_allowed(context, response))
        return;
    log_info(MSG("asked to stop"), TEXT("peer", web_request_by(request)));
    web_response_text(response, 200, "stopping");
    kill(getpid(), SIGTERM); /* the main thread waits for it */
}

/* "2 receivers, 5 rules"; the lock is held. */
static void describe_alerts(struct service *service, struct buf *out)
{
    const struct settings *settings = service->engine.config->settings;
    size_t rules;
    rule_all(settings->rules, &rules);
    if (service->alerting)
        buf_printf(out, "%zu receivers, %zu rules", settings->receiver_count, rules);
    else
        buf_text(out, "off: nothing can be kept");
}

/* How the configuration reads each of these sources. */
static const char *const *list_variants(const struct config *config,
                                        const struct source_list *sources, struct arena *arena)
{
    const char **names = arena_zalloc(arena, (sources->count + 1) * sizeof *names);
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = source_list_find(config->sources, sources->sources[i].key);
        if (source)
            names[i] =
                source->collector->variants[runner_variant(&config->run[source->index], source)]
                    .name;
    }
    return names;
}

static void handle_status(void *context, const struct web_request *request,
                          struct web_response *response)
{
    static const char *const no_filter = "";
    struct service *service = context;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf alerts = { 0 };
    struct buf out = { 0 };
    (void)request;
    struct snapshot *snapshot = snapshot_acquire(service->snapshots, clock_now_s());
    struct page page = { &out, &arena, service->prefix, clock_now_s(), snapshot, no_filter };
    pthread_mutex_lock(&service->lock);
    const struct engine *engine = &service->engine;
    const struct status_link links[] = {
        { service->telemetry_path, "Metrics" },
        { "/api/v1/alerts", "Alerts" },
        { "/api/v1/outbox", "Messages" },
        { "/-/healthy", "Health" },
        { "/-/ready", "Readiness" },
    };
    describe_alerts(service, &alerts);
    const struct status_view view = {
        .tenants = engine_tenants(engine, &arena),
        .tenant_count = engine->tenant_count,
        .config_file = engine->config->file,
        .alerts = buf_cstr(&alerts),
        .reload_error = buf_cstr(&service->reload_error),
        .links = links,
        .link_count = ARRAY_COUNT(links),
        .variants = list_variants(engine->config, snapshot->sources, &arena),
    };
    status_page(&page, &view);
    pthread_mutex_unlock(&service->lock);
    snapshot_release(snapshot);
    pages_routes_respond(response, 200, &out);
}

bool service_start(struct service *service, struct error *error)
{
    const struct web_config *web = &service->engine.config->web;
    enum { CHANGE = WEB_POST | WEB_PUT, API = WEB_GET | WEB_POST | WEB_DELETE };
    size_t body_bytes = (size_t)web->max_body_bytes;
    struct view_request_source *views = &service->views;
    *views = (struct view_request_source){ service->alerting, service->snapshots, service->prefix,
                                           .started_at = clock_now_s() };
    service->acting.views = views;
    seal_init(&service->acting.seal);
    /* clang-format off */
    const struct web_route own[] = {
        { service->telemetry_path, "metrics", WEB_GET, 0, WEB_SCRAPE, scrape_handle,
          service->scrape, .at_once = scrape_handle_at_once },
        { "/status",    "status",  WEB_GET, 0, WEB_WORK,    handle_status, service },
        { "/-/healthy", "healthy", WEB_GET, 0, WEB_AT_ONCE, handle_healthy, service, true },
        { "/healthz",   "healthy", WEB_GET, 0, WEB_AT_ONCE, handle_healthy, service, true },
        { "/livez",     "healthy", WEB_GET, 0, WEB_AT_ONCE, handle_healthy, service, true },
        { "/-/ready",   "ready",   WEB_GET, 0, WEB_AT_ONCE, handle_ready, service, true },
        { "/readyz",    "ready",   WEB_GET, 0, WEB_AT_ONCE, handle_ready, service, true },
        { "/api/v2/*",  "api_v2",  API, body_bytes, WEB_WORK, alerts_routes_v2, service->alerting,
          .json_only = true },
        { "/api/v1/*",  "api_v1",  WEB_GET, 0, WEB_WORK, data_routes_v1, views },
        { "/-/reload",  "reload",  CHANGE, body_bytes, WEB_WORK, handle_reload, service },
        { "/-/quit",    "quit",    CHANGE, body_bytes, WEB_WORK, handle_quit,   service },
    };
    /* clang-format on */
    struct web_route routes[ARRAY_COUNT(own) + PAGES_TABLE_MAX];
    memcpy(routes, own, sizeof own);
    size_t count = pages_table(&service->acting, body_bytes, routes + ARRAY_COUNT(own));
    service->web = web_start(web, service->gate, service->admission, routes,
                             ARRAY_COUNT(own) + count, service->metrics, error);
    if (!service->web)
        return false;
    pthread_mutex_lock(&service->lock);
    service_audit_writers(NULL, service->engine.config);
    service->running = true;
    if (service->alerting)
        alerting_start(service->alerting);
    scrape_start(service->scrape);
    otlp_start(service->otlp);
    runner_start(service->engine.runner);
    pthread_mutex_unlock(&service->lock);
    return true;
}

void service_stop(struct service *service)
{
    web_stop(service->web, WEB_GRACE_MS);
    service->web = NULL;
    pthread_mutex_lock(&service->lock);
    if (service->running)
        runner_stop(service->engine.runner);
    if (service->running)
        scrape_stop(service->scrape);
    if (service->running)
        otlp_stop(service->otlp);
    if (service->running && service->alerting)
        alerting_stop(service->alerting);
    service->running = false;
    pthread_mutex_unlock(&service->lock);
}
