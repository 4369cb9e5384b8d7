#include "collectors/snapshot/part_resource.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/memory.h"

#define MIDDLE_WHOLE_ID UINT32_MAX /* name holds the whole id: it is no ARM id */

/* --- resource ids -----------------------------------------------------------------------------
 * "/subscriptions/S/resourcegroups/G/providers/N/T/name" is kept as S, G, "/providers/N/T" and
 * name: the first three repeat. */
static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static size_t segment_length(const char *text)
{
    return strcspn(text, "/");
}

/* The end of an id: the last segment, or all of it. */
struct tail {
    const char *text;
    size_t length;
};

static void put_id(struct part *part, struct part_finding *finding, const char *id, size_t length,
                   const char *subscription, struct tail *tail)
{
    static const char head[] = "/subscriptions/", group_head[] = "/resourcegroups/";
    const char *rest = id + sizeof head - 1;
    size_t subscription_length = strlen(subscription);
    if (!starts_with(id, head) || strncmp(rest, subscription, subscription_length) ||
        (rest[subscription_length] && rest[subscription_length] != '/')) {
        finding->middle = MIDDLE_WHOLE_ID;
        *tail = (struct tail){ id, length };
        return;
    }
    rest += subscription_length;
    if (starts_with(rest, group_head)) {
        rest += sizeof group_head - 1;
        size_t group = segment_length(rest);
        finding->group = intern_put(&part->strings, rest, group);
        rest += group;
    }
    const char *name = strrchr(rest, '/');
    name = name ? name : rest;
    finding->middle = intern_put(&part->strings, rest, (size_t)(name - rest));
    name += *name == '/';
    *tail = (struct tail){ name, (size_t)(id + length - name) };
}

/* Write the id again. */
void part_resource_id(const struct part *part, const struct part_finding *finding,
                      char out[PART_ID_BYTES])
{
    const char *const pieces[] = { "/subscriptions/",
                                   intern_text(&part->strings, finding->subscription),
                                   finding->group ? "/resourcegroups/" : "",
                                   intern_text(&part->strings, finding->group),
                                   intern_text(&part->strings, finding->middle),
                                   *finding->name ? "/" : "",
                                   finding->name };
    size_t last = ARRAY_COUNT(pieces) - 1;
    char *at = out, *end = out + PART_ID_BYTES - 1;
    for (size_t i = finding->middle == MIDDLE_WHOLE_ID ? last : 0; i <= last; i++) {
        size_t length = strnlen(pieces[i], (size_t)(end - at));
        memcpy(at, pieces[i], length);
        at += length;
    }
    *at = 0;
}

/* --- numbers ---------------------------------------------------------------------------------- */
struct part_numbered {
    const char *name;
    uint32_t length, hash;
    uint32_t subscription, group, middle;
};

static void grow_slots(struct part *part)
{
    struct part_numbering *numbering = &part->numbering;
    uint32_t slot_count = numbering->slot_count ? numbering->slot_count * 2 : 256;
    uint32_t *slots = MEMORY_ARRAY(uint32_t, slot_count);
    for (uint32_t i = 0; i < part->resource_count; i++) {
        uint32_t at = numbering->entries[i].hash & (slot_count - 1);
        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = i + 1;
    }
    free(numbering->slots);
    numbering->slots = slots;
    numbering->slot_count = slot_count;
}

static bool is_of(const struct part_numbered *entry, const struct part_finding *finding,
                  const struct tail *tail)
{
    return entry->length == tail->length && entry->middle == finding->middle &&
           entry->group == finding->group && entry->subscription == finding->subscription &&
           !memcmp(entry->name, tail->text, tail->length);
}

/* The number of a resource, added when new. */
static uint32_t number_of(struct part *part, const struct part_finding *finding,
                          const struct tail *tail)
{
    struct part_numbering *numbering = &part->numbering;
    const uint32_t where[] = { finding->subscription, finding->group, finding->middle };
    uint32_t hash =
        (uint32_t)(hash_bytes(where, sizeof where) * 31 + hash_bytes(tail->text, tail->length));
    if (part->resource_count * 2 >= numbering->slot_count)
        grow_slots(part);
    uint32_t mask = numbering->slot_count - 1, at = hash & mask;
    for (; numbering->slots[at]; at = (at + 1) & mask) {
        const struct part_numbered *entry = &numbering->entries[numbering->slots[at] - 1];
        if (entry->hash == hash && is_of(entry, finding, tail))
            return numbering->slots[at] - 1;
    }
    MEMORY_GROW(numbering->entries, part->resource_count, numbering->capacity);
    numbering->entries[part->resource_count] = (struct part_numbered){
        .name = arena_copy(&part->arena, tail->text, tail->length),
        .length = (uint32_t)tail->length,
        .hash = hash,
        .subscription = finding->subscription,
        .group = finding->group,
        .middle = finding->middle,
    };
    numbering->slots[at] = ++part->resource_count;
    return part->resource_count - 1;
}

