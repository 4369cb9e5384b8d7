/* ledger_adopt: onboarding is not news, once it is over everything is. */
#include "alerts_world.h"

enum { NEW = 200, DAY = 86400 };

#define B SOURCE(baselines)

/* --- the ledger ------------------------------------------------------------------------------- */

/* A collection that covers s1 and what else is named, one letter each, with a finding in each of
 * the letters in `open`. */
static struct part *part_of(const struct source *source, const char *cover, const char *open)
{
    struct part *part = world_part(source, ONLY_S1);
    for (char id[2] = ""; *cover; cover++) {
        *id = *cover;
        part_add_cover(part, id, 1);
    }
    for (; *open; open++) {
        char id[2] = { *open }, name[8];
        snprintf(name, sizeof name, "f%c%c", *open, source == B ? 'b' : 'a');
        world_open(part, name, source == B ? "rule" : "key", id, RISK_HIGH);
    }
    return part;
}

static void collect(struct world *world, const struct source *source, const char *cover,
                    const char *open)
{
    world_publish(world, part_of(source, cover, open));
}

static void begin(struct world *world, const char *name, enum ledger_first_run mode)
{
    world_init(world, name);
    world->config.first_run = (int)mode;
    ledger_configure(world->ledger, &world->config);
    collect(world, A, "", "");
    collect(world, B, "", "");
    CHECK_TEXT(world_advance(world), "");
}

static const char *detail(const struct world *world)
{
    return world->events.events[0].detail;
}

TEST(a_source_without_findings_is_not_waited_for)
{
    struct world world;
    begin(&world, NULL, LEDGER_FIRST_SUMMARY);
    world_publish(&world, part_create(SOURCE(tags)));
    CHECK_TEXT(world_advance(&world), "");
    collect(&world, A, "x", "x");
    collect(&world, B, "x", "");
    CHECK_TEXT(world_advance(&world), "digest x 1\n");
    world_finish(&world);
}

TEST(every_source_has_its_say_before_it_is_told)
{
    struct world world;
    begin(&world, NULL, LEDGER_FIRST_SUMMARY);
    collect(&world, A, "xyz", "xz");
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), world.now + 3600);
    world.now += 60;
    collect(&world, B, "xyz", "x");
    CHECK_TEXT(world_advance(&world), "digest x, y and z 3\n");
    CHECK_TEXT(detail(&world), "3 findings were open already, 3 high");
    CHECK_INT(ledger_next_due_at(world.ledger), 0);
    collect(&world, A, "xyz", "xyz");
    CHECK_TEXT(world_advance(&world), "finding.opened fya/1 high\n");
    world_finish(&world);
}

TEST(one_that_never_comes_is_waited_for_an_hour)
{
    struct world world;
    begin(&world, "wait.db", LEDGER_FIRST_SUMMARY);
    collect(&world, A, "x", "x");
    CHECK_TEXT(world_advance(&world), "");
    world.now += 3599;
    world_stop(&world); /* a restart forgets nothing */
    world_start(&world);
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(ledger_next_due_at(world.ledger), world.now + 1);
    world.now += 1;
    CHECK_TEXT(world_advance(&world), "digest x 1\n");
    CHECK_TEXT(detail(&world), "1 finding was open already, 1 high");
    world.now += 7200;
    collect(&world, B, "x", "x"); /* it has been told of; what it brings is adopted all the same */
    CHECK_TEXT(world_advance(&world), "digest x 2\n");
    world_finish(&world);
}

/* A finding that is open for so many days; of high ones 30 are allowed. */
static void open_for(struct world *world, struct part *part, const char *id, enum risk_level risk,
                     int64_t days)
{
    world_open_since(part, id, "key", "s1", risk, world->now - days * DAY);
}

