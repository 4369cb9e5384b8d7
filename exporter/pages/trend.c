#include "exporter/pages/trend.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

enum { WIDTH = 300, HEIGHT = 40, MARGIN = 2 };

void trend_add(struct trend *trend, int64_t at, double value)
{
    MEMORY_GROW(trend->points, trend->count, trend->capacity);
    trend->points[trend->count++] =
        (struct trend_point){ at < trend->from ? trend->from : at, value };
}

void trend_finish(struct trend *trend)
{
    free(trend->points);
}

/* The least and the most; false when nothing is told. */
static bool bounds(const struct trend *trend, double *least, double *most)
{
    *least = INFINITY;
    *most = -INFINITY;
    for (size_t i = 0; i < trend->count; i++) {
        *least = fmin(*least, trend->points[i].value); /* of a number and NAN: the number */
        *most = fmax(*most, trend->points[i].value);
    }
    return *least <= *most;
}

static double x_of(const struct trend *trend, int64_t at)
{
    return (double)(at - trend->from) * WIDTH / (double)(trend->to - trend->from);
}

static double y_of(double value, double least, double most)
{
    if (isnan(value))
        return NAN;
    double part = most > least ? (value - least) / (most - least) : 0.5;
    return HEIGHT - MARGIN - part * (HEIGHT - 2 * MARGIN);
}

void trend_write(struct page *page, const struct trend *trend, const char *label)
{
    double least, most;
    bool drawn = false;
    if (!bounds(trend, &least, &most) || trend->to <= trend->points[0].at)
        return;
    buf_printf(page->out,
               "<svg class=\"trend\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
               "role=\"img\" aria-label=\"",
               WIDTH, HEIGHT);
    page_text(page, label);
    page_html(page, "\"><path d=\"");
    for (size_t i = 0; i < trend->count; i++) {
        const struct trend_point *point = &trend->points[i];
        double x = x_of(trend, point->at);
        if (drawn)
            buf_printf(page->out, "H%.1f", x);
        double y = y_of(point->value, least, most);
        if (drawn && !isnan(y))
            buf_printf(page->out, "V%.1f", y);
        else if (!isnan(y))
            buf_printf(page->out, "M%.1f %.1f", x, y);
        drawn = !isnan(y);
    }
    if (drawn)
        buf_printf(page->out, "H%d", WIDTH);
    page_html(page, "\"/></svg>");
}
