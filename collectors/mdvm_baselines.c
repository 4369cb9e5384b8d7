#include "collectors/mdvm_baselines.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/buf.h"
#include "core/intern.h"
#include "core/memory.h"

enum { QUERY_PROFILES, QUERY_CONFIGURATIONS, QUERY_RESULTS };
enum result { COMPLIANT, NONCOMPLIANT, NOT_APPLICABLE, RESULT_COUNT };
static const char *const result_words[] = { "compliant", "noncompliant", "not_applicable" };

/* Of any of the lists: a profile, a configuration or a device's result. */
struct row {
    const char *id, *name;
    const char *benchmark, *version, *system, *level, *active;
    int64_t passed, total;
    const char *category;
    const char *profile_id, *device_id, *applicable, *compliant;
};

/* clang-format off */
static const struct column profile_columns[] = {
    COLUMN_KEY    (struct row, id,        "id"),
    COLUMN_TEXT   (struct row, name,      "name"),
    COLUMN_TEXT   (struct row, benchmark, "benchmark"),
    COLUMN_TEXT   (struct row, version,   "version"),
    COLUMN_TEXT   (struct row, system,    "operatingSystem"),
    COLUMN_TEXT   (struct row, level,     "complianceLevel"),
    COLUMN_TEXT   (struct row, active,    "status"),
    COLUMN_INTEGER(struct row, passed,    "passedDevices"),
    COLUMN_INTEGER(struct row, total,     "totalDevices"),
    { 0 }
};
static const struct column configuration_columns[] = {
    COLUMN_KEY (struct row, id,        "id"),
    COLUMN_TEXT(struct row, name,      "name"),
    COLUMN_TEXT(struct row, benchmark, "benchmarkName"),
    COLUMN_TEXT(struct row, version,   "benchmarkVersion"),
    COLUMN_TEXT(struct row, category,  "category"),
    { 0 }
};
static const struct column result_columns[] = {
    COLUMN_KEY (struct row, id,         "configurationId"),
    COLUMN_KEY (struct row, profile_id, "profileId"),
    COLUMN_KEY (struct row, device_id,  "deviceId"),
    COLUMN_TEXT(struct row, applicable, "isApplicable"),
    COLUMN_TEXT(struct row, compliant,  "isCompliant"),
    { 0 }
};
/* clang-format on */

_Static_assert(NOT_APPLICABLE == 2, "devices of a profile pass or fail");
struct configuration {
    const char *id, *name, *category, *benchmark, *version;
};

/* A configuration as a profile has it. */
struct rule {
    const char *profile_id, *configuration_id;
    uint64_t devices[RESULT_COUNT];
};

/* The API knows no subscriptions: all is the tenant's. */
struct own {
    struct mdvm_baselines_profile *profiles;
    size_t profile_count, profile_capacity;
    struct configuration *configurations;
    size_t configuration_count, configuration_capacity;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    struct intern keys; /* number n is rules[n - 1] */
};

static void own_finish(void *data)
{
    struct own *own = data;
    intern_finish(&own->keys);
    free(own->profiles);
    free(own->configurations);
    free(own->rules);
    free(own);
}

static struct own *own_of(struct part *part)
{
    return part_own(part, sizeof(struct own), own_finish);
}

