/* The life of an alert, with a clock of our own. */
#include "alerts/state.h"
#include "tests/unit/test.h"

static const struct state_timing timing = { .for_s = 60, .keep_firing_s = 30, .kept_s = 900 };
static const struct state_timing at_once = { .kept_s = 900 };

struct step {
    int64_t now;
    enum state_signal signal;
    enum state_change change;
    enum alert_state state;
    int64_t next_at;
};

static void walk(const struct state_timing *how, const struct step *steps, size_t count)
{
    struct state state = { 0 };
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(state_advance(&state, how, steps[i].signal, steps[i].now), steps[i].change);
        CHECK_INT(state.state, steps[i].state);
        CHECK_INT(state_next_at(&state, how), steps[i].next_at);
    }
}

TEST(state_waits_for_and_keeps_firing)
{
    static const struct step steps[] = {
        { 1000, STATE_CLEAR, STATE_SAME, ALERT_INACTIVE, 0 },
        { 1000, STATE_ACTIVE, STATE_PENDED, ALERT_PENDING, 1060 },
        { 1059, STATE_ACTIVE, STATE_SAME, ALERT_PENDING, 1060 },
        { 1060, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
        { 1070, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 1100 },
        { 1080, STATE_ACTIVE, STATE_SAME, ALERT_FIRING, 0 },
        { 1090, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 1120 },
        { 1120, STATE_CLEAR, STATE_RESOLVED, ALERT_RESOLVED, 2020 },
        { 2019, STATE_CLEAR, STATE_SAME, ALERT_RESOLVED, 2020 },
        { 2020, STATE_CLEAR, STATE_FORGOTTEN, ALERT_INACTIVE, 0 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_at_once_and_again)
{
    static const struct step steps[] = {
        { 1000, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
        { 1001, STATE_CLEAR, STATE_RESOLVED, ALERT_RESOLVED, 1901 },
        { 1002, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
    };
    walk(&at_once, steps, sizeof steps / sizeof *steps);
}

TEST(state_pending_that_clears_is_forgotten)
{
    static const struct step steps[] = {
        { 1000, STATE_ACTIVE, STATE_PENDED, ALERT_PENDING, 1060 },
        { 1050, STATE_CLEAR, STATE_FORGOTTEN, ALERT_INACTIVE, 0 },
        { 1060, STATE_ACTIVE, STATE_PENDED, ALERT_PENDING, 1120 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_unknown_stops_every_clock)
{
    static const struct step steps[] = {
        { 1000, STATE_ACTIVE, STATE_PENDED, ALERT_PENDING, 1060 },
        { 1040, STATE_UNKNOWN, STATE_SAME, ALERT_PENDING, 0 },
        { 5000, STATE_UNKNOWN, STATE_SAME, ALERT_PENDING, 0 },
        { 6040, STATE_ACTIVE, STATE_SAME, ALERT_PENDING, 6060 },
        { 6060, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
        { 6070, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 6100 },
        { 6080, STATE_HOLD, STATE_SAME, ALERT_FIRING, 0 },
        { 7080, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 7100 },
        { 7099, STATE_UNKNOWN, STATE_SAME, ALERT_FIRING, 0 },
        { 8099, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 8100 },
        { 8100, STATE_CLEAR, STATE_RESOLVED, ALERT_RESOLVED, 9000 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}

TEST(state_never_resolves_by_unknown)
{
    static const struct step steps[] = {
        { 1000, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
        { 2000, STATE_UNKNOWN, STATE_SAME, ALERT_FIRING, 0 },
        { 99000, STATE_HOLD, STATE_SAME, ALERT_FIRING, 0 },
    };
    walk(&at_once, steps, sizeof steps / sizeof *steps);
}

TEST(state_survives_a_clock_that_steps_back)
{
    static const struct step steps[] = {
        { 1000, STATE_ACTIVE, STATE_PENDED, ALERT_PENDING, 1060 },
        { 10, STATE_ACTIVE, STATE_SAME, ALERT_PENDING, 1060 },
        { 1060, STATE_ACTIVE, STATE_FIRED, ALERT_FIRING, 0 },
        { 20, STATE_CLEAR, STATE_SAME, ALERT_FIRING, 1090 },
        { 1090, STATE_CLEAR, STATE_RESOLVED, ALERT_RESOLVED, 1990 },
    };
    walk(&timing, steps, sizeof steps / sizeof *steps);
}
