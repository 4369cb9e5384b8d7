#pragma once
/* Alertmanager's own HTTP API, v2, over our alerts and silences, so that amtool and Grafana work;
 * api_own.h is ours for alerts and the outbox. Knows nothing of the web server:
 * exporter/alerts_routes.c puts one route with a * in front of it. Any thread. */
#include "alerts/evaluator.h"
#include "alerts/view/view_write.h"
#include "core/buf.h"

struct api_query {
    const char *name, *value;
};
struct api_request {
    const char *method; /* GET POST DELETE */
    const char *path;   /* what follows /api/v2/ or /api/v1/: "alerts", "silence/<id>" */
    const struct api_query *queries; /* query_count of them, decoded, repeated names kept */
    size_t query_count;
    const char *body;
    size_t body_bytes;
    const char *peer;        /* who asks: the user who logged in, or his address */
    enum view_format format; /* of our own lists */
    bool goes_on;            /* it is the next piece of an answer: rows without their head */
    struct buf *lacking;     /* gets what could not be looked at; NULL = nobody asks. Not of JSON */
    struct buf *next; /* gets where the next page begins; not of JSON, which says so itself */
};
struct api_context {
    const char *database_path;
    struct readers *readers; /* of it; NULL = each call opens it */
    struct settings *settings;
    struct evaluator *evaluator;      /* woken after a silence changed */
    struct snapshot_store *snapshots; /* for the texts of alerts */
    const char *version;              /* of the program, for status */
    int64_t started_at, now;
};

/* Answer GET status, receivers, alerts (filter, receiver, active, silenced, inhibited,
 * unprocessed), alerts/groups, silences (filter), silence/<id>; POST silences; DELETE silence/<id>.
 * POST alerts: 405 with a hint. Returns the HTTP status; the body is appended, JSON, errors as a
 * JSON text like Alertmanager's. source: Alertmanager api/v2/openapi.yaml. */
int api_alertmanager(const struct api_context *context, const struct api_request *request,
                     struct buf *out);

/* Answer /f/<finding_id> and /f/<finding_id>/portal with the portal link of the finding, open or
 * closed. finding_id: may end in /portal. Returns 302 and the URL; 404, 500, or 503 when the
 * database is locked, and a line of text. */
int api_finding_link(const struct api_context *context, const char *finding_id, struct buf *out);
