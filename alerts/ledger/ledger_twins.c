#include "alerts/ledger/ledger_twins.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger_cover.h"
#include "alerts/ledger/ledger_rows.h"
#include "core/memory.h"

/* The twin at a place in the list, or NULL. */
static const struct source *twin_at(const struct source *of, size_t place)
{
    const struct source *other = &of->list->sources[place];
    return other->index != of->index && other->collector == of->collector ? other : NULL;
}

static int compare(const void *left, const void *right)
{
    return finding_id_compare(left, right); /* what is open begins with its id */
}

bool ledger_twins_have(const struct ledger *ledger, const struct source *of,
                       const struct finding_id *id)
{
    for (size_t i = 0; i < of->list->count; i++) {
        const struct source *twin = twin_at(of, i);
        const struct ledger_source *known = twin ? &ledger->sources[twin->index] : NULL;
        if (known && known->count &&
            bsearch(id, known->open, known->count, sizeof *known->open, compare))
            return true;
    }
    return false;
}

bool ledger_twins_show(const struct snapshot *snapshot, const struct source *of,
                       const struct finding_id *id)
{
    for (size_t i = 0; i < of->list->count; i++) {
        const struct source *twin = twin_at(of, i);
        const struct part *part = twin ? snapshot_findings(snapshot, twin) : NULL;
        if (part && part_find(part, id) >= 0)
            return true;
    }
    return false;
}

static bool covers(const struct part *part, const char *subscription_id)
{
    const struct part_cover *cover = part_cover_find(part, subscription_id);
    return cover && ledger_cover_has(cover);
}

/* Move what is open of one twin. */
static bool take_from(struct ledger *ledger, const struct source *of, const struct source *twin,
                      const struct snapshot *snapshot, struct error *error)
{
    struct ledger_source *to = &ledger->sources[of->index], *from = &ledger->sources[twin->index];
    const struct part *ours = snapshot_findings(snapshot, of);
    const struct part *theirs = snapshot_findings(snapshot, twin);
    size_t kept = 0, before = to->count, capacity = to->count;
    bool ok = true;
    if (!theirs) /* it has not run yet */
        return true;
    for (size_t i = 0; i < from->count; i++) {
        struct ledger_open open = from->open[i];
        const char *id = intern_text(&ledger->subscriptions, open.subscription);
        if (!ok || covers(theirs, id) || !covers(ours, id)) {
            from->open[kept++] = open;
            continue;
        }
        from->absent_count -= open.absent_at != 0;
        open.absent_at = 0;
        MEMORY_GROW(to->open, to->count, capacity);
        to->open[to->count++] = open;
        ok = ledger_rows_move(ledger->database, &open.id, of, error);
    }
    from->count = kept;
    if (to->count != before)
        qsort(to->open, to->count, sizeof *to->open, compare);
    return ok;
}

bool ledger_twins_take(struct ledger *ledger, const struct source *of,
                       const struct snapshot *snapshot, struct error *error)
{
    for (size_t i = 0; i < of->list->count; i++) {
        const struct source *twin = twin_at(of, i);
        if (twin && !take_from(ledger, of, twin, snapshot, error))
            return false;
    }
    return true;
}
