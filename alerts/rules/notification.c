#include "alerts/rules/notification.h"

#include <string.h>

#include "alerts/text/text.h"

enum {
    SHORT_RESOURCES = 5,
    SHORT_POINTS = 600,
};

const char *const notification_status_words[] = { "firing", "resolved", NULL };

/* clang-format off */
#define FIELD(kind, type, member, text) \
    { #member, RECORD_##kind(struct type, member), .help = text }
#define LIST(member, count, of, rows, text) \
    { #member, RECORD_LIST(struct notification, member, count, struct of), .fields = rows, \
      .help = text }
#define LABEL_LIST(member, count, is_derived, text) \
    { #member, RECORD_LABELS(struct notification, member, count), .derived = is_derived, \
      .help = text }

static const struct record_field resource_fields[] = {
    FIELD(TEXT, notification_resource, finding_id, "Id of the finding, 16 hex digits."),
    FIELD(TEXT, notification_resource, name, "Name of the resource."),
    FIELD(TEXT, notification_resource, id, "Its Azure resource id."),
    FIELD(TEXT, notification_resource, type, "Its type."),
    FIELD(TEXT, notification_resource, group, "Its resource group."),
    FIELD(TEXT, notification_resource, subscription_id, "Its subscription."),
    FIELD(TEXT, notification_resource, risk_level, "Risk level of the finding."),
    FIELD(TEXT, notification_resource, link, "The finding in the portal."),
    FIELD(INSTANT, notification_resource, opened_at, "When the finding opened."),
    FIELD(BOOL, notification_resource, resolved, "Whether it is resolved."),
    { 0 }
};

static const struct record_field cause_fields[] = {
    FIELD(TEXT, notification_cause, finding_id, "Id of the finding."),
    FIELD(TEXT, notification_cause, title, "Its recommendation."),
    FIELD(TEXT, notification_cause, resource_name, "Its resource."),
    FIELD(TEXT, notification_cause, link, "The finding in the portal."),
    FIELD(NUMBER, notification_cause, points, "Secure-score points it costs."),
    { 0 }
};

static const struct record_field count_fields[] = {
    FIELD(TEXT, notification_count, rule, "The rule."),
    FIELD(TEXT, notification_count, risk_level, "The risk level."),
    FIELD(TEXT, notification_count, status, "firing or resolved."),
    FIELD(INTEGER, notification_count, count, "How many alerts."),
    { 0 }
};

const struct record_field notification_fields[] = {
    FIELD(TEXT, notification, event, "What happened: finding.opened, digest, ..."),
    { "status", RECORD_WORD(struct notification, status),
      .words = notification_status_words, .help = "firing or resolved." },
    FIELD(TEXT, notification, title, "The title; not to be used in a title itself."),
    FIELD(TEXT, notification, text, "The text; not to be used in a text itself."),
    FIELD(TEXT, notification, risk_level,
          "Worst risk level of the firing alerts, else of the resolved."),
    { "risk", RECORD_TEXT(struct notification, risk), .derived = true,
      .help = "The same for people: Critical, Not evaluated." },
    FIELD(TEXT, notification, severity, "Severity of the worst finding."),
    FIELD(BOOL, notification, test, "Whether this is a test."),
    FIELD(BOOL, notification, repeat, "Whether this was told before and nothing changed."),
    FIELD(BOOL, notification, truncated, "Whether something was left out."),
    FIELD(TEXT, notification, receiver, "The receiver."),
    FIELD(TEXT, notification, group_key, "The group of alerts, as Alertmanager writes it."),
    FIELD(TEXT, notification, dedup_key, "Key of this group's incident."),
    FIELD(TEXT, notification, tenant_id, "The tenant."),
    LABEL_LIST(group_labels, group_label_count, false, "Labels the group has in common."),
    LABEL_LIST(labels, label_count, true, "Labels of the first alert: {{labels.team}}."),
    LABEL_LIST(annotations, annotation_count, true, "Annotations of the first alert."),
    FIELD(TEXT, notification, rule, "The rule, when all alerts are of one."),
    FIELD(INTEGER, notification, firing_count, "How many alerts fire."),
    FIELD(INTEGER, notification, resolved_count, "How many are resolved."),
    FIELD(INTEGER, notification, left_out_count, "How many of them are not told one by one."),
    FIELD(TEXT, notification, subscription_id, "The subscription, when all alerts are of one."),
    FIELD(TEXT, notification, subscription_name, "Its name, or its id."),
    FIELD(TEXT, notification, assessment_id, "The recommendation's key, when all are of one."),
    FIELD(TEXT, notification, assessment_title, "The recommendation."),
    FIELD(TEXT, notification, category, "Its category."),
    FIELD(TEXT, notification, description, "What is wrong, plain."),
    FIELD(TEXT, notification, description_markdown, "The same as Markdown."),
    FIELD(TEXT, notification, remediation, "How to fix it, plain."),
    FIELD(TEXT, notification, remediation_markdown, "The same as Markdown."),
    FIELD(TEXT, notification, effort, "Effort of the fix."),
    FIELD(TEXT, notification, user_impact, "Its impact on users."),
    FIELD(TEXT, notification, threats, "What the finding makes possible."),
    FIELD(TEXT, notification, risk_factors, "Why the risk is what it is."),
    FIELD(INTEGER, notification, attack_paths, "Attack paths the worst resource lies on."),
    FIELD(BOOL, notification, internet_exposed,
          "Whether a resource can be reached from the internet."),
    FIELD(TEXT, notification, resource_name, "Name of the first resource."),
    FIELD(TEXT, notification, resource_type, "Its type."),
    FIELD(TEXT, notification, resource_group, "Its resource group."),
    FIELD(INTEGER, notification, more_resources, "How many resources besides it."),
    FIELD(INTEGER, notification, resource_total, "How many resources in all."),
    LIST(resources, resource_count, notification_resource, resource_fields, "The first resources:"),
    LIST(causes, cause_count, notification_cause, cause_fields, "Findings behind a score drop:"),
    LIST(counts, count_count, notification_count, count_fields, "Rows of a roll-up:"),
    FIELD(TEXT, notification, link, "The recommendation in the portal."),
    FIELD(TEXT, notification, external_url, "Address of this program."),
    FIELD(TEXT, notification, runbook_url, "The rule's runbook."),
    FIELD(TEXT, notification, config_file, "Its configuration file, empty for the default one."),
    FIELD(TEXT, notification, silence_command, "Command that silences this and nothing else."),
    FIELD(TEXT, notification, silence_amtool, "The same with amtool, empty without external_url."),
    FIELD(TEXT, notification, reason, "Why it resolved; of several reasons one that is no fix."),
    FIELD(NUMBER, notification, points, "Secure-score points to gain."),
    FIELD(NUMBER, notification, value, "Value of a score or a rule over metrics."),
    FIELD(NUMBER, notification, value_before, "Its value before."),
    FIELD(INSTANT, notification, event_at, "When the newest of it happened."),
    FIELD(INSTANT, notification, opened_at, "When the oldest open finding of it opened."),
    FIELD(DURATION, notification, age_s, "How long ago that is."),
    FIELD(INSTANT, notification, due_at, "When the first of it has to be fixed."),
    LIST(alerts, alert_count, alert, alert_fields, "The alerts, worst first:"),
    { 0 }
};
/* clang-format on */

void notification_init(struct notification *notification)
{
    *notification = (struct notification){ .id = "" };
    for (const struct record_field *field = notification_fields; field->type; field++)
        if (field->type == RECORD_TYPE_TEXT)
            *(const char **)((char *)notification + field->offset) = "";
}

/* --- good news -------------------------------------------------------------------------------- */
bool notification_is_fix(const char *reason)
{
    static const char *const fixes[] = { "fixed", "resource_deleted", "recovered" };
    for (size_t i = 0; i < ARRAY_COUNT(fixes); i++)
        if (!strcmp(reason, fixes[i]))
            return true;
    return false;
}

bool notification_is_good_news(const struct notification *notification)
{
    return notification->status == NOTIFICATION_RESOLVED &&
           notification_is_fix(notification->reason);
}

/* --- JSON ------------------------------------------------------------------------------------- */
void notification_derive(struct notification *notification)
{
    static const char *const words[] = { "Critical", "High", "Medium", "Low", "Not evaluated" };
    notification->risk = "";
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(notification->risk_level, finding_risk_words[i]))
            notification->risk = words[i];
    if (!notification->alert_count)
        return;
    memcpy(notification->labels, notification->alerts->labels, sizeof notification->labels);
    memcpy(notification->annotations, notification->alerts->annotations,
           sizeof notification->annotations);
    notification->label_count = notification->alerts->label_count;
    notification->annotation_count = notification->alerts->annotation_count;
}

