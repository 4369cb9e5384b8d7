#pragma once
/* Where an alert stands: inactive, pending, firing, resolved. Pure; time is a parameter. */
#include <stdbool.h>
#include <stdint.h>

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED, ALERT_STATE_COUNT };
extern const char *const state_words[];

/* What the condition says now. Between the firing and the clearing bound (hold), and while nothing
 * is known (no data, stale data), nothing changes and every clock stands still. */
enum state_signal { STATE_CLEAR, STATE_HOLD, STATE_ACTIVE, STATE_UNKNOWN };

struct state_timing {
    int64_t for_s;         /* active so long before it fires */
    int64_t keep_firing_s; /* clear so long before it resolves */
    int64_t kept_s;        /* a resolved one is remembered so long; default 15 min */
};

struct state {
    enum alert_state state;
    int64_t active_at;                         /* signal became active */
    int64_t fired_at, cleared_at, resolved_at; /* 0 = not */
    int64_t held_at;                           /* clocks stand still since then; 0 = they run */
};

enum state_change { STATE_SAME, STATE_PENDED, STATE_FIRED, STATE_RESOLVED, STATE_FORGOTTEN };

/* Move on. FORGOTTEN: pending that cleared, or resolved and kept long enough; all is zero then. A
 * resolved one that becomes active again starts anew. A `now` before the latest instant of the
 * state (the clock stepped back) counts as that instant. SAME may still have moved an instant. */
enum state_change state_advance(struct state *state, const struct state_timing *timing,
                                enum state_signal signal, int64_t now);

/* When the state can change by time alone; 0 = never. */
int64_t state_next_at(const struct state *state, const struct state_timing *timing);
