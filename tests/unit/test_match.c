/* Matchers as Alertmanager reads them. */
#include "alerts/text/match.h"

#include <pthread.h>
#include <sched.h>

#include "core/clock.h"
#include "tests/unit/test.h"

static const struct match_label labels[] = {
    { "alertname", "NewCritical" }, { "gr\xc3\xb6\xc3\x9f e", "x" },
    { "over", "two words" },        { "resource_type", "microsoft.storage/storageaccounts" },
    { "team", "a \"b\"\n" },
};

TEST(match_reads_and_asks)
{
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        { "alertname=\"NewCritical\"", true },
        { "alertname=NewCritical", true },
        { " { alertname = \"NewCritical\" , resource_type=~\"microsoft.storage/.*\", } ", true },
        { "{}", true },
        { "", true },
        { "alertname!=\"NewCritical\"", false },
        { "alertname=~\"New\"", false }, /* the whole value */
        { "alertname=~\"New|NewCritical\"", true },
        { "alertname!~\"New\"", true },
        { "absent=\"\"", true },
        { "absent!=\"\"", false },
        { "absent=~\".+\"", false },
        { "absent!~\".+\"", true },
        { "team=\"a \\\"b\\\"\\n\"", true },
        { "\"alertname\"=\"NewCritical\"", true },
        { "alertname=\"NewCritical\",team=\"x\"", false },
        { "alertname=~\"(?i)newcritical\"", true },
        { "alertname=~\"[\\w-]+\"", true }, /* a backslash before most characters is itself */
        { "alertname=~\"[\\\\w-]+\"", true },
        { "alertname=~[\\w-]+", true },
        { "alertname=~New.*al , \"alertname\"!=x", true },
        { "absent=~\\d*", true },
        { "over=two words ", true },
        { "\"gr\xc3\xb6\xc3\x9f e\"=\"x\"", true },
        { "gr\xc3\xb6\xc3\x9f!=\"x\"", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(match_finish) struct match_list list = { 0 };
        struct error error = { 0 };
        CHECK_TEXT(match_parse(cases[i].text, &list, &arena, &error) ? "" : error.message, "");
        CHECK_INT(match_ask(&list, labels, sizeof labels / sizeof *labels, NULL) == MATCH_YES,
                  cases[i].matches);
    }
}

TEST(match_says_what_is_wrong_and_where)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "alertname", "expected =, !=, =~ or !~ at character 10" },
        { "=\"x\"", "expected a label name at character 1" },
        { "a=\"x", "a quote is not closed at character 3" },
        { "{a=\"x\"", "expected , or } at character 7" },
        { "a=\"x\" b=\"y\"", "unexpected text at character 7" },
        { "{a=\"x\"} b", "unexpected text at character 9" },
        { "\"\"=\"x\"", "\"\" is no label name" },
        { "a\xff=\"x\"", "is no label name" },
        { "a=\"x\xff\"", "a: the value is not UTF-8" },
        { "\"a b\"=\"\\t\"", "unknown escape at character 8" },
        { "\"a\\d\"=\"x\"", "unknown escape at character 3" },
        { "a=b\"c\"", "unexpected text at character 4" },
        { "a=b}", "unexpected text at character 4" },
        { "'a'=\"x\"", "expected a label name at character 1" },
        { "a=~\"(\"", "bad pattern \"(\"" },
        { "a=~\"a++++++++++++++++++++\"", "invalid nested repetition operator" },
        { "a=~\"((a{1,99}){1,99}){1,99}\"", "invalid repeat count" },
        { "a=~\"(a|b)\\\\1\"", "back references are not possible: \\1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(match_finish) struct match_list list = { 0 };
        struct error error = { 0 };
        CHECK(!match_parse(cases[i].text, &list, &arena, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, cases[i].reason);
    }
}

TEST(match_prints_what_it_reads)
{
    static const char text[] = "a=\"x\",b!=\"y\\\"\\\\\\n\",c=~\"z|w\",d!~\".*\",\"e \\\"f\"=\"x\"";
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    CHECK(match_parse(text, &list, &arena, &error));
    CHECK_INT(list.count, 5);
    for (size_t i = 0; i < list.count; i++) {
        if (i)
            buf_char(&out, ',');
        match_print(&list.matches[i], &out);
    }
    CHECK_TEXT(buf_cstr(&out), text);
}

