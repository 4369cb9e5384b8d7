#include "collectors/run/runner_report.h"

#include <string.h>

#include "core/log.h"

/* Name odd rows when they are others than before, never every interval. */
static void report_odd(const char *name, const struct odd_rows *before, const struct odd_rows *now)
{
    size_t count = odd_count(now);
    if (now->digest == before->digest)
        return;
    if (count)
        log_warn(MSG("odd rows: the others are shown, nothing is concluded from these"),
                 TEXT("collector", name), INT("count", (int64_t)count), TEXT("first", now->first));
    else
        log_info(MSG("no row is odd any more"), TEXT("collector", name));
}

void runner_report(const struct source *source, const struct source_status *before,
                   const struct source_status *now)
{
    const char *name = source->name;
    if (now->success) {
        if (before->attempted && !before->success)
            log_info(MSG("collector recovered"), TEXT("collector", name),
                     INT("rows", (int64_t)now->rows), INT("failures", before->failures));
        else if (!before->attempted)
            log_info(MSG("first collection complete"), TEXT("collector", name),
                     INT("rows", (int64_t)now->rows),
                     NUM("duration_seconds", (double)now->duration_ms / 1e3));
        else
            log_debug(MSG("collected"), TEXT("collector", name), INT("rows", (int64_t)now->rows),
                      NUM("duration_seconds", (double)now->duration_ms / 1e3));
        report_odd(name, &before->odd, &now->odd);
        if (now->truncated && !before->truncated)
            log_warn(MSG("Azure's answer is cut: what is missing is not concluded from"),
                     TEXT("collector", name));
        return;
    }
    bool same = before->attempted && !before->success && before->error.code == now->error.code;
    if (now->error.code == ERROR_CANCELLED || same)
        log_debug(MSG("collection failed again"), TEXT("collector", name), ERR(&now->error));
    else
        log_warn(MSG(now->last_success_at ? "collection failed, the last good data stay"
                                          : "collection failed"),
                 TEXT("collector", name), TEXT("reason", error_word(now->error.code)),
                 ERR(&now->error));
}

static size_t count_carried(const struct part *part, const struct part_cover **first)
{
    size_t count = 0;
    for (size_t i = 0; part && i < part->cover_count; i++)
        if (part->cover[i].carried && !count++)
            *first = &part->cover[i];
    return count;
}

void runner_report_carried(const struct source *source, const struct part *older,
                           const struct part *part)
{
    const struct part_cover *first = NULL, *unused;
    size_t before = count_carried(older, &unused), now = count_carried(part, &first);
    const char *name = source->name;
    if (now > before)
        log_warn(MSG("subscriptions cannot be read, what was known of them stays"),
                 TEXT("collector", name), INT("count", (int64_t)now),
                 TEXT("subscription_id", first->subscription_id), TEXT("reason", first->reason));
    else if (before && !now)
        log_info(MSG("all subscriptions can be read again"), TEXT("collector", name));
}

void runner_report_limited(const struct source *source, const struct part *older,
                           const struct part *part)
{
    const char *before = older ? older->limited : NULL, *now = part->limited;
    if (now && (!before || strcmp(before, now) != 0))
        log_warn(MSG("more than may be shown: the rest is counted"),
                 TEXT("collector", source->name), TEXT("metrics", now));
    else if (before && !now)
        log_info(MSG("all can be shown again"), TEXT("collector", source->name));
}
