#include "collectors/activity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/bounds.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector activity_collector;

enum {
    TABLE_S = 14 * 86400, /* how long the tables keep a change: Resource changes specification */
    LOG_S = 89 * 86400,   /* how far back the activity log is read: 90 days */
    KEEP_S = 86400,       /* an answer, for what is told again */
    ANSWERS_MAX = 1000,
    NEAR_S = 3600, /* a date that was corrected by so much is of the same life of a finding */
};

const char *const activity_by_words[] = { "user", "service principal", "azure", "other", NULL };

/* --- rows ------------------------------------------------------------------------------------- */

struct row {
    const char *resource_id, *kind, *caller, *caller_type, *operation, *status;
    int64_t at;
};

/* clang-format off */
static const struct column change_columns[] = {
    COLUMN_KEY(struct row, resource_id, "resourceId"),
    COLUMN_TIME(struct row, at, "changeTime"),
    COLUMN_TEXT(struct row, kind, "changeType"),
    COLUMN_ID(struct row, caller, "changedBy"),
    COLUMN_TEXT(struct row, caller_type, "changedByType"),
    COLUMN_ID(struct row, operation, "operation"),
    { 0 }
};

/* Of an event nothing else is asked for: its claims and its request hold addresses and more. */
static const struct column event_columns[] = {
    COLUMN_TIME(struct row, at, "eventTimestamp"),
    COLUMN_ID(struct row, caller, "caller"),
    COLUMN_ID(struct row, operation, "operationName.value"),
    COLUMN_TEXT(struct row, status, "status.value"),
    { 0 }
};
/* clang-format on */

enum { QUERY_CHANGES, QUERY_CONTAINERS, QUERY_LOG };

static bool is_person(enum activity_by by)
{
    return by == ACTIVITY_USER || by == ACTIVITY_PRINCIPAL;
}

/* In the tables. source: Microsoft Learn, Get resource changes. */
static enum activity_by by_type(const char *type)
{
    static const char *const types[] = { "User", "Application", "System" };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (!strcasecmp(type, types[i]))
            return (enum activity_by)i;
    return ACTIVITY_OTHER;
}

/* In the log: an address of people, an object id of programs, nothing of Azure itself. */
static enum activity_by by_caller(const char *caller)
{
    return !*caller ? ACTIVITY_AZURE : strchr(caller, '@') ? ACTIVITY_USER : ACTIVITY_PRINCIPAL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && !strcasecmp(text + length - wanted, end);
}

/* Whether an event of the log changed something: one operation is several events, of which the
 * last says how it ended. */
static bool is_change(const struct row *row)
{
    return !strcasecmp(row->status, "Succeeded") &&
           (ends_with(row->operation, "/write") || ends_with(row->operation, "/delete") ||
            ends_with(row->operation, "/action"));
}

/* --- answers ---------------------------------------------------------------------------------- */

struct answer {
    const char *resource_id; /* texts are the part's */
    int64_t at;              /* of the question */
    int64_t answered_at;
    struct activity_change changes[ACTIVITY_CHANGES_MAX];
    size_t count;
};

struct own {
    struct answer *answers;
    size_t count, capacity;
    bool callers;
};

