#include "collectors/security_alerts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/memory.h"
#include "kql.h"

enum { MV_EXPAND_LIMIT = 400 }; /* source: Resource Graph query language */
enum { RESOURCES_MAX = 20 };    /* that are kept of an alert, beside its own */
enum { QUERY_RESOURCES, QUERY_ALERTS };

extern const struct collector security_alerts_collector;

struct row {
    const char *id, *subscription_id, *status, *severity;
    const char *title, *type, *intent, *resource_id, *description, *remediation;
    const char *alert; /* of resources */
    int64_t generated_at, entities;
    bool incident;
};

/* clang-format off */
static const struct column resource_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, alert,           "alert"),
    COLUMN_KEY    (struct row, resource_id,     "resourceId"),
    { 0 }
};
static const struct column alert_columns[] = {
    COLUMN_KEY    (struct row, id,              "id"),
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, status,          "status"),
    COLUMN_KEY    (struct row, severity,        "severity"),
    COLUMN_TEXT   (struct row, title,           "title"),
    COLUMN_ID     (struct row, type,            "alertType"),
    COLUMN_LIST   (struct row, intent,          "intent"),
    COLUMN_BOOL   (struct row, incident,        "isIncident"),
    COLUMN_TIME   (struct row, generated_at,    "generatedAt"),
    COLUMN_ID     (struct row, resource_id,     "resourceId"),
    COLUMN_INTEGER(struct row, entities,        "entities"),
    COLUMN_LONG   (struct row, description,     "description"),
    COLUMN_LONG   (struct row, remediation,     "remediation"),
    { 0 }
};

/* source: Microsoft.Security alerts 2022-01-01; New: continuous export. */
static const struct {
    const char *word;
    bool open, active;
    enum finding_reason reason; /* of what is not open */
} statuses[] = {
    { "Active",     true,  true,  REASON_FIXED },
    { "New",        true,  true,  REASON_FIXED },
    { "InProgress", true,  false, REASON_FIXED },
    { "Resolved",   false, false, REASON_FIXED },
    { "Dismissed",  false, false, REASON_NOT_APPLICABLE },
};

static const struct {
    const char *word;
    enum severity severity; /* of its finding: one for each */
    enum risk_level risk;
} severities[SECURITY_ALERT_SEVERITY_COUNT] = {
    [SECURITY_ALERT_HIGH]          = { "High",          SEVERITY_HIGH,    RISK_HIGH },
    [SECURITY_ALERT_MEDIUM]        = { "Medium",        SEVERITY_MEDIUM,  RISK_MEDIUM },
    [SECURITY_ALERT_LOW]           = { "Low",           SEVERITY_LOW,     RISK_LOW },
    [SECURITY_ALERT_INFORMATIONAL] = { "Informational", SEVERITY_UNKNOWN, RISK_LOW },
};
const char *const security_alerts_severities[] = {
    "high", "medium", "low", "informational", NULL
};

/* source: MITRE ATT&CK, and the intents of Microsoft.Security alerts. "Unknown" says nothing. */
static const struct { const char *word, *tactic; } tactics[] = {
    { "PreAttack",           "pre-attack" },
    { "Probing",             "probing" },
    { "Exploitation",        "exploitation" },
    { "Reconnaissance",      "reconnaissance" },
    { "ResourceDevelopment", "resource development" },
    { "InitialAccess",       "initial access" },
    { "Execution",           "execution" },
    { "Persistence",         "persistence" },
    { "PrivilegeEscalation", "privilege escalation" },
    { "DefenseEvasion",      "defense evasion" },
    { "CredentialAccess",    "credential access" },
    { "Discovery",           "discovery" },
    { "LateralMovement",     "lateral movement" },
    { "Collection",          "collection" },
    { "CommandAndControl",   "command and control" },
    { "Exfiltration",        "exfiltration" },
    { "Impact",              "impact" },
    { "Unknown",             "" },
};
/* clang-format on */

const struct kept_kind security_alerts_kept = {
    KEPT_ROWS(struct security_alert),
    KEPT_BY(struct security_alert, finding),
    .texts = {
        KEPT_TEXT(struct security_alert, id),
        KEPT_TEXT(struct security_alert, name),
        KEPT_TEXT(struct security_alert, type),
        KEPT_TEXT(struct security_alert, tactics),
        KEPT_TEXT(struct security_alert, resource_id),
        KEPT_TEXT(struct security_alert, resources),
        KEPT_TEXT(struct security_alert, description),
        KEPT_TEXT(struct security_alert, remediation),
    },
};

