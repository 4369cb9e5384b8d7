#include "alerts/ledger/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/collector.h"
#include "core/memory.h"

#define KIND(kind) (1u << EVENT_##kind)
#define ANY_REASON (-1)

/* clang-format off */
const char *const event_kind_words[] = {
    [EVENT_OPENED] = "finding.opened",
    [EVENT_REOPENED] = "finding.reopened",
    [EVENT_RISK_CHANGED] = "finding.risk_changed",
    [EVENT_RESOLVED] = "finding.resolved",
    [EVENT_OVERDUE] = "finding.overdue",
    [EVENT_NO_LONGER_OVERDUE] = "finding.no_longer_overdue",
    [EVENT_SCORE_DROPPED] = "score.dropped",
    [EVENT_SCORE_RECOVERED] = "score.recovered",
    [EVENT_CONTROL_REGRESSED] = "control.regressed",
    [EVENT_PLAN_DISABLED] = "plan.disabled",
    [EVENT_REMEDIATION_FAILED] = "remediation.failed",
    [EVENT_RULER_CHANGED] = "ruler.changed",
    [EVENT_DATA_STALE] = "data.stale",
    [EVENT_DATA_RECOVERED] = "data.recovered",
    [EVENT_RISK_MISSING] = "risk.missing",
    [EVENT_RISK_RECOVERED] = "risk.recovered",
    [EVENT_FIRST_RUN] = "digest",
    [EVENT_KIND_COUNT] = NULL,
};

const struct event_name event_names[] = {
    { "finding.exempted", KIND(RESOLVED), REASON_EXEMPTED, NULL,
      "A finding was exempted, by policy or by a waiver; it is not fixed." },
    { "finding.no_longer_assessed", KIND(RESOLVED), REASON_NO_LONGER_ASSESSED, NULL,
      "A finding has no row any more, and nobody knows whether it is fixed." },
    { "finding.exemption_expired", KIND(REOPENED), REASON_EXEMPTED, NULL,
      "A finding is open again because its exemption or waiver ended." },
    { "security_alert.opened", KIND(OPENED) | KIND(REOPENED), ANY_REASON, "security_alert",
      "Defender for Cloud raised a security alert, or one that was closed is open again." },
    { "security_alert.resolved", KIND(RESOLVED), ANY_REASON, "security_alert",
      "A security alert was resolved or dismissed." },
    { "attack_path.opened", KIND(OPENED) | KIND(REOPENED), ANY_REASON, "attack_path",
      "An attack path appeared." },
    { "attack_path.resolved", KIND(RESOLVED), ANY_REASON, "attack_path",
      "An attack path is gone." },
    { "baseline.rule_regressed", KIND(OPENED) | KIND(REOPENED), ANY_REASON, "baseline",
      "A machine fails a rule of its OS security baseline." },
    { "baseline.rule_fixed", KIND(RESOLVED), REASON_FIXED, "baseline",
      "A machine meets a rule of its OS security baseline again." },
    { "finding.opened", KIND(OPENED), ANY_REASON, NULL,
      "A finding that was never seen before is open." },
    { "finding.reopened", KIND(REOPENED), ANY_REASON, NULL,
      "A finding that was resolved is open again." },
    { "finding.risk_changed", KIND(RISK_CHANGED), ANY_REASON, NULL,
      "An open finding has another risk level." },
    { "finding.resolved", KIND(RESOLVED), ANY_REASON, NULL,
      "A finding is no longer open; the reason says why." },
    { "finding.overdue", KIND(OVERDUE), ANY_REASON, NULL,
      "A finding is open longer than the SLA of its risk level allows, or than the due date "
      "that governance in Azure gave it." },
    { "finding.no_longer_overdue", KIND(NO_LONGER_OVERDUE), ANY_REASON, NULL,
      "An overdue finding has a later due date: by another risk level, date, SLA or "
      "governance assignment." },
    { "score.dropped", KIND(SCORE_DROPPED), ANY_REASON, NULL,
      "The secure score of a subscription or of one of its connectors fell." },
    { "score.recovered", KIND(SCORE_RECOVERED), ANY_REASON, NULL,
      "The secure score of a subscription or connector is back." },
    { "control.regressed", KIND(CONTROL_REGRESSED), ANY_REASON, NULL,
      "A security control lost points while its resources stayed." },
    { "plan.disabled", KIND(PLAN_DISABLED), ANY_REASON, NULL,
      "A Defender plan that was on is off." },
    { "remediation.failed", KIND(REMEDIATION_FAILED), ANY_REASON, NULL,
      "A deployment of a remediation task failed on a resource." },
    { "ruler.changed", KIND(RULER_CHANGED), ANY_REASON, NULL,
      "A recommendation that was never seen before is open in many places at once, or Microsoft "
      "took one away or changed an OS security baseline." },
    { "data.stale", KIND(DATA_STALE), ANY_REASON, NULL,
      "A collector or a subscription tells nothing new any more." },
    { "data.recovered", KIND(DATA_RECOVERED), ANY_REASON, NULL,
      "A collector or a subscription tells news again." },
    { "risk.missing", KIND(RISK_MISSING), ANY_REASON, NULL,
      "Azure rates the risk of no open finding, so that rules that wait for it never fire." },
    { "risk.recovered", KIND(RISK_RECOVERED), ANY_REASON, NULL,
      "Azure rates risks again, or no rule waits for it any more." },
    { "digest", KIND(FIRST_RUN), ANY_REASON, NULL,
      "A summary: of the first run, of new subscriptions, or of what was folded to keep a "
      "receiver's budget." },
    { "rule.firing", 0, ANY_REASON, NULL, "A rule over metrics holds." },
    { "rule.resolved", 0, ANY_REASON, NULL, "A rule over metrics holds no longer." },
    { "heartbeat", 0, ANY_REASON, NULL, "This program is alive." },
    { "exporter.failing", 0, ANY_REASON, NULL,
      "This program cannot decide any more, or can again; to the heartbeat's receiver." },
    { "audit", 0, ANY_REASON, NULL,
      "Somebody made, changed or ended a silence, acted on messages, or reloaded; to the receiver "
      "of `alerts.audit`." },
    { "report", 0, ANY_REASON, NULL,
      "A report of `alerts.reports` was due: what opened, was fixed and is overdue." },
    { "test", 0, ANY_REASON, NULL, "Somebody tries a receiver." },
    { NULL, 0, 0, NULL, NULL },
};
/* clang-format on */

