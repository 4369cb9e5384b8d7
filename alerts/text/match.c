/* Matchers: read, compiled once, asked often. Regular expressions come from files and from the API,
 * so what would make the POSIX compiler blow up or mean something else than it says is refused. */
#include "alerts/text/match.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES_MAX = 4096, REPEATS_MAX = 1000, NEAR_WORDS = 3, NEAR_BYTES = 64 };

static const char *const operator_texts[] = { "=", "!=", "=~", "!~" };

/* --- regular expressions ---------------------------------------------------------------------- */

/* Words of other dialects that POSIX takes for something else without a word. */
static const struct {
    const char *text, *instead;
} foreign[] = {
    { "(?", "groups are written (a|b)" },
    { "\\d", "digits are written [0-9]" },
    { "\\D", "anything but digits is written [^0-9]" },
    { "\\p", "use a class such as [[:alpha:]]" },
};

/* Nested repeats multiply: the compiler copies what is repeated. */
static bool repeats_fit(const char *pattern)
{
    long product = 1;
    for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{')) {
        char *end;
        long most = strtol(at + 1, &end, 10);
        if (*end == ',')
            most = end[1] == '}' ? most : strtol(end + 1, NULL, 10);
        if (most > REPEATS_MAX || (most > 1 && (product *= most) > REPEATS_MAX))
            return false;
    }
    return true;
}

static bool compile(struct match *match, struct arena *arena, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(foreign); i++)
        if (strstr(match->value, foreign[i].text))
            return error_set(error, ERROR_CONFIG, "%s: the pattern contains %s: %s", match->name,
                             foreign[i].text, foreign[i].instead);
    for (const char *at = strchr(match->value, '\\'); at && at[1]; at = strchr(at + 2, '\\'))
        if (at[1] >= '1' && at[1] <= '9')
            return error_set(error, ERROR_CONFIG, "%s: the pattern refers back with \\%c",
                             match->name, at[1]);
    if (!repeats_fit(match->value))
        return error_set(error, ERROR_CONFIG, "%s: the pattern repeats more than %d times",
                         match->name, REPEATS_MAX);
    CLEANUP(buf_finish) struct buf whole = { 0 };
    buf_printf(&whole, "^(%s)$", match->value);
    regex_t *pattern = arena_zalloc(arena, sizeof *pattern);
    int code = regcomp(pattern, buf_cstr(&whole), REG_EXTENDED | REG_NOSUB);
    if (code) {
        char reason[128];
        regerror(code, pattern, reason, sizeof reason);
        return error_set(error, ERROR_CONFIG, "%s: bad pattern \"%s\": %s", match->name,
                         match->value, reason);
    }
    match->pattern = pattern;
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

bool match_is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length && !text[length] && !(text[0] >= '0' && text[0] <= '9');
}

bool match_add(struct match_list *list, const char *name, enum match_operator operator,
               const char * value, struct arena *arena, struct error *error)
{
    if (!match_is_name(name))
        return error_set(error, ERROR_CONFIG, "\"%s\" is no label name", name);
    if (strlen(value) > VALUE_BYTES_MAX)
        return error_set(error, ERROR_CONFIG, "%s: the value is longer than %d bytes", name,
                         VALUE_BYTES_MAX);
    struct match match = {
        .name = arena_text(arena, name), .value = arena_text(arena, value), .operator= operator};
    if ((operator== MATCH_REGEX || operator== MATCH_NOT_REGEX) && !compile(&match, arena, error))
        return false;
    if (!(list->count & (list->count - 1))) { /* full at every power of two */
        struct match *more = arena_alloc(arena, (list->count ? list->count * 2 : 1) * sizeof *more);
        if (list->count)
            memcpy(more, list->matches, list->count * sizeof *more);
        list->matches = more;
    }
    list->matches[list->count++] = match;
    return true;
}

/* A text being read, and where. */
struct reader {
    const char *text, *at;
    struct error *error;
};

static bool wrong(const struct reader *reader, const char *what)
{
    return error_set(reader->error, ERROR_CONFIG, "%s at character %d of %.200s", what,
                     (int)(reader->at - reader->text) + 1, reader->text);
}

