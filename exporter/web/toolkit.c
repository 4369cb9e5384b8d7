#include "exporter/web/toolkit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "exporter/web/password.h"
#include "exporter/web/tls_priority.h"

enum { PEM_LIMIT_BYTES = 4 * 1024 * 1024 };

/* --- the table ------------------------------------------------------------------------------ */

static const char *const client_auth_words[] = {
    [TOOLKIT_CLIENT_NONE] = "NoClientCert",
    [TOOLKIT_CLIENT_REQUEST] = "RequestClientCert",
    [TOOLKIT_CLIENT_REQUIRE_ANY] = "RequireAnyClientCert",
    [TOOLKIT_CLIENT_VERIFY_IF_GIVEN] = "VerifyClientCertIfGiven",
    [TOOLKIT_CLIENT_REQUIRE_AND_VERIFY] = "RequireAndVerifyClientCert",
    [TOOLKIT_CLIENT_REQUIRE] = "RequireClientCert",
    NULL,
};
static const char *const version_words[] = {
    [TOOLKIT_TLS10] = "TLS10",
    [TOOLKIT_TLS11] = "TLS11",
    [TOOLKIT_TLS12] = "TLS12",
    [TOOLKIT_TLS13] = "TLS13",
    NULL,
};

static const char *check_interval(const void *value)
{
    double seconds;
    return toolkit_duration(*(const char *const *)value, &seconds)
               ? NULL
               : "is not a duration like 1s or 250ms";
}

/* clang-format off */
static const struct option tls_options[] = {
    { "cert", OPTION_TEXT(struct toolkit_tls, cert) },
    { "cert_file", OPTION_PATH(struct toolkit_tls, cert_file),
      OPTION_LINE(struct toolkit_tls, cert_line) },
    { "key", OPTION_SECRET(struct toolkit_tls, key) }, /* and key_file */
    { "client_ca", OPTION_TEXT(struct toolkit_tls, client_ca),
      OPTION_LINE(struct toolkit_tls, ca_line) },
    { "client_ca_file", OPTION_PATH(struct toolkit_tls, client_ca_file),
      OPTION_LINE(struct toolkit_tls, ca_line) },
    { "client_auth_type", OPTION_WORD(struct toolkit_tls, client_auth),
      .words = client_auth_words, OPTION_LINE(struct toolkit_tls, auth_line) },
    { "client_allowed_sans", OPTION_TEXT_LIST(struct toolkit_tls, client_allowed_sans),
      OPTION_LINE(struct toolkit_tls, sans_line) },
    { "min_version", OPTION_WORD(struct toolkit_tls, min_version), .words = version_words,
      .otherwise = "TLS12", OPTION_LINE(struct toolkit_tls, min_line) },
    { "max_version", OPTION_WORD(struct toolkit_tls, max_version), .words = version_words,
      .otherwise = "TLS13", OPTION_LINE(struct toolkit_tls, max_line) },
    { "cipher_suites", OPTION_TEXT_LIST(struct toolkit_tls, cipher_suites),
      .words = tls_priority_suites },
    { "prefer_server_cipher_suites", OPTION_BOOL(struct toolkit_tls, prefer_server_cipher_suites),
      .otherwise = "true" },
    { "curve_preferences", OPTION_TEXT_LIST(struct toolkit_tls, curve_preferences),
      .words = tls_priority_curves },
    { 0 }
};
static const struct option http_options[] = {
    { "http2", OPTION_BOOL(struct toolkit, http2), .otherwise = "true",
      OPTION_LINE(struct toolkit, http2_line) },
    { "headers", OPTION_TEXT_MAP(struct toolkit, headers) },
    { 0 }
};
static const struct option rate_options[] = {
    { "interval", OPTION_TEXT(struct toolkit, interval), .otherwise = "0",
      .check = check_interval },
    { "burst", OPTION_INTEGER(struct toolkit, burst), .min = 0, .max = 1000000000 },
    { 0 }
};
static const struct option toolkit_options[] = {
    { "tls_server_config", OPTION_SECTION(struct toolkit, tls), .section = tls_options,
      OPTION_LINE(struct toolkit, tls.line) },
    { "http_server_config", OPTION_GROUP, .section = http_options },
    { "rate_limit", OPTION_GROUP, .section = rate_options },
    { "basic_auth_users", OPTION_TEXT_MAP(struct toolkit, users) },
    { 0 }
};

