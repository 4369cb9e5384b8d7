/* Tags the operator lists: what is kept of them, whose tag an alert has, and what follows when it
 * changes or cannot be read. */
#include "collectors/tags.h"

#include "alerts/rules/tag_labels.h"
#include "alerts/store/rows.h"
#include "alerts_world.h"

static const char *const listed[] = { "team", "Cost Center", NULL };

/* --- a collection by hand --------------------------------------------------------------------- */

enum { QUERY_SUBSCRIPTIONS, QUERY_CONTAINERS };

/* One run: which tags are asked for, what rows of tags say, and which subscription is denied. */
struct run {
    const char *const *asked; /* NULL = listed */
    const char *rows, *denied;
    bool odd; /* one more row of s1 cannot be read */
};

static void fold_rows(struct part *part, size_t query, const char *rows,
                      const struct collect_context *context)
{
    const struct collector *collector = part->source->collector;
    struct error error = { 0 };
    struct json *document = json_parse(rows, strlen(rows), &error);
    CHECK_TEXT(error.message, "");
    for (const struct json *row = json_first(document); row; row = json_next(row)) {
        CLEANUP(arena_finish) struct arena scratch = { 0 };
        _Alignas(max_align_t) char bound[COLUMNS_ROW_BYTES_MAX] = { 0 };
        bool odd = columns_bind(collector->variants[0].queries[query].columns, row, bound, &scratch,
                                &error) != COLUMNS_FINE;
        if (odd)
            collector->odd(part, query, bound, context);
        else
            CHECK(!collector->fold(part, query, bound, context, &error));
    }
    json_free(document);
}

static void cover(struct part *part, const struct part *older, const char *id, bool denied,
                  int64_t now)
{
    if (!denied) {
        part_add_cover(part, id, now);
        part->cover[part_see(part, id)].gaps = part_has_gap(part, part_see(part, id));
        return;
    }
    const struct part_cover *before = older ? part_cover_find(older, id) : NULL;
    part->source->collector->carry(part, older, id);
    part_add_carried(part, id, before ? before->collected_at : 0, "access denied", now);
}

static void collect(struct scene *scene, const struct run *run)
{
    static const char *const ids[] = { "s1", "s2" };
    struct error error = { 0 };
    struct part *part = part_create(SOURCE(tags));
    struct part *older = snapshot_part(scene->world.snapshot, SOURCE(tags));
    const struct collect_context context = {
        .now = scene->world.now,
        .snapshot = scene->world.snapshot,
        .tags = run->asked ? run->asked : listed,
    };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        char row[64];
        snprintf(row, sizeof row, "[{\"subscriptionId\":\"%s\"}]", ids[i]);
        if (!run->denied || strcmp(run->denied, ids[i]) != 0)
            fold_rows(part, QUERY_SUBSCRIPTIONS, row, &context);
    }
    fold_rows(part, QUERY_CONTAINERS, run->rows ? run->rows : "[]", &context);
    if (run->odd)
        fold_rows(part, QUERY_CONTAINERS, "[{\"subscriptionId\":\"s1\"}]", &context);
    part_settle(part, older);
    CHECK(part->source->collector->finish(part, &context, &error));
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
        cover(part, older, ids[i], run->denied && !strcmp(run->denied, ids[i]), scene->world.now);
    world_publish(&scene->world, part);
}

#define ROW(subscription, id, name, value)                                                         \
    "{\"id\":\"" id "|" name "\",\"subscriptionId\":\"" subscription "\",\"resourceId\":\"" id     \
    "\",\"name\":\"" name "\",\"value\":\"" value "\"}"
#define S1 "/subscriptions/S1"
#define GROUP S1 "/resourceGroups/RG"
#define VM GROUP "/providers/Microsoft.Compute/virtualMachines/A"
#define vm "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/a"

/* "value" or "value?" when it is not known for certain. */
static const char *tag_of(const struct scene *scene, const char *id, const char *tag)
{
    static char text[600];
    const struct tags_subject subject = { "s1", id };
    bool known;
    const char *value = tags_value(scene->world.snapshot, &subject, tag, &known);
    snprintf(text, sizeof text, "%s%s", value, known ? "" : "?");
    return text;
}

