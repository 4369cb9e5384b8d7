#include "collectors/subscriptions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/memory.h"
#include "kql.h"

const char *const subscriptions_state_words[] = { "visible", "denied", "filtered", "disabled",
                                                  NULL };

extern const struct collector subscriptions_collector;

struct row {
    const char *id, *name, *tenant_id, *state, *management_group, *groups, *tags;
};

static const struct column list_columns[] = {
    COLUMN_KEY (struct row, id,        "subscriptionId"),
    COLUMN_TEXT(struct row, name,      "displayName"),
    COLUMN_ID  (struct row, tenant_id, "tenantId"),
    COLUMN_TEXT(struct row, state,     "state"),
    { 0 }
};

static const struct column graph_columns[] = {
    COLUMN_KEY (struct row, id,               "subscriptionId"),
    COLUMN_TEXT(struct row, management_group, "managementGroup"),
    COLUMN_LONG(struct row, groups,           "groups"),
    COLUMN_LONG(struct row, tags,             "tags"),
    { 0 }
};

enum { QUERY_LIST, QUERY_GRAPH };

/* What Resource Graph shows: joined with the list when all of it has come. */
struct shown {
    const char *subscription_id, *management_group, *groups, *tags;
};
static const struct kept_kind shown_rows = {
    KEPT_ROWS(struct shown),
    .texts = { KEPT_TEXT(struct shown, management_group), KEPT_TEXT(struct shown, groups),
               KEPT_TEXT(struct shown, tags) },
};

struct own {
    struct subscription *items;
    size_t count, capacity;
};

