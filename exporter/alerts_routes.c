#include "exporter/alerts_routes.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/alerting.h"
#include "alerts/api/api.h"
#include "alerts/api/api_listing.h"
#include "alerts/api/api_own.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"
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

/* --- our own lists ---------------------------------------------------------------------------- */

#define PIECE_ROWS "500"
enum { PIECE_QUERIES = 2 };

/* A whole list, piece by piece, each the page behind the one before: between two nothing is held,
 * so that others are not kept waiting however slowly it is read. */
struct whole {
    struct api_context context;
    struct api_request asked;
    struct api_query queries[WEB_QUERIES_MAX + PIECE_QUERIES];
    struct arena arena;
    struct buf after;
};

static void whole_release(void *owner)
{
    struct whole *whole = owner;
    settings_release(whole->context.settings);
    buf_finish(&whole->after);
    arena_finish(&whole->arena);
    free(whole);
}

/* Append the next piece; the status, and an error in the place of rows when it is not 200. */
static int whole_append(struct whole *whole, struct buf *out, bool *more)
{
    CLEANUP(buf_finish) struct buf after = whole->after;
    whole->after = (struct buf){ 0 };
    whole->queries[1] = (struct api_query){ after.length ? "after" : "", buf_cstr(&after) };
    whole->asked.next = &whole->after;
    int status = api_own(&whole->context, &whole->asked, out);
    whole->asked.goes_on = true;
    *more = status == 200 && whole->after.length;
    return status;
}

static bool whole_next(void *owner, struct buf *out, bool *more)
{
    CLEANUP(buf_finish) struct buf piece = { 0 };
    int status = whole_append(owner, &piece, more);
    if (status == 200)
        buf_append(out, piece.data, piece.length);
    else
        log_warn(MSG("an answer was broken off"), INT("status", status));
    return status == 200;
}

/* What is asked, of all rows from `after` on; its texts are copied. */
static struct whole *whole_create(const struct api_context *context,
                                  const struct api_request *asked)
{
    struct whole *whole = MEMORY_NEW(struct whole);
    whole->context = *context;
    whole->asked = *asked;
    whole->asked.path = arena_text(&whole->arena, asked->path);
    whole->asked.peer = "";
    whole->asked.body = NULL;
    whole->asked.queries = whole->queries;
    whole->asked.query_count = PIECE_QUERIES;
    whole->queries[0] = (struct api_query){ "limit", PIECE_ROWS };
    for (size_t i = 0; i < asked->query_count; i++) {
        const struct api_query *query = &asked->queries[i];
        if (!strcmp(query->name, "after"))
            buf_text(&whole->after, query->value);
        else
            whole->queries[whole->asked.query_count++] =
                (struct api_query){ arena_text(&whole->arena, query->name),
                                    arena_text(&whole->arena, query->value) };
    }
    return whole;
}

/* Settings of the context are owned from here on. */
static void respond_whole(const struct api_context *context, const struct api_request *asked,
                          struct web_response *response)
{
    CLEANUP(buf_finish) struct buf lacking = { 0 };
    struct whole *whole = whole_create(context, asked);
    const struct stream_source source = { whole_next, whole_release, whole };
    const char *type = data_format_types[asked->format];
    struct buf first = { 0 };
    bool more;
    whole->asked.lacking = &lacking;
    int status = whole_append(whole, &first, &more);
    whole->asked.lacking = NULL;
    if (lacking.length)
        web_response_header(response, "X-Defender-Lacking",
                            arena_text(&response->scratch, buf_cstr(&lacking)));
    web_response_header(response, "Vary", "Accept");
    if (more) {
        web_response_pieces(response, type, &first, &source);
        return;
    }
    whole_release(whole);
    say_when(response, status);
    web_response_buf(response, status, status == 200 ? type : data_format_types[VIEW_JSON], &first);
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
    if (format != VIEW_JSON && !web_request_query(request, "limit")) {
        respond_whole(&context, &asked, response);
        return;
    }
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
