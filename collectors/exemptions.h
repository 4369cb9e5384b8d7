#pragma once
/* Policy exemptions: what is exempted from which policy, why, and until when. */
#include "collectors/snapshot/snapshot.h"

/* An exemption of a finding; texts live as long as the snapshot. */
struct exemption {
    const char *category; /* "mitigated", "waiver", "other" */
    const char *title, *reason;
    const char *requester, *approver; /* as its metadata say, mostly persons; "" = not said */
    int64_t expires_at; /* 0 = it has no end */
};

/* The exemption that holds for a finding at an instant: of its policy, at its resource or above;
 * of several that which ends last. False when none is known: those of management groups, and of
 * whole assignments, are not looked at. */
bool exemptions_find(const struct snapshot *snapshot, const struct finding *finding, int64_t now,
                     struct exemption *found);
