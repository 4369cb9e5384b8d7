/* sources: a list whose order is its own; two sources of one collector that ask two tenants and
 * never touch what is the other's, from the snapshot to the ledger. */
#include "collectors/snapshot/source.h"

#include "collectors/run/cover.h"
#include "collectors/run/runner.h"
#include "collectors/subscriptions.h"
#include "ledger_world.h"

/* --- the list --------------------------------------------------------------------------------- */
static void join_keys(const struct source_list *list, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < list->count; i++) {
        CHECK_INT(list->sources[i].index, i);
        CHECK(list->sources[i].list == list);
        buf_printf(out, "%s%s", i ? " " : "", list->sources[i].key);
    }
}

TEST(the_order_is_what_collectors_say)
{
    CLEANUP(buf_finish) struct buf keys = { 0 };
    const struct collector *const kinds[] = {
        SOURCE(baselines)->collector,       SOURCE(assessments)->collector,
        SOURCE(catalogue)->collector,       SOURCE(secure_scores)->collector,
        SOURCE(subscriptions)->collector,   SOURCE(tags)->collector,
        SOURCE(plans)->collector,           SOURCE(prerequisites)->collector,
        SOURCE(attack_paths)->collector,    SOURCE(compliance)->collector,
        SOURCE(exemptions)->collector,      SOURCE(governance)->collector,
        SOURCE(subassessments)->collector,  SOURCE(activity)->collector,
        SOURCE(security_alerts)->collector, SOURCE(remediations)->collector,
        SOURCE(exposure)->collector,        SOURCE(mdvm_baselines)->collector,
    };
    enum { COUNT = ARRAY_COUNT(kinds) };
    for (size_t turn = 0; turn < COUNT; turn++) {
        const struct collector *turned[COUNT + 1] = { 0 };
        for (size_t i = 0; i < COUNT; i++)
            turned[i] = kinds[(i + turn) % COUNT];
        struct source_list *list = source_list_of(turned);
        join_keys(list, &keys);
        CHECK_TEXT(buf_cstr(&keys),
                   "subscriptions catalogue assessments secure_scores baselines attack_paths "
                   "security_alerts governance exemptions tags compliance plans subassessments "
                   "prerequisites remediations exposure mdvm_baselines activity");
        CHECK(source_list_equal(list, test_sources()));
        source_list_release(list);
    }
}

TEST(keys_fit_files_and_rows)
{
    static const char *const good[] = { "a", "secure_scores", "own.query-2", "East" };
    static const char *const bad[] = { "", ".", "../x", "a/b", "a,b", "a b", "\xc3\xa4" };
    char longest[102] = "";
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        CHECK(source_key_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        CHECK(!source_key_is_valid(bad[i]));
    memset(longest, 'k', 100);
    CHECK(source_key_is_valid(longest));
    longest[100] = 'k';
    CHECK(!source_key_is_valid(longest));
}

TEST(lists_are_equal_when_every_source_is)
{
    const struct collector *collector = SOURCE(assessments)->collector;
    const struct source one = { collector, "t", "n", "k", 0, NULL };
    const struct source others[] = {
        { SOURCE(baselines)->collector, "t", "n", "k", 0, NULL },
        { collector, "other", "n", "k", 0, NULL },
        { collector, "t", "other", "k", 0, NULL },
        { collector, "t", "n", "other", 0, NULL },
    };
    struct source_list *list = source_list_create(&one, 1);
    struct source_list *same = source_list_create(&one, 1);
    struct source_list *none = source_list_create(NULL, 0);
    CHECK(source_list_equal(list, same));
    CHECK(!source_list_equal(list, none));
    CHECK(source_list_find(list, "k") == source_list_named(list, "n"));
    CHECK(!source_list_find(list, "n") && !source_list_named(list, "k"));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        struct source_list *other = source_list_create(&others[i], 1);
        CHECK(!source_list_equal(list, other));
        source_list_release(other);
    }
    source_list_release(list);
    source_list_release(same);
    source_list_release(none);
}

/* --- a store whose sources change ------------------------------------------------------------- */

