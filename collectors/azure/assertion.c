#include "collectors/azure/assertion.h"

#include "core/hash.h"
#include "core/json.h"

enum { LIFE_S = 600 };

/* Base64 in the alphabet for URLs, without padding (RFC 7515 section 2). */
static void add_base64url(struct buf *out, const void *bytes, size_t count)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    hash_base64(bytes, count, &text);
    for (const char *at = buf_cstr(&text); *at && *at != '='; at++)
        buf_char(out, *at == '+' ? '-' : *at == '/' ? '_' : *at);
}

static void write_header(const struct assertion *assertion, const struct certificate *certificate,
                         struct buf *out)
{
    CLEANUP(buf_finish) struct buf der = { 0 };
    CLEANUP(buf_finish) struct buf print = { 0 };
    struct hash_sha256 digest;
    struct json_writer writer = { .out = out };
    certificate_der(certificate, &der);
    hash_sha256(der.data, der.length, &digest);
    add_base64url(&print, digest.bytes, sizeof digest.bytes);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "alg", assertion->padding == CERTIFICATE_PSS ? "PS256" : "RS256");
    json_add_text(&writer, "typ", "JWT");
    json_add_text(&writer, "x5t#S256", buf_cstr(&print));
    json_close(&writer, '}');
}

static void write_claims(const struct assertion *assertion, struct buf *out)
{
    char id[37];
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "aud", assertion->audience);
    json_add_text(&writer, "iss", assertion->client_id);
    json_add_text(&writer, "sub", assertion->client_id);
    json_add_text(&writer, "jti", hash_uuid(id));
    json_add_integer(&writer, "nbf", assertion->now);
    json_add_integer(&writer, "iat", assertion->now);
    json_add_integer(&writer, "exp", assertion->now + LIFE_S);
    json_close(&writer, '}');
}

bool assertion_write(const struct assertion *assertion, const struct certificate *certificate,
                     struct buf *out, struct error *error)
{
    CLEANUP(buf_finish) struct buf header = { 0 };
    CLEANUP(buf_finish) struct buf claims = { 0 };
    CLEANUP(buf_finish) struct buf signature = { 0 };
    size_t start = out->length;
    write_header(assertion, certificate, &header);
    write_claims(assertion, &claims);
    add_base64url(out, header.data, header.length);
    buf_char(out, '.');
    add_base64url(out, claims.data, claims.length);
    if (!certificate_sign(certificate, assertion->padding, out->data + start, out->length - start,
                          &signature, error))
        return false;
    buf_char(out, '.');
    add_base64url(out, signature.data, signature.length);
    return true;
}