void notification_write(const struct notification *notification, struct buf *out)
{
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    record_write(notification_fields, notification, &writer);
    json_close(&writer, '}');
}

static void document_finish(struct json **document)
{
    json_free(*document);
}

bool notification_read(const char *json, size_t length, struct arena *arena,
                       struct notification *notification, struct error *error)
{
    CLEANUP(document_finish) struct json *document = json_parse(json, length, error);
    *notification = (struct notification){ .id = "" };
    if (!document || !record_read(notification_fields, document, arena, notification, error))
        return error_wrap(error, "notification");
    notification_derive(notification);
    return true;
}

/* --- shrinking -------------------------------------------------------------------------------- */
/* Each drops one thing; false when there was nothing to drop. */
static bool drop_details(struct notification *notification, struct arena *arena)
{
    const char **texts[] = { &notification->threats, &notification->user_impact,
                             &notification->effort };
    bool dropped = notification->cause_count > 0;
    (void)arena;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        dropped |= **texts[i] != 0;
        *texts[i] = "";
    }
    notification->cause_count = 0;
    return dropped;
}

static bool drop_resources(struct notification *notification, struct arena *arena)
{
    (void)arena;
    size_t keep = notification->resource_count > SHORT_RESOURCES ? SHORT_RESOURCES : 1;
    if (notification->resource_count <= keep)
        return false;
    notification->resource_count = keep;
    return true;
}

