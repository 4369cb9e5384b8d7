#include "exporter/web/tls_priority.h"

#include <string.h>

#include "core/compiler.h"

/* Name of Go, with which key it works in TLS 1.2 (none: it is one of TLS 1.3), cipher and MAC of
 * GnuTLS. */
enum key { NONE, RSA, ECDSA };
#define SUITES(X)                                                                                  \
    X(TLS_AES_128_GCM_SHA256, NONE, "AES-128-GCM", "AEAD")                                         \
    X(TLS_AES_256_GCM_SHA384, NONE, "AES-256-GCM", "AEAD")                                         \
    X(TLS_CHACHA20_POLY1305_SHA256, NONE, "CHACHA20-POLY1305", "AEAD")                             \
    X(TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ECDSA, "AES-128-GCM", "AEAD")                       \
    X(TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, RSA, "AES-128-GCM", "AEAD")                           \
    X(TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ECDSA, "AES-256-GCM", "AEAD")                       \
    X(TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, RSA, "AES-256-GCM", "AEAD")                           \
    X(TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, ECDSA, "CHACHA20-POLY1305", "AEAD")           \
    X(TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, RSA, "CHACHA20-POLY1305", "AEAD")               \
    X(TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, ECDSA, "AES-128-CBC", "SHA1")                          \
    X(TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, RSA, "AES-128-CBC", "SHA1")                              \
    X(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, ECDSA, "AES-256-CBC", "SHA1")                          \
    X(TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, RSA, "AES-256-CBC", "SHA1")

#define CURVES(X)                                                                                  \
    X(X25519, "GROUP-X25519")                                                                      \
    X(CurveP256, "GROUP-SECP256R1")                                                                \
    X(CurveP384, "GROUP-SECP384R1")                                                                \
    X(CurveP521, "GROUP-SECP521R1")

#define NAME(name, ...) #name,
const char *const tls_priority_suites[] = { SUITES(NAME) NULL };
const char *const tls_priority_curves[] = { CURVES(NAME) NULL };

#define SUITE_ROW(name, key, cipher, mac) { key, cipher, mac },
static const struct suite {
    enum key key;
    const char *cipher, *mac;
} suites[] = { SUITES(SUITE_ROW) };

#define CURVE_ROW(name, group) group,
static const char *const groups[] = { CURVES(CURVE_ROW) };

/* Those of TLS 1.3; SHA-1 is nowhere among them. */
static const char signatures[] =
    "+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-EDDSA-ED25519:"
    "+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-SHA256:+SIGN-RSA-SHA256:"
    "+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA384:"
    "+SIGN-RSA-PSS-SHA384:+SIGN-RSA-SHA384:"
    "+SIGN-ECDSA-SHA512:+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-RSA-PSS-RSAE-SHA512:"
    "+SIGN-RSA-PSS-SHA512:+SIGN-RSA-SHA512";

static size_t index_of(const char *const *names, const char *name)
{
    size_t i = 0;
    while (names[i] && strcmp(names[i], name))
        i++;
    return i;
}

/* What is allowed in TLS 1.2: named and fit for the key, or all that encrypt and sign at once. */
static bool is_usable(const struct tls_priority *wish, const struct suite *suite)
{
    return suite->key == (wish->key == TLS_PRIORITY_RSA ? RSA : ECDSA);
}

static const struct suite *suite_at(const struct tls_priority *wish, size_t i)
{
    return &suites[index_of(tls_priority_suites, wish->suites[i])];
}

size_t tls_priority_usable(const struct tls_priority *wish)
{
    size_t usable = 0;
    for (size_t i = 0; i < wish->suite_count; i++)
        usable += is_usable(wish, suite_at(wish, i));
    return usable;
}

static void add(struct buf *out, const char *word)
{
    buf_text(out, ":+");
    buf_text(out, word);
}

void tls_priority_write(const struct tls_priority *wish, struct buf *out)
{
    buf_text(out, "NONE");
    if (wish->tls13)
        buf_text(out, ":+VERS-TLS1.3");
    if (wish->tls12)
        buf_text(out, ":+VERS-TLS1.2");
    buf_text(out, wish->key == TLS_PRIORITY_RSA ? ":+ECDHE-RSA" : ":+ECDHE-ECDSA");
    for (size_t i = 0; i < wish->suite_count && wish->tls12; i++)
        if (is_usable(wish, suite_at(wish, i)))
            add(out, suite_at(wish, i)->cipher);
    if (wish->tls13 || !wish->suite_count)
        for (size_t i = 0; suites[i].key == NONE; i++)
            add(out, suites[i].cipher);
    buf_text(out, ":+AEAD");
    for (size_t i = 0; i < wish->suite_count && wish->tls12; i++)
        if (is_usable(wish, suite_at(wish, i)) && strcmp(suite_at(wish, i)->mac, "AEAD") != 0)
            add(out, suite_at(wish, i)->mac);
    for (size_t i = 0; i < wish->curve_count; i++)
        add(out, groups[index_of(tls_priority_curves, wish->curves[i])]);
    for (size_t i = 0; i < ARRAY_COUNT(groups) && !wish->curve_count; i++)
        add(out, groups[i]);
    buf_text(out, ":+CTYPE-X509:+COMP-NULL:");
    buf_text(out, signatures);
    if (wish->server_order)
        buf_text(out, ":%SERVER_PRECEDENCE");
}
