/* The fast lane between two sweeps: what a look changes in a part, and that sweeps with looks
 * between them end where sweeps alone do. */
#include "collectors/snapshot/part_patch.h"

#include "alerts/ledger/ledger.h"
#include "alerts/store/schema.h"
#include "collectors/assessments.h"
#include "collectors/azure/graph.h"
#include "collectors_world.h"
#include "core/clock.h"
#include "core/memory.h"

enum { GRAPH };

static struct part *shown(const struct world *world)
{
    return world->snapshot->parts[SOURCE(assessments)->index];
}

static struct part *sweep(struct world *world, const char *rows)
{
    struct part *part = part_create(SOURCE(assessments));
    world_feed(world, part, GRAPH, 0, rows);
    return world_conclude(world, part);
}

/* What the runner makes of the rows of a look. */
static struct part *look_at(struct world *world, const char *rows)
{
    struct part *look = part_create(SOURCE(assessments));
    world->context.since = 1;
    world_try(world, look, GRAPH, 0, rows);
    world->context.since = 0;
    part_settle(look, NULL);
    part_seal(look);
    return look;
}

/* Look, and show what came of it; whether there was news. */
static bool look(struct world *world, const char *rows)
{
    struct part *changed = look_at(world, rows);
    struct part **place = &world->snapshot->parts[SOURCE(assessments)->index];
    struct part *patched = part_patch(*place, changed);
    part_release(changed);
    if (!patched)
        return false;
    CHECK_INT(patched->collected_at, (*place)->collected_at);
    part_release(*place);
    *place = patched;
    return true;
}

#define AT(date) ",\"statusChangeDate\":\"2026-01-0" date "T00:00:00Z\""
#define OPEN(id, risk, date) WORLD_ROW(id, "s-1", "k1", risk, "Unhealthy", AT(date))
#define GOOD(id, date) WORLD_ROW(id, "s-1", "k1", "", "Healthy", AT(date))
#define RESULTS "defender_assessed_resources"

TEST(a_look_opens_rerates_and_ends_by_a_row)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(OPEN("a", "High", "1"), OPEN("b", "Low", "1"), GOOD("c", "1"),
                       OPEN("d", "Low", "1")));
    CHECK(look(&world, ROWS(GOOD("a", "2"), OPEN("b", "Critical", "1"), OPEN("c", "High", "2"),
                            OPEN("new", "Medium", "2"))));
    CHECK_INT(shown(&world)->finding_count, 4);
    CHECK_INT(shown(&world)->closed_count, 1);
    CHECK_FAMILY(&world, 0, RESULTS,
                 "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 1\n{s-1,azure,not_applicable} 0\n"
                 "{s-1,azure,unhealthy} 4\n");
    CHECK(look(&world, ROWS(GOOD("c", "3"))));
    CHECK_INT(shown(&world)->finding_count, 3);
    CHECK_INT(shown(&world)->closed_count, 2);
}

TEST(what_was_told_of_before_and_by_a_look_is_known)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(OPEN("a", "High", "1"), WORLD_ROW("b", "s-1", "k2", "", "Healthy", "")));
    CHECK(look(&world, ROWS(GOOD("a", "2"), WORLD_ROW("c", "s-1", "k3", "", "Healthy", ""))));
    const struct intern *known = &shown(&world)->known;
    CHECK_INT(known->count, 4);
    for (int i = 1; i < 4; i++)
        CHECK(intern_find(known, (const char[]){ 'k', (char)('0' + i) }, 2) != UINT32_MAX);
}

TEST(a_look_without_news_changes_nothing)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(OPEN("a", "High", "1"), GOOD("c", "1")));
    CHECK(!look(&world, "[]"));
    CHECK(!look(&world, ROWS(OPEN("a", "High", "1"), GOOD("c", "2"), GOOD("new", "2"))));
    CHECK(look(&world, ROWS(OPEN("a", "High", "2")))); /* its date is another */
}

