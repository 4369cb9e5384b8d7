#pragma once
/* Signing in to Microsoft Entra ID as an application: by a secret, by a certificate, by the token
 * of a workload identity. source: Microsoft identity platform, client credentials flow. */
#include "collectors/azure/credential.h"

extern const struct credential_kind entra_client_secret, entra_client_certificate,
    entra_workload_identity;
