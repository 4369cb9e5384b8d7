/* One pass from left to right. A character that means itself is written as \x{...}, so that nothing
 * of PCRE2's own grammar is ever reached by a text that RE2 reads another way. */
#include "core/regex_syntax.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/compiler.h"
#include "core/utf8.h"

enum { REPEATS_MAX = 1000, DEPTH_MAX = 200, CHARACTER_MAX = 0x10ffff, CHARACTER_BYTES = 4 };

/* What stands before the place that is read. */
enum before { BEFORE_NOTHING, BEFORE_ATOM, BEFORE_REPEAT };

struct reader {
    const char *at;
    struct buf *out;
    struct error *error;
    enum before before;
    long repeats; /* how often the atom before is copied within itself */
    size_t depth;
    long most[DEPTH_MAX + 1];  /* per open group: the most repeats of what it holds */
    bool folds[DEPTH_MAX + 1]; /* likewise: (?i) is on */
    struct buf names;          /* of groups, each between two blanks */
};

/* Always false; the first `length` bytes from text on are shown. */
static bool wrong(const struct reader *reader, const char *what, const char *text, size_t length)
{
    return error_set(reader->error, ERROR_CONFIG, "%s: %.*s", what,
                     (int)(length < 64 ? length : 64), text);
}

/* --- characters ------------------------------------------------------------------------------- */

static void put(struct reader *reader, uint32_t character)
{
    if (character < 0x80 && isalnum((int)character))
        buf_char(reader->out, (char)character);
    else
        buf_printf(reader->out, "\\x{%x}", character);
}

static bool read_plain(struct reader *reader, uint32_t *character)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    size_t length = utf8_length(reader->at, CHARACTER_BYTES);
    if (!length)
        return error_set(reader->error, ERROR_CONFIG, "the pattern is not UTF-8");
    *character = (unsigned char)*reader->at & first_bits[length];
    for (size_t i = 1; i < length; i++)
        *character = *character << 6 | ((unsigned char)reader->at[i] & 0x3f);
    reader->at += length;
    return true;
}

/* \x41 and \x{41}; at stands behind the x. */
static bool read_hexadecimal(struct reader *reader, const char *begin, uint32_t *character)
{
    bool braces = *reader->at == '{';
    size_t most = braces ? 8 : 2, digits = 0;
    *character = 0;
    for (reader->at += braces; digits < most && isxdigit((unsigned char)*reader->at); digits++) {
        const char digit[] = { *reader->at++, '\0' };
        *character = *character << 4 | (uint32_t)strtoul(digit, NULL, 16);
    }
    bool whole = braces ? digits && *reader->at == '}' : digits == 2;
    reader->at += braces && whole;
    if (!whole || *character > CHARACTER_MAX || (*character >= 0xd800 && *character <= 0xdfff))
        return wrong(reader, "invalid escape sequence", begin, (size_t)(reader->at - begin));
    return true;
}

/* \0, \01, \123; \1 alone would refer back. at stands on the first digit. */
static bool read_octal(struct reader *reader, uint32_t *character)
{
    size_t digits = strspn(reader->at, "01234567");
    digits = digits < 3 ? digits : 3;
    if (!digits || (*reader->at != '0' && digits == 1))
        return wrong(reader, "back references are not possible", reader->at - 1, 2);
    *character = 0;
    for (size_t i = 0; i < digits; i++)
        *character = *character << 3 | (uint32_t)(*reader->at++ - '0');
    return true;
}

/* An escape that means one character, in a class or outside. */
static bool read_escape(struct reader *reader, uint32_t *character)
{
    static const char letters[] = "aftnrv", controls[] = "\a\f\t\n\r\v";
    const char *begin = reader->at++;
    char letter = *reader->at;
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!letter)
        return wrong(reader, "trailing backslash at the end of the pattern", begin, 1);
    if (isdigit((unsigned char)letter))
        return read_octal(reader, character);
    reader->at++;
    if (letter == 'x')
        return read_hexadecimal(reader, begin, character);
    if (found)
        *character = (uint32_t)controls[found - letters];
    else if ((unsigned char)letter < 0x80 && !isalnum((unsigned char)letter))
        *character = (uint32_t)letter;
    else
        return wrong(reader, "invalid escape sequence", begin, 1 + utf8_length(begin + 1, 4));
    return true;
}