void event_add(struct event_list *list, const struct event *event)
{
    MEMORY_GROW(list->events, list->count, list->capacity);
    list->events[list->count] = *event;
    struct event *kept = &list->events[list->count++];
    kept->subscription_id = kept->subscription_id ? kept->subscription_id : "";
    kept->subject = kept->subject ? kept->subject : "";
    kept->detail = kept->detail ? kept->detail : "";
    kept->headline = kept->headline ? kept->headline : "";
    kept->cloud = kept->cloud ? kept->cloud : "";
    kept->connector = kept->connector ? kept->connector : "";
}

void event_list_finish(struct event_list *list)
{
    free(list->events);
    arena_finish(&list->arena);
    intern_finish(&list->texts);
    *list = (struct event_list){ 0 };
}

void event_describe(struct finding *view, const struct catalogue_entry *entry)
{
    if (!entry)
        return;
    if (!*view->title)
        view->title = entry->title;
    if (!*view->category)
        view->category = entry->categories;
    if (view->severity == SEVERITY_UNKNOWN)
        view->severity = entry->severity;
}

bool event_finding(const struct event *event, struct finding *view, char scratch[PART_ID_BYTES])
{
    if (event->part)
        part_view(event->part, event->index, view, scratch);
    else if (event->record)
        *view = event->record->finding;
    else
        return false;
    event_describe(view, event->catalogue);
    return true;
}

static bool covers(const struct event_name *name, enum event_kind kind, const struct source *source,
                   int reason)
{
    const char *topic = source ? source->collector->topic : NULL;
    return name->kinds & 1u << kind && (!name->topic || (topic && !strcmp(name->topic, topic))) &&
           (name->reason == ANY_REASON || name->reason == reason);
}

const char *event_word(enum event_kind kind, const struct source *source, int reason)
{
    const struct event_name *name = event_names;
    while (name->word && !covers(name, kind, source, reason))
        name++;
    assert(name->word); /* every kind has its general word */
    return name->word;
}

bool event_is(const struct event *event, const struct event_name *name)
{
    return covers(name, event->kind, event->source, event->reason);
}

const struct event_name *event_name_find(const char *word)
{
    for (const struct event_name *name = event_names; name->word; name++)
        if (!strcmp(name->word, word))
            return name;
    return NULL;
}
