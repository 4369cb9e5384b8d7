#include "collectors/run/answer.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/azure/arm_list.h"
#include "collectors/azure/graph.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/memory.h"

enum {
    QUESTIONS_MAX = 100, /* of one run: their ids fit into one query */
    LISTS_MAX = 20,      /* requests to logs in one run */
    ROWS_MAX = 2000,     /* of one query: who changes more is no news any more */
    LATE_S = 900,        /* until then rows may still come: 3 to 5 minutes, up to 15 */
    REFUSED_S = 86400,
    SUBSCRIPTION_BYTES = 64,
};

/* What one run carries from query to query. */
struct run {
    const struct collector *collector;
    struct arm_session *session;
    struct collect_context context;
    struct part *part;
    struct answer_memory *memory;
    struct asked_list questions;
    struct asked *chosen; /* those a query has to be asked about: context.asked */
    const struct query *query;
    size_t query_index, lists, rows;
    bool full; /* enough rows came */
    struct arena scratch;
    _Alignas(max_align_t) char row[COLUMNS_ROW_BYTES_MAX];
};

void answer_memory_finish(struct answer_memory *memory)
{
    intern_finish(&memory->refused);
    *memory = (struct answer_memory){ 0 };
}

/* The subscription of an id that is safe; "" when it does not fit. */
static const char *subscription_of(const char *resource_id, char out[SUBSCRIPTION_BYTES])
{
    const char *id = resource_id + strlen("/subscriptions/");
    size_t length = strcspn(id, "/");
    length = length < SUBSCRIPTION_BYTES ? length : 0;
    memcpy(out, id, length);
    out[length] = '\0';
    return out;
}

/* --- rows ------------------------------------------------------------------------------------- */
static bool fold_row(void *data, const struct json *json, struct error *error)
{
    static const enum odd_reason reasons[] = { ODD_NONE, ODD_MISSING, ODD_TYPE, ODD_TIME };
    struct run *run = data;
    struct error why = { 0 };
    const char *id = json_text(json_get(json, "id"));
    run->part->rows++;
    enum odd_reason reason =
        reasons[columns_bind(run->query->columns, json, run->row, &run->scratch, &why)];
    if (!reason)
        reason = run->collector->fold(run->part, run->query_index, run->row, &run->context, &why);
    if (reason)
        odd_add(&run->part->odd, reason, id ? id : "", why.message);
    arena_reset(&run->scratch);
    run->full = ++run->rows == ROWS_MAX;
    return !run->full || error_set(error, ERROR_LIMIT, "enough rows");
}

/* --- asking ----------------------------------------------------------------------------------- */

/* From the day before the first that is asked for to after the last. */
static void window(const struct collect_context *context, char from[32], char to[32])
{
    int64_t first = context->asked[0].at, last = first;
    for (size_t i = 1; i < context->asked_count; i++) {
        first = context->asked[i].at < first ? context->asked[i].at : first;
        last = context->asked[i].at > last ? context->asked[i].at : last;
    }
    clock_format_rfc3339(first - ASKED_BEFORE_S, from);
    clock_format_rfc3339(last + ASKED_AFTER_S, to);
}

/* A placeholder and what stands in its place. */
struct filling {
    const char *placeholder, *text;
};

static void fill(const char *text, const struct filling *fillings, struct buf *out)
{
    while (*text) {
        const struct filling *one = fillings;
        while (one->placeholder && strncmp(text, one->placeholder, strlen(one->placeholder)) != 0)
            one++;
        if (one->placeholder)
            buf_text(out, one->text);
        else
            buf_char(out, *text);
        text += one->placeholder ? strlen(one->placeholder) : 1;
    }
}

static bool ask_graph(struct run *run, struct error *error)
{
    CLEANUP(buf_finish) struct buf ids = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(intern_finish) struct intern known = { 0 };
    const char *subscriptions[QUESTIONS_MAX];
    char from[32], to[32], id[SUBSCRIPTION_BYTES];
    for (size_t i = 0; i < run->context.asked_count; i++) {
        const char *resource_id = run->context.asked[i].resource_id;
        subscription_of(resource_id, id);
        intern_put(&known, id, strlen(id));
        buf_printf(&ids, "%s'%s'", i ? ", " : "", resource_id);
    }
    struct graph_query query = { .subscriptions = subscriptions };
    for (uint32_t i = 1; i < known.count; i++)
        subscriptions[query.subscription_count++] = intern_text(&known, i);
    window(&run->context, from, to);
    fill(run->query->kql,
         (const struct filling[]){
             { "{{from}}", from }, { "{{to}}", to }, { "'{{ids}}'", buf_cstr(&ids) }, { 0 } },
         &text);
    query.kql = buf_cstr(&text);
    struct graph_progress progress;
    run->rows = 0;
    run->full = false;
    return graph_query(run->session, &query, fold_row, run, &progress, error) || run->full;
}

/* A right that is missing is said once, and the log of that subscription not asked for a day. */
static void refused(struct run *run, const char *subscription_id, const struct error *error)
{
    struct answer_memory *memory = run->memory;
    if (!memory->refused.count)
        memory->refused_at = run->context.now;
    intern_put(&memory->refused, subscription_id, strlen(subscription_id));
    if (!memory->told)
        log_warn(MSG("the activity log may not be read: who changed what is told without it"),
                 TEXT("collector", run->collector->name), TEXT("subscription_id", subscription_id),
                 TEXT("reason", error_word(error->code)));
    memory->told = true;
}

