#include "collectors/baselines_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

struct baselines_reports {
    struct intern keys; /* number n is items[n - 1] */
    struct report {
        struct baselines_report is;
        uint32_t version; /* number of version_keys; 0 = not told */
    } * items;
    size_t capacity;
    struct intern version_keys; /* "0|1.0.0.0": number n is versions[n - 1] */
    struct baselines_version *versions;
    size_t version_capacity;
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
    intern_finish(&reports->version_keys);
    free(reports->versions);
    free(reports);
}

static const struct baselines_report *find(const struct baselines_reports *reports, const char *key)
{
    uint32_t number = reports ? intern_find(&reports->keys, key, strlen(key)) : 0;
    return number && number != UINT32_MAX ? &reports->items[number - 1].is : NULL;
}

/* --- versions --------------------------------------------------------------------------------- */
/* The number of a version; key: "0|1.0.0.0". */
static uint32_t put_version(struct baselines_reports *reports, const char *key)
{
    size_t known = reports->version_keys.count;
    uint32_t number = intern_put(&reports->version_keys, key, strlen(key));
    if (number < known)
        return number;
    MEMORY_GROW(reports->versions, number - 1, reports->version_capacity);
    reports->versions[number - 1] = (struct baselines_version){
        .baseline = *key == '0' + BASELINE_LINUX ? BASELINE_LINUX : BASELINE_WINDOWS,
        .text = intern_text(&reports->version_keys, number) + strlen("0|"),
    };
    return number;
}

const struct baselines_version *baselines_report_versions(const struct baselines_reports *reports,
                                                          size_t *count)
{
    *count = reports && reports->version_keys.count ? reports->version_keys.count - 1 : 0;
    return *count ? reports->versions : NULL;
}

/* --- reports ---------------------------------------------------------------------------------- */
char *baselines_report_key(const struct finding *finding, char out[BASELINES_REPORT_KEY_BYTES])
{
    bool is_linux = !strcmp(finding->category, baselines_assignments[BASELINE_LINUX]);
    snprintf(out, BASELINES_REPORT_KEY_BYTES, "%d|%s", is_linux ? BASELINE_LINUX : BASELINE_WINDOWS,
             finding->resource_id);
    return out;
}

void baselines_report_add(struct baselines_reports *reports, const struct baselines_reports *older,
                          const char *key, const struct baselines_report *report, int64_t now)
{
    const struct baselines_report *before = find(older, key);
    uint32_t number = intern_put(&reports->keys, key, strlen(key));
    MEMORY_GROW(reports->items, number - 1, reports->capacity);
    struct report *kept = &reports->items[number - 1];
    *kept = (struct report){ .is = *report };
    kept->is.version = "";                  /* borrowed */
    kept->is.fresh_at = report->checked_at; /* a run that knows nothing before saw none arrive */
    if (before && before->in_form_b)
        kept->is.fresh_at = before->checked_at == report->checked_at ? before->fresh_at : now;
    if (*report->version) {
        char version[128];
        snprintf(version, sizeof version, "%c|%.100s", *key, report->version);
        kept->version = put_version(reports, version);
        reports->versions[kept->version - 1].machines++;
    }
}

const char *baselines_report_at(const struct baselines_reports *reports, size_t index,
                                struct baselines_gauge *gauge)
{
    if (!reports || index + 1 >= reports->keys.count)
        return NULL;
    const struct report *report = &reports->items[index];
    const char *key = intern_text(&reports->keys, (uint32_t)index + 1);
    *gauge = (struct baselines_gauge){
        .version = report->version,
        .counted = report->is.in_form_a,
        .rules = report->is.rules,
        .baseline = *key == '0' + BASELINE_LINUX ? BASELINE_LINUX : BASELINE_WINDOWS,
        .machine_id = key + strlen("0|"),
        .checked_at = report->is.checked_at,
        .reported = report->is.in_form_a || report->is.checked_at,
    };
    return key;
}

bool baselines_report_fixed(const struct baselines_reports *reports, const struct finding *finding,
                            int64_t since)
{
    char key[BASELINES_REPORT_KEY_BYTES];
    const struct baselines_report *report = find(reports, baselines_report_key(finding, key));
    return report && (report->in_form_a || report->in_form_b) &&
           (!report->in_form_a || report->whole) &&
           (!report->in_form_b || report->fresh_at >= since);
}
