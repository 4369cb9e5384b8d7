/* Alertmanager's API and ours, without a web server. */
#include "alerts/api/api_own.h"

#include "alerts_world.h"
#include "core/clock.h"

#define ROUTES                                                                                     \
    "receivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(                                          \
        "boss") "route:\n  receiver: team\n  group_by: [alertname, subscription_id]\n"             \
                "  routes: [{ receiver: boss, matchers: ['risk_level=\"critical\"'] }]\n"

static int ask_with(struct scene *scene, const char *method, const char *path,
                    const struct api_query *queries, size_t count, const char *body,
                    struct buf *out)
{
    const struct api_context context = {
        .database_path = scene->world.path,
        .settings = scene->settings,
        .evaluator = scene->evaluator,
        .snapshots = scene->store,
        .version = "1.2.3",
        .started_at = 1700000000,
        .now = scene->world.now,
    };
    const struct api_request request = { method, path,         queries,   count,
                                         body,   strlen(body), "10.0.0.7" };
    bool own = !strncmp(path, "own/", 4);
    buf_reset(out);
    buf_text(out, "");
    if (!own)
        return api_alertmanager(&context, &request, out);
    const struct api_request rest = { method, path + 4, queries, count, body, strlen(body), "" };
    return api_own(&context, &rest, out);
}

static int ask(struct scene *scene, const char *path, struct buf *out)
{
    return ask_with(scene, "GET", path, NULL, 0, "", out);
}

/* One query parameter. */
static int ask_for(struct scene *scene, const char *path, const char *name, const char *value,
                   struct buf *out)
{
    const struct api_query query = { name, value };
    return ask_with(scene, "GET", path, &query, 1, "", out);
}

/* How often a part stands in the text. */
static size_t times(const struct buf *text, const char *part)
{
    size_t count = 0;
    for (const char *at = buf_cstr(text); (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void set_up(struct scene *scene, const char *name)
{
    scene_init(scene, name, ROUTES, SCENE_OPENED);
    scene_begin(scene);
    scene_collect(scene, "Abz");
    scene_run(scene);
}

TEST(alerts_are_told_and_filtered)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    static const struct {
        const char *name, *value;
        int status;
        size_t alerts;
    } cases[] = {
        { "active", "true", 200, 3 },
        { "active", "false", 200, 0 },
        { "silenced", "perhaps", 400, 0 },
        { "filter", "risk_level=\"critical\"", 200, 1 },
        { "filter", "{risk_level!=\"critical\"}", 200, 2 },
        { "filter", "resource_name=~\"[ab]\"", 200, 2 },
        { "filter", "nonsense", 400, 0 },
        { "receiver", "boss", 200, 1 },
        { "receiver", "bo.*", 200, 1 },
        { "receiver", "bo", 200, 0 },
        { "receiver", "(", 400, 0 },
    };
    set_up(&scene, "alerts");
    CHECK_INT(ask(&scene, "alerts", &out), 200);
    CHECK_INT(times(&out, "\"fingerprint\""), 3);
    CHECK_CONTAINS(buf_cstr(&out), "\"state\":\"active\"");
    CHECK_CONTAINS(buf_cstr(&out), "\"startsAt\":\"2023-11-14T22:16:20.000Z\"");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_INT(ask_for(&scene, "alerts", cases[i].name, cases[i].value, &out), cases[i].status);
        CHECK_INT(times(&out, "\"fingerprint\""), cases[i].alerts);
    }
    scene_finish(&scene);
}

TEST(filters_have_a_budget)
{
    enum { FILTERS = 65, PLUSES = 5000 };
    static char pluses[PLUSES + 16] = "a=~\"a", value[4096] = "a=\"";
    static const char *const paths[] = { "alerts", "alerts/groups", "silences" };
    struct api_query many[FILTERS];
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "budget");
    memset(pluses + strlen(pluses), '+', PLUSES);
    strcat(pluses, "\"");
    memset(value + strlen(value), 'x', 3900);
    strcat(value, "\"");
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        CHECK_INT(ask_for(&scene, paths[i], "filter", pluses, &out), 400);
        CHECK_INT(ask_for(&scene, paths[i], "filter", "a=~\"a++++++++++++++++\"", &out), 400);
        CHECK_CONTAINS(buf_cstr(&out), "invalid nested repetition operator");
        for (size_t n = 0; n < FILTERS; n++)
            many[n] = (struct api_query){ "filter", "alertname=~\"O.*\"" };
        CHECK_INT(ask_with(&scene, "GET", paths[i], many, FILTERS - 1, "", &out), 200);
        CHECK_INT(ask_with(&scene, "GET", paths[i], many, FILTERS, "", &out), 400);
        CHECK_CONTAINS(buf_cstr(&out), "more than 64 filters");
        for (size_t n = 0; n < 5; n++)
            many[n].value = value;
        CHECK_INT(ask_with(&scene, "GET", paths[i], many, 4, "", &out), 200);
        CHECK_INT(ask_with(&scene, "GET", paths[i], many, 5, "", &out), 400);
        CHECK_CONTAINS(buf_cstr(&out), "more than 16384 bytes of filters");
    }
    scene_finish(&scene);
}

