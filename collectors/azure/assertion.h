#pragma once
/* What an application proves with its certificate who it is: a signed JSON Web Token. Pure but for
 * its random id. source: Microsoft identity platform, certificate credentials. */
#include "core/certificate.h"

struct assertion {
    const char *audience; /* the token endpoint's URL */
    const char *client_id;
    enum certificate_padding padding;
    int64_t now; /* Unix seconds */
};

/* Append the token. */
bool assertion_write(const struct assertion *assertion, const struct certificate *certificate,
                     struct buf *out, struct error *error) MUST_USE;