static bool read_character(struct reader *reader, uint32_t *character)
{
    return *reader->at == '\\' ? read_escape(reader, character) : read_plain(reader, character);
}

/* --- classes ---------------------------------------------------------------------------------- */

/* RE2's \s has no vertical tab. */
static const char *const perl_classes[] = {
    ['d'] = "0-9",
    ['D'] = "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}",
    ['s'] = "\\x{9}\\x{a}\\x{c}\\x{d}\\x{20}",
    ['S'] = "\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}",
    ['w'] = "0-9A-Za-z\\x{5f}",
    ['W'] = "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}",
};

/* \d and its like: what goes between brackets, or NULL. */
static const char *perl_class(const char *at)
{
    unsigned char letter = at[0] == '\\' ? (unsigned char)at[1] : 0;
    return letter < ARRAY_COUNT(perl_classes) ? perl_classes[letter] : NULL;
}

/* Names of properties of two letters; longer ones are scripts. */
static const char categories[] = " C L M N P S Z Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd"
                                 " Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs Any ";

/* \pL, \p{Greek}, \P{^Lu}; at stands on the backslash. */
static bool read_property(struct reader *reader)
{
    const char *begin = reader->at, *name = begin + 2;
    bool braces = *name == '{', negative = begin[1] == 'P';
    name += braces;
    if (braces && *name == '^') {
        negative = !negative;
        name++;
    }
    size_t length = braces ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
                           : isalpha((unsigned char)*name) != 0;
    char padded[48];
    if (!length || length > 40 || (braces && name[length] != '}'))
        return wrong(reader, "invalid character class range", begin, 2 + braces + length);
    snprintf(padded, sizeof padded, " %.*s ", (int)length, name);
    bool category = strstr(categories, padded) != NULL;
    if (!category && (length < 3 || !isupper((unsigned char)*name)))
        return wrong(reader, "invalid character class range", begin, 2 + braces + length);
    if (reader->folds[reader->depth] && (!strcmp(padded, " Lu ") || !strcmp(padded, " Ll ")))
        buf_printf(reader->out, "\\%c{L&}", negative ? 'P' : 'p');
    else
        buf_printf(reader->out, "\\%c{%s%.*s}", negative ? 'P' : 'p',
                   category ? "" : "sc:", (int)length, name);
    reader->at = name + length + braces;
    return true;
}

/* [:alpha:] inside a class. *found: whether there is one. */
static bool read_posix(struct reader *reader, bool *found)
{
    static const char *const names[] = { "alnum", "alpha", "ascii",  "blank", "cntrl",
                                         "digit", "graph", "lower",  "print", "punct",
                                         "space", "upper", "xdigit", "word" };
    const char *end = strncmp(reader->at, "[:", 2) == 0 ? strstr(reader->at + 2, ":]") : NULL;
    *found = end != NULL;
    if (!end)
        return true;
    const char *name = reader->at + 2 + (reader->at[2] == '^');
    size_t length = (size_t)(end - name);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strlen(names[i]) != length || strncmp(names[i], name, length) != 0)
            continue;
        buf_append(reader->out, reader->at, (size_t)(end + 2 - reader->at));
        reader->at = end + 2;
        return true;
    }
    return wrong(reader, "invalid character class range", reader->at,
                 (size_t)(end + 2 - reader->at));
}

/* One character of a class, or from one to another. */
static bool read_range(struct reader *reader)
{
    const char *begin = reader->at;
    uint32_t low, high;
    if (!read_character(reader, &low))
        return false;
    put(reader, low);
    if (reader->at[0] != '-' || reader->at[1] == ']' || !reader->at[1])
        return true;
    reader->at++;
    if (!read_character(reader, &high))
        return false;
    if (high < low)
        return wrong(reader, "invalid character class range", begin, (size_t)(reader->at - begin));
    buf_char(reader->out, '-');
    put(reader, high);
    return true;
}

