#include "exporter/view_request.h"

#include <string.h>

#include "alerts/api/api.h"
#include "alerts/store/schema.h"
#include "core/clock.h"

enum {
    VIEW_WAIT_MS = 3000,
    BUSY_MS = 200,
    MATCH_US = 300 * 1000,
    FILTER_BYTES_MAX = 4096,
    FILTERING_MAX = 2, /* each takes a processor, and memory for a view of its own */
};

/* Those that the filter lets through, in the place of all. */
static bool select_findings(struct view_request *request, struct error *error)
{
    struct match_list matches = { 0 };
    struct match_budget budget = { MATCH_US };
    const struct tag_labels *tags = rule_tags(request->settings->rules);
    bool ok = strlen(request->filter) <= FILTER_BYTES_MAX
                  ? match_parse(request->filter, &matches, &request->arena, error)
                  : error_set(error, ERROR_LIMIT, "it is too long");
    struct view *some = ok ? view_select(request->view, &matches, tags, &budget, error) : NULL;
    match_finish(&matches);
    if (!some)
        return false;
    view_release(request->view);
    request->view = some;
    return true;
}

int view_request_begin(const struct view_request_source *source, const struct web_request *asked,
                       struct view_request *request, const char **title, struct error *error)
{
    const char *filter = web_request_query(asked, "filter");
    int64_t now = clock_now_s();
    *request = (struct view_request){
        .now = now,
        .filter = filter ? filter : "",
        .snapshot = snapshot_acquire(source->snapshots, now),
    };
    *title = "Nothing to show";
    if (!source->alerting) {
        error_set(error, ERROR_IO, "nothing is kept: storage.path cannot be written");
        return 503;
    }
    request->view = alerting_view(source->alerting, VIEW_WAIT_MS);
    if (!request->view) {
        error_set(error, ERROR_TIMEOUT,
                  "what is open is being put in order: ask again in a moment");
        return 503;
    }
    request->settings = alerting_api(source->alerting, now).settings;
    return 200;
}

int view_request_filter(struct view_request_source *source, struct view_request *request,
                        const char **title, struct error *error)
{
    int status = 429;
    if (!*request->filter)
        return 200;
    *title = "Too many filters at once";
    error_set(error, ERROR_LIMIT, "others are being applied: ask again in a moment");
    if (atomic_fetch_add(&source->filtering, 1) < FILTERING_MAX) {
        *title = "The filter is not understood";
        status = select_findings(request, error) ? 200 : 400;
    }
    atomic_fetch_sub(&source->filtering, 1);
    return status;
}

void view_request_finish(struct view_request *request)
{
    snapshot_release(request->snapshot);
    view_release(request->view);
    settings_release(request->settings);
    arena_finish(&request->arena);
}

struct database *view_request_database(const struct view_request_source *source,
                                       struct error *error)
{
    struct api_context api = alerting_api(source->alerting, 0);
    settings_release(api.settings);
    const struct database_config config = {
        .path = api.database_path,
        .migrations = schema_migrations,
        .busy_ms = BUSY_MS,
        .read_only = true,
    };
    return database_open(&config, error);
}
