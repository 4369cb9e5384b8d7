#include "collectors/run/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/azure/arm_list.h"
#include "collectors/azure/graph.h"
#include "collectors/catalogue.h"
#include "collectors/run/cover.h"
#include "collectors/run/none.h"
#include "collectors/run/path.h"
#include "collectors/run/pieces.h"
#include "collectors/run/twice.h"
#include "collectors/scope.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "core/http.h"
#include "core/log.h"
#include "core/memory.h"

enum { EMPTY_RUNS_DOUBTED = 2 };  /* an answer that is suddenly empty is believed the third time */
enum { MOVED_RUNS_DOUBTED = 20 }; /* the same rows twice and others missed */
enum { DRIFT_ROWS = 10 };         /* so many rows of which none can be read are another format */
/* As many need 33 s of the quota. In longer no large tenant stands still, and nobody says how long
 * a $skipToken lives. */
enum { WALK_ROWS = 100000 };

/* Ids of rows that have a list below them. */
struct heads {
    struct head {
        const char *id, *subscription_id; /* the latter lives longer than the run; NULL = of none */
    } * list;
    size_t count, capacity;
    struct arena arena;
};

/* What one run carries from query to query. */
struct run {
    const struct collector *collector;
    struct arm_session *session;
    struct collect_context context;
    struct part *part, *older;
    const char *const *scope;
    size_t scope_count;
    struct collect_memory *memory;
    struct collect_result *result;
    const struct query *query;
    size_t query_index;
    struct columns_plan plan;           /* of its columns */
    bool *broken;                       /* beside the known subscriptions: its list failed */
    size_t rows[COLLECTOR_QUERIES_MAX]; /* that each query brought */
    struct error skipped;               /* why an optional query brought nothing */
    struct heads heads, next;           /* of the query before, of this one */
    const size_t *page;                 /* of the list that is read, from 0 */
    struct twice twice;
    struct none none;
    size_t place; /* of the newest row's subscription in the part */
    struct arena scratch;
    _Alignas(max_align_t) char row[COLUMNS_ROW_BYTES_MAX];
};

/* Bind and fold a row. Anything but ODD_NONE: it says nothing, *error why. */
static enum odd_reason read_row(struct run *run, const struct json *json, bool *is_object,
                                struct error *error)
{
    static const enum odd_reason reasons[] = { ODD_NONE, ODD_MISSING, ODD_TYPE, ODD_TIME };
    enum columns_fault fault = columns_bind_by(&run->plan, json, run->row, &run->scratch, error);
    *is_object = json_type(json) == JSON_OBJECT;
    if (!*is_object)
        error_set(error, ERROR_PARSE, "it is no object but %s", json_type_word(json_type(json)));
    return !*is_object ? ODD_TYPE
           : fault
               ? reasons[fault]
               : run->collector->fold(run->part, run->query_index, run->row, &run->context, error);
}

/* Count a row that says nothing, and keep anybody from concluding from that. */
static void leave_out(struct run *run, enum odd_reason reason, const char *id, bool is_object,
                      const char *why)
{
    odd_add(&run->part->odd, reason, id, why);
    if (is_object && run->collector->odd)
        run->collector->odd(run->part, run->query_index, run->row, &run->context);
    else
        part_add_gap(run->part, collector_subscription(&run->context, ""));
}

static void heads_finish(struct heads *heads)
{
    arena_finish(&heads->arena);
    free(heads->list);
    *heads = (struct heads){ 0 };
}

/* Keep the id of a row with a list below it. One that leads elsewhere than below its subscription,
 * or the row that it is below, is no part of an address. */
static bool keep_head(struct run *run, const char *id, struct error *error)
{
    const struct collector *collector = run->collector;
    const char *subscription_id = run->context.subscription_id;
    CLEANUP(buf_finish) struct buf within = { 0 };
    if (run->query_index + 1 == COLLECTOR_QUERIES_MAX || !collector_is_below(run->query + 1) ||
        (collector->has_below && !collector->has_below(run->query_index, run->row)))
        return true;
    const char *above = run->context.row_id ? run->context.row_id : "/providers";
    buf_printf(&within, "%s%s/", subscription_id ? "/subscriptions/" : "",
               subscription_id ? subscription_id : above);
    if (strncasecmp(id, buf_cstr(&within), within.length) != 0 || strstr(id, "/.."))
        return error_set(error, ERROR_PARSE, "the id of a row is not within its subscription");
    MEMORY_GROW(run->next.list, run->next.count, run->next.capacity);
    run->next.list[run->next.count++] =
        (struct head){ arena_text(&run->next.arena, id), subscription_id };
    return true;
}

