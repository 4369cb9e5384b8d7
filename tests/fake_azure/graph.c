#include "graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/hash.h"
#include "own.h"

enum { WINDOW_MS = 5000, TOP_MAX = 1000, TOP_DEFAULT = 100, SUBSCRIPTIONS_MAX = 1000 };

static const char *support_text(char out[200])
{
    char id[37], time[32];
    snprintf(out, 200,
             "Please provide below info when asking for support: timestamp = %s, "
             "correlationId = %s.",
             clock_format_rfc3339_ms(clock_now_ms(), time), hash_uuid(id));
    return out;
}

/* {"error":{"code","message","details":[...]}}; details: ready-made JSON. */
static void refuse(struct reply *reply, int status, const char *code, const char *details)
{
    struct json_writer writer = { .out = &reply->body };
    char text[200];
    buf_reset(&reply->body);
    reply->status = status;
    json_open(&writer, NULL, '{');
    json_open(&writer, "error", '{');
    json_add_text(&writer, "code", code);
    json_add_text(&writer, "message", support_text(text));
    json_add_raw(&writer, "details", details);
    json_close(&writer, '}');
    json_close(&writer, '}');
}

/* source: answers of Azure to what it cannot parse. */
static void refuse_query(struct reply *reply, const struct own_fault *fault)
{
    CLEANUP(buf_finish) struct buf details = { 0 };
    struct json_writer writer = { .out = &details };
    json_open(&writer, NULL, '[');
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "code", "InvalidQuery");
    json_add_text(&writer, "message",
                  "Query is invalid. Please refer to the documentation for the Azure Resource "
                  "Graph service and fix the error before retrying.");
    json_close(&writer, '}');
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "code", "ParserFailure");
    json_add_text(&writer, "message", "ParserFailure");
    json_add_integer(&writer, "line", fault->line);
    json_add_integer(&writer, "characterPositionInLine", fault->position);
    json_add_text(&writer, "token", fault->token);
    json_add_text(&writer, "expectedToken", fault->expected);
    json_close(&writer, '}');
    json_close(&writer, ']');
    refuse(reply, 400, "BadRequest", buf_cstr(&details));
}

static void refuse_body(struct reply *reply, const char *code, const char *what)
{
    CLEANUP(buf_finish) struct buf details = { 0 };
    buf_printf(&details, "[{\"code\":\"%s\",\"message\":\"%s\"}]", code, what);
    refuse(reply, 400, "BadRequest", buf_cstr(&details));
}

void graph_throttled(struct reply *reply, long retry_after)
{
    refuse(
        reply, 429, "RateLimiting",
        "[{\"code\":\"RateLimiting\",\"message\":\"Client application has been throttled and "
        "should not attempt to repeat the request until an amount of time has elapsed. Please see"
        " https://aka.ms/resourcegraph-throttling for help.\"}]");
    if (retry_after >= 0)
        reply_header(reply, "Retry-After", "%ld", retry_after);
}

static struct fake_quota *quota_of(struct fake *fake, const char *principal)
{
    struct fake_quota *quota = fake->quotas;
    for (size_t i = 0; i < ARRAY_COUNT(fake->quotas); i++, quota++)
        if (!*quota->principal || strcmp(quota->principal, principal) == 0) {
            snprintf(quota->principal, sizeof quota->principal, "%s", principal);
            return quota;
        }
    return fake->quotas;
}

bool graph_quota(struct request *request, struct reply *reply)
{
    struct fake *fake = request->fake;
    struct fake_quota *quota = quota_of(fake, request->principal);
    int64_t now = clock_monotonic_ms();
    if (now >= quota->window_ends_ms) {
        quota->window_ends_ms = now + WINDOW_MS;
        quota->used = 0;
    }
    long left = fake->options.quota_requests - ++quota->used;
    long resets = (long)(quota->window_ends_ms - now + 999) / 1000;
    if (!fake->options.quota) {
        left = fake->options.quota_requests - 1;
        resets = WINDOW_MS / 1000;
    }
    reply_header(reply, "x-ms-user-quota-remaining", "%ld", left < 0 ? 0 : left);
    reply_header(reply, "x-ms-user-quota-resets-after", "00:00:%02ld", resets);
    reply_header(reply, "x-ms-ratelimit-remaining-tenant-resource-requests", "%ld",
                 left < 0 ? 0 : left);
    if (left >= 0)
        return true;
    fake->throttled++;
    graph_throttled(reply, resets);
    return false;
}

/* --- a page of a query ------------------------------------------------------------------------ */

struct graph_page {
    const struct query *query; /* NULL = one of the operator's own */
    struct own_result own;
    struct view view;
    size_t position, total, top;
    long number;
};

static void write_row(const struct page *page, size_t position, struct json_writer *writer)
{
    const struct graph_page *of = page->context;
    const struct query *query = of->query;
    if (!query) {
        json_add_raw(writer, NULL, of->own.rows[position]);
        return;
    }
    _Alignas(8) unsigned char row[ROWS_BYTES_MAX] = { 0 };
    query->rows->fill(page->view, position, row, page->scratch);
    query_write(query, row, writer);
}

