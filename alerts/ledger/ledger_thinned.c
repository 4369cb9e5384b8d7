#include "alerts/ledger/ledger_thinned.h"

#include <stdlib.h>

#include "core/memory.h"

enum { FEW = 5 };

/* Whether a list that is sorted by its ids, its first member, has one; from *at on, which moves. */
static bool has_next(const void *list, size_t bytes, size_t count, const struct finding_id *id,
                     size_t *at)
{
    const unsigned char *rows = list;
    int order = -1;
    while (*at < count && (order = finding_id_compare((const void *)(rows + *at * bytes), id)) < 0)
        ++*at;
    return *at < count && !order;
}

void ledger_thinned_find(const struct ledger_source *source, const struct part *part, size_t count,
                         bool *thinned)
{
    size_t all = 0, finding = 0, closed = 0;
    if (!source->absent_count)
        return;
    size_t *open = MEMORY_ARRAY(size_t, count), *absent = MEMORY_ARRAY(size_t, count);
    for (size_t i = 0; i < source->count; i++) {
        const struct finding_id *id = &source->open[i].id;
        bool here =
            has_next(part->findings, sizeof *part->findings, part->finding_count, id, &finding) ||
            has_next(part->closed, sizeof *part->closed, part->closed_count, id, &closed);
        open[source->open[i].subscription]++;
        absent[source->open[i].subscription] += !here;
        all += !here;
    }
    for (size_t i = 0; i < count; i++)
        thinned[i] = all >= FEW &&
                     (all > source->count / 2 || (absent[i] >= FEW && absent[i] > open[i] / 2));
    free(open);
    free(absent);
}