/* Nobody refuses any more. */
static void readable(struct run *run)
{
    if (run->memory->told && !run->memory->refused.count)
        log_info(MSG("the activity log can be read again"),
                 TEXT("collector", run->collector->name));
    run->memory->told = run->memory->refused.count > 0;
}

static bool is_refused(const struct run *run, const char *subscription_id)
{
    uint32_t number = intern_find(&run->memory->refused, subscription_id, strlen(subscription_id));
    return number && number != UINT32_MAX;
}

/* The log of one resource. False only where no other one would do better. */
static bool ask_log(struct run *run, const struct asked *asked, struct error *error)
{
    CLEANUP(buf_finish) struct buf resource = { 0 };
    CLEANUP(buf_finish) struct buf path = { 0 };
    char from[32], to[32], subscription[SUBSCRIPTION_BYTES];
    struct arm_progress progress;
    struct error why = { 0 };
    subscription_of(asked->resource_id, subscription);
    if (is_refused(run, subscription) || run->lists++ >= LISTS_MAX)
        return true;
    run->context.asked = asked;
    run->context.asked_count = 1;
    window(&run->context, from, to);
    http_escape(&resource, asked->resource_id);
    fill(run->query->path,
         (const struct filling[]){ { "{subscription}", subscription },
                                   { "{from}", from },
                                   { "{to}", to },
                                   { "{resource}", buf_cstr(&resource) },
                                   { 0 } },
         &path);
    buf_printf(&path, "&api-version=%s", run->query->api_versions);
    run->rows = 0;
    run->full = false;
    int tries = run->session->tries;
    run->session->tries = 1;
    const struct arm_list list = { .api = ARM_LIST, .path = buf_cstr(&path) };
    bool ok = arm_list(run->session, &list, fold_row, run, &progress, &why) || run->full;
    run->session->tries = tries;
    if (!ok && (why.code == ERROR_CANCELLED || why.code == ERROR_AUTH)) {
        *error = why;
        return false;
    }
    if (ok)
        readable(run);
    else if (why.code == ERROR_FORBIDDEN)
        refused(run, subscription, &why);
    else
        log_debug(MSG("an activity log cannot be read"), TEXT("collector", run->collector->name),
                  TEXT("reason", error_word(why.code)), TEXT("err", why.message));
    return true;
}

static bool ask_logs(struct run *run, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!ask_log(run, &run->chosen[i], error))
            return false;
    return true;
}

/* Ask the query of this run about those who need it. */
static bool ask(struct run *run, struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < run->questions.count; i++)
        if (run->collector->asks(run->part, run->query_index, &run->questions.items[i],
                                 &run->context))
            run->chosen[count++] = run->questions.items[i];
    run->context.asked = run->chosen;
    run->context.asked_count = count;
    if (!count || (run->query->kql ? ask_graph(run, error) : ask_logs(run, count, error)))
        return true;
    return error_wrap(error, "%s", run->query->name);
}

/* --- a run ------------------------------------------------------------------------------------ */

/* Let them wait: for the next run after one that failed, else until no row is late any more. */
static void put_back(const struct run *run, struct asked_board *board, bool failed)
{
    for (size_t i = 0; i < run->questions.count; i++) {
        struct asked asked = run->questions.items[i];
        bool late = run->context.now < asked.at + LATE_S;
        asked.not_before = failed ? run->context.now : asked.at + LATE_S;
        if (failed || late)
            asked_board_add(board, &asked);
    }
}

static bool complete(struct run *run, struct error *error)
{
    run->context.asked = run->questions.items;
    run->context.asked_count = run->questions.count;
    part_settle(run->part, NULL);
    if (!run->collector->finish(run->part, &run->context, error))
        return false;
    run->part->collected_at = run->context.now;
    part_seal(run->part);
    return true;
}

static void try_refused_again(struct answer_memory *memory, int64_t now)
{
    if (!memory->refused.count || now - memory->refused_at < REFUSED_S)
        return;
    intern_finish(&memory->refused);
    memory->refused = (struct intern){ 0 };
}

bool answer_run(const struct source *source, const struct variant *variant,
                struct arm_session *session, const struct collect_context *context,
                struct asked_board *board, struct answer_memory *memory,
                struct collect_result *result, struct error *error)
{
    struct run run = {
        .collector = source->collector,
        .session = session,
        .context = *context,
        .part = part_create(source),
        .memory = memory,
        .chosen = MEMORY_ARRAY(struct asked, QUESTIONS_MAX),
    };
    bool ok = true;
    *result = (struct collect_result){ 0 };
    try_refused_again(memory, context->now);
    asked_board_take(board, source->tenant, context->now, QUESTIONS_MAX, &run.questions);
    for (size_t i = 0; i < COLLECTOR_QUERIES_MAX && variant->queries[i].name && ok; i++) {
        run.query = &variant->queries[i];
        run.query_index = i;
        ok = ask(&run, error);
    }
    ok = ok && complete(&run, error);
    put_back(&run, board, !ok);
    result->rows = run.part->rows;
    if (ok)
        result->part = run.part;
    else
        part_release(run.part);
    asked_list_finish(&run.questions);
    arena_finish(&run.scratch);
    free(run.chosen);
    return ok;
}
