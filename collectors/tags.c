#include "collectors/tags.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/hash.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector tags_collector;

struct row {
    const char *resource_id, *subscription_id, *name, *value;
};

static const struct column subscription_columns[] = {
    COLUMN_KEY(struct row, subscription_id, "subscriptionId"), { 0 }
};

static const struct column tag_columns[] = { COLUMN_KEY(struct row, resource_id, "resourceId"),
                                             COLUMN_KEY(struct row, subscription_id,
                                                        "subscriptionId"),
                                             COLUMN_KEY(struct row, name, "name"),
                                             COLUMN_TEXT(struct row, value, "value"),
                                             { 0 } };

enum { QUERY_SUBSCRIPTIONS };

/* --- what is kept ----------------------------------------------------------------------------- */

/* A tag of a resource, as a row tells it. */
struct fact {
    uint64_t resource; /* hash of its id */
    uint32_t value;    /* number of own.values */
    uint32_t name;     /* place in own.names */
};

/* All tags of a resource. The hash is in two halves: so it takes 12 bytes. */
struct entry {
    uint32_t high, low;
    uint32_t set; /* number of own.sets */
};

_Static_assert(sizeof(struct entry) <= 16, "a tenant may have a million tagged resources");

/* Those of one subscription. */
struct block {
    struct fact *facts; /* until the part is finished */
    size_t fact_count, fact_capacity;
    struct entry *entries; /* sorted by hash */
    size_t count;
    bool doubted; /* all went at once: as it was the run before */
};

struct own {
    const char *const *names; /* that were asked for; name_count of them, in the part's arena */
    size_t name_count;
    struct intern values;        /* until the part is finished */
    struct intern sets;          /* a value for each name, each with its NUL */
    struct intern subscriptions; /* number n, never 0, is blocks[n] */
    struct block *blocks;
    size_t block_count;
};

static void own_finish(void *data)
{
    struct own *own = data;
    for (size_t i = 0; i < own->block_count; i++) {
        free(own->blocks[i].facts);
        free(own->blocks[i].entries);
    }
    free(own->blocks);
    intern_finish(&own->values);
    intern_finish(&own->sets);
    intern_finish(&own->subscriptions);
    free(own);
}

static struct own *own_of(struct part *part, const char *const *asked)
{
    struct own *own = part_own(part, sizeof(struct own), own_finish);
    if (own->names)
        return own;
    size_t count = 0;
    while (asked[count])
        count++;
    const char **names = arena_zalloc(&part->arena, (count + 1) * sizeof *names);
    for (; own->name_count < count; own->name_count++)
        names[own->name_count] = arena_text(&part->arena, asked[own->name_count]);
    own->names = names;
    return own;
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

/* The place of a name, or the number of names when it was not asked for. */
static size_t name_place(const struct own *own, const char *name)
{
    size_t place = 0;
    while (place < own->name_count && strcasecmp(own->names[place], name) != 0)
        place++;
    return place;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Beyond ASCII a name in another case may be listed here and not there: it is left out. */
void tags_add(struct part *part, const char *const *asked, const struct tags_subject *subject,
              const char *name, const char *value)
{
    struct own *own = own_of(part, asked);
    size_t place = name_place(own, name);
    if (place == own->name_count || !*value)
        return;
    CLEANUP(buf_finish) struct buf resource = { 0 };
    for (const char *c = subject->resource_id; *c; c++)
        buf_char(&resource, (char)tolower((unsigned char)*c));
    struct block *block = block_of(own, part_keep_lower(part, subject->subscription_id));
    MEMORY_GROW(block->facts, block->fact_count, block->fact_capacity);
    block->facts[block->fact_count++] = (struct fact){
        .resource = hash_bytes(buf_cstr(&resource), resource.length),
        .value = intern_put(&own->values, value, strlen(value)),
        .name = (uint32_t)place,
    };
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    part_see(part, row->subscription_id);
    if (query != QUERY_SUBSCRIPTIONS)
        tags_add(part, context->tags,
                 &(struct tags_subject){ row->subscription_id, row->resource_id }, row->name,
                 row->value);
    return ODD_NONE;
}

static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)query;
    const struct row *row = data;
    part_add_gap(part, collector_subscription(context, row ? row->subscription_id : ""));
}

/* --- making sets ------------------------------------------------------------------------------ */

static int compare_facts(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    return (a->name > b->name) - (a->name < b->name);
}

static uint64_t hash_of(const struct entry *entry)
{
    return (uint64_t)entry->high << 32 | entry->low;
}

/* The number of a set with these values; values: one for each name, NULL = none. */
static uint32_t set_put(struct own *own, const char *const *values)
{
    CLEANUP(buf_finish) struct buf set = { 0 };
    for (size_t i = 0; i < own->name_count; i++)
        buf_append(&set, values[i] ? values[i] : "", values[i] ? strlen(values[i]) + 1 : 1);
    return intern_put(&own->sets, set.data, set.length);
}

/* The value at this place of a set. */
static const char *set_value(const struct own *own, uint32_t set, size_t place)
{
    const char *value = intern_text(&own->sets, set);
    for (; place; place--)
        value += strlen(value) + 1;
    return value;
}

/* Turn what rows told into entries. */
static void block_finish(struct own *own, struct block *block)
{
    size_t count = 0;
    qsort(block->facts, block->fact_count, sizeof *block->facts, compare_facts);
    for (size_t i = 0; i < block->fact_count; i++)
        count += !i || block->facts[i].resource != block->facts[i - 1].resource;
    block->entries = MEMORY_ARRAY(struct entry, count);
    for (size_t i = 0; i < block->fact_count;) {
        const char *values[TAGS_MAX] = { 0 };
        uint64_t resource = block->facts[i].resource;
        for (; i < block->fact_count && block->facts[i].resource == resource; i++)
            values[block->facts[i].name] = intern_text(&own->values, block->facts[i].value);
        block->entries[block->count++] = (struct entry){
            .high = (uint32_t)(resource >> 32),
            .low = (uint32_t)resource,
            .set = set_put(own, values),
        };
    }
    free(block->facts);
    block->facts = NULL;
    block->fact_count = block->fact_capacity = 0;
}

