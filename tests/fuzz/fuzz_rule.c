/* Files with alert rules: read, or refused with reasons. Matchers of what is taken are read
 * again as they are shown. */
#include "alerts/rules/rule.h"
#include "fuzz.h"

static void check_matchers(const struct match_list *list)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list again = { 0 };
    CLEANUP(buf_finish) struct buf printed = { 0 };
    struct error error;
    for (size_t i = 0; i < list->count; i++) {
        buf_text(&printed, i ? "," : "");
        match_print(&list->matches[i], &printed);
    }
    FUZZ_CHECK(match_parse(buf_cstr(&printed), &again, &arena, &error));
    FUZZ_CHECK(again.count == list->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const struct family_2 findings = { .name = "defender_findings",
                                              LABELS("subscription_id", "risk_level") };
    static const struct family *const families[] = { &findings.family, NULL };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    size_t rule_count = 0;
    struct rule_set *rules =
        rule_load_text("fuzz.yml", (const char *)bytes, count, families, &report);
    FUZZ_CHECK(!rules == (report.count > 0));
    const struct rule *all = rules ? rule_all(rules, &rule_count) : NULL;
    for (size_t i = 0; i < rule_count; i++)
        check_matchers(&all[i].match);
    rule_release(rules);
    return 0;
}
