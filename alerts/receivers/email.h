#pragma once
/* E-mail over SMTP: multipart, plain text and simple HTML, one thread per dedup key. */
#include "alerts/receivers/receiver.h"

enum email_tls { EMAIL_STARTTLS, EMAIL_TLS, EMAIL_PLAIN };
extern const char *const email_tls_words[]; /* "starttls", "always", "never" */

#define EMAIL_OWNER "{{governance_owner}}" /* in `to`: the owners of what the mail is about */

struct email_config {
    const char *smarthost; /* "smtp.example.com:587" */
    int smarthost_line;
    const char *from, *reply_to, *hello;
    struct option_texts to;            /* addresses, and EMAIL_OWNER */
    struct option_texts owner_domains; /* of owners that may get mail */
    const char *user;
    struct secret password;
    int tls; /* enum email_tls */
    const char *ca_file, *client_cert_file, *client_key_file;
    bool allow_private; /* default true: relays are inside */
};
extern const struct option email_options[];
extern const struct receiver_kind email_kind;

/* Append the message as RFC 5322 text with CRLF; header values cannot break out of their line. */
void email_write(const struct email_config *config, const struct notification *notification,
                 int64_t now, struct buf *out);
