#pragma once
/* Claims that an API demands of a token (Continuous Access Evaluation). Pure.
 * source: Microsoft identity platform, claims challenges. */
#include "core/buf.h"

/* Append the claims, JSON, that the WWW-Authenticate header of a 401 demands. False when it demands
 * none, or what is demanded is no JSON object. */
bool claims_read(const char *header, struct buf *out) MUST_USE;

/* Append these claims (NULL = none) with what tells that we understand such demands. */
void claims_merge(const char *demanded, struct buf *out);
