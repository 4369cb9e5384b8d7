#include "alerts/receivers/ocsf_event.h"

#include <math.h>
#include <string.h>

#include "alerts/receivers/ocsf.h"
#include "version.h"

/* --- members ---------------------------------------------------------------------------------- */
void ocsf_event_text(struct json_writer *writer, const char *name, const char *text)
{
    if (*text)
        json_add_text(writer, name, text);
}

void ocsf_event_time(struct json_writer *writer, const char *name, int64_t at)
{
    if (at)
        json_add_integer(writer, name, at * 1000);
}

void ocsf_event_list(struct json_writer *writer, const char *name, const char *text)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    if (!*text)
        return;
    json_open(writer, name, '[');
    while (*text) {
        size_t length = strcspn(text, ",");
        buf_reset(&one);
        buf_append(&one, text, length);
        json_add_text(writer, NULL, buf_cstr(&one));
        text += length;
        text += strspn(text, ", ");
    }
    json_close(writer, ']');
}

void ocsf_event_labels(struct json_writer *writer, const struct match_label *labels, size_t count)
{
    if (!count)
        return;
    json_open(writer, "labels", '{');
    for (size_t i = 0; i < count; i++)
        json_add_text(writer, labels[i].name, labels[i].value);
    json_close(writer, '}');
}

static void add_number(struct json_writer *writer, const char *name, double value)
{
    if (!isnan(value))
        json_add_number(writer, name, value);
}

/* --- the head --------------------------------------------------------------------------------- */
static const struct {
    int uid, category_uid;
    const char *name, *category;
} classes[] = {
    [OCSF_BASE_EVENT] = { 0, 0, "Base Event", "Uncategorized" },
    [OCSF_VULNERABILITY_FINDING] = { 2002, 2, "Vulnerability Finding", "Findings" },
    [OCSF_COMPLIANCE_FINDING] = { 2003, 2, "Compliance Finding", "Findings" },
    [OCSF_DETECTION_FINDING] = { 2004, 2, "Detection Finding", "Findings" },
};

static void add_class(struct json_writer *writer, const struct ocsf_head *head)
{
    static const char *const activities[] = {
        [OCSF_CREATE] = "Create", [OCSF_UPDATE] = "Update", [OCSF_CLOSE] = "Close"
    };
    CLEANUP(buf_finish) struct buf type = { 0 };
    bool is_other = head->activity == OCSF_OTHER;
    buf_printf(&type, "%s: %s", classes[head->class].name,
               is_other ? "Other" : activities[head->activity]);
    json_add_integer(writer, "class_uid", classes[head->class].uid);
    json_add_text(writer, "class_name", classes[head->class].name);
    json_add_integer(writer, "category_uid", classes[head->class].category_uid);
    json_add_text(writer, "category_name", classes[head->class].category);
    json_add_integer(writer, "activity_id", head->activity);
    json_add_text(writer, "activity_name", is_other ? head->event : activities[head->activity]);
    json_add_integer(writer, "type_uid", classes[head->class].uid * 100 + (int)head->activity);
    json_add_text(writer, "type_name", buf_cstr(&type));
}

/* The risk, where it is evaluated; else the severity, which may be an operator's word. */
static void add_severity(struct json_writer *writer, const struct ocsf_head *head)
{
    static const struct {
        const char *word;
        int id;
        const char *name;
    } words[] = {
        { "critical", 5, "Critical" },  { "high", 4, "High" },      { "error", 4, "High" },
        { "medium", 3, "Medium" },      { "warning", 3, "Medium" }, { "low", 2, "Low" },
        { "info", 1, "Informational" },
    };
    const char *given[] = { head->risk, head->severity };
    for (size_t i = 0; i < ARRAY_COUNT(given); i++)
        for (size_t j = 0; j < ARRAY_COUNT(words); j++)
            if (!strcmp(given[i], words[j].word)) {
                json_add_integer(writer, "severity_id", words[j].id);
                json_add_text(writer, "severity", words[j].name);
                return;
            }
    bool is_news = head->class == OCSF_BASE_EVENT;
    json_add_integer(writer, "severity_id", is_news);
    json_add_text(writer, "severity", is_news ? "Informational" : "Unknown");
}

