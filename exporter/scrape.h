#pragma once
/* An exposition: what the snapshot says, rendered and compressed once, and the program's own
 * metrics, a moment old at most. Any thread. */
#include "alerts/alerting.h"
#include "collectors/snapshot/snapshot.h"
#include "core/metric.h"
#include "exporter/formats/encoding.h"
#include "exporter/series.h"
#include "exporter/web/web_route.h"

struct scrape;

/* Everything is borrowed and outlives it. formats: as in encoding.h, the last one is also what
 * scrape_print appends. Nothing is served before scrape_configure. */
struct scrape *scrape_create(struct snapshot_store *snapshots, struct metric_store *metrics,
                             const struct encoding *formats, size_t format_count);
void scrape_destroy(struct scrape *scrape);

/* Also emit the metrics of the alerts wing, which outlives the scrape. Before anything is
 * served. */
void scrape_attach(struct scrape *scrape, struct alerting *alerting);

struct scrape_config {
    struct series_config series;
    struct encoding_options options;
    bool without_process; /* leave out process_* and the web server's own metrics */
};

/* Use these rules from the next scrape on. On ERROR_CONFIG the ones before stay. */
bool scrape_configure(struct scrape *scrape, const struct scrape_config *config,
                      struct error *error) MUST_USE;

/* Render what is expected when the data or the rules are others than it was rendered of; false =
 * nothing was to be done. */
bool scrape_ahead(struct scrape *scrape);

/* Do so all the time, on a thread of its own, until it is stopped. */
void scrape_start(struct scrape *scrape);
void scrape_stop(struct scrape *scrape);

/* The handler of /metrics; context: the scrape. */
void scrape_handle(void *scrape, const struct web_request *request, struct web_response *response);

/* The same where nothing has to be rendered or waited for; false = something has. */
bool scrape_handle_at_once(void *scrape, const struct web_request *request,
                           struct web_response *response);

/* Hand on the samples of an exposition, sorted: those of the snapshot, then the program's own. Each
 * set is valid until take returns. */
typedef void scrape_take(void *context, const struct metric_set *set);
void scrape_read(void *scrape, scrape_take *take, void *context);

/* Append the whole exposition in the last format. */
void scrape_print(struct scrape *scrape, struct buf *out);
