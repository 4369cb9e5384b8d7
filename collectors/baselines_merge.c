#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/baselines_reason.h"
#include "collectors/baselines_report.h"
#include "collectors/waivers.h"
#include "core/memory.h"

enum { RULE_KEY_BYTES = BASELINES_RULE_KEY_BYTES };

struct machine {
    const char *subscription_id; /* in merge->texts */
    enum baseline baseline;
    bool in_form_a, in_form_b;
    uint64_t healthy, unhealthy, failing; /* form A, as counted; its rows that came */
    enum machine_state compliance;
    uint32_t version;                  /* number in merge->texts */
    int64_t checked_at, rules, listed; /* listed: rows of form B, all of them not compliant */
};

/* What a machine says of a rule that form A lists. */
struct reason {
    struct finding_id id;
    uint32_t phrase; /* number of the part's strings */
};

struct baselines_merge {
    const struct waivers *waivers; /* borrowed; NULL = none */
    int64_t now;
    struct intern texts;
    struct intern machine_keys; /* "0|<machine id>": number n is machines[n - 1] */
    struct machine *machines;
    size_t machine_capacity;
    struct intern name_keys;   /* rule key: number n is severities[n - 1] */
    enum severity *severities; /* of names */
    size_t name_capacity;
    struct intern guids; /* of rules of form A: number n is guid_names[n - 1] of name_keys */
    uint32_t *guid_names;
    size_t guid_capacity;
    struct reason *reasons;
    size_t reason_count, reason_capacity;
    struct intern failing; /* "<machine number>|<rule key>" that form A has */
    /* Rules of form B of one machine, held back until the next machine comes. */
    struct held {
        const char *name, *key, *phrase;
        enum severity severity;
    } * held;
    size_t held_count, held_capacity;
    size_t held_machine; /* its number; 0 = none */
    bool held_known;     /* form A has one of these rules too: both name the same rules */
    const char *held_machine_id;
    struct arena held_arena;
};

struct baselines_merge *baselines_merge_create(const struct waivers *waivers, int64_t now)
{
    struct baselines_merge *merge = MEMORY_NEW(struct baselines_merge);
    merge->waivers = waivers;
    merge->now = now;
    return merge;
}

static const struct kept_kind waived = {
    KEPT_ROWS(struct baselines_waived),
    KEPT_BY(struct baselines_waived, id),
    .texts = { KEPT_TEXT(struct baselines_waived, reason),
               KEPT_TEXT(struct baselines_waived, rule_id),
               KEPT_TEXT(struct baselines_waived, machine_id) },
};

/* Whether a waiver says that a rule does not count on a machine: then its finding is exempted. */
static bool waive(struct part *part, struct baselines_merge *merge,
                  const struct baselines_rule_fact *fact, const char *rule_key, const char *rule_id,
                  const char *row_id)
{
    size_t which = 0;
    enum waivers_state state =
        waivers_judge(merge->waivers, fact->machine_id, rule_key, rule_id, merge->now, &which);
    if (state != WAIVERS_IN_FORCE)
        return false;
    const struct baselines_waived exempt = {
        .reason = waivers_at(merge->waivers, which, merge->now, &state)->reason,
        .rule_id = rule_id,
        .machine_id = part_keep_lower(part, fact->machine_id),
        .id = finding_id(part->source, row_id, strlen(row_id)),
        .until_at = waivers_until(merge->waivers, which),
    };
    part_add_closed(part, fact->subscription_id, row_id, REASON_EXEMPTED);
    part_add_row(part, &waived, fact->subscription_id, &exempt);
    baselines_count_of(part, fact->subscription_id, fact->baseline)->waived++;
    return true;
}

const struct baselines_waived *baselines_waived_by(const struct snapshot *snapshot,
                                                   const struct finding *finding)
{
    const struct baselines_waived *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = part_row_of(snapshot->parts[i], &waived, &finding->id);
    return found;
}

const struct baselines_waived *baselines_waived_in(const struct part *part, size_t *count)
{
    return part_rows(part, &waived, count);
}

