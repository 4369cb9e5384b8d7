#include "exporter/report_route.h"

#include <string.h>

#include "alerts/view/view_report.h"
#include "core/clock.h"
#include "exporter/data_format.h"

enum { SINCE_MAX_S = 400 * 86400 };

static const struct api_parameter named = { "name",
                                            "One of alerts.reports, as it would be sent now", NULL,
                                            false };
static const struct api_parameter since = { "since", "How far back, such as 7d", NULL, false };
static const struct api_parameter by = { "by", "What numbers are told apart by",
                                         report_plan_by_words, false };
static const struct api_parameter format = { "format", "What it is written in",
                                             view_report_format_words, false };
const struct api_parameter *const report_route_parameters[] = { &named, &since, &by, &format,
                                                                NULL };
const char *const report_route_types[] = {
    [REPORT_TEXT] = WEB_TEXT,
    [REPORT_MARKDOWN] = "text/markdown; charset=utf-8",
    [REPORT_HTML] = WEB_HTML,
};

static const struct report_plan *find_plan(const struct settings *settings, const char *called)
{
    for (size_t i = 0; i < settings->report_count; i++)
        if (!strcmp(settings->reports[i].config->name, called))
            return &settings->reports[i];
    return NULL;
}

static int word_of(const struct web_request *request, const char *name, const char *const *words)
{
    const char *word = web_request_query(request, name);
    return word ? data_format_place(word, words) : 0;
}

struct wanted {
    int64_t since;
    enum report_by by;
    enum report_format format;
};

/* What is asked; NULL, or what is wrong with it. */
static const char *read_wanted(const struct web_request *request, const struct view_request *data,
                               struct wanted *wanted)
{
    const char *text = web_request_query(request, "since");
    const char *called = web_request_query(request, "name");
    const struct report_plan *plan = called ? find_plan(data->settings, called) : NULL;
    int place = word_of(request, "by", report_plan_by_words);
    int form = word_of(request, "format", view_report_format_words);
    int64_t duration_ms;
    struct error ignored;
    if (!clock_parse_duration(text ? text : "7d", &duration_ms, &ignored) || duration_ms < 1000 ||
        duration_ms / 1000 > SINCE_MAX_S)
        return "since is how far back, such as 7d, at most 400d";
    if (called && !plan)
        return "no report of alerts.reports is called so";
    if (place < 0)
        return "by is subscription, management_group or owner";
    if (form < 0)
        return "format is text, markdown or html";
    if (place == REPORT_BY_OWNER && !data->settings->config->governance_owner)
        return "owners are told where alerts.governance_owner is true";
    wanted->since = data->now - duration_ms / 1000;
    if (plan && !text)
        wanted->since = schedule_before(plan->schedule, data->now, plan->config->since_ms / 1000);
    if (plan && !web_request_query(request, "by"))
        place = plan->config->by;
    wanted->by = (enum report_by)place;
    wanted->format = (enum report_format)form;
    return NULL;
}

/* Returns the status; the report, or why there is none. */
static int write_report(struct view_request_source *source, const struct web_request *request,
                        struct view_request *data, enum report_format *form, struct buf *out,
                        struct buf *why)
{
    struct wanted wanted = { 0 };
    CLEANUP(view_report_finish) struct view_report report = { 0 };
    struct error error;
    const char *title;
    int status = view_request_begin(source, request, data, &title, &error);
    const char *wrong = status == 200 ? read_wanted(request, data, &wanted) : error.message;
    if (wrong) {
        buf_text(why, wrong);
        return status == 200 ? 400 : status;
    }
    struct database *database = view_request_database(source, data, &error);
    *form = wanted.format;
    bool ok = database && view_report_make(data->view, database, wanted.since, data->now, wanted.by,
                                           &report, &error);
    if (ok)
        view_report_write(&report, wanted.format, out);
    buf_text(why, ok ? "" : error.message);
    return ok ? 200 : 503;
}

void report_route(struct view_request_source *source, const struct web_request *request,
                  struct web_response *response)
{
    CLEANUP(view_request_finish) struct view_request data = { 0 };
    CLEANUP(buf_finish) struct buf why = { 0 };
    struct buf out = { 0 };
    enum report_format form = REPORT_TEXT;
    int status = write_report(source, request, &data, &form, &out, &why);
    if (status == 200)
        web_response_buf(response, 200, report_route_types[form], &out);
    else
        data_format_refuse(response, status, buf_cstr(&why));
}