/* Give a finding the number of its resource, and the name that all of the resource share. */
static void put_number(struct part *part, struct part_finding *finding, const struct tail *tail)
{
    struct part_numbering *numbering = &part->numbering;
    if (!part->resource_count || !is_of(&numbering->entries[numbering->last], finding, tail))
        numbering->last = number_of(part, finding, tail);
    finding->resource = numbering->last;
    finding->name = numbering->entries[numbering->last].name;
}

void part_resource_numbered(struct part *part)
{
    free(part->numbering.entries);
    free(part->numbering.slots);
    part->numbering = (struct part_numbering){ 0 };
}

/* --- clouds ----------------------------------------------------------------------------------- */
enum { ORIGINS_MAX = UINT16_MAX - CLOUD_COUNT };

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static const char *keep(struct part *part, const char *text)
{
    return intern_text(&part->strings, intern_put(&part->strings, text, strlen(text)));
}

/* The number of where a resource is from; of the cloud alone once there are too many. */
static uint16_t put_origin(struct part *part, const struct part_row *row, const char *id)
{
    size_t length;
    const char *name = cloud_kind_connector_name(id, &length);
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (!length && !*text_of(row->account) && !*text_of(row->location))
        return (uint16_t)row->cloud;
    size_t scope_length = cloud_kind_connector(id);
    buf_printf(&key, "%d\n%.*s\n%s\n%s", row->cloud, (int)scope_length, id, text_of(row->account),
               text_of(row->location));
    uint32_t number = intern_put(&part->origin_keys, key.data, key.length);
    if (number > ORIGINS_MAX)
        return (uint16_t)row->cloud;
    if (number > part->origin_count) {
        MEMORY_GROW(part->origins, part->origin_count, part->origin_capacity);
        part->origins[part->origin_count++] = (struct part_origin){
            .cloud = row->cloud,
            .scope = intern_text(&part->strings, intern_put(&part->strings, id, scope_length)),
            .connector = intern_text(&part->strings, intern_put(&part->strings, name, length)),
            .account = keep(part, text_of(row->account)),
            .location = keep(part, text_of(row->location)),
        };
    }
    return (uint16_t)(CLOUD_COUNT + number - 1);
}

void part_resource_see(struct part *part, const char *id)
{
    char scope[PART_ID_BYTES];
    size_t length = cloud_kind_connector(id);
    if (!length || length >= sizeof scope)
        return;
    for (size_t i = 0; i < length; i++)
        scope[i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] | 0x20) : id[i];
    intern_put(&part->scopes, scope, length);
}

void part_resource_carry(struct part *part, const struct part *older, const char *subscription_id)
{
    CLEANUP(buf_finish) struct buf head = { 0 };
    buf_printf(&head, "/subscriptions/%s/", subscription_id);
    for (uint32_t i = 1; i < older->scopes.count; i++)
        if (starts_with(intern_text(&older->scopes, i), buf_cstr(&head)))
            part_resource_see(part, intern_text(&older->scopes, i));
}

/* What a connector is called ("group/name"), and by whom it may be mistaken: others that have the
 * same name in the subscription. */
static void name_scope(const char *scope, struct buf *long_name, struct buf *short_name)
{
    static const char head[] = "/subscriptions/", mark[] = "/resourcegroups/";
    size_t length;
    const char *name = cloud_kind_connector_name(scope, &length), *group = strstr(scope, mark);
    const char *subscription = starts_with(scope, head) ? scope + sizeof head - 1 : "";
    buf_reset(long_name);
    buf_reset(short_name);
    group = group ? group + sizeof mark - 1 : "";
    buf_printf(long_name, "%.*s/%.*s", (int)segment_length(group), group, (int)length, name);
    buf_printf(short_name, "%.*s/%.*s", (int)segment_length(subscription), subscription,
               (int)length, name);
}

