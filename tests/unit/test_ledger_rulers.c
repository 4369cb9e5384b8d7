/* The ledger: what Microsoft changes is one event, not one a finding. */
#include "alerts/ledger/ledger_merge.h"
#include "ledger_world.h"

/* What opens in two subscriptions at once is one event. */
static void begin_ruled(struct world *world, const char *database)
{
    world_begin(world, database);
    world->config.ruler_subscriptions = 2;
    ledger_configure(world->ledger, &world->config);
}

TEST(a_recommendation_with_another_key_is_not_new)
{
    struct world world;
    begin_ruled(&world, NULL);
    struct part *part = world_part(A, BOTH);
    world_open(part, "m1", "old", "s1", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 low\n");
    part = world_part(A, BOTH);
    world_open(part, "m1", "new", "s1", RISK_LOW);
    world_open(part, "m2", "new", "s1", RISK_LOW);
    world_open(part, "m3", "new", "s2", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m2/1 low\nfinding.opened m3/1 low\n");
    world_finish(&world);
}

/* An individual recommendation "key" of a category on a resource called "name". */
static void open_individual(struct part *part, const char *name, const char *key,
                            const char *subscription)
{
    part_add_open(part, &(struct part_row){
                            .row_id = name,
                            .assessment_id = key,
                            .title = "Update it",
                            .category = "SoftwareUpdate",
                            .assessment_type = "",
                            .subscription_id = subscription,
                            .resource_id = name,
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = RISK_HIGH,
                            .severity = SEVERITY_HIGH,
                            .model = MODEL_INDIVIDUAL,
                        });
}

/* One collection: what of "mfa" and of software updates is open; all of it is told of. */
static void collect_known(struct world *world, bool open)
{
    struct part *part = world_part(A, BOTH);
    intern_put(&part->known, "mfa", 3);
    intern_put(&part->known, "SoftwareUpdate", 14);
    if (open) {
        world_open(part, "m1", "mfa", "s1", RISK_LOW);
        world_open(part, "m2", "mfa", "s2", RISK_LOW);
        open_individual(part, "u1", "curl", "s1");
        open_individual(part, "u2", "bash", "s2");
    }
    world_publish(world, part);
}

TEST(what_was_well_everywhere_is_not_new_when_it_opens)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct world world;
        begin_ruled(&world, restarts ? "seen.db" : NULL);
        collect_known(&world, false);
        CHECK_TEXT(world_advance(&world), "");
        if (restarts) {
            world_stop(&world);
            world_start(&world);
        }
        collect_known(&world, true);
        CHECK_TEXT(world_advance(&world), "finding.opened m1/1 low\nfinding.opened m2/1 low\n"
                                          "finding.opened u1/1 high\nfinding.opened u2/1 high\n");
        world_finish(&world);
    }
}

TEST(what_is_told_of_and_open_at_once_is_new)
{
    struct world world;
    begin_ruled(&world, NULL);
    collect_known(&world, true);
    CHECK_CONTAINS(world_advance(&world), "ruler.changed SoftwareUpdate 2\nruler.changed mfa 2\n");
    world_finish(&world);
}

/* How many recommendations the table has. */
static int64_t count_seen(const struct world *world)
{
    struct error error = { 0 };
    int64_t count = -1;
    CHECK(database_get_integer(
        database_prepare(world->database, "SELECT COUNT(*) FROM ledger_seen"), &count, &error));
    return count;
}

TEST(too_many_to_remember_are_no_news)
{
    struct world world;
    begin_ruled(&world, NULL);
    struct part *part = world_part(A, BOTH);
    for (int i = 0; i < LEDGER_SEEN_MAX + 2; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        intern_put(&part->known, key, strlen(key));
    }
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "");
    CHECK_INT(count_seen(&world), LEDGER_SEEN_MAX);
    part = world_part(A, BOTH);
    world_open(part, "m1", "mfa", "s1", RISK_LOW);
    world_open(part, "m2", "mfa", "s2", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 low\nfinding.opened m2/1 low\n");
    CHECK_INT(count_seen(&world), LEDGER_SEEN_MAX);
    world_finish(&world);
}

