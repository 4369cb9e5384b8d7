#include "alerts/receivers/webhook.h"

#include <stdio.h>
#include <string.h>

#include "alerts/receivers/alertmanager.h"
#include "alerts/receivers/ocsf.h"
#include "alerts/receivers/webhook_template.h"
#include "core/clock.h"
#include "core/hash.h"

enum {
    BODY_BYTES = 64 * 1024, /* source: CloudEvents 1.0, size limits */
    GROUP_BYTES = 512 * 1024,
    OCSF_BYTES = 512 * 1024,
    SECRET_MIN = 24,
    SECRET_MAX = 64,
};

const char *const webhook_body_words[] = {
    "standard", "alertmanager", "cloudevents", "cloudevents_binary", "ocsf", "template", NULL
};

/* clang-format off */
#define LINE(key) OPTION_LINE(struct webhook_config, line.key)
const struct option webhook_options[] = {
    { "url", OPTION_SECRET(struct webhook_config, url),
      OPTION_LINE(struct webhook_config, url_line), .required = true,
      .help = "Where to POST." },
    { "body", OPTION_WORD(struct webhook_config, body), .otherwise = "standard",
      .words = webhook_body_words,
      .help = "Shape of the body: Standard Webhooks, Alertmanager's version 4, CloudEvents, OCSF "
              OCSF_VERSION ", or the template's." },
    { "template", OPTION_TEXT(struct webhook_config, template), LINE(template),
      .help = "The body as a template that makes JSON, of body: template." },
    { "markup", OPTION_WORD(struct webhook_config, markup), .otherwise = "plain", LINE(markup),
      .words = template_escape_words,
      .help = "What its values stand in: what would be formatting or a mention there is text." },
    { "limit", OPTION_SIZE(struct webhook_config, limit), .otherwise = "32KiB", LINE(limit),
      .min = 1024, .max = 64 * 1024, .help = "How large its body may be." },
    { "signing_secret", OPTION_SECRET(struct webhook_config, signing_secret),
      .help = "Standard Webhooks secret, whsec_ and base64 of 24 to 64 bytes." },
    { "signing_secret_old", OPTION_SECRET(struct webhook_config, signing_secret_old),
      .help = "The secret before it, signed with as well during a rotation." },
    { "github_secret", OPTION_SECRET(struct webhook_config, github_secret),
      .help = "Key of X-Hub-Signature-256." },
    { "max_alerts", OPTION_INTEGER(struct webhook_config, max_alerts),
      .otherwise = "0", .min = 0, .max = NOTIFICATION_ALERTS_MAX,
      .help = "Alerts in one body of Alertmanager's shape; 0 = all." },
    { "http", OPTION_SECTION(struct webhook_config, http),
      .section = receiver_http_options, .help = "How to connect." },
    { 0 }
};
/* clang-format on */

/* --- signature -------------------------------------------------------------------------------- */
bool webhook_sign(const char *secret, const char *id, int64_t timestamp, const void *body,
                  size_t body_bytes, struct buf *out, struct error *error)
{
    static const char prefix[] = "whsec_";
    CLEANUP(buf_finish) struct buf key = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    if (strncmp(secret, prefix, sizeof prefix - 1) != 0 ||
        !hash_unbase64(secret + sizeof prefix - 1, &key) || key.length < SECRET_MIN ||
        key.length > SECRET_MAX)
        return error_set(error, ERROR_CONFIG,
                         "signing secret is not whsec_ and base64 of %d to %d bytes", SECRET_MIN,
                         SECRET_MAX);
    buf_printf(&text, "%s.%lld.", id, (long long)timestamp);
    buf_append(&text, body, body_bytes);
    struct hash_sha256 digest;
    hash_hmac_sha256(key.data, key.length, text.data, text.length, &digest);
    explicit_bzero(key.data, key.length);
    buf_text(out, "v1,");
    hash_base64(digest.bytes, sizeof digest.bytes, out);
    return true;
}

