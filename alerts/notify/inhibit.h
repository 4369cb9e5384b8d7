#pragma once
/* Inhibition: while one alert fires, others that say less are muted. Alertmanager's
 * inhibit_rules. */
#include "alerts/rules/active.h"
#include "alerts/rules/alert.h"

struct inhibit_config {
    struct option_texts source_matchers, target_matchers, equal;
    struct {
        int source, target, equal;
    } line;
};
extern const struct option inhibit_options[];

struct inhibit_rules; /* compiled, in the arena */

/* Every mistake is a line of the report; NULL then, and without any rule. labels: those that alerts
 * can have, ends with NULL; NULL = any. */
const struct inhibit_rules *inhibit_compile(const struct option_items *configs,
                                            const char *const *labels, const char *file,
                                            struct arena *arena, struct option_report *report);

/* Free what the arena does not: compiled patterns. NULL is fine. */
void inhibit_finish(const struct inhibit_rules *rules);

/* Show the matchers of every rule. rules: NULL is fine. */
void inhibit_each_matchers(const struct inhibit_rules *rules, match_visit *visit, void *context);

/* A view of the firing alerts, reduced to what the rules ask; made once per evaluation that needs
 * it. */
struct inhibit_view;
struct inhibit_view *inhibit_view_create(const struct inhibit_rules *rules,
                                         struct database *database, struct error *error) MUST_USE;
void inhibit_view_destroy(struct inhibit_view *view); /* NULL is fine */

/* The fingerprint of a firing alert that inhibits this one, or NULL. An alert does not inhibit
 * itself, nor do two that match both sides inhibit each other. */
const char *inhibit_by(const struct inhibit_view *view, const struct alert *alert);
