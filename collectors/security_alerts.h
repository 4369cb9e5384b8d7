#pragma once
/* Security alerts of Defender for Cloud: what somebody may be doing right now. Each that is neither
 * resolved nor dismissed is a finding about the resource it names first; what else is known of it
 * is here. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"
#include "core/metric.h"

enum security_alert_severity {
    SECURITY_ALERT_HIGH,
    SECURITY_ALERT_MEDIUM,
    SECURITY_ALERT_LOW,
    SECURITY_ALERT_INFORMATIONAL,
    SECURITY_ALERT_SEVERITY_COUNT
};
extern const char *const security_alerts_severities[]; /* in the order of the enum */

/* One that is open. Texts are "" where nothing is told. */
struct security_alert {
    const char *subscription_id;
    const char *id; /* lower case, of its finding's row */
    struct finding_id finding;
    const char *name, *type;
    const char *tactics;                   /* of MITRE ATT&CK in words, joined with ", " */
    const char *resource_id;               /* what it is about; its own id when nobody tells */
    const char *resources;                 /* ids of others it names, joined with "," */
    const char *description, *remediation; /* plain, of several lines */
    int64_t more_resources;                /* that are named besides */
    uint8_t severity;                      /* enum security_alert_severity */
    bool active;                           /* nobody is at work on it */
    bool incident;                         /* it gathers several */
};

/* The open alerts of a part, in the order they came; none when it is of another collector. */
const struct security_alert *security_alerts_of(const struct part *part, size_t *count);

/* The alert a finding is, NULL when it is none or nothing is known of it. Lives as long as the
 * snapshot. */
const struct security_alert *security_alerts_find(const struct snapshot *snapshot,
                                                  const struct finding_id *id);

/* The severity of the alert that is kept as a finding of this one. */
enum security_alert_severity security_alerts_severity(enum severity severity);

/* Append "3 are active: 1 high, 2 low" over all tenants; nothing when there is none. */
void security_alerts_sentence(const struct snapshot *snapshot, struct buf *out);

extern const struct kept_kind security_alerts_kept;
extern const struct family *const security_alerts_families[];
void security_alerts_emit(const struct snapshot *snapshot, const struct part *part,
                          struct metric_set *set);