/* While rows arrive: what is known of an alert, by the number of its id. */
struct known {
    struct buf resources; /* their ids, joined with "," */
    bool kept;
    bool active;      /* by any of its rows */
    uint8_t severity; /* the worst of them */
};
struct own {
    struct intern ids;
    struct known *known; /* by number; some are empty */
    size_t count;
};

static void own_finish(void *data)
{
    struct own *own = data;
    for (size_t i = 0; i < own->count; i++)
        buf_finish(&own->known[i].resources);
    free(own->known);
    intern_finish(&own->ids);
    free(own);
}

static struct known *known_of(struct part *part, const char *id)
{
    struct own *own = part_own(part, sizeof *own, own_finish);
    uint32_t number = intern_put(&own->ids, id, strlen(id));
    MEMORY_REACH(own->known, number, own->count);
    return &own->known[number];
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "security_alert.vm_eicar": alerts of one type are told together. */
static const char *key_of(struct part *part, const struct row *row)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_printf(&out, "%s%s", FINDING_SECURITY_ALERT, *row->type ? row->type : "other");
    return part_keep_lower(part, buf_cstr(&out));
}

static const char *name_of(const struct row *row)
{
    return *row->title ? row->title : *row->type ? row->type : "Security alert";
}

static const char *tactic_of(const char *word, size_t length)
{
    for (size_t i = 0; i < ARRAY_COUNT(tactics); i++)
        if (strlen(tactics[i].word) == length && !strncasecmp(tactics[i].word, word, length))
            return tactics[i].tactic;
    return "other";
}

/* "DefenseEvasion, Impact" -> "defense evasion, impact". */
static const char *tactics_of(struct part *part, const char *words)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (words += strspn(words, ", "); *words; words += strspn(words, ", ")) {
        size_t length = strcspn(words, ", ");
        const char *tactic = tactic_of(words, length);
        if (*tactic && !strstr(buf_cstr(&out), tactic))
            buf_printf(&out, "%s%s", out.length ? ", " : "", tactic);
        words += length;
    }
    return part_keep(part, buf_cstr(&out));
}

/* Which row of a table has the word; its size when none has. */
#define FIND_WORD(table, wanted, index)                                                            \
    while ((index) < ARRAY_COUNT(table) && strcasecmp((table)[index].word, wanted) != 0)           \
    (index)++

static void keep_alert(struct part *part, const struct row *row, const char *id,
                       const char *resource_id)
{
    const struct security_alert alert = {
        .id = id,
        .finding = finding_id(part->source, id, strlen(id)),
        .name = name_of(row),
        .type = row->type,
        .tactics = tactics_of(part, row->intent),
        .resource_id = resource_id,
        .resources = "",
        .description = row->description,
        .remediation = row->remediation,
        .incident = row->incident,
    };
    part_add_row(part, &security_alerts_kept, row->subscription_id, &alert);
}

static void fold_open(struct part *part, const struct row *row, size_t severity, bool active)
{
    const char *id = part_keep_lower(part, row->id);
    const char *resource_id = *row->resource_id ? part_keep_lower(part, row->resource_id) : id;
    struct known *known = known_of(part, id);
    part->truncated |= row->entities > MV_EXPAND_LIMIT;
    part_add_open(part, &(struct part_row){
                            .row_id = id,
                            .assessment_id = key_of(part, row),
                            .title = name_of(row),
                            .category = "SecurityAlert",
                            .assessment_type = "",
                            .subscription_id = row->subscription_id,
                            .resource_id = resource_id,
                            .resource_type = "",
                            .risk_factors = "",
                            .risk = severities[severity].risk,
                            .severity = severities[severity].severity,
                            .changed_at = row->generated_at,
                        });
    known->active |= active;
    if (!known->kept || severity < known->severity)
        known->severity = (uint8_t)severity;
    if (!known->kept)
        keep_alert(part, row, id, resource_id);
    known->kept = true;
}

