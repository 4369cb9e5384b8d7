#pragma once
/* The managed identity of what the program runs on: a virtual machine or node (IMDS), App Service
 * and Container Apps, a machine of Azure Arc. source: Microsoft Learn, managed identities; Azure
 * Arc-enabled servers, authenticate against Azure resources. */
#include "collectors/azure/credential.h"

extern const struct credential_kind platform_managed_identity;

/* Append what the key file holds that an answer of Azure Arc names. Only a plain file right in the
 * folder, "<name>.key", of root or of the folder's owner, at most 4096 bytes: whoever answers may
 * be another than Arc, and is not to be sent any file it likes. */
bool platform_read_key(const char *folder, const char *path, struct secret *key,
                       struct error *error) MUST_USE;
