#include "exporter/gain_route.h"

#include <string.h>

#include "alerts/view/view_plan.h"
#include "exporter/data_format.h"

static const struct api_parameter pick = { "pick",
                                           "Key of a recommendation; once for each that is chosen",
                                           NULL, false };
const struct api_parameter *const gain_route_parameters[] = { &pick, NULL };

/* clang-format off */
const struct view_column gain_route_columns[] = {
    { "chosen",       VIEW_INTEGER, "Recommendations that are chosen and have open findings" },
    { "findings",     VIEW_INTEGER, "Open findings that are closed by them" },
    { "overdue",      VIEW_INTEGER, "Of them overdue" },
    { "points",       VIEW_NUMBER,  "Points of the secure score that they gain together" },
    { "ratio_before", VIEW_NUMBER,  "Secure score over all subscriptions, 0 to 1" },
    { "ratio_after",  VIEW_NUMBER,  "The same when all of them are done" },
    { 0 },
};
/* clang-format on */

static void write_gain(const struct view *view, const char *const *picks, size_t count,
                       struct buf *out)
{
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 }, *value = values;
    struct json_writer writer = { .out = out };
    struct view_plan_gain gain = view_plan_together(view, picks, count);
    view_table_integer(&value, (int64_t)gain.chosen);
    view_table_integer(&value, (int64_t)gain.findings);
    view_table_integer(&value, (int64_t)gain.overdue);
    view_table_number(&value, gain.points);
    view_table_number(&value, gain.ratio_before);
    view_table_number(&value, gain.ratio_after);
    json_open(&writer, NULL, '{');
    view_write_members(gain_route_columns, values, &writer);
    json_close(&writer, '}');
}

void gain_route(struct view_request_source *source, const struct web_request *request,
                struct web_response *response)
{
    CLEANUP(view_request_finish) struct view_request data = { 0 };
    const char *picks[WEB_QUERIES_MAX], *title;
    struct buf out = { 0 };
    struct error error;
    size_t count = 0;
    for (size_t i = 0; i < request->query_count; i++)
        if (!strcmp(request->queries[i].name, pick.name))
            picks[count++] = request->queries[i].value;
    int status = view_request_begin(source, request, &data, &title, &error);
    if (status != 200 || !count) {
        data_format_refuse(response, status == 200 ? 400 : status,
                           status == 200 ? "say which: pick=" : error.message);
        return;
    }
    write_gain(data.view, picks, count, &out);
    web_response_buf(response, 200, data_format_types[VIEW_JSON], &out);
}