static struct mdvm_baselines_profile *find_profile(const struct own *own, const char *id)
{
    for (size_t i = 0; i < own->profile_count; i++)
        if (!strcmp(own->profiles[i].id, id))
            return &own->profiles[i];
    return NULL;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* 1, 0, or -1 when it is neither. Some of these APIs write numbers. */
static int truth_of(const char *word)
{
    return !strcasecmp(word, "true") || !strcmp(word, "1")    ? 1
           : !strcasecmp(word, "false") || !strcmp(word, "0") ? 0
                                                              : -1;
}

static enum odd_reason add_profile(struct part *part, const struct row *row, struct error *error)
{
    struct own *own = own_of(part);
    int active = truth_of(row->active);
    if (active < 0) {
        error_set(error, ERROR_PARSE, "the status is not known: \"%s\"", row->active);
        return *row->active ? ODD_WORD : ODD_MISSING;
    }
    if (row->passed < 0 || row->total < row->passed) {
        error_set(error, ERROR_PARSE, "passedDevices and totalDevices say nothing");
        return ODD_MISSING;
    }
    if (!active)
        return ODD_NONE;
    const char *id = part_keep_lower(part, row->id);
    struct mdvm_baselines_profile *profile = find_profile(own, id);
    if (profile && profile->devices[NONCOMPLIANT] >= (uint64_t)(row->total - row->passed))
        return ODD_NONE; /* it came twice: the worse holds */
    if (!profile) {
        MEMORY_GROW(own->profiles, own->profile_count, own->profile_capacity);
        profile = &own->profiles[own->profile_count++];
    }
    *profile = (struct mdvm_baselines_profile){
        .id = id,
        .name = part_keep(part, row->name),
        .benchmark = part_keep(part, row->benchmark),
        .version = part_keep(part, row->version),
        .system = part_keep(part, row->system),
        .level = part_keep(part, row->level),
        .devices = { (uint64_t)row->passed, (uint64_t)(row->total - row->passed) },
    };
    return ODD_NONE;
}

static enum odd_reason add_configuration(struct part *part, const struct row *row)
{
    struct own *own = own_of(part);
    MEMORY_GROW(own->configurations, own->configuration_count, own->configuration_capacity);
    own->configurations[own->configuration_count++] = (struct configuration){
        .id = part_keep(part, row->id),
        .name = part_keep(part, row->name),
        .category = part_keep(part, row->category),
        .benchmark = part_keep(part, row->benchmark),
        .version = part_keep(part, row->version),
    };
    return ODD_NONE;
}

static enum odd_reason add_result(struct part *part, const struct row *row, struct error *error)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    struct own *own = own_of(part);
    int applicable = truth_of(row->applicable), compliant = truth_of(row->compliant);
    const char *unknown = applicable < 0 ? row->applicable : row->compliant;
    if (applicable < 0 || (applicable && compliant < 0)) {
        error_set(error, ERROR_PARSE, "the result is not known: \"%s\"", unknown);
        return *unknown ? ODD_WORD : ODD_MISSING;
    }
    const char *profile_id = part_keep_lower(part, row->profile_id);
    buf_printf(&key, "%s %s", profile_id, row->id);
    size_t number = intern_put(&own->keys, buf_cstr(&key), key.length);
    if (number > own->rule_count) {
        MEMORY_GROW(own->rules, own->rule_count, own->rule_capacity);
        own->rules[own->rule_count++] =
            (struct rule){ .profile_id = profile_id, .configuration_id = part_keep(part, row->id) };
    }
    own->rules[number - 1].devices[!applicable ? NOT_APPLICABLE
                                   : compliant ? COMPLIANT
                                               : NONCOMPLIANT]++;
    return ODD_NONE;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)context;
    const struct row *row = data;
    return query == QUERY_PROFILES         ? add_profile(part, row, error)
           : query == QUERY_CONFIGURATIONS ? add_configuration(part, row)
                                           : add_result(part, row, error);
}

extern const struct collector mdvm_baselines_collector;

const struct mdvm_baselines_profile *mdvm_baselines_profiles(const struct part *part, size_t *count)
{
    bool ours = part && part->source->collector == &mdvm_baselines_collector;
    const struct own *own = ours ? part->own : NULL;
    *count = own ? own->profile_count : 0;
    return own ? own->profiles : NULL;
}

/* --- metrics ---------------------------------------------------------------------------------- */

#define FROM " From the Defender API, cached."

static const struct family_2 devices = {
    .name = "defender_mdvm_baseline_devices",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Devices of an active baseline profile of Defender Vulnerability Management: those "
            "that pass all of its configurations, and the others." FROM,
    LABELS("profile_id", "state"),
};
static const struct family_6 profile_info = {
    .name = "defender_mdvm_baseline_profile_info",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "An active baseline profile of Defender Vulnerability Management." FROM,
    LABELS("profile_id", "profile", "benchmark", "version", "operating_system", "compliance_level"),
};
static const struct family_2 results = {
    .name = "defender_mdvm_baseline_results",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 0,
    .help = "Results of devices for the configurations of a profile, by state." FROM,
    LABELS("profile_id", "state"),
};
static const struct family_2 failing = {
    .name = "defender_mdvm_baseline_failing_devices",
    .type = METRIC_GAUGE,
    .same = METRIC_SAME_SUM,
    .level = 2,
    .help = "Devices that do not comply with a configuration of a profile; those with none are "
            "left out." FROM,
    LABELS("profile_id", "configuration_id"),
};
static const struct family_4 configuration_info = {
    .name = "defender_mdvm_baseline_configuration_info",
    .type = METRIC_GAUGE,
    .level = 2,
    .help = "What a configuration that fails anywhere is called in the benchmark of its "
            "profile." FROM,
    LABELS("profile_id", "configuration_id", "configuration", "category"),
};
static const struct family *const families[] = {
    &devices.family, &profile_info.family,       &results.family,
    &failing.family, &configuration_info.family, NULL,
};

