/* Pages of Resource Graph: what is asked is JSON, and an answer is whole only when as many rows
 * came as Azure says there are. */
#include "collectors/azure/graph.h"
#include "core/json_check.h"
#include "fuzz.h"

static size_t rows;

static void check_request(const struct http_request *request)
{
    size_t at;
    FUZZ_CHECK(json_check(request->body, request->body_bytes, &at));
    FUZZ_CHECK(strstr(request->body, "\"resultFormat\":\"objectArray\""));
}

static bool count_row(void *context, const struct json *row, struct error *error)
{
    (void)context, (void)error;
    rows += row != NULL;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(wire_session_finish) struct wire_session wire = { 0 };
    struct graph_progress progress;
    struct error error = { 0 };
    size_t page_rows = 0;
    if (!count)
        return 0;
    const struct graph_query query = {
        .kql = "x | order by id asc\n//{{partitions}} | where hash(id, {{partitions}}) == "
               "{{partition}}\n",
        .partitions = bytes[0] % 3,
        .walk_rows = bytes[0] & 0x40 ? 3 : 0,
        .page_rows = &page_rows,
    };
    rows = 0;
    wire_session_init(&wire, AUTH_CLIENT_SECRET);
    wire_open(bytes + 1, count - 1, false, check_request);
    bool ok = graph_query(&wire.session, &query, count_row, NULL, &progress, &error);
    FUZZ_CHECK(ok || error.code != ERROR_NONE);
    FUZZ_CHECK(progress.rows == rows && progress.total >= 0);
    FUZZ_CHECK(!ok || (int64_t)rows == progress.total);
    FUZZ_CHECK(page_rows <= 1000);
    return 0;
}
