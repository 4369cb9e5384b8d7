#pragma once
/* Rows of active_alert: the alert, where it stands, how often it flapped; and what moves one. */
#include "alerts/rules/active.h"

struct active_row {
    struct alert alert;
    struct alert_life life;
    int64_t flaps, flapped_at; /* firings in a row, the last of them */
};

/* Read one row; its texts, and what was needed to read them, go to the arena. Not found: zero,
 * *found false. */
bool active_row_load(struct database *database, const char *fingerprint, struct arena *arena,
                     struct active_row *row, bool *found, struct error *error) MUST_USE;

/* SELECT of what is read of many: their alerts. rest: what follows FROM; kept by its address: pass
 * literals. */
struct database_statement *active_row_walk(struct database *database, const char *rest);

/* The next of those alerts; its texts go to the arena. *labels: its own as JSON; NULL = they have
 * to be written. *found false at the end. */
bool active_row_walked(struct database *database, struct database_statement *statement,
                       struct arena *arena, struct alert *alert, const char **labels, bool *found,
                       struct error *error) MUST_USE;

/* Write a row. due_at: when time alone changes it; 0 = never. */
bool active_row_save(struct database *database, const struct active_row *row, int64_t due_at,
                     struct error *error) MUST_USE;
bool active_row_delete(struct database *database, const char *fingerprint,
                       struct error *error) MUST_USE;

/* Apply a signal to a row, write the row when anything in it moved, and pass on that its alert
 * fired or resolved. rule: NULL when it is gone. event and reason: of the alert, should it
 * resolve. */
bool active_row_move(struct active_pass *pass, const struct rule *rule, struct active_row *row,
                     enum alert_state_signal signal, const char *event, const char *reason,
                     struct error *error) MUST_USE;

/* Whether some event can end what this alert's event began: a finding that opened can resolve. An
 * alert nothing can end, such as that of finding.exempted, resolves by time: rule->resolve_after_s
 * after it fired. */
bool active_row_lasts(const struct alert *alert);

/* Give a row the labels its alert has now, write it and pass it on, when they are others. */
bool active_row_relabel(struct active_pass *pass, const struct rule *rule, const struct alert *now,
                        struct active_row *row, struct error *error) MUST_USE;

/* Of the labels named, ends with NULL: what is not known now stays as it was. */
void active_row_keep(const char *const *names, const struct alert *before, struct alert *now);

/* The same of all names for routing. tags: what attribute_put returned; a tag that is known to be
 * absent is gone, one that may have been misread stays. */
void active_row_keep_names(const struct active_pass *pass, unsigned tags,
                           const struct alert *before, struct alert *now);

/* Set the labels of the rule itself: they win. */
void active_row_label(const struct rule *rule, struct alert *alert);

#define ACTIVE_FIRST_RUN "digest" /* event of an alert that waits until every source is known */

/* Write a row as it is, with the instant its clocks run to. */
bool active_row_put(struct active_pass *pass, const struct rule *rule, const struct active_row *row,
                    struct error *error) MUST_USE;

/* Pass on that an alert changed, to pass->changed. */
bool active_row_changed(struct active_pass *pass, enum active_change_kind kind,
                        const struct alert *alert, struct error *error) MUST_USE;

/* SQL: a resolved alert is kept while a group or a digest has yet to notify of it. */
#define ACTIVE_ROW_KEPT                                                                            \
    " (state = 'resolved' AND (EXISTS (SELECT 1 FROM group_member"                                 \
    " WHERE group_member.fingerprint = active_alert.fingerprint) OR EXISTS"                        \
    " (SELECT 1 FROM governor_fold WHERE governor_fold.fingerprint = active_alert.fingerprint)))"
