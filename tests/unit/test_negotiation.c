#include "exporter/negotiation.h"

#include "test.h"

static const char *const accepts[] = {
    "", "text/plain;version=0.0.4", "application/openmetrics-text", "*/*;q=0.1", "text/plain;q=0",
};
static const char *const codings[] = { "", "gzip", "identity", "gzip;q=0", "br, *" };

/* Every pair of headers, more than are remembered, says the same each time. */
TEST(what_is_remembered_is_what_would_be_decided)
{
    CLEANUP(negotiation_finish) struct negotiation negotiation;
    negotiation_init(&negotiation, encodings, encoding_count);
    CHECK(ARRAY_COUNT(accepts) * ARRAY_COUNT(codings) > NEGOTIATION_MEMOS);
    for (size_t i = 0; i < 3 * ARRAY_COUNT(accepts) * ARRAY_COUNT(codings) * 2; i++) {
        const char *accept = accepts[i / 2 % ARRAY_COUNT(accepts)];
        const char *coding = codings[i / 2 / ARRAY_COUNT(accepts) % ARRAY_COUNT(codings)];
        const struct encoding_choice choice = encoding_choose(encodings, encoding_count, accept);
        const struct negotiated got = negotiation_decide(&negotiation, accept, coding);
        CHECK(got.choice.encoding == choice.encoding);
        CHECK_TEXT(got.choice.content_type, choice.content_type);
        CHECK_INT(got.gzip, encoding_gzip(coding));
    }
}

TEST(the_same_headers_are_remembered_once)
{
    CLEANUP(negotiation_finish) struct negotiation negotiation;
    negotiation_init(&negotiation, encodings, encoding_count);
    for (size_t i = 0; i < 20; i++)
        negotiation_decide(&negotiation, accepts[1], i % 2 ? "gzip" : "");
    CHECK_INT(negotiation.next, 2);
    CHECK_TEXT(negotiation.memos[0].accept, accepts[1]);
    CHECK_TEXT(negotiation.memos[1].accept_encoding, "gzip");
}

/* Nor can it be filled with what is never asked for again, nor with much. */
TEST(long_headers_are_not_remembered)
{
    CLEANUP(negotiation_finish) struct negotiation negotiation;
    CLEANUP(buf_finish) struct buf text = { 0 };
    negotiation_init(&negotiation, encodings, encoding_count);
    buf_text(&text, "application/openmetrics-text");
    for (int i = 0; i < 1000; i++)
        buf_text(&text, ",a/b");
    const struct negotiated got = negotiation_decide(&negotiation, buf_cstr(&text), "gzip");
    CHECK_TEXT(got.choice.encoding->media, "application/openmetrics-text");
    CHECK(!negotiation.memos[0].accept);
}