/* The headers that may be set, and their values where these are a closed set. */
static const struct {
    const char *name, *values[3];
} header_table[] = {
    { "Content-Security-Policy", { NULL } },
    { "Strict-Transport-Security", { NULL } },
    { "X-Content-Type-Options", { "nosniff" } },
    { "X-Frame-Options", { "deny", "sameorigin" } },
    { "X-XSS-Protection", { NULL } },
};
/* clang-format on */

/* --- durations ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    double seconds;
} units[] = { { "ns", 1e-9 }, { "us", 1e-6 }, { "\xc2\xb5s", 1e-6 }, { "\xce\xbcs", 1e-6 },
              { "ms", 1e-3 }, { "s", 1 },     { "m", 60 },           { "h", 3600 } };

/* The unit that ends before the next number; its length, or 0. */
static size_t read_unit(const char *text, double *seconds)
{
    size_t length = strcspn(text, "0123456789.");
    for (size_t i = 0; i < ARRAY_COUNT(units); i++)
        if (strlen(units[i].name) == length && !strncmp(units[i].name, text, length)) {
            *seconds = units[i].seconds;
            return length;
        }
    return 0;
}

bool toolkit_duration(const char *text, double *seconds)
{
    *seconds = 0;
    if (!strcmp(text, "0"))
        return true;
    const char *at = text;
    while (*at) {
        size_t digits = strspn(at, "0123456789"), length = strspn(at, "0123456789.");
        char *end;
        double number = strtod(at, &end), unit;
        size_t used = length && end == at + length ? read_unit(end, &unit) : 0;
        if (!used || length > 18 || (!digits && length == 1))
            return false;
        *seconds += number * unit;
        at = end + used;
    }
    return *text && *seconds <= 86400;
}

/* --- checks --------------------------------------------------------------------------------- */

/* One file being read. */
struct reading {
    struct toolkit *toolkit;
    const char *path;
    struct option_report *report;
};

#define COMPLAIN(reading, line, key, ...)                                                          \
    options_complain((reading)->report, (reading)->path, line, key, __VA_ARGS__)

static bool is_given(const char *text)
{
    return text && *text;
}

/* The text of a file named by the key; in the arena. */
static const char *read_pem(struct reading *reading, const char *file, int line, const char *key)
{
    FILE *stream = fopen(file, "re");
    if (!stream) {
        COMPLAIN(reading, line, key, "%s: %s", file, strerror(errno));
        return NULL;
    }
    CLEANUP(buf_finish) struct buf text = { 0 };
    char piece[4096];
    size_t count = 1;
    errno = 0;
    while (count && text.length <= PEM_LIMIT_BYTES) {
        count = fread(piece, 1, sizeof piece, stream);
        buf_append(&text, piece, count);
    }
    int reason = ferror(stream) ? errno : text.length > PEM_LIMIT_BYTES ? EFBIG : 0;
    fclose(stream);
    if (reason) {
        COMPLAIN(reading, line, key, "%s: %s", file, strerror(reason));
        return NULL;
    }
    return arena_text(&reading->toolkit->arena, buf_cstr(&text));
}

/* Either the text itself or the file that holds it. */
static void check_pem(struct reading *reading, const char **inline_text, const char **file,
                      int line, const char *key)
{
    char path[64];
    snprintf(path, sizeof path, "tls_server_config.%s", key);
    *inline_text = is_given(*inline_text) ? *inline_text : NULL;
    *file = is_given(*file) ? *file : NULL;
    if (*inline_text && *file)
        COMPLAIN(reading, line, path, "both %s and %s_file are given", key, key);
    else if (*file) {
        strcat(path, "_file");
        *inline_text = read_pem(reading, *file, line, path);
    }
}

static void check_version(struct reading *reading, enum toolkit_version version, int line,
                          const char *key)
{
    if (version < TOOLKIT_TLS12)
        COMPLAIN(reading, line, key, "%s is not spoken any more: TLS12 or TLS13",
                 version_words[version]);
}

/* What is there turns TLS on, as in the toolkit: versions, ciphers and curves alone do not. */
static bool turns_tls_on(const struct toolkit_tls *tls)
{
    return is_given(tls->cert) || is_given(tls->cert_file) || is_given(secret_text(&tls->key)) ||
           is_given(tls->client_ca) || is_given(tls->client_ca_file) || tls->auth_line;
}

static void check_clients(struct reading *reading, struct toolkit_tls *tls)
{
    check_pem(reading, &tls->client_ca, &tls->client_ca_file, tls->ca_line, "client_ca");
    bool asks = tls->client_auth != TOOLKIT_CLIENT_NONE;
    if ((tls->client_ca || tls->client_ca_file) && !asks)
        COMPLAIN(reading, tls->ca_line, "tls_server_config",
                 "client CAs are given without a client_auth_type that asks for certificates");
    if (tls->client_allowed_sans.count && !asks)
        COMPLAIN(reading, tls->sans_line, "tls_server_config.client_allowed_sans",
                 "has no effect without a client_auth_type that asks for certificates");
}

