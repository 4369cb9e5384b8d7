#include "collectors/snapshot/part_without.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static bool is_old(const struct part_cover *cover, int64_t before_at)
{
    return cover->carried && cover->collected_at && cover->collected_at < before_at;
}

static bool has_old(const struct part *part, int64_t before_at)
{
    for (size_t i = 0; i < part->cover_count; i++)
        if (is_old(&part->cover[i], before_at))
            return true;
    return false;
}

/* Everything but the references, which others count meanwhile. */
static struct part *share(struct part *part)
{
    struct part *copy = MEMORY_NEW(struct part);
    size_t start = offsetof(struct part, source);
    memcpy((char *)copy + start, (const char *)part + start, sizeof *part - start);
    atomic_init(&copy->references, 1);
    part_acquire(part);
    copy->base = part;
    copy->own_finish = NULL;
    copy->kept = kept_copy(&part->kept);
    copy->findings = MEMORY_ARRAY(struct part_finding, part->finding_count + 1);
    copy->cover = MEMORY_ARRAY(struct part_cover, part->cover_count + 1);
    memcpy(copy->cover, part->cover, part->cover_count * sizeof *part->cover);
    copy->finding_capacity = copy->finding_count = 0;
    return copy;
}

struct part *part_without_old(struct part *part, int64_t before_at)
{
    if (!has_old(part, before_at))
        return NULL;
    struct part *copy = share(part);
    bool *gone = MEMORY_ARRAY(bool, part->strings.count + 1);
    for (size_t i = 0; i < part->cover_count; i++) {
        struct part_cover *cover = &copy->cover[i];
        const char *id = cover->subscription_id;
        uint32_t number = intern_find(&part->strings, id, strlen(id));
        if (!is_old(cover, before_at))
            continue;
        cover->collected_at = 0;
        if (number < part->strings.count)
            gone[number] = true;
        const struct kept_subscription subscription = { .subscription_id = id, .place = i };
        kept_carry(&copy->kept, NULL, &subscription, NULL);
    }
    for (size_t i = 0; i < part->finding_count; i++)
        if (!gone[part->findings[i].subscription])
            copy->findings[copy->finding_count++] = part->findings[i];
    free(gone);
    return copy;
}
