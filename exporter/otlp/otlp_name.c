#include "exporter/otlp/otlp_name.h"

#include <stdio.h>
#include <string.h>

#include "core/compiler.h"

/* What ends a name and stands in the unit instead: put behind it again by the translation. */
static const struct {
    const char *ending, *unit;
} units[] = {
    { "_seconds", "s" },
    { "_bytes", "By" },
    { "_ratio", "1" },
};

/* What is counted; in braces it is a remark, and no ending comes of it. */
static const struct {
    const char *word, *unit;
} counted[] = {
    { "findings", "{finding}" },
    { "resources", "{resource}" },
    { "points", "{point}" },
    { "machines", "{machine}" },
    { "subscriptions", "{subscription}" },
    { "alerts", "{alert}" },
    { "paths", "{path}" },
    { "controls", "{control}" },
    { "exemptions", "{exemption}" },
    { "assignments", "{assignment}" },
    { "requests", "{request}" },
    { "notifications", "{notification}" },
    { "messages", "{message}" },
    { "rows", "{row}" },
    { "series", "{series}" },
};

/* Take an ending off; false when the name has another. */
static bool strip(char *name, const char *ending)
{
    size_t length = strlen(name), count = strlen(ending);
    if (length <= count || strcmp(name + length - count, ending) != 0)
        return false;
    name[length - count] = 0;
    return true;
}

static const char *unit_of(const struct family *family, char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        bool ratio = *units[i].unit == '1'; /* only gauges get it back */
        if ((!ratio || family->type == METRIC_GAUGE) && strip(name, units[i].ending))
            return units[i].unit;
    }
    const char *last = strrchr(name, '_');
    for (size_t i = 0; last && i < ARRAY_COUNT(counted); i++)
        if (!strcmp(last + 1, counted[i].word))
            return counted[i].unit;
    return "";
}

struct otlp_name otlp_name_of(const struct family *family)
{
    struct otlp_name result = { .unit = "" };
    snprintf(result.name, sizeof result.name, "%s", family->name);
    if (family->type == METRIC_COUNTER)
        strip(result.name, "_total");
    if (family->type != METRIC_INFO)
        result.unit = unit_of(family, result.name);
    for (char *at = result.name; *at; at++)
        if (*at == '_')
            *at = '.';
    return result;
}
