#pragma once
/* A Resource Graph query: all pages, row by row, with the checks that tell a whole answer from a
 * part of one. Any thread. source: ResourceGraph REST API. */
#include "collectors/azure/arm.h"

struct graph_query {
    const char *kql;                  /* as in the .kql file; comment lines are left out */
    const char *const *subscriptions; /* subscription_count of them; none = tenant scope */
    size_t subscription_count;        /* sent in groups of at most 200 */
    size_t partitions; /* 0 = page through; else one query a hash partition, each small enough to
                          come in one page: for tenants whose rows move while they are paged */
    int64_t walk_rows; /* more of them are not paged through: progress->too_many; 0 = any number.
                          Not where there are several groups: all would be asked in partitions */
    size_t *page_rows; /* rows of a page: 0 = the most Azure gives; halved here when it says that a
                          page became too large, for the caller to remember. May be NULL */
};

struct graph_progress {
    size_t rows, pages;
    int64_t total; /* what Azure says there is, in the largest group of subscriptions */
    bool too_many; /* it failed because of walk_rows, at the first page that told */
};

/* Run it. ERROR_INCOMPLETE: resultTruncated without a token, a token or page that comes twice, or
 * counts that do not add up to totalRecords. Rows handed on before an error must be thrown away. */
bool graph_query(struct arm_session *session, const struct graph_query *query, json_row *row,
                 void *context, struct graph_progress *progress, struct error *error) MUST_USE;

/* The text that is sent for a .kql file: comment lines out, nothing else changed. With partitions
 * the line "// ... {{partitions}} ... {{partition}}" is no comment, its placeholders are filled. */
void graph_text(const char *kql, size_t partition, size_t partitions, struct buf *out);

/* True when a query has that line. */
bool graph_can_partition(const char *kql);

/* In how many partitions so many rows are asked for, each in one page; 0 = they need none.
 * page_rows: of a page, 0 = the most Azure gives. */
size_t graph_partitions(int64_t total, size_t page_rows);
