#include "alerts/ledger/ledger_ended.h"

#include <stdlib.h>

#include "alerts/ledger/ledger_merge.h"
#include "alerts/ledger/ledger_rows.h"
#include "collectors/collector.h"
#include "core/memory.h"

struct ledger_ended_finding {
    struct finding_id id;
    uint8_t reason;
};

static bool may_end(int reason)
{
    return reason == REASON_EXEMPTED || reason == REASON_RETIRED;
}

void ledger_ended_finish(struct ledger_ended *ended)
{
    free(ended->findings);
    *ended = (struct ledger_ended){ 0 };
}

void ledger_ended_add(struct ledger_ended *ended, const struct finding_id *id, int reason)
{
    if (!may_end(reason))
        return;
    MEMORY_GROW(ended->findings, ended->count, ended->capacity);
    ended->findings[ended->count++] = (struct ledger_ended_finding){ *id, (uint8_t)reason };
    ended->sorted = false;
}

static int compare(const void *left, const void *right)
{
    return finding_id_compare(left, right); /* each begins with its id */
}

static void sort(struct ledger_ended *ended)
{
    if (!ended->sorted && ended->count)
        qsort(ended->findings, ended->count, sizeof *ended->findings, compare);
    ended->sorted = true;
}

/* What its row says of a finding; kept: whether it still may end. */
static bool look_at(struct ledger_ended_finding *finding, const struct part_closed *closed,
                    struct database *database, const struct part *part, int64_t now, bool *kept,
                    struct error *error)
{
    bool dated =
        part->source->collector->dates_changes && closed->changed_at && closed->changed_at <= now;
    if (closed->reason == finding->reason || closed->reason == REASON_RETIRED)
        return true; /* told in the other model again: it is what it was */
    finding->reason = closed->reason;
    *kept = may_end(closed->reason);
    return ledger_rows_ended(database, &finding->id, closed->reason,
                             dated ? closed->changed_at : now, error);
}

bool ledger_ended_look(struct ledger_ended *ended, const struct ledger_open *open,
                       size_t open_count, struct database *database, const struct part *part,
                       int64_t now, struct error *error)
{
    size_t kept = 0, closed = 0, opened = 0;
    sort(ended);
    for (size_t i = 0; i < ended->count; i++) {
        struct ledger_ended_finding finding = ended->findings[i];
        while (opened < open_count && compare(&open[opened].id, &finding.id) < 0)
            opened++;
        while (closed < part->closed_count && compare(&part->closed[closed].id, &finding.id) < 0)
            closed++;
        bool keeps = opened == open_count || compare(&open[opened].id, &finding.id);
        bool told = closed < part->closed_count && !compare(&part->closed[closed].id, &finding.id);
        if (keeps && told &&
            !look_at(&finding, &part->closed[closed], database, part, now, &keeps, error))
            return false;
        if (keeps)
            ended->findings[kept++] = finding;
    }
    ended->count = kept;
    return true;
}
