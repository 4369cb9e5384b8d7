#include "exporter/view_request.h"

#include <string.h>

#include "alerts/api/api.h"
#include "alerts/rules/attribute.h"
#include "alerts/store/readers.h"
#include "alerts/view/view_select.h"
#include "core/clock.h"

enum {
    VIEW_WAIT_MS = 3000,
    MATCH_US = 300 * 1000,
    FILTER_BYTES_MAX = 4096,
    ATTRIBUTES_MAX = 8,
    FILTERING_MAX = 2, /* each takes a processor, and memory for a view of its own */
};

/* What alerts about findings have as labels, but for the name of their rule. */
static const char *const *finding_labels(const struct tag_labels *tags, struct arena *arena)
{
    size_t count = 0, most = ATTRIBUTES_MAX + tags->count;
    for (size_t i = 0; alert_finding_labels[i]; i++)
        most++;
    const char **names = arena_zalloc(arena, (most + 1) * sizeof *names);
    for (size_t i = 1; alert_finding_labels[i]; i++)
        names[count++] = alert_finding_labels[i];
    for (size_t i = 0; attribute_labels[i] && i < ATTRIBUTES_MAX; i++)
        names[count++] = attribute_labels[i];
    for (size_t i = 0; i < tags->count; i++)
        names[count++] = tags->items[i].name;
    return names;
}

/* Those that the filter lets through, in the place of all. */
static bool select_findings(struct view_request *request, const struct match_list *matches,
                            struct error *error)
{
    struct match_budget budget = { MATCH_US };
    struct view *some =
        view_select(request->view, matches, rule_tags(request->settings->rules), &budget, error);
    if (!some)
        return false;
    view_release(request->view);
    request->view = some;
    return true;
}

static bool select_rows(struct view_request *request, const struct view_table *table,
                        const struct match_list *matches, struct error *error)
{
    struct match_budget budget = { MATCH_US };
    const struct view_reading all = { .view = request->view, .portal = "" };
    return view_filter_rows(table, &all, matches, &budget, &request->rows, error);
}

static bool is_of_findings(const struct view_table *table)
{
    return !table || table->of_findings;
}

/* Read the filter; whether rows have what it names. */
static bool understand(struct view_request *request, const struct view_table *table,
                       struct match_list *matches, struct error *error)
{
    if (strlen(request->filter) > FILTER_BYTES_MAX)
        return error_set(error, ERROR_LIMIT, "it is too long");
    if (!match_parse(request->filter, matches, &request->arena, error))
        return false;
    return is_of_findings(table)
               ? match_all_known(
                     matches, finding_labels(rule_tags(request->settings->rules), &request->arena),
                     error)
               : view_filter_knows(table, matches, error);
}

bool view_request_check(struct view_request *request, const struct view_table *table,
                        struct error *error)
{
    struct match_list matches = { 0 };
    bool ok = !*request->filter || understand(request, table, &matches, error);
    match_finish(&matches);
    return ok;
}

bool view_request_select(struct view_request *request, const struct view_table *table,
                         struct error *error)
{
    struct match_list matches = { 0 };
    bool ok = understand(request, table, &matches, error) &&
              (is_of_findings(table) ? select_findings(request, &matches, error)
                                     : select_rows(request, table, &matches, error));
    match_finish(&matches);
    return ok;
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
        error_set(error, ERROR_IO, "nothing is kept: --storage.path cannot be written");
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
                        const struct view_table *table, const char **title, struct error *error)
{
    int status = 429;
    if (!*request->filter)
        return 200;
    *title = "Too many filters at once";
    error_set(error, ERROR_LIMIT, "others are being applied: ask again in a moment");
    if (atomic_fetch_add(&source->filtering, 1) < FILTERING_MAX) {
        *title = "The filter is not understood";
        status = view_request_select(request, table, error) ? 200 : 400;
    }
    atomic_fetch_sub(&source->filtering, 1);
    return status;
}

void view_request_finish(struct view_request *request)
{
    snapshot_release(request->snapshot);
    view_release(request->view);
    settings_release(request->settings);
    readers_give(request->readers, request->database);
    view_filter_finish(&request->rows);
    arena_finish(&request->arena);
}

struct database *view_request_database(const struct view_request_source *source,
                                       struct view_request *request, struct error *error)
{
    request->readers = alerting_readers(source->alerting);
    request->database = readers_take(request->readers, error);
    return request->database;
}
