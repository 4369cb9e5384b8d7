#include "exporter/encode_text.h"

#include <string.h>

#include "core/utf8.h"

static const char *const type_words[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_HISTOGRAM] = "histogram",
    [METRIC_INFO] = "gauge",
};

/* Append text with a backslash before each character in `special` and with \n for line breaks. */
static void append_escaped(struct buf *out, const char *text, const char *special)
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

static void write_head(const struct family *family, struct buf *out)
{
    buf_text(out, "# HELP ");
    buf_text(out, family->name);
    buf_char(out, ' ');
    append_escaped(out, family->help, "\\");
    buf_text(out, "\n# TYPE ");
    buf_text(out, family->name);
    buf_char(out, ' ');
    buf_text(out, type_words[family->type]);
    buf_char(out, '\n');
}

/* {a="b",le="1.0"}: le is NULL except for buckets. */
static void write_labels(const struct sample *sample, const char *le, struct buf *out)
{
    char before = '{';
    for (size_t i = 0; sample->family->labels[i]; i++) {
        buf_char(out, before);
        buf_text(out, sample->family->labels[i]);
        buf_append(out, "=\"", 2);
        append_escaped(out, sample->values[i], "\\\"");
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

static void write_line(const struct sample *sample, const char *suffix, const char *le,
                       double value, struct buf *out)
{
    buf_text(out, sample->family->name);
    buf_text(out, suffix);
    write_labels(sample, le, out);
    buf_char(out, ' ');
    buf_number(out, value);
    buf_char(out, '\n');
}

/* A bound as every format writes it: "1.0", "0.5", "+Inf". */
static void format_bound(double bound, struct buf *out)
{
    buf_reset(out);
    buf_number(out, bound);
    if (!strpbrk(buf_cstr(out), ".eIN"))
        buf_text(out, ".0");
}

static void write_histogram(const struct sample *sample, struct buf *out)
{
    const struct family *family = sample->family;
    CLEANUP(buf_finish) struct buf le = { 0 };
    uint64_t below = 0;
    for (size_t i = 0; i < family->bucket_count; i++) {
        below += sample->histogram->buckets[i];
        format_bound(family->buckets[i], &le);
        write_line(sample, "_bucket", buf_cstr(&le), (double)below, out);
    }
    double count = (double)sample->histogram->count;
    write_line(sample, "_bucket", "+Inf", count, out);
    write_line(sample, "_sum", NULL, sample->histogram->sum, out);
    write_line(sample, "_count", NULL, count, out);
}

void encode_text_family(const struct sample *samples, size_t count, struct buf *out)
{
    write_head(samples->family, out);
    for (size_t i = 0; i < count; i++)
        if (samples[i].histogram)
            write_histogram(&samples[i], out);
        else
            write_line(&samples[i], "", NULL, samples[i].value, out);
}
