#include "collectors/snapshot/part_patch.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "collectors/snapshot/part_resource.h"
#include "core/memory.h"

/* What a patch goes by. */
struct patch {
    const struct part *part, *look;
    const bool *spoken;     /* by place in the look's cover: the part speaks for the subscription */
    const uint32_t *places; /* in the look's cover, by number of its strings */
};

static bool speaks_for(const struct part *part, const char *subscription_id)
{
    const struct part_cover *cover = part_cover_find(part, subscription_id);
    return cover && !cover->carried;
}

/* Whether a row of the look counts. */
static bool counts(const struct patch *patch, size_t place, const struct finding_id *id)
{
    const struct part_closed *closed = part_find_closed(patch->part, id);
    return patch->spoken[place] && (!closed || closed->reason != REASON_RETIRED);
}

static bool open_counts(const struct patch *patch, const struct part_finding *finding)
{
    return counts(patch, patch->places[finding->subscription], &finding->id);
}

static bool closed_counts(const struct patch *patch, const struct part_closed *closed)
{
    return counts(patch, closed->place, &closed->id);
}

/* Whether the look has a row of a finding that counts. */
static bool is_told(const struct patch *patch, const struct finding_id *id)
{
    ptrdiff_t open = part_find(patch->look, id);
    const struct part_closed *closed = part_find_closed(patch->look, id);
    return (open >= 0 && open_counts(patch, &patch->look->findings[open])) ||
           (closed && closed_counts(patch, closed));
}

/* --- is there news? --------------------------------------------------------------------------- */
static bool differs(const struct part_finding *left, const struct part_finding *right)
{
    return left->changed_at != right->changed_at || left->risk != right->risk ||
           left->severity != right->severity || left->contextual != right->contextual ||
           left->attack_paths != right->attack_paths ||
           left->internet_exposed != right->internet_exposed;
}

static bool has_news(const struct patch *patch)
{
    const struct part *part = patch->part, *look = patch->look;
    for (size_t i = 0; i < look->finding_count; i++) {
        const struct part_finding *finding = &look->findings[i];
        ptrdiff_t before = part_find(part, &finding->id);
        if (open_counts(patch, finding) &&
            (before < 0 || differs(&part->findings[before], finding)))
            return true;
    }
    for (size_t i = 0; i < look->closed_count; i++)
        if (closed_counts(patch, &look->closed[i]) && part_find(part, &look->closed[i].id) >= 0)
            return true;
    return false;
}

/* --- the copy --------------------------------------------------------------------------------- */

/* What is of the collection as a whole, and of its subscriptions: each keeps its place. */
static void copy_frame(struct part *copy, const struct part *part)
{
    copy->collected_at = part->collected_at;
    copy->rows = part->rows;
    copy->truncated = part->truncated;
    copy->limited = part->limited ? part_keep(copy, part->limited) : NULL;
    copy->gaps = part->gaps;
    copy->clouds_out = part->clouds_out;
    copy->odd = part->odd;
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct part_cover *cover = &part->cover[i];
        part_add_cover(copy, cover->subscription_id, cover->collected_at);
        const char *id = copy->cover[i].subscription_id;
        const char *reason = cover->reason ? part_keep(copy, cover->reason) : NULL;
        copy->cover[i] = *cover;
        copy->cover[i].subscription_id = id;
        copy->cover[i].reason = reason;
        kept_carry(
            &copy->kept, &part->kept,
            &(struct kept_subscription){ .subscription_id = id, .place = i, .older_place = i },
            &copy->strings);
        part_resource_carry(copy, part, id);
    }
    for (size_t i = 0; i < part->proofs.count; i++)
        proof_answers_add(&copy->proofs, &part->proofs.items[i].id, part->proofs.items[i].answer);
}

/* As the first row of each named it, whether it is open now or not. */
static void copy_assessments(struct part *copy, const struct part *part)
{
    for (size_t i = 0; i < part->assessment_count; i++) {
        struct part_assessment assessment = part->assessments[i];
        intern_put(&copy->assessment_ids, assessment.id, strlen(assessment.id));
        assessment.id = part_keep(copy, assessment.id);
        assessment.title = part_keep(copy, assessment.title);
        assessment.category = part_keep(copy, assessment.category);
        assessment.type = part_keep(copy, assessment.type);
        MEMORY_GROW(copy->assessments, copy->assessment_count, copy->assessment_capacity);
        copy->assessments[copy->assessment_count++] = assessment;
    }
}

static void copy_known(struct part *copy, const struct part *part)
{
    for (uint32_t i = 1; i < part->known.count; i++) {
        const char *key = intern_text(&part->known, i);
        intern_put(&copy->known, key, strlen(key));
    }
}

static void add_closed(struct part *copy, const struct part_closed *closed, size_t place)
{
    MEMORY_GROW(copy->closed, copy->closed_count, copy->closed_capacity);
    copy->closed[copy->closed_count] = *closed;
    copy->closed[copy->closed_count++].place = (uint32_t)place;
}

/* The rows that were there, but those of which the look tells. */
static void copy_rows(struct part *copy, const struct patch *patch)
{
    const struct part *part = patch->part;
    for (size_t i = 0; i < part->finding_count; i++)
        if (!is_told(patch, &part->findings[i].id))
            part_add_again(copy, part, i);
    for (size_t i = 0; i < part->closed_count; i++)
        if (!is_told(patch, &part->closed[i].id))
            add_closed(copy, &part->closed[i], part->closed[i].place);
    for (size_t i = 0; i < part->frozen_count; i++)
        if (!is_told(patch, &part->frozen[i])) {
            MEMORY_GROW(copy->frozen, copy->frozen_count, copy->frozen_capacity);
            copy->frozen[copy->frozen_count++] = part->frozen[i];
        }
}

/* The place of a subscription of the look: there is something to lose now. */
static size_t see(struct part *copy, const struct part *look, size_t place)
{
    size_t found = part_see(copy, look->cover[place].subscription_id);
    copy->cover[found].empty = false;
    return found;
}

static void add_rows(struct part *copy, const struct patch *patch)
{
    const struct part *look = patch->look;
    for (size_t i = 0; i < look->finding_count; i++)
        if (open_counts(patch, &look->findings[i])) {
            see(copy, look, patch->places[look->findings[i].subscription]);
            part_add_again(copy, look, i);
        }
    for (size_t i = 0; i < look->closed_count; i++)
        if (closed_counts(patch, &look->closed[i]))
            add_closed(copy, &look->closed[i], see(copy, look, look->closed[i].place));
}

struct part *part_patch(const struct part *part, const struct part *look)
{
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    bool *spoken = arena_zalloc(&scratch, look->cover_count + 1);
    uint32_t *places = part_places(look);
    for (size_t i = 0; i < look->cover_count; i++)
        spoken[i] = speaks_for(part, look->cover[i].subscription_id);
    const struct patch patch = { part, look, spoken, places };
    struct part *copy = has_news(&patch) ? part_create(part->source) : NULL;
    if (copy) {
        copy_frame(copy, part);
        copy_assessments(copy, part);
        copy_known(copy, part);
        copy_known(copy, look);
        copy_rows(copy, &patch);
        add_rows(copy, &patch);
        if (part->source->collector->patched)
            part->source->collector->patched(copy, part, look);
        part_seal(copy);
    }
    free(places);
    return copy;
}
