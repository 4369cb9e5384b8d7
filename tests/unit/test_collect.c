/* One run: which requests it makes, what it believes, what it learns for the next. */
#include "collect_bench.h"

/* --- lists --------------------------------------------------------------------------------------
 */

TEST(a_run_hands_out_a_sealed_part)
{
    BENCH(bench, &list_kind);
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("b") "," ROW("a")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n");
    CHECK_INT(bench.result.rows, 2);
    CHECK_INT(bench.older->rows, 2);
    CHECK_INT(bench.older->collected_at, bench.context.now);
    CHECK(finding_id_compare(&bench.older->findings[0].id, &bench.older->findings[1].id) < 0);
    CHECK_INT(bench.memory.rows[0], 2);
    CHECK_INT(bench.result.refused + bench.result.failed, 0);
}

TEST(the_version_is_one_more_parameter)
{
    BENCH(bench, &expand_kind);
    CHECK(run(&bench, ANSWERS({ "/list", 200, VALUE("") })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?$expand=x&api-version=7\n");
}

TEST(older_versions_are_tried_and_what_worked_is_remembered)
{
    BENCH(bench, &list_kind);
    const struct answer *picky =
        ANSWERS({ "/list?api-version=2025", 400, OLD_VERSION },
                { "/list?api-version=2024-preview", 404, REFUSED("InvalidResourceType") },
                { "/list?api-version=2023", 200, VALUE(ROW("a")) });
    CHECK(run(&bench, picky));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n/list?api-version=2024-preview\n"
                                       "/list?api-version=2023\n");
    CHECK_INT(bench.memory.version[0], 2);
    CHECK(run(&bench, picky));
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2023\n");
    CHECK_INT(bench.result.rows, 1);
}

TEST(when_no_version_is_left_the_run_failed)
{
    BENCH(bench, &list_kind);
    CHECK(!run(&bench, ANSWERS({ "/list", 400, OLD_VERSION })));
    CHECK_CONTAINS(bench.error.message, "list: ");
    CHECK_CONTAINS(bench.error.message, "InvalidApiVersionParameter");
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n/list?api-version=2024-preview\n"
                                       "/list?api-version=2023\n");
}

TEST(another_refusal_is_no_question_of_versions)
{
    BENCH(bench, &list_kind);
    CHECK(!run(&bench, ANSWERS({ "/list", 403, FORBIDDEN })));
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_TEXT(buf_cstr(&bench.asked), "/list?api-version=2025\n");
    CHECK_INT(bench.memory.version[0], 0);
}

TEST(a_collector_may_refuse_the_whole)
{
    BENCH(bench, &list_kind);
    finish_fails = true;
    CHECK(!run(&bench, ANSWERS({ "/list", 200, VALUE(ROW("a")) })));
    finish_fails = false;
    CHECK_TEXT(bench.error.message, "it does not add up");
    CHECK_INT(bench.result.rows, 1); /* read, and not published */
    CHECK_INT(bench.memory.rows[0], 0);
}

/* --- a list of each subscription ----------------------------------------------------------------
 */

TEST(only_visible_subscriptions_are_asked)
{
    BENCH(bench, &each_kind);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b") "," ROW("c")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/subscriptions/s-1/things?api-version=1\n"
                                       "/subscriptions/s-2/things?api-version=1\n");
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_INT(findings_of(&bench, "s-2"), 2);
    CHECK(!part_cover_find(bench.older, "s-3"));
}

TEST(one_list_that_fails_does_not_hold_the_others)
{
    BENCH(bench, &each_kind);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b")) })));
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 403, FORBIDDEN },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("c")) })));
    CHECK_INT(bench.result.refused, 1);
    CHECK_INT(bench.result.failed, 0);
    CHECK_INT(bench.result.first_error.code, ERROR_FORBIDDEN);
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_TEXT(part_cover_find(bench.older, "s-1")->reason, "its list could not be read");
    CHECK(!part_cover_find(bench.older, "s-2")->carried);
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 500, "" })));
    CHECK_INT(bench.result.refused, 0);
    CHECK_INT(bench.result.failed, 1);
    CHECK(!part_cover_find(bench.older, "s-1")->carried);
    CHECK(part_cover_find(bench.older, "s-2")->carried);
}

#define THING(sub, name) ROW("/subscriptions/" sub "/things/" name)