TEST(a_look_says_nothing_of_what_the_part_does_not_speak_for)
{
    WORLD(world);
    world_discover(&world, WORLD_BOTH);
    sweep(&world,
          ROWS(OPEN("a", "High", "1"), WORLD_ROW("b", "s-2", "k1", "High", "Unhealthy", AT("1"))));
    world_discover(&world, "[" WORLD_ONE ",{\"subscriptionId\":\"s-2\",\"displayName\":\"Two\","
                           "\"state\":\"Disabled\"}]");
    sweep(&world, ROWS(OPEN("a", "High", "1")));
    CHECK(part_is_unread(shown(&world), "s-2"));
    CHECK(!look(&world, ROWS(WORLD_ROW("b", "s-2", "k1", "", "Healthy", AT("2")),
                             WORLD_ROW("x", "s-9", "k1", "High", "Unhealthy", AT("2")))));
    CHECK(look(&world, ROWS(OPEN("a", "Low", "2"))));
    CHECK_FAMILY(&world, 0, RESULTS, /* what is carried over stays counted */
                 "{s-1,azure,exempt} 0\n{s-1,azure,healthy} 0\n{s-1,azure,not_applicable} 0\n"
                 "{s-1,azure,unhealthy} 1\n{s-2,azure,exempt} 0\n{s-2,azure,healthy} 0\n"
                 "{s-2,azure,not_applicable} 0\n{s-2,azure,unhealthy} 1\n");
}

TEST(an_odd_row_of_a_look_says_nothing)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(OPEN("a", "High", "1"), OPEN("b", "High", "1")));
    CHECK(look(&world, ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Sick", AT("2")), GOOD("b", "2"))));
    CHECK_INT(shown(&world)->finding_count, 1);
    CHECK_INT(odd_count(&shown(&world)->odd), 0); /* those of the sweep */
}

/* What the sweep could not read a look may: then it is as every other. */
TEST(a_finding_whose_row_was_odd_is_told_of_by_a_look)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    struct part *part = sweep(&world, ROWS(OPEN("a", "High", "1"), OPEN("b", "High", "1")));
    const struct finding_id ids[] = { part->findings[0].id, part->findings[1].id };
    part = part_create(SOURCE(assessments));
    world_try(&world, part, GRAPH, 0,
              ROWS(WORLD_ROW("a", "s-1", "k1", "High", "Sick", AT("2")),
                   WORLD_ROW("b", "s-1", "k1", "High", "Sick", AT("2"))));
    world_conclude(&world, part);
    CHECK_INT(shown(&world)->frozen_count, 2);
    CHECK(look(&world, ROWS(GOOD("a", "3"))));
    CHECK_INT(shown(&world)->finding_count, 1);
    CHECK_INT(shown(&world)->frozen_count, 1);
    for (int i = 0; i < 2; i++)
        CHECK(part_is_frozen(shown(&world), &ids[i]) == (part_find(shown(&world), &ids[i]) >= 0));
}

#define GROUPED(id, code, date)                                                                    \
    WORLD_ROW(id, "s-1", "1195afff-c881-495e-9bc5-1486211ae03f", "High", code,                     \
              ",\"grouped\":\"true\"" AT(date))
#define INDIVIDUAL(id, key, date)                                                                  \
    WORLD_ROW(id, "s-1", key, "High", "Unhealthy",                                                 \
              ",\"recommendationCategory\":\"SoftwareUpdate\"" AT(date))

TEST(what_is_told_one_by_one_is_not_told_twice_by_a_look)
{
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(GROUPED("a", "Unhealthy", "1"), INDIVIDUAL("a", "k1", "1"),
                       GROUPED("b", "Healthy", "1"), INDIVIDUAL("b", "k2", "1")));
    CHECK_INT(shown(&world)->finding_count, 2);
    CHECK(!look(&world, ROWS(GROUPED("a", "Unhealthy", "2")))); /* retired before */
    CHECK(look(&world, ROWS(GROUPED("b", "Unhealthy", "2"), INDIVIDUAL("c", "k3", "2"))));
    CHECK_INT(shown(&world)->finding_count, 3);
    CHECK(look(&world, ROWS(GROUPED("c", "Unhealthy", "3"), INDIVIDUAL("b", "k2", "3"))));
    CHECK_INT(shown(&world)->finding_count, 3); /* the look before told of c's own */
}

