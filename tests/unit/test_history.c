/* history: a row when a value changed, at most one an hour; hourly for 30 days, daily for 400. */
#include "alerts/ledger/history.h"

#include <math.h>

#include "alerts/store/schema.h"
#include "test.h"

enum { HOUR = 3600, DAY = 86400, START = 1700006400 /* a midnight */ };

static const struct family_2 open_findings = { .name = "open",
                                               .history = true,
                                               LABELS("subscription_id", "risk_level") };
static const struct family_0 total = { .name = "total", .history = true };
static const struct family_0 other = { .name = "other" };

struct bench {
    struct database *database;
    struct history history;
    int64_t now;
    struct buf rows;
};

static void bench_init(struct bench *bench)
{
    struct error error = { 0 };
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    *bench = (struct bench){ .now = START };
    bench->database = database_open(&config, &error);
    CHECK_TEXT(error.message, "");
}

static void bench_finish(struct bench *bench)
{
    database_close(bench->database);
    buf_finish(&bench->rows);
}

/* One evaluation with this value of the total; below 0 = it is missing. How many rows it wrote. */
static int64_t keep(struct bench *bench, double value, bool complete)
{
    struct error error = { 0 };
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 1 };
    metric_add(&set, &open_findings, 3, METRIC_LABELS("a\"b\\c\nd", "high"));
    metric_add(&set, &other, 7, METRIC_LABELS());
    if (value >= 0)
        metric_add(&set, &total, value, METRIC_LABELS());
    metric_set_sort(&set);
    int64_t before = database_total_changes(bench->database);
    CHECK(database_begin(bench->database, &error));
    CHECK(history_keep(&bench->history, bench->database, &set, complete, bench->now, &error));
    CHECK(database_commit(bench->database, &error));
    CHECK_TEXT(error.message, "");
    return database_total_changes(bench->database) - before;
}

/* The rows of a series, as "hours since the start=value". */
static const char *rows_of(struct bench *bench, const char *name)
{
    struct error error = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const char *text = NULL;
    struct database_statement *statement = database_prepare(
        bench->database,
        "SELECT GROUP_CONCAT(((at - $1) / 3600) || '=' || COALESCE(CAST(value AS INTEGER), 'end'),"
        " ' ') FROM (SELECT h.at, h.value FROM history h JOIN history_series s"
        " ON s.number = h.series WHERE s.name = $2 ORDER BY h.at)");
    database_bind(statement, (int64_t)START, name);
    CHECK(database_get_text(statement, &arena, &text, &error));
    buf_reset(&bench->rows);
    buf_text(&bench->rows, text ? text : "");
    return buf_cstr(&bench->rows);
}

TEST(a_row_when_a_value_changed)
{
    struct bench bench;
    bench_init(&bench);
    CHECK(keep(&bench, 1, true) > 0);
    CHECK_INT(keep(&bench, 1, true), 0);
    bench.now += 3 * DAY;
    CHECK_INT(keep(&bench, 1, true), 0);
    CHECK_INT(keep(&bench, 2, true), 1);
    CHECK_TEXT(rows_of(&bench, "total"), "0=1 72=2");
    CHECK_TEXT(rows_of(&bench, "open{subscription_id=\"a\\\"b\\\\c\\nd\",risk_level=\"high\"}"),
               "0=3");
    CHECK_TEXT(rows_of(&bench, "other"), "");
    bench.history = (struct history){ 0 }; /* a restart */
    CHECK_INT(keep(&bench, 2, true), 0);
    bench_finish(&bench);
}

TEST(at_most_one_an_hour_and_then_the_last)
{
    struct bench bench;
    bench_init(&bench);
    keep(&bench, 1, true);
    for (int i = 2; i < 60; i++) {
        bench.now = START + i * 60;
        CHECK_INT(keep(&bench, i, true), 0);
        CHECK_INT(bench.history.retry_at, START + HOUR);
    }
    bench.now = START + HOUR - 1;
    CHECK_INT(keep(&bench, 59, true), 0);
    bench.now = START + HOUR; /* nothing changed since, but it may be written now */
    CHECK_INT(keep(&bench, 59, true), 1);
    CHECK_INT(bench.history.retry_at, 0);
    bench.now = START + HOUR / 2; /* a clock that stepped back */
    CHECK_INT(keep(&bench, 60, true), 0);
    CHECK_TEXT(rows_of(&bench, "total"), "0=1 1=59");
    bench.now = START + 2 * HOUR;
    keep(&bench, 59, true); /* as it was: nothing is owed */
    CHECK_TEXT(rows_of(&bench, "total"), "0=1 1=59");
    bench_finish(&bench);
}

TEST(a_series_that_is_not_told_any_more_ends)
{
    struct bench bench;
    bench_init(&bench);
    keep(&bench, 1, true);
    bench.now += DAY;
    CHECK_INT(keep(&bench, -1, false), 0); /* some source has not run yet */
    CHECK_INT(keep(&bench, -1, true), 1);
    bench.now += DAY;
    CHECK_INT(keep(&bench, -1, true), 0);
    CHECK_INT(keep(&bench, 1, true), 1);
    CHECK_TEXT(rows_of(&bench, "total"), "0=1 24=end 48=1");
    bench_finish(&bench);
}

