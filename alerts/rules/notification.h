#pragma once
/* A notification, the whole answer in one message: what is wrong, where, why it matters, how to fix
 * it, what that gains, until when, and how to silence it. A block tells of one recommendation, or
 * of one alert that is about no finding. Made once when a notification is decided, kept as JSON in
 * the outbox, turned into a request by each receiver. */
#include "alerts/ledger/ledger.h"
#include "alerts/rules/alert.h"
#include "alerts/text/template.h"
#include "collectors/snapshot/snapshot.h"

enum {
    NOTIFICATION_GIVEN_MAX = 1024,   /* alerts that are looked at: their counts and ends are true */
    NOTIFICATION_ALERTS_MAX = 64,    /* alerts described in full */
    NOTIFICATION_BLOCKS_MAX = 16,    /* recommendations told */
    NOTIFICATION_RESOURCES_MAX = 25, /* affected resources that are named in a block */
    NOTIFICATION_CAUSES_MAX = 10,
    NOTIFICATION_WORST_MAX = 5, /* findings named behind a number */
    NOTIFICATION_LINKS_MAX = 8,
};
enum notification_status { NOTIFICATION_FIRING, NOTIFICATION_RESOLVED };
extern const char *const notification_status_words[];

struct notification_change { /* who may have caused a finding, or its end: a candidate */
    int64_t at;
    const char *by, *caller; /* "service principal"; by name, "" unless that is wanted */
    const char *operation, *kind;
};

struct notification_vulnerability { /* below a finding */
    const char *cve, *fixed_in;     /* fixed_in: "" = not told */
    double score;                   /* CVSS 3; NaN = not told */
};

/* One finding of a block: a resource and where it stands. */
struct notification_resource {
    const char *finding_id, *name, *type, *group;
    const char *id, *native_id; /* ARM id; ARN or full resource name, "" when there is none */
    const char *subscription_id, *subscription_name;
    const char *cloud, *account, *connector;
    const char *environment; /* these in words: "AWS account 1234 through connector prod-aws" */
    const char *location;
    const char *risk_level, *link;
    const char *state;    /* "open", or the reason it is not: "fixed", "exempted" */
    const char *found;    /* by a baseline rule on this machine, or what this attack path leads
                             through; "" = as its block says */
    const char *owner;    /* whom governance assigned it to; "" = nobody, or not to be told */
    const char *due_note; /* who set due_at, unless it is the SLA: "set by governance in Azure" */
    int64_t opened_at, due_at, ended_at;
    const char *exemption;     /* of what is exempted: "waiver: We leave in March"; "" */
    int64_t exempted_until_at; /* 0 = without an end, or not known */
    const char *reason_before; /* of what is open again: why it had ended, and when */
    int64_t ended_before_at;
    const struct notification_change *changes; /* [change_count] people before Azure itself */
    size_t change_count;
    const struct notification_vulnerability *vulnerabilities; /* the gravest below it */
    size_t vulnerability_count;
    int64_t unseen_at; /* first collection without it, of what is no longer assessed */
    bool resolved;
};
struct notification_cause { /* what pulled a score down, a finding where finding_id is not "" */
    const char *finding_id, *title, *resource_name, *link;
    double points;
};
struct notification_worst { /* one of the worst findings behind a number */
    const char *finding_id, *title, *resource_name, *subscription_name, *risk_level, *link;
    int64_t opened_at, due_at;
};
struct notification_count { /* of a roll-up: so many of this rule, risk and recommendation */
    const char *rule, *risk_level, *status;
    int64_t count;
    const char *assessment_id, *title, *subscription_id, *subscription_name; /* "" = of any */
};
struct notification_ending { /* so many of a block ended for this reason */
    const char *reason;
    int64_t count;
};
#define NOTIFICATION_PORTAL "Open in the Azure portal"
struct notification_link { /* https, and what it leads to: "Recommendation", "Dashboard" */
    const char *text, *url;
};