TEST(match_says_when_it_cannot_tell)
{
    static const struct {
        const char *text;
        enum match_answer answer;
    } cases[] = {
        { "a=~\"(x+)+[^y]\"", MATCH_LIMIT },         { "a!~\"(x+)+[^y]\"", MATCH_LIMIT },
        { "a=~\"(x+)+[^y]\",b=\"1\"", MATCH_LIMIT }, { "a=~\"(x+)+[^y]\",b=\"2\"", MATCH_NO },
        { "b=\"2\",a!~\"(x+)+[^y]\"", MATCH_NO },    { "a=~\"x+y\"", MATCH_YES },
    };
    static const struct match_label hard[] = {
        { "a", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy" },
        { "b", "1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(match_finish) struct match_list list = { 0 };
        struct error error;
        const struct match *news;
        CHECK(match_parse(cases[i].text, &list, &arena, &error));
        CHECK_INT(match_limited(&list, &news), 0);
        CHECK_INT(match_ask(&list, hard, 2, NULL), cases[i].answer);
        CHECK_INT(match_surely(&list, hard, 2), cases[i].answer == MATCH_YES);
        CHECK_INT(match_maybe(&list, hard, 2), cases[i].answer != MATCH_NO);
        CHECK(match_limited(&list, &news) <= 1 && (!news || !strcmp(news->name, "a")));
        CHECK_INT(news != NULL, strstr(cases[i].text, "[^y]") && *cases[i].text == 'a');
        match_limited(&list, &news);
        CHECK(!news);
    }
}

TEST(match_keeps_a_budget)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    struct match_budget budget = { .left_us = 5000000 };
    struct error error;
    CHECK(match_parse("alertname=\"NewCritical\",over=~\"two.*\"", &list, &arena, &error));
    CHECK_INT(match_ask(&list, labels, 5, &budget), MATCH_YES);
    budget.left_us = 0;
    CHECK_INT(match_ask(&list, labels, 5, &budget), MATCH_LIMIT);
    CHECK_INT(match_value(&list.matches[0], "NewCritical", &budget), MATCH_YES);
}

/* Runs on one processor only, with all who do. */
static void share_a_processor(void)
{
    cpu_set_t all, one;
    int first = 0;
    CHECK_INT(sched_getaffinity(0, sizeof all, &all), 0);
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK_INT(sched_setaffinity(0, sizeof one, &one), 0);
}

struct asker {
    int64_t took_us, spent_us;
};

static void *ask_often(void *context)
{
    enum { ASKED_US = 60000 };
    struct asker *asker = context;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    struct match_budget budget = { .left_us = INT64_MAX };
    struct error error;
    char value[4001];
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = 0;
    const struct match_label label = { "name", value };
    share_a_processor();
    CHECK(match_parse("name=~\"[a-z]*b\"", &list, &arena, &error));
    for (int64_t began_us = clock_thread_us(); asker->took_us < ASKED_US;
         asker->took_us = clock_thread_us() - began_us)
        CHECK_INT(match_ask(&list, &label, 1, &budget), MATCH_NO);
    asker->spent_us = INT64_MAX - budget.left_us;
    return NULL;
}

TEST(match_spends_no_time_of_others)
{
    struct asker askers[3] = { 0 };
    pthread_t threads[ARRAY_COUNT(askers)];
    for (size_t i = 0; i < ARRAY_COUNT(askers); i++)
        CHECK_INT(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    for (size_t i = 0; i < ARRAY_COUNT(askers); i++) {
        pthread_join(threads[i], NULL);
        CHECK(askers[i].spent_us > 0 && askers[i].spent_us <= askers[i].took_us);
    }
}

TEST(match_bounds_a_list)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    CLEANUP(match_finish) struct match_list wide = { 0 };
    static char value[MATCH_VALUE_BYTES_MAX + 2];
    struct error error = { 0 };
    size_t count = 0;
    while (count < 1000 && match_add(&list, "a", MATCH_REGEX, "b|c", &arena, &error))
        count++;
    CHECK_INT(count, MATCH_COUNT_MAX);
    CHECK_CONTAINS(error.message, "more than 256 matchers");
    memset(value, 'x', MATCH_VALUE_BYTES_MAX);
    for (count = 0; count < 1000 && match_add(&wide, "a", MATCH_EQUAL, value, &arena, &error);)
        count++;
    CHECK_INT(count, MATCH_BYTES_MAX / MATCH_VALUE_BYTES_MAX);
    CLEANUP(match_finish) struct match_list large = { 0 };
    for (count = 0;
         count < 1000 && match_add(&large, "a", MATCH_REGEX, "(abcde){1000}", &arena, &error);)
        count++;
    CHECK_CONTAINS(error.message, "patterns before it are too large");
    CHECK(match_compiled_bytes(&large) < MATCH_COMPILED_BYTES_MAX + 65536 && count > 1);
    value[MATCH_VALUE_BYTES_MAX] = 'x';
    CHECK(!match_add(&wide, "a", MATCH_EQUAL, value, &arena, &error));
    CHECK_CONTAINS(error.message, "longer than 4096 bytes");
}
