/* A collector written by the recipe (a struct, columns, fold, emit, nothing else), run against a
 * server: what cannot be read stays as it was, what broke leaves nothing behind. */
#include "collectors/azure/graph.h"
#include "collectors/collector.h"
#include "collectors/run/collect.h"
#include "collectors/subscriptions.h"
#include "core/clock.h"
#include "loopback.h"
#include "sources.h"
#include "test.h"

/* --- the collector ---------------------------------------------------------------------------- */
struct row {
    const char *id, *subscription_id;
    double size;
};
static const struct column columns[] = {
    COLUMN_KEY   (struct row, id,              "id"),
    COLUMN_TEXT  (struct row, subscription_id, "subscriptionId"),
    COLUMN_NUMBER(struct row, size,            "size"),
    { 0 }
};

struct thing {
    const char *subscription_id, *id;
    double size;
};
struct count {
    uint64_t things, parts;
};
static const struct kept_kind things = {
    KEPT_ROWS(struct thing), .texts = { KEPT_TEXT(struct thing, id) },
};
static const struct kept_kind counts = { KEPT_COUNTS(struct count) };

enum { QUERY_THINGS, QUERY_PARTS };

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)error;
    const struct row *row = data;
    const char *subscription =
        context->subscription_id ? context->subscription_id : row->subscription_id;
    struct count *count = part_count(part, &counts, subscription);
    if (query == QUERY_PARTS) {
        count->parts++;
        return ODD_NONE;
    }
    count->things++;
    if (row->size < 0) {
        part_add_closed(part, subscription, row->id, REASON_FIXED);
        return ODD_NONE;
    }
    part->truncated = part->truncated || row->size > 100;
    part_add_row(part, &things, subscription, &(struct thing){ .id = row->id, .size = row->size });
    part_add_open(part, &(struct part_row){
        .row_id = row->id, .assessment_id = "k", .title = "", .category = "",
        .assessment_type = "", .subscription_id = subscription, .resource_id = row->id,
        .resource_type = "", .risk_factors = "",
    });
    return ODD_NONE;
}

static const struct family_2 thing_size = {
    .name = "size", .type = METRIC_GAUGE, .help = "Size.", LABELS("subscription", "id"),
};
static const struct family_1 thing_count = {
    .name = "things", .type = METRIC_GAUGE, .help = "Things.", LABELS("subscription"),
};
static const struct family_1 part_counts = {
    .name = "parts", .type = METRIC_GAUGE, .help = "Parts.", LABELS("subscription"),
};
static const struct family *const families[] = {
    &thing_size.family, &thing_count.family, &part_counts.family, NULL,
};

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    size_t count;
    const struct thing *thing = part_rows(part, &things, &count);
    for (size_t i = 0; i < count; i++, thing++)
        metric_add(set, &thing_size, thing->size, METRIC_LABELS(thing->subscription_id, thing->id));
    for (size_t i = 0; i < part->cover_count; i++) {
        const struct count *counted = part_counted(part, &counts, i);
        const char *id = part->cover[i].subscription_id;
        if (!part->cover[i].collected_at)
            continue;
        metric_add(set, &thing_count, (double)counted->things, METRIC_LABELS(id));
        metric_add(set, &part_counts, (double)counted->parts, METRIC_LABELS(id));
    }
}

enum { VARIANT_LISTS, VARIANT_GRAPH };

static const struct collector recipe = {
    .name = "recipe",
    .help = "Things.",
    .default_interval = "15m",
    .variants = {
        { "lists", .queries = {
            { .name = "things", .path = "/subscriptions/{subscription}/things",
              .api_versions = "1", .columns = columns },
            { .name = "parts", .path = "/subscriptions/{subscription}/parts",
              .api_versions = "1", .columns = columns },
        } },
        { "graph", .queries = {
            { .name = "things", .kql = "things | order by id asc", .optional = true,
              .columns = columns },
        } },
    },
    .families = families,
    .fold = fold,
    .emit = emit,
};

/* --- the server: answers by path; everything else is an empty list ---------------------------- */
struct answer {
    const char *path; /* the start of it */
    int status;
    const char *body;
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    if (strstr(request->path, "/oauth2/v2.0/token")) {
        loopback_reply(out, 200, "", "{\"expires_in\":3599,\"access_token\":\"token-number-1\"}");
        return;
    }
    const struct answer *const *answers = context;
    for (const struct answer *at = *answers; at->path; at++)
        if (!strncmp(request->path, at->path, strlen(at->path))) {
            loopback_reply(out, at->status, "", at->body);
            return;
        }
    loopback_reply(out, 200, "", "{\"value\":[]}");
}

struct scene {
    const struct answer *answers;
    struct loopback *server;
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
    struct source_list *sources;
    const struct source *source; /* of the recipe */
    struct snapshot *snapshot;
    struct collect_context context;
    struct collect_memory memory;
    struct part *part; /* of the last run that was believed */
    struct buf text;
};

