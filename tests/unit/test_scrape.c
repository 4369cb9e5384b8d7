#include "exporter/scrape.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "collectors/run/runner.h"
#include "core/clock.h"
#include "exporter/selection.h"
#include "sources.h"
#include "test.h"

/* The line of a collector's rows. */
#define ROWS(name, number)                                                                         \
    "\ndefender_collector_rows{collector=\"" name "\",tenant_id=\"unknown\"} " number "\n"

static const struct family_0 own_total = {
    .name = "defender_exporter_own_total",
    .type = METRIC_COUNTER,
    .help = "Own.",
};

struct bench {
    struct snapshot_store *snapshots;
    struct metric_store *metrics;
    struct scrape *scrape;
};

static struct bench set_up_with(const struct encoding *formats, size_t count,
                                const struct scrape_config *config)
{
    static const struct scrape_config plain = { 0 };
    struct error error;
    struct bench bench = { snapshot_store_create(test_sources()), metric_store_create(), NULL };
    bench.scrape = scrape_create(bench.snapshots, bench.metrics, formats, count);
    CHECK(scrape_configure(bench.scrape, config ? config : &plain, &error));
    return bench;
}

static struct bench set_up(const struct scrape_config *config)
{
    return set_up_with(encodings, encoding_count, config);
}

static void tear_down(struct bench *bench)
{
    scrape_destroy(bench->scrape);
    snapshot_store_destroy(bench->snapshots);
    metric_store_destroy(bench->metrics);
}

/* A collector ran and brought nothing. */
static void publish(struct bench *bench, const struct source *collector, size_t rows)
{
    struct source_status status = { .enabled = true,
                                    .attempted = true,
                                    .success = true,
                                    .last_success_at = 1700000000,
                                    .interval_ms = 900000,
                                    .rows = rows };
    snapshot_publish(bench->snapshots, collector, part_create(collector), &status);
}

static void print(struct bench *bench, struct buf *out)
{
    buf_reset(out);
    scrape_print(bench->scrape, out);
}

TEST(a_new_snapshot_shows_at_once)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    publish(&bench, SOURCE(assessments), 7);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), ROWS("assessments", "7"));
    publish(&bench, SOURCE(assessments), 8);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), ROWS("assessments", "8"));
}

/* Somebody else found that they are too old: what is rendered is thrown away. */
TEST(stale_data_leave_what_is_rendered)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    const struct source *source = SOURCE(subscriptions);
    const struct source_status status = { .enabled = true, .max_staleness_ms = 3600000 };
    struct part *part = part_create(source);
    int64_t now = part->collected_at = clock_now_s();
    snapshot_publish(bench.snapshots, source, part, &status);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_subscriptions{state=\"visible\"} 0\n");
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_up 1\n");
    CHECK_INT(snapshot_generation(bench.snapshots, now + 3601), 2);
    print(&bench, &out);
    CHECK(!strstr(buf_cstr(&out), "defender_subscriptions{"));
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_up 0\n");
    /* Data that are too old when they come are never shown. */
    part = part_create(source);
    part->collected_at = now - 7200;
    snapshot_publish(bench.snapshots, source, part, &status);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_up 0\n");
}

/* How long is a matter of the configuration, and defender_collector_interval_seconds says it. */
TEST(help_says_that_data_are_cached_and_not_how_long)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t cached = 0;
    const struct family *const *all =
        series_list_families(test_sources(), alerting_families, &arena);
    for (; *all; all++) {
        const char *at = strstr((*all)->help, "cached");
        cached += at != NULL;
        CHECK(!at || !strpbrk(at, "0123456789"));
    }
    CHECK(cached > 30);
}

TEST(own_metrics_are_fresh_after_a_moment)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    metric_count(bench.metrics, &own_total, 1, METRIC_LABELS());
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_exporter_own_total 1\n");
    CHECK_CONTAINS(buf_cstr(&out), "\nprocess_resident_memory_bytes ");
    metric_count(bench.metrics, &own_total, 1, METRIC_LABELS());
    int64_t deadline = clock_monotonic_ms() + 5000;
    while (!strstr(buf_cstr(&out), "own_total 2") && clock_monotonic_ms() < deadline)
        print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_exporter_own_total 2\n");
}

