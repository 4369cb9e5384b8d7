#pragma once
/* OS security baselines: how many machines meet them, which rules fail where. Shared by
 * baselines.c (rows in), baselines_merge.c (two forms into one) and baselines_emit.c.
 *
 * Azure has the same facts in two forms: A, what Defender shows, sub-assessments of two
 * recommendations or, in the individual model, a recommendation for each rule; B, machine
 * configuration assignments, also without a Defender plan. All are read; a rule that fails on a
 * machine is one finding, whichever form has it. */
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"

enum {
    BASELINES_RULE_KEY_BYTES = 256,
    BASELINES_RULE_ID_BYTES = BASELINES_RULE_KEY_BYTES + 16,
    BASELINES_ROW_ID_BYTES = PART_ID_BYTES + BASELINES_RULE_KEY_BYTES
};
enum baseline { BASELINE_WINDOWS, BASELINE_LINUX, BASELINE_COUNT };

/* "AzureWindowsBaseline", "AzureLinuxBaseline", NULL; and the keys of their recommendations. */
extern const char *const baselines_assignments[];
extern const char *const baselines_assessment_ids[];

enum machine_state {
    MACHINE_COMPLIANT, MACHINE_NON_COMPLIANT, MACHINE_PENDING, MACHINE_STATE_COUNT
};
extern const char *const baselines_state_words[];

/* Counts of one subscription and baseline; what is failing is counted from the findings. */
struct baselines_count {
    uint64_t machines[MACHINE_STATE_COUNT], stale_machines;
    uint64_t compliant[SEVERITY_COUNT]; /* rule results */
    uint64_t pending[SEVERITY_COUNT];
    uint64_t waived; /* failing, and the operator says that it does not count */
};

struct baselines_counts {
    struct baselines_count of[BASELINE_COUNT];
};
extern const struct kept_kind baselines_counts;

/* What the part knows of the texts of rules; NULL when it is none of baselines. */
struct baselines_texts;
const struct baselines_texts *baselines_texts_of(const struct part *part);

/* A version of a baseline that machines report. */
struct baselines_version {
    enum baseline baseline;
    const char *text;
    size_t machines; /* that report it */
};

/* What is measured on a machine by one baseline. */
struct baselines_gauge {
    struct finding_id id; /* of both */
    size_t version;       /* of baselines_versions, from 1; 0 = it does not say */
    bool counted;         /* Azure counts the rules */
    uint64_t rules;
    enum baseline baseline;
    const char *machine_id; /* lower case; as long as the part */
    int64_t checked_at;     /* by machine configuration; 0 = not told */
    bool reported;          /* it has told of its rules; else it is pending */
};
enum { BASELINES_STALE_AFTER_S = 24 * 3600 }; /* since it was checked */

/* A waiver of the operator, as it was when the part was made. */
struct baselines_waiver {
    const char *rule, *expires, *reason;
    bool expired;
};

/* A failing rule of a machine that a waiver exempts; texts live as long as the snapshot. */
struct baselines_waived {
    const char *subscription_id, *reason;
    const char *rule_id, *machine_id; /* label of the rule; lower case */
    struct finding_id id;
    int64_t until_at; /* its last second, where it names a day */
};

/* The waiver that exempts a finding; NULL = none does. */
const struct baselines_waived *baselines_waived_by(const struct snapshot *snapshot,
                                                   const struct finding *finding);

/* All of a part; NULL and 0 when it is none of baselines. */
const struct baselines_waived *baselines_waived_in(const struct part *part, size_t *count);

/* All of a part, none when it is no part of baselines. */
const struct baselines_version *baselines_versions(const struct part *part, size_t *count);

/* The next machine of a part of baselines; false behind the last. */
bool baselines_gauge_at(const struct part *part, size_t index, struct baselines_gauge *gauge);

/* The id of the gauge that a finding of baselines belongs to. */
struct finding_id baselines_gauge_id(const struct part *part, const struct finding *finding);

/* The counts of a subscription and baseline, added when new. */
struct baselines_count *baselines_count_of(struct part *part, const char *subscription_id,
                                           enum baseline baseline);

/* Machines of a subscription (lower case) that have results, as far as is known. */
uint64_t baselines_machines(const struct snapshot *snapshot, const char *tenant,
                            const char *subscription_id);

/* What makes two spellings of a rule the same rule: letters, digits and the hyphens of words
 * (/etc/shadow is not /etc/shadow-), lower case, without a trailing "(CIS: ...)".
 * out: out_bytes; cut when longer. Returns out. */
char *baselines_rule_key(const char *rule, char *out, size_t out_bytes);

/* The label of a rule, the same whichever form tells of it: "linux-" or "windows-" and its key.
 * Returns out. */
char *baselines_rule_id(enum baseline baseline, const char *rule_key,
                        char out[BASELINES_RULE_ID_BYTES]);

/* --- the merge: facts in, then everything at once --------------------------------------------- */
struct baselines_machine_fact {
    const char *subscription_id, *machine_id;
    enum baseline baseline;
    bool from_assignment; /* form B */
    bool individual;      /* form A, told by a recommendation of its own: after the others */
    uint64_t healthy, unhealthy; /* form A */
    const char *compliance;      /* form B: complianceStatus */
    int64_t checked_at;          /* form B; 0 = never */
    int64_t rules;               /* form B: rules of the report that have rows */
    const char *version;         /* form B: of the baseline; "" = not told */
};
struct baselines_rule_fact {
    const char *subscription_id, *machine_id;
    enum baseline baseline;
    bool from_assignment, individual;
    bool failing;                     /* false: pending or not applicable */
    const char *rule_id, *rule_name;  /* rule_id "" in form B */
    enum severity severity;
    int64_t changed_at;
    const char *reason_phrase; /* form B; "" = none */
    const char *reason_code;   /* form B: has the GUID of Linux's rules; "" = none */
};
struct baselines_merge; /* while rows arrive */
/* waivers: borrowed; NULL = none. now: whether they are over. */
struct waivers;
struct baselines_merge *baselines_merge_create(const struct waivers *waivers, int64_t now);
void baselines_merge_machine(struct baselines_merge *merge,
                             const struct baselines_machine_fact *fact);

/* Rules of form A come before those of form B, and those of one machine stand together. */
void baselines_merge_rule(struct part *part, struct baselines_merge *merge,
                          const struct baselines_rule_fact *fact);

/* What form A calls a rule and how severe it is, so that form B's rows get the same. */
void baselines_merge_name(struct baselines_merge *merge, const char *rule_id,
                          const char *rule_name, enum severity severity);

/* The identity of a rule on a machine. Returns out. */
char *baselines_row_id(const char *machine_id, enum baseline baseline, const char *rule_key,
                       char out[BASELINES_ROW_ID_BYTES]);

/* What the machines reported, for the next run and for baselines_report_fixed; older: of the run
 * before, or NULL. */
struct baselines_reports;
void baselines_merge_report(const struct baselines_merge *merge, struct baselines_reports *reports,
                            const struct baselines_reports *older, int64_t now);

/* Write what is left into the part: findings, counts. now: for stale machines. */
void baselines_merge_finish(struct part *part, struct baselines_merge *merge, int64_t now);
void baselines_merge_destroy(struct baselines_merge *merge); /* NULL is fine */

extern const struct family *const baselines_families[];
void baselines_emit(const struct snapshot *snapshot, const struct part *part,
                    struct metric_set *set);
void baselines_emit_waivers(const struct baselines_waiver *all, size_t count,
                            struct metric_set *set);
