#include "exporter/web/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/memory.h"
#include "exporter/web/tls_priority.h"

struct tls {
    atomic_uint references;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority; /* at the start of a handshake */
    gnutls_priority_t narrow;   /* once it is known to be TLS 1.2; NULL = the same */
    enum toolkit_client_auth client_auth;
    struct option_texts sans; /* in the arena */
    int64_t expires_at;
    struct arena arena;
};

/* How far the record is read that comes in: RFC 5246 section 6.2.1. */
struct record {
    unsigned char head[5];
    unsigned head_bytes, body_bytes; /* there are of the one; are left of the other */
};

struct tls_connection {
    struct tls *tls;
    gnutls_session_t session;
    int socket;
    bool begun;   /* the first bytes were read */
    bool settled; /* a handshake of TLS 1.2 is over: another would be a renegotiation */
    struct record record;
};

/* --- one configuration ---------------------------------------------------------------------- */

static bool refuse(struct error *error, const char *what, int reason)
{
    return error_set(error, ERROR_CONFIG, "%s: %s", what, gnutls_strerror(reason));
}

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
}

static bool load_certificate(struct tls *tls, const struct toolkit_tls *config, struct error *error)
{
    gnutls_datum_t cert = datum(config->cert), key = datum(secret_text(&config->key));
    int reason = gnutls_certificate_set_x509_key_mem2(tls->credentials, &cert, &key,
                                                      GNUTLS_X509_FMT_PEM, NULL, 0);
    return reason >= 0 || refuse(error, "certificate and key", reason);
}

/* Its key decides which suites of TLS 1.2 can be used. */
static bool read_certificate(struct tls *tls, enum tls_priority_key *key, struct error *error)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    int reason = gnutls_certificate_get_x509_crt(tls->credentials, 0, &chain, &count);
    if (reason < 0 || !count)
        return refuse(error, "certificate", reason);
    tls->expires_at = gnutls_x509_crt_get_expiration_time(chain[0]);
    int algorithm = gnutls_x509_crt_get_pk_algorithm(chain[0], NULL);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    bool rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS;
    *key = rsa ? TLS_PRIORITY_RSA : TLS_PRIORITY_ECDSA;
    return rsa || algorithm == GNUTLS_PK_ECDSA || algorithm == GNUTLS_PK_EDDSA_ED25519 ||
           error_set(error, ERROR_CONFIG, "certificate: its key is %s, not RSA, ECDSA or Ed25519",
                     gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm));
}

/* Whom client certificates must come from. */
static bool load_trust(struct tls *tls, const struct toolkit_tls *config, struct error *error)
{
    if (config->client_auth < TOOLKIT_CLIENT_VERIFY_IF_GIVEN && !config->client_ca)
        return true;
    gnutls_datum_t ca = datum(config->client_ca ? config->client_ca : "");
    int count = config->client_ca ? gnutls_certificate_set_x509_trust_mem(tls->credentials, &ca,
                                                                          GNUTLS_X509_FMT_PEM)
                                  : gnutls_certificate_set_x509_system_trust(tls->credentials);
    if (count > 0)
        return true;
    return count < 0 ? refuse(error, "client_ca", count)
                     : error_set(error, ERROR_CONFIG, "client_ca: holds no certificate");
}

static bool make_priority(const struct tls_priority *wish, gnutls_priority_t *out,
                          struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *where = NULL;
    tls_priority_write(wish, &text);
    int reason = gnutls_priority_init(out, buf_cstr(&text), &where);
    return reason >= 0 || error_set(error, ERROR_CONFIG, "ciphers and curves: %s at \"%.40s\"",
                                    gnutls_strerror(reason), where ? where : "");
}

static bool load_priorities(struct tls *tls, const struct toolkit_tls *config,
                            enum tls_priority_key key, struct error *error)
{
    struct tls_priority wish = {
        .key = key,
        .tls12 = config->min_version == TOOLKIT_TLS12,
        .tls13 = config->max_version == TOOLKIT_TLS13,
        .suites = config->cipher_suites.texts,
        .suite_count = config->cipher_suites.count,
        .curves = config->curve_preferences.texts,
        .curve_count = config->curve_preferences.count,
        .server_order = config->prefer_server_cipher_suites,
    };
    bool named = wish.tls12 && wish.suite_count;
    if (named && !tls_priority_usable(&wish)) {
        if (!wish.tls13)
            return error_set(error, ERROR_CONFIG, "cipher_suites: none works with %s certificate",
                             key == TLS_PRIORITY_RSA ? "an RSA" : "an ECDSA");
        wish.tls12 = named = false;
    }
    if (!make_priority(&wish, &tls->priority, error))
        return false;
    wish.tls13 = false;
    return !named || make_priority(&wish, &tls->narrow, error);
}

