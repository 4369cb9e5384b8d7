/* The four states and what moves an alert from one to the next. */
#include "alerts/rules/alert_state.h"

#include <stddef.h>

const char *const alert_state_words[] = { "inactive", "pending", "firing", "resolved", NULL };

static int64_t latest(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

static bool clock_runs(const struct alert_state_clocks *state)
{
    return state->state == ALERT_PENDING || (state->state == ALERT_FIRING && state->cleared_at);
}

/* What was stopped goes on where it stood. */
static void release(struct alert_state_clocks *state, int64_t now)
{
    if (!state->held_at)
        return;
    if (state->state == ALERT_PENDING)
        state->active_at += now - state->held_at;
    else
        state->cleared_at += now - state->held_at;
    state->held_at = 0;
}

static enum alert_state_change fire_after(struct alert_state_clocks *state, int64_t for_s,
                                          int64_t now)
{
    if (now - state->active_at < for_s)
        return ALERT_STATE_SAME;
    state->state = ALERT_FIRING;
    state->fired_at = now;
    return ALERT_STATE_FIRED;
}

static enum alert_state_change begin(struct alert_state_clocks *state,
                                     const struct alert_state_timing *timing, int64_t now)
{
    *state = (struct alert_state_clocks){ .state = ALERT_PENDING, .active_at = now };
    return fire_after(state, timing->for_s, now) == ALERT_STATE_FIRED ? ALERT_STATE_FIRED
                                                                      : ALERT_STATE_PENDED;
}

static enum alert_state_change forget(struct alert_state_clocks *state)
{
    *state = (struct alert_state_clocks){ 0 };
    return ALERT_STATE_FORGOTTEN;
}

static enum alert_state_change clear(struct alert_state_clocks *state, int64_t keep_firing_s,
                                     int64_t now)
{
    if (!state->cleared_at)
        state->cleared_at = now;
    if (now - state->cleared_at < keep_firing_s)
        return ALERT_STATE_SAME;
    state->state = ALERT_RESOLVED;
    state->resolved_at = now;
    return ALERT_STATE_RESOLVED;
}

enum alert_state_change alert_state_advance(struct alert_state_clocks *state,
                                            const struct alert_state_timing *timing,
                                            enum alert_state_signal signal, int64_t now)
{
    now =
        latest(now, latest(latest(state->active_at, state->fired_at),
                           latest(latest(state->cleared_at, state->resolved_at), state->held_at)));
    bool active = signal == ALERT_STATE_ACTIVE;
    if ((signal == ALERT_STATE_HOLD || signal == ALERT_STATE_UNKNOWN) &&
        state->state != ALERT_RESOLVED) {
        if (clock_runs(state) && !state->held_at)
            state->held_at = now;
        return ALERT_STATE_SAME;
    }
    release(state, now);
    switch (state->state) {
    case ALERT_INACTIVE:
        return active ? begin(state, timing, now) : ALERT_STATE_SAME;
    case ALERT_PENDING:
        return active ? fire_after(state, timing->for_s, now) : forget(state);
    case ALERT_FIRING:
        if (!active)
            return clear(state, timing->keep_firing_s, now);
        state->cleared_at = 0;
        return ALERT_STATE_SAME;
    case ALERT_RESOLVED:
        if (active)
            return begin(state, timing, now);
        return now - state->resolved_at < timing->kept_s ? ALERT_STATE_SAME : forget(state);
    case ALERT_STATE_COUNT:
        break;
    }
    return ALERT_STATE_SAME;
}

int64_t alert_state_next_at(const struct alert_state_clocks *state,
                            const struct alert_state_timing *timing)
{
    if (state->held_at)
        return 0;
    switch (state->state) {
    case ALERT_PENDING:
        return state->active_at + timing->for_s;
    case ALERT_FIRING:
        return state->cleared_at ? state->cleared_at + timing->keep_firing_s : 0;
    case ALERT_RESOLVED:
        return state->resolved_at + timing->kept_s;
    case ALERT_INACTIVE:
    case ALERT_STATE_COUNT:
        break;
    }
    return 0;
}
