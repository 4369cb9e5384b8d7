#include "assertion.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"

enum { PART_BYTES = 8192, SKEW_S = 300 };

#define MALFORMED                                                                                  \
    {                                                                                              \
        50027, "JWT token is invalid or malformed."                                                \
    }

static X509 *load(const char *path)
{
    FILE *file = fopen(path, "re");
    X509 *x509 = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return x509;
}

/* The bytes of one part, up to its dot. */
static bool decode(const char *part, size_t length, struct buf *out)
{
    char text[PART_BYTES];
    if (length >= sizeof text)
        return false;
    memcpy(text, part, length);
    text[length] = 0;
    return hash_unbase64(text, out);
}

static bool is_signed(X509 *x509, bool pss, const char *jwt, size_t length,
                      const struct buf *signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    bool ok =
        EVP_DigestVerifyInit(context, &key, EVP_sha256(), NULL, X509_get0_pubkey(x509)) == 1 &&
        (!pss || (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
        EVP_DigestVerify(context, (const unsigned char *)signature->data, signature->length,
                         (const unsigned char *)jwt, length) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

/* Whether the header names this certificate. */
static bool is_named(X509 *x509, const struct json *header)
{
    unsigned char *der = NULL;
    int count = i2d_X509(x509, &der);
    struct hash_sha256 digest;
    CLEANUP(buf_finish) struct buf named = { 0 };
    const char *print = json_text(json_get(header, "x5t#S256"));
    hash_sha256(der, (size_t)count, &digest);
    OPENSSL_free(der);
    return print && hash_unbase64(print, &named) && named.length == sizeof digest.bytes &&
           !memcmp(named.data, digest.bytes, sizeof digest.bytes);
}

static bool is_text(const struct json *claims, const char *name, const char *wanted)
{
    const char *text = json_text(json_get(claims, name));
    return text && strcasecmp(text, wanted) == 0;
}

static struct assertion_refusal check_claims(const struct json *claims, const char *url,
                                             const char *client)
{
    double now = (double)clock_now_s(), from = json_number(json_get(claims, "nbf"), 0),
           to = json_number(json_get(claims, "exp"), 0);
    if (!is_text(claims, "iss", client) || !is_text(claims, "sub", client))
        return (struct assertion_refusal){
            700021, "Client assertion application identifier doesn't match 'client_id' parameter."
        };
    if (!is_text(claims, "aud", url))
        return (struct assertion_refusal){
            700023, "Client assertion audience claim does not match Realm issuer."
        };
    if (to <= now - SKEW_S || from > now + SKEW_S || to - from > 86400)
        return (struct assertion_refusal){ 700024,
                                           "Client assertion is not within its valid time range." };
    if (!json_text(json_get(claims, "jti")))
        return (struct assertion_refusal)MALFORMED;
    return (struct assertion_refusal){ 0 };
}

static struct assertion_refusal check_parts(X509 *x509, const char *jwt, const struct json *header,
                                            const struct buf *signature)
{
    bool pss = is_text(header, "alg", "PS256");
    size_t length = (size_t)(strrchr(jwt, '.') - jwt);
    if (!pss && !is_text(header, "alg", "RS256"))
        return (struct assertion_refusal)MALFORMED;
    if (!is_named(x509, header))
        return (struct assertion_refusal){
            700027, "The certificate with identifier used to sign the client assertion is not "
                    "registered on application. [Reason - The key was not found.]"
        };
    if (!is_signed(x509, pss, jwt, length, signature))
        return (struct assertion_refusal){
            700027, "Client assertion contains an invalid signature. [Reason - The provided "
                    "signature value did not match the expected signature value.]"
        };
    return (struct assertion_refusal){ 0 };
}

struct assertion_refusal assertion_check(const char *certificate, const char *jwt, const char *url,
                                         const char *client)
{
    struct assertion_refusal why = MALFORMED;
    struct buf parts[3] = { 0 };
    struct json *documents[2] = { NULL, NULL };
    struct error ignored;
    size_t count = 0;
    X509 *x509 = load(certificate);
    for (const char *at = jwt; count < 3 && decode(at, strcspn(at, "."), &parts[count]); count++) {
        at += strcspn(at, ".");
        at += *at == '.';
    }
    for (int i = 0; count == 3 && i < 2; i++)
        documents[i] = json_parse(buf_cstr(&parts[i]), parts[i].length, &ignored);
    if (x509 && documents[0] && documents[1]) {
        why = check_parts(x509, jwt, documents[0], &parts[2]);
        if (!why.number)
            why = check_claims(documents[1], url, client);
    }
    for (int i = 0; i < 3; i++)
        buf_finish(&parts[i]);
    for (int i = 0; i < 2; i++)
        json_free(documents[i]);
    X509_free(x509);
    return why;
}
