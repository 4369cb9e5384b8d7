#include "collectors/azure/pacer.h"

#include <stdbool.h>
#include <stdio.h>

#include "core/compiler.h"
#include "test.h"

static void destroy(struct pacer **pacer)
{
    pacer_destroy(*pacer);
}
#define PACER CLEANUP(destroy) struct pacer *

/* --- a server with a quota, in virtual time ------------------------------------------------ */

enum windows {
    WINDOWS_ALIGNED,  /* at fixed times, whoever asks */
    WINDOWS_ANCHORED, /* from the first request on */
    WINDOWS_SLIDING,  /* each request is forgotten window_ms later; resets-after is the whole */
};

enum { QUOTA_MAX = 64, THREADS_MAX = 8 };

struct server {
    enum windows windows;
    bool rounds_down;
    int64_t window_ms, quota, phase_ms;
    int64_t ends_ms, used;       /* of the current window */
    int64_t taken_ms[QUOTA_MAX]; /* sliding: when the last ones were let in */
    int throttled;
};

static void server_roll(struct server *server, int64_t now_ms)
{
    if (server->windows == WINDOWS_SLIDING) {
        server->used = 0;
        for (int i = 0; i < server->quota; i++)
            server->used += server->taken_ms[i] && now_ms - server->taken_ms[i] < server->window_ms;
        server->ends_ms = now_ms + server->window_ms;
    } else if (now_ms >= server->ends_ms) {
        int64_t start_ms = now_ms;
        if (server->windows == WINDOWS_ALIGNED)
            start_ms -= (now_ms - server->phase_ms) % server->window_ms;
        server->ends_ms = start_ms + server->window_ms;
        server->used = 0;
    }
}

/* One request arrives at now_ms. */
static void server_take(struct server *server, int64_t now_ms, struct pacer_answer *answer)
{
    server_roll(server, now_ms);
    answer->status = server->used < server->quota ? 200 : 429;
    if (answer->status == 429)
        server->throttled++;
    else if (server->windows == WINDOWS_SLIDING)
        for (int i = 0; i < server->quota; i++)
            if (!server->taken_ms[i] || now_ms - server->taken_ms[i] >= server->window_ms) {
                server->taken_ms[i] = now_ms;
                break;
            }
    server->used += answer->status == 200;
    answer->remaining = server->quota - server->used;
    int64_t left_ms = server->ends_ms - now_ms;
    answer->resets_after_s = server->rounds_down ? left_ms / 1000 : (left_ms + 999) / 1000;
    answer->retry_after_s = answer->status == 429 ? answer->resets_after_s : 0;
}

struct thread {
    int64_t next_ms; /* asks, or gets its answer */
    bool in_flight;
    struct pacer_answer answer;
};

/* What a client that sees into the server would do: wait until the request is let in. */
static int64_t oracle_ask(const struct server *server, int64_t arrival_ms)
{
    struct server copy = *server;
    int64_t wait_ms = 0;
    for (;; wait_ms++) {
        server_roll(&copy, arrival_ms + wait_ms);
        if (copy.used < copy.quota)
            return wait_ms;
    }
}

/* Run `count` requests by so many threads, one after the other in each; returns how long it took.
 * pacer: NULL = as fast as anybody could. The request reaches the server after a third of its
 * latency. */
static int64_t simulate(struct pacer *pacer, struct server *server, int threads, int count,
                        int64_t start_ms, int64_t latency_ms)
{
    struct thread all[THREADS_MAX] = { 0 };
    int sent = 0, done = 0;
    int64_t now_ms = start_ms;
    for (int i = 0; i < threads; i++)
        all[i].next_ms = start_ms + i;
    while (done < count && now_ms < start_ms + 600000) {
        struct thread *thread = &all[0];
        for (int i = 1; i < threads; i++)
            if (all[i].next_ms < thread->next_ms)
                thread = &all[i];
        now_ms = thread->next_ms;
        if (thread->in_flight) {
            if (pacer)
                pacer_answer(pacer, now_ms, &thread->answer);
            thread->in_flight = false;
            done += thread->answer.status == 200;
            sent -= thread->answer.status != 200;
            continue;
        }
        int64_t wait_ms = sent >= count ? 1000
                          : pacer       ? pacer_ask(pacer, PACER_REST, now_ms)
                                        : oracle_ask(server, now_ms + latency_ms / 3);
        if (wait_ms < 0)
            return -1;
        thread->next_ms = now_ms + wait_ms;
        if (wait_ms)
            continue;
        sent++;
        thread->answer = (struct pacer_answer){ .sent_ms = now_ms };
        server_take(server, now_ms + latency_ms / 3, &thread->answer);
        thread->in_flight = true;
        thread->next_ms = now_ms + latency_ms;
    }
    return done == count ? now_ms - start_ms : -1;
}

