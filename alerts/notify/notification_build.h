#pragma once
/* The contents of a notification: texts, resources, causes and links, worked out from its alerts
 * and what the snapshot and the ledger know of them. */
#include "alerts/ledger/ledger.h"
#include "alerts/ledger/points.h"
#include "alerts/rules/notification.h"
#include "alerts/rules/rule.h"

enum { NOTIFICATION_BUILD_TITLE_POINTS = 512 };

/* What notification_build reads besides the alerts; all borrowed. */
struct notification_context {
    const struct snapshot *snapshot;
    const struct points *points;
    const struct ledger *ledger;       /* dates of open findings; NULL = those of the alerts */
    struct database *database;         /* ledger lookups for findings that are gone; NULL = none */
    const struct rule_set *rules;      /* those of the alerts */
    const struct silence_never *never; /* alerts that no silence may cover; NULL = none */
    const struct metric_set *metrics;  /* as the rules see them now; NULL = not known */
    const char *tenant_id, *portal, *external_url;
    const char *config_file; /* "" = the default one */
    int64_t now;
    bool requesters; /* who asked for an exemption may be named */
    bool test;
};

/* What a notification is about; filled by group or governor. */
struct notification_subject {
    const char *receiver, *group_key, *event;
    const struct match_label *group_labels;
    size_t group_label_count;
    const struct alert *alerts; /* in order, at most NOTIFICATION_GIVEN_MAX */
    size_t alert_count;
    int64_t firing_count, resolved_count, left_out_count;
    const struct notification_count *counts;
    size_t count_count;
    const struct notification_count *table; /* of a digest, as governor_table makes it */
    size_t table_count;
    int64_t span_s;                      /* of a digest: how long it gathered */
    const struct template *title, *text; /* of the rule; NULL = the built-in ones */
    uint32_t episode;                    /* for the dedup key */
    const char *dedup_key;               /* NULL = the group's */
    const char *held_back;               /* until what; NULL = it was not */
    bool repeat;
    bool brief; /* leave out the long texts of the catalogue, for many notifications at once */
    bool words; /* leave out links, commands and the key as well: title and text alone are read, and
                   they are built-in */
};

/* Fill the notification. Texts go to the arena; alerts (with a ledger: their texts) stay borrowed
 * from the subject. Annotations that are read: detail (a sentence about what is no finding),
 * headline (its title), value_before, runbook_url. False only when the database failed. */
bool notification_build(const struct notification_context *context,
                        const struct notification_subject *subject, struct arena *arena,
                        struct notification *notification, struct error *error) MUST_USE;

/* A title is one line; a text ends where nothing but blanks follows. */
void notification_build_line(struct buf *title);
void notification_build_end(struct buf *text);
