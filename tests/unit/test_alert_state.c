/* The life of an alert, with a clock of our own. */
#include "alerts/rules/alert_state.h"
#include "tests/unit/test.h"

static const struct alert_state_timing timing = { .for_s = 60, .keep_firing_s = 30, .kept_s = 900 };
static const struct alert_state_timing at_once = { .kept_s = 900 };

struct step {
    int64_t now;
    enum alert_state_signal signal;
    enum alert_state_change change;
    enum alert_state state;
    int64_t next_at;
};

static void walk(const struct alert_state_timing *how, const struct step *steps, size_t count)
{
    struct alert_life life = { 0 };
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(alert_state_advance(&life, how, steps[i].signal, steps[i].now), steps[i].change);
        CHECK_INT(life.state, steps[i].state);
        CHECK_INT(alert_state_next_at(&life, how), steps[i].next_at);
    }
}

TEST(state_waits_for_and_keeps_firing)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_INACTIVE, 0 },
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_PENDED, ALERT_PENDING, 1060 },
        { 1059, ALERT_STATE_ACTIVE, ALERT_STATE_SAME, ALERT_PENDING, 1060 },
        { 1060, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
        { 1070, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 1100 },
        { 1080, ALERT_STATE_ACTIVE, ALERT_STATE_SAME, ALERT_FIRING, 0 },
        { 1090, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 1120 },
        { 1120, ALERT_STATE_CLEAR, ALERT_STATE_RESOLVED, ALERT_RESOLVED, 2020 },
        { 2019, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_RESOLVED, 2020 },
        { 2020, ALERT_STATE_CLEAR, ALERT_STATE_FORGOTTEN, ALERT_INACTIVE, 0 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_at_once_and_again)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
        { 1001, ALERT_STATE_CLEAR, ALERT_STATE_RESOLVED, ALERT_RESOLVED, 1901 },
        { 1002, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
    };
    walk(&at_once, steps, sizeof steps / sizeof *steps);
}

TEST(state_pending_that_clears_is_forgotten)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_PENDED, ALERT_PENDING, 1060 },
        { 1050, ALERT_STATE_CLEAR, ALERT_STATE_FORGOTTEN, ALERT_INACTIVE, 0 },
        { 1060, ALERT_STATE_ACTIVE, ALERT_STATE_PENDED, ALERT_PENDING, 1120 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_unknown_stops_every_clock)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_PENDED, ALERT_PENDING, 1060 },
        { 1040, ALERT_STATE_UNKNOWN, ALERT_STATE_SAME, ALERT_PENDING, 0 },
        { 5000, ALERT_STATE_UNKNOWN, ALERT_STATE_SAME, ALERT_PENDING, 0 },
        { 6040, ALERT_STATE_ACTIVE, ALERT_STATE_SAME, ALERT_PENDING, 6060 },
        { 6060, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
        { 6070, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 6100 },
        { 6080, ALERT_STATE_HOLD, ALERT_STATE_SAME, ALERT_FIRING, 0 },
        { 7080, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 7100 },
        { 7099, ALERT_STATE_UNKNOWN, ALERT_STATE_SAME, ALERT_FIRING, 0 },
        { 8099, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 8100 },
        { 8100, ALERT_STATE_CLEAR, ALERT_STATE_RESOLVED, ALERT_RESOLVED, 9000 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_never_resolves_by_unknown)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
        { 2000, ALERT_STATE_UNKNOWN, ALERT_STATE_SAME, ALERT_FIRING, 0 },
        { 99000, ALERT_STATE_HOLD, ALERT_STATE_SAME, ALERT_FIRING, 0 },
    };
    walk(&at_once, steps, sizeof steps / sizeof *steps);
}

TEST(state_survives_a_clock_that_steps_back)
{
    static const struct step steps[] = {
        { 1000, ALERT_STATE_ACTIVE, ALERT_STATE_PENDED, ALERT_PENDING, 1060 },
        { 10, ALERT_STATE_ACTIVE, ALERT_STATE_SAME, ALERT_PENDING, 1060 },
        { 1060, ALERT_STATE_ACTIVE, ALERT_STATE_FIRED, ALERT_FIRING, 0 },
        { 20, ALERT_STATE_CLEAR, ALERT_STATE_SAME, ALERT_FIRING, 1090 },
        { 1090, ALERT_STATE_CLEAR, ALERT_STATE_RESOLVED, ALERT_RESOLVED, 1990 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}
