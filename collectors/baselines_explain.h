#pragma once
/* What a person is told of a failing baseline rule on a machine. */
#include "collectors/snapshot/snapshot.h"

struct baselines_explained {
    /* One line each, from the machine: text that a stranger wrote. */
    const char *found; /* "" = the machine does not say; the whole sentence where expected is "" */
    const char *expected; /* "" = not told apart */
    /* HTML as Azure writes it: the rule's own, else that of the recommendation it is part of; "".
     */
    const char *description, *remediation;
    const char *careful; /* what a wrong change locks out: "SSH", "logon rights", "firewall"; "" */
    const char *parent_id; /* key of the recommendation it is part of: links lead there */
};

/* What is known of a finding that is a rule of a baseline; false when it is none. All "" but
 * parent_id and careful where nothing is known. Texts live in the arena or as long as the
 * snapshot. */
bool baselines_explain(const struct snapshot *snapshot, const struct finding *finding,
                       struct arena *arena, struct baselines_explained *out);

/* The key of the recommendation that a link about the finding leads to: the one a rule of a
 * baseline is part of, else its own. */
const char *baselines_explain_link(const struct finding *finding);
