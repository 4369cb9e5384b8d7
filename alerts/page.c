#include "alerts/page.h"

#include <string.h>

#include "alerts/text.h"

enum {
    SHORT_RESOURCES = 5,
    SHORT_POINTS = 600,
};

const char *const page_status_words[] = { "firing", "resolved", NULL };

/* clang-format off */
#define FIELD(kind, type, member, text) \
    { #member, RECORD_##kind, offsetof(struct type, member), .help = text }
#define LIST(member, count, of, rows, text)                                                     \
    { #member, RECORD_LIST, offsetof(struct page, member), offsetof(struct page, count),        \
      .element_bytes = sizeof(struct of), .fields = rows, .help = text }
#define LABEL_LIST(member, count, is_derived, text)                                             \
    { #member, RECORD_LABELS, offsetof(struct page, member), offsetof(struct page, count),      \
      .capacity = ALERT_LABELS_MAX, .derived = is_derived, .help = text }

static const struct record_field resource_fields[] = {
    FIELD(TEXT, page_resource, finding_id, "Id of the finding, 16 hex digits."),
    FIELD(TEXT, page_resource, name, "Name of the resource."),
    FIELD(TEXT, page_resource, id, "Its Azure resource id."),
    FIELD(TEXT, page_resource, type, "Its type."),
    FIELD(TEXT, page_resource, group, "Its resource group."),
    FIELD(TEXT, page_resource, subscription_id, "Its subscription."),
    FIELD(TEXT, page_resource, risk_level, "Risk level of the finding."),
    FIELD(TEXT, page_resource, link, "The finding in the portal."),
    FIELD(INSTANT, page_resource, opened_at, "When the finding opened."),
    FIELD(BOOL, page_resource, resolved, "Whether it is resolved."),
    { 0 }
};

static const struct record_field cause_fields[] = {
    FIELD(TEXT, page_cause, finding_id, "Id of the finding."),
    FIELD(TEXT, page_cause, title, "Its recommendation."),
    FIELD(TEXT, page_cause, resource_name, "Its resource."),
    FIELD(TEXT, page_cause, link, "The finding in the portal."),
    FIELD(NUMBER, page_cause, points, "Secure-score points it costs."),
    { 0 }
};

static const struct record_field count_fields[] = {
    FIELD(TEXT, page_count, rule, "The rule."),
    FIELD(TEXT, page_count, risk_level, "The risk level."),
    FIELD(TEXT, page_count, status, "firing or resolved."),
    FIELD(INTEGER, page_count, count, "How many alerts."),
    { 0 }
};

const struct record_field page_fields[] = {
    FIELD(TEXT, page, event, "What happened: finding.opened, digest, ..."),
    { "status", RECORD_WORD, offsetof(struct page, status), .words = page_status_words,
      .help = "firing or resolved." },
    FIELD(TEXT, page, title, "The title; not to be used in a title itself."),
    FIELD(TEXT, page, text, "The text; not to be used in a text itself."),
    FIELD(TEXT, page, risk_level, "Worst risk level of the firing alerts, else of the resolved."),
    { "risk", RECORD_TEXT, offsetof(struct page, risk), .derived = true,
      .help = "The same for people: Critical, Not evaluated." },
    FIELD(TEXT, page, severity, "Severity of the worst finding."),
    FIELD(BOOL, page, test, "Whether this is a test."),
    FIELD(BOOL, page, repeat, "Whether this was told before and nothing changed."),
    FIELD(BOOL, page, truncated, "Whether something was left out."),
    FIELD(TEXT, page, receiver, "The receiver."),
    FIELD(TEXT, page, group_key, "The group of alerts, as Alertmanager writes it."),
    FIELD(TEXT, page, dedup_key, "Key of this group's incident."),
    FIELD(TEXT, page, tenant_id, "The tenant."),
    LABEL_LIST(group_labels, group_label_count, false, "Labels the group has in common."),
    LABEL_LIST(labels, label_count, true, "Labels of the first alert: {{labels.team}}."),
    LABEL_LIST(annotations, annotation_count, true, "Annotations of the first alert."),
    FIELD(TEXT, page, rule, "The rule, when all alerts are of one."),
    FIELD(INTEGER, page, firing_count, "How many alerts fire."),
    FIELD(INTEGER, page, resolved_count, "How many are resolved."),
    FIELD(INTEGER, page, left_out_count, "How many of them are not told one by one."),
    FIELD(TEXT, page, subscription_id, "The subscription, when all alerts are of one."),
    FIELD(TEXT, page, subscription_name, "Its name, or its id."),
    FIELD(TEXT, page, assessment_id, "The recommendation's key, when all are of one."),
    FIELD(TEXT, page, assessment_title, "The recommendation."),
    FIELD(TEXT, page, category, "Its category."),
    FIELD(TEXT, page, description, "What is wrong, plain."),
    FIELD(TEXT, page, description_markdown, "The same as Markdown."),
    FIELD(TEXT, page, remediation, "How to fix it, plain."),
    FIELD(TEXT, page, remediation_markdown, "The same as Markdown."),
    FIELD(TEXT, page, effort, "Effort of the fix."),
    FIELD(TEXT, page, user_impact, "Its impact on users."),
    FIELD(TEXT, page, threats, "What the finding makes possible."),
    FIELD(TEXT, page, risk_factors, "Why the risk is what it is."),
    FIELD(INTEGER, page, attack_paths, "Attack paths the worst resource lies on."),
    FIELD(BOOL, page, internet_exposed, "Whether a resource can be reached from the internet."),
    FIELD(TEXT, page, resource_name, "Name of the first resource."),
    FIELD(TEXT, page, resource_type, "Its type."),
    FIELD(TEXT, page, resource_group, "Its resource group."),
    FIELD(INTEGER, page, more_resources, "How many resources besides it."),
    FIELD(INTEGER, page, resource_total, "How many resources in all."),
    LIST(resources, resource_count, page_resource, resource_fields, "The first resources:"),
    LIST(causes, cause_count, page_cause, cause_fields, "Findings behind a score drop:"),
    LIST(counts, count_count, page_count, count_fields, "Rows of a roll-up:"),
    FIELD(TEXT, page, link, "The recommendation in the portal."),
    FIELD(TEXT, page, external_url, "Address of this program."),
    FIELD(TEXT, page, runbook_url, "The rule's runbook."),
    FIELD(TEXT, page, silence_command, "Command that silences this."),
    FIELD(TEXT, page, reason, "Why it resolved."),
    FIELD(NUMBER, page, points, "Secure-score points to gain."),
    FIELD(NUMBER, page, value, "Value of a score or a rule over metrics."),
    FIELD(NUMBER, page, value_before, "Its value before."),
    FIELD(INSTANT, page, event_at, "When the newest of it happened."),
    FIELD(INSTANT, page, opened_at, "When the oldest open finding of it opened."),
    FIELD(DURATION, page, age_s, "How long ago that is."),
    FIELD(INSTANT, page, due_at, "When the first of it has to be fixed."),
    LIST(alerts, alert_count, alert, alert_fields, "The alerts, worst first:"),
    { 0 }
};
/* clang-format on */

void page_init(struct page *page)
{
    *page = (struct page){ .id = "" };
    for (const struct record_field *field = page_fields; field->type; field++)
        if (field->type == RECORD_TEXT)
            *(const char **)((char *)page + field->offset) = "";
}

/* --- JSON ------------------------------------------------------------------------------------- */
void page_derive(struct page *page)
{
    static const char *const words[] = { "Critical", "High", "Medium", "Low", "Not evaluated" };
    page->risk = "";
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(page->risk_level, finding_risk_words[i]))
            page->risk = words[i];
    if (!page->alert_count)
        return;
    memcpy(page->labels, page->alerts->labels, sizeof page->labels);
    memcpy(page->annotations, page->alerts->annotations, sizeof page->annotations);
    page->label_count = page->alerts->label_count;
    page->annotation_count = page->alerts->annotation_count;
}

