#include "exporter/data_routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/view/view_lacks.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"
#include "exporter/alerts_routes.h"
#include "exporter/data_format.h"
#include "exporter/gain_route.h"
#include "exporter/openapi.h"
#include "exporter/report_route.h"
#include "exporter/view_request.h"

enum { LIMIT = 100, LIMIT_MAX = 1000, PIECE_BYTES = 64 * 1024, ETAG_BYTES = 64 };

/* One request while it is answered; of an answer in pieces as long as it is read. */
struct listing {
    struct view_request request;
    const struct view_table *table;
    enum view_format format;
    struct view_reading reading;
    size_t row, end; /* the next, and behind the last */
    bool begun;
    struct buf lacking; /* of findings; empty = nothing */
};

/* --- what is asked ---------------------------------------------------------------------------- */

/* A page of JSON unless it says how many; of the other formats all. -1 = it is no such number. */
static int64_t limit_of(const struct web_request *request, enum view_format format)
{
    const char *text = web_request_query(request, "limit");
    char *end = NULL;
    int64_t limit = text ? strtoll(text, &end, 10) : format == VIEW_JSON ? LIMIT : INT64_MAX;
    if (text && (end == text || *end || limit < 1))
        return -1;
    return format == VIEW_JSON && limit > LIMIT_MAX ? LIMIT_MAX : limit;
}

/* The row behind a cursor: "12.5f3a..." */
static size_t behind(const struct listing *listing, const char *cursor)
{
    char *identity;
    size_t hint = strtoull(cursor, &identity, 10);
    return view_table_behind(listing->table, &listing->reading, hint,
                             *identity == '.' ? identity + 1 : identity);
}

/* Read the parameters; NULL, or what is wrong with them. */
static const char *read_parameters(struct listing *listing, const struct web_request *request)
{
    const char *order = web_request_query(request, "order");
    const char *after = web_request_query(request, "after");
    int place = order ? data_format_place(order, view_order_words) : VIEW_BY_RISK,
        format = data_format_of(request);
    if (order && !listing->table->ordered)
        return "only findings are put in an order";
    if (place < 0)
        return "order is risk, age or due";
    if (format < 0)
        return "format is json, ndjson, csv or markdown";
    int64_t limit = limit_of(request, (enum view_format)format);
    if (limit < 0)
        return "limit must be a number from 1 on";
    size_t count = view_table_count(listing->table, &listing->reading);
    listing->format = (enum view_format)format;
    listing->reading.order = (enum view_order)place;
    listing->row = after ? behind(listing, after) : 0;
    listing->end = (uint64_t)limit < count - listing->row ? listing->row + (size_t)limit : count;
    return NULL;
}

/* --- whether it is known already ---------------------------------------------------------------
 */

/* Name what is asked for as it is now: equal names, equal rows. Returns out. */
static const char *tag_of(const struct view_request_source *source, const struct listing *listing,
                          const struct web_request *request, char out[ETAG_BYTES])
{
    const struct view_request *of = &listing->request;
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %d %s %s", of->view->version,
               of->snapshot->generation, of->settings->hash, source->started_at, listing->format,
               request->rest, buf_cstr(&listing->lacking));
    for (size_t i = 0; i < request->query_count; i++)
        buf_printf(&text, "&%s=%s", request->queries[i].name, request->queries[i].value);
    snprintf(out, ETAG_BYTES, "W/\"%016" PRIx64 "\"", hash_bytes(text.data, text.length));
    return out;
}

/* Whether the client says that it has what this tag names; weak comparison. source: RFC 9110,
 * section 13.1.2. */
