#include "exporter/alerts_page_routes.h"

#include <stdlib.h>
#include <string.h>

#include "exporter/acting.h"
#include "exporter/pages/alerts_page.h"

enum { FILTER_BYTES_MAX = 4096 };

static bool read_filter(struct acting *acting, struct match_list *filter, struct error *error)
{
    const char *text = acting->page.filter;
    return strlen(text) > FILTER_BYTES_MAX ? error_set(error, ERROR_LIMIT, "it is too long")
                                           : match_parse(text, filter, &acting->arena, error);
}

/* "Nothing can be decided about alerts: ..."; "" = all is well. */
static const char *trouble_of(struct acting *acting)
{
    char trouble[TROUBLE_TEXT_BYTES];
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (!alerting_trouble(acting->source->views->alerting, trouble))
        return "";
    buf_printf(&text, "Nothing can be decided about alerts, they are shown as they were: %s",
               trouble);
    return arena_text(&acting->arena, buf_cstr(&text));
}

void alerts_page_routes_list(void *source, const struct web_request *request,
                             struct web_response *response)
{
    CLEANUP(acting_finish) struct acting acting;
    CLEANUP(match_finish) struct match_list filter = { 0 };
    struct error error;
    const char *state = web_request_query(request, "state");
    const char *from = web_request_query(request, "from");
    if (!acting_begin(source, request, response, &acting) || !acting_read_mutes(&acting))
        return;
    if (!read_filter(&acting, &filter, &error)) {
        acting_refuse(&acting, 400, "The filter is not understood", error.message);
        return;
    }
    struct alerts_page asked = { .from = from ? strtoul(from, NULL, 10) : 0,
                                 .filter = &filter,
                                 .trouble = trouble_of(&acting) };
    for (int i = 0; state && alerts_page_words[i]; i++)
        if (!strcmp(alerts_page_words[i], state))
            asked.place = (enum alert_row_place)i;
    if (alerts_page(&acting.page, &acting.forms, &acting.rows, &asked, &error))
        acting_respond(&acting, 200);
    else
        acting_fail(&acting, &error);
}
