#include "collectors/baselines_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct baselines_reports {
    struct intern keys; /* number n is items[n - 1] */
    struct baselines_report *items;
    size_t capacity;
};

struct baselines_reports *baselines_report_create(void)
{
    return MEMORY_NEW(struct baselines_reports);
}

void baselines_report_destroy(struct baselines_reports *reports)
{
    if (!reports)
        return;
    intern_finish(&reports->keys);
    free(reports->items);
    free(reports);
}

static const struct baselines_report *find(const struct baselines_reports *reports, const char *key)
{
    uint32_t number = reports ? intern_find(&reports->keys, key, strlen(key)) : 0;
    return number && number != UINT32_MAX ? &reports->items[number - 1] : NULL;
}

void baselines_report_add(struct baselines_reports *reports, const struct baselines_reports *older,
                          const char *key, const struct baselines_report *report, int64_t now)
{
    const struct baselines_report *before = find(older, key);
    uint32_t number = intern_put(&reports->keys, key, strlen(key));
    MEMORY_GROW(reports->items, number - 1, reports->capacity);
    struct baselines_report *kept = &reports->items[number - 1];
    *kept = *report;
    kept->fresh_at = report->checked_at; /* a run that knows nothing before saw nothing arrive */
    if (before && before->in_form_b)
        kept->fresh_at = before->checked_at == report->checked_at ? before->fresh_at : now;
    if (before && before->in_form_a)
        kept->shrunk_at = report->rules < before->rules ? now : before->shrunk_at;
}

bool baselines_report_fixed(const struct baselines_reports *reports, const struct finding *finding,
                            int64_t since)
{
    char key[PART_ID_BYTES + 16];
    bool is_linux = !strcmp(finding->category, baselines_assignments[BASELINE_LINUX]);
    snprintf(key, sizeof key, "%d|%s", is_linux ? BASELINE_LINUX : BASELINE_WINDOWS,
             finding->resource_id);
    const struct baselines_report *report = find(reports, key);
    return report && (report->in_form_a || report->in_form_b) &&
           (!report->in_form_a || (report->whole && report->shrunk_at < since)) &&
           (!report->in_form_b || report->fresh_at >= since);
}
