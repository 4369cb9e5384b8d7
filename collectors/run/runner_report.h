#pragma once
/* What the program's log says of runs: what is new, never the same every interval. */
#include "collectors/snapshot/snapshot.h"

/* Log a failure when it is new, and the recovery; odd rows when they are others than before. */
void runner_report(const struct source *source, const struct source_status *before,
                   const struct source_status *now);

/* Log when more subscriptions than before cannot be read, and when all can again. */
void runner_report_carried(const struct source *source, const struct part *older,
                           const struct part *part);

/* Log when there is more of something than may be shown, and when it is of other things. */
void runner_report_limited(const struct source *source, const struct part *older,
                           const struct part *part);
