/* The four states and what moves an alert from one to the next. */
#include "alerts/rules/alert_state.h"

#include <stddef.h>

const char *const alert_state_words[] = { "inactive", "pending", "firing", "resolved", NULL };

static int64_t latest(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

static bool clock_runs(const struct alert_life *life)
{
    return life->state == ALERT_PENDING || (life->state == ALERT_FIRING && life->cleared_at);
}

/* What was stopped goes on where it stood. */
static void release(struct alert_life *life, int64_t now)
{
    if (!life->held_at)
        return;
    if (life->state == ALERT_PENDING)
        life->active_at += now - life->held_at;
    else
        life->cleared_at += now - life->held_at;
    life->held_at = 0;
}

static enum alert_state_change fire_after(struct alert_life *life, int64_t for_s, int64_t now)
{
    if (now - life->active_at < for_s)
        return ALERT_STATE_SAME;
    life->state = ALERT_FIRING;
    life->fired_at = now;
    return ALERT_STATE_FIRED;
}

static enum alert_state_change begin(struct alert_life *life,
                                     const struct alert_state_timing *timing, int64_t now)
{
    *life = (struct alert_life){ .state = ALERT_PENDING, .active_at = now };
    return fire_after(life, timing->for_s, now) == ALERT_STATE_FIRED ? ALERT_STATE_FIRED
                                                                     : ALERT_STATE_PENDED;
}

static enum alert_state_change forget(struct alert_life *life)
{
    *life = (struct alert_life){ 0 };
    return ALERT_STATE_FORGOTTEN;
}

static enum alert_state_change clear(struct alert_life *life, int64_t keep_firing_s, int64_t now)
{
    if (!life->cleared_at)
        life->cleared_at = now;
    if (now - life->cleared_at < keep_firing_s)
        return ALERT_STATE_SAME;
    life->state = ALERT_RESOLVED;
    life->resolved_at = now;
    return ALERT_STATE_RESOLVED;
}

enum alert_state_change alert_state_advance(struct alert_life *life,
                                            const struct alert_state_timing *timing,
                                            enum alert_state_signal signal, int64_t now)
{
    now = latest(now, latest(latest(life->active_at, life->fired_at),
                             latest(latest(life->cleared_at, life->resolved_at), life->held_at)));
    bool active = signal == ALERT_STATE_ACTIVE;
    if ((signal == ALERT_STATE_HOLD || signal == ALERT_STATE_UNKNOWN) &&
        life->state != ALERT_RESOLVED) {
        if (clock_runs(life) && !life->held_at)
            life->held_at = now;
        return ALERT_STATE_SAME;
    }
    release(life, now);
    switch (life->state) {
    case ALERT_INACTIVE:
        return active ? begin(life, timing, now) : ALERT_STATE_SAME;
    case ALERT_PENDING:
        return active ? fire_after(life, timing->for_s, now) : forget(life);
    case ALERT_FIRING:
        if (!active)
            return clear(life, timing->keep_firing_s, now);
        life->cleared_at = 0;
        return ALERT_STATE_SAME;
    case ALERT_RESOLVED:
        if (active)
            return begin(life, timing, now);
        return now - life->resolved_at < timing->kept_s ? ALERT_STATE_SAME : forget(life);
    case ALERT_STATE_COUNT:
        break;
    }
    return ALERT_STATE_SAME;
}

int64_t alert_state_next_at(const struct alert_life *life, const struct alert_state_timing *timing)
{
    if (life->held_at)
        return 0;
    switch (life->state) {
    case ALERT_PENDING:
        return life->active_at + timing->for_s;
    case ALERT_FIRING:
        return life->cleared_at ? life->cleared_at + timing->keep_firing_s : 0;
    case ALERT_RESOLVED:
        return life->resolved_at + timing->kept_s;
    case ALERT_INACTIVE:
    case ALERT_STATE_COUNT:
        break;
    }
    return 0;
}
