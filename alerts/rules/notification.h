#pragma once
/* A notification, the whole answer in one message: what is wrong, where, why it matters, how to fix
 * it, what that gains, until when, and how to silence it. Made once when a notification is decided,
 * kept as JSON in the outbox, turned into a request by each receiver. */
#include "alerts/ledger/ledger.h"
#include "alerts/rules/alert.h"
#include "alerts/text/template.h"
#include "collectors/snapshot/snapshot.h"

enum {
    NOTIFICATION_ALERTS_MAX = 64,    /* alerts described in full */
    NOTIFICATION_RESOURCES_MAX = 25, /* affected resources that are named */
    NOTIFICATION_CAUSES_MAX = 10,
};
enum notification_status { NOTIFICATION_FIRING, NOTIFICATION_RESOLVED };
extern const char *const notification_status_words[];

struct notification_resource {
    const char *finding_id, *name, *id, *type, *group, *subscription_id, *risk_level, *link;
    int64_t opened_at;
    bool resolved;
};
struct notification_cause { /* a finding that pulled a score down */
    const char *finding_id, *title, *resource_name, *link;
    double points;
};
struct notification_count { /* of a roll-up: so many of this rule and risk */
    const char *rule, *risk_level, *status;
    int64_t count;
};

/* Texts are never NULL; everything lives in the arena of whoever built or read it. */
struct notification {
    const char *id;    /* of the message: idempotency key, no dots */
    const char *event; /* type on the wire: "finding.opened", "digest", "test" ... */
    enum notification_status status;
    bool test;      /* [TEST] is in the title already */
    bool repeat;    /* sent before, nothing new */
    bool truncated; /* something was left out; the texts say what */
    const char *receiver, *group_key, *dedup_key, *tenant_id;
    struct match_label group_labels[ALERT_LABELS_MAX];
    size_t group_label_count;
    const struct alert *alerts; /* [alert_count] worst risk first, firing before resolved */
    size_t alert_count;
    int64_t firing_count, resolved_count, left_out_count; /* of all, described in full or not */
    const char *rule, *title, *text;   /* rendered; text is plain, a paragraph or two */
    const char *risk_level, *severity; /* worst of the firing ones, or of the resolved ones */
    const char *risk;                  /* risk_level for people: "Not evaluated" */
    /* Of the first alert, for templates. */
    struct match_label labels[ALERT_LABELS_MAX], annotations[ALERT_LABELS_MAX];
    size_t label_count, annotation_count;
    const char *subscription_id, *subscription_name, *assessment_id, *assessment_title, *category;
    const char *description, *description_markdown;            /* what is wrong */
    const char *remediation, *remediation_markdown;            /* what to do */
    const char *effort, *user_impact, *threats, *risk_factors; /* factors joined with ", " */
    int64_t attack_paths;
    bool internet_exposed;
    const struct notification_resource *resources;
    size_t resource_count;
    int64_t resource_total;
    const char *resource_name, *resource_type, *resource_group; /* of the first; "" when none */
    int64_t more_resources;                                     /* besides it */
    const struct notification_cause *causes;
    size_t cause_count;
    const struct notification_count *counts; /* of digests; sum: firing_count + resolved_count */
    size_t count_count;
    const char *link;            /* https, the recommendation in the portal; "" when none */
    const char *external_url;    /* our own address, "" when not configured */
    const char *config_file;     /* of this program; "" = the default one */
    const char *silence_command; /* defender_exporter silence add ...; "" when none is exact */
    const char *silence_amtool;  /* the same with amtool; "" without external_url */
    const char *runbook_url;     /* annotation of that name; "" when none */
    const char *reason;          /* why resolved; what is no fix first; "" = not known of all */
    double points;               /* secure-score points to gain; 0 = none */
    double value, value_before;  /* of a score or a rule over metrics */
    int64_t event_at;            /* of the newest event */
    int64_t opened_at, age_s, due_at;
};

/* What templates may use, and the JSON. */
extern const struct record_field notification_fields[];

/* Empty, every text "". */
void notification_init(struct notification *notification);

/* Fill what follows from other members (risk, labels, annotations): notification_build and
 * notification_read do. */
void notification_derive(struct notification *notification);

/* Whether what a resolved alert gives as its reason means that the trouble is over. Nobody looking
 * any more, an exemption, a plan that is off, a rule that is gone mean no such thing. */
bool notification_is_fix(const char *reason);

/* Whether receivers may show it as good news (green, a tick): all of it is resolved by a fix. */
bool notification_is_good_news(const struct notification *notification);

/* Append as canonical JSON: equal notifications, equal bytes. Without `id`: the outbox adds it. */
void notification_write(const struct notification *notification, struct buf *out);

/* Read what notification_write wrote. ERROR_PARSE. */
bool notification_read(const char *json, size_t length, struct arena *arena,
                       struct notification *notification, struct error *error) MUST_USE;

/* Drop the next least important thing and set truncated, for a receiver whose body came out too
 * large: details, resources, remediation, description, text, rows of a roll-up (folded into one),
 * alerts but the first, then what is long, then all but title, risk, link and key: that form fits
 * everywhere. False when nothing is left to drop. Texts go to the arena. */
bool notification_shrink(struct notification *notification, struct arena *arena);