static void check_quota_is_used(enum windows windows, bool rounds_down, int count,
                                int64_t limit_percent)
{
    int64_t worst = 0; /* in percent of what is possible */
    for (int threads = 1; threads <= 3; threads++) {
        for (int64_t phase_ms = 0; phase_ms < 5000; phase_ms += 125) {
            for (int64_t latency_ms = 2; latency_ms < 250; latency_ms += 60) {
                PACER pacer = pacer_create(PACER_WINDOW);
                struct server server = { .windows = windows,
                                         .rounds_down = rounds_down,
                                         .window_ms = 5000,
                                         .quota = 15,
                                         .phase_ms = phase_ms };
                struct server twin = server;
                int64_t ideal_ms = simulate(NULL, &twin, threads, count, 100000, latency_ms);
                int64_t took_ms = simulate(pacer, &server, threads, count, 100000, latency_ms);
                worst = took_ms * 100 / ideal_ms > worst ? took_ms * 100 / ideal_ms : worst;
                CHECK_INT(server.throttled, 0);
                CHECK(took_ms >= ideal_ms);
            }
        }
    }
    if (worst > limit_percent)
        CHECK_INT(worst, limit_percent);
}

TEST(aligned_windows_are_used_without_429)
{
    check_quota_is_used(WINDOWS_ALIGNED, false, 51, 130);
}

TEST(anchored_windows_are_used_without_429)
{
    check_quota_is_used(WINDOWS_ANCHORED, false, 51, 110);
}

TEST(anchored_windows_rounded_down_are_used_without_429)
{
    check_quota_is_used(WINDOWS_ANCHORED, true, 51, 130);
}

TEST(aligned_windows_rounded_down_are_used_without_429)
{
    check_quota_is_used(WINDOWS_ALIGNED, true, 51, 140);
}

TEST(sliding_windows_are_used_without_429)
{
    check_quota_is_used(WINDOWS_SLIDING, false, 151, 175);
}

TEST(quota_other_than_documented_is_learned)
{
    static const int64_t quotas[] = { 1, 5, 14, 16, 50 };
    for (size_t i = 0; i < ARRAY_COUNT(quotas); i++) {
        PACER pacer = pacer_create(PACER_WINDOW);
        struct server server = { .window_ms = 5000, .quota = quotas[i], .phase_ms = 700 };
        struct server twin = server;
        int count = (int)quotas[i] * 4;
        int64_t ideal_ms = simulate(NULL, &twin, 1, count, 100000, 20);
        int64_t took_ms = simulate(pacer, &server, 1, count, 100000, 20);
        CHECK_INT(server.throttled, 0);
        CHECK(took_ms >= ideal_ms && took_ms <= ideal_ms * 14 / 10);
    }
}

TEST(quota_used_by_others_is_respected)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    struct server server = { .window_ms = 5000, .quota = 15, .phase_ms = 0 };
    struct pacer_answer ignored = { 0 };
    int64_t at_ms = 100000;
    for (int i = 0; i < 12; i++)
        server_take(&server, at_ms, &ignored);
    CHECK(simulate(pacer, &server, 1, 20, at_ms + 1, 30) > 0);
    CHECK_INT(server.throttled, 0);
}

/* Ask, and check what comes back. */
static void ask(struct pacer *pacer, int64_t now_ms, int64_t want_ms)
{
    CHECK_INT(pacer_ask(pacer, PACER_REST, now_ms), want_ms);
}

static void answer(struct pacer *pacer, int64_t sent_ms, int64_t now_ms, int status,
                   int64_t remaining, int64_t resets_after_s, int64_t retry_after_s)
{
    struct pacer_answer told = { status, sent_ms, remaining, resets_after_s, retry_after_s };
    pacer_answer(pacer, now_ms, &told);
}

static bool is_about(int64_t got_ms, int64_t want_ms)
{
    return got_ms >= want_ms && got_ms <= want_ms + 200;
}

