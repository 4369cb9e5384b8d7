#include "collectors/baselines_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { KEPT_S = 7 * 24 * 3600 }; /* what is known of a machine without reports */

/* The version a machine reported last. */
struct gauge {
    uint32_t version; /* number of reports->version_keys */
    int64_t moved_at, seen_at;
};

struct baselines_reports {
    struct intern keys; /* number n is items[n - 1] */
    struct baselines_report *items;
    size_t capacity;
    struct intern gauge_keys; /* number n is gauges[n - 1] */
    struct gauge *gauges;
    size_t gauge_capacity;
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
    intern_finish(&reports->gauge_keys);
    free(reports->gauges);
    intern_finish(&reports->version_keys);
    free(reports->versions);
    free(reports);
}

static const struct baselines_report *find(const struct baselines_reports *reports, const char *key)
{
    uint32_t number = reports ? intern_find(&reports->keys, key, strlen(key)) : 0;
    return number && number != UINT32_MAX ? &reports->items[number - 1] : NULL;
}

/* --- versions --------------------------------------------------------------------------------- */
static const struct gauge *find_gauge(const struct baselines_reports *reports, const char *key)
{
    uint32_t number = reports ? intern_find(&reports->gauge_keys, key, strlen(key)) : 0;
    return number && number != UINT32_MAX ? &reports->gauges[number - 1] : NULL;
}

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

static void put_gauge(struct baselines_reports *reports, const char *key, const struct gauge *gauge)
{
    uint32_t number = intern_put(&reports->gauge_keys, key, strlen(key));
    MEMORY_GROW(reports->gauges, number - 1, reports->gauge_capacity);
    reports->gauges[number - 1] = *gauge;
}

/* A machine whose report says of which version it is. */
static void add_version(struct baselines_reports *reports, const struct baselines_reports *older,
                        const char *key, const char *version, int64_t now)
{
    char text[128];
    const struct gauge *before = find_gauge(older, key);
    snprintf(text, sizeof text, "%c|%.100s", *key, version);
    struct gauge gauge = { .version = put_version(reports, text), .seen_at = now };
    bool moved = before && strcmp(intern_text(&older->version_keys, before->version), text) != 0;
    gauge.moved_at = moved ? now : before ? before->moved_at : 0;
    reports->versions[gauge.version - 1].machines++;
    reports->versions[gauge.version - 1].moved += moved;
    put_gauge(reports, key, &gauge);
}

void baselines_report_carry(struct baselines_reports *reports,
                            const struct baselines_reports *older, int64_t now)
{
    for (uint32_t i = 1; older && i < older->gauge_keys.count; i++) {
        const char *key = intern_text(&older->gauge_keys, i);
        struct gauge gauge = older->gauges[i - 1];
        if (find_gauge(reports, key) || now - gauge.seen_at > KEPT_S)
            continue;
        gauge.version = put_version(reports, intern_text(&older->version_keys, gauge.version));
        put_gauge(reports, key, &gauge);
    }
}

const struct baselines_version *baselines_report_versions(const struct baselines_reports *reports,
                                                          size_t *count)
{
    *count = reports && reports->version_keys.count ? reports->version_keys.count - 1 : 0;
    return *count ? reports->versions : NULL;
}

static char *key_of(const struct finding *finding, char key[PART_ID_BYTES + 16])
{
    bool is_linux = !strcmp(finding->category, baselines_assignments[BASELINE_LINUX]);
    snprintf(key, PART_ID_BYTES + 16, "%d|%s", is_linux ? BASELINE_LINUX : BASELINE_WINDOWS,
             finding->resource_id);
    return key;
}

size_t baselines_report_version(const struct baselines_reports *reports,
                                const struct finding *finding)
{
    char key[PART_ID_BYTES + 16];
    const struct gauge *gauge = find_gauge(reports, key_of(finding, key));
    return gauge ? gauge->version : 0;
}

int64_t baselines_report_moved_at(const struct baselines_reports *reports,
                                  const struct finding *finding)
{
    char key[PART_ID_BYTES + 16];
    const struct gauge *gauge = find_gauge(reports, key_of(finding, key));
    return gauge ? gauge->moved_at : 0;
}

/* --- reports ---------------------------------------------------------------------------------- */
void baselines_report_add(struct baselines_reports *reports, const struct baselines_reports *older,
                          const char *key, const struct baselines_report *report, int64_t now)
{
    const struct baselines_report *before = find(older, key);
    uint32_t number = intern_put(&reports->keys, key, strlen(key));
    MEMORY_GROW(reports->items, number - 1, reports->capacity);
    struct baselines_report *kept = &reports->items[number - 1];
    *kept = *report;
    kept->version = "";                  /* borrowed: what is kept of it is a gauge */
    kept->fresh_at = report->checked_at; /* a run that knows nothing before saw nothing arrive */
    if (before && before->in_form_b)
        kept->fresh_at = before->checked_at == report->checked_at ? before->fresh_at : now;
    if (before && before->in_form_a)
        kept->shrunk_at = report->rules < before->rules ? now : before->shrunk_at;
    if (*report->version)
        add_version(reports, older, key, report->version, now);
}

bool baselines_report_fixed(const struct baselines_reports *reports, const struct finding *finding,
                            int64_t since)
{
    char key[PART_ID_BYTES + 16];
    const struct baselines_report *report = find(reports, key_of(finding, key));
    return report && (report->in_form_a || report->in_form_b) &&
           (!report->in_form_a || (report->whole && report->shrunk_at < since)) &&
           (!report->in_form_b || report->fresh_at >= since);
}