static bool fold_row(void *data, const struct json *json, struct error *error)
{
    struct run *run = data;
    const char *member = run->query->id ? run->query->id : "id";
    const char *said = json_text(json_get(json, member)), *id = said ? said : "";
    struct error why;
    bool is_object;
    run->part->rows++;
    enum twice_kind kind = *id ? twice_look(&run->twice, id, json, *run->page) : TWICE_NEW;
    if (kind != TWICE_NEW)
        odd_add(&run->part->odd, ODD_TWICE, id, "the id came twice");
    if (kind == TWICE_EQUAL)
        return true;
    enum odd_reason reason = read_row(run, json, &is_object, &why);
    if (reason)
        leave_out(run, reason, id, is_object, why.message);
    else if (json_is_mended(json))
        odd_add(&run->part->odd, ODD_TEXT, id, "a text is none");
    none_count(run->part, run->query, run->query_index, json, &run->place);
    bool ok = reason || keep_head(run, id, error);
    if (run->scratch.used_bytes)
        arena_reset(&run->scratch);
    return ok;
}

/* A query with the tags the operator lists, none of which has a quote in it, or with the instant a
 * look goes back to. */
static void fill_query(const char *kql, const struct collect_context *context, struct buf *out)
{
    const char *const *tags = context->tags;
    const char *placeholder = context->since ? "{{since}}" : "'{{tags}}'";
    const char *at = strstr(kql, placeholder);
    char since[32];
    buf_append(out, kql, at ? (size_t)(at - kql) : strlen(kql));
    if (at && context->since)
        buf_text(out, clock_format_rfc3339(context->since, since));
    for (size_t i = 0; at && !context->since && tags && tags[i]; i++)
        buf_printf(out, "%s'%s'", i ? ", " : "", tags[i]);
    buf_text(out, at ? at + strlen(placeholder) : "");
}

/* Read all of it. Where the total asks for partitions what came so far is taken back, and the query
 * is asked in them at once and from now on: *partitions. */
static bool walk_graph(struct run *run, struct graph_query *query, size_t *partitions,
                       struct error *error)
{
    struct part_mark mark = part_mark(run->part);
    struct graph_progress progress = { 0 };
    uint64_t moved = run->twice.moved;
    size_t heads = run->next.count;
    run->page = &progress.pages;
    query->partitions = *partitions;
    query->walk_rows = !*partitions && graph_can_partition(query->kql) ? WALK_ROWS : 0;
    bool ok = graph_query(run->session, query, fold_row, run, &progress, error);
    twice_finish(&run->twice);
    run->memory->total[run->query_index] = progress.total;
    if (ok ? *partitions : progress.too_many) /* as many as the newest total asks for */
        *partitions = graph_partitions(progress.total, *query->page_rows);
    if (ok || !progress.too_many)
        return ok;
    run->twice.moved = moved;
    run->next.count = heads;
    part_rewind(run->part, mark);
    *error = (struct error){ 0 };
    log_info(MSG("too many rows to page through: asking in partitions from now on"),
             TEXT("query", run->query->name), INT("partitions", (int64_t)*partitions));
    return walk_graph(run, query, partitions, error);
}

static bool ask_nobody(const struct run *run, struct error *error)
{
    return cover_nobody(run->context.snapshot, run->part->source->tenant, error);
}

static bool ask_graph(struct run *run, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (run->scope && !run->scope_count && !run->query->whole_tenant)
        return ask_nobody(run, error); /* to name none would ask for all */
    fill_query(run->query->kql, &run->context, &text);
    struct graph_query query = {
        .kql = buf_cstr(&text),
        .subscriptions = run->scope,
        .subscription_count = run->query->whole_tenant ? 0 : run->scope_count,
        .page_rows = &run->memory->page_rows[run->query_index],
    };
    size_t before = *query.page_rows;
    bool ok = walk_graph(run, &query, &run->memory->partitions[run->query_index], error);
    if (*query.page_rows != before)
        log_info(MSG("a page is too large for Azure: asking for smaller ones from now on"),
                 TEXT("query", run->query->name), INT("rows", (int64_t)*query.page_rows));
    return ok;
}

/* What advanced hunting is asked. source: Microsoft Graph, security: runHuntingQuery. */
static void fill_hunt(const char *kql, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct json_writer writer = { .out = out };
    graph_text(kql, 0, 0, &text);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "Query", buf_cstr(&text));
    json_add_text(&writer, "Timespan", "P1D"); /* of tables with a time */
    json_close(&writer, '}');
}

