/* What is believed of an answer that is suddenly empty: what is proved, and nothing else. */
#include "collectors/run/none.h"

#include "collect_bench.h"

#define SECURITY "securityresources\n| order by id asc"
#define POLICIES "// A comment.\n\npolicyresources\n| order by id asc"
#define KQL(query_name, text, what)                                                                \
    {                                                                                              \
        .name = query_name, .kql = text, .columns = columns, .none = what                          \
    }

KIND(ending_kind, COLLECTOR_DATA, KQL("rows", SECURITY, NONE_IS_ORDINARY));
KIND(lasting_kind, COLLECTOR_DATA, KQL("rows", SECURITY, NONE_IS_ODD));
KIND(unshown_kind, COLLECTOR_DATA,
     KQL("rows", "advisorresources\n| order by id asc", NONE_IS_ORDINARY));
KIND(tables_kind, COLLECTOR_DATA, KQL("first", SECURITY "\n//1", NONE_IS_ORDINARY),
     KQL("second", POLICIES, NONE_IS_ORDINARY));
KIND(following_kind, COLLECTOR_DATA, KQL("nodes", SECURITY " | take 1", NONE_WITH_LAST),
     KQL("rows", SECURITY, NONE_IS_ORDINARY));
KIND(half_kind, COLLECTOR_DATA, KQL("always", POLICIES, NONE_IS_ODD),
     KQL("rows", SECURITY, NONE_IS_ORDINARY));
KIND(listed_kind, COLLECTOR_DATA,
     LIST("each", "/subscriptions/{subscription}/things", "1", .none = NONE_IS_ORDINARY),
     LIST("parts", "{row}/parts", "1", .none = NONE_IS_ORDINARY));

#define OF(id, subscription) "{\"id\":\"" id "\",\"subscriptionId\":\"" subscription "\"}"
#define SHOWN(id) "{\"id\":\"" id "\",\"rows\":1}"
#define NONE GRAPH("0", "0", "")
#define ONE(row) GRAPH("1", "1", row)
#define TWO(row, other) GRAPH("2", "2", row "," other)

#define ASKED_SECURITY "securityresources\\n| where id !contains"
#define ASKED_POLICIES "policyresources\\n| where id !contains"

/* A run after one in which each of these queries brought a row of either subscription. */
#define FULL TWO(OF("a", "s-1"), OF("b", "s-2"))

#define CHECK_NONE(bench, id)                                                                      \
    do {                                                                                           \
        CHECK(part_cover_find((bench)->older, id)->empty);                                         \
        CHECK(!part_is_unread((bench)->older, id));                                                \
        CHECK_INT(findings_of(bench, id), 0);                                                      \
    } while (0)
#define CHECK_CARRIED(bench, id)                                                                   \
    do {                                                                                           \
        CHECK(part_is_unread((bench)->older, id));                                                 \
        CHECK(findings_of(bench, id) > 0);                                                         \
    } while (0)

TEST(the_last_row_of_a_subscription_is_gone_when_its_table_shows_it)
{
    BENCH(bench, &ending_kind);
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 500, "" }, { "securityresources", 200, FULL })));
    CHECK(!strstr(strchr(buf_cstr(&bench.asked), '\n'), "Graph")); /* nothing is asked in vain */
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, TWO(SHOWN("s-1"), SHOWN("S-2")) },
                              { "securityresources", 200, ONE(OF("a", "s-1")) })));
    CHECK_NONE(&bench, "s-2");
    CHECK_INT(findings_of(&bench, "s-1"), 1);
}

TEST(a_subscription_that_is_not_shown_keeps_its_rows)
{
    static const char *const shown[] = { NONE, ONE(SHOWN("s-1")), ONE("{\"id\":null}"),
                                         ONE("{\"id\":\"s-2x\"}"), "{\"totalRecords\":1}" };
    for (size_t i = 0; i < ARRAY_COUNT(shown); i++) {
        BENCH(bench, &ending_kind);
        CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
        CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, shown[i] },
                                  { "securityresources", 200, ONE(OF("a", "s-1")) })));
        CHECK_CARRIED(&bench, "s-2");
    }
}

TEST(what_cannot_be_asked_proves_nothing)
{
    static const int refused[] = { 403, 400, 429, 500 };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        BENCH(bench, &ending_kind);
        CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
        CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, refused[i], FORBIDDEN },
                                  { "securityresources", 200, ONE(OF("a", "s-1")) })));
        CHECK_CARRIED(&bench, "s-2");
        CHECK_INT(bench.session.tries, 1);
    }
}

