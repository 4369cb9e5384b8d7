#pragma once
/* What happened since an instant, to be read by people: new, fixed, overdue, the score and its
 * change, the cheapest points. */
#include "alerts/notify/report_plan.h"
#include "alerts/store/database.h"
#include "alerts/view/view.h"
#include "core/firsts.h"

enum report_format { REPORT_TEXT, REPORT_MARKDOWN, REPORT_HTML, REPORT_FORMAT_COUNT };
extern const char *const view_report_format_words[]; /* "text", "markdown", "html" */

enum { VIEW_REPORT_GROUPS_MAX = 25, VIEW_REPORT_CHEAPEST_MAX = 5 }; /* that are named */

struct report_numbers {
    size_t opened, critical, fixed, ended, open, overdue; /* critical: of those opened */
};

struct report_group { /* a subscription, a management group or an owner */
    const char *name;
    struct report_numbers numbers;
};

struct view_report {
    const struct view *view; /* borrowed */
    int64_t since, now;
    enum report_by by;
    struct report_numbers all;
    struct report_group *groups; /* [count] most overdue first */
    size_t count, capacity;
    double score, score_before; /* ratios; NAN = not known */
    const struct view_recommendation *cheapest[VIEW_REPORT_CHEAPEST_MAX + 1];
    size_t cheapest_count;
    const char *seen;          /* "38 of 40 subscriptions seen (2 denied)" */
    const char *lacking, *old; /* what could not be looked at, and not lately; "" = nothing */
    bool whole;                /* all that is wanted was looked at, and lately */
    struct firsts firsts;
    struct arena arena;
};

/* Work it out. Quiet events, of what was there when it was first looked at, are no news. False when
 * the database cannot be read. The caller finishes it in any case. */
bool view_report_make(const struct view *view, struct database *database, int64_t since,
                      int64_t now, enum report_by by, struct view_report *report,
                      struct error *error) MUST_USE;
void view_report_finish(struct view_report *report);

void view_report_write(const struct view_report *report, enum report_format format,
                       struct buf *out);
