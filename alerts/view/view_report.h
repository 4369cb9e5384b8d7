#pragma once
/* What happened since an instant, to be read by people: new, fixed, overdue, the score and its
 * change, the cheapest points. */
#include "alerts/store/database.h"
#include "alerts/view/view.h"

enum report_by { REPORT_BY_SUBSCRIPTION, REPORT_BY_GROUP, REPORT_BY_OWNER, REPORT_BY_COUNT };
extern const char *const view_report_by_words[]; /* "subscription", "management_group", "owner" */

enum report_format { REPORT_TEXT, REPORT_MARKDOWN, REPORT_HTML, REPORT_FORMAT_COUNT };
extern const char *const view_report_format_words[]; /* "text", "markdown", "html" */

struct view_report_wanted {
    int64_t since, now;
    enum report_by by;
    enum report_format format;
    const char *lacking; /* what could not be looked at, "" = nothing */
};

/* Append it. Quiet events, of what was there when it was first looked at, are no news. False when
 * the database cannot be read: then nothing is appended. */
bool view_report(const struct view *view, struct database *database,
                 const struct view_report_wanted *wanted, struct buf *out,
                 struct error *error) MUST_USE;
