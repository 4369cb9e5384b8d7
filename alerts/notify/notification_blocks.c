#include "alerts/notify/notification_blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_baseline.h"
#include "alerts/notify/notification_changes.h"
#include "alerts/notify/notification_finding.h"
#include "alerts/notify/notification_names.h"
#include "alerts/notify/notification_paths.h"
#include "alerts/notify/notification_policy.h"
#include "alerts/notify/notification_score.h"
#include "alerts/notify/notification_security.h"
#include "alerts/notify/notification_threshold.h"
#include "alerts/notify/notification_vulnerabilities.h"
#include "alerts/rules/notification_silence.h"
#include "alerts/text/html.h"
#include "alerts/text/text.h"
#include "collectors/baselines_explain.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/compliance.h"
#include "collectors/secure_scores.h"
#include "collectors/subassessments.h"
#include "core/clock.h"
#include "core/memory.h"

enum {
    CATALOGUE_POINTS = 4000, /* so that a block about one finding stays below 20 KB */
    WHOLE_BLOCKS = 8,        /* that say how to fix it */
    ENDINGS_MAX = 16,
};

/* The alerts of one block to be; it begins with the first of them. */
struct gathered {
    const char *key;
    size_t first; /* in the subject's alerts */
    size_t open;  /* alerts that fire */
    enum risk_level worst;
};

struct making {
    const struct notification_context *context;
    const struct notification_subject *subject;
    struct arena *arena;
    struct notification *notification;
    struct gathered *gathered;
    size_t gathered_count;
    size_t *of;                      /* of each alert: its place in gathered */
    struct baselines_explained rule; /* of the block that is made, when it is one of a baseline, */
    struct notification_paths paths; /* a path or an alert, and the paths across its
                                        findings */
};

/* --- which alerts are told together ----------------------------------------------------------- */
/* A recommendation; "" = the alert stands alone. */
static const char *key_of(const struct alert *alert)
{
    const char *key = alert_label_value(alert, "assessment_id");
    return alert->has_finding ? *key ? key : alert->rule : "";
}

static bool is_open(const struct alert *alert)
{
    return alert->state != ALERT_RESOLVED;
}

static void gather(struct making *making, size_t index)
{
    const struct alert *alert = &making->subject->alerts[index];
    const char *key = key_of(alert);
    size_t place = *key ? 0 : making->gathered_count;
    while (place < making->gathered_count && strcmp(making->gathered[place].key, key) != 0)
        place++;
    struct gathered *gathered = &making->gathered[place];
    if (place == making->gathered_count) {
        making->gathered_count++;
        *gathered = (struct gathered){ key, index, 0, RISK_NOT_EVALUATED };
    }
    if (is_open(alert) && !gathered->open++)
        gathered->worst = alert->risk; /* what ended counts no more */
    if ((is_open(alert) || !gathered->open) && alert->risk < gathered->worst)
        gathered->worst = alert->risk;
    making->of[index] = place;
}

static bool comes_before(const struct gathered *left, const struct gathered *right)
{
    if (!left->open != !right->open)
        return left->open;
    return left->worst != right->worst ? left->worst < right->worst : left->first < right->first;
}

/* The place of the most important one that is not told yet. */
static size_t next_of(const struct making *making, const bool *told)
{
    size_t best = making->gathered_count;
    for (size_t i = 0; i < making->gathered_count; i++)
        if (!told[i] && (best == making->gathered_count ||
                         comes_before(&making->gathered[i], &making->gathered[best])))
            best = i;
    return best;
}

/* --- one block -------------------------------------------------------------------------------- */
/* What receivers show is never a link, but for the links themselves: everybody who may name a
 * resource could send our people anywhere. Labels of the alerts stay as they are. */
static const char *unlinked(const struct making *making, const char *text)
{
    return notification_names_plain(text, making->arena);
}

static void add_link(struct making *making, struct notification_block *block, const char *text,
                     const char *url)
{
    if (!*url || making->subject->words || block->link_count == NOTIFICATION_LINKS_MAX)
        return;
    if (!block->links)
        block->links = arena_zalloc(making->arena, NOTIFICATION_LINKS_MAX * sizeof *block->links);
    block->links[block->link_count++] = (struct notification_link){ text, url };
}

