#pragma once
/* Signing in as whoever is logged in with the az command line: for a person at a desk.
 * source: Microsoft Learn, az account get-access-token. */
#include "collectors/azure/credential.h"

extern const struct credential_kind az_command_line;

/* The token in what az printed. now: Unix seconds. */
bool az_read(const char *text, size_t length, int64_t now, struct credential_token *token,
             struct error *error) MUST_USE;
