#include "exporter/encoding.h"

#include <string.h>
#include <strings.h>

#include "core/compiler.h"
#include "exporter/encode_text.h"

enum { ACCEPT_MAX = 8192, Q_ONE = 1000 };

/* clang-format off */
const struct encoding encodings[] = {
    { .media = "text/plain", .version = "0.0.4",
      .content_type = "text/plain; version=0.0.4; charset=utf-8", .family = encode_text_family },
};
/* clang-format on */
const size_t encoding_count = ARRAY_COUNT(encodings);

/* A piece of a header's text, not terminated. */
struct piece {
    const char *text;
    size_t length;
};

/* One element of an Accept or Accept-Encoding list. */
struct range {
    struct piece name;
    struct piece version; /* empty when not given */
    int q;                /* thousandths */
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

static struct range next_range(struct piece *list)
{
    struct piece element = cut(list, ',');
    struct range range = { .name = cut(&element, ';'), .q = Q_ONE };
    while (element.length) {
        struct piece value = cut(&element, ';');
        struct piece name = cut(&value, '=');
        value = unquote(trim(value));
        if (equals(name, "q"))
            range.q = parse_q(value);
        else if (equals(name, "version"))
            range.version = value;
    }
    return range;
}

/* The row this range names, or NULL. "*" stands for anything, and so does the "/" that a
 * published example header has in its place. */
static const struct encoding *row_of(const struct encoding *rows, size_t count,
                                     const struct range *range)
{
    if (equals(range->name, "*/*") || equals(range->name, "/") || equals(range->name, "*"))
        return &rows[count - 1];
    for (size_t i = count; i-- > 0;) {
        const struct encoding *row = &rows[i];
        size_t major = strcspn(row->media, "/") + 1; /* "text/" */
        bool whole_type = range->name.length == major + 1 && range->name.text[major] == '*' &&
                          !strncasecmp(range->name.text, row->media, major);
        bool version = !range->version.length || equals(range->version, row->version);
        if (version && (whole_type || equals(range->name, row->media)))
            return row;
    }
    return NULL;
}

const struct encoding *encoding_choose(const struct encoding *rows, size_t count,
                                       const char *accept)
{
    const struct encoding *best = &rows[count - 1];
    struct piece list = { accept, strnlen(accept, ACCEPT_MAX + 1) };
    if (list.length > ACCEPT_MAX)
        return best;
    int best_q = 0;
    while (list.length) {
        struct range range = next_range(&list);
        const struct encoding *row = row_of(rows, count, &range);
        if (row && range.q > best_q) {
            best = row;
            best_q = range.q;
        }
    }
    return best;
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

void encoding_append(const struct encoding *encoding, const struct metric_set *set, bool first,
                     struct buf *out)
{
    for (size_t from = 0, to; from < set->count; from = to) {
        const struct sample *samples = &set->samples[from];
        for (to = from + 1; to < set->count && set->samples[to].family == samples->family;)
            to++;
        if (!first || from)
            append(encoding->between, out);
        encoding->family(samples, to - from, out);
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
