#include "exemptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "rows.h"

void exemptions_add(struct tenant *tenant, const struct exemption *exemption)
{
    tenant->exemptions =
        realloc(tenant->exemptions, (tenant->exemption_count + 1) * sizeof *tenant->exemptions);
    if (!tenant->exemptions)
        abort();
    size_t at = tenant->exemption_count;
    while (at && strcasecmp(tenant->exemptions[at - 1].scope, exemption->scope) > 0)
        at--;
    memmove(tenant->exemptions + at + 1, tenant->exemptions + at,
            (tenant->exemption_count - at) * sizeof *tenant->exemptions);
    tenant->exemptions[at] = (struct exemption){ arena_text(&tenant->texts, exemption->scope),
                                                 arena_text(&tenant->texts, exemption->policy),
                                                 arena_text(&tenant->texts, exemption->category),
                                                 arena_text(&tenant->texts, exemption->expires),
                                                 arena_text(&tenant->texts, exemption->reason),
                                                 arena_text(&tenant->texts, exemption->requester),
                                                 arena_text(&tenant->texts, exemption->approver),
                                                 tenant->exemption_count++ };
}

void exemptions_finish(struct tenant *tenant)
{
    free(tenant->exemptions);
}

/* --- rows ------------------------------------------------------------------------------------- */

struct exemption_row {
    const char *id, *subscriptionId, *exemptionId, *scope, *assignmentId, *reference, *policyId,
        *category, *expiresOn, *displayName, *reason, *requestedBy, *approvedBy;
};

static const struct field exemption_fields[] = {
    TEXT(struct exemption_row, id),           TEXT(struct exemption_row, subscriptionId),
    TEXT(struct exemption_row, exemptionId),  TEXT(struct exemption_row, scope),
    TEXT(struct exemption_row, assignmentId), TEXT(struct exemption_row, reference),
    TEXT(struct exemption_row, policyId),     TEXT(struct exemption_row, category),
    TEXT(struct exemption_row, expiresOn),    TEXT(struct exemption_row, displayName),
    TEXT(struct exemption_row, reason),       TEXT(struct exemption_row, requestedBy),
    TEXT(struct exemption_row, approvedBy),   { 0 },
};

static size_t count(const struct view *view)
{
    return view->tenant->exemption_count;
}

static bool present(const struct view *view, size_t position)
{
    const struct subscription *of =
        tenant_subscription_of(view->tenant, view->tenant->exemptions[position].scope);
    return of && view->in_scope[of - view->tenant->subscriptions];
}

static void fill(const struct view *view, size_t position, void *out, struct arena *scratch)
{
    const struct exemption *exemption = &view->tenant->exemptions[position];
    struct exemption_row *row = out;
    row->scope = tenant_lower(scratch, exemption->scope);
    row->subscriptionId = tenant_subscription_of(view->tenant, exemption->scope)->id;
    row->exemptionId =
        rows_print(scratch, "%s/providers/microsoft.authorization/policyexemptions/asc-%04zu",
                   row->scope, exemption->number);
    row->assignmentId =
        rows_print(scratch,
                   "/subscriptions/%s/providers/microsoft.authorization/policyassignments/"
                   "securitycenterbuiltin",
                   row->subscriptionId);
    row->policyId = tenant_lower(scratch, exemption->policy);
    row->reference = strrchr(row->policyId, '/') ? strrchr(row->policyId, '/') + 1 : row->policyId;
    row->id = rows_print(scratch, "%s|%s", row->exemptionId, row->reference);
    row->category = exemption->category;
    row->expiresOn = exemption->expires;
    row->displayName = "";
    row->reason = exemption->reason;
    row->requestedBy = exemption->requester;
    row->approvedBy = exemption->approver;
}

/* clang-format off */
const struct rows rows_exemptions[] = {
    { "exemptions_rows", count, present, fill, exemption_fields, sizeof(struct exemption_row) },
    { 0 }
};
/* clang-format on */
