#include "collectors/prerequisites.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/baselines.h"
#include "collectors/collector.h"
#include "collectors/plans.h"
#include "core/memory.h"
#include "kql.h"

extern const struct collector prerequisites_collector;

enum { NAMED_MAX = 1000 }; /* machines that are named */

struct row {
    const char *id, *subscription_id, *kind, *os, *power, *identity;
    int64_t configuration, configuration_works, log_analytics;
};

static const struct column columns[] = { COLUMN_KEY(struct row, id, "id"),
                                         COLUMN_KEY(struct row, subscription_id, "subscriptionId"),
                                         COLUMN_KEY(struct row, kind, "machineKind"),
                                         COLUMN_TEXT(struct row, os, "os"),
                                         COLUMN_TEXT(struct row, power, "power"),
                                         COLUMN_TEXT(struct row, identity, "identityType"),
                                         COLUMN_INTEGER(struct row, configuration, "configuration"),
                                         COLUMN_INTEGER(struct row, configuration_works,
                                                        "configurationWorks"),
                                         COLUMN_INTEGER(struct row, log_analytics, "logAnalytics"),
                                         { 0 } };

enum kind { VM, ARC, KIND_COUNT };
static const char *const kind_words[] = { "vm", "arc" };

enum os { WINDOWS, LINUX, UNKNOWN, OS_COUNT };
static const char *const os_words[] = { "windows", "linux", "unknown" };

enum prerequisite { CONFIGURATION, IDENTITY, LOG_ANALYTICS, PREREQUISITE_COUNT };
static const char *const prerequisite_words[] = { "machine_configuration", "system_identity",
                                                  "deprecated_log_analytics_agent" };

/* clang-format off */
static const struct {
    const char *word, *one, *many; /* what one, and what several machines are or have */
} reasons[PREREQUISITES_REASON_COUNT] = {
    [PREREQUISITES_PLAN_OFF] =
        { "plan_off", "has no Defender for Servers Plan 2", "have no Defender for Servers Plan 2" },
    [PREREQUISITES_NO_CONFIGURATION] =
        { "no_machine_configuration", "has no machine configuration extension",
          "have no machine configuration extension" },
    [PREREQUISITES_CONFIGURATION_FAILED] =
        { "machine_configuration_failed", "has a machine configuration extension that failed",
          "have a machine configuration extension that failed" },
    [PREREQUISITES_NO_IDENTITY] =
        { "no_system_identity", "has no system-assigned identity",
          "have no system-assigned identity" },
    [PREREQUISITES_NOT_RUNNING] = { "not_running", "is not running", "are not running" },
    [PREREQUISITES_DISCONNECTED] =
        { "disconnected", "is disconnected from Azure Arc", "are disconnected from Azure Arc" },
};
/* clang-format on */

/* What a row says. id: lower case. */
struct machine {
    const char *subscription_id, *id;
    enum kind kind;
    enum os os;
    bool has[PREREQUISITE_COUNT];
    bool came_before;
    enum prerequisites_reason reason;
};
static const struct kept_kind machines = { KEPT_ROWS(struct machine),
                                           .texts = { KEPT_TEXT(struct machine, id) } };

/* Of one subscription. */
struct count {
    uint64_t machines[KIND_COUNT];
    uint64_t states[OS_COUNT][PREREQUISITE_COUNT][2]; /* missing, present */
    uint64_t reasons[PREREQUISITES_REASON_COUNT];
};

/* --- reading ---------------------------------------------------------------------------------- */
static enum os os_of(const char *name)
{
    return strcasestr(name, "windows") ? WINDOWS : strcasestr(name, "linux") ? LINUX : UNKNOWN;
}

/* Whether a word is one of those that keep a machine from being looked at. */
static bool is_away(enum kind kind, const char *power)
{
    static const char *const words[KIND_COUNT][5] = {
        [VM] = { "PowerState/stopping", "PowerState/stopped", "PowerState/deallocating",
                 "PowerState/deallocated", NULL },
        [ARC] = { "Disconnected", "Expired", "Error", NULL },
    };
    for (const char *const *word = words[kind]; *word; word++)
        if (!strcasecmp(*word, power))
            return true;
    return false;
}

