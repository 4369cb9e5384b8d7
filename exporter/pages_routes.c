#include "exporter/pages_routes.h"

#include <stdlib.h>
#include <string.h>

#include "exporter/pages/baselines_page.h"
#include "exporter/pages/compliance_page.h"
#include "exporter/pages/controls.h"
#include "exporter/pages/fix_first.h"
#include "exporter/pages/overview.h"
#include "exporter/pages/recommendations.h"
#include "exporter/pages/recommendations_list.h"
#include "exporter/pages/resources.h"

/* One request for a page while it is answered. */
struct asking {
    const struct web_request *request;
    struct web_response *response;
    struct view_request data;
    struct page page;
    struct told_context told;
    struct buf out;
};

void pages_routes_respond(struct web_response *response, int status, struct buf *body)
{
    web_response_header(response, "Content-Security-Policy", page_policy);
    web_response_header(response, "X-Frame-Options", "DENY");
    web_response_header(response, "Referrer-Policy", "same-origin");
    web_response_buf(response, status, WEB_HTML, body);
}

/* A page that says why there is none. */
static void refuse(struct asking *asking, int status, const char *title, const char *why)
{
    buf_reset(&asking->out);
    if (status == 400)
        asking->page.filter = ""; /* it would lead to this page again */
    page_begin(&asking->page, PAGE_NOWHERE, title);
    page_sentence(&asking->page, why);
    page_end(&asking->page);
    pages_routes_respond(asking->response, status, &asking->out);
}

/* --- what is shown ---------------------------------------------------------------------------- */

/* Take the view; false when the request is answered. */
static bool begin(struct view_request_source *source, struct asking *asking)
{
    struct error error;
    const char *title;
    int status = view_request_begin(source, asking->request, &asking->data, &title, &error);
    if (status == 200)
        status = view_request_filter(source, &asking->data, NULL, &title, &error);
    asking->page = (struct page){
        .out = &asking->out,
        .arena = &asking->data.arena,
        .prefix = source->prefix,
        .now = asking->data.now,
        .snapshot = asking->data.snapshot,
        .view_at = asking->data.view ? asking->data.view->at : 0,
        .filter = asking->data.filter,
    };
    asking->told = (struct told_context){ asking->data.view, asking->data.settings, NULL };
    if (status != 200)
        refuse(asking, status, title, error.message);
    return status == 200;
}

/* Open the database; false when the request is answered. */
static bool open_database(const struct view_request_source *source, struct asking *asking)
{
    struct error error;
    asking->told.database = view_request_database(source, &asking->data, &error);
    if (!asking->told.database)
        refuse(asking, 503, "The database cannot be read", error.message);
    return asking->told.database != NULL;
}

static void finish(struct asking *asking)
{
    view_request_finish(&asking->data);
    buf_finish(&asking->out);
}

/* A parameter, "" when it is not asked with. */
static const char *query(const struct web_request *request, const char *name)
{
    const char *value = web_request_query(request, name);
    return value ? value : "";
}

/* The first row of a list that is asked for. */
static size_t from_of(const struct web_request *request)
{
    return strtoul(query(request, "from"), NULL, 10);
}

/* A page without the database: there, or about something that is not known. */
static void respond_known(struct asking *asking, bool found, const char *unknown)
{
    if (found)
        pages_routes_respond(asking->response, 200, &asking->out);
    else
        refuse(asking, 404, "Not here", unknown);
}

/* --- routes ----------------------------------------------------------------------------------- */

void pages_routes_overview(void *pages, const struct web_request *request,
                           struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    if (!begin(pages, &asking))
        return;
    struct error ignored; /* without it the page only lacks what was before */
    asking.told.database = view_request_database(pages, &asking.data, &ignored);
    overview_page(&asking.page, asking.data.view, asking.told.database);
    pages_routes_respond(response, 200, &asking.out);
}

