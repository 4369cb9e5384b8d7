#include "exporter/web/tls.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/memory.h"
#include "exporter/web/tls_priority.h"

#include "certificate.h"
#include "test.h"

/* --- priority strings ----------------------------------------------------------------------- */

#define SIGNATURES                                                                                 \
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-EDDSA-ED25519:"                        \
    "+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-SHA256:"                             \
    "+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA384:"                   \
    "+SIGN-RSA-PSS-SHA384:+SIGN-RSA-SHA384:"                                                       \
    "+SIGN-ECDSA-SHA512:+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-RSA-PSS-RSAE-SHA512:"                   \
    "+SIGN-RSA-PSS-SHA512:+SIGN-RSA-SHA512"

static void check_priority(struct tls_priority wish, const char *want)
{
    CLEANUP(buf_finish) struct buf got = { 0 };
    tls_priority_write(&wish, &got);
    CHECK_TEXT(buf_cstr(&got), want);
    gnutls_priority_t priority;
    CHECK(!gnutls_priority_init(&priority, buf_cstr(&got), NULL));
    gnutls_priority_deinit(priority);
}

TEST(tls_priority_is_modern_by_default)
{
    check_priority((struct tls_priority){ .tls12 = true, .tls13 = true, .server_order = true },
                   "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+AES-256-GCM:"
                   "+CHACHA20-POLY1305:+AEAD:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
                   "+GROUP-SECP521R1:+CTYPE-X509:+COMP-NULL" SIGNATURES ":%SERVER_PRECEDENCE");
}

