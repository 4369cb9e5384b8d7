#pragma once
/* `collectors.custom` of the configuration: the operator's own queries, as they are written, and
 * the collectors that are made of them. */
#include "collectors/custom.h"
#include "core/options.h"

enum { CUSTOM_CONFIG_QUERIES_MAX = 50, CUSTOM_CONFIG_KQL_BYTES_MAX = 64 * 1024 };

/* Which columns make a finding; id NULL = rows are none. */
struct custom_config_findings {
    const char *id, *subscription, *title, *risk, *severity, *resource;
    int line;
};

struct custom_config_metric {
    const char *name, *help, *value;
    struct option_pairs labels; /* label -> column */
    int name_line, value_line;
};

struct custom_config {
    const char *name, *kql, *kql_file;
    bool enabled;
    int64_t interval_ms, timeout_ms;
    struct option_pairs columns; /* column -> text, number or time */
    struct option_items metrics; /* struct custom_config_metric */
    struct custom_config_findings findings;
    int name_line, kql_line, kql_file_line, metrics_line, findings_line;
};

/* The rows of one query. */
extern const struct option custom_config_options[];

/* Make a collector of each query (struct custom_config), with one reference for the caller, in the
 * order they are written. known: a query that is as it was there is the same collector; NULL =
 * none. file: what messages name. Returns how many; less than all when the report got anything. */
size_t custom_config_make(const struct option_items *queries, const struct source_list *known,
                          const char *file, const struct collector **made,
                          struct option_report *report);
