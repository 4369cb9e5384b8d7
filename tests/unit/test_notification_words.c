/* What a title and a text say in each situation. */
#include "alerts/receivers/layout.h"
#include "alerts/rules/notification_words.h"
#include "alerts/text/text.h"
#include "notification_fixture.h"
#include "test.h"

/* A message about resources of one recommendation: so many are open, the others ended like this. */
struct scene {
    struct arena arena;
    struct notification notification;
    struct buf title, text;
};

static void begin(struct scene *scene, size_t open, const char *const *endings)
{
    size_t ended = 0;
    while (endings && endings[ended])
        ended++;
    notification_init(&scene->notification);
    struct notification *notification = &scene->notification;
    struct notification_block *block =
        fixture_finding(&scene->arena, notification, open + ended, !open);
    for (size_t i = open; i < open + ended; i++) {
        block->resources[i].resolved = true;
        block->resources[i].state = endings[i - open];
    }
    notification->event = block->event = open ? "finding.opened" : "finding.resolved";
    notification->firing_count = block->open_count = (int64_t)open;
    notification->resolved_count = block->ended_count = (int64_t)ended;
    notification->reason = ended ? endings[0] : "";
    for (size_t i = 1; i < ended; i++)
        notification->reason = notification_reason_of_both(notification->reason, endings[i]);
    block->title = "Disks should be encrypted";
}

static void say(struct scene *scene)
{
    notification_derive(&scene->notification, &scene->arena);
    buf_reset(&scene->title);
    buf_reset(&scene->text);
    notification_words_title(&scene->notification, &scene->title);
    notification_words_text(&scene->notification, &scene->text);
}

static void finish(struct scene *scene)
{
    buf_finish(&scene->title);
    buf_finish(&scene->text);
    arena_finish(&scene->arena);
}
#define SCENE CLEANUP(finish) struct scene

static const char *fact(const struct layout *layout, const char *name)
{
    for (size_t i = 0; i < layout->fact_count; i++)
        if (!strcmp(layout->facts[i].name, name))
            return layout->facts[i].text;
    return "";
}

/* clang-format off */
static const struct {
    size_t open;
    const char *endings[6], *event, *before, *title, *text;
} situations[] = {
    { 1, { 0 }, "finding.opened", "",
      "Critical: Disks should be encrypted on stprod01 (Production)",
      "from the internet" },
    { 3, { 0 }, "finding.opened", "",
      "Critical: Disks should be encrypted on stprod01, 3 open (Production)",
      "" },
    { 1, { 0 }, "finding.reopened", "",
      "Critical again: Disks should be encrypted on stprod01 (Production)",
      "" },
    { 1, { 0 }, "finding.exemption_expired", "",
      "Critical again (exemption over): Disks\xe2\x80\xa6 encrypted on stprod01 (Production)",
      "" },
    { 1, { 0 }, "finding.risk_changed", "high",
      "Now critical, was high: Disks\xe2\x80\xa6 be encrypted on stprod01 (Production)",
      "should have been fixed by 2025-11-18 14:00 UTC." },
    { 0, { "no_longer_overdue" }, "finding.no_longer_overdue", "",
      "No longer overdue: Disks should be encrypted on stprod01 (Production)",
      "It is open still, but due later." },
    { 1, { 0 }, "finding.overdue", "",
      "Overdue 3 d (critical): Disks\xe2\x80\xa6 be encrypted on stprod01 (Production)",
      "should have been fixed by 2025-11-18 14:00 UTC." },
    { 3, { "fixed", "fixed" }, "finding.resolved", "",
      "Critical: Disks should be encrypted, 3 of 5 open (Production)",
      "Fixed: stprod04, stprod05. It can be reached" },
    { 1, { "exempted", "fixed" }, "finding.exempted", "",
      "Critical: Disks should be encrypted, 1 of 3 open (Production)",
      "Fixed: stprod03. Exempted: stprod02. " },
    { 0, { "fixed" }, "finding.resolved", "",
      "Fixed: Disks should be encrypted on stprod01 (Production)",
      "It was open for 2 h." },
    { 0, { "fixed", "fixed" }, "finding.resolved", "",
      "Fixed: Disks should be encrypted on 2 resources (Production)",
      "Fixed: stprod01, stprod02. " },
    { 0, { "exempted" }, "finding.exempted", "",
      "Exempted: Disks should be encrypted on stprod01 (Production)",
      "not fixed" },
    { 0, { "resource_deleted" }, "finding.resolved", "",
      "Resource deleted: Disks should be encrypted on stprod01 (Production)",
      "" },
    { 0, { "plan_off" }, "finding.resolved", "",
      "No longer assessed (plan off): Disks\xe2\x80\xa6 encrypted on stprod01 (Production)",
      "may still be there" },
    { 0, { "no_longer_assessed" }, "finding.no_longer_assessed", "",
      "No longer assessed: Disks should be encrypted on stprod01 (Production)",
      "it was not seen for 3 d. It may still be there." },
    { 0, { "fixed", "exempted", "fixed" }, "finding.resolved", "",
      "Ended: Disks should be encrypted on 3 resources (Production), 2 fixed, 1 exempted",
      "Fixed: stprod01, stprod03. Exempted: stprod02. " },
};
/* clang-format on */