TEST(the_first_runs_headline_is_about_all_that_is_watched)
{
    static const struct {
        const char *a, *b, *headline;
    } cases[] = {
        { "c", "", "Watching 2 subscriptions: 1 critical open, oldest 3 d" },
        { "cho", "", "Watching 2 subscriptions: 1 critical open, 1 overdue, oldest 99 d" },
        { "ho", "c", "Watching 2 subscriptions: 1 critical open, 1 overdue, oldest 99 d" },
        { "h", "", "Watching 2 subscriptions: 1 high open, oldest 5 d" },
        { "n", "", "Watching 2 subscriptions: 1 open, risk not evaluated" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct world world;
        world_init(&world, NULL);
        world.config.sla_s[RISK_HIGH] = 30 * DAY;
        ledger_configure(world.ledger, &world.config);
        for (int source = 0; source < 2; source++) {
            const char *open = source ? cases[i].b : cases[i].a;
            struct part *part = world_part(source ? B : A, BOTH);
            for (const char *c = open; *c; c++) {
                char id[] = { *c, 0 };
                open_for(&world, part, id,
                         *c == 'c'   ? RISK_CRITICAL
                         : *c == 'n' ? RISK_NOT_EVALUATED
                                     : RISK_HIGH,
                         *c == 'o'   ? 99
                         : *c == 'h' ? 5
                         : *c == 'n' ? 0
                                     : 3);
            }
            world_publish(&world, part);
        }
        world_advance(&world);
        const struct event_list *events = &world.events;
        CHECK(events->count == 1 + (*cases[i].b != 0));
        CHECK_TEXT(events->events[events->count - 1].headline, cases[i].headline);
        world_finish(&world);
    }
}

TEST(what_nobody_rates_is_named_in_words)
{
    struct world world;
    begin(&world, NULL, LEDGER_FIRST_SUMMARY);
    struct part *part = part_of(A, "x", "x");
    world_open(part, "f1", "key", "x", RISK_NOT_EVALUATED);
    world_open(part, "f2", "key", "x", RISK_NOT_EVALUATED);
    world_publish(&world, part);
    collect(&world, B, "x", "");
    CHECK_TEXT(world_advance(&world), "digest x 3\n");
    CHECK_TEXT(detail(&world), "3 findings were open already, 1 high, 2 without a risk level");
    world_finish(&world);
}

TEST(a_subscription_is_remembered_for_30_days)
{
    struct world world;
    world_init(&world, "days.db");
    collect(&world, A, "x", "x");
    CHECK_TEXT(world_advance(&world), "digest assessments 1\n");
    collect(&world, A, "", "");
    CHECK_TEXT(world_advance(&world), "");
    world.now += 30 * DAY;
    struct part *part = part_of(A, "x", "");
    part_add_closed(part, "x", "fxa", REASON_FIXED);
    world_open(part, "new", "key", "x", RISK_HIGH);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened new/1 high\n");
    collect(&world, A, "", "");
    CHECK_TEXT(world_advance(&world), "");
    world_stop(&world);
    world_start(&world);
    world.now += 30 * DAY + 1;
    collect(&world, A, "x", "x");
    CHECK_TEXT(world_advance(&world), "digest x 2\n"); /* the new one is open still */
    CHECK_TEXT(world_advance(&world), "");
    world_finish(&world);
}

TEST(a_subscription_that_cannot_be_read_stays_known)
{
    struct world world;
    world_begin(&world, NULL);
    struct part *part = world_part(A, ONLY_S1);
    part_add_carried(part, "s2", 0, "access denied", 1);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "");
    world.now += 90 * DAY;
    world_collect(&world, "z");
    CHECK_TEXT(world_advance(&world), "finding.opened z/1 high\n");
    world_finish(&world);
}

