#include "exporter/rendition.h"

#include "exposition_world.h"

static const struct encoding_options options;

static struct rendition *format(struct rendition_set *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->formats[i].encoding->name, name))
            return &all->formats[i];
    CHECK(false);
    return NULL;
}

static void renew(struct rendition_set *all, double value, int64_t now_ms)
{
    CLEANUP(metric_set_finish) struct metric_set set = { 0 };
    metric_add(&set, &exposition_plain, value, METRIC_LABELS());
    rendition_set_renew(all, &options, &set, now_ms);
}

TEST(what_was_asked_for_lately_is_made_ahead)
{
    CLEANUP(rendition_set_finish) struct rendition_set all;
    rendition_set_init(&all, encodings, encoding_count);
    struct rendition *text = format(&all, "text 0.0.4");
    struct rendition *open = format(&all, "openmetrics 1.0.0");
    rendition_ask(text, RENDITION_IDENTITY, 1000);
    rendition_ask(open, RENDITION_GZIP, 2000);
    renew(&all, 1, 3000);
    CHECK(text->is_rendered && !text->is_packed);
    CHECK_CONTAINS(buf_cstr(&text->bytes), "\ndefender_plain_bytes 1\n");
    CHECK(open->is_rendered && open->is_packed);
    CHECK(open->packed.deflated.length > 0);
    for (size_t i = 0; i < all.count; i++)
        CHECK(&all.formats[i] == text || &all.formats[i] == open || !all.formats[i].is_rendered);
    renew(&all, 2, 1000 + RENDITION_AHEAD_MS - 1);
    CHECK_CONTAINS(buf_cstr(&text->bytes), "\ndefender_plain_bytes 2\n");
    /* Then nobody expects the text, and a second later nothing at all. */
    renew(&all, 3, 1000 + RENDITION_AHEAD_MS);
    CHECK(!text->is_rendered && !text->bytes.data);
    CHECK_CONTAINS(buf_cstr(&open->bytes), "\ndefender_plain_bytes 3\n");
    CHECK(open->is_packed);
    renew(&all, 4, 2000 + RENDITION_AHEAD_MS);
    CHECK(!open->is_rendered && !open->is_packed && !open->bytes.data);
}

/* Each pair of format and coding by itself. */
TEST(one_coding_does_not_expect_the_other)
{
    CLEANUP(rendition_set_finish) struct rendition_set all;
    rendition_set_init(&all, encodings, encoding_count);
    struct rendition *text = format(&all, "text 0.0.4");
    rendition_ask(text, RENDITION_GZIP, 1000);
    rendition_ask(text, RENDITION_IDENTITY, 500000);
    renew(&all, 1, 500000);
    CHECK(text->is_rendered && text->is_packed);
    renew(&all, 2, 1000 + RENDITION_AHEAD_MS);
    CHECK(text->is_rendered && !text->is_packed);
    CHECK(!rendition_expected(text, RENDITION_GZIP, 1000 + RENDITION_AHEAD_MS));
    CHECK(rendition_expected(text, RENDITION_IDENTITY, 1000 + RENDITION_AHEAD_MS));
    /* A part of an exposition makes nobody expect a whole one. */
    rendition_count(text, RENDITION_GZIP);
    CHECK(!rendition_expected(text, RENDITION_GZIP, 1000 + RENDITION_AHEAD_MS));
}

TEST(what_is_there_is_not_made_again)
{
    CLEANUP(rendition_set_finish) struct rendition_set all;
    CLEANUP(metric_set_finish) struct metric_set set = { 0 }, other = { 0 };
    rendition_set_init(&all, encodings, encoding_count);
    struct rendition *text = format(&all, "text 0.0.4");
    metric_add(&set, &exposition_plain, 1, METRIC_LABELS());
    metric_add(&other, &exposition_plain, 2, METRIC_LABELS());
    rendition_render(text, &options, &set);
    rendition_pack(text);
    const char *packed = text->packed.deflated.data;
    rendition_render(text, &options, &other);
    rendition_pack(text);
    CHECK_CONTAINS(buf_cstr(&text->bytes), "\ndefender_plain_bytes 1\n");
    CHECK(text->packed.deflated.data == packed);
}

static double value_of(const struct metric_set *set, const char *name, const char *format_name,
                       const char *coding)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (!strcmp(sample->family->name, name) && !strcmp(sample->values[0], format_name) &&
            (!coding || !strcmp(sample->values[1], coding)))
            return sample->value;
    }
    return -1;
}

TEST(formats_have_metrics)
{
    static const char *const requests = "defender_exporter_exposition_requests_total";
    static const char *const bytes = "defender_exporter_exposition_bytes";
    static const char *const seconds = "defender_exporter_exposition_render_seconds";
    CLEANUP(rendition_set_finish) struct rendition_set all;
    CLEANUP(metric_set_finish) struct metric_set before = { 0 }, after = { 0 };
    rendition_set_init(&all, encodings, encoding_count);
    rendition_set_emit(&all, 1763720000, &before);
    CHECK_INT(before.count, 2 * encoding_count); /* counters alone, each of them */
    CHECK_NUMBER(value_of(&before, requests, "text 0.0.4", "gzip"), 0);
    CHECK_NUMBER(before.samples[0].detail->created_at, 1763720000);

    struct rendition *text = format(&all, "text 0.0.4");
    rendition_ask(text, RENDITION_GZIP, 1000);
    rendition_count(text, RENDITION_GZIP);
    renew(&all, 1, 1000);
    rendition_set_emit(&all, 1763720000, &after);
    CHECK_NUMBER(value_of(&after, requests, "text 0.0.4", "gzip"), 2);
    CHECK_NUMBER(value_of(&after, requests, "text 0.0.4", "identity"), 0);
    CHECK_NUMBER(value_of(&after, bytes, "text 0.0.4", "identity"), (double)text->bytes.length);
    CHECK_NUMBER(value_of(&after, bytes, "text 0.0.4", "gzip"),
                 (double)text->packed.deflated.length);
    CHECK(value_of(&after, seconds, "text 0.0.4", NULL) >= 0);
    CHECK_NUMBER(value_of(&after, bytes, "text 1.0.0", "identity"), -1);
    CHECK_NUMBER(value_of(&after, seconds, "text 1.0.0", NULL), -1);
}