/* A collector that is made at run time: a copy of the recommendations'. */
struct made {
    struct collector collector;
    struct collector_life life;
};

static atomic_int made_count;

static void free_made(const struct collector *collector)
{
    free((void *)(uintptr_t)collector);
    made_count--;
}

static const struct collector *make_own(void)
{
    struct made *made = calloc(1, sizeof(struct made));
    made->collector = *SOURCE(assessments)->collector;
    made->collector.name = "own";
    made->collector.life = &made->life;
    made->life.finish = free_made;
    atomic_init(&made->life.references, 1);
    made_count++;
    return &made->collector;
}

static struct source_list *with_own(void)
{
    const struct collector *own = make_own();
    const struct source sources[] = {
        { own, "", "own", "own", 0, NULL },
        { SOURCE(assessments)->collector, "", "assessments", "assessments", 0, NULL },
    };
    struct source_list *list = source_list_create(sources, 2);
    collector_release(own); /* the list holds it */
    return list;
}

TEST(a_collector_made_at_run_time_lives_as_long_as_a_list_that_has_it)
{
    const struct collector *own = make_own();
    const struct source one = { own, "", "own", "own", 0, NULL };
    struct source_list *first = source_list_create(&one, 1);
    struct source_list *second = source_list_create(&one, 1);
    collector_release(own);
    CHECK(source_list_equal(first, second));
    source_list_release(first);
    CHECK_INT(made_count, 1);
    CHECK_TEXT(second->sources[0].collector->name, "own");
    source_list_release(second);
    CHECK_INT(made_count, 0);
    collector_release(SOURCE(assessments)->collector); /* built in: nothing happens */
    CHECK_TEXT(SOURCE(assessments)->collector->name, "assessments");
}

static struct part *part_with(const struct source *source, const char *name)
{
    struct part *part = part_create(source);
    world_open(part, name, "key", "s1", RISK_HIGH);
    part_seal(part);
    return part;
}

TEST(a_store_keeps_what_stays_and_forgets_what_goes)
{
    struct source_list *list = with_own();
    const struct source *own = source_list_find(list, "own");
    const struct source_status good = { .enabled = true, .success = true, .rows = 7 };
    struct snapshot_store *store = snapshot_store_create(list);
    snapshot_publish(store, own, part_with(own, "a"), &good);
    snapshot_publish(store, source_list_find(list, "assessments"),
                     part_with(source_list_find(list, "assessments"), "a"), &good);
    struct snapshot *before = snapshot_acquire(store, 0);
    snapshot_store_configure(store, list);
    CHECK_INT(snapshot_generation(store, 0), before->generation);
    snapshot_store_configure(store, test_sources());
    CHECK_INT(snapshot_generation(store, 0), before->generation + 1);
    snapshot_publish(store, own, part_with(own, "b"), &good); /* a run that ended too late */
    source_list_release(list);
    struct snapshot *after = snapshot_acquire(store, 0);
    CHECK_INT(after->generation, before->generation + 1);
    CHECK_INT(after->sources->count, test_sources()->count);
    CHECK(after->parts[INDEX(assessments)] == snapshot_part(before, SOURCE(assessments)));
    CHECK_INT(after->status[INDEX(assessments)].rows, 7);
    CHECK(!after->parts[INDEX(baselines)]);
    CHECK(!snapshot_part(after, own) && !snapshot_status(after, own)->enabled);
    CHECK_TEXT(snapshot_part(before, own)->source->collector->name, "own"); /* lives on */
    snapshot_release(before);
    snapshot_release(after);
    snapshot_store_destroy(store);
}

TEST(a_key_of_another_collector_is_another_source)
{
    struct source_list *list = with_own(), *again = with_own();
    const struct source_status good = { .enabled = true, .success = true };
    const struct source *own = source_list_find(list, "own");
    struct snapshot_store *store = snapshot_store_create(list);
    snapshot_publish(store, own, part_with(own, "a"), &good);
    snapshot_store_configure(store, again);
    struct snapshot *snapshot = snapshot_acquire(store, 0);
    own = source_list_find(again, "own");
    CHECK(!snapshot_part(snapshot, own) && !snapshot_status(snapshot, own)->enabled);
    snapshot_release(snapshot);
    snapshot_store_destroy(store);
    source_list_release(list);
    source_list_release(again);
}

