#include "alerts/rules/alert.h"

#include <stdio.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/hash.h"
#include "core/memory.h"

enum {
    ALERTNAME, SOURCE, RISK_LEVEL, SEVERITY, ASSESSMENT_ID, FINDING_ID, SUBSCRIPTION_ID,
    RESOURCE_GROUP, RESOURCE_TYPE, RESOURCE_NAME, CATEGORY, MODEL, CLOUD, CONNECTOR, ACCOUNT,
    LABEL_COUNT
};
const char *const alert_finding_labels[] = {
    [ALERTNAME] = "alertname",
    [SOURCE] = "source",
    [RISK_LEVEL] = "risk_level",
    [SEVERITY] = "severity",
    [ASSESSMENT_ID] = "assessment_id",
    [FINDING_ID] = "finding_id",
    [SUBSCRIPTION_ID] = "subscription_id",
    [RESOURCE_GROUP] = "resource_group",
    [RESOURCE_TYPE] = "resource_type",
    [RESOURCE_NAME] = "resource_name",
    [CATEGORY] = "category",
    [MODEL] = "model",
    [CLOUD] = "cloud",
    [CONNECTOR] = "connector",
    [ACCOUNT] = "account",
    [LABEL_COUNT] = NULL,
};

const char *const alert_finding_identity[] = { "finding_id", NULL };
const char *const alert_event_identity[] = { "source", "subject", "subscription_id", NULL };

/* clang-format off */
const struct record_field alert_fields[] = {
    { "labels", RECORD_LABELS(struct alert, labels, label_count),
      .help = "What identifies and describes the alert: {{labels.resource_name}}." },
    { "annotations", RECORD_LABELS(struct alert, annotations, annotation_count),
      .help = "What explains it: {{annotations.detail}}." },
    { "fingerprint", RECORD_CHARS(struct alert, fingerprint),
      .help = "Name of the alert for as long as its rule and its subject are the same." },
    { "rule", RECORD_TEXT(struct alert, rule), .help = "The rule that made it." },
    { "event", RECORD_TEXT(struct alert, event), .help = "What happened." },
    { "state", RECORD_WORD(struct alert, state), .words = alert_state_words,
      .help = "pending, firing or resolved." },
    { "risk_level", RECORD_WORD(struct alert, risk), .words = finding_risk_words,
      .help = "Risk level of its finding." },
    { "finding", RECORD_FINDING(struct alert, finding_id, has_finding),
      .help = "The finding it is about, empty without." },
    { "episode", RECORD_UNSIGNED(struct alert, episode),
      .help = "Which life of the finding, or how often the alert has fired." },
    { "value", RECORD_NUMBER(struct alert, value),
      .help = "Value of a rule over metrics." },
    { "starts_at", RECORD_INSTANT(struct alert, starts_at),
      .help = "When it became active." },
    { "ends_at", RECORD_INSTANT(struct alert, ends_at), .help = "When it resolved." },
    { "due_at", RECORD_INSTANT(struct alert, due_at),
      .help = "When its finding has to be fixed." },
    { "opened_at", RECORD_INSTANT(struct alert, opened_at),
      .help = "When its finding opened." },
    { "reason", RECORD_TEXT(struct alert, reason), .help = "Why it resolved." },
    { 0 }
};
/* clang-format on */

/* Set, replace or remove one entry of a list that is sorted by name. */
static void put(struct match_label *list, size_t *count, const char *name, const char *value)
{
    size_t index = 0;
    while (index < *count && strcmp(list[index].name, name) < 0)
        index++;
    bool found = index < *count && !strcmp(list[index].name, name);
    size_t behind = *count - index;
    if (!*value) {
        if (found) {
            memmove(list + index, list + index + 1, (behind - 1) * sizeof *list);
            (*count)--;
        }
        return;
    }
    if (!found) {
        if (*count == ALERT_LABELS_MAX)
            memory_abort("an alert has no room for %s", name);
        memmove(list + index + 1, list + index, behind * sizeof *list);
        (*count)++;
    }
    list[index] = (struct match_label){ name, value };
}

static const char *find(const struct match_label *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (*list[i].name == *name && !strcmp(list[i].name, name))
            return list[i].value;
    return "";
}

