#include "alerts/notify/settings.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/points.h"
#include "alerts/rules/rule_risk.h"
#include "core/hash.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/near.h"

enum { DAY_MS = 86400 * 1000 };

const struct family *const *const settings_family_lists[] = { ledger_families, points_families,
                                                              NULL };

static const char *check_url(const void *value)
{
    const struct secret *url = value;
    char origin[300];
    return secret_text(url) && !http_origin(secret_text(url), origin) ? "is no http(s) URL" : NULL;
}

/* clang-format off */
#define CONFIG struct settings_config
#define SLA(word, days) \
    { #word, OPTION_DURATION(CONFIG, ledger.sla.word##_ms), .otherwise = days, \
      .max = 3650.0 * DAY_MS, \
      .help = "Time to fix a finding of this risk; 0s means no limit." }

static const struct option sla_options[] = {
    SLA(critical, "7d"),
    SLA(high, "30d"),
    SLA(medium, "90d"),
    SLA(low, "0s"),
    SLA(not_evaluated, "0s"),
    { "due_soon", OPTION_DURATION(CONFIG, ledger.sla.due_soon_ms), .otherwise = "2d",
      .max = 3650.0 * DAY_MS, .help = "So long before its time is over a finding is due soon." },
    { 0 }
};

static const struct option ledger_options[] = {
    { "first_run", OPTION_WORD(CONFIG, ledger.first_run), .otherwise = "summary",
      .words = ledger_first_run_words,
      .help = "What is sent about the findings that are open already on the first run, and in "
              "subscriptions that are seen for the first time, or again after 30 days." },
    { "sla_from", OPTION_WORD(CONFIG, ledger.sla_from), .otherwise = "azure",
      .words = ledger_sla_from_words,
      .help = "What the time to fix counts from: `azure`, since Azure says that the finding fails, "
              "or `seen`, since this program saw it." },
    { "sla", OPTION_GROUP, .section = sla_options,
      .help = "Time to fix a finding, by risk level." },
    { "ruler_subscriptions", OPTION_INTEGER(CONFIG, ledger.ruler_subscriptions), .otherwise = "3",
      .min = 1, .max = 1e6,
      .help = "A new recommendation open in so many subscriptions at once is one ruler.changed." },
    { "ruler_findings", OPTION_INTEGER(CONFIG, ledger.ruler_findings), .otherwise = "50",
      .min = 1, .max = 1e6, .help = "The same, with so many findings." },
    { "keep_history", OPTION_DURATION(CONFIG, ledger.keep_history_ms), .otherwise = "400d",
      .max = 36500.0 * DAY_MS,
      .help = "How long events, and findings that are over, are kept, for replay and "
              "notifications; counters stay. 0s means for ever." },
    { 0 }
};

static const struct option watch_options[] = {
    { "score_drop", OPTION_NUMBER(CONFIG, watch.score_drop), .otherwise = "0.01", .min = 0.0001,
      .max = 1, .help = "A secure score that falls by this ratio within a day is score.dropped." },
    { 0 }
};

static const struct option heartbeat_options[] = {
    { "receiver", OPTION_TEXT(CONFIG, heartbeat.receiver),
      OPTION_LINE(CONFIG, heartbeat.receiver_line),
      .help = "Receiver that gets a notification of event `heartbeat`." },
    { "url", OPTION_SECRET(CONFIG, heartbeat.url), .check = check_url,
      OPTION_LINE(CONFIG, heartbeat.url_line),
      .help = "URL of a dead-man's switch, asked with GET; instead of a receiver." },
    { "allow_private", OPTION_BOOL(CONFIG, heartbeat.allow_private), .otherwise = "false",
      .help = "The url may be loopback, private or link-local." },
    { "interval", OPTION_DURATION(CONFIG, heartbeat.interval_ms), .otherwise = "1m", .min = 1000,
      .max = DAY_MS, .help = "Time between two beats." },
    { 0 }
};

