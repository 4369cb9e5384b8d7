#pragma once
/* One run against a small server: collectors whose rows are findings, and what they are asked. */
#include "collectors/run/collect.h"

#include "collectors/azure/graph.h"
#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

/* --- a collector whose rows are findings ------------------------------------------------------ */
struct row {
    const char *id, *subscription_id;
};
static const struct column columns[] = { COLUMN_KEY(struct row, id, "id"),
                                         COLUMN_TEXT(struct row, subscription_id, "subscriptionId"),
                                         { 0 } };

static inline enum odd_reason fold(struct part *part, size_t query, const void *data,
                                   const struct collect_context *context, struct error *error)
{
    const struct row *row = data;
    char id[128];
    snprintf(id, sizeof id, "%zu:%s", query, row->id);
    if (!strcmp(row->id, "poison")) {
        error_set(error, ERROR_PARSE, "poison");
        return ODD_WORD;
    }
    part_add_open(part, &(struct part_row){
                            .row_id = id,
                            .assessment_id = "k",
                            .title = "",
                            .category = "",
                            .assessment_type = "",
                            .subscription_id = context->subscription_id ? context->subscription_id
                                                                        : row->subscription_id,
                            .resource_id = id,
                            .resource_type = "",
                            .risk_factors = "",
                        });
    return ODD_NONE;
}

static bool finish_fails;
static inline bool finish(struct part *part, const struct collect_context *context,
                          struct error *error)
{
    (void)part, (void)context;
    return !finish_fails || error_set(error, ERROR_INCOMPLETE, "it does not add up");
}

static inline void emit(const struct snapshot *snapshot, const struct part *part,
                        struct metric_set *set)
{
    (void)snapshot, (void)part, (void)set;
}
static const struct family *const families[] = { NULL };

#define PARTS_KQL                                                                                  \
    "x\n//{{partitions}} | where hash(id, {{partitions}}) == {{partition}}\n"                      \
    "| order by id asc"

/* A kind of collector with these queries, as a source of a list of its own. */
#define KIND(kind_name, a_role, ...)                                                               \
    static const struct collector kind_name = {                                                    \
        .name = #kind_name,                                                                        \
        .help = "h",                                                                               \
        .role = a_role,                                                                            \
        .default_interval = "15m",                                                                 \
        .variants = { { "only", .queries = { __VA_ARGS__ } } },                                    \
        .families = families,                                                                      \
        .fold = fold,                                                                              \
        .finish = finish,                                                                          \
        .emit = emit,                                                                              \
    }
#define LIST(list_name, list_path, versions, ...)                                                  \
    {                                                                                              \
        .name = list_name, .path = list_path, .api_versions = versions, .columns = columns,        \
        __VA_ARGS__                                                                                \
    }

KIND(graph_kind, COLLECTOR_DATA,
     { .name = "rows", .kql = "x | order by id asc", .columns = columns });
KIND(parts_kind, COLLECTOR_DATA, { .name = "rows", .kql = PARTS_KQL, .columns = columns });
KIND(list_kind, COLLECTOR_REFERENCE, LIST("list", "/list", "2025 2024-preview 2023"));
KIND(expand_kind, COLLECTOR_REFERENCE, LIST("list", "/list?$expand=x", "7"));
KIND(each_kind, COLLECTOR_DATA, LIST("each", "/subscriptions/{subscription}/things", "1"));
KIND(nested_kind, COLLECTOR_DATA, LIST("each", "/subscriptions/{subscription}/things", "2 1"),
     LIST("parts", "{row}/parts", "1", .missing_is_empty = true), LIST("bits", "{row}/bits", "1"));
KIND(posted_kind, COLLECTOR_DATA, LIST("each", "/subscriptions/{subscription}/things", "1"),
     LIST("parts", "{row}/parts", "1", .post = true));
KIND(gentle_kind, COLLECTOR_DATA,
     LIST("each", "/subscriptions/{subscription}/things", "1", .missing_is_empty = true));
KIND(two_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1"), LIST("second", "/second", "1"));
KIND(spare_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1", .optional = true),
     LIST("spare", "/spare", "1", .only_if_empty = true));
KIND(spares_kind, COLLECTOR_REFERENCE, LIST("first", "/first", "1", .optional = true),
     LIST("spare", "/subscriptions/{subscription}/spare", "1", .only_if_empty = true));

/* --- the server --------------------------------------------------------------------------------
 */
struct answer {
    const char *path; /* its start, or a part of the body */
    int status;
    const char *body;
};

struct bench {
    const struct answer *answers;
    struct buf asked; /* "path\n" of every call, "POST path\n" of one without a body */
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct source_list *sources;
    const struct source *source; /* of the kind under test */
    struct snapshot *snapshot;
    struct collect_context context;
    struct collect_memory memory;
    struct collect_result result;
    struct part *older; /* of the last run that was believed */
    struct error error;
};

/* More than any test asks for. */
#define QUOTA "x-ms-user-quota-remaining: 1000\r\nx-ms-user-quota-resets-after: 00:00:05\r\n"

static inline void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct bench *bench = context;
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
        return;
    }
    bool is_list = !strcmp(request->method, "POST") && !*request->body;
    buf_printf(&bench->asked, "%s%s\n", is_list ? "POST " : "", request->path);
    for (const struct answer *at = bench->answers; at->path; at++)
        if (!strncmp(request->path, at->path, strlen(at->path)) ||
            strstr(request->body, at->path)) {
            loopback_reply(out, at->status, QUOTA, at->body);
            return;
        }
    loopback_reply(out, 200, "", "{\"value\":[]}");
}