static bool is_known(const struct web_request *request, const char *tag)
{
    CLEANUP(buf_finish) struct buf known = { 0 };
    web_request_header(request, "If-None-Match", &known);
    const char *text = buf_cstr(&known);
    return !strcmp(text, "*") || strstr(text, strchr(tag, '"'));
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Append rows up to about a piece. */
static void append_rows(struct listing *listing, size_t bytes, struct buf *out)
{
    struct view_value values[VIEW_COLUMNS_MAX];
    struct arena *arena = listing->reading.arena;
    for (; listing->row < listing->end && out->length < bytes; listing->row++) {
        memset(values, 0, sizeof values);
        arena_reset(arena);
        view_table_row(listing->table, &listing->reading, listing->row, values);
        view_write_row(listing->table->columns, listing->format, values, !listing->begun, out);
        listing->begun = true;
    }
}

static bool next_piece(void *owner, struct buf *out, bool *more)
{
    struct listing *listing = owner;
    append_rows(listing, PIECE_BYTES, out);
    *more = listing->row < listing->end;
    if (!*more)
        view_write_end(listing->format, out);
    return true;
}

static void release(void *owner)
{
    struct listing *listing = owner;
    view_request_finish(&listing->request);
    buf_finish(&listing->lacking);
    free(listing);
}

/* Where a page that ends before this row is gone on with; "" where no row follows. */
static void append_cursor(const struct listing *listing, size_t end, struct buf *cursor)
{
    struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
    if (!end || end >= view_table_count(listing->table, &listing->reading))
        return;
    view_table_row(listing->table, &listing->reading, end - 1, values);
    buf_printf(cursor, "%zu.%s", end - 1, values[0].text);
}

/* {"at":"...","total":5,"lacking":null,"findings":[...],"next":null} */
static void respond_page(struct listing *listing, struct web_response *response)
{
    struct buf out = { 0 };
    char at[32];
    CLEANUP(buf_finish) struct buf rows = { 0 };
    CLEANUP(buf_finish) struct buf cursor = { 0 };
    struct json_writer writer = { .out = &out };
    view_write_begin(listing->table->columns, VIEW_JSON, &rows);
    append_rows(listing, SIZE_MAX, &rows);
    view_write_end(VIEW_JSON, &rows);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "at", clock_format_rfc3339(listing->request.view->at, at));
    json_add_integer(&writer, "total",
                     (int64_t)view_table_count(listing->table, &listing->reading));
    json_add_text(&writer, "lacking", listing->lacking.length ? buf_cstr(&listing->lacking) : NULL);
    json_add_raw(&writer, listing->table->name, buf_cstr(&rows));
    append_cursor(listing, listing->row, &cursor);
    json_add_text(&writer, "next", cursor.length ? buf_cstr(&cursor) : NULL);
    json_close(&writer, '}');
    web_response_buf(response, 200, data_format_types[VIEW_JSON], &out);
    release(listing);
}

static void respond_all(struct listing *listing, const char *prefix,
                        const struct web_request *request, struct web_response *response)
{
    const struct stream_source source = { next_piece, release, listing };
    struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf cursor = { 0 };
    append_cursor(listing, listing->end, &cursor);
    if (cursor.length)
        data_format_link(response, request, prefix, buf_cstr(&cursor));
    view_write_begin(listing->table->columns, listing->format, &first);
    if (listing->lacking.length)
        web_response_header(response, "X-Defender-Lacking",
                            arena_text(&response->scratch, buf_cstr(&listing->lacking)));
    web_response_pieces(response, data_format_types[listing->format], &first, &source);
}

/* Read what is asked and answer it. */
static void respond(struct view_request_source *source, struct listing *listing,
                    const struct web_request *request, struct web_response *response)
{
    struct error error;
    const char *title;
    char tag[ETAG_BYTES];
    int status = view_request_begin(source, request, &listing->request, &title, &error);
    int format = data_format_of(request);
    listing->format = format < 0 ? VIEW_JSON : (enum view_format)format;
    if (listing->table->source)
        view_lacks_of(listing->request.snapshot, listing->table->source, listing->request.now,
                      &listing->lacking);
    else if (listing->table->of_findings)
        view_lacks(listing->request.snapshot, &listing->lacking);
    if (status == 200 && is_known(request, tag_of(source, listing, request, tag)))
        status = 304;
    if (status == 200)
        status = view_request_filter(source, &listing->request, listing->table, &title, &error);
    listing->reading = (struct view_reading){
        .view = listing->request.view,
        .portal = listing->request.settings ? listing->request.settings->portal : "",
        .arena = &listing->request.arena,
        .rows = listing->request.rows.rows,
        .row_count = listing->request.rows.count,
    };
    const char *wrong = status == 200 ? read_parameters(listing, request) : error.message;
    web_response_header(response, "Vary", "Accept");
    if (!wrong || status == 304)
        web_response_header(response, "ETag", arena_text(&response->scratch, tag));
    if (status == 304) {
        response->status = status;
        release(listing);
    } else if (wrong) {
        data_format_refuse(response, status == 200 ? 400 : status, wrong);
        release(listing);
    } else if (listing->format == VIEW_JSON) {
        respond_page(listing, response);
    } else {
        respond_all(listing, source->prefix, request, response);
    }
}

void data_routes_v1(void *views, const struct web_request *request, struct web_response *response)
{
    struct view_request_source *source = views;
    const struct view_table *table = view_table_named(request->rest);
    if (!strcmp(request->rest, "openapi.json")) {
        struct buf out = { 0 };
        openapi_write(source->prefix, &out);
        web_response_buf(response, 200, data_format_types[VIEW_JSON], &out);
        return;
    }
    if (!strcmp(request->rest, "report")) {
        report_route(source, request, response);
        return;
    }
    if (!strcmp(request->rest, "fix_first/gain")) {
        gain_route(source, request, response);
        return;
    }
    if (!table) {
        alerts_routes_v1(source->alerting, source->prefix, request, response);
        return;
    }
    struct listing *listing = MEMORY_NEW(struct listing);
    listing->table = table;
    respond(source, listing, request, response);
}
