#pragma once
/* Who changed what on a resource, for its message: asked when an alert is new, told when the answer
 * has come. A message neither waits for it nor is lost without. */
#include "alerts/notify/notification_build.h"
#include "collectors/snapshot/asked.h"

/* Ask about the resource of an alert that opened, opened again or ended, where a source answers.
 * Inside the evaluator's transaction; the list goes on the board after the commit. */
bool notification_changes_ask(const struct notification_context *context, const struct alert *alert,
                              struct asked_list *list, struct error *error) MUST_USE;

/* Add what is known to a resource. id: its own, lower case; texts go to the arena. */
void notification_changes(const struct notification_context *context, const struct alert *alert,
                          const char *id, struct arena *arena,
                          struct notification_resource *resource);
