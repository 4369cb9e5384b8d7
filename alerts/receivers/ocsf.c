#include "alerts/receivers/ocsf.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "alerts/receivers/ocsf_event.h"
#include "alerts/rules/notification_words.h"
#include "collectors/snapshot/cloud_kind.h"

/* A finding that an event is about. */
struct subject {
    const struct notification *notification;
    const struct notification_block *block;
    const struct notification_resource *resource;
    const struct alert *alert; /* NULL = not described in full */
};

/* --- what it is ------------------------------------------------------------------------------- */
/* Words of titles and categories of recommendations that stand for vulnerabilities of software. A
 * finding keeps its class while it lives: what lies below it today does not decide. */
static bool is_vulnerability(const struct notification_block *block)
{
    static const char *const titles[] = { "vulnerability findings", "vulnerabilities resolved" };
    static const char *const categories[] = { "SoftwareUpdate", "CodeVulnerabilities",
                                              "ApiVulnerabilities", "IacVulnerabilities" };
    for (size_t i = 0; i < ARRAY_COUNT(titles); i++)
        if (strcasestr(block->title, titles[i]))
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(categories); i++)
        if (strstr(block->category, categories[i]))
            return true;
    return false;
}

static enum ocsf_class class_of(const struct notification_block *block)
{
    static const char alerts[] = FINDING_SECURITY_ALERT;
    if (!strncmp(block->assessment_id, alerts, sizeof alerts - 1))
        return OCSF_DETECTION_FINDING;
    return is_vulnerability(block) ? OCSF_VULNERABILITY_FINDING : OCSF_COMPLIANCE_FINDING;
}

/* How a finding stands. */
struct standing {
    const char *reason; /* "" = open */
    int status_id;
    const char *status;
    int compliance_id;
    const char *compliance;
};