void baselines_merge_destroy(struct baselines_merge *merge)
{
    if (!merge)
        return;
    intern_finish(&merge->texts);
    intern_finish(&merge->machine_keys);
    intern_finish(&merge->name_keys);
    intern_finish(&merge->failing);
    arena_finish(&merge->held_arena);
    free(merge->machines);
    free(merge->severities);
    intern_finish(&merge->guids);
    free(merge->guid_names);
    free(merge->reasons);
    free(merge->held);
    free(merge);
}

const struct kept_kind baselines_counts = { KEPT_COUNTS(struct baselines_counts) };

struct baselines_count *baselines_count_of(struct part *part, const char *subscription_id,
                                           enum baseline baseline)
{
    struct baselines_counts *counts = part_count(part, &baselines_counts, subscription_id);
    return &counts->of[baseline];
}

static size_t machine_number(struct baselines_merge *merge, const char *subscription_id,
                             const char *machine_id, enum baseline baseline)
{
    char key[PART_ID_BYTES];
    int length = snprintf(key, sizeof key, "%d|%s", (int)baseline, machine_id);
    size_t bytes = (size_t)length < sizeof key ? (size_t)length : sizeof key - 1;
    size_t before = merge->machine_keys.count;
    size_t number = intern_put(&merge->machine_keys, key, bytes);
    if (number < before)
        return number;
    MEMORY_GROW(merge->machines, number - 1, merge->machine_capacity);
    uint32_t text = intern_put(&merge->texts, subscription_id, strlen(subscription_id));
    merge->machines[number - 1] = (struct machine){
        .subscription_id = intern_text(&merge->texts, text),
        .baseline = baseline,
    };
    return number;
}

void baselines_merge_name(struct baselines_merge *merge, const char *rule_id, const char *rule_name,
                          enum severity severity)
{
    char key[RULE_KEY_BYTES];
    baselines_rule_key(rule_name, key, sizeof key);
    size_t before = merge->name_keys.count;
    size_t number = intern_put(&merge->name_keys, key, strlen(key));
    if (!number)
        return;
    if (number >= before) {
        MEMORY_GROW(merge->severities, number - 1, merge->name_capacity);
        merge->severities[number - 1] = severity;
    }
    before = merge->guids.count;
    size_t guid = intern_put(&merge->guids, rule_id, strlen(rule_id));
    if (guid && guid >= before) {
        MEMORY_GROW(merge->guid_names, guid - 1, merge->guid_capacity);
        merge->guid_names[guid - 1] = (uint32_t)number;
    }
}

/* The number of a rule of form B among the names of form A: by its key, or by the GUID in its code,
 * "BaselineSettingNotCompliant:{GUID}" (source: Azure/azure-osconfig); 0 = form A has none. */
static uint32_t number_of_name(const struct baselines_merge *merge, const char *key,
                               const char *code)
{
    uint32_t number = intern_find(&merge->name_keys, key, strlen(key));
    if (number != UINT32_MAX)
        return number;
    char guid[37];
    const char *open = strchr(code, '{');
    size_t length = open ? strcspn(open + 1, "}") : 0;
    if (length != sizeof guid - 1)
        return 0;
    for (size_t i = 0; i < length; i++)
        guid[i] = (char)tolower((unsigned char)open[1 + i]);
    number = intern_find(&merge->guids, guid, length);
    return number && number != UINT32_MAX ? merge->guid_names[number - 1] : 0;
}

static enum machine_state state_of(const char *compliance)
{
    if (!strcasecmp(compliance, "Compliant"))
        return MACHINE_COMPLIANT;
    return strcasecmp(compliance, "NonCompliant") ? MACHINE_PENDING : MACHINE_NON_COMPLIANT;
}

void baselines_merge_machine(struct baselines_merge *merge,
                             const struct baselines_machine_fact *fact)
{
    size_t number = machine_number(merge, fact->subscription_id, fact->machine_id, fact->baseline);
    struct machine *machine = &merge->machines[number - 1];
    if (!fact->from_assignment) {
        if (fact->individual && machine->in_form_a)
            return; /* the sub-assessments told */
        machine->in_form_a = true;
        machine->healthy += fact->healthy;
        machine->unhealthy += fact->unhealthy;
        return;
    }
    /* The same policy assigned twice gives two assignments: the newer report speaks. */
    if (machine->in_form_b && machine->checked_at >= fact->checked_at)
        return;
    machine->in_form_b = true;
    machine->compliance = state_of(fact->compliance);
    machine->checked_at = fact->checked_at;
    machine->rules = fact->rules;
    machine->version = intern_put(&merge->texts, fact->version, strlen(fact->version));
}