struct notification_report_row { /* a subscription, a management group or an owner */
    const char *name;
    int64_t opened, fixed, overdue, open;
};
struct notification_report_gain { /* a recommendation to finish first */
    const char *assessment_id, *title, *risk_level, *link; /* link: "" without external_url */
    int64_t count;
    double points;
};
/* What a report says, of event `report`. */
struct notification_report {
    const char *name, *by;
    int64_t since_at, until_at;
    const char *seen;          /* "38 of 40 subscriptions seen (2 denied)" */
    const char *lacking, *old; /* what was not looked at, and not lately; "" = nothing */
    bool whole;                /* all of it was, and lately */
    int64_t opened, opened_critical, fixed, ended, open, open_critical, overdue;
    double score, score_before;                  /* ratios; NaN = not known */
    const struct notification_report_row *rows;  /* [row_count] most overdue first */
    size_t row_count;
    int64_t more_rows;
    const struct notification_report_gain *gains; /* [gain_count] most points first */
    size_t gain_count;
};

/* Members that do not apply are "", 0 and empty. */
struct notification_block {
    const char *rule, *event; /* of its first alert: "finding.reopened" */
    const char *fingerprint;  /* of its alert, where it is about no finding */
    const char *assessment_id, *title, *category;
    const char *risk_level, *risk_before; /* worst of the open ones; before: when it changed */
    const char *risk_note;                /* where the risk is from, unless from its context */
    const char *severity;
    int64_t open_count, ended_count;         /* of all its findings or alerts, named or not */
    struct notification_resource *resources; /* [resource_count] open first, worst first */
    size_t resource_count;
    struct notification_ending *endings; /* [ending_count] sum: ended_count, but what is left out */
    size_t ending_count;
    const char *reason; /* why all of it ended; what is no fix first; "" = something is open */
    const char *what;   /* a sentence about what is no finding, or a baseline rule in words */
    const char *description, *description_markdown; /* what is wrong */
    const char *threats, *risk_factors;             /* in words, joined with ", " */
    const char *attack_path_names;                  /* joined with "; "; "" = not known */
    int64_t attack_paths; /* the most of one resource, or all where they are known */
    bool internet_exposed;
    const char *control;           /* of the secure score */
    const char *benchmark;         /* controls of Microsoft's benchmark: "MCSB NS-2" */
    const char *vulnerabilities;   /* the gravest below the worst resource, with what fixes them */
    double points, control_points; /* to gain here, and what the control is worth */
    const char *remediation, *remediation_markdown; /* what to do */
    const char *effort, *user_impact;
    const char *found, *expected, *careful; /* of a baseline rule; careful: who can be locked out */
    int64_t opened_at, due_at;              /* of the open ones: the oldest, the first to be due */
    /* Of a rule over metrics or a score. */
    const char *metric, *unit, *comparison;      /* in words; "" = none; "below", "is", "absent" */
    double value, value_before, bound;           /* NaN = none */
    int64_t since_at;                            /* since when it holds */
    struct match_label labels[ALERT_LABELS_MAX]; /* of the alert, as they are */
    size_t label_count;
    struct match_label about[ALERT_LABELS_MAX]; /* what the value is of, in words */
    size_t about_count;
    const struct notification_worst *worst; /* the worst findings behind the value */
    size_t worst_count;
    int64_t worst_total;
    const struct notification_cause *causes; /* most points first */
    size_t cause_count;
    double unexplained;              /* points of the drop that no cause explains */
    struct notification_link *links; /* [link_count] portal first */
    size_t link_count;
    const char *silence_command; /* for this block alone, where there are others; "" = none */
};