/* --- one collector, two tenants --------------------------------------------------------------- */
static struct collect_context context_of(const struct world *world)
{
    return (struct collect_context){ .now = world->now,
                                     .snapshot = world->snapshot,
                                     .max_staleness_s = 3600 };
}

/* Both tenants see the subscription "both", each one of its own. */
static struct source_list *two_tenants(void)
{
    const struct collector *findings = SOURCE(assessments)->collector;
    const struct collector *discovery = SOURCE(subscriptions)->collector;
    const struct source sources[] = {
        { findings, "t1", "east", "east", 0, NULL },
        { findings, "t2", "west", "west", 0, NULL },
        { discovery, "t1", "find east", "find_east", 0, NULL },
        { discovery, "t2", "find west", "find_west", 0, NULL },
    };
    return source_list_create(sources, 4);
}

static const struct source *of(const struct world *world, const char *key)
{
    return source_list_find(world->snapshot->sources, key);
}

static void world_two(struct world *world, const char *name)
{
    struct error error = { 0 };
    world_init(world, name);
    world->proves = true;
    struct source_list *list = two_tenants();
    snapshot_release(world->snapshot);
    world->snapshot = snapshot_create(list);
    ledger_destroy(world->ledger);
    world->ledger = ledger_create(world->database, &world->config, list, &error);
    source_list_release(list);
    CHECK_TEXT(error.message, "");
}

/* A discovery of "both" and another subscription; state: Azure's word for "both". */
static void discover(struct world *world, const char *key, const char *other, const char *state)
{
    char rows[256];
    struct error error = { 0 };
    const struct source *source = of(world, key);
    struct part *part = part_create(source);
    struct collect_context context = context_of(world);
    snprintf(rows, sizeof rows,
             "[{\"subscriptionId\":\"both\",\"state\":\"%s\"},"
             "{\"subscriptionId\":\"%s\",\"state\":\"Enabled\"}]",
             state, other);
    struct json *document = json_parse(rows, strlen(rows), &error);
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[512] = { 0 };
        CHECK(!columns_bind(source->collector->variants[0].queries[0].columns, row, bound, &scratch,
                            &error));
        CHECK(!source->collector->fold(part, 0, bound, &context, &error));
    }
    CHECK(source->collector->finish(part, &context, &error));
    json_free(document);
    world_publish(world, part);
}

/* A collection: names of open findings, one letter each, all in "both"; '-' before a letter: the
 * row says that it is fixed. */
static void collect(struct world *world, const char *key, const char *names)
{
    const struct source *source = of(world, key);
    struct part *part = part_create(source);
    struct collect_context context = context_of(world);
    for (; *names; names++) {
        bool fixed = *names == '-';
        char name[2] = { fixed ? *++names : *names };
        part_see(part, "both");
        if (fixed)
            part_add_closed(part, "", name, REASON_FIXED);
        else
            world_open(part, name, "key", "both", RISK_HIGH);
    }
    cover_complete(part, snapshot_part(world->snapshot, source), &context,
                   &(struct cover_marks){ 0 });
    world_publish(world, part);
}

static void begin(struct world *world, const char *name)
{
    world_two(world, name);
    discover(world, "find_west", "s2", "Enabled"); /* before east's: both look at "both" */
    discover(world, "find_east", "s1", "Enabled");
    collect(world, "east", "");
    collect(world, "west", "");
    CHECK_TEXT(world_advance(world), ""); /* first runs, so that what follows is told */
    collect(world, "east", "ab");
    collect(world, "west", "abc");
    CHECK_TEXT(world_advance(world), "finding.opened a/1 high\nfinding.opened b/1 high\n"
                                     "finding.opened c/1 high\n");
}