/* Half of an answer is none: what came of it before it broke does not count. */
TEST(a_broken_answer_proves_nothing)
{
    BENCH(bench, &ending_kind);
    CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, GRAPH("3", "1", SHOWN("s-2")) },
                              { "securityresources", 200, ONE(OF("a", "s-1")) })));
    CHECK_CARRIED(&bench, "s-2");
}

TEST(where_there_always_are_some_one_answer_proves_nothing)
{
    BENCH(bench, &lasting_kind);
    CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, ONE(SHOWN("s-2")) },
                              { "securityresources", 200, ONE(OF("a", "s-1")) })));
    CHECK_CARRIED(&bench, "s-2");
}

TEST(a_table_that_nothing_shows_is_doubted)
{
    BENCH(bench, &unshown_kind);
    CHECK(run(&bench, ANSWERS({ "advisorresources", 200, FULL })));
    CHECK(run(&bench, ANSWERS({ "advisorresources", 200, ONE(OF("a", "s-1")) })));
    CHECK_CARRIED(&bench, "s-2");
}

TEST(all_its_tables_have_to_show_a_subscription)
{
    for (int both = 0; both < 2; both++) {
        BENCH(bench, &tables_kind);
        CHECK(run(&bench,
                  ANSWERS({ "securityresources", 200, FULL }, { "policyresources", 200, FULL })));
        CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, ONE(SHOWN("s-2")) },
                                  { ASKED_POLICIES, 200, both ? ONE(SHOWN("s-2")) : NONE },
                                  { "securityresources", 200, ONE(OF("a", "s-1")) },
                                  { "policyresources", 200, ONE(OF("a", "s-1")) })));
        if (both)
            CHECK_NONE(&bench, "s-2");
        else
            CHECK_CARRIED(&bench, "s-2");
    }
}

TEST(one_query_that_always_brings_some_keeps_the_doubt)
{
    BENCH(bench, &half_kind);
    CHECK(
        run(&bench, ANSWERS({ "securityresources", 200, FULL }, { "policyresources", 200, FULL })));
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, ONE(SHOWN("s-2")) },
                              { "securityresources", 200, ONE(OF("a", "s-1")) },
                              { "policyresources", 200, ONE(OF("a", "s-1")) })));
    CHECK_CARRIED(&bench, "s-2");
}

/* --- the last row of all -----------------------------------------------------------------------
 */

TEST(the_last_row_of_all_is_gone_when_everybody_who_had_one_is_shown)
{
    for (int both = 0; both < 2; both++) {
        BENCH(bench, &ending_kind);
        CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
        bool ok =
            run(&bench, ANSWERS({ ASKED_SECURITY, 200,
                                  both ? TWO(SHOWN("s-1"), SHOWN("s-2")) : ONE(SHOWN("s-1")) },
                                { "securityresources", 200, NONE }));
        CHECK_INT(ok, both);
        if (!ok)
            CHECK_TEXT(bench.error.message, "rows came back empty, 2 rows came before");
        for (int i = 0; ok && i < 2; i++)
            CHECK_NONE(&bench, i ? "s-1" : "s-2");
    }
}

/* Of one whose rows are there, too: those of another query may be what is hidden. */
TEST(the_last_row_of_one_query_is_gone_when_everybody_is_shown)
{
    for (int both = 0; both < 2; both++) {
        BENCH(bench, &half_kind);
        CHECK(run(&bench,
                  ANSWERS({ "securityresources", 200, FULL }, { "policyresources", 200, FULL })));
        CHECK_INT(
            run(&bench,
                ANSWERS({ ASKED_SECURITY, 200,
                          both ? TWO(SHOWN("s-1"), SHOWN("s-2")) : ONE(SHOWN("s-1")) },
                        { "securityresources", 200, NONE }, { "policyresources", 200, FULL })),
            both);
    }
}

TEST(what_follows_the_last_query_ends_with_it)
{
    static const char shown[] = TWO(SHOWN("s-1"), SHOWN("s-2"));
    BENCH(bench, &following_kind);
    const struct answer *full = ANSWERS({ "securityresources", 200, FULL });
    CHECK(run(&bench, full));
    CHECK(!run(&bench, ANSWERS({ ASKED_SECURITY, 200, shown }, { "take 1", 200, NONE },
                               { "securityresources", 200, FULL })));
    CHECK_CONTAINS(bench.error.message, "nodes came back empty");
    CHECK(run(&bench, full));
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, shown }, { "securityresources", 200, NONE })));
    CHECK_NONE(&bench, "s-1");
}