TEST(silent_says_nothing_and_all_says_each)
{
    static const char *const told[] = { [LEDGER_FIRST_SILENT] = "",
                                        [LEDGER_FIRST_SUMMARY] = "digest x 2\n",
                                        [LEDGER_FIRST_ALL] = ("baseline.rule_regressed fxb/1 high\n"
                                                              "finding.opened fxa/1 high\n") };
    for (int mode = 0; ledger_first_run_words[mode]; mode++) {
        struct world world;
        begin(&world, NULL, (enum ledger_first_run)mode);
        collect(&world, A, "x", "x");
        collect(&world, B, "x", "x");
        CHECK_TEXT(world_advance(&world), told[mode]);
        world.now += 7200;
        CHECK_TEXT(world_advance(&world), "");
        world_finish(&world);
    }
}

TEST(a_new_subscription_is_no_new_recommendation)
{
    struct world world;
    begin(&world, NULL, LEDGER_FIRST_SILENT);
    world.config.ruler_subscriptions = 2;
    ledger_configure(world.ledger, &world.config);
    collect(&world, A, "xyz", "xyz");
    CHECK_TEXT(world_advance(&world), "");
    world_finish(&world);
}

TEST(what_version_1_watched_is_known)
{
    struct world world;
    struct error error = { 0 };
    world_init(&world, "version1.db");
    collect(&world, A, "", "");
    CHECK_TEXT(world_advance(&world), "");
    /* as the migration leaves it: a subscription without a finding has no row */
    CHECK(database_run(database_prepare(world.database, "DELETE FROM ledger_adoption"), &error));
    CHECK(database_run(database_prepare(world.database, "INSERT INTO store (key, value) VALUES"
                                                        " ('adopts_all.assessments', '1')"),
                       &error));
    world_stop(&world);
    world.config.ruler_findings = 1; /* it did not note what was well everywhere, either */
    world_start(&world);
    collect(&world, A, "x", "x");
    CHECK_TEXT(world_advance(&world), "finding.opened fxa/1 high\n");
    collect(&world, A, "xy", "xy");
    CHECK_TEXT(world_advance(&world), "digest y 1\n");
    world_finish(&world);
}

/* --- the messages ----------------------------------------------------------------------------- */

/* The tenant with 200 more subscriptions, three findings in each; extra: a critical one more. */
static void collect_all(struct scene *scene, const struct source *source, bool extra)
{
    struct part *part = world_part(source, BOTH);
    for (int i = 0; i < NEW; i++) {
        char id[16], name[32];
        snprintf(id, sizeof id, "n%03d", i);
        part_add_cover(part, id, 1);
        for (int n = 0; n < 3; n++) {
            snprintf(name, sizeof name, "%s-%d%c", id, n, source == B ? 'b' : 'a');
            world_open(part, name, "key", id, n ? RISK_HIGH : RISK_CRITICAL);
        }
    }
    if (extra)
        world_open(part, "fresh", "key", "n007", RISK_CRITICAL);
    scene->world.now += 60;
    world_publish(&scene->world, part);
}

TEST(two_hundred_at_once_are_one_message_and_then_a_critical_is_one_page)
{
    struct scene scene;
    scene_init(&scene, "onboarding", SCENE_ALONE, SCENE_OPENED);
    world_publish(&scene.world, world_part(B, BOTH));
    scene_begin(&scene);
    collect_all(&scene, A, false);
    CHECK_TEXT(scene_run(&scene), "");
    collect_all(&scene, B, false);
    const char *told = scene_run(&scene);
    CHECK_CONTAINS(told, "team digest firing: digest@");
    CHECK(strchr(told, '\n') == told + strlen(told) - 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM outbox_message WHERE page LIKE"
                                   " '%\"Now watching n000, n001, n002 and 197 more subscriptions:"
                                   " 400 critical open\"%1200 findings were open already,"
                                   " 400 critical, 800 high%'"),
              1);
    for (int i = 0; i < 3; i++) {
        collect_all(&scene, A, false);
        CHECK_TEXT(scene_run(&scene), "");
    }
    collect_all(&scene, A, true);
    CHECK_TEXT(scene_run(&scene), "team finding.opened firing: finding.opened@fresh\n");
    CHECK_TEXT(scene_run(&scene), "");
    scene_finish(&scene);
}