/* What the history has as the title of the last ruler.changed. */
static bool keep_headline(void *context, const struct event *event, struct error *error)
{
    (void)error;
    if (event->kind != EVENT_RULER_CHANGED)
        return true;
    snprintf(context, 128, "%s", event->headline);
    CHECK_CONTAINS(event->detail, "the "); /* a sentence, of which this is the end: */
    CHECK_CONTAINS(event->detail, " times in ");
    return true;
}

static const char *headline(const struct world *world, char out[128])
{
    struct error error = { 0 };
    snprintf(out, 128, "none");
    CHECK(ledger_history(world->database, test_sources(), 0, NULL, keep_headline, out, &error));
    return out;
}

#define ENTRY(name, title, type)                                                                   \
    "{\"name\":\"" name "\",\"properties\":{\"displayName\":\"" title                              \
    "\",\"assessmentType\":\"" type "\"}}"
#define OTHER ENTRY("other", "Other", "BuiltIn")
#define MFA(type) ENTRY("mfa", "MFA should be enabled", type)
#define ADDED "Microsoft added a recommendation: MFA should be enabled, 2 resources"
#define FIRST "A recommendation is open for the first time: MFA should be enabled, 2 resources"

/* What each look at the catalogue gives, until a finding of mfa is open in two subscriptions. */
enum { LOOKS = 3 };
struct title_case {
    const char *looks[LOOKS]; /* NULL = there is no more */
    int odd;                  /* number of the look of which a row was odd; 0 = of none */
    const char *title;
};
static const struct title_case title_cases[] = {
    { { "[" OTHER "]", "[" OTHER "," MFA("BuiltIn") "]" }, 0, ADDED },
    { { "[" OTHER "]", "[" OTHER "]", "[" MFA("DynamicBuiltIn") "]" }, 0, ADDED },
    { { "[" OTHER "," MFA("BuiltIn") "]" }, 0, FIRST }, /* the first look: for all we know */
    { { "[" OTHER "," MFA("BuiltIn") "]", "[" OTHER "," MFA("BuiltIn") "]" }, 0, FIRST },
    { { "[" OTHER "," MFA("BuiltIn") "]", "[" OTHER "]", "[" MFA("BuiltIn") "]" }, 0, FIRST },
    { { "[" OTHER "]", "[" MFA("BuiltIn") "]", "[" MFA("BuiltIn") "]" }, 0, FIRST },
    { { "[" OTHER "]", "[" MFA("CustomPolicy") "]" }, 0, FIRST },
    { { "[" OTHER "]", "[" MFA("VerifiedPartner") "]" }, 0, FIRST },
    { { "[" OTHER "]", "[" MFA("") "]" }, 0, FIRST },
    { { "[]", "[" MFA("BuiltIn") "]" }, 0, FIRST },
    { { "[" OTHER "]", "[" MFA("BuiltIn") "]" }, 1, FIRST }, /* the odd row may have been it */
    { { "[" OTHER "]", "[" MFA("BuiltIn") "]" }, 2, FIRST },
    { { "[" OTHER "]", "[" OTHER "]", "[" MFA("BuiltIn") "]" }, 2, ADDED },
};

static void look_at_catalogue(struct world *world, const char *json, bool odd)
{
    world_catalogue(world, json);
    if (odd)
        odd_add(&world->snapshot->parts[SOURCE(catalogue)->index]->odd, ODD_MISSING, "", "no name");
}

static void open_mfa(struct world *world)
{
    struct part *part = world_part(A, BOTH);
    world_open(part, "m1", "mfa", "s1", RISK_LOW);
    world_open(part, "m2", "mfa", "s2", RISK_LOW);
    world_publish(world, part);
}

/* restarts: before each look, and before it opens. */
static void check_title(const struct title_case *item, const char *database, bool restarts)
{
    struct world world;
    char title[128];
    begin_ruled(&world, database);
    for (int i = 0; i < LOOKS && item->looks[i]; i++) {
        look_at_catalogue(&world, item->looks[i], item->odd == i + 1);
        CHECK_TEXT(world_advance(&world), "");
        if (restarts) {
            world_stop(&world);
            world_start(&world);
        }
    }
    open_mfa(&world);
    CHECK_CONTAINS(world_advance(&world), "ruler.changed mfa 2\n");
    CHECK_TEXT(headline(&world, title), item->title);
    world_finish(&world);
}

