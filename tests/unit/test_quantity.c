/* Metrics in words and values with units. */
#include "alerts/text/quantity.h"

#include <math.h>

#include "tests/unit/test.h"

TEST(a_metric_is_told_in_words)
{
    static const struct {
        const char *metric, *words, *unit;
    } cases[] = {
        { "defender_secure_score_ratio", "secure score", "percent" },
        { "defender_findings", "findings", "" },
        { "defender_findings_overdue", "findings overdue", "" },
        { "defender_findings_opened_total", "findings opened", "" },
        { "defender_control_points", "control points", "points" },
        { "defender_assessment_potential_points", "points to gain by a recommendation", "points" },
        { "defender_finding_oldest_timestamp_seconds", "oldest open finding", "date" },
        { "defender_finding_resolution_seconds", "finding resolution", "seconds" },
        { "process_resident_memory_bytes", "process resident memory", "bytes" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        quantity_name(&out, cases[i].metric);
        CHECK_TEXT(buf_cstr(&out), cases[i].words);
        CHECK_TEXT(quantity_unit(cases[i].metric), cases[i].unit);
    }
}

TEST(a_value_has_its_unit)
{
    static const struct {
        double value;
        const char *unit, *text;
    } cases[] = {
        { 0.538, "percent", "53.8 %" },
        { 1.8333333, "points", "1.83" },
        { 7500, "seconds", "2 h 5 min" },
        { 0.25, "seconds", "0.25 s" },
        { 4096, "bytes", "4096 bytes" },
        { 1763726400, "date", "2025-11-21 12:00 UTC" },
        { 0, "date", "0" },
        { 12, "", "12" },
        { 0.5, "", "0.5" },
        { NAN, "percent", "unknown" },
        { INFINITY, "bytes", "unknown" },
        { 1e300, "seconds", "1e+300" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        quantity_write(&out, cases[i].value, cases[i].unit, -1);
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}

TEST(what_differs_reads_differently)
{
    static const struct {
        double value, other;
        const char *unit, *text;
    } cases[] = {
        { 0.538, 0.55, "percent", "53.8 %, below 55.0 %" },
        { 0.5499, 0.55, "percent", "54.99 %, below 55.00 %" },
        { 0.55, 0.55, "percent", "55.0 %, below 55.0 %" },
        { 4.9999, 5, "points", "4.9999, below 5.0000" },
        { 0.55 - 1e-12, 0.55, "percent", "55.000000 %, below 55.000000 %" }, /* no end otherwise */
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        quantity_compare(&out, cases[i].value, ", below ", cases[i].other, cases[i].unit);
        CHECK_TEXT(buf_cstr(&out), cases[i].text);
    }
}