static void check_tls(struct reading *reading)
{
    struct toolkit_tls *tls = &reading->toolkit->tls;
    if (tls->client_auth == TOOLKIT_CLIENT_REQUIRE)
        tls->client_auth = TOOLKIT_CLIENT_REQUIRE_ANY;
    check_version(reading, tls->min_version, tls->min_line, "tls_server_config.min_version");
    check_version(reading, tls->max_version, tls->max_line, "tls_server_config.max_version");
    if (tls->min_version > tls->max_version)
        COMPLAIN(reading, tls->min_line ? tls->min_line : tls->max_line, "tls_server_config",
                 "min_version is above max_version");
    tls->enabled = turns_tls_on(tls);
    if (!tls->enabled)
        return;
    if (!is_given(tls->cert) && !is_given(tls->cert_file))
        COMPLAIN(reading, tls->line, "tls_server_config", "one of cert and cert_file is missing");
    if (!is_given(secret_text(&tls->key)))
        COMPLAIN(reading, tls->line, "tls_server_config", "one of key and key_file is missing");
    check_pem(reading, &tls->cert, &tls->cert_file, tls->cert_line, "cert");
    check_clients(reading, tls);
}

static void check_header(struct reading *reading, const struct option_pair *header)
{
    const char *const *values = NULL;
    char path[128];
    snprintf(path, sizeof path, "http_server_config.headers.%.64s", header->name);
    for (size_t i = 0; i < ARRAY_COUNT(header_table) && !values; i++)
        if (!strcmp(header->name, header_table[i].name))
            values = header_table[i].values;
    for (const unsigned char *at = (const unsigned char *)header->value; *at; at++)
        if (*at < ' ' || *at == 0x7f) {
            COMPLAIN(reading, header->line, path, "holds a control character");
            return;
        }
    if (!values)
        COMPLAIN(reading, header->line, path, "this header cannot be set");
    else if (*values && *header->value && strcmp(header->value, values[0]) != 0 &&
             (!values[1] || strcmp(header->value, values[1]) != 0))
        COMPLAIN(reading, header->line, path, "must be %s%s%s", values[0], values[1] ? " or " : "",
                 values[1] ? values[1] : "");
}

static void check_user(struct reading *reading, const struct option_pair *user)
{
    char path[128];
    snprintf(path, sizeof path, "basic_auth_users.%.64s", user->name);
    const char *wrong = password_wrong(user->value);
    if (wrong)
        COMPLAIN(reading, user->line, path, "%s", wrong);
    if (strchr(user->name, ':'))
        COMPLAIN(reading, user->line, path, "a name with a colon cannot sign in");
}

static void check(struct reading *reading)
{
    struct toolkit *toolkit = reading->toolkit;
    bool ok = toolkit_duration(toolkit->interval, &toolkit->interval_s);
    toolkit->interval_s = ok ? toolkit->interval_s : 0;
    check_tls(reading);
    for (size_t i = 0; i < toolkit->headers.count; i++)
        check_header(reading, &toolkit->headers.pairs[i]);
    for (size_t i = 0; i < toolkit->users.count; i++)
        check_user(reading, &toolkit->users.pairs[i]);
}

/* --- life ----------------------------------------------------------------------------------- */

struct toolkit *toolkit_read(const char *path, struct option_report *report)
{
    struct toolkit *toolkit = MEMORY_NEW(struct toolkit);
    struct reading reading = { .toolkit = toolkit, .path = path, .report = report };
    options_default(toolkit_options, toolkit, &toolkit->arena);
    toolkit->file = arena_text(&toolkit->arena, path);
    if (options_read_file(toolkit_options, path, toolkit, &toolkit->arena, report))
        check(&reading);
    if (!report->count)
        return toolkit;
    toolkit_destroy(toolkit);
    return NULL;
}

void toolkit_destroy(struct toolkit *toolkit)
{
    if (!toolkit)
        return;
    for (size_t i = 0; i < toolkit->users.count; i++) {
        char *hash = (char *)(uintptr_t)toolkit->users.pairs[i].value; /* in the arena, so ours */
        explicit_bzero(hash, strlen(hash));
    }
    options_finish(toolkit_options, toolkit);
    arena_finish(&toolkit->arena);
    free(toolkit);
}