static const char *name_of(const struct graph_page *page)
{
    return page->query ? page->query->rows->query : "own";
}

/* The opaque skip token: query, scope, position, generation, total, page. */
static void write_token(const struct request *request, const struct graph_page *page,
                        uint64_t scope, size_t next, struct buf *out)
{
    char payload[200];
    snprintf(payload, sizeof payload, "ew0K~%s~%llx~%llx~%x~%zx~%lx", name_of(page),
             (unsigned long long)scope, (unsigned long long)next, page->view.generation,
             page->total, page->number + 1);
    fake_sign(request->fake, payload, out);
}

static bool read_token(const struct request *request, struct graph_page *page, uint64_t scope)
{
    char text[400], name[128];
    unsigned long long of_scope, position;
    unsigned generation;
    size_t total;
    long number;
    snprintf(text, sizeof text, "%s", request->token);
    if (!fake_verify(request->fake, text) ||
        sscanf(text, "ew0K~%127[^~]~%llx~%llx~%x~%zx~%lx", name, &of_scope, &position, &generation,
               &total, (unsigned long *)&number) != 6)
        return false;
    if (strcmp(name, name_of(page)) != 0 || of_scope != scope)
        return false;
    page->position = position;
    page->view.generation = generation;
    page->total = total;
    page->number = number;
    return true;
}

/* The rows of a query of the operator's own are there already. */
static size_t own_count(const struct view *view)
{
    return view->own_count;
}

static bool own_present(const struct view *view, size_t position)
{
    return position < view->own_count;
}

static void write_page(struct request *request, struct reply *reply, struct graph_page *of,
                       uint64_t scope)
{
    struct json_writer writer = { .out = &reply->body };
    CLEANUP(arena_finish) struct arena scratch = { 0 };
    CLEANUP(buf_finish) struct buf token = { 0 };
    struct page page = { .view = &of->view,
                         .count = of->query ? of->query->rows->count : own_count,
                         .present = of->query ? of->query->rows->present : own_present,
                         .write = write_row,
                         .context = of,
                         .position = of->position,
                         .limit = of->top,
                         .scratch = &scratch };
    if (of->number == 1)
        of->total = page_total(&page);
    CLEANUP(buf_finish) struct buf rows = { 0 };
    struct json_writer rows_writer = { .out = &rows };
    json_open(&rows_writer, NULL, '[');
    page_write(&page, &rows_writer, request->shift);
    json_close(&rows_writer, ']');
    json_open(&writer, NULL, '{');
    json_add_integer(&writer, "totalRecords", (int64_t)of->total);
    json_add_integer(&writer, "count", (int64_t)page.rows);
    json_add_raw(&writer, "data", buf_cstr(&rows));
    if (page.more) {
        write_token(request, of, scope, page.position, &token);
        json_add_text(&writer, "$skipToken", buf_cstr(&token));
    }
    json_add_raw(&writer, "facets", "[]");
    json_add_text(&writer, "resultTruncated", "false"); /* a text, as the REST API says */
    json_close(&writer, '}');
    reply->status = 200;
}

/* Narrow the scope to the listed subscriptions. False: an answer is made. */
static bool read_scope(struct request *request, const cJSON *body, bool *in_scope,
                       struct reply *reply, uint64_t *scope)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(body, "subscriptions"), *item;
    size_t count = request->fake->tenant.subscription_count, readable = 0;
    bool *listed = calloc(count + 1, sizeof *listed);
    if (!listed)
        abort();
    cJSON_ArrayForEach(item, list)
    {
        ptrdiff_t at = cJSON_IsString(item) ? request_subscription(request, item->valuestring) : -1;
        if (at >= 0)
            listed[at] = true;
    }
    bool all = cJSON_GetArraySize(list) == 0;
    for (size_t i = 0; i < count; i++) {
        in_scope[i] &= all || listed[i];
        readable += in_scope[i];
        *scope = hash_bytes(&in_scope[i], 1) ^ (*scope * 1099511628211u);
    }
    free(listed);
    bool nothing_there = all && faults_state(&request->fake->faults, FAULT_NO_SUBSCRIPTIONS);
    if (readable || nothing_there || (all && count == 0))
        return true;
    refuse(reply, 403, "Forbidden",
           "[{\"code\":\"AccessDenied\",\"message\":\"Access to the subscriptions of the query is "
           "denied, or the principal has no read access to any of them.\"}]");
    return false;
}

