#include "exporter/otlp/otlp_resource.h"

#include <string.h>

#include "exporter/otlp/otlp_wire.h"
#include "opentelemetry/proto/resource/v1/resource.pb-c.h"
#include "version.h"

#define SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

enum { OWN_MAX = 4, ATTRIBUTES_MAX = OWN_MAX + OTLP_PAIRS_MAX };

typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;

/* Fields of ResourceLogs and ScopeLogs; those of metrics have the same numbers. */
enum { REQUEST_ITEMS = 1, RESOURCE = 1, RESOURCE_SCOPES = 2, SCOPE = 1, SCHEMA = 3 };

static bool has(const struct otlp_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i].name, name))
            return true;
    return false;
}

/* What the operator says wins, the name of the service before all. */
static size_t gather(const struct otlp_config *config, const char *instance, struct arena *arena,
                     struct otlp_pair pairs[ATTRIBUTES_MAX])
{
    const struct otlp_pair own[OWN_MAX] = {
        { "service.name", "defender_exporter" },
        { "service.version", VERSION },
        { "service.instance.id", instance },
        { "cloud.provider", "azure" },
    };
    struct otlp_pair given[OTLP_PAIRS_MAX];
    size_t given_count, count = 0;
    struct error unused;
    if (config->service_name)
        pairs[count++] = (struct otlp_pair){ "service.name", config->service_name };
    if (!otlp_config_pairs(config->resource_attributes, arena, given, &given_count, &unused))
        given_count = 0;
    for (size_t i = 0; i < given_count; i++)
        if (!has(pairs, count, given[i].name))
            pairs[count++] = given[i];
    for (size_t i = 0; i < OWN_MAX; i++)
        if (!has(pairs, count, own[i].name))
            pairs[count++] = own[i];
    return count;
}

void otlp_resource_init(struct otlp_resource *resource, const struct otlp_config *config,
                        const char *instance)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct otlp_pair pairs[ATTRIBUTES_MAX];
    struct otlp_wire_text texts[ATTRIBUTES_MAX];
    key_value *list[ATTRIBUTES_MAX];
    size_t count = gather(config, instance, &arena, pairs);
    for (size_t i = 0; i < count; i++) {
        otlp_wire_text(&texts[i], protobuf_valid(pairs[i].name, &arena),
                       protobuf_valid(pairs[i].value, &arena));
        list[i] = &texts[i].pair;
    }
    Opentelemetry__Proto__Resource__V1__Resource message;
    opentelemetry__proto__resource__v1__resource__init(&message);
    message.n_attributes = count;
    message.attributes = list;
    Opentelemetry__Proto__Common__V1__InstrumentationScope scope;
    opentelemetry__proto__common__v1__instrumentation_scope__init(&scope);
    char name[] = "defender_exporter", version[] = VERSION;
    scope.name = name;
    scope.version = version;
    *resource = (struct otlp_resource){ 0 };
    protobuf_pack(&resource->resource, 0, &message.base);
    protobuf_pack(&resource->scope, 0, &scope.base);
}

void otlp_resource_finish(struct otlp_resource *resource)
{
    buf_finish(&resource->resource);
    buf_finish(&resource->scope);
}

void otlp_resource_request(const struct otlp_resource *resource, const struct buf *items,
                           struct buf *request)
{
    char url[] = SCHEMA_URL;
    const struct buf schema = { .data = url, .length = sizeof url - 1 };
    size_t schema_size = protobuf_size(SCHEMA, schema.length);
    size_t scope = protobuf_size(SCOPE, resource->scope.length) + items->length + schema_size;
    size_t whole = protobuf_size(RESOURCE, resource->resource.length) +
                   protobuf_size(RESOURCE_SCOPES, scope) + schema_size;
    buf_reserve(request, protobuf_size(REQUEST_ITEMS, whole));
    protobuf_head(request, REQUEST_ITEMS, whole);
    protobuf_nest(request, RESOURCE, &resource->resource);
    protobuf_head(request, RESOURCE_SCOPES, scope);
    protobuf_nest(request, SCOPE, &resource->scope);
    buf_append(request, items->data, items->length);
    protobuf_nest(request, SCHEMA, &schema); /* of the scope */
    protobuf_nest(request, SCHEMA, &schema);
}
