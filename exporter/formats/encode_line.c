#include "exporter/formats/encode_line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

void encode_line_escaped(struct buf *out, const char *text, const char *special)
{
    const char *kept = text, *at = text;
    while (*at) {
        unsigned char byte = (unsigned char)*at;
        size_t bytes = byte < 0x80 ? 1 : utf8_length(at, 4);
        if (bytes && byte != '\n' && !strchr(special, byte)) {
            at += bytes;
            continue;
        }
        buf_append(out, kept, (size_t)(at - kept));
        if (!bytes) {
            buf_text(out, UTF8_REPLACEMENT);
        } else {
            buf_char(out, '\\');
            buf_char(out, byte == '\n' ? 'n' : *at);
        }
        kept = ++at;
    }
    buf_append(out, kept, (size_t)(at - kept));
}

static void write_labels(const struct sample *sample, const char *le, struct buf *out)
{
    char before = '{';
    for (size_t i = 0; sample->family->labels[i]; i++) {
        buf_char(out, before);
        buf_text(out, sample->family->labels[i]);
        buf_append(out, "=\"", 2);
        encode_line_escaped(out, sample->values[i], "\\\"");
        buf_char(out, '"');
        before = ',';
    }
    if (le) {
        buf_char(out, before);
        buf_text(out, "le=\"");
        buf_text(out, le);
        buf_char(out, '"');
        before = ',';
    }
    if (before == ',')
        buf_char(out, '}');
}

void encode_line(const struct encode_line *line, double value, struct buf *out)
{
    buf_append(out, line->sample->family->name, line->name_bytes);
    buf_text(out, line->suffix);
    write_labels(line->sample, line->le, out);
    buf_char(out, ' ');
    buf_number(out, value);
}

/* A bound as Prometheus makes a label of it when it reads numbers, so that a series is the same in
 * every format: "0.5", "1.0", "2.592e+06". source: prometheus/common, expfmt,
 * writeOpenMetricsFloat. */
static void format_bound(double bound, struct buf *out)
{
    double magnitude = fabs(bound);
    buf_reset(out);
    if (magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e6)) {
        buf_number(out, bound);
        if (!strchr(buf_cstr(out), '.'))
            buf_text(out, ".0");
        return;
    }
    char text[40];
    for (int digits = 0; digits <= 16; digits++) {
        snprintf(text, sizeof text, "%.*e", digits, bound);
        if (strtod(text, NULL) == bound)
            break;
    }
    char *comma = strchr(text, ','); /* of the locale */
    if (comma)
        *comma = '.';
    buf_text(out, text);
}

void encode_line_histogram(const struct sample *sample, encode_line_exemplar *exemplar,
                           struct buf *out)
{
    const struct family *family = sample->family;
    const struct metric_histogram *histogram = sample->histogram;
    const struct metric_exemplar *exemplars = sample->detail ? sample->detail->exemplars : NULL;
    struct encode_line line = { .sample = sample, .name_bytes = strlen(family->name) };
    CLEANUP(buf_finish) struct buf le = { 0 };
    uint64_t below = 0;
    line.suffix = "_bucket";
    for (size_t i = 0; i <= family->bucket_count; i++) {
        bool last = i == family->bucket_count;
        below += histogram->buckets[i];
        if (!last)
            format_bound(family->buckets[i], &le);
        line.le = last ? "+Inf" : buf_cstr(&le);
        encode_line(&line, (double)(last ? histogram->count : below), out);
        if (exemplar && exemplars && exemplars[i].text)
            exemplar(&exemplars[i], out);
        buf_char(out, '\n');
    }
    line.le = NULL;
    line.suffix = "_sum";
    encode_line(&line, histogram->sum, out);
    line.suffix = "_count";
    buf_char(out, '\n');
    encode_line(&line, (double)histogram->count, out);
    buf_char(out, '\n');
}
