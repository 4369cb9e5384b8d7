/* The route tree: which leaf an alert ends in, and under which key. */
#include "alerts/notify/route.h"
#include "tests/unit/test.h"

static const char *const known[] = { "team", "boss", "chat", NULL };

static const struct route *read_route(const char *yaml, struct arena *arena,
                                      struct option_report *report)
{
    static const struct time_interval *const none[] = { NULL };
    struct route_config config = { 0 };
    options_default(route_options, &config, arena);
    if (!options_read(route_options, "r.yml", yaml, strlen(yaml), &config, arena, report))
        return NULL;
    return route_build(&config, &(struct route_known){ known, NULL, none }, "r.yml", arena, report);
}

static struct alert alert_of(const char *name, const char *risk, const char *team)
{
    struct alert alert = { 0 };
    alert_label(&alert, "alertname", name);
    alert_label(&alert, "risk_level", risk);
    alert_label(&alert, "team", team);
    alert_label(&alert, "subscription_id", "s1");
    alert_seal(&alert);
    return alert;
}

static const char tree[] = "receiver: team\n"
                           "group_by: [subscription_id, alertname]\n"
                           "group_wait: 10s\n"
                           "routes:\n"
                           "- matchers: ['risk_level=\"critical\"']\n"
                           "  receiver: boss\n"
                           "  continue: true\n"
                           "  repeat_interval: 0\n"
                           "- matchers: ['team=~\"cloud|net\"']\n"
                           "  group_by: ['...']\n"
                           "  group_wait: 500ms\n"
                           "  routes:\n"
                           "  - matchers: ['team=\"net\"']\n"
                           "    receiver: chat\n"
                           "    group_interval: 1h\n";

TEST(route_finds_leaves)
{
    static const struct {
        const char *risk, *team, *paths;
    } cases[] = {
        { "low", "", "0" },
        { "critical", "", "0/0" },
        { "critical", "cloud", "0/0 0/1" },
        { "critical", "net", "0/0 0/1/0" },
        { "low", "net", "0/1/0" },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct route *root = read_route(tree, &arena, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    for (size_t i = 0; root && i < sizeof cases / sizeof *cases; i++) {
        const struct route_leaf *leaves[4];
        struct alert alert = alert_of("A", cases[i].risk, cases[i].team);
        CLEANUP(buf_finish) struct buf paths = { 0 };
        size_t count = route_find(root, &alert, leaves, 4);
        for (size_t n = 0; n < count; n++)
            buf_printf(&paths, "%s%s", n ? " " : "", leaves[n]->path);
        CHECK_TEXT(buf_cstr(&paths), cases[i].paths);
    }
    route_finish(root);
}

TEST(route_inherits_and_overrides)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct route *root = read_route(tree, &arena, &report);
    const struct route_leaf *boss = route_leaf_find(root, "0/0");
    const struct route_leaf *chat = route_leaf_find(root, "0/1/0");
    CHECK_TEXT(boss->receiver, "boss");
    CHECK_INT(boss->group_wait_s, 10);
    CHECK_INT(boss->group_interval_s, 300);
    CHECK_INT(boss->repeat_interval_s, 0);
    CHECK_INT(boss->group_by_count, 2);
    CHECK_TEXT(boss->group_by[0], "alertname");
    CHECK_TEXT(chat->receiver, "chat");
    CHECK(chat->by_all);
    CHECK_INT(chat->group_wait_s, 1); /* never shorter than written */
    CHECK_INT(chat->group_interval_s, 3600);
    CHECK_INT(chat->repeat_interval_s, 86400);
    CHECK(!route_leaf_find(root, "0/2"));
    route_finish(root);
}

TEST(route_writes_the_group_key_as_alertmanager_does)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf key = { 0 };
    const struct route *root = read_route(tree, &arena, &report);
    struct alert alert = alert_of("A\"B", "critical", "");
    route_group_key(route_leaf_find(root, "0"), &alert, &key);
    CHECK_TEXT(buf_cstr(&key), "{}:{alertname=\"A\\\"B\", subscription_id=\"s1\"}");
    buf_reset(&key);
    route_group_key(route_leaf_find(root, "0/0"), &alert, &key);
    CHECK_TEXT(buf_cstr(&key), "{}/{risk_level=\"critical\"}:"
                               "{alertname=\"A\\\"B\", subscription_id=\"s1\"}");
    route_finish(root);
}

TEST(route_says_what_is_wrong)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { "group_wait: 1s", "r.yml: route.receiver: is required when there are several" },
        { "receiver: taem", "r.yml:1: route.receiver: there is no receiver \"taem\"; "
                            "did you mean team" },
        { "receiver: team\nmatchers: ['a=\"b\"']", "r.yml:2: route.matchers: is not possible" },
        { "receiver: team\nmute_time_intervals: [x]\n", "there is no time interval \"x\"" },
        { "receiver: team\nroutes:\n- matchers: ['a']\n", "r.yml:3: route.matchers: expected =" },
        { "receiver: team\ngroup_by: ['...', a]", "\"...\" must stand alone" },
        { "receiver: team\ngroup_by: [a, a]", "\"a\" is there twice" },
        { "receiver: team\ngroup_by: [a-b]", "\"a-b\" is no label name" },
        { "receiver: team\ngroupby: [a]", "did you mean \"group_by\"?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CHECK(!read_route(cases[i].yaml, &arena, &report));
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].reason);
    }
}