TEST(start_is_limited_before_any_header)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    for (int i = 0; i < 15; i++)
        ask(pacer, 1000 + i, 0);
    CHECK(pacer_ask(pacer, PACER_REST, 1100) > 0);
    CHECK(pacer_ask(pacer, PACER_REST, 5000) > 0);
    /* Answers without headers free nothing before the window is over. */
    for (int i = 0; i < 15; i++)
        answer(pacer, 1000 + i, 1200, 200, -1, -1, 0);
    CHECK(is_about(pacer_ask(pacer, PACER_REST, 1300), 5500));
    ask(pacer, 7000, 0);
}

TEST(last_of_a_window_is_not_sent_twice)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    ask(pacer, 1000, 0);
    answer(pacer, 1000, 1010, 200, 2, 4, 0);
    ask(pacer, 1020, 0);
    ask(pacer, 1021, 0);
    CHECK(pacer_ask(pacer, PACER_REST, 1022) > 0); /* two left, two in flight */
    answer(pacer, 1020, 1040, 200, 0, 4, 0);
    answer(pacer, 1021, 1041, 200, 1, 4, 0); /* overtaken on the way: the lower number counts */
    CHECK(is_about(pacer_ask(pacer, PACER_REST, 1042), 4000 + 1000 - 32));
}

TEST(one_request_probes_after_a_drained_window)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    ask(pacer, 1000, 0);
    answer(pacer, 1000, 1010, 200, 0, 5, 0);
    int64_t wait_ms = pacer_ask(pacer, PACER_REST, 1020);
    int64_t now_ms = 1020 + wait_ms;
    CHECK(is_about(wait_ms, 5990));
    ask(pacer, now_ms, 0);
    CHECK(pacer_ask(pacer, PACER_REST, now_ms) > 0);
    answer(pacer, now_ms, now_ms + 300, 200, 3, 5, 0);
    ask(pacer, now_ms + 301, 0);
    ask(pacer, now_ms + 302, 0);
    ask(pacer, now_ms + 303, 0);
    CHECK(pacer_ask(pacer, PACER_REST, now_ms + 304) > 0);
}

TEST(probe_that_never_answers_blocks_nobody_for_long)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    ask(pacer, 1000, 0);
    answer(pacer, 1000, 1010, 200, 0, 5, 0);
    ask(pacer, 7100, 0); /* this one hangs */
    int64_t now_ms = 7101;
    for (int64_t wait_ms; (wait_ms = pacer_ask(pacer, PACER_REST, now_ms)); now_ms += wait_ms)
        CHECK(wait_ms > 0 && wait_ms <= 25);
    CHECK(is_about(now_ms, 7100 + 6000));
    answer(pacer, now_ms, now_ms + 20, 200, 14, 5, 0);
    for (int i = 0; i < 3; i++)
        ask(pacer, now_ms + 21, 0);
    answer(pacer, 7100, now_ms + 22, 0, -1, -1, 0);
    ask(pacer, now_ms + 23, 0);
}

TEST(throttled_makes_everybody_wait)
{
    static const struct {
        int64_t resets_after_s, retry_after_s, wait_ms;
    } cases[] = {
        { -1, 17, 17000 }, { 3, 17, 17000 }, { 3, 0, 4000 }, { 0, 0, 1000 }, { -1, 0, 5000 },
    };
    for (int kind = PACER_WINDOW; kind <= PACER_BUCKET; kind++) {
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
            PACER pacer = pacer_create((enum pacer_kind)kind);
            ask(pacer, 1000, 0);
            ask(pacer, 1000, 0);
            answer(pacer, 1000, 2000, 429, 0, cases[i].resets_after_s, cases[i].retry_after_s);
            answer(pacer, 1000, 2000, 200, 14, 5, 0);
            CHECK(is_about(pacer_ask(pacer, PACER_REST, 2000), cases[i].wait_ms));
            CHECK(pacer_ask(pacer, PACER_REST, 2000 + cases[i].wait_ms - 1) > 0);
            ask(pacer, 2200 + cases[i].wait_ms, 0);
        }
    }
}

TEST(throttled_without_a_hint_doubles)
{
    PACER pacer = pacer_create(PACER_BUCKET);
    int64_t now_ms = 1000;
    static const int64_t waits_ms[] = { 5000, 10000, 20000, 40000 };
    for (size_t i = 0; i < ARRAY_COUNT(waits_ms); i++) {
        ask(pacer, now_ms, 0);
        answer(pacer, now_ms, now_ms, 429, -1, -1, 0);
        CHECK(is_about(pacer_ask(pacer, PACER_REST, now_ms), waits_ms[i]));
        now_ms += waits_ms[i] + 200;
    }
    ask(pacer, now_ms, 0);
    answer(pacer, now_ms, now_ms, 200, 100, -1, 0);
    ask(pacer, now_ms, 0);
    answer(pacer, now_ms, now_ms, 429, -1, -1, 0);
    CHECK(is_about(pacer_ask(pacer, PACER_REST, now_ms), 5000));
}

