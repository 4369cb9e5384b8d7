#include "collectors/run/pieces.h"

#include "collectors/azure/graph.h"
#include "core/log.h"

bool pieces_forget(struct collect_memory *memory)
{
    bool any = false;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX; i++) {
        any |= memory->partitions[i] > 0;
        memory->partitions[i] = 0;
    }
    return any;
}

void pieces_learn(const struct query *queries, struct collect_memory *memory)
{
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name; i++) {
        if (!queries[i].kql || !graph_can_partition(queries[i].kql))
            continue;
        memory->partitions[i] = graph_partitions(memory->total[i], memory->page_rows[i]);
        if (memory->partitions[i])
            log_info(MSG("rows move while they are paged: asking in partitions from now on"),
                     TEXT("query", queries[i].name),
                     INT("partitions", (int64_t)memory->partitions[i]));
    }
}
