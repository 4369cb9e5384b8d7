#pragma once
/* A name=value of an OTLP message. Pure. */
#include "exporter/formats/protobuf.h"
#include "opentelemetry/proto/common/v1/common.pb-c.h"

/* A name=value with a text, and the memory its parts need. Texts are borrowed. */
struct otlp_wire_text {
    Opentelemetry__Proto__Common__V1__KeyValue pair;
    Opentelemetry__Proto__Common__V1__AnyValue value;
};
void otlp_wire_text(struct otlp_wire_text *text, const char *name, const char *value);
