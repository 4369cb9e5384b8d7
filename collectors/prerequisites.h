#pragma once
/* Machines, and whether Defender can look into them: what OS security baselines need on each, and
 * why some are assessed by nobody. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"

/* The first thing to do about a machine that nobody assesses. */
enum prerequisites_reason {
    PREREQUISITES_MET,
    PREREQUISITES_PLAN_OFF, /* Defender for Servers Plan 2 is off: whatever else there is */
    PREREQUISITES_NO_CONFIGURATION,
    PREREQUISITES_CONFIGURATION_FAILED,
    PREREQUISITES_NO_IDENTITY,
    PREREQUISITES_NOT_RUNNING,
    PREREQUISITES_DISCONNECTED,
    PREREQUISITES_REASON_COUNT
};

/* Append "12 of 240 machines are not looked at, because 5 have no ..., 7 are ..." over all tenants;
 * nothing when no machine is known. */
void prerequisites_sentence(const struct snapshot *snapshot, struct buf *out);

/* A machine that nobody assesses, and why: "has no machine configuration extension". Texts live as
 * long as the snapshot. */
struct prerequisites_unassessed {
    const char *subscription_id, *machine_id, *why;
};

/* Call visit for each of them, over all tenants; as many as the sentence counts. */
void prerequisites_each(const struct snapshot *snapshot,
                        void (*visit)(void *context,
                                      const struct prerequisites_unassessed *machine),
                        void *context);
