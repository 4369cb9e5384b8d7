#include "collectors/azure/pacer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bounds.h"
#include "core/clock.h"
#include "core/memory.h"

enum {
    WINDOW_S = 5, /* documented quota of Resource Graph: 15 requests in 5 s. Azure docs */
    WINDOW_REQUESTS = 15,
    POLL_MS = 25,   /* while an answer of another thread decides */
    MARGIN_MS = 60, /* after a reset, with jitter, so that clocks and replicas do not collide */
    MARGIN_JITTER_PERCENT = 50,
    BUCKET_LOW = 5, /* a bucket this empty is used once a second */
    BUCKET_LOW_GAP_MS = 1000,
    THROTTLE_BASE_S = 5, /* 429 without a hint: doubled each time */
    THROTTLE_CAP_S = 300,
    REST_POLL_MS = 100,        /* while a sweep goes on */
    HOLD_MS = WINDOW_S * 1000, /* a sweep that did not have to wait so long keeps nobody waiting */
    BACK_MS = 500,             /* who was told to wait asks again so soon after that */
};

enum { WAITERS = 2 }; /* of these one at least is another than who asks */

/* How the server rounds the seconds until the reset. */
enum rounding { ROUNDING_UNKNOWN, ROUNDING_UP, ROUNDING_DOWN };

struct pacer {
    pthread_mutex_t mutex;
    enum pacer_kind kind;
    int64_t in_flight;        /* sent and not answered */
    int64_t blocked_until_ms; /* after 429 */
    int throttled;            /* 429 in a row */
    /* PACER_BUCKET */
    bool low;             /* nearly empty */
    int64_t gap_until_ms; /* then the next request may go */
    /* PACER_WINDOW. A window is what lies between two resets. */
    int64_t began_ms;    /* first request of this window; 0 = none yet */
    int64_t reset_at_ms; /* when it is certainly over; assumed until an answer has told */
    int64_t told_ms;     /* first answer of this window; 0 = none yet */
    int64_t remaining;   /* by the lowest answer, else assumed; requests in flight come off it */
    int64_t margin_ms;   /* behind the reset, another one for each window */
    int64_t highest;     /* most requests a window ever had */
    int64_t longest_s;   /* longest resets-after ever told */
    enum rounding rounding;
    int64_t swept_until_ms; /* a sweep is short of requests until then, if it waits no more */
    int64_t first_until_ms; /* one of PACER_FIRST waits until then */
    int since_rest;         /* requests of others since the last of PACER_REST */
    struct {
        const void *who;  /* its budget, never looked into; NULL = any without */
        int64_t until_ms; /* it is short of requests until then, if it waits no more; 0 = nobody */
    } waiters[WAITERS];
    bool probing;    /* nothing is known of the window after a drained one: a single request asks */
    bool probe_sent; /* and is on its way */
};

struct pacer *pacer_create(enum pacer_kind kind)
{
    struct pacer *pacer = MEMORY_NEW(struct pacer);
    pthread_mutex_init(&pacer->mutex, NULL);
    pacer->kind = kind;
    pacer->remaining = pacer->highest = WINDOW_REQUESTS;
    pacer->margin_ms = MARGIN_MS;
    pacer->since_rest = PACER_SHARE;
    return pacer;
}

void pacer_destroy(struct pacer *pacer)
{
    if (!pacer)
        return;
    pthread_mutex_destroy(&pacer->mutex);
    free(pacer);
}

/* --- windows ------------------------------------------------------------------------------- */

/* The reset has passed. A window that was not used up is followed by one that is taken to be as
 * large as ever; after a drained one others may be at it too, so a single request finds out. */
static void window_roll(struct pacer *pacer)
{
    pacer->probing = pacer->probing || pacer->remaining <= pacer->in_flight;
    pacer->probe_sent = false;
    pacer->remaining = pacer->highest;
    pacer->began_ms = pacer->told_ms = 0;
}

/* Whether it had its share of this window, and somebody else had to wait. */
static bool is_spent(const struct pacer *pacer, struct pacer_budget *budget, int64_t now_ms)
{
    if (budget->began_ms != pacer->began_ms)
        *budget = (struct pacer_budget){ .share = budget->share, .began_ms = pacer->began_ms };
    bool others = false;
    for (int i = 0; i < WAITERS; i++)
        others = others || (pacer->waiters[i].who != budget && now_ms < pacer->waiters[i].until_ms);
    return others && budget->share && budget->used &&
           (double)budget->used + 1 > budget->share * (double)pacer->highest;
}

