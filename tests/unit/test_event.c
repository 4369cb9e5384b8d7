/* event: names that are general or special, and views of what an event is about. */
#include "alerts/ledger/event.h"
#include "sources.h"
#include "test.h"

#include "core/compiler.h"

TEST(every_kind_has_a_word_and_the_special_one_wins)
{
    const struct {
        enum event_kind kind;
        const struct source *source;
        int reason;
        const char *word;
    } cases[] = {
        { EVENT_OPENED, SOURCE(assessments), -1, "finding.opened" },
        { EVENT_OPENED, SOURCE(baselines), -1, "baseline.rule_regressed" },
        { EVENT_REOPENED, SOURCE(baselines), REASON_FIXED, "baseline.rule_regressed" },
        { EVENT_REOPENED, SOURCE(assessments), REASON_FIXED, "finding.reopened" },
        { EVENT_REOPENED, SOURCE(assessments), REASON_EXEMPTED, "finding.exemption_expired" },
        { EVENT_RESOLVED, SOURCE(assessments), REASON_FIXED, "finding.resolved" },
        { EVENT_RESOLVED, SOURCE(assessments), REASON_EXEMPTED, "finding.exempted" },
        { EVENT_RESOLVED, SOURCE(baselines), REASON_FIXED, "baseline.rule_fixed" },
        { EVENT_RESOLVED, SOURCE(baselines), REASON_RESOURCE_DELETED, "finding.resolved" },
        { EVENT_RESOLVED, SOURCE(baselines), REASON_NO_LONGER_ASSESSED,
          "finding.no_longer_assessed" },
        { EVENT_RESOLVED, SOURCE(assessments), REASON_NO_LONGER_ASSESSED,
          "finding.no_longer_assessed" },
        { EVENT_FIRST_RUN, SOURCE(assessments), -1, "digest" },
        { EVENT_RULER_CHANGED, SOURCE(assessments), -1, "ruler.changed" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(event_word(cases[i].kind, cases[i].source, cases[i].reason), cases[i].word);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        const struct event_name *name = event_name_find(event_kind_words[kind]);
        CHECK(name && name->kinds == 1u << kind && !name->topic && name->reason == -1);
    }
    CHECK(!event_kind_words[EVENT_KIND_COUNT]);
}

TEST(a_general_name_covers_the_special_ones)
{
    struct event event = { .kind = EVENT_RESOLVED,
                           .source = SOURCE(baselines),
                           .reason = REASON_EXEMPTED };
    CHECK(event_is(&event, event_name_find("finding.resolved")));
    CHECK(!event_is(&event, event_name_find("baseline.rule_fixed")));
    CHECK(event_is(&event, event_name_find("finding.exempted")));
    CHECK(!event_is(&event, event_name_find("finding.opened")));
    CHECK(!event_is(&event, event_name_find("attack_path.resolved")));
    CHECK(!event_is(&event, event_name_find("rule.firing")));
    CHECK(!event_name_find("finding.closed"));
}

TEST(events_are_kept_whole)
{
    struct event_list list = { 0 };
    for (uint32_t i = 0; i < 1000; i++)
        event_add(&list, &(struct event){ .kind = EVENT_SCORE_DROPPED, .episode = i });
    CHECK_INT(list.count, 1000);
    CHECK_INT(list.events[999].episode, 999);
    CHECK_TEXT(list.events[0].subject, "");
    CHECK_TEXT(list.events[0].detail, "");
    struct finding view;
    char scratch[PART_ID_BYTES];
    CHECK(!event_finding(&list.events[0], &view, scratch));
    event_list_finish(&list);
    CHECK_INT(list.count, 0);
}

TEST(what_the_row_did_not_tell_comes_from_the_catalogue)
{
    static const struct catalogue_entry entry = { .title = "Title",
                                                  .categories = "Data,Network",
                                                  .severity = SEVERITY_HIGH };
    struct part *part = part_create(SOURCE(assessments));
    struct part_row row = {
        "r1",  "key", "", "", "", "s1", "/subscriptions/s1", "", "", RISK_HIGH, SEVERITY_UNKNOWN,
        false, 0,     0,  0
    };
    part_add_open(part, &row);
    struct event event = { .part = part, .catalogue = &entry };
    struct finding view;
    char scratch[PART_ID_BYTES];
    CHECK(event_finding(&event, &view, scratch));
    CHECK_TEXT(view.title, "Title");
    CHECK_TEXT(view.category, "Data,Network");
    CHECK_INT(view.severity, SEVERITY_HIGH);
    view.title = "Own", view.category = "Own", view.severity = SEVERITY_LOW;
    struct event_record record = { view };
    event = (struct event){ .record = &record, .catalogue = &entry };
    CHECK(event_finding(&event, &view, scratch));
    CHECK_TEXT(view.title, "Own");
    CHECK_TEXT(view.category, "Own");
    CHECK_INT(view.severity, SEVERITY_LOW);
    part_release(part);
}