static void add_metadata(struct json_writer *writer, const struct notification *notification,
                         const struct ocsf_head *head)
{
    CLEANUP(buf_finish) struct buf uid = { 0 };
    buf_printf(&uid, "%s%s%s", notification->id, *head->about ? "-" : "", head->about);
    json_open(writer, "metadata", '{');
    json_add_text(writer, "version", OCSF_VERSION);
    json_open(writer, "product", '{');
    json_add_text(writer, "name", "defender_exporter");
    json_add_text(writer, "vendor_name", "defender_exporter");
    json_add_text(writer, "version", VERSION);
    json_close(writer, '}');
    json_add_text(writer, "uid", buf_cstr(&uid));
    json_add_text(writer, "event_code", head->event);
    ocsf_event_text(writer, "correlation_uid", notification->dedup_key);
    ocsf_event_text(writer, "tenant_uid", notification->tenant_id);
    if (head->has_cloud)
        ocsf_event_list(writer, "profiles", "cloud");
    if (notification->test)
        ocsf_event_list(writer, "labels", "test");
    if (notification->truncated)
        json_add_bool(writer, "is_truncated", true);
    json_close(writer, '}');
}

void ocsf_event_head(struct json_writer *writer, const struct notification *notification,
                     const struct ocsf_head *head)
{
    add_class(writer, head);
    json_add_integer(writer, "time", head->at * 1000);
    add_severity(writer, head);
    add_metadata(writer, notification, head);
}

/* --- what is about no finding ----------------------------------------------------------------- */
static void add_causes(struct json_writer *writer, const struct notification_block *block)
{
    if (block->cause_count)
        json_open(writer, "causes", '[');
    for (size_t i = 0; i < block->cause_count; i++) {
        json_open(writer, NULL, '{');
        ocsf_event_text(writer, "finding_id", block->causes[i].finding_id);
        json_add_text(writer, "title", block->causes[i].title);
        ocsf_event_text(writer, "resource_name", block->causes[i].resource_name);
        json_add_number(writer, "points", block->causes[i].points);
        json_close(writer, '}');
    }
    if (block->cause_count)
        json_close(writer, ']');
}

static void add_counts(struct json_writer *writer, const char *name,
                       const struct notification_count *counts, size_t count)
{
    if (count)
        json_open(writer, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(writer, NULL, '{');
        json_add_integer(writer, "count", counts[i].count);
        ocsf_event_text(writer, "rule", counts[i].rule);
        ocsf_event_text(writer, "risk_level", counts[i].risk_level);
        ocsf_event_text(writer, "status", counts[i].status);
        ocsf_event_text(writer, "assessment_id", counts[i].assessment_id);
        ocsf_event_text(writer, "title", counts[i].title);
        ocsf_event_text(writer, "subscription_id", counts[i].subscription_id);
        json_close(writer, '}');
    }
    if (count)
        json_close(writer, ']');
}

static void add_block(struct json_writer *writer, const struct notification_block *block)
{
    ocsf_event_text(writer, "rule", block->rule);
    ocsf_event_text(writer, "metric", block->metric);
    ocsf_event_text(writer, "unit", block->unit);
    ocsf_event_text(writer, "comparison", block->comparison);
    add_number(writer, "value", block->value);
    add_number(writer, "value_before", block->value_before);
    add_number(writer, "bound", block->bound);
    ocsf_event_time(writer, "since_time", block->since_at);
    ocsf_event_labels(writer, block->labels, block->label_count);
    add_causes(writer, block);
}

static void add_whole(struct json_writer *writer, const struct notification *notification)
{
    ocsf_event_text(writer, "rule", notification->rule);
    ocsf_event_text(writer, "text", notification->text);
    json_add_integer(writer, "firing_count", notification->firing_count);
    json_add_integer(writer, "resolved_count", notification->resolved_count);
    json_add_integer(writer, "left_out_count", notification->left_out_count);
    add_counts(writer, "counts", notification->counts, notification->count_count);
    add_counts(writer, "table", notification->table, notification->table_count);
}

void ocsf_event_other(struct json_writer *writer, const struct notification *notification,
                      const struct notification_block *block)
{
    bool over = block ? !block->open_count : notification->status == NOTIFICATION_RESOLVED;
    const char *title = block && *block->title ? block->title : notification->title;
    const struct ocsf_head head = {
        .class = OCSF_BASE_EVENT,
        .activity = OCSF_OTHER,
        .event = block && *block->event ? block->event : notification->event,
        .about = block ? block->fingerprint : "",
        .risk = block ? block->risk_level : notification->risk_level,
        .severity = block ? block->severity : notification->severity,
        .at = notification->event_at,
    };
    json_open(writer, NULL, '{');
    ocsf_event_head(writer, notification, &head);
    json_add_integer(writer, "status_id", 99);
    json_add_text(writer, "status", notification_status_words[over]);
    ocsf_event_text(writer, "status_detail", block ? block->reason : notification->reason);
    json_add_text(writer, "message", title);
    json_open(writer, "unmapped", '{');
    ocsf_event_text(writer, "held_back", notification->held_back);
    if (block) {
        ocsf_event_text(writer, "what", block->what);
        add_block(writer, block);
    } else {
        add_whole(writer, notification);
    }
    json_close(writer, '}');
    json_close(writer, '}');
}