TEST(lists_below_rows_are_asked_row_by_row)
{
    BENCH(bench, &nested_kind);
    const struct answer *answers = ANSWERS(
        { "/subscriptions/s-1/things?api-version=2", 400, OLD_VERSION },
        { "/subscriptions/s-1/things?", 200, VALUE(THING("S-1", "a (New)") "," THING("s-1", "b")) },
        { "/subscriptions/s-2/things?", 200, VALUE("") },
        { "/subscriptions/S-1/things/a%20%28New%29/parts?", 200, VALUE(THING("s-1", "c#?")) });
    CHECK(run(&bench, answers));
    CHECK_TEXT(buf_cstr(&bench.asked),
               "/subscriptions/s-1/things?api-version=2\n/subscriptions/s-1/things?api-version=1\n"
               "/subscriptions/s-2/things?api-version=1\n"
               "/subscriptions/S-1/things/a%20%28New%29/parts?api-version=1\n"
               "/subscriptions/s-1/things/b/parts?api-version=1\n"
               "/subscriptions/s-1/things/c%23%3F/bits?api-version=1\n");
    CHECK_INT(findings_of(&bench, "s-1"), 3);
    CHECK_INT(findings_of(&bench, "s-2"), 0);
}

/* Links lead on with GET, whatever the first page was asked for with. */
TEST(a_list_below_may_be_asked_for_with_post)
{
    BENCH(bench, &posted_kind);
    CHECK(
        run(&bench, ANSWERS({ "/subscriptions/s-1/things?", 200, VALUE(THING("s-1", "a")) },
                            { "/subscriptions/s-2/things?", 200, VALUE("") },
                            { "/subscriptions/s-1/things/a/parts?page=2", 200, VALUE("") },
                            { "/subscriptions/s-1/things/a/parts?", 200,
                              "{\"value\":[" THING(
                                  "s-1", "b") "],\"nextLink\":"
                                              "\"/subscriptions/s-1/things/a/parts?page=2\"}" })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/subscriptions/s-1/things?api-version=1\n"
                                       "/subscriptions/s-2/things?api-version=1\n"
                                       "POST /subscriptions/s-1/things/a/parts?api-version=1\n"
                                       "/subscriptions/s-1/things/a/parts?page=2\n");
}

TEST(a_list_below_that_fails_is_one_of_its_subscription)
{
    BENCH(bench, &nested_kind);
    const struct answer things[] = {
        { "/subscriptions/s-1/things?", 200, VALUE(THING("s-1", "a") "," THING("s-1", "b")) },
        { "/subscriptions/s-2/things?", 200, VALUE(THING("s-2", "a")) },
    };
    CHECK(run(&bench, ANSWERS(things[0], things[1])));
    CHECK_INT(findings_of(&bench, "s-1"), 2);
    CHECK(run(&bench,
              ANSWERS({ "/subscriptions/s-1/things/b/parts", 500, "" },
                      { "/subscriptions/s-1/things/a/parts", 200, VALUE(THING("s-1", "new")) },
                      things[0], things[1])));
    CHECK_INT(bench.result.failed, 1);
    CHECK_INT(findings_of(&bench, "s-2"), 1);
    CHECK_INT(findings_of(&bench, "s-1"), 2);
    CHECK(!strstr(buf_cstr(&bench.asked), "/bits"));
    CHECK_TEXT(part_cover_find(bench.older, "s-1")->reason, "its list could not be read");
}

TEST(a_row_from_elsewhere_is_no_address)
{
    static const char *const ids[] = { "/subscriptions/s-2/things/a", "/subscriptions/s-1/../s-2/a",
                                       "/subscriptions/s-10/a", "//elsewhere/subscriptions/s-1/a",
                                       "x" };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        BENCH(bench, &nested_kind);
        CLEANUP(buf_finish) struct buf body = { 0 };
        buf_printf(&body, VALUE(ROW("%s")), ids[i]);
        CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/things?", 200, buf_cstr(&body) })));
        CHECK_INT(bench.result.failed, 1);
        CHECK_CONTAINS(bench.result.first_error.message, "not within its subscription");
        CHECK(!strstr(buf_cstr(&bench.asked), "/parts"));
    }
}

TEST(what_broke_says_more_than_what_was_refused)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/s-1/", 403, FORBIDDEN },
                               { "/subscriptions/s-2/", 200, "no JSON" })));
    CHECK_CONTAINS(bench.error.message, "none of 2 subscriptions can be read");
    CHECK_INT(bench.error.code, ERROR_PARSE);
    CHECK_INT(bench.result.refused, 1);
    CHECK_INT(bench.result.failed, 1);
}