static int64_t count_open(struct world *world, const char *key)
{
    int64_t count = -1;
    struct error error = { 0 };
    struct database_statement *statement = database_prepare(
        world->database, "SELECT COUNT(*) FROM ledger_known WHERE source = $1 AND is_open = 1");
    database_bind(statement, key);
    CHECK(database_get_integer(statement, &count, &error));
    return count;
}

static void check_open(struct world *world, int64_t east, int64_t west)
{
    CHECK_INT(count_open(world, "east"), east);
    CHECK_INT(count_open(world, "west"), west);
}

TEST(the_same_row_of_two_sources_is_one_finding)
{
    struct world world;
    begin(&world, NULL);
    const struct part *east = snapshot_part(world.snapshot, of(&world, "east"));
    const struct part *west = snapshot_part(world.snapshot, of(&world, "west"));
    for (size_t i = 0; i < east->finding_count; i++)
        CHECK(part_find(west, &east->findings[i].id) >= 0);
    check_open(&world, 2, 1);
    world_finish(&world);
}

TEST(each_covers_its_own_tenant)
{
    struct world world;
    begin(&world, NULL);
    const struct part *east = snapshot_part(world.snapshot, of(&world, "east"));
    const struct part *west = snapshot_part(world.snapshot, of(&world, "west"));
    CHECK(part_cover_find(east, "both") && part_cover_find(east, "s1"));
    CHECK(part_cover_find(west, "both") && part_cover_find(west, "s2"));
    CHECK(!part_cover_find(east, "s2") && !part_cover_find(west, "s1"));
    size_t count;
    CHECK_TEXT(subscriptions_known(world.snapshot, "t1", &count)[1].id, "s1");
    CHECK_TEXT(subscriptions_known(world.snapshot, "t2", &count)[1].id, "s2");
    CHECK(subscriptions_find(world.snapshot, "s1") && subscriptions_find(world.snapshot, "s2"));
    discover(&world, "find_west", "s2", "Enabled"); /* now it hears that east sees "both", too */
    const struct part *again = snapshot_part(world.snapshot, of(&world, "find_west"));
    CHECK_INT(subscriptions_in(again, "both")->state, SUBSCRIPTION_FILTERED);
    CHECK_INT(subscriptions_in(again, "s2")->state, SUBSCRIPTION_VISIBLE);
    world_finish(&world);
}

TEST(what_one_shows_is_open)
{
    struct world world;
    begin(&world, NULL);
    for (int i = 0; i < 4; i++) { /* "b" is absent from east, which tells of it; west has it */
        collect(&world, "east", "a");
        collect(&world, "west", "abc");
        CHECK_TEXT(world_advance(&world), "");
    }
    check_open(&world, 2, 1);
    collect(&world, "west", "-a-bc"); /* not west's to say */
    CHECK_TEXT(world_advance(&world), "");
    collect(&world, "east", "-a");
    CHECK_TEXT(world_advance(&world), "finding.resolved a/1 high fixed\n"
                                      "finding.resolved b/1 high resource_deleted\n");
    check_open(&world, 0, 1);
    world_finish(&world);
}

TEST(what_one_sees_no_more_is_the_others)
{
    struct world world;
    begin(&world, NULL);
    struct part *part = part_create(of(&world, "east")); /* the delegation ended */
    part_add_cover(part, "s1", 1);
    world_publish(&world, part);
    collect(&world, "west", "abc");
    CHECK_TEXT(world_advance(&world), "");
    check_open(&world, 0, 3);
    collect(&world, "west", "-abc");
    CHECK_TEXT(world_advance(&world), "finding.resolved a/1 high fixed\n");
    check_open(&world, 0, 2);
    world_finish(&world);
}

TEST(neither_carries_what_the_other_found)
{
    struct world world;
    begin(&world, NULL);
    discover(&world, "find_east", "s1", "Disabled");
    collect(&world, "east", "");
    collect(&world, "west", "abc");
    const struct part *east = snapshot_part(world.snapshot, of(&world, "east"));
    const struct part *west = snapshot_part(world.snapshot, of(&world, "west"));
    CHECK_INT(east->finding_count, 2); /* its own two, not west's three */
    CHECK(part_cover_find(east, "both")->carried);
    CHECK_INT(west->finding_count, 3);
    CHECK(!part_cover_find(west, "both")->carried);
    CHECK_TEXT(world_advance(&world), "");
    check_open(&world, 0, 3); /* west tells of what east cannot read */
    world_finish(&world);
}