static const char *paths_of(const struct world *world, size_t index)
{
    return assessments_attack_paths(shown(world), &shown(world)->findings[index].id);
}

TEST(the_attack_paths_of_a_finding_are_those_told_last)
{
#define ON(path, date)                                                                             \
    WORLD_ROW("a", "s-1", "k1", "High", "Unhealthy", ",\"attackPaths\":\"" path "\"" AT(date))
    WORLD(world);
    world_discover(&world, "[" WORLD_ONE "]");
    sweep(&world, ROWS(ON("p1", "1")));
    CHECK_TEXT(paths_of(&world, 0), "p1");
    CHECK(look(&world, ROWS(ON("p1,p2", "2"))));
    CHECK_TEXT(paths_of(&world, 0), "p1,p2");
    CHECK(look(&world, ROWS(ON("p3", "3"))));
    CHECK_TEXT(paths_of(&world, 0), "p3");
    CHECK(look(&world, ROWS(ON("", "4"))));
    CHECK_TEXT(paths_of(&world, 0), "");
    CHECK(look(&world, ROWS(ON("p4", "5"))));
    CHECK_TEXT(paths_of(&world, 0), "p4");
}

/* The two queries differ in which rows they want, and in nothing else. */
TEST(a_row_says_the_same_to_a_look_and_to_a_sweep)
{
    CLEANUP(buf_finish) struct buf rows = { 0 }, changed = { 0 };
    const struct variant *variant = &SOURCE(assessments)->collector->variants[GRAPH];
    static const char wanted[] =
        "| where todatetime(properties.status.statusChangeDate) >= todatetime('{{since}}')\n";
    graph_text(variant->queries[0].kql, 0, 0, &rows);
    graph_text(variant->changed.kql, 0, 0, &changed);
    const char *at = strstr(buf_cstr(&changed), wanted);
    CHECK(at != NULL);
    CLEANUP(buf_finish) struct buf without = { 0 };
    buf_append(&without, buf_cstr(&changed), at ? (size_t)(at - buf_cstr(&changed)) : 0);
    buf_text(&without, at ? at + sizeof wanted - 1 : "");
    CHECK_TEXT(buf_cstr(&without), buf_cstr(&rows));
    CHECK(variant->changed.columns == variant->queries[0].columns);
}

/* --- sweeps with looks end as sweeps alone ---------------------------------------------------- */
/* After each sweep the metrics of 200 tenants are the same with looks and without, and what is open
 * is exactly what the last row told of each finding. So is the life of each finding. It is another
 * only where looks told more than sweeps can, which every fourth tenant is made for: of a row that
 * changed and went away between two sweeps, and of a date that was not yet true when it was told,
 * which nobody believes. There the life is compared of what both were told alike. */
enum { TENANTS = 200, ROWS_MAX = 48, SUBSCRIPTIONS = 3, STEPS = 24, EACH_S = 60, OVERLAP_S = 600 };

struct drawn {
    bool gone;
    unsigned status, risk, kind; /* kind: 0 plain, 1 of AWS, 2 with attack paths */
    int64_t changed_at;
};

struct azure {
    struct drawn rows[ROWS_MAX];
    unsigned count;
    bool wild; /* rows of which looks told go away, and dates are of a clock that is ahead */
    uint64_t state;
};

/* The last row of a finding that a viewer was told. */
struct told {
    bool open;
    bool believed; /* its date was over when it was told first */
    int64_t changed_at;
};

/* What looks at Azure: a world with a ledger. */
struct viewer {
    struct told told[ROWS_MAX];
    bool doubts; /* its last sweep had no row of a subscription: from such, nothing is concluded */
    struct world world;
    struct database *database;
    struct ledger *ledger;
    uint64_t generation;
    int64_t looked_at;
};

static unsigned draw(struct azure *azure, unsigned below)
{
    azure->state = azure->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(azure->state >> 33) % below;
}

