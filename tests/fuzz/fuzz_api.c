/* Requests to the API: "METHOD target" in the first line, then the body. Every answer is JSON, none
 * says that something broke here; a listing is followed to its end; a silence that was made is
 * there, and ends. */
#include "alerts/api/api_own.h"
#include "alerts/view/view_write.h"
#include "core/json_check.h"
#include "exporter/web/target.h"
#include "fuzz.h"
#include "tests/unit/alerts_world.h"

static struct scene *stage(void)
{
    static struct scene scene;
    if (scene.evaluator)
        return &scene;
    scene_init(&scene, "fuzz", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    scene_collect(&scene, "Abz");
    scene_run(&scene);
    FUZZ_CHECK(!test_failures());
    return &scene;
}

static enum view_format format_of(const struct target *target)
{
    for (size_t i = 0; i < target->query_count; i++)
        for (int format = VIEW_JSON; format < VIEW_FORMAT_COUNT; format++)
            if (!strcmp(target->queries[i].name, "format") &&
                !strcmp(target->queries[i].value, view_format_words[format]))
                return (enum view_format)format;
    return VIEW_JSON;
}

static int ask(const char *method, const struct target *target, const char *body, size_t count,
               struct buf *out)
{
    struct scene *scene = stage();
    struct api_query queries[TARGET_QUERIES_MAX];
    const struct api_context context = {
        .database_path = scene->world.path,
        .settings = scene->settings,
        .evaluator = scene->evaluator,
        .snapshots = scene->store,
        .version = "1.2.3",
        .started_at = 1700000000,
        .now = scene->world.now,
    };
    for (size_t i = 0; i < target->query_count; i++)
        queries[i] = (struct api_query){ target->queries[i].name, target->queries[i].value };
    CLEANUP(buf_finish) struct buf next = { 0 };
    struct api_request request = {
        .method = method,
        .path = target->path,
        .queries = queries,
        .query_count = target->query_count,
        .body = body,
        .body_bytes = count,
        .peer = "10.0.0.7",
        .format = format_of(target),
        .next = &next,
    };
    buf_reset(out);
    buf_text(out, "");
    if (!strncmp(target->path, "/f/", 3))
        return api_finding_link(&context, target->path + 3, out);
    bool own = !strncmp(target->path, "/api/v1/", 8);
    if (!own && strncmp(target->path, "/api/v2/", 8) != 0)
        return 404;
    request.path += 8;
    return own ? api_own(&context, &request, out) : api_alertmanager(&context, &request, out);
}

static int get(const char *text, const char *method, struct arena *arena, struct buf *out)
{
    struct target target;
    target_read(text, arena, &target);
    FUZZ_CHECK(!target.status);
    return ask(method, &target, "", 0, out);
}

static void check(int status, const struct target *target, const struct buf *out)
{
    static const int statuses[] = { 200, 302, 400, 404, 405 };
    bool known = false;
    size_t at;
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++)
        known = known || statuses[i] == status;
    FUZZ_CHECK(known);
    bool own = !strncmp(target->path, "/api/v1/", 8) && status == 200;
    if (!strncmp(target->path, "/api/", 5) && out->length && (!own || !format_of(target)))
        FUZZ_CHECK(json_check(out->data, out->length, &at));
    if (status == 302)
        FUZZ_CHECK(!strncmp(buf_cstr(out), "https://", 8) && !strpbrk(buf_cstr(out), "\r\n \""));
}

/* The text of a member of an answer; NULL = it has none. */
static const char *member(const struct buf *out, const char *name, struct arena *arena)
{
    struct error error;
    const struct json *document = json_parse_in(arena, buf_cstr(out), out->length, &error);
    const char *text = json_text(json_get(document, name));
    return text ? arena_text(arena, text) : NULL;
}

/* Each page begins where the one before ended. */
static void follow(const char *path, struct arena *arena, struct buf *out)
{
    const char *before = "";
    for (int pages = 0; (before = member(out, "next", arena)); pages++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        FUZZ_CHECK(pages < 10);
        buf_printf(&text, "%s?limit=1&after=", path);
        http_escape(&text, before);
        FUZZ_CHECK(get(buf_cstr(&text), "GET", arena, out) == 200);
        const char *next = member(out, "next", arena);
        FUZZ_CHECK(!next || strcmp(next, before) != 0);
    }
}

static void end_silence(struct arena *arena, struct buf *out)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct error error;
    const char *id = member(out, "silenceID", arena);
    FUZZ_CHECK(id && strlen(id) == 36);
    buf_printf(&text, "/api/v2/silence/%s", id);
    FUZZ_CHECK(get(buf_cstr(&text), "GET", arena, out) == 200);
    FUZZ_CHECK(get(buf_cstr(&text), "DELETE", arena, out) == 200);
    struct database *database = stage()->world.database;
    FUZZ_CHECK(database_run(database_prepare(database, "DELETE FROM silence"), &error));
    FUZZ_CHECK(database_run(database_prepare(database, "DELETE FROM audit_event"), &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct target target;
    char *method = fuzz_line(&bytes, &count, &arena), *blank = strchr(method, ' ');
    if (!blank)
        return 0;
    *blank = 0;
    target_read(blank + 1, &arena, &target);
    if (target.status)
        return 0;
    int status = ask(method, &target, arena_copy(&arena, (const char *)bytes, count), count, &out);
    check(status, &target, &out);
    if (status == 200 && !strcmp(method, "POST"))
        end_silence(&arena, &out);
    else if (status == 200 && !strncmp(target.path, "/api/v1/", 8) && !format_of(&target))
        follow(target.path, &arena, &out);
    return 0;
}
