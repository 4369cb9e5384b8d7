/* How long after Azure shows a change it is told of, with the fast lane and without: the exporter's
 * own pacer, Azure's quota, a sweep, the looks and all other collectors in virtual time. Prints the
 * delays as a distribution and exits 1 beyond the limits; with fewer rows it is a test.
 *
 *   BENCH_LANES="ROWS HOURS" build/release/bench_lanes   (1000000 4)
 *
 * A request takes 80 to 400 ms, and reaches Azure after a third of that. From a page or a look to
 * the committed message it takes WORK_MS, or down to a third of that. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/test.h"
#include "collectors/azure/graph.h"
#include "collectors/azure/pacer.h"
#include "collectors/run/fast.h"
#include "core/compiler.h"

enum {
    WINDOW_MS = 5000, /* Azure's quota */
    WINDOW_REQUESTS = 15,
    PAGE_ROWS = 1000,
    WALK_ROWS = 100000, /* more are asked for in partitions */
    SWEEP_EVERY_MS = 900000,
    WORK_MS = 1500, /* a part is patched, published, compared, decided and committed */
    CHANGES = 20000,
    FASTEST_MS = 80, /* a request */
    SPREAD_MS = 320, /* or so much more */
    SLACK_MS = 5000, /* what the delay may be beyond the interval of looks */
};

/* Everything that asks Resource Graph: so many requests, one after the other, every so often. */
static struct actor {
    const char *name;
    enum pacer_rank rank;
    int64_t every_ms, pages;
    /* while it runs */
    int64_t next_ms, began_ms, left, sent,
        arrived_ms; /* sent: of its own and looks, when it began */
    bool in_flight;
    struct pacer_answer answer;
} actors[] = {
    { "fast lane", PACER_FIRST, 0, 1 },           { "sweep", PACER_SWEEP, SWEEP_EVERY_MS, 0 },
    { "baselines", PACER_REST, 900000, 60 },      { "tags", PACER_REST, 3600000, 110 },
    { "prerequisites", PACER_REST, 3600000, 40 }, { "attack paths", PACER_REST, 900000, 6 },
    { "compliance", PACER_REST, 3600000, 20 },    { "secure scores", PACER_REST, 900000, 4 },
    { "subscriptions", PACER_REST, 900000, 2 },
};
enum { LANE, SWEEP, ACTORS = ARRAY_COUNT(actors) };

struct azure {
    int64_t ends_ms, used, throttled;
};

/* A change, from the moment Resource Graph shows it; told: with the lane, by the sweeps alone. */
static struct change {
    int64_t visible_ms, page, told_ms, swept_ms, page_ms;
} changes[CHANGES];

static uint64_t state = 42;
static int64_t draw(int64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(state >> 33) % below;
}

static int64_t work_ms(void)
{
    return WORK_MS / 3 + draw(WORK_MS * 2 / 3);
}

static void take(struct azure *azure, int64_t now_ms, struct pacer_answer *answer)
{
    if (now_ms >= azure->ends_ms) {
        azure->ends_ms = now_ms + WINDOW_MS;
        azure->used = 0;
    }
    answer->status = azure->used < WINDOW_REQUESTS ? 200 : 429;
    azure->throttled += answer->status == 429;
    azure->used += answer->status == 200;
    answer->remaining = WINDOW_REQUESTS - azure->used;
    answer->resets_after_s = (azure->ends_ms - now_ms + 999) / 1000;
    answer->retry_after_s = answer->status == 429 ? answer->resets_after_s : 0;
}

/* What a request reads: all that is visible when it reaches Azure. */
static void read_rows(const struct actor *actor, int64_t at_ms, int64_t answered_ms)
{
    for (struct change *change = changes; change < changes + CHANGES; change++) {
        if (change->visible_ms > at_ms)
            continue;
        if (actor == &actors[LANE] && !change->told_ms)
            change->told_ms = answered_ms + work_ms();
        if (actor == &actors[SWEEP] && !change->page_ms &&
            change->page == actor->pages - actor->left)
            change->page_ms = at_ms;
    }
}