static void draw_azure(struct azure *azure, unsigned seed, int64_t now)
{
    *azure = (struct azure){ .state = seed * 977u + 1 };
    azure->count = 4 + draw(azure, ROWS_MAX - 4);
    for (unsigned i = 0; i < azure->count; i++)
        azure->rows[i] = (struct drawn){
            .gone = !draw(azure, 9),
            .status = draw(azure, 4),
            .risk = draw(azure, 5),
            .kind = draw(azure, 3),
            .changed_at = now - 3600 - draw(azure, 900000),
        };
}

/* A minute goes by, to the next sweep or look. Dates are late, as the index is, and the clock of
 * dates may be ahead. */
static void evolve(struct azure *azure, int64_t now, bool sweeps)
{
    for (unsigned i = 0; i < azure->count; i++) {
        struct drawn *row = &azure->rows[i];
        int64_t date = now + (azure->wild ? 30 : 0) - draw(azure, 300);
        unsigned luck = draw(azure, 40);
        if (luck < 4 && !row->gone) {
            row->status = (row->status + 1 + draw(azure, 3)) % 4;
            row->risk = draw(azure, 5);
            row->changed_at = date > row->changed_at ? date : row->changed_at + 1;
        } else if (luck == 4 && !row->gone) {
            row->risk = draw(azure, 5); /* without a date */
        } else if (luck == 5 && !row->gone) {
            row->changed_at = date > row->changed_at ? date : row->changed_at + 1;
        } else if (luck == 6 && (azure->wild || (sweeps && now - row->changed_at > 900))) {
            row->gone = !row->gone;
            row->changed_at = row->gone ? row->changed_at : now;
        }
    }
}

static void row_id(unsigned i, char out[200])
{
    snprintf(out, 200,
             "/subscriptions/s-%u/resourcegroups/g/providers/a.b/c/r%u/providers/"
             "microsoft.security/assessments/k%u",
             i % SUBSCRIPTIONS, i / 2, i % 7);
}

/* The rows whose status changed since then, as Resource Graph gives them. */
static const char *rows_since(const struct azure *azure, int64_t since, struct buf *out)
{
    static const char *const codes[] = { "Healthy", "Unhealthy", "Unhealthy", "NotApplicable" };
    static const char *const risks[] = { "", "Low", "Medium", "High", "Critical" };
    char id[200], date[32];
    buf_reset(out);
    for (unsigned i = 0; i < azure->count; i++) {
        const struct drawn *row = &azure->rows[i];
        if (row->gone || row->changed_at < since)
            continue;
        row_id(i, id);
        buf_printf(out,
                   "%s{\"id\":\"%s\",\"assessmentKey\":\"k%u\",\"subscriptionId\":\"s-%u\","
                   "\"title\":\"T\",\"statusCode\":\"%s\",\"statusCause\":\"%s\",\"riskLevel\":"
                   "\"%s\",\"source\":\"%s\",\"attackPathCount\":%u,\"statusChangeDate\":\"%s\"}",
                   out->length ? "," : "[", id, i % 7, i % SUBSCRIPTIONS, codes[row->status],
                   row->status == 3 && i % 2 ? "Exempt" : "", risks[row->risk],
                   row->kind == 1 ? "aws" : "azure", row->kind == 2 ? row->risk : 0,
                   clock_format_rfc3339(row->changed_at, date));
    }
    buf_text(out, out->length ? "]" : "[]");
    return buf_cstr(out);
}

static void view(struct viewer *viewer)
{
    static const struct ledger_config config = {
        .first_run = LEDGER_FIRST_SUMMARY,
        .ruler_subscriptions = 1000000,
        .ruler_findings = 1000000,
        .sla_s = { 4000, 4000, 4000, 4000, 4000 },
    };
    const struct database_config database = {
        .path = ":memory:", .migrations = schema_migrations, .own = true
    };
    struct error error = { 0 };
    *viewer = (struct viewer){ 0 };
    world_init(&viewer->world);
    viewer->world.context.snapshot = viewer->world.snapshot;
    viewer->database = database_open(&database, &error);
    viewer->ledger = ledger_create(viewer->database, &config, test_sources(), &error);
    CHECK_TEXT(error.message, "");
    world_discover(&viewer->world, "[{\"subscriptionId\":\"s-0\",\"state\":\"Enabled\"},"
                                   "{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
                                   "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"}]");
}

