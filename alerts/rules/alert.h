#pragma once
/* An alert: labels that identify and describe it, annotations that explain it, and where it
 * stands. Its rule and its subject (a finding, else what the event or the sample is about) make it
 * the same alert; every other label may change while it fires. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/ledger/event.h"
#include "alerts/rules/alert_state.h"
#include "alerts/text/match.h"
#include "alerts/text/record.h"

#define ALERT_RELABELLED                                                                           \
    "relabelled" /* reason of a set of labels that is not the alert's any more */

enum { ALERT_LABELS_MAX = 40, ALERT_FINGERPRINT_BYTES = 17 };

/* Texts are borrowed, or in the arena of whoever read it. */
struct alert {
    struct match_label labels[ALERT_LABELS_MAX]; /* sorted by name, no empty value */
    size_t label_count;
    struct match_label annotations[ALERT_LABELS_MAX];
    size_t annotation_count;
    char fingerprint[ALERT_FINGERPRINT_BYTES]; /* alert_identify */
    const char *rule;                          /* also the label alertname */
    const char *event; /* event_names word; rules over metrics: rule.firing */
    enum alert_state state;
    enum risk_level risk;
    bool has_finding;
    struct finding_id finding_id;
    uint32_t episode;  /* of the finding, or how often the alert has fired */
    double value;      /* of a rule over metrics */
    int64_t starts_at; /* became active: the event's instant, or pending began */
    int64_t ends_at;   /* resolved; 0 while it is not */
    int64_t due_at, opened_at;
    const char *reason; /* why resolved: a word of finding_reason, "no_longer_matches",
                           "no_longer_overdue", "rule_removed", "recovered"; "" while firing */
};

/* Set a label; name and value are borrowed; "" removes it. They stay sorted by name. There must be
 * room for it: rule.c shows that all an alert can have fit. Names must match
 * [a-zA-Z_][a-zA-Z0-9_]*. */
void alert_label(struct alert *alert, const char *name, const char *value);
void alert_annotate(struct alert *alert, const char *name, const char *value);

/* The value of a label or annotation, "" when absent. */
const char *alert_label_value(const struct alert *alert, const char *name);
const char *alert_annotation_value(const struct alert *alert, const char *name);

/* The labels every alert about a finding has: alertname, source, risk_level, severity,
 * assessment_id, finding_id, subscription_id, resource_group, resource_type, resource_name,
 * category, cloud, connector, account; those Azure leaves empty are left out. alertname is the
 * caller's, and the rule's own labels are set afterwards and win. Ends with NULL. arena: for the
 * text of the id. */
extern const char *const alert_finding_labels[];
void alert_label_finding(struct alert *alert, const struct finding *finding, struct arena *arena);

/* The value of one of them but alertname, by its place in that list; "" when it is left out. id:
 * for the text of the finding's. */
const char *alert_finding_value(const struct finding *finding, size_t place, char id[17]);

/* Whether an alert has all labels of another, with the same values; and whether that is all. */
bool alert_has_labels(const struct alert *alert, const struct alert *other);
bool alert_same_labels(const struct alert *alert, const struct alert *other);

/* Work out the fingerprint: FNV-1a 64 over name, 0xff, value, 0xff of the sorted labels
 * as 16 hex digits, which is what Alertmanager calls the same alert. */
void alert_seal(struct alert *alert);

/* The same over alertname and the labels named, ends with NULL: what identifies the alert. The
 * others describe it and may change. */
void alert_identify(struct alert *alert, const char *const *names);

/* Those of an alert about a finding, and of one about any other event. Of alerts over metrics it
 * is the labels of their sample. */
extern const char *const alert_finding_identity[], *const alert_event_identity[];

/* dfx1- and 40 hex digits of SHA-256 over tenant, rule, finding id or group key, and episode: the
 * same on every replica, new after a reopening. out: 46 bytes. */
char *alert_dedup_key(const char *tenant_id, const char *rule, const char *subject,
                      uint32_t episode, char out[46]);

/* What templates may use of an alert, and its JSON. */
extern const struct record_field alert_fields[];

/* Append as one JSON object, members in fixed order: equal alerts, equal bytes. */
void alert_write(const struct alert *alert, struct json_writer *writer, const char *name);
