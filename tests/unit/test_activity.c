/* Who changed a resource: what is asked of Azure and when, what is kept of the answers, and what a
 * message says of it. */
#include "collectors/activity.h"

#include "alerts/rules/notification_words.h"
#include "alerts_world.h"
#include "core/clock.h"

enum { QUERY_CHANGES, QUERY_CONTAINERS, QUERY_LOG, NOW = 1700000000 };

#define GROUP "/subscriptions/s1/resourcegroups/rg"
#define VM GROUP "/providers/microsoft.compute/virtualmachines/"

/* --- the board -------------------------------------------------------------------------------- */
static void ask_board(struct asked_board *board, const char *tenant, const char *id, int64_t at,
                      int64_t not_before)
{
    asked_board_add(board, &(struct asked){ tenant, id, at, not_before });
}

/* "id@at " of what is due, which is taken. */
static const char *take(struct asked_board *board, int64_t now, size_t most)
{
    static struct buf text;
    CLEANUP(asked_list_finish) struct asked_list list = { 0 };
    buf_reset(&text);
    buf_text(&text, "");
    asked_board_take(board, "t", now, most, &list);
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&text, "%s@%lld ", list.items[i].resource_id, (long long)list.items[i].at);
    return buf_cstr(&text);
}

TEST(a_question_waits_once_until_it_is_due)
{
    struct asked_board *board = asked_board_create();
    ask_board(board, "t", "a", 1, 0);
    ask_board(board, "t", "a", 1, 0);
    ask_board(board, "t", "a", 2, 0);
    ask_board(board, "t", "b", 1, 100);
    ask_board(board, "other", "c", 1, 0);
    CHECK(asked_board_waits(board, "t", 50));
    CHECK(!asked_board_waits(board, "nobody", 50));
    CHECK_TEXT(take(board, 50, 1), "a@1 ");
    CHECK_TEXT(take(board, 50, 9), "a@2 ");
    CHECK(!asked_board_waits(board, "t", 99));
    CHECK_TEXT(take(board, 100, 9), "b@1 ");
    ask_board(board, "t", "b", 1, 100);
    ask_board(board, "t", "b", 1, 10); /* sooner */
    CHECK_TEXT(take(board, 10, 9), "b@1 ");
    asked_board_destroy(board);
}

TEST(the_oldest_questions_give_way)
{
    struct asked_board *board = asked_board_create();
    for (int i = 0; i < ASKED_WAITING_MAX + 2; i++)
        ask_board(board, "t", "a", i, 0);
    CHECK_TEXT(take(board, 0, 2), "a@2 a@3 ");
    asked_board_destroy(board);
}

TEST(ids_that_could_end_a_text_are_not_asked_for)
{
    static const char *const unsafe[] = { "",
                                          "/providers/x",
                                          "/subscriptions/s'",
                                          "/subscriptions/s\"",
                                          "/subscriptions/s\\",
                                          "/subscriptions/s\n" };
    CHECK(asked_is_safe(VM "a"));
    for (size_t i = 0; i < ARRAY_COUNT(unsafe); i++)
        CHECK(!asked_is_safe(unsafe[i]));
}

/* --- rows ------------------------------------------------------------------------------------- */

/* A run by hand: what is asked about one resource, what comes, what is known then. */
struct hand {
    struct snapshot *snapshot;
    struct collect_context context;
    struct asked asked;
    struct odd_rows odd;
    struct buf text;
};

static void hand_begin(struct hand *hand)
{
    *hand = (struct hand){ .snapshot = snapshot_create(test_sources()) };
    hand->asked = (struct asked){ "", VM "a", NOW, 0 };
    hand->context = (struct collect_context){
        .now = NOW + 60, .snapshot = hand->snapshot, .asked = &hand->asked, .asked_count = 1
    };
}

static void hand_finish(struct hand *hand)
{
    snapshot_release(hand->snapshot);
    buf_finish(&hand->text);
}
#define HAND(name)                                                                                 \
    CLEANUP(hand_finish) struct hand name;                                                         \
    hand_begin(&name)

