#pragma once
/* Title and text of one alert that fires about one finding, in the built-in words: what
 * notification_alone says, for those who tell of thousands. */
#include "alerts/notify/notification_alone.h"

/* What is used again from one alert to the next. */
struct notification_brief {
    struct notification notification; /* only what the words read of one finding */
    struct notification_block block;
    struct notification_resource resource;
    struct buf rendered, title, text;
    struct arena arena;
    char scratch[PART_ID_BYTES];
};
void notification_brief_init(struct notification_brief *brief);
void notification_brief_finish(struct notification_brief *brief);

/* Whether notification_brief_tell says what notification_alone would. */
bool notification_brief_fits(const struct rule_set *rules, const struct alert *alert);

/* Work out brief->title, and brief->text in at most so many points; valid until the next time.
 * False only when the database failed. */
bool notification_brief_tell(struct notification_brief *brief,
                             const struct notification_alone *alone, const struct alert *alert,
                             size_t text_points, struct error *error) MUST_USE;