/* A sweep is over: what its pages had is told. */
static void end_sweep(int64_t now_ms)
{
    for (struct change *change = changes; change < changes + CHANGES; change++)
        if (change->page_ms && !change->swept_ms)
            change->swept_ms = now_ms + work_ms();
}

static struct {
    int64_t sweeps, slowest_ms, floor_ms, over_ms; /* over: most beyond its own floor */
    int64_t own, rest, in_a_row, closest;          /* closest: of its own between two of the rest */
} seen;

/* What a sweep takes at least that sends so many requests with the looks meanwhile: one of each
 * PACER_SHARE is of others, and a window ends when the first request behind it has come and gone,
 * because nobody knows better when Azure began to count. */
static int64_t floor_of(int64_t requests)
{
    return requests * (WINDOW_MS + FASTEST_MS + SPREAD_MS / 2) / (PACER_SHARE - 1);
}

static void end_run(struct actor *actor, int64_t now_ms, int64_t sent)
{
    if (actor == &actors[SWEEP]) {
        int64_t took_ms = now_ms - actor->began_ms;
        int64_t floor_ms = floor_of(sent - actor->sent), over_ms = took_ms - floor_ms;
        end_sweep(now_ms);
        seen.sweeps++;
        seen.slowest_ms = took_ms > seen.slowest_ms ? took_ms : seen.slowest_ms;
        seen.floor_ms = floor_ms > seen.floor_ms ? floor_ms : seen.floor_ms;
        seen.over_ms = over_ms > seen.over_ms ? over_ms : seen.over_ms;
    }
    actor->next_ms = actor->began_ms + actor->every_ms;
    actor->next_ms = actor->next_ms > now_ms ? actor->next_ms : now_ms;
    actor->began_ms = 0;
}

/* How the requests are shared once a sweep knows how long it is, which its first page tells. */
static void count_share(const struct actor *actor)
{
    if (!actors[SWEEP].began_ms || actors[SWEEP].left == actors[SWEEP].pages)
        return;
    if (actor->rank != PACER_REST) {
        seen.own++;
        seen.in_a_row++;
        return;
    }
    if (seen.rest++ && seen.in_a_row < seen.closest)
        seen.closest = seen.in_a_row;
    seen.in_a_row = 0;
}

/* The next thing an actor does. sent: requests of sweeps and looks so far. */
static void act(struct pacer *pacer, struct azure *azure, struct actor *actor, int64_t *sent)
{
    int64_t now_ms = actor->next_ms;
    if (actor->in_flight) {
        pacer_answer(pacer, now_ms, &actor->answer);
        actor->in_flight = false;
        if (actor->answer.status != 200)
            return;
        read_rows(actor, actor->arrived_ms, now_ms);
        if (actor == &actors[SWEEP] && actor->left == actor->pages)
            pacer_expect(pacer, actor->pages - 1, now_ms);
        if (!--actor->left)
            end_run(actor, now_ms, *sent);
        return;
    }
    if (!actor->began_ms) {
        actor->began_ms = now_ms;
        actor->left = actor->pages;
        actor->sent = *sent;
        if (actor == &actors[SWEEP])
            seen.in_a_row = PACER_SHARE; /* what went before was no share of it */
    }
    int64_t wait_ms = pacer_ask(pacer, actor->rank, now_ms);
    actor->next_ms = now_ms + wait_ms;
    if (wait_ms)
        return;
    int64_t takes_ms = FASTEST_MS + draw(SPREAD_MS);
    *sent += actor->rank != PACER_REST;
    count_share(actor);
    actor->arrived_ms = now_ms + takes_ms / 3;
    actor->answer = (struct pacer_answer){ .sent_ms = now_ms };
    take(azure, actor->arrived_ms, &actor->answer);
    actor->in_flight = true;
    actor->next_ms = now_ms + takes_ms;
}

