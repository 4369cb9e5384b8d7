#pragma once
/* One run of one source: its queries asked, rows folded, the part completed. No threads, no
 * publishing: the runner does those. */
#include "collectors/azure/arm.h"
#include "collectors/collector.h"

struct collect_result {
    struct part *part;        /* NULL when the run failed; the caller publishes or releases it */
    size_t rows;              /* read, also by a run that failed */
    size_t refused, failed;   /* subscriptions that were denied; that broke otherwise */
    struct error first_error; /* of those that broke */
};

/* What is learned about each query: kept by the caller between runs. */
struct collect_memory {
    int version[COLLECTOR_QUERIES_MAX];       /* the api-version that worked last */
    size_t partitions[COLLECTOR_QUERIES_MAX]; /* 0 until rows moved while they were paged or are
                                                 too many for that, and again when it failed */
    size_t page_rows[COLLECTOR_QUERIES_MAX];  /* 0 until a page was too large for Azure to send */
    int64_t total[COLLECTOR_QUERIES_MAX];     /* rows Azure said there are */
    size_t rows[COLLECTOR_QUERIES_MAX];       /* that came in the last run that was believed */
    uint64_t moved;                           /* digest of ids that came on two pages */
    int moved_runs;                           /* in a row, with the same of them */
    size_t distinct_rows;                     /* of the last run that was believed */
    int empty_runs; /* in a row, in which a query brought nothing that had brought rows before */
};

/* Run the queries of a variant of the source's collector. With context->since the part is a look,
 * for part_patch: it covers nothing, and nothing is carried over. older: its last good part, or
 * NULL. scope: subscriptions to ask Resource Graph about, scope_count; NULL = the whole tenant.
 * False and *error when nothing can be published. */
bool collect_run(const struct source *source, const struct variant *variant,
                 struct arm_session *session, const struct collect_context *context,
                 struct part *older, const char *const *scope, size_t scope_count,
                 struct collect_memory *memory, struct collect_result *result,
                 struct error *error) MUST_USE;
