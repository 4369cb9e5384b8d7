#include "alerts/backfill.h"

#include <stdio.h>

#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "test.h"

enum { STEP = 3600, START = 1700006400 /* a midnight */ };

struct bench {
    struct database *database;
    struct source_list *sources;
    struct buf text;
    int64_t samples;
};

static void bench_finish(struct bench *bench)
{
    database_close(bench->database);
    source_list_release(bench->sources);
    buf_finish(&bench->text);
}
#define BENCH CLEANUP(bench_finish) struct bench

static void insert(struct bench *bench, const char *sql)
{
    struct error error = { 0 };
    CHECK(database_run(database_prepare(bench->database, sql), &error));
    CHECK_TEXT(error.message, "");
}

/* Hours since START. */
#define AT(hours) "1700006400 + 3600 * " #hours

static void make(struct bench *bench)
{
    struct error error = { 0 };
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    bench->database = database_open(&config, &error);
    bench->sources = source_list_of(collector_kinds);
    CHECK_TEXT(error.message, "");
    insert(bench, "INSERT INTO ledger_adoption VALUES ('a', '', 's-1', " AT(
                      0) ", 0, 1),"
                         " ('a', '', 's-2', " AT(9) ", 0, 1)");
    insert(bench, "INSERT INTO history_series VALUES (1, 'defender_findings{a=\"b\"}'),"
                  " (2, 'defender_secure_score_ratio'), (3, 'defender_gone{a=\"b\"}')");
    insert(bench,
           "INSERT INTO history VALUES (1, " AT(1) " + 1, 7), (1, " AT(
               3) ", 8.5),"
                  " (1, " AT(4) ", NULL), (1, " AT(6) " - 1, 0), (2, " AT(0) ", 0.5),"
                                                                             " (3, " AT(0) ", 1)");
}

static bool take(void *context, const struct buf *text, struct error *error)
{
    (void)error;
    buf_append(context, text->data, text->length);
    return true;
}

/* The samples of one family in [since, until), "hour=value" each. */
static const char *samples_of(struct bench *bench, const char *series, int since, int until,
                              const char *labels, int64_t counted_since)
{
    struct error error = { 0 };
    CLEANUP(buf_finish) struct buf all = { 0 };
    const struct backfill_wanted wanted = { START + since * STEP, START + until * STEP, STEP,
                                            labels };
    struct backfill *backfill =
        backfill_create(bench->database, bench->sources, counted_since, &error);
    CHECK(backfill && backfill_write(backfill, &wanted, take, &all, &bench->samples, &error));
    backfill_destroy(backfill);
    buf_reset(&bench->text);
    for (const char *line = buf_cstr(&all); *line; line = strchr(line, '\n') + 1) {
        size_t length = strlen(series);
        double value;
        long long at;
        if (!strncmp(line, series, length) && line[length] == ' ' &&
            sscanf(line + length, "%lf %lld", &value, &at) == 2)
            buf_printf(&bench->text, "%s%lld=%g", bench->text.length ? " " : "",
                       (at - START) / STEP, value);
    }
    CHECK(strstr(buf_cstr(&all), "\n# EOF\n"));
    CHECK(!strstr(buf_cstr(&all), "defender_gone"));
    return buf_cstr(&bench->text);
}

TEST(a_value_holds_until_another_is_told)
{
    BENCH bench = { 0 };
    make(&bench);
    static const char series[] = "defender_findings{a=\"b\"}";
    CHECK_TEXT(samples_of(&bench, series, 0, 8, "", 0), "2=7 3=8.5 6=0 7=0");
    CHECK_TEXT(samples_of(&bench, series, 3, 6, "", 0), "3=8.5");
    CHECK_TEXT(samples_of(&bench, series, 4, 6, "", 0), "");
    CHECK_TEXT(samples_of(&bench, series, 7, 9, "", 0), "7=0 8=0");
    CHECK_TEXT(samples_of(&bench, "defender_secure_score_ratio", 5, 7, "", 0), "5=0.5 6=0.5");
}

