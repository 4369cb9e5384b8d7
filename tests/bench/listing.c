/* What listing alerts costs: makes a database of findings that fire and of silences, asks
 * Alertmanager's API as amtool and Grafana do, and says how much of the processor and of memory
 * each answer took; exits 1 above the limits. With few alerts it is a test of the pieces instead.
 * With ONLY one answer alone is asked for: alerts, alerts/groups or silences.
 *
 *   BENCH_LISTING="ALERTS SILENCES RUNS [ONLY]" build/release/bench_listing   (50000 1000 3) */
#include <sys/resource.h>
#include <unistd.h>

#include "../unit/alerts_world.h"
#include "alerts/api/api.h"
#include "alerts/api/api_listing.h"
#include "alerts/notify/silence.h"
#include "core/hash.h"

enum {
    CPU_MS_MAX = 300,
    MEMORY_KIB_MAX = 8 * 1024,
    SUBSCRIPTIONS = 20,
    KEYS = 50,
    COMPARED_MAX = 1000
};

static const char settings_yaml[] =
    "ledger: { ruler_subscriptions: 1000000, ruler_findings: 1000000 }\n"
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: [alertname, subscription_id] }\n";

static const char *uuid_of(unsigned number, char out[37])
{
    snprintf(out, 37, "%08x-1f2e-4d3c-8b4a-%012x", number * 2654435761u, number);
    return out;
}

/* --- the database ------------------------------------------------------------------------------
 */