static const char *link_of(const struct making *making, const struct finding *view)
{
    return making->subject->words ? ""
                                  : notification_names_link(making->context, view, making->arena);
}

/* What built-in titles and texts about one alert do not say. */
static const char *detail(const struct making *making, const char *text)
{
    return making->subject->words ? "" : unlinked(making, text);
}

static struct notification_resource resource_of(struct making *making, const struct alert *alert,
                                                const struct finding *view)
{
    char id[17];
    return (struct notification_resource){
        .finding_id = arena_text(making->arena, finding_id_text(&alert->finding_id, id)),
        .name = unlinked(making, view->resource_name),
        .id = detail(making, view->resource_id),
        .native_id = detail(making, view->native_id),
        .type = detail(making, view->resource_type),
        .group = detail(making, view->resource_group),
        .subscription_id = view->subscription_id,
        .subscription_name =
            notification_names_subscription(making->context, view->subscription_id, making->arena),
        .cloud = cloud_kind_words[view->cloud],
        .account = detail(making, view->account),
        .connector = detail(making, view->connector),
        .environment = notification_names_environment(view, making->arena),
        .location = detail(making, view->location),
        .risk_level = finding_risk_words[alert->risk],
        .link = link_of(making, view),
        .state = is_open(alert)   ? "open"
                 : *alert->reason ? alert->reason
                                  : "closed",
        .found = "",
        .owner = "",
        .due_note = "",
        .exemption = "",
        .opened_at = alert->opened_at,
        .due_at = alert->due_at,
        .ended_at = alert->ends_at,
        .resolved = !is_open(alert),
    };
}

/* What is known of a recommendation beside its finding; built-in titles and texts do not say it. */
static void add_beside(struct making *making, struct notification_block *block,
                       const struct finding *view)
{
    const struct snapshot *snapshot = making->context->snapshot;
    if (making->subject->words)
        return;
    block->benchmark = unlinked(making, compliance_benchmark(snapshot, view, making->arena));
    block->vulnerabilities = unlinked(making, subassessments_of(snapshot, view, making->arena));
    const struct secure_control *control = secure_scores_control_of(snapshot, view);
    if (!control)
        return;
    block->control = unlinked(making, arena_text(making->arena, control->title));
    block->control_points = control->max_points > 0 ? control->max_points : 0;
}

/* The first finding gives the block its title, category and link. */
static void copy_first(struct making *making, struct notification_block *block,
                       const struct finding *view)
{
    block->assessment_id = view->assessment_id;
    block->title = unlinked(making, view->title);
    block->category = unlinked(making, view->category);
    block->severity = finding_severity_words[view->severity];
    block->risk_note = view->contextual || !strcmp(block->risk_level, "not_evaluated")
                           ? ""
                           : "from severity; not from the resource's context";
    add_link(making, block, NOTIFICATION_PORTAL, link_of(making, view));
    add_beside(making, block, view);
}

/* Why the risk is what it is: of what is open, or of all when nothing is. */
static void add_reasons(struct making *making, struct notification_block *block,
                        const struct finding *view)
{
    block->risk_factors =
        notification_names_words(block->risk_factors, view->risk_factors, making->arena);
    block->internet_exposed |= view->internet_exposed;
    if (block->attack_paths < view->attack_paths)
        block->attack_paths = view->attack_paths;
    if (making->subject->words)
        return; /* they say how many paths Azure counts, and nothing of an alert */
    notification_paths(&making->paths, making->context->snapshot, view, making->arena, block);
    notification_security(making->context->snapshot, view, making->arena, block, &making->rule);
}

/* Whether an alert before this one is about the same finding, in the same state. */
static bool is_known(const struct making *making, size_t place, size_t index)
{
    const struct alert *alerts = making->subject->alerts, *alert = &alerts[index];
    for (size_t i = making->gathered[place].first; i < index; i++)
        if (making->of[i] == place && is_open(&alerts[i]) == is_open(alert) &&
            !finding_id_compare(&alerts[i].finding_id, &alert->finding_id))
            return true;
    return false;
}

