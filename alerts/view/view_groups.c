#include "alerts/view/view_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/view/view_names.h"
#include "core/intern.h"
#include "core/memory.h"

enum { RECENT = 256 };

const char *const view_sort_words[] = { "risk", "age", "due", "resources", "points", NULL };

/* --- what a finding has ----------------------------------------------------------------------- */

/* Of whom it is asked. */
struct subject {
    struct view_names *names;
    size_t number;
    const struct finding *finding; /* an outline */
};

/* Each says what the finding has: "" = nothing. *known: that is certain. Equal texts of one source
 * are at one place. */
static const char *risk_of(const struct subject *subject, bool *known)
{
    (void)known;
    return finding_risk_words[subject->finding->risk];
}

static const char *control_of(const struct subject *subject, bool *known)
{
    return view_names_control(subject->names, subject->number, subject->finding, known);
}

static const char *subscription_of(const struct subject *subject, bool *known)
{
    (void)known;
    return subject->finding->subscription_id;
}

static const char *management_group_of(const struct subject *subject, bool *known)
{
    const struct subscription *subscription =
        view_names_subscription(subject->names, subject->finding);
    *known = false; /* every subscription is in one */
    return subscription ? subscription->management_group : "";
}

static const char *cloud_of(const struct subject *subject, bool *known)
{
    (void)known;
    return cloud_kind_words[subject->finding->cloud];
}

static const char *type_of(const struct subject *subject, bool *known)
{
    (void)known;
    return subject->finding->resource_type;
}

static const char *owner_of(const struct subject *subject, bool *known)
{
    return view_names_owner(subject->names, subject->finding, known);
}

/* In the order of the words. */
static const char *(*const ways[])(const struct subject *subject, bool *known) = {
    risk_of, control_of, subscription_of, management_group_of, cloud_of, type_of, owner_of,
};
const char *const view_by_words[] = { VIEW_BY_RISK_WORD, "control",
                                      "subscription",    "management_group",
                                      "cloud",           "resource_type",
                                      "owner",           NULL };

/* The place of such a word; as many as there are when it is none. */
static size_t way_of(const char *by)
{
    size_t way = 0;
    while (way < ARRAY_COUNT(ways) && strcmp(view_by_words[way], by) != 0)
        way++;
    return way;
}

/* The tag behind a label, NULL when it is none. */
static const char *tag_of(const char *by, const struct tag_labels *tags)
{
    for (size_t i = 0; tags && i < tags->count; i++)
        if (tags->items[i].tag && !strcmp(tags->items[i].name, by))
            return tags->items[i].tag;
    return NULL;
}

/* Owners are persons: only who wants them told has them in a list. */
static bool tells_owners(const struct tag_labels *tags)
{
    for (size_t i = 0; tags && i < tags->count; i++)
        if (!tags->items[i].tag)
            return true;
    return false;
}

bool view_groups_knows(const char *by, const struct tag_labels *tags)
{
    size_t way = way_of(by);
    if (way < ARRAY_COUNT(ways))
        return ways[way] != owner_of || tells_owners(tags);
    return tag_of(by, tags) != NULL;
}

static const char *key_of(const struct subject *subject, size_t way, const char *tag)
{
    bool known = true;
    const char *value =
        tag ? view_names_tag(subject->names, subject->number, subject->finding, tag, &known)
            : ways[way](subject, &known);
    if (*value)
        return value;
    return known ? VIEW_GROUP_NONE : VIEW_GROUP_UNKNOWN;
}

/* --- counting --------------------------------------------------------------------------------- */

struct building {
    const struct view *view;
    struct view_groups *groups;
    size_t way;
    const char *tag; /* NULL = by the way */
    struct recent {
        const char *key;
        uint32_t number;
    } recent[RECENT];    /* groups of keys, by the address of these */
    struct intern keys;  /* number n is groups[n - 1] */
    struct intern pairs; /* of group and recommendation: number n is cells[n - 1] */
    size_t group_capacity, cell_capacity;
};