/* So it does when more are refused after it. */
TEST(what_broke_first_is_told_of_many_that_were_refused)
{
    static const struct answer four[] = {
        { "/subscriptions?", 200,
          "{\"value\":[{\"subscriptionId\":\"s-1\",\"state\":\"Enabled\"},"
          "{\"subscriptionId\":\"s-2\",\"state\":\"Enabled\"},"
          "{\"subscriptionId\":\"s-3\",\"state\":\"Enabled\"},"
          "{\"subscriptionId\":\"s-4\",\"state\":\"Enabled\"}]}" },
        { 0 },
    };
    static const char *const broken[] = { "/subscriptions/s-1/", "/subscriptions/s-2/",
                                          "/subscriptions/s-4/" };
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        BENCH(bench, &each_kind);
        discover(&bench, four);
        CHECK(!run(&bench,
                   ANSWERS({ broken[i], 200, "no JSON" }, { "/subscriptions/", 403, FORBIDDEN })));
        CHECK_CONTAINS(bench.error.message, "none of 4 subscriptions can be read");
        CHECK_INT(bench.error.code, ERROR_PARSE);
        CHECK_INT(bench.result.refused, 3);
    }
}

TEST(when_all_are_refused_the_run_failed)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/", 403, FORBIDDEN })));
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_CONTAINS(bench.error.message, "none of 2 subscriptions can be read");
    CHECK_CONTAINS(bench.error.message, "AuthorizationFailed");
}

TEST(a_token_that_is_refused_ends_the_run_at_once)
{
    BENCH(bench, &each_kind);
    CHECK(!run(&bench, ANSWERS({ "/subscriptions/", 401, REFUSED("InvalidAuthenticationToken") })));
    CHECK_INT(bench.error.code, ERROR_AUTH);
    CHECK(!strstr(buf_cstr(&bench.asked), "s-2"));
}

TEST(without_visible_subscriptions_there_is_nobody_to_ask)
{
    BENCH(bench, &each_kind);
    discover(&bench, nobody);
    CHECK(!run(&bench, discovery));
    CHECK_TEXT(buf_cstr(&bench.asked), "");
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
    CHECK_CONTAINS(bench.error.message, "each: none of 3 subscriptions can be read: 2 denied, "
                                        "0 filtered, 1 disabled");
}

TEST(a_list_of_subscriptions_that_failed_is_named)
{
    BENCH(bench, &each_kind);
    size_t index = source_list_find(bench.sources, "subscriptions")->index;
    part_release(bench.snapshot->parts[index]);
    bench.snapshot->parts[index] = NULL;
    CHECK(!run(&bench, discovery));
    CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
    CHECK_CONTAINS(bench.error.message, "each: the subscriptions are not known yet");
    error_set(&bench.snapshot->status[index].error, ERROR_SERVER,
              "list /subscriptions page 1: 503");
    CHECK(!run(&bench, discovery));
    CHECK_INT(bench.error.code, ERROR_SERVER);
    CHECK_CONTAINS(bench.error.message,
                   "each: the subscriptions are not known: list /subscriptions page 1: 503");
}

TEST(a_list_that_is_not_there_is_empty_unless_it_was_there_before)
{
    static const struct answer gone[] = {
        { "/subscriptions/s-1/", 404, REFUSED("Subscription Not Registered") },
        { "/subscriptions/s-2/", 200, VALUE(ROW("b")) },
        { 0 },
    };
    BENCH(bench, &gentle_kind);
    for (int turn = 0; turn < 2; turn++) { /* empty before is empty again */
        CHECK(run(&bench, gone));
        CHECK_INT(bench.result.failed, 0);
        CHECK(part_cover_find(bench.older, "s-1")->empty);
    }
    CHECK(run(&bench, ANSWERS({ "/subscriptions/s-1/", 200, VALUE(ROW("a")) },
                              { "/subscriptions/s-2/", 200, VALUE(ROW("b")) })));
    CHECK(run(&bench, gone)); /* suddenly "not registered": says nothing of what it found */
    CHECK_INT(bench.result.failed, 1);
    CHECK(part_cover_find(bench.older, "s-1")->carried);
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    BENCH(strict, &each_kind);
    CHECK(run(&strict, gone));
    CHECK_INT(strict.result.failed, 1); /* not every list may be missing */
}