static int64_t window_ask(struct pacer *pacer, enum pacer_rank rank, int64_t now_ms)
{
    bool kept = rank != PACER_FIRST && now_ms < pacer->first_until_ms; /* the last is another's */
    if (pacer->probing ? pacer->probe_sent : pacer->remaining <= pacer->in_flight) {
        int64_t wait_ms = pacer->reset_at_ms - now_ms;
        bool may_change = pacer->in_flight && (wait_ms > POLL_MS || wait_ms <= 0);
        return may_change ? POLL_MS : wait_ms;
    }
    if (kept && (pacer->probing || pacer->remaining <= pacer->in_flight + 1))
        return POLL_MS;
    pacer->probe_sent = true;
    if (!pacer->began_ms) {
        pacer->began_ms = now_ms;
        pacer->reset_at_ms = now_ms + (int64_t)(WINDOW_S + 1) * 1000;
        pacer->margin_ms = clock_jitter(MARGIN_MS, MARGIN_JITTER_PERCENT);
    }
    return 0;
}

/* A request is over and told nothing of this window: it counts as spent, and as no probe. */
static void window_spent(struct pacer *pacer)
{
    pacer->remaining--;
    pacer->probe_sent = false;
}

/* Learn from two answers of one window how seconds are rounded. Rounded down, the full length of a
 * window is told in its first instant only; told again later, the number was rounded up. */
static void learn_rounding(struct pacer *pacer, const struct pacer_answer *answer)
{
    bool is_longest =
        answer->resets_after_s >= WINDOW_S && answer->resets_after_s >= pacer->longest_s;
    if (is_longest)
        pacer->longest_s = answer->resets_after_s;
    if (is_longest && pacer->rounding == ROUNDING_UNKNOWN && pacer->told_ms &&
        answer->sent_ms > pacer->told_ms)
        pacer->rounding = ROUNDING_UP;
}

/* Take over the numbers of an answer. The reset it tells of lies between `earliest` and `latest`;
 * one that lies certainly behind the reset we know of belongs to a new window. */
static void window_answer(struct pacer *pacer, int64_t now_ms, const struct pacer_answer *answer)
{
    if (!pacer->began_ms || answer->sent_ms < pacer->began_ms) {
        window_spent(pacer); /* perhaps of the window before */
        return;
    }
    int64_t earliest_ms = answer->sent_ms + answer->resets_after_s * 1000 - 1000;
    if (pacer->told_ms && earliest_ms > pacer->reset_at_ms) {
        window_roll(pacer);
        pacer->began_ms = answer->sent_ms;
    }
    learn_rounding(pacer, answer);
    int64_t slack_ms = pacer->rounding == ROUNDING_UP ? 0 : 1000;
    int64_t latest_ms = now_ms + answer->resets_after_s * 1000 + slack_ms + pacer->margin_ms;
    if (!pacer->told_ms || answer->remaining < pacer->remaining)
        pacer->remaining = answer->remaining;
    if (!pacer->told_ms || latest_ms < pacer->reset_at_ms)
        pacer->reset_at_ms = latest_ms;
    if (!pacer->told_ms)
        pacer->told_ms = now_ms;
    if (answer->remaining >= pacer->highest)
        pacer->highest = answer->remaining + 1;
    pacer->probing = false;
}

/* --- both ---------------------------------------------------------------------------------- */

/* 429: everybody waits. */
static void throttle(struct pacer *pacer, int64_t now_ms, const struct pacer_answer *answer)
{
    pacer->throttled++;
    int64_t wait_s = answer->retry_after_s > 0 ? answer->retry_after_s
                     : answer->resets_after_s >= 0
                         ? answer->resets_after_s + 1
                         : clock_backoff_s(pacer->throttled, THROTTLE_BASE_S, THROTTLE_CAP_S);
    int64_t until_ms = now_ms + wait_s * 1000 + pacer->margin_ms;
    if (until_ms > pacer->blocked_until_ms)
        pacer->blocked_until_ms = until_ms;
    if (pacer->rounding == ROUNDING_UP)
        pacer->rounding = ROUNDING_DOWN; /* it may have been too early: stay careful */
    pacer->remaining = 0;
    pacer->probing = true;
    pacer->probe_sent = true; /* nobody asks before that time */
    pacer->reset_at_ms = pacer->blocked_until_ms;
    if (!pacer->began_ms)
        pacer->began_ms = now_ms; /* what has not begun has no end */
}