void part_resource_seal(struct part *part)
{
    CLEANUP(buf_finish) struct buf long_name = { 0 };
    CLEANUP(buf_finish) struct buf short_name = { 0 };
    CLEANUP(intern_finish) struct intern names = { 0 };
    uint32_t *counts = MEMORY_ARRAY(uint32_t, part->scopes.count + 1);
    for (uint32_t i = 1; i < part->scopes.count; i++) {
        name_scope(intern_text(&part->scopes, i), &long_name, &short_name);
        counts[intern_put(&names, short_name.data, short_name.length)]++;
    }
    for (size_t i = 0; i < part->origin_count && part->scopes.count > 2; i++) {
        struct part_origin *origin = &part->origins[i];
        if (!*origin->scope)
            continue;
        name_scope(origin->scope, &long_name, &short_name);
        uint32_t number = intern_find(&names, short_name.data, short_name.length);
        if (number < names.count && counts[number] > 1)
            origin->connector = keep(part, buf_cstr(&long_name));
    }
    free(counts);
}

static struct part_origin origin_of(const struct part *part, const struct part_finding *finding)
{
    if (finding->origin >= CLOUD_COUNT)
        return part->origins[finding->origin - CLOUD_COUNT];
    return (struct part_origin){ (enum cloud_kind)finding->origin, "", "", "", "" };
}

enum cloud_kind part_resource_cloud(const struct part *part, const struct part_finding *finding)
{
    return origin_of(part, finding).cloud;
}

const char *part_resource_scope(const struct part *part, uint32_t origin)
{
    return origin < CLOUD_COUNT ? "" : part->origins[origin - CLOUD_COUNT].scope;
}

/* Outside Azure ids say little to people: the name there and the native id follow the name. */
static void put_native(struct part *part, struct part_finding *finding, const struct part_row *row)
{
    CLEANUP(buf_finish) struct buf texts = { 0 };
    if (row->cloud == CLOUD_AZURE)
        return;
    const char *slash = strrchr(finding->name, '/');
    const char *last = slash ? slash + 1 : finding->name;
    const char *own = *text_of(row->resource_name) ? row->resource_name : last;
    const char *native = text_of(row->native_id);
    buf_append(&texts, finding->name, strlen(finding->name) + 1);
    buf_append(&texts, own, strlen(own) + 1);
    buf_append(&texts, native, strlen(native));
    finding->name = arena_copy(&part->arena, texts.data, texts.length);
}

bool part_resource_has_own_type(enum cloud_kind cloud)
{
    return cloud == CLOUD_AWS || cloud == CLOUD_GCP;
}

void part_resource_put(struct part *part, struct part_finding *finding, const struct part_row *row,
                       const struct part_resource *resource)
{
    struct tail tail;
    put_id(part, finding, resource->id, resource->id_length, resource->subscription_id, &tail);
    put_number(part, finding, &tail);
    finding->origin = put_origin(part, row, resource->id);
    part_resource_see(part, resource->id);
    put_native(part, finding, row);
}

/* The last segment of an id: of its name, where it has one. */
static const char *last_segment(const struct part *part, const struct part_finding *finding)
{
    const uint32_t before[] = { finding->middle, finding->group, finding->subscription };
    const char *text = finding->name;
    for (size_t i = 0; !*text && i < ARRAY_COUNT(before); i++)
        text = intern_text(&part->strings, before[i]);
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}

void part_resource_outline(const struct part *part, const struct part_finding *finding,
                           struct finding *view)
{
    const struct part_origin origin = origin_of(part, finding);
    const struct part_assessment *assessment = &part->assessments[finding->assessment];
    *view = (struct finding){
        .id = finding->id,
        .source = part->source,
        .risk = finding->risk,
        .severity = finding->severity,
        .contextual = finding->contextual,
        .internet_exposed = finding->internet_exposed,
        .attack_paths = finding->attack_paths,
        .assessment_id = assessment->id,
        .title = assessment->title,
        .category = assessment->category,
        .model = assessment->model,
        .risk_factors = intern_text(&part->strings, finding->risk_factors),
        .reason_phrase = intern_text(&part->strings, finding->reason_phrase),
        .first_seen_at = finding->first_seen_at,
        .changed_at = finding->changed_at,
        .subscription_id = intern_text(&part->strings, finding->subscription),
        .resource_group = intern_text(&part->strings, finding->group),
        .resource_type = intern_text(&part->strings, finding->type),
        .resource_id = "",
        .resource_name = last_segment(part, finding),
        .cloud = origin.cloud,
        .connector = origin.connector,
        .account = origin.account,
        .location = origin.location,
        .native_id = "",
    };
    if (origin.cloud == CLOUD_AZURE)
        return;
    view->resource_name = finding->name + strlen(finding->name) + 1;
    view->native_id = view->resource_name + strlen(view->resource_name) + 1;
}