static uint32_t group_of(struct building *building, const char *key)
{
    struct view_groups *groups = building->groups;
    struct recent *recent = &building->recent[((uintptr_t)key >> 3) % RECENT];
    if (recent->key == key)
        return recent->number;
    uint32_t number = intern_put(&building->keys, key, strlen(key));
    if (number > groups->count) {
        MEMORY_GROW(groups->groups, groups->count, building->group_capacity);
        groups->groups[groups->count++] =
            (struct view_group){ .key = arena_text(&groups->arena, key) };
    }
    *recent = (struct recent){ key, number - 1 };
    return number - 1;
}

static struct view_cell *cell_of(struct building *building, uint32_t group, uint32_t recommendation)
{
    struct view_groups *groups = building->groups;
    const uint32_t pair[] = { group, recommendation };
    uint32_t number = intern_put(&building->pairs, (const char *)pair, sizeof pair);
    if (number > groups->cell_count) {
        MEMORY_GROW(groups->cells, groups->cell_count, building->cell_capacity);
        groups->cells[groups->cell_count++] = (struct view_cell){ .group = group,
                                                                  .recommendation = recommendation,
                                                                  .risk = RISK_NOT_EVALUATED };
        groups->groups[group].count++;
    }
    return &groups->cells[number - 1];
}

static void count_finding(struct building *building, const struct subject *subject)
{
    const struct view *view = building->view;
    const struct view_finding *at = &view->findings[subject->number];
    uint32_t number = group_of(building, key_of(subject, building->way, building->tag));
    struct view_cell *cell =
        cell_of(building, number, view_recommendation_of(view, subject->number));
    struct view_group *group = &building->groups->groups[number];
    bool overdue = at->due_at && at->due_at <= view->at;
    group->findings++;
    group->by_risk[at->risk]++;
    group->overdue += overdue;
    cell->count++;
    cell->overdue += overdue;
    if (at->risk < cell->risk)
        cell->risk = at->risk;
    if (!cell->oldest_at || at->opened_at < cell->oldest_at)
        cell->oldest_at = at->opened_at;
    if (at->due_at && (!cell->due_at || at->due_at < cell->due_at))
        cell->due_at = at->due_at;
    if (subject->finding->attack_paths > cell->attack_paths)
        cell->attack_paths = subject->finding->attack_paths;
}

/* --- putting in order ------------------------------------------------------------------------- */

/* What nobody has, and what nobody knows, comes last. */
static int place_of(const struct view_group *group)
{
    return !strcmp(group->key, VIEW_GROUP_UNKNOWN) ? 2 : !strcmp(group->key, VIEW_GROUP_NONE);
}

static int compare_groups(const void *left, const void *right)
{
    const struct view_group *a = left, *b = right;
    int places = place_of(a) - place_of(b);
    for (int risk = 0; !places && risk < RISK_COUNT; risk++)
        if (a->by_risk[risk] != b->by_risk[risk])
            return a->by_risk[risk] > b->by_risk[risk] ? -1 : 1;
    return places ? places : strcmp(a->key, b->key);
}

static int compare_cells(const void *left, const void *right)
{
    const struct view_cell *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->recommendation > b->recommendation) - (a->recommendation < b->recommendation);
}

/* Groups in their order, cells group by group; those of a group in the order of the view. */
static void put_in_order(struct view_groups *groups)
{
    uint32_t *moved = MEMORY_ARRAY(uint32_t, groups->count + 1);
    size_t first = 0;
    for (size_t i = 0; i < groups->count; i++)
        groups->groups[i].first = i; /* its number before */
    if (groups->count)
        qsort(groups->groups, groups->count, sizeof *groups->groups, compare_groups);
    for (size_t i = 0; i < groups->count; i++) {
        moved[groups->groups[i].first] = (uint32_t)i;
        groups->groups[i].first = first;
        first += groups->groups[i].count;
    }
    for (size_t i = 0; i < groups->cell_count; i++)
        groups->cells[i].group = moved[groups->cells[i].group];
    if (groups->cell_count)
        qsort(groups->cells, groups->cell_count, sizeof *groups->cells, compare_cells);
    free(moved);
}

/* Several at once: looking at the findings is most of it. */
static void build(struct building *all, size_t count, const struct view *view)
{
    struct view_names *names = view_names_create(view);
    for (size_t number = view_next(view, 0); number != SIZE_MAX;
         number = view_next(view, number + 1)) {
        struct finding finding;
        const struct subject subject = { names, number, &finding };
        view_outline(view, number, &finding);
        for (size_t i = 0; i < count; i++)
            count_finding(&all[i], &subject);
    }
    for (size_t i = 0; i < count; i++) {
        intern_finish(&all[i].keys);
        intern_finish(&all[i].pairs);
        put_in_order(all[i].groups);
    }
    view_names_destroy(names);
}