static void skip_space(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

/* A name, "quoted" or plain. */
static bool read_name(struct reader *reader, struct buf *out)
{
    bool quoted = *reader->at == '"';
    const char *begin = reader->at + quoted;
    size_t length = strcspn(begin, quoted ? "\"" : "=!~ \t\r\n,{}\"");
    if (!length)
        return wrong(reader, "expected a label name");
    if (quoted && begin[length] != '"')
        return wrong(reader, "a quote is not closed");
    buf_append(out, begin, length);
    reader->at = begin + length + quoted;
    return true;
}

static bool read_operator(struct reader *reader, enum match_operator *operator)
{
    skip_space(reader);
    for (int i = MATCH_NOT_REGEX; i >= MATCH_EQUAL; i--) {
        size_t length = strlen(operator_texts[i]);
        if (!strncmp(reader->at, operator_texts[i], length)) {
            reader->at += length;
            *operator=(enum match_operator) i;
            skip_space(reader);
            return true;
        }
    }
    return wrong(reader, "expected =, !=, =~ or !~");
}

static bool read_value(struct reader *reader, struct buf *out)
{
    buf_text(out, "");
    if (*reader->at != '"') {
        size_t length = strcspn(reader->at, " \t\r\n,{}\"");
        buf_append(out, reader->at, length);
        reader->at += length;
        return true;
    }
    const struct reader begin = *reader;
    for (reader->at++; *reader->at != '"'; reader->at++) {
        if (!*reader->at)
            return wrong(&begin, "a quote is not closed");
        if (*reader->at == '\\' && strchr("\"\\n", reader->at[1]) && reader->at[1]) {
            reader->at++;
            buf_char(out, *reader->at == 'n' ? '\n' : *reader->at);
        } else {
            buf_char(out, *reader->at);
        }
    }
    reader->at++;
    return true;
}

static bool read_match(struct reader *reader, struct match_list *list, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    CLEANUP(buf_finish) struct buf value = { 0 };
    enum match_operator operator= 0;
    if (!read_name(reader, &name) || !read_operator(reader, &operator) ||
        !read_value(reader, &value))
        return false;
    return match_add(list, buf_cstr(&name), operator, buf_cstr(&value), arena, reader->error);
}

bool match_parse(const char *text, struct match_list *list, struct arena *arena,
                 struct error *error)
{
    struct reader reader = { .text = text, .at = text, .error = error };
    skip_space(&reader);
    bool braces = *reader.at == '{';
    if (braces)
        reader.at++;
    for (skip_space(&reader); *reader.at && *reader.at != '}'; skip_space(&reader)) {
        if (!read_match(&reader, list, arena))
            return false;
        skip_space(&reader);
        if (*reader.at != ',')
            break;
        reader.at++;
    }
    if (braces && *reader.at != '}')
        return wrong(&reader, "expected , or }");
    if (braces)
        reader.at++;
    skip_space(&reader);
    return *reader.at ? wrong(&reader, "unexpected text") : true;
}

bool match_parse_all(const struct option_texts *texts, struct match_list *list, struct arena *arena,
                     struct error *error)
{
    for (size_t i = 0; i < texts->count; i++)
        if (!match_parse(texts->texts[i], list, arena, error))
            return false;
    return true;
}

void match_finish(struct match_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->matches[i].pattern)
            regfree(list->matches[i].pattern);
    *list = (struct match_list){ 0 };
}

/* --- asking ----------------------------------------------------------------------------------- */

bool match_value(const struct match *match, const char *value)
{
    switch (match->operator) {
    case MATCH_EQUAL:
        return !strcmp(match->value, value);
    case MATCH_NOT_EQUAL:
        return strcmp(match->value, value) != 0;
    case MATCH_REGEX:
        return regexec(match->pattern, value, 0, NULL, 0) == 0;
    case MATCH_NOT_REGEX:
        return regexec(match->pattern, value, 0, NULL, 0) != 0;
    }
    return false;
}

bool match_all(const struct match_list *list, const struct match_label *labels, size_t count)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *value = "";
        for (size_t n = 0; n < count; n++)
            if (!strcmp(labels[n].name, list->matches[i].name))
                value = labels[n].value;
        if (!match_value(&list->matches[i], value))
            return false;
    }
    return true;
}

void match_print(const struct match *match, struct buf *out)
{
    buf_printf(out, "%s%s\"", match->name, operator_texts[match->operator]);
    for (const char *at = match->value; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_char(out, '\\');
        if (*at == '\n')
            buf_text(out, "\\n");
        else
            buf_char(out, *at);
    }
    buf_char(out, '"');
}

/* --- near words ------------------------------------------------------------------------------- */

/* Edits between two words; words too long to be typed are far away. */
static size_t distance(const char *left, const char *right)
{
    size_t rows = strlen(left), columns = strlen(right);
    if (rows >= NEAR_BYTES || columns >= NEAR_BYTES)
        return NEAR_BYTES;
    size_t line[NEAR_BYTES];
    for (size_t c = 0; c <= columns; c++)
        line[c] = c;
    for (size_t r = 1; r <= rows; r++) {
        size_t diagonal = line[0];
        line[0] = r;
        for (size_t c = 1; c <= columns; c++) {
            size_t best = diagonal + (left[r - 1] != right[c - 1]);
            diagonal = line[c];
            if (line[c] + 1 < best)
                best = line[c] + 1;
            if (line[c - 1] + 1 < best)
                best = line[c - 1] + 1;
            line[c] = best;
        }
    }
    return line[columns];
}

void match_near(const char *word, const char *const *words, struct buf *out)
{
    const char *nearest[NEAR_WORDS] = { 0 };
    size_t distances[NEAR_WORDS];
    size_t count = 0, limit = strlen(word) / 3 > 2 ? strlen(word) / 3 : 2;
    for (; *words; words++) {
        size_t edits = distance(word, *words), at = count;
        if (edits > limit)
            continue;
        while (at && distances[at - 1] > edits)
            at--;
        if (at == NEAR_WORDS)
            continue;
        count += count < NEAR_WORDS;
        memmove(nearest + at + 1, nearest + at, (count - 1 - at) * sizeof *nearest);
        memmove(distances + at + 1, distances + at, (count - 1 - at) * sizeof *distances);
        nearest[at] = *words;
        distances[at] = edits;
    }
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "; did you mean ", nearest[i]);
    if (count)
        buf_char(out, '?');
}
