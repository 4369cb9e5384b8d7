#include "alerts/ledger/ledger_machines.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/store/rows.h"
#include "collectors/baselines.h"
#include "core/memory.h"

enum { REMEMBER_S = 30 * 86400, NOT_COUNTED = -1 };

struct ledger_machine {
    struct finding_id id;         /* of the machine and the baseline */
    uint32_t version;             /* number in machines->versions; 0 = it never said */
    int32_t rules;                /* that Azure counts, or NOT_COUNTED */
    uint32_t moved_at, shrunk_at; /* collections that saw it; 0 = none did */
    uint32_t gone_at;             /* no report since this collection; 0 = there is one */
};

void ledger_machines_finish(struct ledger_machines *machines)
{
    free(machines->items);
    intern_finish(&machines->versions);
    *machines = (struct ledger_machines){ 0 };
}

/* --- rows ------------------------------------------------------------------------------------- */
struct kept {
    const char *source, *version;
    struct finding_id id;
    bool has_id;
    int64_t rules, moved_at, shrunk_at, gone_at;
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept, source, "source"),
    ROW_BYTES(struct kept, id.bytes, "id", has_id),
    ROW_TEXT(struct kept, version, "version"),
    ROW_INTEGER(struct kept, rules, "rules"),
    ROW_INTEGER(struct kept, moved_at, "moved_at"),
    ROW_INTEGER(struct kept, shrunk_at, "shrunk_at"),
    ROW_INTEGER(struct kept, gone_at, "gone_at"),
    { 0 },
};
static const struct rows_table kept_rows = { "ledger_machine", 2, kept_fields };

bool ledger_machines_load(struct ledger_machines *machines, struct database *database,
                          const struct source *source, struct error *error)
{
    size_t capacity = 0;
    struct database_statement *statement =
        rows_select(database, &kept_rows, " WHERE source = $1 ORDER BY id");
    database_bind(statement, source->key);
    for (bool found;;) {
        struct kept kept;
        if (!rows_next(statement, &kept_rows, NULL, &kept, &found, error))
            return error_wrap(error, "reading the machines");
        if (!found)
            return true;
        MEMORY_GROW(machines->items, machines->count, capacity);
        machines->items[machines->count++] = (struct ledger_machine){
            .id = kept.id,
            .version = intern_put(&machines->versions, kept.version, strlen(kept.version)),
            .rules = (int32_t)kept.rules,
            .moved_at = (uint32_t)kept.moved_at,
            .shrunk_at = (uint32_t)kept.shrunk_at,
            .gone_at = (uint32_t)kept.gone_at,
        };
    }
}

static bool forget(struct database *database, const struct source *source,
                   const struct finding_id *id, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM ledger_machine WHERE source = $1 AND id = $2");
    database_bind(statement, source->key, DATABASE_BYTES(id->bytes));
    return database_run(statement, error);
}

/* --- looking ---------------------------------------------------------------------------------- */
struct look {
    struct ledger_machines *machines;
    struct database *database;
    const struct part *part;
    const struct baselines_version *versions; /* of the part */
    const bool *news;
    uint32_t collected_at;
    struct ledger_machine *kept; /* what is known after it */
    size_t kept_count;
};

static bool keep(struct look *look, const struct ledger_machine *before,
                 const struct ledger_machine *machine, struct error *error)
{
    look->kept[look->kept_count++] = *machine;
    if (!memcmp(before, machine, sizeof *machine))
        return true;
    const struct kept kept = {
        .source = look->part->source->key,
        .version = intern_text(&look->machines->versions, machine->version),
        .id = machine->id,
        .has_id = true,
        .rules = machine->rules,
        .moved_at = machine->moved_at,
        .shrunk_at = machine->shrunk_at,
        .gone_at = machine->gone_at,
    };
    return rows_upsert(look->database, &kept_rows, &kept, error);
}

