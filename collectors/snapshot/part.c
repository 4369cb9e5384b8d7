#include "collectors/snapshot/part.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/snapshot/part_resource.h"
#include "core/memory.h"
#include "core/utf8.h"

struct part *part_create(const struct source *source)
{
    struct part *part = MEMORY_NEW(struct part);
    part->source = source;
    source_list_acquire(source->list);
    atomic_init(&part->references, 1);
    return part;
}

void part_acquire(struct part *part)
{
    atomic_fetch_add_explicit(&part->references, 1, memory_order_relaxed);
}

void part_release(struct part *part)
{
    if (!part || atomic_fetch_sub_explicit(&part->references, 1, memory_order_acq_rel) != 1)
        return;
    kept_finish(&part->kept);
    free(part->findings);
    free(part->cover);
    if (part->base) {
        part_release(part->base);
        free(part);
        return;
    }
    if (part->own_finish)
        part->own_finish(part->own);
    proof_answers_finish(&part->proofs);
    free(part->assessments);
    free(part->origins);
    free(part->closed);
    free(part->frozen);
    part_resource_numbered(part);
    intern_finish(&part->strings);
    intern_finish(&part->known);
    intern_finish(&part->assessment_ids);
    intern_finish(&part->origin_keys);
    intern_finish(&part->scopes);
    intern_finish(&part->cover_ids);
    arena_finish(&part->arena);
    source_list_release(part->source->list);
    free(part);
}

void *part_own(struct part *part, size_t bytes, void (*finish)(void *own))
{
    if (!part->own) {
        part->own = memory_array(1, bytes);
        part->own_finish = finish;
    }
    return part->own;
}

static uint32_t put_text(struct part *part, const char *text)
{
    return intern_put(&part->strings, text, strlen(text));
}

/* Labels and identities are lower case and end without a slash, whatever the provider wrote.
 * Returns the length. */
static size_t lower_copy(char out[PART_ID_BYTES], const char *text)
{
    size_t length = strnlen(text, PART_ID_BYTES - 1);
    utf8_lower_ascii(out, text, length);
    while (length > 1 && out[length - 1] == '/')
        length--;
    out[length] = 0;
    return length;
}

const char *part_keep(struct part *part, const char *text)
{
    return intern_text(&part->strings, put_text(part, text));
}

const char *part_keep_lower(struct part *part, const char *text)
{
    char lower[PART_ID_BYTES];
    size_t length = lower_copy(lower, text);
    return intern_text(&part->strings, intern_put(&part->strings, lower, length));
}

static uint32_t assessment_of(struct part *part, const struct part_row *row)
{
    char id[PART_ID_BYTES];
    size_t length = lower_copy(id, row->assessment_id);
    uint32_t number = intern_put(&part->assessment_ids, id, length ? length : 0);
    if (!number) /* no key at all: all of these share one nameless assessment */
        number = intern_put(&part->assessment_ids, "unknown", 7);
    if (number > part->assessment_count) {
        MEMORY_GROW(part->assessments, part->assessment_count, part->assessment_capacity);
        part->assessments[part->assessment_count++] = (struct part_assessment){
            .id = part_keep(part, intern_text(&part->assessment_ids, number)),
            .title = part_keep(part, row->title),
            .category = part_keep(part, row->category),
            .type = part_keep(part, row->assessment_type),
            .severity = row->severity,
            .model = row->model,
        };
    }
    return number - 1;
}

static bool names_internet(const char *risk_factors)
{
    return strcasestr(risk_factors, "internet") != NULL;
}

/* Unix seconds in 32 bits last until 2106; what does not fit is unknown. */
static uint32_t short_time(int64_t at)
{
    return at > 0 && at <= UINT32_MAX ? (uint32_t)at : 0;
}

/* The identity of a row; a slash behind its id makes no other. */
static struct finding_id identity(const struct part *part, const char *row_id)
{
    size_t length = strlen(row_id);
    while (length > 1 && row_id[length - 1] == '/')
        length--;
    return finding_id(part->source, row_id, length);
}

