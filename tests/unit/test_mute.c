/* Reasons to be quiet: which applies first, and when to ask again. */
#include "alerts/notify/mute.h"

#include "tests/unit/test.h"

enum { NOON = 1700049600 }; /* 2023-11-15T12:00:00Z, a Wednesday */

static const struct time_interval *make_interval(const char *yaml, struct arena *arena)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct time_interval_config config = { 0 };
    CHECK(
        options_read(time_interval_options, "i.yml", yaml, strlen(yaml), &config, arena, &report));
    return time_interval_compile(&config, "i.yml", arena, &report);
}

/* A wrapper, because windows are a list in the configuration. */
struct wrapper {
    struct option_items windows;
};
static const struct option wrapper_options[] = {
    { "windows", OPTION_ITEMS(struct wrapper, windows, struct mute_window_config),
      .section = mute_window_options },
    { 0 }
};

static const struct mute_windows *read_windows(const char *yaml,
                                               const struct time_interval *const *intervals,
                                               struct arena *arena, struct option_report *report)
{
    struct wrapper wrapper = { 0 };
    if (!options_read(wrapper_options, "w.yml", yaml, strlen(yaml), &wrapper, arena, report))
        return NULL;
    return mute_windows_compile(&wrapper.windows, intervals, "w.yml", arena, report);
}

static const char office[] = "name: office\ntime_intervals:\n- weekdays: ['monday:friday']\n"
                             "  times: [{ start_time: '09:00', end_time: '17:00' }]\n";

TEST(mute_gives_the_first_reason)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct time_interval *const none[] = { NULL };
    const struct time_interval *const hours[] = { make_interval(office, &arena), NULL };
    const struct mute_windows *windows =
        read_windows("windows:\n"
                     "- { name: a, starts: 2023-11-15T00:00:00Z, ends: 2023-11-16T00:00:00Z,\n"
                     "    matchers: 'team=\"a\"' }\n"
                     "- { name: b, time_interval: office, matchers: 'team=\"b\"' }\n",
                     hours, &arena, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    struct silence silence = { .starts_at = NOON - 100, .ends_at = NOON + 100 };
    struct error error;
    CHECK(match_parse("team=~\"a|c\"", &silence.matchers, &arena, &error));
    struct silence_list silences = { .silences = &silence, .count = 1 };
    silence_list_index(&silences, NOON);
    const struct route_leaf always = { .mute = none, .active = none },
                            in_office = { .mute = none, .active = hours },
                            not_in_office = { .mute = hours, .active = none };
    const struct {
        const char *team;
        const struct route_leaf *leaf;
        int64_t now, flaps;
        enum alert_state state;
        enum mute_reason reason;
    } cases[] = {
        { "a", &always, NOON, 1, ALERT_FIRING, MUTE_MAINTENANCE },
        { "a", &always, NOON - 86400, 1, ALERT_FIRING, MUTE_NONE },
        { "b", &always, NOON, 1, ALERT_FIRING, MUTE_MAINTENANCE },
        { "b", &always, NOON + 6 * 3600, 1, ALERT_FIRING, MUTE_NONE },
        { "c", &always, NOON, 1, ALERT_FIRING, MUTE_SILENCE },
        { "c", &always, NOON, 1, ALERT_RESOLVED, MUTE_SILENCE },
        { "c", &always, NOON + 100, 1, ALERT_FIRING, MUTE_NONE },
        { "d", &not_in_office, NOON, 9, ALERT_FIRING, MUTE_INTERVAL },
        { "d", &in_office, NOON, 1, ALERT_FIRING, MUTE_NONE },
        { "d", &in_office, NOON + 6 * 3600, 1, ALERT_FIRING, MUTE_INTERVAL },
        { "d", &always, NOON, 4, ALERT_FIRING, MUTE_FLAPPING },
        { "d", &always, NOON, 3, ALERT_FIRING, MUTE_NONE },
        { "d", &always, NOON, 4, ALERT_RESOLVED, MUTE_NONE },
        { "d", &always, NOON + 51, 4, ALERT_FIRING, MUTE_NONE }, /* calm for a minute */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct mute_context context = {
            .windows = windows,
            .silences = &silences,
            .flap = { 3, 3600000, 60000 },
            .now = cases[i].now,
        };
        struct alert alert = { .state = cases[i].state };
        alert_label(&alert, "team", cases[i].team);
        test_check_int(mute_check(&context, cases[i].leaf, &alert, cases[i].flaps, NOON - 9),
                       cases[i].reason, "test_mute.c, case", (int)i, cases[i].team);
    }
    match_index_destroy(silences.index);
    match_finish(&silence.matchers);
    mute_windows_finish(windows);
}

TEST(mute_says_when_to_ask_again)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    const struct time_interval *const hours[] = { make_interval(office, &arena), NULL };
    struct mute_context context = { .now = NOON };
    CHECK_INT(mute_next_at(&context, NULL), 0);
    CHECK(!mute_asks_labels(&context));
    context.windows =
        read_windows("windows:\n- { name: b, time_interval: office }\n", hours, &arena, &report);
    CHECK_INT(mute_next_at(&context, NULL), NOON + 5 * 3600);
    CHECK(mute_asks_labels(&context));
    struct silence silence = { .starts_at = NOON - 100, .ends_at = NOON + 100 };
    const struct silence_list silences = { .silences = &silence, .count = 1 };
    context.silences = &silences;
    CHECK_INT(mute_next_at(&context, NULL), NOON + 100);
    context.now = NOON + 100;
    CHECK_INT(mute_next_at(&context, NULL), NOON + 5 * 3600);
    mute_windows_finish(context.windows);
}

TEST(mute_says_what_is_wrong_with_a_window)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { "windows:\n- name: a\n",
          "w.yml:2: maintenance: needs starts and ends, or time_interval" },
        { "windows:\n- name: a\n  starts: 2023-11-15T00:00:00Z\n", "needs starts and ends" },
        { "windows:\n- name: a\n  starts: tomorrow\n  ends: 2023-11-15T00:00:00Z\n",
          "w.yml:3: maintenance.starts: \"tomorrow\" is no instant" },
        { "windows:\n- name: a\n  starts: 2023-11-15T00:00:00Z\n  ends: 2023-11-14T00:00:00Z\n",
          "w.yml:4: maintenance.ends: must come after the start" },
        { "windows:\n- name: a\n  time_interval: never\n", "there is no time interval \"never\"" },
        { "windows:\n- name: a\n  time_interval: office\n  starts: 2023-11-15T00:00:00Z\n",
          "has both an interval and instants" },
        { "windows:\n- name: a\n  time_interval: office\n  matchers: [x]\n",
          "w.yml:4: maintenance.matchers: expected =" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(options_report_finish) struct option_report report = { 0 };
        const struct time_interval *const hours[] = { make_interval(office, &arena), NULL };
        CHECK(!read_windows(cases[i].yaml, hours, &arena, &report));
        CHECK_CONTAINS(buf_cstr(&report.text), cases[i].reason);
    }
}