/* A list that is not there is an empty one, but not where rows came from it before: a provider that
 * is suddenly "not registered" says nothing of what it found. */
static bool may_be_missing(const struct run *run)
{
    const char *id = run->context.subscription_id;
    const struct part_cover *before = run->older && id ? part_cover_find(run->older, id) : NULL;
    return run->query->missing_is_empty && (!before || before->empty || !before->collected_at);
}

static bool ask_list(struct run *run, struct error *error)
{
    static const enum arm_api apis[] = {
        [HOST_RESOURCE_MANAGER] = ARM_LIST,
        [HOST_MICROSOFT_GRAPH] = ARM_HUNTING,
        [HOST_DEFENDER_API] = ARM_DEFENDER,
    };
    CLEANUP(buf_finish) struct buf path = { 0 };
    CLEANUP(buf_finish) struct buf body = { 0 };
    if (run->query->hunt)
        fill_hunt(run->query->hunt, &body);
    int *version = &run->memory->version[run->query_index];
    for (;;) {
        struct part_mark mark = part_mark(run->part);
        struct arm_progress progress = { 0 };
        uint64_t moved = run->twice.moved;
        size_t heads = run->next.count;
        run->page = &progress.pages;
        path_fill(run->query, &run->context, *version, &path);
        const struct arm_list list = {
            .api = apis[run->query->host],
            .path = buf_cstr(&path),
            .post = run->query->post,
            .body = run->query->hunt ? buf_cstr(&body) : NULL,
        };
        bool ok = arm_list(run->session, &list, fold_row, run, &progress, error);
        twice_finish(&run->twice);
        if (ok)
            return true;
        run->twice.moved = moved;
        run->next.count = heads;
        part_rewind(run->part, mark);
        if (!arm_version_refused(error) || *version + 1 >= path_versions(run->query))
            return error->code == ERROR_NOT_FOUND && may_be_missing(run);
        ++*version;
    }
}

/* Tell whoever listens what came of the query at hand. rows: of the part before it. */
static void tell(const struct run *run, size_t rows, const struct error *error)
{
    const struct collect_ear *ear = run->context.ear;
    const struct collect_outcome outcome = {
        .query = run->query,
        .subscription_id = run->context.subscription_id,
        .rows = run->part->rows - rows,
        .error = error,
    };
    if (ear)
        ear->heard(ear->context, run->part->source, &outcome);
}

/* The list of the subscription at hand, or those below its rows. */
static bool ask_subscription(struct run *run, struct error *error)
{
    bool ok = true;
    if (!collector_is_below(run->query))
        return ask_list(run, error);
    for (size_t i = 0; i < run->heads.count && ok; i++) {
        if (strcmp(run->heads.list[i].subscription_id, run->context.subscription_id) != 0)
            continue;
        run->context.row_id = run->heads.list[i].id;
        ok = ask_list(run, error);
    }
    run->context.row_id = NULL;
    return ok;
}

/* The lists below rows that are of no subscription; one that fails is as if it were not there. */
static bool ask_below(struct run *run, struct error *error)
{
    bool ok = true;
    for (size_t i = 0; i < run->heads.count && ok; i++) {
        run->context.row_id = run->heads.list[i].id;
        size_t rows = run->part->rows;
        bool answered = ask_list(run, error);
        tell(run, rows, answered ? NULL : error);
        if (answered)
            continue;
        ok = error->code != ERROR_CANCELLED && error->code != ERROR_AUTH;
        if (run->collector->lost)
            run->collector->lost(run->part, run->query_index, &run->context);
        log_debug(MSG("optional list failed"), TEXT("collector", run->collector->name), ERR(error));
    }
    run->context.row_id = NULL;
    return ok;
}