#define YAML                                                                                       \
    "tags: [team, Cost Center]\nreceivers:\n" SCENE_RECEIVER("team") SCENE_RECEIVER(               \
        "boss") "route:\n  receiver: team\n  group_by: [tag_team]\n  group_interval: 0s\n"         \
                "  routes: [{ receiver: boss, matchers: ['tag_team=\"board\"'] }]\n"

static void begin(struct scene *scene, const char *name)
{
    scene_init(scene, name, YAML, SCENE_OPENED);
    scene_begin(scene);
}

/* --- what is kept ----------------------------------------------------------------------------- */

TEST(the_resource_goes_before_its_group_and_that_before_its_subscription)
{
    struct scene scene;
    begin(&scene, "first");
    CHECK_TEXT(tag_of(&scene, vm, "team"), "?");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", S1, "team", "all") "]" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "all");
    CHECK_TEXT(tag_of(&scene, "", "team"), "all");
    CHECK_TEXT(tag_of(&scene, vm, "cost center"), "");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", S1, "team", "all") "," ROW(
                                       "S1", GROUP, "Team", "group") "]" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "group");
    CHECK_TEXT(tag_of(&scene, "/subscriptions/s1/resourcegroups/rg", "team"), "group");
    CHECK_TEXT(tag_of(&scene, "/subscriptions/s1/resourcegroups/rg2/providers/x/y/a", "team"),
               "all");
    CHECK_TEXT(tag_of(&scene, "", "team"), "all");
    collect(
        &scene,
        &(struct run){
            .rows = "[" ROW("S1", S1, "team", "all") "," ROW("S1", GROUP, "Team", "group") "," ROW(
                "S1", VM, "TEAM", "own") "," ROW("S1", GROUP, "cost CENTER", "42") "]" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own");
    CHECK_TEXT(tag_of(&scene, vm "/databases/d", "team"), "group");
    CHECK_TEXT(tag_of(&scene, vm, "Cost Center"), "42");
    CHECK_TEXT(tag_of(&scene, vm, "owner"), "?");
    scene_finish(&scene);
}

TEST(what_cannot_be_read_is_not_absent)
{
    struct scene scene;
    begin(&scene, "unread");
    const char *const rows = "[" ROW("S1", VM, "team", "own") "]";
    collect(&scene, &(struct run){ .denied = "s1" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "?");
    collect(&scene, &(struct run){ .rows = rows });
    collect(&scene, &(struct run){ .denied = "s1" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own?");
    collect(&scene, &(struct run){ .denied = "s1" });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own?");
    collect(&scene, &(struct run){ .rows = rows, .odd = true });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own?");
    collect(&scene, &(struct run){ .rows = rows });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own");
    scene_finish(&scene);
}

TEST(a_subscription_without_any_tag_at_once_is_believed_the_second_time)
{
    struct scene scene;
    begin(&scene, "doubt");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "team", "own") "]" });
    collect(&scene, &(struct run){ 0 });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own?");
    collect(&scene, &(struct run){ 0 });
    CHECK_TEXT(tag_of(&scene, vm, "team"), "");
    scene_finish(&scene);
}

TEST(a_tag_that_was_not_asked_for_yet_is_unknown)
{
    static const char *const other[] = { "owner", "TEAM", NULL };
    struct scene scene;
    begin(&scene, "asked");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "team", "own") "," ROW(
                                       "S1", VM, "Cost Center", "42") "]" });
    CHECK_TEXT(tag_of(&scene, vm, "owner"), "?");
    collect(&scene, &(struct run){ .asked = other, .denied = "s1" });
    CHECK_TEXT(tag_of(&scene, vm, "owner"), "?"); /* what is carried knows nothing of it */
    CHECK_TEXT(tag_of(&scene, vm, "team"), "own?");
    CHECK_TEXT(tag_of(&scene, vm, "Cost Center"), "?");
    scene_finish(&scene);
}