TEST(own_metrics_can_be_left_out)
{
    CLEANUP(tear_down)
    struct bench bench = set_up(&(struct scrape_config){ .without_process = true });
    CLEANUP(buf_finish) struct buf out = { 0 };
    print(&bench, &out);
    CHECK(!strstr(buf_cstr(&out), "process_"));
    CHECK_CONTAINS(buf_cstr(&out), "defender_exporter_series{level=\"0\"} ");
}

TEST(the_series_count_is_the_number_of_lines)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    publish(&bench, SOURCE(subscriptions), 1);
    print(&bench, &out);
    double counted = 0;
    for (const char *at = out.data; (at = strstr(at, "\ndefender_exporter_series{")); at++)
        counted += strtod(strchr(at, ' ') + 1, NULL);
    size_t lines = 0;
    for (const char *at = out.data; *at; at = strchr(at, '\n') + 1)
        lines += *at != '#';
    CHECK_NUMBER(counted, (double)lines);
}

TEST(new_rules_hold_from_the_next_scrape)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    publish(&bench, SOURCE(assessments), 7);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_collector_rows{");
    struct scrape_config deny = { .series.deny = { (const char *[]){ "defender_collector_rows" },
                                                   1 } };
    CHECK(scrape_configure(bench.scrape, &deny, &error));
    print(&bench, &out);
    CHECK(!strstr(buf_cstr(&out), "\ndefender_collector_rows{"));
    CHECK_CONTAINS(buf_cstr(&out), "dropped{metric=\"defender_collector_rows\",reason=\"deny\"}");
    struct scrape_config wrong = { .series.deny = { (const char *[]){ "(" }, 1 } };
    CHECK(!scrape_configure(bench.scrape, &wrong, &error));
    print(&bench, &out);
    CHECK(!strstr(buf_cstr(&out), "\ndefender_collector_rows{"));
}

static void answer_finish(struct web_response *response)
{
    if (response->release)
        response->release(response->owner);
    arena_finish(&response->scratch);
}

/* What the handler answers to these queries. */
static struct web_response answer(struct bench *bench, const struct web_pair *queries, size_t count)
{
    struct web_request request = {
        .method = WEB_GET, .path = "/metrics", .queries = queries, .query_count = count
    };
    struct web_response response = { 0 };
    scrape_handle(bench->scrape, &request, &response);
    return response;
}

TEST(what_was_rendered_is_there_at_once)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    publish(&bench, SOURCE(assessments), 7);
    const struct web_request request = { .method = WEB_GET, .path = "/metrics" };
    struct web_response early = { 0 };
    CHECK(!scrape_handle_at_once(bench.scrape, &request, &early));
    CHECK(!early.type && !early.headers[0].name);
    CLEANUP(answer_finish) struct web_response made = answer(&bench, NULL, 0);
    CLEANUP(answer_finish) struct web_response again = { 0 };
    while (!scrape_handle_at_once(bench.scrape, &request, &again)) { /* so slow a machine */
        answer_finish(&made);
        made = answer(&bench, NULL, 0);
    }
    CHECK(again.owner == made.owner);
    CHECK_TEXT(again.type, made.type);
    CHECK_TEXT(again.headers[0].name, "Vary");
    struct web_response part = { 0 };
    const struct web_pair query = { "collect[]", "assessments" };
    const struct web_request narrow = { .method = WEB_GET, .queries = &query, .query_count = 1 };
    CHECK(!scrape_handle_at_once(bench.scrape, &narrow, &part));
}

/* However many come before a thread has begun to render, one goes there. */
TEST(one_renders_for_a_crowd)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    const struct web_request request = { .method = WEB_GET, .path = "/metrics" };
    publish(&bench, SOURCE(assessments), 7);
    CLEANUP(answer_finish) struct web_response made = answer(&bench, NULL, 0);
    publish(&bench, SOURCE(assessments), 8);
    CLEANUP(answer_finish) struct web_response first = { 0 };
    CHECK(!scrape_handle_at_once(bench.scrape, &request, &first));
    CLEANUP(answer_finish) struct web_response second = { 0 };
    CHECK(scrape_handle_at_once(bench.scrape, &request, &second));
    CHECK(second.owner == made.owner);
    CLEANUP(answer_finish) struct web_response next = answer(&bench, NULL, 0); /* the first one */
    CHECK(next.owner != made.owner);
    publish(&bench, SOURCE(assessments), 9);
    CLEANUP(answer_finish) struct web_response third = { 0 };
    CHECK(!scrape_handle_at_once(bench.scrape, &request, &third));
}

