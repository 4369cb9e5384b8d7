#include "alerts/ledger/ledger_rulers.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/ledger/ledger_rows.h"
#include "collectors/catalogue.h"
#include "collectors/collector.h"
#include "core/memory.h"

const char *ledger_rulers_key(enum finding_model model, const char *assessment_id,
                              const char *category)
{
    return model == MODEL_INDIVIDUAL ? category : assessment_id;
}

static bool has(const struct intern *keys, const char *key)
{
    return intern_find(keys, key, strlen(key)) != UINT32_MAX;
}

static bool is_known(const struct ledger_source *source, const char *key)
{
    return *key && (has(&source->assessments, key) || has(&source->seen, key) ||
                    source->seen.count > LEDGER_SEEN_MAX);
}

bool ledger_rulers_learn(struct ledger *ledger, const struct source *of, const struct part *part,
                         struct error *error)
{
    struct ledger_source *source = &ledger->sources[of->index];
    int64_t at = source->seen.count > 1 ? part->collected_at : 0;
    if (of->collector->role == COLLECTOR_REFERENCE && odd_count(&part->odd))
        return true; /* a list that may hold more than it tells is compared with none */
    for (uint32_t i = 1; i < part->known.count; i++) {
        const char *key = intern_text(&part->known, i);
        if (is_known(source, key))
            continue;
        intern_put(&source->seen, key, strlen(key));
        if (!ledger_rows_see(ledger->database, of->key, key, at, error))
            return false;
    }
    return true;
}

static const char *key_of(const struct part_assessment *assessment)
{
    return ledger_rulers_key(assessment->model, assessment->id, assessment->category);
}

/* Whether both are one for an event. */
static bool is_same(const struct part_assessment *left, const struct part_assessment *right)
{
    bool individual = left->model == MODEL_INDIVIDUAL && right->model == MODEL_INDIVIDUAL;
    return left == right || (individual && !strcmp(left->category, right->category));
}

static int compare_ids(const void *left, const void *right)
{
    return finding_id_compare(left, right); /* what is open begins with its id, too */
}

/* Whether a finding is a rule on a machine that says which version of its baseline it has: new
 * rules come with a new version, which is an event of its own (ledger_versions.h). */
static bool is_versioned(const struct ledger_rulers *rulers, size_t index)
{
    const struct part *part = rulers->part;
    char scratch[PART_ID_BYTES];
    struct finding view;
    if (!part->source->collector->baseline_rules)
        return false;
    part_view(part, index, &view, scratch);
    return ledger_machines_tell(&rulers->source->machines, part, &view);
}

/* How many findings of it the part has that may be news, and in how many subscriptions; none when
 * one of them is open already: then the recommendation is not new, only its key is. */
static size_t count_findings(const struct ledger_rulers *rulers,
                             const struct part_assessment *assessment, size_t *subscriptions)
{
    const struct part *part = rulers->part;
    const struct ledger_source *open = rulers->source;
    bool *seen = MEMORY_ARRAY(bool, part->strings.count);
    size_t findings = 0;
    *subscriptions = 0;
    for (size_t i = 0; i < part->finding_count; i++) {
        const struct part_finding *row = &part->findings[i];
        if (!is_same(&part->assessments[row->assessment], assessment) ||
            rulers->carried[row->subscription] || rulers->fresh[row->subscription] ||
            (rulers->moved && rulers->moved[i]) || is_versioned(rulers, i))
            continue;
        if (open->count &&
            bsearch(&row->id, open->open, open->count, sizeof *open->open, compare_ids)) {
            findings = *subscriptions = 0;
            break;
        }
        findings++;
        *subscriptions += !seen[row->subscription];
        seen[row->subscription] = true;
    }
    free(seen);
    return findings;
}

/* Whether individual recommendations take over from grouped ones: what the part closes as retired
 * is told one by one. */
static bool is_taking_over(const struct ledger_rulers *rulers)
{
    const struct part *part = rulers->part;
    for (size_t i = 0; i < part->closed_count; i++)
        if (part->closed[i].reason == REASON_RETIRED)
            return true;
    return false;
}

static bool is_all_over(const struct ledger_rulers *rulers,
                        const struct part_assessment *assessment, size_t findings,
                        size_t subscriptions)
{
    const struct ledger_config *config = &rulers->ledger->config;
    return subscriptions >= (size_t)config->ruler_subscriptions ||
           findings >= (size_t)config->ruler_findings ||
           (findings && assessment->model == MODEL_INDIVIDUAL && is_taking_over(rulers));
}

