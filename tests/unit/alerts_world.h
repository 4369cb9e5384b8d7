#pragma once
/* The whole deciding half for tests: settings from YAML, snapshots built by hand (ledger_world.h),
 * the real evaluator on a file, and what it queued as text. */
#include "alerts/evaluator.h"
#include "alerts/ledger/points.h"
#include "ledger_world.h"

struct scene {
    struct world world; /* snapshot and clock; its database is only read from */
    struct arena arena;
    struct settings_config config;
    struct settings *settings;
    struct snapshot_store *store;
    struct metric_store *metrics;
    struct evaluator *evaluator;
    int64_t next_at; /* as the last evaluation said */
    char last_id[32];
    int wakes;
    const char *external_url; /* NULL = none */
};

#define SCENE_RECEIVER(name)                                                                       \
    "- { name: " name ", webhook: { url: 'https://hooks.example.com/' } }\n"
#define SCENE_ALONE                                                                                \
    "receivers:\n" SCENE_RECEIVER("team") "route: { group_by: ['...'], group_interval: 0s }\n"
#define SCENE_OPENED                                                                               \
    "groups:\n- name: g\n  rules:\n  - alert: Opened\n"                                            \
    "    event: [finding.opened, finding.reopened]\n"

/* Families that rules may name beside those of the built-in sources; ends with NULL. */
static const struct family *scene_more[2];

static inline const struct family *const *scene_families(void)
{
    static const struct family *all[256];
    size_t count = 0;
    const struct family *const *const own[] = { ledger_families, points_families, scene_more };
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        for (const struct family *const *one = own[i]; *one; one++)
            all[count++] = *one;
    for (size_t i = 0; i < test_sources()->count; i++)
        for (const struct family *const *one = test_sources()->sources[i].collector->families; *one;
             one++)
            all[count++] = *one;
    all[count] = NULL;
    return all;
}

static inline struct settings *scene_settings(struct scene *scene, const char *yaml,
                                              const char *rules)
{
    struct option_report report = { 0 };
    char path[4400];
    CLEANUP(buf_finish) struct buf text = { 0 };
    snprintf(path, sizeof path, "%s/rules.yml", test_folder());
    FILE *file = fopen(path, "w");
    fputs(rules, file);
    fclose(file);
    buf_printf(&text, "rules: %s\n%s", path, yaml);
    options_default(settings_options, &scene->config, &scene->arena);
    bool ok = options_read(settings_options, "scene.yml", buf_cstr(&text), text.length,
                           &scene->config, &scene->arena, &report);
    const struct settings_context context = {
        .file = "scene.yml",
        .tenant_id = "tenant",
        .portal = "portal.azure.com",
        .external_url = scene->external_url ? scene->external_url : "",
        .families = scene_families(),
    };
    struct settings *settings = ok ? settings_create(&scene->config, &context, &report) : NULL;
    CHECK_TEXT(buf_cstr(&report.text), "");
    options_report_finish(&report);
    return settings;
}

static inline void scene_woken(void *context)
{
    ((struct scene *)context)->wakes++;
}

static inline void scene_open(struct scene *scene)
{
    struct error error = { 0 };
    const struct evaluator_config config = {
        .database_path = scene->world.path,
        .snapshots = scene->store,
        .metrics = scene->metrics,
        .wake = scene_woken,
        .wake_context = scene,
    };
    scene->evaluator = evaluator_create(&config, scene->settings, &error);
    CHECK_TEXT(error.message, "");
    const struct database_config reader = { .path = scene->world.path,
                                            .migrations = schema_migrations };
    scene->world.database = database_open(&reader, &error);
    CHECK_TEXT(error.message, "");
}

static inline void scene_close(struct scene *scene)
{
    database_close(scene->world.database);
    evaluator_destroy(scene->evaluator);
}

/* As a program that people reach at external_url; NULL = at none. */
static inline void scene_init_at(struct scene *scene, const char *name, const char *yaml,
                                 const char *rules, const char *external_url)
{
    *scene = (struct scene){
        .world = { .now = 1700000000, .proves = true, .snapshot = snapshot_create(test_sources()) },
        .external_url = external_url
    };
    snprintf(scene->world.path, sizeof scene->world.path, "%s/%s.db", test_folder(), name);
    scene->store = snapshot_store_create(test_sources());
    scene->metrics = metric_store_create();
    scene->settings = scene_settings(scene, yaml, rules);
    scene_open(scene);
}

static inline void scene_init(struct scene *scene, const char *name, const char *yaml,
                              const char *rules)
{
    scene_init_at(scene, name, yaml, rules, NULL);
}

static inline void scene_finish(struct scene *scene)
{
    scene_close(scene);
    settings_release(scene->settings);
    options_finish(settings_options, &scene->config);
    snapshot_store_destroy(scene->store);
    metric_store_destroy(scene->metrics);
    snapshot_release(scene->world.snapshot);
    arena_finish(&scene->arena);
}