/* Shorten a text, first to a paragraph, then to an ellipsis. */
static bool shorten(const char **text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    size_t points = text_points(*text);
    if (points <= 1)
        return false;
    text_cut(&cut, *text, points > SHORT_POINTS ? SHORT_POINTS : 1);
    *text = arena_text(arena, buf_cstr(&cut));
    return true;
}

static bool drop_remediation(struct notification *notification, struct arena *arena)
{
    bool markdown = shorten(&notification->remediation_markdown, arena);
    return shorten(&notification->remediation, arena) || markdown;
}

static bool drop_description(struct notification *notification, struct arena *arena)
{
    bool markdown = shorten(&notification->description_markdown, arena);
    return shorten(&notification->description, arena) || markdown;
}

static bool drop_text(struct notification *notification, struct arena *arena)
{
    return shorten(&notification->text, arena);
}

/* The second half of a roll-up's rows becomes one row, so that they still add up. */
static bool drop_counts(struct notification *notification, struct arena *arena)
{
    size_t keep = notification->count_count / 2;
    if (notification->count_count <= 2)
        return false;
    struct notification_count *counts = arena_zalloc(arena, (keep + 1) * sizeof *counts);
    memcpy(counts, notification->counts, keep * sizeof *counts);
    counts[keep] = (struct notification_count){ .rule = "others", .risk_level = "", .status = "" };
    for (size_t i = keep; i < notification->count_count; i++)
        counts[keep].count += notification->counts[i].count;
    notification->counts = counts;
    notification->count_count = keep + 1;
    return true;
}

