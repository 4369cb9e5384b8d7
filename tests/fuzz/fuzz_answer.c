/* Answers of receivers: "kind status" in the first line, headers, an empty line, the body. Always
 * one verdict, the same each time, with a line of words; what a thread keeps of it ends. */
#include "alerts/receivers/receivers.h"
#include "fuzz.h"

static void check(const struct receiver_verdict *verdict, const struct http_response *response)
{
    FUZZ_CHECK(verdict->outcome <= RECEIVER_DISABLED && verdict->reason < RECEIVER_REASON_COUNT);
    FUZZ_CHECK(verdict->text && !strpbrk(verdict->text, "\r\n"));
    FUZZ_CHECK(verdict->outcome != RECEIVER_SENT || response->status / 100 == 2);
    FUZZ_CHECK(verdict->outcome != RECEIVER_DISABLED || response->status == 410);
}

static void classify(const struct receiver_kind *kind, const struct http_response *response,
                     const struct error *error)
{
    struct receiver_verdict (*judge)(const struct http_response *, const struct error *) =
        kind->classify ? kind->classify : receiver_classify;
    const struct receiver_verdict verdict = judge(response, error), again = judge(response, error);
    check(&verdict, response);
    FUZZ_CHECK(verdict.outcome == again.outcome && verdict.reason == again.reason &&
               verdict.text == again.text);
}

static void read_steps(const struct receiver_kind *kind, const struct http_response *response,
                       const struct error *error)
{
    for (int step = RECEIVER_POST; kind->read && step <= RECEIVER_REPLY; step++) {
        struct receiver_thread thread = { .channel = "C1", .trying = "id-1", .trying_at = 9 };
        if (step > RECEIVER_SEEK)
            strcpy(thread.ts, "1.2");
        const struct receiver_verdict verdict =
            kind->read((enum receiver_step)step, response, error, &thread);
        check(&verdict, response);
        FUZZ_CHECK(memchr(thread.channel, 0, sizeof thread.channel));
        FUZZ_CHECK(memchr(thread.ts, 0, sizeof thread.ts));
        FUZZ_CHECK(!*thread.trying || !strcmp(thread.trying, "id-1"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    char *line = fuzz_line(&bytes, &count, &arena), *blank = strchr(line, ' ');
    if (!blank)
        return 0;
    *blank = 0;
    int status = atoi(blank + 1);
    const struct error none = { 0 };
    const struct error lost = { .code = ERROR_NETWORK, .message = "no connection" };
    fuzz_response(status > 0 && status < 1000 ? status : 0, bytes, count, &response);
    int64_t retry_s = http_retry_after_s(&response, 1763726400);
    FUZZ_CHECK(retry_s >= 0);
    for (size_t i = 0; i < RECEIVERS_COUNT; i++) {
        if (strcmp(receivers_kinds[i]->name, line) != 0)
            continue;
        classify(receivers_kinds[i], &response, response.status ? &none : &lost);
        read_steps(receivers_kinds[i], &response, response.status ? &none : &lost);
    }
    return 0;
}
