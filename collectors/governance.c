#include "collectors/governance.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "collectors/governance_rules.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector governance_collector;

enum { DAY_S = 86400 };
enum { QUERY_ASSIGNMENTS, QUERY_RULES };

struct row {
    const char *id, *subscription_id, *assessment_id, *owner;
    int64_t due_at;
    bool grace;
};

static const struct column columns[] = { COLUMN_KEY(struct row, id, "id"),
                                         COLUMN_KEY(struct row, subscription_id, "subscriptionId"),
                                         COLUMN_KEY(struct row, assessment_id, "assessmentId"),
                                         COLUMN_TEXT(struct row, owner, "owner"),
                                         COLUMN_TIME(struct row, due_at, "dueDate"),
                                         COLUMN_BOOL(struct row, grace, "isGracePeriod"),
                                         { 0 } };

/* --- what is kept ----------------------------------------------------------------------------- */

struct entry {
    struct finding_id id; /* of the finding */
    uint32_t due_at;      /* Unix seconds; 0 = none */
    uint32_t owner;       /* number of own.owners */
    bool grace;
};

_Static_assert(sizeof(struct entry) <= 28, "a tenant may have a million assignments");

/* Those of one subscription, sorted by finding once the part is finished. */
struct block {
    struct entry *entries;
    size_t count, capacity;
};

struct own {
    struct intern owners;
    struct intern subscriptions; /* number n, never 0, is blocks[n] */
    struct block *blocks;
    size_t block_count;
};

static void own_finish(void *data)
{
    struct own *own = data;
    for (size_t i = 0; i < own->block_count; i++)
        free(own->blocks[i].entries);
    free(own->blocks);
    intern_finish(&own->owners);
    intern_finish(&own->subscriptions);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static const struct own *own_in(const struct part *part)
{
    bool ours = part && part->source->collector == &governance_collector;
    return ours ? part->own : NULL;
}

/* The block of a subscription (lower case), new when there is none. */
static struct block *block_of(struct own *own, const char *subscription_id)
{
    uint32_t number = intern_put(&own->subscriptions, subscription_id, strlen(subscription_id));
    MEMORY_REACH(own->blocks, number, own->block_count);
    return &own->blocks[number];
}

static const struct block *block_find(const struct own *own, const char *subscription_id)
{
    uint32_t number = intern_find(&own->subscriptions, subscription_id, strlen(subscription_id));
    return number < own->block_count ? &own->blocks[number] : NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* The source whose findings may be assigned to somebody, NULL = there is none. */
static const struct source *assessed(const struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (snapshot->sources->sources[i].collector->rows == COLLECTOR_ALL_ROWS)
            return &snapshot->sources->sources[i];
    return NULL;
}

/* The last second of the day, as it is kept. */
static uint32_t end_of_day(int64_t at)
{
    int64_t end = at > 0 ? at - at % DAY_S + DAY_S - 1 : DAY_S - 1;
    return !at ? 0 : end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    const struct source *source = assessed(context->snapshot);
    struct own *own = own_of(part);
    if (query == QUERY_RULES) {
        governance_rules_fold(part, data);
        return ODD_NONE;
    }
    part_see(part, row->subscription_id);
    if (!source)
        return ODD_NONE;
    struct block *block = block_of(own, part_keep_lower(part, row->subscription_id));
    const char *owner = strcasecmp(row->owner, "unspecified") ? row->owner : "";
    MEMORY_GROW(block->entries, block->count, block->capacity);
    block->entries[block->count++] = (struct entry){
        .id = finding_id(source, row->assessment_id, strlen(row->assessment_id)),
        .due_at = end_of_day(row->due_at),
        .owner = intern_put(&own->owners, owner, strlen(owner)),
        .grace = row->grace,
    };
    return ODD_NONE;
}

static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    const struct row *row = query == QUERY_ASSIGNMENTS ? data : NULL;
    if (query == QUERY_ASSIGNMENTS) /* a rule explains, and concludes nothing */
        part_add_gap(part, collector_subscription(context, row ? row->subscription_id : ""));
}

static int compare_numbers(uint32_t left, uint32_t right)
{
    return (left > right) - (left < right);
}

/* By finding; of one finding that which is due first, before what has no date. */
static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = finding_id_compare(&a->id, &b->id);
    if (!order)
        order = compare_numbers(a->due_at - 1, b->due_at - 1);
    return order ? order : compare_numbers(a->owner, b->owner);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)context, (void)error;
    struct own *own = own_of(part);
    for (size_t i = 1; i < own->subscriptions.count; i++) {
        struct block *block = &own->blocks[i];
        size_t count = 0;
        qsort(block->entries, block->count, sizeof *block->entries, compare_entries);
        for (size_t n = 0; n < block->count; n++)
            if (!count || finding_id_compare(&block->entries[count - 1].id, &block->entries[n].id))
                block->entries[count++] = block->entries[n];
        block->count = count;
    }
    return true;
}

static void carry(struct part *part, const struct part *older, const char *subscription_id)
{
    const struct own *before = own_in(older);
    const struct block *from = before ? block_find(before, subscription_id) : NULL;
    struct own *own = own_of(part);
    struct block *block = block_of(own, part_keep_lower(part, subscription_id));
    free(block->entries);
    *block = (struct block){ .count = from ? from->count : 0 };
    block->entries = MEMORY_ARRAY(struct entry, block->count);
    for (size_t i = 0; i < block->count; i++) {
        const char *owner = intern_text(&before->owners, from->entries[i].owner);
        block->entries[i] = from->entries[i];
        block->entries[i].owner = intern_put(&own->owners, owner, strlen(owner));
    }
}

