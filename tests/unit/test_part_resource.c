/* part_resource: resources are told apart by numbers. */
#include <stdio.h>

#include "collectors/snapshot/part.h"
#include "part_rows.h"
#include "sources.h"
#include "test.h"

/* However far apart its findings come, and however its id is written. */
TEST(a_resource_has_one_number)
{
#define IN(group) "/subscriptions/aaaa-1/resourceGroups/" group "/providers/a.b/c/"
    static const struct {
        const char *id, *subscription;
        int same_as; /* the first of the same resource */
    } rows[] = {
        { IN("g") "vm1", "aaaa-1", 0 },
        { IN("g") "VM1/", "AAAA-1", 0 },
        { IN("g") "vm2", "aaaa-1", 2 },
        { IN("h") "vm1", "aaaa-1", 3 },
        { "/subscriptions/aaaa-1/providers/a.b/c/vm1", "aaaa-1", 4 },
        { "vm1", "aaaa-1", 5 },
        { "vm1", "bbbb-2", 6 },
        { "", "aaaa-1", 7 },
        { IN("g") "vm1", "aaaa-1", 0 },
        { "vm1", "aaaa-1", 5 },
        { IN("g") "vm", "aaaa-1", 10 },
    };
#undef IN
    uint32_t numbers[ARRAY_COUNT(rows)];
    struct part *part = part_create(SOURCE(assessments));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct part_row row = plain;
        row.resource_id = rows[i].id;
        row.subscription_id = rows[i].subscription;
        part_add_open(part, &row);
        numbers[i] = part->findings[i].resource;
        CHECK_INT(numbers[i], numbers[rows[i].same_as]);
        for (size_t other = 0; other < i; other++)
            CHECK(rows[other].same_as == rows[i].same_as || numbers[other] != numbers[i]);
    }
    CHECK_INT(part->resource_count, 8);
    for (int i = 0; i < 1000; i++) { /* among many */
        char id[64];
        struct part_row row = plain;
        snprintf(id, sizeof id, "/subscriptions/aaaa-1/providers/a.b/c/many-%d", i % 500);
        row.resource_id = id;
        part_add_open(part, &row);
        CHECK_INT(part->findings[part->finding_count - 1].resource, 8 + i % 500);
    }
    CHECK_INT(part->resource_count, 508);
    part_release(part);
}
