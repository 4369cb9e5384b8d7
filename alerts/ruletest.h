#pragma once
/* `test rules FILE`: unit tests of rules in YAML, in the manner of promtool. The real evaluator
 * runs on snapshots made from the file, with the file's clock and a database of its own.
 *
 *   rule_files: [rules.yml]
 *   tags: [team]                           # default: those of the configuration
 *   tests:
 *     - name: a new critical finding notifies once
 *       start: 2024-01-01T00:00:00Z        # a Monday; default
 *       interval: 15m                      # of the collections; the first one, at 0s, is adopted
 *       findings:
 *         - { id: a, risk_level: critical, subscription_id: s1, open: 15m, fixed: 1h }
 *       expect:
 *         - { at: 15m, receiver: team, event: finding.opened, findings: [a] }
 *         - { at: 1h, receiver: team, event: finding.resolved, findings: [a] }
 *       expect_nothing_else: true          # default
 *
 * A finding is open from `open` to `fixed` or `gone` (its resource is deleted) and again from
 * `reopened` on; `rerated: {2h: high}` changes its risk. A message is expected when everything that
 * is written fits; `findings` are all its findings, in any order. */
#include "alerts/notify/settings.h"

/* settings: with its receivers and routes, and its rules when the file names none. NULL: one
 * receiver `team`, every alert alone, no limits. Appends promtool-like lines; *failed counts the
 * tests that did not hold. False when the file is wrong (report). */
bool ruletest_run(const char *path, struct settings *settings, const struct family *const *families,
                  struct buf *out, size_t *failed, struct option_report *report) MUST_USE;

extern const struct option ruletest_options[];