TEST(neither_adopts_or_ends_the_first_run_of_the_other)
{
    struct world world;
    world_two(&world, NULL);
    collect(&world, "east", "a");
    CHECK_TEXT(world_advance(&world), "digest east 1\n");
    collect(&world, "east", "ab");
    CHECK_TEXT(world_advance(&world), "finding.opened b/1 high\n");
    collect(&world, "west", "abc"); /* east tells of the others */
    CHECK_TEXT(world_advance(&world), "digest west 1\n");
    check_open(&world, 2, 1);
    world_finish(&world);
}

TEST(one_that_fails_breaks_the_row_of_the_other_not)
{
    struct world world;
    begin(&world, NULL);
    collect(&world, "east", "a");
    CHECK_TEXT(world_advance(&world), "");
    world_fail(&world, of(&world, "west"));
    CHECK_TEXT(world_advance(&world), "");
    collect(&world, "east", "");
    CHECK_TEXT(world_advance(&world), ""); /* west shows them still */
    check_open(&world, 2, 1);
    world_finish(&world);
}

/* --- what the database knows ------------------------------------------------------------------ */
TEST(a_ledger_follows_the_list_of_the_snapshot)
{
    struct world world;
    begin(&world, NULL);
    struct snapshot *two = world.snapshot;
    world.snapshot = snapshot_create(test_sources()); /* a reload without them */
    CHECK_TEXT(world_advance(&world), "");
    collect(&world, "assessments", "a");
    CHECK_TEXT(world_advance(&world), "digest assessments 1\n");
    check_open(&world, 1, 1); /* it tells of "a" now */
    snapshot_release(world.snapshot);
    world.snapshot = two; /* and with them again */
    collect(&world, "east", "ab");
    collect(&world, "west", "ab-c");
    CHECK_TEXT(world_advance(&world), "finding.resolved c/1 high fixed\n");
    check_open(&world, 2, 0);
    world_finish(&world);
}

static void restart(struct world *world)
{
    struct error error = { 0 };
    ledger_destroy(world->ledger);
    world->ledger =
        ledger_create(world->database, &world->config, world->snapshot->sources, &error);
    CHECK_TEXT(error.message, "");
}

TEST(a_restart_knows_both)
{
    struct world world;
    begin(&world, NULL);
    discover(&world, "find_west", "s3", "Enabled"); /* another cover than before, and than east's */
    collect(&world, "east", "ab");
    collect(&world, "west", "abc");
    CHECK_TEXT(world_advance(&world), "digest s3 0\n");
    restart(&world);
    collect(&world, "east", "a");
    collect(&world, "west", "ab");
    CHECK_TEXT(world_advance(&world), "");
    restart(&world);
    collect(&world, "east", "ad");
    collect(&world, "west", "ab");
    CHECK_TEXT(world_advance(&world), "finding.opened d/1 high\n"
                                      "finding.resolved c/1 high resource_deleted\n");
    check_open(&world, 3, 0);
    world_finish(&world);
}

static bool note_source(void *context, const struct event *event, struct error *error)
{
    (void)error;
    if (event->kind == EVENT_DATA_STALE)
        buf_printf(context, "%s %s\n", event->source->key, event->source->tenant);
    return true;
}

TEST(events_about_no_finding_name_the_source)
{
    struct world world;
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf told = { 0 };
    world_two(&world, NULL);
    const struct event stale = { .kind = EVENT_DATA_STALE, .source = of(&world, "west") };
    CHECK(ledger_record(world.database, &stale, &error));
    CHECK(ledger_history(world.database, world.snapshot->sources, 0, NULL, note_source, &told,
                         &error));
    CHECK_TEXT(buf_cstr(&told), "west t2\n");
    world_finish(&world);
}