static bool read_class(struct reader *reader)
{
    const char *begin = reader->at++;
    bool negative = *reader->at == '^';
    reader->at += negative;
    buf_text(reader->out, negative ? "[^" : "[");
    for (bool first = true; first || *reader->at != ']'; first = false) {
        bool posix;
        if (!*reader->at)
            return wrong(reader, "missing closing ]", begin, strlen(begin));
        if (!read_posix(reader, &posix))
            return false;
        if (posix)
            continue;
        const char *perl = perl_class(reader->at);
        bool property = !strncmp(reader->at, "\\p", 2) || !strncmp(reader->at, "\\P", 2);
        if (perl) {
            buf_text(reader->out, perl);
            reader->at += 2;
        } else if (!(property ? read_property(reader) : read_range(reader))) {
            return false;
        }
    }
    reader->at++;
    buf_char(reader->out, ']');
    return true;
}

/* --- groups ----------------------------------------------------------------------------------- */

static bool open_group(struct reader *reader)
{
    if (reader->depth == DEPTH_MAX)
        return error_set(reader->error, ERROR_CONFIG, "more than %d groups in each other",
                         DEPTH_MAX);
    reader->most[++reader->depth] = 1;
    reader->folds[reader->depth] = reader->folds[reader->depth - 1];
    reader->before = BEFORE_NOTHING;
    return true;
}

/* (?P<name> and (?<name>; names are of no use here. */
static bool read_named(struct reader *reader, const char *begin, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    CLEANUP(buf_finish) struct buf padded = { 0 };
    if (!length || name[length] != '>')
        return wrong(reader, "invalid named capture", begin, strlen(begin));
    buf_printf(&padded, " %.*s ", (int)length, name);
    if (strstr(buf_cstr(&reader->names), buf_cstr(&padded)))
        return wrong(reader, "duplicate capture group name", name, length);
    buf_text(&reader->names, buf_cstr(&padded));
    reader->at = name + length + 1;
    buf_text(reader->out, "(?:");
    return open_group(reader);
}

/* (?i) and (?i-s:...). */
static bool read_flags(struct reader *reader, const char *begin)
{
    const char *at = begin + 2;
    bool minus = false, flag = false, folds = reader->folds[reader->depth];
    for (; *at && strchr("imsU-", *at); at++) {
        if (*at == '-' && minus)
            break;
        flag = *at != '-';
        folds = *at == 'i' ? !minus : folds;
        minus = minus || *at == '-';
    }
    if ((*at != ':' && *at != ')') || (minus && !flag))
        return wrong(reader, "invalid or unsupported Perl syntax", begin,
                     (size_t)(at - begin) + (*at != '\0'));
    buf_append(reader->out, begin, (size_t)(at + 1 - begin));
    reader->at = at + 1;
    if (*at == ':' && !open_group(reader))
        return false;
    reader->folds[reader->depth] = folds;
    reader->before = BEFORE_NOTHING;
    return true;
}

static bool read_group(struct reader *reader)
{
    const char *begin = reader->at;
    if (begin[1] != '?') {
        reader->at++;
        buf_text(reader->out, "(?:");
        return open_group(reader);
    }
    if (!strncmp(begin + 2, "P<", 2))
        return read_named(reader, begin, begin + 4);
    if (begin[2] == '<' && begin[3] != '=' && begin[3] != '!')
        return read_named(reader, begin, begin + 3);
    return read_flags(reader, begin);
}

static void end_atom(struct reader *reader, long repeats)
{
    long *most = &reader->most[reader->depth];
    *most = repeats > *most ? repeats : *most;
    reader->repeats = repeats;
    reader->before = BEFORE_ATOM;
}

static bool close_group(struct reader *reader)
{
    if (!reader->depth)
        return wrong(reader, "unexpected )", reader->at, strlen(reader->at));
    reader->at++;
    buf_char(reader->out, ')');
    end_atom(reader, reader->most[reader->depth--]);
    return true;
}

/* --- repeats ---------------------------------------------------------------------------------- */

/* A number without needless zeros. */
static const char *read_number(const char *at, long *number)
{
    size_t digits = strspn(at, "0123456789");
    if (!digits || (digits > 1 && *at == '0'))
        return NULL;
    *number = digits < 9 ? strtol(at, NULL, 10) : REPEATS_MAX + 1;
    return at + digits;
}

