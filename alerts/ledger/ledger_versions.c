#include "alerts/ledger/ledger_versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/store/schema.h"
#include "collectors/baselines.h"
#include "collectors/collector.h"
#include "core/memory.h"

/* "Linux" of "AzureLinuxBaseline". */
static const char *const systems[] = { [BASELINE_WINDOWS] = "Windows", [BASELINE_LINUX] = "Linux" };

static bool add(const struct ledger *ledger, const struct source *source,
                const struct baselines_version *version, int64_t now, struct event_list *events,
                struct error *error)
{
    CLEANUP(buf_finish) struct buf subject = { 0 };
    CLEANUP(buf_finish) struct buf headline = { 0 };
    CLEANUP(buf_finish) struct buf detail = { 0 };
    const char *assignment = baselines_assignments[version->baseline];
    buf_printf(&subject, "%s %s", assignment, version->text);
    buf_printf(&headline, "Microsoft changed the OS security baseline of %s: version %s",
               systems[version->baseline], version->text);
    buf_printf(
        &detail,
        "%zu machine%s report%s version %s of %s. Rules that open or end with it are counted "
        "as no drift, and told by no message of their own; machines that follow are no news",
        version->machines, version->machines == 1 ? "" : "s", version->machines == 1 ? "s" : "",
        version->text, assignment);
    const struct event event = {
        .kind = EVENT_RULER_CHANGED,
        .source = source,
        .at = now,
        .reason = -1,
        .risk = RISK_NOT_EVALUATED,
        .risk_before = RISK_NOT_EVALUATED,
        .subject = arena_text(&events->arena, buf_cstr(&subject)),
        .headline = arena_text(&events->arena, buf_cstr(&headline)),
        .detail = arena_text(&events->arena, buf_cstr(&detail)),
        .value = (double)version->machines,
    };
    event_add(events, &event);
    return ledger_record(ledger->database, &event, error);
}

/* Whether this was never seen, and remember it. version: "" = any of the baseline. */
static bool meet(const struct ledger *ledger, const struct source *source, enum baseline baseline,
                 const char *version, bool *is_new, struct error *error)
{
    char key[LEDGER_KEY_BYTES], value[8];
    snprintf(key, sizeof key, "baseline.%s.%s.%.64s", source->key, baselines_assignments[baseline],
             version);
    if (!schema_get(ledger->database, key, value, sizeof value, error))
        return false;
    *is_new = !*value;
    return !*is_new || schema_put(ledger->database, key, "seen", error);
}

/* Of each finding whether its machine reports another version than before. */
static bool *find_moved(const struct ledger_machines *machines, const struct part *part,
                        uint32_t collected_at)
{
    bool *moved = MEMORY_ARRAY(bool, part->finding_count + 1);
    for (size_t i = 0; i < part->finding_count; i++) {
        char scratch[PART_ID_BYTES];
        struct finding view;
        part_view(part, i, &view, scratch);
        moved[i] = ledger_machines_moved(machines, part, &view, collected_at);
    }
    return moved;
}

bool ledger_versions_look(const struct ledger *ledger, const struct source *source,
                          const struct part *part, uint32_t collected_at, int64_t now,
                          struct event_list *events, bool **moved, struct error *error)
{
    struct ledger_machines *machines = &ledger->sources[source->index].machines;
    size_t count;
    const struct baselines_version *versions = baselines_versions(part, &count);
    bool *news = MEMORY_ARRAY(bool, count + 1), first[BASELINE_COUNT] = { false };
    bool ok = true, moves = false;
    *moved = NULL;
    for (size_t i = 0; ok && i < count; i++) {
        const struct baselines_version *version = &versions[i];
        bool unseen = false;
        ok = meet(ledger, source, version->baseline, "", &unseen, error) &&
             meet(ledger, source, version->baseline, version->text, &news[i], error);
        first[version->baseline] |= unseen;
        news[i] = news[i] && !first[version->baseline];
        ok = ok && (!news[i] || add(ledger, source, version, now, events, error));
    }
    ok = ok &&
         ledger_machines_look(machines, ledger->database, part, news, collected_at, &moves, error);
    if (ok && moves)
        *moved = find_moved(machines, part, collected_at);
    free(news);
    return ok;
}