/* --- asking ----------------------------------------------------------------------------------- */

static const struct entry *entry_of(const struct block *block, const struct finding_id *finding)
{
    size_t low = 0, high = block ? block->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = finding_id_compare(&block->entries[middle].id, finding);
        if (!order)
            return &block->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void governance_find(const struct snapshot *snapshot, const char *subscription_id,
                     const struct finding_id *finding, struct governance *found, bool *known)
{
    bool on = false;
    *found = (struct governance){ .owner = "" };
    *known = false;
    for (size_t i = 0; i < snapshot->sources->count && !*known; i++) {
        if (snapshot->sources->sources[i].collector != &governance_collector)
            continue;
        const struct own *own = own_in(snapshot->parts[i]);
        const struct part_cover *cover =
            own ? part_cover_find(snapshot->parts[i], subscription_id) : NULL;
        on |= snapshot->status[i].enabled;
        if (!cover || !cover->collected_at)
            continue;
        const struct entry *entry = entry_of(block_find(own, subscription_id), finding);
        *known = !cover->carried && (entry || !cover->gaps);
        if (entry)
            *found = (struct governance){ intern_text(&own->owners, entry->owner), entry->due_at,
                                          entry->grace };
    }
    *known |= !on;
}

const char *governance_rule(const struct snapshot *snapshot, const struct finding *finding,
                            const char *owner)
{
    const char *title = "";
    for (size_t i = 0; i < snapshot->sources->count && !*title; i++)
        if (own_in(snapshot->parts[i]))
            title = governance_rules_title(snapshot->parts[i], finding, owner);
    return title;
}

uint64_t governance_generation(const struct snapshot *snapshot)
{
    uint64_t number = 0;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        if (snapshot->sources->sources[i].collector == &governance_collector)
            number =
                (number * 31 + (part ? part->generation : 0)) * 2 + snapshot->status[i].enabled;
    }
    return number;
}

/* --- metrics ---------------------------------------------------------------------------------- */

enum state { STATE_ON_TIME, STATE_GRACE, STATE_OVERDUE, STATE_NO_DUE_DATE, STATE_COUNT };
static const char *const state_words[] = { "on_time", "grace", "overdue", "no_due_date" };

static const struct family_2 assignments = {
    .name = "defender_governance_assignments",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Open findings that governance assigned to somebody, by state: overdue since the day "
            "after the due date (UTC), else grace (it does not lower the secure score until then) "
            "or on_time. From governanceassignments, cached.",
    LABELS("subscription_id", "state"),
};
static const struct family *const families[] = { &assignments.family, NULL };

static enum state state_of(const struct entry *entry, int64_t now)
{
    if (!entry->due_at)
        return STATE_NO_DUE_DATE;
    if (entry->due_at < now)
        return STATE_OVERDUE;
    return entry->grace ? STATE_GRACE : STATE_ON_TIME;
}

static bool is_open(const struct snapshot *snapshot, const struct finding_id *id)
{
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (snapshot->parts[i] && part_find(snapshot->parts[i], id) >= 0)
            return true;
    return false;
}

/* Whether it is known which findings of a subscription are open. */
static bool is_assessed(const struct snapshot *snapshot, const char *tenant,
                        const char *subscription_id)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        if (source->collector->rows == COLLECTOR_ALL_ROWS && !strcmp(source->tenant, tenant) &&
            snapshot->parts[i] && part_cover_find(snapshot->parts[i], subscription_id))
            return true;
    }
    return false;
}

/* An assignment outlives its finding: only those that are open count. source: Defender for Cloud,
 * the portal's own query of 2025. */
static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    const struct own *own = own_in(part);
    for (size_t i = 0; own && i < part->cover_count; i++) {
        const struct part_cover *cover = &part->cover[i];
        const struct block *block = block_find(own, cover->subscription_id);
        uint64_t counts[STATE_COUNT] = { 0 };
        if (!cover->collected_at ||
            !is_assessed(snapshot, part->source->tenant, cover->subscription_id))
            continue;
        for (size_t n = 0; block && n < block->count; n++)
            if (is_open(snapshot, &block->entries[n].id))
                counts[state_of(&block->entries[n], part->collected_at)]++;
        for (int state = 0; state < STATE_COUNT; state++)
            metric_add(set, &assignments, (double)counts[state],
                       METRIC_LABELS(cover->subscription_id, state_words[state]));
    }
}

const struct collector governance_collector = {
    .name = "governance",
    .words = "owners and due dates",
    .help = "Governance assignments: owners and due dates of findings. Needs Defender CSPM; "
            "without there are none.",
    .default_interval = "30m",
    .role = COLLECTOR_DATA,
    .order = 35,
    .tells_owners = true,
    .rights = { "governance assignments and rules", "Security Reader",
                "Microsoft.Security/assessments/governanceAssignments/read "
                "Microsoft.Security/governanceRules/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "governance_rows", .kql = kql_governance_rows, .columns = columns,
              .none = NONE_IS_ORDINARY },
            { .name = "governance_rules_rows", .kql = kql_governance_rules_rows,
              .columns = governance_rules_columns, .optional = true },
        } },
    },
    .families = families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .carry = carry,
    .emit = emit,
};