TEST(tls_priority_says_what_was_named_and_no_more)
{
    static const char *const suites[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                                          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                                          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" };
    static const char *const curves[] = { "CurveP521", "X25519" };
    struct tls_priority wish = {
        .key = TLS_PRIORITY_ECDSA,
        .tls12 = true,
        .suites = suites,
        .suite_count = 3,
        .curves = curves,
        .curve_count = 2,
    };
    check_priority(wish,
                   "NONE:+VERS-TLS1.2:+ECDHE-ECDSA:+AES-256-CBC:+CHACHA20-POLY1305:+AEAD:+SHA1"
                   ":+GROUP-SECP521R1:+GROUP-X25519:+CTYPE-X509:+COMP-NULL" SIGNATURES);
    CHECK_INT(tls_priority_usable(&wish), 2);
    wish.key = TLS_PRIORITY_RSA;
    CHECK_INT(tls_priority_usable(&wish), 1);
    wish.tls13 = true; /* its own three, whatever is named for TLS 1.2 */
    check_priority(wish, "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:"
                         "+AES-256-GCM:+CHACHA20-POLY1305:+AEAD"
                         ":+GROUP-SECP521R1:+GROUP-X25519:+CTYPE-X509:+COMP-NULL" SIGNATURES);
}

/* --- handshakes ----------------------------------------------------------------------------- */

/* The stranger comes from another authority that has the same name: a client shows only what a name
 * of the server's list has issued. */
static struct certificate authority, other, server, client, stranger, rsa;

static void make_certificates(void)
{
    if (authority.cert)
        return;
    authority = certificate_make(GNUTLS_PK_ECDSA, NULL, NULL);
    server = certificate_make(GNUTLS_PK_ECDSA, "localhost", &authority);
    client = certificate_make(GNUTLS_PK_ECDSA, "prometheus.example", &authority);
    other = certificate_make(GNUTLS_PK_ECDSA, NULL, NULL);
    stranger = certificate_make(GNUTLS_PK_ECDSA, "prometheus.example", &other);
    rsa = certificate_make(GNUTLS_PK_RSA, "localhost", NULL);
}

static struct toolkit_tls config_of(const struct certificate *certificate)
{
    make_certificates();
    return (struct toolkit_tls){
        .enabled = true,
        .cert = certificate->cert,
        .key = TEST_SECRET(certificate->key),
        .min_version = TOOLKIT_TLS12,
        .max_version = TOOLKIT_TLS13,
        .prefer_server_cipher_suites = true,
    };
}

struct outcome {
    int server, client; /* the last result of each: 0 = it worked */
    int alert;          /* what the client was told */
    gnutls_protocol_t version;
    gnutls_cipher_algorithm_t cipher;
};

/* Both sides take turns, each on its end of a pair of sockets that do not block. TLS 1.3 tells a
 * client of a refusal after its handshake, so the client reads once. */
static struct outcome shake(struct tls *tls, const char *priority, const struct certificate *shown)
{
    int ends[2];
    struct outcome outcome = { GNUTLS_E_AGAIN, GNUTLS_E_AGAIN, -1, 0, 0 };
    gnutls_session_t sessions[2];
    gnutls_certificate_credentials_t credentials;
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    gnutls_init(&sessions[0], GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    gnutls_init(&sessions[1], GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    struct tls_connection *connection = tls_begin(tls, sessions[0], ends[0]);
    gnutls_certificate_allocate_credentials(&credentials);
    if (shown) {
        gnutls_datum_t cert = { (unsigned char *)shown->cert, (unsigned)strlen(shown->cert) };
        gnutls_datum_t key = { (unsigned char *)shown->key, (unsigned)strlen(shown->key) };
        gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    }
    gnutls_credentials_set(sessions[1], GNUTLS_CRD_CERTIFICATE, credentials);
    CHECK(!gnutls_priority_set_direct(sessions[1], priority, NULL));
    gnutls_transport_set_int(sessions[1], ends[1]);
    for (int i = 0; i < 50; i++) {
        if (outcome.client == GNUTLS_E_AGAIN)
            outcome.client = gnutls_handshake(sessions[1]);
        if (outcome.server == GNUTLS_E_AGAIN)
            outcome.server = gnutls_handshake(sessions[0]);
    }
    char byte;
    int got = outcome.client ? outcome.client : (int)gnutls_record_recv(sessions[1], &byte, 1);
    if (got == GNUTLS_E_FATAL_ALERT_RECEIVED)
        outcome.alert = (int)gnutls_alert_get(sessions[1]);
    outcome.version = gnutls_protocol_get_version(sessions[0]);
    outcome.cipher = gnutls_cipher_get(sessions[0]);
    gnutls_deinit(sessions[0]);
    gnutls_deinit(sessions[1]);
    tls_end(connection);
    gnutls_certificate_free_credentials(credentials);
    close(ends[0]);
    close(ends[1]);
    return outcome;
}

static struct tls *create(const struct toolkit_tls *config)
{
    struct error error;
    struct tls *tls = tls_create(config, &error);
    if (!tls)
        test_check(false, __FILE__, __LINE__, error.message);
    return tls;
}

#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* --- client certificates -------------------------------------------------------------------- */

TEST(tls_asks_for_client_certificates_as_told)
{
    enum { NOBODY, CLIENT, STRANGER };
    /* which of the three get in, by the word of the file */
    static const struct {
        enum toolkit_client_auth auth;
        bool in[3];
        int alert[3];
    } cases[] = {
        { TOOLKIT_CLIENT_NONE, { true, true, true }, { 0 } },
        { TOOLKIT_CLIENT_REQUEST, { true, true, true }, { 0 } },
        { TOOLKIT_CLIENT_REQUIRE_ANY, { false, true, true }, { GNUTLS_A_CERTIFICATE_REQUIRED } },
        { TOOLKIT_CLIENT_VERIFY_IF_GIVEN, { true, true, false }, { 0, 0, GNUTLS_A_UNKNOWN_CA } },
        { TOOLKIT_CLIENT_REQUIRE_AND_VERIFY,
          { false, true, false },
          { GNUTLS_A_CERTIFICATE_REQUIRED, 0, GNUTLS_A_UNKNOWN_CA } },
    };
    make_certificates();
    const struct certificate *const shown[] = { NULL, &client, &stranger };
    static const char *const versions[] = { TLS12, TLS13 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct toolkit_tls config = config_of(&server);
        config.client_auth = cases[i].auth;
        config.client_ca = cases[i].auth ? authority.cert : NULL;
        struct tls *tls = create(&config);
        for (size_t who = 0; who < 3; who++)
            for (size_t v = 0; v < 2; v++) {
                struct outcome outcome = shake(tls, versions[v], shown[who]);
                CHECK(!outcome.server == cases[i].in[who]);
                CHECK_INT(outcome.alert, cases[i].in[who] ? -1 : cases[i].alert[who]);
            }
        tls_release(tls);
    }
}

TEST(tls_lets_in_who_has_an_allowed_name)
{
    static const char *good[] = { "one", "prometheus.example", "two" };
    static const char *bad[] = { "prometheus", "PROMETHEUS.example.", "prometheus.example.org" };
    struct toolkit_tls config = config_of(&server);
    config.client_auth = TOOLKIT_CLIENT_REQUIRE_AND_VERIFY;
    config.client_ca = authority.cert;
    config.client_allowed_sans = (struct option_texts){ .texts = good, .count = 3 };
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS13, &client).server);
    tls_release(tls);
    config.client_allowed_sans.texts = bad;
    tls = create(&config);
    struct outcome outcome = shake(tls, TLS13, &client);
    CHECK(outcome.server);
    CHECK_INT(outcome.alert, GNUTLS_A_BAD_CERTIFICATE);
    tls_release(tls);
}

/* Every kind of name: addresses as they are written, e-mail and URI. */
TEST(tls_knows_every_kind_of_name)
{
    static const char *const names[] = { "192.0.2.7", "2001:db8::7", "a@example.org",
                                         "spiffe://example.org/prometheus", "other.example" };
    struct certificate one = { 0 };
    make_certificates();
    gnutls_x509_crt_init(&one.crt);
    gnutls_x509_privkey_init(&one.private_key);
    gnutls_x509_privkey_generate(one.private_key, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_set_subject_alt_name(one.crt, GNUTLS_SAN_IPADDRESS, "\xc0\0\2\7", 4,
                                         GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_subject_alt_name(one.crt, GNUTLS_SAN_IPADDRESS,
                                         "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(one.crt, GNUTLS_SAN_RFC822NAME, names[2],
                                         (unsigned)strlen(names[2]), GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(one.crt, GNUTLS_SAN_URI, names[3],
                                         (unsigned)strlen(names[3]), GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_dn_by_oid(one.crt, GNUTLS_OID_X520_COMMON_NAME, 0, "other.example", 13);
    certificate_sign(&one, &authority);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const char *allowed[] = { names[i] };
        struct toolkit_tls config = config_of(&server);
        config.client_auth = TOOLKIT_CLIENT_REQUIRE_AND_VERIFY;
        config.client_ca = authority.cert;
        config.client_allowed_sans = (struct option_texts){ .texts = allowed, .count = 1 };
        struct tls *tls = create(&config);
        CHECK(!shake(tls, TLS12, &one).server == (i < 4)); /* the common name is none of them */
        tls_release(tls);
    }
    certificate_finish(&one);
}

/* --- versions, suites and curves ------------------------------------------------------------ */

TEST(tls_speaks_the_versions_it_is_told)
{
    static const struct {
        enum toolkit_version least, most;
        bool tls12, tls13;
    } cases[] = {
        { TOOLKIT_TLS12, TOOLKIT_TLS13, true, true },
        { TOOLKIT_TLS12, TOOLKIT_TLS12, true, false },
        { TOOLKIT_TLS13, TOOLKIT_TLS13, false, true },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct toolkit_tls config = config_of(&server);
        config.min_version = cases[i].least;
        config.max_version = cases[i].most;
        struct tls *tls = create(&config);
        CHECK(!shake(tls, TLS12, NULL).server == cases[i].tls12);
        CHECK(!shake(tls, TLS13, NULL).server == cases[i].tls13);
        CHECK(shake(tls, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", NULL).server);
        tls_release(tls);
    }
}

TEST(tls_offers_no_old_cipher_by_default)
{
    struct toolkit_tls config = config_of(&server);
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS12 ":-CIPHER-ALL:+AES-128-GCM", NULL).server);
    CHECK(!shake(tls, TLS12 ":-CIPHER-ALL:+CHACHA20-POLY1305", NULL).server);
    CHECK(shake(tls, TLS12 ":-CIPHER-ALL:+AES-128-CBC", NULL).server);
    CHECK(shake(tls, TLS12 ":-CIPHER-ALL:+AES-256-CCM", NULL).server);
    tls_release(tls);
}

/* The list holds for TLS 1.2 alone, as with Go. */
TEST(tls_takes_the_suites_named)
{
    static const char *suites[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                                    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" };
    struct toolkit_tls config = config_of(&server);
    config.cipher_suites = (struct option_texts){ .texts = suites, .count = 3 };
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS12 ":-CIPHER-ALL:+AES-256-GCM", NULL).server);
    CHECK(!shake(tls, TLS12 ":-CIPHER-ALL:+AES-128-CBC", NULL).server);
    CHECK(shake(tls, TLS12 ":-CIPHER-ALL:+AES-128-GCM", NULL).server);
    CHECK(shake(tls, TLS12 ":-CIPHER-ALL:+CHACHA20-POLY1305", NULL).server);
    CHECK(shake(tls, TLS12 ":-CIPHER-ALL:+AES-256-CBC", NULL).server);
    CHECK(!shake(tls, TLS13 ":-CIPHER-ALL:+AES-128-GCM", NULL).server);
    CHECK(!shake(tls, TLS13 ":-CIPHER-ALL:+CHACHA20-POLY1305", NULL).server);
    tls_release(tls);
}

TEST(tls_orders_suites_as_told)
{
    static const char *suites[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" };
    struct toolkit_tls config = config_of(&server);
    config.cipher_suites = (struct option_texts){ .texts = suites, .count = 2 };
    for (int server_order = 0; server_order < 2; server_order++) {
        config.prefer_server_cipher_suites = server_order;
        struct tls *tls = create(&config);
        struct outcome outcome = shake(tls, TLS12 ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM", NULL);
        CHECK_INT(outcome.cipher,
                  server_order ? GNUTLS_CIPHER_AES_256_GCM : GNUTLS_CIPHER_AES_128_GCM);
        tls_release(tls);
    }
}

TEST(tls_takes_the_curves_named)
{
    static const char *curves[] = { "CurveP521" };
    struct toolkit_tls config = config_of(&server);
    config.curve_preferences = (struct option_texts){ .texts = curves, .count = 1 };
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS13 ":-GROUP-ALL:+GROUP-SECP521R1", NULL).server);
    CHECK(shake(tls, TLS13 ":-GROUP-ALL:+GROUP-SECP384R1", NULL).server);
    tls_release(tls);
}

TEST(tls_works_with_an_rsa_certificate)
{
    struct toolkit_tls config = config_of(&rsa);
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS12, NULL).server);
    CHECK(!shake(tls, TLS13, NULL).server);
    CHECK_INT(tls_expires_at(tls), 4000000000);
    tls_release(tls);
}

/* --- what does not fit ---------------------------------------------------------------------- */

static void check_refused(const struct toolkit_tls *config, const char *reason)
{
    struct error error = { 0 };
    CHECK(!tls_create(config, &error));
    CHECK_CONTAINS(error.message, reason);
}

TEST(tls_says_what_does_not_fit)
{
    static const char *suites[] = { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" };
    struct toolkit_tls config = config_of(&server);
    config.cert = "nothing";
    check_refused(&config, "certificate and key: ");
    config = config_of(&server);
    config.key = (struct secret)TEST_SECRET(client.key);
    check_refused(&config, "certificate and key: ");
    config = config_of(&server);
    config.client_auth = TOOLKIT_CLIENT_REQUIRE_AND_VERIFY;
    config.client_ca = "nothing";
    check_refused(&config, "client_ca: ");
    config = config_of(&server);
    config.cipher_suites = (struct option_texts){ .texts = suites, .count = 1 };
    config.max_version = TOOLKIT_TLS12;
    check_refused(&config, "cipher_suites: none works with an ECDSA certificate");
    config.max_version = TOOLKIT_TLS13; /* only TLS 1.3 is left */
    struct tls *tls = create(&config);
    CHECK(!shake(tls, TLS13, NULL).server);
    CHECK(shake(tls, TLS12, NULL).server);
    tls_release(tls);
}

/* --- renegotiation -------------------------------------------------------------------------- */

/* A client that wants to shake hands again is told no; what it sends until then arrives, in pieces
 * of any size. */
TEST(tls_does_not_renegotiate)
{
    int ends[2];
    gnutls_session_t sessions[2];
    gnutls_certificate_credentials_t credentials;
    struct toolkit_tls config = config_of(&server);
    struct tls *tls = create(&config);
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    gnutls_init(&sessions[0], GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    gnutls_init(&sessions[1], GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    struct tls_connection *connection = tls_begin(tls, sessions[0], ends[0]);
    gnutls_certificate_allocate_credentials(&credentials);
    gnutls_credentials_set(sessions[1], GNUTLS_CRD_CERTIFICATE, credentials);
    CHECK(!gnutls_priority_set_direct(sessions[1], TLS12, NULL));
    gnutls_transport_set_int(sessions[1], ends[1]);
    int done[2] = { GNUTLS_E_AGAIN, GNUTLS_E_AGAIN };
    for (int i = 0; i < 100; i++)
        if (done[i % 2] == GNUTLS_E_AGAIN)
            done[i % 2] = gnutls_handshake(sessions[i % 2]);
    CHECK(!done[0] && !done[1]);
    char sent[3000], got[3000];
    memset(sent, 22, sizeof sent); /* what begins a record of a handshake */
    for (size_t bytes = 1; bytes < sizeof sent; bytes += 97) {
        CHECK(gnutls_record_send(sessions[1], sent, bytes) == (ssize_t)bytes);
        CHECK(gnutls_record_recv(sessions[0], got, sizeof got) == (ssize_t)bytes);
    }
    CHECK_INT(gnutls_handshake(sessions[1]), GNUTLS_E_AGAIN);
    CHECK(gnutls_record_recv(sessions[0], got, sizeof got) < 0);
    CHECK(gnutls_handshake(sessions[1]) < 0);
    CHECK_INT(gnutls_alert_get(sessions[1]), GNUTLS_A_NO_RENEGOTIATION);
    gnutls_deinit(sessions[0]);
    gnutls_deinit(sessions[1]);
    tls_end(connection);
    gnutls_certificate_free_credentials(credentials);
    tls_release(tls);
    close(ends[0]);
    close(ends[1]);
}

/* --- plain HTTP ----------------------------------------------------------------------------- */

TEST(tls_tells_plain_http_what_is_wrong)
{
    int ends[2];
    gnutls_session_t session;
    char answer[512] = "";
    struct toolkit_tls config = config_of(&server);
    struct tls *tls = create(&config);
    CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    struct tls_connection *connection = tls_begin(tls, session, ends[0]);
    CHECK_INT(gnutls_handshake(session), GNUTLS_E_AGAIN);
    CHECK(send(ends[1], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL) == 18);
    CHECK(gnutls_handshake(session) < 0);
    CHECK(recv(ends[1], answer, sizeof answer - 1, 0) > 0);
    CHECK_CONTAINS(answer, "HTTP/1.0 400 Bad Request\r\n");
    CHECK_CONTAINS(answer, "this port speaks HTTPS");
    CHECK_INT(recv(ends[1], answer, sizeof answer, 0), 0);
    gnutls_deinit(session);
    tls_end(connection);
    tls_release(tls);
    close(ends[0]);
    close(ends[1]);
}

__attribute__((destructor)) static void forget_certificates(void)
{
    struct certificate *const all[] = { &authority, &other, &server, &client, &stranger, &rsa };
    for (size_t i = 0; i < ARRAY_COUNT(all) && authority.cert; i++)
        certificate_finish(all[i]);
}