TEST(labels_are_added)
{
    BENCH bench = { 0 };
    make(&bench);
    CHECK_TEXT(samples_of(&bench, "defender_findings{a=\"b\",job=\"x\"}", 6, 7, "job=\"x\"", 0),
               "6=0");
    CHECK_TEXT(samples_of(&bench, "defender_secure_score_ratio{job=\"x\"}", 6, 7, "job=\"x\"", 0),
               "6=0.5");
    CHECK_INT(bench.samples, 4);
}

/* From now back, event by event; what is no longer assessed was not counted either. */
TEST(counters_are_counted_back)
{
    BENCH bench = { 0 };
    make(&bench);
    static const char opened[] =
        "defender_findings_opened_total{subscription_id=\"s-1\",risk_level=\"critical\"}";
    static const char resolved[] =
        "defender_findings_resolved_total{subscription_id=\"s-1\",risk_level=\"high\"}";
    insert(&bench, "INSERT INTO shared_text VALUES (1, 'assessments'), (2, 's-1')");
    insert(
        &bench,
        "INSERT INTO ledger_finding (id, source, assessment_id, subscription_id, resource_head,"
        " resource_tail, resource_name, resource_type, resource_group, risk_factors, risk,"
        " severity, contextual, internet_exposed, attack_paths, is_open, reason, absent_at,"
        " episode, quiet, first_seen_at, changed_at, opened_at, seen_at, resolved_at, overdue_at)"
        " VALUES (x'00112233445566778899aabbccddeeff', 1, 0, 2, 0, 'r', '', 0, 0, 0, 1, 1, 0,"
        " 0, 0, 1, -1, 0, 1, 0, 1, 1, 1, 1, 0, 0)");
    insert(&bench, "INSERT INTO ledger_counter VALUES"
                   " ('defender_findings_opened_total', 's-1,critical', -2, 12),"
                   " ('defender_findings_resolved_total', 's-1,high', -2, 5)");
#define EVENT(number, hours, kind, risk, reason)                                                   \
    "(" #number ", " AT(hours) ", '" kind "', x'00112233445566778899aabbccddeeff', 1, " #risk      \
                               ", 0, " #reason ", 0, '')"
    insert(
        &bench,
        "INSERT INTO ledger_event VALUES " EVENT(1, 2, "finding.opened", 0, -1) "," EVENT(
            2, 4, "finding.opened", 0,
            -1) "," EVENT(3, 4, "finding.opened", 1,
                          -1) "," EVENT(4, 5, "finding.reopened", 0,
                                        -1) "," EVENT(5, 3, "finding.resolved", 1,
                                                      0) "," EVENT(6, 4, "finding.resolved", 1, 6));
    CHECK_TEXT(samples_of(&bench, opened, 1, 6, "", 0), "1=10 2=11 3=11 4=12 5=12");
    CHECK_TEXT(samples_of(&bench, opened, 3, 4, "", 0), "3=11");
    CHECK_TEXT(samples_of(&bench, resolved, 2, 5, "", 0), "2=4 3=5 4=5");
    CHECK_TEXT(samples_of(&bench, opened, 1, 6, "", START + 3 * STEP + 1), "4=12 5=12");
}

TEST(a_run_begins_where_the_last_one_ended)
{
    BENCH bench = { 0 };
    struct error error = { 0 };
    int64_t begin;
    make(&bench);
    CHECK(backfill_begin(bench.database, START - 5, &begin, &error));
    CHECK_INT(begin, START); /* nothing was collected before */
    CHECK(backfill_begin(bench.database, START + 5, &begin, &error));
    CHECK_INT(begin, START + 5);
    CHECK(backfill_end(bench.database, START + 9, &error));
    CHECK(backfill_begin(bench.database, START + 5, &begin, &error));
    CHECK_INT(begin, START + 9);
    CHECK(backfill_begin(bench.database, START + 10, &begin, &error));
    CHECK_INT(begin, START + 10);
}