/* One more ended for this reason. */
static void count_ending(struct making *making, struct notification_block *block,
                         const char *reason)
{
    size_t i = 0;
    if (!block->endings)
        block->endings = arena_zalloc(making->arena, ENDINGS_MAX * sizeof *block->endings);
    while (i < block->ending_count && strcmp(block->endings[i].reason, reason) != 0)
        i++;
    if (i == ENDINGS_MAX)
        return;
    if (i == block->ending_count)
        block->endings[block->ending_count++].reason = reason;
    block->endings[i].count++;
}

/* The findings of a block that are open, or those that ended. */
static bool add_findings(struct making *making, size_t place, bool open,
                         struct notification_block *block, struct error *error)
{
    for (size_t i = making->gathered[place].first; i < making->subject->alert_count; i++) {
        const struct alert *alert = &making->subject->alerts[i];
        struct finding view;
        int64_t unseen_at;
        if (making->of[i] != place || is_open(alert) != open || is_known(making, place, i))
            continue;
        *(open ? &block->open_count : &block->ended_count) += 1;
        if (!open)
            count_ending(making, block, alert->reason);
        if (block->resource_count == NOTIFICATION_RESOURCES_MAX)
            continue;
        if (!notification_finding(making->context, alert, NULL, making->arena, &view, &unseen_at,
                                  error))
            return false;
        if (!block->resource_count)
            copy_first(making, block, &view);
        struct notification_resource *resource = &block->resources[block->resource_count++];
        *resource = resource_of(making, alert, &view);
        resource->unseen_at = unseen_at;
        notification_finding_before(alert, resource);
        if (!making->subject->words) {
            notification_policy(making->context, alert, &view, making->arena, resource);
            notification_changes(making->context, alert, view.resource_id, making->arena, resource);
            notification_vulnerabilities(making->context->snapshot, &view, making->arena, resource);
        }
        if (baselines_explain(making->context->snapshot, &view, making->arena, &making->rule))
            notification_baseline(&making->rule, making->arena, block);
        else
            notification_baseline_row(&view, making->arena, block);
        if (open || !making->gathered[place].open)
            add_reasons(making, block, &view);
    }
    return true;
}

/* The clocks: of what is open, or of all when nothing is. */
static void add_times(const struct making *making, size_t place, struct notification_block *block)
{
    for (size_t i = making->gathered[place].first; i < making->subject->alert_count; i++) {
        const struct alert *alert = &making->subject->alerts[i];
        if (making->of[i] != place || (!is_open(alert) && making->gathered[place].open))
            continue;
        if (alert->opened_at && (!block->opened_at || alert->opened_at < block->opened_at))
            block->opened_at = alert->opened_at;
        if (alert->due_at && (!block->due_at || alert->due_at < block->due_at))
            block->due_at = alert->due_at;
    }
}

static const char *readable(struct making *making, const char *html, enum html_form form)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf cut = { 0 };
    html_convert(html, strlen(html), form, &text);
    making->notification->truncated |= text_cut(&cut, buf_cstr(&text), CATALOGUE_POINTS);
    return arena_text(making->arena, buf_cstr(&cut));
}

/* The subscription all findings of a block are in, or "". */
static const char *subscription_of(const struct making *making, size_t place)
{
    const char *one = NULL;
    for (size_t i = making->gathered[place].first; i < making->subject->alert_count; i++) {
        const char *other = alert_label_value(&making->subject->alerts[i], "subscription_id");
        if (making->of[i] != place)
            continue;
        if (one && strcmp(one, other) != 0)
            return "";
        one = other;
    }
    return one ? one : "";
}

/* HTML as Azure writes it. */
static void add_texts(struct making *making, const char *description, const char *remediation,
                      bool brief, struct notification_block *block)
{
    if (brief)
        return;
    block->description = readable(making, description, HTML_TO_TEXT);
    block->description_markdown = readable(making, description, HTML_TO_MARKDOWN);
    block->remediation = readable(making, remediation, HTML_TO_TEXT);
    block->remediation_markdown = readable(making, remediation, HTML_TO_MARKDOWN);
}