/* Texts are never NULL; everything lives in the arena of whoever built or read it. */
struct notification {
    const char *id;    /* of the message: idempotency key, no dots */
    const char *event; /* type on the wire: "finding.opened", "digest", "test" ... */
    enum notification_status status;
    bool test;             /* [TEST] is in the title already */
    bool repeat;           /* sent before, nothing new */
    const char *held_back; /* why it comes now: "until the silence by alice ended"; "" */
    bool truncated;        /* something was left out; the texts say what */
    const char *receiver, *group_key, *dedup_key, *tenant_id;
    struct match_label group_labels[ALERT_LABELS_MAX];
    size_t group_label_count;
    const struct alert *alerts; /* [alert_count] worst risk first, firing before resolved */
    size_t alert_count;
    int64_t firing_count, resolved_count, left_out_count; /* of all, described in full or not */
    struct notification_block *blocks; /* [block_count] open before ended, worst first */
    size_t block_count;
    int64_t left_out_blocks;
    int64_t resource_total;          /* findings of all blocks, told or not; 0 = it is about none */
    const char *rule, *title, *text; /* rendered; text is plain, a paragraph or two */
    const char *risk_level, *severity; /* worst of the firing ones, or of the resolved ones */
    const char *subscription_id, *subscription_name, *assessment_id; /* that all have */
    const struct notification_count *counts; /* of digests; sum: firing_count + resolved_count */
    size_t count_count;
    const struct notification_count *table; /* the same sum by recommendation and subscription */
    size_t table_count;
    const struct notification_report *reports; /* [report_count] one, of event `report` */
    size_t report_count;
    int64_t span_s;              /* of digests: how long they gathered */
    const char *external_url;    /* our own address, "" when not configured */
    const char *config_file;     /* of this program; "" = the default one */
    const char *silence_command; /* defender_exporter silence add ...; "" when none is exact */
    const char *silence_amtool;  /* the same with amtool; "" without external_url */
    bool silences_limited;       /* some alerts are never silenced */
    const char *runbook_url;     /* annotation of that name; "" when none */
    const char *reason;          /* why resolved; what is no fix first; "" = not known of all */
    double points;               /* secure-score points to gain; 0 = none */
    double value, value_before;  /* of a score or a rule over metrics */
    int64_t event_at;            /* of the newest event */
    int64_t made_at;             /* when it was decided; 0 = by an older program */
    int64_t opened_at, age_s, due_at;
    /* For templates, by notification_derive: of the first alert ... */
    const char *risk; /* risk_level for people: "Not evaluated" */
    struct match_label labels[ALERT_LABELS_MAX], annotations[ALERT_LABELS_MAX];
    size_t label_count, annotation_count;
    /* ... of the first block ... */
    const char *assessment_title, *category, *description, *description_markdown, *remediation,
        *remediation_markdown, *effort, *user_impact, *threats;
    const char *link; /* https, the recommendation in the portal; "" when none */
    const struct notification_cause *causes;
    size_t cause_count;
    /* ... and of all blocks. */
    const char *risk_factors; /* each once */
    int64_t attack_paths;     /* the most of a block */
    bool internet_exposed;
    const struct notification_resource *resources;
    size_t resource_count;
    const char *resource_name, *resource_type, *resource_group; /* of the first; "" when none */
    int64_t more_resources;                                     /* besides it */
};

/* What templates may use, and the JSON. */
extern const struct record_field notification_fields[];

/* Empty, every text "". */
void notification_init(struct notification *notification);
void notification_block_init(struct notification_block *block);
void notification_resource_init(struct notification_resource *resource);

/* Fill what follows from other members; texts go to the arena. notification_build, _read and
 * _shrink do. */
void notification_derive(struct notification *notification, struct arena *arena);

/* The same where nothing is derived yet, as after notification_init. */
void notification_derive_new(struct notification *notification, struct arena *arena);

/* Whether what a resolved alert gives as its reason means that the trouble is over. Nobody looking
 * any more, an exemption, a plan that is off, a rule that is gone mean no such thing. */
bool notification_is_fix(const char *reason);

/* The reason of two that stands for both, "" = unknown: that nobody looks any more outranks all,
 * what is no fix outranks a fix, the first what is alike. */
const char *notification_reason_of_both(const char *first, const char *second);

/* Whether receivers may show it as good news (green, a tick): all of it is resolved by a fix. */
bool notification_is_good_news(const struct notification *notification);

/* Append as canonical JSON: equal notifications, equal bytes. Without `id`: the outbox adds it. */
void notification_write(const struct notification *notification, struct buf *out);

/* Read what notification_write wrote. ERROR_PARSE. */
bool notification_read(const char *json, size_t length, struct arena *arena,
                       struct notification *notification, struct error *error) MUST_USE;

/* Drop the next least important thing and set truncated, for a receiver whose body came out too
 * large: resources beyond ten, details, texts of all blocks but the first, resources, remediation,
 * description, causes, rows of a report, text, rows of a roll-up (folded into one), blocks but the
 * first, alerts but the first, then what is long, then all but title, risk, resource, link and key:
 * that form fits everywhere. Counts stay true. False when nothing is left to drop. Texts go to the
 * arena. */
bool notification_shrink(struct notification *notification, struct arena *arena);
