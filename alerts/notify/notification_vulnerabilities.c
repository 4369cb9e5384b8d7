#include "alerts/notify/notification_vulnerabilities.h"

#include "collectors/subassessments.h"

void notification_vulnerabilities(const struct snapshot *snapshot, const struct finding *finding,
                                  struct arena *arena, struct notification_resource *resource)
{
    const struct subassessment *list;
    size_t count = subassessments_list(snapshot, finding, arena, &list);
    struct notification_vulnerability *told = arena_zalloc(arena, (count + 1) * sizeof *told);
    for (size_t i = 0; i < count; i++)
        told[i] = (struct notification_vulnerability){ .cve = list[i].cve,
                                                       .fixed_in = list[i].fixed_in,
                                                       .score = list[i].score };
    resource->vulnerabilities = told;
    resource->vulnerability_count = count;
}