/* Arc's agent has machine configuration and an identity of its own. */
static enum prerequisites_reason judge(enum kind kind, const struct row *row)
{
    if (kind == ARC)
        return is_away(kind, row->power) ? PREREQUISITES_DISCONNECTED : PREREQUISITES_MET;
    if (row->configuration <= 0)
        return PREREQUISITES_NO_CONFIGURATION;
    if (row->configuration_works <= 0)
        return PREREQUISITES_CONFIGURATION_FAILED;
    if (!strcasestr(row->identity, "SystemAssigned"))
        return PREREQUISITES_NO_IDENTITY;
    return is_away(kind, row->power) ? PREREQUISITES_NOT_RUNNING : PREREQUISITES_MET;
}

static void add_machine(struct part *part, enum kind kind, const struct row *row)
{
    const struct machine machine = {
        .id = part_keep_lower(part, row->id),
        .kind = kind,
        .os = os_of(row->os),
        .has = { [CONFIGURATION] = kind == ARC || row->configuration_works > 0,
                 [IDENTITY] = strcasestr(row->identity, "SystemAssigned") != NULL,
                 [LOG_ANALYTICS] = row->log_analytics > 0 },
        .reason = judge(kind, row),
    };
    part_add_row(part, &machines, row->subscription_id, &machine);
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)query, (void)context;
    const struct row *row = data;
    enum kind kind = !strcasecmp(row->kind, kind_words[ARC]) ? ARC : VM;
    if (strcasecmp(row->kind, kind_words[kind]) != 0) {
        error_set(error, ERROR_PARSE, "the kind \"%.40s\" is not known", row->kind);
        return ODD_WORD;
    }
    if (row->configuration == COLUMN_ABSENT || row->configuration_works == COLUMN_ABSENT ||
        row->log_analytics == COLUMN_ABSENT) {
        error_set(error, ERROR_PARSE, "the extensions of %.200s are not told", row->id);
        return ODD_MISSING;
    }
    add_machine(part, kind, row);
    return ODD_NONE;
}

/* Of equal ids the one that nobody looks into comes first. */
static int compare(const void *left, const void *right)
{
    const struct machine *a = *(struct machine *const *)left, *b = *(struct machine *const *)right;
    int order = strcmp(a->id, b->id);
    bool met[] = { a->reason == PREREQUISITES_MET, b->reason == PREREQUISITES_MET };
    return order ? order : met[0] != met[1] ? met[0] - met[1] : (a > b) - (a < b);
}

/* Of a machine that came twice, otherwise, the worse holds: nobody looks into it. */
static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)context, (void)error;
    size_t count;
    struct machine *rows = kept_all(&part->kept, &machines, &count);
    struct machine **order = MEMORY_ARRAY(struct machine *, count + 1);
    for (size_t i = 0; i < count; i++)
        order[i] = &rows[i];
    qsort(order, count, sizeof *order, compare);
    for (size_t i = 1; i < count; i++)
        order[i]->came_before = !strcmp(order[i]->id, order[i - 1]->id);
    free(order);
    return true;
}

/* By place in the cover, what its machines have; the caller frees it. */
static struct count *count_machines(const struct part *part)
{
    struct count *counts = MEMORY_ARRAY(struct count, part->cover_count + 1);
    const struct part_cover *cover = NULL;
    size_t count;
    const struct machine *rows = part_rows(part, &machines, &count);
    for (size_t i = 0; i < count; i++) {
        const struct machine *row = &rows[i];
        if (!cover || cover->subscription_id != row->subscription_id)
            cover = part_cover_find(part, row->subscription_id);
        if (!cover || row->came_before)
            continue;
        struct count *counted = &counts[cover - part->cover];
        counted->machines[row->kind]++;
        counted->reasons[row->reason]++;
        for (int what = 0; what < PREREQUISITE_COUNT; what++)
            if (what != IDENTITY || row->kind == VM)
                counted->states[row->os][what][row->has[what]]++;
    }
    return counts;
}

/* --- what is off ------------------------------------------------------------------------------ */

/* By place in the cover: whether Servers Plan 2 is known to be off, and no machine is assessed
 * without it, by machine configuration that was assigned otherwise. The caller frees it. */
