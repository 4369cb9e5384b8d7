#include "collectors/azure/graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/azure/seen.h"
#include "core/bounds.h"
#include "core/hash.h"
#include "core/memory.h"

enum {
    PAGE_ROWS = 1000,          /* the most Azure gives */
    GROUP_SUBSCRIPTIONS = 200, /* recommended: below 300 */
    PAGES_MAX = 10000,
    FULL_PERCENT = 90,     /* of a page of a partition: hashes are uneven */
    EVEN_ROWS = 20,        /* on average of those with any; then one without is no chance */
    PARTITIONS_MAX = 2000, /* as many requests as Resource Graph allows in eleven minutes */
};

/* Newest first; the models are the same since 2021. source: ResourceGraph REST API. */
static const char *const versions[] = { "2024-04-01", "2022-10-01", "2021-03-01" };

/* One answer's envelope. */
struct page {
    int64_t total, count;
    bool truncated;
};

/* A query being run over one group of subscriptions. */
struct run {
    struct arm_session *session;
    const struct graph_query *query;
    json_row *row;
    void *context;
    struct graph_progress *progress;
    struct http_response response;
    struct buf text, body, envelope, token;
    size_t version;
    size_t page_rows_asked;
    size_t first_subscription;
    /* of this group */
    struct seen tokens, firsts;
    size_t pages, rows;
    int64_t total, group_total; /* group: of its partitions so far */
    /* of this page */
    size_t page_rows;
    uint64_t first_hash;
};

static void run_finish(struct run *run)
{
    http_response_finish(&run->response);
    buf_finish(&run->text);
    buf_finish(&run->body);
    buf_finish(&run->envelope);
    buf_finish(&run->token);
    seen_finish(&run->tokens);
    seen_finish(&run->firsts);
}

#define PARTITIONS "{{partitions}}"
#define PARTITION "{{partition}}"

bool graph_can_partition(const char *kql)
{
    return strstr(kql, PARTITIONS) != NULL;
}

size_t graph_partitions(int64_t total, size_t page_rows)
{
    int64_t page = page_rows ? (int64_t)page_rows : PAGE_ROWS;
    int64_t most = (int64_t)PARTITIONS_MAX * page * FULL_PERCENT / 100;
    if (total <= page)
        return 0;
    return total < most ? (size_t)(total * 100 / FULL_PERCENT / page + 1) : PARTITIONS_MAX;
}

/* Append a line with its placeholders filled. */
static void fill_line(const char *line, size_t length, size_t partition, size_t partitions,
                      struct buf *out)
{
    const char *end = line + length;
    while (line < end) {
        bool count = !strncmp(line, PARTITIONS, sizeof PARTITIONS - 1);
        bool number = !strncmp(line, PARTITION, sizeof PARTITION - 1);
        if (count || number)
            buf_integer(out, (int64_t)(count ? partitions : partition));
        else
            buf_char(out, *line);
        line += count ? sizeof PARTITIONS - 1 : number ? sizeof PARTITION - 1 : 1;
    }
}

void graph_text(const char *kql, size_t partition, size_t partitions, struct buf *out)
{
    size_t start = out->length;
    while (*kql) {
        size_t length = strcspn(kql, "\n");
        size_t whole = length + (kql[length] == '\n');
        bool comment = !strncmp(kql, "//", 2);
        const char *placeholder = strstr(kql, PARTITIONS);
        if (!comment)
            buf_append(out, kql, whole);
        else if (partitions && placeholder && placeholder < kql + length)
            fill_line(kql + 2 + (kql[2] == ' '), whole - 2 - (kql[2] == ' '), partition, partitions,
                      out);
        kql += whole;
    }
    while (out->length > start && out->data[out->length - 1] == '\n')
        out->data[--out->length] = 0;
}

/* --- request ------------------------------------------------------------------------------- */

static void build_body(struct run *run)
{
    const struct graph_query *query = run->query;
    struct json_writer writer = { .out = &run->body };
    size_t end = run->first_subscription + GROUP_SUBSCRIPTIONS;
    if (end > query->subscription_count)
        end = query->subscription_count;
    buf_reset(&run->body);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "query", buf_cstr(&run->text));
    json_open(&writer, "options", '{');
    json_add_text(&writer, "resultFormat", "objectArray");
    json_add_integer(&writer, "$top", (int64_t)run->page_rows_asked);
    if (run->token.length)
        json_add_text(&writer, "$skipToken", buf_cstr(&run->token));
    json_close(&writer, '}');
    if (query->subscription_count) {
        json_open(&writer, "subscriptions", '[');
        for (size_t i = run->first_subscription; i < end; i++)
            json_add_text(&writer, NULL, query->subscriptions[i]);
        json_close(&writer, ']');
    }
    json_close(&writer, '}');
}

