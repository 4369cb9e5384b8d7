/* Any bytes as the answer of a receiver of OTLP: always one meaning and one line, never a crash.
 * The same bytes as headers of a configuration. */
#include <string.h>

#include "exporter/otlp/otlp_answer.h"
#include "fuzz.h"

static void read_answer(const uint8_t *bytes, size_t count)
{
    static const char *const heads[] = { "", "content-type: application/x-protobuf\n",
                                         "content-type: application/json\nRetry-After: 9\n",
                                         "content-type: text/html\nRetry-After: -1\n" };
    static const int statuses[] = { 0, 200, 204, 302, 400, 401, 404, 413, 429, 500, 503, 999 };
    struct http_response response = { .status = statuses[bytes[0] % ARRAY_COUNT(statuses)] };
    struct error error = { .code = ERROR_NETWORK, .message = "no connection" };
    struct otlp_answer answer;
    buf_text(&response.headers, heads[bytes[0] / ARRAY_COUNT(statuses) % ARRAY_COUNT(heads)]);
    buf_append(&response.body, bytes + 1, count - 1);
    otlp_answer_read(&response, &error, 1763726400, &answer);
    FUZZ_CHECK((answer.outcome == OTLP_TAKEN) == !*answer.reason);
    FUZZ_CHECK(answer.outcome == OTLP_TAKEN || !answer.rejected);
    FUZZ_CHECK(!strpbrk(answer.text, "\r\n") && answer.retry_after_s >= 0);
    http_response_finish(&response);
}

static void read_pairs(const uint8_t *bytes, size_t count)
{
    struct arena arena = { 0 };
    struct otlp_pair pairs[OTLP_PAIRS_MAX];
    struct error error;
    size_t found;
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    if (otlp_config_pairs(text, &arena, pairs, &found, &error))
        for (size_t i = 0; i < found; i++)
            FUZZ_CHECK(*pairs[i].name && strlen(pairs[i].value) <= count);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (!count)
        return 0;
    read_answer(bytes, count);
    read_pairs(bytes, count);
    return 0;
}