TEST(silences_have_a_budget)
{
    static const struct {
        size_t matchers, bytes;
        int status;
    } cases[] = { { 64, 10, 200 }, { 65, 10, 400 }, { 4, 4080, 200 }, { 5, 4080, 400 } };
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "budgets");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf body = { 0 };
        buf_text(&body, "{\"matchers\":[");
        for (size_t n = 0; n < cases[i].matchers; n++)
            buf_printf(&body, "%s{\"name\":\"a%zu\",\"value\":\"%0*d\"}", n ? "," : "", n,
                       (int)cases[i].bytes, 1);
        buf_text(&body, "],\"startsAt\":\"2023-11-14T22:00:00Z\",\"endsAt\":"
                        "\"2023-11-15T22:00:00Z\",\"createdBy\":\"me\",\"comment\":\"c\"}");
        CHECK_INT(ask_with(&scene, "POST", "silences", NULL, 0, buf_cstr(&body), &out),
                  cases[i].status);
        if (cases[i].status == 400)
            CHECK_CONTAINS(buf_cstr(&out), "more than 64 matchers, or 16384 bytes of them");
    }
    scene_finish(&scene);
}

/* Whoever asks is told, rather than given alerts that may not be meant. */
TEST(filters_without_an_answer_are_refused)
{
    static const char hard[] = "resource_name=~\"(x+)+[^y]\"";
    static const char *const cover[] = { "s1", NULL };
    static const char name[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy";
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "hard");
    CHECK_INT(ask_for(&scene, "alerts", "filter", hard, &out), 200);
    CHECK_TEXT(buf_cstr(&out), "[]");
    struct part *part = world_part(SOURCE(assessments), cover);
    world_open(part, name, "key", "s1", RISK_CRITICAL);
    world_publish(&scene.world, part);
    scene_run(&scene);
    CHECK_INT(ask_for(&scene, "alerts", "filter", hard, &out), 400);
    CHECK_CONTAINS(buf_cstr(&out), "take too long");
    CHECK_INT(ask_for(&scene, "alerts/groups", "filter", hard, &out), 400);
    scene_finish(&scene);
}

TEST(groups_are_those_of_the_routes)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "groups");
    CHECK_INT(ask(&scene, "alerts/groups", &out), 200);
    CHECK_INT(times(&out, "\"fingerprint\""), 3);
    CHECK_INT(times(&out, "\"receiver\":{\"name\":\"boss\"}"), 1);
    CHECK_INT(times(&out, "\"receiver\":{\"name\":\"team\"}"), 2); /* s1 and s2 */
    CHECK_CONTAINS(buf_cstr(&out),
                   "\"labels\":{\"alertname\":\"Opened\",\"subscription_id\":\"s2\"}");
    scene_finish(&scene);
}

TEST(silences_are_put_told_and_ended)
{
    static const char body[] =
        "{\"matchers\":[{\"name\":\"resource_name\",\"value\":\"b\",\"isRegex\":false},"
        "{\"name\":\"risk_level\",\"value\":\"c.*\",\"isRegex\":true,\"isEqual\":false}],"
        "\"startsAt\":\"2023-11-14T22:00:00Z\",\"endsAt\":\"2023-11-15T22:00:00Z\","
        "\"createdBy\":\"me\",\"comment\":\"works \\\"here\\\"\"}";
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    char path[64] = "silence/";
    set_up(&scene, "silences");
    CHECK_INT(ask_with(&scene, "POST", "silences", NULL, 0, body, &out), 200);
    CHECK_CONTAINS(buf_cstr(&out), "{\"silenceID\":\"");
    snprintf(path + 8, 37, "%s", buf_cstr(&out) + 14);
    CHECK_INT(ask(&scene, path, &out), 200);
    CHECK_CONTAINS(buf_cstr(&out), "\"state\":\"active\"");
    CHECK_CONTAINS(buf_cstr(&out), "\"comment\":\"works \\\"here\\\"\"");
    CHECK_CONTAINS(buf_cstr(&out), "{\"isEqual\":false,\"isRegex\":true,\"name\":\"risk_level\","
                                   "\"value\":\"c.*\"}");
    CHECK_INT(ask_for(&scene, "silences", "filter", "resource_name=\"b\"", &out), 200);
    CHECK_INT(times(&out, path + 8), 1);
    CHECK_INT(ask_for(&scene, "silences", "filter", "resource_name=\"a\"", &out), 200);
    CHECK_TEXT(buf_cstr(&out), "[]");
    CHECK_INT(ask_for(&scene, "alerts", "silenced", "false", &out), 200);
    CHECK_INT(times(&out, "\"fingerprint\""), 2);
    CHECK_INT(ask(&scene, "alerts", &out), 200);
    CHECK_INT(times(&out, "\"state\":\"suppressed\""), 1);
    CHECK_INT(times(&out, path + 8), 1);
    CHECK_INT(ask_with(&scene, "DELETE", path, NULL, 0, "", &out), 200);
    CHECK_INT(ask(&scene, path, &out), 200);
    CHECK_CONTAINS(buf_cstr(&out), "\"state\":\"expired\"");
    struct error error = { 0 };
    int64_t acts = 0;
    CHECK(database_get_integer(
        database_prepare(scene.world.database,
                         "SELECT COUNT(*) FROM audit_event WHERE peer = '10.0.0.7' AND"
                         " action IN ('silence_created', 'silence_expired')"),
        &acts, &error));
    CHECK_INT(acts, 2);
    scene_finish(&scene);
}