static void simulate(int64_t rows, int64_t end_ms)
{
    struct pacer *pacer = pacer_create(PACER_WINDOW);
    struct azure azure = { 0 };
    int64_t sent = 0;
    actors[SWEEP].pages = rows > WALK_ROWS ? (int64_t)graph_partitions(rows, PAGE_ROWS)
                                           : (rows + PAGE_ROWS - 1) / PAGE_ROWS;
    actors[LANE].every_ms = fast_interval_ms(0, (size_t)rows);
    for (size_t i = 0; i < ACTORS; i++)
        actors[i].next_ms = 1000 + draw(1000);
    seen.closest = INT64_MAX;
    for (struct change *change = changes; change < changes + CHANGES; change++)
        *change = (struct change){ .visible_ms = SWEEP_EVERY_MS + draw(end_ms - 3 * SWEEP_EVERY_MS),
                                   .page = draw(actors[SWEEP].pages) };
    for (;;) {
        struct actor *next = &actors[0];
        for (size_t i = 1; i < ACTORS; i++)
            if (actors[i].next_ms < next->next_ms)
                next = &actors[i];
        if (next->next_ms > end_ms)
            break;
        act(pacer, &azure, next, &sent);
    }
    pacer_destroy(pacer);
    CHECK_INT(azure.throttled, 0);
}

static int compare(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Print a distribution; returns its 99th percentile. */
static int64_t print(const char *what, int64_t *delays_ms)
{
    static const int per_mille[] = { 10, 250, 500, 750, 900, 990, 999 };
    qsort(delays_ms, CHANGES, sizeof *delays_ms, compare);
    printf("%-12s", what);
    for (size_t i = 0; i < ARRAY_COUNT(per_mille); i++)
        printf("%9.1f", (double)delays_ms[CHANGES * per_mille[i] / 1000] / 1000);
    printf("%9.1f\n", (double)delays_ms[CHANGES - 1] / 1000);
    return delays_ms[CHANGES * 990 / 1000];
}

TEST(what_changes_is_told_within_the_interval_and_five_seconds)
{
    static int64_t with_ms[CHANGES], without_ms[CHANGES];
    const char *wanted = getenv("BENCH_LANES");
    int64_t rows = 1000000, hours = 4;
    if (wanted)
        CHECK_INT(sscanf(wanted, "%" SCNd64 " %" SCNd64, &rows, &hours), 2);
    simulate(rows, hours * 3600000);
    for (size_t i = 0; i < CHANGES; i++) {
        with_ms[i] = changes[i].told_ms - changes[i].visible_ms;
        without_ms[i] = changes[i].swept_ms - changes[i].visible_ms;
        CHECK(changes[i].told_ms && changes[i].swept_ms);
    }
    printf("%" PRId64 " rows, %" PRId64 " h, seconds from visible to committed\n"
           "%12s%9s%9s%9s%9s%9s%9s%9s%9s\n",
           rows, hours, "", "1%", "25%", "50%", "75%", "90%", "99%", "99.9%", "most");
    int64_t with = print("fast lane", with_ms);
    print("sweep alone", without_ms);
    printf("%" PRId64 " sweeps, the slowest %.1f s, its floor at most %.1f s and %.1f s more; in "
           "sweeps %" PRId64 " requests of their own and looks, %" PRId64
           " of others, at least %" PRId64 " between two\n",
           seen.sweeps, (double)seen.slowest_ms / 1000, (double)seen.floor_ms / 1000,
           (double)seen.over_ms / 1000, seen.own, seen.rest, seen.closest);
    CHECK(seen.over_ms <= WINDOW_MS);
    CHECK(with <= actors[LANE].every_ms + SLACK_MS);
    CHECK(seen.closest >= PACER_SHARE - 1);
}