/* What the catalogue knows of the recommendation, and what it gains. */
static void add_answer(struct making *making, size_t place, bool brief,
                       struct notification_block *block)
{
    const struct notification_context *context = making->context;
    const char *id = block->assessment_id, *subscription = subscription_of(making, place);
    const struct catalogue_entry *entry = *id ? catalogue_find(context->snapshot, NULL, id) : NULL;
    if (!*subscription) /* each has a control of this name */
        block->control_points = 0;
    if (*id && context->points)
        block->points = *subscription ? points_in(context->points, id, subscription)
                                      : points_of(context->points, id);
    if (*making->rule.parent_id)
        add_texts(making, making->rule.description, making->rule.remediation, brief, block);
    if (!entry)
        return;
    if (!*block->title)
        block->title = unlinked(making, arena_text(making->arena, entry->title));
    add_texts(making, entry->description, entry->remediation, brief, block);
    if (brief)
        return;
    block->effort = unlinked(making, arena_text(making->arena, entry->effort));
    block->user_impact = unlinked(making, arena_text(making->arena, entry->user_impact));
    block->threats = notification_names_words("", entry->threats, making->arena);
}

static bool is_about_score(const struct alert *alert)
{
    return !strncmp(alert->event, "score.", 6) || !strcmp(alert->event, "control.regressed");
}

/* A block about no finding: a score, a threshold, the data. */
static bool make_other(struct making *making, size_t place, bool brief,
                       struct notification_block *block, struct error *error)
{
    const struct notification_context *context = making->context;
    const struct alert *alert = &making->subject->alerts[making->gathered[place].first];
    const struct rule *rule = context->rules ? rule_find(context->rules, alert->rule) : NULL;
    const char *before = alert_annotation_value(alert, "value_before");
    *(is_open(alert) ? &block->open_count : &block->ended_count) = 1;
    block->fingerprint = arena_text(making->arena, alert->fingerprint);
    block->severity = alert_label_value(alert, "severity");
    block->what = unlinked(making, alert_annotation_value(alert, "detail"));
    block->title = unlinked(making, alert_annotation_value(alert, "headline"));
    block->metric = alert_annotation_value(alert, "metric");
    if (is_about_score(alert) || *block->metric || alert->value != 0)
        block->value = alert->value;
    if (*before && (is_about_score(alert) || *block->metric))
        block->value_before = strtod(before, NULL);
    block->since_at = alert->starts_at;
    block->label_count = alert->label_count;
    memcpy(block->labels, alert->labels, sizeof block->labels);
    for (size_t i = 0; i < block->label_count; i++)
        block->labels[i].value = unlinked(making, block->labels[i].value);
    notification_names_about(context, alert, making->arena, block);
    if (rule && rule->kind != RULE_EVENT)
        return notification_threshold(context, rule, alert, brief, making->arena, block, error);
    return !is_about_score(alert) ||
           notification_score(context, alert, making->arena, block, error);
}

/* How this block alone is silenced, where there are others. */
static void add_silence(struct making *making, size_t place, struct notification_block *block)
{
    CLEANUP(buf_finish) struct buf program = { 0 };
    CLEANUP(buf_finish) struct buf command = { 0 };
    if (making->gathered_count < 2 || !making->gathered[place].open)
        return;
    struct alert *alerts = MEMORY_ARRAY(struct alert, making->subject->alert_count);
    size_t count = 0;
    for (size_t i = making->gathered[place].first; i < making->subject->alert_count; i++)
        if (making->of[i] == place)
            alerts[count++] = making->subject->alerts[i];
    notification_silence_own(making->notification->config_file, &program);
    notification_silence(buf_cstr(&program), making->context->rules, making->context->never, alerts,
                         count, &command);
    block->silence_command = arena_text(making->arena, buf_cstr(&command));
    free(alerts);
}