void page_write(const struct page *page, struct buf *out)
{
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    record_write(page_fields, page, &writer);
    json_close(&writer, '}');
}

static void document_finish(struct json **document)
{
    json_free(*document);
}

bool page_read(const char *json, size_t length, struct arena *arena, struct page *page,
               struct error *error)
{
    CLEANUP(document_finish) struct json *document = json_parse(json, length, error);
    *page = (struct page){ .id = "" };
    if (!document || !record_read(page_fields, document, arena, page, error))
        return error_wrap(error, "page");
    page_derive(page);
    return true;
}

/* --- shrinking -------------------------------------------------------------------------------- */
/* Each does one thing and tells whether there was anything to do. */
static bool drop_details(struct page *page, struct arena *arena)
{
    const char **texts[] = { &page->threats, &page->user_impact, &page->effort };
    bool dropped = page->cause_count > 0;
    (void)arena;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        dropped |= **texts[i] != 0;
        *texts[i] = "";
    }
    page->cause_count = 0;
    return dropped;
}

static bool drop_resources(struct page *page, struct arena *arena)
{
    (void)arena;
    size_t keep = page->resource_count > SHORT_RESOURCES ? SHORT_RESOURCES : 1;
    if (page->resource_count <= keep)
        return false;
    page->resource_count = keep;
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

static bool drop_remediation(struct page *page, struct arena *arena)
{
    bool markdown = shorten(&page->remediation_markdown, arena);
    return shorten(&page->remediation, arena) || markdown;
}

static bool drop_description(struct page *page, struct arena *arena)
{
    bool markdown = shorten(&page->description_markdown, arena);
    return shorten(&page->description, arena) || markdown;
}

static bool drop_text(struct page *page, struct arena *arena)
{
    return shorten(&page->text, arena);
}

/* The second half of a roll-up's rows becomes one row, so that they still add up. */
static bool drop_counts(struct page *page, struct arena *arena)
{
    size_t keep = page->count_count / 2;
    if (page->count_count <= 2)
        return false;
    struct page_count *counts = arena_zalloc(arena, (keep + 1) * sizeof *counts);
    memcpy(counts, page->counts, keep * sizeof *counts);
    counts[keep] = (struct page_count){ .rule = "others", .risk_level = "", .status = "" };
    for (size_t i = keep; i < page->count_count; i++)
        counts[keep].count += page->counts[i].count;
    page->counts = counts;
    page->count_count = keep + 1;
    return true;
}

static bool drop_alerts(struct page *page, struct arena *arena)
{
    (void)arena;
    if (page->alert_count <= 1)
        return false;
    size_t keep = page->alert_count / 2;
    page->left_out_count += (int64_t)(page->alert_count - keep);
    page->alert_count = keep;
    return true;
}

bool page_shrink(struct page *page, struct arena *arena)
{
    static bool (*const steps[])(struct page *, struct arena *) = {
        drop_details, drop_resources, drop_remediation, drop_description,
        drop_text,    drop_counts,    drop_alerts,
    };
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
        if (steps[i](page, arena)) {
            page->truncated = true;
            return true;
        }
    return false;
}