TEST(a_locked_database_is_not_waited_for)
{
    static const char body[] = "{\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}],"
                               "\"startsAt\":\"2023-11-14T22:00:00Z\","
                               "\"endsAt\":\"2023-11-15T22:00:00Z\","
                               "\"createdBy\":\"me\",\"comment\":\"c\"}";
    enum { TOO_LONG_MS = 4000 }; /* others wait for five seconds */
    struct scene scene;
    struct error error;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "locked");
    const struct database_config config = { .path = scene.world.path,
                                            .migrations = schema_migrations };
    struct database *other = database_open(&config, &error);
    CHECK(other && database_begin(other, &error));
    int64_t began_ms = clock_monotonic_ms();
    CHECK_INT(ask_with(&scene, "POST", "silences", NULL, 0, body, &out), 503);
    CHECK_CONTAINS(buf_cstr(&out), "locked");
    CHECK_INT(ask(&scene, "alerts", &out), 200);
    CHECK(clock_monotonic_ms() - began_ms < TOO_LONG_MS);
    database_close(other);
    CHECK_INT(ask_with(&scene, "POST", "silences", NULL, 0, body, &out), 200);
    scene_finish(&scene);
}

TEST(wrong_silences_are_refused)
{
#define TIMES "\"startsAt\":\"2023-11-14T22:00:00Z\",\"endsAt\":\"2023-11-15T22:00:00Z\""
#define WHO "\"createdBy\":\"me\",\"comment\":\"c\""
    static const struct {
        const char *body;
        int status;
    } cases[] = {
        { "", 400 },
        { "{", 400 },
        { "[]", 400 },
        { "{\"matchers\":[]," TIMES "," WHO "}", 400 },
        { "{\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}]," TIMES "}", 400 },
        { "{\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}]," WHO "}", 400 },
        { "{\"matchers\":[{\"name\":\"a\"}]," TIMES "," WHO "}", 400 },
        { "{\"matchers\":[{\"name\":\"a\",\"value\":\"(\",\"isRegex\":true}]," TIMES "," WHO "}",
          400 },
        { "{\"matchers\":[{\"name\":\"a\",\"value\":\"a**\",\"isRegex\":true}]," TIMES "," WHO "}",
          400 },
        { "{\"matchers\":[{\"name\":\"a\",\"value\":\"(?=b)\",\"isRegex\":true}]," TIMES "," WHO
          "}",
          400 },
        { "{\"matchers\":[{\"name\":\"\",\"value\":\"b\"}]," TIMES "," WHO "}", 400 },
        { "{\"id\":\"short\",\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}]," TIMES "," WHO "}",
          404 },
    };
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "wrong");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_INT(ask_with(&scene, "POST", "silences", NULL, 0, cases[i].body, &out),
                  cases[i].status);
        CHECK(buf_cstr(&out)[0] == '"'); /* a JSON text */
    }
    CHECK_INT(ask_with(&scene, "DELETE", "silence/00000000-0000-0000-0000-000000000000", NULL, 0,
                       "", &out),
              404);
    scene_finish(&scene);
}

TEST(other_paths_and_methods)
{
    static const struct {
        const char *method, *path;
        int status;
        const char *part;
    } cases[] = {
        { "GET", "status", 200, "\"version\":\"1.2.3\"" },
        { "GET", "status", 200, "\"uptime\":\"2023-11-14T22:13:20.000Z\"" },
        { "GET", "receivers", 200, "[{\"name\":\"team\"},{\"name\":\"boss\"}]" },
        { "POST", "alerts", 405, "cannot be posted" },
        { "DELETE", "alerts", 405, "other methods" },
        { "POST", "silence/x", 405, "use GET or DELETE" },
        { "GET", "silence/", 404, "no such path" },
        { "GET", "", 404, "no such path" },
        { "GET", "own/nothing", 404, "no such path" },
        { "POST", "own/alerts", 405, "use GET" },
        { "GET", "own/outbox/nothing", 404, "no such message" },
    };
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "paths");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CHECK_INT(ask_with(&scene, cases[i].method, cases[i].path, NULL, 0, "", &out),
                  cases[i].status);
        CHECK_CONTAINS(buf_cstr(&out), cases[i].part);
    }
    scene_finish(&scene);
}

