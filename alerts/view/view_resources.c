#include "alerts/view/view_resources.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

/* While resources are told apart. */
struct building {
    const struct view *view;
    struct view_resources *resources;
    uint32_t *of;    /* by number of a finding: its resource */
    uint32_t *slots; /* open addressing: 1 + resource */
    size_t slot_count;
    uint64_t key[2]; /* resources have the names that somebody chose */
};

static const char *id_of(const struct view *view, uint32_t number, char scratch[PART_ID_BYTES])
{
    struct finding finding;
    view_finding(view, number, &finding, scratch);
    return finding.resource_id;
}

/* The resource of a finding; that of its id, or a new one. */
static uint32_t resource_of(struct building *building, uint32_t number)
{
    char scratch[PART_ID_BYTES], other[PART_ID_BYTES];
    const char *id = id_of(building->view, number, scratch);
    size_t at = hash_keyed(building->key, id, strlen(id)) & (building->slot_count - 1);
    struct view_resources *resources = building->resources;
    for (; building->slots[at]; at = (at + 1) & (building->slot_count - 1)) {
        uint32_t known = building->slots[at] - 1;
        if (!strcmp(id_of(building->view, resources->list[known].first, other), id))
            return known;
    }
    MEMORY_GROW(resources->list, resources->count, resources->capacity);
    resources->list[resources->count] = (struct view_resource){ .first = number };
    building->slots[at] = (uint32_t)++resources->count;
    return (uint32_t)resources->count - 1;
}

static void count_finding(const struct view *view, struct view_resource *resource, uint32_t number)
{
    const struct view_finding *finding = &view->findings[number];
    resource->count++;
    resource->by_risk[finding->risk]++;
    resource->overdue += finding->due_at && finding->due_at <= view->at;
    if (!resource->oldest_at || finding->opened_at < resource->oldest_at)
        resource->oldest_at = finding->opened_at;
}

/* Most of the worst level first. Of those that are equal the one comes first that was found first,
 * which is the same of the same findings. */
static int compare(const void *left, const void *right)
{
    const struct view_resource *a = left, *b = right;
    for (int risk = 0; risk < RISK_COUNT; risk++)
        if (a->by_risk[risk] != b->by_risk[risk])
            return a->by_risk[risk] > b->by_risk[risk] ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static void order(struct view_resources *resources)
{
    if (resources->count)
        qsort(resources->list, resources->count, sizeof *resources->list, compare);
}

/* Sort them, and tell the findings their new numbers. first: their numbers before. */
static void sort(struct building *building)
{
    struct view_resources *resources = building->resources;
    uint32_t *moved = MEMORY_ARRAY(uint32_t, resources->count + 1);
    for (size_t i = 0; i < resources->count; i++)
        resources->list[i].first = (uint32_t)i;
    order(resources);
    for (size_t i = 0; i < resources->count; i++)
        moved[resources->list[i].first] = (uint32_t)i;
    for (size_t i = 0; i < building->view->count; i++)
        building->of[i] = moved[building->of[i]];
    free(moved);
}

static void group(struct building *building)
{
    const struct view *view = building->view;
    struct view_resources *resources = building->resources;
    uint32_t first = 0, *next = MEMORY_ARRAY(uint32_t, resources->count + 1);
    for (size_t i = 0; i < resources->count; i++) {
        resources->list[i].first = next[i] = first;
        first += resources->list[i].count;
    }
    const uint32_t *by_risk = view_order(view, VIEW_BY_RISK);
    for (size_t i = 0; i < view->count; i++) {
        uint32_t number = by_risk[i];
        resources->grouped[next[building->of[number]]++] = number;
    }
    free(next);
}

static struct view_resources *build(const struct view *view)
{
    struct view_resources *resources = MEMORY_NEW(struct view_resources);
    struct building building = { .view = view, .resources = resources, .slot_count = 16 };
    while (building.slot_count < 2 * view->count)
        building.slot_count *= 2;
    hash_random(building.key, sizeof building.key);
    building.slots = MEMORY_ARRAY(uint32_t, building.slot_count);
    building.of = MEMORY_ARRAY(uint32_t, view->count + 1);
    resources->grouped = MEMORY_ARRAY(uint32_t, view->count + 1);
    for (uint32_t number = 0; number < view->count; number++) {
        building.of[number] = resource_of(&building, number);
        count_finding(view, &resources->list[building.of[number]], number);
    }
    sort(&building);
    group(&building);
    free(building.slots);
    free(building.of);
    return resources;
}

/* Those of a selection: the base's, as far as something of them is shown. */
static struct view_resources *thin_out(const struct view *some)
{
    const struct view_resources *all = view_resources_of(some->base);
    struct view_resources *resources = MEMORY_NEW(struct view_resources);
    uint32_t count = 0;
    resources->grouped = MEMORY_ARRAY(uint32_t, some->count + 1);
    for (size_t i = 0; i < all->count && count < some->count; i++) {
        struct view_resource left = { .first = count };
        for (uint32_t n = 0; n < all->list[i].count; n++) {
            uint32_t number = all->grouped[all->list[i].first + n];
            if (!view_shows(some, number))
                continue;
            resources->grouped[count++] = number;
            count_finding(some, &left, number);
        }
        if (!left.count)
            continue;
        MEMORY_GROW(resources->list, resources->count, resources->capacity);
        resources->list[resources->count++] = left;
    }
    order(resources);
    return resources;
}

static void finish(void *thing)
{
    struct view_resources *resources = thing;
    free(resources->list);
    free(resources->grouped);
    free(resources);
}

const struct view_resources *view_resources_of(const struct view *view)
{
    static const char name[] = "resources";
    const void *known = view_made_find(view->made, name);
    if (known)
        return known;
    return view_made_keep(view->made, name, view->base ? thin_out(view) : build(view), finish);
}

const struct view_resource *view_resources_find(const struct view *view, const char *resource_id)
{
    const struct view_resources *resources = view_resources_of(view);
    char scratch[PART_ID_BYTES];
    for (size_t i = 0; i < resources->count; i++)
        if (!strcmp(id_of(view, resources->grouped[resources->list[i].first], scratch),
                    resource_id))
            return &resources->list[i];
    return NULL;
}