static bool *places_without_plan(const struct snapshot *snapshot, const struct part *part)
{
    size_t count;
    const struct plan *plans = plans_known(snapshot, part->source->tenant, &count);
    bool *off = MEMORY_ARRAY(bool, part->cover_count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct part_cover *cover = plans_lacks_servers_2(&plans[i])
                                             ? part_cover_find(part, plans[i].subscription_id)
                                             : NULL;
        if (cover && !baselines_machines(snapshot, part->source->tenant, cover->subscription_id))
            off[cover - part->cover] = true;
    }
    return off;
}

static uint64_t machines_of(const struct count *count)
{
    return count->machines[VM] + count->machines[ARC];
}

/* How many machines of a subscription nobody assesses for this reason. */
static uint64_t unassessed(const struct count *count, enum prerequisites_reason reason, bool off)
{
    if (off)
        return reason == PREREQUISITES_PLAN_OFF ? machines_of(count) : 0;
    return count->reasons[reason];
}

/* --- families --------------------------------------------------------------------------------- */
static const struct family_2 machine_count = {
    .name = "defender_machines",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Virtual machines (vm) and servers of Azure Arc (arc), of subscriptions that have any. "
            "From resources, cached.",
    LABELS("subscription_id", "kind"),
};
static const struct family_4 prerequisite_machines = {
    .name = "defender_prerequisite_machines",
    .type = METRIC_GAUGE,
    .level = 2,
    .help = "Machines that have what OS security baselines need, or lack it, and those that still "
            "have the Log Analytics agent. Machines of Azure Arc carry machine configuration in "
            "their agent, and count for no identity. From resources, cached.",
    LABELS("subscription_id", "os", "prerequisite", "state"),
};
static const struct family_2 unassessed_machines = {
    .name = "defender_unassessed_machines",
    .type = METRIC_GAUGE,
    .level = 0,
    .help = "Machines that nobody looks into, by what to do about it first. From resources and "
            "pricings, cached.",
    LABELS("subscription_id", "reason"),
};
static const struct family_3 unassessed_machine_info = {
    .name = "defender_unassessed_machine_info",
    .type = METRIC_INFO,
    .level = 3,
    .help = "A machine that nobody looks into, 1000 of them at most; none of subscriptions whose "
            "plan is off. From resources, cached.",
    LABELS("subscription_id", "machine", "reason"),
};
static const struct family *const families[] = {
    &machine_count.family,
    &prerequisite_machines.family,
    &unassessed_machines.family,
    &unassessed_machine_info.family,
    NULL,
};

static void emit_states(const char *id, const struct count *count, enum os os,
                        struct metric_set *set)
{
    static const char *const states[] = { "missing", "present" };
    uint64_t all = 0;
    for (int state = 0; state < 2; state++)
        all += count->states[os][CONFIGURATION][state];
    for (int what = 0; what < PREREQUISITE_COUNT && (all || os != UNKNOWN); what++)
        for (int state = 0; state < 2; state++)
            metric_add(set, &prerequisite_machines, (double)count->states[os][what][state],
                       METRIC_LABELS(id, os_words[os], prerequisite_words[what], states[state]));
}

static void emit_subscription(const char *id, const struct count *count, bool off,
                              struct metric_set *set)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        metric_add(set, &machine_count, (double)count->machines[kind],
                   METRIC_LABELS(id, kind_words[kind]));
    for (int os = 0; os < OS_COUNT; os++)
        emit_states(id, count, (enum os)os, set);
    for (int reason = PREREQUISITES_MET + 1; reason < PREREQUISITES_REASON_COUNT; reason++)
        metric_add(set, &unassessed_machines,
                   (double)unassessed(count, (enum prerequisites_reason)reason, off),
                   METRIC_LABELS(id, reasons[reason].word));
}

/* Who may not read resources sees no machine: of a subscription without any nothing is told. */
static void emit(const struct snapshot *snapshot, const struct part *part, struct metric_set *set)
{
    size_t count, named = 0;
    const struct machine *rows = part_rows(part, &machines, &count);
    bool *off = places_without_plan(snapshot, part);
    struct count *counts = count_machines(part);
    for (size_t i = 0; i < part->cover_count; i++)
        if (part->cover[i].collected_at && machines_of(&counts[i]))
            emit_subscription(part->cover[i].subscription_id, &counts[i], off[i], set);
    for (size_t i = 0; i < count && named < NAMED_MAX; i++) {
        const struct part_cover *cover = part_cover_find(part, rows[i].subscription_id);
        if (rows[i].reason == PREREQUISITES_MET || rows[i].came_before || !cover ||
            !cover->collected_at || off[cover - part->cover])
            continue;
        named++;
        metric_add(
            set, &unassessed_machine_info, 1,
            METRIC_LABELS(rows[i].subscription_id, rows[i].id, reasons[rows[i].reason].word));
    }
    free(off);
    free(counts);
}

