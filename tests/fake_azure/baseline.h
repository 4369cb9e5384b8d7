#pragma once
/* Rules of the OS security baselines, the machines they are checked on, and what was found. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue.h"
#include "core/arena.h"

enum { RULES_MAX = 430, RULES_WINDOWS = 230, RULES_LINUX = 165 };

enum rule_severity { RULE_CRITICAL, RULE_WARNING, RULE_INFORMATION, RULE_SEVERITY_COUNT };

struct rule {
    const char *name, *category;
    const char *id; /* "AZ-WIN-00123"; "" for some */
    enum rule_severity severity;
    char key[37];
};

/* Both operating systems have RULES_MAX rules; a machine is checked against the first few. */
struct baseline {
    uint64_t seed;
    unsigned versions[OS_COUNT]; /* minor numbers */
    struct rule rules[OS_COUNT][RULES_MAX];
    uint16_t by_key[OS_COUNT][RULES_MAX];  /* rule numbers in the order of their keys */
    uint16_t by_name[OS_COUNT][RULES_MAX]; /* ... and names */
    struct arena texts;
};

enum machine_state { MACHINE_FRESH, MACHINE_PENDING, MACHINE_STALE };
enum { FORM_A = 1, FORM_B = 2 }; /* sub-assessments, machine configuration */

struct machine {
    uint32_t resource;
    uint16_t rules;
    uint8_t os, state, forms;
    int64_t checked_at;
    uint8_t failing[(RULES_MAX + 7) / 8];
    uint8_t has_failed[(RULES_MAX + 7) / 8]; /* at any time */
};

void baseline_build(struct baseline *baseline, uint64_t seed);
void baseline_finish(struct baseline *baseline);

/* "1.0.0.0" */
const char *baseline_version(const struct baseline *baseline, enum os os, struct arena *scratch);

/* A machine is checked against so many rules from now on; those that are new to it fail. */
void baseline_widen(struct machine *machine, size_t rules);

/* The first findings of a machine that was set up by hand otherwise. */
void baseline_fill(const struct baseline *baseline, struct machine *machine, uint64_t number);

bool baseline_fails(const struct machine *machine, size_t rule);
bool baseline_has_failed(const struct machine *machine, size_t rule);
void baseline_flip(struct machine *machine, size_t rule);
size_t baseline_failing(const struct machine *machine);

/* What the report says of a failing rule: JSON of its `reasons`; the phrase of the first one goes
 * to phrase ("" when there is none). */
const char *baseline_reasons(const struct baseline *baseline, const struct machine *machine,
                             size_t rule, const char **phrase, struct arena *scratch);

/* The code beside the phrase of a failing rule: it names Linux's rules. */
const char *baseline_code(const struct baseline *baseline, const struct machine *machine,
                          size_t rule, struct arena *scratch);

/* What the sub-assessments of a rule say of it; some say less, as Azure's do. */
struct baseline_text {
    const char *description, *impact, *remediation; /* HTML, "" and "N/A" among them */
};
void baseline_text(const struct baseline *baseline, enum os os, size_t rule, struct arena *scratch,
                   struct baseline_text *text);

const char *baseline_assignment(enum os os);            /* "AzureWindowsBaseline" */
const char *baseline_severity(const struct rule *rule); /* of the sub-assessment: "High" ... */
