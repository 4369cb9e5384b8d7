/* Names of OpenTelemetry, and what Prometheus makes of them. */
#include <stdio.h>

#include "alerts/alerting.h"
#include "collectors/azure/arm.h"
#include "collectors/custom.h"
#include "collectors/run/fast.h"
#include "exporter/otlp/otlp.h"
#include "exporter/otlp/otlp_name.h"
#include "exporter/process.h"
#include "exporter/series.h"
#include "exporter/service.h"
#include "exporter/web/admission.h"
#include "exporter/web/dispatch.h"
#include "exporter/web/login.h"
#include "sources.h"
#include "test.h"

enum { TOKENS_MAX = 16 };

struct tokens {
    const char *list[TOKENS_MAX];
    size_t count;
};

static void remove_token(struct tokens *tokens, const char *word)
{
    size_t kept = 0;
    for (size_t i = 0; i < tokens->count; i++)
        if (strcmp(tokens->list[i], word) != 0)
            tokens->list[kept++] = tokens->list[i];
    tokens->count = kept;
}

static bool has_token(const struct tokens *tokens, const char *word)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (!strcmp(tokens->list[i], word))
            return true;
    return false;
}

/* As Prometheus does: unit of its table unless it is there, total last of what only grows, ratio
 * last of a gauge whose unit is 1. source: prometheus/otlptranslator, metric_namer.go. */
static const char *translate(const struct otlp_name *name, bool grows, bool gauge)
{
    static char out[OTLP_NAME_BYTES], copy[OTLP_NAME_BYTES];
    struct tokens tokens = { 0 };
    snprintf(copy, sizeof copy, "%s", name->name);
    char *rest;
    for (char *one = strtok_r(copy, "._", &rest); one; one = strtok_r(NULL, "._", &rest))
        tokens.list[tokens.count++] = one;
    const char *unit = !strcmp(name->unit, "s")    ? "seconds"
                       : !strcmp(name->unit, "By") ? "bytes"
                                                   : "";
    if (*unit && !has_token(&tokens, unit))
        tokens.list[tokens.count++] = unit;
    if (grows) {
        remove_token(&tokens, "total");
        tokens.list[tokens.count++] = "total";
    }
    if (gauge && !strcmp(name->unit, "1")) {
        remove_token(&tokens, "ratio");
        tokens.list[tokens.count++] = "ratio";
    }
    out[0] = 0;
    for (size_t i = 0; i < tokens.count; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? "_" : "", tokens.list[i]);
    return out;
}

static size_t check_families(const struct family *const *families)
{
    size_t count = 0;
    for (; families && *families; families++, count++) {
        const struct otlp_name name = otlp_name_of(*families);
        CHECK_TEXT(translate(&name, (*families)->type == METRIC_COUNTER,
                             (*families)->type == METRIC_GAUGE),
                   (*families)->name);
    }
    return count;
}

TEST(every_family_gets_its_name_back)
{
    static const struct family *const *const own[] = {
        runner_families,   fast_families,      arm_families,   service_families, series_families,
        dispatch_families, admission_families, login_families, process_families, custom_families,
    };
    size_t count = 0;
    for (size_t i = 0; i < test_sources()->count; i++)
        count += check_families(test_sources()->sources[i].collector->families);
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        count += check_families(own[i]);
    for (size_t i = 0; alerting_families[i]; i++)
        count += check_families(alerting_families[i]);
    for (size_t i = 0; otlp_families[i]; i++)
        count += check_families(otlp_families[i]);
    CHECK(count > 150);
}

TEST(units_are_what_is_counted)
{
    static const struct {
        struct family family;
        const char *name, *unit;
    } rows[] = {
        { { .name = "defender_findings", .type = METRIC_GAUGE }, "defender.findings", "{finding}" },
        { { .name = "defender_findings_opened_total", .type = METRIC_COUNTER },
          "defender.findings.opened",
          "" },
        { { .name = "defender_finding_resolution_seconds", .type = METRIC_HISTOGRAM },
          "defender.finding.resolution",
          "s" },
        { { .name = "defender_exporter_state_bytes", .type = METRIC_GAUGE },
          "defender.exporter.state",
          "By" },
        { { .name = "defender_secure_score_ratio", .type = METRIC_GAUGE },
          "defender.secure.score",
          "1" },
        { { .name = "defender_secure_score_points", .type = METRIC_GAUGE },
          "defender.secure.score.points",
          "{point}" },
        { { .name = "defender_assessment_info", .type = METRIC_INFO },
          "defender.assessment.info",
          "" },
        { { .name = "process_cpu_seconds_total", .type = METRIC_COUNTER }, "process.cpu", "s" },
        { { .name = "defender_up", .type = METRIC_GAUGE }, "defender.up", "" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct otlp_name name = otlp_name_of(&rows[i].family);
        CHECK_TEXT(name.name, rows[i].name);
        CHECK_TEXT(name.unit, rows[i].unit);
    }
}