TEST(figures_and_history_name_the_source)
{
    struct world world;
    begin(&world, NULL);
    collect(&world, "east", "abd");
    collect(&world, "west", "abce");
    CHECK_TEXT(world_advance(&world), "finding.opened d/1 high\nfinding.opened e/1 high\n");
    const char *delays = world_figures(&world, "defender_finding_detection_delay_seconds");
    CHECK_CONTAINS(delays, "east ");
    CHECK_CONTAINS(delays, "west ");
    size_t both = 0, east = 0;
    struct error error = { 0 };
    const struct source alone = *of(&world, "east");
    struct source_list *list = source_list_create(&alone, 1);
    CHECK(ledger_history(world.database, world.snapshot->sources, 0, NULL, world_count_event, &both,
                         &error));
    CHECK(ledger_history(world.database, list, 0, NULL, world_count_event, &east, &error));
    CHECK_INT(both, 3 + 2);
    CHECK_INT(east, 2 + 1);
    source_list_release(list);
    world_finish(&world);
}

/* --- who waits for whom ----------------------------------------------------------------------- */
static bool waits(const struct source *by, int variant, const struct source *source)
{
    return runner_is_needed(source, by, &by->collector->variants[variant]);
}

TEST(all_wait_for_the_discovery_and_lists_for_the_reference)
{
    static const char *const data[] = { "assessments", "secure_scores", "baselines", "catalogue" };
    for (size_t i = 0; i < ARRAY_COUNT(data); i++) {
        const struct source *source = source_list_find(test_sources(), data[i]);
        CHECK(waits(source, 0, SOURCE(subscriptions)));
        CHECK(!waits(source, 0, SOURCE(catalogue)));
        CHECK(!waits(source, 0, SOURCE(assessments)));
        CHECK(!waits(SOURCE(subscriptions), 0, source));
    }
    CHECK(!strcmp(SOURCE(assessments)->collector->variants[1].name, "rest"));
    CHECK(waits(SOURCE(assessments), 1, SOURCE(catalogue)));
    CHECK(!waits(SOURCE(secure_scores), 1, SOURCE(catalogue)));
}

TEST(nobody_waits_for_another_tenant)
{
    struct source_list *list = two_tenants();
    const struct source *east = source_list_find(list, "east");
    CHECK(waits(east, 0, source_list_find(list, "find_east")));
    CHECK(!waits(east, 0, source_list_find(list, "find_west")));
    CHECK(!waits(source_list_find(list, "find_west"), 0, source_list_find(list, "find_east")));
    source_list_release(list);
}

TEST(every_collector_says_what_it_is)
{
    for (size_t i = 0; i < test_sources()->count; i++) {
        const struct collector *collector = test_sources()->sources[i].collector;
        CHECK(collector->name && collector->help && collector->default_interval);
        CHECK(collector_words(collector->name) && !strchr(collector->words, '_'));
        CHECK(collector->rights.reads && collector->rights.role);
        CHECK(collector->families && collector->fold && collector->emit);
        CHECK(collector->variants[0].name && collector->variants[0].queries[0].name);
    }
}

TEST(samples_of_both_are_told)
{
    struct world world;
    begin(&world, NULL);
    struct metric_set set = { .max_level = 1 };
    size_t rows = 0, visible = 0;
    runner_emit(world.snapshot, &set);
    for (size_t i = 0; i < set.count; i++) {
        const char *name = set.samples[i].family->name;
        rows += !strcmp(name, "defender_collector_rows");
        visible += !strcmp(name, "defender_subscription_visible");
    }
    CHECK_INT(rows, 4);
    CHECK_INT(visible, 4);
    struct metric_set each = { .max_level = 1 };
    for (size_t i = 0; i < world.snapshot->sources->count; i++)
        runner_emit_source(world.snapshot, i, &each);
    CHECK_INT(each.count, set.count - 1); /* defender_up is of none */
    metric_set_finish(&each);
    metric_set_finish(&set);
    world_finish(&world);
}
