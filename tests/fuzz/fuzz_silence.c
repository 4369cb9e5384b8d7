/* A silence in each way it comes: "json" as it is posted, "form" as a page posts it, "kept" as the
 * matchers in the database; the first line says which. What is taken is kept, is read back as it
 * was, and covers nothing but what its matchers match; what cannot be read covers nothing. */
#include "alerts/api/api_silences.h"
#include "alerts/store/schema.h"
#include "exporter/pages/silence_draft.h"
#include "exporter/web/target.h"
#include "fuzz.h"
#include "tests/unit/alerts_world.h"

enum { NOW = 1700000000 };

static void do_sql(struct database *database, const char *sql)
{
    struct error error;
    FUZZ_CHECK(database_run(database_prepare(database, sql), &error));
}

static struct database *open_database(void)
{
    static struct database *database;
    struct error error;
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    if (!database)
        database = database_open(&config, &error);
    FUZZ_CHECK(database);
    return database;
}

static const struct settings *settings(void)
{
    static struct scene scene;
    if (!scene.settings)
        scene.settings = scene_settings(&scene, SCENE_ALONE, SCENE_OPENED);
    return scene.settings;
}

static void print(const struct match_list *matchers, struct buf *out)
{
    for (size_t i = 0; i < matchers->count; i++) {
        match_print(&matchers->matches[i], out);
        buf_char(out, '\n');
    }
}

/* An alert is covered only where all matchers match. */
static void check_cover(const struct silence_list *list)
{
    struct alert alert = { 0 };
    alert_label(&alert, "alertname", "Opened");
    alert_label(&alert, "risk_level", "critical");
    const struct silence *found = silence_find(list, &alert, NOW);
    FUZZ_CHECK(!found || match_surely(&found->matchers, alert.labels, alert.label_count));
}

static void check_kept(struct database *database, const struct silence *silence)
{
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    CLEANUP(buf_finish) struct buf wanted = { 0 };
    CLEANUP(buf_finish) struct buf got = { 0 };
    struct error error;
    FUZZ_CHECK(silence_load(database, NULL, NOW, &list, &error));
    FUZZ_CHECK(list.count == 1);
    const struct silence *kept = list.silences;
    print(&silence->matchers, &wanted);
    print(&kept->matchers, &got);
    FUZZ_CHECK(!strcmp(buf_cstr(&wanted), buf_cstr(&got)));
    FUZZ_CHECK(!strcmp(kept->id, silence->id) && kept->ends_at == silence->ends_at);
    FUZZ_CHECK(!strcmp(kept->comment, silence->comment));
    FUZZ_CHECK(!strcmp(kept->created_by, silence->created_by));
    FUZZ_CHECK(!silence_find(&list, &(struct alert){ 0 }, NOW)); /* it names something */
    check_cover(&list);
}

static void put(struct silence *silence)
{
    struct database *database = open_database();
    struct error error;
    silence->id[0] = 0;
    if (!silence_put(database, silence, NULL, NOW, &error)) {
        FUZZ_CHECK(error.code == ERROR_REQUEST);
        return;
    }
    check_kept(database, silence);
    FUZZ_CHECK(silence_expire(database, silence->id, NULL, NOW, &error));
    do_sql(database, "DELETE FROM silence");
}

static bool read_form(const char *text, struct arena *arena, struct silence *silence,
                      struct error *error)
{
    struct silence_draft draft = { "", "", "", "", "", "", "" };
    const struct {
        const char *name, **place;
    } fields[] = {
        { "matchers", &draft.matchers }, { "begins", &draft.begins },
        { "until", &draft.until },       { "by", &draft.by },
        { "comment", &draft.comment },
    };
    size_t count;
    const struct web_pair *pairs = target_form(text, arena, &count);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < ARRAY_COUNT(fields); n++)
            if (!strcmp(pairs[i].name, fields[n].name))
                *fields[n].place = pairs[i].value;
    bool ok = silence_draft_matchers(&draft, settings(), arena, &silence->matchers, error) &&
              silence_draft_read(&draft, settings(), NULL, NOW, arena, silence, error);
    FUZZ_CHECK(!ok || (silence->ends_at > silence->starts_at && silence->ends_at > NOW));
    return ok;
}

static void read_kept(const char *matchers)
{
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    struct database *database = open_database();
    struct error error;
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO silence VALUES ('i', $1, 0, $2, 0, 'alice', 'why')");
    database_bind(statement, matchers, (int64_t)NOW + 3600);
    FUZZ_CHECK(database_run(statement, &error));
    FUZZ_CHECK(silence_load(database, NULL, NOW, &list, &error));
    FUZZ_CHECK(list.count <= 1);
    check_cover(&list);
    do_sql(database, "DELETE FROM silence");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence silence = { 0 };
    struct error error;
    const char *way = fuzz_line(&bytes, &count, &arena);
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    if (!strcmp(way, "kept"))
        read_kept(text);
    else if (!strcmp(way, "json")
                 ? api_silences_read((const char *)bytes, count, &arena, &silence, &error)
                 : !strcmp(way, "form") && read_form(text, &arena, &silence, &error))
        put(&silence);
    match_finish(&silence.matchers);
    return 0;
}