void part_add_open(struct part *part, const struct part_row *row)
{
    MEMORY_GROW(part->findings, part->finding_count, part->finding_capacity);
    struct part_finding *finding = &part->findings[part->finding_count++];
    char subscription[PART_ID_BYTES], id[PART_ID_BYTES], type[PART_ID_BYTES];
    size_t subscription_length = lower_copy(subscription, row->subscription_id);
    size_t id_length = lower_copy(id, row->resource_id);
    bool has_own_type = part_resource_has_own_type(row->cloud) && *row->resource_type;
    if ((has_own_type || !finding_resource_type(id, type)) && !lower_copy(type, row->resource_type))
        strcpy(type, "unknown");
    *finding = (struct part_finding){
        .id = identity(part, row->row_id),
        .assessment = assessment_of(part, row),
        .subscription = intern_put(&part->strings, subscription, subscription_length),
        .type = put_text(part, type),
        .risk_factors = put_text(part, row->risk_factors),
        .reason_phrase = row->reason_phrase ? put_text(part, row->reason_phrase) : 0,
        .first_seen_at = short_time(row->first_seen_at),
        .changed_at = short_time(row->changed_at),
        .attack_paths = (uint16_t)(row->attack_paths < 0            ? 0
                                   : row->attack_paths > UINT16_MAX ? UINT16_MAX
                                                                    : row->attack_paths),
        .risk = (uint8_t)row->risk,
        .severity = (uint8_t)row->severity,
        .contextual = row->contextual,
        .internet_exposed = names_internet(row->risk_factors),
    };
    part_resource_put(part, finding, row, &(struct part_resource){ subscription, id, id_length });
    part_see(part, row->subscription_id);
}

void part_add_closed(struct part *part, const char *subscription_id, const char *row_id,
                     enum finding_reason reason)
{
    part_add_closed_row(part, &(struct part_closed_row){ .subscription_id = subscription_id,
                                                         .row_id = row_id,
                                                         .reason = reason });
}

void part_add_closed_row(struct part *part, const struct part_closed_row *row)
{
    MEMORY_GROW(part->closed, part->closed_count, part->closed_capacity);
    part->closed[part->closed_count++] = (struct part_closed){
        .id = identity(part, row->row_id),
        .place = (uint32_t)part_see(part, row->subscription_id),
        .changed_at = short_time(row->changed_at),
        .reason = (uint8_t)row->reason,
        .cloud = (uint8_t)row->cloud,
    };
    part_resource_see(part, row->row_id);
}

void part_close(struct part *part, const bool *closing, enum finding_reason reason)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding finding = part->findings[i];
        if (!closing[i]) {
            part->findings[kept++] = finding;
            continue;
        }
        part_add_closed(part, intern_text(&part->strings, finding.subscription), "", reason);
        part->closed[part->closed_count - 1].id = finding.id;
    }
    part->finding_count = kept;
}

struct part_mark part_mark(struct part *part)
{
    return (struct part_mark){
        .findings = part->finding_count,
        .closed = part->closed_count,
        .frozen = part->frozen_count,
        .rows = part->rows,
        .truncated = part->truncated,
        .gaps = part->gaps,
        .odd = part->odd,
        .kept = kept_mark(&part->kept),
    };
}

void part_rewind(struct part *part, struct part_mark mark)
{
    part->finding_count = mark.findings;
    part->closed_count = mark.closed;
    part->frozen_count = mark.frozen;
    part->rows = mark.rows;
    part->truncated = mark.truncated;
    part->gaps = mark.gaps;
    part->odd = mark.odd;
    kept_rewind(&part->kept, &mark.kept);
}

/* --- cover ------------------------------------------------------------------------------------ */
/* Which subscriptions gave rows: counted like everything else, so that it is taken back too. */
struct seen {
    bool rows, gap;
};
static const struct kept_kind seen = { KEPT_COUNTS(struct seen) };

