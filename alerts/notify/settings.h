#pragma once
/* Everything below `alerts:` in the configuration, checked and compiled. One object, immutable,
 * reference-counted: evaluator, delivery, API and commands use the same. */
#include "alerts/ledger/ledger.h"
#include "alerts/ledger/watch.h"
#include "alerts/notify/governor.h"
#include "alerts/notify/inhibit.h"
#include "alerts/notify/mute.h"
#include "alerts/notify/report_plan.h"
#include "alerts/notify/route.h"
#include "alerts/notify/silence_limits.h"
#include "alerts/receivers/receivers.h"
#include "alerts/rules/rule.h"

/* As written; exporter/config.h has one as its section `alerts`, rows in settings_options. */
struct settings_config {
    bool enabled;              /* false: as if no receiver were given; the ledger always runs */
    bool wrong;                /* part of it could not be read */
    struct option_texts rules; /* files and patterns, relative to the configuration's folder */
    struct option_texts tags;  /* of Azure, that alerts have as labels */
    int tags_line;
    bool governance_owner;         /* alerts have it as a label */
    bool exemption_requesters;     /* messages name them */
    bool callers;                  /* messages name who changed something */
    struct option_items receivers; /* struct receivers_config */
    struct route_config route;
    struct option_items inhibit_rules;  /* struct inhibit_config */
    struct option_items time_intervals; /* struct time_interval_config */
    struct option_items maintenance;    /* struct mute_window_config */
    struct silence_limits_config silences;
    struct mute_flap_config flapping;
    struct governor_config governor;
    struct {
        int first_run; /* enum ledger_first_run */
        int sla_from;  /* enum ledger_sla_from */
        struct {
            int64_t critical_ms, high_ms, medium_ms, low_ms, not_evaluated_ms, due_soon_ms;
        } sla;
        int64_t ruler_subscriptions, ruler_findings, keep_history_ms;
    } ledger;
    struct {
        double score_drop;
    } watch;
    struct {
        const char *receiver; /* NULL = no heartbeat */
        struct secret url;    /* instead of a receiver: GET this */
        int receiver_line, url_line;
        bool allow_private;  /* the url may be loopback, private or link-local */
        int64_t interval_ms; /* default 1m */
    } heartbeat;
    struct {
        struct option_texts receivers;
        int64_t interval_ms;  /* 0 = no fire drill; e.g. 7d */
        const char *interval; /* only inside this time interval */
        int interval_line;
    } drill;
    struct {
        const char *receiver; /* NULL = nobody is told */
        int receiver_line;
    } audit;
    struct option_items reports; /* struct report_plan_config */
    int64_t keep_sent_ms, outbox_max_bytes;
};
extern const struct option settings_options[];

struct settings {
    const struct settings_config *config;     /* borrowed: settings_context.owner keeps it */
    const struct receivers_config *receivers; /* receiver_count of them */
    size_t receiver_count;
    const char *const *receiver_names; /* NULL-terminated */
    struct rule_set *rules;
    const struct route *route; /* NULL without receivers: alerts exist, nobody is notified */
    const struct time_interval *const *intervals; /* NULL-terminated */
    const struct inhibit_rules *inhibits;         /* NULL = none */
    const struct mute_windows *windows;
    const struct silence_limits *silence_limits;
    const struct time_interval *drill_interval; /* NULL = drills at any time */
    const struct report_plan *reports;          /* report_count of them */
    size_t report_count;
    struct ledger_config ledger;
    struct watch_config watch;
    const char *risk_waiting; /* rules that wait for a risk level Azure may not tell; "" = none */
    uint64_t hash;            /* equal for settings that do the same */
    const char *file;         /* where they were written */
    const char *config_file;  /* the same; "" = the default file */
    const char *tenant_id, *portal, *external_url; /* "" when not known; portal: a host */
    struct arena arena;
};

/* The parts of the configuration that come from elsewhere. */
struct settings_context {
    const char *file;        /* for messages and relative paths */
    const char *config_file; /* what a command has to be told; NULL = nothing, or the default */
    const char *tenant_id, *portal, *external_url;
    const struct family *const *families; /* every family a rule may name, ends with NULL; NULL =
                                             not all are known */
    void (*release)(void *owner);         /* called with the last reference; NULL = nothing */
    void *owner;                          /* what keeps the configuration alive */
};

/* Check and compile everything. NULL when the report has anything: nothing is released then. Reads
 * rule files, no network. */
struct settings *settings_create(const struct settings_config *config,
                                 const struct settings_context *context,
                                 struct option_report *report) MUST_USE;
void settings_acquire(struct settings *settings);
void settings_release(struct settings *settings); /* NULL is fine */

const struct receivers_config *settings_receiver(const struct settings *settings, const char *name);

/* How long a message for this receiver may wait. */
int64_t settings_expires_s(const struct receivers_config *receiver);

/* Families of this floor that a rule may name (ledger, points): the caller adds those of the
 * collectors and hands all of them in as settings_context.families. */
extern const struct family *const *const settings_family_lists[]; /* NULL-terminated */
