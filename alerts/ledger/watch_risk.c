#include "alerts/ledger/watch_risk.h"

#include <stdio.h>

#include "alerts/ledger/ledger.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "core/buf.h"
#include "core/log.h"

enum { FEW = 10 }; /* unrated findings that may be chance: Azure has some everywhere */

/* How many findings of a part are rated. */
static size_t count_rated(const struct part *part)
{
    size_t count = 0;
    for (size_t i = 0; i < part->finding_count; i++)
        count += part->findings[i].risk != RISK_NOT_EVALUATED;
    return count;
}

/* Add and record an event about a source. */
static bool add(struct database *database, enum event_kind kind, const struct source *source,
                int64_t now, const struct buf *detail, size_t findings, struct event_list *events,
                struct error *error)
{
    const struct event event = {
        .kind = kind,
        .source = source,
        .at = now,
        .reason = -1,
        .risk = RISK_NOT_EVALUATED,
        .risk_before = RISK_NOT_EVALUATED,
        .subscription_id = "",
        .subject = source->name,
        .detail = arena_text(&events->arena, buf_cstr(detail)),
        .value = (double)findings,
    };
    event_add(events, &event);
    return ledger_record(database, &event, error);
}

static bool watch(struct database *database, const char *waiting, const struct part *part,
                  int64_t now, struct event_list *events, struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    const struct source *source = part->source;
    char key[256], state[16];
    snprintf(key, sizeof key, "risk.%s", source->key);
    if (!schema_get(database, key, state, sizeof state, error))
        return false;
    size_t rated = count_rated(part);
    bool missing = *waiting && !rated && part->finding_count >= FEW;
    bool over = !*waiting || rated;
    if (*state ? !over : !missing)
        return true;
    if (missing)
        buf_printf(
            &detail,
            "Azure rates the risk of none of %zu open findings (Defender CSPM is off, or the "
            "rows are of REST lists), so rules that wait for a risk level never fire: %s. "
            "risk_when_missing: severity takes the level of the severity instead",
            part->finding_count, waiting);
    else
        buf_printf(&detail, "%s",
                   rated ? "Azure rates the risk of findings again"
                         : "no rule waits for a risk level any more");
    if (missing)
        log_warn(MSG("Azure tells no risk level: rules that wait for one never fire"),
                 TEXT("collector", source->name), TEXT("rules", waiting));
    return schema_put(database, key, missing ? "missing" : "", error) &&
           add(database, missing ? EVENT_RISK_MISSING : EVENT_RISK_RECOVERED, source, now, &detail,
               part->finding_count, events, error);
}

bool watch_risk_advance(struct database *database, const char *waiting,
                        const struct snapshot *snapshot, int64_t now, struct event_list *events,
                        struct error *error)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct part *part = snapshot->parts[i];
        if (part && part->source->collector->rated &&
            !watch(database, waiting, part, now, events, error))
            return false;
    }
    return true;
}