static void discover(struct scene *scene, int variant)
{
    const struct source *source = source_list_find(scene->sources, "subscriptions");
    struct error error = { 0 };
    struct collect_result result;
    struct collect_memory memory = { 0 };
    CHECK(collect_run(source, &source->collector->variants[variant], &scene->session,
                      &scene->context, NULL, NULL, 0, &memory, &result, &error));
    part_release(scene->snapshot->parts[source->index]);
    scene->snapshot->parts[source->index] = result.part;
}

#define SUBSCRIPTIONS \
    { "/subscriptions?", 200, "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"}," \
                              "{\"subscriptionId\":\"S-2\",\"state\":\"Enabled\"}," \
                              "{\"subscriptionId\":\"s-3\",\"state\":\"Enabled\"}]}" }

static void start(struct scene *scene)
{
    static const struct answer known[] = { SUBSCRIPTIONS, { 0 } };
    *scene = (struct scene){ .answers = known };
    struct error error = { 0 };
    scene->server = loopback_start(answer, &scene->answers);
    scene->metrics = metric_store_create();
    const struct auth_config auth = {
        .tenant_id = "t", .client_id = "c", .client_secret = TEST_SECRET("correct~horse+battery"),
        .authority_host = scene->server->url,
    };
    scene->auth = auth_create(&auth, scene->metrics, &error);
    const struct arm_config arm = { .resource_manager = scene->server->url };
    scene->arm = arm_create(&arm, scene->auth, scene->metrics);
    scene->session = (struct arm_session){
        .arm = scene->arm, .client = http_client_create(), .tries = 1,
        .deadline_ms = clock_monotonic_ms() + 60000,
    };
    scene->sources = source_list_of(
        (const struct collector *const[]){ &recipe, SOURCE(subscriptions)->collector, NULL });
    scene->source = source_list_find(scene->sources, "recipe");
    scene->snapshot = snapshot_create(scene->sources);
    scene->context = (struct collect_context){
        .now = 1000000, .snapshot = scene->snapshot, .max_staleness_s = 3600,
    };
    discover(scene, 1);
}

static void finish(struct scene *scene)
{
    loopback_stop(scene->server);
    http_client_destroy(scene->session.client);
    arm_destroy(scene->arm);
    auth_destroy(scene->auth);
    metric_store_destroy(scene->metrics);
    part_release(scene->part);
    snapshot_release(scene->snapshot);
    source_list_release(scene->sources);
    buf_finish(&scene->text);
}

/* One run a minute later; "name{values} value\n" for every sample of what it brought. */
static const char *run(struct scene *scene, int variant, const struct answer *answers)
{
    struct collect_result result;
    struct error error = { 0 };
    scene->answers = answers;
    scene->context.now += 60;
    CHECK(collect_run(scene->source, &recipe.variants[variant], &scene->session, &scene->context,
                      scene->part, NULL, 0, &scene->memory, &result, &error));
    part_release(scene->part);
    scene->part = result.part;
    struct metric_set set = { .max_level = 0 };
    emit(scene->snapshot, scene->part, &set);
    metric_set_sort(&set);
    buf_reset(&scene->text);
    for (size_t i = 0; i < set.count; i++) {
        const struct sample *sample = &set.samples[i];
        buf_printf(&scene->text, "%s{%s%s%s} %g\n", sample->family->name, sample->values[0],
                   sample->family->labels[1] ? "," : "",
                   sample->family->labels[1] ? sample->values[1] : "", sample->value);
    }
    metric_set_finish(&set);
    return buf_cstr(&scene->text);
}

/* --- the tests -------------------------------------------------------------------------------- */
#define THING(id, size) "{\"id\":\"" id "\",\"size\":" size "}"
#define PARTS_1 { "/subscriptions/s-1/parts", 200, "{\"value\":[" THING("q", "0") "]}" }
#define THINGS_1 { "/subscriptions/s-1/things", 200, "{\"value\":[" THING("a", "1") "]}" }
#define THINGS_2 \
    { "/subscriptions/s-2/things", 200, "{\"value\":[" THING("b", "2") "," THING("c", "3") "]}" }
#define THINGS_3 { "/subscriptions/s-3/things", 200, "{\"value\":[" THING("d", "4") "]}" }
#define PARTS_2 { "/subscriptions/s-2/parts", 200, "{\"value\":[" THING("p", "0") "]}" }
#define FORBIDDEN "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}"

static const struct answer all_well[] = { THINGS_1, THINGS_2, THINGS_3, PARTS_1, PARTS_2,
                                         { 0 } };
static const char all_well_text[] =
    "size{s-1,a} 1\nsize{s-2,b} 2\nsize{s-2,c} 3\nsize{s-3,d} 4\n"
    "things{s-1} 1\nthings{s-2} 2\nthings{s-3} 1\nparts{s-1} 1\nparts{s-2} 1\nparts{s-3} 0\n";
static const char without_2[] = "size{s-1,a} 1\nsize{s-3,d} 4\n"
                                "things{s-1} 1\nthings{s-3} 1\nparts{s-1} 1\nparts{s-3} 0\n";