static void feed(struct hand *hand, struct part *part, size_t query, const char *rows)
{
    const struct collector *collector = part->source->collector;
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    CHECK_TEXT(error.message, "");
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        enum odd_reason reason = ODD_TYPE;
        if (!columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                          &error))
            reason = collector->fold(part, query, bound, &hand->context, &error);
        hand->odd.counts[reason]++;
    }
    json_free(document);
}

static void conclude(struct hand *hand, struct part *part)
{
    struct error error = { 0 };
    struct part **place = &hand->snapshot->parts[INDEX(activity)];
    CHECK(part->source->collector->finish(part, &hand->context, &error));
    part_release(*place);
    *place = part;
}

/* What is known of a resource, one change a line. */
static const char *known(struct hand *hand, const char *id, int64_t at)
{
    const struct activity_change *changes;
    size_t count = activity_around(hand->snapshot, id, at, &changes);
    buf_reset(&hand->text);
    buf_text(&hand->text, "");
    for (size_t i = 0; i < count; i++)
        buf_printf(&hand->text, "%+lld %s \"%s\" \"%s\" \"%s\"\n", (long long)(changes[i].at - NOW),
                   activity_by_words[changes[i].by], changes[i].caller, changes[i].operation,
                   changes[i].kind);
    return buf_cstr(&hand->text);
}

static const char *told(struct hand *hand, size_t query, const char *rows)
{
    struct part *part = part_create(SOURCE(activity));
    feed(hand, part, query, rows);
    conclude(hand, part);
    return known(hand, VM "a", NOW);
}

#define CHANGE(id, time, kind, by, type, operation)                                                \
    "{\"id\":\"x\",\"resourceId\":\"" id "\",\"changeTime\":\"" time "\",\"changeType\":\"" kind   \
    "\",\"changedBy\":\"" by "\",\"changedByType\":\"" type "\",\"operation\":\"" operation "\"}"
/* NOW is 2023-11-14T22:13:20Z. */
#define WRITE "microsoft.compute/virtualmachines/write"

TEST(every_kind_of_caller_has_its_word_and_nobody_a_name)
{
    HAND(hand);
    CHECK_TEXT(told(&hand, QUERY_CHANGES,
                    "[" CHANGE(VM "a", "2023-11-14T22:12:20.5Z", "Update", "mara@zebra.example",
                               "User", WRITE) "]"),
               "-60 user \"\" \"" WRITE "\" \"update\"\n");
    CHECK_TEXT(told(&hand, QUERY_CHANGES,
                    "[" CHANGE(VM "a", "2023-11-14T22:12:20.1234567Z", "Create",
                               "2eb4a000-0000-4000-8000-00000000ebea", "Application", WRITE) "]"),
               "-60 service principal \"\" \"" WRITE "\" \"create\"\n");
    CHECK_TEXT(told(&hand, QUERY_CHANGES,
                    "[" CHANGE("/SUBSCRIPTIONS/s1/resourceGroups/RG/providers/Microsoft.Compute/"
                               "virtualMachines/A",
                               "2023-11-14T23:12:20.347+01:00", "Delete", "System", "System",
                               "Unspecified") "]"),
               "-60 azure \"\" \"\" \"delete\"\n");
    CHECK_TEXT(told(&hand, QUERY_CHANGES,
                    "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "x", "Robot", "") "]"),
               "-60 other \"\" \"\" \"update\"\n");
    CHECK_INT(hand.odd.counts[ODD_NONE], 4);
}

TEST(names_are_kept_where_they_are_wanted)
{
    HAND(hand);
    hand.context.callers = true;
    const char *const rows = "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update",
                                        "mara@zebra.example", "User", WRITE) "]";
    CHECK_TEXT(told(&hand, QUERY_CHANGES, rows),
               "-60 user \"mara@zebra.example\" \"" WRITE "\" \"update\"\n");
    hand.context.asked_count = 0;
    CHECK_CONTAINS(told(&hand, QUERY_CHANGES, "[]"), "mara@zebra.example");
    hand.context.callers = false; /* and forgotten where they are not any more */
    CHECK_TEXT(told(&hand, QUERY_CHANGES, "[]"), "");
}