/* --- alerts ----------------------------------------------------------------------------------- */

static const char *find_a(struct scene *scene)
{
    scene_collect(scene, "a");
    return scene_run(scene);
}

static int64_t count(struct scene *scene, const char *sql, const char *word)
{
    struct error error = { 0 };
    int64_t number;
    struct database_statement *statement = database_prepare(scene->world.database, sql);
    database_bind(statement, word);
    CHECK(database_get_integer(statement, &number, &error));
    return number;
}

/* How many alerts have this in their labels. */
static int64_t has(struct scene *scene, const char *label)
{
    return count(scene, "SELECT COUNT(*) FROM active_alert WHERE instr(alert, $1) > 0", label);
}

static int64_t members_of(struct scene *scene, const char *receiver)
{
    return count(scene, "SELECT COUNT(*) FROM group_member WHERE receiver = $1", receiver);
}

TEST(another_tag_routes_anew_and_opens_nothing)
{
    struct scene scene;
    begin(&scene, "retag");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "Team", "board") "]" });
    CHECK_TEXT(find_a(&scene), "boss finding.opened firing: finding.opened@a\n");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    CHECK_INT(has(&scene, "tag_cost_center"), 0);
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "Team", "web") "]" });
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(has(&scene, "\"tag_team\":\"web\""), 1);
    CHECK_INT(members_of(&scene, "boss"), 0);
    CHECK_INT(members_of(&scene, "team"), 1);
    CHECK_INT(scene_number(&scene, "SELECT COUNT(*) FROM active_alert"), 1);
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "");
    scene_collect(&scene, "");
    CHECK_TEXT(scene_run(&scene), "team finding.resolved resolved: finding.resolved@a\n");
    scene_finish(&scene);
}

TEST(a_tag_that_is_gone_takes_its_label_along)
{
    struct scene scene;
    begin(&scene, "gone");
    const char *const other = ROW("S1", S1 "/resourceGroups/x", "team", "y");
    CLEANUP(buf_finish) struct buf rows = { 0 };
    buf_printf(&rows, "[%s,%s]", other, ROW("S1", VM, "team", "board"));
    collect(&scene, &(struct run){ .rows = buf_cstr(&rows) });
    CHECK_TEXT(find_a(&scene), "boss finding.opened firing: finding.opened@a\n");
    buf_reset(&rows);
    buf_printf(&rows, "[%s]", other);
    collect(&scene, &(struct run){ .rows = buf_cstr(&rows) });
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(has(&scene, "tag_team"), 0);
    CHECK_INT(members_of(&scene, "team"), 1);
    scene_finish(&scene);
}

TEST(until_tags_are_read_an_alert_keeps_what_it_had)
{
    struct scene scene;
    begin(&scene, "kept");
    const size_t index = INDEX(tags);
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "team", "board") "]" });
    CHECK_TEXT(find_a(&scene), "boss finding.opened firing: finding.opened@a\n");
    collect(&scene, &(struct run){ .denied = "s1" });
    CHECK_TEXT(find_a(&scene), "");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    part_release(scene.world.snapshot->parts[index]);
    scene.world.snapshot->parts[index] = NULL; /* as after a start */
    CHECK_TEXT(find_a(&scene), "");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    collect(&scene, &(struct run){ .denied = "s1" });
    scene_collect(&scene, "A"); /* also when it is told anew */
    CHECK_TEXT(scene_run(&scene), "boss finding.risk_changed firing: finding.risk_changed@a\n");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    CHECK_INT(members_of(&scene, "boss"), 1);
    collect(&scene, &(struct run){ 0 }); /* read, and there is none: nothing else is new */
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(has(&scene, "tag_team"), 0);
    CHECK_INT(members_of(&scene, "team"), 1);
    scene_finish(&scene);
}

