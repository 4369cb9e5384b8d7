#include "exporter/pages/trend.h"

#include <math.h>

#include "test.h"

struct given {
    int64_t at;
    double value;
};

static const char *draw(const struct given *given, size_t count)
{
    static struct buf out;
    struct page page = { .out = &out, .prefix = "", .filter = "" };
    CLEANUP(trend_finish) struct trend trend = { .from = 1000, .to = 2000 };
    buf_reset(&out);
    for (size_t i = 0; i < count; i++)
        trend_add(&trend, given[i].at, given[i].value);
    trend_write(&page, &trend, "A <score>");
    return buf_cstr(&out);
}
#define DRAW(...)                                                                                  \
    draw((const struct given[]){ __VA_ARGS__ },                                                    \
         sizeof((const struct given[]){ __VA_ARGS__ }) / sizeof(struct given))

TEST(a_value_holds_until_the_next)
{
    CHECK_TEXT(DRAW({ 500, 1 }, { 1500, 3 }),
               "<svg class=\"trend\" viewBox=\"0 0 300 40\" preserveAspectRatio=\"none\" "
               "role=\"img\" aria-label=\"A &lt;score&gt;\">"
               "<path d=\"M0.0 38.0H150.0V2.0H300\"/></svg>");
}

TEST(what_is_not_told_is_a_gap)
{
    CHECK_CONTAINS(DRAW({ 1000, 1 }, { 1200, NAN }, { 1600, 2 }),
                   "d=\"M0.0 38.0H60.0M180.0 2.0H300\"");
    CHECK_CONTAINS(DRAW({ 1000, NAN }, { 1500, 2 }, { 1800, NAN }), "d=\"M150.0 20.0H240.0\"");
}

TEST(nothing_is_drawn_of_nothing)
{
    CHECK_TEXT(draw(NULL, 0), "");
    CHECK_TEXT(DRAW({ 1000, NAN }), "");
    CHECK_TEXT(DRAW({ 2000, 1 }), ""); /* it holds since now */
}
