/* Alerts are described anew when names may have changed. */
#include <stdlib.h>
#include <string.h>

#include "alerts/rules/active_row.h"
#include "alerts/store/rows.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "core/hash.h"
#include "core/memory.h"

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

void active_row_keep_names(const struct active_pass *pass, unsigned tags,
                           const struct alert *before, struct alert *now)
{
    const struct tag_labels *labels = rule_tags(pass->rules);
    active_row_keep(attribute_labels, before, now);
    for (size_t i = 0; i < labels->count; i++) {
        const char *name = labels->items[i].name, *value = alert_label_value(before, name);
        if (!(tags & 1U << i) && *value)
            alert_label(now, name, value);
    }
}

void active_row_label(const struct rule *rule, struct alert *alert)
{
    for (size_t i = 0; i < rule->label_count; i++)
        alert_label(alert, rule->labels[i].name, rule->labels[i].value);
    alert_label(alert, "alertname", rule->name);
}

/* What is known now of an alert of this rule: labels of its finding (NULL = it is not shown) and
 * names. before gives what an alert about none has, and what is not known now. Returns what
 * attribute_put does. */
static unsigned describe(struct active_pass *pass, const struct rule *rule,
                         const struct finding *view, const struct alert *before, struct alert *now,
                         struct arena *arena)
{
    static const char *const model[] = { "model", NULL };
    *now = *before;
    now->label_count = 0;
    alert_label(now, "alertname", rule->name);
    if (view)
        alert_label_finding(now, view, arena);
    else
        active_row_keep(alert_event_identity, before, now);
    unsigned tags = attribute_put(&pass->names, view, now);
    active_row_keep(alert_finding_labels, before, now);
    active_row_keep_names(pass, tags, before, now);
    active_row_keep(model, before, now);
    active_row_label(rule, now);
    return tags;
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

/* An alert as the table has it, without its long texts. */
struct brief {
    char fingerprint[ALERT_FINGERPRINT_BYTES];
    const char *rule;
    struct finding_id finding_id;
    bool has_finding;
    int risk;
    int64_t described;
};

/* clang-format off */
static const struct row_field brief_fields[] = {
    ROW_CHARS  (struct brief, fingerprint, "fingerprint"),
    ROW_TEXT   (struct brief, rule, "rule"),
    ROW_BYTES  (struct brief, finding_id.bytes, "finding_id", has_finding),
    ROW_INTEGER(struct brief, risk, "risk"),
    ROW_INTEGER(struct brief, described, "described"),
    { 0 }
};
/* clang-format on */
static const struct rows_table brief_rows = { "active_alert", 1, brief_fields };

/* An alert that may have to be described anew. */
struct doubtful {
    char fingerprint[ALERT_FINGERPRINT_BYTES];
    int64_t described; /* what it becomes */
};

/* tags: which of them are known: one that turns out to be absent is news, too. */
static int64_t number_of(const struct alert *alert, unsigned tags)
{
    uint64_t number = hash_bytes("", 0) * 31 + tags;
    for (size_t i = 0; i < alert->label_count; i++) {
        const struct match_label *label = &alert->labels[i];
        number = number * 31 + hash_bytes(label->name, strlen(label->name));
        number = number * 31 + hash_bytes(label->value, strlen(label->value));
    }
    return (int64_t)(number | 1);
}

/* A number for what is known now of an alert; 0 = its finding is not shown, it has to be read. */
static int64_t number_now(struct active_pass *pass, const struct rule *rule,
                          const struct brief *brief)
{
    const struct alert before = { .has_finding = brief->has_finding,
                                  .finding_id = brief->finding_id,
                                  .risk = (enum risk_level)brief->risk };
    char scratch[PART_ID_BYTES];
    struct finding view;
    struct alert now;
    arena_reset(&pass->scratch);
    if (!view_finding(pass->snapshot, &before, &view, scratch))
        return 0;
    unsigned tags = describe(pass, rule, &view, &before, &now, &pass->scratch);
    return number_of(&now, tags);
}

/* Those of which something else is known than when they were described. */
static bool find_doubtful(struct active_pass *pass, struct doubtful **list, size_t *count,
                          struct error *error)
{
    size_t capacity = 0;
    struct brief brief;
    bool found;
    struct database_statement *statement =
        rows_select(pass->database, &brief_rows, " WHERE state IN ('firing', 'pending')");
    bool ok;
    while ((ok = rows_next(statement, &brief_rows, NULL, &brief, &found, error)) && found) {
        const struct rule *rule = rule_find(pass->rules, brief.rule);
        if (!rule || rule->kind != RULE_EVENT)
            continue;
        int64_t number = number_now(pass, rule, &brief);
        if (number && number == brief.described)
            continue;
        MEMORY_GROW(*list, *count, capacity);
        struct doubtful *one = &(*list)[(*count)++];
        memcpy(one->fingerprint, brief.fingerprint, sizeof one->fingerprint);
        one->described = number;
    }
    return ok;
}

static bool describe_anew(struct active_pass *pass, const struct doubtful *one, struct error *error)
{
    char scratch[PART_ID_BYTES];
    struct finding view;
    struct active_row row;
    struct alert now;
    bool found;
    arena_reset(&pass->scratch);
    if (!active_row_load(pass->database, one->fingerprint, &pass->scratch, &row, &found, error))
        return false;
    const struct rule *rule = found ? rule_find(pass->rules, row.alert.rule) : NULL;
    if (!rule)
        return true;
    bool shown = view_finding(pass->snapshot, &row.alert, &view, scratch);
    describe(pass, rule, shown ? &view : NULL, &row.alert, &now, &pass->scratch);
    if (!active_row_relabel(pass, rule, &now, &row, error))
        return false;
    struct database_statement *statement =
        database_prepare(pass->database, "UPDATE active_alert SET described = $1"
                                         " WHERE fingerprint = $2 AND described <> $1");
    database_bind(statement, one->described, (const char *)one->fingerprint);
    return database_run(statement, error);
}

bool active_describe(struct active_pass *pass, struct error *error)
{
    struct doubtful *list = NULL;
    size_t count = 0;
    if (!pass->snapshot)
        return true;
    bool ok = find_doubtful(pass, &list, &count, error);
    for (size_t i = 0; i < count && ok; i++)
        ok = describe_anew(pass, &list[i], error);
    free(list);
    return ok;
}