/* options: $top, $skipToken, resultFormat. False: an answer is made. */
static bool read_options(struct request *request, const cJSON *body, struct graph_page *page,
                         struct reply *reply)
{
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(body, "options");
    const cJSON *top = cJSON_GetObjectItemCaseSensitive(options, "$top");
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(options, "$skipToken");
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(options, "resultFormat");
    page->top = TOP_DEFAULT;
    if (top && (!cJSON_IsNumber(top) || top->valuedouble < 1 || top->valuedouble > TOP_MAX)) {
        refuse_body(reply, "InvalidOptions", "$top must be between 1 and 1000.");
        return false;
    }
    if (top)
        page->top = (size_t)top->valuedouble;
    const struct fault *large = faults_state(&request->fake->faults, FAULT_TOO_LARGE);
    if (large && page->top > (size_t)large->rows) {
        refuse(reply, 400, "BadRequest",
               "[{\"code\":\"ResponsePayloadTooLarge\",\"message\":\"Response payload size is "
               "17236892, and has exceeded the limit of 16777216.\"}]");
        return false;
    }
    if (page->top > (size_t)request->fake->options.page_rows)
        page->top = (size_t)request->fake->options.page_rows;
    if (format &&
        !(cJSON_IsString(format) && strcasecmp(format->valuestring, "objectArray") == 0)) {
        refuse_body(reply, "InvalidOptions", "only resultFormat objectArray is served here.");
        return false;
    }
    if (token && !cJSON_IsNull(token))
        snprintf(request->token, sizeof request->token, "%s",
                 cJSON_IsString(token) ? token->valuestring : "?");
    return true;
}

/* What has come to an end is gone, and who lost the right to read while answers were made. */
static void end(const struct request *request, const char *query, bool *in_scope)
{
    const struct tenant *tenant = &request->fake->tenant;
    faults_answer(&request->fake->faults, query);
    for (size_t i = 0; i < tenant->subscription_count; i++)
        in_scope[i] &= !faults_end(&request->fake->faults, query, tenant->subscriptions[i].id, i) &&
                       !faults_denies(&request->fake->faults, tenant->subscriptions[i].id, i);
}

/* A gap is in the security tables alone: what is asked of others is answered. */
static void hide(const struct request *request, const struct query *query, bool *in_scope)
{
    static const char *const others[] = { "subscriptions_rows",       "proof_resources",
                                          "proof_containers",         "activity_changes_rows",
                                          "activity_containers_rows", "remediations_groups_rows" };
    const struct tenant *tenant = &request->fake->tenant;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        if (strcmp(query->rows->query, others[i]) == 0)
            return;
    for (size_t i = 0; i < tenant->subscription_count; i++)
        in_scope[i] &= !faults_hides(&request->fake->faults, tenant->subscriptions[i].id, i);
}

static void finish_page(struct graph_page *page)
{
    free(page->view.ids);
    own_finish(&page->own);
}

/* Work out a query that is none of the project's. False: an answer is made. */
static bool run_own(struct graph_page *page, const char *text, struct reply *reply)
{
    struct own_fault fault;
    if (!own_run(&page->view, text, &page->own, &fault)) {
        refuse_query(reply, &fault);
        return false;
    }
    page->view.own_count = page->own.count;
    return true;
}

static void answer_query(struct request *request, const cJSON *body, bool *in_scope,
                         struct reply *reply)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(body, "query");
    CLEANUP(finish_page)
    struct graph_page page = { .view = request_view(request, in_scope), .number = 1 };
    uint64_t scope = 1469598103934665603u;
    const cJSON *groups = cJSON_GetObjectItemCaseSensitive(body, "managementGroups");
    if (groups && cJSON_GetObjectItemCaseSensitive(body, "subscriptions")) {
        refuse_body(reply, "InvalidScope",
                    "subscriptions and managementGroups exclude each other.");
        return;
    }
    page.view.is_scoped =
        cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(body, "subscriptions")) > 0;
    if (!read_scope(request, body, in_scope, reply, &scope) ||
        !read_options(request, body, &page, reply))
        return;
    page.query = cJSON_IsString(text)
                     ? queries_match(&request->fake->queries, text->valuestring, &page.view)
                     : NULL;
    const char *written = cJSON_IsString(text) ? text->valuestring : "";
    if (!page.query)
        scope ^= hash_bytes(written, strlen(written));
    end(request, name_of(&page), in_scope);
    if (page.query) {
        hide(request, page.query, in_scope);
        page.view.expand_limit = page.query->expand_limit;
        page.view.failing_only = page.query->failing_only;
        page.view.every_score = page.query->every_score;
    }
    scope = (scope * 31 + (uint64_t)page.view.partitions) * 31 + (uint64_t)page.view.partition;
    if (*request->token && !read_token(request, &page, scope)) {
        refuse_body(reply, "InvalidSkipToken", "The skip token is not one of this query.");
        return;
    }
    if (page.query || run_own(&page, written, reply))
        write_page(request, reply, &page, scope);
}

void graph_answer(struct request *request, struct reply *reply)
{
    const char *type = request_header(request, "Content-Type");
    if (!graph_quota(request, reply))
        return;
    if (!type || strncasecmp(type, "application/json", 16) != 0) {
        reply_error(reply, 500, "InternalServerError", "Encountered an internal server error.");
        return;
    }
    cJSON *body = cJSON_ParseWithLength(buf_cstr(&request->body), request->body.length);
    bool *in_scope = calloc(request->fake->tenant.subscription_count + 1, sizeof *in_scope);
    if (!in_scope)
        abort();
    if (cJSON_IsObject(body))
        answer_query(request, body, in_scope, reply);
    else
        refuse_body(reply, "InvalidRequestContent", "The request content is no valid JSON object.");
    free(in_scope);
    cJSON_Delete(body);
}
