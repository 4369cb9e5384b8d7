#include "alerts/receivers/email.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "alerts/receivers/email_body.h"
#include "alerts/receivers/layout.h"
#include "alerts/rules/notification_words.h"
#include "core/hash.h"

enum {
    LINE_BYTES = 76,         /* of quoted-printable text; source: RFC 2045, 6.7 */
    WORD_BYTES = 39,         /* of UTF-8 in one encoded word: 64 bytes, so that a line with the
                                name in front stays below 76; source: RFC 2047, 2 */
    HEADER_BYTES = 78,       /* source: RFC 5322, 2.1.1 */
    MESSAGE_BYTES = 1 << 20, /* relays take far more */
    TIMEOUT_MS = 30000,
    RECIPIENTS_MAX = 100, /* source: RFC 5321, 4.5.3.1.8: what each relay takes */
};

const char *const email_tls_words[] = { "starttls", "always", "never", NULL };

/* An address as it may stand in an envelope: printable ASCII with one @ and a domain. */
static const char *check_address(const char *text)
{
    const char *at = text ? strchr(text, '@') : NULL;
    if (!text)
        return NULL;
    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > 254)
        return "not a mail address";
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f || strchr("<>()[]\\,;:\"", *text))
            return "not a plain mail address (user@example.com)";
    return NULL;
}

static const char *check_one(const void *value)
{
    return check_address(*(const char *const *)value);
}

static const char *check_list(const void *value)
{
    const struct option_texts *texts = value;
    const char *wrong = texts->count ? NULL : "empty";
    for (size_t i = 0; !wrong && i < texts->count; i++)
        wrong = strcmp(texts->texts[i], EMAIL_OWNER) ? check_address(texts->texts[i]) : NULL;
    return texts->count > RECIPIENTS_MAX ? "more than 100 recipients" : wrong;
}

static const char *check_domains(const void *value)
{
    const struct option_texts *texts = value;
    for (size_t i = 0; i < texts->count; i++)
        if (!*texts->texts[i] || strpbrk(texts->texts[i], "@ *"))
            return "not a domain (example.com)";
    return NULL;
}