/* Behind {2}, {2,} or {2,3}; NULL: the brace means itself. most: -1 = without end. */
static const char *read_braces(const char *at, long *least, long *most)
{
    at = read_number(at + 1, least);
    *most = at ? *least : 0;
    if (at && *at == ',') {
        *most = -1;
        at = at[1] == '}' ? at + 1 : read_number(at + 1, most);
    }
    return at && *at == '}' ? at + 1 : NULL;
}

static bool check_repeats(struct reader *reader, const char *begin, size_t length, long least,
                          long most)
{
    long copies = most < 0 ? least : most;
    if (least > REPEATS_MAX || most > REPEATS_MAX || (most >= 0 && least > most) ||
        (copies > 1 && copies * reader->repeats > REPEATS_MAX))
        return wrong(reader, "invalid repeat count", begin, length);
    if (copies > 1)
        end_atom(reader, copies * reader->repeats);
    return true;
}

/* at stands on a repeat; end behind it. */
static bool read_repeat(struct reader *reader, const char *end, long least, long most)
{
    const char *begin = reader->at;
    end += *end == '?';
    size_t length = (size_t)(end - begin);
    if (reader->before == BEFORE_REPEAT)
        return wrong(reader, "invalid nested repetition operator", begin, length);
    if (reader->before == BEFORE_NOTHING)
        return wrong(reader, "missing argument to repetition operator", begin, length);
    if (!check_repeats(reader, begin, length, least, most))
        return false;
    buf_append(reader->out, begin, length);
    reader->at = end;
    reader->before = BEFORE_REPEAT;
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Between \Q and \E every character means itself. */
static bool read_quoted(struct reader *reader)
{
    for (reader->at += 2; *reader->at && strncmp(reader->at, "\\E", 2) != 0;) {
        uint32_t character;
        if (!read_plain(reader, &character))
            return false;
        put(reader, character);
        end_atom(reader, 1);
    }
    reader->at += *reader->at ? 2 : 0;
    return true;
}

/* Places, which PCRE2 repeats only in groups. */
static const char *place(const char *at)
{
    static const char *const places[][2] = {
        { "^", "(?:^)" },     { "$", "(?:$)" },     { "\\A", "(?:\\A)" },
        { "\\z", "(?:\\z)" }, { "\\b", "(?:\\b)" }, { "\\B", "(?:\\B)" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (!strncmp(at, places[i][0], strlen(places[i][0])))
            return places[i][1];
    return NULL;
}

static bool read_atom(struct reader *reader)
{
    const char *at = reader->at, *found;
    uint32_t character;
    if ((found = place(at))) {
        buf_text(reader->out, found);
        reader->at += *at == '\\' ? 2 : 1;
    } else if (*at == '.') {
        buf_char(reader->out, *reader->at++);
    } else if ((found = perl_class(at))) {
        buf_printf(reader->out, "[%s]", found);
        reader->at += 2;
    } else if (*at == '[') {
        if (!read_class(reader))
            return false;
    } else if (!strncmp(at, "\\p", 2) || !strncmp(at, "\\P", 2)) {
        if (!read_property(reader))
            return false;
    } else if (!read_character(reader, &character)) {
        return false;
    } else {
        put(reader, character);
    }
    end_atom(reader, 1);
    return true;
}

static bool read_next(struct reader *reader)
{
    const char *at = reader->at, *end;
    long least = 0, most = -1;
    switch (*at) {
    case '(':
        return read_group(reader);
    case ')':
        return close_group(reader);
    case '|':
        buf_char(reader->out, *reader->at++);
        reader->before = BEFORE_NOTHING;
        return true;
    case '*':
    case '+':
    case '?':
        return read_repeat(reader, at + 1, 0, *at == '?' ? 1 : -1);
    case '{':
        end = read_braces(at, &least, &most);
        return end ? read_repeat(reader, end, least, most) : read_atom(reader);
    default:
        return strncmp(at, "\\Q", 2) != 0 ? read_atom(reader) : read_quoted(reader);
    }
}

static void finish(struct reader *reader)
{
    buf_finish(&reader->names);
}

bool regex_syntax_translate(const char *pattern, struct buf *out, struct error *error)
{
    CLEANUP(finish)
    struct reader reader = { .at = pattern, .out = out, .error = error, .most = { 1 } };
    while (*reader.at)
        if (!read_next(&reader))
            return false;
    return !reader.depth || wrong(&reader, "missing closing )", pattern, strlen(pattern));
}
