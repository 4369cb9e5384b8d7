#include "exporter/web/target.h"

#include <string.h>
#include <strings.h>

#include "core/compiler.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode what is escaped, in place; what is no escape stays. */
static void decode(char *text, bool plus)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        int high = *in == '%' ? digit(in[1]) : -1;
        int low = high >= 0 ? digit(in[2]) : -1;
        if (low >= 0) {
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else {
            *out++ = plus && *in == '+' ? ' ' : *in;
        }
    }
    *out = 0;
}

static bool is_clean(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            return false;
    return !strstr(text, "%00");
}

static size_t count_queries(const char *text)
{
    size_t count = 0;
    for (; text; text = strchr(text + 1, '&'))
        count++;
    return count;
}

/* Cut "a=1&b" into pairs, in place, at most `most`. Returns how many. */
static size_t read_pairs(char *text, size_t most, struct web_pair *pairs)
{
    size_t count = 0;
    for (char *next; text && count < most; text = next) {
        next = strchr(text, '&');
        if (next)
            *next++ = 0;
        if (!*text)
            continue;
        char *value = strchr(text, '=');
        if (value)
            *value++ = 0;
        else
            value = text + strlen(text);
        decode(text, true);
        decode(value, true);
        pairs[count++] = (struct web_pair){ text, value };
    }
    return count;
}

/* The path of a URL, whose host is noted; NULL when it is none. */
static char *path_of_url(char *url, struct arena *arena, struct target *target)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (strncasecmp(url, schemes[i], length) != 0)
            continue;
        char *path = url + length + strcspn(url + length, "/");
        target->authority = arena_copy(arena, url + length, (size_t)(path - url) - length);
        return *target->authority ? (*path ? path : arena_text(arena, "/")) : NULL;
    }
    return NULL;
}

void target_read(const char *text, struct arena *arena, struct target *target)
{
    *target = (struct target){ .status = 400, .path = "" };
    char *path = arena_text(arena, text), *question = strchr(path, '?');
    size_t count = count_queries(question);
    if (!is_clean(text))
        return;
    if (question)
        *question++ = 0;
    if (*path != '/')
        path = path_of_url(path, arena, target);
    if (!path)
        return;
    if (count > TARGET_QUERIES_MAX) {
        target->status = 431;
        return;
    }
    decode(path, false);
    target->path = path;
    target->queries = arena_alloc(arena, (count + 1) * sizeof *target->queries);
    target->query_count = read_pairs(question, count, target->queries);
    target->status = 0;
}

struct web_pair *target_form(const char *text, struct arena *arena, size_t *count)
{
    struct web_pair *pairs = arena_alloc(arena, TARGET_QUERIES_MAX * sizeof *pairs);
    *count = read_pairs(arena_text(arena, text), TARGET_QUERIES_MAX, pairs);
    return pairs;
}
