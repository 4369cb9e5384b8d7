#include "alerts/rules/notification_words.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "alerts/text/text.h"
#include "collectors/collector.h"
#include "collectors/plans.h"
#include "core/clock.h"

enum {
    NAMES_MAX = 5,        /* resources named in a sentence ... */
    NAME_POINTS = 48,     /* ... of their recommendation */
    SHOWN_POINTS = 60,    /* of a title, wherever it is shown */
    WHAT_POINTS_MIN = 20, /* of a recommendation, whatever stands behind it */
};

/* --- words ------------------------------------------------------------------------------------ */
static const struct ending {
    const char *reason, *title, *word, *sentence; /* sentence: what it means, of one */
} endings[] = {
    { "fixed", "Fixed", "fixed", "" },
    { "recovered", "Recovered", "recovered", "" },
    { "exempted", "Exempted", "exempted", "It is exempted, not fixed: it is still there." },
    { "not_applicable", "Not applicable", "not applicable",
      "Azure says that it does not apply any more; that is no fix." },
    { "plan_off", "No longer assessed (plan off)", "no longer assessed (plan off)",
      "The Defender plan that looked for it is off: it may still be there." },
    { "resource_deleted", "Resource deleted", "deleted", "" },
    { "retired", "Recommendation retired", "retired with its recommendation",
      "Microsoft retired the recommendation: it may still be there." },
    { "no_longer_assessed", "No longer assessed", "no longer assessed", "" },
    { "no_longer_matches", "No longer matches the rule", "no longer matched by the rule",
      "It is open still, but the rule does not ask for it any more." },
    { "no_longer_overdue", "No longer overdue", "no longer overdue",
      "It is open still, but due later." },
    { "rule_removed", "Rule removed", "ended with its rule",
      "The rule is gone; what it told of may still be there." },
    { "", "Ended", "ended", "" },
};

static const struct ending *ending_of(const char *reason)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(endings) - 1 && strcmp(endings[i].reason, reason) != 0)
        i++;
    return &endings[i];
}

const char *notification_words_ended(const char *reason)
{
    return ending_of(reason)->title;
}

const char *notification_words_ending(const char *reason)
{
    return ending_of(reason)->word;
}

const char *notification_words_meaning(const char *reason)
{
    return ending_of(reason)->sentence;
}

const char *notification_words_risk(const char *risk_level)
{
    static const char *const words[] = { "Critical", "High", "Medium", "Low",
                                         "Risk not evaluated" };
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(risk_level, finding_risk_words[i]))
            return words[i];
    return "";
}

static void put_lower(struct buf *out, const char *word)
{
    for (; *word; word++)
        buf_char(out, (char)tolower((unsigned char)*word));
}

/* --- where ------------------------------------------------------------------------------------ */
static bool is_open(const struct notification_resource *resource)
{
    return !resource->resolved;
}

/* Whether the resources that matter have this text alike; *value: the text. of all blocks. */
static bool is_common(const struct notification *notification, size_t offset, const char **value)
{
    bool any_open = notification->status == NOTIFICATION_FIRING;
    *value = NULL;
    for (size_t i = 0; i < notification->block_count; i++)
        for (size_t j = 0; j < notification->blocks[i].resource_count; j++) {
            const struct notification_resource *resource = &notification->blocks[i].resources[j];
            const char *text = *(const char *const *)((const char *)resource + offset);
            if (any_open && !is_open(resource))
                continue;
            if (*value && strcmp(*value, text) != 0)
                return false;
            *value = text;
        }
    return *value && **value;
}
#define COMMON(notification, member, value)                                                        \
    is_common(notification, offsetof(struct notification_resource, member), value)

/* " (Production)", " (AWS account 1234)"; nothing when they are several or have no name. */
static void put_subscription(struct buf *out, const struct notification *notification)
{
    const char *name, *id = "", *environment, *cloud;
    if (COMMON(notification, environment, &environment) && COMMON(notification, cloud, &cloud) &&
        strcmp(cloud, "azure") != 0) {
        const char *connector = strstr(environment, " through connector ");
        size_t length = connector ? (size_t)(connector - environment) : strlen(environment);
        buf_printf(out, " (%.*s)", (int)length, environment);
        return;
    }
    if (COMMON(notification, subscription_name, &name)) {
        COMMON(notification, subscription_id, &id);
    } else {
        name = notification->resource_total ? "" : notification->subscription_name;
        id = notification->subscription_id;
    }
    if (*name && strcmp(name, id) != 0) { /* an id says nothing to people */
        buf_text(out, " (");
        buf_text(out, name);
        buf_char(out, ')');
    }
}

