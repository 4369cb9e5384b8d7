#include "collectors/assessments_exempted.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/snapshot/cloud_kind.h"
#include "collectors/snapshot/part_resource.h"
#include "core/hash.h"
#include "core/memory.h"

static const struct kept_kind results = {
    KEPT_ROWS(struct assessments_result),
    .texts = {
        KEPT_TEXT(struct assessments_result, assessment_id),
        KEPT_TEXT(struct assessments_result, scope),
    },
};

static struct assessments_result result_of(struct part *part, const char *assessment_id,
                                           const char *resource_id)
{
    const char *id = part_keep_lower(part, resource_id);
    const char *scope = arena_copy(&part->arena, id, cloud_kind_connector(id));
    return (struct assessments_result){
        .assessment_id = part_keep_lower(part, assessment_id),
        .scope = part_keep(part, scope),
        .resource = hash_bytes(id, strlen(id)),
    };
}

void assessments_exempted_add(struct part *part, const char *subscription_id,
                              const char *assessment_id, const char *resource_id)
{
    const struct assessments_result result = result_of(part, assessment_id, resource_id);
    part_add_row(part, &results, subscription_id, &result);
}

static int compare_numbers(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

void assessments_exempted_settle(struct part *part)
{
    size_t count;
    const struct assessments_result *exempted = part_rows(part, &results, &count);
    if (!count)
        return;
    uint64_t *resources = MEMORY_ARRAY(uint64_t, count);
    for (size_t i = 0; i < count; i++)
        resources[i] = exempted[i].resource;
    qsort(resources, count, sizeof *resources, compare_numbers);
    for (size_t i = 0; i < part->finding_count; i++) {
        char scratch[PART_ID_BYTES];
        struct finding finding;
        part_view(part, i, &finding, scratch);
        uint64_t resource = hash_bytes(finding.resource_id, strlen(finding.resource_id));
        if (!bsearch(&resource, resources, count, sizeof *resources, compare_numbers))
            continue;
        struct assessments_result result =
            result_of(part, finding.assessment_id, finding.resource_id);
        result.open = true;
        part_add_row(part, &results, finding.subscription_id, &result);
    }
    free(resources);
}

const struct assessments_result *assessments_exempted(const struct part *part, size_t *count)
{
    return part_rows(part, &results, count);
}