/* --- several queries ----------------------------------------------------------------------------
 */

TEST(one_query_that_fails_fails_the_run)
{
    BENCH(bench, &two_kind);
    CHECK(!run(&bench, ANSWERS({ "/first", 200, VALUE(ROW("a")) }, { "/second", 500, "" })));
    CHECK_CONTAINS(bench.error.message, "second: ");
    CHECK(!run(&bench, ANSWERS({ "/first", 500, "" })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n"); /* the second is not asked */
}

TEST(a_query_that_is_suddenly_empty_is_believed_the_third_time)
{
    static const struct answer full[] = { { "/first", 200, VALUE(ROW("a")) },
                                          { "/second", 200, VALUE(ROW("b") "," ROW("c")) },
                                          { 0 } };
    static const struct answer half[] = { { "/first", 200, VALUE(ROW("a")) }, { 0 } };
    BENCH(bench, &two_kind);
    CHECK(run(&bench, half)); /* nothing came before: nothing is missing */
    CHECK(run(&bench, full));
    for (int turn = 0; turn < 2; turn++) {
        CHECK(!run(&bench, half));
        CHECK_INT(bench.error.code, ERROR_INCOMPLETE);
        CHECK_TEXT(bench.error.message, "second came back empty, 2 rows came before");
        CHECK_INT(bench.result.rows, 1);
    }
    CHECK(run(&bench, half));
    CHECK_INT(bench.older->finding_count, 1);
    CHECK(run(&bench, full)); /* a run that is whole ends the doubt */
    CHECK(!run(&bench, half));
    CHECK(run(&bench, full));
    CHECK(!run(&bench, half));
    CHECK(!run(&bench, half));
}

TEST(a_spare_is_asked_only_where_nothing_came)
{
    BENCH(bench, &spare_kind);
    CHECK(run(&bench,
              ANSWERS({ "/first", 200, VALUE(ROW("a")) }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n");
    CHECK(run(&bench, ANSWERS({ "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n/spare?api-version=1\n");
    CHECK_INT(bench.result.rows, 1);
    CHECK(run(&bench, ANSWERS({ "/first", 403, FORBIDDEN }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_INT(bench.result.rows, 1); /* optional: the run goes on */
    CHECK(run(&bench, ANSWERS({ "/first", 200, VALUE("") })));
    CHECK_INT(bench.result.rows, 0); /* neither has to bring anything */
}

TEST(an_optional_query_is_tried_once)
{
    BENCH(bench, &spare_kind);
    bench.session.tries = 2;
    CHECK(run(&bench, ANSWERS({ "/first", 503, "" }, { "/spare", 200, VALUE(ROW("s")) })));
    CHECK_TEXT(buf_cstr(&bench.asked), "/first?api-version=1\n/spare?api-version=1\n");
    CHECK_INT(bench.session.tries, 2); /* as before */
}

TEST(why_the_first_was_skipped_explains_that_nobody_is_left)
{
    BENCH(bench, &spares_kind);
    discover(&bench, nobody);
    CHECK(!run(&bench, ANSWERS({ "/first", 403, REFUSED("TenantSaysNo") })));
    CHECK_CONTAINS(bench.error.message, "TenantSaysNo");
    CHECK_INT(bench.error.code, ERROR_FORBIDDEN);
}

TEST(a_stop_is_no_failure_of_an_optional_query)
{
    static const atomic_bool cancelled = true;
    BENCH(bench, &spare_kind);
    bench.session.cancelled = &cancelled;
    CHECK(!run(&bench, ANSWERS({ "/spare", 200, VALUE(ROW("s")) })));
    CHECK_INT(bench.error.code, ERROR_CANCELLED);
    CHECK_TEXT(buf_cstr(&bench.asked), "");
}

/* --- Resource Graph ------------------------------------------------------------------------------
 */

TEST(graph_rows_say_whose_they_are)
{
    BENCH(bench, &graph_kind);
    CHECK(run(&bench, ANSWERS({ "/providers/Microsoft.ResourceGraph", 200,
                                GRAPH("2", "2",
                                      "{\"id\":\"a\",\"subscriptionId\":\"s-1\"},"
                                      "{\"id\":\"b\",\"subscriptionId\":\"s-2\"}") })));
    CHECK_INT(findings_of(&bench, "s-1"), 1);
    CHECK_INT(findings_of(&bench, "s-2"), 1);
    CHECK_INT(bench.memory.total[0], 2);
}