/* The place of a subscription in the cover, added when new. */
static size_t place_of(struct part *part, const char *subscription_id)
{
    char lower[PART_ID_BYTES];
    size_t length = lower_copy(lower, subscription_id);
    uint32_t number = intern_put(&part->cover_ids, length ? lower : "unknown",
                                 length ? length : sizeof "unknown" - 1);
    if (number > part->cover_count) {
        MEMORY_GROW(part->cover, part->cover_count, part->cover_capacity);
        part->cover[part->cover_count++] = (struct part_cover){
            .subscription_id = intern_text(&part->cover_ids, number),
        };
    }
    return number - 1;
}

size_t part_see(struct part *part, const char *subscription_id)
{
    size_t place = place_of(part, subscription_id);
    struct seen *entry = kept_count(&part->kept, &seen, place);
    entry->rows = true;
    return place;
}

void part_freeze(struct part *part, const char *subscription_id, const char *row_id)
{
    MEMORY_GROW(part->frozen, part->frozen_count, part->frozen_capacity);
    part->frozen[part->frozen_count++] = identity(part, row_id);
    if (*subscription_id)
        part_see(part, subscription_id);
}

void part_add_gap(struct part *part, const char *subscription_id)
{
    if (!*subscription_id) {
        part->gaps = true;
        return;
    }
    struct seen *entry = kept_count(&part->kept, &seen, part_see(part, subscription_id));
    entry->gap = true;
}

bool part_has_gap(const struct part *part, size_t place)
{
    const struct seen *entry = kept_counted(&part->kept, &seen, place);
    return part->gaps || entry->gap;
}

bool part_is_seen(const struct part *part, size_t place)
{
    const struct seen *entry = kept_counted(&part->kept, &seen, place);
    return entry->rows;
}

void part_add_cover(struct part *part, const char *subscription_id, int64_t collected_at)
{
    size_t place = place_of(part, subscription_id); /* may move the array */
    part->cover[place].collected_at = collected_at;
    part->cover[place].carried = false;
}

void part_add_carried(struct part *part, const char *subscription_id, int64_t collected_at,
                      const char *reason, int64_t carried_at)
{
    size_t place = place_of(part, subscription_id);
    struct part_cover *entry = &part->cover[place];
    entry->collected_at = collected_at;
    entry->carried = true;
    entry->carried_at = carried_at;
    entry->reason = part_keep(part, reason);
}

/* Its entry, whether the part speaks for it or not. */
static const struct part_cover *entry_of(const struct part *part, const char *subscription_id)
{
    uint32_t number = intern_find(&part->cover_ids, subscription_id, strlen(subscription_id));
    return number && number != UINT32_MAX ? &part->cover[number - 1] : NULL;
}

const struct part_cover *part_cover_find(const struct part *part, const char *subscription_id)
{
    const struct part_cover *entry = entry_of(part, subscription_id);
    return entry && entry->collected_at ? entry : NULL;
}

bool part_is_unread(const struct part *part, const char *subscription_id)
{
    const struct part_cover *entry = entry_of(part, subscription_id);
    return entry && entry->carried;
}

uint32_t *part_places(const struct part *part)
{
    uint32_t *places = MEMORY_ARRAY(uint32_t, part->strings.count + 1);
    for (size_t i = 0; i < part->cover_count; i++) {
        const char *id = part->cover[i].subscription_id;
        uint32_t number = intern_find(&part->strings, id, strlen(id));
        if (number < part->strings.count)
            places[number] = (uint32_t)i;
    }
    return places;
}

/* --- rows and counts of the collector's own --------------------------------------------------- */
void part_add_row(struct part *part, const struct kept_kind *kind, const char *subscription_id,
                  const void *row)
{
    size_t place = part_see(part, subscription_id); /* may move the array */
    kept_add(&part->kept, kind, part->cover[place].subscription_id, row, &part->strings);
}

const void *part_rows(const struct part *part, const struct kept_kind *kind, size_t *count)
{
    *count = 0;
    return part ? kept_all(&part->kept, kind, count) : NULL;
}

void *part_count(struct part *part, const struct kept_kind *kind, const char *subscription_id)
{
    return kept_count(&part->kept, kind, part_see(part, subscription_id));
}

const void *part_counted(const struct part *part, const struct kept_kind *kind, size_t place)
{
    return kept_counted(&part->kept, kind, place);
}

