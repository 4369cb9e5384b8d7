#include "alerts/rules/notification.h"

#include <math.h>
#include <string.h>

#include "alerts/text/text.h"

const char *const notification_status_words[] = { "firing", "resolved", NULL };

/* clang-format off */
#define FIELD(kind, type, member, text) \
    { #member, RECORD_##kind(struct type, member), .help = text }
#define MEASURED(type, member, text) \
    { #member, RECORD_NUMBER(struct type, member), .measured = true, .help = text }
#define MADE(kind, member, text) \
    { #member, RECORD_##kind(struct notification, member), .derived = true, .help = text }
#define LIST(in, member, count, of, rows, text) \
    { #member, RECORD_LIST(struct in, member, count, struct of), .fields = rows, .help = text }
#define LABEL_LIST(in, member, count, is_derived, text) \
    { #member, RECORD_LABELS(struct in, member, count), .derived = is_derived, .help = text }

static const struct record_field change_fields[] = {
    FIELD(INSTANT, notification_change, at, "When."),
    FIELD(TEXT, notification_change, by, "user, service principal, azure or other."),
    FIELD(TEXT, notification_change, caller, "Who, where `alerts.callers` is on."),
    FIELD(TEXT, notification_change, operation, "The operation."),
    FIELD(TEXT, notification_change, kind, "create, update or delete, where Azure says it."),
    { 0 }
};

static const struct record_field vulnerability_fields[] = {
    FIELD(TEXT, notification_vulnerability, cve, "Its CVE."),
    MEASURED(notification_vulnerability, score, "Its CVSS score."),
    FIELD(TEXT, notification_vulnerability, fixed_in, "The version that fixes it."),
    { 0 }
};

static const struct record_field resource_fields[] = {
    FIELD(TEXT, notification_resource, finding_id, "Id of the finding, 16 hex digits."),
    FIELD(TEXT, notification_resource, name, "Name of the resource."),
    FIELD(TEXT, notification_resource, id, "Its Azure resource id."),
    FIELD(TEXT, notification_resource, native_id, "Its own id in another cloud."),
    FIELD(TEXT, notification_resource, type, "Its type."),
    FIELD(TEXT, notification_resource, group, "Its resource group."),
    FIELD(TEXT, notification_resource, subscription_id, "Its subscription."),
    FIELD(TEXT, notification_resource, subscription_name, "Its subscription by name, or its id."),
    FIELD(TEXT, notification_resource, cloud, "Its cloud: azure, aws, gcp, ..."),
    FIELD(TEXT, notification_resource, account, "Its account or project there."),
    FIELD(TEXT, notification_resource, connector, "The connector it is seen through."),
    FIELD(TEXT, notification_resource, environment, "Cloud, account and connector in words."),
    FIELD(TEXT, notification_resource, location, "Its region."),
    FIELD(TEXT, notification_resource, risk_level, "Risk level of the finding."),
    FIELD(TEXT, notification_resource, link, "The finding in the portal."),
    FIELD(TEXT, notification_resource, state, "open, or why it is not: fixed, exempted, ..."),
    FIELD(TEXT, notification_resource, found,
          "What a baseline rule found on it, what an attack path leads through, what else a "
          "security alert names or a row of a query of your own says."),
    FIELD(TEXT, notification_resource, owner, "Whom governance in Azure assigned it to."),
    FIELD(TEXT, notification_resource, due_note, "Who set the due date, unless it is the SLA."),
    FIELD(INSTANT, notification_resource, opened_at, "When the finding opened."),
    FIELD(INSTANT, notification_resource, due_at, "When it has to be fixed."),
    FIELD(INSTANT, notification_resource, ended_at, "When it ended."),
    FIELD(TEXT, notification_resource, exemption, "Kind and reason of its exemption."),
    FIELD(INSTANT, notification_resource, exempted_until_at, "When that ends, if it does."),
    FIELD(TEXT, notification_resource, reason_before, "Why it had ended, of what is open again."),
    FIELD(INSTANT, notification_resource, ended_before_at, "When that was."),
    LIST(notification_resource, changes, change_count, notification_change, change_fields,
         "Who changed it around then, candidates:"),
    LIST(notification_resource, vulnerabilities, vulnerability_count, notification_vulnerability,
         vulnerability_fields, "The gravest vulnerabilities on it:"),
    FIELD(INSTANT, notification_resource, unseen_at, "Since when Azure did not show it."),
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

static const struct record_field worst_fields[] = {
    FIELD(TEXT, notification_worst, finding_id, "Id of the finding."),
    FIELD(TEXT, notification_worst, title, "Its recommendation."),
    FIELD(TEXT, notification_worst, resource_name, "Its resource."),
    FIELD(TEXT, notification_worst, subscription_name, "Its subscription."),
    FIELD(TEXT, notification_worst, risk_level, "Its risk level."),
    FIELD(TEXT, notification_worst, link, "The finding in the portal."),
    FIELD(INSTANT, notification_worst, opened_at, "When it opened."),
    FIELD(INSTANT, notification_worst, due_at, "When it has to be fixed."),
    { 0 }
};

static const struct record_field count_fields[] = {
    FIELD(TEXT, notification_count, rule, "The rule."),
    FIELD(TEXT, notification_count, risk_level, "The risk level."),
    FIELD(TEXT, notification_count, status, "firing or resolved."),
    FIELD(INTEGER, notification_count, count, "How many alerts."),
    FIELD(TEXT, notification_count, assessment_id, "The recommendation's key."),
    FIELD(TEXT, notification_count, title, "The recommendation."),
    FIELD(TEXT, notification_count, subscription_id, "The subscription."),
    FIELD(TEXT, notification_count, subscription_name, "Its name."),
    { 0 }
};

static const struct record_field ending_fields[] = {
    FIELD(TEXT, notification_ending, reason, "The reason."),
    FIELD(INTEGER, notification_ending, count, "How many."),
    { 0 }
};

static const struct record_field link_fields[] = {
    FIELD(TEXT, notification_link, text, "What it leads to."),
    FIELD(TEXT, notification_link, url, "The address."),
    { 0 }
};

static const struct record_field block_fields[] = {
    FIELD(TEXT, notification_block, rule, "The rule."),
    FIELD(TEXT, notification_block, event, "What happened."),
    FIELD(TEXT, notification_block, fingerprint, "Its alert, where it is about no finding."),
    FIELD(TEXT, notification_block, assessment_id, "The recommendation's key."),
    FIELD(TEXT, notification_block, title, "The recommendation."),
    FIELD(TEXT, notification_block, category, "Its category."),
    FIELD(TEXT, notification_block, risk_level, "Worst risk level of what is open."),
    FIELD(TEXT, notification_block, risk_before, "The level before, when it changed."),
    FIELD(TEXT, notification_block, risk_note, "Where the level is from, if not from context."),
    FIELD(TEXT, notification_block, severity, "The severity."),
    FIELD(INTEGER, notification_block, open_count, "How many are open."),
    FIELD(INTEGER, notification_block, ended_count, "How many ended."),
    LIST(notification_block, resources, resource_count, notification_resource, resource_fields,
         "The resources, open ones first:"),
    LIST(notification_block, endings, ending_count, notification_ending, ending_fields,
         "How many ended for each reason:"),
    FIELD(TEXT, notification_block, reason, "Why all of it ended."),
    FIELD(TEXT, notification_block, what, "What happened, or what a baseline rule asks for."),
    FIELD(TEXT, notification_block, description, "What is wrong, plain."),
    FIELD(TEXT, notification_block, description_markdown, "The same as Markdown."),
    FIELD(TEXT, notification_block, threats, "What the finding makes possible."),
    FIELD(TEXT, notification_block, risk_factors, "Why the risk is what it is."),
    FIELD(TEXT, notification_block, attack_path_names,
          "The attack paths across its findings by name: fixing them breaks these."),
    FIELD(INTEGER, notification_block, attack_paths,
          "Attack paths the worst resource lies on; of known ones those of all its findings."),
    FIELD(BOOL, notification_block, internet_exposed, "Whether the internet can reach one."),
    FIELD(TEXT, notification_block, control, "The secure-score control."),
    FIELD(TEXT, notification_block, benchmark,
          "Controls of Microsoft's cloud security benchmark: MCSB NS-2."),
    FIELD(TEXT, notification_block, vulnerabilities,
          "The gravest vulnerabilities of the worst resource: CVE, CVSS, the fixed version."),
    FIELD(NUMBER, notification_block, points, "Secure-score points to gain."),
    FIELD(NUMBER, notification_block, control_points, "Points the control is worth."),
    FIELD(TEXT, notification_block, remediation, "How to fix it, plain."),
    FIELD(TEXT, notification_block, remediation_markdown, "The same as Markdown."),
    FIELD(TEXT, notification_block, effort, "Effort of the fix."),
    FIELD(TEXT, notification_block, user_impact, "Its impact on users."),
    FIELD(TEXT, notification_block, found,
          "What a baseline rule found, what an attack path leads through, what else a security "
          "alert names or a row of a query of your own says."),
    FIELD(TEXT, notification_block, expected, "What it expects."),
    FIELD(TEXT, notification_block, careful, "How the fix can lock somebody out."),
    FIELD(INSTANT, notification_block, opened_at, "When the oldest open one opened."),
    FIELD(INSTANT, notification_block, due_at, "When the first has to be fixed."),
    FIELD(TEXT, notification_block, metric, "What was measured, in words."),
    FIELD(TEXT, notification_block, unit, "Its unit."),
    FIELD(TEXT, notification_block, comparison, "How the value stands to the bound."),
    MEASURED(notification_block, value, "The value."),
    MEASURED(notification_block, value_before, "The value before."),
    MEASURED(notification_block, bound, "The bound."),
    FIELD(INSTANT, notification_block, since_at, "Since when that holds."),
    LABEL_LIST(notification_block, labels, label_count, false, "What the value is about."),
    LABEL_LIST(notification_block, about, about_count, false, "The same in words."),
    LIST(notification_block, worst, worst_count, notification_worst, worst_fields,
         "The worst findings behind it:"),
    FIELD(INTEGER, notification_block, worst_total, "How many findings are behind it."),
    LIST(notification_block, causes, cause_count, notification_cause, cause_fields,
         "What pulled a score down:"),
    FIELD(NUMBER, notification_block, unexplained, "Points that no cause explains."),
    LIST(notification_block, links, link_count, notification_link, link_fields, "Links:"),
    FIELD(TEXT, notification_block, silence_command, "Command that silences this one of several."),
    { 0 }
};

static const struct record_field report_row_fields[] = {
    FIELD(TEXT, notification_report_row, name, "Its name."),
    FIELD(INTEGER, notification_report_row, opened, "Findings that opened."),
    FIELD(INTEGER, notification_report_row, fixed, "Findings that were fixed."),
    FIELD(INTEGER, notification_report_row, overdue, "Open findings that are overdue."),
    FIELD(INTEGER, notification_report_row, open, "Open findings."),
    { 0 }
};

static const struct record_field report_gain_fields[] = {
    FIELD(TEXT, notification_report_gain, assessment_id, "The recommendation's key."),
    FIELD(TEXT, notification_report_gain, title, "The recommendation."),
    FIELD(TEXT, notification_report_gain, risk_level, "Worst risk level of what is open."),
    FIELD(TEXT, notification_report_gain, link, "Its page, with `web.external_url`."),
    FIELD(INTEGER, notification_report_gain, count, "Open findings."),
    FIELD(NUMBER, notification_report_gain, points, "Secure-score points to gain."),
    { 0 }
};

static const struct record_field report_fields[] = {
    FIELD(TEXT, notification_report, name, "Its name in `alerts.reports`."),
    FIELD(TEXT, notification_report, by, "What rows are: subscription, management_group, owner."),
    FIELD(INSTANT, notification_report, since_at, "Where it begins."),
    FIELD(INSTANT, notification_report, until_at, "Where it ends."),
    FIELD(TEXT, notification_report, seen, "How many subscriptions were seen, in words."),
    FIELD(TEXT, notification_report, lacking, "What was not looked at: numbers may be short."),
    FIELD(TEXT, notification_report, old, "What was not looked at lately: numbers may be old."),
    FIELD(BOOL, notification_report, whole, "Whether all was looked at, and lately."),
    FIELD(INTEGER, notification_report, opened, "Findings that opened."),
    FIELD(INTEGER, notification_report, opened_critical, "Critical ones of them."),
    FIELD(INTEGER, notification_report, fixed, "Findings that were fixed."),
    FIELD(INTEGER, notification_report, ended, "Findings that ended otherwise: by an exemption."),
    FIELD(INTEGER, notification_report, open, "Open findings."),
    FIELD(INTEGER, notification_report, open_critical, "Critical ones of them."),
    FIELD(INTEGER, notification_report, overdue, "Overdue ones of them."),
    MEASURED(notification_report, score, "The secure score, a ratio."),
    MEASURED(notification_report, score_before, "The same where the report begins."),
    LIST(notification_report, rows, row_count, notification_report_row, report_row_fields,
         "The numbers of each, most overdue first:"),
    FIELD(INTEGER, notification_report, more_rows, "How many rows besides these."),
    LIST(notification_report, gains, gain_count, notification_report_gain, report_gain_fields,
         "What gains most points of the secure score:"),
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
    MADE(TEXT, risk, "The same for people: Critical, Not evaluated."),
    FIELD(TEXT, notification, severity, "Severity of the worst finding."),
    FIELD(BOOL, notification, test, "Whether this is a test."),
    FIELD(BOOL, notification, repeat, "Whether this was told before and nothing changed."),
    FIELD(TEXT, notification, held_back,
          "Why it comes now and not before: `until the silence by alice ended`, or empty."),
    FIELD(BOOL, notification, truncated, "Whether something was left out."),
    FIELD(TEXT, notification, receiver, "The receiver."),
    FIELD(TEXT, notification, group_key, "The group of alerts, as Alertmanager writes it."),
    FIELD(TEXT, notification, dedup_key, "Key of this group's incident."),
    FIELD(TEXT, notification, tenant_id, "The tenant."),
    LABEL_LIST(notification, group_labels, group_label_count, false,
               "Labels the group has in common."),
    LABEL_LIST(notification, labels, label_count, true,
               "Labels of the first alert: {{labels.team}}."),
    LABEL_LIST(notification, annotations, annotation_count, true,
               "Annotations of the first alert."),
    FIELD(TEXT, notification, rule, "The rule, when all alerts are of one."),
    FIELD(INTEGER, notification, firing_count, "How many alerts fire."),
    FIELD(INTEGER, notification, resolved_count, "How many are resolved."),
    FIELD(INTEGER, notification, left_out_count, "How many of them are not told one by one."),
    FIELD(TEXT, notification, subscription_id, "The subscription, when all alerts are of one."),
    FIELD(TEXT, notification, subscription_name, "Its name, or its id."),
    FIELD(TEXT, notification, assessment_id, "The recommendation's key, when all are of one."),
    MADE(TEXT, assessment_title, "The first recommendation."),
    MADE(TEXT, category, "Its category."),
    MADE(TEXT, description, "What is wrong, plain."),
    MADE(TEXT, description_markdown, "The same as Markdown."),
    MADE(TEXT, remediation, "How to fix it, plain."),
    MADE(TEXT, remediation_markdown, "The same as Markdown."),
    MADE(TEXT, effort, "Effort of the fix."),
    MADE(TEXT, user_impact, "Its impact on users."),
    MADE(TEXT, threats, "What the finding makes possible."),
    MADE(TEXT, risk_factors, "Why the risk is what it is, of all recommendations."),
    MADE(INTEGER, attack_paths, "Attack paths the worst resource lies on."),
    MADE(BOOL, internet_exposed, "Whether a resource can be reached from the internet."),
    MADE(TEXT, resource_name, "Name of the first resource."),
    MADE(TEXT, resource_type, "Its type."),
    MADE(TEXT, resource_group, "Its resource group."),
    MADE(INTEGER, more_resources, "How many resources besides it."),
    FIELD(INTEGER, notification, resource_total, "How many resources in all."),
    { "resources", RECORD_LIST(struct notification, resources, resource_count,
                               struct notification_resource),
      .fields = resource_fields, .derived = true, .help = "The first resources:" },
    { "causes", RECORD_LIST(struct notification, causes, cause_count, struct notification_cause),
      .fields = cause_fields, .derived = true, .help = "Findings behind a score drop:" },
    LIST(notification, counts, count_count, notification_count, count_fields,
         "What a digest stands for, by rule and risk:"),
    LIST(notification, table, table_count, notification_count, count_fields,
         "The same by recommendation and subscription, the rest as `other`:"),
    LIST(notification, reports, report_count, notification_report, report_fields,
         "What a report says, one element:"),
    FIELD(DURATION, notification, span_s, "How long a digest gathered."),
    MADE(TEXT, link, "The first recommendation in the portal."),
    FIELD(TEXT, notification, external_url, "Address of this program."),
    FIELD(TEXT, notification, runbook_url, "The rule's runbook."),
    FIELD(TEXT, notification, config_file, "Its configuration file, empty for the default one."),
    FIELD(TEXT, notification, silence_command, "Command that silences this and nothing else."),
    FIELD(TEXT, notification, silence_amtool, "The same with amtool, empty without external_url."),
    FIELD(BOOL, notification, silences_limited, "Whether some alerts are never silenced."),
    FIELD(TEXT, notification, reason, "Why it resolved; of several reasons one that is no fix."),
    FIELD(NUMBER, notification, points, "Secure-score points to gain."),
    FIELD(NUMBER, notification, value, "Value of a score or a rule over metrics."),
    FIELD(NUMBER, notification, value_before, "Its value before."),
    FIELD(INSTANT, notification, event_at, "When the newest of it happened."),
    FIELD(INSTANT, notification, made_at, "When this was written."),
    FIELD(INSTANT, notification, opened_at, "When the oldest open finding of it opened."),
    FIELD(DURATION, notification, age_s, "How long ago that is."),
    FIELD(INSTANT, notification, due_at, "When the first of it has to be fixed."),
    { "blocks", RECORD_LIST(struct notification, blocks, block_count, struct notification_block),
      .fields = block_fields, .sparse = true, .help = "The recommendations, worst first:" },
    FIELD(INTEGER, notification, left_out_blocks, "How many recommendations besides these."),
    LIST(notification, alerts, alert_count, alert, alert_fields, "The alerts, worst first:"),
    { 0 }
};

/* What a program without blocks kept besides; it told one recommendation. */
static const struct record_field old_fields[] = {
    FIELD(TEXT, notification, assessment_title, ""),
    FIELD(TEXT, notification, category, ""),
    FIELD(TEXT, notification, description, ""),
    FIELD(TEXT, notification, description_markdown, ""),
    FIELD(TEXT, notification, remediation, ""),
    FIELD(TEXT, notification, remediation_markdown, ""),
    FIELD(TEXT, notification, effort, ""),
    FIELD(TEXT, notification, user_impact, ""),
    FIELD(TEXT, notification, threats, ""),
    FIELD(TEXT, notification, risk_factors, ""),
    FIELD(INTEGER, notification, attack_paths, ""),
    FIELD(BOOL, notification, internet_exposed, ""),
    LIST(notification, resources, resource_count, notification_resource, resource_fields, ""),
    LIST(notification, causes, cause_count, notification_cause, cause_fields, ""),
    FIELD(TEXT, notification, link, ""),
    { 0 }
};
/* clang-format on */

static void init(const struct record_field *fields, void *record)
{
    for (const struct record_field *field = fields; field->type; field++)
        if (field->type == RECORD_TYPE_TEXT)
            *(const char **)((char *)record + field->offset) = "";
        else if (field->measured)
            *(double *)((char *)record + field->offset) = NAN;
}

void notification_init(struct notification *notification)
{
    *notification = (struct notification){ .id = "" };
    init(notification_fields, notification);
}

void notification_block_init(struct notification_block *block)
{
    *block = (struct notification_block){ 0 };
    init(block_fields, block);
}

void notification_resource_init(struct notification_resource *resource)
{
    *resource = (struct notification_resource){ 0 };
    init(resource_fields, resource);
}

/* --- good news -------------------------------------------------------------------------------- */
bool notification_is_fix(const char *reason)
{
    static const char *const fixes[] = { "fixed", "recovered" };
    for (size_t i = 0; i < ARRAY_COUNT(fixes); i++)
        if (!strcmp(reason, fixes[i]))
            return true;
    return false;
}

const char *notification_reason_of_both(const char *first, const char *second)
{
    static const char unassessed[] = "no_longer_assessed";
    if (!strcmp(first, unassessed) || !strcmp(second, unassessed))
        return unassessed;
    return notification_is_fix(first) ? second : first;
}

bool notification_is_good_news(const struct notification *notification)
{
    return notification->status == NOTIFICATION_RESOLVED &&
           notification_is_fix(notification->reason);
}

/* --- derived ---------------------------------------------------------------------------------- */
static void derive_first(struct notification *notification)
{
    const struct notification_block *first = &notification->blocks[0];
    bool is_finding = first->resource_count > 0;
    notification->assessment_title = is_finding ? first->title : "";
    notification->category = first->category;
    notification->description = first->description;
    notification->description_markdown = first->description_markdown;
    notification->remediation = first->remediation;
    notification->remediation_markdown = first->remediation_markdown;
    notification->effort = first->effort;
    notification->user_impact = first->user_impact;
    notification->threats = first->threats;
    notification->link = "";
    for (size_t i = 0; i < first->link_count; i++)
        if (!strcmp(first->links[i].text, NOTIFICATION_PORTAL))
            notification->link = first->links[i].url;
    notification->causes = first->causes;
    notification->cause_count = first->cause_count;
}

/* Add the items of one list joined with ", " to another that does not have them. */
static void join_new(struct buf *out, const char *items)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    while (*items) {
        items += strspn(items, ", ");
        size_t length = strcspn(items, ",");
        buf_reset(&one);
        buf_append(&one, items, length);
        if (length && !strstr(buf_cstr(out), buf_cstr(&one))) {
            buf_text(out, out->length ? ", " : "");
            buf_append(out, one.data, one.length);
        }
        items += length;
    }
}

static void derive_all(struct notification *notification, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf factors = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < notification->block_count; i++)
        count += notification->blocks[i].resource_count;
    if (count > NOTIFICATION_RESOURCES_MAX)
        count = NOTIFICATION_RESOURCES_MAX;
    struct notification_resource *resources = arena_alloc(arena, (count + 1) * sizeof *resources);
    notification->resources = resources;
    for (size_t i = 0; i < notification->block_count; i++) {
        const struct notification_block *block = &notification->blocks[i];
        join_new(&factors, block->risk_factors);
        notification->internet_exposed |= block->internet_exposed;
        if (notification->attack_paths < block->attack_paths)
            notification->attack_paths = block->attack_paths;
        for (size_t j = 0; j < block->resource_count && notification->resource_count < count; j++)
            resources[notification->resource_count++] = block->resources[j];
    }
    notification->risk_factors = arena_text(arena, buf_cstr(&factors));
    if (!notification->resource_count)
        return;
    notification->more_resources = notification->resource_total - 1;
    notification->resource_name = resources->name;
    notification->resource_type = resources->type;
    notification->resource_group = resources->group;
}

/* Nothing derived yet. */
static void derive_nothing(struct notification *notification)
{
    for (const struct record_field *field = notification_fields; field->type; field++) {
        void *member = (char *)notification + field->offset;
        if (field->derived && field->type == RECORD_TYPE_TEXT)
            *(const char **)member = "";
        else if (field->derived && field->type == RECORD_TYPE_INTEGER)
            *(int64_t *)member = 0;
        else if (field->derived && field->type == RECORD_TYPE_BOOL)
            *(bool *)member = false;
        else if (field->derived)
            *(size_t *)((char *)notification + field->count_offset) = 0;
    }
}

void notification_derive_new(struct notification *notification, struct arena *arena)
{
    static const char *const words[] = { "Critical", "High", "Medium", "Low", "Not evaluated" };
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(notification->risk_level, finding_risk_words[i]))
            notification->risk = words[i];
    if (notification->block_count) {
        derive_first(notification);
        derive_all(notification, arena);
    }
    if (!notification->alert_count)
        return;
    memcpy(notification->labels, notification->alerts->labels, sizeof notification->labels);
    memcpy(notification->annotations, notification->alerts->annotations,
           sizeof notification->annotations);
    notification->label_count = notification->alerts->label_count;
    notification->annotation_count = notification->alerts->annotation_count;
}

void notification_derive(struct notification *notification, struct arena *arena)
{
    derive_nothing(notification);
    notification_derive_new(notification, arena);
}

/* --- JSON ------------------------------------------------------------------------------------- */
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

/* The one block of what a program without blocks kept. */
static void add_old_block(struct notification *notification, struct arena *arena)
{
    struct notification_block *block = arena_alloc(arena, sizeof *block);
    struct notification_link *link = arena_alloc(arena, sizeof *link);
    struct notification_resource *resources =
        arena_alloc(arena, notification->resource_count * sizeof *resources + 1);
    notification_block_init(block);
    *link = (struct notification_link){ NOTIFICATION_PORTAL, notification->link };
    for (size_t i = 0; i < notification->resource_count; i++) {
        resources[i] = notification->resources[i];
        resources[i].state = resources[i].resolved ? "closed" : "open";
    }
    block->rule = notification->rule;
    block->event = notification->event;
    block->assessment_id = notification->assessment_id;
    block->title = notification->assessment_title;
    block->category = notification->category;
    block->risk_level = notification->risk_level;
    block->severity = notification->severity;
    block->open_count = notification->firing_count;
    block->ended_count = notification->resolved_count;
    block->resources = resources;
    block->resource_count = notification->resource_count;
    block->reason = notification->reason;
    block->description = notification->description;
    block->description_markdown = notification->description_markdown;
    block->threats = notification->threats;
    block->risk_factors = notification->risk_factors;
    block->attack_paths = notification->attack_paths;
    block->internet_exposed = notification->internet_exposed;
    block->points = notification->points;
    block->remediation = notification->remediation;
    block->remediation_markdown = notification->remediation_markdown;
    block->effort = notification->effort;
    block->user_impact = notification->user_impact;
    block->opened_at = notification->opened_at;
    block->due_at = notification->due_at;
    block->value = notification->value != 0 ? notification->value : NAN; /* 0 was none, too */
    block->value_before = notification->value_before != 0 ? notification->value_before : NAN;
    block->causes = notification->causes;
    block->cause_count = notification->cause_count;
    block->links = link;
    block->link_count = *notification->link ? 1 : 0;
    notification->blocks = block;
    notification->block_count = 1;
}

bool notification_read(const char *json, size_t length, struct arena *arena,
                       struct notification *notification, struct error *error)
{
    CLEANUP(document_finish) struct json *document = json_parse(json, length, error);
    *notification = (struct notification){ .id = "" };
    if (!document || !record_read(notification_fields, document, arena, notification, error))
        return error_wrap(error, "notification");
    if (json_type(json_get(document, "blocks")) != JSON_ARRAY) {
        if (!record_read(old_fields, document, arena, notification, error))
            return error_wrap(error, "notification");
        if (notification->alert_count || notification->resource_count)
            add_old_block(notification, arena);
    }
    notification_derive(notification, arena);
    return true;
}