/* Send it, with an older api-version when this cloud does not know the newest. */
static bool ask(struct run *run, struct error *error)
{
    for (;; run->version++) {
        CLEANUP(buf_finish) struct buf url = { 0 };
        buf_printf(&url, "/providers/Microsoft.ResourceGraph/resources?api-version=%s",
                   versions[run->version]);
        const struct arm_call call = {
            .api = ARM_GRAPH,
            .method = "POST",
            .url = buf_cstr(&url),
            .body = buf_cstr(&run->body),
        };
        if (arm_call(run->session, &call, &run->response, error))
            return true;
        if (!arm_version_refused(error) || run->version + 1 == ARRAY_COUNT(versions))
            return false;
    }
}

/* --- answer -------------------------------------------------------------------------------- */

/* What makes a row differ from another: its texts and numbers. 0 when it has no text. */
static uint64_t row_hash(const struct json *row)
{
    uint64_t hash = 0;
    bool has_text = false;
    for (const struct json *member = json_first(row); member; member = json_next(member)) {
        const char *text = json_text(member);
        double number = json_number(member, 0);
        has_text = has_text || text;
        uint64_t parts[2] = { hash, text ? hash_bytes(text, strlen(text))
                                         : hash_bytes(&number, sizeof number) };
        hash = hash_bytes(parts, sizeof parts);
    }
    return has_text ? hash : 0;
}

static bool receive_row(void *context, const struct json *row, struct error *error)
{
    struct run *run = context;
    if (!run->page_rows++)
        run->first_hash = row_hash(row);
    run->progress->rows++;
    return run->row(run->context, row, error);
}

static void free_json(struct json **document)
{
    json_free(*document);
}

/* Read the envelope; run->token gets the next page's token, "" when there is none. */
static bool read_envelope(struct run *run, struct page *page, struct error *error)
{
    CLEANUP(free_json)
    struct json *envelope = json_parse(buf_cstr(&run->envelope), run->envelope.length, error);
    if (!envelope)
        return false;
    const struct json *total = json_get(envelope, "totalRecords");
    const struct json *count = json_get(envelope, "count");
    const struct json *truncated = json_get(envelope, "resultTruncated");
    const char *truncated_text = json_text(truncated);
    const char *token = json_text(json_get(envelope, "$skipToken"));
    if (json_type(total) != JSON_NUMBER || json_type(count) != JSON_NUMBER)
        return error_set(error, ERROR_PARSE, "the answer has no totalRecords or no count");
    page->total = bounds_number(BOUND_TOTAL, json_number(total, 0));
    page->count = bounds_number(BOUND_TOTAL, json_number(count, 0));
    page->truncated =
        truncated_text ? !strcasecmp(truncated_text, "true") : json_bool(truncated, false);
    buf_reset(&run->token);
    buf_text(&run->token, token ? token : "");
    return true;
}

/* Everything that shows that an answer is whole. source: Microsoft Learn,
 * Paging results in Azure Resource Graph. */
static bool check_page(struct run *run, const struct page *page, struct error *error)
{
    char limit_hit[8];
    run->rows += run->page_rows;
    if (page->count != (int64_t)run->page_rows)
        return error_set(error, ERROR_INCOMPLETE, "%zu rows came, count says %lld", run->page_rows,
                         (long long)page->count);
    if (run->pages > 1 && page->total != run->total)
        return error_set(error, ERROR_INCOMPLETE,
                         "rows changed while paging: totalRecords was %lld, is %lld",
                         (long long)run->total, (long long)page->total);
    if (run->pages == 1)
        run->group_total += page->total;
    if (run->group_total > run->progress->total)
        run->progress->total = run->group_total;
    run->total = page->total;
    if (run->page_rows && run->first_hash && !seen_add_hash(&run->firsts, run->first_hash))
        return error_set(error, ERROR_INCOMPLETE, "the page begins like an earlier one");
    if (run->token.length && !seen_add(&run->tokens, buf_cstr(&run->token)))
        return error_set(error, ERROR_INCOMPLETE, "the same $skipToken came twice");
    if (page->truncated && !run->token.length)
        return error_set(error, ERROR_INCOMPLETE,
                         "the result is truncated and has no $skipToken: rows are missing");
    if (!run->token.length && (int64_t)run->rows != run->total)
        return error_set(error, ERROR_INCOMPLETE, "%zu rows came, totalRecords says %lld",
                         run->rows, (long long)run->total);
    if (http_header(&run->response, "x-ms-tenant-subscription-limit-hit", limit_hit,
                    sizeof limit_hit) &&
        !strcasecmp(limit_hit, "true"))
        return error_set(error, ERROR_INCOMPLETE,
                         "more subscriptions are visible than one query covers: list them");
    return true;
}

/* Say it plainly when the answer is the table of an old api-version. */
static bool is_table(const struct http_response *response)
{
    struct error ignored;
    CLEANUP(free_json)
    struct json *body = json_parse(buf_cstr(&response->body), response->body.length, &ignored);
    return json_type(json_path(body, "data.columns")) == JSON_ARRAY;
}