/* --- order and identity ----------------------------------------------------------------------- */
/* Of the same finding the worse comes first. */
static int finding_compare(const void *left, const void *right)
{
    const struct part_finding *a = left, *b = right;
    int order = finding_id_compare(&a->id, &b->id);
    return order ? order : (a->risk > b->risk) - (a->risk < b->risk);
}

static int closed_compare(const void *left, const void *right)
{
    const struct part_closed *a = left, *b = right;
    int order = finding_id_compare(&a->id, &b->id);
    return order ? order : (a->reason > b->reason) - (a->reason < b->reason);
}

/* Give back the room that growing left over: a part lives long. */
static void *fit(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (!count)
        return array;
    *capacity = count;
    return memory_resize(array, count * element_bytes);
}

/* Sort what is open and what is not, each id once: the worse holds. */
static void sort(struct part *part)
{
    size_t kept = 0;
    if (part->finding_count)
        qsort(part->findings, part->finding_count, sizeof *part->findings, finding_compare);
    for (size_t i = 0; i < part->finding_count; i++)
        if (!kept || finding_id_compare(&part->findings[kept - 1].id, &part->findings[i].id))
            part->findings[kept++] = part->findings[i];
    part->finding_count = kept;
    if (part->closed_count)
        qsort(part->closed, part->closed_count, sizeof *part->closed, closed_compare);
    kept = 0;
    for (size_t i = 0; i < part->closed_count; i++) {
        const struct part_closed closed = part->closed[i];
        bool again = kept && !finding_id_compare(&part->closed[kept - 1].id, &closed.id);
        if (!again && part_find(part, &closed.id) < 0)
            part->closed[kept++] = closed;
    }
    part->closed_count = kept;
}

void part_seal(struct part *part)
{
    kept_seal(&part->kept);
    part_resource_seal(part);
    part_resource_numbered(part);
    sort(part);
    part->findings =
        fit(part->findings, part->finding_count, &part->finding_capacity, sizeof *part->findings);
    part->closed =
        fit(part->closed, part->closed_count, &part->closed_capacity, sizeof *part->closed);
}

/* An earlier list of the subscription may have brought some. */
static void forget_findings(struct part *part, const char *subscription_id)
{
    uint32_t number = intern_find(&part->strings, subscription_id, strlen(subscription_id));
    size_t kept = 0;
    for (size_t i = 0; i < part->finding_count; i++)
        if (part->findings[i].subscription != number)
            part->findings[kept++] = part->findings[i];
    part->finding_count = kept;
}

void part_add_again(struct part *part, const struct part *older, size_t index)
{
    char id[PART_ID_BYTES];
    struct finding view;
    part_view(older, index, &view, id);
    struct part_row row = {
        .row_id = "",
        .assessment_id = view.assessment_id,
        .title = view.title,
        .category = view.category,
        .assessment_type = older->assessments[older->findings[index].assessment].type,
        .subscription_id = view.subscription_id,
        .resource_id = view.resource_id,
        .resource_type = view.resource_type,
        .risk_factors = view.risk_factors,
        .reason_phrase = view.reason_phrase,
        .model = view.model,
        .risk = view.risk,
        .severity = view.severity,
        .contextual = view.contextual,
        .attack_paths = view.attack_paths,
        .first_seen_at = view.first_seen_at,
        .changed_at = view.changed_at,
        .cloud = view.cloud,
        .account = view.account,
        .native_id = view.native_id,
        .location = view.location,
        .resource_name = view.resource_name,
    };
    part_add_open(part, &row);
    part->findings[part->finding_count - 1].id = view.id;
}

static void carry_findings(struct part *part, const struct part *older, const char *subscription_id)
{
    uint32_t number = intern_find(&older->strings, subscription_id, strlen(subscription_id));
    for (size_t i = 0; i < older->finding_count; i++)
        if (older->findings[i].subscription == number)
            part_add_again(part, older, i);
}