TEST(a_denied_subscription_keeps_every_series)
{
    static const struct answer denied[] = {
        THINGS_1, PARTS_1, { "/subscriptions/s-2/", 403, FORBIDDEN }, THINGS_3, { 0 },
    };
    CLEANUP(finish) struct scene scene;
    start(&scene);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, all_well), all_well_text);
    for (int i = 0; i < 2; i++) { /* what was carried is carried again */
        CHECK_TEXT(run(&scene, VARIANT_LISTS, denied), all_well_text);
        CHECK_INT(scene.part->finding_count, 4);
        CHECK(part_cover_find(scene.part, "s-2")->carried);
    }
    CHECK_TEXT(run(&scene, VARIANT_LISTS, all_well), all_well_text);
    CHECK(!part_cover_find(scene.part, "s-2")->carried);
    scene.context.now += 3600;
    CHECK_TEXT(run(&scene, VARIANT_LISTS, denied), without_2);
}

TEST(a_list_that_breaks_in_a_page_leaves_none_of_its_rows)
{
    static const struct answer broken[] = {
        THINGS_1,
        PARTS_1,
        { "/subscriptions/s-2/things", 200,
          "{\"value\":[" THING("x", "8") "," THING("b", "900") ",{\"size\":1" },
        THINGS_3,
        PARTS_2,
        { 0 },
    };
    CLEANUP(finish) struct scene scene;
    start(&scene);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, broken), without_2);
    CHECK_INT(scene.part->finding_count, 2);
    CHECK(!scene.part->truncated);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, all_well), all_well_text);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, broken), all_well_text);
    CHECK_INT(scene.part->finding_count, 4);
}

TEST(a_second_list_that_breaks_takes_the_first_with_it)
{
    static const struct answer broken[] = {
        THINGS_1,
        PARTS_1,
        { "/subscriptions/s-2/things", 200, "{\"value\":[" THING("b", "7") "]}" },
        THINGS_3,
        { "/subscriptions/s-2/parts", 200, "{\"value\":[" THING("p", "0") ",{" },
        { 0 },
    };
    CLEANUP(finish) struct scene scene;
    start(&scene);
    run(&scene, VARIANT_LISTS, all_well);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, broken), all_well_text);
    CHECK_INT(scene.part->finding_count, 4);
}

TEST(what_one_list_closed_gives_way_when_another_breaks)
{
    static const struct answer broken[] = {
        THINGS_1, PARTS_1,
        { "/subscriptions/s-2/things", 200, "{\"value\":[" THING("c", "-1") "]}" },
        THINGS_3,
        { "/subscriptions/s-2/parts", 403, FORBIDDEN },
        { 0 },
    };
    CLEANUP(finish) struct scene scene;
    start(&scene);
    run(&scene, VARIANT_LISTS, all_well);
    CHECK_TEXT(run(&scene, VARIANT_LISTS, broken), all_well_text);
    CHECK_INT(scene.part->finding_count, 4);
    CHECK_INT(scene.part->closed_count, 0);
}

TEST(an_optional_query_that_breaks_leaves_none_of_its_rows)
{
    static const struct answer broken[] = {
        { "/providers/Microsoft.ResourceGraph", 200,
          "{\"totalRecords\":3,\"count\":3,\"resultTruncated\":\"false\",\"data\":["
          "{\"id\":\"a\",\"subscriptionId\":\"s-1\",\"size\":1},"
          "{\"id\":\"z\",\"subscriptionId\":\"s-9\",\"size\":1},{" },
        { 0 },
    };
    CLEANUP(finish) struct scene scene;
    start(&scene);
    run(&scene, VARIANT_LISTS, all_well);
    CHECK_TEXT(run(&scene, VARIANT_GRAPH, broken), all_well_text);
    CHECK_INT(scene.part->finding_count, 4);
    CHECK_INT(scene.part->rows, 0);
    CHECK(!part_cover_find(scene.part, "s-9"));
}

/* Half of what Resource Graph shows would deny the other half. */
TEST(a_discovery_that_breaks_in_resource_graph_denies_nobody)
{
#define SHOWN(more) \
    { SUBSCRIPTIONS, \
      { "/providers/Microsoft.ResourceGraph", 200, \
        "{\"totalRecords\":2,\"count\":2,\"resultTruncated\":\"false\",\"data\":[" \
        "{\"subscriptionId\":\"S-1\",\"managementGroup\":\"mg\"}," more "]}" }, \
      { 0 } }
    static const struct answer whole[] = SHOWN("{\"subscriptionId\":\"s-3\"}");
    static const struct answer broken[] = SHOWN("{");
    CLEANUP(finish) struct scene scene;
    start(&scene);
    scene.answers = broken;
    discover(&scene, 0);
    CHECK_INT(subscriptions_find(scene.snapshot, "s-2")->state, SUBSCRIPTION_VISIBLE);
    CHECK_TEXT(subscriptions_find(scene.snapshot, "s-1")->management_group, "");
    scene.answers = whole;
    discover(&scene, 0);
    CHECK_INT(subscriptions_find(scene.snapshot, "s-2")->state, SUBSCRIPTION_DENIED);
    CHECK_INT(subscriptions_find(scene.snapshot, "s-3")->state, SUBSCRIPTION_VISIBLE);
    CHECK_TEXT(subscriptions_find(scene.snapshot, "s-1")->management_group, "mg");
}
