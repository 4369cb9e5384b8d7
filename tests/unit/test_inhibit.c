/* Inhibition by what fires in the database. */
#include "alerts/notify/inhibit.h"

#include <stdio.h>

#include "alerts/rules/active_row.h"
#include "alerts/store/schema.h"
#include "tests/unit/test.h"

struct wrapper {
    struct option_items rules;
};
static const struct option wrapper_options[] = {
    { "rules", OPTION_ITEMS(struct wrapper, rules, struct inhibit_config),
      .section = inhibit_options },
    { 0 }
};

static const struct inhibit_rules *read_rules(const char *yaml, struct arena *arena,
                                              struct option_report *report)
{
    struct wrapper wrapper = { 0 };
    if (!options_read(wrapper_options, "i.yml", yaml, strlen(yaml), &wrapper, arena, report))
        return NULL;
    return inhibit_compile(&wrapper.rules, NULL, "i.yml", arena, report);
}

static struct alert make_alert(const char *name, const char *level, const char *place)
{
    struct alert alert = { .rule = "r", .event = "e", .reason = "", .state = ALERT_FIRING };
    alert_label(&alert, "alertname", name);
    alert_label(&alert, "level", level);
    alert_label(&alert, "place", place);
    alert_seal(&alert);
    return alert;
}

static void put(struct database *database, struct alert alert, enum alert_state state)
{
    struct error error;
    const struct active_row row = { .alert = alert, .life = { .state = state } };
    CHECK(active_row_save(database, &row, 0, &error));
}

static const char rules[] = "rules:\n"
                            "- source_matchers: ['level=\"high\"']\n"
                            "  target_matchers: ['level=~\"low|high\"']\n"
                            "  equal: [place]\n"
                            "- source_matchers: ['alertname=\"Down\"']\n"
                            "  target_matchers: ['alertname!=\"Down\"']\n";

TEST(inhibit_finds_the_source)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct inhibit_rules *compiled = read_rules(rules, &arena, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    struct error error;
    struct database *database = database_open(&config, &error);
    CHECK(database_begin(database, &error));
    const struct alert high_a = make_alert("X", "high", "a"), low_a = make_alert("X", "low", "a"),
                       low_b = make_alert("X", "low", "b"), other_a = make_alert("Y", "high", "a"),
                       nowhere = make_alert("X", "low", ""), mid_a = make_alert("X", "mid", "a"),
                       down = make_alert("Down", "mid", "b");
    put(database, high_a, ALERT_FIRING);
    put(database, low_a, ALERT_FIRING);
    put(database, down, ALERT_RESOLVED);
    struct inhibit_view *view = inhibit_view_create(compiled, database, &error);
    CHECK_TEXT(inhibit_by(view, &low_a), high_a.fingerprint);
    CHECK(!inhibit_by(view, &low_b));
    CHECK(!inhibit_by(view, &nowhere)); /* absent is not equal to "a" */
    CHECK(!inhibit_by(view, &mid_a));
    CHECK(!inhibit_by(view, &high_a));  /* itself */
    CHECK(!inhibit_by(view, &other_a)); /* both match both sides */
    inhibit_view_destroy(view);
    put(database, down, ALERT_FIRING);
    view = inhibit_view_create(compiled, database, &error);
    CHECK_TEXT(inhibit_by(view, &mid_a), down.fingerprint);
    CHECK_TEXT(inhibit_by(view, &low_b), down.fingerprint);
    CHECK(!inhibit_by(view, &down));
    inhibit_view_destroy(view);
    CHECK(!inhibit_by(NULL, &low_a));
    database_rollback(database);
    database_close(database);
    inhibit_finish(compiled);
}

/* Whatever their order, one that is inhibited itself stands behind one that is not. */
TEST(inhibit_prefers_a_source_that_is_no_target)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct inhibit_rules *compiled =
        read_rules("rules:\n- source_matchers: ['level=\"high\"']\n"
                   "  target_matchers: ['alertname!=\"Down\"']\n  equal: [place]\n",
                   &arena, &report);
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    struct error error;
    struct database *database = database_open(&config, &error);
    CHECK(database_begin(database, &error));
    char names[26][2];
    for (int i = 0; i < 26; i++) {
        names[i][0] = (char)('A' + i);
        names[i][1] = '\0';
        put(database, make_alert(names[i], "high", "a"), ALERT_FIRING);
    }
    const struct alert down = make_alert("Down", "high", "a");
    put(database, down, ALERT_FIRING);
    struct inhibit_view *view = inhibit_view_create(compiled, database, &error);
    for (int i = 0; i < 26; i++) {
        const struct alert both = make_alert(names[i], "high", "a");
        CHECK_TEXT(inhibit_by(view, &both), down.fingerprint);
    }
    CHECK(!inhibit_by(view, &down));
    inhibit_view_destroy(view);
    database_rollback(database);
    database_close(database);
    inhibit_finish(compiled);
}

TEST(inhibit_says_what_is_wrong)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { "rules:\n- source_matchers: ['a=\"b\"']\n", "target_matchers: is required but missing" },
        { "rules:\n- source_matchers: ['a']\n  target_matchers: ['a=\"b\"']\n",
          "i.yml:2: inhibit_rules.source_matchers: expected =" },
        { "rules:\n- source_matchers: ['a=\"b\"']\n  target_matchers: []\n",
          "i.yml:3: inhibit_rules.target_matchers: needs a matcher" },
        { "rules:\n- source_matchers: ['a=\"b\"']\n  target_matchers: ['a=\"c\"']\n"
          "  equal: [a-b]\n",
          "i.yml:4: inhibit_rules.equal: \"a-b\" is no label name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        CHECK(!read_rules(cases[i].yaml, &arena, &report));
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].reason);
    }
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CHECK(!read_rules("rules: []\n", &arena, &report)); /* none at all is not wrong */
    CHECK_INT(report.count, 0);
}