/* Nobody is left who could be shown: it is no proof that nobody is not. */
TEST(nobody_to_ask_about_proves_nothing)
{
    BENCH(bench, &ending_kind);
    CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
    discover(&bench, nobody);
    bench.memory.rows[0] = 2;
    CHECK(!run(&bench, ANSWERS({ ASKED_SECURITY, 200, TWO(SHOWN("s-1"), SHOWN("s-2")) },
                               { "securityresources", 200, NONE })));
}

/* --- what goes at once ------------------------------------------------------------------------ */

#define S1(id) OF(id, "S-1")
#define S2(id) OF(id, "s-2")
#define MANY GRAPH("6", "6", S1("a") "," S1("b") "," S1("c") "," S2("d") "," S2("e") "," S2("f"))
#define FEW GRAPH("5", "5", S1("a") "," S1("b") "," S1("c") "," S2("d") "," S2("e"))
#define ALONE GRAPH("6", "6", S1("a") "," S1("b") "," S1("c") "," S1("d") "," S1("e") "," S1("f"))
#define GONE "rows came back empty, 6 rows came before"
#define SHOWN_BOTH                                                                                 \
    {                                                                                              \
        ASKED_SECURITY, 200, TWO(SHOWN("s-1"), SHOWN("s-2"))                                       \
    }

/* How many runs fail, saying so, until it is believed that what came before is gone. */
static int runs_doubted(struct bench *bench, const struct answer *before,
                        const struct answer *after, const char *said)
{
    int doubted = 0;
    CHECK(run(bench, before));
    for (; doubted < 9 && !run(bench, after); doubted++)
        CHECK_TEXT(bench->error.message, said);
    return doubted;
}

TEST(all_of_several_subscriptions_do_not_go_at_once)
{
    static const struct {
        const char *before, *after;
        int doubted;
    } cases[] = { { MANY, NONE, 2 },
                  { FEW, NONE, 0 },
                  { ALONE, NONE, 0 },
                  { MANY, ONE(S1("a")), 0 },
                  { MANY, TWO(S1("a"), S2("x")), 0 } };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        BENCH(bench, &ending_kind);
        CHECK_INT(runs_doubted(&bench, ANSWERS({ "securityresources", 200, cases[i].before }),
                               ANSWERS(SHOWN_BOTH, { "securityresources", 200, cases[i].after }),
                               GONE),
                  cases[i].doubted);
        CHECK(!part_is_unread(bench.older, "s-1") && !part_is_unread(bench.older, "s-2"));
    }
}

/* Where another query has rows of them, too. */
TEST(all_of_one_query_of_several_subscriptions_do_not_go_at_once)
{
    BENCH(bench, &half_kind);
    CHECK_INT(
        runs_doubted(&bench,
                     ANSWERS({ "securityresources", 200, MANY }, { "policyresources", 200, FULL }),
                     ANSWERS(SHOWN_BOTH, { "securityresources", 200, NONE },
                             { "policyresources", 200, FULL }),
                     GONE),
        2);
}

TEST(what_comes_back_was_not_gone)
{
    BENCH(bench, &ending_kind);
    const struct answer *many = ANSWERS({ "securityresources", 200, MANY });
    const struct answer *none = ANSWERS(SHOWN_BOTH, { "securityresources", 200, NONE });
    CHECK(run(&bench, many));
    for (int i = 0; i < 4; i++) {
        CHECK(!run(&bench, none));
        CHECK(!run(&bench, none));
        CHECK_INT(findings_of(&bench, "s-1") + findings_of(&bench, "s-2"), 6);
        CHECK(run(&bench, many));
    }
}

/* Others that stay do not make it true: here a third one. */
TEST(two_of_three_do_not_go_at_once)
{
    static const struct answer three[] = {
        { "/subscriptions?", 200,
          "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
          "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"},"
          "{\"subscriptionId\":\"s-3\",\"state\":\"Enabled\"}]}" },
        { 0 },
    };
    const struct answer *left =
        ANSWERS(SHOWN_BOTH, { "securityresources", 200, ONE(OF("z", "s-3")) });
    BENCH(bench, &ending_kind);
    discover(&bench, three);
    CHECK_INT(runs_doubted(&bench,
                           ANSWERS({ "securityresources", 200,
                                     GRAPH("7", "7",
                                           S1("a") "," S1("b") "," S1("c") "," S2("d") "," S2(
                                               "e") "," S2("f") "," OF("z", "s-3")) }),
                           left, "rows lost all of several subscriptions, 7 rows came before"),
              2);
    CHECK_NONE(&bench, "s-1");
    CHECK_INT(findings_of(&bench, "s-3"), 1);
}

