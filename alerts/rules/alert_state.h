#pragma once
/* Where an alert stands: inactive, pending, firing, resolved. Pure; time is a parameter. */
#include <stdbool.h>
#include <stdint.h>

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED, ALERT_STATE_COUNT };
extern const char *const alert_state_words[];

/* The answer of the condition now. HOLD: between the firing and the clearing bound. UNKNOWN: no
 * data, stale data. In both cases nothing changes and every clock stands still. */
enum alert_state_signal {
    ALERT_STATE_CLEAR,
    ALERT_STATE_HOLD,
    ALERT_STATE_ACTIVE,
    ALERT_STATE_UNKNOWN
};

struct alert_state_timing {
    int64_t for_s;         /* active so long before it fires */
    int64_t keep_firing_s; /* clear so long before it resolves */
    int64_t kept_s;        /* a resolved alert is remembered so long; default 15 min */
};

/* Where one alert stands, and since when. */
struct alert_life {
    enum alert_state state;
    int64_t active_at;                         /* signal became active */
    int64_t fired_at, cleared_at, resolved_at; /* 0 = not */
    int64_t held_at;                           /* clocks stand still since then; 0 = they run */
};

enum alert_state_change {
    ALERT_STATE_SAME,
    ALERT_STATE_PENDED,
    ALERT_STATE_FIRED,
    ALERT_STATE_RESOLVED,
    ALERT_STATE_FORGOTTEN
};

/* Move a life on by one signal. FORGOTTEN: it was pending and cleared, or resolved and kept long
 * enough; all of it is zero then. A resolved one that becomes active again starts anew. A `now`
 * before the latest instant of the life (the clock stepped back) counts as that instant. SAME may
 * still have moved an instant. */
enum alert_state_change alert_state_advance(struct alert_life *life,
                                            const struct alert_state_timing *timing,
                                            enum alert_state_signal signal, int64_t now);

/* When time alone changes the state; 0 = never. */
int64_t alert_state_next_at(const struct alert_life *life, const struct alert_state_timing *timing);