static void own_finish(void *data)
{
    struct own *own = data;
    free(own->answers);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static const struct own *own_in(const struct part *part)
{
    bool ours = part && part->source->collector == &activity_collector;
    return ours ? part->own : NULL;
}

static struct answer *find(const struct own *own, const char *resource_id, int64_t at)
{
    for (size_t i = 0; i < own->count; i++)
        if (own->answers[i].at == at && !strcmp(own->answers[i].resource_id, resource_id))
            return &own->answers[i];
    return NULL;
}

/* The answer to a question, new when there is none. */
static struct answer *answer_of(struct part *part, const struct asked *asked, int64_t now)
{
    struct own *own = own_of(part);
    struct answer *known = find(own, asked->resource_id, asked->at);
    if (known)
        return known;
    MEMORY_GROW(own->answers, own->count, own->capacity);
    own->answers[own->count] = (struct answer){
        .resource_id = part_keep(part, asked->resource_id),
        .at = asked->at,
        .answered_at = now,
    };
    return &own->answers[own->count++];
}

static bool comes_before(const struct activity_change *left, const struct activity_change *right)
{
    if (is_person(left->by) != is_person(right->by))
        return is_person(left->by);
    return left->at > right->at;
}

static bool is_same(const struct activity_change *left, const struct activity_change *right)
{
    return left->by == right->by && !strcmp(left->caller, right->caller) &&
           !strcasecmp(left->operation, right->operation) && !strcmp(left->kind, right->kind);
}

/* Of what the same did several times the last is kept. */
static void add_change(struct answer *answer, const struct activity_change *change)
{
    size_t place = 0;
    while (place < answer->count && !is_same(&answer->changes[place], change))
        place++;
    if (place < answer->count && answer->changes[place].at >= change->at)
        return;
    if (place == ACTIVITY_CHANGES_MAX) {
        place--;
        if (!comes_before(change, &answer->changes[place]))
            return;
    } else if (place == answer->count) {
        answer->count++;
    }
    for (; place && comes_before(change, &answer->changes[place - 1]); place--)
        answer->changes[place] = answer->changes[place - 1];
    answer->changes[place] = *change;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "Unspecified" is what Azure says of what it did itself. */
static const char *operation_of(const struct row *row)
{
    return strcasecmp(row->operation, "Unspecified") ? row->operation : "";
}

static bool is_about(const struct asked *asked, size_t query, const struct row *row)
{
    return row->at >= asked->at - ASKED_BEFORE_S && row->at <= asked->at + ASKED_AFTER_S &&
           (query == QUERY_LOG || !strcasecmp(asked->resource_id, row->resource_id));
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    if (!row->at) {
        error_set(error, ERROR_PARSE, "it does not say when");
        return ODD_MISSING;
    }
    if (query == QUERY_LOG && !is_change(row))
        return ODD_NONE;
    enum activity_by by = query == QUERY_LOG ? by_caller(row->caller) : by_type(row->caller_type);
    struct activity_change change = {
        .at = row->at,
        .by = by,
        .caller = context->callers && is_person(by) ? part_keep(part, row->caller) : "",
        .operation = part_keep(part, operation_of(row)),
        .kind = query == QUERY_LOG ? "" : part_keep_lower(part, row->kind),
    };
    for (size_t i = 0; i < context->asked_count; i++)
        if (is_about(&context->asked[i], query, row))
            add_change(answer_of(part, &context->asked[i], context->now), &change);
    return ODD_NONE;
}

/* A row that cannot be read says nothing, and nothing is concluded from that. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)part, (void)query, (void)data, (void)context;
}

/* Subscriptions and groups have a table of their own. */
static bool is_container(const char *resource_id)
{
    return !strstr(resource_id, "/providers/");
}

/* The tables first, for many at once; the log where they name nobody. */
static bool asks(const struct part *part, size_t query, const struct asked *asked,
                 const struct collect_context *context)
{
    int64_t age_s = context->now - asked->at;
    if (query != QUERY_LOG)
        return age_s < TABLE_S && is_container(asked->resource_id) == (query == QUERY_CONTAINERS);
    const struct own *own = own_in(part);
    const struct answer *answer = own ? find(own, asked->resource_id, asked->at) : NULL;
    return age_s < LOG_S && !(answer && answer->count && is_person(answer->changes[0].by));
}

/* Go on with an answer of before. */
static void keep(struct part *part, const struct answer *before)
{
    const struct asked asked = { "", before->resource_id, before->at, 0 };
    struct answer *answer = answer_of(part, &asked, before->answered_at);
    for (size_t i = 0; i < before->count; i++) {
        struct activity_change change = before->changes[i];
        change.caller = part_keep(part, change.caller);
        change.operation = part_keep(part, change.operation);
        change.kind = part_keep(part, change.kind);
        add_change(answer, &change);
    }
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    struct own *own = own_of(part);
    const struct own *older = own_in(snapshot_part(context->snapshot, part->source));
    own->callers = context->callers;
    for (size_t i = 0; i < context->asked_count; i++)
        answer_of(part, &context->asked[i], context->now);
    for (size_t i = 0; older && i < older->count && own->count < ANSWERS_MAX; i++) {
        const struct answer *before = &older->answers[i];
        if (older->callers == own->callers && context->now - before->answered_at < KEEP_S &&
            !find(own, before->resource_id, before->at))
            keep(part, before);
    }
    return true;
}

/* --- between runs of the program -------------------------------------------------------------- */
static void save_change(struct json_writer *writer, const struct activity_change *change)
{
    json_open(writer, NULL, '{');
    json_add_integer(writer, "at", change->at);
    json_add_text(writer, "by", activity_by_words[change->by]);
    json_add_text(writer, "caller", change->caller);
    json_add_text(writer, "operation", change->operation);
    json_add_text(writer, "kind", change->kind);
    json_close(writer, '}');
}

static void save(const struct part *part, struct buf *out)
{
    const struct own *own = part->own;
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    json_add_bool(&writer, "callers", own && own->callers);
    json_open(&writer, "answers", '[');
    for (size_t i = 0; own && i < own->count; i++) {
        const struct answer *answer = &own->answers[i];
        json_open(&writer, NULL, '{');
        json_add_text(&writer, "resource", answer->resource_id);
        json_add_integer(&writer, "at", answer->at);
        json_add_integer(&writer, "answered_at", answer->answered_at);
        json_open(&writer, "changes", '[');
        for (size_t n = 0; n < answer->count; n++)
            save_change(&writer, &answer->changes[n]);
        json_close(&writer, ']');
        json_close(&writer, '}');
    }
    json_close(&writer, ']');
    json_close(&writer, '}');
}

static int64_t instant(const struct json *object, const char *name)
{
    return bounds_number(BOUND_INSTANT, json_number(json_get(object, name), 0));
}

/* "" when there is none. */
static const char *text(struct part *part, const struct json *object, const char *name)
{
    const char *said = json_text(json_get(object, name));
    return part_keep(part, said ? said : "");
}

static void load_answer(struct part *part, const struct json *saved)
{
    const struct asked asked = { "", text(part, saved, "resource"), instant(saved, "at"), 0 };
    struct answer *answer = answer_of(part, &asked, instant(saved, "answered_at"));
    const struct json *changes = json_get(saved, "changes");
    for (const struct json *item = json_first(changes); item; item = json_next(item)) {
        struct activity_change change = {
            .at = instant(item, "at"),
            .caller = own_of(part)->callers ? text(part, item, "caller") : "",
            .operation = text(part, item, "operation"),
            .kind = text(part, item, "kind"),
        };
        const char *by = text(part, item, "by");
        while (change.by < ACTIVITY_OTHER && strcmp(by, activity_by_words[change.by]) != 0)
            change.by++;
        add_change(answer, &change);
    }
}

static bool load(struct part *part, const struct json *saved, struct error *error)
{
    struct own *own = own_of(part);
    const struct json *answers = json_get(saved, "answers");
    if (!answers)
        return error_set(error, ERROR_PARSE, "it has no answers");
    own->callers = json_bool(json_get(saved, "callers"), false);
    for (const struct json *item = json_first(answers); item && own->count < ANSWERS_MAX;
         item = json_next(item))
        load_answer(part, item);
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */

size_t activity_around(const struct snapshot *snapshot, const char *resource_id, int64_t at,
                       const struct activity_change **changes)
{
    const struct answer *best = NULL;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct own *own = own_in(snapshot->parts[i]);
        for (size_t n = 0; own && n < own->count; n++) {
            const struct answer *answer = &own->answers[n];
            if (llabs(answer->at - at) <= NEAR_S && !strcmp(answer->resource_id, resource_id) &&
                (!best || llabs(answer->at - at) < llabs(best->at - at)))
                best = answer;
        }
    }
    *changes = best ? best->changes : NULL;
    return best ? best->count : 0;
}

/* --- the collector ---------------------------------------------------------------------------- */

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set; /* who did what is for messages, never for metrics */
}

static const struct family *const families[] = { NULL };

/* In this form Azure takes the filter: Activity Logs - List. */
#define LOG                                                                                        \
    "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"      \
    "?$filter=eventTimestamp%20ge%20'{from}'%20and%20eventTimestamp%20le%20'{to}'"                 \
    "%20and%20resourceUri%20eq%20'{resource}'"                                                     \
    "&$select=eventTimestamp,operationName,status,caller"

const struct collector activity_collector = {
    .name = "activity",
    .words = "changes of resources",
    .help = "Who changed a resource around the instant a finding opened or ended, for its message: "
            "asked only about findings that are told. Names and addresses are left out unless "
            "`alerts.callers` wants them.",
    .default_interval = "15m",
    .role = COLLECTOR_ANSWERS,
    .order = 900, /* behind what is built in, before what is not */
    .rights = { "changes of the resources that findings are told of, and their activity log",
                "Reader", "*/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "activity_changes_rows", .kql = kql_activity_changes_rows,
              .columns = change_columns },
            { .name = "activity_containers_rows", .kql = kql_activity_containers_rows,
              .columns = change_columns },
            { .name = "activity_log", .path = LOG, .api_versions = "2015-04-01",
              .columns = event_columns, .optional = true },
        } },
    },
    .families = families,
    .fold = fold,
    .odd = odd,
    .asks = asks,
    .finish = finish,
    .emit = emit,
    .save = save,
    .load = load,
};