/* --- titles of findings ----------------------------------------------------------------------- */
static int64_t count_open(const struct notification *notification)
{
    int64_t open = 0;
    for (size_t i = 0; i < notification->block_count; i++)
        open += notification->blocks[i].open_count;
    return open;
}

static bool is_event(const struct notification *notification, const char *word)
{
    return !strcmp(notification->event, word);
}

/* " until 2027-01-01" when all of it, so many, is exempted until that day. */
static void put_until(struct buf *out, const struct notification *notification, int64_t count)
{
    const struct notification_block *block = notification->blocks;
    int64_t until_at = block->resource_count ? block->resources[0].exempted_until_at : 0;
    bool all = notification->block_count == 1 && !notification->left_out_blocks && until_at &&
               count == (int64_t)block->resource_count;
    for (size_t i = 0; i < block->resource_count && all; i++)
        all = block->resources[i].exempted_until_at == until_at;
    char day[32];
    if (all)
        buf_printf(out, " until %.10s", clock_format_rfc3339(until_at, day));
}

/* What happened and the risk: "Critical", "Now critical, was high", "Overdue 3 d (critical)". */
static void put_verb(struct buf *out, const struct notification *notification,
                     const struct notification_block *block)
{
    const char *risk = notification_words_risk(block->risk_level);
    if (is_event(notification, "finding.risk_changed") && *block->risk_before &&
        strcmp(block->risk_before, block->risk_level) != 0) {
        buf_text(out, "Now ");
        put_lower(out, risk);
        buf_text(out, ", was ");
        put_lower(out, notification_words_risk(block->risk_before));
    } else if (is_event(notification, "finding.overdue") && block->due_at) {
        buf_text(out, "Overdue ");
        text_about(out, notification->made_at - block->due_at);
        buf_text(out, " (");
        put_lower(out, risk);
        buf_char(out, ')');
    } else if (is_event(notification, "finding.reopened")) {
        buf_printf(out, "%s again", risk);
    } else if (is_event(notification, "finding.exempted") && !block->ended_count) {
        buf_text(out, notification_words_ended("exempted"));
        put_until(out, notification, block->open_count);
    } else if (is_event(notification, "finding.exemption_expired")) {
        buf_printf(out, "%s again (exemption over)", risk);
    } else if (!strcmp(block->risk_level, "not_evaluated") &&
               !strcmp(block->event, "baseline.rule_regressed")) {
        buf_text(out, "Baseline"); /* machines rate no risk */
        if (finding_severity(block->severity) != SEVERITY_UNKNOWN)
            buf_printf(out, " (%s)", block->severity);
    } else if (is_event(notification, "attack_path.opened")) {
        buf_printf(out, "%s attack path", risk);
    } else if (is_event(notification, "security_alert.opened")) {
        buf_printf(out, "%s security alert", risk);
    } else {
        buf_text(out, risk);
    }
    buf_text(out, ": ");
}

static const char *title_of(const struct notification_block *block)
{
    return *block->title ? block->title : block->rule;
}

static const struct notification_resource *first_resource(const struct notification_block *block)
{
    return block->resource_count && *block->resources[0].name ? &block->resources[0] : NULL;
}

/* The recommendation and what stands behind it: a long one is cut, so that the resource is within
 * what a lock screen shows. */
static void put_what(struct buf *out, const struct notification_block *block,
                     const struct buf *behind)
{
    size_t taken = text_points(buf_cstr(out)) + text_points(buf_cstr(behind));
    size_t left = taken + WHAT_POINTS_MIN < SHOWN_POINTS ? SHOWN_POINTS - taken : WHAT_POINTS_MIN;
    text_cut_middle(out, title_of(block), left);
    buf_text(out, buf_cstr(behind));
}

/* One recommendation of which something is open. */
static void put_open_block(struct buf *out, const struct notification *notification,
                           const struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf behind = { 0 };
    const struct notification_resource *first = first_resource(block);
    put_verb(out, notification, block);
    if (block->ended_count) {
        buf_printf(&behind, ", %lld of %lld open", (long long)block->open_count,
                   (long long)(block->open_count + block->ended_count));
    } else {
        if (first) {
            buf_text(&behind, " on ");
            buf_text(&behind, first->name);
        }
        if (block->open_count > 1)
            buf_printf(&behind, ", %lld open", (long long)block->open_count);
    }
    put_what(out, block, &behind);
    put_subscription(out, notification);
}

