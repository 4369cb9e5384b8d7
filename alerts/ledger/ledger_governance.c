#include "alerts/ledger/ledger_governance.h"

#include "alerts/ledger/ledger_rows.h"
#include "collectors/governance.h"

bool ledger_governance_read(const struct snapshot *snapshot, const char *subscription_id,
                            struct ledger_open *open)
{
    struct governance found;
    bool known;
    governance_find(snapshot, subscription_id, &open->id, &found, &known);
    bool other = (known || found.due_at) && open->governed_at != found.due_at;
    if (other)
        open->governed_at = (uint32_t)found.due_at;
    return other;
}

bool ledger_governance_apply(struct ledger *ledger, const struct snapshot *snapshot,
                             struct error *error)
{
    uint64_t generation = governance_generation(snapshot);
    if (generation == ledger->governed)
        return true;
    for (size_t i = 0; i < ledger->source_count; i++)
        for (size_t n = 0; n < ledger->sources[i].count; n++) {
            struct ledger_open *open = &ledger->sources[i].open[n];
            const char *id = intern_text(&ledger->subscriptions, open->subscription);
            if (!ledger_governance_read(snapshot, id, open))
                continue;
            ledger->due_changed = true;
            if (!ledger_rows_govern(ledger->database, &open->id, open->governed_at, error))
                return error_wrap(error, "due dates of governance");
        }
    ledger->governed = generation;
    return true;
}
