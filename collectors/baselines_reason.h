#pragma once
/* What a machine says of a rule that it fails: found, and expected. Pure. */
#include "collectors/snapshot/finding.h"
#include "core/arena.h"

struct baselines_reason {
    const char *found;    /* the whole phrase where it does not say what is expected */
    const char *expected; /* "" = the phrase does not say */
};

enum { BASELINES_REASON_BYTES = 1000 }; /* of a phrase; what is longer is cut */

/* From a reason phrase, which is a sentence or a tree of lines. "" gives "" and "". Texts go to the
 * arena, in one line each; whoever shows them takes them for text that a stranger wrote. */
struct baselines_reason baselines_reason_read(const char *phrase, struct arena *arena);

/* Severity from a reason phrase such as "[Critical] [] is missing ...". Lenient: it is documented
 * nowhere. */
enum severity baselines_reason_severity(const char *phrase);

/* The length of a phrase as it is kept: within BASELINES_REASON_BYTES, whole characters. */
size_t baselines_reason_length(const char *phrase);