/* "4 findings on vm-web-1", "4 findings in rg-data", "4 findings (Production)". */
static void put_findings(struct buf *out, const struct notification *notification, int64_t count)
{
    const char *name;
    buf_printf(out, "%lld finding%s", (long long)count, count == 1 ? "" : "s");
    if (COMMON(notification, id, &name) && COMMON(notification, name, &name))
        buf_printf(out, " on %s", name);
    else if (COMMON(notification, group, &name))
        buf_printf(out, " in %s", name);
    put_subscription(out, notification);
}

/* How many of all ended in this way; of a block of an older program those that are named. */
static int64_t count_ended(const struct notification *notification, const struct ending *ending)
{
    int64_t count = 0;
    for (size_t i = 0; i < notification->block_count; i++) {
        const struct notification_block *block = &notification->blocks[i];
        for (size_t j = 0; j < block->ending_count; j++)
            if (ending_of(block->endings[j].reason) == ending)
                count += block->endings[j].count;
        for (size_t j = 0; j < block->resource_count && !block->ending_count; j++)
            count +=
                !is_open(&block->resources[j]) && ending_of(block->resources[j].state) == ending;
    }
    return count;
}

/* How many ended in each way: "3 fixed, 1 exempted, 7 more". */
static void put_endings(struct buf *out, const struct notification *notification)
{
    int64_t told = 0, all = 0;
    const char *comma = "";
    for (size_t k = 0; k < ARRAY_COUNT(endings); k++) {
        int64_t count = count_ended(notification, &endings[k]);
        told += count;
        if (!count)
            continue;
        buf_printf(out, "%s%lld %s", comma, (long long)count, endings[k].word);
        comma = ", ";
    }
    for (size_t i = 0; i < notification->block_count; i++)
        all += notification->blocks[i].ended_count;
    if (all > told)
        buf_printf(out, "%s%lld more", comma, (long long)(all - told));
}

/* Whether all of it ended alike. */
static bool ended_alike(const struct notification *notification)
{
    size_t ways = 0;
    for (size_t k = 0; k < ARRAY_COUNT(endings); k++)
        ways += count_ended(notification, &endings[k]) > 0;
    return ways == 1 && *notification->reason;
}

static void put_ended(struct buf *out, const struct notification *notification)
{
    const struct notification_block *block = notification->blocks;
    const struct notification_resource *first = first_resource(block);
    bool alike = ended_alike(notification);
    buf_text(out, alike ? notification_words_ended(notification->reason) : "Ended");
    if (alike)
        put_until(out, notification, block->ended_count);
    buf_text(out, ": ");
    if (notification->block_count + (size_t)notification->left_out_blocks > 1) {
        put_findings(out, notification, notification->resource_total);
    } else {
        CLEANUP(buf_finish) struct buf behind = { 0 };
        if (block->ended_count > 1)
            buf_printf(&behind, " on %lld resources", (long long)block->ended_count);
        else if (first)
            buf_printf(&behind, " on %s", first->name);
        put_what(out, block, &behind);
        put_subscription(out, notification);
    }
    if (!alike) {
        buf_text(out, ", ");
        put_endings(out, notification);
    }
}

/* --- titles of the others --------------------------------------------------------------------- */
static const char *label_of(const struct notification_block *block, const char *name)
{
    for (size_t i = 0; i < block->label_count; i++)
        if (!strcmp(block->labels[i].name, name))
            return block->labels[i].value;
    return "";
}

static void put_plan(struct buf *out, const struct notification *notification,
                     const struct notification_block *block)
{
    const char *name = label_of(block, "subject"), *title = plans_title(name);
    buf_printf(out, "%s%s is off", title ? "" : "Defender plan ", title ? title : name);
    put_subscription(out, notification);
}

/* What a collector brings, in words. */
static const char *data_of(const char *collector)
{
    const char *words = collector_words(collector);
    return words ? words : "data";
}

/* One of them, or several; while one is stale, nothing is fresh. */
static void put_stale(struct buf *out, const struct notification *notification,
                      const struct notification_block *block)
{
    int64_t open = count_open(notification), all = (int64_t)notification->block_count;
    buf_printf(out, "No new %s from Azure", data_of(label_of(block, "subject")));
    if (block->value > 0) {
        buf_text(out, " since ");
        text_about(out, (int64_t)block->value);
    }
    buf_text(out, ": pages may be missing");
    if (open < all)
        buf_printf(out, ", %lld of %lld fresh again", (long long)(all - open), (long long)all);
    else if (all > 1)
        buf_printf(out, ", and %lld more", (long long)(all - 1));
    put_subscription(out, notification);
}

