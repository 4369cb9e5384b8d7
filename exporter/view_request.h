#pragma once
/* What a request for something out of the view needs: the view, as its filter lets it through, and
 * the settings of now. Shared by the pages and the API. */
#include <stdatomic.h>

#include "alerts/alerting.h"
#include "alerts/view/view_filter.h"
#include "exporter/web/web_route.h"

/* What is read; borrowed. */
struct view_request_source {
    struct alerting *alerting; /* NULL = nothing can be kept */
    struct snapshot_store *snapshots;
    const char *prefix;   /* before every path of ours */
    int64_t started_at;   /* the program: versions of views are its own */
    atomic_int filtering; /* requests whose filter is being applied */
};

struct view_request {
    int64_t now;
    const char *filter; /* as it was asked for; "" = none */
    struct snapshot *snapshot;
    struct view *view;
    struct settings *settings;
    struct database *database; /* once it was asked for */
    struct readers *readers;   /* whose it is */
    struct view_filter rows; /* of a table that is not of findings; rows NULL = all */
    struct arena arena;      /* as long as the request is answered */
};

/* Begin; the snapshot, the filter and the time are there in any case, the view only with 200. It
 * shows everything until view_request_filter has left what the filter lets through. Both return
 * 200, or the status of an answer that says why not: *title, and *error in a sentence. table: whose
 * rows are filtered when it is not of findings; NULL = findings. */
int view_request_begin(const struct view_request_source *source, const struct web_request *asked,
                       struct view_request *request, const char **title, struct error *error);
int view_request_filter(struct view_request_source *source, struct view_request *request,
                        const struct view_table *table, const char **title, struct error *error);
/* What the second does, of a request that is complete but for it and waits for nobody; and whether
 * it would be understood, before there is a view. ERROR_CONFIG, ERROR_LIMIT. */
bool view_request_check(struct view_request *request, const struct view_table *table,
                        struct error *error) MUST_USE;
bool view_request_select(struct view_request *request, const struct view_table *table,
                         struct error *error) MUST_USE;
void view_request_finish(struct view_request *request);

/* The database to read, until the request is finished; NULL and *error. */
struct database *view_request_database(const struct view_request_source *source,
                                       struct view_request *request, struct error *error) MUST_USE;
