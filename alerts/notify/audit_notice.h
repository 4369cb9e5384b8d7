#pragma once
/* The message about what people did, to the receiver that wants to hear of it: one for all that an
 * evaluation takes, of event `audit`. It fires and never resolves. */
#include "alerts/notify/group.h"

/* Make it; texts go to the arena. */
void audit_notice_make(const struct settings *settings, const struct audit_list *list, int64_t now,
                       struct arena *arena, struct notification *notification);

/* Queue it; nothing without such a receiver, or without acts. In the evaluator's transaction. */
bool audit_notice(const struct group_context *context, const struct audit_list *list,
                  struct error *error) MUST_USE;