/* Sign the body as it stands: nothing may touch it afterwards. */
static bool sign(const struct webhook_config *config, const struct receiver_context *context,
                 const struct notification *notification, struct receiver_request *request,
                 struct error *error)
{
    const struct secret *secrets[] = { &config->signing_secret, &config->signing_secret_old };
    const struct buf *body = &request->body;
    CLEANUP(buf_finish) struct buf value = { 0 };
    char text[80];
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        const char *secret = secret_text(secrets[i]);
        if (!secret)
            continue;
        buf_text(&value, value.length ? " " : "");
        if (!webhook_sign(secret, notification->id, context->now, body->data, body->length, &value,
                          error))
            return false;
    }
    snprintf(text, sizeof text, "%lld", (long long)context->now);
    receiver_header(request, "webhook-id", notification->id);
    receiver_header(request, "webhook-timestamp", text);
    if (value.length)
        receiver_header(request, "webhook-signature", buf_cstr(&value));
    const char *key = secret_text(&config->github_secret);
    if (key) {
        struct hash_sha256 digest;
        hash_hmac_sha256(key, strlen(key), body->data, body->length, &digest);
        snprintf(text, sizeof text, "sha256=");
        hash_hex(digest.bytes, sizeof digest.bytes, text + 7);
        receiver_header(request, "X-Hub-Signature-256", text);
    }
    return true;
}

/* --- Standard Webhooks ------------------------------------------------------------------------ */
static void add_data(struct json_writer *writer, const struct notification *notification)
{
    CLEANUP(buf_finish) struct buf data = { 0 };
    notification_write(notification, &data);
    json_add_raw(writer, "data", buf_cstr(&data));
}

static void write_standard(const void *config, const struct receiver_context *context,
                           const struct notification *notification, struct buf *out)
{
    struct json_writer writer = { .out = out };
    char at[32];
    (void)config;
    (void)context;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "type", notification->event);
    json_add_text(&writer, "timestamp", clock_format_rfc3339(notification->event_at, at));
    add_data(&writer, notification);
    json_close(&writer, '}');
}

/* --- CloudEvents ------------------------------------------------------------------------------ */
enum { EVENT_ATTRIBUTES = 6 };

/* The context attributes; texts go to the arena. */
static void attributes(const struct notification *notification, struct arena *arena,
                       struct http_header out[EVENT_ATTRIBUTES])
{
    CLEANUP(buf_finish) struct buf source = { 0 };
    CLEANUP(buf_finish) struct buf type = { 0 };
    char at[32];
    bool is_one = notification->resource_total == 1 && notification->resource_count;
    buf_printf(&source, *notification->tenant_id ? "/tenants/%s" : "/defender_exporter%s",
               notification->tenant_id);
    if (*notification->subscription_id)
        buf_printf(&source, "/subscriptions/%s", notification->subscription_id);
    buf_printf(&type, "io.defender-exporter.%s.v1", notification->event);
    out[0] = (struct http_header){ "specversion", "1.0" };
    out[1] = (struct http_header){ "id", notification->id };
    out[2] = (struct http_header){ "source", arena_text(arena, buf_cstr(&source)) };
    out[3] = (struct http_header){ "type", arena_text(arena, buf_cstr(&type)) };
    out[4] = (struct http_header){ "subject", is_one ? notification->resources[0].finding_id
                                                     : notification->dedup_key };
    out[5] =
        (struct http_header){ "time",
                              arena_text(arena, clock_format_rfc3339(notification->event_at, at)) };
}

static void write_event(const void *config, const struct receiver_context *context,
                        const struct notification *notification, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct http_header members[EVENT_ATTRIBUTES];
    struct json_writer writer = { .out = out };
    (void)config;
    (void)context;
    attributes(notification, &arena, members);
    json_open(&writer, NULL, '{');
    for (size_t i = 0; i < EVENT_ATTRIBUTES; i++)
        json_add_text(&writer, members[i].name, members[i].value);
    json_add_text(&writer, "datacontenttype", "application/json");
    add_data(&writer, notification);
    json_close(&writer, '}');
}

static void write_notification(const void *config, const struct receiver_context *context,
                               const struct notification *notification, struct buf *out)
{
    (void)config;
    (void)context;
    notification_write(notification, out);
}

/* Attributes as headers: what is not printable ASCII, space, quote and percent are encoded. source:
 * CloudEvents HTTP protocol binding 1.0, 3.1.3.2. */
static void add_event_headers(struct receiver_request *request,
                              const struct notification *notification)
{
    struct http_header members[EVENT_ATTRIBUTES];
    attributes(notification, &request->arena, members);
    for (size_t i = 0; i < EVENT_ATTRIBUTES; i++) {
        CLEANUP(buf_finish) struct buf value = { 0 };
        char name[32];
        snprintf(name, sizeof name, "ce-%s", members[i].name);
        for (const char *c = members[i].value; *c; c++) {
            if (*c > ' ' && *c < 0x7f && *c != '"' && *c != '%')
                buf_char(&value, *c);
            else
                buf_printf(&value, "%%%02X", (unsigned char)*c);
        }
        receiver_header(request, name, buf_cstr(&value));
    }
}

