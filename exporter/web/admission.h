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

/* Who waits for a login is told no; nobody logs in any more. */
void admission_stop(struct admission *admission);
void admission_destroy(struct admission *admission); /* NULL is fine */

/* Read the file now. False when it is wrong: the report says why, and so does the log. */
bool admission_reload(struct admission *admission, struct option_report *report) MUST_USE;

/* Read a file and check it as admission_create does. NULL when the report got anything. */
struct toolkit *admission_read(const char *path, struct option_report *report) MUST_USE;

/* Append what a file says, for people: "TLS is on, 2 users can log in". */
void admission_describe(const struct toolkit *toolkit, struct buf *out);

/* Whether connections are encrypted: the same from the start to the end. */
bool admission_encrypts(const struct admission *admission);

/* Prepare the session of a new connection; see tls_begin. NULL when nothing is encrypted. */
struct tls_connection *admission_connect(struct admission *admission, void *session, int socket);

enum admission_answer {
    ADMISSION_OPEN,    /* nobody has to log in */
    ADMISSION_USER,    /* ask->user has logged in */
    ADMISSION_LOGIN,   /* 401: credentials are wanted */
    ADMISSION_UNKNOWN, /* the credentials have to be checked: see admission_wait */
    ADMISSION_LIMITED, /* 429: above rate_limit */
};

/* May a request come in? authorization: its header, or NULL. ask: as for login_look. */
enum admission_answer admission_admit(struct admission *admission, const char *authorization,
                                      struct login_ask *ask) MUST_USE;

/* See login_wait: 503 where it is false, else ADMISSION_USER or _LOGIN by ask->right. */
bool admission_wait(struct admission *admission, struct login_ask *ask) MUST_USE;

/* Call add for every header that goes with each answer. */
void admission_headers(struct admission *admission,
                       void (*add)(void *context, const char *name, const char *value),
                       void *context);

/* One more each time these headers may be others. */
uint64_t admission_number(const struct admission *admission);

extern const struct family *const admission_families[];