static void put_fresh(struct buf *out, const struct notification *notification,
                      const struct notification_block *block)
{
    const char *data = data_of(label_of(block, "subject"));
    buf_text(out, "Data are fresh again");
    if (notification->block_count == 1 && strcmp(data, "data") != 0)
        buf_printf(out, ": %s", data);
    put_subscription(out, notification);
}

static void put_risk(struct buf *out, const struct notification *notification,
                     const struct notification_block *block)
{
    (void)notification;
    buf_text(out, !strcmp(block->event, "risk.missing")
                      ? "Azure tells no risk level: rules never fire"
                      : "Rules that wait for a risk level can fire again");
}

static void put_heartbeat(struct buf *out, const struct notification *notification,
                          const struct notification_block *block)
{
    (void)notification;
    (void)block;
    buf_text(out, "Heartbeat");
}

static const struct other {
    const char *event;
    void (*put)(struct buf *out, const struct notification *notification,
                const struct notification_block *block);
    bool good; /* it is the title of what ended, too */
} others[] = {
    { "score.recovered", NULL, true },     { "plan.disabled", put_plan, false },
    { "data.stale", put_stale, false },    { "data.recovered", put_fresh, true },
    { "heartbeat", put_heartbeat, false }, { "risk.missing", put_risk, false },
    { "risk.recovered", put_risk, true },
};

static const struct other *other_of(const char *event)
{
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (!strcmp(others[i].event, event))
            return &others[i];
    return NULL;
}

/* One that is about no finding; a title of its own wins. */
static void put_other(struct buf *out, const struct notification *notification,
                      const struct notification_block *block)
{
    const struct other *other = other_of(block->event);
    bool ended = notification->status == NOTIFICATION_RESOLVED;
    bool counts = other && (other->put == put_stale || other->put == put_fresh);
    if (ended && !(other && other->good && notification_is_good_news(notification)))
        buf_printf(out, "%s: ", notification_words_ended(notification->reason));
    if (*block->title) {
        buf_text(out, block->title);
    } else if (other && other->put) {
        other->put(out, notification, block);
    } else {
        buf_text(out, block->rule);
        put_subscription(out, notification);
    }
    size_t more = notification->block_count + (size_t)notification->left_out_blocks - 1;
    if (more && !counts)
        buf_printf(out, ", and %zu more", more);
}

/* So many of each risk: "128 alerts in 10 min: 12 critical, 30 high, 86 other". */
static void put_counts(struct buf *out, const struct notification *notification)
{
    static const char *const words[] = { "critical", "high", "other" };
    int64_t counts[ARRAY_COUNT(words)] = { 0 };
    const char *comma = ": ";
    for (size_t i = 0; i < notification->count_count; i++) {
        const struct notification_count *count = &notification->counts[i];
        size_t place = !strcmp(count->risk_level, words[0])   ? 0
                       : !strcmp(count->risk_level, words[1]) ? 1
                                                              : 2;
        if (strcmp(count->status, "resolved") != 0)
            counts[place] += count->count;
    }
    buf_printf(out, "%lld alert%s", (long long)notification->firing_count,
               notification->firing_count == 1 ? "" : "s");
    if (notification->span_s > 0) {
        buf_text(out, " in ");
        text_about(out, notification->span_s);
    }
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (counts[i]) {
            buf_printf(out, "%s%lld %s", comma, (long long)counts[i], words[i]);
            comma = ", ";
        }
    if (notification->resolved_count)
        buf_printf(out, "; %lld ended", (long long)notification->resolved_count);
}

void notification_words_block(const struct notification_block *block, struct buf *out)
{
    const char *data = data_of(label_of(block, "subject"));
    bool open = block->open_count > 0;
    if (strncmp(block->event, "data.", 5) != 0) {
        if (!open)
            buf_printf(out, "%s: ", notification_words_ended(block->reason));
        buf_text(out, *block->title ? block->title : *block->what ? block->what : block->rule);
    } else if (open) {
        buf_printf(out, "No new %s since ", data);
        text_about(out, (int64_t)block->value);
    } else {
        buf_char(out, (char)toupper((unsigned char)*data));
        buf_printf(out, "%s are told again", data + 1);
    }
}