void alert_label(struct alert *alert, const char *name, const char *value)
{
    put(alert->labels, &alert->label_count, name, value);
}

void alert_annotate(struct alert *alert, const char *name, const char *value)
{
    put(alert->annotations, &alert->annotation_count, name, value);
}

const char *alert_label_value(const struct alert *alert, const char *name)
{
    return find(alert->labels, alert->label_count, name);
}

const char *alert_annotation_value(const struct alert *alert, const char *name)
{
    return find(alert->annotations, alert->annotation_count, name);
}

const char *alert_finding_value(const struct finding *finding, size_t place, char id[17])
{
    switch (place) {
    case SOURCE:
        return finding->source->name;
    case RISK_LEVEL:
        return finding_risk_words[finding->risk];
    case SEVERITY:
        return finding_severity_words[finding->severity];
    case ASSESSMENT_ID:
        return finding->assessment_id;
    case FINDING_ID:
        return finding_id_text(&finding->id, id);
    case SUBSCRIPTION_ID:
        return finding->subscription_id;
    case RESOURCE_GROUP:
        return finding->resource_group;
    case RESOURCE_TYPE:
        return finding->resource_type;
    case RESOURCE_NAME:
        return finding->resource_name;
    case CATEGORY:
        return finding->category;
    case MODEL:
        return finding->model == MODEL_PLAIN ? "" : finding_model_words[finding->model];
    case CLOUD:
        return cloud_kind_words[finding->cloud];
    case CONNECTOR:
        return finding->connector;
    case ACCOUNT:
        return finding->account;
    default:
        return "";
    }
}

void alert_label_finding(struct alert *alert, const struct finding *finding, struct arena *arena)
{
    char *id = arena_zalloc(arena, 17);
    for (size_t place = ALERTNAME + 1; place < LABEL_COUNT; place++)
        alert_label(alert, alert_finding_labels[place], alert_finding_value(finding, place, id));
}

/* FNV-1a. source: prometheus/common model/fnv.go. */
static uint64_t mix(uint64_t sum, const char *text)
{
    for (; *text; text++)
        sum = (sum ^ (unsigned char)*text) * 1099511628211u;
    return (sum ^ 0xff) * 1099511628211u;
}

void alert_seal(struct alert *alert)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < alert->label_count; i++)
        sum = mix(mix(sum, alert->labels[i].name), alert->labels[i].value);
    snprintf(alert->fingerprint, sizeof alert->fingerprint, "%016llx", (unsigned long long)sum);
}

void alert_identify(struct alert *alert, const char *const *names)
{
    struct alert identity = { 0 };
    alert_label(&identity, "alertname", alert_label_value(alert, "alertname"));
    for (; *names; names++)
        alert_label(&identity, *names, alert_label_value(alert, *names));
    alert_seal(&identity);
    memcpy(alert->fingerprint, identity.fingerprint, sizeof alert->fingerprint);
}

bool alert_has_labels(const struct alert *alert, const struct alert *other)
{
    for (size_t i = 0; i < other->label_count; i++)
        if (strcmp(alert_label_value(alert, other->labels[i].name), other->labels[i].value) != 0)
            return false;
    return true;
}

bool alert_same_labels(const struct alert *alert, const struct alert *other)
{
    return alert->label_count == other->label_count && alert_has_labels(alert, other);
}

char *alert_dedup_key(const char *tenant_id, const char *rule, const char *subject,
                      uint32_t episode, char out[46])
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct hash_sha256 digest;
    buf_append(&text, tenant_id, strlen(tenant_id) + 1);
    buf_append(&text, rule, strlen(rule) + 1);
    buf_append(&text, subject, strlen(subject) + 1);
    buf_integer(&text, episode);
    hash_sha256(text.data, text.length, &digest);
    snprintf(out, 46, "dfx1-");
    hash_hex(digest.bytes, 20, out + 5);
    return out;
}

void alert_write(const struct alert *alert, struct json_writer *writer, const char *name)
{
    json_open(writer, name, '{');
    record_write(alert_fields, alert, writer);
    json_close(writer, '}');
}
