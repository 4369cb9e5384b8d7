/* Answers of a token endpoint, of each kind, and what az prints: what becomes a header is one line
 * of visible characters, a life is within its bounds, and what fails says why. */
#include "collectors/azure/az.h"
#include "collectors/azure/token.h"
#include "fuzz.h"

static void check_visible(const char *text)
{
    for (; *text; text++)
        FUZZ_CHECK(*text >= ' ' && *text < 0x7f);
}

static void read_alone(const uint8_t *bytes, size_t count)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    CLEANUP(secret_finish) struct secret token = { 0 };
    struct error error = { 0 };
    int64_t life_s = -1;
    buf_append(&body, bytes, count);
    if (!token_read(&body, 1763726400, &token, &life_s, &error)) {
        FUZZ_CHECK(error.code == ERROR_PARSE && life_s == -1 && !secret_text(&token));
        return;
    }
    FUZZ_CHECK(life_s > 0 && life_s <= 172800);
    FUZZ_CHECK(*secret_text(&token) && !strchr(secret_text(&token), ' '));
    check_visible(secret_text(&token));
}

static void read_az(const uint8_t *bytes, size_t count)
{
    struct credential_token token = { 0 };
    struct error error = { 0 };
    if (az_read((const char *)bytes, count, 1763726400, &token, &error)) {
        FUZZ_CHECK(token.life_s > 0 && token.life_s <= 172800);
        check_visible(secret_text(&token.text));
    } else {
        FUZZ_CHECK(error.code == ERROR_PARSE && !secret_text(&token.text));
    }
    secret_finish(&token.text);
}

static void fetch(const uint8_t *bytes, size_t count, enum auth_method method)
{
    CLEANUP(wire_session_finish) struct wire_session wire = { 0 };
    CLEANUP(buf_finish) struct buf header = { 0 };
    struct error error = { 0 };
    wire_session_init(&wire, method);
    wire_open(bytes, count, true, NULL);
    bool ok = auth_header(wire.auth, NULL, INT64_MAX / 2, &header, &error);
    FUZZ_CHECK(ok || error.code != ERROR_NONE);
    if (ok)
        FUZZ_CHECK(!strncmp(buf_cstr(&header), "Bearer ", 7) && header.length > 7);
    else
        FUZZ_CHECK(*error.message && !header.length && !strpbrk(error.message, "\r\n"));
    FUZZ_CHECK(error.retry_after_s >= 0 && error.retry_after_s <= 900);
    check_visible(buf_cstr(&header));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!count)
        return 0;
    read_alone(bytes + 1, count - 1);
    read_az(bytes + 1, count - 1);
    fetch(bytes + 1, count - 1, bytes[0] % 2 ? AUTH_MANAGED_IDENTITY : AUTH_CLIENT_SECRET);
    return 0;
}
