#include "governance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "rows.h"

/* --- what there is ---------------------------------------------------------------------------- */

static void forget(struct assignment *assignment)
{
    free(assignment->id);
    free(assignment->assessment);
    free(assignment->owner);
    free(assignment->due);
}

void governance_set(struct tenant *tenant, const char *assessment, const char *owner,
                    const char *due, bool grace)
{
    char id[TENANT_ID_BYTES];
    size_t at = 0;
    snprintf(id, sizeof id, "%s/governanceAssignments/6634ff9f-127b-4bf2-8e6e-b1737f5e789c",
             assessment);
    while (at < tenant->assignment_count && strcasecmp(tenant->assignments[at].id, id) < 0)
        at++;
    if (at < tenant->assignment_count && !strcasecmp(tenant->assignments[at].id, id)) {
        forget(&tenant->assignments[at]);
        tenant->assignment_count--;
        memmove(tenant->assignments + at, tenant->assignments + at + 1,
                (tenant->assignment_count - at) * sizeof *tenant->assignments);
    }
    if (!owner && !due)
        return;
    tenant->assignments =
        realloc(tenant->assignments, (tenant->assignment_count + 1) * sizeof *tenant->assignments);
    if (!tenant->assignments)
        abort();
    memmove(tenant->assignments + at + 1, tenant->assignments + at,
            (tenant->assignment_count - at) * sizeof *tenant->assignments);
    tenant->assignments[at] =
        (struct assignment){ strdup(id), strdup(assessment), strdup(owner ? owner : ""),
                             strdup(due ? due : ""), grace };
    tenant->assignment_count++;
}

void governance_finish(struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->assignment_count; i++)
        forget(&tenant->assignments[i]);
    free(tenant->assignments);
    for (size_t i = 0; i < tenant->rule_count; i++) {
        free(tenant->rules[i].subscription);
        free(tenant->rules[i].title);
        free(tenant->rules[i].property);
        free(tenant->rules[i].value);
        free(tenant->rules[i].owner);
    }
    free(tenant->rules);
}

void governance_rule(struct tenant *tenant, const struct governance_rule *rule)
{
    tenant->rules = realloc(tenant->rules, (tenant->rule_count + 1) * sizeof *tenant->rules);
    if (!tenant->rules)
        abort();
    tenant->rules[tenant->rule_count++] =
        (struct governance_rule){ strdup(rule->subscription), strdup(rule->title),
                                  strdup(rule->property),     strdup(rule->value),
                                  strdup(rule->owner),        rule->priority };
}

/* --- rows ------------------------------------------------------------------------------------- */

struct assignment_row {
    const char *id, *subscriptionId, *assessmentId, *owner, *dueDate, *isGracePeriod;
};

static const struct field assignment_fields[] = {
    TEXT(struct assignment_row, id),
    TEXT(struct assignment_row, subscriptionId),
    TEXT(struct assignment_row, assessmentId),
    TEXT(struct assignment_row, owner),
    TEXT(struct assignment_row, dueDate),
    JSON(struct assignment_row, isGracePeriod),
    { 0 },
};

static size_t count(const struct view *view)
{
    return view->tenant->assignment_count;
}

static bool present(const struct view *view, size_t position)
{
    const struct subscription *of =
        tenant_subscription_of(view->tenant, view->tenant->assignments[position].id);
    return of && view->in_scope[of - view->tenant->subscriptions];
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct assignment *assignment = &view->tenant->assignments[position];
    struct assignment_row *row = out;
    row->id = tenant_lower(scratch, assignment->id);
    row->subscriptionId = tenant_subscription_of(view->tenant, assignment->id)->id;
    row->assessmentId = tenant_lower(scratch, assignment->assessment);
    row->owner = assignment->owner;
    row->dueDate = assignment->due;
    row->isGracePeriod = assignment->grace ? "true" : "false";
}

struct rule_row {
    const char *id, *ruleId, *subscriptionId, *title, *managementGroup, *ownerType, *ownerValue,
        *excludedScopes, *conditionSet, *property, *value;
    int64_t priority;
};

static const struct field rule_fields[] = {
    TEXT(struct rule_row, id),
    TEXT(struct rule_row, ruleId),
    TEXT(struct rule_row, subscriptionId),
    TEXT(struct rule_row, title),
    INTEGER(struct rule_row, priority),
    JSON(struct rule_row, managementGroup),
    TEXT(struct rule_row, ownerType),
    TEXT(struct rule_row, ownerValue),
    TEXT(struct rule_row, excludedScopes),
    TEXT(struct rule_row, conditionSet),
    TEXT(struct rule_row, property),
    TEXT(struct rule_row, value),
    { 0 },
};

static size_t rule_count(const struct view *view)
{
    return view->tenant->rule_count;
}

static const char *rule_id(const struct view *view, size_t position, struct arena *scratch)
{
    return rows_print(scratch,
                      "/subscriptions/%s/providers/microsoft.security/governancerules/"
                      "ad9a8e26-29d9-4829-bb30-%012zx",
                      view->tenant->rules[position].subscription, position);
}

static bool rule_present(const struct view *view, size_t position)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    const struct subscription *of =
        tenant_subscription_of(view->tenant, rule_id(view, position, &scratch));
    return of && view->in_scope[of - view->tenant->subscriptions];
}

static void rule_fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct governance_rule *rule = &view->tenant->rules[position];
    struct rule_row *row = out;
    row->ruleId = rule_id(view, position, scratch);
    row->id = rows_print(scratch, "%s|1|1", row->ruleId);
    row->subscriptionId = rule->subscription;
    row->title = rule->title;
    row->priority = rule->priority;
    row->managementGroup = "false";
    row->ownerType = *rule->owner ? "Manually" : "ByTag";
    row->ownerValue = *rule->owner ? rule->owner : "owner";
    row->excludedScopes = "";
    row->conditionSet = "1";
    row->property = rule->property;
    row->value = rule->value;
}

/* clang-format off */
const struct rows rows_governance[] = {
    { "governance_rows", count, present, fill, assignment_fields, sizeof(struct assignment_row) },
    { "governance_rules_rows", rule_count, rule_present, rule_fill, rule_fields,
      sizeof(struct rule_row) },
    { 0 }
};
/* clang-format on */