static enum odd_reason fold_alert(struct part *part, const struct row *row, struct error *error)
{
    size_t status = 0, severity = 0;
    FIND_WORD(statuses, row->status, status);
    FIND_WORD(severities, row->severity, severity);
    if (status == ARRAY_COUNT(statuses) || severity == ARRAY_COUNT(severities)) {
        error_set(error, ERROR_PARSE, "the %s \"%.40s\" is not known",
                  status == ARRAY_COUNT(statuses) ? "status" : "severity",
                  status == ARRAY_COUNT(statuses) ? row->status : row->severity);
        return ODD_WORD;
    }
    if (statuses[status].open)
        fold_open(part, row, severity, statuses[status].active);
    else
        part_add_closed(part, row->subscription_id, row->id, statuses[status].reason);
    return ODD_NONE;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)context;
    const struct row *row = data;
    if (query == QUERY_ALERTS)
        return fold_alert(part, row, error);
    struct buf *resources = &known_of(part, part_keep_lower(part, row->alert))->resources;
    buf_printf(resources, "%s%s", resources->length ? "," : "",
               part_keep_lower(part, row->resource_id));
    return ODD_NONE;
}

/* What an alert names besides is no reason to open or resolve it. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)context;
    const struct row *row = data;
    if (query != QUERY_ALERTS)
        return;
    if (*row->id)
        part_freeze(part, row->subscription_id, row->id);
    else
        part_add_gap(part, row->subscription_id);
}

/* --- all rows have come ----------------------------------------------------------------------- */

/* Tell of the resources of an alert but the one it is about: a few by id, of the rest how many. */
static void tell_resources(struct part *part, const char *all, struct security_alert *alert)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    size_t own = strlen(alert->resource_id), told = 0;
    while (*all) {
        size_t length = strcspn(all, ",");
        bool is_own = length == own && !strncmp(alert->resource_id, all, length);
        if (!is_own && told < RESOURCES_MAX) {
            buf_printf(&out, "%s%.*s", told++ ? "," : "", (int)length, all);
        } else if (!is_own) {
            alert->more_resources++;
        }
        all += length + (all[length] == ',');
    }
    alert->resources = part_keep(part, buf_cstr(&out));
}

/* Of an alert that is shown as it was, what was known of it. */
static void keep_frozen(struct part *part, const struct part *older)
{
    size_t count;
    const struct security_alert *before = security_alerts_of(older, &count);
    for (size_t i = 0; i < count; i++)
        if (part_is_frozen(part, &before[i].finding))
            part_add_row(part, &security_alerts_kept, before[i].subscription_id, &before[i]);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    size_t count;
    struct security_alert *alerts = kept_all(&part->kept, &security_alerts_kept, &count);
    for (size_t i = 0; i < count; i++) {
        const struct known *known = known_of(part, alerts[i].id);
        alerts[i].severity = known->severity;
        alerts[i].active = known->active;
        tell_resources(part, buf_cstr(&known->resources), &alerts[i]);
    }
    keep_frozen(part, snapshot_part(context->snapshot, part->source));
    return true;
}

/* --- what others ask -------------------------------------------------------------------------- */

const struct security_alert *security_alerts_of(const struct part *part, size_t *count)
{
    *count = 0;
    if (!part || part->source->collector != &security_alerts_collector)
        return NULL;
    return part_rows(part, &security_alerts_kept, count);
}

const struct security_alert *security_alerts_find(const struct snapshot *snapshot,
                                                  const struct finding_id *id)
{
    const struct security_alert *found = NULL;
    for (size_t i = 0; i < snapshot->sources->count && !found; i++)
        found = part_row_of(snapshot->parts[i], &security_alerts_kept, id);
    return found;
}

enum security_alert_severity security_alerts_severity(enum severity severity)
{
    int found = 0;
    while (found < SECURITY_ALERT_INFORMATIONAL && severities[found].severity != severity)
        found++;
    return (enum security_alert_severity)found;
}

const struct collector security_alerts_collector = {
    .name = "security_alerts",
    .words = "security alerts",
    .help = "Security alerts of Defender for Cloud: active ones, their tactics and resources.",
    .default_interval = "5m",
    .role = COLLECTOR_DATA,
    .rows = COLLECTOR_FAILING_ROWS,
    .dates_changes = true,
    .order = 33,
    .topic = "security_alert",
    .incidents = true,
    .security_alerts = true,
    .rights = { "security alerts", "Security Reader",
                "Microsoft.Security/alerts/read Microsoft.Security/locations/alerts/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "security_alerts_resources_rows", .kql = kql_security_alerts_resources_rows,
              .columns = resource_columns, .none = NONE_WITH_LAST },
            { .name = "security_alerts_rows", .kql = kql_security_alerts_rows,
              .columns = alert_columns, .none = NONE_IS_ORDINARY },
        } },
    },
    .families = security_alerts_families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .emit = security_alerts_emit,
};
