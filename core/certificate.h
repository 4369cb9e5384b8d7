#pragma once
/* A certificate with its private key, as who signs has it; the only file that names the keys of the
 * crypto library. Any thread once it is read. */
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

struct certificate;

/* Read a file with both: PEM, in any order, or PKCS #12 (PFX). In a file with several certificates
 * it is the one the key belongs to. password: NULL or "" = none. RSA only. NULL and *error. */
struct certificate *certificate_read(const char *path, const char *password,
                                     struct error *error) MUST_USE;
void certificate_free(struct certificate *certificate); /* NULL is fine */

/* Append the certificate itself (DER). */
void certificate_der(const struct certificate *certificate, struct buf *out);

/* The last second it is valid, Unix seconds. */
int64_t certificate_ends_at(const struct certificate *certificate);

/* With SHA-256. source: RFC 7518 sections 3.3 (RS256) and 3.5 (PS256). */
enum certificate_padding { CERTIFICATE_PSS, CERTIFICATE_PKCS1 };

/* Append the signature of these bytes. */
bool certificate_sign(const struct certificate *certificate, enum certificate_padding padding,
                      const void *bytes, size_t count, struct buf *out,
                      struct error *error) MUST_USE;
