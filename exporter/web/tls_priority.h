#pragma once
/* What Go's names of ciphers and curves mean in a priority string of GnuTLS. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* The names that may be used: those of the package crypto/tls of Go that are not insecure. They
 * end with NULL. */
extern const char *const tls_priority_suites[];
extern const char *const tls_priority_curves[];

/* What the certificate is signed with decides which suites of TLS 1.2 can be used at all. */
enum tls_priority_key { TLS_PRIORITY_RSA, TLS_PRIORITY_ECDSA };

struct tls_priority {
    enum tls_priority_key key;
    bool tls12, tls13;         /* which versions are allowed */
    const char *const *suites; /* suite_count of them; 0 = those that encrypt and sign at once */
    size_t suite_count;
    const char *const *curves; /* curve_count of them, best first; 0 = all */
    size_t curve_count;
    bool server_order; /* the order of suites counts, not the client's */
};

/* How many of the suites can be used in TLS 1.2 with this key. */
size_t tls_priority_usable(const struct tls_priority *wish);

/* Append the string for the versions allowed. The suites named hold for TLS 1.2 alone, as with Go:
 * with TLS 1.3 allowed its own three are there, too. */
void tls_priority_write(const struct tls_priority *wish, struct buf *out);