static void publish(struct scene *scene, unsigned alerts)
{
    char subscriptions[SUBSCRIPTIONS][37], keys[KEYS][37];
    const char *cover[SUBSCRIPTIONS + 1] = { NULL };
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
        cover[i] = uuid_of(i, subscriptions[i]);
    for (unsigned i = 0; i < KEYS; i++)
        uuid_of(1000 + i, keys[i]);
    struct part *part = world_part(SOURCE(assessments), cover);
    for (unsigned i = 0; i < alerts; i++) {
        char name[32];
        snprintf(name, sizeof name, "vm-prod-west-%06u", i);
        world_open(part, name, keys[i % KEYS], subscriptions[i % SUBSCRIPTIONS],
                   RISK_CRITICAL + i % 3);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
    part_acquire(part);
    snapshot_publish(scene->store, SOURCE(assessments), part,
                     &scene->world.snapshot->status[SOURCE(assessments)->index]);
}

/* As people and scripts make them: of one resource, of a recommendation in a subscription, of
 * resources by name in a subscription, and a few of a name anywhere. */
static void add_silences(struct scene *scene, unsigned silences, unsigned alerts)
{
    struct error error;
    CHECK(database_begin(scene->world.database, &error));
    for (unsigned i = 0; i < silences; i++) {
        char id[37], subscription[37], key[37];
        CLEANUP(buf_finish) struct buf matchers = { 0 };
        uuid_of(i % SUBSCRIPTIONS, subscription);
        uuid_of(1000 + i % KEYS, key);
        if (i % 200 == 0)
            buf_printf(&matchers, "{resource_name=~\"vm-test-%u.*\"}", i);
        else if (i % 10 == 1)
            buf_printf(&matchers, "{subscription_id=\"%s\",resource_name=~\"vm-prod-.*-%06u\"}",
                       subscription, i);
        else if (i % 10 < 4)
            buf_printf(&matchers, "{assessment_id=\"%s\",subscription_id=\"%s\",team=\"%u\"}", key,
                       subscription, i);
        else
            buf_printf(&matchers, "{alertname=\"Opened\",resource_name=\"vm-prod-west-%06u\"}",
                       i * 37 % alerts);
        struct database_statement *statement = database_prepare(
            scene->world.database, "INSERT INTO silence (id, matchers, starts_at, ends_at,"
                                   " updated_at, created_by, comment)"
                                   " VALUES ($1, $2, 1, $3, 1, 'bench', 'known')");
        database_bind(statement, hash_uuid(id), buf_cstr(&matchers), scene->world.now + 86400 + i);
        CHECK(database_run(statement, &error));
    }
    CHECK(database_commit(scene->world.database, &error));
}

/* --- measuring ---------------------------------------------------------------------------------
 */

static double cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static long status_kib(const char *name)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, name, strlen(name)))
            kib = strtol(line + strlen(name) + 1, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* From here on VmHWM is the most there was since. */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

struct cost {
    double cpu_ms;
    long memory_kib;
    size_t bytes;
};

/* As the server sends them: each is gone before the next is made. */
static size_t take_pieces(const struct api_context *context, const struct api_request *request,
                          struct buf *out)
{
    struct error error;
    size_t bytes = 0;
    int status = 200;
    struct api_listing *listing = api_listing_open(context, request, out, &status);
    CHECK_INT(status, 200);
    for (bool more = listing; more; bytes += out->length) {
        buf_reset(out);
        CHECK(api_listing_next(listing, out, &more, &error));
    }
    buf_reset(out);
    api_listing_close(listing);
    return bytes;
}

/* The pieces of an answer are the answer. */
static void compare(const struct api_context *context, const struct api_request *request)
{
    CLEANUP(buf_finish) struct buf whole = { 0 };
    CLEANUP(buf_finish) struct buf joined = { 0 };
    struct error error;
    int status, pieces = 0;
    CHECK_INT(api_alertmanager(context, request, &whole), 200);
    struct api_listing *listing = api_listing_open(context, request, &joined, &status);
    for (bool more = listing; more; pieces++) {
        size_t before = joined.length;
        CHECK(api_listing_next(listing, &joined, &more, &error));
        CHECK(joined.length - before < 100 * 1024);
    }
    api_listing_close(listing);
    CHECK(joined.length == whole.length && !strcmp(buf_cstr(&joined), buf_cstr(&whole)));
    CHECK(pieces > 1 || whole.length < 64 * 1024);
    struct json *document = json_parse(joined.data, joined.length, &error);
    CHECK(document != NULL);
    json_free(document);
}

static struct cost ask(struct scene *scene, const char *path, const struct api_query *query,
                       bool measured)
{
    struct buf out = { 0 };
    const struct api_context context = {
        .database_path = scene->world.path,
        .settings = scene->settings,
        .evaluator = scene->evaluator,
        .snapshots = scene->store,
        .version = "1",
        .now = scene->world.now,
    };
    const struct api_request request = {
        .method = "GET", .path = path, .queries = query, .query_count = query != NULL
    };
    struct cost cost = { 0 };
    if (!measured) {
        compare(&context, &request);
        return cost;
    }
    forget_peak();
    long before_kib = status_kib("VmRSS:");
    double before_ms = cpu_ms();
    if (api_listing_is(&request))
        cost.bytes = take_pieces(&context, &request, &out);
    else
        CHECK_INT(api_alertmanager(&context, &request, &out), 200);
    cost.bytes += out.length;
    buf_finish(&out);
    cost.cpu_ms = cpu_ms() - before_ms;
    cost.memory_kib = status_kib("VmHWM:") - before_kib;
    return cost;
}

static bool measure(struct scene *scene, const char *path, const struct api_query *query, long runs)
{
    struct cost most = { 0 };
    for (long run = 0; run < runs; run++) {
        struct cost cost = ask(scene, path, query, true);
        most.cpu_ms = run && cost.cpu_ms > most.cpu_ms ? most.cpu_ms : cost.cpu_ms;
        most.memory_kib = cost.memory_kib > most.memory_kib ? cost.memory_kib : most.memory_kib;
        most.bytes = cost.bytes;
    }
    bool all =
        strcmp(path, "alerts/groups") != 0; /* groups are read twice: no limit but memory's */
    bool ok = (!all || most.cpu_ms <= CPU_MS_MAX) && most.memory_kib <= MEMORY_KIB_MAX;
    printf("%-14s %-40s %8.0f ms CPU %8.1f MiB more %8.1f MB%s\n", path, query ? query->value : "",
           most.cpu_ms, (double)most.memory_kib / 1024, (double)most.bytes / 1e6,
           ok ? "" : "  above the limit");
    return ok;
}

TEST(listing_is_cheap)
{
    const char *text = getenv("BENCH_LISTING");
    unsigned alerts = 50000, silences = 1000;
    char only[16] = "";
    long runs = 3;
    if (text)
        CHECK(sscanf(text, "%u %u %ld %15s", &alerts, &silences, &runs, only) >= 3);
    const struct api_query regex = { "filter", "resource_name=~\"vm-prod-.*-0000.*\"" };
    const struct api_query equal = { "filter", "risk_level=\"critical\"" };
    struct scene scene;
    scene_init(&scene, "listing", settings_yaml, SCENE_OPENED);
    const unsigned steps[] = { 0, 0, alerts }; /* what an empty tenant has later is news */
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        publish(&scene, steps[i]);
        scene_run(&scene);
    }
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert WHERE state = 'firing'"),
              alerts);
    add_silences(&scene, silences, alerts);
    printf("%u alerts, %u silences, the best of %ld:\n", alerts, silences, runs);
    if (*only) {
        measure(&scene, only, NULL, runs);
        scene_finish(&scene);
        return;
    }
    if (alerts < COMPARED_MAX) {
        ask(&scene, "alerts", NULL, false);
        ask(&scene, "alerts", &equal, false);
        ask(&scene, "alerts/groups", NULL, false);
    }
    bool ok = measure(&scene, "alerts", NULL, runs);
    ok &= measure(&scene, "alerts", &equal, runs);
    ok &= measure(&scene, "alerts", &regex, runs);
    ok &= measure(&scene, "alerts/groups", NULL, runs);
    ok &= measure(&scene, "silences", NULL, runs);
    CHECK(ok || alerts < 50000);
    scene_finish(&scene);
}
