#include "collectors/exemptions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "collectors/exemptions_points.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector exemptions_collector;

enum { DAY_S = 86400 };

enum category { CATEGORY_MITIGATED, CATEGORY_WAIVER, CATEGORY_OTHER, CATEGORY_COUNT };
static const char *const category_words[] = { "mitigated", "waiver", "other" };

static const struct column columns[] = {
    COLUMN_KEY(struct exemption_row, subscription_id, "subscriptionId"),
    COLUMN_KEY(struct exemption_row, exemption_id, "exemptionId"),
    COLUMN_KEY(struct exemption_row, scope, "scope"),
    COLUMN_ID(struct exemption_row, assignment_id, "assignmentId"),
    COLUMN_ID(struct exemption_row, reference, "reference"),
    COLUMN_ID(struct exemption_row, policy_id, "policyId"),
    COLUMN_TEXT(struct exemption_row, category, "category"),
    COLUMN_TEXT(struct exemption_row, title, "displayName"),
    COLUMN_TEXT(struct exemption_row, reason, "reason"),
    COLUMN_TEXT(struct exemption_row, requester, "requestedBy"),
    COLUMN_TEXT(struct exemption_row, approver, "approvedBy"),
    COLUMN_TIME(struct exemption_row, expires_at, "expiresOn"),
    { 0 }
};

static const struct kept_kind rows = {
    KEPT_ROWS(struct exemption_row),
    .texts = {
        KEPT_TEXT(struct exemption_row, exemption_id),
        KEPT_TEXT(struct exemption_row, scope),
        KEPT_TEXT(struct exemption_row, assignment_id),
        KEPT_TEXT(struct exemption_row, reference),
        KEPT_TEXT(struct exemption_row, policy_id),
        KEPT_TEXT(struct exemption_row, category),
        KEPT_TEXT(struct exemption_row, title),
        KEPT_TEXT(struct exemption_row, reason),
        KEPT_TEXT(struct exemption_row, requester),
        KEPT_TEXT(struct exemption_row, approver),
    },
};

static enum category category_of(const char *word)
{
    enum category category = CATEGORY_MITIGATED;
    while (category < CATEGORY_OTHER && strcasecmp(word, category_words[category]) != 0)
        category++;
    return category;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query, (void)context, (void)error;
    const struct exemption_row *row = data;
    part_add_row(part, &rows, row->subscription_id, row);
    return ODD_NONE;
}

static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query;
    const struct exemption_row *row = data;
    part_add_gap(part, collector_subscription(context, row ? row->subscription_id : ""));
}

/* --- asking ----------------------------------------------------------------------------------- */

/* An exemption that is over stays listed. */
bool exemptions_holds(const struct exemption_row *row, int64_t now)
{
    return !row->expires_at || row->expires_at > now;
}

const char *exemptions_category(const struct exemption_row *row)
{
    return category_words[category_of(row->category)];
}

const struct exemption_row *exemptions_of(const struct part *part, size_t *count)
{
    return part_rows(part, &rows, count);
}

/* Whether a resource is what the exemption is for, or below it. */
static bool is_below(const char *resource_id, const char *scope)
{
    size_t length = strlen(scope);
    return !strncasecmp(resource_id, scope, length) && strchr("/", resource_id[length]);
}

static bool ends_later(const struct exemption_row *row, int64_t expires_at)
{
    return expires_at && (!row->expires_at || row->expires_at > expires_at);
}

bool exemptions_find(const struct snapshot *snapshot, const struct finding *finding, int64_t now,
                     struct exemption *found)
{
    const struct exemption_row *best = NULL;
    const char *tenant = finding->source ? finding->source->tenant : NULL; /* it may be gone */
    const struct catalogue_entry *entry = catalogue_find(snapshot, tenant, finding->assessment_id);
    if (!entry || !*entry->policy_id)
        return false;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct exemption_row *all = part_rows(snapshot->parts[i], &rows, &count);
        for (size_t n = 0; n < count; n++)
            if (!strcasecmp(all[n].policy_id, entry->policy_id) && exemptions_holds(&all[n], now) &&
                is_below(finding->resource_id, all[n].scope) &&
                (!best || ends_later(&all[n], best->expires_at)))
                best = &all[n];
    }
    if (best)
        *found = (struct exemption){ exemptions_category(best), best->title,    best->reason,
                                     best->requester,           best->approver, best->expires_at };
    return best != NULL;
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define FROM " From policyexemptions, cached."

static const struct family_2 exemptions = {
    .name = "defender_exemptions",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Policy exemptions that hold, by category: each policy at each scope once." FROM,
    LABELS("subscription_id", "category"),
};
static const struct family_2 expiring = {
    .name = "defender_exemptions_expiring",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Those of them that end within 7 days, and within 30." FROM,
    LABELS("subscription_id", "within"),
};
static const struct family_1 expired = {
    .name = "defender_exemptions_expired",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Policy exemptions that are over and still listed." FROM,
    LABELS("subscription_id"),
};

