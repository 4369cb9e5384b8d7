#pragma once
/* Time: wall and monotonic clocks, Prometheus durations, RFC 3339, back-off. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* The program's own clock, Unix time, UTC: the wall clock as long as that runs evenly. It never
 * steps: when the wall clock does, by NTP or by mistake, it follows at a tenth of the real pace,
 * ahead or back, and never goes backwards. So every age stays true within a tenth: what is a step
 * of days to others makes nothing stale, due or over here. Time asleep counts. */
int64_t clock_now_s(void);
int64_t clock_now_ms(void);
int64_t clock_lead_s(void);       /* how far the wall clock is ahead of it; 0 unless it stepped */
int64_t clock_wall_ms(void);      /* the wall clock itself: for lines that others put in order */
int64_t clock_monotonic_ms(void); /* for deadlines; never steps back */
int64_t clock_monotonic_us(void); /* the same for what is short */
int64_t clock_thread_us(void);    /* processor time of this thread: none while others run */

/* What the program's clock is made of. steady_ms: any clock that runs evenly. Pure. */
struct clock_follower {
    bool begun;
    int64_t offset_ms;   /* to the steady clock, when it was last adjusted */
    int64_t adjusted_ms; /* on the steady clock */
    int64_t last_ms;     /* what was told last */
};
int64_t clock_follow(struct clock_follower *follower, int64_t wall_ms, int64_t steady_ms);

/* Sleep, at most so long. */
void clock_sleep_ms(int64_t duration_ms);

/* Read a Prometheus duration: "15m", "1h30m", "250ms", "1d", "0". Units y w d h m s ms, each at
 * most once, in that order. source: Prometheus configuration documentation, <duration>. */
bool clock_parse_duration(const char *text, int64_t *duration_ms, struct error *error) MUST_USE;

/* Write a duration so that clock_parse_duration reads it back: 5400000 -> "1h30m".
 * out: at least 48 bytes. Returns out. */
char *clock_format_duration(int64_t duration_ms, char out[48]);

/* Read an ISO 8601 instant as Azure writes it: any number of fraction digits, "Z", an offset,
 * or no zone at all (read as UTC). The empty text and year 0001 ("never") give 0.
 * Returns Unix seconds in *at; false when the text is no instant. */
bool clock_parse_rfc3339(const char *text, int64_t *at) MUST_USE;

/* "2026-11-21T17:00:00Z". out: at least 32 bytes. Returns out. */
char *clock_format_rfc3339(int64_t at, char out[32]);

/* The same with milliseconds: "2026-11-21T17:00:00.123Z". */
char *clock_format_rfc3339_ms(int64_t at_ms, char out[32]);

/* Next delay after `attempts` failures (1 = the first): base, doubled each time, capped. Seconds;
 * the caller adds jitter, so tests stay exact. */
int64_t clock_backoff_s(int attempts, int64_t base_s, int64_t cap_s);

/* value changed by at most +-percent, from the thread's own random state. */
int64_t clock_jitter(int64_t value, int percent);