/* Whether a benchmark's version ("1.4.0-windows_server_2016") is of a profile with version "1.4.0"
 * for "Windows Server 2016". */
static bool is_of_profile(const struct configuration *configuration,
                          const struct mdvm_baselines_profile *profile)
{
    const char *at = configuration->version, *system = profile->system;
    size_t length = strlen(profile->version);
    if (strcasecmp(configuration->benchmark, profile->benchmark) != 0 ||
        strncmp(at, profile->version, length) != 0 || at[length] != '-')
        return false;
    for (at += length + 1; *system; at++, system++)
        if (tolower((unsigned char)*at) != (*system == ' ' ? '_' : tolower((unsigned char)*system)))
            return false;
    return true;
}

/* Ids are of a benchmark: "9.3.9" is something else in another. NULL when that is not known. */
static const struct configuration *find_configuration(const struct own *own, const char *id,
                                                      const struct mdvm_baselines_profile *profile)
{
    for (size_t i = 0; i < own->configuration_count; i++)
        if (!strcmp(own->configurations[i].id, id) &&
            is_of_profile(&own->configurations[i], profile))
            return &own->configurations[i];
    return NULL;
}

static void emit_profiles(const struct own *own, struct metric_set *set)
{
    for (size_t i = 0; i < own->profile_count; i++) {
        const struct mdvm_baselines_profile *profile = &own->profiles[i];
        uint64_t sums[RESULT_COUNT] = { 0 };
        for (size_t rule = 0; rule < own->rule_count; rule++)
            for (int result = 0; result < RESULT_COUNT; result++)
                if (!strcmp(own->rules[rule].profile_id, profile->id))
                    sums[result] += own->rules[rule].devices[result];
        metric_add(set, &profile_info, 1,
                   METRIC_LABELS(profile->id, profile->name, profile->benchmark, profile->version,
                                 profile->system, profile->level));
        for (int result = 0; result < RESULT_COUNT; result++)
            metric_add(set, &results, (double)sums[result],
                       METRIC_LABELS(profile->id, result_words[result]));
        for (int state = 0; state < NOT_APPLICABLE; state++)
            metric_add(set, &devices, (double)profile->devices[state],
                       METRIC_LABELS(profile->id, result_words[state]));
    }
}

static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    (void)snapshot;
    const struct own *own = part->own;
    if (!own)
        return;
    emit_profiles(own, set);
    for (size_t i = 0; i < own->rule_count; i++) {
        const struct rule *rule = &own->rules[i];
        const struct mdvm_baselines_profile *profile = find_profile(own, rule->profile_id);
        if (!rule->devices[NONCOMPLIANT] || !profile) /* only active ones are kept */
            continue;
        const struct configuration *found =
            find_configuration(own, rule->configuration_id, profile);
        metric_add(set, &failing, (double)rule->devices[NONCOMPLIANT],
                   METRIC_LABELS(rule->profile_id, rule->configuration_id));
        if (found)
            metric_add(set, &configuration_info, 1,
                       METRIC_LABELS(rule->profile_id, rule->configuration_id, found->name,
                                     found->category));
    }
}

/* A result is about 1 KB: a page is of 20 MB. */
#define RESULTS "/api/machines/baselineComplianceAssessmentByMachine?pageSize=20000"

const struct collector mdvm_baselines_collector = {
    .name = "mdvm_baselines",
    .words = "baselines of Vulnerability Management",
    .help = "Security baselines of Defender Vulnerability Management: profiles and their devices.",
    .default_interval = "6h",
    .role = COLLECTOR_DATA,
    .order = 95,
    .off = true,
    .rights = { "`SecurityBaselinesAssessment.Read.All` of the Defender API (WindowsDefenderATP)",
                "application permission, with admin consent" },
    .variants = {
        /* source: Microsoft Learn, Defender for Endpoint API, security baselines assessment */
        { "api", .queries = {
            { .name = "baselineProfiles", .host = HOST_DEFENDER_API,
              .path = "/api/baselineProfiles", .columns = profile_columns },
            { .name = "baselineConfigurations", .host = HOST_DEFENDER_API, .id = "uniqueId",
              .path = "/api/baselineConfigurations", .columns = configuration_columns },
            { .name = "baselineComplianceAssessmentByMachine", .host = HOST_DEFENDER_API,
              .path = RESULTS, .columns = result_columns },
        } },
    },
    .families = families,
    .fold = fold,
    .emit = emit,
};
