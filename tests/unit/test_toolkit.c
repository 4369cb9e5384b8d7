#include "exporter/web/toolkit.h"

#include <math.h>
#include <stdio.h>

#include "test.h"

/* --- files of the toolkit's schema ---------------------------------------------------------- */

#define PAIR "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
#define HASH "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"

static void write_neighbours(void)
{
    test_file("server.crt", "the certificate\n");
    test_file("server.key", "the key\n");
    test_file("ca.pem", "the authority\n");
}

static struct toolkit *read_text(const char *text, struct buf *reasons)
{
    struct option_report report = { 0 };
    struct toolkit *toolkit = toolkit_read(test_file("web.yml", text), &report);
    buf_text(reasons, buf_cstr(&report.text));
    options_report_finish(&report);
    return toolkit;
}

/* The cases of the toolkit's own tests, with the schema's words, and some more. reason: what the
 * message must hold, with its line; NULL = the file is good. */
/* clang-format off */
static const struct {
    const char *name, *text, *reason;
} cases[] = {
    { "empty", "", NULL },
    { "only comments", "# nothing\n", NULL },
    { "no YAML mapping", "hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\n", ":1: must be a mapping" },
    { "a key misspelt", "tls_server_config:\n  cert_filse: server.crt\n",
      ":2: tls_server_config.cert_filse: unknown key, did you mean \"cert_file\"?" },
    { "an unknown section", "rights:\n  alice: write\n", ":1: rights: unknown key" },
    { "certificate and key", PAIR, NULL },
    { "inline",
      "tls_server_config:\n  cert: |\n    the certificate\n  key: |\n    the key\n", NULL },
    { "certificate by file, key inline",
      "tls_server_config:\n  cert_file: server.crt\n  key: the key\n", NULL },
    { "certificate path empty", "tls_server_config:\n  cert_file: \"\"\n  key_file: server.key\n",
      ":1: tls_server_config: one of cert and cert_file is missing" },
    { "certificate empty", "tls_server_config:\n  cert: \"\"\n  key_file: server.key\n",
      "tls_server_config: one of cert and cert_file is missing" },
    { "no certificate", "tls_server_config:\n  key_file: server.key\n",
      "one of cert and cert_file is missing" },
    { "no key", "tls_server_config:\n  cert_file: server.crt\n",
      "one of key and key_file is missing" },
    { "key path empty", "tls_server_config:\n  cert_file: server.crt\n  key_file: \"\"\n",
      ":3: tls_server_config.key_file" },
    { "key empty", "tls_server_config:\n  cert_file: server.crt\n  key: \"\"\n",
      ":3: tls_server_config.key: is empty" },
    { "certificate file missing",
      "tls_server_config:\n  cert_file: somefile\n  key_file: server.key\n",
      ":2: tls_server_config.cert_file" },
    { "key file missing", "tls_server_config:\n  cert_file: server.crt\n  key_file: somefile\n",
      ":3: tls_server_config.key_file" },
    { "both forms of the certificate", PAIR "  cert: the certificate\n",
      "tls_server_config.cert: both cert and cert_file are given" },
    { "both forms of the key", PAIR "  key: the key\n", "both key and key_file are given" },
    { "NoClientCert", PAIR "  client_auth_type: NoClientCert\n", NULL },
    { "RequestClientCert", PAIR "  client_auth_type: RequestClientCert\n", NULL },
    { "RequireClientCert", PAIR "  client_auth_type: RequireClientCert\n", NULL },
    { "RequireAnyClientCert", PAIR "  client_auth_type: RequireAnyClientCert\n", NULL },
    { "VerifyClientCertIfGiven", PAIR "  client_auth_type: VerifyClientCertIfGiven\n", NULL },
    { "RequireAndVerifyClientCert",
      PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n", NULL },
    { "client CA inline",
      PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca: the authority\n", NULL },
    { "an unknown client_auth_type", PAIR "  client_auth_type: x\n",
      ":4: tls_server_config.client_auth_type: \"x\" is not one of NoClientCert" },
    { "client_auth_type alone", "tls_server_config:\n  client_auth_type: RequestClientCert\n",
      "one of cert and cert_file is missing" },
    { "client CA without a policy", PAIR "  client_ca_file: /dev/null\n",
      ":4: tls_server_config: client CAs are given without a client_auth_type" },
    { "client CA file missing",
      PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: somefile\n",
      ":5: tls_server_config.client_ca_file" },
    { "both forms of the client CA",
      PAIR "  client_auth_type: RequestClientCert\n  client_ca_file: ca.pem\n  client_ca: x\n",
      "both client_ca and client_ca_file are given" },
    { "allowed names",
      PAIR "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n"
           "  client_allowed_sans:\n    - one\n    - two\n", NULL },
    { "allowed names that nobody must show", PAIR "  client_allowed_sans: [one]\n",
      ":4: tls_server_config.client_allowed_sans: has no effect" },
    { "versions", PAIR "  min_version: TLS12\n  max_version: TLS12\n", NULL },
    { "only TLS 1.3", PAIR "  min_version: TLS13\n  curve_preferences:\n    - CurveP521\n", NULL },
    { "an unknown version", PAIR "  min_version: TLS111\n",
      ":4: tls_server_config.min_version: \"TLS111\" is not one of TLS10, TLS11, TLS12, TLS13" },
    { "an old version", PAIR "  min_version: TLS10\n",
      ":4: tls_server_config.min_version: TLS10 is not spoken any more" },
    { "an old highest version", PAIR "  max_version: TLS11\n",
      ":4: tls_server_config.max_version: TLS11 is not spoken any more" },
    { "versions the wrong way round", PAIR "  min_version: TLS13\n  max_version: TLS12\n",
      ":4: tls_server_config: min_version is above max_version" },
    { "every cipher",
      PAIR "  cipher_suites:\n"
           "  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n"
           "  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n"
           "  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
           "  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
           "  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256\n"
           "  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n"
           "  - TLS_AES_128_GCM_SHA256\n"
           "  - TLS_AES_256_GCM_SHA384\n"
           "  - TLS_CHACHA20_POLY1305_SHA256\n"
           "  - TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA\n"
           "  - TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA\n"
           "  - TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA\n"
           "  - TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA\n", NULL },
    { "an invented cipher", PAIR "  cipher_suites:\n  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\n",
      ":5: tls_server_config.cipher_suites: \"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048\" is not" },
    { "a cipher that is insecure", PAIR "  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n",
      "is not one of" },
    { "ciphers in the client's order",
      PAIR "  prefer_server_cipher_suites: false\n"
           "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n", NULL },
    { "every curve",
      PAIR "  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]\n", NULL },
    { "an invented curve", PAIR "  curve_preferences:\n    - CurveP257\n",
      ":5: tls_server_config.curve_preferences: \"CurveP257\" is not one of X25519, CurveP256" },
    { "no HTTP/2", PAIR "http_server_config:\n  http2: false\n", NULL },
    { "no cipher HTTP/2 wants, which is not spoken here",
      PAIR "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n"
           "  max_version: TLS12\n", NULL },
    { "headers",
      "http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
      "    Strict-Transport-Security: max-age=31536000; includeSubDomains\n"
      "    X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n"
      "    Content-Security-Policy: \"default-src 'self' *.test.example.net\"\n", NULL },
    { "a blank header", "http_server_config:\n  headers:\n    X-Frame-Options: \"\"\n", NULL },
    { "sniff", "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n",
      ":3: http_server_config.headers.X-Content-Type-Options: must be nosniff" },
    { "frame", "http_server_config:\n  headers:\n    X-Frame-Options: foo\n",
      ":3: http_server_config.headers.X-Frame-Options: must be deny or sameorigin" },
    { "a header of ours", "http_server_config:\n  headers:\n    Content-Type: foo\n",
      ":3: http_server_config.headers.Content-Type: this header cannot be set" },
    { "a header in small letters", "http_server_config:\n  headers:\n    x-frame-options: deny\n",
      "this header cannot be set" },
    { "a header with a line break",
      "http_server_config:\n  headers:\n    X-XSS-Protection: \"1\\r\\nSet-Cookie: a\"\n",
      ":3: http_server_config.headers.X-XSS-Protection: holds a control character" },
    { "no rate limit", "rate_limit:\n  interval: 0\n  burst: 0\n", NULL },
    { "a rate limit", "rate_limit:\n  interval: \"1s\"\n  burst: 20\n", NULL },
    { "a rate limit nobody meets", "rate_limit:\n  interval: 1s\n  burst: 0\n", NULL },
    { "no duration", "rate_limit:\n  interval: often\n",
      ":2: rate_limit.interval: is not a duration" },
    { "a negative burst", "rate_limit:\n  interval: 1s\n  burst: -1\n", ":3: rate_limit.burst" },
    { "users", "basic_auth_users:\n  alice: " HASH "\n  bob: " HASH "\n", NULL },
    { "users with TLS", PAIR "basic_auth_users:\n  alice: " HASH "\n", NULL },
    { "a password in clear", PAIR "basic_auth_users:\n  john: doe\n",
      ":5: basic_auth_users.john: is not a bcrypt hash" },
    { "a hash of another kind",
      "basic_auth_users:\n  john: $6$salt$hash\n", "is not a bcrypt hash" },
    { "a user twice", "basic_auth_users:\n  a: " HASH "\n  a: " HASH "\n",
      ":3: basic_auth_users.a: duplicate key" },
    { "a name with a colon", "basic_auth_users:\n  \"a:b\": " HASH "\n",
      ":2: basic_auth_users.a:b: a name with a colon cannot sign in" },
};
/* clang-format on */

TEST(toolkit_reads_what_the_exporter_toolkit_reads)
{
    write_neighbours();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf reasons = { 0 };
        struct toolkit *toolkit = read_text(cases[i].text, &reasons);
        bool fits = !toolkit == !!cases[i].reason &&
                    strstr(buf_cstr(&reasons), cases[i].reason ? cases[i].reason : "");
        if (!fits)
            printf("%s: %s", cases[i].name, reasons.length ? reasons.data : "no reason\n");
        CHECK(fits);
        toolkit_destroy(toolkit);
    }
}

TEST(toolkit_names_a_file_that_is_not_there)
{
    struct option_report report = { 0 };
    CHECK(!toolkit_read("/nonexistent/web.yml", &report));
    CHECK_TEXT(buf_cstr(&report.text), "/nonexistent/web.yml: No such file or directory\n");
    options_report_finish(&report);
}

TEST(toolkit_has_defaults)
{
    struct buf reasons = { 0 };
    struct toolkit *toolkit = read_text("", &reasons);
    CHECK(!toolkit->tls.enabled && toolkit->http2 && toolkit->tls.prefer_server_cipher_suites);
    CHECK_INT(toolkit->tls.min_version, TOOLKIT_TLS12);
    CHECK_INT(toolkit->tls.max_version, TOOLKIT_TLS13);
    CHECK_INT(toolkit->tls.client_auth, TOOLKIT_CLIENT_NONE);
    CHECK(toolkit->interval_s == 0);
    toolkit_destroy(toolkit);
    buf_finish(&reasons);
}

/* Relative paths are relative to the file, and the old word means the new one. */
TEST(toolkit_reads_the_files_beside_it)
{
    write_neighbours();
    struct buf reasons = { 0 };
    struct toolkit *toolkit = read_text(
        PAIR "  client_auth_type: RequireClientCert\n  client_ca_file: ca.pem\n", &reasons);
    CHECK_TEXT(toolkit->tls.cert, "the certificate\n");
    CHECK_TEXT(secret_text(&toolkit->tls.key), "the key");
    CHECK_TEXT(toolkit->tls.client_ca, "the authority\n");
    CHECK(toolkit->tls.enabled);
    CHECK_INT(toolkit->tls.client_auth, TOOLKIT_CLIENT_REQUIRE_ANY);
    toolkit_destroy(toolkit);
    buf_finish(&reasons);
}

TEST(toolkit_reads_durations_of_go)
{
    static const struct {
        const char *text;
        double seconds; /* negative = none */
    } durations[] = {
        { "0", 0 },
        { "1s", 1 },
        { "1.5s", 1.5 },
        { "250ms", 0.25 },
        { "1m30s", 90 },
        { "1h", 3600 },
        { "100us", 1e-4 },
        { "100\xc2\xb5s", 1e-4 },
        { "", -1 },
        { "1", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { ".s", -1 },
        { "1 s", -1 },
        { "1d", -1 },
        { "1s2", -1 },
        { "1..5s", -1 },
        { "1000h", -1 },
        { "99999999999999999999s", -1 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(durations); i++) {
        double seconds;
        bool ok = toolkit_duration(durations[i].text, &seconds);
        if (ok != (durations[i].seconds >= 0))
            printf("\"%s\"\n", durations[i].text);
        CHECK(ok == (durations[i].seconds >= 0));
        if (ok)
            CHECK_NUMBER(round(seconds * 1e9), durations[i].seconds * 1e9);
    }
}