static const struct option drill_options[] = {
    { "receivers", OPTION_TEXT_LIST(CONFIG, drill.receivers),
      .help = "Receivers that get a test notification and its resolve now and then." },
    { "interval", OPTION_DURATION(CONFIG, drill.interval_ms), .otherwise = "0s",
      .max = 366.0 * DAY_MS, .help = "How often, for example 7d; 0s means never." },
    { "time_interval", OPTION_TEXT(CONFIG, drill.interval),
      OPTION_LINE(CONFIG, drill.interval_line),
      .help = "Name of a time interval; drills wait for it." },
    { 0 }
};

static const struct option audit_options[] = {
    { "receiver", OPTION_TEXT(CONFIG, audit.receiver),
      OPTION_LINE(CONFIG, audit.receiver_line),
      .help = "Receiver that is told of each silence made, changed or ended, of messages queued "
              "again or dropped, and of reloads; event `audit`." },
    { 0 }
};

const struct option settings_options[] = {
    { "enabled", OPTION_BOOL(CONFIG, enabled), .otherwise = "true",
      .help = "false: nobody is notified; findings are remembered all the same." },
    { "rules", OPTION_TEXT_LIST(CONFIG, rules),
      .help = "Files with alert rules; patterns are allowed." },
    { "tags", OPTION_TEXT_LIST(CONFIG, tags), OPTION_LINE(CONFIG, tags_line),
      .help = "Names of tags in Azure, at most 8: `team` becomes the label `tag_team` of alerts, "
              "for rules, routes, groups and silences. The resource's own goes first, then that of "
              "its group, then of its subscription." },
    { "governance_owner", OPTION_BOOL(CONFIG, governance_owner), .otherwise = "false",
      .help = "Whom governance in Azure assigned a finding to, mostly a mail address, becomes the "
              "label `governance_owner` of alerts, and stands in messages." },
    { "exemption_requesters", OPTION_BOOL(CONFIG, exemption_requesters), .otherwise = "false",
      .help = "Who asked for an exemption, and who approved it, stands in messages about what is "
              "exempted, where its metadata say so." },
    { "callers", OPTION_BOOL(CONFIG, callers), .otherwise = "false",
      .help = "true: messages name who changed a resource, by address or object id; false: they "
              "say only whether it was a user, a service principal or Azure itself." },
    { "receivers", OPTION_ITEMS(CONFIG, receivers, struct receivers_config),
      .section = receivers_options, OPTION_WRONG(struct receivers_config, wrong),
      .help = "Whom to tell." },
    { "route", OPTION_SECTION(CONFIG, route), .section = route_options,
      OPTION_LINE(CONFIG, route.line.receiver), .help = "Which receiver hears of which alert." },
    { "inhibit_rules", OPTION_ITEMS(CONFIG, inhibit_rules, struct inhibit_config),
      .section = inhibit_options, .help = "Alerts that hold back others while they fire." },
    { "time_intervals", OPTION_ITEMS(CONFIG, time_intervals, struct time_interval_config),
      .section = time_interval_options, .help = "Named times, for routes and windows." },
    { "maintenance", OPTION_ITEMS(CONFIG, maintenance, struct mute_window_config),
      .section = mute_window_options, .help = "Planned windows of silence." },
    { "silences", OPTION_SECTION(CONFIG, silences), .section = silence_limits_options,
      .help = "How far a silence may go." },
    { "flapping", OPTION_SECTION(CONFIG, flapping), .section = mute_flap_options,
      .help = "When an alert that comes and goes is held back." },
    { "governor", OPTION_SECTION(CONFIG, governor), .section = governor_options,
      .help = "How many messages a receiver gets at most; what is over goes into a digest." },
    { "ledger", OPTION_GROUP, .section = ledger_options,
      .help = "What is remembered of findings." },
    { "watch", OPTION_GROUP, .section = watch_options,
      .help = "Events about things that are no findings." },
    { "heartbeat", OPTION_GROUP, .section = heartbeat_options,
      .help = "Tells a dead-man's switch that notifications would go out." },
    { "drill", OPTION_GROUP, .section = drill_options, .help = "Fire drills." },
    { "audit", OPTION_GROUP, .section = audit_options,
      .help = "What people did; it is logged and counted in any case." },
    { "reports", OPTION_ITEMS(CONFIG, reports, struct report_plan_config),
      .section = report_plan_options, OPTION_WRONG(struct report_plan_config, wrong),
      .help = "Reports that are sent by themselves: what opened and was fixed, what is overdue, "
              "the score, the cheapest points; event `report`." },
    { "keep_sent", OPTION_DURATION(CONFIG, keep_sent_ms), .otherwise = "30d", .min = 3600e3,
      .max = 3650.0 * DAY_MS, .help = "How long accepted messages are kept." },
    { "outbox_max_bytes", OPTION_SIZE(CONFIG, outbox_max_bytes), .otherwise = "64MiB",
      .min = 1024 * 1024, .max = 16.0 * 1024 * 1024 * 1024,
      .help = "When more than this waits, only digests are queued." },
    { 0 }
};
#undef CONFIG
#undef SLA
/* clang-format on */