static void own_finish(void *data)
{
    struct own *own = data;
    free(own->items);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static struct subscription *item_find(struct own *own, const char *id)
{
    for (size_t i = 0; i < own->count; i++)
        if (!strcasecmp(own->items[i].id, id))
            return &own->items[i];
    return NULL;
}

static struct subscription *item_add(struct part *part, const char *id)
{
    struct own *own = own_of(part);
    struct subscription *item = item_find(own, id);
    if (item)
        return item;
    MEMORY_GROW(own->items, own->count, own->capacity);
    item = &own->items[own->count++];
    *item = (struct subscription){
        .id = part_keep_lower(part, id), .name = "", .tenant_id = "", .management_group = "",
        .groups = "", .tags = ""
    };
    return item;
}

/* "Deleted" and "Disabled" cannot be read; Enabled, Warned and PastDue can. */
static enum subscription_state state_of(const char *word)
{
    bool off = !strcasecmp(word, "Disabled") || !strcasecmp(word, "Deleted");
    return off ? SUBSCRIPTION_DISABLED : SUBSCRIPTION_VISIBLE;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    if (query == QUERY_GRAPH) {
        part_add_row(part, &shown_rows, row->id,
                     &(struct shown){ .management_group = row->management_group,
                                      .groups = row->groups,
                                      .tags = row->tags });
        return ODD_NONE;
    }
    struct subscription *item = item_add(part, row->id);
    item->name = part_keep(part, row->name);
    item->tenant_id = part_keep_lower(part, row->tenant_id);
    item->seen_at = context->now;
    item->state = state_of(row->state);
    return ODD_NONE;
}

/* What Resource Graph said of one before, which does not show it now. */
static void remember(struct part *part, const struct subscription *was, struct subscription *item)
{
    item->management_group = part_keep(part, was->management_group);
    item->groups = part_keep(part, was->groups);
    item->tags = part_keep(part, was->tags);
}

/* Listed by ARM but not shown by Resource Graph: some role somewhere below, not on it. Unless an
 * odd row may have shown it. Where it is and what it is tagged with is not told then: it is wanted
 * or not as before. */
static void join_graph(struct part *part, const struct collect_context *context)
{
    const struct part *before = snapshot_part(context->snapshot, part->source);
    size_t count;
    struct own *own = own_of(part);
    const struct shown *shown = part_rows(part, &shown_rows, &count);
    for (size_t i = 0; i < count; i++) {
        struct subscription *item = item_find(own, shown[i].subscription_id);
        if (item) {
            item->management_group = shown[i].management_group;
            item->groups = shown[i].groups;
            item->tags = shown[i].tags;
            item->in_graph = true;
        }
    }
    for (size_t i = 0; i < own->count && count; i++) {
        struct subscription *item = &own->items[i];
        const struct subscription *was = subscriptions_in(before, item->id);
        if (item->in_graph)
            continue;
        if (was)
            remember(part, was, item);
        if (!part->gaps && item->state == SUBSCRIPTION_VISIBLE)
            item->state = SUBSCRIPTION_DENIED;
    }
}

/* Resource Graph failed, or showed nobody: what it said last still holds of those that are listed.
 * Who is denied is not read as if there were nothing. */
static void keep_graph(struct part *part, const struct collect_context *context)
{
    size_t count;
    struct own *own = own_of(part);
    const struct part *before = snapshot_part(context->snapshot, part->source);
    bool asked = context->variant && context->variant->queries[QUERY_GRAPH].name;
    if (!asked || part_rows(part, &shown_rows, &count))
        return;
    for (size_t i = 0; i < own->count; i++) {
        struct subscription *item = &own->items[i];
        const struct subscription *was = subscriptions_in(before, item->id);
        if (!was)
            continue;
        item->in_graph = was->in_graph;
        remember(part, was, item);
        if (was->state == SUBSCRIPTION_DENIED && item->state == SUBSCRIPTION_VISIBLE)
            item->state = SUBSCRIPTION_DENIED;
    }
}

static bool is_told_elsewhere(const struct part *part, const struct snapshot *snapshot,
                              const char *id)
{
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (i != part->source->index && subscriptions_in(snapshot->parts[i], id))
            return true;
    return false;
}

/* Whether no tenant lists what the operator named: the first has to say so. */
static bool is_nobodys(struct part *part, const struct collect_context *context, const char *id)
{
    return !*part->source->tenant && !item_find(own_of(part), id) &&
           !is_told_elsewhere(part, context->snapshot, id);
}

/* What was there before and is not listed any more is denied until it is too old to matter, or as
 * it was where an odd row may have been it; what the operator named and Azure never listed is
 * denied for good. */
static void add_missing(struct part *part, const struct collect_context *context)
{
    size_t count;
    const struct subscription *before =
        subscriptions_of(snapshot_part(context->snapshot, part->source), &count);
    for (size_t i = 0; i < count; i++) {
        if (item_find(own_of(part), before[i].id) || !before[i].seen_at ||
            context->now - before[i].seen_at > context->max_staleness_s)
            continue;
        struct subscription *item = item_add(part, before[i].id);
        item->name = part_keep(part, before[i].name);
        item->tenant_id = part_keep(part, before[i].tenant_id);
        remember(part, &before[i], item);
        item->seen_at = before[i].seen_at;
        item->state = part->gaps && before[i].state != SUBSCRIPTION_FILTERED ? before[i].state
                                                                             : SUBSCRIPTION_DENIED;
    }
    for (const char *const *id = scope_included(context->scope); *id; id++)
        if (is_nobodys(part, context, *id))
            item_add(part, *id)->state = SUBSCRIPTION_DENIED;
}

/* What several tenants see (Azure Lighthouse) is told once: by the subscription's own tenant where
 * that is asked, else by the first that sees it. */
static bool is_of_another(const struct part *part, const struct collect_context *context,
                          const struct subscription *item)
{
    const struct source_list *sources = context->snapshot->sources;
    if (*item->tenant_id && !strcasecmp(item->tenant_id, part->source->tenant_id))
        return false;
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *other = &sources->sources[i];
        if (other->collector != &subscriptions_collector || other->index == part->source->index)
            continue;
        const struct subscription *seen =
            other->index < part->source->index
                ? subscriptions_in(context->snapshot->parts[other->index], item->id)
                : NULL;
        if ((*item->tenant_id && !strcasecmp(item->tenant_id, other->tenant_id)) ||
            (seen && seen->state == SUBSCRIPTION_VISIBLE))
            return true;
    }
    return false;
}

