#pragma once
/* Encryption of the web server: a certificate, what clients must show, and what is spoken; the only
 * file that names GnuTLS. libmicrohttpd makes the session of a connection, this sets everything it
 * goes by: so that a connection gets what was in force when it came. Any thread. */
#include "core/error.h"
#include "exporter/web/toolkit.h"

struct tls;

/* Read the certificates and check that all of it fits together. The key is copied. One reference.
 * NULL and ERROR_CONFIG when it does not. */
struct tls *tls_create(const struct toolkit_tls *config, struct error *error) MUST_USE;
struct tls *tls_acquire(struct tls *tls);
void tls_release(struct tls *tls); /* NULL is fine */

/* When the certificate ends, Unix seconds. */
int64_t tls_expires_at(const struct tls *tls);

struct tls_connection;

/* Prepare the session of a new connection, before its first byte is read. A peer that speaks plain
 * HTTP is told so. session: what libmicrohttpd calls tls_session. Holds a reference. */
struct tls_connection *tls_begin(struct tls *tls, void *session, int socket);

/* The session is gone. NULL is fine. */
void tls_end(struct tls_connection *connection);

/* A certificate callback for libmicrohttpd, which wants one and never calls it: tls_begin gives
 * each session certificates of its own. */
int tls_no_certificate(void);