/* By subscription, then what is exempted from what, then that which ends last first. */
static int compare(const void *left, const void *right)
{
    const struct exemption_row *a = *(const struct exemption_row *const *)left,
                               *b = *(const struct exemption_row *const *)right;
    int order = strcmp(a->subscription_id, b->subscription_id);
    if (!order)
        order = strcmp(a->scope, b->scope);
    if (!order)
        order = strcmp(a->assignment_id, b->assignment_id);
    if (!order)
        order = strcmp(a->reference, b->reference);
    if (!order && a->expires_at != b->expires_at)
        order = ends_later(a, b->expires_at) ? -1 : 1;
    return order ? order : strcmp(a->exemption_id, b->exemption_id);
}

static bool is_same(const struct exemption_row *left, const struct exemption_row *right)
{
    return !strcmp(left->subscription_id, right->subscription_id) &&
           !strcmp(left->scope, right->scope) &&
           !strcmp(left->assignment_id, right->assignment_id) &&
           !strcmp(left->reference, right->reference);
}

/* Whether all exemptions of the policy of a recommendation within a subscription are mitigations,
 * and there is one. */
static bool is_mitigated(const struct snapshot *snapshot, const struct part *part,
                         const char *subscription_id, const char *assessment_id)
{
    size_t count, mitigations = 0, others = 0;
    const struct exemption_row *all = part_rows(part, &rows, &count);
    const struct catalogue_entry *entry =
        catalogue_find(snapshot, part->source->tenant, assessment_id);
    for (size_t i = 0; entry && *entry->policy_id && i < count; i++) {
        if (strcmp(all[i].subscription_id, subscription_id) != 0 ||
            strcasecmp(all[i].policy_id, entry->policy_id) != 0 ||
            !exemptions_holds(&all[i], part->collected_at))
            continue;
        bool is_one = category_of(all[i].category) == CATEGORY_MITIGATED;
        mitigations += is_one;
        others += !is_one;
    }
    return mitigations && !others;
}

struct counts {
    uint64_t by_category[CATEGORY_COUNT], within_7, within_30, over;
};

static void count_row(struct counts *counts, const struct exemption_row *row, int64_t now)
{
    if (!exemptions_holds(row, now)) {
        counts->over++;
        return;
    }
    counts->by_category[category_of(row->category)]++;
    counts->within_7 += row->expires_at && row->expires_at <= now + INT64_C(7) * DAY_S;
    counts->within_30 += row->expires_at && row->expires_at <= now + INT64_C(30) * DAY_S;
}

static void emit_counts(const char *id, const struct counts *counts, struct metric_set *set)
{
    for (int i = 0; i < CATEGORY_COUNT; i++)
        metric_add(set, &exemptions, (double)counts->by_category[i],
                   METRIC_LABELS(id, category_words[i]));
    metric_add(set, &expiring, (double)counts->within_7, METRIC_LABELS(id, "7d"));
    metric_add(set, &expiring, (double)counts->within_30, METRIC_LABELS(id, "30d"));
    metric_add(set, &expired, (double)counts->over, METRIC_LABELS(id));
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    size_t count;
    const struct exemption_row *all = part_rows(part, &rows, &count);
    const struct exemption_row **sorted = MEMORY_ARRAY(const struct exemption_row *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &all[i];
    if (count)
        qsort(sorted, count, sizeof(const struct exemption_row *), compare);
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        struct counts counts = { 0 };
        for (size_t n = 0; n < count; n++)
            if (!strcmp(sorted[n]->subscription_id, id) &&
                (!n || !is_same(sorted[n - 1], sorted[n])))
                count_row(&counts, sorted[n], part->collected_at);
        if (part->cover[i].collected_at)
            emit_counts(id, &counts, set);
    }
    free(sorted);
    exemptions_points_emit(snapshot, part, is_mitigated, set);
}

const struct collector exemptions_collector = {
    .name = "exemptions",
    .words = "exemptions",
    .help = "Policy exemptions of subscriptions and what is in them: category, reason and end.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 37,
    .rights = { "policy exemptions, assignments and initiatives", "Reader",
                "Microsoft.Authorization/policyExemptions/read "
                "Microsoft.Authorization/policyAssignments/read "
                "Microsoft.Authorization/policySetDefinitions/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "exemptions_rows", .kql = kql_exemptions_rows, .columns = columns,
              .none = NONE_IS_ORDINARY },
        } },
    },
    .families = (const struct family *const[]){ &exemptions.family, &expiring.family,
                                                &expired.family, &exemptions_points.family, NULL },
    .fold = fold,
    .odd = odd,
    .emit = emit,
};