static void copy_sans(struct tls *tls, const struct option_texts *sans)
{
    tls->sans.texts = arena_alloc(&tls->arena, (sans->count + 1) * sizeof *tls->sans.texts);
    for (; tls->sans.count < sans->count; tls->sans.count++)
        tls->sans.texts[tls->sans.count] = arena_text(&tls->arena, sans->texts[tls->sans.count]);
}

struct tls *tls_create(const struct toolkit_tls *config, struct error *error)
{
    struct tls *tls = MEMORY_NEW(struct tls);
    enum tls_priority_key key = TLS_PRIORITY_RSA;
    atomic_init(&tls->references, 1);
    tls->client_auth = config->client_auth;
    copy_sans(tls, &config->client_allowed_sans);
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
        memory_abort("out of memory: no room for certificates");
    if (load_certificate(tls, config, error) && read_certificate(tls, &key, error) &&
        load_trust(tls, config, error) && load_priorities(tls, config, key, error))
        return tls;
    tls_release(tls);
    return NULL;
}

struct tls *tls_acquire(struct tls *tls)
{
    atomic_fetch_add(&tls->references, 1);
    return tls;
}

void tls_release(struct tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->references, 1) != 1)
        return;
    gnutls_certificate_free_credentials(tls->credentials);
    if (tls->priority)
        gnutls_priority_deinit(tls->priority);
    if (tls->narrow)
        gnutls_priority_deinit(tls->narrow);
    arena_finish(&tls->arena);
    free(tls);
}

int64_t tls_expires_at(const struct tls *tls)
{
    return tls->expires_at;
}

/* --- client certificates -------------------------------------------------------------------- */

static bool is_allowed(const struct tls *tls, const char *san)
{
    for (size_t i = 0; i < tls->sans.count; i++)
        if (!strcmp(tls->sans.texts[i], san))
            return true;
    return false;
}

/* Whether one of the certificate's names is allowed: a DNS name, address, e-mail or URI, exactly as
 * written. */
static bool has_allowed_name(const struct tls *tls, gnutls_x509_crt_t certificate)
{
    for (unsigned i = 0;; i++) {
        char name[1024], address[INET6_ADDRSTRLEN];
        size_t bytes = sizeof name - 1;
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &bytes, NULL);
        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue; /* longer than any name that could be listed */
        if (type < 0)
            return false;
        name[bytes] = 0;
        if (type == GNUTLS_SAN_IPADDRESS) {
            int family = bytes == 4 ? AF_INET : AF_INET6;
            bool known = bytes == 4 || bytes == 16;
            if (known && inet_ntop(family, name, address, sizeof address) &&
                is_allowed(tls, address))
                return true;
        } else if ((type == GNUTLS_SAN_DNSNAME || type == GNUTLS_SAN_RFC822NAME ||
                    type == GNUTLS_SAN_URI) &&
                   strlen(name) == bytes && is_allowed(tls, name)) {
            return true;
        }
    }
}

static bool is_trusted(gnutls_session_t session)
{
    unsigned status = 0;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
    };
    return !gnutls_certificate_verify_peers(session, &purpose, 1, &status) && !status;
}

static bool names_fit(const struct tls *tls, const gnutls_datum_t *raw)
{
    if (!tls->sans.count)
        return true;
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    bool ok = !gnutls_x509_crt_import(certificate, raw, GNUTLS_X509_FMT_DER) &&
              has_allowed_name(tls, certificate);
    gnutls_x509_crt_deinit(certificate);
    return ok;
}

/* The alert a peer gets, which libmicrohttpd would not send; 0 = let it in. */
static int wrong_with_peer(const struct tls *tls, gnutls_session_t session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    bool required = tls->client_auth == TOOLKIT_CLIENT_REQUIRE_ANY ||
                    tls->client_auth == TOOLKIT_CLIENT_REQUIRE_AND_VERIFY;
    if (!chain || !count)
        return required ? GNUTLS_A_CERTIFICATE_REQUIRED : 0;
    if (tls->client_auth >= TOOLKIT_CLIENT_VERIFY_IF_GIVEN && !is_trusted(session))
        return GNUTLS_A_UNKNOWN_CA;
    return names_fit(tls, &chain[0]) ? 0 : GNUTLS_A_BAD_CERTIFICATE;
}