TEST(bucket_slows_down_when_nearly_empty)
{
    PACER pacer = pacer_create(PACER_BUCKET);
    for (int i = 0; i < 100; i++)
        ask(pacer, 1000, 0);
    answer(pacer, 1000, 1500, 200, 6, -1, 0);
    ask(pacer, 1500, 0);
    answer(pacer, 1500, 1600, 200, 5, -1, 0);
    ask(pacer, 1600, 900);
    ask(pacer, 2500, 0);
    ask(pacer, 2500, 1000);
    answer(pacer, 2500, 2600, 200, -1, -1, 0); /* says nothing: nothing changes */
    ask(pacer, 2600, 900);
    answer(pacer, 2500, 2700, 200, 200, -1, 0);
    ask(pacer, 2700, 0);
}

TEST(resets_after_is_read)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        { "00:00:05", 5 },   { "00:00:00", 0 },    { "00:12:03", 723 }, { "00:00:04.512", 4 },
        { "01:02:03", 900 }, { "999:59:59", 900 }, { "", -1 },          { "5", -1 },
        { "00:05", -1 },     { "00:00:99", -1 },   { "soon", -1 },      { "00:99:00", -1 },
        { "-1:00:00", -1 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(pacer_parse_resets_after(cases[i].text), cases[i].seconds);
}

/* --- who goes first ------------------------------------------------------------------------- */

/* Ask at once as somebody, and get an answer at once. */
static bool goes(struct pacer *pacer, struct server *server, enum pacer_rank rank, int64_t now_ms)
{
    struct pacer_answer told = { .sent_ms = now_ms };
    if (pacer_ask(pacer, rank, now_ms))
        return false;
    server_take(server, now_ms, &told);
    pacer_answer(pacer, now_ms, &told);
    return true;
}

TEST(while_a_sweep_goes_on_one_of_fifteen_is_of_the_rest)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    int own = 0, rest = 0, since = 14;
    for (int64_t now_ms = 1000; now_ms < 200000; now_ms += 40) {
        int swept = goes(pacer, &server, now_ms / 40 % 9 ? PACER_SWEEP : PACER_FIRST, now_ms);
        int others = goes(pacer, &server, PACER_REST, now_ms);
        own += swept;
        since += swept;
        CHECK(!others || since >= 14 || now_ms < 6000); /* when the sweep had to wait once */
        since = others ? 0 : since;
        rest += others;
    }
    CHECK_INT(server.throttled, 0);
    CHECK(own + rest >= 550); /* of 600 */
    CHECK(rest >= 35);        /* and they have their turn */
}

/* There are requests enough, however often it asks: nobody has to stand back. */
TEST(a_sweep_that_need_not_wait_keeps_nobody_waiting)
{
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    PACER pacer = pacer_create(PACER_WINDOW);
    for (int64_t now_ms = 1000; now_ms < 60000; now_ms += 1000) {
        CHECK(goes(pacer, &server, PACER_SWEEP, now_ms));
        CHECK(goes(pacer, &server, PACER_REST, now_ms + 1));
    }
    CHECK_INT(server.throttled, 0);
}

TEST(a_sweep_that_no_longer_waits_keeps_nobody_waiting)
{
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    PACER pacer = pacer_create(PACER_WINDOW);
    for (int i = 0; i < 15; i++)
        CHECK(goes(pacer, &server, i ? PACER_SWEEP : PACER_REST, 1000 + i));
    CHECK(!goes(pacer, &server, PACER_SWEEP, 1100));
    CHECK(goes(pacer, &server, PACER_REST, 6500)); /* the sweep had 14 */
    CHECK(!goes(pacer, &server, PACER_REST, 6501));
    CHECK(goes(pacer, &server, PACER_SWEEP, 6502));
    CHECK(!goes(pacer, &server, PACER_REST, 6503));
    CHECK(goes(pacer, &server, PACER_REST, 12000));
    CHECK(goes(pacer, &server, PACER_REST, 12001)); /* without a sweep there are no shares */
    PACER bucket = pacer_create(PACER_BUCKET);
    server.quota = 60;
    CHECK(goes(bucket, &server, PACER_SWEEP, 1000));
    for (int i = 0; i < 30; i++)
        CHECK(goes(bucket, &server, PACER_REST, 1001 + i));
}

