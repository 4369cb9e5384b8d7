/* Alerts are described anew when names may have changed. */
#include <string.h>

#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"

/* The finding of an alert as the snapshot shows it now; false = it is not there. */
static bool view_finding(const struct snapshot *snapshot, const struct alert *alert,
                         struct finding *view, char scratch[PART_ID_BYTES])
{
    for (size_t i = 0; alert->has_finding && i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        ptrdiff_t index = part ? part_find(part, &alert->finding_id) : -1;
        if (index < 0)
            continue;
        part_view(part, (size_t)index, view, scratch);
        event_describe(view, catalogue_find(snapshot, part->source->tenant, view->assessment_id));
        view->risk = alert->risk; /* changes by its event alone */
        return true;
    }
    return false;
}

void active_row_keep(const char *const *names, const struct alert *before, struct alert *now)
{
    for (; *names; names++) {
        const char *value = alert_label_value(now, *names);
        if (!*value || !strcmp(value, finding_severity_words[SEVERITY_UNKNOWN]))
            if (*alert_label_value(before, *names))
                alert_label(now, *names, alert_label_value(before, *names));
    }
}

/* The labels of an alert of this rule as they are now. */
static void describe(struct active_pass *pass, const struct rule *rule, const struct alert *before,
                     struct alert *now, char scratch[PART_ID_BYTES], struct arena *arena)
{
    static const char *const model[] = { "model", NULL };
    struct finding view;
    *now = *before;
    now->label_count = 0;
    alert_label(now, "alertname", rule->name);
    bool found = view_finding(pass->snapshot, before, &view, scratch);
    if (found)
        alert_label_finding(now, &view, arena);
    else
        active_row_keep(alert_event_identity, before, now);
    attribute_put(&pass->names, found ? &view : NULL, now);
    active_row_keep(alert_finding_labels, before, now);
    active_row_keep(attribute_labels, before, now);
    active_row_keep(model, before, now);
    for (size_t i = 0; i < rule->label_count; i++)
        alert_label(now, rule->labels[i].name, rule->labels[i].value);
    alert_label(now, "alertname", rule->name);
}

bool active_row_relabel(struct active_pass *pass, const struct rule *rule, const struct alert *now,
                        struct active_row *row, struct error *error)
{
    if (alert_same_labels(now, &row->alert))
        return true;
    enum active_change_kind kind =
        alert_has_labels(now, &row->alert) ? ACTIVE_EXTENDED : ACTIVE_RELABELLED;
    memcpy(row->alert.labels, now->labels, sizeof now->labels);
    row->alert.label_count = now->label_count;
    return active_row_put(pass, rule, row, error) &&
           (row->life.state != ALERT_FIRING || active_row_changed(pass, kind, &row->alert, error));
}

bool active_describe(struct active_pass *pass, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct rows_keys keys;
    struct database_statement *statement =
        database_prepare(pass->database, "SELECT fingerprint FROM active_alert"
                                         " WHERE state IN ('firing', 'pending')");
    if (!pass->snapshot || !rows_read_keys(statement, &arena, &keys, error))
        return !pass->snapshot;
    for (size_t i = 0; i < keys.count; i++) {
        char scratch[PART_ID_BYTES];
        struct active_row row;
        struct alert now;
        bool found;
        arena_reset(&pass->scratch);
        if (!active_row_load(pass->database, keys.keys[i], &pass->scratch, &row, &found, error))
            return false;
        const struct rule *rule = found ? rule_find(pass->rules, row.alert.rule) : NULL;
        if (!rule || rule->kind != RULE_EVENT)
            continue;
        describe(pass, rule, &row.alert, &now, scratch, &pass->scratch);
        if (!active_row_relabel(pass, rule, &now, &row, error))
            return false;
    }
    return true;
}
