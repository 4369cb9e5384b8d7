/* What pushing so many points costs beside rendering them as text: memory here, instructions by
 * otlp.py beside it.
 *
 *   BENCH_OTLP=POINTS build/release/bench_otlp   (100000)
 *
 * Exits 1 when the memory is beyond the limit; sanitizers have their own, so they only run it. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/test.h"
#include "core/compiler.h"
#include "exporter/formats/encoding.h"
#include "exporter/otlp/otlp_metrics.h"

enum { MORE_KB_MAX = 2048, KINDS = 40 };

static const struct family_4 points = { .name = "defender_assessment_subscription_findings",
                                        .type = METRIC_GAUGE,
                                        .help = "Findings.",
                                        LABELS("assessment_id", "subscription_id", "risk_level",
                                               "cloud") };

static void fill(struct metric_set *set, int count)
{
    static const char *const risks[] = { "critical", "high", "low", "medium", "not_evaluated" };
    for (int i = 0; i < count; i++) {
        char assessment[40], subscription[40];
        snprintf(assessment, sizeof assessment, "%08x-1c2d-4e5f-8091-a2b3c4d5e6f7", i / 200);
        snprintf(subscription, sizeof subscription, "%08x-2d3e-4f50-91a2-b3c4d5e6f708",
                 i / 5 % KINDS);
        metric_add(set, &points, i % 997,
                   METRIC_LABELS(assessment, subscription, risks[i % 5], "azure"));
    }
    metric_set_sort(set);
}

/* The most memory that was in use since the last call, which forgets it. */
static long peak_kb(void)
{
    char line[128];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld", &kb);
    if (status)
        fclose(status);
    malloc_trim(0);
    FILE *forget = fopen("/proc/self/clear_refs", "we"); /* 5: the peak becomes what is now */
    CHECK(forget && fputs("5", forget) >= 0 && !fclose(forget));
    return kb;
}

TEST(pushing_takes_little_memory)
{
    static const struct otlp_config config = { 0 };
    CLEANUP(metric_set_finish) struct metric_set set = { .max_level = 3 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(otlp_resource_finish) struct otlp_resource resource;
    const char *wanted = getenv("BENCH_OTLP");
    fill(&set, wanted ? atoi(wanted) : 100000);
    otlp_resource_init(&resource, &config, "one");
    peak_kb();
    long before_kb = peak_kb(); /* without what only filling took */
    struct otlp_metrics metrics = { .resource = &resource, .at = 1763726400 };
    otlp_metrics_add(&metrics, &set);
    otlp_metrics_end(&metrics);
    long more_kb = peak_kb() - before_kb;
    size_t items = 0, bytes = 0;
    for (size_t i = 0; i < metrics.count; i++) {
        items += metrics.packets[i].items;
        bytes += metrics.packets[i].packed.length;
    }
    encoding_append(&encodings[encoding_count - 1], &(struct encoding_options){ 0 }, &set, true,
                    &text);
    printf("%zu points: %zu bytes in %zu packets, %ld kB more; %zu bytes of text\n", items, bytes,
           metrics.count, more_kb, text.length);
    CHECK_INT(items, set.count);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(more_kb <= MORE_KB_MAX);
#endif
    otlp_metrics_finish(&metrics);
}