/* ": worst Critical, Disks should be encrypted"; what nobody rates has a severity, or neither. */
static void put_worst(struct buf *out, const struct notification_block *block)
{
    if (strcmp(block->risk_level, "not_evaluated") != 0)
        buf_printf(out, ": worst %s, ", notification_words_risk(block->risk_level));
    else if (finding_severity(block->severity) != SEVERITY_UNKNOWN)
        buf_printf(out, ": worst %s severity, ", block->severity);
    else
        buf_text(out, ": ");
    buf_text(out, title_of(block));
}

void notification_words_title(const struct notification *notification, struct buf *out)
{
    const struct notification_block *first = notification->blocks;
    if (notification->count_count) {
        put_counts(out, notification);
        return;
    }
    if (!notification->block_count) {
        buf_printf(out, "%lld firing, %lld ended", (long long)notification->firing_count,
                   (long long)notification->resolved_count);
        return;
    }
    bool several = notification->block_count + (size_t)notification->left_out_blocks > 1;
    if (!first->resource_count)
        put_other(out, notification, first);
    else if (notification->status == NOTIFICATION_RESOLVED)
        put_ended(out, notification);
    else if (several && count_open(notification) > 1) {
        put_findings(out, notification, count_open(notification));
        put_worst(out, first);
    } else
        put_open_block(out, notification, first);
}

/* --- what changed ----------------------------------------------------------------------------- */
/* Add a name to "Fixed: vm-2, vm-4"; so many were named before. what: the recommendation, where it
 * is one of several: "Fixed: vm-2 (Disks should be encrypted)". */
static void put_name(struct buf *out, const char *title, size_t named, const char *name,
                     const char *what)
{
    if (named >= NAMES_MAX)
        return;
    if (!named)
        buf_printf(out, "%s: %s", title, name);
    else
        buf_printf(out, ", %s", name);
    if (!*what)
        return;
    buf_text(out, " (");
    text_cut_middle(out, what, NAME_POINTS);
    buf_char(out, ')');
}

/* Whether something that ended has a name here. */
static bool names_ended(const struct notification *notification)
{
    for (size_t i = 0; i < notification->block_count; i++)
        for (size_t j = 0; j < notification->blocks[i].resource_count; j++)
            if (!is_open(&notification->blocks[i].resources[j]))
                return true;
    return false;
}

void notification_words_changed(const struct notification *notification, struct buf *out)
{
    bool several = notification->block_count > 1;
    if (!names_ended(notification))
        return;
    for (size_t k = 0; k < ARRAY_COUNT(endings); k++) {
        size_t named = 0;
        int64_t count = count_ended(notification, &endings[k]);
        for (size_t i = 0; i < notification->block_count; i++)
            for (size_t j = 0; j < notification->blocks[i].resource_count; j++) {
                const struct notification_resource *resource =
                    &notification->blocks[i].resources[j];
                if (!is_open(resource) && ending_of(resource->state) == &endings[k])
                    put_name(out, endings[k].title, named++, resource->name,
                             several ? title_of(&notification->blocks[i]) : "");
            }
        named = named < NAMES_MAX ? named : NAMES_MAX;
        if (named && count > (int64_t)named)
            buf_printf(out, " and %lld more", (long long)count - (long long)named);
        buf_text(out, named ? ". " : "");
    }
}

/* --- who changed a resource ------------------------------------------------------------------- */
static void put_change(struct buf *out, const struct notification_change *change, int64_t now)
{
    static const char *const people[][2] = {
        { "user", "a user" },
        { "service principal", "a service principal" },
        { "azure", "Azure itself" },
    };
    const char *by = "somebody", *what = *change->operation ? change->operation : change->kind;
    for (size_t i = 0; i < ARRAY_COUNT(people); i++)
        if (!strcmp(change->by, people[i][0]))
            by = people[i][1];
    text_instant(out, change->at, now);
    buf_printf(out, "%sby %s", now ? ", " : " ", by);
    if (*change->caller)
        buf_printf(out, " (%s)", change->caller);
    if (*what)
        buf_printf(out, ": %s", what);
}

void notification_words_changes(const struct notification_resource *resource, int64_t now,
                                struct buf *out)
{
    for (size_t i = 0; i < resource->change_count; i++) {
        buf_text(out, i ? "; " : "");
        put_change(out, &resource->changes[i], now);
    }
}
