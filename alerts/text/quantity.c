#include "alerts/text/quantity.h"

#include <math.h>
#include <string.h>

#include "alerts/text/text.h"

enum { DECIMALS_MAX = 6 };

/* --- names ------------------------------------------------------------------------------------ */

/* Names whose words do not say it, in plain order. */
static const struct {
    const char *metric, *words;
} names[] = {
    { "defender_finding_oldest_timestamp_seconds", "oldest open finding" },
    { "defender_data_newest_evaluation_timestamp_seconds", "newest evaluation" },
    { "defender_findings_on_attack_path", "findings on attack paths" },
    { "defender_findings_internet_exposed", "findings exposed to the internet" },
    { "defender_assessment_potential_points", "points to gain by a recommendation" },
    { "defender_baseline_rule_failing_machines", "machines that fail a baseline rule" },
    { "defender_up", "health of the exporter" },
};

/* Ends of names that say a unit, the longest first. */
static const struct {
    const char *end, *unit;
} units[] = {
    { "_timestamp_seconds", "date" },
    { "_seconds_total", "seconds" },
    { "_seconds", "seconds" },
    { "_bytes_total", "bytes" },
    { "_bytes", "bytes" },
    { "_ratio", "percent" },
    { "_total", "" },
};

/* The place in units of the end of a name, or of none. */
static size_t end_of(const char *metric)
{
    size_t length = strlen(metric), place = 0;
    for (; place < ARRAY_COUNT(units); place++) {
        size_t end = strlen(units[place].end);
        if (length > end && !strcmp(metric + length - end, units[place].end))
            break;
    }
    return place;
}

const char *quantity_unit(const char *metric)
{
    size_t end = end_of(metric);
    if (end < ARRAY_COUNT(units))
        return units[end].unit;
    return strstr(metric, "_points") ? "points" : "";
}

void quantity_name(struct buf *out, const char *metric)
{
    static const char prefix[] = "defender_";
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (!strcmp(metric, names[i].metric)) {
            buf_text(out, names[i].words);
            return;
        }
    size_t end = end_of(metric), length = strlen(metric);
    if (end < ARRAY_COUNT(units))
        length -= strlen(units[end].end);
    size_t start = !strncmp(metric, prefix, sizeof prefix - 1) ? sizeof prefix - 1 : 0;
    for (size_t i = start; i < length; i++)
        buf_char(out, metric[i] == '_' ? ' ' : metric[i]);
}

/* --- values ----------------------------------------------------------------------------------- */

void quantity_write(struct buf *out, double value, const char *unit, int decimals)
{
    if (!isfinite(value))
        buf_text(out, "unknown");
    else if (!strcmp(unit, "percent"))
        buf_printf(out, "%.*f %%", decimals < 0 ? 1 : decimals, value * 100);
    else if (!strcmp(unit, "points"))
        buf_printf(out, "%.*f", decimals < 0 ? 2 : decimals, value);
    else if (!strcmp(unit, "seconds") && fabs(value) >= 1 && fabs(value) < 1e12)
        text_age(out, (int64_t)value);
    else if (!strcmp(unit, "date") && value > 0 && value < 1e11)
        text_instant(out, (int64_t)value, 0);
    else
        buf_number(out, value);
    if (isfinite(value) && !strcmp(unit, "bytes"))
        buf_text(out, " bytes");
    if (isfinite(value) && !strcmp(unit, "seconds") && fabs(value) < 1)
        buf_text(out, " s");
}

void quantity_compare(struct buf *out, double value, const char *between, double other,
                      const char *unit)
{
    CLEANUP(buf_finish) struct buf left = { 0 };
    CLEANUP(buf_finish) struct buf right = { 0 };
    for (int decimals = -1; decimals <= DECIMALS_MAX; decimals = decimals < 0 ? 2 : decimals + 1) {
        buf_reset(&left);
        buf_reset(&right);
        quantity_write(&left, value, unit, decimals);
        quantity_write(&right, other, unit, decimals);
        if (value == other || strcmp(buf_cstr(&left), buf_cstr(&right)) != 0)
            break;
    }
    buf_printf(out, "%s%s%s", buf_cstr(&left), between, buf_cstr(&right));
}
