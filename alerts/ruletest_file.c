#include "alerts/ruletest_file.h"

#include <string.h>

#include "alerts/ruletest.h"
#include "core/clock.h"

enum { HOUR_MS = 3600000, YEAR_DAYS = 366 };

static const char *check_instant(const void *value)
{
    int64_t at;
    const char *text = *(const char *const *)value;
    return clock_parse_rfc3339(text, &at) && at ? NULL : "must be a time like 2024-01-01T00:00:00Z";
}

static const char *check_rerated(const void *value)
{
    const struct option_pairs *pairs = value;
    struct error error;
    int64_t at_ms;
    for (size_t i = 0; i < pairs->count; i++)
        if (!clock_parse_duration(pairs->pairs[i].name, &at_ms, &error) ||
            (finding_risk(pairs->pairs[i].value) == RISK_NOT_EVALUATED &&
             strcmp(pairs->pairs[i].value, finding_risk_words[RISK_NOT_EVALUATED]) != 0))
            return "must be like {2h: high}";
    return NULL;
}

/* clang-format off */
#define TIME(member, text) \
    OPTION_DURATION(struct ruletest_finding, member##_ms), \
    .otherwise = "0s", .max = (double)YEAR_DAYS * 24 * HOUR_MS, .help = text

static const struct option finding_rows[] = {
    { "id", OPTION_TEXT(struct ruletest_finding, id), .required = true,
      OPTION_LINE(struct ruletest_finding, line),
      .help = "Name in this test, and of the resource." },
    { "risk_level", OPTION_WORD(struct ruletest_finding, risk), .otherwise = "critical",
      .words = finding_risk_words, .help = "Its risk level." },
    { "severity", OPTION_WORD(struct ruletest_finding, severity), .otherwise = "high",
      .words = finding_severity_words, .help = "Severity of the recommendation." },
    { "subscription_id", OPTION_TEXT(struct ruletest_finding, subscription_id),
      .otherwise = "s1", .help = "Its subscription." },
    { "cloud", OPTION_WORD(struct ruletest_finding, cloud), .otherwise = "azure",
      .words = cloud_kind_words, .help = "Cloud of its resource." },
    { "connector", OPTION_TEXT(struct ruletest_finding, connector), .otherwise = "",
      .help = "Connector it is below, of another cloud." },
    { "account", OPTION_TEXT(struct ruletest_finding, account), .otherwise = "",
      .help = "Account or project there." },
    { "resource_type", OPTION_TEXT(struct ruletest_finding, resource_type),
      .otherwise = "microsoft.compute/virtualmachines", .help = "Type of its resource." },
    { "assessment_id", OPTION_TEXT(struct ruletest_finding, assessment_id),
      .otherwise = "00000000-0000-0000-0000-000000000001", .help = "Key of the recommendation." },
    { "title", OPTION_TEXT(struct ruletest_finding, title),
      .otherwise = "A recommendation", .help = "Title of the recommendation." },
    { "category", OPTION_TEXT(struct ruletest_finding, category), .otherwise = "Compute",
      .help = "Category of the recommendation." },
    { "internet_exposed", OPTION_BOOL(struct ruletest_finding, internet_exposed),
      .otherwise = "false", .help = "Whether a risk factor says so." },
    { "contextual", OPTION_BOOL(struct ruletest_finding, contextual),
      .otherwise = "true", .help = "Whether the risk comes from context." },
    { "attack_paths", OPTION_INTEGER(struct ruletest_finding, attack_paths),
      .otherwise = "0", .max = 1000, .help = "How many attack paths it is on." },
    { "open", TIME(open, "When it is found.") },
    { "fixed", TIME(fixed, "When it is healthy; 0s means never.") },
    { "gone", TIME(gone, "When its resource is deleted; 0s means never.") },
    { "reopened", TIME(reopened, "When it is found again; 0s means never.") },
    { "rerated", OPTION_TEXT_MAP(struct ruletest_finding, rerated),
      .check = check_rerated, .help = "Times and new risk levels." },
    { "tags", OPTION_TEXT_MAP(struct ruletest_finding, tags),
      .help = "Tags of its resource that are listed." },
    { 0 }
};
#undef TIME

static const struct option expect_rows[] = {
    { "at", OPTION_DURATION(struct ruletest_expect, at_ms), .required = true,
      OPTION_LINE(struct ruletest_expect, line), .help = "When it is decided." },
    { "receiver", OPTION_TEXT(struct ruletest_expect, receiver), .help = "For whom." },
    { "event", OPTION_TEXT(struct ruletest_expect, event),
      .help = "Type of the message." },
    { "status", OPTION_TEXT(struct ruletest_expect, status),
      .help = "firing or resolved." },
    { "title", OPTION_TEXT(struct ruletest_expect, title), .help = "The whole title." },
    { "findings", OPTION_TEXT_LIST(struct ruletest_expect, findings),
      OPTION_LINE(struct ruletest_expect, findings_line),
      .help = "All its findings, by id." },
    { 0 }
};

static const struct option test_rows[] = {
    { "name", OPTION_TEXT(struct ruletest_case, name), .required = true,
      OPTION_LINE(struct ruletest_case, line), .help = "What holds." },
    { "start", OPTION_TEXT(struct ruletest_case, start), .check = check_instant,
      .otherwise = "2024-01-01T00:00:00Z", .help = "What the clock says at 0s." },
    { "interval", OPTION_DURATION(struct ruletest_case, interval_ms), .otherwise = "15m",
      .min = 1000, .max = 24 * HOUR_MS, .help = "Time between two collections." },
    { "findings", OPTION_ITEMS(struct ruletest_case, findings, struct ruletest_finding),
      .section = finding_rows, .help = "What Defender finds." },
    { "expect", OPTION_ITEMS(struct ruletest_case, expect, struct ruletest_expect),
      .section = expect_rows, .help = "Which messages must follow." },
    { "expect_nothing_else", OPTION_BOOL(struct ruletest_case, nothing_else),
      .otherwise = "true", .help = "Whether other messages are a failure." },
    { 0 }
};

const struct option ruletest_options[] = {
    { "rule_files", OPTION_TEXT_LIST(struct ruletest_file, rule_files),
      .help = "Rules to test, relative to this file; patterns are allowed." },
    { "tags", OPTION_TEXT_LIST(struct ruletest_file, tags),
      .help = "Tags that alerts have as labels. Default: those of the configuration." },
    { "tests", OPTION_ITEMS(struct ruletest_file, tests, struct ruletest_case),
      .section = test_rows, .help = "The tests." },
    { 0 }
};
/* clang-format on */