/* Why all of a block ended. */
static const char *reason_of(const struct making *making, size_t place)
{
    const char *reason = "fixed";
    for (size_t i = making->gathered[place].first; i < making->subject->alert_count; i++)
        if (making->of[i] == place)
            reason = i == making->gathered[place].first
                         ? making->subject->alerts[i].reason
                         : notification_reason_of_both(reason, making->subject->alerts[i].reason);
    return reason;
}

static bool make_block(struct making *making, size_t place, bool brief,
                       struct notification_block *block, struct error *error)
{
    const struct gathered *gathered = &making->gathered[place];
    const struct alert *first = &making->subject->alerts[gathered->first];
    notification_block_init(block);
    making->rule = (struct baselines_explained){ .parent_id = "" };
    making->paths = (struct notification_paths){ .rule = &making->rule };
    block->rule = alert_label_value(first, "alertname");
    block->event = first->event;
    block->risk_level = finding_risk_words[gathered->worst];
    block->reason = gathered->open ? "" : reason_of(making, place);
    block->risk_before = alert_annotation_value(first, "risk_before");
    add_times(making, place, block);
    if (!first->has_finding) {
        if (!make_other(making, place, brief, block, error))
            return false;
    } else {
        size_t most = making->subject->alert_count < NOTIFICATION_RESOURCES_MAX
                          ? making->subject->alert_count
                          : NOTIFICATION_RESOURCES_MAX;
        block->resources = arena_alloc(making->arena, most * sizeof *block->resources);
        if (!add_findings(making, place, true, block, error) ||
            !add_findings(making, place, false, block, error))
            return false;
        add_answer(making, place, brief, block);
    }
    add_silence(making, place, block);
    if (*block->metric)
        add_link(making, block, "Dashboard", making->context->external_url);
    add_link(making, block, "Runbook", alert_annotation_value(first, "runbook_url"));
    return true;
}

/* Alerts nobody gave us are of the one recommendation when there is one, else of any. */
static void add_left_out(struct making *making, struct notification_block *blocks)
{
    const struct notification_subject *subject = making->subject;
    struct notification *notification = making->notification;
    int64_t open = subject->firing_count, ended = subject->resolved_count;
    for (size_t i = 0; i < notification->block_count; i++)
        if (blocks[i].resource_count)
            notification->resource_total += blocks[i].open_count + blocks[i].ended_count;
    if (!subject->left_out_count || !notification->resource_total)
        return;
    for (size_t i = 0; i < subject->alert_count; i++)
        *(is_open(&subject->alerts[i]) ? &open : &ended) -= 1;
    notification->resource_total += open + ended;
    if (making->gathered_count > 1)
        return;
    blocks[0].open_count += open;
    blocks[0].ended_count += ended;
}

bool notification_blocks(const struct notification_context *context,
                         const struct notification_subject *subject, struct arena *arena,
                         struct notification *notification, struct error *error)
{
    size_t count = subject->alert_count;
    struct making making = {
        .context = context,
        .subject = subject,
        .arena = arena,
        .notification = notification,
    };
    making.gathered = arena_zalloc(arena, (count + 1) * sizeof *making.gathered);
    making.of = arena_zalloc(arena, (count + 1) * sizeof *making.of);
    bool *told = arena_zalloc(arena, count + 1);
    for (size_t i = 0; i < count; i++)
        gather(&making, i);
    size_t most = making.gathered_count < NOTIFICATION_BLOCKS_MAX ? making.gathered_count
                                                                  : NOTIFICATION_BLOCKS_MAX;
    struct notification_block *blocks = /* each is begun anew */
        most ? arena_alloc(arena, most * sizeof *blocks) : arena_zalloc(arena, sizeof *blocks);
    for (size_t i = 0; i < most; i++) {
        size_t place = next_of(&making, told);
        told[place] = true;
        if (!make_block(&making, place, subject->brief || i >= WHOLE_BLOCKS, &blocks[i], error))
            return false;
    }
    notification->blocks = blocks;
    notification->block_count = most;
    notification->left_out_blocks = (int64_t)(making.gathered_count - most);
    add_left_out(&making, blocks);
    return true;
}