TEST(our_lists_are_paged)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    char last[32] = "";
    size_t total = 0;
    set_up(&scene, "paged");
    for (int page = 0; page < 5; page++) {
        const struct api_query queries[] = { { "limit", "1" }, { "after", last } };
        CHECK_INT(ask_with(&scene, "GET", "own/alerts", queries, *last ? 2 : 1, "", &out), 200);
        total += times(&out, "\"fingerprint\"");
        const char *next = strstr(buf_cstr(&out), "\"next\":\"");
        if (!next)
            break;
        snprintf(last, 17, "%s", next + 8);
    }
    CHECK_INT(total, 3);
    CHECK_INT(ask(&scene, "own/outbox", &out), 200);
    CHECK_INT(times(&out, "\"dedup_key\""), 3);
    CHECK_INT(ask_for(&scene, "own/outbox", "receiver", "boss", &out), 200);
    CHECK_INT(times(&out, "\"dedup_key\""), 1);
    CHECK_INT(ask_for(&scene, "own/outbox", "state", "sent", &out), 200);
    CHECK_INT(times(&out, "\"dedup_key\""), 0);
    CHECK_INT(ask_for(&scene, "own/outbox", "state", "lost", &out), 400);
    CHECK_INT(ask_for(&scene, "own/outbox", "limit", "0", &out), 400);
    CHECK_INT(ask_for(&scene, "own/outbox", "limit", "12x", &out), 400);
    char path[64];
    snprintf(path, sizeof path, "own/outbox/%s", scene.last_id);
    CHECK_INT(ask(&scene, path, &out), 200);
    CHECK_CONTAINS(buf_cstr(&out), "\"page\":{");
    scene_finish(&scene);
}

static int link_of(struct scene *scene, const char *id, struct buf *out)
{
    const struct api_context context = { .database_path = scene->world.path,
                                         .settings = scene->settings,
                                         .snapshots = scene->store,
                                         .now = scene->world.now };
    buf_reset(out);
    buf_text(out, "");
    return api_finding_link(&context, id, out);
}

TEST(findings_lead_to_the_portal_also_when_closed)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf alerts = { 0 };
    char id[17], portal[32];
    set_up(&scene, "links");
    ask_for(&scene, "alerts", "filter", "resource_name=\"b\"", &alerts);
    const char *at = strstr(buf_cstr(&alerts), "\"finding_id\":\"");
    CHECK(at);
    snprintf(id, sizeof id, "%s", at ? at + 14 : "");
    for (int round = 0; round < 2; round++) {
        CHECK_INT(link_of(&scene, id, &out), 302);
        CHECK_CONTAINS(buf_cstr(&out), "https://portal.azure.com/#");
        snprintf(portal, sizeof portal, "%s/portal", id);
        CHECK_INT(link_of(&scene, portal, &out), 302);
        CHECK_CONTAINS(buf_cstr(&out), "https://portal.azure.com/#");
        scene_collect(&scene, "");
        scene_run(&scene);
        scene_collect(&scene, "");
        scene_run(&scene);
    }
    CHECK_INT(link_of(&scene, "0000000000000000", &out), 404);
    CHECK_TEXT(buf_cstr(&out), "no such finding");
    CHECK_INT(link_of(&scene, "", &out), 404);
    CHECK_INT(link_of(&scene, "../../etc/passwd", &out), 404);
    CHECK_INT(link_of(&scene, "0000000000000000/portal", &out), 404);
    CHECK_INT(link_of(&scene, "0000000000000000/portals", &out), 404);
    CHECK_INT(link_of(&scene, "00000000000000000000000000000000x", &out), 404);
    scene_finish(&scene);
}

TEST(a_database_that_is_gone_is_an_error)
{
    struct scene scene;
    CLEANUP(buf_finish) struct buf out = { 0 };
    set_up(&scene, "gone");
    char kept[sizeof scene.world.path];
    memcpy(kept, scene.world.path, sizeof kept);
    snprintf(scene.world.path, sizeof scene.world.path, "/nowhere/at.db");
    CHECK_INT(ask(&scene, "alerts", &out), 500);
    CHECK_INT(link_of(&scene, "0000000000000000", &out), 500);
    memcpy(scene.world.path, kept, sizeof kept);
    scene_finish(&scene);
}