/* Who has to wait is short of requests through the window that follows, too. */
static void note_waiter(struct pacer *pacer, const struct pacer_budget *budget, int64_t until_ms)
{
    int at = 0;
    for (int i = 1; i < WAITERS; i++)
        if (pacer->waiters[i].until_ms < pacer->waiters[at].until_ms)
            at = i;
    for (int i = 0; i < WAITERS; i++)
        if (pacer->waiters[i].until_ms && pacer->waiters[i].who == budget)
            at = i;
    pacer->waiters[at].who = budget;
    pacer->waiters[at].until_ms = until_ms;
}

/* Remember who asked, and what came of it. */
static void note_rank(struct pacer *pacer, enum pacer_rank rank, int64_t now_ms, int64_t wait_ms)
{
    int64_t until_ms = now_ms + wait_ms + BACK_MS;
    if (rank == PACER_SWEEP && wait_ms) /* through the window that follows */
        pacer->swept_until_ms = now_ms + wait_ms + HOLD_MS;
    if (rank == PACER_FIRST)
        pacer->first_until_ms = wait_ms ? until_ms : 0;
    if (!wait_ms)
        pacer->since_rest = rank == PACER_REST ? 1 : pacer->since_rest + 1;
}

int64_t pacer_ask(struct pacer *pacer, enum pacer_rank rank, int64_t now_ms)
{
    return pacer_ask_within(pacer, rank, NULL, now_ms);
}

int64_t pacer_ask_within(struct pacer *pacer, enum pacer_rank rank, struct pacer_budget *budget,
                         int64_t now_ms)
{
    pthread_mutex_lock(&pacer->mutex);
    int64_t wait_ms = 0;
    bool is_window = pacer->kind == PACER_WINDOW;
    if (is_window && pacer->began_ms && now_ms >= pacer->reset_at_ms)
        window_roll(pacer);
    bool spent = is_window && budget && is_spent(pacer, budget, now_ms);
    if (now_ms < pacer->blocked_until_ms)
        wait_ms = pacer->blocked_until_ms - now_ms;
    else if (spent || (is_window && rank == PACER_REST && now_ms < pacer->swept_until_ms &&
                       pacer->since_rest < PACER_SHARE))
        wait_ms = REST_POLL_MS;
    else if (is_window)
        wait_ms = window_ask(pacer, rank, now_ms);
    else if (pacer->low && now_ms < pacer->gap_until_ms)
        wait_ms = pacer->gap_until_ms - now_ms;
    if (!spent) /* who waits for its share keeps nobody waiting */
        note_rank(pacer, rank, now_ms, wait_ms);
    else if (rank == PACER_SWEEP)
        pacer->swept_until_ms = 0;
    if (wait_ms && !spent)
        note_waiter(pacer, budget, now_ms + wait_ms + HOLD_MS);
    if (!wait_ms && budget) {
        budget->began_ms = pacer->began_ms;
        budget->used++;
    }
    if (!wait_ms) {
        pacer->in_flight++;
        pacer->gap_until_ms = now_ms + BUCKET_LOW_GAP_MS;
    }
    pthread_mutex_unlock(&pacer->mutex);
    return wait_ms;
}

void pacer_expect(struct pacer *pacer, int64_t requests, int64_t now_ms)
{
    pthread_mutex_lock(&pacer->mutex);
    if (requests > pacer->highest)
        pacer->swept_until_ms = now_ms + HOLD_MS;
    pthread_mutex_unlock(&pacer->mutex);
}

void pacer_answer(struct pacer *pacer, int64_t now_ms, const struct pacer_answer *answer)
{
    pthread_mutex_lock(&pacer->mutex);
    pacer->in_flight--;
    if (answer->status == 429) {
        throttle(pacer, now_ms, answer);
    } else {
        if (answer->status)
            pacer->throttled = 0;
        if (answer->remaining >= 0)
            pacer->low = answer->remaining <= BUCKET_LOW;
        if (pacer->kind == PACER_WINDOW && answer->remaining >= 0 && answer->resets_after_s >= 0)
            window_answer(pacer, now_ms, answer);
        else
            window_spent(pacer);
    }
    pthread_mutex_unlock(&pacer->mutex);
}

int64_t pacer_parse_resets_after(const char *text)
{
    unsigned hours, minutes, seconds;
    if (strspn(text, "0123456789:.") != strlen(text) ||
        sscanf(text, "%3u:%2u:%2u", &hours, &minutes, &seconds) != 3 || minutes > 59 ||
        seconds > 59)
        return -1;
    return bounds_integer(BOUND_RESETS_AFTER_S,
                          (int64_t)hours * 3600 + (int64_t)minutes * 60 + seconds);
}