/* clang-format off */
static const char several[] =
    "[" CHANGE(VM "a", "2023-11-14T22:13:10Z", "Update", "System", "System", "") ","
    CHANGE(VM "a", "2023-11-14T20:13:20Z", "Update", "m", "User", WRITE) ","
    CHANGE(VM "a", "2023-11-14T21:13:20Z", "Update", "m", "User", WRITE) ","
    CHANGE(VM "a", "2023-11-14T19:13:20Z", "Update", "m", "User", WRITE) ","
    CHANGE(VM "a", "2023-11-14T21:43:20Z", "Create", "p", "Application", WRITE) ","
    CHANGE(VM "a", "2023-11-14T10:13:20Z", "Delete", "p", "Application", "") "]";
/* clang-format on */

TEST(people_come_first_then_the_newest_and_each_once)
{
    HAND(hand);
    CHECK_TEXT(told(&hand, QUERY_CHANGES, several),
               "-1800 service principal \"\" \"" WRITE "\" \"create\"\n"
               "-3600 user \"\" \"" WRITE "\" \"update\"\n"
               "-43200 service principal \"\" \"\" \"delete\"\n");
}

TEST(only_what_is_about_the_resource_and_the_time_counts)
{
    HAND(hand);
    CHECK_TEXT(
        told(&hand, QUERY_CHANGES,
             "[" CHANGE(VM "b", "2023-11-14T22:12:20Z", "Update", "m", "User",
                        WRITE) "," CHANGE(VM "a", "2023-11-13T22:13:19Z", "Update", "m", "User",
                                          WRITE) "," CHANGE(VM "a", "2023-11-14T22:23:21Z",
                                                            "Update", "m", "User", WRITE) "]"),
        "");
    CHECK_TEXT(
        told(&hand, QUERY_CHANGES,
             "[" CHANGE(VM "a", "2023-11-13T22:13:20Z", "Update", "m", "User", "x") "," CHANGE(
                 VM "a", "2023-11-14T22:23:20Z", "Update", "m", "User", "y") "]"),
        "+600 user \"\" \"y\" \"update\"\n-86400 user \"\" \"x\" \"update\"\n");
}

TEST(odd_rows_are_counted_and_the_others_kept)
{
    HAND(hand);
    CHECK_TEXT(told(&hand, QUERY_CHANGES,
                    "[{\"id\":\"x\"},{\"id\":\"y\",\"resourceId\":null,\"changeTime\":\"x\"},"
                    "{\"id\":\"z\",\"resourceId\":\"" VM "a\"},"
                    "{\"id\":\"z\",\"resourceId\":\"" VM "a\",\"changeTime\":\"soon\"},"
                    "{\"id\":\"z\",\"resourceId\":{\"a\":1},\"changeTime\":\"soon\"}," CHANGE(
                        VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE) "]"),
               "-60 user \"\" \"" WRITE "\" \"update\"\n");
    CHECK_INT(hand.odd.counts[ODD_NONE], 1);
    CHECK_INT(hand.odd.counts[ODD_MISSING], 1); /* one that does not say when */
    CHECK_INT(hand.odd.counts[ODD_TYPE], 4);
}

#define EVENT(time, caller, operation, status)                                                     \
    "{\"id\":\"x\",\"eventTimestamp\":\"" time "\",\"caller\":" caller                             \
    ",\"operationName\":{\"value\":\"" operation "\",\"localizedValue\":\"Write\"},\"status\":"    \
    "{\"value\":\"" status "\",\"localizedValue\":\"Erfolgreich\"}}"

/* clang-format off */
static const char events[] =
    "[" EVENT("2023-11-14T22:12:18.82Z", "\"mara@zebra.example\"", "A.B/c/write", "Started") ","
    EVENT("2023-11-14T22:12:20.8266863Z", "\"mara@zebra.example\"", "A.B/c/write", "Succeeded") ","
    EVENT("2023-11-14T22:12:30Z", "\"mara@zebra.example\"", "A.B/c/delete", "Failed") ","
    EVENT("2023-11-14T22:12:40Z", "\"mara@zebra.example\"", "A.B/c/read", "Succeeded") ","
    EVENT("2023-11-14T22:12:50Z", "\"2eb4a000-0000-4000-8000-00000000ebea\"", "A.B/c/list/action",
          "Succeeded") ","
    EVENT("2023-11-14T22:13:00Z", "null", "A.B/c/delete", "Succeeded") "]";