/* --- what cannot be read ---------------------------------------------------------------------- */

static struct own *own_in(const struct part *part)
{
    bool ours = part && part->source->collector == &tags_collector;
    return ours ? part->own : NULL;
}

/* Replace what is known of a subscription by what an older part knew of the tags that are asked for
 * now. */
static void block_take(struct own *own, const struct own *older, const char *subscription_id)
{
    const struct block *before = older ? block_find(older, subscription_id) : NULL;
    struct block *block = block_of(own, subscription_id);
    free(block->entries);
    *block = (struct block){ .count = before ? before->count : 0 };
    block->entries = MEMORY_ARRAY(struct entry, block->count);
    for (size_t i = 0; i < block->count; i++) {
        const char *values[TAGS_MAX] = { 0 };
        block->entries[i] = before->entries[i];
        for (size_t name = 0; name < own->name_count; name++) {
            size_t place = name_place(older, own->names[name]);
            if (place < older->name_count)
                values[name] = set_value(older, before->entries[i].set, place);
        }
        block->entries[i].set = set_put(own, values);
    }
}

static void carry(struct part *part, const struct part *older, const char *subscription_id)
{
    struct own *own = own_in(part);
    if (own)
        block_take(own, own_in(older), part_keep_lower(part, subscription_id));
}

/* Where every tag went at once since the run before, it is believed when it is so again. */
static void doubt(struct part *part, struct own *own, const struct own *older)
{
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        const struct block *before = block_find(older, id), *now = block_find(own, id);
        if (!part_is_seen(part, i) || !before || !before->count || before->doubted ||
            (now && now->count))
            continue;
        block_take(own, older, id);
        block_of(own, id)->doubted = true;
    }
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    struct own *own = own_of(part, context->tags);
    const struct own *older = own_in(snapshot_part(context->snapshot, part->source));
    for (size_t i = 1; i < own->subscriptions.count; i++)
        block_finish(own, &own->blocks[i]);
    intern_finish(&own->values);
    own->values = (struct intern){ 0 };
    if (older)
        doubt(part, own, older);
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The value at a place of an id's set, "" when it has none. */
static const char *value_of(const struct own *own, const struct block *block, size_t place,
                            const char *id, size_t length)
{
    uint64_t wanted = hash_bytes(id, length);
    size_t low = 0, high = block->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hash_of(&block->entries[middle]) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < block->count && hash_of(&block->entries[low]) == wanted;
    return found ? set_value(own, block->entries[low].set, place) : "";
}

/* The length of an id up to and with its resource group; 0 = it is in none. */
static size_t group_length(const char *id)
{
    static const char word[] = "/resourcegroups/";
    const char *at = strstr(id, word);
    if (!at)
        return 0;
    at += sizeof word - 1;
    return (size_t)(at - id) + strcspn(at, "/");
}

/* From the resource upwards, the first that has a value. */
static const char *inherited(const struct own *own, const struct block *block, size_t place,
                             const struct tags_subject *subject)
{
    CLEANUP(buf_finish) struct buf subscription = { 0 };
    const char *id = subject->resource_id, *value = "";
    size_t group = group_length(id);
    buf_printf(&subscription, "/subscriptions/%s", subject->subscription_id);
    if (*id)
        value = value_of(own, block, place, id, strlen(id));
    if (!*value && group)
        value = value_of(own, block, place, id, group);
    if (!*value)
        value = value_of(own, block, place, buf_cstr(&subscription), subscription.length);
    return value;
}

const char *tags_value(const struct snapshot *snapshot, const struct tags_subject *subject,
                       const char *tag, bool *known)
{
    const char *found = "";
    *known = false;
    for (size_t i = 0; i < snapshot->sources->count && !*known; i++) {
        const struct part *part = snapshot->parts[i];
        const struct own *own = own_in(part);
        const struct part_cover *cover =
            own ? part_cover_find(part, subject->subscription_id) : NULL;
        size_t place = own ? name_place(own, tag) : 0;
        if (!cover || !cover->collected_at || place == own->name_count)
            continue;
        const struct block *block = block_find(own, subject->subscription_id);
        const char *value = block ? inherited(own, block, place, subject) : "";
        *known = !cover->carried && !cover->gaps && !(block && block->doubted);
        if (*known || !*found)
            found = value;
    }
    return found;
}

/* --- the collector ---------------------------------------------------------------------------- */

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set; /* no value of a tag becomes a label of a metric */
}

static const struct family *const families[] = { NULL };

const struct collector tags_collector = {
    .name = "tags",
    .words = "tags",
    .help = "The tags that `alerts.tags` lists, of resources, their groups and subscriptions. It "
            "runs only when there are some.",
    .default_interval = "1h",
    .role = COLLECTOR_DATA,
    .order = 40,
    .asks_for_tags = true,
    .rights = { "tags of resources, resource groups and subscriptions", "Reader", "*/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "subscriptions_rows", .kql = kql_subscriptions_rows,
              .columns = subscription_columns },
            { .name = "tags_containers_rows", .kql = kql_tags_containers_rows,
              .columns = tag_columns, .none = NONE_IS_ORDINARY },
            { .name = "tags_resources_rows", .kql = kql_tags_resources_rows,
              .columns = tag_columns, .none = NONE_IS_ORDINARY },
        } },
    },
    .families = families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .carry = carry,
    .emit = emit,
};