/* Leave out what is not to be looked at. */
static void judge(const struct part *part, const struct collect_context *context,
                  struct subscription *item)
{
    const struct scope_facts facts = { item->id, item->name, item->groups, item->tags };
    bool unknown = item->state == SUBSCRIPTION_DENIED && !*item->groups && !*item->tags &&
                   scope_needs_containers(context->scope);
    item->why = scope_judge(context->scope, &facts);
    if (item->why == SCOPE_NOT_INCLUDED && unknown)
        item->why = SCOPE_WANTED; /* nobody knows: it is denied, not left out */
    if (item->why == SCOPE_WANTED && is_of_another(part, context, item))
        item->why = SCOPE_OTHER_TENANT;
    if (item->why != SCOPE_WANTED)
        item->state = SUBSCRIPTION_FILTERED;
}

static int compare(const void *left, const void *right)
{
    const struct subscription *a = left, *b = right;
    return strcmp(a->id, b->id);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    struct own *own = own_of(part);
    size_t listed = own->count, shown;
    part_rows(part, &shown_rows, &shown);
    if (listed && !shown && scope_needs_containers(context->scope))
        return error_set(error, ERROR_INCOMPLETE,
                         "tags and management groups of subscriptions are not told, so nobody "
                         "knows which of them are wanted");
    join_graph(part, context);
    keep_graph(part, context);
    add_missing(part, context);
    for (size_t i = 0; i < own->count; i++)
        judge(part, context, &own->items[i]);
    if (!listed && odd_count(&part->odd))
        return error_set(error, ERROR_PARSE, "no subscription can be read, the first: %s",
                         part->odd.first);
    if (!listed)
        return error_set(error, ERROR_FORBIDDEN,
                         "no subscription is visible to this identity: give it Reader or Security "
                         "Reader on a subscription or management group");
    qsort(own->items, own->count, sizeof *own->items, compare);
    for (size_t i = 0; i < own->count; i++)
        if (own->items[i].state == SUBSCRIPTION_DENIED)
            part_add_carried(part, own->items[i].id, context->now, "access denied", context->now);
        else if (own->items[i].state != SUBSCRIPTION_FILTERED) /* nobody looks at it */
            part_add_cover(part, own->items[i].id, context->now);
    return true;
}

const struct subscription *subscriptions_of(const struct part *part, size_t *count)
{
    bool ours = part && part->source->collector == &subscriptions_collector;
    const struct own *own = ours ? part->own : NULL;
    *count = own ? own->count : 0;
    return own ? own->items : NULL;
}

const struct part *subscriptions_part(const struct snapshot *snapshot, const char *tenant)
{
    return snapshot_part_of(snapshot, &subscriptions_collector, tenant);
}

const struct subscription *subscriptions_known(const struct snapshot *snapshot, const char *tenant,
                                               size_t *count)
{
    return subscriptions_of(subscriptions_part(snapshot, tenant), count);
}

const struct subscription *subscriptions_in(const struct part *part, const char *id)
{
    size_t count;
    const struct subscription *items = subscriptions_of(part, &count), key = { .id = id };
    return count ? bsearch(&key, items, count, sizeof key, compare) : NULL;
}

const struct subscription *subscriptions_find(const struct snapshot *snapshot, const char *id)
{
    const struct subscription *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = subscriptions_in(snapshot->parts[i], id);
    return found;
}

/* Some source of the tenant was refused this subscription in its last run, or all of them. */
static bool is_refused(const struct snapshot *snapshot, const char *tenant, const char *id)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct source *source = &snapshot->sources->sources[i];
        const struct source_status *status = &snapshot->status[i];
        if (strcmp(source->tenant, tenant) != 0)
            continue;
        bool all = source->collector->role == COLLECTOR_DATA && status->enabled &&
                   status->error.code == ERROR_FORBIDDEN && !status->success;
        if (all || (snapshot->parts[i] && part_is_unread(snapshot->parts[i], id)))
            return true;
    }
    return false;
}

enum subscription_state subscriptions_state(const struct snapshot *snapshot,
                                            const struct part *part,
                                            const struct subscription *subscription)
{
    bool refused = subscription->state == SUBSCRIPTION_VISIBLE &&
                   is_refused(snapshot, part->source->tenant, subscription->id);
    return refused ? SUBSCRIPTION_DENIED : subscription->state;
}