/* clang-format on */

TEST(the_log_tells_what_changed_something)
{
    HAND(hand);
    CHECK_TEXT(told(&hand, QUERY_LOG, events),
               "-30 service principal \"\" \"A.B/c/list/action\" \"\"\n"
               "-60 user \"\" \"A.B/c/write\" \"\"\n"
               "-20 azure \"\" \"A.B/c/delete\" \"\"\n");
}

/* --- what is asked next ----------------------------------------------------------------------- */
TEST(the_tables_are_asked_first_and_the_log_where_they_name_nobody)
{
    HAND(hand);
    const struct collector *collector = SOURCE(activity)->collector;
    struct part *part = part_create(SOURCE(activity));
    const struct asked group = { "", GROUP, NOW, 0 };
    struct asked old = { "", VM "a", NOW - 14 * 86400, 0 };
    CHECK(collector->asks(part, QUERY_CHANGES, &hand.asked, &hand.context));
    CHECK(!collector->asks(part, QUERY_CONTAINERS, &hand.asked, &hand.context));
    CHECK(!collector->asks(part, QUERY_CHANGES, &group, &hand.context));
    CHECK(collector->asks(part, QUERY_CONTAINERS, &group, &hand.context));
    CHECK(!collector->asks(part, QUERY_CHANGES, &old, &hand.context));
    CHECK(collector->asks(part, QUERY_LOG, &old, &hand.context));
    old.at = NOW - 90 * 86400;
    CHECK(!collector->asks(part, QUERY_LOG, &old, &hand.context));
    CHECK(collector->asks(part, QUERY_LOG, &hand.asked, &hand.context));
    feed(&hand, part, QUERY_CHANGES,
         "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "System", "System", "") "]");
    CHECK(collector->asks(part, QUERY_LOG, &hand.asked, &hand.context));
    feed(&hand, part, QUERY_CHANGES,
         "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE) "]");
    CHECK(!collector->asks(part, QUERY_LOG, &hand.asked, &hand.context));
    part_release(part);
}

TEST(an_answer_is_kept_for_a_day_and_is_about_its_own_time)
{
    HAND(hand);
    const char *const rows =
        "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE) "]";
    CHECK_CONTAINS(told(&hand, QUERY_CHANGES, rows), "-60 user");
    CHECK_CONTAINS(known(&hand, VM "a", NOW + 3600), "-60 user"); /* its date was corrected */
    CHECK_TEXT(known(&hand, VM "a", NOW + 3601), "");
    CHECK_TEXT(known(&hand, VM "b", NOW), "");
    hand.context.asked_count = 0;
    hand.context.now += 86399;
    CHECK_CONTAINS(told(&hand, QUERY_CHANGES, "[]"), "-60 user");
    hand.context.now++;
    CHECK_TEXT(told(&hand, QUERY_CHANGES, "[]"), "");
}

TEST(the_answers_of_a_day_are_kept_the_oldest_give_way)
{
    enum { MOST = 1000 };
    HAND(hand);
    static struct asked many[MOST];
    for (int i = 0; i < MOST; i++)
        many[i] = (struct asked){ "", VM "old", NOW - 10000 * i, 0 };
    hand.context.asked = many;
    hand.context.asked_count = MOST;
    told(&hand, QUERY_CHANGES, "[]");
    for (int i = 0; i < 3; i++) {
        const struct asked asked = { "", i ? VM "b" : VM "a", NOW - i, 0 };
        hand.context.asked = &asked;
        hand.context.asked_count = 1;
        told(&hand, QUERY_CHANGES,
             "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "m", "User", WRITE) "]");
    }
    CHECK_CONTAINS(known(&hand, VM "a", NOW), "-60 user");
}

/* What the program knows when it begins again, from what it saved; false when that is nothing. */
static bool begin_again(struct hand *hand, const char *saved)
{
    struct part **place = &hand->snapshot->parts[INDEX(activity)];
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf kept = { 0 };
    if (!saved)
        (*place)->source->collector->save(*place, &kept);
    else
        buf_text(&kept, saved);
    struct json *document = json_parse(buf_cstr(&kept), kept.length, &error);
    CHECK_TEXT(error.message, "");
    struct part *part = part_create(SOURCE(activity));
    bool ok = part->source->collector->load(part, document, &error);
    json_free(document);
    part_release(*place);
    *place = part;
    return ok;
}

