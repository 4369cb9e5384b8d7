#include "exporter/otlp/otlp_logs.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "exporter/otlp/otlp_resource.h"
#include "exporter/otlp/otlp_wire.h"
#include "opentelemetry/proto/logs/v1/logs.pb-c.h"

enum { LINK_BYTES = 2048, FACTORS_MAX = 16, NANO = 1000000000 };

typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;

/* All that the attributes of one record are made of; "" = it has not. */
struct record {
    const char *uid, *provider, *account, *resource_id, *region, *group, *namespace;
    const char *rule, *rule_name, *rule_category, *rule_link;
    const char *finding_id, *source, *risk, *risk_before, *severity, *status, *reason, *first_seen,
        *subscription_id, *resource_type, *resource_name, *connector, *subject;
    const char *factors;        /* joined with commas */
    double value, value_before; /* NaN = none */
    int64_t episode;            /* 0 = none */
};

enum kind { TEXT, LIST, NUMBER, INTEGER };

/* clang-format off */
#define TEXT_OF(member) TEXT, MEMBER_OFFSET(struct record, member, const char *)
#define LIST_OF(member) LIST, MEMBER_OFFSET(struct record, member, const char *)
#define NUMBER_OF(member) NUMBER, MEMBER_OFFSET(struct record, member, double)
#define INTEGER_OF(member) INTEGER, MEMBER_OFFSET(struct record, member, int64_t)

static const struct attribute {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *help;
} attributes[] = {
    { "log.record.uid", TEXT_OF(uid), "id of the finding and number of the event: the same "
      "however often it is pushed" },
    { "cloud.provider", TEXT_OF(provider), "of the resource: azure, aws, gcp" },
    { "cloud.account.id", TEXT_OF(account), "subscription; account or project outside Azure" },
    { "cloud.resource_id", TEXT_OF(resource_id), "id of the resource, in its own cloud" },
    { "cloud.region", TEXT_OF(region), "where it is, outside Azure" },
    { "azure.resource_group.name", TEXT_OF(group), "" },
    { "azure.resource_provider.namespace", TEXT_OF(namespace), "microsoft.compute" },
    { "security_rule.uuid", TEXT_OF(rule), "the recommendation (assessment)" },
    { "security_rule.name", TEXT_OF(rule_name), "its title" },
    { "security_rule.category", TEXT_OF(rule_category), "" },
    { "security_rule.reference", TEXT_OF(rule_link), "link to it in the portal" },
    { "defender.finding.id", TEXT_OF(finding_id), "as in messages, links and exemplars" },
    { "defender.source", TEXT_OF(source), "the collector" },
    { "defender.subscription.id", TEXT_OF(subscription_id), "" },
    { "defender.resource.type", TEXT_OF(resource_type), "" },
    { "defender.resource.name", TEXT_OF(resource_name), "" },
    { "defender.connector", TEXT_OF(connector), "it came through, outside Azure" },
    { "defender.risk.level", TEXT_OF(risk), "critical, high, medium, low, not_evaluated" },
    { "defender.risk.level.before", TEXT_OF(risk_before), "when it changed" },
    { "defender.risk.factors", LIST_OF(factors), "an array" },
    { "defender.severity", TEXT_OF(severity), "" },
    { "defender.status", TEXT_OF(status), "open, resolved" },
    { "defender.reason", TEXT_OF(reason), "why it is resolved, or had been: fixed, exempted ..." },
    { "defender.first_seen", TEXT_OF(first_seen), "when Azure evaluated it first" },
    { "defender.episode", INTEGER_OF(episode), "which life of the finding, from 1" },
    { "defender.subject", TEXT_OF(subject), "control, plan or collector of an event about no "
      "finding" },
    { "defender.value", NUMBER_OF(value), "a ratio, points, a number of findings, of such an "
      "event" },
    { "defender.value.before", NUMBER_OF(value_before), "" },
};
/* clang-format on */

