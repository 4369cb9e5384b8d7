#include "exporter/otlp/otlp_wire.h"

#include <stdint.h>

void otlp_wire_text(struct otlp_wire_text *text, const char *name, const char *value)
{
    opentelemetry__proto__common__v1__key_value__init(&text->pair);
    opentelemetry__proto__common__v1__any_value__init(&text->value);
    text->value.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
    text->value.string_value = (char *)(uintptr_t)value; /* only read */
    text->pair.key = (char *)(uintptr_t)name;
    text->pair.value = &text->value;
}