static void add_finding(struct part *part, struct baselines_merge *merge,
                        const struct baselines_rule_fact *fact, const char *rule_key,
                        enum severity severity)
{
    char row_id[BASELINES_ROW_ID_BYTES], rule_id[BASELINES_RULE_ID_BYTES];
    baselines_row_id(fact->machine_id, fact->baseline, rule_key, row_id);
    baselines_rule_id(fact->baseline, rule_key, rule_id);
    if (waive(part, merge, fact, rule_key, rule_id, row_id))
        return;
    part_add_open(part, &(struct part_row){
                            .row_id = row_id,
                            .assessment_id = rule_id,
                            .title = fact->rule_name,
                            .category = baselines_assignments[fact->baseline],
                            .assessment_type = "",
                            .subscription_id = fact->subscription_id,
                            .resource_id = fact->machine_id,
                            .resource_type = "",
                            .risk_factors = "",
                            .reason_phrase = fact->reason_phrase,
                            .risk = finding_risk_of(severity),
                            .severity = severity,
                            .changed_at = fact->changed_at,
                        });
}

/* True when the rule of this machine is new, and remember it. */
static bool remember(struct baselines_merge *merge, size_t machine, const char *rule_key)
{
    char text[RULE_KEY_BYTES + 32];
    int length = snprintf(text, sizeof text, "%zu|%s", machine, rule_key);
    size_t before = merge->failing.count;
    return intern_put(&merge->failing, text, (size_t)length) >= before;
}

/* Keep what the machine says of a rule that form A lists. */
static void add_reason(struct part *part, struct baselines_merge *merge,
                       const struct machine *machine, const struct held *held)
{
    char row_id[BASELINES_ROW_ID_BYTES];
    baselines_row_id(merge->held_machine_id, machine->baseline, held->key, row_id);
    MEMORY_GROW(merge->reasons, merge->reason_count, merge->reason_capacity);
    merge->reasons[merge->reason_count++] = (struct reason){
        .id = finding_id(part->source, row_id, strlen(row_id)),
        .phrase = intern_put(&part->strings, held->phrase, strlen(held->phrase)),
    };
}

static int compare_reasons(const void *left, const void *right)
{
    const struct reason *a = left, *b = right;
    return finding_id_compare(&a->id, &b->id);
}

/* Give the findings of form A the reasons of form B. */
static void apply_reasons(struct part *part, struct baselines_merge *merge)
{
    if (merge->reason_count)
        qsort(merge->reasons, merge->reason_count, sizeof *merge->reasons, compare_reasons);
    for (size_t i = 0; i < part->finding_count && merge->reason_count; i++) {
        struct part_finding *finding = &part->findings[i];
        const struct reason key = { .id = finding->id };
        const struct reason *reason = bsearch(&key, merge->reasons, merge->reason_count,
                                              sizeof *merge->reasons, compare_reasons);
        if (reason && !finding->reason_phrase)
            finding->reason_phrase = reason->phrase;
    }
}

/* Let the rules go that were held back. Where form A speaks of the machine but of none of these
 * rules, the two forms name their rules differently: then form A alone counts. */
static void flush_held(struct part *part, struct baselines_merge *merge)
{
    if (!merge->held_machine)
        return;
    const struct machine *machine = &merge->machines[merge->held_machine - 1];
    bool same_names = !machine->in_form_a || !machine->unhealthy || merge->held_known;
    for (size_t i = 0; i < merge->held_count && same_names; i++) {
        const struct held *held = &merge->held[i];
        if (!remember(merge, merge->held_machine, held->key)) {
            add_reason(part, merge, machine, held);
            continue;
        }
        uint32_t number = number_of_name(merge, held->key, "");
        bool named = number && merge->severities[number - 1] != SEVERITY_UNKNOWN;
        struct baselines_rule_fact fact = {
            .subscription_id = machine->subscription_id,
            .machine_id = merge->held_machine_id,
            .baseline = machine->baseline,
            .rule_name = held->name,
            .reason_phrase = held->phrase,
        };
        add_finding(part, merge, &fact, held->key,
                    named ? merge->severities[number - 1] : held->severity);
    }
    merge->held_machine = 0;
    merge->held_count = 0;
    merge->held_known = false;
    arena_reset(&merge->held_arena);
}