TEST(a_sweep_that_will_have_to_wait_has_its_first_window)
{
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    PACER pacer = pacer_create(PACER_WINDOW);
    CHECK(goes(pacer, &server, PACER_SWEEP, 1000));
    pacer_expect(pacer, 15, 1001); /* no more than a window */
    CHECK(goes(pacer, &server, PACER_REST, 1002));
    CHECK(goes(pacer, &server, PACER_REST, 1003));
    pacer_expect(pacer, 16, 1004);
    CHECK(!goes(pacer, &server, PACER_REST, 1005));
    CHECK(goes(pacer, &server, PACER_FIRST, 1006));
    CHECK(goes(pacer, &server, PACER_SWEEP, 1007));
    CHECK(!goes(pacer, &server, PACER_REST, 6003));
    CHECK(goes(pacer, &server, PACER_REST, 6004)); /* it never had to wait */
    CHECK(goes(pacer, &server, PACER_REST, 6005));
}

TEST(the_first_one_has_the_next_request_that_is_left)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    ask(pacer, 1000, 0);
    answer(pacer, 1000, 1010, 200, 0, 5, 0);
    int64_t reset_ms = 1020 + pacer_ask(pacer, PACER_FIRST, 1020);
    CHECK_INT(pacer_ask(pacer, PACER_SWEEP, reset_ms), 25); /* a single one asks what is left */
    CHECK(!pacer_ask(pacer, PACER_FIRST, reset_ms + 10));
    answer(pacer, reset_ms + 10, reset_ms + 20, 200, 2, 5, 0);
    CHECK(!pacer_ask(pacer, PACER_SWEEP, reset_ms + 21));
    CHECK(!pacer_ask(pacer, PACER_SWEEP, reset_ms + 22));
    CHECK(pacer_ask(pacer, PACER_FIRST, reset_ms + 23) > 0);
    answer(pacer, reset_ms + 21, reset_ms + 24, 200, 1, 5, 0);
    answer(pacer, reset_ms + 22, reset_ms + 25, 200, 1, 5, 0);
    CHECK_INT(pacer_ask(pacer, PACER_SWEEP, reset_ms + 26), 25); /* the last is another's */
    CHECK(!pacer_ask(pacer, PACER_FIRST, reset_ms + 27));
}

TEST(who_waited_and_left_takes_nothing_along)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    ask(pacer, 1000, 0);
    answer(pacer, 1000, 1010, 200, 0, 5, 0);
    int64_t reset_ms = 1020 + pacer_ask(pacer, PACER_FIRST, 1020);
    CHECK(pacer_ask(pacer, PACER_SWEEP, reset_ms + 400) > 0);
    CHECK(!pacer_ask(pacer, PACER_SWEEP, reset_ms + 500));
}

/* An answer of the window before comes when the next one has not begun: somebody stood back. */
TEST(throttled_between_two_windows_blocks_nobody_for_ever)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    CHECK_INT(pacer_ask(pacer, PACER_SWEEP, 1000), 0);
    CHECK_INT(pacer_ask(pacer, PACER_SWEEP, 1001), 0); /* this one takes long */
    answer(pacer, 1000, 1010, 200, 1, 5, 0);
    CHECK(pacer_ask(pacer, PACER_FIRST, 7000) > 0);
    CHECK(pacer_ask(pacer, PACER_SWEEP, 7150) > 0); /* the reset has passed, and one is kept */
    answer(pacer, 1001, 7160, 429, 0, 5, 3);
    CHECK(is_about(pacer_ask(pacer, PACER_FIRST, 7160), 3000));
    CHECK_INT(pacer_ask(pacer, PACER_FIRST, 10400), 0);
}

/* Ask at once with a budget, and get an answer at once. */
static bool goes_within(struct pacer *pacer, struct server *server, struct pacer_budget *budget,
                        int64_t now_ms)
{
    struct pacer_answer told = { .sent_ms = now_ms };
    if (pacer_ask_within(pacer, PACER_REST, budget, now_ms))
        return false;
    server_take(server, now_ms, &told);
    pacer_answer(pacer, now_ms, &told);
    return true;
}

