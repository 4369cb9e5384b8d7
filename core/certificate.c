#include "core/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"

enum { FILE_LIMIT_BYTES = 256 << 10, CERTIFICATES_MAX = 32 };

struct certificate {
    EVP_PKEY *key;
    X509 *x509;
};

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

/* The whole file in memory that is wiped; NULL and *error. */
static BIO *load(const char *path, struct error *error)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        error_set(error, ERROR_IO, "certificate file %s: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = memory_array(FILE_LIMIT_BYTES + 1, 1);
    size_t count = fread(bytes, 1, FILE_LIMIT_BYTES + 1, file);
    bool fits = count <= FILE_LIMIT_BYTES, read = !ferror(file);
    fclose(file);
    BIO *bio = fits && read && count ? BIO_new(BIO_s_secmem()) : NULL;
    if (bio && BIO_write(bio, bytes, (int)count) != (int)count) {
        BIO_free(bio);
        bio = NULL;
    }
    explicit_bzero(bytes, FILE_LIMIT_BYTES + 1);
    free(bytes);
    if (!bio)
        error_set(error, ERROR_IO, "certificate file %s: %s", path,
                  !read   ? "cannot be read"
                  : !fits ? "larger than 256 KiB"
                          : "empty");
    return bio;
}

/* Hands the library the password, and never asks a terminal for one. */
static int give_password(char *out, int bytes, int writing, void *context)
{
    const char *password = context;
    size_t length = strlen(password);
    (void)writing;
    if (!length || length > (size_t)bytes)
        return -1;
    memcpy(out, password, length);
    return (int)length;
}

/* Take the certificate the key belongs to out of a PEM text. */
static bool find_own(BIO *bio, struct certificate *certificate)
{
    for (int i = 0; i < CERTIFICATES_MAX && !certificate->x509; i++) {
        X509 *one = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!one)
            break;
        if (X509_check_private_key(one, certificate->key) == 1)
            certificate->x509 = one;
        else
            X509_free(one);
    }
    return certificate->x509 != NULL;
}

static bool read_pem(const char *path, BIO *bio, const char *password,
                     struct certificate *certificate, struct error *error)
{
    char *text;
    size_t length = (size_t)BIO_get_mem_data(bio, &text);
    CLEANUP(free_bio) BIO *again = BIO_new_mem_buf(text, (int)length);
    bool encrypted = memmem(text, length, "ENCRYPTED", 9) != NULL;
    certificate->key = PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)(size_t)password);
    if (!certificate->key && encrypted)
        return error_set(error, ERROR_CONFIG, "certificate file %s: %s", path,
                         *password ? "the password does not open its key"
                                   : "its key is encrypted and there is no password");
    if (!certificate->key)
        return error_set(error, ERROR_CONFIG, "certificate file %s: has no private key", path);
    return find_own(again, certificate) ||
           error_set(error, ERROR_CONFIG, "certificate file %s: no certificate belongs to its key",
                     path);
}

static bool read_pkcs12(const char *path, PKCS12 *bundle, const char *password,
                        struct certificate *certificate, struct error *error)
{
    if (PKCS12_parse(bundle, password, &certificate->key, &certificate->x509, NULL) != 1) {
        unsigned long reason = ERR_peek_last_error();
        bool mac = ERR_GET_LIB(reason) == ERR_LIB_PKCS12 &&
                   ERR_GET_REASON(reason) == PKCS12_R_MAC_VERIFY_FAILURE;
        return error_set(error, ERROR_CONFIG, "certificate file %s: %s", path,
                         mac ? "the password does not open it"
                             : "its encryption is too old: export it with AES");
    }
    return (certificate->key && certificate->x509) ||
           error_set(error, ERROR_CONFIG,
                     "certificate file %s: has no private key with its certificate", path);
}

struct certificate *certificate_read(const char *path, const char *password, struct error *error)
{
    struct certificate *certificate = MEMORY_NEW(struct certificate);
    CLEANUP(free_bio) BIO *bio = load(path, error);
    bool ok = bio != NULL;
    if (!password)
        password = "";
    if (ok) {
        char *start;
        long length = BIO_get_mem_data(bio, &start);
        const unsigned char *at = (const unsigned char *)start;
        PKCS12 *bundle = d2i_PKCS12(NULL, &at, length);
        ERR_clear_error();
        ok = bundle ? read_pkcs12(path, bundle, password, certificate, error)
                    : read_pem(path, bio, password, certificate, error);
        PKCS12_free(bundle);
    }
    if (ok && !EVP_PKEY_is_a(certificate->key, "RSA"))
        ok = error_set(error, ERROR_CONFIG, "certificate file %s: its key is no RSA key", path);
    ERR_clear_error();
    if (ok)
        return certificate;
    certificate_free(certificate);
    return NULL;
}

void certificate_free(struct certificate *certificate)
{
    if (!certificate)
        return;
    EVP_PKEY_free(certificate->key);
    X509_free(certificate->x509);
    free(certificate);
}

void certificate_der(const struct certificate *certificate, struct buf *out)
{
    unsigned char *bytes = NULL;
    int count = i2d_X509(certificate->x509, &bytes);
    if (count > 0)
        buf_append(out, bytes, (size_t)count);
    OPENSSL_free(bytes);
}

int64_t certificate_ends_at(const struct certificate *certificate)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->x509), &parts) != 1)
        return 0;
    return timegm(&parts);
}

bool certificate_sign(const struct certificate *certificate, enum certificate_padding padding,
                      const void *bytes, size_t count, struct buf *out, struct error *error)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key = NULL;
    unsigned char signature[1024]; /* of a key of 8192 bits */
    size_t length = sizeof signature;
    bool ok = context &&
              EVP_DigestSignInit(context, &key, EVP_sha256(), NULL, certificate->key) == 1 &&
              (padding == CERTIFICATE_PKCS1 ||
               (EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
              EVP_PKEY_get_size(certificate->key) <= (int)sizeof signature &&
              EVP_DigestSign(context, signature, &length, bytes, count) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (!ok)
        return error_set(error, ERROR_CONFIG, "the certificate's key cannot sign");
    buf_append(out, signature, length);
    return true;
}
