/* Digests: whatever a receiver shows of one, its counts add up to all it stands for. */
#include <stdlib.h>

#include "alerts/receivers/email.h"
#include "alerts/receivers/layout.h"
#include "alerts/receivers/pagerduty.h"
#include "alerts/receivers/slack.h"
#include "alerts/receivers/teams.h"
#include "alerts/receivers/webhook.h"
#include "core/json.h"
#include "notification_fixture.h"
#include "test.h"

enum { ROWS = 16, RULES = 30 };

/* 15 rows and the rest, folded by many rules; titles as long and odd as Azure's may be. */
static int64_t fill(struct fixture_request *built)
{
    struct notification *notification = &built->notification;
    struct notification_count *table = arena_zalloc(&built->arena, ROWS * sizeof *table);
    struct notification_count *counts = arena_zalloc(&built->arena, RULES * sizeof *counts);
    int64_t total = 0;
    fixture_notification(FIXTURE_DIGEST, &built->arena, notification);
    for (int i = 0; i < ROWS; i++) {
        bool last = i == ROWS - 1;
        table[i] = (struct notification_count){
            .rule = "",
            .risk_level = last ? "" : finding_risk_words[i % RISK_COUNT],
            .status = last     ? ""
                      : i < 10 ? "firing"
                               : "resolved",
            .count = 100 + i,
            .assessment_id = "",
            .title = last ? "other" : fixture_long(&built->arena, "<Ports> & *disks* of _all_ ", 9),
            .subscription_id = "",
            .subscription_name = last ? "" : fixture_long(&built->arena, "R&D <production> ", 9),
        };
        total += table[i].count;
    }
    for (int i = 0; i < RULES; i++) {
        counts[i] = (struct notification_count){ .rule = fixture_long(&built->arena, "R", 1 + i),
                                                 .risk_level = "high",
                                                 .status = "firing",
                                                 .count = i ? 1 : total - RULES + 1,
                                                 .assessment_id = "",
                                                 .title = "",
                                                 .subscription_id = "",
                                                 .subscription_name = "" };
    }
    notification->table = table;
    notification->table_count = ROWS;
    notification->counts = counts;
    notification->count_count = RULES;
    notification->firing_count = total - 565;
    notification->resolved_count = 565;
    notification->left_out_count = total - 1;
    return total;
}

/* The sum of all numbers before one of these words, from a heading to the next. */
static int64_t sum(const char *text, const char *from, const char *to, const char *const *words)
{
    int64_t total = 0;
    const char *at = strstr(text, from), *end = at ? strstr(at, to) : NULL;
    CHECK(at && end);
    at += at ? strcspn(at, ")\n") : 0; /* the heading has the total itself */
    for (; at && at < end; at++) {
        if (*at < '0' || *at > '9' || (at[-1] >= '0' && at[-1] <= '9'))
            continue;
        char *behind;
        int64_t number = strtoll(at, &behind, 10);
        for (size_t i = 0; words[i]; i++)
            if (!strncmp(behind, words[i], strlen(words[i]))) {
                total += number;
                break;
            }
    }
    return total;
}

/* All texts of a document, in order. */
static void put_texts(const struct json *value, struct buf *out)
{
    if (json_text(value))
        buf_printf(out, "%s\n", json_text(value));
    for (const struct json *one = json_first(value); one; one = json_next(one)) {
        if (json_name(one))
            buf_printf(out, "%s\n", json_name(one));
        put_texts(one, out);
    }
}

static void check(const char *text, int64_t total)
{
    static const char *const risks[] = { " critical",           " high",  " medium", " low",
                                         " risk not evaluated", " other", NULL };
    static const char *const rules[] = { " by ", NULL };
    CHECK_INT(sum(text, "What this message stands for", "Folded to keep", risks), total);
    CHECK_INT(sum(text, "Folded to keep", "silence", rules), total);
    CHECK(!strstr(text, "and 19 more"));
}

TEST(every_receiver_shows_counts_that_add_up)
{
    struct slack_config slack = { 0 };
    struct teams_config teams = { 0 };
    struct pagerduty_config pagerduty = { 0 };
    struct webhook_config webhook = { 0 };
    secret_set(&slack.url, "https://h.example/x");
    secret_set(&teams.url, "https://h.example/x");
    secret_set(&webhook.url, "https://h.example/x");
    secret_set(&pagerduty.routing_key, "0123456789abcdef0123456789abcdef");
    const struct {
        const struct receiver_kind *kind;
        const void *config;
    } kinds[] = { { &slack_kind, &slack },
                  { &teams_kind, &teams },
                  { &pagerduty_kind, &pagerduty } };
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        FIXTURE built = { 0 };
        CLEANUP(buf_finish) struct buf text = { 0 };
        int64_t total = fill(&built);
        fixture_again(&built, kinds[i].kind, kinds[i].config);
        CHECK(built.ok && built.json);
        put_texts(built.json, &text);
        buf_text(&text, "silence");
        check(buf_cstr(&text), total);
    }
    FIXTURE built = { 0 };
    int64_t total = fill(&built), table = 0, counts = 0;
    fixture_again(&built, &webhook_kind, &webhook);
    for (const struct json *one = json_first(json_path(built.json, "data.table")); one;
         one = json_next(one))
        table += (int64_t)json_number(json_get(one, "count"), 0);
    for (const struct json *one = json_first(json_path(built.json, "data.counts")); one;
         one = json_next(one))
        counts += (int64_t)json_number(json_get(one, "count"), 0);
    CHECK_INT(table, total);
    CHECK_INT(counts, total);
    secret_finish(&slack.url);
    secret_finish(&teams.url);
    secret_finish(&webhook.url);
    secret_finish(&pagerduty.routing_key);
}

/* What mail has is its layout; and shrinking, however far, loses none. */
TEST(every_form_of_a_digest_adds_up)
{
    FIXTURE built = { 0 };
    int64_t total = fill(&built);
    do {
        CLEANUP(buf_finish) struct buf text = { 0 };
        struct layout layout;
        int64_t table = 0, counts = 0;
        layout_make(&built.notification, &built.arena, &layout);
        for (size_t i = 0; i < layout.section_count; i++) {
            buf_printf(&text, "%s\n", layout.sections[i].title);
            for (size_t j = 0; j < layout.sections[i].item_count; j++)
                buf_printf(&text, "%s\n", layout.sections[i].items[j].text);
        }
        buf_text(&text, "silence");
        check(buf_cstr(&text), total);
        for (size_t i = 0; i < built.notification.table_count; i++)
            table += built.notification.table[i].count;
        for (size_t i = 0; i < built.notification.count_count; i++)
            counts += built.notification.counts[i].count;
        CHECK_INT(table, total);
        CHECK_INT(counts, total);
    } while (notification_shrink(&built.notification, &built.arena));
    CHECK_INT(built.notification.table_count, 2);
}