/* Scrapes and parts of one; what is printed is no scrape. */
TEST(scrapes_are_counted_by_what_they_got)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    static const struct web_pair query = { "collect[]", "baselines" };
    publish(&bench, SOURCE(assessments), 7);
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_exporter_exposition_requests_total"
                                   "{format=\"text 0.0.4\",coding=\"identity\"} 0\n");
    CLEANUP(answer_finish) struct web_response whole = answer(&bench, NULL, 0);
    CHECK(whole.count > 0);
    CLEANUP(answer_finish) struct web_response part = answer(&bench, &query, 1);
    CHECK_CONTAINS(part.bytes, "\ndefender_exporter_exposition_requests_total"
                               "{format=\"text 0.0.4\",coding=\"identity\"} 2\n");
    CHECK_CONTAINS(part.bytes, "\ndefender_exporter_exposition_bytes"
                               "{format=\"text 0.0.4\",coding=\"identity\"} ");
    CHECK_CONTAINS(part.bytes, "\ndefender_exporter_exposition_render_seconds"
                               "{format=\"text 0.0.4\"} ");
}

TEST(queries_select_collectors)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    publish(&bench, SOURCE(assessments), 7);
    publish(&bench, SOURCE(baselines), 9);
    static const struct web_pair queries[] = { { "collect[]", "baselines" },
                                               { "unrelated", "x" },
                                               { "collect[]", "secure_scores" } };
    CLEANUP(answer_finish) struct web_response some = answer(&bench, queries, ARRAY_COUNT(queries));
    CHECK_INT(some.status, 200);
    CHECK_CONTAINS(some.bytes, ROWS("baselines", "9"));
    CHECK(!strstr(some.bytes, "collector=\"assessments\""));
    CHECK_CONTAINS(some.bytes, "\nprocess_");
    CHECK_TEXT(some.type, "text/plain; version=0.0.4; charset=utf-8");
    CHECK_TEXT(some.headers[0].name, "Vary");

    static const struct web_pair others[] = { { "exclude[]", "baselines" } };
    CLEANUP(answer_finish) struct web_response rest = answer(&bench, others, 1);
    CHECK(!strstr(rest.bytes, "collector=\"baselines\""));
    CHECK_CONTAINS(rest.bytes, ROWS("assessments", "7"));
}

TEST(wrong_queries_are_named)
{
    static const struct {
        struct web_pair queries[2];
        size_t count;
        const char *want;
    } cases[] = {
        { { { "collect[]", "nope" } }, 1, "\"nope\"" },
        { { { "exclude[]", "" } }, 1, "exclude[]" },
        { { { "collect[]", "baselines" }, { "exclude[]", "assessments" } },
          2,
          "cannot be combined" },
    };
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(answer_finish)
        struct web_response response = answer(&bench, cases[i].queries, cases[i].count);
        CHECK_INT(response.status, 400);
        CHECK_CONTAINS(response.bytes, cases[i].want);
    }
}

/* A format that nobody else knows: "[name samples,name samples]". */
static void count_family(const struct sample *samples, size_t count,
                         const struct encoding_options *options, struct buf *out)
{
    (void)options;
    buf_printf(out, "%s %zu", samples->family->name, count);
}

static const struct encoding counting[] = {
    { .media = "text/plain", .content_types = { "t" }, .family = count_family },
    { .media = "application/x-count",
      .parameters = { { "version", "1" } },
      .content_types = { "application/x-count; version=1" },
      .begin = "[",
      .between = ",",
      .end = "]",
      .family = count_family },
};

/* --- ahead ---------------------------------------------------------------------------------- */

static atomic_size_t renderings;
static atomic_bool slow; /* rendering goes on as long as this */

static void count_renderings(const struct sample *samples, size_t count,
                             const struct encoding_options *options, struct buf *out)
{
    if (!strcmp(samples->family->name, "defender_collector_rows"))
        for (renderings++; slow;)
            clock_sleep_ms(1);
    count_family(samples, count, options, out);
}

static const struct encoding counted[] = {
    { .name = "counted",
      .media = "text/plain",
      .content_types = { "t" },
      .family = count_renderings },
};