TEST(answers_outlive_a_restart)
{
    HAND(hand);
    static const char everything[] = "-1800 service principal \"\" \"" WRITE "\" \"create\"\n"
                                     "-3600 user \"\" \"" WRITE "\" \"update\"\n"
                                     "-43200 service principal \"\" \"\" \"delete\"\n";
    CHECK_TEXT(told(&hand, QUERY_CHANGES, several), everything);
    CHECK(begin_again(&hand, NULL));
    CHECK_TEXT(known(&hand, VM "a", NOW), everything);
    hand.context.asked_count = 0;
    hand.context.now += 86399;
    CHECK_TEXT(told(&hand, QUERY_CHANGES, "[]"), everything);
    CHECK(begin_again(&hand, NULL)); /* it is as old as it was */
    hand.context.now++;
    CHECK_TEXT(told(&hand, QUERY_CHANGES, "[]"), "");
}

TEST(names_outlive_a_restart_only_where_they_are_wanted)
{
    HAND(hand);
    hand.context.callers = true;
    told(&hand, QUERY_CHANGES,
         "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "mara@zebra.example", "User",
                    WRITE) "]");
    CHECK(begin_again(&hand, NULL));
    hand.context.asked_count = 0;
    CHECK_CONTAINS(told(&hand, QUERY_CHANGES, "[]"), "mara@zebra.example");
    CHECK(begin_again(&hand, NULL));
    hand.context.callers = false;
    CHECK_TEXT(told(&hand, QUERY_CHANGES, "[]"), "");
}

TEST(what_was_saved_is_checked)
{
    HAND(hand);
    CHECK(!begin_again(&hand, "[]"));
    CHECK(!begin_again(&hand, "{\"callers\":true}"));
    CHECK(begin_again(&hand, "{\"answers\":[1,{},{\"resource\":\"" VM "a\",\"at\":1700000000,"
                             "\"changes\":[3,{\"at\":1e300,\"by\":7,\"caller\":\"mara\"},"
                             "{\"at\":1699999940,\"by\":\"azure\",\"kind\":\"update\"}]}]}"));
    CHECK_CONTAINS(known(&hand, VM "a", NOW), "-60 azure \"\" \"\" \"update\"\n");
    CHECK(!strstr(buf_cstr(&hand.text), "mara")); /* it does not say that names are wanted */
}

/* --- messages --------------------------------------------------------------------------------- */

/* The activity part as if these rows had come for what was asked around an instant. */
static void learn(struct scene *scene, int64_t at, bool callers, const char *rows)
{
    struct part *part = part_create(SOURCE(activity));
    const struct asked asked = { "", VM "a", at, 0 };
    struct hand hand = { .context = { .now = scene->world.now,
                                      .snapshot = scene->world.snapshot,
                                      .asked = &asked,
                                      .asked_count = 1,
                                      .callers = callers } };
    struct error error = { 0 };
    feed(&hand, part, QUERY_CHANGES, rows);
    CHECK(part->source->collector->finish(part, &hand.context, &error));
    world_publish(&scene->world, part);
}

/* How many messages have this in their JSON. */
static int64_t says(struct scene *scene, const char *text)
{
    struct error error = { 0 };
    int64_t number;
    struct database_statement *statement = database_prepare(
        scene->world.database, "SELECT COUNT(*) FROM outbox_message WHERE instr(page, $1) > 0");
    database_bind(statement, text);
    CHECK(database_get_integer(statement, &number, &error));
    return number;
}

#define CHANGED(at, by)                                                                            \
    "\"changes\":[{\"at\":\"" at "\",\"by\":\"" by "\",\"operation\":\"" WRITE                     \
    "\",\"kind\":\"update\"}]"

