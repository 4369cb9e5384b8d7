#pragma once
/* One rule of a file: its rows, and the checks that make a rule of what was written. */
#include "alerts/rules/rule.h"

/* As written; a key whose line is 0 was not. */
struct rule_config {
    const char *name, *metric, *title, *text, *runbook_url;
    struct option_texts events, match, by;
    struct option_pairs labels;
    bool absent, internet_exposed, on_attack_path, contextual;
    int64_t min_age_ms, resolve_after_ms, for_ms, keep_firing_ms, within_ms;
    double above, below, drop, clear;
    bool wrong; /* part of it could not be read: what seems to be missing may be there */
    struct {
        int name, event, metric, match, by, labels, title, text, absent, internet_exposed,
            on_attack_path, contextual, min_age, resolve_after, for_, keep_firing, within, above,
            below, drop, clear;
    } line;
};
struct rule_group_config {
    const char *name;
    struct option_items rules; /* struct rule_config */
};
struct rule_file_config {
    struct option_items groups; /* struct rule_group_config */
};

/* What rules may name; both end with NULL. */
struct rule_known {
    const struct family *const *families; /* NULL = not all are known, so any may be right */
    const char *const *event_labels;
};

/* Check and compile one; texts go to the arena. Every mistake is a line of the report. */
void rule_read(const struct rule_config *config, const char *file, const struct rule_known *known,
               struct arena *arena, struct rule *rule, struct option_report *report);
