/* Waivers of baseline rules: what they say, what they cover, and that one that is over speaks up.
 */
#include "collectors/waivers.h"

#include "collectors_world.h"

#define ID "/subscriptions/s-1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/"
enum { GRAPH, FINDINGS = 2, DAY_S = 86400 };

struct file {
    struct option_items waivers;
};
static const struct option file_options[] = {
    { "waivers", OPTION_ITEMS(struct file, waivers, struct waiver), .section = waivers_options },
    { 0 },
};

/* Those of a file; NULL when it is wrong, and why. */
static struct waivers *read_file(const char *text, struct buf *why)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct file file = { 0 };
    struct option_report report = { 0 };
    options_default(file_options, &file, &arena);
    bool ok = options_read(file_options, "f.yml", text, strlen(text), &file, &arena, &report);
    buf_reset(why);
    buf_text(why, report.text.length ? buf_cstr(&report.text) : "");
    options_report_finish(&report);
    struct waivers *waivers = ok ? waivers_create(&file.waivers) : NULL;
    CHECK(!waivers || waivers_equal(waivers, &file.waivers));
    return waivers;
}

#define WAIVER(rule, machines, expires)                                                            \
    "waivers:\n- rule: '" rule "'\n  machines: [" machines                                         \
    "]\n  reason: console only\n  expires: '" expires "'\n"

TEST(a_waiver_names_its_rule_machines_reason_and_end)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        { WAIVER("Ensure X", "m1", "2026-01-31"), "" },
        { WAIVER("Ensure X", "m1", "2026-01-31T12:00:00Z"), "" },
        { WAIVER("Ensure X", "m1", "tomorrow"), "must be a day like" },
        { WAIVER("Ensure X", "m1", "2026-13-01"), "must be a day like" },
        { WAIVER("Ensure X", "m1", ""), "must be a day like" },
        { WAIVER("...", "m1", "2026-01-31"), "must name one rule" },
        { WAIVER("Ensure X", "", "2026-01-31"), "machines" },
        { "waivers:\n- rule: X\n  machines: m\n  expires: 2026-01-31\n", "reason" },
        { "waivers:\n- rule: X\n  machines: m\n  reason: ' '\n  expires: 2026-01-31\n",
          "must say why" },
        { "waivers:\n- rule: X\n  machines: m\n  reason: y\n", "expires" },
        { "waivers:\n- machines: m\n  reason: y\n  expires: 2026-01-31\n", "rule" },
    };
    CLEANUP(buf_finish) struct buf why = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct waivers *waivers = read_file(cases[i].text, &why);
        if (*cases[i].why)
            CHECK_CONTAINS(buf_cstr(&why), cases[i].why);
        CHECK_INT(waivers != NULL, !*cases[i].why);
        waivers_destroy(waivers);
    }
}

TEST(a_waiver_covers_what_it_names_until_it_is_over)
{
    static const struct {
        const char *rule, *machines, *expires;
        enum waivers_state state;
    } cases[] = {
        { "Ensure X", "web1", "2026-01-02", WAIVERS_IN_FORCE }, /* its last day */
        { "ensure x.", "WEB1", "2026-01-02", WAIVERS_IN_FORCE },
        { "linux-ensurex", "web1", "2026-01-02", WAIVERS_IN_FORCE },
        { "windows-ensurex", "web1", "2026-01-02", WAIVERS_NONE },
        { "Ensure Y", "web1", "2026-01-02", WAIVERS_NONE },
        { "Ensure X", "web", "2026-01-02", WAIVERS_NONE },
        { "Ensure X", "web2, 'web?'", "2026-01-02", WAIVERS_IN_FORCE },
        { "Ensure X", "'*'", "2026-01-02", WAIVERS_IN_FORCE },
        { "Ensure X", "'/subscriptions/s-1/*'", "2026-01-02", WAIVERS_IN_FORCE },
        { "Ensure X", "'/subscriptions/s-2/*'", "2026-01-02", WAIVERS_NONE },
        { "Ensure X", "web1", "2026-01-01", WAIVERS_EXPIRED },
        { "Ensure X", "web1", "2026-01-02T00:00:00Z", WAIVERS_EXPIRED },
        { "Ensure X", "web1", "2026-01-02T00:00:01Z", WAIVERS_IN_FORCE },
        { "Ensure X", "web2", "2026-01-01", WAIVERS_NONE },
    };
    CLEANUP(buf_finish) struct buf why = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    size_t which = 7;
    CHECK_INT(waivers_judge(NULL, ID "web1", "ensurex", "linux-ensurex", WORLD_NOW, &which),
              WAIVERS_NONE);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_reset(&text);
        buf_printf(&text, "waivers:\n- rule: %s\n  machines: [%s]\n  reason: y\n  expires: '%s'\n",
                   cases[i].rule, cases[i].machines, cases[i].expires);
        struct waivers *waivers = read_file(buf_cstr(&text), &why);
        CHECK_TEXT(buf_cstr(&why), "");
        CHECK_INT(waivers_judge(waivers, ID "web1", "ensurex", "linux-ensurex", WORLD_NOW, &which),
                  cases[i].state);
        waivers_destroy(waivers);
    }
}