/* What is shared, and who keeps its texts. */
struct shared {
    struct settings settings; /* first: one address */
    atomic_int references;
    void (*release)(void *owner);
    void *owner;
};

/* While it is being compiled. */
struct compiler {
    struct settings *settings;
    const struct settings_config *config;
    const struct settings_context *context;
    struct option_report *report;
    bool knows_receivers; /* false: some could not be read, so that a name may be right */
};

static void complain(const struct compiler *compiler, int line, const char *path, const char *what,
                     const char *name)
{
    options_complain(compiler->report, compiler->context->file, line, path, "%s %s", what, name);
}

/* That a receiver is there, NULL = none is named; else with those that are called almost so. */
static void check_receiver(const struct compiler *compiler, int line, const char *path,
                           const char *name)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!name || !compiler->knows_receivers || settings_receiver(compiler->settings, name))
        return;
    buf_text(&text, name);
    near_append(name, compiler->settings->receiver_names, &text);
    complain(compiler, line, path, "no receiver is called", buf_cstr(&text));
}

/* --- parts ---------------------------------------------------------------------------------- */

static void compile_receivers(struct compiler *compiler)
{
    struct settings *settings = compiler->settings;
    const struct option_items *items = &compiler->config->receivers;
    const struct receivers_config *all = items->items;
    receivers_check(items, compiler->context->file, compiler->report);
    for (size_t i = 0; i < items->count; i++)
        if (receivers_to_owners(&all[i]) && !compiler->config->governance_owner)
            options_complain(compiler->report, compiler->context->file, all[i].line, "to",
                             EMAIL_OWNER " needs alerts.governance_owner: true");
    if (compiler->config->enabled) {
        settings->receivers = items->items;
        settings->receiver_count = items->count;
    }
    size_t bytes = (settings->receiver_count + 1) * sizeof *settings->receiver_names;
    const char **names = arena_zalloc(&settings->arena, bytes);
    for (size_t i = 0; i < settings->receiver_count; i++)
        names[i] = settings->receivers[i].name ? settings->receivers[i].name : "";
    settings->receiver_names = names;
    compiler->knows_receivers = !compiler->config->wrong || items->count;
    for (size_t i = 0; i < settings->receiver_count; i++)
        compiler->knows_receivers &= *names[i] != 0;
}

static void compile_intervals(struct compiler *compiler)
{
    struct settings *settings = compiler->settings;
    const struct option_items *items = &compiler->config->time_intervals;
    const struct time_interval_config *configs = items->items;
    const struct time_interval **list =
        arena_zalloc(&settings->arena, (items->count + 1) * sizeof *list);
    for (size_t i = 0; i < items->count; i++) {
        list[i] = time_interval_compile(&configs[i], compiler->context->file, &settings->arena,
                                        compiler->report);
        const char *name = time_interval_name(list[i]);
        for (size_t other = 0; other < i; other++)
            if (*name && !strcmp(time_interval_name(list[other]), name))
                complain(compiler, configs[i].line, "alerts.time_intervals", "two are called",
                         name);
    }
    settings->intervals = list;
}

static const struct time_interval *find_interval(const struct compiler *compiler, const char *name)
{
    for (const struct time_interval *const *one = compiler->settings->intervals; *one; one++)
        if (!strcmp(time_interval_name(*one), name))
            return *one;
    return NULL;
}

