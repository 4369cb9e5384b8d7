#include "exporter/formats/encode_openmetrics.h"

#include <string.h>

#include "core/utf8.h"
#include "exporter/formats/encode_line.h"
#include "exporter/formats/encoding.h"

/* Of a label and its value together. source: OpenMetrics 1.0.0, Exemplars. */
enum { EXEMPLAR_CHARACTERS_MAX = 128 };

/* What a type is called, and what its samples end in that is no part of the family's name. */
static const struct {
    const char *word, *ending;
} types[] = {
    [METRIC_GAUGE] = { "gauge", "" },
    [METRIC_COUNTER] = { "counter", "_total" },
    [METRIC_HISTOGRAM] = { "histogram", "" },
    [METRIC_INFO] = { "info", "_info" },
};

static bool ends_in(const char *text, size_t length, const char *ending)
{
    size_t bytes = strlen(ending);
    return length > bytes && !memcmp(text + length - bytes, ending, bytes);
}

/* Bytes of the name that are the family's. */
static size_t name_bytes(const struct family *family)
{
    size_t length = strlen(family->name);
    const char *ending = types[family->type].ending;
    return ends_in(family->name, length, ending) ? length - strlen(ending) : length;
}

static void write_head(const char *word, const struct family *family, struct buf *out)
{
    buf_text(out, word);
    buf_append(out, family->name, name_bytes(family));
    buf_char(out, ' ');
}

/* A unit is told only where the name ends in it, for anything else is refused. */
static void write_heads(const struct family *family, struct buf *out)
{
    size_t length = name_bytes(family), unit = family->unit ? strlen(family->unit) : 0;
    write_head("# TYPE ", family, out);
    buf_text(out, types[family->type].word);
    buf_char(out, '\n');
    if (unit && family->type != METRIC_INFO && ends_in(family->name, length, family->unit) &&
        family->name[length - unit - 1] == '_') {
        write_head("# UNIT ", family, out);
        buf_text(out, family->unit);
        buf_char(out, '\n');
    }
    write_head("# HELP ", family, out);
    encode_line_escaped(out, family->help, "\\\"");
    buf_char(out, '\n');
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text; count++) {
        size_t bytes = utf8_length(text, 4);
        text += bytes ? bytes : 1;
    }
    return count;
}

/* ` # {finding_id="0a"} 3.5 1763726400.5`; one that is too long is left out. */
static void write_exemplar(const struct metric_exemplar *exemplar, struct buf *out)
{
    size_t characters = count_characters(exemplar->label) + count_characters(exemplar->text);
    if (characters > EXEMPLAR_CHARACTERS_MAX)
        return;
    buf_text(out, " # {");
    buf_text(out, exemplar->label);
    buf_text(out, "=\"");
    encode_line_escaped(out, exemplar->text, "\\\"");
    buf_text(out, "\"} ");
    buf_number(out, exemplar->value);
    if (exemplar->at > 0) {
        buf_char(out, ' ');
        buf_number(out, exemplar->at);
    }
}

static void write_sample(const struct sample *sample, struct buf *out)
{
    const struct metric_exemplar *exemplars = sample->detail ? sample->detail->exemplars : NULL;
    const struct encode_line line = { .sample = sample,
                                      .name_bytes = name_bytes(sample->family),
                                      .suffix = types[sample->family->type].ending };
    encode_line(&line, sample->value, out);
    if (sample->family->type == METRIC_COUNTER && exemplars && exemplars->text)
        write_exemplar(exemplars, out);
    buf_char(out, '\n');
}

/* The line that says since when a counter or a histogram counts. */
static void write_created(const struct sample *sample, struct buf *out)
{
    const struct encode_line line = { .sample = sample,
                                      .name_bytes = name_bytes(sample->family),
                                      .suffix = "_created" };
    bool counts =
        sample->family->type == METRIC_COUNTER || sample->family->type == METRIC_HISTOGRAM;
    if (!counts || !sample->detail || sample->detail->created_at <= 0)
        return;
    encode_line(&line, sample->detail->created_at, out);
    buf_char(out, '\n');
}

void encode_openmetrics_family(const struct sample *samples, size_t count,
                               const struct encoding_options *options, struct buf *out)
{
    write_heads(samples->family, out);
    for (size_t i = 0; i < count; i++) {
        if (samples[i].histogram)
            encode_line_histogram(&samples[i], write_exemplar, out);
        else
            write_sample(&samples[i], out);
        if (options->created_lines)
            write_created(&samples[i], out);
    }
}
