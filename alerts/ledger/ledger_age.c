#include "alerts/ledger/ledger_age.h"

#include "collectors/collector.h"

/* From when on the SLA counts. */
static int64_t start_of(const struct ledger *ledger, int64_t opened_at, int64_t seen_at)
{
    return ledger->config.sla_from == LEDGER_SLA_SEEN ? seen_at : opened_at;
}

/* The date of a row, 0 when it says nothing of when the finding began or ended. */
static uint32_t date_of(const struct source *source, uint32_t changed_at, int64_t now)
{
    return source->collector->dates_changes && changed_at <= now ? changed_at : 0;
}

/* Whether a finding was only out of sight: no row said another status, and its date is the same. */
static bool goes_on(const struct ledger_past *past, uint32_t date)
{
    return date && date == past->changed_at && date == past->opened_at &&
           past->reason != REASON_FIXED && past->reason != REASON_NOT_APPLICABLE;
}

void ledger_age_begin(const struct ledger *ledger, const struct source *source,
                      const struct ledger_past *past, uint32_t changed_at, struct ledger_open *open)
{
    uint32_t date = date_of(source, changed_at, open->seen_at);
    open->changed_at = changed_at;
    open->opened_at = date ? date : open->seen_at;
    if (!past->episode)
        return;
    int64_t start = start_of(ledger, open->opened_at, open->seen_at);
    int64_t past_start = start_of(ledger, past->opened_at, past->seen_at);
    if (past->reason == REASON_EXEMPTED) {
        int64_t ran_s = past->resolved_at + past->spent_s - past_start;
        int64_t goes_on_at = start < past->resolved_at ? open->seen_at : start;
        open->spent_s = (int32_t)((ran_s > 0 ? ran_s : 0) - (goes_on_at - start));
    } else if (goes_on(past, date)) {
        open->spent_s = (int32_t)(past->spent_s + start - past_start);
    } else {
        return;
    }
    open->governed_at = (uint32_t)past->governed_at; /* until governance says another */
}

bool ledger_age_move(const struct ledger *ledger, const struct source *source, uint32_t changed_at,
                     int64_t now, struct ledger_open *open)
{
    if (!changed_at || changed_at == open->changed_at || !source->collector->dates_changes)
        return false;
    open->changed_at = changed_at;
    uint32_t date = date_of(source, changed_at, now);
    if (!date)
        return true;
    if (date > open->seen_at) { /* it was fixed meanwhile, and nobody saw it */
        open->seen_at = (uint32_t)now;
        open->spent_s = 0;
    }
    open->opened_at = date;
    if (!open->overdue_at && ledger_age_is_overdue(ledger, open, now))
        open->overdue_at = (uint32_t)now;
    return true;
}

int64_t ledger_age_ended(const struct source *source, uint32_t changed_at, int64_t now,
                         const struct ledger_open *open)
{
    uint32_t date = date_of(source, changed_at, now);
    int64_t at = date ? date : now;
    return at > open->opened_at ? at : open->opened_at;
}

int64_t ledger_age_due_at(const struct ledger *ledger, const struct ledger_open *open)
{
    int64_t sla_s = ledger->config.sla_s[open->risk];
    if (open->governed_at)
        return open->governed_at;
    return sla_s ? start_of(ledger, open->opened_at, open->seen_at) + sla_s - open->spent_s : 0;
}

bool ledger_age_is_overdue(const struct ledger *ledger, const struct ledger_open *open, int64_t now)
{
    int64_t due_at = ledger_age_due_at(ledger, open);
    return due_at && due_at <= now;
}