TEST(of_two_waivers_the_one_in_force_counts)
{
    CLEANUP(buf_finish) struct buf why = { 0 };
    size_t which = 7;
    struct waivers *waivers =
        read_file("waivers:\n"
                  "- { rule: Ensure X, machines: web1, reason: first, expires: 2025-01-01 }\n"
                  "- { rule: Ensure X, machines: '*', reason: second, expires: 2027-01-01 }\n",
                  &why);
    struct waivers *other =
        read_file("waivers:\n- { rule: Ensure X, machines: web1, reason: first, expires: "
                  "2025-01-01 }\n",
                  &why);
    enum waivers_state state;
    CHECK_INT(waivers_judge(waivers, ID "web1", "ensurex", "linux-ensurex", WORLD_NOW, &which),
              WAIVERS_IN_FORCE);
    CHECK_INT(which, 1);
    CHECK_TEXT(waivers_at(waivers, 0, WORLD_NOW, &state)->reason, "first");
    CHECK_INT(state, WAIVERS_EXPIRED);
    CHECK(!waivers_at(waivers, 2, WORLD_NOW, &state));
    CHECK(!waivers_at(NULL, 0, WORLD_NOW, &state));
    CHECK(!waivers_equal(other, &(struct option_items){ 0 }));
    waivers_destroy(waivers);
    waivers_destroy(other);
    waivers_destroy(NULL);
}

#define ROW(machine, rule, status)                                                                 \
    "{\"subscriptionId\":\"s-1\",\"machineId\":\"" ID machine                                      \
    "\",\"assessmentKey\":\"1f655fb7-63ca-4980-91a3-56dbc2b715c6\",\"ruleKey\":\"key-" rule        \
    "\",\"rule\":\"Ensure " rule "\",\"statusCode\":\"" status "\",\"severity\":\"High\"}"

static struct part *run(struct world *world)
{
    struct part *part = part_create(SOURCE(baselines));
    world_feed(world, part, GRAPH, FINDINGS,
               ROWS(ROW("web1", "X", "Unhealthy"), ROW("web2", "X", "Unhealthy"),
                    ROW("web1", "Y", "Unhealthy")));
    return world_conclude(world, part);
}

TEST(what_is_waived_is_exempted_and_counted_apart)
{
    WORLD(world);
    CLEANUP(buf_finish) struct buf why = { 0 };
    world_discover(&world, WORLD_BOTH);
    struct part *part = run(&world);
    CHECK_INT(part->finding_count, 3);
    CHECK_FAMILY(&world, 0, "defender_baseline_waivers", "{expired} 0\n{in_force} 0\n");
    struct waivers *waivers = read_file(WAIVER("Ensure X", "web1", "2026-01-02"), &why);
    world.context.waivers = waivers;
    part = run(&world);
    CHECK_INT(part->finding_count, 2);
    CHECK_INT(part->closed_count, 1);
    CHECK_INT(part->closed[0].reason, REASON_EXEMPTED);
    CHECK_FAMILY(&world, 0, "defender_baseline_rules_waived",
                 "{AzureLinuxBaseline} 1\n{AzureWindowsBaseline} 0\n");
    CHECK_FAMILY(&world, 0, "defender_baseline_waivers", "{expired} 0\n{in_force} 1\n");
    CHECK_FAMILY(&world, 1, "defender_baseline_waiver_info",
                 "{Ensure X,2026-01-02,console only,in_force} 1\n");
    CHECK_FAMILY(&world, 1, "defender_baseline_rule_failing_machines",
                 "{AzureLinuxBaseline,linux-ensurex} 1\n{AzureLinuxBaseline,linux-ensurey} 1\n");
    world.context.now += DAY_S;
    part = run(&world);
    CHECK_INT(part->finding_count, 3);
    CHECK_FAMILY(&world, 0, "defender_baseline_rules_waived",
                 "{AzureLinuxBaseline} 0\n{AzureWindowsBaseline} 0\n");
    CHECK_FAMILY(&world, 0, "defender_baseline_waivers", "{expired} 1\n{in_force} 0\n");
    waivers_destroy(waivers);
}