static int verify(gnutls_session_t session)
{
    const struct tls_connection *connection = gnutls_session_get_ptr(session);
    int alert = wrong_with_peer(connection->tls, session);
    if (alert)
        gnutls_alert_send(session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
    return alert ? -1 : 0;
}

/* --- a connection --------------------------------------------------------------------------- */

/* The version is agreed on, the suite is not. */
static int narrow(gnutls_session_t session)
{
    const struct tls_connection *connection = gnutls_session_get_ptr(session);
    if (connection->tls->narrow && gnutls_protocol_get_version(session) == GNUTLS_TLS1_2)
        return gnutls_priority_set(session, connection->tls->narrow);
    return 0;
}

/* Somebody who speaks HTTP without TLS learns it: a method begins with a letter, no record of TLS
 * does. What they sent is read, lest a reset overtakes the answer. */
static void refuse_plain(int socket)
{
    static const char answer[] = "HTTP/1.0 400 Bad Request\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Connection: close\r\n\r\n"
                                 "this port speaks HTTPS: use https:// in the URL\n";
    char rest[4096];
    for (int i = 0; i < 16 && recv(socket, rest, sizeof rest, MSG_DONTWAIT) > 0; i++)
        continue;
    send(socket, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(socket, SHUT_WR);
}

/* Follow the records. True when one of a handshake begins. */
static bool begins_handshake(struct record *record, const unsigned char *bytes, size_t count)
{
    enum { HANDSHAKE = 22 };
    bool found = false;
    while (count) {
        size_t used = 1;
        if (record->body_bytes) {
            used = count < record->body_bytes ? count : record->body_bytes;
            record->body_bytes -= (unsigned)used;
        } else {
            found = found || (!record->head_bytes && *bytes == HANDSHAKE);
            record->head[record->head_bytes++] = *bytes;
        }
        if (record->head_bytes == sizeof record->head) {
            record->body_bytes = (unsigned)record->head[3] << 8 | record->head[4];
            record->head_bytes = 0;
        }
        bytes += used;
        count -= used;
    }
    return found;
}

/* The version is TLS 1.2 and we have sent the last message of its handshake. */
static int settle(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                  const gnutls_datum_t *message)
{
    struct tls_connection *connection = gnutls_session_get_ptr(session);
    (void)type;
    (void)when;
    (void)message;
    if (!incoming)
        connection->settled = gnutls_protocol_get_version(session) == GNUTLS_TLS1_2;
    return 0;
}

static ssize_t pull(gnutls_transport_ptr_t context, void *bytes, size_t count)
{
    struct tls_connection *connection = context;
    ssize_t got = recv(connection->socket, bytes, count, 0);
    if (got <= 0)
        return got;
    char first = *(const char *)bytes;
    bool plain = !connection->begun && first >= 'A' && first <= 'Z';
    bool again = begins_handshake(&connection->record, bytes, (size_t)got) && connection->settled;
    connection->begun = true;
    if (!plain && !again)
        return got;
    if (plain)
        refuse_plain(connection->socket);
    else
        gnutls_alert_send(connection->session, GNUTLS_AL_FATAL, GNUTLS_A_NO_RENEGOTIATION);
    errno = ECONNRESET;
    return -1;
}

struct tls_connection *tls_begin(struct tls *tls, void *session, int socket)
{
    struct tls_connection *connection = MEMORY_NEW(struct tls_connection);
    connection->tls = tls_acquire(tls);
    connection->session = session;
    connection->socket = socket;
    gnutls_session_set_ptr(session, connection);
    gnutls_transport_set_ptr2(session, connection, (gnutls_transport_ptr_t)(intptr_t)socket);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_priority_set(session, tls->priority);
    gnutls_credentials_clear(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    gnutls_handshake_set_post_client_hello_function(session, narrow);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       settle);
    if (tls->client_auth != TOOLKIT_CLIENT_NONE) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(session, verify);
    }
    return connection;
}

void tls_end(struct tls_connection *connection)
{
    if (!connection)
        return;
    tls_release(connection->tls);
    free(connection);
}

int tls_no_certificate(void)
{
    return -1;
}