static void leave(struct viewer *viewer)
{
    ledger_destroy(viewer->ledger);
    database_close(viewer->database);
    world_finish(&viewer->world);
}

static void advance(struct viewer *viewer)
{
    struct event_list events = { 0 };
    struct error error = { 0 };
    struct part *part = shown(&viewer->world);
    struct source_status *status = &viewer->world.snapshot->status[part->source->index];
    part->generation = ++viewer->generation;
    *status = (struct source_status){
        .enabled = true, .attempted = true, .success = true, .max_staleness_ms = 100 * EACH_S * 1000
    };
    CHECK(database_begin(viewer->database, &error));
    CHECK(ledger_advance(viewer->ledger, viewer->world.snapshot, viewer->world.context.now, &events,
                         &error));
    CHECK(database_commit(viewer->database, &error));
    CHECK_TEXT(error.message, "");
    event_list_finish(&events);
}

/* The rows that came, with a status that changed since then. */
static void hear(struct viewer *viewer, const struct azure *azure, int64_t since)
{
    for (unsigned i = 0; i < azure->count; i++) {
        const struct drawn *row = &azure->rows[i];
        struct told *told = &viewer->told[i];
        if (row->gone || row->changed_at < since)
            continue;
        if (row->changed_at != told->changed_at)
            told->believed = row->changed_at <= viewer->world.context.now;
        told->changed_at = row->changed_at;
        told->open = row->status == 1 || row->status == 2;
    }
}

static int64_t opened_at(const struct viewer *viewer, unsigned row)
{
    char id[200];
    int64_t since = 0, due_at;
    row_id(row, id);
    const struct finding_id finding = finding_id(SOURCE(assessments), id, strlen(id));
    ledger_times(viewer->ledger, &finding, &since, &due_at);
    return since;
}

static bool has_all(const struct azure *azure)
{
    bool has[SUBSCRIPTIONS] = { false }, all = true;
    for (unsigned i = 0; i < azure->count; i++)
        has[i % SUBSCRIPTIONS] |= !azure->rows[i].gone;
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
        all = all && has[i];
    return all;
}

/* Nothing is missed and nothing made up: a finding is open as the last row said, since that row's
 * date; unseen are the open ones that have none. */
static void check_told(struct viewer *viewer, const struct azure *azure)
{
    bool doubted = viewer->doubts;
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    double unseen = 0;
    int missing = 0;
    for (unsigned i = 0; i < azure->count; i++) {
        const struct told *told = &viewer->told[i];
        int64_t since = opened_at(viewer, i);
        CHECK_INT(since != 0, told->open);
        if (told->open && told->believed)
            CHECK_INT(since, told->changed_at);
        missing += told->open && azure->rows[i].gone;
    }
    ledger_emit(viewer->ledger, viewer->world.snapshot, viewer->world.context.now, &set);
    for (size_t i = 0; i < set.count; i++)
        if (!strcmp(set.samples[i].family->name, "defender_findings_unseen"))
            unseen += set.samples[i].value;
    viewer->doubts = !has_all(azure);
    CHECK(unseen <= missing);
    if (!doubted && !viewer->doubts)
        CHECK_INT((int)unseen, missing);
}

static bool are_alike(const struct told *left, const struct told *right)
{
    return left->open == right->open && left->changed_at == right->changed_at && left->believed &&
           right->believed;
}

/* Since when findings are open, and how many are unseen; of a wild tenant what both were told
 * alike, which is counted. */
