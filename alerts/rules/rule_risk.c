#include "alerts/rules/rule_risk.h"

#include <string.h>

#include "alerts/ledger/ledger.h"
#include "collectors/collector.h"

enum { NAMED_MAX = 5 };

#define KIND(kind) (1u << EVENT_##kind)
/* Events in which a finding is open, so that its risk counts. */
#define OPEN_KINDS (KIND(OPENED) | KIND(REOPENED) | KIND(RISK_CHANGED) | KIND(OVERDUE))

static bool has_family(const struct family *const *families, const struct family *family)
{
    for (; *families; families++)
        if (*families == family)
            return true;
    return false;
}

/* Whether findings of this collector can make it fire at all. */
static bool is_about(const struct rule *rule, const struct collector *collector)
{
    unsigned kinds = 0;
    if (rule->kind != RULE_EVENT)
        return (rule->kind == RULE_ABOVE || rule->kind == RULE_DROP) &&
               (has_family(collector->families, rule->family) ||
                has_family(ledger_families, rule->family));
    for (size_t i = 0; i < rule->event_count; i++)
        if (!rule->events[i]->topic)
            kinds |= rule->events[i]->kinds;
    for (size_t i = 0; i < rule->match.count; i++)
        if (!strcmp(rule->match.matches[i].name, "source") &&
            match_value(&rule->match.matches[i], collector->name, NULL) == MATCH_NO)
            return false;
    return kinds & OPEN_KINDS;
}

/* Whether it wants a risk level, and one that is told. */
static bool waits(const struct rule *rule)
{
    for (size_t i = 0; i < rule->match.count; i++)
        if (!strcmp(rule->match.matches[i].name, "risk_level") &&
            match_value(&rule->match.matches[i], finding_risk_words[RISK_NOT_EVALUATED], NULL) ==
                MATCH_NO)
            return true;
    return false;
}

static bool is_about_any(const struct rule *rule)
{
    for (size_t i = 0; collector_kinds[i]; i++)
        if (collector_kinds[i]->rated && is_about(rule, collector_kinds[i]))
            return true;
    return false;
}

size_t rule_risk_waiting(const struct rule_set *set, struct buf *out)
{
    size_t count, waiting = 0;
    const struct rule *rules = rule_all(set, &count);
    for (size_t i = 0; i < count; i++)
        if (is_about_any(&rules[i]) && waits(&rules[i]) && ++waiting <= NAMED_MAX)
            buf_printf(out, "%s%s", waiting > 1 ? ", " : "", rules[i].name);
    if (waiting > NAMED_MAX)
        buf_printf(out, " and %zu more", waiting - NAMED_MAX);
    return waiting;
}
