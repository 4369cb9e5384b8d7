#pragma once
/* A query of the operator's own as a collector: its columns, families and findings are made when
 * the configuration is read (custom_config.h). Rows with equal labels are one series: their number,
 * the sum of a column, or its newest instant. */
#include "collectors/collector.h"

enum {
    CUSTOM_COLUMNS_MAX = 32,
    CUSTOM_METRICS_MAX = 16,  /* of a query */
    CUSTOM_SERIES_MAX = 1000, /* of a metric: rows of further label sets are only counted */
    CUSTOM_NONE = -1          /* no column */
};

#define CUSTOM_PREFIX "defender_custom_"

/* A bound row: one of these a column. */
union custom_value {
    const char *text;
    double number;
    int64_t time;
};

struct custom_metric {
    struct family family;
    int value;                     /* the column that is added up; CUSTOM_NONE = rows are counted */
    int labels[METRIC_LABELS_MAX]; /* the column of each label of the family */
};

struct custom {
    struct collector
        collector; /* the first member: a collector that custom_init has seen is this */
    struct collector_life life;
    struct arena arena; /* all of it */
    uint64_t hash;      /* of what it asks and makes of it: the same for the same query */
    struct column *columns;
    struct custom_metric *metrics;
    size_t metric_count;
    int subscription; /* column that says whose a row is */
    /* Columns of a finding; id CUSTOM_NONE = rows are none. */
    int id, title, risk, severity, resource;
};

/* Make it a collector, with one reference: name, help, query and all above but collector and life
 * are set. */
void custom_init(struct custom *custom);

/* The query of a collector; NULL when it is built in. */
const struct custom *custom_of(const struct collector *collector);

/* Of every query beside its own. */
extern const struct family *const custom_families[];