/* A list per visible subscription; one that fails is left behind, the others go on. */
static bool ask_lists(struct run *run, struct error *error)
{
    size_t count, asked = 0;
    const struct subscription *known =
        subscriptions_known(run->context.snapshot, run->part->source->tenant, &count);
    for (size_t i = 0; i < count; i++) {
        if (known[i].state != SUBSCRIPTION_VISIBLE || run->broken[i])
            continue;
        asked++;
        run->context.subscription_id = known[i].id;
        size_t rows = run->part->rows;
        bool ok = ask_subscription(run, error);
        tell(run, rows, ok ? NULL : error);
        if (ok)
            continue;
        if (error->code == ERROR_CANCELLED || error->code == ERROR_AUTH)
            return false; /* no other subscription will do better */
        run->broken[i] = true;
        bool refused = error->code == ERROR_FORBIDDEN;
        run->result->refused += refused;
        run->result->failed += !refused;
        if (run->result->refused + run->result->failed == 1 || !refused)
            run->result->first_error = *error;
    }
    run->context.subscription_id = NULL;
    if (asked || run->result->refused || run->result->failed)
        return true;
    *error = run->skipped;
    return error->code ? false : ask_nobody(run, error);
}

static bool ask(struct run *run, struct error *error)
{
    const struct query *query = run->query;
    if (query->only_if_empty && run->part->rows)
        return true;
    struct part_mark mark = part_mark(run->part);
    uint64_t moved = run->twice.moved;
    size_t rows = run->part->rows;
    int tries = run->session->tries;
    run->session->tries = query->optional ? 1 : tries;
    bool below = collector_is_below(query) && run->heads.count && !run->heads.list->subscription_id;
    bool each = below || (!query->kql && collector_is_listed(query)); /* and tells of each */
    bool ok = query->kql ? ask_graph(run, error)
              : below    ? ask_below(run, error)
              : each     ? ask_lists(run, error)
                         : ask_list(run, error);
    run->session->tries = tries;
    if (!each)
        tell(run, rows, ok ? NULL : error);
    if (ok)
        return true;
    if (query->optional && error->code != ERROR_CANCELLED) {
        part_rewind(run->part, mark);
        run->twice.moved = moved;
        run->skipped = *error;
        log_debug(MSG("optional query failed"), TEXT("collector", run->collector->name),
                  TEXT("query", query->name), ERR(error));
        return true;
    }
    return error_wrap(error, "%s", query->name);
}

/* Rows that say nothing. */
static size_t left_out(const struct part *part)
{
    return odd_count(&part->odd) - part->odd.counts[ODD_TWICE] - part->odd.counts[ODD_TEXT];
}

/* Ask the query of this run. Where no row at all can be read, it is not the rows that are odd. */
static bool ask_and_check(struct run *run, struct error *error)
{
    size_t rows = run->part->rows, odd = left_out(run->part);
    if (!ask(run, error))
        return false;
    rows = run->part->rows - rows;
    odd = left_out(run->part) - odd;
    run->rows[run->query_index] = rows;
    return rows < DRIFT_ROWS || odd < rows || run->query->optional ||
           error_set(error, ERROR_PARSE, "%s: no row can be read, the first: %s", run->query->name,
                     run->part->odd.first);
}

/* Every visible subscription was asked and none gave anything. */
static bool nothing_read(const struct run *run, struct error *error)
{
    const struct collect_result *result = run->result;
    size_t count, visible = 0;
    const struct subscription *known =
        subscriptions_known(run->context.snapshot, run->part->source->tenant, &count);
    for (size_t i = 0; i < count; i++)
        visible += known[i].state == SUBSCRIPTION_VISIBLE;
    if (!visible || result->refused + result->failed < visible)
        return false;
    *error = result->first_error;
    error_wrap(error, "none of %zu subscriptions can be read", visible);
    return true;
}

/* Whether every query that brought rows before brought some again. One of several that answers
 * "nothing" would change what the others say. */
static bool nothing_is_missing(const struct run *run, const struct query *queries,
                               struct error *error)
{
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name; i++) {
        bool may_be_empty = queries[i].optional || queries[i].only_if_empty;
        bool empty = !run->rows[i] && run->memory->rows[i] && !run->none.queries[i];
        const char *what = empty ? "came back empty" : "lost all of several subscriptions";
        if (!may_be_empty && (empty || run->none.lost[i]))
            return ++run->memory->empty_runs > EMPTY_RUNS_DOUBTED ||
                   error_set(error, ERROR_INCOMPLETE, "%s %s, %zu rows came before",
                             queries[i].name, what, run->memory->rows[i]);
    }
    return true;
}

static size_t distinct_rows(const struct run *run)
{
    return run->part->rows - run->part->odd.counts[ODD_TWICE];
}

/* Rows that come twice on two pages have moved while they were read, and others were missed. But
 * when the same come twice again and none is missed, they are twice: Azure lists some so, run after
 * run. Then, and when they do so for long, absence says nothing all the same. */