/* Who is not read any more has lost nothing: that is told otherwise. */
TEST(what_is_not_visible_any_more_did_not_go_at_once)
{
    BENCH(bench, &ending_kind);
    CHECK(run(&bench, ANSWERS({ "securityresources", 200, MANY })));
    discover(&bench, ANSWERS({ "/subscriptions?", 200,
                               "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
                               "{\"subscriptionId\":\"s-2\",\"state\":\"Disabled\"}]}" }));
    CHECK(run(&bench, ANSWERS(SHOWN_BOTH, { "securityresources", 200, NONE })));
    CHECK_NONE(&bench, "s-1");
}

/* --- rights that are lost while a run goes on --------------------------------------------------
 */

#define FIVE(a, b, c, d, e)                                                                        \
    GRAPH("6", "6", S1("z") "," S2(a) "," S2(b) "," S2(c) "," S2(d) "," S2(e))
#define REASON_TORN "much of it went, and its table does not show it"

/* What came of the first query stands for what is not there of the second. */
TEST(all_rows_of_one_query_are_gone_when_its_table_shows_the_subscription)
{
    for (int shown = 0; shown < 2; shown++) {
        BENCH(bench, &half_kind);
        CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 500, "" }, { "securityresources", 200, FULL },
                                  { "policyresources", 200, FULL })));
        const struct answer *torn =
            ANSWERS({ ASKED_SECURITY, 200, shown ? ONE(SHOWN("s-2")) : NONE },
                    { "securityresources", 200, ONE(S1("a")) }, { "policyresources", 200, FULL });
        CHECK(run(&bench, torn));
        CHECK_INT(findings_of(&bench, "s-1"), 2);
        CHECK_INT(findings_of(&bench, "s-2"), shown ? 1 : 2);
        CHECK_INT(part_is_unread(bench.older, "s-2"), !shown);
        if (!shown) {
            CHECK_TEXT(part_cover_find(bench.older, "s-2")->reason, REASON_TORN);
            CHECK(run(&bench, torn)); /* who may read some of it only is never shown */
            CHECK_INT(findings_of(&bench, "s-2"), 1);
            CHECK(!part_is_unread(bench.older, "s-2"));
        }
    }
}

TEST(most_of_several_rows_do_not_go_unproved)
{
    static const struct {
        const char *before, *after;
        bool carried;
    } cases[] = {
        { FIVE("a", "b", "c", "d", "e"), TWO(S1("z"), S2("a")), false }, /* four: few enough */
        { GRAPH("7", "7",
                S1("z") "," S2("a") "," S2("b") "," S2("c") "," S2("d") "," S2("e") "," S2("f")),
          TWO(S1("z"), S2("a")), true },
        { GRAPH("7", "7",
                S1("z") "," S2("a") "," S2("b") "," S2("c") "," S2("d") "," S2("e") "," S2("f")),
          GRAPH("4", "4", S1("z") "," S2("a") "," S2("b") "," S2("c")), false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        BENCH(bench, &lasting_kind);
        CHECK(run(&bench, ANSWERS({ "securityresources", 200, cases[i].before })));
        CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 200, NONE },
                                  { "securityresources", 200, cases[i].after })));
        CHECK_INT(part_is_unread(bench.older, "s-2"), cases[i].carried);
    }
}

/* After it the whole subscription is hidden: what is known of it is what was known before. */
TEST(a_torn_run_leaves_what_was_known)
{
    BENCH(bench, &half_kind);
    CHECK(
        run(&bench, ANSWERS({ "securityresources", 200, MANY }, { "policyresources", 200, FULL })));
    size_t known = findings_of(&bench, "s-2");
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 403, FORBIDDEN },
                              { "securityresources", 200, TWO(S1("a"), S2("d")) },
                              { "policyresources", 200, ONE(S1("a")) })));
    CHECK(part_is_unread(bench.older, "s-2"));
    CHECK_INT(findings_of(&bench, "s-2"), known);
    CHECK(run(&bench, ANSWERS({ ASKED_SECURITY, 403, FORBIDDEN },
                              { "securityresources", 200, ONE(S1("a")) },
                              { "policyresources", 200, ONE(S1("a")) })));
    CHECK_CARRIED(&bench, "s-2");
    CHECK_INT(findings_of(&bench, "s-2"), known);
}

/* --- lists --------------------------------------------------------------------------------------
 */

#define THINGS(id) "/subscriptions/" id "/things"
#define THING(id, name) "{\"id\":\"/subscriptions/" id "/things/" name "\"}"