/* What ended for another reason is still there: the alert ended, not the finding. */
static const struct standing *standing_of(const struct notification_resource *resource)
{
    static const struct standing open = { "", 1, "New", 3, "Fail" };
    static const struct standing ended[] = {
        { "fixed", 4, "Resolved", 1, "Pass" },
        { "exempted", 3, "Suppressed", 3, "Fail" },
        { "not_applicable", 5, "Archived", 99, "Not applicable" },
        { "resource_deleted", 5, "Archived", 0, "Unknown" },
        { "plan_off", 5, "Archived", 0, "Unknown" },
        { "retired", 5, "Archived", 0, "Unknown" },
        { "no_longer_assessed", 5, "Archived", 0, "Unknown" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(ended) && resource->resolved; i++)
        if (!strcmp(resource->state, ended[i].reason))
            return &ended[i];
    return &open;
}

static const char *event_of(const struct subject *subject)
{
    if (subject->alert)
        return subject->alert->event;
    return *subject->block->event ? subject->block->event : subject->notification->event;
}

static enum ocsf_activity activity_of(const struct subject *subject)
{
    static const char opened[] = ".opened", regressed[] = ".rule_regressed";
    const char *event = event_of(subject);
    size_t length = strlen(event), tail = sizeof opened - 1, other = sizeof regressed - 1;
    if (*standing_of(subject->resource)->reason)
        return OCSF_CLOSE;
    if (subject->notification->repeat || subject->resource->resolved)
        return OCSF_UPDATE;
    bool is_new = (length > tail && !strcmp(event + length - tail, opened)) ||
                  (length > other && !strcmp(event + length - other, regressed)) ||
                  subject->notification->test;
    return is_new ? OCSF_CREATE : OCSF_UPDATE;
}

static int64_t time_of(const struct subject *subject)
{
    const struct notification *notification = subject->notification;
    const struct notification_resource *resource = subject->resource;
    if (resource->resolved && resource->ended_at)
        return resource->ended_at;
    if (subject->alert && subject->alert->starts_at && !notification->repeat)
        return subject->alert->starts_at;
    return notification->event_at;
}

/* --- its members ------------------------------------------------------------------------------ */
static void add_account(struct json_writer *writer, const struct notification_resource *resource)
{
    static const struct {
        const char *cloud, *type;
        int type_id;
    } types[] = { { "azure", "Azure Subscription", 13 },
                  { "aws", "AWS Account", 10 },
                  { "gcp", "GCP Project", 11 } };
    const char *cloud = *resource->cloud ? resource->cloud : "azure";
    bool own = !*resource->account;
    const char *uid = own ? resource->subscription_id : resource->account;
    if (!*uid)
        return;
    json_open(writer, "account", '{');
    json_add_text(writer, "uid", uid);
    ocsf_event_text(writer, "name", own ? resource->subscription_name : "");
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (!strcmp(types[i].cloud, own ? "azure" : cloud)) {
            json_add_text(writer, "type", types[i].type);
            json_add_integer(writer, "type_id", types[i].type_id);
        }
    json_close(writer, '}');
}

static void add_cloud(struct json_writer *writer, const struct notification_resource *resource)
{
    const char *name = cloud_kind_names[0];
    for (size_t i = 0; cloud_kind_words[i]; i++)
        if (!strcmp(cloud_kind_words[i], *resource->cloud ? resource->cloud : "azure"))
            name = cloud_kind_names[i];
    json_open(writer, "cloud", '{');
    json_add_text(writer, "provider", name);
    add_account(writer, resource);
    ocsf_event_text(writer, "region", resource->location);
    json_close(writer, '}');
}

static void add_tactics(struct json_writer *writer, const char *tactics)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    if (!*tactics)
        return;
    json_open(writer, "attacks", '[');
    while (*tactics) {
        size_t length = strcspn(tactics, ",");
        buf_reset(&one);
        buf_append(&one, tactics, length);
        json_open(writer, NULL, '{');
        json_open(writer, "tactic", '{');
        json_add_text(writer, "name", buf_cstr(&one));
        json_close(writer, '}');
        json_close(writer, '}');
        tactics += length;
        tactics += strspn(tactics, ", ");
    }
    json_close(writer, ']');
}

static void add_info(struct json_writer *writer, const struct subject *subject)
{
    const struct notification_block *block = subject->block;
    const struct notification_resource *resource = subject->resource;
    json_open(writer, "finding_info", '{');
    json_add_text(writer, "uid", resource->finding_id);
    ocsf_event_text(writer, "title", block->title);
    ocsf_event_text(writer, "desc", block->description);
    ocsf_event_list(writer, "types", block->category);
    ocsf_event_time(writer, "created_time", resource->opened_at);
    ocsf_event_time(writer, "modified_time", time_of(subject));
    ocsf_event_text(writer, "src_url", resource->link);
    if (class_of(block) == OCSF_DETECTION_FINDING)
        add_tactics(writer, block->threats);
    if (*block->assessment_id) {
        json_open(writer, "analytic", '{');
        json_add_text(writer, "uid", block->assessment_id);
        ocsf_event_text(writer, "name", block->title);
        json_add_text(writer, "type", "Rule");
        json_add_integer(writer, "type_id", 1);
        json_close(writer, '}');
    }
    if (subject->alert)
        ocsf_event_list(writer, "data_sources", alert_label_value(subject->alert, "source"));
    json_open(writer, "product", '{');
    json_add_text(writer, "name", "Microsoft Defender for Cloud");
    json_add_text(writer, "vendor_name", "Microsoft");
    json_close(writer, '}');
    json_close(writer, '}');
}

static void add_name(struct json_writer *writer, const char *member, const char *name)
{
    if (!*name)
        return;
    json_open(writer, member, '{');
    json_add_text(writer, "name", name);
    json_close(writer, '}');
}

