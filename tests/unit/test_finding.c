/* What a finding is called: words, identity, link. */
#include "collectors/snapshot/finding.h"

#include <stdio.h>

#include "core/buf.h"
#include "sources.h"
#include "test.h"

TEST(every_word_is_found_without_case_and_nothing_else_is)
{
    static const char *const risks[] = { "CRITICAL", "high", "MeDiUm", "Low", "Not_Evaluated" };
    static const char *const severities[] = { "critical", "High", "MEDIUM", "low", "Unknown" };
    for (int i = 0; i < RISK_COUNT; i++) {
        CHECK_INT(finding_risk(risks[i]), i);
        CHECK_INT(finding_risk(finding_risk_words[i]), i);
    }
    for (int i = 0; i < SEVERITY_COUNT; i++) {
        CHECK_INT(finding_severity(severities[i]), i);
        CHECK_INT(finding_severity(finding_severity_words[i]), i);
    }
    static const char *const odd[] = { "", "None", "critica", "criticals", " high", "hi gh", "0" };
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        CHECK_INT(finding_risk(odd[i]), RISK_NOT_EVALUATED);
        CHECK_INT(finding_severity(odd[i]), SEVERITY_UNKNOWN);
    }
}

TEST(word_lists_are_as_long_as_their_enums)
{
    static const struct {
        const char *const *words;
        int count;
    } lists[] = {
        { finding_risk_words, RISK_COUNT },
        { finding_severity_words, SEVERITY_COUNT },
        { finding_status_words, STATUS_COUNT },
        { finding_reason_words, REASON_COUNT },
    };
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        int count = 0;
        while (lists[i].words[count])
            count++;
        CHECK_INT(count, lists[i].count);
    }
    CHECK_TEXT(finding_reason_words[REASON_RESOURCE_DELETED], "resource_deleted");
    CHECK_TEXT(finding_reason_words[REASON_RETIRED], "retired");
    CHECK_TEXT(finding_status_words[STATUS_EXEMPT], "exempt");
}

