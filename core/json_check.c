#include "core/json_check.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

struct reader {
    const char *at, *end;
    int depth;
};

static bool is_digit(const struct reader *reader)
{
    return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

static bool take(struct reader *reader, char c)
{
    bool there = reader->at < reader->end && *reader->at == c;
    reader->at += there;
    return there;
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
        reader->at++;
}

static bool read_word(struct reader *reader, const char *word)
{
    while (*word && take(reader, *word))
        word++;
    return !*word;
}

static bool read_digits(struct reader *reader)
{
    if (!is_digit(reader))
        return false;
    while (is_digit(reader))
        reader->at++;
    return true;
}

static bool read_number(struct reader *reader)
{
    take(reader, '-');
    if (!take(reader, '0') && !read_digits(reader))
        return false;
    if (take(reader, '.') && !read_digits(reader))
        return false;
    if (!take(reader, 'e') && !take(reader, 'E'))
        return true;
    if (!take(reader, '+'))
        take(reader, '-');
    return read_digits(reader);
}

static bool read_escape(struct reader *reader)
{
    if (!take(reader, 'u')) {
        bool known = reader->at < reader->end && *reader->at && strchr("\"\\/bfnrt", *reader->at);
        reader->at += known;
        return known;
    }
    for (int i = 0; i < 4; i++, reader->at++)
        if (reader->at == reader->end || !*reader->at ||
            !strchr("0123456789abcdefABCDEF", *reader->at))
            return false;
    return true;
}

static bool read_text(struct reader *reader)
{
    while (!take(reader, '"')) {
        if (reader->at == reader->end || (unsigned char)*reader->at < ' ')
            return false;
        if (take(reader, '\\') ? !read_escape(reader) : !reader->at++)
            return false;
    }
    return true;
}

static bool read_value(struct reader *reader);

/* The members of an object or array, its bracket read. */
static bool read_members(struct reader *reader, bool named, char close)
{
    skip_blanks(reader);
    if (take(reader, close))
        return true;
    do {
        skip_blanks(reader);
        if (named && (!take(reader, '"') || !read_text(reader)))
            return false;
        skip_blanks(reader);
        if ((named && !take(reader, ':')) || !read_value(reader))
            return false;
        skip_blanks(reader);
    } while (take(reader, ','));
    return take(reader, close);
}

static bool read_value(struct reader *reader)
{
    skip_blanks(reader);
    if (reader->at == reader->end || reader->depth == DEPTH_MAX)
        return false;
    switch (*reader->at) {
    case '{':
    case '[': {
        bool named = *reader->at++ == '{';
        reader->depth++;
        bool ok = read_members(reader, named, named ? '}' : ']');
        reader->depth--;
        return ok;
    }
    case '"':
        reader->at++;
        return read_text(reader);
    case 't':
        return read_word(reader, "true");
    case 'f':
        return read_word(reader, "false");
    case 'n':
        return read_word(reader, "null");
    default:
        return read_number(reader);
    }
}

bool json_check(const char *text, size_t length, size_t *at)
{
    struct reader reader = { text, text + length, 0 };
    bool ok = read_value(&reader);
    if (ok)
        skip_blanks(&reader);
    *at = (size_t)(reader.at - text);
    return ok && reader.at == reader.end;
}
