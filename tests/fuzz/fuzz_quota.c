/* Headers about quotas, answer by answer: whatever they say, the pacer makes nobody wait longer
 * than a quarter of an hour and its margin, and what is told of the quota is within its bounds. */
#include "core/clock.h"
#include "fuzz.h"

enum { LONGEST_MS = (900 + 60) * 1000 };

static int64_t number(const uint8_t *at)
{
    return (int16_t)(at[0] | at[1] << 8);
}

/* The pacer by itself, on a clock of its own, as its callers use it. */
static void pace(const uint8_t *bytes, size_t count, enum pacer_kind kind)
{
    struct pacer *pacer = pacer_create(kind);
    struct pacer_budget budget = { .share = 0.5 };
    int64_t now_ms = 1000;
    for (; count >= 8; bytes += 8, count -= 8) {
        int64_t sent_ms = now_ms;
        int64_t wait_ms =
            pacer_ask_within(pacer, bytes[0] % 3, bytes[0] & 8 ? &budget : NULL, now_ms);
        FUZZ_CHECK(wait_ms >= 0 && wait_ms <= LONGEST_MS);
        now_ms += wait_ms ? wait_ms : bytes[1] * 10;
        if (wait_ms)
            continue;
        const struct pacer_answer answer = {
            .status = bytes[0] & 16   ? 429
                      : bytes[0] & 32 ? 0
                                      : 200,
            .sent_ms = sent_ms,
            .remaining = number(bytes + 2) < 0 ? -1 : number(bytes + 2),
            .resets_after_s = number(bytes + 4) < 0 ? -1 : number(bytes + 4) % 901,
            .retry_after_s = number(bytes + 6) < 0 ? -1 : number(bytes + 6) % 901,
        };
        pacer_answer(pacer, now_ms, &answer);
    }
    pacer_destroy(pacer);
}

static void call(const uint8_t *bytes, size_t count, enum arm_api api)
{
    CLEANUP(wire_session_finish) struct wire_session wire = { 0 };
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    wire_session_init(&wire, AUTH_CLIENT_SECRET);
    wire_open(bytes, count, false, NULL);
    for (int i = 0; i < 8; i++) {
        const struct arm_call call = { .api = api, .method = "GET", .url = "/a" };
        struct error error = { 0 };
        if (arm_call(&wire.session, &call, &response, &error))
            FUZZ_CHECK(response.status == 200);
        else
            FUZZ_CHECK(error.code != ERROR_NONE && *error.message &&
                       !strpbrk(error.message, "\r\n") && error.retry_after_s >= 0 &&
                       error.retry_after_s <= 900);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char text[24] = "";
    if (!count)
        return 0;
    memcpy(text, bytes + 1, count - 1 < sizeof text ? count - 1 : sizeof text - 1);
    int64_t seconds = pacer_parse_resets_after(text);
    FUZZ_CHECK(seconds >= -1 && seconds <= 900);
    if (bytes[0] & 1)
        call(bytes + 1, count - 1, bytes[0] / 2 % ARM_API_COUNT);
    else
        pace(bytes + 1, count - 1, bytes[0] & 2 ? PACER_WINDOW : PACER_BUCKET);
    return 0;
}
