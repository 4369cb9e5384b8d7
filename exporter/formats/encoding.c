#include "exporter/formats/encoding.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "exporter/formats/encode_openmetrics.h"
#include "exporter/formats/encode_protobuf.h"
#include "exporter/formats/encode_text.h"

enum { ACCEPT_MAX = 8192, Q_ONE = 1000 };

/* clang-format off */
/* A content type with each way to escape. unasked: how it ends for clients that say nothing. */
#define TYPES(type, unasked) \
    { [ENCODING_NOT_ASKED]   = type unasked, \
      [ENCODING_ALLOW_UTF_8] = type "; escaping=allow-utf-8", \
      [ENCODING_UNDERSCORES] = type "; escaping=underscores", \
      [ENCODING_DOTS]        = type "; escaping=dots", \
      [ENCODING_VALUES]      = type "; escaping=values" }
#define SAME_TYPE(type) { type, type, type, type, type }
#define UNDERSCORES "; escaping=underscores"

const struct encoding encodings[] = {
    { .name = "protobuf",
      .media = "application/vnd.google.protobuf",
      .parameters = { { "proto", "io.prometheus.client.MetricFamily" },
                      { "encoding", "delimited" } },
      .content_types = TYPES("application/vnd.google.protobuf; "
                             "proto=io.prometheus.client.MetricFamily; encoding=delimited", ""),
      .family = encode_protobuf_family },
    { .name = "openmetrics 0.0.1",
      .media = "application/openmetrics-text", .parameters = { { "version", "0.0.1" } },
      .content_types = SAME_TYPE("application/openmetrics-text; version=0.0.1; charset=utf-8"),
      .end = "# EOF\n", .family = encode_openmetrics_family },
    { .name = "openmetrics 1.0.0",
      .media = "application/openmetrics-text", .parameters = { { "version", "1.0.0" } },
      .content_types = TYPES("application/openmetrics-text; version=1.0.0; charset=utf-8",
                             UNDERSCORES),
      .end = "# EOF\n", .family = encode_openmetrics_family },
    { .name = "text 1.0.0",
      .media = "text/plain", .parameters = { { "version", "1.0.0" } },
      .content_types = TYPES("text/plain; version=1.0.0; charset=utf-8", UNDERSCORES),
      .family = encode_text_family },
    { .name = "text 0.0.4",
      .media = "text/plain", .parameters = { { "version", "0.0.4" } },
      .content_types = SAME_TYPE("text/plain; version=0.0.4; charset=utf-8"),
      .family = encode_text_family },
};
/* clang-format on */
const size_t encoding_count = ARRAY_COUNT(encodings);

static const char *const escapings[ENCODING_ESCAPINGS] = {
    [ENCODING_ALLOW_UTF_8] = "allow-utf-8",
    [ENCODING_UNDERSCORES] = "underscores",
    [ENCODING_DOTS] = "dots",
    [ENCODING_VALUES] = "values",
};

/* A piece of a header's text, not terminated. */
struct piece {
    const char *text;
    size_t length;
};

/* One element of an Accept or Accept-Encoding list. */
struct range {
    struct piece name, parameters;
    int q; /* thousandths */
};

static struct piece trim(struct piece piece)
{
    while (piece.length && strchr(" \t", piece.text[0])) {
        piece.text++;
        piece.length--;
    }
    while (piece.length && strchr(" \t", piece.text[piece.length - 1]))
        piece.length--;
    return piece;
}

/* Cut off what stands before the separator; separators inside quotes do not count. */
static struct piece cut(struct piece *rest, char separator)
{
    bool quoted = false;
    size_t end = 0;
    for (; end < rest->length && (quoted || rest->text[end] != separator); end++) {
        if (quoted && rest->text[end] == '\\' && end + 1 < rest->length)
            end++;
        else if (rest->text[end] == '"')
            quoted = !quoted;
    }
    struct piece head = { rest->text, end };
    size_t used = end < rest->length ? end + 1 : end;
    rest->text += used;
    rest->length -= used;
    return trim(head);
}

static bool equals(struct piece piece, const char *word)
{
    return piece.length == strlen(word) && !strncasecmp(piece.text, word, piece.length);
}

static struct piece unquote(struct piece piece)
{
    if (piece.length >= 2 && piece.text[0] == '"' && piece.text[piece.length - 1] == '"')
        return (struct piece){ piece.text + 1, piece.length - 2 };
    return piece;
}

/* "0.75" -> 750; what cannot be read counts as 1. */
static int parse_q(struct piece text)
{
    int q = 0, unit = Q_ONE;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        if (c == '.' && i == 1)
            continue;
        if (c < '0' || c > '9' || (i == 0 && c > '1'))
            return Q_ONE;
        q += (c - '0') * unit;
        unit /= 10;
    }
    return text.length && q <= Q_ONE ? q : Q_ONE;
}