static bool drop_alerts(struct notification *notification, struct arena *arena)
{
    (void)arena;
    if (notification->alert_count <= 1)
        return false;
    size_t keep = notification->alert_count / 2;
    notification->left_out_count += (int64_t)(notification->alert_count - keep);
    notification->alert_count = keep;
    return true;
}

/* --- the last form ---------------------------------------------------------------------------- */
enum { LONG_POINTS = 120, LONG_LINK_BYTES = 2048 };

/* True for the members that even the least says. */
static bool is_needed(const char *name)
{
    static const char *const needed[] = { "event",      "title",     "risk_level", "severity",
                                          "dedup_key",  "group_key", "link",       "rule",
                                          "finding_id", "reason",    NULL };
    for (size_t i = 0; needed[i]; i++)
        if (!strcmp(name, needed[i]))
            return true;
    return false;
}

static bool is_address(const char *name)
{
    size_t length = strlen(name);
    return !strcmp(name, "link") || (length > 4 && !strcmp(name + length - 4, "_url")) ||
           !strncmp(name, "silence_", 8);
}

/* Cut a text that is long, empty an address that is: half of one leads nowhere. */
static bool bound_text(const char *name, const char **text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    if (is_address(name)) {
        bool fits = strlen(*text) <= LONG_LINK_BYTES;
        *text = fits ? *text : "";
        return !fits;
    }
    if (!text_cut(&cut, *text, LONG_POINTS))
        return false;
    *text = arena_text(arena, buf_cstr(&cut));
    return true;
}

/* Bound the texts of a record, or empty those that are not needed. */
static bool bound_record(const struct record_field *fields, void *record, bool least,
                         struct arena *arena)
{
    bool changed = false;
    for (const struct record_field *field = fields; field->type; field++) {
        const char **text = (const char **)((char *)record + field->offset);
        if (field->type != RECORD_TYPE_TEXT || field->derived)
            continue;
        if (!least || is_needed(field->name)) {
            changed |= bound_text(field->name, text, arena);
        } else {
            changed |= **text != 0;
            *text = "";
        }
    }
    return changed;
}

/* Bound the values of labels. */
static bool bound_labels(struct match_label *labels, size_t count, struct arena *arena)
{
    bool changed = false;
    for (size_t i = 0; i < count; i++)
        changed |= bound_text("", &labels[i].value, arena);
    return changed;
}

/* Only the first alert and resource are left by now, or a few. */
static bool bound_lists(struct notification *notification, bool least, struct arena *arena)
{
    bool changed = notification->resource_count > 1;
    notification->resource_count = notification->resource_count ? 1 : 0;
    if (notification->resource_count) {
        struct notification_resource *first = arena_alloc(arena, sizeof *first);
        *first = notification->resources[0];
        changed |= bound_record(resource_fields, first, least, arena);
        notification->resources = first;
    }
    if (notification->alert_count) {
        struct alert *first = arena_alloc(arena, sizeof *first);
        *first = notification->alerts[0];
        changed |= first->annotation_count > 0;
        first->annotation_count = 0;
        changed |= bound_labels(first->labels, first->label_count, arena);
        notification->alerts = first;
    }
    changed |= bound_labels(notification->group_labels, notification->group_label_count, arena);
    return changed;
}

static bool drop_long(struct notification *notification, struct arena *arena)
{
    bool changed = bound_record(notification_fields, notification, false, arena);
    return bound_lists(notification, false, arena) || changed;
}

static bool drop_all(struct notification *notification, struct arena *arena)
{
    bool changed = bound_record(notification_fields, notification, true, arena);
    return bound_lists(notification, true, arena) || changed;
}

bool notification_shrink(struct notification *notification, struct arena *arena)
{
    static bool (*const steps[])(struct notification *, struct arena *) = {
        drop_details, drop_resources, drop_remediation, drop_description, drop_text,
        drop_counts,  drop_alerts,    drop_long,        drop_all,
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
        if (steps[i](notification, arena)) {
            notification->truncated = true;
            return true;
        }
    return false;
}