/* A host name or an address in brackets. source: RFC 5321, 4.1.3. */
static const char *check_hello(const void *value)
{
    const char *hello = *(const char *const *)value;
    size_t length = hello ? strlen(hello) : 0;
    if (hello && (!length || length > 255 ||
                  hello[strspn(hello, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789.-[]:")]))
        return "is no host name";
    return NULL;
}

static const char *check_smarthost(const void *value)
{
    const char *text = *(const char *const *)value, *colon = text ? strrchr(text, ':') : NULL;
    if (!text)
        return NULL;
    if (!colon || colon == text || !colon[1] || strlen(text) > 300 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strpbrk(text, " /@?#\r\n"))
        return "not host:port";
    return NULL;
}

/* clang-format off */
const struct option email_options[] = {
    { "smarthost", OPTION_TEXT(struct email_config, smarthost), .required = true,
      OPTION_LINE(struct email_config, smarthost_line),
      .check = check_smarthost, .help = "Relay, host:port." },
    { "from", OPTION_TEXT(struct email_config, from), .required = true,
      .check = check_one, .help = "Sender." },
    { "to", OPTION_TEXT_LIST(struct email_config, to), .required = true,
      .check = check_list,
      .help = "Recipients; {{governance_owner}} stands for the owners of what a mail is about." },
    { "owner_domains", OPTION_TEXT_LIST(struct email_config, owner_domains),
      .check = check_domains,
      .help = "Domains of owners that may get mail; all others get none." },
    { "reply_to", OPTION_TEXT(struct email_config, reply_to),
      .check = check_one, .help = "Where answers go." },
    { "hello", OPTION_TEXT(struct email_config, hello), .check = check_hello,
      .help = "Name to greet the relay with; else the host's or the sender's domain." },
    { "user", OPTION_TEXT(struct email_config, user), .help = "User at the relay." },
    { "password", OPTION_SECRET(struct email_config, password),
      .help = "Its password." },
    { "tls", OPTION_WORD(struct email_config, tls), .otherwise = "starttls",
      .words = email_tls_words,
      .help = "Encryption: starttls (required), always (from the first byte) or never." },
    { "ca_file", OPTION_PATH(struct email_config, ca_file),
      .help = "Certificates to trust, PEM." },
    { "client_cert_file", OPTION_PATH(struct email_config, client_cert_file),
      .help = "Client certificate, PEM." },
    { "client_key_file", OPTION_PATH(struct email_config, client_key_file),
      .help = "Its key, PEM." },
    { "allow_private", OPTION_BOOL(struct email_config, allow_private),
      .otherwise = "true", .help = "Allow a relay with a private address." },
    { 0 }
};
/* clang-format on */

/* --- encodings -------------------------------------------------------------------------------- */
/* Bytes of the code point at text. */
static size_t point_bytes(const char *text)
{
    size_t length = 1;
    while (((unsigned char)text[length] & 0xc0) == 0x80)
        length++;
    return length;
}

/* Append a header whose text is free: encoded words, folded; nothing in it can end the line. */
static void add_free(struct buf *out, const char *name, const char *text)
{
    bool plain = strlen(name) + 2 + strlen(text) <= HEADER_BYTES && !strstr(text, "=?");
    for (const char *c = text; *c; c++)
        plain &= *c >= ' ' && *c < 0x7f;
    if (plain) {
        buf_printf(out, "%s: %s\r\n", name, text);
        return;
    }
    buf_printf(out, "%s:", name);
    while (*text) {
        size_t length = 0;
        while (text[length] && length + point_bytes(text + length) <= WORD_BYTES)
            length += point_bytes(text + length);
        buf_text(out, " =?utf-8?B?");
        hash_base64(text, length, out);
        text += length;
        buf_text(out, *text ? "?=\r\n" : "?=");
    }
    buf_text(out, "\r\n");
}

/* Append text as quoted-printable with CRLF. source: RFC 2045, 6.7. */
static void add_quoted(struct buf *out, const char *text)
{
    size_t column = 0;
    for (const char *c = text; *c; c++) {
        bool at_end = !c[1] || c[1] == '\n';
        bool plain = (*c > ' ' && *c < 0x7f && *c != '=') || ((*c == ' ' || *c == '\t') && !at_end);
        size_t bytes = plain ? 1 : 3;
        if (*c == '\n') {
            buf_text(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + bytes > LINE_BYTES - 1) {
            buf_text(out, "=\r\n");
            column = 0;
        }
        if (plain)
            buf_char(out, *c);
        else
            buf_printf(out, "=%02X", (unsigned char)*c);
        column += bytes;
    }
    buf_text(out, "\r\n");
}

static void add_date(struct buf *out, int64_t at)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t time = (time_t)at;
    struct tm parts;
    gmtime_r(&time, &parts);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[parts.tm_wday],
               parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
               parts.tm_min, parts.tm_sec);
}

/* --- message ---------------------------------------------------------------------------------- */
/* The sender's domain: where our message ids belong. */
static const char *domain_of(const struct email_config *config)
{
    return strchr(config->from, '@') + 1;
}

/* The title; what ended says so in front, where lists of mails show it: [FIXED], [EXEMPT]. */
static void put_subject(struct buf *out, const struct notification *notification)
{
    const char *ended = notification_words_ended(notification->reason),
               *title = notification->title;
    size_t length = strlen(ended);
    if (notification->status == NOTIFICATION_RESOLVED && strncmp(title, "[TEST]", 6) != 0) {
        const char *tag = *title == '[' ? strstr(title, "] ") : NULL;
        title = tag ? tag + 2 : title; /* a rule's own title has one */
        buf_char(out, '[');
        if (!strcmp(notification->reason, finding_reason_words[REASON_EXEMPTED]))
            buf_text(out, "EXEMPT");
        else
            for (const char *c = ended; *c; c++)
                buf_char(out, (char)toupper((unsigned char)*c));
        buf_text(out, "] ");
        title +=
            !strncmp(title, ended, length) && !strncmp(title + length, ": ", 2) ? length + 2 : 0;
    }
    buf_text(out, title);
}

static void add_headers(const struct email_config *config, const struct notification *notification,
                        int64_t now, struct buf *out)
{
    CLEANUP(buf_finish) struct buf subject = { 0 };
    bool urgent = notification->status == NOTIFICATION_FIRING &&
                  !strcmp(notification->risk_level, "critical");
    buf_printf(out, "From: defender_exporter <%s>\r\nTo: %s", config->from, config->to.texts[0]);
    for (size_t i = 1; i < config->to.count; i++) /* one a line */
        buf_printf(out, ",\r\n %s", config->to.texts[i]);
    buf_text(out, "\r\n");
    if (config->reply_to)
        buf_printf(out, "Reply-To: %s\r\n", config->reply_to);
    put_subject(&subject, notification);
    add_free(out, "Subject", buf_cstr(&subject));
    add_date(out, now);
    buf_printf(out, "Message-ID: <%s@%s>\r\n", notification->id, domain_of(config));
    buf_printf(out, "In-Reply-To: <%s@%s>\r\n", notification->dedup_key, domain_of(config));
    buf_printf(out, "References: <%s@%s>\r\n", notification->dedup_key, domain_of(config));
    buf_text(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
    buf_text(out, urgent ? "Importance: high\r\nX-Priority: 1\r\n" : "");
}

static void add_part(struct buf *out, const char *boundary, const char *type, const char *text)
{
    buf_printf(out, "--%s\r\nContent-Type: %s; charset=utf-8\r\n", boundary, type);
    buf_text(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    add_quoted(out, text);
}

void email_write(const struct email_config *config, const struct notification *notification,
                 int64_t now, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf html = { 0 };
    struct layout layout;
    char boundary[64];
    layout_make(notification, &arena, &layout);
    email_body_text(&layout, &text);
    email_body_html(notification, &layout, &html);
    snprintf(boundary, sizeof boundary, "=_%s", notification->id); /* never in quoted-printable */
    add_headers(config, notification, now, out);
    buf_text(out, "MIME-Version: 1.0\r\n");
    buf_printf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
    add_part(out, boundary, "text/plain", buf_cstr(&text));
    add_part(out, boundary, "text/html", buf_cstr(&html));
    buf_printf(out, "--%s--\r\n", boundary);
}

/* --- owners ----------------------------------------------------------------------------------- */

/* Whether mail may go to an owner: a plain address of a domain that is listed. */
static bool may_get_mail(const struct email_config *email, const char *owner)
{
    bool listed = false;
    if (check_address(owner))
        return false;
    for (size_t i = 0; i < email->owner_domains.count && !listed; i++)
        listed = !strcasecmp(strchr(owner, '@') + 1, email->owner_domains.texts[i]);
    return listed;
}

/* Recipients, each once. */
struct recipients {
    const char *texts[RECIPIENTS_MAX];
    size_t count;
    size_t left_out; /* for whom there is no place; who is named twice counts twice */
};

static void add_recipient(struct recipients *to, const char *address)
{
    for (size_t i = 0; i < to->count; i++)
        if (!strcasecmp(to->texts[i], address))
            return;
    if (to->count < RECIPIENTS_MAX)
        to->texts[to->count++] = address;
    else
        to->left_out++;
}

static void add_owners(const struct email_config *email, const struct notification *notification,
                       struct recipients *to)
{
    for (size_t i = 0; i < notification->block_count; i++)
        for (size_t n = 0; n < notification->blocks[i].resource_count; n++)
            if (may_get_mail(email, notification->blocks[i].resources[n].owner))
                add_recipient(to, notification->blocks[i].resources[n].owner);
}

/* Who gets a mail: fixed addresses first. They live as long as the notification. */
static void list_recipients(const struct email_config *email,
                            const struct notification *notification, struct recipients *to)
{
    bool owners = false;
    *to = (struct recipients){ 0 };
    for (size_t i = 0; i < email->to.count; i++)
        if (!strcmp(email->to.texts[i], EMAIL_OWNER))
            owners = true;
        else
            add_recipient(to, email->to.texts[i]);
    if (owners)
        add_owners(email, notification, to);
}

/* --- the kind --------------------------------------------------------------------------------- */
static void write_body(const void *config, const struct receiver_context *context,
                       const struct notification *notification, struct buf *out)
{
    email_write(config, notification, context->now, out);
}

/* Who gets it now: all, or those who did not take it before. */
static bool set_recipients(const struct email_config *email, const char *only,
                           struct receiver_request *request, struct error *error)
{
    const char **to = arena_alloc(&request->arena, email->to.count * sizeof *to);
    request->mail.to_count = 0;
    request->mail.to = to;
    for (size_t i = 0; i < email->to.count; i++) {
        const char *line = only;
        size_t length = strlen(email->to.texts[i]);
        while (line && *line &&
               (strcspn(line, "\n") != length || strncmp(line, email->to.texts[i], length) != 0))
            line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n');
        if (!only || !*only || *line)
            to[request->mail.to_count++] = email->to.texts[i];
    }
    return request->mail.to_count ||
           error_set(error, ERROR_CONFIG, "nobody of those who are left is a recipient any more");
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    struct email_config resolved = *(const struct email_config *)config;
    const struct email_config *email = &resolved;
    struct recipients to; /* of the whole notification: it may be shrunk */
    list_recipients(email, notification, &to);
    if (!to.count)
        return error_set(error, ERROR_CONFIG, "no owner has an address in owner_domains");
    resolved.to = (struct option_texts){ .texts = to.texts, .count = to.count };
    buf_reset(&request->url);
    arena_reset(&request->arena);
    buf_printf(&request->url, "%s://%s", email->tls == EMAIL_TLS ? "smtps" : "smtp",
               email->smarthost);
    if (!receiver_fit(email, context, notification, write_body, NULL, MESSAGE_BYTES, request,
                      error))
        return false;
    request->is_mail = true;
    request->left_out = to.left_out;
    request->mail = (struct http_mail){
        .url = buf_cstr(&request->url),
        .from = email->from,
        .hello = email->hello,
        .user = email->user,
        .password = secret_text(&email->password),
        .message = buf_cstr(&request->body),
        .message_bytes = request->body.length,
        .require_tls = email->tls != EMAIL_PLAIN,
        .timeout_ms = TIMEOUT_MS,
        .targets = email->allow_private ? HTTP_ANY_TARGET : HTTP_PUBLIC_TARGETS,
        .ca_file = email->ca_file,
        .client_cert_file = email->client_cert_file,
        .client_key_file = email->client_key_file,
    };
    return set_recipients(email, context->recipients, request, error);
}

/* SMTP has its own statuses: 4xx may work later, 550 to 556 are about this mail and final. Every
 * other 5xx is about the dialogue or the credentials, which somebody mends.
 * source: RFC 5321, 4.2; RFC 4954, 6. */
static struct receiver_verdict classify(const struct http_response *response,
                                        const struct error *error)
{
    static const struct receiver_answers nothing = { 0 };
    int status = response->status;
    if (!status)
        return receiver_judge(&nothing, response, error);
    if (status / 100 == 2)
        return (struct receiver_verdict){ RECEIVER_SENT, RECEIVER_OTHER, "" };
    if (status == 454 || status == 530 || status == 534 || status == 535 || status == 538)
        return (struct receiver_verdict){ RECEIVER_RETRY, RECEIVER_AUTH_ERROR,
                                          "credentials refused" };
    if (status / 100 == 4)
        return (struct receiver_verdict){ RECEIVER_RETRY, RECEIVER_SERVER_ERROR,
                                          "the relay asks to come later" };
    if (status < 550)
        return (struct receiver_verdict){ RECEIVER_RETRY, RECEIVER_SERVER_ERROR,
                                          "the relay does not talk to us" };
    return (struct receiver_verdict){ RECEIVER_REFUSED, RECEIVER_CLIENT_ERROR,
                                      "the relay refused the mail" };
}

static bool to_owners(const void *config)
{
    const struct email_config *email = config;
    bool owners = false;
    for (size_t i = 0; i < email->to.count; i++)
        owners |= !strcmp(email->to.texts[i], EMAIL_OWNER);
    return owners;
}

static const char *no_reports(const void *config)
{
    const struct email_config *email = config;
    for (size_t i = 0; i < email->to.count; i++)
        if (strcmp(email->to.texts[i], EMAIL_OWNER) != 0)
            return NULL;
    return "it writes to owners of findings alone, and a report is of no finding";
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct email_config *email = config;
    CLEANUP(buf_finish) struct buf url = { 0 };
    buf_printf(&url, "http://%s", email->smarthost ? email->smarthost : "");
    if (!email->allow_private && !receiver_is_public(buf_cstr(&url)))
        options_complain(report, file, email->smarthost_line, "smarthost",
                         "its host is " RECEIVER_NOT_PUBLIC " allow_private: true");
    if (to_owners(email) && !email->owner_domains.count)
        options_complain(report, file, line, "to", EMAIL_OWNER " needs owner_domains");
    if (email->user && email->tls == EMAIL_PLAIN)
        options_complain(report, file, line, "user", "a password needs tls: starttls or always");
    if (secret_text(&email->password) && !email->user)
        options_complain(report, file, line, "password", "needs user");
    if (email->client_key_file && !email->client_cert_file)
        options_complain(report, file, line, "client_key_file", "needs client_cert_file");
}

const struct receiver_kind email_kind = {
    .name = "email",
    .help = "E-mail through a relay.",
    .options = email_options,
    .config_bytes = sizeof(struct email_config),
    .expires_s = RECEIVER_CHAT_EXPIRES_S,
    .rate = 1,
    .burst = 10,
    .to_owners = to_owners,
    .no_reports = no_reports,
    .check = check,
    .build = build,
    .classify = classify,
};