static void add_resource(struct json_writer *writer, const struct notification_resource *resource)
{
    bool other = *resource->native_id != 0;
    const char *uid = other ? resource->native_id : resource->id;
    if (!*uid && !*resource->name)
        return;
    json_open(writer, "resources", '[');
    json_open(writer, NULL, '{');
    ocsf_event_text(writer, "uid", uid);
    ocsf_event_text(writer, "uid_alt", other ? resource->id : "");
    ocsf_event_text(writer, "name", resource->name);
    ocsf_event_text(writer, "type", resource->type);
    ocsf_event_text(writer, "region", resource->location);
    add_name(writer, "group", resource->group);
    add_name(writer, "owner", resource->owner);
    json_close(writer, '}');
    json_close(writer, ']');
    if (!*uid)
        return;
    json_open(writer, "observables", '[');
    json_open(writer, NULL, '{');
    json_add_text(writer, "name", "resources[0].uid");
    json_add_integer(writer, "type_id", 10);
    json_add_text(writer, "type", "Resource UID");
    json_add_text(writer, "value", uid);
    json_close(writer, '}');
    json_close(writer, ']');
}

static void add_remediation(struct json_writer *writer, const struct subject *subject,
                            const char *text)
{
    const char *links[] = { subject->resource->link, subject->notification->runbook_url };
    if (!*text)
        return;
    json_open(writer, "remediation", '{');
    json_add_text(writer, "desc", text);
    if (*links[0] || *links[1]) {
        json_open(writer, "references", '[');
        for (size_t i = 0; i < ARRAY_COUNT(links); i++)
            if (*links[i])
                json_add_text(writer, NULL, links[i]);
        json_close(writer, ']');
    }
    json_close(writer, '}');
}

static void add_compliance(struct json_writer *writer, const struct subject *subject)
{
    const struct standing *standing = standing_of(subject->resource);
    const struct notification_block *block = subject->block;
    json_open(writer, "compliance", '{');
    json_add_integer(writer, "status_id", standing->compliance_id);
    json_add_text(writer, "status", standing->compliance);
    ocsf_event_text(writer, "control", block->control);
    ocsf_event_text(writer, "category", block->category);
    if (*block->benchmark) {
        ocsf_event_list(writer, "standards", "Microsoft cloud security benchmark");
        ocsf_event_list(writer, "requirements", block->benchmark);
    }
    json_close(writer, '}');
}

static void add_cve(struct json_writer *writer,
                    const struct notification_vulnerability *vulnerability)
{
    json_open(writer, "cve", '{');
    json_add_text(writer, "uid", vulnerability->cve);
    if (!isnan(vulnerability->score)) {
        json_open(writer, "cvss", '[');
        json_open(writer, NULL, '{');
        json_add_number(writer, "base_score", vulnerability->score);
        json_add_text(writer, "version", "3.0");
        json_close(writer, '}');
        json_close(writer, ']');
    }
    json_close(writer, '}');
}

