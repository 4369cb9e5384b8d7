#pragma once
/* While one alert fires, others that say less are held back: Alertmanager's inhibit_rules. */
#include "alerts/active.h"
#include "alerts/alert.h"

struct inhibit_config {
    struct option_texts source_matchers, target_matchers, equal;
    int line;
};
extern const struct option inhibit_options[];

struct inhibit_rules; /* compiled, in the arena */
const struct inhibit_rules *inhibit_compile(const struct option_items *configs, const char *file,
                                            struct arena *arena, struct option_report *report);

/* What is firing now, reduced to what the rules ask. Made once per evaluation that needs it. */
struct inhibit_view;
struct inhibit_view *inhibit_view_create(const struct inhibit_rules *rules,
                                         struct database *database, struct error *error) MUST_USE;
void inhibit_view_destroy(struct inhibit_view *view);

/* The fingerprint of a firing alert that inhibits this one, or NULL. An alert does not inhibit
 * itself, nor one that matches both sides. */
const char *inhibit_by(const struct inhibit_view *view, const struct alert *alert);