TEST(microsoft_added_what_the_catalogue_did_not_list_before)
{
    for (size_t i = 0; i < ARRAY_COUNT(title_cases); i++) {
        char name[32];
        snprintf(name, sizeof name, "listed%zu.db", i);
        check_title(&title_cases[i], NULL, false);
        check_title(&title_cases[i], name, true);
    }
}

TEST(what_opens_before_the_catalogue_lists_it_is_open_for_the_first_time)
{
    struct world world;
    char title[128];
    begin_ruled(&world, NULL);
    world_catalogue(&world, "[" OTHER "]");
    CHECK_TEXT(world_advance(&world), "");
    open_mfa(&world);
    CHECK_CONTAINS(world_advance(&world), "ruler.changed mfa 2\n");
    CHECK_TEXT(headline(&world, title),
               "A recommendation is open for the first time: mfa, 2 resources");
    world_catalogue(&world, "[" OTHER "," MFA("BuiltIn") "]");
    CHECK_TEXT(world_advance(&world), ""); /* it was told */
    world_finish(&world);
}

TEST(what_comes_with_the_look_that_lists_it_was_added)
{
    struct world world;
    char title[128];
    begin_ruled(&world, NULL);
    world_catalogue(&world, "[" OTHER "]");
    CHECK_TEXT(world_advance(&world), "");
    world_catalogue(&world, "[" OTHER "," MFA("BuiltIn") "]");
    open_mfa(&world);
    CHECK_CONTAINS(world_advance(&world), "ruler.changed mfa 2\n");
    CHECK_TEXT(headline(&world, title), ADDED);
    world_finish(&world);
}

TEST(a_new_category_of_individual_ones_is_one_event)
{
    struct world world;
    world_begin(&world, NULL);
    world.config.ruler_findings = 3;
    ledger_configure(world.ledger, &world.config);
    struct part *part = world_part(A, BOTH);
    open_individual(part, "m1", "curl", "s1");
    open_individual(part, "m2", "bash", "s2");
    open_individual(part, "m3", "zlib", "s1");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world),
               "quiet finding.opened m1/1 high\nquiet finding.opened m2/1 high\n"
               "quiet finding.opened m3/1 high\nruler.changed SoftwareUpdate 3\n");
    char title[128];
    CHECK_TEXT(headline(&world, title),
               "Recommendations of the category SoftwareUpdate are open for the first time, "
               "3 findings");
    part = world_part(A, BOTH); /* from now on each is news, whatever its key */
    open_individual(part, "m1", "curl", "s1");
    open_individual(part, "m2", "bash", "s2");
    for (int i = 3; i < 8; i++)
        open_individual(part, (const char[]){ 'm', (char)('0' + i), 0 }, i > 3 ? "new" : "zlib",
                        "s1");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m4/1 high\nfinding.opened m5/1 high\n"
                                      "finding.opened m6/1 high\nfinding.opened m7/1 high\n");
    world_finish(&world);
}

TEST(one_that_takes_over_from_a_grouped_one_is_no_news)
{
    struct world world;
    world_begin(&world, NULL);
    struct part *part = world_part(A, BOTH);
    world_open(part, "parent", "grouped", "s1", RISK_HIGH);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened parent/1 high\n");
    part = world_part(A, BOTH);
    part_add_closed(part, "s1", "parent", REASON_RETIRED);
    open_individual(part, "m1", "curl", "s1");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world),
               "finding.resolved parent/1 high retired\nquiet finding.opened m1/1 high\n"
               "ruler.changed SoftwareUpdate 1\n");
    world_finish(&world);
}

/* The grouped recommendation of packages on a resource. */
static void open_grouped(struct part *part, const char *name, const char *resource)
{
    part_add_open(part, &(struct part_row){
                            .row_id = name,
                            .assessment_id = "grouped",
                            .title = "Machines should have vulnerability findings resolved",
                            .category = "Compute",
                            .assessment_type = "",
                            .subscription_id = "s1",
                            .resource_id = resource,
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = RISK_HIGH,
                            .severity = SEVERITY_HIGH,
                            .model = MODEL_GROUPED,
                        });
}

