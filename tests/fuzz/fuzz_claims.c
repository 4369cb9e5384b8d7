/* Any bytes as the header of a 401 that demands claims, and as the claims themselves: what is sent
 * on is JSON to the letter, says that we understand such demands, and says the same when it is made
 * of itself. */
#include "collectors/azure/claims.h"
#include "core/json_check.h"
#include "fuzz.h"

static void merge(const char *demanded, struct buf *out)
{
    size_t at;
    claims_merge(demanded, out);
    FUZZ_CHECK(json_check(buf_cstr(out), out->length, &at));
    FUZZ_CHECK(strstr(buf_cstr(out), "\"xms_cc\":{\"values\":[\"cp1\"]}"));
}

static void check(const char *demanded)
{
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    merge(demanded, &first);
    merge(buf_cstr(&first), &second);
    FUZZ_CHECK(!strcmp(buf_cstr(&first), buf_cstr(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf claims = { 0 };
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    check(text);
    if (claims_read(text, &claims)) {
        FUZZ_CHECK(claims.length && strcasestr(text, "insufficient_claims"));
        check(buf_cstr(&claims));
    }
    return 0;
}