const char *subscriptions_why(const struct snapshot *snapshot, const struct part *part,
                              const struct subscription *subscription)
{
    switch (subscriptions_state(snapshot, part, subscription)) {
    case SUBSCRIPTION_FILTERED:
        return scope_why_words[subscription->why];
    case SUBSCRIPTION_DISABLED:
        return "disabled";
    case SUBSCRIPTION_DENIED:
        if (subscription->state == SUBSCRIPTION_VISIBLE)
            return "refused";
        return subscription->seen_at < part->collected_at ? "not_listed" : "not_shown";
    default:
        return "";
    }
}

/* --- families --------------------------------------------------------------------------------- */
static const struct family_4 subscription_info = {
    .name = "defender_subscription_info", .type = METRIC_INFO, .level = 0,
    .help = "A subscription this identity knows, from the subscription list, cached.",
    LABELS("subscription_id", "subscription_name", "tenant_id", "management_group"),
};
static const struct family_1 subscription_visible = {
    .name = "defender_subscription_visible", .type = METRIC_GAUGE, .level = 0,
    .help = "1 when the last collections could read the subscription, 0 when access was denied or "
            "it could not be read, cached.",
    LABELS("subscription_id"),
};
static const struct family_1 subscriptions_total = {
    .name = "defender_subscriptions", .type = METRIC_GAUGE, .same = METRIC_SAME_SUM, .level = 0,
    .help = "Subscriptions by what this program can do with them, cached.",
    LABELS("state"),
};
static const struct family_1 subscriptions_filtered = {
    .name = "defender_subscriptions_filtered", .type = METRIC_GAUGE, .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Subscriptions that are not looked at, by why: not among those that are included, "
            "excluded by id, name, tag or management group, or told of by another tenant, cached.",
    LABELS("reason"),
};
static const struct family *const families[] = {
    &subscription_info.family, &subscription_visible.family, &subscriptions_total.family,
    &subscriptions_filtered.family, NULL,
};

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    const struct own *own = part->own;
    size_t states[SUBSCRIPTION_STATE_COUNT] = { 0 }, whys[SCOPE_WHY_COUNT] = { 0 };
    for (size_t i = 0; own && i < own->count; i++) {
        const struct subscription *item = &own->items[i];
        enum subscription_state state = subscriptions_state(snapshot, part, item);
        whys[item->why]++;
        states[state]++;
        if (state == SUBSCRIPTION_FILTERED)
            continue;
        metric_add(set, &subscription_info, 1,
                   METRIC_LABELS(item->id, item->name, item->tenant_id, item->management_group));
        if (state != SUBSCRIPTION_DISABLED)
            metric_add(set, &subscription_visible, state == SUBSCRIPTION_VISIBLE,
                       METRIC_LABELS(item->id));
    }
    for (int state = 0; state < SUBSCRIPTION_STATE_COUNT; state++)
        metric_add(set, &subscriptions_total, (double)states[state],
                   METRIC_LABELS(subscriptions_state_words[state]));
    for (int why = SCOPE_WANTED + 1; why < SCOPE_WHY_COUNT; why++)
        metric_add(set, &subscriptions_filtered, (double)whys[why],
                   METRIC_LABELS(scope_why_words[why]));
}

const struct collector subscriptions_collector = {
    .name = "subscriptions",
    .words = "subscriptions",
    .help = "Which subscriptions exist, and which of them can be read.",
    .default_interval = "15m",
    .role = COLLECTOR_DISCOVERY,
    .order = 10,
    .rights = { "subscriptions and their management groups", "Security Reader or Reader",
                "Microsoft.Resources/subscriptions/read "
                "Microsoft.Management/managementGroups/read "
                "Microsoft.ResourceGraph/resources/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "subscriptions", .path = "/subscriptions", .api_versions = "2022-12-01",
              .columns = list_columns },
            { .name = "subscriptions_rows", .kql = kql_subscriptions_rows,
              .columns = graph_columns, .whole_tenant = true, .optional = true },
        } },
        { "rest", .queries = {
            { .name = "subscriptions", .path = "/subscriptions", .api_versions = "2022-12-01",
              .columns = list_columns },
        } },
    },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
};