static void hold_back(struct baselines_merge *merge, size_t machine, const char *key,
                      const struct baselines_rule_fact *fact)
{
    if (!merge->held_machine)
        merge->held_machine_id = arena_text(&merge->held_arena, fact->machine_id);
    merge->held_machine = machine;
    char text[RULE_KEY_BYTES + 32];
    int length = snprintf(text, sizeof text, "%zu|%s", machine, key);
    if (intern_find(&merge->failing, text, (size_t)length) != UINT32_MAX)
        merge->held_known = true;
    MEMORY_GROW(merge->held, merge->held_count, merge->held_capacity);
    merge->held[merge->held_count++] = (struct held){
        .name = arena_text(&merge->held_arena, fact->rule_name),
        .key = arena_text(&merge->held_arena, key),
        .phrase = arena_copy(&merge->held_arena, fact->reason_phrase,
                             baselines_reason_length(fact->reason_phrase)),
        .severity = fact->severity,
    };
}

void baselines_merge_rule(struct part *part, struct baselines_merge *merge,
                          const struct baselines_rule_fact *fact)
{
    size_t number = machine_number(merge, fact->subscription_id, fact->machine_id, fact->baseline);
    struct machine *machine = &merge->machines[number - 1];
    char key[RULE_KEY_BYTES];
    baselines_rule_key(*fact->rule_name ? fact->rule_name : fact->rule_id, key, sizeof key);
    if (fact->from_assignment) {
        uint32_t name = number_of_name(merge, key, fact->reason_code);
        if (name)
            snprintf(key, sizeof key, "%s", intern_text(&merge->name_keys, name));
        machine->listed++;
        if (merge->held_machine && merge->held_machine != number)
            flush_held(part, merge);
        if (fact->failing)
            hold_back(merge, number, key, fact);
        else
            baselines_count_of(part, fact->subscription_id, fact->baseline)
                ->pending[fact->severity]++;
        return;
    }
    machine->in_form_a = true;
    bool is_new = fact->failing && remember(merge, number, key);
    machine->failing += fact->individual ? is_new : fact->failing;
    if (is_new)
        add_finding(part, merge, fact, key, fact->severity);
}

void baselines_merge_report(const struct baselines_merge *merge, struct baselines_reports *reports,
                            const struct baselines_reports *older, int64_t now)
{
    for (uint32_t i = 0; i + 1 < merge->machine_keys.count; i++) {
        const struct machine *machine = &merge->machines[i];
        const struct baselines_report report = {
            .in_form_a = machine->in_form_a,
            .in_form_b = machine->in_form_b && (machine->checked_at || !machine->in_form_a),
            .whole = machine->failing == machine->unhealthy,
            .rules = machine->healthy + machine->unhealthy,
            .checked_at = machine->checked_at,
            .version = intern_text(&merge->texts, machine->version),
        };
        baselines_report_add(reports, older, intern_text(&merge->machine_keys, i + 1), &report,
                             now);
    }
}

void baselines_merge_finish(struct part *part, struct baselines_merge *merge, int64_t now)
{
    flush_held(part, merge);
    apply_reasons(part, merge);
    for (size_t i = 0; i + 1 < merge->machine_keys.count; i++) {
        const struct machine *machine = &merge->machines[i];
        struct baselines_count *counts =
            baselines_count_of(part, machine->subscription_id, machine->baseline);
        bool reported = machine->in_form_b && (machine->checked_at || !machine->in_form_a);
        enum machine_state state = reported             ? machine->compliance
                                   : machine->unhealthy ? MACHINE_NON_COMPLIANT
                                                        : MACHINE_COMPLIANT;
        counts->machines[state]++;
        if (machine->checked_at && now - machine->checked_at > BASELINES_STALE_AFTER_S)
            counts->stale_machines++;
        if (!machine->in_form_a && machine->rules > machine->listed)
            counts->compliant[SEVERITY_UNKNOWN] += (uint64_t)(machine->rules - machine->listed);
    }
}