TEST(titles_say_what_happened_and_what_still_fires)
{
    for (size_t i = 0; i < ARRAY_COUNT(situations); i++) {
        SCENE scene = { 0 };
        begin(&scene, situations[i].open, situations[i].endings);
        scene.notification.event = situations[i].event;
        scene.notification.blocks->risk_before = situations[i].before;
        if (strstr(situations[i].text, "should have been fixed"))
            scene.notification.blocks->due_at = scene.notification.made_at - 3 * 86400;
        for (size_t j = 0; j < scene.notification.blocks->resource_count; j++)
            if (!strcmp(scene.notification.blocks->resources[j].state, "no_longer_assessed"))
                scene.notification.blocks->resources[j].unseen_at = FIXTURE_AT + 7200 - 3 * 86400;
        say(&scene);
        CHECK_TEXT(buf_cstr(&scene.title), situations[i].title);
        CHECK_CONTAINS(buf_cstr(&scene.text), situations[i].text);
        CHECK(scene.notification.firing_count || !strstr(buf_cstr(&scene.text), "internet"));
    }
}

TEST(a_long_recommendation_pushes_no_resource_out_of_sight)
{
    static const struct {
        const char *title, *resource, *told;
    } cases[] = {
        { "Disks should be encrypted", "stprod01",
          "Critical: Disks should be encrypted on stprod01 (Production)" },
        { "Storage accounts should restrict network access", "stprod01",
          "Critical: Storage accounts\xe2\x80\xa6 network access on stprod01 (Production)" },
        { "Machines (all of them) should have their findings resolved", "stprod01-weu",
          "Critical: Machines (all\xe2\x80\xa6 findings resolved on stprod01-weu (Production)" },
        { "Konten sollten \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc gut gesch\xc3\xbctzt sein "
          "m\xc3\xbcssen",
          "stprod01",
          "Critical: Konten sollten \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc gut\xe2\x80\xa6 sein "
          "m\xc3\xbcssen on stprod01 (Production)" },
        { "Verylongwordthatnobodywouldwriteinatitleof60letters is", "stprod01",
          "Critical: Verylongwordthatnobodywouldwriteinati\xe2\x80\xa6 on stprod01 (Production)" },
        { "Storage accounts should restrict access",
          "a-name-that-is-as-long-as-all-that-a-lock-screen-shows",
          "Critical: Storage\xe2\x80\xa6 access on a-name-that-is-as-long-as-all-that-a-lock-"
          "screen-shows (Production)" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCENE scene = { 0 };
        begin(&scene, 1, NULL);
        scene.notification.blocks->title = cases[i].title;
        scene.notification.blocks->resources->name = cases[i].resource;
        say(&scene);
        CHECK_TEXT(buf_cstr(&scene.title), cases[i].told);
    }
}

TEST(what_is_open_again_says_how_it_had_ended)
{
    SCENE scene = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct layout layout;
    begin(&scene, 1, NULL);
    scene.notification.event = "finding.reopened";
    scene.notification.blocks->resources->reason_before = "fixed";
    scene.notification.blocks->resources->ended_before_at = FIXTURE_AT - 86400;
    say(&scene);
    CHECK_CONTAINS(buf_cstr(&scene.text), "It was fixed on 2025-11-20 12:00 UTC. ");
    layout_make(&scene.notification, &arena, &layout);
    CHECK_TEXT(fact(&layout, "Last time"), "fixed 2025-11-20 12:00 UTC, 1 d ago");
    CHECK_TEXT(fact(&layout, "Resource"), "stprod01 (storage account)");
}

TEST(what_ended_says_when)
{
    static const char *const fixed[] = { "fixed", NULL };
    SCENE scene = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct layout layout;
    begin(&scene, 0, fixed);
    scene.notification.made_at = FIXTURE_AT + 10800;
    say(&scene);
    layout_make(&scene.notification, &arena, &layout);
    CHECK_TEXT(fact(&layout, "Ended"), "2025-11-21 14:00 UTC, 1 h ago");
}

TEST(several_recommendations_are_counted_and_the_worst_is_named)
{
    SCENE scene = { 0 };
    begin(&scene, 1, NULL);
    struct notification *notification = &scene.notification;
    struct notification_block blocks[3] = { notification->blocks[0], notification->blocks[0],
                                            notification->blocks[0] };
    blocks[1].title = "Ports should be closed";
    blocks[1].risk_level = "high";
    notification->blocks = blocks;
    notification->block_count = 2;
    notification->firing_count = notification->resource_total = 2;
    say(&scene);
    CHECK_TEXT(buf_cstr(&scene.title),
               "2 findings on stprod01 (Production): worst Critical, Disks should be encrypted");
    struct notification_resource other = blocks[0].resources[0];
    other.id = "/x";
    other.name = "stprod02";
    blocks[1].resources = &other;
    say(&scene);
    CHECK_CONTAINS(buf_cstr(&scene.title), "2 findings in rg-prod (Production): worst");
    blocks[1].open_count = 0; /* the other ended: the title speaks of what is open */
    blocks[1].ended_count = 1;
    other.resolved = true;
    other.state = "fixed";
    say(&scene);
    CHECK_TEXT(buf_cstr(&scene.title),
               "Critical: Disks should be encrypted on stprod01 (Production)");
    CHECK_CONTAINS(buf_cstr(&scene.text), "Fixed: stprod02 (Ports should be closed).");
}

TEST(other_clouds_are_named_by_account)
{
    SCENE scene = { 0 };
    begin(&scene, 1, NULL);
    struct notification_resource *resource = scene.notification.blocks->resources;
    resource->cloud = "aws";
    resource->environment = "AWS account 1234 through connector prod-aws";
    say(&scene);
    CHECK_TEXT(buf_cstr(&scene.title),
               "Critical: Disks should be encrypted on stprod01 (AWS account 1234)");
    resource->cloud = "azure";
    resource->environment = "Azure";
    resource->subscription_name = resource->subscription_id; /* no name is known */
    say(&scene);
    CHECK_TEXT(buf_cstr(&scene.title), "Critical: Disks should be encrypted on stprod01");
}

/* Blocks about no finding, of which some ended. */
static void say_others(struct scene *scene, const char *event, size_t open, size_t ended)
{
    static struct match_label subject = { "subject", "assessments" };
    struct notification *notification = &scene->notification;
    notification_init(notification);
    notification->blocks =
        arena_zalloc(&scene->arena, (open + ended) * sizeof *notification->blocks);
    notification->block_count = open + ended;
    for (size_t i = 0; i < open + ended; i++) {
        struct notification_block *block = &notification->blocks[i];
        notification_block_init(block);
        block->event = i < open ? event : "data.recovered";
        *(i < open ? &block->open_count : &block->ended_count) = 1;
        block->value = 7300;
        block->rule = "Stale";
        block->labels[block->label_count++] = subject;
    }
    notification->event = open ? event : "data.recovered";
    notification->status = open ? NOTIFICATION_FIRING : NOTIFICATION_RESOLVED;
    notification->firing_count = (int64_t)open;
    notification->resolved_count = (int64_t)ended;
    notification->reason = open ? "" : "recovered";
    say(scene);
}

TEST(nothing_is_fresh_again_while_one_is_stale)
{
    SCENE scene = { 0 };
    say_others(&scene, "data.stale", 1, 0);
    CHECK_TEXT(buf_cstr(&scene.title),
               "No new recommendations from Azure since 2 h: pages may be missing");
    say_others(&scene, "data.stale", 1, 2);
    CHECK_TEXT(
        buf_cstr(&scene.title),
        "No new recommendations from Azure since 2 h: pages may be missing, 2 of 3 fresh again");
    say_others(&scene, "data.stale", 0, 3);
    CHECK_TEXT(buf_cstr(&scene.title), "Data are fresh again");
    scene.notification.reason = "rule_removed";
    say(&scene);
    CHECK_CONTAINS(buf_cstr(&scene.title), "Rule removed: ");
}

TEST(azure_words_are_words)
{
    static const char *const words[][2] = {
        { "accountBreach", "account breach" },
        { "dataExfiltration", "data exfiltration" },
        { "elevationOfPrivilege", "elevation of privilege" },
        { "denialOfService", "denial of service" },
        { "InternetExposure", "internet exposure" },
        { "SQLInjection", "SQL injection" },
        { "Internet exposure", "Internet exposure" },
        { "", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        text_words(&out, words[i][0]);
        CHECK_TEXT(buf_cstr(&out), words[i][1]);
    }
}

TEST(instants_have_their_distance)
{
    static const struct {
        int64_t now;
        const char *text;
    } cases[] = {
        { 0, "2025-11-21 12:00 UTC" },
        { FIXTURE_AT + 13 * 86400 + 70, "2025-11-21 12:00 UTC, 13 d ago" },
        { FIXTURE_AT + 3600, "2025-11-21 12:00 UTC, 1 h ago" },
        { FIXTURE_AT - 2 * 86400, "2025-11-21 12:00 UTC, in 2 d" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        text_instant(&out, FIXTURE_AT, cases[i].now);
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}