/* source: OpenTelemetry, Logs Data Model, SeverityNumber. */
static const int severities[] = {
    [RISK_CRITICAL] = OPENTELEMETRY__PROTO__LOGS__V1__SEVERITY_NUMBER__SEVERITY_NUMBER_ERROR2,
    [RISK_HIGH] = OPENTELEMETRY__PROTO__LOGS__V1__SEVERITY_NUMBER__SEVERITY_NUMBER_ERROR,
    [RISK_MEDIUM] = OPENTELEMETRY__PROTO__LOGS__V1__SEVERITY_NUMBER__SEVERITY_NUMBER_WARN,
    [RISK_LOW] = OPENTELEMETRY__PROTO__LOGS__V1__SEVERITY_NUMBER__SEVERITY_NUMBER_INFO,
    [RISK_NOT_EVALUATED] = OPENTELEMETRY__PROTO__LOGS__V1__SEVERITY_NUMBER__SEVERITY_NUMBER_INFO,
};

/* --- what an event says ----------------------------------------------------------------------- */

static const char *print(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
static const char *print(struct arena *arena, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_text(arena, text);
}

static const char *instant(int64_t at, struct arena *arena)
{
    char text[32];
    return at ? arena_text(arena, clock_format_rfc3339(at, text)) : "";
}

static bool is_recommendation(const struct finding *finding)
{
    return strncmp(finding->assessment_id, FINDING_ATTACK_PATH, strlen(FINDING_ATTACK_PATH)) &&
           strncmp(finding->assessment_id, FINDING_SECURITY_ALERT, strlen(FINDING_SECURITY_ALERT));
}

static void describe_rule(const struct finding *finding, const char *portal, struct arena *arena,
                          struct record *record)
{
    char link[LINK_BYTES];
    record->rule = finding->assessment_id;
    record->rule_name = finding->title;
    record->rule_category = finding->category;
    if (*portal && is_recommendation(finding))
        record->rule_link = arena_text(arena, finding_link(finding, portal, link, sizeof link));
}

static void describe_resource(const struct finding *finding, struct arena *arena,
                              struct record *record)
{
    bool azure = finding->cloud == CLOUD_AZURE;
    size_t slash = strcspn(finding->resource_type, "/");
    record->provider = finding->cloud == CLOUD_UNKNOWN ? "" : cloud_kind_words[finding->cloud];
    record->account = azure ? finding->subscription_id : finding->account;
    record->resource_id = azure || !*finding->native_id ? finding->resource_id : finding->native_id;
    record->region = finding->location;
    record->group = finding->resource_group;
    if (finding->resource_type[slash])
        record->namespace = arena_copy(arena, finding->resource_type, slash);
    record->resource_type = finding->resource_type;
    record->resource_name = finding->resource_name;
    record->connector = finding->connector;
}

static void describe_finding(const struct event *event, const struct finding *finding,
                             struct arena *arena, struct record *record)
{
    char id[17];
    record->finding_id = arena_text(arena, finding_id_text(&finding->id, id));
    record->uid = print(arena, "%s-%lld", record->finding_id, (long long)event->sequence);
    record->subscription_id = finding->subscription_id;
    record->risk = finding_risk_words[event->risk];
    if (event->risk_before != event->risk)
        record->risk_before = finding_risk_words[event->risk_before];
    record->severity = finding_severity_words[finding->severity];
    record->factors = finding->risk_factors;
    record->status = event->kind == EVENT_RESOLVED ? "resolved" : "open";
    if (event->reason >= 0 && event->reason < REASON_COUNT)
        record->reason = finding_reason_words[event->reason];
    record->first_seen = instant(finding->first_seen_at, arena);
    record->episode = event->episode;
}

static void describe_other(const struct event *event, struct arena *arena, struct record *record)
{
    record->uid = print(arena, "event-%lld", (long long)event->sequence);
    record->subscription_id = event->subscription_id;
    record->account = event->subscription_id;
    record->provider = *event->cloud ? event->cloud : "azure";
    record->connector = event->connector;
    record->subject = event->subject;
    record->value = event->value;
    record->value_before = event->value_before;
}

/* One sentence a person reads. */
static const char *say(const struct event *event, const struct finding *finding, const char *word,
                       struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "%s: ", word);
    if (!finding)
        buf_text(&text, *event->detail ? event->detail : event->subject);
    else
        buf_printf(&text, "%s: %s (%s)", *finding->resource_name ? finding->resource_name : "-",
                   *finding->title ? finding->title : finding->assessment_id,
                   finding_risk_words[event->risk]);
    return arena_text(arena, buf_cstr(&text));
}

/* --- the record ------------------------------------------------------------------------------- */

