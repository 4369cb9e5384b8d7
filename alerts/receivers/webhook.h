#pragma once
/* Generic webhook: Standard Webhooks signature; body standard, alertmanager v4, CloudEvents, OCSF
 * or the operator's own. source: Standard Webhooks; CloudEvents HTTP binding 1.0; Alertmanager
 * webhook_config. */
#include "alerts/receivers/receiver.h"

enum webhook_body {
    WEBHOOK_STANDARD,
    WEBHOOK_ALERTMANAGER,
    WEBHOOK_CLOUDEVENTS,
    WEBHOOK_CLOUDEVENTS_BINARY,
    WEBHOOK_OCSF,
    WEBHOOK_TEMPLATE
};
extern const char *const webhook_body_words[];

struct webhook_config {
    struct receiver_http http;
    struct secret url;
    int url_line;
    int body;                                         /* enum webhook_body */
    struct secret signing_secret, signing_secret_old; /* whsec_...; old: during a rotation */
    struct secret github_secret;                      /* X-Hub-Signature-256 */
    int64_t max_alerts;                               /* body alertmanager; 0 = all */
    const char *template;                             /* body template; NULL = none */
    int markup;                                       /* enum template_escape, of its values */
    int64_t limit;                                    /* bytes of its body */
    struct {
        int template, markup, limit;
    } line; /* 0 = not given */
};
extern const struct option webhook_options[];
extern const struct receiver_kind webhook_kind;

/* "v1,<base64>" of id.timestamp.body with a whsec_ secret. ERROR_CONFIG when it is none. */
bool webhook_sign(const char *secret, const char *id, int64_t timestamp, const void *body,
                  size_t body_bytes, struct buf *out, struct error *error) MUST_USE;