/* Ask for a page, for half of it when it would be too large: the token names where it begins.
 * source: Microsoft Learn, Troubleshoot errors using Azure Resource Graph. */
static bool ask_page(struct run *run, struct error *error)
{
    for (;; run->page_rows_asked /= 2) {
        build_body(run);
        if (ask(run, error))
            break;
        if (!arm_too_large(error) || run->page_rows_asked == 1)
            return false;
    }
    if (run->query->page_rows && run->page_rows_asked < PAGE_ROWS)
        *run->query->page_rows = run->page_rows_asked;
    return true;
}

static bool read_page(struct run *run, struct error *error)
{
    struct page page = { 0 };
    buf_reset(&run->envelope);
    run->page_rows = 0;
    if (!ask_page(run, error))
        return false;
    if (!json_walk_rows(buf_cstr(&run->response.body), run->response.body.length, "data",
                        receive_row, run, &run->envelope, error)) {
        if (error->code == ERROR_PARSE && !run->page_rows && is_table(&run->response))
            error_set(error, ERROR_PARSE, "a table came, objectArray was asked for");
        return false;
    }
    return read_envelope(run, &page, error) && check_page(run, &page, error);
}

/* Whether the first page tells of more rows than one walk through the pages may read. */
static bool is_too_many(struct run *run)
{
    const struct graph_query *query = run->query;
    run->progress->too_many = run->pages == 1 && run->token.length && query->walk_rows &&
                              run->total > query->walk_rows &&
                              query->subscription_count <= GROUP_SUBSCRIPTIONS;
    return run->progress->too_many;
}

/* All pages of one partition, of one group of subscriptions. */
static bool read_group(struct run *run, struct error *error)
{
    seen_finish(&run->tokens);
    seen_finish(&run->firsts);
    buf_reset(&run->token);
    run->pages = run->rows = 0;
    do {
        if (run->pages++ == PAGES_MAX)
            return error_set(error, ERROR_INCOMPLETE, "resource graph: more than %d pages",
                             PAGES_MAX);
        if (!read_page(run, error))
            return error_wrap(error, "resource graph page %zu", run->pages);
        run->progress->pages++;
        if (is_too_many(run))
            return error_set(error, ERROR_INCOMPLETE, "%lld rows are too many to page through",
                             (long long)run->total);
        if (run->pages == 1 && run->token.length) /* the first page tells how many follow */
            arm_expect(run->session, ARM_GRAPH,
                       (run->total - (int64_t)run->rows) / (int64_t)run->page_rows_asked);
    } while (run->token.length);
    return true;
}

/* Hashes are spread evenly: of rows that are many a partition never is without any, but Azure at
 * times answers so. */
static bool none_is_empty(const size_t *rows, size_t partitions, struct error *error)
{
    size_t all = 0, filled = 0, empty = SIZE_MAX;
    for (size_t i = 0; i < partitions; i++) {
        all += rows[i];
        filled += rows[i] > 0;
        empty = rows[i] ? empty : i;
    }
    return !filled || empty == SIZE_MAX || all / filled < EVEN_ROWS ||
           error_set(error, ERROR_INCOMPLETE,
                     "resource graph: partition %zu of %zu came back empty, %zu rows came of all",
                     empty + 1, partitions, all);
}

/* All partitions of one group of subscriptions. */
static bool read_partitions(struct run *run, size_t rounds, struct error *error)
{
    size_t *rows = MEMORY_ARRAY(size_t, rounds);
    bool ok = true;
    for (size_t i = 0; i < rounds && ok; i++) {
        buf_reset(&run->text);
        graph_text(run->query->kql, i, run->query->partitions, &run->text);
        ok = read_group(run, error);
        rows[i] = run->rows;
    }
    ok = ok && none_is_empty(rows, rounds, error);
    free(rows);
    return ok;
}

bool graph_query(struct arm_session *session, const struct graph_query *query, json_row *row,
                 void *context, struct graph_progress *progress, struct error *error)
{
    CLEANUP(run_finish)
    struct run run = {
        .session = session,
        .query = query,
        .row = row,
        .context = context,
        .progress = progress,
        .page_rows_asked = query->page_rows && *query->page_rows ? *query->page_rows : PAGE_ROWS,
    };
    *progress = (struct graph_progress){ 0 };
    size_t rounds = query->partitions ? query->partitions : 1;
    do {
        run.group_total = 0;
        if (query->partitions)
            arm_expect(session, ARM_GRAPH, (int64_t)rounds);
        if (!read_partitions(&run, rounds, error))
            return false;
        run.first_subscription += GROUP_SUBSCRIPTIONS;
    } while (run.first_subscription < query->subscription_count);
    return true;
}