/* A value and what it may point to. */
struct value {
    key_value pair;
    any_value any, texts[FACTORS_MAX];
    any_value *pointers[FACTORS_MAX];
    Opentelemetry__Proto__Common__V1__ArrayValue array;
};

static void set_text(any_value *any, const char *text)
{
    opentelemetry__proto__common__v1__any_value__init(any);
    any->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
    any->string_value = (char *)(uintptr_t)text; /* only read */
}

static void set_list(struct value *value, const char *joined, struct arena *arena)
{
    opentelemetry__proto__common__v1__array_value__init(&value->array);
    while (*joined && value->array.n_values < FACTORS_MAX) {
        size_t length = strcspn(joined, ","), n = value->array.n_values++;
        set_text(&value->texts[n], arena_copy(arena, joined, length));
        value->pointers[n] = &value->texts[n];
        joined += length + (joined[length] == ',');
    }
    value->array.values = value->pointers;
    value->any.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE;
    value->any.array_value = &value->array;
}

static void set_number(any_value *any, double number)
{
    any->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE;
    any->double_value = number;
}

/* False when the record has nothing of it. */
static bool fill(const struct attribute *attribute, const struct record *record,
                 struct arena *arena, struct value *value)
{
    const void *at = (const char *)record + attribute->offset;
    const char *const *text = at;
    const double *number = at;
    const int64_t *integer = at;
    opentelemetry__proto__common__v1__key_value__init(&value->pair);
    opentelemetry__proto__common__v1__any_value__init(&value->any);
    value->pair.key = (char *)(uintptr_t)attribute->name;
    value->pair.value = &value->any;
    switch (attribute->kind) {
    case TEXT:
        if (**text)
            set_text(&value->any, protobuf_valid(*text, arena));
        return **text;
    case LIST:
        if (**text)
            set_list(value, protobuf_valid(*text, arena), arena);
        return **text;
    case NUMBER:
        set_number(&value->any, *number);
        return isfinite(*number);
    case INTEGER:
        value->any.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
        value->any.int_value = *integer;
        return *integer;
    }
    return false;
}

static void gather(const struct event *event, const struct finding *finding, const char *portal,
                   struct arena *arena, struct record *record)
{
    *record = (struct record){ .value = NAN, .value_before = NAN };
    for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
        if (attributes[i].kind == TEXT || attributes[i].kind == LIST)
            *(const char **)((char *)record + attributes[i].offset) = "";
    record->source = event->source->name;
    if (!finding) {
        describe_other(event, arena, record);
        return;
    }
    describe_finding(event, finding, arena, record);
    describe_resource(finding, arena, record);
    describe_rule(finding, portal, arena, record);
}

static void pack(struct buf *items, const struct event *event, const struct record *record,
                 const char *body, const char *name, struct arena *arena)
{
    struct value values[ARRAY_COUNT(attributes)];
    key_value *list[ARRAY_COUNT(attributes)];
    any_value text;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
        if (fill(&attributes[i], record, arena, &values[count])) {
            list[count] = &values[count].pair;
            count++;
        }
    set_text(&text, protobuf_valid(body, arena));
    Opentelemetry__Proto__Logs__V1__LogRecord message;
    opentelemetry__proto__logs__v1__log_record__init(&message);
    message.time_unix_nano = (uint64_t)event->at * NANO;
    message.observed_time_unix_nano = message.time_unix_nano;
    message.severity_number = severities[event->risk];
    message.severity_text = (char *)(uintptr_t)finding_risk_words[event->risk];
    message.body = &text;
    message.n_attributes = count;
    message.attributes = list;
    message.event_name = (char *)(uintptr_t)name;
    protobuf_pack(items, OTLP_ITEM_FIELD, &message.base);
}

void otlp_logs_append(struct buf *items, const struct event *event, const char *portal)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    char scratch[PART_ID_BYTES];
    struct finding view;
    struct record record;
    const struct finding *finding = event_finding(event, &view, scratch) ? &view : NULL;
    const char *word = event_word(event->kind, event->source, event->reason);
    gather(event, finding, portal, &arena, &record);
    pack(items, event, &record, say(event, finding, word, &arena),
         print(&arena, "defender.%s", word), &arena);
}

void otlp_logs_document(struct buf *out)
{
    buf_text(out, "| attribute | what it says |\n|---|---|\n");
    for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
        buf_printf(out, "| `%s` | %s |\n", attributes[i].name, attributes[i].help);
}
