#include "exporter/alerts_routes.h"

#include <string.h>

#include "alerts/alerting.h"
#include "alerts/api/api.h"
#include "alerts/api/api_listing.h"
#include "alerts/api/api_own.h"
#include "core/clock.h"
#include "core/log.h"
#include "exporter/data_format.h"

static const char *method_word(enum web_method method)
{
    switch (method) {
    case WEB_GET:
        return "GET";
    case WEB_POST:
        return "POST";
    case WEB_PUT:
        return "PUT";
    case WEB_DELETE:
        return "DELETE";
    }
    return "";
}

/* The database is locked, by a copy or by other hands: it will not be for long. */
static void say_when(struct web_response *response, int status)
{
    if (status == 503)
        web_response_header(response, "Retry-After", "1");
}

/* False after a 503. */
static bool is_there(const struct alerting *alerting, struct web_response *response)
{
    if (!alerting)
        web_response_text(response, 503, "nothing is kept: --storage.path cannot be written");
    return alerting != NULL;
}

/* --- answers in pieces ---------------------------------------------------------------------- */

static bool next_piece(void *listing, struct buf *out, bool *more)
{
    struct error error;
    bool ok = api_listing_next(listing, out, more, &error);
    if (!ok)
        log_warn(MSG("an answer was broken off"), ERR(&error));
    return ok;
}

static void close_listing(void *listing)
{
    api_listing_close(listing);
}

/* A short listing is one piece, and as whole as any answer. */
static void respond_listing(const struct api_context *context, const struct api_request *asked,
                            struct web_response *response)
{
    struct buf out = { 0 };
    int status = 200;
    bool more = false;
    struct api_listing *listing = api_listing_open(context, asked, &out, &status);
    const struct stream_source source = { next_piece, close_listing, listing };
    if (listing)
        status = api_listing_begin(listing, &out, &more);
    if (more) {
        web_response_pieces(response, data_format_types[VIEW_JSON], &out, &source);
        return;
    }
    api_listing_close(listing);
    say_when(response, status);
    web_response_buf(response, status, data_format_types[VIEW_JSON], &out);
}

/* --- all of them ---------------------------------------------------------------------------- */

/* What is asked, in the words of the API. queries: at least WEB_QUERIES_MAX. */
static struct api_request asked_of(const struct web_request *request, struct api_query *queries)
{
    for (size_t i = 0; i < request->query_count; i++)
        queries[i] = (struct api_query){ request->queries[i].name, request->queries[i].value };
    return (struct api_request){
        .method = method_word(request->method),
        .path = request->rest,
        .queries = queries,
        .query_count = request->query_count,
        .body = request->body,
        .body_bytes = request->body_bytes,
        .peer = web_request_by(request),
    };
}

void alerts_routes_v2(void *alerting, const struct web_request *request,
                      struct web_response *response)
{
    struct api_query queries[WEB_QUERIES_MAX];
    struct buf out = { 0 };
    if (!is_there(alerting, response))
        return;
    const struct api_request asked = asked_of(request, queries);
    struct api_context context = alerting_api(alerting, clock_now_s());
    if (api_listing_is(&asked)) {
        respond_listing(&context, &asked, response);
        settings_release(context.settings);
        return;
    }
    int status = api_alertmanager(&context, &asked, &out);
    settings_release(context.settings);
    say_when(response, status);
    web_response_buf(response, status, data_format_types[VIEW_JSON], &out);
}

void alerts_routes_v1(struct alerting *alerting, const char *prefix,
                      const struct web_request *request, struct web_response *response)
{
    struct api_query queries[WEB_QUERIES_MAX];
    CLEANUP(buf_finish) struct buf next = { 0 };
    struct buf out = { 0 };
    bool lists = !strchr(request->rest, '/'); /* a message alone is JSON */
    int format = lists ? data_format_of(request) : VIEW_JSON;
    if (!alerting || format < 0) {
        data_format_refuse(response, alerting ? 400 : 503,
                           alerting ? "format is json, ndjson, csv or markdown"
                                    : "nothing is kept: --storage.path cannot be written");
        return;
    }
    struct api_request asked = asked_of(request, queries);
    struct api_context context = alerting_api(alerting, clock_now_s());
    asked.format = (enum view_format)format;
    asked.next = &next;
    int status = api_own(&context, &asked, &out);
    settings_release(context.settings);
    say_when(response, status);
    web_response_header(response, "Vary", "Accept");
    if (next.length)
        data_format_link(response, request, prefix, buf_cstr(&next));
    web_response_buf(response, status, data_format_types[status == 200 ? format : VIEW_JSON], &out);
}

void alerts_routes_finding(void *alerting, const struct web_request *request,
                           struct web_response *response)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    if (!is_there(alerting, response))
        return;
    struct api_context context = alerting_api(alerting, clock_now_s());
    int status = api_finding_link(&context, request->rest, &out);
    settings_release(context.settings);
    say_when(response, status);
    if (status == 302)
        web_response_header(response, "Location", arena_text(&response->scratch, buf_cstr(&out)));
    web_response_text(response, status, buf_cstr(&out));
}
