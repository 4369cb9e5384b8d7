#pragma once
/* Whom the web server lets in, and how: the web configuration file as it is in force. It is read
 * again when asked and when it or a file it names has changed; one that is wrong changes nothing.
 * Any thread. */
#include "core/metric.h"
#include "exporter/web/login.h"
#include "exporter/web/tls.h"

struct admission;

/* Read the file, and watch it. ERROR_CONFIG with every reason; NULL then. */
struct admission *admission_create(const char *path, struct metric_store *metrics,
                                   struct error *error) MUST_USE;

/* NULL is fine. Who waits for a login is told no. */
void admission_destroy(struct admission *admission);

/* Read the file now. False when it is wrong: the report says why, and so does the log. */
bool admission_reload(struct admission *admission, struct option_report *report) MUST_USE;

/* Read a file as admission_create does; a sentence about it for people goes to out. */
bool admission_check(const char *path, struct buf *out, struct option_report *report) MUST_USE;

/* Whether connections are encrypted: the same from the start to the end. */
bool admission_encrypts(const struct admission *admission);

/* Prepare the session of a new connection; see tls_begin. NULL when nothing is encrypted. */
struct tls_connection *admission_connect(struct admission *admission, void *session, int socket);

enum admission_answer {
    ADMISSION_OPEN,    /* go on; ask->user is who signed in, "" when nobody has to */
    ADMISSION_LOGIN,   /* 401: credentials are wanted */
    ADMISSION_WAITING, /* ask->done follows; see login_check */
    ADMISSION_CROWDED, /* 503: too many wait for their credentials to be checked */
    ADMISSION_LIMITED, /* 429: above rate_limit */
};

/* May a request come in? authorization: its header, or NULL. ask: as for login_check. */
enum admission_answer admission_admit(struct admission *admission, const char *authorization,
                                      struct login_ask *ask) MUST_USE;

/* Whether anybody must sign in at all, and whether there is a user of that name. */
bool admission_has_users(struct admission *admission);
bool admission_knows(struct admission *admission, const char *user);

/* Call add for every header that goes with each answer. */
void admission_headers(struct admission *admission,
                       void (*add)(void *context, const char *name, const char *value),
                       void *context);

extern const struct family *const admission_families[];
