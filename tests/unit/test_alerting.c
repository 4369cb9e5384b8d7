/* The floor as a whole, with its threads. */
#include "alerts/alerting.h"

#include "alerts/api/api.h"
#include "alerts_world.h"
#include "core/clock.h"
#include "loopback.h"

struct hall {
    struct scene scene; /* its settings and stores; its evaluator stays unused */
    struct alerting *alerting;
    struct loopback *server;
    atomic_int pages;
    atomic_bool holding; /* the receiver takes its time */
};

static void answer(void *context, const struct loopback_request *request, struct buf *out)
{
    struct hall *hall = context;
    (void)request;
    int64_t deadline = clock_monotonic_ms() + 120000;
    while (atomic_load(&hall->holding) && clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    atomic_fetch_add(&hall->pages, 1);
    loopback_reply(out, 200, "", "ok");
}

static void open_hall(struct hall *hall, const char *name)
{
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf yaml = { 0 };
    *hall = (struct hall){ .scene = { .world = { .now = clock_now_s() } } };
    hall->server = loopback_start(answer, hall);
    buf_printf(&yaml,
               "receivers: [{name: team, webhook: {url: '%s/', http: {allow_private: true}}}]\n"
               "route: {group_by: ['...'], group_interval: 1s}\nledger: {first_run: silent}\n",
               hall->server->url);
    struct scene *scene = &hall->scene;
    snprintf(scene->world.path, sizeof scene->world.path, "%s/%s.db", test_folder(), name);
    scene->store = snapshot_store_create(test_sources());
    scene->metrics = metric_store_create();
    scene->settings = scene_settings(scene, buf_cstr(&yaml), SCENE_OPENED);
    const struct alerting_config config = {
        .database_path = scene->world.path,
        .snapshots = scene->store,
        .metrics = scene->metrics,
    };
    hall->alerting = alerting_create(&config, scene->settings, &error);
    CHECK_TEXT(error.message, "");
}

static void close_hall(struct hall *hall)
{
    struct scene *scene = &hall->scene;
    alerting_destroy(hall->alerting);
    loopback_stop(hall->server);
    settings_release(scene->settings);
    options_finish(settings_options, &scene->config);
    snapshot_store_destroy(scene->store);
    metric_store_destroy(scene->metrics);
    arena_finish(&scene->arena);
}

/* A collection with these findings, one letter each. */
static void collect(struct hall *hall, const char *names)
{
    static const char *const cover[] = { "s1", NULL };
    struct part *part = world_part(SOURCE(assessments), cover);
    for (; *names; names++)
        world_open(part, (char[2]){ *names }, "key", "s1", RISK_HIGH);
    part->collected_at = clock_now_s();
    part_seal(part);
    const struct source_status status = { .enabled = true,
                                          .attempted = true,
                                          .success = true,
                                          .last_success_at = clock_now_s(),
                                          .interval_ms = 900000 };
    snapshot_publish(hall->scene.store, SOURCE(assessments), part, &status);
}

static void wait_for_notifications(struct hall *hall, int count)
{
    int64_t deadline = clock_monotonic_ms() + 120000;
    while (atomic_load(&hall->pages) < count && clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    CHECK_INT(atomic_load(&hall->pages), count);
}

/* What was known is figures, too. */
static void start(struct hall *hall)
{
    int64_t deadline = clock_monotonic_ms() + 120000;
    alerting_start(hall->alerting);
    while (!alerting_is_loaded(hall->alerting) && clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    CHECK(alerting_is_loaded(hall->alerting));
}

/* Wait until an evaluation has seen what was published. */
static void wait_for_generation(struct hall *hall, uint64_t before)
{
    int64_t deadline = clock_monotonic_ms() + 120000;
    while (alerting_generation(hall->alerting) == before && clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    CHECK(alerting_generation(hall->alerting) != before);
}

TEST(families_are_named_once)
{
    const struct family *seen[512];
    size_t count = 0;
    for (size_t i = 0; alerting_families[i]; i++)
        for (const struct family *const *one = alerting_families[i]; *one; one++) {
            for (size_t k = 0; k < count; k++)
                CHECK(strcmp(seen[k]->name, (*one)->name) != 0);
            CHECK(!strncmp((*one)->name, "defender_", 9));
            size_t length = strlen((*one)->help);
            CHECK(length && (*one)->help[length - 1] == '.');
            seen[count++] = *one;
        }
    CHECK(count > 25);
}

TEST(a_finding_becomes_a_notification_and_the_threads_end_at_once)
{
    struct hall hall;
    open_hall(&hall, "threads");
    start(&hall);
    uint64_t before = alerting_generation(hall.alerting);
    collect(&hall, "a");
    wait_for_generation(&hall, before);
    collect(&hall, "ab");
    wait_for_notifications(&hall, 1);
    alerting_configure(hall.alerting, hall.scene.settings); /* a reload with nothing new */
    collect(&hall, "abc");
    wait_for_notifications(&hall, 2);
    int64_t began = clock_monotonic_ms();
    alerting_stop(hall.alerting);
    CHECK(clock_monotonic_ms() - began < 15000);
    close_hall(&hall);
}

TEST(once_evaluates_and_delivers_on_this_thread)
{
    struct hall hall;
    struct error error = { 0 };
    open_hall(&hall, "once");
    collect(&hall, "a");
    CHECK(alerting_run(hall.alerting, clock_now_s(), &error));
    collect(&hall, "ab");
    CHECK(alerting_run(hall.alerting, clock_now_s(), &error));
    CHECK_INT(atomic_load(&hall.pages), 1);
    close_hall(&hall);
}

TEST(everything_emitted_is_declared)
{
    struct hall hall;
    struct error error = { 0 };
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    open_hall(&hall, "emit");
    collect(&hall, "a");
    CHECK(alerting_run(hall.alerting, clock_now_s(), &error));
    alerting_emit(hall.alerting, &set);
    alerting_emit_own(hall.alerting, &set);
    metric_store_emit(hall.scene.metrics, &set);
    metric_set_sort(&set);
    CHECK_INT(set.duplicates, 0);
    for (size_t i = 0; i < set.count; i++) {
        bool known = false;
        for (size_t k = 0; alerting_families[k] && !known; k++)
            for (const struct family *const *one = alerting_families[k]; *one; one++)
                known = known || *one == set.samples[i].family;
        CHECK(known);
    }
    CHECK(set.count > 60);
    close_hall(&hall);
}

/* Of the outbox; -1 = not told. */
static double messages_in(struct hall *hall, const char *state)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    alerting_emit_own(hall->alerting, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, "defender_exporter_outbox_messages") &&
            !strcmp(set.samples[i].values[1], state))
            return set.samples[i].value;
    return -1;
}

static void wait_for_messages(struct hall *hall, double queued, double inflight)
{
    int64_t deadline = clock_monotonic_ms() + 120000;
    while ((messages_in(hall, "queued") != queued || messages_in(hall, "inflight") != inflight) &&
           clock_monotonic_ms() < deadline)
        clock_sleep_ms(2);
    CHECK_NUMBER(messages_in(hall, "queued"), queued);
    CHECK_NUMBER(messages_in(hall, "inflight"), inflight);
}

TEST(outbox_figures_are_told_while_delivery_works_and_the_database_is_locked)
{
    struct hall hall;
    struct error error = { 0 };
    open_hall(&hall, "figures");
    const struct database_config config = { .path = hall.scene.world.path,
                                            .migrations = schema_migrations };
    CHECK_NUMBER(messages_in(&hall, "queued"), 0); /* from the start */
    start(&hall);
    uint64_t before = alerting_generation(hall.alerting);
    collect(&hall, "a");
    wait_for_generation(&hall, before);
    atomic_store(&hall.holding, true);
    collect(&hall, "abc");
    wait_for_messages(&hall, 1, 1);
    struct database *locker = database_open(&config, &error);
    CHECK(database_run(database_prepare(locker, "BEGIN EXCLUSIVE"), &error));
    wait_for_messages(&hall, 1, 1);
    CHECK(database_run(database_prepare(locker, "ROLLBACK"), &error));
    database_close(locker);
    atomic_store(&hall.holding, false);
    wait_for_notifications(&hall, 2);
    wait_for_messages(&hall, 0, 0);
    alerting_stop(hall.alerting);
    close_hall(&hall);
}

TEST(the_api_gets_settings_of_its_own)
{
    struct hall hall;
    open_hall(&hall, "context");
    struct api_context context = alerting_api(hall.alerting, 1700000000);
    alerting_configure(hall.alerting, hall.scene.settings);
    CHECK_INT(context.settings->receiver_count, 1);
    CHECK_INT(context.now, 1700000000);
    CHECK(*context.version);
    settings_release(context.settings);
    close_hall(&hall);
}

TEST(a_second_one_on_the_same_file_is_refused)
{
    struct hall hall;
    struct error error = { 0 };
    open_hall(&hall, "second");
    const struct alerting_config config = {
        .database_path = hall.scene.world.path,
        .snapshots = hall.scene.store,
        .metrics = hall.scene.metrics,
    };
    CHECK(!alerting_create(&config, hall.scene.settings, &error));
    CHECK_INT(error.code, ERROR_CONFIG);
    CHECK_CONTAINS(error.message, "second.db");
    close_hall(&hall);
    alerting_destroy(NULL);
}