/* Without rules that can be read every label may be right. */
static const char *const *possible_labels(const struct settings *settings)
{
    return settings->rules ? rule_labels(settings->rules) : NULL;
}

static void compile_route(struct compiler *compiler)
{
    struct settings *settings = compiler->settings;
    const struct route_known known = { compiler->knows_receivers ? settings->receiver_names : NULL,
                                       possible_labels(settings), settings->intervals };
    if (settings->receiver_count)
        settings->route = route_build(&compiler->config->route, &known, compiler->context->file,
                                      &settings->arena, compiler->report);
}

static void compile_rules(struct compiler *compiler)
{
    const struct settings_context *context = compiler->context;
    const struct option_texts *tags = &compiler->config->tags;
    const struct tag_labels_wanted wanted = { tags, compiler->config->governance_owner };
    CLEANUP(buf_finish) struct buf wrong = { 0 };
    if (!tag_labels_check(tags, &wrong))
        options_complain(compiler->report, context->file, compiler->config->tags_line,
                         "alerts.tags", "%s", buf_cstr(&wrong));
    compiler->settings->rules = rule_load(&compiler->config->rules, context->file,
                                          context->families, &wanted, compiler->report);
}

static void compile_ledger(struct compiler *compiler)
{
    CLEANUP(buf_finish) struct buf waiting = { 0 };
    const struct settings_config *config = compiler->config;
    struct settings *settings = compiler->settings;
    settings->ledger = (struct ledger_config){
        .first_run = config->ledger.first_run,
        .sla_from = config->ledger.sla_from,
        .sla_s = { [RISK_CRITICAL] = config->ledger.sla.critical_ms / 1000,
                   [RISK_HIGH] = config->ledger.sla.high_ms / 1000,
                   [RISK_MEDIUM] = config->ledger.sla.medium_ms / 1000,
                   [RISK_LOW] = config->ledger.sla.low_ms / 1000,
                   [RISK_NOT_EVALUATED] = config->ledger.sla.not_evaluated_ms / 1000 },
        .due_soon_s = config->ledger.sla.due_soon_ms / 1000,
        .ruler_subscriptions = config->ledger.ruler_subscriptions,
        .ruler_findings = config->ledger.ruler_findings,
        .keep_events_s = config->ledger.keep_history_ms / 1000,
    };
    if (settings->rules)
        rule_risk_waiting(settings->rules, &waiting);
    settings->risk_waiting = arena_text(&settings->arena, buf_cstr(&waiting));
    settings->watch = (struct watch_config){
        .score_drop = config->watch.score_drop,
    };
}

/* Names that heartbeat, drill and audit use, and where the heartbeat goes. */
static void check_names(struct compiler *compiler)
{
    const struct settings_config *config = compiler->config;
    const char *url = secret_text(&config->heartbeat.url), *name = config->heartbeat.receiver;
    if (!config->enabled)
        return;
    if (name && url)
        complain(compiler, config->heartbeat.receiver_line, "alerts.heartbeat.receiver",
                 "has a url and the receiver", name);
    if (url && !config->heartbeat.allow_private && !receiver_is_public(url))
        complain(compiler, config->heartbeat.url_line, "alerts.heartbeat.url",
                 "its host is " RECEIVER_NOT_PUBLIC, "allow_private: true");
    check_receiver(compiler, config->heartbeat.receiver_line, "alerts.heartbeat.receiver", name);
    for (size_t i = 0; i < config->drill.receivers.count; i++)
        check_receiver(compiler, options_line(&config->drill.receivers, i),
                       "alerts.drill.receivers", config->drill.receivers.texts[i]);
    check_receiver(compiler, config->audit.receiver_line, "alerts.audit.receiver",
                   config->audit.receiver);
    name = config->drill.interval;
    compiler->settings->drill_interval = name ? find_interval(compiler, name) : NULL;
    if (name && !compiler->settings->drill_interval)
        complain(compiler, config->drill.interval_line, "alerts.drill.time_interval",
                 "no time interval is called", name);
}

