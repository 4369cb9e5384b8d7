#include "collectors/baselines_explain.h"

#include <string.h>

#include "collectors/baselines_reason.h"
#include "collectors/baselines_texts.h"
#include "collectors/catalogue.h"

/* BASELINE_COUNT when the finding is no rule of a baseline. */
static int baseline_of(const struct finding *finding)
{
    int baseline = 0;
    while (baseline < BASELINE_COUNT &&
           strcmp(finding->category, baselines_assignments[baseline]) != 0)
        baseline++;
    return baseline;
}

const char *baselines_explain_link(const struct finding *finding)
{
    int baseline = baseline_of(finding);
    return baseline < BASELINE_COUNT ? baselines_assessment_ids[baseline] : finding->assessment_id;
}

/* What a rule is about that people come in by. Who changes it remotely may be the last to. */
static const char *careful_of(const char *rule)
{
    static const struct {
        const char *word, *careful;
    } words[] = {
        { "ssh", "SSH" },
        { "firewall", "firewall" },
        { "iptables", "firewall" },
        { "ip6tables", "firewall" },
        { "nftables", "firewall" },
        { "log on ", "logon rights" },
        { "deny ", "logon rights" },
        { "access this computer", "logon rights" },
        { "remote desktop", "logon rights" },
        { "root login", "logon rights" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strcasestr(rule, words[i].word))
            return words[i].careful;
    return "";
}

static const struct baselines_rule_text *text_of(const struct snapshot *snapshot,
                                                 const char *rule_id)
{
    const struct baselines_rule_text *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = baselines_texts_find(baselines_texts_of(snapshot->parts[i]), rule_id);
    return found;
}

bool baselines_explain(const struct snapshot *snapshot, const struct finding *finding,
                       struct arena *arena, struct baselines_explained *out)
{
    const char *parent_id = baselines_explain_link(finding);
    if (baseline_of(finding) == BASELINE_COUNT)
        return false;
    const struct baselines_rule_text *text = text_of(snapshot, finding->assessment_id);
    const struct catalogue_entry *parent = catalogue_find(snapshot, NULL, parent_id);
    struct baselines_reason reason =
        baselines_reason_read(finding->reason_phrase ? finding->reason_phrase : "", arena);
    *out = (struct baselines_explained){
        .found = reason.found,
        .expected = reason.expected,
        .description = text && *text->description ? text->description
                       : parent                   ? parent->description
                                                  : "",
        .remediation = text && *text->remediation ? text->remediation
                       : parent                   ? parent->remediation
                                                  : "",
        .careful = careful_of(finding->title),
        .parent_id = parent_id,
    };
    return true;
}