TEST(a_status_is_its_code_unless_exempt)
{
    static const struct {
        const char *code, *cause;
        enum finding_status status;
    } cases[] = {
        { "Healthy", "", STATUS_HEALTHY },
        { "UNHEALTHY", "Anything", STATUS_UNHEALTHY },
        { "notApplicable", "OffByPolicy", STATUS_NOT_APPLICABLE },
        { "NotApplicable", "Exempt", STATUS_EXEMPT },
        { "Unhealthy", "EXEMPT", STATUS_EXEMPT },
        { "Healthy", "Exempted", STATUS_HEALTHY }, /* another word */
        { "Exempt", "", STATUS_COUNT },            /* that is no code */
        { "not_applicable", "", STATUS_COUNT },    /* our word, not Azure's */
        { "", "", STATUS_COUNT },
        { "", "Exempt", STATUS_COUNT }, /* drift stays drift */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(finding_status(cases[i].code, cases[i].cause), cases[i].status);
}

static struct finding_id id_of(const struct source *source, const char *row_id)
{
    return finding_id(source, row_id, strlen(row_id));
}

TEST(identities_are_those_of_earlier_versions)
{
    /* Databases are full of these: printf 'assessments\0/subscriptions/s/x' | sha256sum */
    char text[17];
    struct finding_id id = id_of(SOURCE(assessments), "/Subscriptions/S/X");
    CHECK_TEXT(finding_id_text(&id, text), "18e77a6c4657dab0");
    id = id_of(SOURCE(baselines), "m|0|rule");
    CHECK_TEXT(finding_id_text(&id, text), "7e0413b6483dcc37");
    id = id_of(SOURCE(assessments), "");
    CHECK_TEXT(finding_id_text(&id, text), "4a395a3498406413");
}

TEST(only_ascii_capitals_are_lowered)
{
    char left[64], right[64];
    /* every byte, at every place of the eight that are lowered at once and of the rest */
    for (int at = 0; at < 20; at++)
        for (int byte = 1; byte < 256; byte++) {
            memset(left, 'x', 20);
            memset(right, 'x', 20);
            left[at] = (char)byte;
            right[at] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
            left[20] = right[20] = 0;
            struct finding_id a = id_of(SOURCE(assessments), left);
            struct finding_id b = id_of(SOURCE(assessments), right);
            CHECK(!finding_id_compare(&a, &b));
        }
    /* neighbours of the letters, and letters with the eighth bit set, are other ids */
    static const char *const pairs[][2] = {
        { "aaaaaaa@", "aaaaaaa`" },
        { "aaaaaaa[", "aaaaaaa{" },
        { "aaaaaaa\xc1", "aaaaaaa\xe1" },
        { "@", "`" },
        { "[", "{" },
        { "\xc1", "\xe1" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        struct finding_id a = id_of(SOURCE(assessments), pairs[i][0]);
        struct finding_id b = id_of(SOURCE(assessments), pairs[i][1]);
        CHECK(finding_id_compare(&a, &b) != 0);
    }
}

TEST(long_ids_count_to_their_last_byte)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct finding_id before = id_of(SOURCE(assessments), "");
    /* around the length that fits on the stack together with the key of the source */
    for (int i = 0; i < 2100; i++) {
        buf_char(&text, "aB/"[i % 3]);
        struct finding_id id = finding_id(SOURCE(assessments), buf_cstr(&text), text.length);
        CHECK(finding_id_compare(&id, &before) != 0);
        before = id;
    }
    struct finding_id same = finding_id(SOURCE(assessments), buf_cstr(&text), text.length);
    CHECK(!finding_id_compare(&same, &before));
}

TEST(the_collector_is_part_of_the_identity_and_the_tenant_is_not)
{
    struct source other = *SOURCE(assessments);
    struct collector kind = *other.collector;
    struct finding_id ours = id_of(SOURCE(assessments), "/x");
    other.key = "assessments@contoso";
    other.name = "another name";
    other.tenant = "another";
    struct finding_id theirs = id_of(&other, "/x");
    CHECK(!finding_id_compare(&ours, &theirs));
    other.collector = &kind;
    kind.name = "own";
    theirs = id_of(&other, "/x");
    CHECK(finding_id_compare(&ours, &theirs) != 0);
    /* the name and the row id do not run into each other */
    kind.name = "assessments/";
    theirs = id_of(&other, "x");
    CHECK(finding_id_compare(&ours, &theirs) != 0);
    /* and version 1 gave this id: its key of the source was the collector's name */
    char text[17];
    CHECK_TEXT(finding_id_text(&ours, text), "b1196f0179ca8e5b");
}

TEST(identities_have_an_order)
{
    struct finding_id low = { { 0 } }, high = { { 0 } };
    high.bytes[15] = 1;
    CHECK(finding_id_compare(&low, &high) < 0);
    CHECK(finding_id_compare(&high, &low) > 0);
    low.bytes[0] = 0x80; /* bytes, not signed characters */
    CHECK(finding_id_compare(&low, &high) > 0);
    char text[17];
    CHECK_TEXT(finding_id_text(&low, text), "8000000000000000");
    low.bytes[7] = 0x0f;
    low.bytes[8] = 0xff; /* beyond the digits that are shown */
    CHECK_TEXT(finding_id_text(&low, text), "800000000000000f");
}

TEST(a_link_leads_to_the_recommendation)
{
    char out[512], small[140];
    const struct finding finding = {
        .assessment_id = "key-1",
        .resource_id = "/subscriptions/s 1/resourceGroups/g&h/providers/a.b/c/d#e",
    };
    CHECK_TEXT(finding_link(&finding, "portal.azure.us", out, sizeof out),
               "https://portal.azure.us/#blade/Microsoft_Azure_Security/RecommendationsBlade/"
               "assessmentKey/key-1/resourceId/%2Fsubscriptions%2Fs%201%2FresourceGroups%2Fg%26h"
               "%2Fproviders%2Fa.b%2Fc%2Fd%23e");
    const struct finding nowhere = { .assessment_id = "", .resource_id = "" };
    CHECK_TEXT(finding_link(&nowhere, "p", out, sizeof out),
               "https://p/#blade/Microsoft_Azure_Security/RecommendationsBlade/assessmentKey//"
               "resourceId/");
    CHECK_TEXT(finding_link(&finding, "portal.azure.us", small, sizeof small),
               "https://portal.azure.us/#blade/Microsoft_Azure_Security/RecommendationsBlade/"
               "assessmentKey/key-1"); /* no room for the whole id */
}
