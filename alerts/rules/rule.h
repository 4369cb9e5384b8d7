#pragma once
/* Alert rules as written: event rules and threshold rules, read and checked against everything
 * they name; the same rows print the rules reference.
 *
 *   groups:
 *     - name: findings
 *       rules:
 *         - alert: NewCriticalFinding
 *           event: [finding.opened, finding.reopened, finding.risk_changed]
 *           match: ['risk_level="critical"', 'resource_type!~"microsoft.storage/.*"']
 *           internet_exposed: true        # on_attack_path, contextual: the same; absent = any
 *           min_age: 1h                   # with finding.opened: fires when it is still open then
 *           labels: { team: cloud }
 *           title: '{{risk_level}}: {{assessment_title}}'
 *         - alert: ScoreLow
 *           metric: defender_secure_score_ratio
 *           match: ['initiative="ascscore"']
 *           by: [subscription_id]         # the others are summed away (average for ratios)
 *           below: 0.6                    # or above, or drop + within, or absent: true
 *           clear: 0.65
 *           for: 30m
 *           keep_firing_for: 1h
 *
 * Without `by` every sample is judged alone; `by: []` sums all of them.
 * Every set also has the built-in rules FirstRun (digest), RulerChanged (ruler.changed), DataStale
 * (data.stale) and RiskMissing (risk.missing), written in the same YAML; a rule of the same name
 * replaces one. */
#include "alerts/ledger/event.h"
#include "alerts/rules/alert_state.h"
#include "alerts/rules/tag_labels.h"
#include "alerts/text/match.h"
#include "alerts/text/template.h"
#include "core/metric.h"
#include "core/options.h"

enum rule_kind { RULE_EVENT, RULE_ABOVE, RULE_BELOW, RULE_DROP, RULE_ABSENT };
enum rule_wish { RULE_ANY, RULE_YES, RULE_NO }; /* internet_exposed: not said, true, false */
enum { RULE_LABELS_MAX = 8, RULE_EVENTS_MAX = 16 };

struct rule {
    const char *name, *file;
    int line;
    enum rule_kind kind;
    struct match_list match;                    /* on rule_event_labels, or the metric's labels */
    struct match_label labels[RULE_LABELS_MAX]; /* set on the alert */
    size_t label_count;
    const struct template *title, *text; /* NULL = built in */
    const char *runbook_url;             /* "" = none */
    struct alert_state_timing timing;    /* of event rules: for_s is min_age */

    /* event rules */
    const struct event_name *events[RULE_EVENTS_MAX];
    size_t event_count;
    enum rule_wish internet_exposed, on_attack_path, contextual;
    int64_t resolve_after_s; /* of events nothing undoes; default one hour */

    /* rules over metrics */
    const struct family *family;
    unsigned by;         /* bits of the family's labels */
    double bound, clear; /* clear = bound when not written */
    int64_t within_s;    /* drop */
};

struct rule_set; /* immutable, reference-counted */

/* Read and check files; patterns like "rules/\*.yml" are expanded, none at all is no rule.
 * file: where the patterns stand, its folder is theirs; "" = nowhere, they are used as they are.
 * families: every family a rule may name, ends with NULL; borrowed, static. NULL = not all are
 * known, so that any may be right.
 * wanted: labels of tags, checked before, and of the owner, that rules may name, too.
 * NULL when the report got anything: unknown metric, label, event, matcher or field (each with the
 * near names), duplicate rule name, both event and metric, a bound on the wrong side. */
struct rule_set *rule_load(const struct option_texts *patterns, const char *file,
                           const struct family *const *families,
                           const struct tag_labels_wanted *wanted,
                           struct option_report *report) MUST_USE;
/* The same from one text, without tags; for tests and `test rules`. name: for messages. */
struct rule_set *rule_load_text(const char *name, const char *text, size_t length,
                                const struct family *const *families,
                                struct option_report *report) MUST_USE;
void rule_acquire(struct rule_set *set);
void rule_release(struct rule_set *set); /* NULL is fine */

const struct rule *rule_all(const struct rule_set *set, size_t *count);

/* A number for all that was written in the files. */
uint64_t rule_hash(const struct rule_set *set);

/* Patterns that no file matches, and where they stand, in words; "" = none. */
const char *rule_unmatched(const struct rule_set *set);

/* Every label an alert of these rules can have, also those of drills; ends with NULL. */
const char *const *rule_labels(const struct rule_set *set);

const struct rule *rule_find(const struct rule_set *set, const char *name);

/* The labels of tags its alerts have, and that of the owner. */
const struct tag_labels *rule_tags(const struct rule_set *set);

/* The families rules over metrics name, ends with NULL: what the evaluator's metric set opts in,
 * with max_level -1, so that nothing else is computed. */
const struct family *const *rule_families(const struct rule_set *set);

/* What the matchers of event rules may name beside the labels of rule_tags: alert_finding_labels
 * without alertname, attribute_labels, and subject: the control, plan, collector or recommendation
 * of an event that is about no finding. Ends with NULL. */
extern const char *const rule_event_labels[];

/* Whether the matchers and wishes of an event rule hold. finding: NULL for events about none.
 * labels: of the finding or event. Pure. */
bool rule_matches(const struct rule *rule, const struct finding *finding,
                  const struct match_label *labels, size_t label_count);

/* Whether it names the event, too. quiet events and rules over metrics: false. Pure. */
bool rule_wants(const struct rule *rule, const struct event *event, const struct finding *finding,
                const struct match_label *labels, size_t label_count);

/* Rows of one rule file, for options_document. */
extern const struct option rule_options[];

/* Append the rules reference as Markdown: keys, events, labels, fields of templates. */
void rule_document(struct buf *out);