static void prune(struct bench *bench)
{
    struct error error = { 0 };
    for (int64_t before = -1; before != database_total_changes(bench->database);) {
        before = database_total_changes(bench->database);
        CHECK(database_begin(bench->database, &error));
        CHECK(history_prune(bench->database, bench->now, &error));
        CHECK(database_commit(bench->database, &error));
    }
    CHECK_TEXT(error.message, "");
}

static int64_t count(struct bench *bench, const char *sql)
{
    struct error error = { 0 };
    int64_t number = -1;
    CHECK(database_get_integer(database_prepare(bench->database, sql), &number, &error));
    return number;
}

TEST(old_values_are_kept_daily_and_then_not)
{
    struct bench bench;
    bench_init(&bench);
    for (int hour = 0; hour < 40 * 24; hour++) {
        bench.now = START + hour * HOUR;
        keep(&bench, hour, true);
    }
    static const char all[] = "SELECT COUNT(*) FROM history JOIN history_series ON number = series"
                              " WHERE name = 'total'";
    CHECK_INT(count(&bench, all), 40 * 24);
    prune(&bench); /* 9 whole days are older than 30 */
    CHECK_INT(count(&bench, all), 9 + 31 * 24);
    CHECK_CONTAINS(rows_of(&bench, "total"), "23=23 47=47 71=71 ");
    CHECK_INT(keep(&bench, 40 * 24 - 1, true), 0);
    prune(&bench);
    CHECK_INT(count(&bench, all), 9 + 31 * 24);
    bench.now =
        START + 405 * DAY; /* day 4 is the last that is older than 400 days: its value holds */
    prune(&bench);
    CHECK_INT(count(&bench, all), 40 - 4);
    CHECK_CONTAINS(rows_of(&bench, "total"), "119=119 143=143 ");
    CHECK_TEXT(rows_of(&bench, "open{subscription_id=\"a\\\"b\\\\c\\nd\",risk_level=\"high\"}"),
               "0=3");
    keep(&bench, -1, true); /* it ends, and is forgotten */
    bench.now += 402 * DAY;
    prune(&bench);
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM history_series"), 1);
    CHECK_INT(count(&bench, "SELECT COUNT(*) FROM history"), 1);
    bench_finish(&bench);
}

static void print_value(void *context, int64_t at, double value)
{
    buf_printf(context, "%s%g=%g", ((struct buf *)context)->length ? " " : "",
               (double)(at - START) / HOUR, value);
}

static const char *read_from(struct bench *bench, const char *series, int64_t since)
{
    static struct buf out;
    struct error error = { 0 };
    buf_reset(&out);
    CHECK(history_read(bench->database, series, since, print_value, &out, &error));
    CHECK_TEXT(error.message, "");
    return buf_cstr(&out);
}

TEST(values_are_read_from_the_one_that_held)
{
    struct bench bench;
    bench_init(&bench);
    keep(&bench, 1, true);
    bench.now += 2 * HOUR;
    keep(&bench, 2, true);
    bench.now += 2 * HOUR;
    keep(&bench, -1, true);
    CHECK_TEXT(read_from(&bench, "total", START - DAY), "0=1 2=2 4=nan");
    CHECK_TEXT(read_from(&bench, "total", START + HOUR), "0=1 2=2 4=nan");
    CHECK_TEXT(read_from(&bench, "total", START + 2 * HOUR), "2=2 4=nan");
    CHECK_TEXT(read_from(&bench, "total", START + DAY), "4=nan");
    CHECK_TEXT(read_from(&bench, "nobody", START), "");
    CHECK_TEXT(
        read_from(&bench, "open{subscription_id=\"a\\\"b\\\\c\\nd\",risk_level=\"high\"}", START),
        "0=3");
    bench_finish(&bench);
}

static bool print_each(void *context, const struct history_value *value, struct error *error)
{
    struct buf *out = context;
    if (isnan(value->value))
        buf_printf(out, "%s@%d=end ", value->name, (int)((value->at - START) / HOUR));
    else
        buf_printf(out, "%s@%d=%g ", value->name, (int)((value->at - START) / HOUR), value->value);
    return out->length < 1000 || error_set(error, ERROR_LIMIT, "enough");
}

static const char *each(struct bench *bench, const char *begins, int64_t since,
                        struct history_value after)
{
    static struct buf out;
    struct error error = { 0 };
    buf_reset(&out);
    CHECK(history_each(bench->database, begins, since, &after, print_each, &out, &error));
    CHECK_TEXT(error.message, "");
    return buf_cstr(&out);
}

TEST(all_series_are_read_and_gone_on_with)
{
    struct bench bench;
    bench_init(&bench);
    keep(&bench, 1, true);
    bench.now += HOUR;
    keep(&bench, 2, true);
    bench.now += HOUR;
    keep(&bench, -1, true);
    CHECK_TEXT(each(&bench, "total", 0, (struct history_value){ 0 }),
               "total@0=1 total@1=2 total@2=end ");
    CHECK_TEXT(each(&bench, "total", START + HOUR, (struct history_value){ 0 }),
               "total@1=2 total@2=end ");
    CHECK_TEXT(each(&bench, "tot", 0, (struct history_value){ .series = 2, .at = START + HOUR }),
               "total@2=end ");
    CHECK_TEXT(each(&bench, "x", 0, (struct history_value){ 0 }), "");
    CHECK_CONTAINS(each(&bench, "", 0, (struct history_value){ 0 }), "high\"}@0=3 total@0=1 ");
    bench_finish(&bench);
}
