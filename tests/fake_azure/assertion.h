#pragma once
/* Entra ID's look at what a certificate signed. source: Microsoft identity platform, certificate
 * credentials; Microsoft Entra authentication error codes. */

struct assertion_refusal {
    int number; /* AADSTS...; 0 = it is as it should be */
    const char *text;
};

/* certificate: a PEM file; url: the token endpoint as it was asked; client: the application. */
struct assertion_refusal assertion_check(const char *certificate, const char *jwt, const char *url,
                                         const char *client);