/* Whether Microsoft added it: the catalogue lists it as built in, and an earlier look did not. */
static bool is_added(const struct ledger_rulers *rulers, const struct part_assessment *assessment,
                     bool *added, struct error *error)
{
    const char *tenant = rulers->part->source->tenant;
    const struct part *look = catalogue_complete(rulers->snapshot, tenant);
    const struct catalogue_entry *entry = catalogue_find(rulers->snapshot, tenant, assessment->id);
    int64_t at = 0;
    *added = false;
    if (assessment->model == MODEL_INDIVIDUAL || !look || !entry || !catalogue_is_built_in(entry))
        return true;
    if (!ledger_rows_seen_at(rulers->ledger->database, look->source->key, entry->id, &at, error))
        return false;
    *added = at && at == look->collected_at;
    return true;
}

/* The title and the sentence: which recommendation, and how much is open of it. */
static void describe(const struct ledger_rulers *rulers, const struct part_assessment *assessment,
                     bool added, size_t findings, struct buf *headline, struct buf *detail)
{
    const struct source *source = rulers->part->source;
    const struct catalogue_entry *entry =
        catalogue_find(rulers->snapshot, source->tenant, assessment->id);
    const char *title = *assessment->title ? assessment->title
                        : entry            ? entry->title
                                           : assessment->id;
    const char *plural = findings == 1 ? "" : "s";
    if (assessment->model == MODEL_INDIVIDUAL) {
        buf_printf(headline,
                   "Recommendations of the category %s are open for the first time, %zu finding%s",
                   assessment->category, findings, plural);
        buf_printf(detail,
                   "individual recommendations of the category \"%s\" are open for the first time,",
                   assessment->category);
    } else if (added) {
        buf_printf(headline, "Microsoft added a recommendation: %s, %zu resource%s", title,
                   findings, plural);
        buf_printf(detail, "the new recommendation \"%s\" is open", title);
    } else {
        buf_printf(headline, "A recommendation is open for the first time: %s, %zu resource%s",
                   title, findings, plural);
        buf_printf(detail, "the recommendation \"%s\" is open for the first time,", title);
    }
}

static bool add(const struct ledger_rulers *rulers, const struct part_assessment *assessment,
                size_t findings, size_t subscriptions, struct error *error)
{
    struct arena *arena = &rulers->events->arena;
    CLEANUP(buf_finish) struct buf headline = { 0 };
    CLEANUP(buf_finish) struct buf detail = { 0 };
    bool added;
    if (!is_added(rulers, assessment, &added, error))
        return false;
    describe(rulers, assessment, added, findings, &headline, &detail);
    buf_printf(&detail, " %zu times in %zu subscriptions", findings, subscriptions);
    const struct event event = {
        .kind = EVENT_RULER_CHANGED,
        .source = rulers->part->source,
        .at = rulers->now,
        .reason = -1,
        .risk = RISK_NOT_EVALUATED,
        .risk_before = RISK_NOT_EVALUATED,
        .subject = arena_text(arena, key_of(assessment)),
        .headline = arena_text(arena, buf_cstr(&headline)),
        .detail = arena_text(arena, buf_cstr(&detail)),
        .value = (double)findings,
    };
    event_add(rulers->events, &event);
    return ledger_record(rulers->ledger->database, &event, error);
}

/* The first of the part that is the same. */
static uint32_t first_of(const struct part *part, uint32_t number)
{
    uint32_t first = 0;
    while (!is_same(&part->assessments[first], &part->assessments[number]))
        first++;
    return first;
}

bool ledger_rulers_add(const struct ledger_rulers *rulers, bool *ruled, struct error *error)
{
    const struct part *part = rulers->part;
    if (part->source->collector->incidents || part->source->collector->own_findings)
        return true;
    for (uint32_t i = 0; i < part->assessment_count; i++) {
        const struct part_assessment *assessment = &part->assessments[i];
        size_t subscriptions;
        if (is_known(rulers->source, key_of(assessment)))
            continue;
        uint32_t first = assessment->model == MODEL_INDIVIDUAL ? first_of(part, i) : i;
        if (first != i) {
            ruled[i] = ruled[first];
            continue;
        }
        size_t findings = count_findings(rulers, assessment, &subscriptions);
        ruled[i] = is_all_over(rulers, assessment, findings, subscriptions);
        if (ruled[i] && !add(rulers, assessment, findings, subscriptions, error))
            return false;
    }
    return true;
}
