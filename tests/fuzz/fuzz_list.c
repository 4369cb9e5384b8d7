/* Pages of lists, each with its link to the next: no request leaves the origin that was configured,
 * no page is asked for twice, and a list is whole only when its last page came and named no next.
 */
#include "collectors/azure/arm_list.h"
#include "core/hash.h"
#include "fuzz.h"

enum { ASKED_MAX = 64 };
static uint64_t asked[ASKED_MAX];
static size_t asked_count, rows;

static void note(const struct http_request *request)
{
    char origin[300];
    uint64_t hash = hash_bytes(request->url, strlen(request->url));
    FUZZ_CHECK(http_origin(request->url, origin) && !strcmp(origin, WIRE_ORIGIN));
    for (const char *c = request->url; *c; c++)
        FUZZ_CHECK(*c > ' ' && *c < 0x7f && *c != '"' && *c != '#');
    if (asked_count && asked[(asked_count - 1) % ASKED_MAX] == hash)
        return; /* once more, with another token */
    for (size_t i = 0; i < asked_count && i < ASKED_MAX; i++)
        FUZZ_CHECK(asked[i] != hash);
    asked[asked_count++ % ASKED_MAX] = hash;
}

static bool count_row(void *context, const struct json *row, struct error *error)
{
    (void)context, (void)error;
    rows += row != NULL;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const struct arm_list lists[] = {
        { .api = ARM_LIST, .path = "/subscriptions?api-version=1" },
        { .api = ARM_LIST, .path = "/things?a=b", .post = true },
        { .api = ARM_DEFENDER, .path = "/api/machines" },
        { .api = ARM_HUNTING, .path = "/v1.0/security/run", .post = true, .body = "{}" },
    };
    CLEANUP(wire_session_finish) struct wire_session wire = { 0 };
    struct arm_progress progress;
    struct error error = { 0 };
    if (!count)
        return 0;
    asked_count = rows = 0;
    wire_session_init(&wire, AUTH_CLIENT_SECRET);
    wire_open(bytes + 1, count - 1, false, note);
    bool ok = arm_list(&wire.session, &lists[bytes[0] % ARRAY_COUNT(lists)], count_row, NULL,
                       &progress, &error);
    FUZZ_CHECK(ok || error.code != ERROR_NONE);
    FUZZ_CHECK(progress.rows == rows);
    FUZZ_CHECK(asked_count == progress.pages || (!ok && asked_count == progress.pages + 1));
    FUZZ_CHECK(ok || *error.message);
    return 0;
}
