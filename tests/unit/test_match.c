/* Matchers as Alertmanager reads them. */
#include "alerts/text/match.h"
#include "tests/unit/test.h"

static const struct match_label labels[] = {
    { "alertname", "NewCritical" },
    { "resource_type", "microsoft.storage/storageaccounts" },
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
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(match_finish) struct match_list list = { 0 };
        struct error error = { 0 };
        CHECK_TEXT(match_parse(cases[i].text, &list, &arena, &error) ? "" : error.message, "");
        CHECK_INT(match_all(&list, labels, 3), cases[i].matches);
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
        { "1a=\"x\"", "\"1a\" is no label name" },
        { "a-b=\"x\"", "\"a-b\" is no label name" },
        { "a=~\"(\"", "bad pattern \"(\"" },
        { "a=~\"\\\\d+\"", "digits are written [0-9]" },
        { "a=~\"(?i)x\"", "groups are written (a|b)" },
        { "a=~\"((a{1,99}){1,99}){1,99}\"", "repeats more than 1000 times" },
        { "a=~\"(a|b)\\\\1\"", "the pattern refers back with \\1" },
        { "a=~\"a{30000}\"", "repeats more than 1000 times" },
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
    static const char text[] = "a=\"x\",b!=\"y\\\"\\\\\\n\",c=~\"z|w\",d!~\".*\"";
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    CHECK(match_parse(text, &list, &arena, &error));
    CHECK_INT(list.count, 4);
    for (size_t i = 0; i < list.count; i++) {
        if (i)
            buf_char(&out, ',');
        match_print(&list.matches[i], &out);
    }
    CHECK_TEXT(buf_cstr(&out), text);
}

TEST(match_near_names_at_most_three)
{
    static const char *const words[] = { "finding.opened",  "finding.reopened", "finding.resolved",
                                         "finding.overdue", "digest",           NULL };
    CLEANUP(buf_finish) struct buf out = { 0 };
    match_near("finding.open", words, &out);
    CHECK_TEXT(buf_cstr(&out), "; did you mean finding.opened, finding.reopened?");
    buf_reset(&out);
    match_near("zzz", words, &out);
    CHECK_TEXT(buf_cstr(&out), "");
    buf_reset(&out);
    match_near("finding.o", words, &out);
    match_near("", words, &out);
    CHECK(strlen(buf_cstr(&out)) < 100);
}