TEST(an_alert_about_a_subscription_has_the_tags_of_that)
{
    struct scene scene;
    scene_init(&scene, "whole", YAML,
               "groups:\n- name: g\n  rules:\n"
               "  - { alert: Points, metric: defender_secure_score_points, above: 0 }\n");
    scene_begin(&scene);
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", S1, "team",
                                                   "board") "," ROW("S1", VM, "team", "own") "]" });
    scene_feed(&scene, SOURCE(secure_scores), 0,
               "[{\"id\":\"/subscriptions/s1/providers/Microsoft.Security/secureScores/ascScore\","
               "\"subscriptionId\":\"s1\",\"initiative\":\"ascScore\",\"current\":1,\"max\":2,"
               "\"ratio\":0.5,\"weight\":1}]");
    CHECK_CONTAINS(scene_run(&scene), "boss rule.firing firing: rule.firing");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    collect(&scene, &(struct run){ .denied = "s1" });
    scene.world.now += 60;
    CHECK_TEXT(scene_run(&scene), "");
    CHECK_INT(has(&scene, "\"tag_team\":\"board\""), 1);
    scene_finish(&scene);
}

TEST(a_rule_may_ask_for_a_tag)
{
    struct scene scene;
    scene_init(&scene, "rule", YAML, SCENE_OPENED "    match: 'tag_cost_center=~\"4.\"'\n");
    scene_begin(&scene);
    CHECK_TEXT(find_a(&scene), "");
    collect(&scene, &(struct run){ .rows = "[" ROW("S1", VM, "cost center", "42") "]" });
    for (int i = 0; i < 2; i++) {
        scene_collect(&scene, "");
        CHECK_TEXT(scene_run(&scene), "");
    }
    CHECK_TEXT(find_a(&scene), "team finding.reopened firing: finding.reopened@a\n");
    scene_finish(&scene);
}

/* --- what may be listed ----------------------------------------------------------------------- */

TEST(names_that_cannot_be_labels_are_refused)
{
    char longest[514];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    const struct {
        const char *names[TAGS_MAX + 2];
        const char *wrong;
    } cases[] = {
        { { "team", "Env", "Kosten\xc3\xa4", "a b", "a-c" }, "" },
        { { "team", "TEAM" }, "\"TEAM\" stands there twice" },
        { { "cost-center", "env", "cost_center" },
          "\"cost-center\" and \"cost_center\" would be the same label" },
        { { "it's" }, "quotes, backslashes" },
        { { "a\\" }, "quotes, backslashes" },
        { { "a\"" }, "quotes, backslashes" },
        { { "a\n" }, "control characters" },
        { { "" }, "must have 1 to 512 bytes" },
        { { longest }, "must have 1 to 512 bytes" },
        { { longest + 1 }, "" },
        { { "1", "2", "3", "4", "5", "6", "7", "8" }, "" },
        { { "1", "2", "3", "4", "5", "6", "7", "8", "9" }, "at most 8 are possible, these are 9" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf wrong = { 0 };
        const char *names[TAGS_MAX + 2];
        struct option_texts tags = { .texts = names };
        memcpy(names, cases[i].names, sizeof names);
        while (names[tags.count])
            tags.count++;
        CHECK_INT(tag_labels_check(&tags, &wrong), !*cases[i].wrong);
        CHECK_CONTAINS(buf_cstr(&wrong), cases[i].wrong);
    }
}

TEST(a_label_has_a_character_for_each_of_the_tag)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *names[] = { "Cost Center-1", "gr\xc3\xb6\xc3\x9fx", "hidden-link:x" };
    const struct option_texts tags = { .texts = names, .count = ARRAY_COUNT(names) };
    struct tag_labels labels;
    tag_labels_make(&(struct tag_labels_wanted){ &tags, true }, &arena, &labels);
    CHECK_INT(labels.count, 4);
    CHECK_TEXT(labels.items[0].name, "tag_cost_center_1");
    CHECK_TEXT(labels.items[0].tag, "Cost Center-1");
    CHECK_TEXT(labels.items[1].name, "tag_gr__x");
    CHECK_TEXT(labels.items[2].name, "tag_hidden_link_x");
    CHECK_TEXT(labels.items[3].name, "governance_owner");
    CHECK(!labels.items[3].tag);
}