/* --- in words --------------------------------------------------------------------------------- */
struct total {
    uint64_t machines, reasons[PREREQUISITES_REASON_COUNT];
};

static void add_up(const struct snapshot *snapshot, const struct part *part, struct total *total)
{
    bool *off = places_without_plan(snapshot, part);
    struct count *counts = count_machines(part);
    for (size_t i = 0; i < part->cover_count; i++) {
        if (!part->cover[i].collected_at)
            continue;
        total->machines += machines_of(&counts[i]);
        for (int reason = 0; reason < PREREQUISITES_REASON_COUNT; reason++)
            total->reasons[reason] +=
                unassessed(&counts[i], (enum prerequisites_reason)reason, off[i]);
    }
    free(off);
    free(counts);
}

void prerequisites_sentence(const struct snapshot *snapshot, struct buf *out)
{
    struct total total = { 0 };
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (snapshot->sources->sources[i].collector == &prerequisites_collector &&
            snapshot->parts[i])
            add_up(snapshot, snapshot->parts[i], &total);
    uint64_t all = 0;
    for (int reason = PREREQUISITES_MET + 1; reason < PREREQUISITES_REASON_COUNT; reason++)
        all += total.reasons[reason];
    if (!total.machines)
        return;
    if (!all) {
        buf_printf(out, "all %llu machines are looked at", (unsigned long long)total.machines);
        return;
    }
    buf_printf(out, "%llu of %llu machines are not looked at", (unsigned long long)all,
               (unsigned long long)total.machines);
    const char *separator = ", because ";
    for (int reason = PREREQUISITES_MET + 1; reason < PREREQUISITES_REASON_COUNT; reason++) {
        if (!total.reasons[reason])
            continue;
        buf_printf(out, "%s%llu %s", separator, (unsigned long long)total.reasons[reason],
                   total.reasons[reason] == 1 ? reasons[reason].one : reasons[reason].many);
        separator = ", ";
    }
}

static void visit_part(const struct snapshot *snapshot, const struct part *part,
                       void (*visit)(void *context, const struct prerequisites_unassessed *machine),
                       void *context)
{
    size_t count;
    const struct machine *rows = part_rows(part, &machines, &count);
    bool *off = places_without_plan(snapshot, part);
    for (size_t i = 0; i < count; i++) {
        const struct part_cover *cover = part_cover_find(part, rows[i].subscription_id);
        if (rows[i].came_before || !cover || !cover->collected_at)
            continue;
        enum prerequisites_reason reason =
            off[cover - part->cover] ? PREREQUISITES_PLAN_OFF : rows[i].reason;
        if (reason != PREREQUISITES_MET)
            visit(context, &(struct prerequisites_unassessed){ rows[i].subscription_id, rows[i].id,
                                                               reasons[reason].one });
    }
    free(off);
}

void prerequisites_each(const struct snapshot *snapshot,
                        void (*visit)(void *context,
                                      const struct prerequisites_unassessed *machine),
                        void *context)
{
    for (size_t i = 0; i < snapshot->sources->count; i++)
        if (snapshot->sources->sources[i].collector == &prerequisites_collector &&
            snapshot->parts[i])
            visit_part(snapshot, snapshot->parts[i], visit, context);
}

const struct collector prerequisites_collector = {
    .name = "prerequisites",
    .words = "states of machines",
    .help = "What machines need to be looked into, and which are not.",
    .default_interval = "1h",
    .order = 60,
    .rights = { "virtual machines, servers of Azure Arc and their extensions", "Reader",
                "Microsoft.Compute/virtualMachines/read "
                "Microsoft.Compute/virtualMachines/extensions/read "
                "Microsoft.HybridCompute/machines/read "
                "Microsoft.HybridCompute/machines/extensions/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "prerequisites_rows", .kql = kql_prerequisites_rows, .columns = columns,
              .none = NONE_IS_ORDINARY },
        } },
    },
    .families = families,
    .fold = fold,
    .finish = finish,
    .emit = emit,
};
