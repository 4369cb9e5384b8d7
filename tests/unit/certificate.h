#pragma once
/* Certificates made by the test that needs them, in PEM. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/buf.h"

struct certificate {
    char *cert, *key;
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t private_key;
};

static inline char *certificate_text(const gnutls_datum_t *pem)
{
    return strndup((const char *)pem->data, pem->size);
}

static inline void certificate_sign(struct certificate *one, const struct certificate *issuer)
{
    unsigned char serial[] = { 1, 2, 3, (unsigned char)rand() };
    gnutls_x509_crt_set_version(one->crt, 3);
    gnutls_x509_crt_set_serial(one->crt, serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(one->crt, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(one->crt, 4000000000);
    gnutls_x509_crt_set_key(one->crt, one->private_key);
    gnutls_x509_crt_sign2(one->crt, issuer ? issuer->crt : one->crt,
                          issuer ? issuer->private_key : one->private_key, GNUTLS_DIG_SHA256, 0);
    gnutls_datum_t pem;
    gnutls_x509_crt_export2(one->crt, GNUTLS_X509_FMT_PEM, &pem);
    one->cert = certificate_text(&pem);
    gnutls_free(pem.data);
    gnutls_x509_privkey_export2(one->private_key, GNUTLS_X509_FMT_PEM, &pem);
    one->key = certificate_text(&pem);
    gnutls_free(pem.data);
}

/* algorithm: GNUTLS_PK_ECDSA, _RSA ...; san: a DNS name, or NULL for a CA; issuer: NULL = itself.
 */
static inline struct certificate certificate_make(gnutls_pk_algorithm_t algorithm, const char *san,
                                                  const struct certificate *issuer)
{
    struct certificate one = { 0 };
    unsigned bits =
        algorithm == GNUTLS_PK_RSA ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    gnutls_x509_crt_init(&one.crt);
    gnutls_x509_privkey_init(&one.private_key);
    gnutls_x509_privkey_generate(one.private_key, algorithm, bits, 0);
    const char *name = san ? san : "authority";
    gnutls_x509_crt_set_dn_by_oid(one.crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                  (unsigned)strlen(name));
    gnutls_x509_crt_set_basic_constraints(one.crt, !san, -1);
    if (san)
        gnutls_x509_crt_set_subject_alt_name(one.crt, GNUTLS_SAN_DNSNAME, san,
                                             (unsigned)strlen(san), GNUTLS_FSAN_SET);
    certificate_sign(&one, issuer);
    return one;
}

static inline void certificate_finish(struct certificate *one)
{
    gnutls_x509_crt_deinit(one->crt);
    gnutls_x509_privkey_deinit(one->private_key);
    free(one->cert);
    free(one->key);
}