static void finish(void *thing)
{
    struct view_groups *groups = thing;
    free(groups->groups);
    free(groups->cells);
    arena_finish(&groups->arena);
    free(groups);
}

/* Under which it is kept; the tag itself: a reload may give a label another one. */
static void put_name(struct buf *name, const char *by, const char *tag, const char *sort)
{
    buf_printf(name, "groups by %s %s %s", by, tag ? tag : "", sort);
}

static void begin(struct building *building, const struct view *view, const char *by,
                  const char *tag)
{
    *building = (struct building){
        .view = view, .groups = MEMORY_NEW(struct view_groups), .way = way_of(by), .tag = tag
    };
}

static const struct view_groups *keep(const struct view *view, struct building *building,
                                      const char *by)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    put_name(&name, by, building->tag, "");
    return view_made_keep(view->made, buf_cstr(&name), building->groups, finish);
}

const struct view_groups *view_groups_of(const struct view *view, const char *by,
                                         const struct tag_labels *tags)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    const char *tag = tag_of(by, tags);
    put_name(&name, by, tag, "");
    const void *known = view_made_find(view->made, buf_cstr(&name));
    if (known)
        return known;
    struct building *building = MEMORY_NEW(struct building);
    begin(building, view, by, tag);
    build(building, 1, view);
    known = keep(view, building, by);
    free(building);
    return known;
}

void view_groups_prepare(const struct view *view)
{
    const struct tag_labels *tags = &view->tags;
    const char *by[ARRAY_COUNT(ways) + TAG_LABELS_MAX];
    struct building *all = MEMORY_ARRAY(struct building, ARRAY_COUNT(by));
    size_t count = 0;
    for (size_t way = 0; way < ARRAY_COUNT(ways); way++)
        if (view_groups_knows(view_by_words[way], tags))
            by[count++] = view_by_words[way];
    for (size_t i = 0; i < tags->count; i++)
        if (tags->items[i].tag)
            by[count++] = tags->items[i].name;
    for (size_t i = 0; i < count; i++)
        begin(&all[i], view, by[i], tag_of(by[i], tags));
    build(all, count, view);
    for (size_t i = 0; i < count; i++)
        keep(view, &all[i], by[i]);
    free(all);
}

/* --- orders of cells -------------------------------------------------------------------------- */

/* A cell and what it is put in order by: the smallest comes first. */
struct key {
    uint32_t group, number;
    double value;
};

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static double value_of(const struct view *view, const struct view_cell *cell, enum view_sort sort)
{
    switch (sort) {
    case VIEW_SORT_AGE:
        return cell->oldest_at;
    case VIEW_SORT_DUE:
        return cell->due_at ? cell->due_at : UINT32_MAX;
    case VIEW_SORT_RESOURCES:
        return -(double)cell->count;
    case VIEW_SORT_POINTS:
        return -view->recommendations[cell->recommendation].points;
    default:
        return cell->risk;
    }
}

static uint32_t *sort_cells(const struct view *view, const struct view_groups *groups,
                            enum view_sort sort)
{
    struct key *keys = MEMORY_ARRAY(struct key, groups->cell_count + 1);
    uint32_t *numbers = MEMORY_ARRAY(uint32_t, groups->cell_count + 1);
    for (uint32_t i = 0; i < groups->cell_count; i++)
        keys[i] =
            (struct key){ groups->cells[i].group, i, value_of(view, &groups->cells[i], sort) };
    if (groups->cell_count)
        qsort(keys, groups->cell_count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < groups->cell_count; i++)
        numbers[i] = keys[i].number;
    free(keys);
    return numbers;
}

const uint32_t *view_groups_order(const struct view *view, const char *by,
                                  const struct tag_labels *tags, enum view_sort sort)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    put_name(&name, by, tag_of(by, tags), view_sort_words[sort]);
    const void *known = view_made_find(view->made, buf_cstr(&name));
    return known ? known
                 : view_made_keep(view->made, buf_cstr(&name),
                                  sort_cells(view, view_groups_of(view, by, tags), sort), free);
}