void pages_routes_fix_first(void *pages, const struct web_request *request,
                            struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    const char *picks[FIX_FIRST_PICKS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < request->query_count && count < FIX_FIRST_PICKS_MAX; i++)
        if (!strcmp(request->queries[i].name, "pick"))
            picks[count++] = request->queries[i].value;
    if (!begin(pages, &asking))
        return;
    fix_first_page(&asking.page, asking.data.view, picks, count);
    pages_routes_respond(response, 200, &asking.out);
}

void pages_routes_recommendations(void *pages, const struct web_request *request,
                                  struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    if (!begin(pages, &asking))
        return;
    const struct recommendations_asked asked = {
        .by = query(request, "by"),
        .order = query(request, "order"),
        .group = query(request, "group"),
        .from = from_of(request),
        .tags = rule_tags(asking.data.settings->rules),
    };
    bool found = recommendations_list(&asking.page, asking.data.view, &asked);
    respond_known(&asking, found, "nothing is grouped, or put in order, by such a word");
}

/* Answer with the page, or say why it could not be made. */
static void respond(struct asking *asking, bool ok, const struct error *error)
{
    if (ok)
        pages_routes_respond(asking->response, 200, &asking->out);
    else if (error->code == ERROR_NOT_FOUND)
        refuse(asking, 404, "Not here", error->message);
    else
        refuse(asking, 503, "The database cannot be read", error->message);
}

void pages_routes_recommendation(void *pages, const struct web_request *request,
                                 struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    struct error error;
    const struct recommendations_one_asked asked = { request->rest, query(request, "order"),
                                                     from_of(request) };
    if (!begin(pages, &asking) || !open_database(pages, &asking))
        return;
    bool ok = recommendations_one(&asking.page, &asking.told, &asked, &error);
    respond(&asking, ok, &error);
}

void pages_routes_controls(void *pages, const struct web_request *request,
                           struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    if (!begin(pages, &asking))
        return;
    bool found = controls_page(&asking.page, asking.data.view, query(request, "id"));
    respond_known(&asking, found,
                  "no such control is known: Azure may have ended it, or secure scores "
                  "could not be read");
}

void pages_routes_compliance(void *pages, const struct web_request *request,
                             struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    if (!begin(pages, &asking))
        return;
    bool found = compliance_page(&asking.page, query(request, "standard"));
    respond_known(&asking, found,
                  "nothing is known of such a standard: it is not assigned in what could be "
                  "seen, or compliance results are not read");
}

void pages_routes_baselines(void *pages, const struct web_request *request,
                            struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    const struct baselines_asked asked = { query(request, "os"), query(request, "level"),
                                           from_of(request) };
    if (!begin(pages, &asking))
        return;
    bool found = baselines_page(&asking.page, asking.data.view, &asked);
    respond_known(&asking, found, "there is no such baseline or level");
}

void pages_routes_resources(void *pages, const struct web_request *request,
                            struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    if (!begin(pages, &asking))
        return;
    resources_list(&asking.page, asking.data.view, from_of(request));
    pages_routes_respond(response, 200, &asking.out);
}

void pages_routes_resource(void *pages, const struct web_request *request,
                           struct web_response *response)
{
    CLEANUP(finish) struct asking asking = { request, response };
    const char *id = query(request, "id");
    if (!begin(pages, &asking))
        return;
    bool found = *id && resources_one(&asking.page, asking.data.view, id);
    respond_known(&asking, found,
                  !*id ? "say which resource: ?id="
                  : *asking.data.filter
                      ? "no open finding of such a resource has these labels"
                      : "nothing is known of such a resource: no finding on it is open in what "
                        "could be seen; it may be well, gone, or called otherwise");
}

void pages_routes_style(void *unused, const struct web_request *request,
                        struct web_response *response)
{
    (void)unused;
    (void)request;
    response->type = "text/css; charset=utf-8";
    response->bytes = page_style;
    response->count = strlen(page_style);
}