static bool nothing_moved(struct run *run, struct error *error)
{
    struct collect_memory *memory = run->memory;
    uint64_t moved = run->twice.moved;
    bool again = moved == memory->moved;
    memory->moved = moved;
    memory->moved_runs = moved && again ? memory->moved_runs + 1 : 0;
    if (!moved)
        return true;
    run->part->gaps = true;
    bool whole = distinct_rows(run) >= memory->distinct_rows;
    return (again && (whole || memory->moved_runs > MOVED_RUNS_DOUBTED)) ||
           error_set(error, ERROR_INCOMPLETE,
                     "ids came twice: rows moved between pages while they were read");
}

/* Where Azure tells no risk, the severity says it; that of lists is the catalogue's. */
static void rate(struct part *part, const struct snapshot *snapshot)
{
    for (size_t i = 0; i < part->finding_count; i++) {
        struct part_finding *finding = &part->findings[i];
        if (finding->risk != RISK_NOT_EVALUATED)
            continue;
        const struct catalogue_entry *entry = catalogue_find(
            snapshot, part->source->tenant, part->assessments[finding->assessment].id);
        enum severity severity = finding->severity == SEVERITY_UNKNOWN && entry
                                     ? entry->severity
                                     : (enum severity)finding->severity;
        finding->risk = (uint8_t)finding_risk_of(severity);
        finding->contextual = false;
    }
}

/* Whether what is not there is none. */
static void prove_none(struct run *run, const struct variant *variant)
{
    const struct none_run none = {
        .part = run->part,
        .older = run->older,
        .variant = variant,
        .snapshot = run->context.snapshot,
        .broken = run->broken,
        .rows = run->rows,
        .before = run->memory->rows,
    };
    none_prove(&run->none, &none, run->session);
}

static bool complete(struct run *run, const struct variant *variant, struct error *error)
{
    bool is_look = run->context.since;
    if (!nothing_moved(run, error))
        return false;
    if (!is_look)
        prove_none(run, variant);
    if (!nothing_is_missing(run, variant->queries, error) ||
        (collector_is_all_lists(variant) && nothing_read(run, error)))
        return false;
    part_settle(run->part, run->older);
    if (!is_look && run->collector->finish &&
        !run->collector->finish(run->part, &run->context, error))
        return false;
    if (!is_look && run->collector->role == COLLECTOR_DATA)
        cover_complete(run->part, run->older, &run->context,
                       &(struct cover_marks){ .broken = run->broken,
                                              .proved = run->none.subscriptions,
                                              .silent = run->none.silent,
                                              .torn = run->none.torn });
    if (run->context.severity_rates && run->collector->rated)
        rate(run->part, run->context.snapshot);
    run->part->collected_at = run->context.now;
    part_seal(run->part);
    return true;
}

bool collect_run(const struct source *source, const struct variant *variant,
                 struct arm_session *session, const struct collect_context *context,
                 struct part *older, const char *const *scope, size_t scope_count,
                 struct collect_memory *memory, struct collect_result *result, struct error *error)
{
    size_t known;
    subscriptions_known(context->snapshot, source->tenant, &known);
    *result = (struct collect_result){ 0 };
    struct run run = {
        .collector = source->collector,
        .session = session,
        .context = *context,
        .part = part_create(source),
        .older = older,
        .scope = scope,
        .scope_count = scope_count,
        .memory = memory,
        .result = result,
        .broken = MEMORY_ARRAY(bool, known),
    };
    bool ok = true;
    run.part->clouds_out = scope_clouds_out(context->scope);
    const struct query *queries = variant->queries;
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && queries[i].name && ok; i++) {
        run.query = &queries[i];
        run.query_index = i;
        columns_plan_make(&run.plan, queries[i].columns);
        ok = ask_and_check(&run, error);
        heads_finish(&run.heads);
        run.heads = run.next;
        run.next = (struct heads){ 0 };
    }
    heads_finish(&run.heads);
    ok = ok && complete(&run, variant, error);
    result->rows = run.part->rows;
    if (!ok && !pieces_forget(memory) && error->code == ERROR_INCOMPLETE && !memory->empty_runs)
        pieces_learn(queries, memory);
    if (ok) {
        memcpy(memory->rows, run.rows, sizeof memory->rows);
        memory->empty_runs = 0;
        memory->distinct_rows = distinct_rows(&run);
        result->part = run.part;
    } else {
        part_release(run.part);
    }
    arena_finish(&run.scratch);
    none_finish(&run.none);
    columns_plan_finish(&run.plan);
    free(run.broken);
    return ok;
}