static bool take(struct look *look, const struct ledger_machine *known,
                 const struct baselines_gauge *gauge, struct error *error)
{
    static const struct ledger_machine nothing;
    struct ledger_machine machine = { .id = gauge->id, .rules = NOT_COUNTED };
    int32_t rules = !gauge->counted            ? NOT_COUNTED
                    : gauge->rules > INT32_MAX ? INT32_MAX
                                               : (int32_t)gauge->rules;
    if (known)
        machine = *known;
    machine.gone_at = 0;
    if (gauge->version) {
        const char *text = look->versions[gauge->version - 1].text;
        uint32_t version = intern_put(&look->machines->versions, text, strlen(text));
        if (machine.version ? machine.version != version : look->news[gauge->version - 1])
            machine.moved_at = look->collected_at;
        machine.version = version;
    }
    if (rules != NOT_COUNTED && rules < machine.rules)
        machine.shrunk_at = look->collected_at;
    machine.rules = rules;
    return keep(look, known ? known : &nothing, &machine, error);
}

static bool miss(struct look *look, const struct ledger_machine *known, struct error *error)
{
    struct ledger_machine machine = *known;
    if (!machine.gone_at)
        machine.gone_at = look->collected_at;
    else if ((int64_t)look->collected_at - machine.gone_at > REMEMBER_S)
        return forget(look->database, look->part->source, &machine.id, error);
    return keep(look, known, &machine, error);
}

static int compare(const void *left, const void *right)
{
    return finding_id_compare(left, right); /* each begins with its id */
}

/* Merge what is known with what is told, both sorted. */
static bool merge(struct look *look, const struct baselines_gauge *gauges, size_t gauge_count,
                  struct error *error)
{
    const struct ledger_machines *machines = look->machines;
    size_t known = 0, told = 0;
    bool ok = true;
    while (ok && (known < machines->count || told < gauge_count)) {
        int order = known == machines->count ? 1
                    : told == gauge_count    ? -1
                                             : compare(&machines->items[known], &gauges[told]);
        const struct ledger_machine *machine = order > 0 ? NULL : &machines->items[known++];
        ok = order < 0 ? miss(look, machine, error) : take(look, machine, &gauges[told++], error);
    }
    return ok;
}

bool ledger_machines_look(struct ledger_machines *machines, struct database *database,
                          const struct part *part, const bool *news, uint32_t collected_at,
                          bool *moved, struct error *error)
{
    size_t count, capacity = 0, told = 0;
    struct baselines_gauge *gauges = NULL, gauge;
    struct look look = { machines, database,     part, baselines_versions(part, &count),
                         news,     collected_at, NULL, 0 };
    for (; baselines_gauge_at(part, told, &gauge); told++) {
        MEMORY_GROW(gauges, told, capacity);
        gauges[told] = gauge;
    }
    *moved = false;
    if (told)
        qsort(gauges, told, sizeof *gauges, compare);
    look.kept = MEMORY_ARRAY(struct ledger_machine, machines->count + told + 1);
    bool ok = merge(&look, gauges, told, error);
    free(gauges);
    if (!ok) {
        free(look.kept);
        return error_wrap(error, "keeping what machines report");
    }
    free(machines->items);
    machines->items = look.kept;
    machines->count = look.kept_count;
    for (size_t i = 0; i < machines->count; i++)
        *moved |= machines->items[i].moved_at >= collected_at;
    return true;
}

/* --- asking ----------------------------------------------------------------------------------- */
static const struct ledger_machine *find(const struct ledger_machines *machines,
                                         const struct part *part, const struct finding *finding)
{
    if (!machines->count)
        return NULL;
    const struct finding_id id = baselines_gauge_id(part, finding);
    return bsearch(&id, machines->items, machines->count, sizeof *machines->items, compare);
}

bool ledger_machines_moved(const struct ledger_machines *machines, const struct part *part,
                           const struct finding *finding, int64_t since)
{
    const struct ledger_machine *machine = find(machines, part, finding);
    return machine && machine->moved_at && machine->moved_at >= since;
}

bool ledger_machines_shrunk(const struct ledger_machines *machines, const struct part *part,
                            const struct finding *finding, int64_t since)
{
    const struct ledger_machine *machine = find(machines, part, finding);
    return machine && machine->rules != NOT_COUNTED && machine->shrunk_at &&
           machine->shrunk_at >= since;
}

bool ledger_machines_tell(const struct ledger_machines *machines, const struct part *part,
                          const struct finding *finding)
{
    const struct ledger_machine *machine = find(machines, part, finding);
    return machine && machine->version;
}