static struct web_response answer_gzip(struct bench *bench)
{
    const struct web_head head = { .first[WEB_ACCEPT_ENCODING] = "gzip",
                                   .count[WEB_ACCEPT_ENCODING] = 1 };
    const struct web_request request = { .method = WEB_GET, .path = "/metrics", .head = &head };
    struct web_response response = { 0 };
    scrape_handle(bench->scrape, &request, &response);
    CHECK_TEXT(response.headers[1].value, "gzip");
    return response;
}

/* Not by the first scrape after that. */
TEST(what_is_expected_is_rendered_when_data_are_new)
{
    CLEANUP(tear_down) struct bench bench = set_up_with(counted, ARRAY_COUNT(counted), NULL);
    struct error error;
    publish(&bench, SOURCE(assessments), 7);
    CHECK(!scrape_ahead(bench.scrape)); /* nobody has asked */
    renderings = 0;
    struct web_response first = answer_gzip(&bench);
    answer_finish(&first);
    CHECK_INT(renderings, 1);
    CHECK(!scrape_ahead(bench.scrape)); /* nothing is new */
    publish(&bench, SOURCE(assessments), 8);
    CHECK(scrape_ahead(bench.scrape));
    CHECK_INT(renderings, 2);
    CHECK(!scrape_ahead(bench.scrape));
    struct web_response next = answer_gzip(&bench);
    answer_finish(&next);
    CHECK_INT(renderings, 2);
    CHECK(scrape_configure(bench.scrape, &(struct scrape_config){ 0 }, &error));
    CHECK(scrape_ahead(bench.scrape));
    CHECK_INT(renderings, 3);
}

TEST(what_is_expected_compressed_is_compressed_when_data_are_new)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    publish(&bench, SOURCE(assessments), 7);
    struct web_response first = answer_gzip(&bench);
    answer_finish(&first);
    publish(&bench, SOURCE(assessments), 8);
    CHECK(scrape_ahead(bench.scrape));
    print(&bench, &out); /* compresses nothing */
    CHECK_CONTAINS(buf_cstr(&out), ROWS("assessments", "8"));
    CHECK_CONTAINS(buf_cstr(&out), "\ndefender_exporter_exposition_bytes"
                                   "{format=\"text 0.0.4\",coding=\"gzip\"} ");
}

static void *render_ahead(void *context)
{
    CHECK(scrape_ahead(context));
    return NULL;
}

/* Who asks meanwhile gets what there is, for a moment; then it waits, not to show old data. */
TEST(old_bytes_are_not_sent_however_long_rendering_takes)
{
    CLEANUP(tear_down) struct bench bench = set_up_with(counted, ARRAY_COUNT(counted), NULL);
    const struct web_request request = { .method = WEB_GET, .path = "/metrics" };
    pthread_t thread;
    publish(&bench, SOURCE(assessments), 7);
    CLEANUP(answer_finish) struct web_response young = answer(&bench, NULL, 0);
    publish(&bench, SOURCE(assessments), 8);
    slow = true;
    renderings = 0;
    CHECK(!pthread_create(&thread, NULL, render_ahead, bench.scrape));
    while (!renderings)
        clock_sleep_ms(1);
    bool there = true;
    for (int64_t deadline = clock_monotonic_ms() + 30000; there && clock_monotonic_ms() < deadline;
         clock_sleep_ms(1)) {
        CLEANUP(answer_finish) struct web_response response = { 0 };
        there = scrape_handle_at_once(bench.scrape, &request, &response);
        CHECK(!there || response.owner == young.owner);
    }
    slow = false;
    pthread_join(thread, NULL);
    CHECK(!there);
    CLEANUP(answer_finish) struct web_response next = answer(&bench, NULL, 0);
    CHECK(next.owner != young.owner);
}

