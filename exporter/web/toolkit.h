#pragma once
/* The web configuration file, in the schema of Prometheus' exporter-toolkit: encryption, headers,
 * how many requests, and who may sign in. Source: docs/web-configuration.md of
 * prometheus/exporter-toolkit. */
#include "core/options.h"

enum toolkit_client_auth {
    TOOLKIT_CLIENT_NONE,
    TOOLKIT_CLIENT_REQUEST,
    TOOLKIT_CLIENT_REQUIRE_ANY,
    TOOLKIT_CLIENT_VERIFY_IF_GIVEN,
    TOOLKIT_CLIENT_REQUIRE_AND_VERIFY,
    TOOLKIT_CLIENT_REQUIRE, /* the old word for REQUIRE_ANY; never there after reading */
};
enum toolkit_version { TOOLKIT_TLS10, TOOLKIT_TLS11, TOOLKIT_TLS12, TOOLKIT_TLS13 };

struct toolkit_tls {
    bool enabled;
    const char *cert;      /* PEM: the certificate and those between it and its CA */
    struct secret key;     /* PEM */
    const char *client_ca; /* PEM; NULL = those the system trusts */
    const char *cert_file, *client_ca_file; /* where they were read; NULL = inline */
    enum toolkit_client_auth client_auth;
    struct option_texts client_allowed_sans, cipher_suites, curve_preferences;
    enum toolkit_version min_version, max_version; /* TOOLKIT_TLS12 at least */
    bool prefer_server_cipher_suites;
    int line, cert_line, ca_line, auth_line, min_line, max_line, sans_line;
};

struct toolkit {
    struct toolkit_tls tls;
    bool http2;                  /* nothing follows from it: HTTP/1.1 is what is spoken */
    int http2_line;              /* 0 = it is not named */
    struct option_pairs headers; /* for every answer; a name with "" is none */
    const char *interval;
    double interval_s; /* between two requests; 0 = no limit */
    int64_t burst;
    struct option_pairs users; /* names and bcrypt hashes */
    const char *file;
    struct arena arena;
};

/* Read and check the file and those it names. NULL when the report got anything. */
struct toolkit *toolkit_read(const char *path, struct option_report *report) MUST_USE;

/* NULL is fine. */
void toolkit_destroy(struct toolkit *toolkit);

/* Seconds of a duration as Go writes them: "1.5s", "1m30s", "250ms", "0". */
bool toolkit_duration(const char *text, double *seconds) MUST_USE;
