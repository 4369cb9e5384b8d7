#pragma once
/* When the next request may be sent, learned from the quota headers of the answers, so that a
 * quota is used up but never overrun. One pacer per principal and API, shared by all threads; it
 * only decides, the caller sleeps. Any thread. source: Microsoft Learn, Guidance for
 * throttled requests in Azure Resource Graph. */
#include <stdint.h>

enum pacer_kind {
    PACER_WINDOW, /* so many requests until a reset (Resource Graph) */
    PACER_BUCKET, /* a bucket that refills all the time (Resource Manager) */
};

/* Who goes first where requests until a reset are few; a bucket serves all alike. */
enum pacer_rank {
    PACER_REST,
    PACER_SWEEP, /* while it has to wait, of PACER_SHARE requests one is of the rest */
    PACER_FIRST  /* has the next request that is left, whoever waits */
};
enum { PACER_SHARE = 15 };

/* How much of a window one asker may use while others wait, and what it used of this one. Its own
 * as long as it asks. */
struct pacer_budget {
    double share;     /* 0 to 1, of the requests of a window: one of them at least; 0 or 1 = all */
    int64_t began_ms; /* of the window it last asked in; for the pacer, as is what follows */
    int64_t used;
};

/* What an answer said about the quota; -1 = nothing. */
struct pacer_answer {
    int status;             /* HTTP; 0 = no answer */
    int64_t sent_ms;        /* when its request was sent, on the caller's clock */
    int64_t remaining;      /* requests left */
    int64_t resets_after_s; /* whole seconds, rounded somehow */
    int64_t retry_after_s;  /* 0 or -1 = nothing */
};

struct pacer;
struct pacer *pacer_create(enum pacer_kind kind);
void pacer_destroy(struct pacer *pacer);

/* 0: send now, the request counts as being in flight until pacer_answer. Otherwise: ask again
 * after so many milliseconds. now_ms: any clock that does not step back. */
int64_t pacer_ask(struct pacer *pacer, enum pacer_rank rank, int64_t now_ms);

/* The same for one with a budget, which a bucket does not look at; NULL = it has none. */
int64_t pacer_ask_within(struct pacer *pacer, enum pacer_rank rank, struct pacer_budget *budget,
                         int64_t now_ms);

/* A sweep knows how many requests it still needs. When they are more than a window has it will have
 * to wait, and the rest stands back from now on; no longer than a window unless it does wait, and
 * not while it waits for its share. */
void pacer_expect(struct pacer *pacer, int64_t requests, int64_t now_ms);

/* The request that was allowed has come to an end. */
void pacer_answer(struct pacer *pacer, int64_t now_ms, const struct pacer_answer *answer);

/* "00:00:05" in seconds, -1 when it is no such text. */
int64_t pacer_parse_resets_after(const char *text);
