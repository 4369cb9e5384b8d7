#pragma once
/* Policy exemptions: what is exempted from which policy, why, and until when. */
#include "collectors/snapshot/snapshot.h"

/* An exemption of a finding; texts live as long as the snapshot. */
struct exemption {
    const char *category; /* "mitigated", "waiver", "other" */
    const char *title, *reason;
    const char *requester, *approver; /* as its metadata say, mostly persons; "" = not said */
    int64_t expires_at;               /* 0 = it has no end */
};

/* One reference of an exemption, as Azure lists it. */
struct exemption_row {
    const char *subscription_id, *exemption_id, *scope, *assignment_id, *reference, *policy_id,
        *category, *title, *reason, *requester, *approver;
    int64_t expires_at; /* 0 = it has no end */
};

/* All of a part, those that are over, too; none when it is of another collector. part: NULL is
 * fine. */
const struct exemption_row *exemptions_of(const struct part *part, size_t *count);

/* Its category as above; whether it is not over. */
const char *exemptions_category(const struct exemption_row *row);
bool exemptions_holds(const struct exemption_row *row, int64_t now);

/* The exemption that holds for a finding at an instant: of its policy, at its resource or above;
 * of several that which ends last. False when none is known: those of management groups, and of
 * whole assignments, are not looked at. */
bool exemptions_find(const struct snapshot *snapshot, const struct finding *finding, int64_t now,
                     struct exemption *found);