/* A greedy one asks all the time. Another one that wants as much has what its share leaves. */
TEST(a_share_leaves_the_others_the_rest)
{
    static const struct {
        double share;
        int of_a_window; /* of which there are 40 */
    } cases[] = { { 0.2, 3 }, { 0.5, 7 }, { 0.01, 1 } };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        PACER pacer = pacer_create(PACER_WINDOW);
        struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
        struct pacer_budget slow = { .share = cases[i].share }, other = { .share = 1 };
        int slows = 0, others = 0;
        for (int64_t now_ms = 1000; now_ms < 200000; now_ms += 20) {
            slows += goes_within(pacer, &server, &slow, now_ms);
            slows += goes_within(pacer, &server, &slow, now_ms + 5);
            others += goes_within(pacer, &server, &other, now_ms + 10);
        }
        CHECK_INT(server.throttled, 0);
        CHECK_INT(slows + others, 600);                   /* nothing is left unused */
        CHECK_INT(slows, 10 + 39 * cases[i].of_a_window); /* before anybody waits it has its two
                                                             thirds */
    }
}

TEST(who_is_alone_has_more_than_its_share)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    struct pacer_budget slow = { .share = 0.1 }, other = { 0 };
    for (int i = 0; i < 15; i++)
        CHECK(goes_within(pacer, &server, &slow, 1000 + i));
    CHECK(!goes_within(pacer, &server, &slow, 1100)); /* waits, but for nobody else */
    for (int i = 0; i < 15; i++)
        CHECK(goes_within(pacer, &server, &slow, 7200 + i));
    CHECK(!goes_within(pacer, &server, &other, 7300)); /* now somebody waits, through a window */
    CHECK(goes_within(pacer, &server, &slow, 13400));
    CHECK(!goes_within(pacer, &server, &slow, 13401));
    CHECK(goes_within(pacer, &server, &other, 13402));
    CHECK(goes_within(pacer, &server, &slow, 40000)); /* and is gone */
    CHECK(goes_within(pacer, &server, &slow, 40001));
    CHECK(goes_within(pacer, &server, &slow, 40002));
    CHECK_INT(server.throttled, 0);
}

/* The fast lane has no budget: whoever has one leaves it what it asks for. */
TEST(who_has_no_budget_is_somebody_else)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    struct pacer_budget slow = { .share = 0.2 };
    for (int i = 0; i < 15; i++)
        CHECK(goes_within(pacer, &server, &slow, 1000 + i));
    CHECK(!goes(pacer, &server, PACER_FIRST, 1100));
    for (int i = 0; i < 12; i++)
        goes_within(pacer, &server, &slow, 7200 + i);
    for (int i = 0; i < 12; i++)
        CHECK(goes(pacer, &server, PACER_FIRST, 7300 + i));
    PACER bucket = pacer_create(PACER_BUCKET);
    server.quota = 60;
    for (int i = 0; i < 30; i++)
        CHECK(goes_within(bucket, &server, &slow, 1001 + i)); /* it has none to share */
}

/* A sweep that had its share needs no requests for now: the rest does not stand back for it, also
 * when it has a window's worth to come. */
static void check_sweep_with_a_share(int64_t expected)
{
    PACER pacer = pacer_create(PACER_WINDOW);
    struct server server = { .windows = WINDOWS_ANCHORED, .window_ms = 5000, .quota = 15 };
    struct pacer_budget sweep = { .share = 0.2 };
    for (int i = 0; i < 15; i++)
        CHECK(goes(pacer, &server, PACER_REST, 1000 + i));
    CHECK(!goes(pacer, &server, PACER_REST, 1100));
    for (int i = 0; i < 3; i++) {
        struct pacer_answer told = { .sent_ms = 7200 };
        CHECK_INT(pacer_ask_within(pacer, PACER_SWEEP, &sweep, 7200), 0);
        server_take(&server, 7200, &told);
        pacer_answer(pacer, 7200, &told);
        pacer_expect(pacer, expected, 7200);
    }
    CHECK(pacer_ask_within(pacer, PACER_SWEEP, &sweep, 7201) > 0);
    for (int i = 0; i < 12; i++)
        CHECK(goes(pacer, &server, PACER_REST, 7202 + i));
    CHECK_INT(server.throttled, 0);
}

TEST(a_sweep_that_waits_for_its_share_keeps_nobody_waiting)
{
    check_sweep_with_a_share(0);
    check_sweep_with_a_share(100);
}