/* One message a line: receiver, event, status, then each member as event@resource or fingerprint;
 * more than `most` are only counted. */
static inline const char *scene_told(struct scene *scene, size_t most)
{
    static struct buf out;
    struct error error = { 0 };
    struct database_statement *messages = database_prepare(
        scene->world.database, "SELECT id, receiver, event, status FROM outbox_message"
                               " WHERE id > $1 ORDER BY id");
    buf_reset(&out);
    buf_text(&out, "");
    database_bind(messages, scene->last_id);
    for (bool row = true;;) {
        CHECK(database_step(messages, &row, &error));
        if (!row)
            break;
        char id[32];
        snprintf(id, sizeof id, "%s", database_text(messages, 0));
        buf_printf(&out, "%s %s %s:", database_text(messages, 1), database_text(messages, 2),
                   database_text(messages, 3));
        struct database_statement *members = database_prepare(
            scene->world.database,
            "SELECT m.event, m.status, COALESCE(f.resource_name, m.fingerprint) FROM outbox_member"
            " m LEFT JOIN ledger_known f ON f.id = m.finding_id WHERE m.message_id = $1"
            " ORDER BY 3, 1");
        database_bind(members, id);
        size_t count = 0;
        for (bool more = true;; count++) {
            CHECK(database_step(members, &more, &error));
            if (!more)
                break;
            if (count < most)
                buf_printf(&out, " %s@%s", database_text(members, 0), database_text(members, 2));
        }
        if (count > most)
            buf_printf(&out, " +%zu", count - most);
        buf_char(&out, '\n');
        snprintf(scene->last_id, sizeof scene->last_id, "%s", id);
    }
    return buf_cstr(&out);
}

/* Evaluate now and say what was queued. */
static inline const char *scene_run(struct scene *scene)
{
    struct error error = { 0 };
    CHECK(evaluator_run(scene->evaluator, scene->world.snapshot, scene->world.now, &scene->next_at,
                        &error));
    CHECK_TEXT(error.message, "");
    return scene_told(scene, 4);
}

/* A collection of assessments, a minute later: names of open findings, one letter each, in s1
 * (a-l) or s2 (m-z); an upper-case letter is the same finding at risk critical. */
static inline void scene_collect(struct scene *scene, const char *names)
{
    static const char *const cover[] = { "s1", "s2", NULL };
    struct part *part = world_part(SOURCE(assessments), cover);
    for (; *names; names++) {
        bool critical = *names < 'a';
        char name[2] = { (char)(*names | 0x20) };
        world_open(part, name, "key", *name < 'm' ? "s1" : "s2",
                   critical ? RISK_CRITICAL : RISK_HIGH);
    }
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

/* The first runs of an empty tenant, so that everything that follows is told. */
static inline void scene_begin(struct scene *scene)
{
    for (int i = 0; i < 2; i++) {
        scene_collect(scene, "");
        CHECK_TEXT(scene_run(scene), "");
    }
}

/* A part of one collector from rows of one of its queries, as the runner makes it. */
static inline void scene_feed(struct scene *scene, const struct source *source, size_t query,
                              const char *rows)
{
    const struct collector *collector = source->collector;
    struct part *part = part_create(source);
    struct collect_context context = {
        .now = scene->world.now,
        .snapshot = scene->world.snapshot,
        .max_staleness_s = 86400,
    };
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                            &error));
        CHECK(!collector->fold(part, query, bound, &context, &error));
    }
    part_settle(part, NULL);
    CHECK(!collector->finish || collector->finish(part, &context, &error));
    CHECK_TEXT(error.message, "");
    json_free(document);
    world_publish(&scene->world, part);
}

/* A discovery of s1 and s2; state: of s2, such as Enabled or Disabled. */
static inline void scene_discover(struct scene *scene, const char *state)
{
    char rows[256];
    snprintf(rows, sizeof rows,
             "[{\"subscriptionId\":\"s1\",\"state\":\"Enabled\"},"
             "{\"subscriptionId\":\"s2\",\"state\":\"%s\"}]",
             state);
    scene_feed(scene, SOURCE(subscriptions), 0, rows);
}

/* The only control there is, and the keys of its recommendations. */
static inline void scene_control(struct scene *scene, const char *subscription_id,
                                 const char *title, const char *keys)
{
    char rows[512];
    snprintf(rows, sizeof rows,
             "[{\"id\":\"/x/c1\",\"subscriptionId\":\"%s\",\"controlId\":\"c1\",\"title\":\"%s\","
             "\"assessments\":\"%s\",\"current\":1,\"max\":2}]",
             subscription_id, title, keys);
    scene_feed(scene, SOURCE(secure_scores), 1, rows);
}

static inline int64_t scene_number(struct scene *scene, const char *sql)
{
    struct error error = { 0 };
    struct database_statement *statement = database_prepare(scene->world.database, sql);
    bool row = false;
    CHECK(database_step(statement, &row, &error));
    int64_t number = row ? database_integer(statement, 0) : -1;
    database_reset(statement);
    return number;
}