TEST(a_subscription_that_changes_its_model_has_no_news)
{
    struct world world;
    world_begin(&world, NULL);
    struct part *part = world_part(A, BOTH);
    open_individual(part, "m1", "curl", "s1");
    open_individual(part, "m2", "bash", "s2");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 high\nfinding.opened m2/1 high\n");
    static const char *const grouped[] = { ("finding.opened m3/1 high\n"
                                            "quiet finding.opened m1/1 high\n"),
                                           "finding.resolved m1/1 high retired\n", "" };
    for (size_t i = 0; i < ARRAY_COUNT(grouped); i++) {
        part = world_part(A, BOTH);
        open_grouped(part, "g1", "m1");
        open_grouped(part, "g3", "m3"); /* there was nothing before */
        open_individual(part, "m2", "bash", "s2");
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), grouped[i]);
    }
    static const char *const back[] = { "quiet finding.reopened m1/2 high retired\n", "", "" };
    for (size_t i = 0; i < ARRAY_COUNT(back); i++) {
        part = world_part(A, BOTH);
        open_individual(part, "m1", "curl", "s1");
        open_individual(part, "m2", "bash", "s2");
        open_grouped(part, "g3", "m3");
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), back[i]);
    }
    world_finish(&world);
}

TEST(the_first_individual_one_alone_is_news)
{
    struct world world;
    world_begin(&world, NULL);
    struct part *part = world_part(A, BOTH);
    open_individual(part, "m1", "curl", "s1");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 high\n");
    world_finish(&world);
}

TEST(an_individual_one_without_a_row_is_not_retired)
{
    struct world world;
    world_begin(&world, NULL);
    world_catalogue(&world, "[{\"name\":\"other\",\"properties\":{\"displayName\":\"O\"}}]");
    struct part *part = world_part(A, BOTH);
    open_individual(part, "m1", "curl", "s1");
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 high\n");
    for (int i = 0; i < 4; i++) {
        world_publish(&world, world_part(A, BOTH));
        CHECK_TEXT(world_advance(&world), "");
    }
    world_finish(&world);
}

/* What happens to many at once is what one wants to hear of, one by one. */
TEST(incidents_of_a_new_kind_are_each_told_however_many)
{
    const struct source *const sources[] = { SOURCE(security_alerts), SOURCE(attack_paths) };
    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        struct world world;
        world_begin(&world, NULL);
        world.config.ruler_subscriptions = 2;
        world.config.ruler_findings = 2;
        ledger_configure(world.ledger, &world.config);
        world_publish(&world, world_part(sources[i], BOTH));
        world_advance(&world);
        struct part *part = world_part(sources[i], BOTH);
        world_open(part, "m1", "new", "s1", RISK_HIGH);
        world_open(part, "m2", "new", "s2", RISK_LOW);
        world_publish(&world, part);
        CHECK_TEXT(world_advance(&world), i ? "attack_path.opened m1/1 high\n"
                                              "attack_path.opened m2/1 low\n"
                                            : "security_alert.opened m1/1 high\n"
                                              "security_alert.opened m2/1 low\n");
        CHECK_CONTAINS(world_figures(&world, "defender_security_alerts_opened_total"),
                       i ? "s1 informational 0\n" : "s1 informational 1\n");
        world_finish(&world);
    }
}

static const struct collector own_query = {
    .name = "custom_own",
    .help = "It.",
    .role = COLLECTOR_DATA,
    .rows = COLLECTOR_FAILING_ROWS,
    .order = 1000,
    .own_findings = true,
};

/* What an operator's own query finds is nothing that Microsoft added. */
TEST(findings_of_an_own_query_are_each_told_however_many)
{
    const struct source wanted = { &own_query, "", "custom_own", "custom_own", 0, NULL };
    struct source_list *list = source_list_create(&wanted, 1);
    const struct source *source = list->sources;
    struct world world;
    world_init(&world, NULL);
    snapshot_release(world.snapshot);
    world.snapshot = snapshot_create(list);
    world.config.ruler_subscriptions = 2;
    ledger_configure(world.ledger, &world.config);
    world_publish(&world, world_part(source, BOTH));
    CHECK_TEXT(world_advance(&world), "");
    struct part *part = world_part(source, BOTH);
    world_open(part, "m1", "new", "s1", RISK_HIGH);
    world_open(part, "m2", "new", "s2", RISK_LOW);
    world_publish(&world, part);
    CHECK_TEXT(world_advance(&world), "finding.opened m1/1 high\nfinding.opened m2/1 low\n");
    world_finish(&world);
    source_list_release(list);
}