static const char *life(const struct viewer *viewer, const struct viewer *other,
                        const struct azure *azure, struct buf *out, unsigned *compared)
{
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    buf_reset(out);
    buf_text(out, "");
    for (unsigned i = 0; i < azure->count; i++) {
        if (azure->wild && !are_alike(&viewer->told[i], &other->told[i]))
            continue;
        buf_printf(out, "%u since %lld\n", i, (long long)opened_at(viewer, i));
        ++*compared;
    }
    ledger_emit(viewer->ledger, viewer->world.snapshot, viewer->world.context.now, &set);
    metric_set_sort(&set);
    for (size_t i = 0; i < set.count && !azure->wild; i++)
        if (!strcmp(set.samples[i].family->name, "defender_findings_unseen"))
            buf_printf(out, "%s %s %g\n", set.samples[i].values[0], set.samples[i].values[1],
                       set.samples[i].value);
    return buf_cstr(out);
}

/* What a look tells is shown, and nothing else is over. */
static void check_look(const struct viewer *viewer, const struct azure *azure, int64_t since,
                       const bool *was_open)
{
    const struct part *part = shown(&viewer->world);
    char id[200];
    for (unsigned i = 0; i < azure->count; i++) {
        const struct drawn *row = &azure->rows[i];
        row_id(i, id);
        const struct finding_id finding = finding_id(SOURCE(assessments), id, strlen(id));
        bool open = part_find(part, &finding) >= 0;
        bool told = !row->gone && row->changed_at >= since;
        CHECK_INT(open, told ? row->status == 1 || row->status == 2 : was_open[i]);
    }
}

static void look_as_lane(struct viewer *viewer, const struct azure *azure, struct buf *text)
{
    const struct part *part = shown(&viewer->world);
    int64_t now = viewer->world.context.now;
    int64_t known_at =
        viewer->looked_at > part->collected_at ? viewer->looked_at : part->collected_at;
    bool was_open[ROWS_MAX];
    char id[200];
    for (unsigned i = 0; i < azure->count; i++) {
        row_id(i, id);
        const struct finding_id finding = finding_id(SOURCE(assessments), id, strlen(id));
        was_open[i] = part_find(part, &finding) >= 0;
    }
    if (look(&viewer->world, rows_since(azure, known_at - OVERLAP_S, text)))
        advance(viewer);
    check_look(viewer, azure, known_at - OVERLAP_S, was_open);
    hear(viewer, azure, known_at - OVERLAP_S);
    viewer->looked_at = now;
}

static void sweep_as(struct viewer *viewer, const struct azure *azure, const char *rows)
{
    sweep(&viewer->world, rows);
    advance(viewer);
    hear(viewer, azure, 0);
    check_told(viewer, azure);
}

TEST(after_each_sweep_looks_have_changed_nothing)
{
    CLEANUP(buf_finish) struct buf rows = { 0 }, one = { 0 }, other = { 0 };
    unsigned compared[2] = { 0 }, there[2] = { 0 }; /* rows of tame tenants and of wild ones */
    for (unsigned seed = 0; seed < TENANTS; seed++) {
        struct viewer alone, lane;
        struct azure azure;
        view(&alone);
        view(&lane);
        draw_azure(&azure, seed, alone.world.context.now);
        azure.wild = seed % 4 == 3;
        for (int step = 0; step < STEPS; step++) {
            alone.world.context.now = lane.world.context.now += EACH_S;
            evolve(&azure, alone.world.context.now, step % 5 == 0);
            if (step % 5) {
                look_as_lane(&lane, &azure, &rows);
                continue;
            }
            sweep_as(&alone, &azure, rows_since(&azure, 0, &rows));
            sweep_as(&lane, &azure, buf_cstr(&rows));
            buf_reset(&one);
            buf_text(&one, world_text(&alone.world, 3));
            CHECK_TEXT(world_text(&lane.world, 3), buf_cstr(&one));
            unsigned same = 0;
            CHECK_TEXT(life(&lane, &alone, &azure, &other, &compared[azure.wild]),
                       life(&alone, &lane, &azure, &one, &same));
            there[azure.wild] += azure.count;
        }
        leave(&alone);
        leave(&lane);
    }
    CHECK_INT(compared[false], there[false]);
    CHECK(compared[true] > there[true] / 4 * 3);
}