TEST(a_message_tells_who_changed_the_resource)
{
    struct scene scene;
    scene_init(&scene, "told", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene); /* until NOW + 120 */
    learn(&scene, NOW + 180, false,
          "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "mara@zebra.example", "User",
                     WRITE) "]");
    scene_collect(&scene, "ab");
    scene_run(&scene);
    CHECK_INT(says(&scene, CHANGED("2023-11-14T22:12:20Z", "user")), 1);
    CHECK_INT(says(&scene, "\"changes\""), 1); /* nothing is known of the other */
    CHECK_INT(says(&scene, "zebra"), 0);
    learn(&scene, NOW + 300, false,
          "[" CHANGE(VM "a", "2023-11-14T22:17:20Z", "Update",
                     "2eb4a000-0000-4000-8000-00000000ebea", "Application", WRITE) "]");
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "b");
        scene_run(&scene);
    }
    CHECK_INT(says(&scene, CHANGED("2023-11-14T22:17:20Z", "service principal")), 1);
    CHECK_INT(says(&scene, "2eb4a000"), 0);
    scene_finish(&scene);
}

TEST(a_message_names_nobody_unless_it_is_wanted)
{
    struct scene scene;
    scene_init(&scene, "named", SCENE_ALONE, SCENE_OPENED);
    scene_begin(&scene);
    learn(&scene, NOW + 180, true,
          "[" CHANGE(VM "a", "2023-11-14T22:12:20Z", "Update", "mara@zebra.example", "User",
                     WRITE) "]");
    scene_collect(&scene, "a");
    scene_run(&scene);
    CHECK_INT(says(&scene, "\"by\":\"user\",\"caller\":\"mara@zebra.example\""), 1);
    scene_finish(&scene);
}

/* --- who asks --------------------------------------------------------------------------------- */

/* What waits on the scene's board, which is taken. */
static const char *asked(struct scene *scene)
{
    static struct buf text;
    CLEANUP(asked_list_finish) struct asked_list list = { 0 };
    buf_reset(&text);
    buf_text(&text, "");
    asked_board_take(snapshot_store_asked(scene->store), "", scene->world.now, 99, &list);
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&text, "%s %+lld\n", strrchr(list.items[i].resource_id, '/') + 1,
                   (long long)(list.items[i].at - NOW));
    return buf_cstr(&text);
}

TEST(what_is_told_is_asked_about_and_nothing_else)
{
    struct scene scene;
    scene_init(&scene, "asked", SCENE_ALONE,
               "groups:\n- name: g\n  rules:\n  - alert: Critical\n"
               "    event: [finding.opened, finding.reopened, finding.risk_changed]\n"
               "    match: 'risk_level=\"critical\"'\n");
    scene_begin(&scene);
    scene_collect(&scene, "Ab");
    scene_run(&scene);
    CHECK_TEXT(asked(&scene), ""); /* nobody would answer */
    learn(&scene, 0, false, "[]");
    scene_collect(&scene, "ABc");
    scene_run(&scene);
    CHECK_TEXT(asked(&scene), ""); /* another risk is no change of the resource */
    scene_collect(&scene, "ABcD");
    scene_run(&scene);
    CHECK_TEXT(asked(&scene), "d +300\n"); /* no rule wants c */
    scene_collect(&scene, "ABcD");
    scene_run(&scene);
    CHECK_TEXT(asked(&scene), "");
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "ABc");
        scene_run(&scene);
    }
    CHECK_TEXT(asked(&scene), "d +480\n");
    scene_finish(&scene);
}

TEST(a_sentence_says_who_and_what)
{
    static const struct {
        struct notification_change change;
        const char *words;
    } cases[] = {
        { { NOW, "user", "", "A/b/write", "update" }, "by a user: A/b/write" },
        { { NOW, "service principal", "", "", "create" }, "by a service principal: create" },
        { { NOW, "azure", "", "", "" }, "by Azure itself" },
        { { NOW, "other", "", "A/b/write", "" }, "by somebody: A/b/write" },
        { { NOW, "user", "m@zebra.example", "A/b/write", "" },
          "by a user (m@zebra.example): A/b/write" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf text = { 0 };
        CLEANUP(buf_finish) struct buf wanted = { 0 };
        const struct notification_resource resource = { .changes = &cases[i].change,
                                                        .change_count = 1 };
        notification_words_changes(&resource, NOW + 7200, &text);
        buf_printf(&wanted, "2023-11-14 22:13 UTC, 2 h ago, %s", cases[i].words);
        CHECK_TEXT(buf_cstr(&text), buf_cstr(&wanted));
    }
}