/* The value of a parameter; empty when it is not given. */
static struct piece parameter(struct piece list, const char *wanted)
{
    while (list.length) {
        struct piece value = cut(&list, ';');
        struct piece name = cut(&value, '=');
        if (equals(name, wanted))
            return unquote(trim(value));
    }
    return list;
}

static struct range next_range(struct piece *list)
{
    struct piece element = cut(list, ',');
    struct range range = { .name = cut(&element, ';'), .q = Q_ONE };
    range.parameters = element;
    struct piece q = parameter(element, "q");
    if (q.length)
        range.q = parse_q(q);
    return range;
}

/* How exactly a range names a row; 0 = it does not. "*" stands for anything, and so does the "/"
 * that a published example header has in its place. */
static int fit(const struct encoding *row, const struct range *range)
{
    size_t major = strcspn(row->media, "/") + 1; /* "text/" */
    if (equals(range->name, "*/*") || equals(range->name, "/") || equals(range->name, "*"))
        return 1;
    bool whole_type = range->name.length == major + 1 && range->name.text[major] == '*' &&
                      !strncasecmp(range->name.text, row->media, major);
    if (!whole_type && !equals(range->name, row->media))
        return 0;
    int result = whole_type ? 2 : 3;
    for (const struct encoding_parameter *of = row->parameters; of->name; of++) {
        struct piece told = parameter(range->parameters, of->name);
        if (told.length && !equals(told, of->value))
            return 0;
        result += told.length > 0;
    }
    return result;
}

/* What the most exact range says of a row. */
struct wish {
    int fit, q;
    size_t order;
    enum encoding_escaping escaping;
};

static enum encoding_escaping escaping_of(const struct range *range)
{
    struct piece told = parameter(range->parameters, "escaping");
    if (!told.length)
        return ENCODING_NOT_ASKED;
    for (enum encoding_escaping one = 1; one < ENCODING_ESCAPINGS; one++)
        if (equals(told, escapings[one]))
            return one;
    return ENCODING_UNDERSCORES;
}

/* Go through a list; what it says of the rows. */
static void read_wishes(const struct encoding *rows, size_t count, struct piece list,
                        struct wish *wishes)
{
    for (size_t order = 0; list.length; order++) {
        struct range range = next_range(&list);
        for (size_t i = 0; i < count; i++) {
            int how = fit(&rows[i], &range);
            if (how > wishes[i].fit || (how && how == wishes[i].fit && range.q > wishes[i].q))
                wishes[i] = (struct wish){ how, range.q, order, escaping_of(&range) };
        }
    }
}

struct encoding_choice encoding_choose(const struct encoding *rows, size_t count,
                                       const char *accept)
{
    struct wish wishes[ENCODINGS_MAX] = { 0 }, best = { 0 };
    const struct encoding *row = &rows[count - 1];
    struct piece list = { accept, strnlen(accept, ACCEPT_MAX + 1) };
    assert(count <= ENCODINGS_MAX);
    if (list.length <= ACCEPT_MAX)
        read_wishes(rows, count, list, wishes);
    for (size_t i = count; i-- > 0;) {
        if (wishes[i].q < best.q || (wishes[i].q == best.q && wishes[i].order >= best.order))
            continue;
        best = wishes[i];
        row = &rows[i];
    }
    return (struct encoding_choice){ row, row->content_types[best.escaping] };
}

static void append(const char *text, struct buf *out)
{
    if (text)
        buf_text(out, text);
}

void encoding_begin(const struct encoding *encoding, struct buf *out)
{
    append(encoding->begin, out);
}

void encoding_append(const struct encoding *encoding, const struct encoding_options *options,
                     const struct metric_set *set, bool first, struct buf *out)
{
    for (size_t from = 0, to; from < set->count; from = to) {
        const struct sample *samples = &set->samples[from];
        for (to = from + 1; to < set->count && set->samples[to].family == samples->family;)
            to++;
        if (!first || from)
            append(encoding->between, out);
        encoding->family(samples, to - from, options, out);
    }
}

void encoding_end(const struct encoding *encoding, struct buf *out)
{
    append(encoding->end, out);
}

bool encoding_gzip(const char *accept_encoding)
{
    int named = -1, any = 0;
    struct piece list = { accept_encoding, strnlen(accept_encoding, ACCEPT_MAX) };
    while (list.length) {
        struct range range = next_range(&list);
        if (equals(range.name, "gzip") || equals(range.name, "x-gzip"))
            named = range.q;
        else if (equals(range.name, "*"))
            any = range.q;
    }
    return named >= 0 ? named > 0 : any > 0;
}
