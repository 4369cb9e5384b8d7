#include "exporter/finding_routes.h"

#include <string.h>

#include "exporter/acting.h"
#include "exporter/alerts_routes.h"
#include "exporter/pages/finding_page.h"

enum { VIEW_WAIT_MS = 3000 };

/* Whether it is the id of a finding and nothing else. */
static bool is_finding_id(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");
    return (digits == 16 || digits == 32) && !text[digits];
}

static void respond(struct acting *acting, const struct view *view)
{
    struct error error;
    const struct told_context told = { view, acting->context.settings, acting->database };
    acting->page.view_at = view->at;
    if (finding_page(&acting->page, &acting->forms, &told, &acting->rows, acting->request->rest,
                     &error))
        acting_respond(acting, 200);
    else
        acting_fail(acting, &error);
}

void finding_routes_one(void *source, const struct web_request *request,
                        struct web_response *response)
{
    const struct acting_source *from = source;
    struct alerting *alerting = from->views->alerting;
    CLEANUP(acting_finish) struct acting acting = { 0 };
    if (!alerting || strchr(request->rest, '/')) {
        alerts_routes_finding(alerting, request, response);
        return;
    }
    if (!is_finding_id(request->rest)) {
        if (acting_begin(source, request, response, &acting))
            acting_refuse(&acting, 404, "Not here",
                          "this is no finding's id: those have 16 digits, of 0 to 9 and a to f");
        return;
    }
    if (!acting_begin(source, request, response, &acting) || !acting_read_mutes(&acting))
        return;
    struct view *view = alerting_view(alerting, VIEW_WAIT_MS);
    if (view)
        respond(&acting, view);
    else
        acting_refuse(&acting, 503, "Nothing to show",
                      "what is open is being put in order: ask again in a moment");
    view_release(view);
}
