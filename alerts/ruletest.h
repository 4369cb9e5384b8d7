#pragma once
/* `test rules FILE`: unit tests of rules in YAML, in the manner of promtool. The real evaluator
 * runs on snapshots made from the file, with the file's clock and a database in memory.
 *
 *   rule_files: [rules.yml]
 *   tests:
 *     - name: a new critical pages once
 *       interval: 15m                      # of the collections
 *       findings:
 *         - { id: a, risk_level: critical, subscription_id: s1, open: "15m", fixed: "1h" }
 *       expect:
 *         - { at: 15m, receiver: team, event: finding.opened, findings: [a] }
 *         - { at: 1h, receiver: team, event: finding.resolved, findings: [a] }
 *       expect_nothing_else: true          # default
 */
#include "alerts/settings.h"

/* settings NULL: one receiver `team`, no grouping. Appends promtool-like lines; *failed counts the
 * tests that did not hold. False when the file is wrong (report). */
bool ruletest_run(const char *path, struct settings *settings, const struct family *const *families,
                  struct buf *out, size_t *failed, struct option_report *report) MUST_USE;

extern const struct option ruletest_options[];
