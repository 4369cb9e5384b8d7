#include "exporter/formats/encode_text.h"

#include <string.h>

#include "exporter/formats/encode_line.h"

static const char *const type_words[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_HISTOGRAM] = "histogram",
    [METRIC_INFO] = "gauge",
};

static void write_head(const struct family *family, struct buf *out)
{
    buf_text(out, "# HELP ");
    buf_text(out, family->name);
    buf_char(out, ' ');
    encode_line_escaped(out, family->help, "\\");
    buf_text(out, "\n# TYPE ");
    buf_text(out, family->name);
    buf_char(out, ' ');
    buf_text(out, type_words[family->type]);
    buf_char(out, '\n');
}

void encode_text_family(const struct sample *samples, size_t count,
                        const struct encoding_options *options, struct buf *out)
{
    struct encode_line line = { .name_bytes = strlen(samples->family->name), .suffix = "" };
    (void)options;
    write_head(samples->family, out);
    for (size_t i = 0; i < count; i++) {
        if (samples[i].histogram) {
            encode_line_histogram(&samples[i], NULL, out);
            continue;
        }
        line.sample = &samples[i];
        encode_line(&line, samples[i].value, out);
        buf_char(out, '\n');
    }
}