TEST(an_empty_list_of_a_subscription_says_so)
{
    static const struct answer full[] = {
        { THINGS("s-1") "?", 200, VALUE(THING("s-1", "a")) },
        { THINGS("s-2") "?", 200, VALUE(THING("s-2", "b")) },
        { THINGS("s-2") "/b/parts", 200, VALUE(ROW("p")) },
        { 0 },
    };
    BENCH(bench, &listed_kind);
    CHECK(run(&bench, full));
    CHECK_INT(findings_of(&bench, "s-2"), 2);
    CHECK(run(&bench, ANSWERS({ THINGS("s-1") "?", 200, VALUE(THING("s-1", "a")) })));
    CHECK_NONE(&bench, "s-2");
    CHECK(!strstr(buf_cstr(&bench.asked), "ResourceGraph"));
    CHECK(run(&bench, full));
    CHECK(run(&bench, ANSWERS({ "/nothing", 200, "" }))); /* none of both */
    CHECK_NONE(&bench, "s-1");
    CHECK_NONE(&bench, "s-2");
}

TEST(a_list_that_may_not_be_read_is_no_empty_one)
{
    static const int refused[] = { 403, 404, 500 };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        BENCH(bench, &listed_kind);
        CHECK(run(&bench, ANSWERS({ THINGS("s-1") "?", 200, VALUE(THING("s-1", "a")) },
                                  { THINGS("s-2") "?", 200, VALUE(THING("s-2", "b")) })));
        CHECK(run(&bench, ANSWERS({ THINGS("s-2"), refused[i], FORBIDDEN })));
        CHECK_CARRIED(&bench, "s-2");
        CHECK_NONE(&bench, "s-1");
    }
}

/* --- who is silent ---------------------------------------------------------------------------- */

/* As it was, by a discovery that is newer than what was carried over. */
static void discover_again(struct bench *bench)
{
    const struct collect_memory memory = bench->memory;
    bench->context.now += 60;
    discover(bench, discovery);
    bench->memory = memory;
}

/* A later discovery that sees a subscription is believed about one that its tables show. */
TEST(a_silent_subscription_is_never_believed)
{
    static const struct collector *const kinds[] = { &lasting_kind, &ending_kind };
    const struct answer *gap = ANSWERS({ ASKED_SECURITY, 200, ONE(SHOWN("s-1")) },
                                       { "securityresources", 200, ONE(OF("a", "s-1")) });
    const struct answer *gone = ANSWERS({ ASKED_SECURITY, 200, TWO(SHOWN("s-1"), SHOWN("s-2")) },
                                        { "securityresources", 200, ONE(OF("a", "s-1")) });
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        BENCH(bench, kinds[i]);
        CHECK(run(&bench, ANSWERS({ "securityresources", 200, FULL })));
        for (int looks = 0; looks < 3; looks++) {
            CHECK(run(&bench, gap));
            CHECK_CARRIED(&bench, "s-2");
            discover_again(&bench);
        }
        bench.context.now += bench.context.max_staleness_s;
        CHECK(run(&bench, gap));
        CHECK(run(&bench, gap));
        CHECK(part_is_unread(bench.older, "s-2")); /* too old to be shown, and still not over */
        discover_again(&bench);
        CHECK(run(&bench, gone));
        CHECK_NONE(&bench, "s-2");
    }
}

/* What was there before the program was started, nobody knows. */
TEST(of_a_silent_subscription_a_first_run_concludes_nothing)
{
    const struct answer *none = ANSWERS({ ASKED_SECURITY, 200, ONE(SHOWN("s-1")) },
                                        { "securityresources", 200, ONE(OF("a", "s-1")) });
    const struct answer *shown = ANSWERS({ ASKED_SECURITY, 200, TWO(SHOWN("s-1"), SHOWN("s-2")) },
                                         { "securityresources", 200, ONE(OF("a", "s-1")) });
    BENCH(bench, &lasting_kind);
    for (int looks = 0; looks < 3; looks++) {
        CHECK(run(&bench, looks ? shown : none)); /* asked once a discovery */
        CHECK(!part_is_unread(bench.older, "s-2"));
        CHECK(part_cover_find(bench.older, "s-2")->gaps);
    }
    bench.context.now += bench.context.max_staleness_s;
    CHECK(run(&bench, shown));
    CHECK(part_cover_find(bench.older, "s-2")->gaps);
    CHECK(!part_cover_find(bench.older, "s-1")->gaps);
    discover_again(&bench);
    CHECK(run(&bench, shown));
    CHECK_NONE(&bench, "s-2");
    CHECK(!part_cover_find(bench.older, "s-2")->gaps);
}