TEST(a_thread_renders_ahead)
{
    CLEANUP(tear_down) struct bench bench = set_up_with(counted, ARRAY_COUNT(counted), NULL);
    publish(&bench, SOURCE(assessments), 7);
    struct web_response first = answer_gzip(&bench);
    answer_finish(&first);
    scrape_start(bench.scrape);
    renderings = 0;
    publish(&bench, SOURCE(assessments), 8);
    int64_t deadline = clock_monotonic_ms() + 30000;
    while (!renderings && clock_monotonic_ms() < deadline)
        clock_sleep_ms(1);
    scrape_stop(bench.scrape);
    CHECK_INT(renderings, 1);
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

/* One list: every family once, separators only between two. */
static void check_list(const char *text, size_t families)
{
    size_t length = strlen(text);
    CHECK_INT(text[0], '[');
    CHECK_INT(text[length - 1], ']');
    CHECK_INT(count_of(text, '[') + count_of(text, ']'), 2);
    CHECK_INT(count_of(text, ',') + 1, families);
    CHECK_INT(count_of(text, ' '), families);
    CHECK(!strstr(text, "[,") && !strstr(text, ",,") && !strstr(text, ",]"));
}

TEST(a_format_is_a_row)
{
    CLEANUP(tear_down) struct bench bench = set_up_with(counting, ARRAY_COUNT(counting), NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    static const struct web_pair queries[] = { { "collect[]", "baselines" } };
    struct error error;
    publish(&bench, SOURCE(assessments), 7);
    publish(&bench, SOURCE(baselines), 9);
    print(&bench, &out);
    size_t families = count_of(buf_cstr(&out), ' ');
    CHECK_CONTAINS(buf_cstr(&out), "[defender_");
    CHECK_CONTAINS(buf_cstr(&out), ",defender_collector_rows 2,");
    CHECK_CONTAINS(buf_cstr(&out), ",process_resident_memory_bytes 1,");
    CHECK(families > 10);
    check_list(buf_cstr(&out), families);

    CLEANUP(answer_finish) struct web_response some = answer(&bench, queries, ARRAY_COUNT(queries));
    CHECK_TEXT(some.type, "application/x-count; version=1");
    buf_reset(&out);
    buf_append(&out, some.bytes, some.count);
    CHECK_CONTAINS(buf_cstr(&out), ",defender_collector_rows 1,");
    check_list(buf_cstr(&out), families);

    /* Nothing of the domain part is left. */
    struct scrape_config none = { .series.allow = { (const char *[]){ "nothing" }, 1 } };
    CHECK(scrape_configure(bench.scrape, &none, &error));
    print(&bench, &out);
    check_list(buf_cstr(&out), 2);
    CHECK_CONTAINS(buf_cstr(&out), "[defender_exporter_series");
}

static void print_and_count(void *context, const struct metric_set *set)
{
    struct bench *bench = context;
    CLEANUP(buf_finish) struct buf out = { 0 };
    CHECK(set->count > 0);
    print(bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), ROWS("assessments", "7"));
    metric_count(bench->metrics, &own_total, 1, METRIC_LABELS());
}

/* Whoever reads the samples may take long over it: scrapes are answered meanwhile. */
TEST(reading_samples_holds_no_scrape_up)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    publish(&bench, SOURCE(assessments), 7);
    scrape_read(bench.scrape, print_and_count, &bench);
    CHECK_NUMBER(metric_read(bench.metrics, &own_total, METRIC_LABELS()), 2);
}

static void *scrape_a_lot(void *context)
{
    for (int i = 0; i < 200; i++) {
        CLEANUP(answer_finish) struct web_response response = answer(context, NULL, 0);
        CHECK(response.count > 0);
    }
    return NULL;
}

static void count_samples(void *context, const struct metric_set *set)
{
    *(size_t *)context += set->count;
}

static void *read_a_lot(void *context)
{
    struct bench *bench = context;
    for (int i = 0; i < 200; i++) {
        size_t count = 0;
        scrape_read(bench->scrape, count_samples, &count);
        CHECK(count > 0);
    }
    return NULL;
}

TEST(scrapes_publishing_and_new_rules_go_together)
{
    CLEANUP(tear_down) struct bench bench = set_up(NULL);
    pthread_t threads[3];
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        CHECK(!pthread_create(&threads[i], NULL, i ? scrape_a_lot : read_a_lot, &bench));
    for (size_t i = 0; i < 100; i++) {
        publish(&bench, SOURCE(assessments), i);
        if (i % 10 == 0)
            CHECK(scrape_configure(bench.scrape, &(struct scrape_config){ 0 }, &error));
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    CLEANUP(buf_finish) struct buf out = { 0 };
    print(&bench, &out);
    CHECK_CONTAINS(buf_cstr(&out), ROWS("assessments", "99"));
}