/* --- the kind --------------------------------------------------------------------------------- */
static void write_group(const void *config, const struct receiver_context *context,
                        const struct notification *notification, struct buf *out)
{
    const struct webhook_config *webhook = config;
    alertmanager_write_group(notification, context->name, (size_t)webhook->max_alerts, out);
}

static void write_ocsf(const void *config, const struct receiver_context *context,
                       const struct notification *notification, struct buf *out)
{
    (void)config;
    (void)context;
    ocsf_write(notification, out);
}

static const struct {
    const char *content_type;
    receiver_write *write;
    size_t limit;
} shapes[] = {
    [WEBHOOK_STANDARD] = { "application/json", write_standard, BODY_BYTES },
    [WEBHOOK_ALERTMANAGER] = { "application/json", write_group, GROUP_BYTES },
    [WEBHOOK_CLOUDEVENTS] = { "application/cloudevents+json; charset=utf-8", write_event,
                              BODY_BYTES },
    [WEBHOOK_CLOUDEVENTS_BINARY] = { "application/json", write_notification, BODY_BYTES },
    [WEBHOOK_OCSF] = { "application/json", write_ocsf, OCSF_BYTES },
    [WEBHOOK_TEMPLATE] = { "application/json", NULL, 0 }, /* webhook_template.c */
};

static bool build_body(const struct webhook_config *webhook, const struct receiver_context *context,
                       struct notification *notification, struct receiver_request *request,
                       struct error *error)
{
    if (webhook->body == WEBHOOK_TEMPLATE)
        return webhook_template_build(webhook, notification, request, error);
    return receiver_fit(webhook, context, notification, shapes[webhook->body].write, NULL,
                        shapes[webhook->body].limit, request, error);
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    const struct webhook_config *webhook = config;
    receiver_prepare(request, &webhook->http, secret_text(&webhook->url),
                     shapes[webhook->body].content_type);
    if (!build_body(webhook, context, notification, request, error))
        return false;
    if (webhook->body == WEBHOOK_CLOUDEVENTS_BINARY)
        add_event_headers(request, notification);
    return sign(webhook, context, notification, request, error) && receiver_seal(request);
}

/* A key of another body than the one that is chosen. */
static void check_body(const struct webhook_config *webhook, const char *file, int line,
                       struct option_report *report)
{
    const struct {
        const char *key;
        int line;
        enum webhook_body body;
    } keys[] = {
        { "template", webhook->line.template, WEBHOOK_TEMPLATE },
        { "markup", webhook->line.markup, WEBHOOK_TEMPLATE },
        { "limit", webhook->line.limit, WEBHOOK_TEMPLATE },
    };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        if (keys[i].line && (int)keys[i].body != webhook->body)
            options_complain(report, file, keys[i].line, keys[i].key, "needs body: %s",
                             webhook_body_words[keys[i].body]);
    if (webhook->body != WEBHOOK_TEMPLATE)
        return;
    if (webhook->template)
        webhook_template_check(webhook, file, report);
    else
        options_complain(report, file, line, "body", "template needs the key template");
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct webhook_config *webhook = config;
    const struct secret *secrets[] = { &webhook->signing_secret, &webhook->signing_secret_old };
    receiver_check(&webhook->http, file, line, report);
    receiver_check_url(&webhook->http, "url", secret_text(&webhook->url), file, webhook->url_line,
                       report);
    check_body(webhook, file, line, report);
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        CLEANUP(buf_finish) struct buf unused = { 0 };
        struct error error;
        if (secret_text(secrets[i]) &&
            !webhook_sign(secret_text(secrets[i]), "", 0, "", 0, &unused, &error))
            options_complain(report, file, line, i ? "signing_secret_old" : "signing_secret", "%s",
                             error.message);
    }
    if (secret_text(&webhook->signing_secret_old) && !secret_text(&webhook->signing_secret))
        options_complain(report, file, line, "signing_secret_old", "needs signing_secret");
}

static const char *no_reports(const void *config)
{
    const struct webhook_config *webhook = config;
    switch (webhook->body) {
    case WEBHOOK_ALERTMANAGER:
        return "a body of Alertmanager's shape has alerts, and a report is none";
    case WEBHOOK_OCSF:
        return "OCSF is of events and findings, and a report is none";
    default:
        return NULL;
    }
}

const struct receiver_kind webhook_kind = {
    .name = "webhook",
    .help = "Generic webhook, signed as Standard Webhooks does it.",
    .options = webhook_options,
    .config_bytes = sizeof(struct webhook_config),
    .expires_s = RECEIVER_PAGER_EXPIRES_S,
    .rate = 10,
    .burst = 50,
    .no_reports = no_reports,
    .check = check,
    .build = build,
};
