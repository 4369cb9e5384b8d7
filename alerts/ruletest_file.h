#pragma once
/* A file of rule tests as written; ruletest.h shows one. */
#include "collectors/snapshot/finding.h"
#include "core/options.h"

struct ruletest_finding {
    const char *id, *subscription_id, *resource_type, *assessment_id, *title, *category;
    const char *connector, *account;
    int risk, severity, cloud;
    bool internet_exposed, contextual;
    int64_t attack_paths, open_ms, fixed_ms, gone_ms, reopened_ms; /* 0 = never, but open */
    struct option_pairs rerated, tags;
    int line;
};
struct ruletest_expect {
    const char *receiver, *event, *status, *title; /* NULL = any */
    struct option_texts findings;
    int64_t at_ms;
    int line, findings_line; /* 0 = any findings */
};
struct ruletest_case {
    const char *name, *start;
    int64_t interval_ms;
    struct option_items findings, expect;
    bool nothing_else;
    int line;
};
struct ruletest_file {
    struct option_texts rule_files, tags;
    struct option_items tests;
};
