#pragma once
/* What would have been sent: the ledger's history through the present rules, routes and limits, in
 * a database in memory, with the history's own clock. Nothing is sent. */
#include "alerts/notify/settings.h"

/* Told one message that would have been queued. */
typedef bool replay_visit(void *context, const struct notification *notification, int64_t at,
                          struct error *error);

/* sources: whose history it is. Event rules only: metrics of the past are not kept (said in the
 * output of the command). */
bool replay_run(const char *database_path, struct source_list *sources, struct settings *settings,
                int64_t since, int64_t until, replay_visit *visit, void *context,
                struct error *error) MUST_USE;

/* `replay --since 30d`: append one line a message and a count per receiver and rule. */
bool replay_print(const char *database_path, struct source_list *sources, struct settings *settings,
                  int64_t since, int64_t until, struct buf *out, struct error *error) MUST_USE;