/* Each has a CVE; where none is known the recommendation stands for all of them. */
static void add_vulnerabilities(struct json_writer *writer, const struct subject *subject)
{
    const struct notification_block *block = subject->block;
    const struct notification_resource *resource = subject->resource;
    json_open(writer, "vulnerabilities", '[');
    for (size_t i = 0; i < resource->vulnerability_count; i++) {
        const struct notification_vulnerability *one = &resource->vulnerabilities[i];
        json_open(writer, NULL, '{');
        add_cve(writer, one);
        json_add_bool(writer, "is_fix_available", *one->fixed_in != 0);
        if (*one->fixed_in) {
            CLEANUP(buf_finish) struct buf text = { 0 };
            buf_printf(&text, "Fixed in %s", one->fixed_in);
            add_remediation(writer, subject, buf_cstr(&text));
        }
        json_close(writer, '}');
    }
    if (!resource->vulnerability_count) {
        json_open(writer, NULL, '{');
        json_open(writer, "advisory", '{');
        json_add_text(writer, "uid",
                      *block->assessment_id ? block->assessment_id : resource->finding_id);
        ocsf_event_text(writer, "title", block->title);
        json_close(writer, '}');
        ocsf_event_text(writer, "desc", block->description);
        add_remediation(writer, subject, block->remediation);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void add_unmapped(struct json_writer *writer, const struct subject *subject)
{
    const struct notification_block *block = subject->block;
    const struct notification_resource *resource = subject->resource;
    const struct {
        const char *name, *text;
    } texts[] = {
        { "rule", block->rule },
        { "held_back", subject->notification->held_back },
        { "risk_level", resource->risk_level },
        { "risk_before", block->risk_before },
        { "azure_severity", block->severity },
        { "subscription_id", resource->subscription_id },
        { "connector", resource->connector },
        { "threats", block->threats },
        { "risk_factors", block->risk_factors },
        { "attack_path_names", block->attack_path_names },
        { "vulnerabilities", block->vulnerabilities },
        { "found", *resource->found ? resource->found : block->found },
        { "expected", block->expected },
        { "careful", block->careful },
        { "exemption", resource->exemption },
        { "reason_before", resource->reason_before },
    };
    json_open(writer, "unmapped", '{');
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        ocsf_event_text(writer, texts[i].name, texts[i].text);
    if (block->attack_paths)
        json_add_integer(writer, "attack_paths", block->attack_paths);
    if (block->internet_exposed)
        json_add_bool(writer, "internet_exposed", true);
    ocsf_event_time(writer, "due_time", resource->due_at);
    if (subject->alert)
        ocsf_event_labels(writer, subject->alert->labels, subject->alert->label_count);
    json_close(writer, '}');
}

/* "Critical: <title> on <resource>", "Fixed: ..." */
static void add_message(struct json_writer *writer, const struct subject *subject)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const struct notification_resource *resource = subject->resource;
    const char *reason = standing_of(resource)->reason;
    buf_text(&text, subject->notification->test ? "[TEST] " : "");
    if (*reason)
        buf_text(&text, notification_words_ended(reason));
    else
        buf_text(&text, notification_words_risk(resource->risk_level));
    buf_printf(&text, ": %s on %s", subject->block->title, resource->name);
    json_add_text(writer, "message", buf_cstr(&text));
}

/* --- events ----------------------------------------------------------------------------------- */
static void write_finding(struct json_writer *writer, const struct subject *subject)
{
    const struct standing *standing = standing_of(subject->resource);
    const struct ocsf_head head = {
        .class = class_of(subject->block),
        .activity = activity_of(subject),
        .event = event_of(subject),
        .about = subject->resource->finding_id,
        .risk = *subject->resource->risk_level ? subject->resource->risk_level
                                               : subject->block->risk_level,
        .severity = subject->block->severity,
        .at = time_of(subject),
        .has_cloud = true,
    };
    json_open(writer, NULL, '{');
    ocsf_event_head(writer, subject->notification, &head);
    json_add_integer(writer, "status_id", standing->status_id);
    json_add_text(writer, "status", standing->status);
    ocsf_event_text(writer, "status_detail",
                    subject->resource->resolved ? subject->resource->state : "");
    add_message(writer, subject);
    add_cloud(writer, subject->resource);
    add_info(writer, subject);
    add_resource(writer, subject->resource);
    if (head.class == OCSF_COMPLIANCE_FINDING)
        add_compliance(writer, subject);
    if (head.class == OCSF_VULNERABILITY_FINDING)
        add_vulnerabilities(writer, subject);
    else
        add_remediation(writer, subject, subject->block->remediation);
    if (head.class == OCSF_DETECTION_FINDING)
        json_add_bool(writer, "is_alert", true);
    add_unmapped(writer, subject);
    json_close(writer, '}');
}

static const struct alert *alert_of(const struct notification *notification,
                                    const struct notification_resource *resource)
{
    for (size_t i = 0; i < notification->alert_count; i++) {
        const struct alert *alert = &notification->alerts[i];
        char id[17];
        if (alert->has_finding &&
            !strcmp(finding_id_text(&alert->finding_id, id), resource->finding_id) &&
            (alert->state == ALERT_RESOLVED) == resource->resolved)
            return alert;
    }
    return NULL;
}

/* Whether a block tells of the finding of an alert. */
static bool is_told(const struct notification *notification, const struct alert *alert)
{
    char id[17];
    finding_id_text(&alert->finding_id, id);
    for (size_t i = 0; i < notification->block_count; i++)
        for (size_t j = 0; j < notification->blocks[i].resource_count; j++)
            if (!strcmp(notification->blocks[i].resources[j].finding_id, id))
                return true;
    return false;
}

static const struct notification_block *block_of(const struct notification *notification,
                                                 const char *assessment_id)
{
    for (size_t i = 0; i < notification->block_count; i++)
        if (*assessment_id && !strcmp(notification->blocks[i].assessment_id, assessment_id))
            return &notification->blocks[i];
    return NULL;
}

/* A finding of which no block has a place: what its alert's labels say of it. */
static void write_alert(struct json_writer *writer, const struct notification *notification,
                        const struct alert *alert)
{
    struct notification_block none;
    struct notification_resource resource;
    char id[17];
    const char *assessment_id = alert_label_value(alert, "assessment_id");
    const struct notification_block *block = block_of(notification, assessment_id);
    notification_block_init(&none);
    notification_resource_init(&resource);
    none.assessment_id = none.title = assessment_id;
    none.rule = alert->rule;
    none.category = alert_label_value(alert, "category");
    none.severity = alert_label_value(alert, "severity");
    resource.finding_id = finding_id_text(&alert->finding_id, id);
    resource.name = alert_label_value(alert, "resource_name");
    resource.type = alert_label_value(alert, "resource_type");
    resource.group = alert_label_value(alert, "resource_group");
    resource.subscription_id = alert_label_value(alert, "subscription_id");
    resource.cloud = alert_label_value(alert, "cloud");
    resource.account = alert_label_value(alert, "account");
    resource.connector = alert_label_value(alert, "connector");
    resource.risk_level = finding_risk_words[alert->risk];
    resource.resolved = alert->state == ALERT_RESOLVED;
    resource.state = resource.resolved ? alert->reason : "open";
    resource.opened_at = alert->opened_at;
    resource.due_at = alert->due_at;
    resource.ended_at = alert->ends_at;
    write_finding(writer,
                  &(struct subject){ notification, block ? block : &none, &resource, alert });
}

/* What a roll-up stands for, and what had no place. */
static bool needs_summary(const struct notification *notification, bool any)
{
    return !any || notification->count_count > 0 || notification->left_out_count > 0 ||
           notification->left_out_blocks > 0;
}

void ocsf_write(const struct notification *notification, struct buf *out)
{
    struct json_writer writer = { .out = out };
    bool any = false;
    json_open(&writer, NULL, '[');
    for (size_t i = 0; i < notification->block_count; i++) {
        const struct notification_block *block = &notification->blocks[i];
        for (size_t j = 0; j < block->resource_count; j++, any = true)
            write_finding(&writer,
                          &(struct subject){ notification, block, &block->resources[j],
                                             alert_of(notification, &block->resources[j]) });
        if (!block->resource_count) {
            ocsf_event_other(&writer, notification, block);
            any = true;
        }
    }
    for (size_t i = 0; i < notification->alert_count; i++)
        if (notification->alerts[i].has_finding &&
            !is_told(notification, &notification->alerts[i])) {
            write_alert(&writer, notification, &notification->alerts[i]);
            any = true;
        }
    if (needs_summary(notification, any))
        ocsf_event_other(&writer, notification, NULL);
    json_close(&writer, ']');
}
