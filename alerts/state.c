/* The four states and what moves an alert from one to the next. */
#include "alerts/state.h"

#include <stddef.h>

const char *const state_words[] = { "inactive", "pending", "firing", "resolved", NULL };

static int64_t latest(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

static bool clock_runs(const struct state *state)
{
    return state->state == ALERT_PENDING || (state->state == ALERT_FIRING && state->cleared_at);
}

/* What was stopped goes on where it stood. */
static void release(struct state *state, int64_t now)
{
    if (!state->held_at)
        return;
    if (state->state == ALERT_PENDING)
        state->active_at += now - state->held_at;
    else
        state->cleared_at += now - state->held_at;
    state->held_at = 0;
}

static enum state_change fire_after(struct state *state, int64_t for_s, int64_t now)
{
    if (now - state->active_at < for_s)
        return STATE_SAME;
    state->state = ALERT_FIRING;
    state->fired_at = now;
    return STATE_FIRED;
}

static enum state_change begin(struct state *state, const struct state_timing *timing, int64_t now)
{
    *state = (struct state){ .state = ALERT_PENDING, .active_at = now };
    return fire_after(state, timing->for_s, now) == STATE_FIRED ? STATE_FIRED : STATE_PENDED;
}

static enum state_change forget(struct state *state)
{
    *state = (struct state){ 0 };
    return STATE_FORGOTTEN;
}

static enum state_change clear(struct state *state, int64_t keep_firing_s, int64_t now)
{
    if (!state->cleared_at)
        state->cleared_at = now;
    if (now - state->cleared_at < keep_firing_s)
        return STATE_SAME;
    state->state = ALERT_RESOLVED;
    state->resolved_at = now;
    return STATE_RESOLVED;
}

enum state_change state_advance(struct state *state, const struct state_timing *timing,
                                enum state_signal signal, int64_t now)
{
    now =
        latest(now, latest(latest(state->active_at, state->fired_at),
                           latest(latest(state->cleared_at, state->resolved_at), state->held_at)));
    bool active = signal == STATE_ACTIVE;
    if ((signal == STATE_HOLD || signal == STATE_UNKNOWN) && state->state != ALERT_RESOLVED) {
        if (clock_runs(state) && !state->held_at)
            state->held_at = now;
        return STATE_SAME;
    }
    release(state, now);
    switch (state->state) {
    case ALERT_INACTIVE:
        return active ? begin(state, timing, now) : STATE_SAME;
    case ALERT_PENDING:
        return active ? fire_after(state, timing->for_s, now) : forget(state);
    case ALERT_FIRING:
        if (!active)
            return clear(state, timing->keep_firing_s, now);
        state->cleared_at = 0;
        return STATE_SAME;
    case ALERT_RESOLVED:
        if (active)
            return begin(state, timing, now);
        return now - state->resolved_at < timing->kept_s ? STATE_SAME : forget(state);
    case ALERT_STATE_COUNT:
        break;
    }
    return STATE_SAME;
}

int64_t state_next_at(const struct state *state, const struct state_timing *timing)
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