/* Without receivers nobody gets one. */
static void compile_reports(struct compiler *compiler)
{
    const struct settings_config *config = compiler->config;
    struct settings *settings = compiler->settings;
    const struct report_plan_known known = {
        .receivers = settings->receivers,
        .receiver_count = settings->receiver_count,
        .receiver_names = compiler->knows_receivers ? settings->receiver_names : NULL,
        .owners = config->governance_owner,
    };
    if (!config->enabled)
        return;
    settings->reports = report_plan_compile(&config->reports, &known, compiler->context->file,
                                            &settings->arena, compiler->report);
    settings->report_count = config->reports.count;
}

static void compile_texts(struct compiler *compiler)
{
    const struct settings_context *context = compiler->context;
    struct settings *settings = compiler->settings;
    struct arena *arena = &settings->arena;
    settings->file = arena_text(arena, context->file);
    settings->config_file = arena_text(arena, context->config_file ? context->config_file : "");
    settings->tenant_id = arena_text(arena, context->tenant_id ? context->tenant_id : "");
    const char *portal = context->portal ? context->portal : "";
    const char *scheme = strstr(portal, "://");
    settings->portal = arena_text(arena, scheme ? scheme + 3 : portal);
    settings->external_url = arena_text(arena, context->external_url ? context->external_url : "");
}

static uint64_t hash_of(const struct settings *settings)
{
    const char *const texts[] = { settings->file, settings->tenant_id, settings->portal,
                                  settings->external_url };
    uint64_t hash = options_hash(settings_options, settings->config, OPTIONS_HASH_OURS);
    hash = options_hash_join(hash, rule_hash(settings->rules));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        hash = options_hash_join(hash, hash_bytes(texts[i], strlen(texts[i])));
    return hash;
}

/* --- life ----------------------------------------------------------------------------------- */

struct settings *settings_create(const struct settings_config *config,
                                 const struct settings_context *context,
                                 struct option_report *report)
{
    struct shared *shared = MEMORY_NEW(struct shared);
    struct settings *settings = &shared->settings;
    struct compiler compiler = { settings, config, context, report };
    atomic_init(&shared->references, 1);
    settings->config = config;
    compile_texts(&compiler);
    compile_receivers(&compiler);
    compile_intervals(&compiler);
    compile_rules(&compiler);
    compile_route(&compiler);
    settings->windows = mute_windows_compile(&config->maintenance, settings->intervals,
                                             context->file, &settings->arena, report);
    if (config->inhibit_rules.count)
        settings->inhibits = inhibit_compile(&config->inhibit_rules, possible_labels(settings),
                                             context->file, &settings->arena, report);
    settings->silence_limits = silence_limits_compile(&config->silences, possible_labels(settings),
                                                      context->file, &settings->arena, report);
    compile_reports(&compiler);
    compile_ledger(&compiler);
    check_names(&compiler);
    if (report->count) {
        settings_release(settings);
        return NULL;
    }
    settings->hash = hash_of(settings);
    shared->release = context->release;
    shared->owner = context->owner;
    return settings;
}

void settings_acquire(struct settings *settings)
{
    atomic_fetch_add(&((struct shared *)settings)->references, 1);
}

void settings_release(struct settings *settings)
{
    struct shared *shared = (struct shared *)settings;
    if (!shared || atomic_fetch_sub(&shared->references, 1) > 1)
        return;
    rule_release(settings->rules);
    route_finish(settings->route);
    inhibit_finish(settings->inhibits);
    mute_windows_finish(settings->windows);
    silence_limits_finish(settings->silence_limits);
    arena_finish(&settings->arena);
    if (shared->release)
        shared->release(shared->owner);
    free(shared);
}

/* --- questions ------------------------------------------------------------------------------ */

const struct receivers_config *settings_receiver(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->receiver_count; i++)
        if (!strcmp(settings->receivers[i].name, name))
            return &settings->receivers[i];
    return NULL;
}

int64_t settings_expires_s(const struct receivers_config *receiver)
{
    const void *config;
    const struct receiver_kind *kind = receivers_kind(receiver, &config);
    return receiver->expire_ms ? receiver->expire_ms / 1000 : kind->expires_s;
}