void part_carry(struct part *part, const struct part *older, const char *subscription_id)
{
    size_t place = place_of(part, subscription_id);
    const struct part_cover *before = older ? part_cover_find(older, subscription_id) : NULL;
    forget_findings(part, subscription_id);
    kept_carry(&part->kept, before ? &older->kept : NULL,
               &(struct kept_subscription){
                   .subscription_id = part->cover[place].subscription_id,
                   .place = place,
                   .older_place = before ? (size_t)(before - older->cover) : 0,
               },
               &part->strings);
    if (!older)
        return;
    part_resource_carry(part, older, subscription_id);
    carry_findings(part, older, subscription_id);
}

static uint64_t first_bytes(const struct finding_id *id)
{
    uint64_t first;
    memcpy(&first, id->bytes, sizeof first);
    return be64toh(first);
}

/* Of sorted rows that begin with their id. Ids are hashes: each is looked for where it is to be
 * expected between two others, and by halves when that does not lead to it. */
static const void *find(const struct finding_id *id, const void *rows, size_t count, size_t bytes)
{
    enum { GUESSES_MAX = 8 };
    uint64_t wanted = first_bytes(id), low = 0, high = UINT64_MAX;
    size_t begin = 0, end = count;
    for (int guesses = 0; begin < end; guesses++) {
        double share = guesses < GUESSES_MAX && low < high
                           ? (double)(wanted - low) / (double)(high - low)
                           : 0.5;
        size_t at = begin + (size_t)(share * (double)(end - begin - 1));
        const struct finding_id *found = (const void *)((const char *)rows + at * bytes);
        int order = finding_id_compare(id, found);
        if (!order)
            return found;
        *(order < 0 ? &end : &begin) = order < 0 ? at : at + 1;
        *(order < 0 ? &high : &low) = first_bytes(found);
    }
    return NULL;
}

static int id_compare(const void *left, const void *right)
{
    return finding_id_compare(left, right);
}

ptrdiff_t part_find(const struct part *part, const struct finding_id *id)
{
    const struct part_finding *found = find(id, part->findings, part->finding_count, sizeof *found);
    return found ? found - part->findings : -1;
}

const struct part_closed *part_find_closed(const struct part *part, const struct finding_id *id)
{
    return find(id, part->closed, part->closed_count, sizeof *part->closed);
}

/* --- odd rows --------------------------------------------------------------------------------- */
/* What the older part says of a frozen finding, said again. */
static void thaw(struct part *part, const struct part *older, const struct finding_id *id)
{
    ptrdiff_t open = part_find(older, id);
    const struct part_closed *closed = part_find_closed(older, id);
    if (open >= 0)
        part_add_again(part, older, (size_t)open);
    if (open >= 0 || !closed)
        return;
    size_t place = part_see(part, older->cover[closed->place].subscription_id);
    MEMORY_GROW(part->closed, part->closed_count, part->closed_capacity);
    part->closed[part->closed_count] = *closed;
    part->closed[part->closed_count++].place = (uint32_t)place;
}

void part_settle(struct part *part, const struct part *older)
{
    size_t kept = 0;
    sort(part);
    if (part->frozen_count)
        qsort(part->frozen, part->frozen_count, sizeof *part->frozen, id_compare);
    for (size_t i = 0; i < part->frozen_count; i++) {
        struct finding_id id = part->frozen[i];
        bool again = kept && !finding_id_compare(&part->frozen[kept - 1], &id);
        if (!again && part_find(part, &id) < 0 && !part_find_closed(part, &id))
            part->frozen[kept++] = id;
    }
    part->frozen_count = kept;
    for (size_t i = 0; i < kept && older; i++)
        thaw(part, older, &part->frozen[i]);
    if (kept && older)
        sort(part);
}

bool part_is_frozen(const struct part *part, const struct finding_id *id)
{
    return find(id, part->frozen, part->frozen_count, sizeof *part->frozen) != NULL;
}

void part_outline(const struct part *part, size_t index, struct finding *view)
{
    part_resource_outline(part, &part->findings[index], view);
}

void part_view(const struct part *part, size_t index, struct finding *view,
               char scratch[PART_ID_BYTES])
{
    part_outline(part, index, view);
    part_resource_id(part, &part->findings[index], scratch);
    view->resource_id = scratch;
}