/* Run a source's first variant, or the last where there are two: discovery by its list alone. */
static inline bool collect(struct bench *bench, const struct source *source, struct part *older)
{
    const struct variant *variants = source->collector->variants;
    buf_reset(&bench->asked);
    buf_text(&bench->asked, "");
    bench->error = (struct error){ 0 };
    return collect_run(source, &variants[variants[1].name != NULL], &bench->session,
                       &bench->context, older, NULL, 0, &bench->memory, &bench->result,
                       &bench->error);
}

static const struct answer discovery[] = {
    { "/subscriptions?", 200,
      "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
      "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"},"
      "{\"subscriptionId\":\"s-3\",\"state\":\"Disabled\"}]}" },
    { 0 },
};
static const struct answer nobody[] = {
    { "/subscriptions?", 200, "{\"value\":[{\"subscriptionId\":\"s-3\",\"state\":\"Disabled\"}]}" },
    { 0 },
};

static inline void discover(struct bench *bench, const struct answer *answers)
{
    const struct source *source = source_list_find(bench->sources, "subscriptions");
    bench->answers = answers;
    CHECK(collect(bench, source, NULL));
    CHECK_TEXT(bench->error.message, "");
    part_release(bench->snapshot->parts[source->index]);
    bench->snapshot->parts[source->index] = bench->result.part;
    bench->memory = (struct collect_memory){ 0 };
}

static inline void set_up(struct bench *bench, const struct collector *kind)
{
    *bench = (struct bench){ .answers = discovery };
    bench->server = loopback_start(answer, bench);
    bench->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = bench->server->url,
    };
    bench->auth = auth_create(&auth, bench->metrics, &bench->error);
    const struct arm_config arm = { .resource_manager = bench->server->url };
    bench->arm = arm_create(&arm, bench->auth, bench->metrics);
    bench->session = (struct arm_session){
        .arm = bench->arm,
        .client = http_client_create(),
        .tries = 1,
        .deadline_ms = clock_monotonic_ms() + 60000,
    };
    bench->sources = source_list_of(
        (const struct collector *const[]){ kind, SOURCE(subscriptions)->collector, NULL });
    bench->source = source_list_find(bench->sources, kind->name);
    bench->snapshot = snapshot_create(bench->sources);
    bench->context = (struct collect_context){
        .now = 1000000,
        .snapshot = bench->snapshot,
        .max_staleness_s = 3600,
    };
    discover(bench, discovery);
}

static inline void tear_down(struct bench *bench)
{
    loopback_stop(bench->server);
    http_client_destroy(bench->session.client);
    arm_destroy(bench->arm);
    auth_destroy(bench->auth);
    metric_store_destroy(bench->metrics);
    part_release(bench->older);
    snapshot_release(bench->snapshot);
    source_list_release(bench->sources);
    buf_finish(&bench->asked);
}
#define BENCH(name, kind)                                                                          \
    CLEANUP(tear_down) struct bench name;                                                          \
    set_up(&name, kind)

/* One run a minute later; what it brought is the older part of the next. */
static inline bool run(struct bench *bench, const struct answer *answers)
{
    bench->answers = answers;
    bench->context.now += 60;
    if (!collect(bench, bench->source, bench->older)) {
        CHECK(!bench->result.part);
        CHECK(bench->error.code != ERROR_NONE);
        return false;
    }
    part_release(bench->older);
    bench->older = bench->result.part;
    return true;
}
#define ANSWERS(...)                                                                               \
    (const struct answer[])                                                                        \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define ROW(id) "{\"id\":\"" id "\"}"
#define VALUE(rows) "{\"value\":[" rows "]}"
#define REFUSED(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"no\"}}"
#define FORBIDDEN REFUSED("AuthorizationFailed")
#define OLD_VERSION REFUSED("InvalidApiVersionParameter")

static inline int64_t findings_of(const struct bench *bench, const char *subscription_id)
{
    int64_t count = 0;
    for (size_t i = 0; i < bench->older->finding_count; i++) {
        struct finding view;
        char scratch[PART_ID_BYTES];
        part_view(bench->older, i, &view, scratch);
        count += !strcmp(view.subscription_id, subscription_id);
    }
    return count;
}

#define GRAPH(total, count, rows)                                                                  \
    "{\"totalRecords\":" total ",\"count\":" count                                                 \
    ",\"resultTruncated\":\"false\",\"data\":[" rows "]}"
