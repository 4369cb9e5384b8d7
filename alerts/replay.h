#pragma once
/* What would have been sent: the ledger's history through the present rules, routes and limits, in
 * a database in memory, with the history's own clock. Nothing is sent. */
#include "alerts/notify/settings.h"

/* Called with one notification that would have been queued at this instant. */
typedef bool replay_visit(void *context, const struct notification *notification, int64_t at,
                          struct error *error);

/* Replay the event rules over the history of these sources. Metrics of the past are not kept; the
 * command says so in its output. */
bool replay_run(const char *database_path, struct source_list *sources, struct settings *settings,
                int64_t since, int64_t until, replay_visit *visit, void *context,
                struct error *error) MUST_USE;

/* Append what `replay --since 30d` prints: a line per message, a count per receiver and rule. */
bool replay_print(const char *database_path, struct source_list *sources, struct settings *settings,
                  int64_t since, int64_t until, struct buf *out, struct error *error) MUST_USE;
