/* A report as people read it, whatever it has to fit into. */
#include "alerts/receivers/layout_report.h"

#include "alerts/receivers/receivers.h"

#include "notification_fixture.h"
#include "test.h"

#define FIXTURE CLEANUP(fixture_finish) struct fixture_request

static const char *fact(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->fact_count; i++)
        if (!strcmp(layout->facts[i].name, name))
            return layout->facts[i].text;
    return "";
}

TEST(a_report_is_laid_out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct layout layout;
    fixture_notification(FIXTURE_REPORT, &arena, &notification);
    layout_make(&notification, &arena, &layout);
    CHECK_TEXT(layout.text, "Not all was looked at, or not lately: numbers may be short or old.");
    CHECK_TEXT(fact(&layout, "Period"), "2025-11-14 12:00 UTC to 2025-11-21 12:00 UTC");
    CHECK_TEXT(fact(&layout, "Secure score"), "55.6 %, +3.1 since then (52.5 %)");
    CHECK_TEXT(fact(&layout, "Looked at"), "38 of 40 subscriptions seen (2 denied)");
    CHECK_TEXT(fact(&layout, "Not looked at"), "security_alerts (of 2 subscriptions)");
    CHECK_TEXT(fact(&layout, "Not lately"), "");
    CHECK_INT(layout.section_count, 2);
    CHECK_TEXT(layout.sections[0].title, "By management group");
    CHECK_TEXT(layout.sections[0].items[0].text, "Production: new 7, fixed 3, overdue 2, open 61");
    CHECK_TEXT(layout.sections[0].items[3].text, "\xe2\x80\xa6 and 15 more");
    CHECK_TEXT(layout.sections[1].items[0].link, FIXTURE_PAGE);
    CHECK_TEXT(layout.footer, ""); /* there is nothing to silence */
}

/* What is not known is never 0 %. */
TEST(a_score_that_is_not_known_is_none)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct layout layout;
    fixture_notification(FIXTURE_REPORT, &arena, &notification);
    struct notification_report report = *notification.reports;
    notification.reports = &report;
    report.score_before = NAN;
    layout_make(&notification, &arena, &layout);
    CHECK_TEXT(fact(&layout, "Secure score"), "55.6 %; what it was then is not known");
    report.score = NAN;
    layout_make(&notification, &arena, &layout);
    CHECK_TEXT(fact(&layout, "Secure score"), "not known");
    report.whole = true;
    layout_make(&notification, &arena, &layout);
    CHECK_TEXT(layout.text, "");
}

/* The most a report has, with names as long as they get: what has no place is counted. */
TEST(a_report_fits_everywhere)
{
    struct receivers_config config = { 0 };
    secret_set(&config.slack.url, "https://hooks.slack.example.com/services/T/B/X");
    secret_set(&config.teams.url, "https://flows.example.com/workflows/1");
    const struct {
        const struct receiver_kind *kind;
        const void *config;
    } kinds[] = { { &slack_kind, &config.slack }, { &teams_kind, &config.teams } };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        FIXTURE built = { 0 };
        fixture_build(&built, kinds[i].kind, kinds[i].config, FIXTURE_REPORT);
        struct notification_report report = *built.notification.reports;
        struct notification_report_row rows[25];
        for (size_t j = 0; j < ARRAY_COUNT(rows); j++)
            rows[j] = (struct notification_report_row){
                fixture_long(&built.arena, "<&>\xf0\x9f\x98\x80\"", 100), 1, 1, 1, 1
            };
        report.rows = rows;
        report.row_count = ARRAY_COUNT(rows);
        built.notification.reports = &report;
        fixture_again(&built, kinds[i].kind, kinds[i].config);
        CHECK(built.ok);
        CHECK(built.notification.reports->row_count > 2);
        CHECK_INT(built.notification.reports->row_count +
                      (size_t)built.notification.reports->more_rows,
                  25 + 15);
        CHECK_INT(built.notification.reports->gain_count, 2);
    }
    options_finish(receivers_options, &config);
}
